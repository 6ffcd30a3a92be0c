"""Parameter values and traits that the function layer reads."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from osteon.parameters import load

if TYPE_CHECKING:
    from osteon.scenario import Fracture

#: Values by key ``module.name``, floats or arrays of shape (...).
Values = Mapping[str, "float | np.ndarray"]


class Traits(NamedTuple):
    """What of a patient and a fracture no curve tells; each a number or of shape (...).

    Attributes
    ----------
    age : float or ndarray
        Age at the fracture [yr].
    displaced : bool or ndarray
        Whether a fracture of the femoral neck is displaced.
    flap : bool or ndarray
        Whether a muscle-pedicle bone flap was put in.
    blood_supply : float or ndarray
        Blood supply of the head over that usual in such a fracture [1], above 0.
    protected_until : float or ndarray
        Day before which full load is not allowed, whatever the fracture says.
    """

    age: float | np.ndarray = 60.0
    displaced: bool | np.ndarray = False
    flap: bool | np.ndarray = False
    blood_supply: float | np.ndarray = 1.0
    protected_until: float | np.ndarray = 0.0


def traits_of(fracture: Fracture, age: float | np.ndarray) -> Traits:
    """Traits of a patient of some age [yr], or of many of shape (...), with this fracture.

    Weight bearing that a scenario protects until a day is not full before it.
    """
    rule = fracture.weight_bearing
    return Traits(age, fracture.displaced, fracture.flap, protected_until=0.0 if isinstance(rule, str) else rule)


@cache
def shipped_values() -> Mapping[str, float]:
    """Values of the shipped parameters of the function layer, by key."""
    return MappingProxyType({key: record.value for key, record in load("function").items()})


def over_time(value: float | np.ndarray) -> np.ndarray:
    """Give a value of each patient, shape (...), a last axis for time."""
    return np.asarray(value, float)[..., None]


def power(x: np.ndarray, exponent: float | np.ndarray) -> np.ndarray:
    """``x**exponent`` of what is not negative, 0 below; the same for one number as within an array, to the last bit."""
    # By exp and log: a power of NumPy goes other ways for one number and for many.
    with np.errstate(divide="ignore"):
        return np.exp(exponent * np.log(np.maximum(x, 0.0)))

"""Parameter values of many patients at once: what is categorical is looked up once, what is continuous is an array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from osteon.model.person import age_factors, aged_keys, person_parameters
from osteon.population.plan import Number, narrow

if TYPE_CHECKING:
    from osteon.scenario import Fracture, Patient, Scenario

_WEIGHT, _AGE = "denosumab.weight", "endocrine.age_at_start"


class Kind(NamedTuple):
    """Everything categorical about a patient, who is without age and weight; `sets` names published parameters."""

    patient: Patient
    fracture: Fracture | None
    member: str
    sets: tuple[str, ...]

    @classmethod
    def of(
        cls, scenario: Scenario, member: str, of_fracture: Mapping[str, object] | None = None, **traits: object
    ) -> Kind:
        """Kind of the scenario's patient at any age and weight, with some traits, also of the fracture, replaced."""
        patient = scenario.patient.model_copy(update={**traits, "age": 0.0, "weight": 1.0})
        fracture = scenario.fracture
        if fracture is not None and of_fracture:
            fracture = fracture.model_copy(update=dict(of_fracture))
        return cls(patient, fracture, member, scenario.parameters)


def values_of(kinds: Sequence[Kind], which: np.ndarray, age: np.ndarray, weight: np.ndarray) -> dict[str, Number]:
    """Parameter values before any arm imposes an effect.

    Parameters
    ----------
    kinds : sequence of Kind
        Kinds that occur, of one species and all with or all without a fracture.
    which : ndarray of int
        Kind of each patient, shape (patients,).
    age, weight : ndarray
        Age [yr] and body weight [kg], shape (patients,).

    Returns
    -------
    dict of str to float or ndarray
        An array of shape (patients,) where patients differ; equals `parameters_for` of each patient to rounding.
    """
    keys, _ = _base(kinds[0])
    table = np.stack([_base(kind)[1] for kind in kinds])
    common = (table == table[0]).all(axis=0)
    values: dict[str, Number] = {
        key: float(table[0, place]) if common[place] else table[which, place] for place, key in enumerate(keys)
    }
    values[_WEIGHT], values[_AGE] = narrow(weight), narrow(age)
    if kinds[0].fracture is not None:
        slowed = age_factors(kinds[0].patient.species, age)
        if (slowed != 1.0).any():
            values.update({key: narrow(values[key] * slowed) for key in aged_keys()})
    return values


def typical(kind: Kind) -> dict[str, float]:
    """Values of a kind of patient too young for age to matter, by key."""
    keys, row = _base(kind)
    return dict(zip(keys, row.tolist(), strict=True))


@lru_cache(maxsize=1024)
def _base(kind: Kind) -> tuple[tuple[str, ...], np.ndarray]:
    parameters = person_parameters(*kind)
    return tuple(parameters), np.array([record.value for record in parameters.values()])

"""Rules by which a fracture counts as united, on the course and on films at visits.

On the course a rule is a level of a curve. On films it is a whole number that one reading shows, and union is known
only between two visits. Stiffness is that of torsion as a fraction of intact bone, which stands for bending.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from osteon.endpoints.crossing import first_above
from osteon.endpoints.scores import UNION, time_to_score
from osteon.errors import InputError, near_match, show

if TYPE_CHECKING:
    from osteon.endpoints.readers import Film


@dataclass(frozen=True)
class Rule:
    """A definition of union.

    Attributes
    ----------
    curve : str
        Curve it is read from.
    title_en, title_zh : str
        What people see.
    film : float or None
        Whole number that a film has to show; None where the rule is not one of films.
    expected : float or None
        Level of the expectation where it is not half a point below `film`.
    """

    curve: str
    title_en: str
    title_zh: str
    film: float | None = None
    expected: float | None = None


#: By name; the first is the one of ``time_to_union``.
RULES = {
    "mrust": Rule("mRUST", "mRUST of 10 or more", "mRUST ≥ 10", film=UNION, expected=UNION),
    "cortices": Rule("cortices_bridged", "3 of 4 cortices bridged", "四处皮质中三处桥接", film=3.0),
    "rust": Rule("RUST", "RUST of 10 or more", "RUST ≥ 10", film=10.0),
    "stiffness": Rule(
        "torsional_stiffness", "stiffness of 15 Nm/degree, scaled by bone size", "刚度 15 Nm/°（按骨大小换算）"
    ),
}


def rule_of(name: str) -> Rule:
    """Rule by name.

    Raises
    ------
    InputError
        There is no such rule.
    """
    if name not in RULES:
        hint = near_match(name, RULES) or f"there are {', '.join(RULES)}"
        raise InputError(f"{show(name)} is not a rule of union", path="union", value=name, hint=hint)
    return RULES[name]


def endpoint_of(name: str) -> str:
    """Name of the endpoint of a rule: ``time_to_union`` of the first, ``time_to_union_NAME`` of others."""
    return "time_to_union" if name == next(iter(RULES)) else f"time_to_union_{name}"


def time_to_union(
    time: np.ndarray, series: Mapping[str, np.ndarray], rule: str, stiffness: float | np.ndarray | None = None
) -> np.ndarray:
    """Day on which a fracture is united by a rule, on the course.

    Parameters
    ----------
    time : ndarray
        Days from the fracture, ascending, shape (time,).
    series : mapping of str to ndarray
        Curves by public name, shape (..., time).
    rule : str
        A key of `RULES`.
    stiffness : float or ndarray, optional
        Stiffness of the rule of that name [fraction of intact], shape (...); left out, ``radiograph.union_stiffness``.

    Returns
    -------
    ndarray
        Shape (...) [day]; NaN where it is not reached.
    """
    chosen = rule_of(rule)
    curve = series[chosen.curve]
    if chosen.film is None:
        return first_above(time, curve, _stiffness(stiffness))
    if chosen.expected is not None:
        return first_above(time, curve, chosen.expected)
    return time_to_score(time, curve, chosen.film)


def united(film: Film, rule: str, stiffness: np.ndarray | None = None, level: float | None = None) -> np.ndarray:
    """Whether each film shows union, shape (...): 1, 0, or NaN where there is no film.

    Parameters
    ----------
    film : Film
        Readings, each of shape (...).
    rule : str
        A key of `RULES`.
    stiffness : ndarray, optional
        Torsional stiffness [fraction of intact] measured with each film, shape (...), for the rule ``stiffness``.
    level : float, optional
        Stiffness at which that rule holds [fraction of intact]; left out, ``radiograph.union_stiffness``.

    Raises
    ------
    InputError
        There is no such rule, or it needs a stiffness that is not given.
    """
    chosen = rule_of(rule)
    if chosen.film is not None:
        shown, needed = getattr(film, chosen.curve), chosen.film
    elif stiffness is None:
        raise InputError("'stiffness' is not a rule of films alone", path="union", value=rule, hint="give stiffness")
    else:
        shown, needed = stiffness, _stiffness(level)
    return np.where(np.isnan(shown), np.nan, shown >= needed)


def union_interval(days: np.ndarray, reached: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Visits between which union came.

    Parameters
    ----------
    days : ndarray
        Day of each visit, ascending, shape (..., visits); NaN for one that was missed.
    reached : ndarray
        1 where union was seen, 0 where not, NaN where nothing was recorded; same shape.

    Returns
    -------
    left, right : ndarray
        Last visit before union was first seen (0 if there was none) and that at which it was, shape (...) [day];
        `right` is infinite where union was never seen, and both are NaN where nothing was ever recorded.
    """
    recorded = ~(np.isnan(days) | np.isnan(reached))
    seen = recorded & (reached > 0)
    before = recorded & ~np.logical_or.accumulate(seen, axis=-1)
    left = np.where(before, days, 0.0).max(axis=-1)
    right = np.where(seen, days, np.inf).min(axis=-1)
    ever = recorded.any(axis=-1)
    return np.where(ever, left, np.nan), np.where(ever, right, np.nan)


def bending_level(intact: float | np.ndarray, stiffness: float | np.ndarray | None = None) -> np.ndarray:
    """Bending stiffness at which a bone counts as united, in the unit of `intact`, that of the bone unbroken.

    The rule of 15 Nm/degree is one of the adult tibia; in another bone the same fraction of intact holds.
    """
    return np.asarray(_stiffness(stiffness) * np.asarray(intact, float))


def _stiffness(level: float | np.ndarray | None) -> float | np.ndarray:
    return _default() if level is None else level


@cache
def _default() -> float:
    from osteon.parameters import load

    return load("radiograph")["radiograph.union_stiffness"].value

"""What solving an arm of many patients gives, whichever back end solved it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from osteon.model.systems import curves


@dataclass(frozen=True)
class Failure:
    """Why, when [day] and in which state a patient failed."""

    reason: str
    day: float
    state: str


@dataclass(frozen=True)
class Solved:
    """An arm of many patients.

    Attributes
    ----------
    curves : dict of str to ndarray
        Wanted curves, shape (patients, time); not a number where a patient failed and outside its course.
    failures : dict of int to Failure
        Patients that failed, by place.
    steps : ndarray
        Accepted steps of each patient, shape (patients,).
    """

    curves: dict[str, np.ndarray]
    failures: dict[int, Failure]
    steps: np.ndarray


def absent(name: str) -> float:
    """Value of a curve where nothing computes it."""
    known = curves().get(name)
    return np.nan if known is None or known.callus else known.absent


#: Before a drug is given the callus sees all its RANKL.
FREE_RANKL = "callus_free_rankl"


def sees_free_rankl(name: str, states: object) -> bool:
    """Whether a curve is the free RANKL of a callus that no drug has reached."""
    return name == FREE_RANKL and "callus.osteoclasts" in states  # type: ignore[operator]

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


def idle(name: str, states: object) -> float | None:
    """Value of a curve in a callus that no drug has reached; None where it is no such curve or there is no callus."""
    known = curves().get(name)
    if known is None or np.isnan(known.idle) or "callus.osteoclasts" not in states:  # type: ignore[operator]
        return None
    return known.idle

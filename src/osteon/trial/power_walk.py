"""How the estimate of one trial walks while its patients accrue, and how far trials walk at most.

In SPRINT the nail that was better in the end looked worse by 165 % after the first 35 closed fractures, and the answer
held only from patient 543 (evidence on accrual of fracture trials). A designer sees here how long a trial may mislead.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from osteon.trial.power_tests import MEASURES, RANKS, estimates, p_values
from osteon.trial.power_trials import Outcomes, take

EVERY = 10  # patients of both arms together between two looks
_TRIALS = 200  # of the band around the walk, where estimates are quick


def walk(
    outcomes: Outcomes, test: str, n: int, seed: int, alpha: float = 0.05, level: float = 0.95, trial: int = 0
) -> dict[str, Any]:
    """Estimate and interval after every ten patients of one trial.

    Parameters
    ----------
    outcomes : Outcomes
        Population.
    test : str
        As `osteon.trial.power_tests.chosen_test` names it.
    n : int
        Patients per arm of the whole trial; they come to the arms in turn.
    seed, trial : int
        Which trial: the same as in `run_cell`.
    alpha, level : float
        Two-sided error and level of the interval.

    Returns
    -------
    dict
        measure, none (value without effect), patients, estimate, low, high, p (lists, NaN where there is none yet),
        band (5 and 95 % of the estimates of 200 trials, None where that takes too long), wrong_most (estimate farthest
        on the other side of no effect than the final one, with its patients, or None) and settled (patients from which
        on p stays below alpha, or None).
    """
    measure, none = MEASURES[test]
    patients = [*range(EVERY, 2 * n, EVERY), 2 * n]
    control, treated = take(outcomes, seed, trial, trial + 1, n)
    rows = []
    for both in patients:
        own = control.first((both + 1) // 2), treated.first(both // 2)
        found = estimates(test, *own, level)
        rows.append((*(one[0] for one in found), p_values(test, *own)[0]))
    middle, low, high, p = (np.array(one) for one in zip(*rows, strict=True))
    told: dict[str, Any] = {"measure": measure, "none": none, "n": n, "trial": trial, "patients": patients}
    told |= {"estimate": middle, "low": low, "high": high, "p": p}
    told["band"] = _band(outcomes, test, n, seed, level, patients)
    return told | _said(np.array(patients), middle, p, none, alpha)


def _band(outcomes: Outcomes, test: str, n: int, seed: int, level: float, patients: list[int]) -> dict | None:
    if test in RANKS:
        return None
    control, treated = take(outcomes, seed, 0, _TRIALS, n)
    found = [estimates(test, control.first((k + 1) // 2), treated.first(k // 2), level).middle for k in patients]
    low, high = zip(*(_ends(one) for one in found), strict=True)
    return {"low": list(low), "high": list(high), "trials": _TRIALS}


def _ends(values: np.ndarray) -> tuple[float, float]:
    there = values[np.isfinite(values)]
    low, high = np.quantile(there, (0.05, 0.95)) if there.size else (np.nan, np.nan)
    return float(low), float(high)


def _said(patients: np.ndarray, middle: np.ndarray, p: np.ndarray, none: float, alpha: float) -> dict[str, Any]:
    """What the walk shows in two numbers."""
    away = middle - none if none == 0 else np.log(middle)
    told: dict[str, Any] = {"wrong_most": None, "settled": None}
    if np.isfinite(away[-1]) and away[-1] != 0:
        wrong = np.where(np.isfinite(away), -np.sign(away[-1]) * away, -np.inf)
        if wrong.max() > 0:
            place = int(wrong.argmax())
            told["wrong_most"] = {"patients": int(patients[place]), "estimate": float(middle[place])}
    below = p < alpha
    if below[-1]:
        above = np.flatnonzero(~below)
        told["settled"] = int(patients[above[-1] + 1] if above.size else patients[0])
    return told

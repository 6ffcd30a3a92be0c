"""The planned method of a study itself, in as many trials as there is time for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from osteon.trial.power_forms import exact_interval
from osteon.trial.power_tests import Arm, Estimate, p_values
from osteon.trial.power_trials import Outcomes, take, usual


def planned_cell(
    outcomes: Outcomes,
    method: str,
    test: str,
    n: int,
    trials: int,
    seed: int,
    alpha: float,
    level: float = 0.95,
    tau: float | None = None,
    tell: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Analyse the first trials of one size as `osteon.trial.analysis` would.

    Parameters
    ----------
    outcomes : Outcomes
        Population, with the visits around each event.
    method : str
        Planned method, a key of `osteon.trial.power_tests.TESTS`.
    test : str
        Fast test that its answers are set beside.
    n, trials, seed, alpha, level
        As in `osteon.trial.power_trials.run_cell`; trials are the same ones.
    tau : float, optional
        Day to which restricted means are taken.
    tell : callable, optional
        Told how many trials are done.

    Returns
    -------
    dict
        As a row of power, with measure, agree (share of the trials in which the fast test gives the same answer) and
        reasons (why there was no answer, with counts).
    """
    p, rows, fast, reasons, measure = np.full(trials, np.nan), [], np.empty(trials), {}, ""
    for trial in range(trials):
        control, treated = take(outcomes, seed, trial, trial + 1, n, ends=True)
        found = _analysed(method, control, treated, level, tau)
        measure, p[trial] = found.measure, found.p
        rows.append((found.value, found.low, found.high))
        fast[trial] = p_values(test, control, treated)[0]
        if found.reason:
            reasons[found.reason] = reasons.get(found.reason, 0) + 1
        if tell:
            tell(trial + 1)
    rejected = int((p < alpha).sum())
    low, high = exact_interval(rejected, trials, level)
    told = {"n": n, "trials": trials, "rejected": rejected, "undecided": int(np.isnan(p).sum())}
    told |= {"share": rejected / trials, "low": low, "high": high, "measure": measure}
    agree = float(((p < alpha) == (fast < alpha)).mean())
    return told | usual(Estimate(*np.array(rows).T)) | {"agree": agree, "reasons": reasons}


def _analysed(method: str, control: Arm, treated: Arm, level: float, tau: float | None) -> Any:
    if method in ("difference", "share"):
        from osteon.trial.analysis.values import compare_values

        first, other = (one.value[0][np.isfinite(one.value[0])] for one in (control, treated))
        return compare_values(first, other, level, share=method == "share")
    from osteon.trial.analysis.compare import compare_times

    return compare_times(method, _times(control), _times(treated), level, tau)


def _times(arm: Arm) -> Any:
    from osteon.trial.analysis.sample import Times

    there = np.isfinite(arm.value[0])
    value, event = arm.value[0][there], arm.event[0][there]
    left = value if arm.left is None else arm.left[0][there]
    right = np.where(event, value, np.inf) if arm.right is None else arm.right[0][there]
    return Times(value, event, left, right)

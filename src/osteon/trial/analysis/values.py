"""Comparisons of what is measured once: differences of means and of shares."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np

from osteon.trial.analysis import result as said
from osteon.trial.analysis.result import Estimate, heard

#: An arm with fewer values than this, all the same, says nothing of their spread.
FEW = 10


def compare_values(
    control: np.ndarray, arm: np.ndarray, level: float = 0.95, *, share: bool = False, unit: str = "", **named: Any
) -> Estimate:
    """Compare recorded values of two arms.

    Parameters
    ----------
    control, arm : ndarray
        Values without those that are missing, shape (n,); 1 and 0 for an event.
    level : float
        Of the interval.
    share : bool
        Whether it is an event: Newcombe's interval and the score test of two shares, else Welch's t test of means.
    unit : str
        Of the values.
    **named
        ``endpoint``, ``arm_name``, ``control_name``, ``primary``.

    Returns
    -------
    Estimate
        With a reason instead of a number where there is none.
    """
    empty = Estimate(
        endpoint=named.get("endpoint", ""),
        method="difference",
        arm=named.get("arm_name", ""),
        control=named.get("control_name", ""),
        measure="difference",
        level=level,
        unit="share" if share else unit,
        n=len(arm),
        n_control=len(control),
        events=int(arm.sum()) if share else len(arm),
        events_control=int(control.sum()) if share else len(control),
        mean=float(arm.mean()) if len(arm) else np.nan,
        mean_control=float(control.mean()) if len(control) else np.nan,
        primary=named.get("primary", False),
    )
    if min(len(arm), len(control)) < 2:
        return replace(empty, reason=said.TOO_FEW)
    notes: list[str] = []
    with heard(notes):
        found = _shares(control, arm, level) if share else _means(control, arm, level)
    more = (*found.pop("notes", ()), *notes)
    return replace(empty, **found, notes=more)


def share_of(values: np.ndarray, level: float) -> tuple[float, float, float]:
    """Share of ones with its exact (Clopper-Pearson) interval; NaN of nobody."""
    from statsmodels.stats.proportion import proportion_confint

    if not len(values):
        return np.nan, np.nan, np.nan
    ends: Any = proportion_confint(int(values.sum()), len(values), 1 - level, "beta")
    low, high = ends
    return float(values.mean()), float(low), float(high)


def _shares(control: np.ndarray, arm: np.ndarray, level: float) -> dict[str, Any]:
    from statsmodels.stats.proportion import confint_proportions_2indep, test_proportions_2indep

    counts = int(arm.sum()), len(arm), int(control.sum()), len(control)
    low, high = confint_proportions_2indep(*counts, method="newcomb", compare="diff", alpha=1 - level)
    found = {"value": float(arm.mean() - control.mean()), "low": float(low), "high": float(high)}
    if counts[0] + counts[2] in (0, len(arm) + len(control)):
        # Nobody or everybody in both: there is an interval and nothing to test.
        return found
    test: Any = test_proportions_2indep(*counts, method="score", compare="diff", return_results=True)
    return {**found, "p": float(test.pvalue)}


def _means(control: np.ndarray, arm: np.ndarray, level: float) -> dict[str, Any]:
    from scipy.stats import ttest_ind

    difference = {"value": float(arm.mean() - control.mean())}
    flat = [one for one in (arm, control) if np.ptp(one) == 0]
    if len(flat) == 2:
        return {**difference, "reason": said.SAME_VALUE}
    if any(len(one) < FEW for one in flat):
        return {**difference, "reason": said.NO_SPREAD_FEW}
    with warnings.catch_warnings():
        if flat:
            # scipy warns of values without spread, which the note says.
            warnings.simplefilter("ignore")
        test: Any = ttest_ind(arm, control, equal_var=False)
    ends = test.confidence_interval(level)
    found = {**difference, "low": float(ends.low), "high": float(ends.high), "p": float(test.pvalue)}
    return {**found, "notes": (said.NO_SPREAD,)} if flat else found

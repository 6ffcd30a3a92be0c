"""Tests and estimates of many trials at once, each by SciPy or statsmodels.

Trials of a power calculation are analysed by the thousand, so that each planned method has a test that is fast. Where
it is not the planned method itself, `STAND_IN` says which it is and why it serves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from osteon.errors import InputError, MissingExtra, near_match, show

#: Fast test of each planned method.
TESTS = {
    "log_time": "t_test",
    "log_rank": "log_rank",
    "cox": "log_rank",
    "interval": "wilcoxon",
    "rmst": "log_rank",
    "difference": "welch",
    "share": "welch",
}
#: Planned methods whose test is another one here, as keys of words.
STAND_IN = {"cox": "score", "interval": "visits", "rmst": "curves", "share": "shares"}
#: What each test estimates, and the value of no effect.
MEASURES = {
    "t_test": ("time_ratio", 1.0),
    "wilcoxon": ("hazard_ratio", 1.0),
    "log_rank": ("hazard_ratio", 1.0),
    "welch": ("difference", 0.0),
}
#: Tests of ranks, whose estimates are fitted one by one.
RANKS = ("wilcoxon", "log_rank")


@dataclass(frozen=True)
class Arm:
    """What trials record of one arm.

    Attributes
    ----------
    value : ndarray
        Day of the event or of the last look without it, or the measure compared, shape (trials, n).
    event : ndarray
        Whether it was seen, shape (trials, n); all true for a measure.
    left, right : ndarray or None
        Visits between which it came, shape (trials, n), where the planned method needs them.
    """

    value: np.ndarray
    event: np.ndarray
    left: np.ndarray | None = None
    right: np.ndarray | None = None

    def first(self, n: int) -> Arm:
        """The first `n` patients of each trial."""
        return Arm(self.value[:, :n], self.event[:, :n])


class Estimate(NamedTuple):
    """Estimate of the effect with its interval, each of shape (trials,); NaN where there is none."""

    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray


def chosen_test(method: str, complete: bool = True) -> str:
    """Name of the fast test of a planned method.

    Parameters
    ----------
    method : str
        A key of `TESTS`.
    complete : bool
        Whether the event of every patient is seen; without that log times cannot be compared by their means, and
        Wilcoxon's test takes the place of the t test.
    """
    if method not in TESTS:
        hint = near_match(method, TESTS) or f"there are {', '.join(TESTS)}"
        raise InputError(f"{show(method)} is not a method of analysis", path="analysis.method", value=method, hint=hint)
    return "wilcoxon" if TESTS[method] == "t_test" and not complete else TESTS[method]


def p_values(test: str, control: Arm, treated: Arm) -> np.ndarray:
    """Two-sided p of every trial, shape (trials,); NaN where the test has no answer, such as without an event."""
    return _P[test](control, treated)


def estimates(test: str, control: Arm, treated: Arm, level: float = 0.95) -> Estimate:
    """Effect of the treatment in every trial: a time ratio, a hazard ratio of the event, or a difference.

    The hazard ratio is Cox's with Efron's handling of ties; a ratio above 1 means that the event comes sooner.
    """
    return _ESTIMATE[test](control, treated, level)


def _log_times(arm: Arm) -> Arm:
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(arm.value)
    return Arm(np.where(np.isfinite(logs), logs, np.nan), arm.event)


def _welch(control: Arm, treated: Arm, level: float | None = None) -> tuple[np.ndarray, Estimate]:
    """p, and with a level the difference of means with its interval, of the trials that have a spread to compare."""
    from scipy.stats import ttest_ind

    enough = _spread(control.value) & _spread(treated.value)
    enough &= _width(control.value) + _width(treated.value) > 0
    p, found = np.full(enough.size, np.nan), np.full((3, enough.size), np.nan)
    if enough.any():
        one, other = control.value[enough], treated.value[enough]
        # Leaving out what is missing is slow, and seldom needed.
        missing = np.isnan(one).any() or np.isnan(other).any()
        test: Any = ttest_ind(other, one, axis=1, equal_var=False, nan_policy="omit" if missing else "propagate")
        p[enough] = np.ma.filled(np.asarray(test.pvalue, float), np.nan)
        if level is not None:
            ends = test.confidence_interval(level)
            found[:, enough] = np.nanmean(other, axis=1) - np.nanmean(one, axis=1), ends.low, ends.high
    return p, Estimate(*found)


def _spread(values: np.ndarray) -> np.ndarray:
    """Whether each trial has two values at least."""
    return np.isfinite(values).sum(axis=1) >= 2


def _width(values: np.ndarray) -> np.ndarray:
    """Largest less smallest value of each trial; 0 without any."""
    there = np.isfinite(values)
    high, low = np.where(there, values, -np.inf).max(axis=1), np.where(there, values, np.inf).min(axis=1)
    return np.where(there.any(axis=1), high, 0.0) - np.where(there.any(axis=1), low, 0.0)


def _p_of_ranks(control: Arm, treated: Arm, **weights: Any) -> np.ndarray:
    """Of the log-rank test, or of one that weighs events otherwise, by statsmodels."""
    try:
        from statsmodels.duration.survfunc import survdiff
    except ImportError:
        raise MissingExtra("Power of a trial", "trial") from None
    found = np.full(len(control.value), np.nan)
    group = np.repeat([0, 1], [control.value.shape[1], treated.value.shape[1]])
    for place in range(len(found)):
        time, event, own = _joined(control, treated, place, group)
        if not event.any() or len(np.unique(own)) < 2:
            continue
        try:
            with np.errstate(all="ignore"):
                found[place] = survdiff(time, event.astype(int), own, **weights)[1]
        except np.linalg.LinAlgError:
            # No risk set has both arms and anybody left over: the statistic has no variance.
            continue
    return found


def _joined(control: Arm, treated: Arm, place: int, group: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, event and arm of the patients of one trial who were ever seen."""
    time = np.concatenate([control.value[place], treated.value[place]])
    event = np.concatenate([control.event[place], treated.event[place]])
    there = np.isfinite(time)
    return time[there], event[there], group[there]


def _ratio_of_times(control: Arm, treated: Arm, level: float) -> Estimate:
    return Estimate(*(np.exp(one) for one in _welch(_log_times(control), _log_times(treated), level)[1]))


def _hazard_ratio(control: Arm, treated: Arm, level: float) -> Estimate:
    from scipy.stats import norm

    group = np.repeat([0, 1], [control.value.shape[1], treated.value.shape[1]])
    fits = np.array([_cox(*_joined(control, treated, place, group)) for place in range(len(control.value))])
    middle, error = fits.reshape(-1, 2).T
    wide = norm.isf((1 - level) / 2) * error
    return Estimate(*(np.exp(one) for one in (middle, middle - wide, middle + wide)))


def _cox(time: np.ndarray, event: np.ndarray, group: np.ndarray) -> tuple[float, float]:
    """Log hazard ratio and its standard error; NaN where an arm has no event or nobody at risk, or times are one."""
    if not event[group == 0].any() or not event[group == 1].any():
        return np.nan, np.nan
    if time.min() == time.max() or min(time[group == 0].max(), time[group == 1].max()) < time[event].min():
        return np.nan, np.nan
    try:
        from statsmodels.duration.hazard_regression import PHReg
    except ImportError:
        raise MissingExtra("Power of a trial", "trial") from None
    import warnings

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # It warns where one arm has all its events first, when the ratio has no end; the error then says so.
        warnings.simplefilter("ignore")
        found: Any = PHReg(time, group[:, None].astype(float), status=event.astype(float), ties="efron").fit(disp=0)
    middle, error = float(found.params[0]), float(found.bse[0])
    return (middle, error) if np.isfinite(error) and error < 10 else (np.nan, np.nan)


_P: dict[str, Callable[[Arm, Arm], np.ndarray]] = {
    "t_test": lambda control, treated: _welch(_log_times(control), _log_times(treated))[0],
    # Weighed with the share still without the event: Wilcoxon's test as Prentice has it for censored times.
    "wilcoxon": partial(_p_of_ranks, weight_type="fh", fh_p=1.0),
    "log_rank": _p_of_ranks,
    "welch": lambda control, treated: _welch(control, treated)[0],
}
_ESTIMATE: dict[str, Callable[[Arm, Arm, float], Estimate]] = {
    "t_test": _ratio_of_times,
    "wilcoxon": _hazard_ratio,
    "log_rank": _hazard_ratio,
    "welch": lambda control, treated, level: _welch(control, treated, level)[1],
}

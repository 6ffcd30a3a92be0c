"""Comparisons of an arm with the control, each by the library that has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from osteon.trial.analysis import result as said
from osteon.trial.analysis.interval import MOST, WIDEST, before_first, failures, interval, one_day
from osteon.trial.analysis.result import Estimate, heard
from osteon.trial.analysis.sample import Times, out_of_reach, same_time, unusable
from osteon.trial.analysis.values import FEW

_COARSE = 0.1  # of the day on which an event was seen
#: What each method for times estimates.
MEASURES = {
    "interval": "time_ratio",
    "interval_weibull": "time_ratio",
    "log_rank": "log_rank",
    "cox": "hazard_ratio",
    "rmst": "rmst_difference",
    "log_time": "time_ratio",
}


def compare_times(
    method: str, control: Times, arm: Times, level: float = 0.95, tau: float | None = None, **named: Any
) -> Estimate:
    """Compare the times of two arms.

    Parameters
    ----------
    method : str
        A key of `MEASURES`.
    control, arm : Times
        What was seen in each.
    level : float
        Of the interval.
    tau : float, optional
        Day to which restricted means are taken; left out, or later, the end of the shorter follow-up.
    **named
        ``endpoint``, ``arm_name``, ``control_name``, ``primary``.

    Returns
    -------
    Estimate
        With a reason instead of a number where there is none.
    """
    empty = Estimate(
        endpoint=named.get("endpoint", ""),
        method=method,
        arm=named.get("arm_name", ""),
        control=named.get("control_name", ""),
        measure=MEASURES[method],
        level=level,
        unit="day" if method == "rmst" else "",
        n=len(arm),
        n_control=len(control),
        events=arm.events,
        events_control=control.events,
        primary=named.get("primary", False),
    )
    reason = unusable(control, arm)
    if reason:
        return replace(empty, reason=reason)
    notes: list[str] = []
    with heard(notes):
        found = _METHODS[method](control, arm, level, tau)
    own = list(found.pop("notes", ()))
    if MEASURES[method] != "time_ratio" and max(before_first(control), before_first(arm)) > MOST:
        own.append(said.FIRST_LOOK)
    if min(control.events, arm.events) < FEW and method != "log_time":
        own.append(said.FEW_EVENTS)
    more = () if "reason" in found else tuple(dict.fromkeys((*own, *notes)))
    return replace(empty, **found, notes=more)


def log_rank(control: Times, arm: Times, level: float, tau: float | None) -> dict[str, Any]:
    """Log-rank test."""
    from lifelines.statistics import logrank_test

    reason = _no_order(control, arm)
    if reason:
        return {"reason": reason}
    return _finite({"p": logrank_test(control.time, arm.time, control.event, arm.event).p_value}, "p")


def cox(control: Times, arm: Times, level: float, tau: float | None) -> dict[str, Any]:
    """Hazard ratio by Cox's model with Efron's handling of ties."""
    import lifelines
    import pandas as pd

    reason = said.NO_EVENT_IN_ONE if not control.events or not arm.events else _no_order(control, arm)
    if reason:
        return {"reason": reason}
    data = pd.DataFrame(
        {
            "time": np.concatenate([control.time, arm.time]),
            "event": np.concatenate([control.event, arm.event]),
            "arm": np.repeat([0.0, 1.0], [len(control), len(arm)]),
        }
    )
    try:
        row = lifelines.CoxPHFitter(alpha=1 - level).fit(data, "time", "event").summary.loc["arm"]
    except failures():
        return {"reason": said.NOT_CONVERGED}
    ends = [column for column in row.index if str(column).startswith("exp(coef) ")]
    return _ratio({"value": row["exp(coef)"], "low": row[ends[0]], "high": row[ends[1]], "p": row["p"]})


def rmst(control: Times, arm: Times, level: float, tau: float | None) -> dict[str, Any]:
    """Difference of restricted mean times."""
    from scipy.stats import norm

    until, notes = reach(control, arm, tau), ()
    if tau is not None and until < tau:
        notes = (said.TAU_CUT,)
    if not until > 0:
        return {"reason": said.NO_RISK}
    (one, first), (other, second) = (restricted_mean(sample, until) for sample in (control, arm))
    difference, error = other - one, float(np.hypot(first, second))
    found = {"value": difference, "tau": until, "mean": other, "mean_control": one, "notes": notes}
    if not error > 0:
        return {**found, "reason": said.SAME_TIME if same_time(control, arm) else said.NO_RISK}
    flat = [sample for sample, spread in ((control, first), (arm, second)) if not spread > 0]
    if any(len(sample) < FEW for sample in flat):
        return {**found, "reason": said.NO_SPREAD_FEW}
    found["notes"] = (*notes, said.NO_SPREAD) if flat else notes
    width = norm.isf((1 - level) / 2) * error
    return {
        **found,
        "low": difference - width,
        "high": difference + width,
        "p": 2 * float(norm.sf(abs(difference) / error)),
    }


def reach(control: Times, arm: Times, tau: float | None) -> float:
    """Day to which the curves of both arms are known, `tau` at most.

    The curve of an arm whose last patient had the event stays at none, so that such an arm sets no end.
    """
    last = [one.time.max() for one in (control, arm)]
    known = [np.inf if one.event[one.time == end].all() else end for one, end in zip((control, arm), last, strict=True)]
    shortest = min(*known, max(last))
    return float(shortest if tau is None else min(tau, shortest))


def restricted_mean(sample: Times, tau: float) -> tuple[float, float]:
    """Restricted mean time to `tau` by Kaplan-Meier, and its standard error [day].

    lifelines gives the mean and the spread of the times, but not the error of the mean. That is Greenwood's: each death
    weighs with the area under the curve after it (Klein and Moeschberger 2003, equation 4.5.2).
    """
    from lifelines import KaplanMeierFitter
    from lifelines.utils import restricted_mean_survival_time

    fitted = KaplanMeierFitter().fit(sample.time, sample.event)
    mean: Any = restricted_mean_survival_time(fitted, t=tau)
    table = fitted.event_table[fitted.event_table.index <= tau]
    time, deaths, risk = (
        table.index.to_numpy(float),
        table["observed"].to_numpy(float),
        table["at_risk"].to_numpy(float),
    )
    share = fitted.survival_function_.iloc[: len(time), 0].to_numpy()
    area = np.cumsum((share * np.diff(np.append(time, tau)))[::-1])[::-1]
    weight = np.divide(deaths, risk * (risk - deaths), out=np.zeros(len(time)), where=risk > deaths)
    return float(mean), float(np.sqrt((area**2 * weight).sum()))


def log_time(control: Times, arm: Times, level: float, tau: float | None) -> dict[str, Any]:
    """Ratio of geometric mean times by Welch's t test of their logarithms."""
    from scipy.stats import ttest_ind

    if one_day(control) and one_day(arm) and not same_time(control, arm):
        return {"reason": said.ONE_INTERVAL}
    if max(before_first(control), before_first(arm)) > MOST:
        return {"reason": said.SAME_TIME if same_time(control, arm) else said.NOT_TOLD}
    one, other = (np.log(sample.time[sample.event & (sample.time > 0)]) for sample in (control, arm))
    if min(len(one), len(other)) < 2:
        return {"reason": said.NO_EVENT_IN_ONE if not min(len(one), len(other)) else said.TOO_FEW}
    if np.ptp(one) == 0 and np.ptp(other) == 0:
        return {"reason": said.SAME_TIME}
    if any(np.ptp(logs) == 0 and len(logs) < FEW for logs in (one, other)):
        return {"reason": said.NO_SPREAD_FEW}
    test: Any = ttest_ind(other, one, equal_var=False)
    ends = test.confidence_interval(level)
    left_out = not (control.event.all() and arm.event.all())
    found = {"value": np.exp(other.mean() - one.mean()), "low": np.exp(ends.low), "high": np.exp(ends.high)}
    notes = ((said.CENSORED_OUT,) if left_out else ()) + ((said.SEEN_DAYS,) if _coarse(control, arm) else ())
    return {**_ratio({**found, "p": test.pvalue}), "notes": (*notes, *_no_spread(one, other))}


def _no_order(control: Times, arm: Times) -> str:
    """Why nothing can be said of which arm is first."""
    if same_time(control, arm):
        return said.SAME_TIME
    return said.NO_RISK if out_of_reach(control, arm) else ""


def _finite(found: dict[str, Any], *names: str) -> dict[str, Any]:
    """Numbers of a fit, or that it found none."""
    numbers = {key: float(value) for key, value in found.items()}
    good = all(np.isfinite(numbers[name]) for name in (names or numbers))
    return numbers if good else {"reason": said.NOT_CONVERGED}


def _ratio(found: dict[str, Any]) -> dict[str, Any]:
    """Numbers of a ratio, or why they say nothing."""
    numbers = _finite(found)
    if "reason" not in numbers and not (numbers["low"] > 0 and numbers["high"] / numbers["low"] <= WIDEST):
        return {"reason": said.TOO_WIDE}
    return numbers


def _coarse(control: Times, arm: Times) -> bool:
    """Whether visits lie so far apart that the day an event was seen is another one than that on which it came."""
    gaps = [(one.time - one.left)[one.event] / one.time[one.event] for one in (control, arm)]
    return bool(np.median(np.concatenate(gaps)) > _COARSE)


def _no_spread(one: np.ndarray, other: np.ndarray) -> tuple[str, ...]:
    """A note where the interval rests on the spread of one arm alone."""
    return (said.NO_SPREAD,) if np.ptp(one) == 0 or np.ptp(other) == 0 else ()


_Method = Callable[[Times, Times, float, "float | None"], dict[str, Any]]
_METHODS: Mapping[str, _Method] = {
    "interval": lambda control, arm, level, tau: interval(control, arm, level, "lognormal"),
    "interval_weibull": lambda control, arm, level, tau: interval(control, arm, level, "weibull"),
    "log_rank": log_rank,
    "cox": cox,
    "rmst": rmst,
    "log_time": log_time,
}

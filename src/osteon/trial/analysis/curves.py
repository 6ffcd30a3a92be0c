"""Curves of one arm: Kaplan-Meier with numbers at risk, interval-censored, and Aalen-Johansen with competing death."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from osteon.trial.analysis import result as said
from osteon.trial.analysis.interval import failures, off, one_day
from osteon.trial.analysis.result import heard
from osteon.trial.analysis.sample import Times

_POINTS = 120  # of a smooth curve
_MOST_POINTS = 600  # of a stepped one in a file


def curves_of(sample: Times, ticks: Sequence[float], until: float, level: float) -> dict[str, Any]:
    """All curves of the times of one arm.

    Parameters
    ----------
    sample : Times
        What was seen.
    ticks : sequence of float
        Days for which numbers at risk are told.
    until : float
        Last day of smooth curves.
    level : float
        Of the bands.

    Returns
    -------
    dict
        As `osteon.trial.analysis.result.Analysis.curves` says, without ``endpoint`` and ``arm``, with ``notes``.
    """
    notes: list[str] = []
    nothing = {"time": [], "share": [], "reason": said.NO_PATIENT if not len(sample) else said.NO_EVENT_HERE}
    found: dict[str, Any] = {"n": len(sample), "events": sample.events}
    with heard(notes):
        middle, survival = (_no_median(), nothing) if not len(sample) else kaplan_meier(sample, ticks, level)
        found |= middle
        found["kaplan_meier"] = survival
        if sample.events:
            found["steps"] = npmle(sample, notes)
            found["fitted"] = [fitted(sample, model, until) for model in ("lognormal", "weibull")]
        else:
            found |= {"steps": nothing, "fitted": [{**nothing, "model": model} for model in ("lognormal", "weibull")]}
        found["competing"] = aalen_johansen(sample, level) if len(sample) else nothing
    return {**found, "notes": notes}


def kaplan_meier(sample: Times, ticks: Sequence[float], level: float) -> tuple[dict[str, float], dict[str, Any]]:
    """Median with its interval, and the share without the event with its band and the numbers at risk."""
    from lifelines import KaplanMeierFitter
    from lifelines.utils import median_survival_times

    fit = KaplanMeierFitter(alpha=1 - level).fit(sample.time, sample.event)
    band = fit.confidence_interval_survival_function_
    # The band is named by its level, the lower end first.
    low, high = (band.iloc[:, place].to_numpy(float) for place in (0, 1))
    time, share = fit.survival_function_.index.to_numpy(float), fit.survival_function_.iloc[:, 0].to_numpy(float)
    risk = fit.event_table["at_risk"]
    days, people = risk.index.to_numpy(float), risk.to_numpy(float)
    place = np.searchsorted(days, ticks)
    left = [int(people[one]) if one < len(days) else 0 for one in place]
    kept = _kept(time, share)
    curve = {"time": time[kept], "share": share[kept], "low": low[kept], "high": high[kept]}
    ends: Any = median_survival_times(band)
    medians = ends.to_numpy(float).reshape(-1)
    middle = {"median": fit.median_survival_time_, "median_low": medians[0], "median_high": medians[1]}
    told = {"at_risk": [[float(day), number] for day, number in zip(ticks, left, strict=True)]}
    return middle, {**curve, **told, "reason": ""}


def npmle(sample: Times, notes: list[str]) -> dict[str, Any]:
    """Share without the event from intervals alone, without a shape; steps stand at the visits."""
    from lifelines import KaplanMeierFitter

    data, note = sample.coarse()
    if note:
        notes.append(note)
    fit = KaplanMeierFitter().fit_interval_censoring(data["left"], data["right"], weights=data["weight"])
    share = fit.survival_function_
    time = np.round(share.index.to_numpy(float), 1)
    inside = np.isfinite(time)
    # The whole step is drawn at the visit that shows it; a bound just after a visit is that visit's own.
    lower = share["NPMLE_estimate_lower"].to_numpy(float)
    ends, at_end = _last_of_each(time[inside], lower[inside])
    return {"time": ends, "share": at_end, "reason": ""}


def fitted(sample: Times, model: str, until: float) -> dict[str, Any]:
    """Share without the event by a lognormal or Weibull distribution of what lies between visits."""
    import lifelines
    from lifelines.exceptions import ApproximationWarning, StatisticalWarning

    nothing: dict[str, Any] = {"model": model, "time": [], "share": []}
    data = sample.grouped()
    if len(data) < 2:
        return {**nothing, "reason": said.SAME_TIME}
    if one_day(sample):
        return {**nothing, "reason": said.ONE_INTERVAL_HERE}
    fitter = {"lognormal": lifelines.LogNormalFitter, "weibull": lifelines.WeibullFitter}[model]()
    days = np.linspace(0.0, until, _POINTS)[1:]
    # Times about 1 are where the fit starts from.
    usual = float(np.median(sample.time[sample.event]))
    start = np.array([0.0, 0.5]) if model == "lognormal" else np.array([1.0, 2.0])
    left, right = data["left"] / usual, data["right"] / usual
    with warnings.catch_warnings(record=True) as heard_of:
        warnings.simplefilter("always")
        try:
            fitter.fit_interval_censoring(left, right, weights=data["weight"], initial_point=start)
        except failures():
            return {**nothing, "reason": said.NOT_CONVERGED}
    if any(issubclass(one.category, ApproximationWarning | StatisticalWarning) for one in heard_of):
        return {**nothing, "reason": said.NOT_TOLD}

    def share(day: np.ndarray) -> np.ndarray:
        return fitter.survival_function_at_times(day / usual).to_numpy(float)

    if off(sample, share):
        return {**nothing, "reason": said.AT_ODDS}
    names = {"lognormal": ("mu_", "sigma_"), "weibull": ("lambda_", "rho_")}[model]
    parameters = {name.rstrip("_"): float(getattr(fitter, name)) for name in names}
    place = "mu" if model == "lognormal" else "lambda"
    parameters[place] = parameters[place] + np.log(usual) if model == "lognormal" else parameters[place] * usual
    return {"model": model, "time": days, "share": share(days), "aic": float(fitter.AIC_), **parameters, "reason": ""}


def aalen_johansen(sample: Times, level: float) -> dict[str, Any]:
    """Share with the event, and share who died before, where death takes patients away from it."""
    import pandas as pd

    died = np.full(len(sample), np.nan) if sample.died is None else sample.died
    dead = ~sample.event & ~np.isnan(died)
    if not sample.events and not dead.any():
        return {"time": [], "share": [], "death": [], "reason": said.NO_EVENT_HERE}
    free = sample.time if sample.followed is None else np.fmax(sample.followed, sample.time)
    moment = np.where(sample.event, sample.time, np.where(dead, np.floor(died) + 0.5, free))
    # Of days on which some reach the event others die half a day later, so that no tie has to be broken at random.
    while np.isin(moment[dead], sample.time[sample.event]).any():
        moment[dead] += 0.125
    cause = np.where(sample.event, 1, np.where(dead, 2, 0))
    data = pd.DataFrame({"time": moment, "cause": cause}).value_counts(sort=False).reset_index(name="weight")
    event = _cumulative(data, 1, level)
    time, share, low, high = event if event is not None else (data["time"].to_numpy(), *(np.zeros(len(data)),) * 3)
    other = _cumulative(data, 2, level) if dead.any() else None
    death = np.zeros(len(time)) if other is None else np.interp(time, other[0], other[1])
    kept = _kept(time, share + death)
    columns = {"time": time, "share": share, "low": low, "high": high, "death": death}
    return {**{name: one[kept] for name, one in columns.items()}, "reason": ""}


def _cumulative(data: Any, cause: int, level: float) -> tuple[np.ndarray, ...] | None:
    """Times, cumulative incidence of a cause and its band, None where it never came."""
    from lifelines import AalenJohansenFitter

    if not (data["cause"] == cause).any():
        return None
    fit = AalenJohansenFitter(alpha=1 - level).fit(data["time"], data["cause"], cause, weights=data["weight"])
    share = fit.cumulative_density_.iloc[:, 0]
    band = np.sort(fit.confidence_interval_.to_numpy(float), axis=1)
    return share.index.to_numpy(float), share.to_numpy(float), band[:, 0], band[:, 1]


def _last_of_each(time: np.ndarray, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The last of the values at each time."""
    days, place = np.unique(time[::-1], return_index=True)
    return days, share[::-1][place]


def _kept(time: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Points of a stepped curve worth keeping: where it moves, thinned if there are very many."""
    moves = np.flatnonzero(np.diff(share, prepend=np.nan) != 0)
    points = np.unique(np.concatenate([moves, [len(time) - 1]]))
    if len(points) <= _MOST_POINTS:
        return points
    return points[np.unique(np.linspace(0, len(points) - 1, _MOST_POINTS).round().astype(int))]


def _no_median() -> dict[str, float]:
    return dict.fromkeys(("median", "median_low", "median_high"), float("nan"))

"""Ratio of times known only between visits, by an accelerated failure time model, or why the visits tell none.

Such a likelihood has no proper maximum where a single day of each arm explains all that was seen, or where one arm has
no bound on one side: an optimiser then ends anywhere, often without an error. What it ends with is therefore held
against the data: its information, another start, the likelihood without an effect, and the shares seen at visits.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from osteon.trial.analysis import result as said
from osteon.trial.analysis.sample import Times, same_time

#: An interval of a ratio that spans more than this tells nothing.
WIDEST = 1000.0
#: Share of the events before a first look above which a reader is told.
MOST = 0.5
_FIRST = 0.02  # days from the start that are the start itself
_OTHER = 0.4  # distance of another start from the pooled fit, on the log scale
_WEAK, _FEW = 0.3, 20  # error of the effect or share before a first look, and events, for which there is another start
_SAME, _APART = 0.05, 0.1  # likelihoods this near are the same optimum; estimates this many errors apart are not
_FLAT, _SLACK = 1.5, 0.7  # Wald's z may be this many times that of the likelihood ratio, and this much above it
_NARROW = 0.05  # of the width of an interval between visits, on the log scale
_OFF, _CLOSE = 0.15, 0.4


class Fit(NamedTuple):
    """One maximum: ratio of times on the log scale with its error, scale of the log times, log-likelihood."""

    effect: float
    error: float
    scale: float
    centre: float
    likelihood: float


def interval(control: Times, arm: Times, level: float, model: str) -> dict[str, Any]:
    """Ratio of times by a lognormal or Weibull accelerated failure time model.

    Parameters
    ----------
    control, arm : Times
        What was seen.
    level : float
        Of the interval.
    model : {"lognormal", "weibull"}

    Returns
    -------
    dict
        ``value``, ``low``, ``high``, ``p``; or ``reason``.
    """
    from scipy.stats import norm

    reason = untold(control, arm)
    if reason:
        return {"reason": reason}
    # A ratio has no unit; times about 1 are where the fit starts from.
    usual = float(np.median(np.concatenate([one.time[one.event] for one in (control, arm)])))
    found = _best(control, arm, usual, model)
    if isinstance(found, str):
        return {"reason": found}
    reason = _doubt(found, (control, arm), usual, model)
    width = float(norm.isf((1 - level) / 2)) * found[0].error
    if not reason and 2 * width > np.log(WIDEST):
        reason = said.TOO_WIDE
    if reason:
        return {"reason": reason}
    effect = found[0].effect
    ends = {"value": np.exp(effect), "low": np.exp(effect - width), "high": np.exp(effect + width)}
    return {name: float(one) for name, one in ends.items()} | {
        "p": 2 * float(norm.sf(abs(effect) / found[0].error)),
        "notes": (said.BY_SHAPE,) if max(before_first(control), before_first(arm)) > MOST else (),
    }


def untold(control: Times, arm: Times) -> str:
    """Why no ratio follows from these intervals whatever the distribution; empty where one may."""
    if not control.events or not arm.events:
        return said.NO_EVENT_IN_ONE
    if one_day(control) and one_day(arm):
        return said.SAME_TIME if same_time(control, arm) else said.ONE_INTERVAL
    if _all_first(control) or _all_first(arm):
        return said.ALL_FIRST
    # Looks that lie close together give the share by then and nothing of how times spread.
    bounds = _joined(control, arm)
    bounds = bounds[np.isfinite(bounds) & (bounds > _FIRST)]
    return said.NOT_TOLD if np.log(bounds.max() / bounds.min()) < _CLOSE else ""


def one_day(sample: Times) -> bool:
    """Whether a single day lies within what is known of every patient: no spread of times follows from it."""
    return bool(np.maximum(sample.left, 0.0).max() < sample.right.min())


def _all_first(sample: Times) -> bool:
    """Whether everybody of whom something is known had the event before a first look."""
    return bool((sample.left <= _FIRST).all())


def before_first(sample: Times) -> float:
    """Share of the events that came before a first look, of which nothing else is known."""
    return float((sample.left[sample.event] <= _FIRST).mean()) if sample.events else 0.0


def _joined(control: Times, arm: Times) -> np.ndarray:
    return np.concatenate([np.stack([one.left, one.right]) for one in (control, arm)], axis=1)


# ---- fits --------------------------------------------------------------------------------------------------------


def _best(control: Times, arm: Times, usual: float, model: str) -> tuple[Fit, float] | str:
    """The highest of the maxima found, from two starts where data are weak, and the log-likelihood without an effect.

    Or a reason why there is none.
    """
    import pandas as pd

    groups = [one.grouped().assign(arm=place) for place, one in enumerate((control, arm))]
    data = pd.concat(groups, ignore_index=True)
    data[["left", "right"]] /= usual
    null = _pooled(data, model)
    if null is None:
        return said.NOT_CONVERGED
    centre, scale, likelihood = null
    first = _fit(data, model, centre, np.log(scale))
    weak = first is None or first.error > _WEAK or min(control.events, arm.events) < _FEW
    weak = weak or max(before_first(control), before_first(arm)) > _WEAK
    fits = [first, _fit(data, model, centre, np.log(scale) + _OTHER) if weak else None]
    good = [one for one in fits if one is not None]
    if not good:
        return said.NOT_TOLD
    best = max(good, key=lambda one: one.likelihood)
    for one in good:
        near = best.likelihood - one.likelihood < _SAME
        if near and abs(one.effect - best.effect) > _APART * max(best.error, 1e-6):
            return said.NOT_TOLD
    return best, likelihood


def _pooled(data: Any, model: str) -> tuple[float, float, float] | None:
    """Centre and scale of the log times of all together, and their log-likelihood; None where there is no maximum."""
    import lifelines

    fitter: Any = {"lognormal": lifelines.LogNormalFitter, "weibull": lifelines.WeibullFitter}[model]()
    start = np.array([0.0, 0.5]) if model == "lognormal" else np.array([1.0, 2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitter.fit_interval_censoring(data["left"], data["right"], weights=data["weight"], initial_point=start)
        except failures():
            return None
    if model == "lognormal":
        return float(fitter.mu_), float(fitter.sigma_), float(fitter.log_likelihood_)
    return float(np.log(fitter.lambda_)), 1 / float(fitter.rho_), float(fitter.log_likelihood_)


def _fit(data: Any, model: str, centre: float, log_scale: float) -> Fit | None:
    """A maximum from one start; None where there is none, or where its information is no proper one."""
    import lifelines
    from lifelines.exceptions import ApproximationWarning, StatisticalWarning

    place, shape = ("mu_", "sigma_") if model == "lognormal" else ("lambda_", "rho_")
    sign = 1.0 if model == "lognormal" else -1.0
    fitter: Any = lifelines.LogNormalAFTFitter() if model == "lognormal" else lifelines.WeibullAFTFitter()
    # The order of the covariates is that of the columns, the intercept last.
    start = {place: np.array([0.0, centre]), shape: np.array([sign * log_scale])}
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            fitter.fit_interval_censoring(data, "left", "right", weights_col="weight", initial_point=start)
        except failures():
            return None
    matrix = fitter.variance_matrix_.to_numpy(float)
    improper = any(issubclass(one.category, ApproximationWarning | StatisticalWarning) for one in heard)
    if improper or not np.isfinite(matrix).all() or np.linalg.eigvalsh(matrix).min() <= 0:
        return None
    values = fitter.params_
    error = float(fitter.standard_errors_.loc[place, "arm"])
    scale = float(np.exp(sign * values.loc[shape, "Intercept"]))
    effect, centre = float(values.loc[place, "arm"]), float(values.loc[place, "Intercept"])
    found = Fit(effect, error, scale, centre, float(fitter.log_likelihood_))
    return found if np.isfinite(found).all() else None


def _doubt(found: tuple[Fit, float], arms: tuple[Times, Times], usual: float, model: str) -> str:
    """Why a maximum is not believed; empty where it is."""
    fit, null = found
    gain = 2 * (fit.likelihood - null)
    if gain < -2 * _SAME:
        return said.NOT_CONVERGED
    if abs(fit.effect) / fit.error > _FLAT * np.sqrt(max(gain, 0.0)) + _SLACK:
        return said.NOT_TOLD
    left, right = _joined(*arms)
    between = (left > _FIRST) & np.isfinite(right)
    widths = np.log(right[between] / left[between])
    if len(widths) and fit.scale < _NARROW * np.median(widths):
        return said.NOT_TOLD
    for place, sample in enumerate(arms):
        if off(sample, lambda day, place=place: _share(day / usual, fit, place, model)):
            return said.AT_ODDS
    return ""


def _share(day: np.ndarray, fit: Fit, place: int, model: str) -> np.ndarray:
    """Share without the event by the model, of days in units of the usual one."""
    from scipy.stats import norm

    z = (np.log(day) - fit.centre - place * fit.effect) / fit.scale
    return norm.sf(z) if model == "lognormal" else np.exp(-np.exp(np.minimum(z, 50.0)))


def off(sample: Times, share: Any) -> bool:
    """Whether a curve is at odds with what was seen, of which every estimate without a shape lies within bounds.

    On any day at least those seen later without the event have none, and at most all in whom it was not yet seen.
    """
    days = np.unique(np.quantile(sample.time[sample.event], np.linspace(0, 1, 21), method="nearest"))
    days = days[days > 0]
    n = len(sample)
    least = 1 - np.searchsorted(np.sort(sample.left), days, "left") / n
    most = 1 - np.searchsorted(np.sort(sample.right), days, "right") / n
    shown = share(days)
    room = _OFF + 1.5 / np.sqrt(n)
    return bool(((shown < least - room) | (shown > most + room)).any())


def failures() -> tuple[type[Exception], ...]:
    """Errors by which a fit says that it found nothing."""
    from lifelines.exceptions import ConvergenceError, StatError

    return ConvergenceError, StatError, np.linalg.LinAlgError, ValueError, ZeroDivisionError

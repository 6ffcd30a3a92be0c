"""Non-compartmental exposure of a concentration curve, as label studies report it.

Time is the last axis of every curve; what cannot be had is NaN, never a number. Areas are trapezoids, linear where the
concentration rises and logarithmic where it falls. Half-lives come from a regression of the logarithm over a window
that is stated by the caller, since a drug that its target removes has no half-life of its own.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

#: Fewest points a half-life is read from.
FEWEST_POINTS = 3
WEEK = 7.0
#: Window of the area [day]: 16 weeks.
AREA_DAYS = (0.0, 16 * WEEK)
#: Window of the half-life [day]: weeks 4 to 16, after absorption and while label studies still sampled.
HALF_LIFE_DAYS = (4 * WEEK, 16 * WEEK)
#: Assay limit of denosumab [ng/mL].
ASSAY_LIMIT = 20.0


class Exposure(NamedTuple):
    """Exposure after one dose, each of shape (...).

    ``cmax`` in the unit of the concentration, ``tmax`` and ``half_life`` in that of time, ``auc`` and
    ``auc_infinity`` in their product.
    """

    cmax: np.ndarray
    tmax: np.ndarray
    auc: np.ndarray
    half_life: np.ndarray
    auc_infinity: np.ndarray


class Interval(NamedTuple):
    """Exposure over one dosing interval, each of shape (...): peak and its time after the dose, trough, area."""

    peak: np.ndarray
    tmax: np.ndarray
    trough: np.ndarray
    auc: np.ndarray


def exposure(
    time: np.ndarray,
    concentration: np.ndarray,
    *,
    area: tuple[float, float] = AREA_DAYS,
    terminal: tuple[float, float] = HALF_LIFE_DAYS,
    limit: float = ASSAY_LIMIT,
) -> Exposure:
    """Exposure after a single dose at time zero.

    Parameters
    ----------
    time : ndarray
        Days after the dose, ascending, shape (time,).
    concentration : ndarray
        Concentrations [ng/mL], shape (..., time).
    area, terminal : tuple of float
        Windows [day] of the area and of the half-life.
    limit : float
        Assay limit [ng/mL]; points below it take no part in the half-life.
    """
    cmax, tmax = peak(time, concentration)
    return Exposure(
        cmax,
        tmax,
        auc(time, concentration, *area),
        half_life(time, concentration, *terminal, limit=limit),
        auc_to_infinity(time, concentration, *terminal, limit=limit),
    )


def over_interval(time: np.ndarray, concentration: np.ndarray, start: float, interval: float) -> Interval:
    """Peak, trough and area over the dosing interval that begins at `start` and lasts `interval` [day].

    The trough is the concentration at the end of the interval, before the next dose is absorbed. Shapes as in
    `exposure`; NaN where the curve does not cover the interval.
    """
    inside = (time >= start) & (time <= start + interval)
    times, values = time[inside], concentration[..., inside]
    highest, when = peak(times, values)
    trough = _at(time, concentration, start + interval)
    area = auc(time, concentration, start, start + interval)
    covered = ~np.isnan(area)
    return Interval(np.where(covered, highest, np.nan), np.where(covered, when - start, np.nan), trough, area)


def peak(time: np.ndarray, concentration: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Highest concentration and its time; NaN for a curve without a point above zero."""
    shown = np.where(concentration > 0, concentration, -np.inf)
    if not time.size:
        nothing = np.full(concentration.shape[:-1], np.nan)
        return nothing, nothing.copy()
    place = shown.argmax(axis=-1)
    highest = np.take_along_axis(shown, place[..., None], axis=-1)[..., 0]
    there = np.isfinite(highest)
    return np.where(there, highest, np.nan), np.where(there, time[place], np.nan)


def auc(time: np.ndarray, concentration: np.ndarray, start: float, end: float) -> np.ndarray:
    """Area under the curve from `start` to `end`, linear up and logarithmic down.

    Parameters
    ----------
    time : ndarray
        Ascending, shape (time,).
    concentration : ndarray
        Shape (..., time).
    start, end : float
        Window; between points the curve is read by the rule of its trapezoid.

    Returns
    -------
    ndarray
        Shape (...), concentration times time; NaN where the window is not covered.
    """
    if not end > start or not time.size or start < time[0] or end > time[-1]:
        return np.full(concentration.shape[:-1], np.nan)
    inner = (time > start) & (time < end)
    ends = [_at(time, concentration, moment)[..., None] for moment in (start, end)]
    times = np.concatenate([[start], time[inner], [end]])
    values = np.concatenate([ends[0], concentration[..., inner], ends[1]], axis=-1)
    return _trapezoids(np.diff(times), values[..., :-1], values[..., 1:]).sum(axis=-1)


def half_life(
    time: np.ndarray, concentration: np.ndarray, start: float, end: float, *, limit: float = ASSAY_LIMIT
) -> np.ndarray:
    """Half-life from the regression of the logarithm on time over `start` to `end`.

    Parameters
    ----------
    time : ndarray
        Ascending, shape (time,).
    concentration : ndarray
        Shape (..., time).
    start, end : float
        Window, ends included.
    limit : float
        Points below it are left out, as are missing ones.

    Returns
    -------
    ndarray
        Shape (...), in the unit of `time`; NaN with fewer than three points, or where nothing falls.
    """
    slope = _slope(time, concentration, start, end, limit)
    return np.divide(math.log(2), -slope, out=np.full(slope.shape, np.nan), where=slope < 0)


def auc_to_infinity(
    time: np.ndarray, concentration: np.ndarray, start: float, end: float, *, limit: float = ASSAY_LIMIT
) -> np.ndarray:
    """Area from the first point to infinity: to the last point at or above `limit`, then by the slope over the window.

    Parameters and shape as in `half_life`; NaN where that is, or where a point before the last one is missing.
    """
    slope = _slope(time, concentration, start, end, limit)
    seen = concentration >= limit
    last = time.size - 1 - seen[..., ::-1].argmax(axis=-1)
    pieces = _trapezoids(np.diff(time), concentration[..., :-1], concentration[..., 1:])
    until = np.where(np.arange(time.size - 1) < last[..., None], pieces, 0.0).sum(axis=-1)
    final = np.take_along_axis(concentration, last[..., None], axis=-1)[..., 0]
    rest = np.divide(final, -slope, out=np.full(slope.shape, np.nan), where=slope < 0)
    return np.where(seen.any(axis=-1), until + rest, np.nan)


def _slope(time: np.ndarray, concentration: np.ndarray, start: float, end: float, limit: float) -> np.ndarray:
    """Slope of the logarithm; NaN with too few points."""
    window = (time >= start) & (time <= end)
    times, values = time[window], concentration[..., window]
    used = (values >= limit) & (values > 0)
    enough = used.sum(axis=-1) >= FEWEST_POINTS
    number = np.maximum(used.sum(axis=-1), 1)
    # Against the highest point used, so that a flat curve has a slope of exactly zero.
    highest = np.where(used, values, 0.0).max(axis=-1, initial=0.0)[..., None]
    ratio = np.divide(values, highest, out=np.ones(values.shape), where=used)
    logs = np.log(ratio)
    middle = (np.where(used, times, 0.0).sum(axis=-1) / number)[..., None]
    apart = np.where(used, times - middle, 0.0)
    spread = (apart * apart).sum(axis=-1)
    return np.divide((apart * logs).sum(axis=-1), spread, out=np.full(spread.shape, np.nan), where=enough)


def _trapezoids(width: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Area of each piece: linear where it rises, logarithmic where it falls."""
    falls = (before > after) & (after > 0)
    ratio = np.divide(before, after, out=np.ones(np.broadcast(before, after).shape), where=falls)
    # Near one the logarithmic mean would lose its digits, and both rules agree.
    steep = falls & (ratio > 1 + 1e-6)
    mean = np.divide(before - after, np.log(ratio), out=(before + after) / 2, where=steep)
    return width * mean


def _at(time: np.ndarray, concentration: np.ndarray, moment: float) -> np.ndarray:
    """Concentration at `moment`, by the rule of the trapezoid it lies in; NaN outside the curve."""
    if not time.size or not time[0] <= moment <= time[-1]:
        return np.full(concentration.shape[:-1], np.nan)
    right = int(np.searchsorted(time, moment))
    if time[right] == moment:
        return concentration[..., right].astype(float)
    low, high = concentration[..., right - 1], concentration[..., right]
    share = (moment - time[right - 1]) / (time[right] - time[right - 1])
    falls = (low > high) & (high > 0)
    ratio = np.divide(high, low, out=np.ones(low.shape), where=falls)
    return np.where(falls, low * ratio**share, low + share * (high - low))

"""When curves cross a level, and what they are at a moment; time is the last axis, and NaN a point that is not there.

Points may be missing at the start and at the end of a curve (before the fracture, after a patient's own horizon).
"""

from __future__ import annotations

import numpy as np


def first_above(time: np.ndarray, value: np.ndarray, level: float | np.ndarray) -> np.ndarray:
    """First time each curve reaches `level`, linear between points; NaN if it never does.

    Parameters
    ----------
    time : ndarray
        Ascending, shape (time,).
    value : ndarray
        Curves, shape (..., time).
    level : float or ndarray
        Level in the unit of `value`, shape (...).

    Returns
    -------
    ndarray
        Shape (...), in the unit of `time`.
    """
    level = np.asarray(level, float)
    above = value >= level[..., None]
    i = above.argmax(axis=-1)
    high = take(value, i)
    reached = high >= level
    before = take(value, np.maximum(i - 1, 0))
    # Without a point before it, the first point is the crossing.
    inside = reached & (i > 0) & (before < level)
    share = np.divide(level - before, high - before, out=np.zeros(i.shape), where=inside)
    start = time[np.maximum(i - 1, 0)]
    found = np.where(inside, start + share * (time[i] - start), time[i])
    return np.where(reached, found, np.nan)


def last_above(time: np.ndarray, value: np.ndarray, level: float | np.ndarray) -> np.ndarray:
    """Last time each curve falls below `level` for good, linear between points; NaN if it ends above it.

    A curve that is never above it gives its first time; see `first_above` for shapes.
    """
    level = np.asarray(level, float)
    above = value >= level[..., None]
    i = time.size - 1 - above[..., ::-1].argmax(axis=-1)
    after = np.minimum(i + 1, time.size - 1)
    low, high = take(value, after), take(value, i)
    reached = high >= level
    inside = reached & (low < level)
    share = np.divide(high - level, high - low, out=np.zeros(i.shape), where=inside)
    found = np.where(inside, time[i] + share * (time[after] - time[i]), np.nan)
    first = first_index(value)
    never = np.where(first < time.size, time[np.minimum(first, time.size - 1)], np.nan)
    return np.where(reached, found, never)


def at(time: np.ndarray, value: np.ndarray, moment: float) -> np.ndarray:
    """Value of each curve at `moment`, linear between points; NaN outside the course; shapes as in `first_above`."""
    window = bracket(time, moment)
    if window is None:
        return np.full(value.shape[:-1], np.nan)
    (start, *end), (low, *high) = time[window], np.moveaxis(value[..., window], -1, 0)
    if not end or moment == start:
        return low.astype(float)
    return low + (high[0] - low) / (end[0] - start) * (moment - start)


def bracket(time: np.ndarray, moment: float) -> slice | None:
    """The two points around `moment`, or the last alone; None outside the course."""
    if not time.size or not time[0] <= moment <= time[-1]:
        return None
    i = int(np.searchsorted(time, moment, side="right")) - 1
    return slice(i, i + 2)


def first_index(value: np.ndarray) -> np.ndarray:
    """Place of the first point of each curve that is there, shape (...); the number of points if none is."""
    there = ~np.isnan(value)
    return np.where(there.any(axis=-1), there.argmax(axis=-1), value.shape[-1])


def last_index(value: np.ndarray) -> np.ndarray:
    """Place of the last point of each curve that is there, shape (...); -1 if none is."""
    there = ~np.isnan(value)
    return np.where(there.any(axis=-1), value.shape[-1] - 1 - there[..., ::-1].argmax(axis=-1), -1)


def take(value: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Value of each curve at its own place, shape (...)."""
    return np.take_along_axis(value, index[..., None], axis=-1)[..., 0]

"""When a curve crosses a level."""

from __future__ import annotations

import numpy as np


def first_above(time: np.ndarray, value: np.ndarray, level: float) -> float:
    """First time `value` reaches `level`, linear between points; NaN if it never does.

    Parameters
    ----------
    time, value : ndarray
        Shape (time,).
    level : float
        Level in the unit of `value`.
    """
    hits = np.flatnonzero(value >= level)
    if not len(hits):
        return float("nan")
    i = int(hits[0])
    if i == 0:
        return float(time[0])
    share = (level - value[i - 1]) / (value[i] - value[i - 1])
    return float(time[i - 1] + share * (time[i] - time[i - 1]))


def last_above(time: np.ndarray, value: np.ndarray, level: float) -> float:
    """Last time `value` falls below `level` for good, linear between points; NaN if it ends above it."""
    hits = np.flatnonzero(value >= level)
    if not len(hits):
        return float(time[0])
    i = int(hits[-1])
    if i == len(time) - 1:
        return float("nan")
    share = (value[i] - level) / (value[i] - value[i + 1])
    return float(time[i] + share * (time[i + 1] - time[i]))


def at(time: np.ndarray, value: np.ndarray, moment: float) -> float:
    """Value at `moment`, linear between points; NaN outside the course."""
    return float(np.interp(moment, time, value)) if time[0] <= moment <= time[-1] else float("nan")

"""Quantiles and shares of a group, from the day of each of its patients at the typical clock.

Each day stands for a log-normal spread of days, by the spread of clocks, so that a quantile over a few patients is
smooth in the parameters. Whoever never gets there counts as late beyond every quantile.
"""

from __future__ import annotations

import math

import numpy as np

#: Times to union are printed of those who unite; whoever does not by this day [day] is a non-union.
UNITED = 720.0
#: Day [day] by which three cortices have to be bridged, or a fracture counts as a non-union.
NON_UNION_DAY = 270.0
#: Day [day] by which RUST has to be 10, or union counts as delayed.
DELAYED_DAY = 182.625
_NODES = 21  # of a clock's spread
_NEVER = 1e5  # days


def quantile(days: np.ndarray, spread: np.ndarray, share: float, *, within: float = math.inf) -> np.ndarray:
    """Day by which a share of a group has come to a milestone.

    Parameters
    ----------
    days : ndarray
        Day of each patient at the typical clock, shape (m, patients) [day]; infinite for never.
    spread : ndarray
        Standard deviation of the logarithm of clocks, shape (m,).
    share : float
        Between 0 and 1.
    within : float
        Of those who come to it by this day [day]; left out, of all.

    Returns
    -------
    ndarray
        Shape (m,) [day]; NaN where a patient failed.
    """
    from scipy.stats import norm

    nodes = norm.ppf((np.arange(_NODES) + 0.5) / _NODES)
    logs = np.log(np.minimum(days, _NEVER))[:, :, None] + np.asarray(spread)[:, None, None] * nodes
    logs = logs.reshape(len(days), -1)
    if math.isinf(within):
        return np.exp(np.quantile(logs, share, axis=1))
    logs = np.sort(logs, axis=1)
    place = share * np.maximum((logs <= math.log(within)).sum(axis=1) - 1.0, 0.0)
    low, each = np.floor(place).astype(int), np.arange(len(logs))
    first, second = logs[each, low], logs[each, np.minimum(low + 1, logs.shape[1] - 1)]
    failed = np.isnan(days).any(axis=1)
    return np.where(failed, np.nan, np.exp(first + (place - low) * (second - first)))


def share_by(days: np.ndarray, spread: np.ndarray, day: float) -> np.ndarray:
    """Share of a group that has come to a milestone by a day, shape (m,); arguments as in `quantile`."""
    from scipy.special import ndtr

    return ndtr((math.log(day) - np.log(np.minimum(days, _NEVER))) / np.asarray(spread)[:, None]).mean(axis=1)

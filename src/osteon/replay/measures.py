"""What is taken of simulated patients: summaries of one arm, and comparisons of two, for many groups at a time.

Times that are not reached are infinite and count as later than all others; a mean of times is restricted to the
horizon.
"""

from __future__ import annotations

import numpy as np

from osteon.errors import ModelError
from osteon.evidence.studies.schema import CONTRASTS, RATIOS

_HALF = 0.5  # of a patient, added to each cell of a table with an empty one


def is_log(measure: str) -> bool:
    """Whether a measure is a ratio, compared by its logarithm."""
    return measure in RATIOS


def no_effect(measure: str) -> float:
    """Value of a comparison of two alike arms; nan of a measure of one arm."""
    if measure not in CONTRASTS:
        return float("nan")
    return 1.0 if is_log(measure) else 0.0


def is_share(measure: str) -> bool:
    """Whether a measure counts patients who come to an event by a day."""
    return measure.endswith(("_late", "_reached"))


def summary(measure: str, values: np.ndarray, horizon: float) -> np.ndarray:
    """Median or mean of one arm.

    Parameters
    ----------
    measure : {"median", "mean", "risk"}
        Which.
    values : ndarray
        Shape (groups, patients); times of those who never get there are infinite. NaN where a patient failed.
    horizon : float
        How long patients were followed [day].

    Returns
    -------
    ndarray
        Shape (groups,).
    """
    if measure == "median":
        return _median(values)
    mean = np.nanmean(np.where(np.isinf(values), horizon, values), axis=1)
    return 100.0 * mean if measure == "risk" else mean


def contrast(measure: str, treated: np.ndarray, control: np.ndarray, horizon: float) -> np.ndarray:
    """Comparison of two arms, shape (groups,); values as in `summary`, each arm with patients of its own number."""
    if measure == "ratio_of_medians":
        with np.errstate(divide="ignore", invalid="ignore"):
            return _median(treated) / _median(control)
    one, other = (summary("mean", values, horizon) for values in (treated, control))
    if measure == "difference":
        return one - other
    if measure == "ratio_of_means":
        return one / other
    if measure == "ratio_of_levels":
        return (100.0 + one) / (100.0 + other)
    raise ModelError(f"no measure of values is called {measure}")


def late(values: np.ndarray, day: float) -> tuple[int, int]:
    """How many of some patients, shape (patients,), are later than a day [day], and how many are known."""
    known = values[~np.isnan(values)]
    return int((known > day).sum()), len(known)


def shares(counts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Share of each group with an event, drawn towards that of all as far as chance alone would scatter groups.

    Parameters
    ----------
    counts, sizes : ndarray
        Patients with the event and in all, shape (groups,).

    Returns
    -------
    ndarray
        Shape (groups,): the mean of a beta law whose spread is that of the groups beyond chance.
    """
    counts, sizes = np.asarray(counts, float), np.asarray(sizes, float)
    every = (counts.sum() + _HALF) / (sizes.sum() + 2 * _HALF)
    chance = float(np.mean(every * (1.0 - every) / sizes))
    beyond = max(float(np.var(counts / sizes)) - chance, 1e-3 * chance)
    weight = max(every * (1.0 - every) / beyond - 1.0, 0.0)
    return (counts + weight * every) / (sizes + weight)


def of_shares(measure: str, counts: list[np.ndarray], sizes: tuple[float, ...]) -> np.ndarray:
    """Measure of patients who are late.

    Parameters
    ----------
    measure : str
        One of `MEASURES` of which `is_share` holds.
    counts : list of ndarray
        Late patients of each arm, first the treated one, each of shape (trials,).
    sizes : tuple of float
        Patients of each arm.

    Returns
    -------
    ndarray
        Shape (trials,): a share [%], a count, or a ratio.
    """
    (a, n) = counts[0], sizes[0]
    if measure == "count_late":
        return a
    if measure == "share_late":
        return 100.0 * a / n
    if measure == "share_reached":
        return 100.0 * (1.0 - a / n)
    b, m = counts[1], sizes[1]
    empty = (a == 0) | (b == 0) | (a == n) | (b == m)
    a, b = (np.where(empty, one + _HALF, one) for one in (a, b))
    n, m = (np.where(empty, one + 2 * _HALF, one) for one in (n, m))
    if measure == "odds_ratio_late":
        return (a / (n - a)) / (b / (m - b))
    return ((n - a) / n) / ((m - b) / m)


def _median(values: np.ndarray) -> np.ndarray:
    # Between a finite and an infinite time nothing can be interpolated.
    return np.nanquantile(values, 0.5, axis=1, method="inverted_cdf")

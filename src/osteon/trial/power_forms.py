"""Closed forms beside simulated power: lognormal times, exact binomial intervals, boundaries of looks.

Power of two samples is statsmodels', intervals are those of Clopper and Pearson (1934) by SciPy, and boundaries are
solved from the joint normal distribution of the looks (Jennison and Turnbull 2000, chapter 2) by SciPy.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from osteon.errors import InputError, MissingExtra, near_match, show

#: Rules of early stopping, with where they were proposed.
LOOKS = {
    "obrien_fleming": "O'Brien and Fleming 1979, doi 10.2307/2530245",
    "haybittle_peto": "Haybittle 1971, doi 10.1259/0007-1285-44-526-793; Peto 1976, doi 10.1038/bjc.1976.220",
}
MOST_LOOKS = 8
_HAYBITTLE = 3.0  # standard deviations at every look but the last


def closed_form_power(
    n: float | np.ndarray, ratio: float, log_sd: float, alpha: float = 0.05, test: str = "z"
) -> float | np.ndarray:
    """Power of a two-sided comparison of log times, two arms of the same size, no censoring.

    Parameters
    ----------
    n : float or ndarray
        Patients per arm, shape (...).
    ratio : float
        Median time of the treated over that of the control.
    log_sd : float
        Standard deviation of log times in either arm.
    alpha : float
        Two-sided error of the first kind.
    test : {"z", "t"}
        With a known standard deviation, or with one estimated from the trial (Student's t).

    Returns
    -------
    float or ndarray
        Shape (...), from `alpha` to 1.

    Raises
    ------
    MissingExtra
        statsmodels is not installed.
    """
    effect = _effect(ratio, log_sd)
    power = np.asarray(_two_samples(test).power(effect, n, alpha, ratio=1.0, alternative="two-sided"), float)
    if test == "t" and np.isnan(power).any():
        # SciPy's non-central t ends where power is 1 to many digits, as that of the z test is.
        power = np.where(np.isnan(power), closed_form_power(n, ratio, log_sd, alpha), power)
    return float(power) if np.ndim(n) == 0 else power


def closed_form_size(power: float, ratio: float, log_sd: float, alpha: float = 0.05, test: str = "z") -> float:
    """Patients per arm that `closed_form_power` needs for a power, rounded up; infinite without an effect."""
    effect = _effect(ratio, log_sd)
    if effect == 0:
        return math.inf
    needed = _two_samples(test).solve_power(effect, None, alpha, power, ratio=1.0, alternative="two-sided")
    return float(math.ceil(np.asarray(needed).item()))


def exact_interval(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of Clopper and Pearson for a share; NaN without a trial."""
    if not trials:
        return math.nan, math.nan
    from scipy.stats import binomtest

    found = binomtest(int(successes), int(trials)).proportion_ci(level, method="exact")
    return float(found.low), float(found.high)


@cache
def boundaries(rule: str, looks: int, alpha: float = 0.05) -> tuple[float, ...]:
    """Standard deviations from no effect at which a trial stops, at looks after equal shares of its patients.

    Parameters
    ----------
    rule : {"obrien_fleming", "haybittle_peto"}
        O'Brien and Fleming: ``c sqrt(looks / k)`` at look k. Haybittle and Peto: 3 at every look but the last.
    looks : int
        From 2 to `MOST_LOOKS`, the last one counted.
    alpha : float
        Two-sided error of the first kind of all looks together.

    Returns
    -------
    tuple of float
        One for each look; the free one is solved so that the error is `alpha`.

    Raises
    ------
    InputError
        There is no such rule, or the looks are too many.
    """
    if rule not in LOOKS:
        hint = near_match(rule, LOOKS) or f"there are {', '.join(LOOKS)}"
        raise InputError(f"{show(rule)} is not a rule of early stopping", path="looks", value=rule, hint=hint)
    if not 2 <= looks <= MOST_LOOKS:
        raise InputError(f"{looks} is not a number of looks from 2 to {MOST_LOOKS}", path="looks", value=looks)
    from scipy.optimize import brentq

    steps = np.arange(1, looks + 1)

    def bounds(free: float) -> np.ndarray:
        if rule == "obrien_fleming":
            return free * np.sqrt(looks / steps)
        return np.append(np.full(looks - 1, _HAYBITTLE), free)

    ends = _single(alpha), _single(alpha / looks)
    if rule == "haybittle_peto" and _crossing(bounds(20.0)) >= alpha:
        message = f"three standard deviations at a look spend more than an error of {alpha:g}"
        raise InputError(message, path="looks", value=rule, hint="choose obrien_fleming")
    free = brentq(lambda one: _crossing(bounds(one)) - alpha, ends[0] - 1e-3, max(ends[1], 6.0), xtol=1e-4)
    return tuple(float(one) for one in bounds(float(np.asarray(free).item())))


def _crossing(bounds: np.ndarray) -> float:
    """Chance that a trial without effect crosses a boundary at any look."""
    from scipy import stats

    normal: Any = stats.multivariate_normal
    steps = np.arange(1, len(bounds) + 1)
    # Statistics after shares i and j of the patients correlate with the root of i / j.
    correlation = np.sqrt(np.minimum.outer(steps, steps) / np.maximum.outer(steps, steps))
    inside = normal.cdf(
        bounds,
        cov=correlation,
        lower_limit=-bounds,
        maxpts=40_000 * len(bounds),
        abseps=2e-5,
        releps=2e-5,
        rng=np.random.default_rng(0),
    )
    return 1.0 - float(np.asarray(inside).item())


def _single(alpha: float) -> float:
    from scipy.stats import norm

    return float(norm.isf(alpha / 2))


def _effect(ratio: float, log_sd: float) -> float:
    for name, value in (("ratio", ratio), ("log_sd", log_sd)):
        if not 0 < value < math.inf:
            raise InputError(f"{show(value)} is not a number above 0", path=name, value=value)
    return abs(math.log(ratio)) / log_sd


def _two_samples(test: str) -> Any:
    try:
        from statsmodels.stats.power import NormalIndPower, TTestIndPower
    except ImportError:
        raise MissingExtra("Power of a trial", "trial") from None
    return NormalIndPower() if test == "z" else TTestIndPower()

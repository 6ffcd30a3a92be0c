"""Weighting of people to the table of a trial: the smallest tilt that gives the means and shares asked for.

Weights are ``exp(tilt * covariates)``, the ones nearest to equal weights that reach the means (entropy balancing,
Hainmueller 2012, doi 10.1093/pan/mpr025). People are then kept with a chance in proportion to their weight, so that
those who are left need no weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from osteon.errors import InputError, MissingExtra

_NEAR = 1e-4  # distance from the target, in standard deviations, at which it counts as reached
_FARTHEST = 30.0
#: Least share of candidates that weighting may keep: below it one person would stand for too many.
LEAST_KEPT = 0.01


@dataclass(frozen=True)
class Tilt:
    """Chance with which candidates are kept.

    Attributes
    ----------
    slope : ndarray
        Tilt of each moment, shape (moments,), in units of their standard deviations.
    middle, scale : ndarray
        Mean and standard deviation of each moment before, shape (moments,).
    top : float
        Logarithm of the largest weight.
    kept : float
        Share of the candidates that are kept.
    """

    slope: np.ndarray
    middle: np.ndarray
    scale: np.ndarray
    top: float
    kept: float

    def chance(self, moments: np.ndarray) -> np.ndarray:
        """Chance of candidates to be kept, shape (candidates,), from their moments, shape (candidates, moments)."""
        weight = ((moments - self.middle) / self.scale) @ self.slope - self.top
        return np.exp(np.minimum(weight, 0.0))


def tilt(moments: np.ndarray, wanted: np.ndarray, names: Sequence[str]) -> Tilt:
    """Tilt that brings the means of candidates to what is wanted.

    Parameters
    ----------
    moments : ndarray
        Of a pool of candidates who pass the rules, shape (candidates, moments).
    wanted : ndarray
        Mean of each moment, shape (moments,).
    names : sequence of str
        What each moment is, as a path below ``population.target``.

    Raises
    ------
    InputError
        The target cannot be reached, or only by keeping almost nobody.
    MissingExtra
        SciPy is not installed.
    """
    try:
        from scipy.optimize import minimize
        from scipy.special import logsumexp
    except ImportError:
        raise MissingExtra("Weighting to a target", "trial") from None
    middle, scale = moments.mean(axis=0), moments.std(axis=0)
    for place, name in enumerate(names):
        low, high = moments[:, place].min(), moments[:, place].max()
        if not low < wanted[place] < high:
            raise _unreachable(name, f"among the candidates it lies between {low:.4g} and {high:.4g}")
    own, goal = (moments - middle) / scale, (wanted - middle) / scale
    size = np.log(len(own))

    def dual(slope: np.ndarray) -> tuple[float, np.ndarray]:
        power = own @ slope
        total = logsumexp(power)
        return float(total - size - slope @ goal), np.exp(power - total) @ own - goal

    bounds = [(-_FARTHEST, _FARTHEST)] * len(goal)
    start = np.zeros(len(goal))
    found = minimize(dual, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-9})
    off = np.abs(dual(found.x)[1])
    if off.max() > _NEAR:
        worst = int(off.argmax())
        raise _unreachable(names[worst], "together with the others it is out of reach of the candidates")
    weight = own @ found.x
    top = float(weight.max())
    kept = float(np.exp(weight - top).mean())
    if kept < LEAST_KEPT:
        worst = int(np.abs(goal).argmax())
        raise _unreachable(names[worst], f"only {100 * kept:.2g} % of the candidates would be kept")
    return Tilt(found.x, middle, scale, top, kept)


def _unreachable(name: str, why: str) -> InputError:
    hint = "bring the covariates nearer to the target"
    return InputError(f"cannot be reached by weighting: {why}", path=f"population.target.{name}", hint=hint)

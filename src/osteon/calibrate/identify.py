"""What the data can tell and what they cannot: flat directions, unseen parameters, correlations, profiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from osteon.calibrate.fit import Fit
from osteon.calibrate.objective import Objective

UNSEEN = 0.9  # posterior over prior standard deviation above which the data say nothing of a parameter
CORRELATED = 0.9
OFFSETS = (-2.0, -1.0, 1.0, 2.0)  # of profiles, in posterior standard deviations
_LEADING = 0.3  # smallest part of a parameter in a direction that is told


@dataclass(frozen=True)
class Identified:
    """Identifiability of p parameters.

    Attributes
    ----------
    keys : tuple of str
        Parameters, p of them.
    singular : ndarray
        Singular values of the data alone, falling, shape (p,): in units of the prior, so that below 1 the prior knows
        a direction better than the data do.
    singular_with_prior : ndarray
        The same with the prior, shape (p,); never below 1.
    directions : ndarray
        Direction of each singular value in units of the prior, a row each, shape (p, p).
    shrinkage : ndarray
        Posterior over prior standard deviation, shape (p,).
    correlation : ndarray
        Of the posterior in z, shape (p, p).
    offsets : ndarray
        Places of the profile, in posterior standard deviations from the best fit, shape (g,).
    profile : ndarray
        Rise of the sum of squares at those places with all other parameters fitted anew, shape (p, g); the square of
        the offset where the posterior is Gaussian, NaN where the model failed.
    """

    keys: tuple[str, ...]
    singular: np.ndarray
    singular_with_prior: np.ndarray
    directions: np.ndarray
    shrinkage: np.ndarray
    correlation: np.ndarray
    offsets: np.ndarray
    profile: np.ndarray

    @property
    def unseen(self) -> tuple[str, ...]:
        """Parameters that the data cannot see."""
        return tuple(key for key, share in zip(self.keys, self.shrinkage, strict=True) if share > UNSEEN)

    @property
    def pairs(self) -> tuple[tuple[str, str, float], ...]:
        """Pairs that the data cannot part, with their correlation, the closest first."""
        upper = np.argwhere(np.triu(np.abs(self.correlation) > CORRELATED, 1))
        found = [(self.keys[i], self.keys[j], float(self.correlation[i, j])) for i, j in upper]
        return tuple(sorted(found, key=lambda one: -abs(one[2])))

    def flat(self) -> list[tuple[float, list[tuple[str, float]]]]:
        """Directions that the prior knows better than the data: singular value, and the parameters they are made of."""
        out = []
        for size, direction in zip(self.singular, self.directions, strict=True):
            if size < 1:
                leading = [k for k in np.argsort(-np.abs(direction), kind="stable") if abs(direction[k]) > _LEADING]
                out.append((float(size), [(self.keys[k], float(direction[k])) for k in leading]))
        return out

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values; a profile that failed is None."""
        return {
            "parameters": list(self.keys),
            "singular_values": self.singular.tolist(),
            "singular_values_with_prior": self.singular_with_prior.tolist(),
            "directions": self.directions.tolist(),
            "flat": [{"singular_value": size, "parameters": dict(parts)} for size, parts in self.flat()],
            "shrinkage": dict(zip(self.keys, self.shrinkage.tolist(), strict=True)),
            "unseen": list(self.unseen),
            "correlation": self.correlation.tolist(),
            "correlated": [{"first": a, "second": b, "correlation": r} for a, b, r in self.pairs],
            "profile": {
                "offsets": self.offsets.tolist(),
                "rise": {
                    key: [None if np.isnan(one) else float(one) for one in row]
                    for key, row in zip(self.keys, self.profile, strict=True)
                },
            },
        }


def identify(objective: Objective, fit: Fit, draws: np.ndarray | None = None) -> Identified:
    """Say what the data can tell of each parameter.

    Parameters
    ----------
    objective : Objective
        With the noise of the fit; its model is called twice.
    fit : Fit
        Best fit with its Jacobian.
    draws : ndarray
        z of the posterior, shape (draws, p); the Laplace approximation where left out.
    """
    width = objective.likelihood.width
    _, singular, directions = np.linalg.svd(fit.jacobian * width, full_matrices=True)
    # With fewer rows than parameters the directions left over are seen not at all.
    singular = np.concatenate([singular, np.zeros(len(width) - len(singular))])
    covariance = fit.covariance if draws is None else np.atleast_2d(np.cov(draws, rowvar=False))
    sd = np.sqrt(np.diag(covariance))
    return Identified(
        keys=tuple(one.key for one in objective.problem.free),
        singular=singular,
        singular_with_prior=np.sqrt(singular**2 + 1.0),
        directions=directions,
        shrinkage=sd / width,
        correlation=covariance / np.outer(sd, sd),
        offsets=np.array(OFFSETS),
        profile=profiles(objective, fit, sd),
    )


def profiles(objective: Objective, fit: Fit, sd: np.ndarray) -> np.ndarray:
    """Rise of the sum of squares along each parameter, shape (p, offsets), the others fitted anew.

    The others follow the parameter in a straight line and are then mended once by a Gauss-Newton step with the
    Jacobian of the best fit, from residuals computed exactly: two calls of the model in all.
    """
    p, width = len(fit.z), objective.likelihood.width
    slopes = np.vstack([fit.jacobian, np.diag(1.0 / width)])
    points, inverses = [], []
    for k in range(p):
        others = np.arange(p) != k
        scaled = slopes[:, others] * width[others]
        inverse = width[others][:, None] * np.linalg.pinv(scaled, rcond=1e-12)
        inverses.append(inverse)
        for offset in OFFSETS:
            point = fit.z.copy()
            point[k] += offset * sd[k]
            point[others] -= inverse @ (slopes[:, k] * offset * sd[k])
            points.append(point)
    first = np.array(points)
    residual = objective.residuals(first)
    second = first.copy()
    for row in range(len(first)):
        k = row // len(OFFSETS)
        if np.isfinite(residual[row]).all():
            second[row, np.arange(p) != k] -= inverses[k] @ residual[row]
    squares = np.vstack([(residual**2).sum(axis=1), (objective.residuals(second) ** 2).sum(axis=1)])
    # fmin passes over the one of the two that failed.
    return (np.fmin(squares[0], squares[1]) - 2.0 * fit.cost).reshape(p, len(OFFSETS))

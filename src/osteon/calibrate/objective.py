"""A problem with its likelihood: every call of the model goes through here, many points at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from osteon.calibrate.free import Problem
from osteon.calibrate.likelihood import Likelihood, Noise
from osteon.errors import ModelError

#: Step of differences, in prior standard deviations: far above the solver's error, far below the curvature.
STEP = 0.01

#: Points that a call costs beside its own.
OVERHEAD = 10


class Objective:
    """Residuals, slopes and log-probability of a problem.

    Parameters
    ----------
    problem : Problem
        With p free parameters and n rows.
    noise : Noise
        Variance inflation by endpoint.
    on_work : callable
        Called after every call of the model with the work it was, in points.
    """

    def __init__(
        self, problem: Problem, noise: Noise | None = None, on_work: Callable[[int], object] | None = None
    ) -> None:
        self.problem, self.on_work = problem, on_work
        self.likelihood = Likelihood(problem.observed, problem.free, noise)

    def with_noise(self, noise: Noise) -> Objective:
        """The same problem with another variance inflation."""
        return Objective(self.problem, noise, self.on_work)

    def predict(self, z: np.ndarray) -> np.ndarray:
        """Predicted rows, shape (m, n), of points z, shape (m, p)."""
        predicted = np.asarray(self.problem.predict(z), float)
        wanted = (len(z), len(self.problem.observed))
        if predicted.shape != wanted:
            message = f"the problem predicts an array of shape {predicted.shape}, and {wanted} is needed"
            raise ModelError(f"{self.problem.structure}, {self.problem.block}: {message}")
        if self.on_work is not None:
            self.on_work(len(z) + OVERHEAD)
        return np.where(np.isinf(predicted), np.nan, predicted)

    def residuals(self, z: np.ndarray) -> np.ndarray:
        """Residuals of data and prior, shape (m, n + p), of points z, shape (m, p)."""
        return np.hstack([self.likelihood.whitened(self.predict(z)), self.likelihood.prior(z)])

    def log_probability(self, z: np.ndarray) -> np.ndarray:
        """Log of likelihood times prior, shape (m,), of points z, shape (m, p)."""
        return self.likelihood.log_probability(z, self.predict(z))

    def linearise(self, z: np.ndarray, central: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Residuals of data (n,) and their slopes (n, p) at one point z (p,), in one call of the model.

        Where the model fails a step up it is stepped down; a parameter of which both fail has no slope.
        """
        p = len(z)
        steps = np.diag(STEP * self.likelihood.width)
        points = [z[None], z + steps, *([z - steps] if central else [])]
        found = self.likelihood.whitened(self.predict(np.vstack(points)))
        here, up = found[0], found[1 : p + 1]
        if np.isnan(here).any():
            return here, np.full((len(here), p), np.nan)
        size = np.diag(steps)[:, None]
        failed = np.isnan(up).any(axis=1)
        down = found[p + 1 :] if central else np.full_like(up, np.nan)
        if failed.any() and not central:
            down[failed] = self.likelihood.whitened(self.predict(z - steps[failed]))
        with_down = ~np.isnan(down).any(axis=1)
        slopes = np.zeros_like(up)
        for rows, ahead, behind, width in (
            (~failed & with_down, up, down, 2 * size),
            (~failed & ~with_down, up, np.broadcast_to(here, up.shape), size),
            (failed & with_down, np.broadcast_to(here, up.shape), down, size),
        ):
            slopes[rows] = (ahead[rows] - behind[rows]) / width[rows]
        return here, slopes.T

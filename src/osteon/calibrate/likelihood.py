"""How far predictions lie from the observed rows and from the prior, as residuals of unit variance.

Rows of one study and endpoint share an offset: their covariance is s^2 (diag(sd^2) + tau^2), and its Cholesky factor
whitens them, so that least squares and the log-probability are the same sum of squares. A censored row counts with
the probability of lying at or below its limit; it is independent of the others, with the same variance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from osteon.calibrate.free import Free, Observed


@dataclass(frozen=True)
class Noise:
    """Variance inflation by endpoint, the s^2 that stands for what no parameter of the model can mend."""

    inflation: Mapping[str, float] = field(default_factory=dict)

    def of(self, endpoint: str) -> float:
        """Factor on the variance of an endpoint."""
        return float(self.inflation.get(endpoint, 1.0))


class Likelihood:
    """Whitened residuals and log-probability of predictions.

    Parameters
    ----------
    observed : Observed
        Rows, n of them.
    free : sequence of Free
        Parameters with priors, p of them.
    noise : Noise
        Variance inflation by endpoint.
    """

    def __init__(self, observed: Observed, free: Sequence[Free], noise: Noise | None = None) -> None:
        self.observed, self.free, self.noise = observed, tuple(free), noise or Noise()
        self.mean = np.array([one.mean for one in self.free])
        self.width = np.array([one.width for one in self.free])
        self.censored = np.asarray(observed.censored, bool)
        self._value = np.asarray(observed.value, float)
        self._blocks: list[tuple[np.ndarray, np.ndarray]] = []
        self._scale = np.ones(len(observed))
        logarithms = 0.0
        for rows in self._groups():
            endpoint = str(observed.endpoint[rows[0]])
            s2, tau2 = self.noise.of(endpoint), float(observed.tau.get(endpoint, 0.0)) ** 2
            own = np.asarray(observed.sd, float)[rows] ** 2
            self._scale[rows] = np.sqrt(s2 * (own + tau2))
            exact = rows[~self.censored[rows]]
            if exact.size:
                covariance = s2 * (np.diag(own[~self.censored[rows]]) + tau2)
                lower = np.linalg.cholesky(covariance)
                self._blocks.append((exact, np.linalg.inv(lower)))
                logarithms += float(np.log(np.diag(lower)).sum())
        seen = int((~self.censored).sum())
        prior = float(np.log(self.width).sum()) + 0.5 * len(self.free) * math.log(2 * math.pi)
        #: What the log-probability adds to minus half the sum of squares.
        self.constant = -logarithms - 0.5 * seen * math.log(2 * math.pi) - prior

    def _groups(self) -> list[np.ndarray]:
        """Rows of each study and endpoint, in the order they first appear."""
        groups: dict[tuple[str, str], list[int]] = {}
        for k, pair in enumerate(zip(self.observed.study, self.observed.endpoint, strict=True)):
            groups.setdefault((str(pair[0]), str(pair[1])), []).append(k)
        return [np.array(rows) for rows in groups.values()]

    def whitened(self, predicted: np.ndarray) -> np.ndarray:
        """Residuals of unit variance, shape (m, n), of predictions, shape (m, n); NaN where a point failed."""
        apart = self._value - predicted
        out = np.empty_like(apart)
        for rows, inverse in self._blocks:
            # Not through BLAS, whose bits may depend on threads and on the number of points.
            out[:, rows] = np.einsum("ij,mj->mi", inverse, apart[:, rows])
        if self.censored.any():
            from scipy.special import log_ndtr

            place = apart[:, self.censored] / self._scale[self.censored]
            out[:, self.censored] = np.sqrt(np.maximum(-2.0 * log_ndtr(place), 0.0))
        out[np.isnan(predicted).any(axis=1)] = np.nan
        return out

    def prior(self, z: np.ndarray) -> np.ndarray:
        """Prior residuals of unit variance, shape (m, p)."""
        return (z - self.mean) / self.width

    def log_probability(self, z: np.ndarray, predicted: np.ndarray) -> np.ndarray:
        """Log of likelihood times prior with all constants, shape (m,); minus infinity where a point failed."""
        squares = (self.whitened(predicted) ** 2).sum(axis=1) + (self.prior(z) ** 2).sum(axis=1)
        return np.where(np.isfinite(squares), self.constant - 0.5 * squares, -np.inf)

    def replicate(self, predicted: np.ndarray, normal: np.ndarray) -> np.ndarray:
        """Rows as a new set of studies might report them, shape (m, n), from standard normal numbers (m, n).

        A censored row is replicated uncensored.
        """
        out = predicted + normal * self._scale
        for rows, inverse in self._blocks:
            out[:, rows] = predicted[:, rows] + np.einsum("ij,mj->mi", np.linalg.inv(inverse), normal[:, rows])
        return out


def inflated(likelihood: Likelihood, whitened: np.ndarray, leverage: np.ndarray) -> Noise:
    """Variance inflation with which the reduced chi-square of every endpoint is one, and never below 1.

    Parameters
    ----------
    likelihood : Likelihood
        With the inflation that `whitened` was computed with.
    whitened : ndarray
        Residuals at the best fit, shape (n,).
    leverage : ndarray
        Share of each row that the fitted parameters take up, shape (n,).
    """
    found = {}
    for endpoint in dict.fromkeys(map(str, likelihood.observed.endpoint)):
        rows = (likelihood.observed.endpoint == endpoint) & ~likelihood.censored
        # With hardly a row more than parameters, the error of the rows themselves is all that can be known.
        freedom = rows.sum() - leverage[rows].sum()
        reduced = float((whitened[rows] ** 2).sum() / freedom) if freedom > 0.5 else 1.0
        found[endpoint] = max(1.0, likelihood.noise.of(endpoint) * reduced)
    return Noise(found)

"""The best fit: least squares from several starts, the spread around it, and the evidence of the data for the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from osteon.calibrate.free import Free, Problem
from osteon.calibrate.likelihood import Noise, inflated
from osteon.calibrate.objective import Objective
from osteon.errors import SolveError

_CANDIDATES = 4  # points looked at for each start
_ROUNDS = 6  # of noise and fit in turn
_SETTLED = 0.02  # relative change of the inflation that counts as none


@dataclass(frozen=True)
class Fit:
    """Best fit of a problem with p free parameters and n rows.

    Attributes
    ----------
    z : ndarray
        Maximum of the posterior, shape (p,).
    cost : float
        Half the sum of squares of data and prior there.
    starts, ends : ndarray
        Where least squares began and ended, shape (starts, p); in the first round, without variance inflation.
    costs : ndarray
        Cost of each start at its end, shape (starts,).
    residual : ndarray
        Whitened residuals of the data at the maximum, shape (n,).
    predicted : ndarray
        Predicted rows at the maximum, shape (n,).
    jacobian : ndarray
        Slopes of the whitened residuals there, without the prior's, shape (n, p).
    covariance : ndarray
        Of the Laplace approximation in z, shape (p, p).
    log_evidence : float
        Log-probability of the data under the model, in the Laplace approximation and with the inflation held.
    noise : Noise
        Variance inflation by endpoint.
    """

    z: np.ndarray
    cost: float
    starts: np.ndarray
    ends: np.ndarray
    costs: np.ndarray
    residual: np.ndarray
    predicted: np.ndarray
    jacobian: np.ndarray
    covariance: np.ndarray
    log_evidence: float
    noise: Noise

    @property
    def sd(self) -> np.ndarray:
        """Standard deviation of z in the Laplace approximation, shape (p,)."""
        return np.sqrt(np.diag(self.covariance))

    def agreeing(self, within: float = 0.5) -> int:
        """Number of starts that ended at the lowest cost, to within `within`."""
        return int((self.costs <= self.costs.min() + within).sum())

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays that can be written without pickling."""
        found = {name: np.asarray(one) for name, one in vars(self).items() if name != "noise"}
        found["noise_endpoint"] = np.array(list(self.noise.inflation), dtype=str)
        found["noise_inflation"] = np.array(list(self.noise.inflation.values()), float)
        return found

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Fit:
        """The fit that `to_arrays` took apart."""
        noise = Noise(dict(zip(arrays["noise_endpoint"].tolist(), arrays["noise_inflation"].tolist(), strict=True)))
        rest = {name: arrays[name] for name in cls.__annotations__ if name not in ("noise", "cost", "log_evidence")}
        return cls(cost=float(arrays["cost"]), log_evidence=float(arrays["log_evidence"]), noise=noise, **rest)


def fit(
    problem: Problem,
    *,
    seed: int,
    starts: int = 8,
    noise: Noise | None = None,
    on_work: Callable[[int], object] | None = None,
) -> Fit:
    """Find the maximum of the posterior.

    The starts are the prior's centre and the best of some points drawn from the prior. At the best end the variance
    inflation of each endpoint is set so that its reduced chi-square is one, and the fit goes on from there until both
    have settled.

    Parameters
    ----------
    problem : Problem
        With p free parameters.
    seed : int
        Of the starts, which depend on it, the structure, the block and the name of each parameter alone.
    starts : int
        Starts of least squares.
    noise : Noise, optional
        Variance inflation to keep to, instead of estimating it.
    on_work : callable
        Called with the work of every call of the model, in points.

    Raises
    ------
    SolveError
        The model fails at every start.
    """
    objective = Objective(problem, noise, on_work)
    points = _starts(objective, seed, starts)
    ended = [_least_squares(objective, point, tolerance=1e-5, most=60) for point in points]
    costs = np.array([cost for _, cost in ended])
    ends = np.array([z for z, _ in ended])
    z = ends[int(np.argmin(costs))]
    for _ in range(_ROUNDS if noise is None else 0):
        residual, slopes = objective.linearise(z)
        before = objective.likelihood.noise
        after = inflated(objective.likelihood, residual, leverage(objective, slopes))
        objective = objective.with_noise(after)
        moved = max(abs(math.log(after.of(name) / before.of(name))) for name in after.inflation)
        if moved < _SETTLED:
            break
        z, _ = _least_squares(objective, z, tolerance=1e-6, most=30)
    z, cost = _least_squares(objective, z, tolerance=1e-9, most=15)
    return _at(objective, z, cost, points, ends, costs)


def leverage(objective: Objective, slopes: np.ndarray) -> np.ndarray:
    """Share of each row that the fitted parameters take up, shape (n,)."""
    covariance = spread(slopes, objective.likelihood.width)
    return np.einsum("ni,ij,nj->n", slopes, covariance, slopes)


def spread(slopes: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Covariance of z, shape (p, p), from slopes of whitened residuals (n, p) and prior widths (p,)."""
    # In units of the prior the matrix is at least one, so it is inverted without loss however flat the data are.
    scaled = slopes * width
    inverse = np.linalg.inv(scaled.T @ scaled + np.eye(len(width)))
    return width[:, None] * (0.5 * (inverse + inverse.T)) * width


def _at(
    objective: Objective, z: np.ndarray, cost: float, starts: np.ndarray, ends: np.ndarray, costs: np.ndarray
) -> Fit:
    residual, slopes = objective.linearise(z, central=True)
    covariance = spread(slopes, objective.likelihood.width)
    _, logarithm = np.linalg.slogdet(covariance)
    evidence = objective.likelihood.constant - cost + 0.5 * (len(z) * math.log(2 * math.pi) + logarithm)
    return Fit(
        z=z,
        cost=cost,
        starts=starts,
        ends=ends,
        costs=costs,
        residual=residual,
        predicted=objective.predict(z[None])[0],
        jacobian=slopes,
        covariance=covariance,
        log_evidence=float(evidence),
        noise=objective.likelihood.noise,
    )


def _starts(objective: Objective, seed: int, starts: int) -> np.ndarray:
    """The prior's centre and the most likely of points drawn from the prior, in one call of the model."""
    from osteon.draws import normal

    problem, likelihood = objective.problem, objective.likelihood
    drawn = [normal(seed, 0, _CANDIDATES * starts, _purpose(problem, one)) for one in problem.free]
    points = np.vstack([likelihood.mean, likelihood.mean + np.transpose(drawn) * likelihood.width])
    likely = objective.log_probability(points)
    if not np.isfinite(likely).any():
        raise SolveError(f"{problem.structure}, {problem.block}: the model fails at every start of the fit")
    order = np.argsort(-likely, kind="stable")
    if np.isfinite(likely[0]):
        order = np.concatenate([[0], order[order != 0]])
    return points[[k for k in order if np.isfinite(likely[k])][:starts]]


def _purpose(problem: Problem, free: Free) -> str:
    return f"calibrate start {problem.structure} {problem.block} {free.key}"


def _least_squares(objective: Objective, start: np.ndarray, *, tolerance: float, most: int) -> tuple[np.ndarray, float]:
    """Where least squares ends from one start, and its cost."""
    from scipy.optimize import least_squares

    width = objective.likelihood.width
    prior_slopes = np.diag(1.0 / width)
    last: dict[str, np.ndarray] = {}

    def look(z: np.ndarray) -> None:
        # Value and slopes in one call: most steps are taken, and a call costs more than its points.
        if "z" not in last or not np.array_equal(last["z"], z):
            residual, slopes = objective.linearise(z)
            last["z"] = z.copy()
            last["residual"] = np.concatenate([residual, objective.likelihood.prior(z[None])[0]])
            last["slopes"] = np.vstack([slopes, prior_slopes])

    def residual(z: np.ndarray) -> np.ndarray:
        look(z)
        return last["residual"]

    def slopes(z: np.ndarray) -> np.ndarray:
        look(z)
        return last["slopes"]

    # This method takes a step back from a point that is not a number; the others end there.
    options: dict[str, Any] = {"method": "trf", "jac": slopes, "x_scale": width, "gtol": 1e-10}
    found = least_squares(residual, start, ftol=tolerance, xtol=tolerance, max_nfev=most, **options)
    return np.asarray(found.x, float), float(found.cost)

"""Blocks fitted one after another, put together again.

The core block is sampled first. A later block B is sampled with the parameters A of earlier blocks held at their best
fit. A joint draw takes a draw of A and a draw of B, and moves the latter to where B would have been fitted given that
A: theta_B + S (theta_A - A_MAP), S = -H_BB^-1 H_BA, from the slopes of the block's own rows. That is exact where the
model is linear, and correct to first order elsewhere. The rows of a later block do not feed back on earlier ones.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from osteon.calibrate.free import Problem
from osteon.calibrate.likelihood import Noise
from osteon.calibrate.objective import Objective


def follow(slopes: np.ndarray, width: np.ndarray, own: np.ndarray) -> np.ndarray:
    """How a block's best fit follows the parameters held, S of shape (own parameters, held parameters).

    Parameters
    ----------
    slopes : ndarray
        Of the whitened residuals of the block's rows by all its parameters, shape (n, p).
    width : ndarray
        Prior standard deviations, shape (p,).
    own : ndarray of bool
        Which parameters the block fits, shape (p,).
    """
    scaled = slopes[:, own] * width[own]
    curvature = scaled.T @ scaled + np.eye(int(own.sum()))
    return -width[own][:, None] * np.linalg.solve(curvature, scaled.T @ slopes[:, ~own])


def followed(
    problem: Problem,
    own: np.ndarray,
    z: np.ndarray,
    noise: Noise,
    on_work: Callable[[int], object] | None = None,
) -> np.ndarray:
    """S of a problem at its best fit z, shape (p,), in one call of the model.

    Parameters
    ----------
    problem : Problem
        With its own parameters and those held.
    own : ndarray of bool
        Which parameters the block fits, shape (p,).
    z : ndarray
        Best fit of all, shape (p,).
    noise : Noise
        Variance inflation of the block's fit.
    on_work : callable
        Called with the work of the call.
    """
    if own.all():
        return np.zeros((len(z), 0))
    whole = Objective(problem, noise, on_work)
    _, slopes = whole.linearise(z, central=True)
    return follow(slopes, whole.likelihood.width, own)


def joined(block: np.ndarray, shift: np.ndarray, held: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Draws of a block moved along with the draws of earlier blocks, shape (draws, own parameters).

    Parameters
    ----------
    block : ndarray
        Draws with the held parameters at their best fit, shape (draws, own parameters).
    shift : ndarray
        S, shape (own parameters, held parameters).
    held : ndarray
        Draws of the held parameters, shape (draws, held parameters).
    best : ndarray
        Their best fit, shape (held parameters,).
    """
    return block + np.einsum("bh,mh->mb", shift, held - best)


def own_of(problem: Problem, known: Collection[str]) -> np.ndarray:
    """Which parameters of a problem no earlier block has fitted, shape (p,)."""
    return np.array([one.key not in known for one in problem.free], bool)

"""Proposals that know the shape of the posterior: preconditioned Crank-Nicolson steps for Student's t.

A step keeps part of where a walker is and draws the rest afresh, and would leave a Student's t of that centre and
shape as it is. The nearer the posterior is to it, the longer the steps that are accepted. After Grumitt, Dai and
Seljak, Adv Neural Inf Process Syst 2022;35:11629 (t-preconditioned Crank-Nicolson).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

_FREEDOM = 8.0  # of Student's t: tails heavier than the Laplace approximation's
_SHORTEST = 0.4  # share of a step that is drawn afresh, between this and all of it


@dataclass(frozen=True)
class Reference:
    """Centre and shape of proposals.

    Attributes
    ----------
    centre : ndarray
        Shape (p,).
    scale : ndarray
        Matrix of Student's t, shape (p, p), positive semidefinite.
    """

    centre: np.ndarray
    scale: np.ndarray

    @classmethod
    def learnt(cls, points: np.ndarray) -> Reference:
        """Return the reference with the mean and covariance of points, shape (n, p)."""
        covariance = np.atleast_2d(np.cov(points, rowvar=False))
        return cls(points.mean(axis=0), covariance * (_FREEDOM - 2.0) / _FREEDOM)

    @cached_property
    def _root(self) -> tuple[np.ndarray, np.ndarray]:
        # Eigenvectors do for a covariance that rounding left not quite positive.
        values, vectors = np.linalg.eigh(self.scale)
        root = vectors * np.sqrt(np.maximum(values, values.max() * 1e-14))
        return root, np.linalg.inv(root)

    def _distance(self, away: np.ndarray) -> np.ndarray:
        return (np.einsum("ij,mj->mi", self._root[1], away) ** 2).sum(axis=1)

    def propose(self, coords: np.ndarray, random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
        """Propose a step of every walker.

        Parameters
        ----------
        coords : ndarray
            Where the walkers are, shape (m, p).
        random : RandomState
            What the step is drawn with.

        Returns
        -------
        proposed, log_factor : ndarray
            Shapes (m, p) and (m,); the factor makes up for steps that are likelier one way than back.
        """
        p, away = len(self.centre), coords - self.centre
        fresh = random.uniform(_SHORTEST, 1.0, len(coords))[:, None]
        before = self._distance(away)
        tail = 2.0 * random.gamma(0.5 * (p + _FREEDOM), size=len(coords)) / (_FREEDOM + before)
        drawn = np.einsum("ij,mj->mi", self._root[0], random.standard_normal(coords.shape)) / np.sqrt(tail)[:, None]
        step = np.sqrt(1.0 - fresh**2) * away + fresh * drawn
        after = self._distance(step)
        factor = 0.5 * (_FREEDOM + p) * (np.log1p(after / _FREEDOM) - np.log1p(before / _FREEDOM))
        return self.centre + step, factor

"""Draws from the posterior: an ensemble of walkers that starts from the Laplace approximation at the best fit.

Walkers, log-probabilities and the state of the random numbers are written as they come, so that a run that was
stopped goes on with the same bits.
"""

from __future__ import annotations

import hashlib
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from osteon.calibrate.proposal import Reference
from osteon.errors import InputError, SolveError

_EVERY = 20.0  # seconds between checkpoints
_BURN = 4  # one in so many steps is left out at the beginning
_PART = "chain-{:07d}.npz"
_LEARNS = (50, 100, 200)  # steps after which the shape of the proposals is learnt anew from the walkers
_SHRINKS = 12  # halvings of the way to the centre where a walker would begin at a point that fails


@dataclass(frozen=True)
class Sampled:
    """A chain of an ensemble of walkers in p parameters.

    Attributes
    ----------
    chain : ndarray
        z, shape (steps, walkers, p).
    log_probability : ndarray
        Shape (steps, walkers).
    """

    chain: np.ndarray
    log_probability: np.ndarray

    @property
    def burn(self) -> int:
        """Steps left out at the beginning: a quarter, and while the shape of the proposals is learnt."""
        return max(len(self.chain) // _BURN, min(_LEARNS[-1], len(self.chain) // 2))

    @property
    def kept(self) -> np.ndarray:
        """z after the steps left out, shape (kept, walkers, p)."""
        return self.chain[self.burn :]

    @property
    def flat(self) -> np.ndarray:
        """All kept draws, step by step, shape (kept * walkers, p)."""
        return self.kept.reshape(-1, self.chain.shape[2])

    @property
    def acceptance(self) -> float:
        """Share of proposals that were accepted."""
        if len(self.kept) < 2:
            return float("nan")
        return float((np.diff(self.kept, axis=0) != 0).any(axis=2).mean())

    def autocorrelation(self) -> np.ndarray:
        """Integrated autocorrelation time in steps, shape (p,), from at least two kept steps."""
        from emcee.autocorr import integrated_time

        spread = self.kept.std(axis=(0, 1)) > 0
        found = np.full(self.chain.shape[2], np.nan)
        if spread.any():
            # Zero tolerance: a chain that is too short is told by the number of effective draws.
            found[spread] = integrated_time(self.kept[:, :, spread], tol=0)
        return np.maximum(found, 1.0)

    def effective(self) -> np.ndarray:
        """Effective number of draws, shape (p,)."""
        return self.kept.shape[0] * self.kept.shape[1] / self.autocorrelation()

    def split_rhat(self) -> np.ndarray:
        """Split R-hat over the walkers, shape (p,); near 1 where they agree with each other and with themselves."""
        half = len(self.kept) // 2
        if half < 2:
            return np.full(self.chain.shape[2], np.nan)
        halves = np.concatenate([self.kept[:half], self.kept[-half:]], axis=1)
        within = halves.var(axis=0, ddof=1).mean(axis=0)
        between = half * halves.mean(axis=0).var(axis=0, ddof=1)
        pooled = (half - 1) / half * within + between / half
        return np.sqrt(np.divide(pooled, within, out=np.full_like(within, np.nan), where=within > 0))


def sample(
    log_probability: Callable[[np.ndarray], np.ndarray],
    centre: np.ndarray,
    covariance: np.ndarray,
    *,
    seed: int,
    purpose: str,
    walkers: int,
    steps: int,
    folder: Path | None = None,
    on_step: Callable[[int, int], object] | None = None,
) -> Sampled:
    """Draw from a posterior.

    Parameters
    ----------
    log_probability : callable
        From points (m, p) to log-probabilities (m,), minus infinity where a point is impossible.
    centre, covariance : ndarray
        Of the Laplace approximation, shapes (p,) and (p, p).
    seed : int
        With `purpose` it settles every bit of the chain.
    purpose : str
        What the chain is for; another purpose gives other random numbers.
    walkers : int
        An even number, at least twice p.
    steps : int
        Steps of each walker.
    folder : Path
        Where checkpoints are kept; what it holds is gone on with. Nothing is kept where left out.
    on_step : callable
        Called with the steps done and their total.

    Raises
    ------
    InputError
        The number of walkers or steps is not allowed, or a checkpoint is damaged.
    """
    _check(walkers, steps, len(centre))
    done = _Checkpoint(folder, walkers, len(centre))
    if done.steps < steps:
        _go_on(done, log_probability, centre, covariance, _random(seed, purpose), steps, on_step)
    return Sampled(*done.first(steps))


def _go_on(
    done: _Checkpoint,
    log_probability: Callable[[np.ndarray], np.ndarray],
    centre: np.ndarray,
    covariance: np.ndarray,
    random: np.random.RandomState,
    steps: int,
    on_step: Callable[[int, int], object] | None,
) -> None:
    from emcee import EnsembleSampler, State
    from emcee.moves import DEMove, MHMove

    walkers, p = done.shape
    state = done.state()
    if state is None:
        points, likely = _begin(log_probability, centre, covariance, random, walkers)
        state = State(points, log_prob=likely, random_state=random.get_state())
    try:
        for first, last in zip((0, *_LEARNS), (*_LEARNS, steps), strict=True):
            last = min(last, steps)
            if done.steps >= last:
                continue
            shape = Reference(centre, covariance) if not first else Reference.learnt(done.between(first // 2, first))
            # A difference step of full length now and then carries a walker from one mode to another.
            moves: Any = [(MHMove(shape.propose), 0.8), (DEMove(), 0.1), (DEMove(gamma0=1.0), 0.1)]
            sampler = EnsembleSampler(walkers, p, log_probability, moves=moves, vectorize=True)
            ahead = sampler.sample(state, iterations=last - done.steps, store=False, skip_initial_state_check=True)
            for now in ahead:
                done.add(now.coords, np.asarray(now.log_prob), now.random_state)
                state = now
                if on_step is not None:
                    on_step(done.steps, steps)
    finally:
        # Whatever ends the run, Ctrl-C too, finished steps are kept.
        done.write()


def _begin(
    log_probability: Callable[[np.ndarray], np.ndarray],
    centre: np.ndarray,
    covariance: np.ndarray,
    random: np.random.RandomState,
    walkers: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Walkers drawn around the centre, brought nearer where the model fails."""
    # Eigenvectors do for a covariance that rounding left not quite positive.
    values, vectors = np.linalg.eigh(covariance)
    away = random.standard_normal((walkers, len(centre))) * np.sqrt(np.maximum(values, 0.0))
    away = np.einsum("ij,mj->mi", vectors, away)
    likely = log_probability(centre + away)
    for _ in range(_SHRINKS):
        failed = ~np.isfinite(likely)
        if not failed.any():
            return centre + away, likely
        away[failed] *= 0.5
        likely[failed] = log_probability(centre + away[failed])
    raise SolveError("the model fails around its best fit, and no walker can begin there")


def _random(seed: int, purpose: str) -> np.random.RandomState:
    """Random numbers of a chain, by key."""
    words = np.frombuffer(hashlib.sha256(f"{seed} {purpose}".encode()).digest(), np.uint32)
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence(words.tolist())))


def _check(walkers: int, steps: int, p: int) -> None:
    if walkers < 2 * p or walkers % 2:
        message = f"{walkers} walkers do not do for {p} parameters (allowed: an even number from {2 * p})"
        raise InputError(message, path="walkers", value=walkers)
    if steps < 1:
        raise InputError(f"{steps} steps are too few (allowed: from 1)", path="steps", value=steps)


class _Checkpoint:
    """Steps done, in memory and in files of a folder; a file is whole or not there."""

    def __init__(self, folder: Path | None, walkers: int, p: int) -> None:
        self.folder, self.shape = folder, (walkers, p)
        self._chain: list[np.ndarray] = []
        self._likely: list[np.ndarray] = []
        self._written, self._when = 0, time.monotonic()
        self._random: Any = None
        for path in sorted(folder.glob("chain-*.npz")) if folder is not None else ():
            self._read(path)
        self._written = self.steps

    @property
    def steps(self) -> int:
        return len(self._chain)

    def add(self, coords: np.ndarray, likely: np.ndarray, random: Any) -> None:
        self._chain.append(coords.copy())
        self._likely.append(likely.copy())
        self._random = random
        if time.monotonic() - self._when > _EVERY:
            self.write()

    def between(self, first: int, last: int) -> np.ndarray:
        """Positions of all walkers in these steps, shape (n, p)."""
        return np.concatenate(self._chain[first:last])

    def first(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        return np.array(self._chain[:steps]), np.array(self._likely[:steps])

    def state(self) -> Any:
        from emcee import State

        if not self._chain:
            return None
        return State(self._chain[-1].copy(), log_prob=self._likely[-1].copy(), random_state=self._random)

    def write(self) -> None:
        if self.folder is None or self._written == self.steps:
            return
        _, keys, position, has_gauss, gauss = self._random
        save_arrays(
            self.folder / _PART.format(self._written),
            chain=np.array(self._chain[self._written :]),
            log_probability=np.array(self._likely[self._written :]),
            random_keys=keys,
            random_position=np.array([position, has_gauss]),
            random_gauss=np.array(gauss),
        )
        self._written, self._when = self.steps, time.monotonic()

    def _read(self, path: Path) -> None:
        part = load_arrays(path)
        chain, place = part["chain"], part["random_position"]
        if chain.shape[1:] != self.shape or path.name != _PART.format(self.steps):
            raise InputError(f"{path.name} is of another run", path=str(path.parent), hint="name another folder")
        self._chain.extend(chain)
        self._likely.extend(part["log_probability"])
        gauss = float(part["random_gauss"])
        self._random = ("MT19937", part["random_keys"], int(place[0]), int(place[1]), gauss)


def save_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write arrays as one ``.npz`` file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{path.name}.tmp")
    with staged.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    staged.replace(path)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of a ``.npz`` file.

    Raises
    ------
    InputError
        It is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, zipfile.BadZipFile, EOFError) as error:
        raise InputError(f"{path.name} is damaged ({error})", path=str(path.parent), value=str(path)) from error

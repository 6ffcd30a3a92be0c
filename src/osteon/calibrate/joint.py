"""Draws over all structures and blocks, with the rows they predict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.calibrate.free import Observed
from osteon.calibrate.likelihood import Likelihood
from osteon.calibrate.objective import Objective
from osteon.calibrate.pair import joined
from osteon.calibrate.store import Draws
from osteon.calibrate.structures import allot, shuffled, thin
from osteon.draws import normal
from osteon.errors import SolveError

if TYPE_CHECKING:
    from osteon.calibrate.run import Stage

_LOOKED = 20  # draws looked at for each that is kept, where a problem has rules


@dataclass(frozen=True)
class Joint:
    """Draws and what they predict.

    Attributes
    ----------
    draws : Draws
        Parameters and structure of each draw.
    log_probability : ndarray
        Sum over the blocks, each at its own draw, shape (draws,).
    rows : mapping
        Columns of the observed rows of all blocks, shape (rows,).
    predicted, replicate : ndarray
        Rows without and with the error of the data, shape (draws, rows); NaN where the model failed.
    """

    draws: Draws
    log_probability: np.ndarray
    rows: Mapping[str, np.ndarray]
    predicted: np.ndarray
    replicate: np.ndarray

    def with_attributes(self, attributes: Mapping[str, Any]) -> Joint:
        """The same with attributes of the file."""
        return replace(self, draws=replace(self.draws, attributes=dict(attributes)))


def joint_draws(
    stages: Mapping[str, Mapping[str, Stage]],
    weight: Mapping[str, float],
    count: int,
    seed: int,
    on_work: Callable[[int], object] | None = None,
) -> Joint:
    """Draw from all structures by their weight, and within one from all blocks.

    Parameters
    ----------
    stages : mapping
        `Stage` by structure and block.
    weight : mapping of str to float
        By structure.
    count : int
        Draws in all.
    seed : int
        Of the choice of draws.
    on_work : callable
        Called with the work of every call of the model.
    """
    keys = tuple(dict.fromkeys(one.key for s in stages.values() for stage in s.values() for one in stage.free))
    parts = []
    for structure, taken in allot(weight, count, seed).items():
        if taken:
            parts.append((structure, taken, *_of_structure(stages[structure], taken, seed, keys, on_work)))
    structures = tuple(structure for structure, taken, *_ in parts for _ in range(taken))
    values, likely, predicted, replicate = (np.concatenate([part[k] for part in parts]) for k in range(2, 6))
    draws = Draws(keys, values, structures, dict(weight))
    blocks = next(iter(stages.values()))
    observed = [(block, stage.problem.observed) for block, stage in blocks.items()]
    return Joint(draws, likely, _columns(observed), predicted, replicate)


def _of_structure(
    stages: Mapping[str, Stage],
    count: int,
    seed: int,
    keys: tuple[str, ...],
    on_work: Callable[[int], object] | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Values (draws, keys), log-probability (draws,), and rows without and with error (draws, rows)."""
    values = np.full((count, len(keys)), np.nan)
    likely = np.zeros(count)
    drawn: dict[str, np.ndarray] = {}
    best: dict[str, float] = {}
    predicted, replicate = [], []
    for place, (block, stage) in enumerate(stages.items()):
        purpose = f"{stage.problem.structure} {block}"
        flat = stage.sampled.flat
        chosen = _chosen(stage, flat, count, seed, purpose)
        if place:
            # In chain order, draws of one block would be paired with those of another by their step.
            chosen = chosen[shuffled(count, seed, purpose)]
        z = flat[chosen]
        if stage.held:
            held = np.column_stack([drawn[one.key] for one in stage.held])
            z = joined(z, stage.shift, held, np.array([best[one.key] for one in stage.held]))
        likely += stage.sampled.log_probability[stage.sampled.burn :].reshape(-1)[chosen]
        for k, one in enumerate(stage.free):
            drawn[one.key], best[one.key] = z[:, k], float(stage.fit.z[k])
            values[:, keys.index(one.key)] = one.to_value(z[:, k])
        objective = Objective(stage.problem, stage.fit.noise, on_work)
        rows = objective.predict(np.column_stack([drawn[one.key] for one in stage.problem.free]))
        predicted.append(rows)
        replicate.append(_replicate(objective.likelihood, rows, seed, purpose))
    return values, likely, np.hstack(predicted), np.hstack(replicate)


def _chosen(stage: Stage, flat: np.ndarray, count: int, seed: int, purpose: str) -> np.ndarray:
    """Places of draws, evenly apart; where the problem says which draws can be shipped, among those it accepts."""
    accept = getattr(stage.problem, "acceptable", None)
    if accept is None:
        return thin(len(flat), count, seed, purpose)
    looked = np.unique(thin(len(flat), min(len(flat), _LOOKED * count), seed, f"{purpose} candidates"))
    kept = looked[accept(flat[looked])]
    if len(kept) < count:
        raise SolveError(
            f"{purpose}: of {len(looked)} draws looked at {len(kept)} keep the rules, and {count} are needed"
        )
    return kept[thin(len(kept), count, seed, purpose)]


def _replicate(likelihood: Likelihood, rows: np.ndarray, seed: int, purpose: str) -> np.ndarray:
    return likelihood.replicate(rows, normal(seed, 0, rows.size, f"calibrate replicate {purpose}").reshape(rows.shape))


def _columns(observed: list[tuple[str, Observed]]) -> dict[str, np.ndarray]:
    names = ("value", "sd", "study", "arm", "endpoint", "day", "censored")
    columns = {name: np.concatenate([np.asarray(getattr(one, name)) for _, one in observed]) for name in names}
    return {**columns, "block": np.concatenate([np.full(len(one), block) for block, one in observed])}

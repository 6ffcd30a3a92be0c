"""A whole calibration: every structure, block after block, weighed and put together into one set of draws."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from osteon.calibrate.fit import Fit, fit
from osteon.calibrate.folder import RunFolder
from osteon.calibrate.free import Free, Held, Observed, Problem, free_hash
from osteon.calibrate.identify import Identified, identify
from osteon.calibrate.joint import Joint, joint_draws
from osteon.calibrate.objective import OVERHEAD, Objective
from osteon.calibrate.pair import followed, own_of
from osteon.calibrate.sample import Sampled, sample
from osteon.calibrate.store import packages
from osteon.calibrate.structures import MOST_DRAWS, weights
from osteon.draws import uniform
from osteon.errors import InputError, MissingExtra, ModelError, show

STARTS, STEPS = 8, 1000
LIGHT, LIGHTER = 0.05, 4  # below this weight a structure gives few draws, and its chain is shorter by this factor
_ITERATIONS = 15  # of least squares, a guess for the time left

#: Problems by structure and block; the blocks in the order in which they are fitted.
Problems = Mapping[str, Mapping[str, Problem]]

Progress = Callable[[str, int, int], object]


@dataclass(frozen=True)
class Stage:
    """One block of one structure, calibrated.

    Attributes
    ----------
    problem : Problem
        With its own parameters and those held.
    own : ndarray of bool
        Which of its parameters the block fits.
    fit, sampled, identified
        Of the block's own parameters.
    shift : ndarray
        How they follow the parameters held, shape (own, held).
    """

    problem: Problem
    own: np.ndarray
    fit: Fit
    sampled: Sampled
    identified: Identified
    shift: np.ndarray

    @property
    def free(self) -> tuple[Free, ...]:
        """Parameters that the block fits."""
        return tuple(one for one, own in zip(self.problem.free, self.own, strict=True) if own)

    @property
    def held(self) -> tuple[Free, ...]:
        """Parameters of earlier blocks that the block's rows depend on."""
        return tuple(one for one, own in zip(self.problem.free, self.own, strict=True) if not own)


@dataclass(frozen=True)
class Calibration:
    """What a calibration found.

    Attributes
    ----------
    stages : mapping
        `Stage` by structure and block.
    log_evidence, weights : mapping of str to float
        By structure; the evidence of later blocks is that with earlier ones at their best fit.
    joint : Joint
        Draws over all structures, with predicted rows.
    manifest : mapping
        Seed, settings, hashes and versions: what settles every bit of the result.
    seconds : float
        Time that this run took.
    """

    stages: Mapping[str, Mapping[str, Stage]]
    log_evidence: Mapping[str, float]
    weights: Mapping[str, float]
    joint: Joint
    manifest: Mapping[str, Any]
    seconds: float

    @property
    def leading(self) -> str:
        """The heaviest structure."""
        return max(self.weights, key=lambda name: self.weights[name])

    def best(self, structure: str) -> dict[str, float]:
        """Value of every parameter at the best fit of a structure, in its own unit."""
        stages = self.stages[structure].values()
        return {one.key: float(one.to_value(z)) for s in stages for one, z in zip(s.free, s.fit.z, strict=True)}


def calibrate(
    problems: Problems,
    *,
    seed: int = 1,
    walkers: int | None = None,
    steps: int = STEPS,
    starts: int = STARTS,
    draws: int = MOST_DRAWS,
    weight: Mapping[str, float] | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    on_progress: Progress | None = None,
) -> Calibration:
    """Fit, sample and weigh every structure.

    Parameters
    ----------
    problems : mapping
        `Problem` by structure and block, the core block first. Parameters that an earlier block has fitted are held.
    seed : int
        Settles every random number.
    walkers : int, optional
        Walkers of the ensemble; where left out, three for each parameter and at least 32.
    steps : int
        Steps of each walker, a quarter of them for structures of less than 5 % weight; the first quarter is left out.
        A run that is gone on with may have more.
    starts : int
        Starts of least squares for each block.
    draws : int
        Draws in the answer, at most 200.
    weight : mapping of str to float, optional
        Weight of each structure, adding up to 1; where left out, by their evidence.
    folder : str or Path, optional
        Where what is done is kept; nothing is where left out.
    resume : bool
        Go on with what the folder holds.
    on_progress : callable
        Called with what is being done, and the work done and in all, in points of the model.

    Raises
    ------
    InputError
        A setting is not allowed, or the folder holds another run.
    MissingExtra
        The packages of the extra ``calibrate`` are not installed.
    """
    require()
    begun = time.monotonic()
    _check(problems, seed, walkers, steps, starts, draws)
    manifest = _manifest(problems, seed, walkers, starts)
    work = _Work(_plan(problems, walkers, steps, starts), on_progress)
    with RunFolder(folder, manifest, resume) as kept:
        fits = {structure: _fits(blocks, seed, starts, kept, work) for structure, blocks in problems.items()}
        evidence = {name: sum(one.log_evidence for one in blocks.values()) for name, blocks in fits.items()}
        weight = weights(evidence) if weight is None else {name: weight[name] for name in problems}
        stages: dict[str, dict[str, Stage]] = {}
        for structure, blocks in problems.items():
            known: dict[str, float] = {}
            stages[structure] = {}
            enough = steps if weight[structure] >= LIGHT else max(4, steps // LIGHTER)
            for block, problem in blocks.items():
                found = fits[structure][block]
                stage = _stage(problem, found, known, seed, _walkers(problem, known, walkers), enough, kept, work)
                stages[structure][block] = stage
                known.update(zip([one.key for one in stage.free], stage.fit.z.tolist(), strict=True))
    work.enter("joint draws", 0)
    joint = joint_draws(stages, weight, draws, seed, work.add)
    facts = {**manifest, "steps": steps, "draws": draws}
    joint = joint.with_attributes({name: _attribute(one) for name, one in facts.items()})
    return Calibration(stages, evidence, weight, joint, facts, time.monotonic() - begun)


def require() -> None:
    """Refuse where the packages of the extra are not installed.

    Raises
    ------
    MissingExtra
        Says how to install them.
    """
    if find_spec("emcee") is None or find_spec("scipy") is None:
        raise MissingExtra("Calibration", "calibrate")


def _fits(blocks: Mapping[str, Problem], seed: int, starts: int, kept: RunFolder, work: _Work) -> dict[str, Fit]:
    """Fit of each block of a structure, earlier blocks held at theirs."""
    known: dict[str, float] = {}
    found: dict[str, Fit] = {}
    for name, problem in blocks.items():
        block = Held(problem, {one.key: known[one.key] for one in problem.free if one.key in known})
        work.enter(f"{problem.structure}, {name}: fit", _fit_work(len(block.free), starts))
        found[name] = kept.fit(block) or kept.keep_fit(block, fit(block, seed=seed, starts=starts, on_work=work.add))
        known.update(zip([one.key for one in block.free], found[name].z.tolist(), strict=True))
    return found


def _stage(
    problem: Problem,
    found: Fit,
    known: Mapping[str, float],
    seed: int,
    walkers: int,
    steps: int,
    kept: RunFolder,
    work: _Work,
) -> Stage:
    own = own_of(problem, known)
    held = {one.key: known[one.key] for one, mine in zip(problem.free, own, strict=True) if not mine}
    block = Held(problem, held)
    name, p = f"{problem.structure}, {problem.block}", len(block.free)
    objective = Objective(block, found.noise, work.add)
    kept.check_fit(objective, found)
    work.enter(f"{name}: sampling", steps * (walkers + 2 * OVERHEAD))
    sampled = sample(
        objective.log_probability,
        found.z,
        found.covariance,
        seed=seed,
        purpose=f"calibrate chain {problem.structure} {problem.block}",
        walkers=walkers,
        steps=steps,
        folder=kept.chain(block),
        on_step=lambda done, total: work.say(f"{name}: sampling, step {done} of {total}"),
    )
    work.enter(f"{name}: what the data can tell", 2 * (4 * p + OVERHEAD))
    identified = identify(objective, found, sampled.flat)
    best = np.array([held.get(one.key, 0.0) for one in problem.free])
    best[own] = found.z
    return Stage(problem, own, found, sampled, identified, followed(problem, own, best, found.noise, work.add))


class _Work:
    """Work done, in points of the model, against what is planned; a stage that needs less counts as planned."""

    def __init__(self, total: int, on_progress: Progress | None) -> None:
        self._total, self._tell = total, on_progress
        self._what, self._before, self._stage, self._done = "", 0, 0, 0

    def enter(self, what: str, planned: int) -> None:
        self._before, self._stage, self._done = self._before + self._stage, planned, 0
        self.say(what)

    def add(self, points: int) -> None:
        self._done = min(self._done + points, self._stage)
        self.say(self._what)

    def say(self, what: str) -> None:
        self._what = what
        if self._tell is not None:
            self._tell(what, min(self._before + self._done, self._total), self._total)


def _fit_work(p: int, starts: int) -> int:
    return (starts + 2) * _ITERATIONS * (p + 1 + OVERHEAD)


def _plan(problems: Problems, walkers: int | None, steps: int, starts: int) -> int:
    total = 0
    for blocks in problems.values():
        known: set[str] = set()
        for problem in blocks.values():
            p = int(own_of(problem, known).sum())
            total += _fit_work(p, starts) + 2 * (4 * p + OVERHEAD)
            total += steps * (_walkers(problem, known, walkers) + 2 * OVERHEAD)
            known |= {one.key for one in problem.free}
    return total


def _walkers(problem: Problem, known: Any, walkers: int | None) -> int:
    if walkers is not None:
        return walkers
    p = int(own_of(problem, known).sum())
    return max(32, 3 * p + 3 * p % 2)


def _check(problems: Problems, seed: int, walkers: int | None, steps: int, starts: int, draws: int) -> None:
    """Refuse what cannot run, before anything runs."""
    if not problems or not all(problems.values()):
        raise ModelError("there is no problem to calibrate")
    uniform(seed, 0, 0, "")
    limits = (("steps", steps, 4, 10**7), ("starts", starts, 1, 10**4), ("draws", draws, 1, MOST_DRAWS))
    for name, number, least, most in limits:
        if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
            message = f"{show(number)} is not allowed (allowed: whole numbers from {least} to {most})"
            raise InputError(message, path=name, value=number)
    rows: dict[str, str] = {}
    for structure, blocks in problems.items():
        known: set[str] = set()
        for block, problem in blocks.items():
            if (problem.structure, problem.block) != (structure, block):
                raise ModelError(f"{structure}, {block}: the problem calls itself {problem.structure}, {problem.block}")
            own = [one for one in problem.free if one.key not in known]
            if not own or any(one.block != block for one in own):
                raise ModelError(f"{structure}, {block}: its own free parameters are none, or of another block")
            if walkers is not None and (walkers < 2 * len(own) or walkers % 2):
                message = f"{show(walkers)} is too few or odd for the {len(own)} parameters of {block}"
                hint = f"give an even number from {2 * len(own)}"
                raise InputError(message, path="walkers", value=walkers, hint=hint)
            known |= {one.key for one in problem.free}
            if rows.setdefault(block, _rows(problem.observed)) != _rows(problem.observed):
                raise ModelError(f"{structure}, {block}: its rows are not those of the other structures")


def _rows(observed: Observed) -> str:
    return observed.content_hash()


def _manifest(problems: Problems, seed: int, walkers: int | None, starts: int) -> dict[str, Any]:
    """What a run must share with what its folder holds; steps may grow."""
    return {
        "seed": seed,
        "walkers": walkers,
        "starts": starts,
        "data": {block: _rows(one.observed) for block, one in next(iter(problems.values())).items()},
        "free": {
            name: {block: free_hash(one.free) for block, one in blocks.items()} for name, blocks in problems.items()
        },
        "packages": packages(),
    }


def _attribute(value: Any) -> Any:
    """A fact as NetCDF can hold it."""
    if value is None:
        return "default"
    return value if isinstance(value, int | float | str) else json.dumps(value, sort_keys=True)

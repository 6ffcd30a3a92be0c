"""Many patients of one structure: phases with arrays, solved by the compiled kernel or by the Python back end.

Phases of one system in a row become a stage; the doses between them are its impulses. A stage is solved for all
patients at once, and once only for arms that have had the same past.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from osteon.engine.lanes import driver
from osteon.engine.lanes.job import Job, Outcome, run
from osteon.engine.lanes.store import LaneKernel
from osteon.engine.one_by_one import pick, solve_one_by_one
from osteon.engine.rosenbrock import RODAS5P, Tableau
from osteon.engine.solve import TOLERANCE, Memory, Phase
from osteon.engine.solved import Failure, Solved, absent, idle
from osteon.model.system import IMPOSED, System

Array = np.ndarray
_WHY = {
    driver.TOO_SMALL: "no step was small enough at day {day:.6g} ({state})",
    driver.TOO_MANY: "too many steps were needed before day {day:.6g} ({state})",
}


@dataclass(frozen=True)
class Stage:
    """Phases of one system in a row."""

    system: System
    parameters: Mapping[str, Any]
    start: Array
    end: Array
    events: tuple[tuple[Array, int, Array], ...]  # time, number of the state, amount


@dataclass
class Solver:
    """Solves arms of the same patients; remembers stages that arms share.

    Attributes
    ----------
    size : int
        Number of patients.
    grid : ndarray
        Output times [day], ascending, shape (time,).
    names : sequence of str
        Wanted curves, by public name.
    kernel : callable or None
        Gives the compiled kernel of a system; None uses the Python back end.
    tolerance : float
        Error allowed per step.
    method : Tableau
        Rosenbrock method of the compiled kernel.
    floor : float
        Share of a state's usual size below which its error counts as absolute; compiled kernel only.
    threads : int
        Threads of the compiled kernel.
    lockstep : bool
        Each eight patients in a row share every step, so that their differences are smooth; compiled kernel only.
    on_poll : callable, optional
        Called now and then; what it raises stops the work.
    """

    size: int
    grid: Array
    names: Sequence[str]
    kernel: Callable[[System], LaneKernel] | None
    tolerance: float = TOLERANCE
    method: Tableau = RODAS5P
    floor: float = 1.0
    threads: int = 1
    lockstep: bool = False
    on_poll: Callable[[int], None] | None = None
    _known: dict[bytes, Outcome] = field(default_factory=dict, repr=False)
    _memories: list[Memory] = field(default_factory=list, repr=False)

    def solve(self, phases: Sequence[Phase], end: float | Array) -> Solved:
        """Solve an arm.

        Parameters
        ----------
        phases : sequence of Phase
            Start, parameter values and impulses are each a number or an array over patients.
        end : float or ndarray
            Last day.
        """
        if self.kernel is None:
            self._memories = self._memories or [Memory() for _ in range(self.size)]
            return solve_one_by_one(phases, end, self.grid, self.names, self._memories, self.tolerance, self.on_poll)
        stages = _stages(phases, end, self.size)
        found = {name: np.full((self.size, len(self.grid)), absent(name)) for name in self.names}
        steps, failures = np.zeros(self.size, np.int64), {}
        before: tuple[Sequence[str], Array] | None = None
        for number, stage in enumerate(stages):
            kernel = self.kernel(stage.system)
            selected = {name: place for name in self.names if (place := _place(name, kernel, stage.system)) is not None}
            initial = _initial(stage, before, self.size)
            last = number == len(stages) - 1
            window = _window(self.grid, stage, last)
            skip = np.array([place in failures for place in range(self.size)], bool)
            outcome, first = self._run(kernel, stage, initial, list(selected.values()), window, skip)
            steps += np.maximum(outcome.steps, 0)
            for place in np.flatnonzero(outcome.status > 0):
                failures[int(place)] = _failure(stage, outcome, int(place))
            _fill(found, selected, stage, outcome.out, window, first)
            before = kernel.states, outcome.last
        inside = (self.grid >= stages[0].start[:, None]) & (self.grid <= stages[-1].end[:, None])
        for curve in found.values():
            curve[~inside] = np.nan
            curve[list(failures)] = np.nan
        return Solved(found, failures, steps)

    def _run(
        self, kernel: LaneKernel, stage: Stage, initial: Array, select: list[int], window: Array, skip: Array
    ) -> tuple[Outcome, int]:
        """Outcome of a stage and the place in the grid its output begins at."""
        values = np.empty((self.size, len(kernel.parameters)))
        for column, key in enumerate(kernel.parameters):
            values[:, column] = stage.parameters[key]
        first, stop = int(window[:, 0].min(initial=len(self.grid))), int(window[:, 1].max(initial=0))
        first = min(first, stop)
        shape = (self.size, len(stage.events))
        job = Job(
            start=stage.start,
            end=stage.end,
            initial=initial,
            parameters=values,
            event_time=np.stack([time for time, _, _ in stage.events], 1) if stage.events else np.zeros(shape),
            event_amount=np.stack([amount for _, _, amount in stage.events], 1) if stage.events else np.zeros(shape),
            event_state=np.broadcast_to(np.array([state for _, state, _ in stage.events], np.int64), shape),
            event_count=np.full(self.size, len(stage.events)),
            grid=self.grid[first:stop],
            window=window - first,
            select=np.array(select, np.int64),
            skip=skip,
        )
        digest = hashlib.blake2b(kernel.key.encode())
        for given in vars(job).values():
            digest.update(repr(np.shape(given)).encode())
            digest.update(np.ascontiguousarray(given).data)
        key = digest.digest()
        if key not in self._known:
            self._known[key] = run(
                kernel.code,
                job,
                self.method,
                self.tolerance,
                floor=self.floor,
                threads=self.threads,
                lockstep=self.lockstep,
                on_poll=self.on_poll,
            )
        return self._known[key], first


def _stages(phases: Sequence[Phase], end: float | Array, size: int) -> list[Stage]:
    """Join phases of one system; what a phase adds becomes an impulse of its stage."""
    starts = [np.broadcast_to(np.asarray(phase.start, float), (size,)) for phase in phases]
    stages: list[Stage] = []
    for phase, start in zip(phases, starts, strict=True):
        places = {key: number for number, key in enumerate(phase.system.states)}
        events = tuple(
            (start, places[key], np.broadcast_to(np.asarray(amount, float), (size,)))
            for key, amount in phase.impulses.items()
        )
        # A dose on the last day opens a stage of no length, so that the last value is the one after it.
        if (
            stages
            and stages[-1].system is phase.system
            and stages[-1].parameters is phase.parameters
            and (start < end).all()
        ):
            stages[-1] = replace(stages[-1], events=(*stages[-1].events, *events))
            continue
        if stages:
            stages[-1] = replace(stages[-1], end=start)
        stages.append(Stage(phase.system, phase.parameters, start, start, events))
    ended = np.broadcast_to(np.asarray(end, float), (size,))
    return [*stages[:-1], replace(stages[-1], end=ended)]


def _initial(stage: Stage, before: tuple[Sequence[str], Array] | None, size: int) -> Array:
    """State before the impulses: carried over by name, at baseline where new."""
    states = np.empty((size, len(stage.system.states)))
    for column, value in enumerate(stage.system.initial(stage.parameters)):
        states[:, column] = value
    if before is not None:
        names, values = before
        old = {key: column for column, key in enumerate(names)}
        for column, key in enumerate(stage.system.states):
            if key in old:
                states[:, column] = values[:, old[key]]
    return states


def _window(grid: Array, stage: Stage, last: bool) -> Array:
    first = np.searchsorted(grid, stage.start, side="left")
    return np.stack([first, np.searchsorted(grid, stage.end, side="right" if last else "left")], 1)


def _public(system: System) -> dict[str, str]:
    """Curve name to state."""
    return {state.signal or key.replace(".", "_"): key for key, state in system.states.items()}


def _place(name: str, kernel: LaneKernel, system: System) -> int | None:
    """Row of what is observed under a curve's name; None if this system does not compute it."""
    if name in kernel.signals:
        return len(kernel.states) + kernel.signals.index(name)
    key = _public(system).get(name)
    return None if key is None else kernel.states.index(key)


def _fill(
    found: dict[str, Array], selected: Mapping[str, int], stage: Stage, out: Array, window: Array, first: int
) -> None:
    """Put a stage's output where it belongs."""
    count = out.shape[1]
    place = np.arange(first, first + count)
    inside = (place >= window[:, :1]) & (place < window[:, 1:])
    for name, curve in found.items():
        part = curve[:, first : first + count]
        if name in selected:
            np.copyto(part, out[:, :, list(selected).index(name)], where=inside)
        elif name in stage.system.imposed:
            held = np.broadcast_to(np.asarray(stage.parameters[f"{IMPOSED}.{name}"], float), (len(curve),))
            np.copyto(part, held[:, None], where=inside)
        elif (waits := idle(name, stage.system.states)) is not None:
            np.copyto(part, waits, where=inside)


def _failure(stage: Stage, outcome: Outcome, place: int) -> Failure:
    day, y = float(outcome.reached[place]), outcome.last[place]
    keys, scale = list(stage.system.states), np.array([state.scale for state in stage.system.states.values()])
    if outcome.status[place] == driver.NEGATIVE:
        signed = np.array([state.signed for state in stage.system.states.values()])
        low = int(np.argmin(np.where(signed, 0.0, y / scale)))
        return Failure(f"{keys[low]} became negative, {y[low]:.3g} on day {day:.6g}", day, keys[low])
    # NumPy numbers, since those of Python raise errors where these are infinite.
    values = {key: np.float64(pick(value, place)) for key, value in stage.parameters.items()}
    with np.errstate(all="ignore"):
        rates = np.array(stage.system.evaluate(list(y), values.__getitem__)[0], float)
        speed = np.abs(rates) / np.maximum(np.abs(y), scale)
    state = keys[int(np.argmax(np.where(np.isnan(speed), np.inf, speed)))]
    return Failure(_WHY[int(outcome.status[place])].format(day=day, state=state), day, state)

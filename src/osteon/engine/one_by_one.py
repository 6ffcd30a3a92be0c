"""Many patients in plain Python, one after another: nothing to compile, and a second opinion on the compiled kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from osteon.engine.solve import Memory, Phase, Piece, solve
from osteon.engine.solved import Failure, Solved, absent, idle
from osteon.errors import SolveError
from osteon.model.system import IMPOSED


def pick(value: Any, place: int) -> float:
    """Value of the patient at `place`, out of a number for all or an array over patients."""
    return float(value) if np.ndim(value) == 0 else float(value[place])


def one_patient(phases: Sequence[Phase], place: int) -> list[Phase]:
    """Phases of the patient at `place`, all values plain floats, out of phases with arrays."""
    # Phases share their parameters, and go on sharing them.
    shared: dict[int, dict[str, float]] = {}
    alone = []
    for phase in phases:
        if id(phase.parameters) not in shared:
            shared[id(phase.parameters)] = {key: pick(value, place) for key, value in phase.parameters.items()}
        impulses = {key: pick(amount, place) for key, amount in phase.impulses.items()}
        alone.append(Phase(pick(phase.start, place), phase.system, shared[id(phase.parameters)], impulses))
    return alone


def solve_one_by_one(
    phases: Sequence[Phase],
    end: float | np.ndarray,
    grid: np.ndarray,
    names: Sequence[str],
    memories: Sequence[Memory],
    tolerance: float,
    on_poll: Callable[[int], None] | None = None,
) -> Solved:
    """Solve an arm of many patients.

    Parameters
    ----------
    phases : sequence of Phase
        Start, parameter values and impulses are each a number or an array over patients.
    end : float or ndarray
        Last day.
    grid : ndarray
        Output times [day], ascending, shape (time,).
    names : sequence of str
        Wanted curves, by public name.
    memories : sequence of Memory
        One for each patient, shared between arms.
    tolerance : float
        Error allowed per step.
    on_poll : callable, optional
        Told the number of each patient before it is solved; what it raises stops the work.
    """
    size = len(memories)
    found = {name: np.full((size, len(grid)), np.nan) for name in names}
    steps, failures = np.zeros(size, np.int64), {}
    for place, memory in enumerate(memories):
        if on_poll:
            on_poll(place)
        try:
            pieces = solve(one_patient(phases, place), pick(end, place), memory, tolerance)
            for number, piece in enumerate(pieces):
                steps[place] += piece.trajectory.steps
                last = number == len(pieces) - 1
                stop = int(np.searchsorted(grid, piece.end, side="right" if last else "left"))
                inside = slice(int(np.searchsorted(grid, piece.start, side="left")), stop)
                if len(grid[inside]):
                    for name, values in _curves(piece, grid[inside], names).items():
                        found[name][place, inside] = values
        except SolveError as error:
            failures[place] = Failure(str(error), error.day, error.state)
            for curve in found.values():
                curve[place] = np.nan
    return Solved(found, failures, steps)


def _curves(piece: Piece, times: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """Wanted curves within a phase."""
    states, signals = piece.evaluate(times)
    hidden = {key.replace(".", "_"): values for key, values in states.items()}
    held = {name: piece.phase.parameters[f"{IMPOSED}.{name}"] for name in piece.phase.system.imposed}
    known = {**hidden, **held, **signals}
    for name in names:
        waits = idle(name, states)
        known.setdefault(name, absent(name) if waits is None else waits)
    return {name: known[name] for name in names}

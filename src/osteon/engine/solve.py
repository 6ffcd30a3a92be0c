"""One arm of one patient: phases of unchanging structure, joined at times that are known in advance.

A phase ends where a drug comes in for the first time, the bone breaks, or a dose falls; the state is read there from
the dense output, impulses are added, and the next phase starts. Trajectories are shared between arms with the same
past, which is faster and makes the arms equal to the last bit until they differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from osteon.engine.cache import Kernel, kernel_for
from osteon.engine.rosenbrock import SLACK, Trajectory
from osteon.errors import SolveError
from osteon.model.system import System

#: Error allowed per step; the true error of each state stays near or below 1e-5 of its usual size (tests/engine).
TOLERANCE = 6e-7


@dataclass(frozen=True)
class Phase:
    """From `start` [day] on, `system` with `parameters` holds, after `impulses` were added to states by key."""

    start: float
    system: System
    parameters: Mapping[str, float]
    impulses: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Piece:
    """A solved phase: `trajectory` holds from `start` to `end` [day]."""

    start: float
    end: float
    phase: Phase
    kernel: Kernel
    trajectory: Trajectory

    def evaluate(self, times: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """States and signals at `times` [day], each an array over time.

        Raises
        ------
        SolveError
            A quantity that cannot be negative lies further below zero than rounding explains.
        """
        states = dict(zip(self.kernel.states, self.trajectory.sample(times), strict=True))
        for key, state in self.phase.system.states.items():
            if state.signed:
                continue
            low = int(np.argmin(states[key]))
            if states[key][low] < -SLACK * state.scale:
                message = f"{key} became negative, {states[key][low]:.3g} on day {times[low]:.6g}"
                raise SolveError(message, float(times[low]), key)
            states[key] = np.maximum(states[key], 0.0)
        _, signals = self.phase.system.evaluate(list(states.values()), self.phase.parameters.__getitem__)
        return states, {name: np.broadcast_to(np.asarray(value, float), times.shape) for name, value in signals.items()}


class Memory(dict[tuple, Trajectory]):
    """Trajectories by kernel, parameters, start and state, shared between the arms of one patient."""


def solve(
    phases: Sequence[Phase], end: float, memory: Memory | None = None, tolerance: float = TOLERANCE
) -> list[Piece]:
    """Integrate an arm.

    Parameters
    ----------
    phases : sequence of Phase
        In order of their start.
    end : float
        Last day.
    memory : Memory, optional
        Shared between arms of the same patient.
    tolerance : float
        Error allowed per step.

    Raises
    ------
    SolveError
        No step was found.
    """
    memory = Memory() if memory is None else memory
    pieces: list[Piece] = []
    for number, phase in enumerate(phases):
        stop = phases[number + 1].start if number + 1 < len(phases) else end
        kernel = kernel_for(phase.system)
        y0 = _start(phase, pieces[-1] if pieces else None)
        values = tuple(phase.parameters[key] for key in kernel.parameters)
        place = (kernel.key, values, phase.start, tuple(y0), tolerance)
        try:
            if place not in memory:
                scale = [state.scale for state in phase.system.states.values()]
                memory[place] = Trajectory(kernel.functions(values), phase.start, y0, scale, tolerance)
            trajectory = memory[place]
            trajectory.at(stop)
        except SolveError as error:
            state = list(phase.system.states)[memory[place].fastest()]
            raise SolveError(f"{error} ({state})", error.day, state) from error
        except (ArithmeticError, ValueError) as error:
            message = f"the parameters allow no solution from day {phase.start:.6g} on ({error.args[-1]})"
            raise SolveError(message, phase.start) from error
        pieces.append(Piece(phase.start, stop, phase, kernel, trajectory))
    return pieces


def _start(phase: Phase, before: Piece | None) -> list[float]:
    """State at the start of a phase: carried over by name, at baseline where new, plus impulses."""
    old = {} if before is None else dict(zip(before.kernel.states, before.trajectory.at(phase.start), strict=True))
    fresh = dict(zip(phase.system.states, phase.system.initial(phase.parameters), strict=True))
    return [old.get(key, value) + phase.impulses.get(key, 0.0) for key, value in fresh.items()]

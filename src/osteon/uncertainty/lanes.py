"""The systemic layer of every arm under many draws at once, as lanes of the compiled kernel.

The callus is left out, since it does not act back on the skeleton. Which back end solves the draws never depends on
what is kept from earlier runs: the compiled kernel is made where it is missing, in other processes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.engine.ensemble import Solver
from osteon.engine.lanes.making import Build, obtain, wait_all
from osteon.engine.lanes.store import load
from osteon.engine.solve import TOLERANCE
from osteon.engine.solved import Solved
from osteon.errors import SolveError
from osteon.model.system import System
from osteon.population.plan import phases, steps

if TYPE_CHECKING:
    from osteon.scenario import Arm, Scenario

_LOG = logging.getLogger(__name__)


def systems_of(scenario: Scenario) -> list[System]:
    """Systems that the arms go through without a callus."""
    bare = _without_fracture(scenario)
    found = {step.system.name: step.system for arm in bare.arms for step in steps(bare, arm)}
    return list(found.values())


class Lanes:
    """Solves arms under draws; kernels are being made from the start on, so that other work can go on meanwhile.

    Used as a context, whose end stops what is still being made.

    Parameters
    ----------
    scenario : Scenario
        Whose arms.
    values : mapping of str to float or ndarray
        Parameter values under the draws, arrays of shape (draws,).
    size : int
        Number of draws.
    """

    def __init__(self, scenario: Scenario, values: Mapping[str, Any], size: int) -> None:
        self.scenario, self.values, self.size = _without_fracture(scenario), values, size
        self._builds = [Build(system) for system in systems_of(scenario) if load(system) is None]
        self._solver: Solver | None = None

    def __enter__(self) -> Lanes:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        for build in self._builds:
            if not build.done:
                build.cancel()

    @property
    def compiled(self) -> bool:
        """Whether the compiled kernel solved them; plain Python does where it cannot be made."""
        return self._solver is not None and self._solver.kernel is not None

    def wait(
        self,
        time: np.ndarray,
        names: Sequence[str],
        tolerance: float = TOLERANCE,
        on_wait: Callable[[], None] | None = None,
    ) -> None:
        """Wait for the kernels.

        Parameters
        ----------
        time : ndarray
            Output times [day], shape (time,).
        names : sequence of str
            Wanted curves, by public name.
        tolerance : float
            Error allowed per step.
        on_wait : callable, optional
            Called now and then; what it raises stops the compilers.
        """
        wait_all(self._builds, on_wait)
        kernel: Any = obtain
        try:
            for build in self._builds:
                build.wait()
        except SolveError as error:
            _LOG.warning("%s; plain Python is used, which takes a hundred times as long", error)
            kernel = None
        self._solver = Solver(self.size, time, names, kernel, tolerance)

    def solve(self, name: str) -> Solved:
        """Solve one arm under every draw; its curves have the shape (draws, time)."""
        if self._solver is None:
            raise ValueError("the kernels are not waited for")
        arm: Arm = next(one for one in self.scenario.arms if one.name == name)
        # What a hopeless draw makes infinite is told by its failure.
        with np.errstate(all="ignore"):
            return self._solver.solve(phases(self.scenario, arm, self.values), self.scenario.horizon)


def _without_fracture(scenario: Scenario) -> Scenario:
    return scenario.model_copy(update={"fracture": None})

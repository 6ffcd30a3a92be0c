"""Kernels made ready before a run, and what plain Python answers meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from osteon.engine.lanes.making import Build, wait_all
from osteon.engine.lanes.store import load
from osteon.ensemble.chunk import Chunk, Settings, chosen_backend, compute
from osteon.errors import SolveError

_LOG = logging.getLogger(__name__)

if TYPE_CHECKING:
    from osteon.model.system import System
    from osteon.population import Cohort

_FIRST_LOOKS = 5  # patients shown while the compiler works


def systems_of(cohort: Cohort) -> list[System]:
    """Systems that the arms of a cohort go through."""
    # Patients drawn around one scenario, or listed in a table, all have its structures.
    block = cohort.block(0, cohort.size if cohort.origin == "scenarios" else min(cohort.size, 1))
    found = {
        phase.system.name: phase.system for group in block.groups for phases in group.arms.values() for phase in phases
    }
    return list(found.values())


def prepare(
    cohort: Cohort,
    settings: Settings,
    on_preview: Callable[[Chunk], None] | None = None,
    on_wait: Callable[[], None] | None = None,
) -> Settings:
    """Have the kernels that a run needs, compiling in other processes what is not at hand.

    Parameters
    ----------
    cohort, settings : Cohort, Settings
        Of the run.
    on_preview : callable, optional
        Given the first patients one by one, solved in plain Python while the compiler works. They are a first look
        and no part of the result, which comes from one back end alone and so does not depend on what was at hand.
    on_wait : callable, optional
        Called now and then; what it raises stops the compilers.

    Returns
    -------
    Settings
        The same with the back end that is used: ``compiled`` or ``python``.

    Raises
    ------
    SolveError
        The compiled back end was asked for by name, and a kernel could not be made.
    """
    if chosen_backend(cohort, settings.backend) == "python":
        return replace(settings, backend="python")
    builds = [Build(system) for system in systems_of(cohort) if load(system) is None]
    with closing(_look(cohort, settings)) as preview:

        def meanwhile() -> None:
            if on_wait is not None:
                on_wait()
            chunk = next(preview, None) if on_preview is not None else None
            if chunk is not None and on_preview is not None:
                on_preview(chunk)

        wait_all(builds, meanwhile)
    try:
        for build in builds:
            build.wait()
    except SolveError as error:
        if settings.backend == "compiled":
            raise
        _LOG.warning("%s; plain Python is used, which takes a hundred times as long", error)
        return replace(settings, backend="python")
    return replace(settings, backend="compiled")


def warm_up(systems: Iterable[System], on_wait: Callable[[int], None] | None = None) -> tuple[int, int]:
    """Compile what is not at hand of `systems`; return how many were compiled and how many are there.

    Parameters
    ----------
    systems : iterable of System
        Which.
    on_wait : callable, optional
        Told now and then how many are there; what it raises stops the compilers.

    Raises
    ------
    SolveError
        One could not be made.
    """
    every = list({system.name: system for system in systems}.values())
    builds = [Build(system) for system in every if load(system) is None]

    def tell() -> None:
        if on_wait is not None:
            on_wait(len(every) - sum(not build.done for build in builds))

    wait_all(builds, tell)
    for build in builds:
        build.wait()
    return len(builds), len(every)


def _look(cohort: Cohort, settings: Settings):
    plain = replace(settings, backend="python")
    for patient in range(min(cohort.size, _FIRST_LOOKS)):
        yield compute(cohort, patient, patient + 1, plain)

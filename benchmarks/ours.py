"""osteon's own ensemble engine on the same patients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from time import perf_counter, process_time
from typing import Any

import numpy as np

from benchmarks.workload import Patients, Workload
from osteon.engine.ensemble import Solver
from osteon.engine.lanes.making import obtain
from osteon.engine.rosenbrock import RODAS4, RODAS5P
from osteon.engine.solve import Phase

METHODS = {tableau.name: tableau for tableau in (RODAS4, RODAS5P)}


def ours(
    base: Workload,
    patients: Patients,
    tolerance: float,
    method: str = RODAS5P.name,
    threads: int = 1,
    backend: str = "compiled",
    floor: float = 1.0,
) -> tuple[np.ndarray, float, dict[str, Any]]:
    """Solve patients at once, from arrays of parameters to arrays of states.

    Parameters
    ----------
    tolerance : float
        Error allowed per step.
    method : {"Rodas4", "Rodas5P"}
        Rosenbrock method of the compiled kernel.
    threads : int
        Threads of the compiled kernel.
    backend : {"compiled", "python"}
        Which back end.
    floor : float
        Absolute over relative tolerance, in units of each state's usual size.

    Returns
    -------
    states : ndarray, (patients, times, states)
        Not a number where a patient failed.
    seconds : float
        CPU time of all patients and threads, with planning the doses, without compiling.
    info : dict
        ``wall`` [s], ``steps`` (patients,), ``failures``.
    """
    kernel = obtain if backend == "compiled" else None
    for phase in base.phases({}) if kernel else ():
        obtain(phase.system)  # made, or loaded, before the clock starts
    names = [state.signal or key.replace(".", "_") for key, state in base.system.states.items()]
    began, watch = process_time(), perf_counter()
    solver = Solver(len(patients), base.times, names, kernel, tolerance, METHODS[method], floor=floor, threads=threads)
    solved = solver.solve(base.phases(patients.values), base.end)
    seconds, wall = process_time() - began, perf_counter() - watch
    states = np.stack([solved.curves[name] for name in names], axis=-1)
    return states, seconds, {"wall": wall, "steps": solved.steps, "failures": solved.failures}


def steps_by_structure(
    base: Workload, patients: Patients, tolerance: float, method: str
) -> list[tuple[Sequence[Phase], float]]:
    """Phases of each structure in a row, and accepted steps in them for one patient of average."""
    phases, found, before = base.phases(patients.values), [], 0.0
    for _, group in groupby(phases, key=lambda phase: phase.system):
        own = list(group)
        last = phases.index(own[-1])
        end = base.end if last == len(phases) - 1 else phases[last + 1].start
        solver = Solver(len(patients), base.times[:0], [], obtain, tolerance, METHODS[method])
        total = float(solver.solve(phases[: last + 1], end).steps.mean())
        found.append((own, total - before))
        before = total
    return found


def operations(base: Workload, patients: Patients, tolerance: float, method: str) -> tuple[Counter[str], float]:
    """Arithmetic of an average step of one patient, as the generator counts it, and steps per patient.

    Structures weigh by the steps taken in them. Output and rejected steps are not counted.
    """
    counted: Counter[str] = Counter()
    parts = steps_by_structure(base, patients, tolerance, method)
    whole = sum(steps for _, steps in parts)
    for phases, steps in parts:
        for kind, number in obtain(phases[0].system).operations[method].items():
            counted[kind] += number * steps / whole  # pyright: ignore[reportArgumentType]
    return counted, whole

"""How our cost grows with patients, years and doses, what a second thread brings, and how far arithmetic is away."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.floor import costs, floor_of_step
from benchmarks.ours import operations, ours
from benchmarks.precision import Tell, slope
from benchmarks.workload import Workload, draw, workload
from osteon.engine.rosenbrock import RODAS5P
from osteon.engine.solve import TOLERANCE

METHOD = RODAS5P.name
#: Patients of one call; more are solved in chunks, so that memory does not grow with their number.
CHUNK = 1000
_YEARS = tuple(range(1, 9))
_DOSES = (1, 2, 5, 10, 20, 40, 60)


@dataclass(frozen=True)
class Row:
    """One size: CPU seconds in all, CPU milliseconds and accepted steps per patient, wall seconds."""

    size: float
    cpu: float
    milliseconds: float
    steps: float
    wall: float


@dataclass(frozen=True)
class Series:
    """Cost against one size.

    Attributes
    ----------
    what : str
        The size.
    rows : list of Row
        As measured, the best of `repeats`.
    exponent : float
        Of the CPU time in all as a power of the size.
    """

    what: str
    rows: list[Row]
    exponent: float
    repeats: int
    notes: dict[str, Any] = field(default_factory=dict)


def by_patients(sizes: tuple[int, ...], tell: Tell) -> Series:
    """Cost against the number of patients, in chunks of at most `CHUNK`."""
    base, rows, repeats = workload(), [], 5
    for size in sizes:
        tell(f"scaling: {size} patients")
        rows.append(_row(size, base, size, repeats if size <= 10_000 else 2))
    return Series("patients", rows, slope([row.size for row in rows], [row.cpu for row in rows]), repeats)


def by_years(patients: int, tell: Tell, *, fracture: bool, repeats: int = 5) -> Series:
    """Cost against the length of the course."""
    rows = []
    for years in _YEARS:
        tell(f"scaling: {years} years")
        rows.append(_row(years, workload(years, fracture=fracture), patients, repeats))
    what = "years, fracture at 3/5" if fracture else "years, no fracture"
    return Series(what, rows, slope([row.size for row in rows], [row.cpu for row in rows]), repeats)


def by_doses(patients: int, tell: Tell, repeats: int = 5) -> Series:
    """Cost against the number of doses in five years."""
    rows = []
    for doses in _DOSES:
        tell(f"scaling: {doses} doses")
        rows.append(_row(doses, workload(doses=doses), patients, repeats))
    return Series("doses in 5 years", rows, slope([row.size for row in rows], [row.cpu for row in rows]), repeats)


def by_threads(patients: int, tell: Tell, repeats: int = 9) -> Series:
    """Wall time with one and with two threads, taken in turn so that other work disturbs both alike."""
    tell("scaling: 1 and 2 threads")
    base, many = workload(), draw(patients, workload())
    runs: dict[int, list[tuple[float, float, float]]] = {1: [], 2: []}
    for _ in range(repeats):
        for threads, kept in runs.items():
            _, cpu, info = ours(base, many, TOLERANCE, METHOD, threads)
            kept.append((info["wall"], cpu, float(info["steps"].mean())))
    best = {threads: min(kept) for threads, kept in runs.items()}
    rows = [Row(t, cpu, 1e3 * cpu / patients, steps, wall) for t, (wall, cpu, steps) in best.items()]
    return Series("threads", rows, float("nan"), repeats, {"speed_up": rows[0].wall / rows[1].wall})


def arithmetic(patients: int, tell: Tell, repeats: int = 7) -> dict[str, Any]:
    """Measured time of a step over the least the machine could need for the operations the generator counts."""
    tell("arithmetic floor")
    base, many = workload(), draw(patients, workload())
    runs = [ours(base, many, TOLERANCE, METHOD) for _ in range(repeats)]
    counts, _ = operations(base, many.take(0, min(patients, 64)), TOLERANCE, METHOD)
    measured = min(seconds for _, seconds, _ in runs) / float(runs[0][2]["steps"].sum()) * 1e9
    floors = floor_of_step(counts)
    return {
        "method": METHOD,
        "operations_per_step": {kind: round(number, 1) for kind, number in sorted(counts.items())},
        "nanoseconds_per_operation": costs(),
        "measured_nanoseconds_per_step": measured,
        "floor_nanoseconds": floors,
        "measured_over_floor": {name: measured / value for name, value in floors.items()},
        "note": "steps are accepted ones; the measured time also holds rejected steps, output, planning and packing",
    }


def _row(size: float, base: Workload, patients: int, repeats: int) -> Row:
    many = draw(patients, base)
    best: tuple[float, float] = (np.inf, np.inf)
    steps = np.zeros(0)
    ours(base, many.take(0, min(patients, 8)), TOLERANCE, METHOD)  # warm
    for _ in range(repeats):
        cpu, wall, kept = 0.0, 0.0, []
        for lo in range(0, patients, CHUNK):
            _, seconds, info = ours(base, many.take(lo, min(lo + CHUNK, patients)), TOLERANCE, METHOD)
            cpu, wall = cpu + seconds, wall + info["wall"]
            kept.append(info["steps"])
        best, steps = min(best, (cpu, wall)), np.concatenate(kept)
    return Row(size, best[0], 1e3 * best[0] / patients, float(steps.mean()), best[1])

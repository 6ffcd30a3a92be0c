"""One chunk of a cohort: its patients solved, scored, and laid out as they are written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.endpoints import (
    SCORES,
    SEEN,
    Treatment,
    endpoint_arrays,
    is_treated,
    radiograph,
    treatments_of,
    treatments_taken,
)
from osteon.engine.ensemble import Solved, Solver
from osteon.engine.solve import TOLERANCE
from osteon.ensemble.function import function_of_group
from osteon.population.plan import course_times

if TYPE_CHECKING:
    from osteon.endpoints.table import Function
    from osteon.engine.lanes.store import LaneKernel
    from osteon.model.system import System
    from osteon.population import Cohort, Group

#: Curves that endpoints and the score are made of.
_TURNOVER = ("CTX", "P1NP", "BMD_lumbar_spine", "BMD_total_hip", "BMD_femoral_neck", "serum_calcium")
_HEALING = (
    *("inflammation", "cartilage", "fibrous", "mineralised_tissue", "callus_tissue", "woven_bone", "lamellar_bone"),
    *("torsional_stiffness", "torsional_strength", "callus_BMD", "cortical_union"),
)
_FUNCTION = 6  # curves that endpoints of function need meanwhile
# So many patient-years are quicker in plain Python than a compiler is.
_SMALL = 20.0
_MEMORY = 4e8  # bytes of curves at a time, about


@dataclass(frozen=True)
class Settings:
    """What is computed of each patient, and how.

    Attributes
    ----------
    series : tuple of str
        Curves that are kept.
    every : float
        Time between their points [day].
    tolerance : float
        Error allowed per step.
    backend : {"auto", "compiled", "python"}
        Back end; ``auto`` compiles unless the cohort is very small.
    threads : int
        Threads of the compiled kernel; the result does not depend on it.
    """

    series: tuple[str, ...] = ("mRUST", "torsional_stiffness", "torsional_strength", "CTX", "P1NP", "BMD_total_hip")
    every: float = 7.0
    tolerance: float = TOLERANCE
    backend: str = "auto"
    threads: int = 1


@dataclass(frozen=True)
class Chunk:
    """Patients `lo` to `hi`, solved.

    Attributes
    ----------
    series : dict of str to ndarray
        Kept curves, float32, shape (arms, patients, time); NaN where a patient failed, outside its course, and for the
        callus before the fracture.
    table : dict of str to ndarray
        One row per patient and arm, patient by patient: patient, arm, endpoints, steps, failure, failed_day [day],
        failed_state.
    patients : dict of str to ndarray
        One row per patient: patient, traits, and factors on parameters.
    """

    lo: int
    hi: int
    series: dict[str, np.ndarray]
    table: dict[str, np.ndarray]
    patients: dict[str, np.ndarray]


def chosen_backend(cohort: Cohort, backend: str) -> str:
    """Back end that ``auto`` stands for; it follows from the cohort alone, so that results do."""
    if backend != "auto":
        return backend
    years = cohort.size * len(cohort.arms) * (cohort.horizon - cohort.start_day) / 365.25
    return "compiled" if years > _SMALL else "python"


def output_grid(cohort: Cohort, every: float) -> np.ndarray:
    """Times of the kept curves [day]: multiples of `every` within the courses, and their end; shape (time,)."""
    first, last = np.ceil(cohort.start_day / every - 1e-9), np.floor(cohort.horizon / every + 1e-9)
    return np.union1d(every * np.arange(first, last + 1), [cohort.start_day, cohort.horizon])


def compute(
    cohort: Cohort,
    lo: int,
    hi: int,
    settings: Settings,
    on_patients: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Chunk:
    """Solve and score the patients `lo` to `hi`.

    Parameters
    ----------
    cohort : Cohort
        Whose.
    lo, hi : int
        First and one past the last patient.
    settings : Settings
        What and how.
    on_patients : callable, optional
        Told now and then how many patients of the chunk are done.
    cancelled : callable, optional
        Asked now and then; where it says yes the work ends with `KeyboardInterrupt`.
    """
    grid, arms = output_grid(cohort, settings.every), list(cohort.arms)
    at_once = _patients_at_once(cohort, settings, len(grid))
    treated = any(is_treated(one.patient, one.arms) for one in cohort.scenarios or (cohort.scenario,))
    kernel = _kernels() if chosen_backend(cohort, settings.backend) == "compiled" else None
    parts: list[Chunk] = []
    for start in range(lo, hi, at_once):
        stop = min(hi, start + at_once)
        block, size = cohort.block(start, stop), stop - start
        series = {name: np.full((len(arms), size, len(grid)), np.nan, np.float32) for name in settings.series}
        rows: dict[str, np.ndarray] = {}
        before = start - lo
        for group in block.groups:
            tell = _teller(on_patients, cancelled, before, len(group.index), len(arms))
            # What a hopeless patient makes infinite is told by its failure.
            with np.errstate(all="ignore"):
                given = _treatments(cohort, group, start) if treated else {}
                function = function_of_group(cohort, block, group)
                _solve_group(cohort, group, given, function, settings, kernel, grid, series, rows, size, tell)
            before += len(group.index)
        order = np.arange(start, stop)
        table = {"patient": np.repeat(order, len(arms)), "arm": np.tile(np.array(arms, object), size)}
        table |= {name: values.T.reshape(-1) for name, values in rows.items()}
        parts.append(Chunk(start, stop, series, table, {"patient": order, **block.patients}))
    return parts[0] if len(parts) == 1 else _joined(parts)


def _patients_at_once(cohort: Cohort, settings: Settings, times: int) -> int:
    """Patients solved together, so that what is in memory at a time is bounded; results do not depend on it."""
    points = times + int(cohort.horizon - cohort.start_day) + 100
    numbers = (
        2
        * points
        * (len(_TURNOVER) + len(_HEALING) + len(settings.series) + 2 * len(SCORES) + _FUNCTION)
        * len(cohort.arms)
    )
    return max(16, int(_MEMORY / (8 * numbers)))


def _joined(parts: Sequence[Chunk]) -> Chunk:
    first, last = parts[0], parts[-1]
    return Chunk(
        first.lo,
        last.hi,
        {name: np.concatenate([part.series[name] for part in parts], axis=1) for name in first.series},
        {name: np.concatenate([part.table[name] for part in parts]) for name in first.table},
        {name: np.concatenate([part.patients[name] for part in parts]) for name in first.patients},
    )


def _solve_group(
    cohort: Cohort,
    group: Group,
    given: Mapping[str, Treatment],
    function: Function | None,
    settings: Settings,
    kernel: Callable[[System], LaneKernel] | None,
    grid: np.ndarray,
    series: dict[str, np.ndarray],
    rows: dict[str, np.ndarray],
    size: int,
    tell: Callable[[int, int], None],
) -> None:
    """Fill what belongs to the patients of a group."""
    healing = group.scenario.fracture is not None
    own = {arm.name: scored_times(cohort, group, arm.name) for arm in group.scenario.arms}
    every = np.unique(np.concatenate([grid, *own.values()]))
    solver = Solver(
        size=len(group.index),
        grid=every,
        names=solved_curves(healing, settings.series),
        kernel=kernel,
        tolerance=settings.tolerance,
        threads=settings.threads,
    )
    for number, (arm, phases) in enumerate(group.arms.items()):
        solver.on_poll = lambda done, number=number: tell(number, done)
        solved = solver.solve(phases, group.end)
        curves = dict(solved.curves)
        if healing:
            add_score(curves, every, group)
        kept = np.searchsorted(every, grid)
        for name, values in series.items():
            values[number, group.index] = curves[name][:, kept]
        scored = np.searchsorted(every, own[arm])
        seen = {name: curve[:, scored] for name, curve in curves.items()}
        endpoints = endpoint_arrays(own[arm], seen, chronic(group), given.get(arm), function)
        for name, values in {**endpoints, **_fate(solved)}.items():
            blank = np.nan if values.dtype.kind == "f" else (0 if values.dtype.kind == "i" else "")
            if name not in rows:
                rows[name] = np.full((len(cohort.arms), size), blank, values.dtype)
            rows[name][number, group.index] = values


def _treatments(cohort: Cohort, group: Group, lo: int) -> dict[str, Treatment]:
    """Doses of each arm of the patients of a group of a block that begins at `lo`."""
    if group.given:
        return {name: treatments_taken(one.doses, group.end, group.values) for name, one in group.given.items()}
    alone = (group.scenario,) if cohort.origin != "scenarios" else [cohort.scenarios[lo + i] for i in group.index]
    return {
        name: treatments_of([one.arms[number] for one in alone], group.end, group.values)
        for number, name in enumerate(cohort.arms)
    }


def solved_curves(healing: bool, series: Sequence[str]) -> list[str]:
    """Curves to solve for, so that there are endpoints, the score where there is a callus, and these series."""
    names = dict.fromkeys((*_TURNOVER, *(_HEALING if healing else ()), *series))
    return [name for name in names if name not in SCORES]


def scored_times(cohort: Cohort, group: Group, arm: str) -> np.ndarray:
    """Times endpoints are read from: daily, and finer after each planned dose where all are treated alike.

    They may not depend on who else is in the chunk, so every horizon of the cohort is among them.
    """
    if arm in group.given:
        return course_times(cohort.start_day, cohort.horizon, group.given[arm].moments)
    if cohort.origin != "scenarios":
        doses = [phase.start for phase in group.arms[arm] if phase.impulses]
        return course_times(cohort.start_day, cohort.horizon, doses)  # type: ignore[arg-type]
    horizons = [scenario.horizon for scenario in cohort.scenarios]
    return np.union1d(course_times(cohort.start_day, cohort.horizon, []), horizons)


def add_score(curves: dict[str, np.ndarray], time: np.ndarray, group: Group) -> None:
    """Add the scores of a radiograph, shape (patients, time), to the curves they are made of."""
    after = int(np.searchsorted(time, 0.0))
    values = {key: value for key, value in group.values.items() if key.startswith("radiograph.")}
    seen = {name: curves[name][:, after:] for name in SEEN}
    for name, found in radiograph(seen, values, group.scenario.patient.species).items():
        curves[name] = np.full((len(group.index), len(time)), np.nan)
        curves[name][:, after:] = found


def chronic(group: Group) -> Any:
    """Standing inflammation of each patient, which never ends."""
    return group.values.get("inflammation.chronic", 0.0)


def _fate(solved: Solved) -> dict[str, np.ndarray]:
    """Steps, and why, when and in which state patients failed."""
    size = len(solved.steps)
    why, state, day = np.full(size, "", object), np.full(size, "", object), np.full(size, np.nan)
    for place, failure in solved.failures.items():
        why[place], day[place], state[place] = failure.reason, failure.day, failure.state
    return {"steps": solved.steps, "failure": why, "failed_day": day, "failed_state": state}


def _kernels() -> Callable[[System], LaneKernel]:
    from osteon.engine.lanes.making import obtain

    return obtain


def _teller(
    on_patients: Callable[[int], None] | None, cancelled: Callable[[], bool] | None, before: int, size: int, arms: int
) -> Callable[[int, int], None]:
    def tell(arm: int, done: int) -> None:
        if cancelled is not None and cancelled():
            raise KeyboardInterrupt
        if on_patients is not None:
            on_patients(before + (arm * size + min(done, size)) // arms)

    return tell

"""What a run over a cohort consists of: the settings checked, the output times, the chunks, the manifest."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.course import RESEARCH_ONLY
from osteon.ensemble.labels import versions
from osteon.errors import InputError, near_match, show

if TYPE_CHECKING:
    from osteon.ensemble.chunk import Settings
    from osteon.population import Cohort

MOST_PATIENTS = 10_000_000
MOST_A_CHUNK = 100_000
BACKENDS = ("auto", "compiled", "python")
TURNOVER = ("CTX", "P1NP", "BSAP", "TRACP5b", "BMD_lumbar_spine", "BMD_total_hip")
_IN_MEMORY = 2e9
_BYTES_A_ROW = 8 * 50


@dataclass(frozen=True)
class Plan:
    """A run, whatever computes it.

    Attributes
    ----------
    cohort : Cohort
    settings : Settings
    chunk : int
        Patients in a chunk.
    time : ndarray
        Output times [day], shape (time,).
    """

    cohort: Cohort
    settings: Settings
    chunk: int
    time: np.ndarray

    def ranges(self) -> list[tuple[int, int]]:
        """First and one past the last patient of every chunk."""
        size = self.cohort.size
        return [(lo, min(size, lo + self.chunk)) for lo in range(0, size, self.chunk)]

    def bytes(self) -> float:
        """Return about how much memory the whole result takes."""
        rows = self.cohort.size * len(self.cohort.arms)
        return rows * (4.0 * len(self.time) * len(self.settings.series) + _BYTES_A_ROW)

    def manifest(self) -> dict[str, Any]:
        """Return what the result depends on, and nothing else: no time, no threads, no machine."""
        return self._manifest

    @cached_property
    def _manifest(self) -> dict[str, Any]:
        from osteon.engine.cache import content_key
        from osteon.engine.lanes.machine import processor
        from osteon.ensemble.kernels import systems_of
        from osteon.model.person import MEMBERS, parameters_for

        settings, scenario = self.settings, self.cohort.scenario
        return {
            "kind": "osteon cohort",
            "title": scenario.title,
            "warning": RESEARCH_ONLY,
            "patients": self.cohort.size,
            "arms": list(self.cohort.arms),
            "seed": self.cohort.seed,
            "cohort_sha256": self.cohort.content_hash(),
            "parameters_sha256": {member: parameters_for(scenario, member).content_hash() for member in MEMBERS},
            "settings": {
                "series": list(settings.series),
                "every": settings.every,
                "tolerance": settings.tolerance,
                "backend": settings.backend,
                "chunk": self.chunk,
            },
            "model_sha256": {system.name: content_key(system) for system in systems_of(self.cohort)},
            "versions": versions(),
            "processor": hashlib.sha256(processor().encode()).hexdigest()[:16],
        }


def make_plan(
    cohort: Cohort,
    *,
    series: Sequence[str] | None,
    every: float,
    chunk: int,
    threads: int | None,
    backend: str,
    tolerance: float | None,
) -> Plan:
    """Check the settings of a run and put them together.

    Raises
    ------
    InputError
        One of them is refused; the path names it.
    """
    from osteon.ensemble.chunk import Settings, output_grid

    whole("patients", cohort.size, 1, MOST_PATIENTS)
    whole("chunk", chunk, 1, MOST_A_CHUNK)
    span = cohort.horizon - cohort.start_day
    if not (_number(every) and 0.01 <= every <= max(span, 1.0)):
        allowed = f"0.01 days to the {max(span, 1.0):.6g} days simulated"
        raise InputError(f"{show(every)} is outside the allowed range of {allowed}", path="every", value=every)
    if tolerance is not None and not (_number(tolerance) and 1e-12 <= tolerance <= 1e-2):
        message = f"{show(tolerance)} is outside the allowed range of 1e-12 to 1e-2"
        raise InputError(message, path="tolerance", value=tolerance)
    if backend not in BACKENDS:
        hint = near_match(backend, BACKENDS) or f"choose one of {', '.join(BACKENDS)}"
        raise InputError(f"{show(backend)} is no back end", path="backend", value=backend, hint=hint)
    settings = Settings(
        series=series_of(cohort, series), every=float(every), backend=backend, threads=_threads(threads)
    )
    if tolerance is not None:
        settings = replace(settings, tolerance=float(tolerance))
    return Plan(cohort, settings, chunk, output_grid(cohort, float(every)))


def series_of(cohort: Cohort, names: Sequence[str] | None) -> tuple[str, ...]:
    """Series that are kept, checked against what the cohort has; some of each kind if none are named.

    Raises
    ------
    InputError
        There is no such series, or one is named twice.
    """
    from osteon.endpoints import SCORES
    from osteon.ensemble.chunk import Settings
    from osteon.model.systems import curves_of

    broken = cohort.scenario.fracture is not None
    if names is None:
        return tuple(Settings.series) if broken else TURNOVER
    fractures = [one.fracture for one in cohort.scenarios or (cohort.scenario,)]
    most = max(0 if one is None else one.compartments for one in fractures)
    known = [*curves_of(most), *(SCORES if broken else ())]
    for name in names:
        if name not in known:
            callus = "" if broken else " without a fracture"
            hint = near_match(name, known) or f"there are {', '.join(sorted(known))}"
            raise InputError(f"there is no series {show(name)}{callus}", path="series", value=name, hint=hint)
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise InputError(f"{show(twice)} is named twice", path="series", value=twice)
    return tuple(names)


def check_memory(plan: Plan) -> None:
    """Refuse to keep in memory what belongs in a folder."""
    if plan.bytes() > _IN_MEMORY:
        message = f"the result would take about {plan.bytes() / 1e9:.0f} GB of memory, and 2 GB are allowed"
        hint = "have it written to a folder with out= (--out), keep fewer series, or a longer every"
        raise InputError(message, path="out", value=None, hint=hint)


def whole(path: str, value: object, low: int, high: int) -> int:
    """Return a whole number from `low` to `high`; raises `InputError`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value <= high:
        raise InputError(f"{show(value)} is not a whole number from {low:,} to {high:,}", path=path, value=value)
    return int(value)


def _threads(given: int | None) -> int:
    if given is not None:
        return whole("threads", given, 1, 1024)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(float(value))

"""What several tests need: an independent solution, and systems with values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

from osteon.engine.solve import Phase
from osteon.model.person import MEMBERS
from osteon.model.system import System
from osteon.model.systems import SYSTEMIC_PARAMETERS
from osteon.parameters import ParameterSet, Record, layered

MOUSE_FEMUR = {"outer_radius": 0.85, "inner_radius": 0.50, "length": 4.0, "envelope_radius": 2.60}


#: What the prototype did not have, taken out.
_WITHOUT = {
    "callus.initial_angiogenesis": 1.0,
    "callus.tearing": 0.0,
    "callus.vessel_capacity": 1.0,
    "callus.growth_at_rest": 1.0,
    "callus.cortical_osteoclasts": 0.0,
    "callus.invasion_half": 1e-9,
    "mechanics.quality_cores": 0.5,
}
_DATA = Path(__file__).parent / "data"


def prototype_parameters(member: str = "J", imposed: Mapping[str, float] | None = None) -> ParameterSet:
    """Parameters of the callus prototype (mouse femur), with imposed signals, and what came later taken out."""
    values = dict(_WITHOUT)
    for name in ("J", member):
        tables = tomllib.loads((_DATA / f"prototype_{name}.toml").read_text(encoding="utf-8"))
        for table, rows in tables.items():
            if isinstance(rows, dict):
                values |= {f"{table}.{key}": row["value"] for key, row in rows.items()}
    imposed = dict(imposed or {})
    if "bisphosphonate_inhibition" in imposed:
        imposed["callus_bisphosphonate_inhibition"] = imposed["bisphosphonate_inhibition"]
    bone = [Record(f"bone.{k}", v, "mm", "assumed", "prototype", k) for k, v in MOUSE_FEMUR.items()]
    held = [Record(f"imposed.{k}", v, "1", "defined", "test", k) for k, v in imposed.items()]
    base = layered(*SYSTEMIC_PARAMETERS, *MEMBERS[member]).with_values(values, layer="prototype")
    return base.with_records(*bone, *held)


def values_of(parameters: ParameterSet) -> dict[str, float]:
    return {key: record.value for key, record in parameters.items()}


class Reference:
    """SciPy's Radau on the model's own functions, phase by phase; pieces with the same past are solved once."""

    def __init__(self, rtol: float = 1e-10, atol: float = 1e-13) -> None:
        self._tolerances, self._solved = {"rtol": rtol, "atol": atol}, {}

    def solve(
        self, phases: list[Phase], end: float, points: int = 40
    ) -> list[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Times and states by key of each phase."""
        found, carried = [], {}
        for phase, stop in zip(phases, [*(p.start for p in phases[1:]), end], strict=True):
            keys = list(phase.system.states)
            fresh = dict(zip(keys, phase.system.initial(phase.parameters), strict=True))
            y0 = [carried.get(key, value) + phase.impulses.get(key, 0.0) for key, value in fresh.items()]
            times = np.linspace(phase.start, stop, points) if stop > phase.start else np.array([phase.start])
            place = (id(phase.system), tuple(y0), phase.start, stop, tuple(sorted(phase.parameters.items())))
            if place not in self._solved:
                self._solved[place] = self._integrate(phase, y0, times)
            states = self._solved[place]
            found.append((times, dict(zip(keys, states, strict=True))))
            carried = dict(zip(keys, states[:, -1], strict=True))
        return found

    def on_grid(
        self, phases: list[Phase], end: float, grid: np.ndarray
    ) -> list[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Times of `grid` within each phase, the last one's end included, and states by key there."""
        found, carried = [], {}
        for phase, stop in zip(phases, [*(p.start for p in phases[1:]), end], strict=True):
            keys = list(phase.system.states)
            fresh = dict(zip(keys, phase.system.initial(phase.parameters), strict=True))
            y0 = [carried.get(key, value) + phase.impulses.get(key, 0.0) for key, value in fresh.items()]
            inside = (grid >= phase.start) & ((grid <= stop) if stop == end else (grid < stop))
            times = np.unique([phase.start, *grid[inside], stop])
            states = self._integrate(phase, y0, times) if stop > phase.start else np.array(y0)[:, None]
            kept = np.isin(times, grid[inside])
            found.append((times[kept], dict(zip(keys, states[:, kept], strict=True))))
            carried = dict(zip(keys, states[:, -1], strict=True))
        return found

    def _integrate(self, phase: Phase, y0: list[float], times: np.ndarray) -> np.ndarray:
        if len(times) == 1:
            return np.array(y0)[:, None]
        get = phase.parameters.__getitem__

        def rhs(_: float, y: np.ndarray) -> list[float]:
            return phase.system.evaluate(y.tolist(), get)[0]

        span = (times[0], times[-1])
        solution = solve_ivp(rhs, span, y0, method="Radau", t_eval=times, **self._tolerances)
        assert solution.success, solution.message
        return solution.y


def scales(system: System) -> np.ndarray:
    return np.array([state.scale for state in system.states.values()])

"""Slopes without lanes: SciPy's LSODA on the plain code of the model, once for each parameter up and once down."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.integrate import solve_ivp

from osteon.endpoints import mrust
from osteon.engine.cache import kernel_for
from osteon.engine.solve import Phase
from osteon.population import Block, phases
from osteon.scenario import Scenario

# Smaller, and what two runs of the reference differ by of themselves shows.
STEP = 3e-4


def integrate(
    plan: list[Phase], end: float, times: np.ndarray, method: str = "LSODA", rtol: float = 1e-12
) -> dict[str, np.ndarray]:
    """Signals at `times`, which are within the last system of the arm."""
    carried: dict[str, float] = {}
    seen: dict[str, list[float]] = {}
    for phase, stop in zip(plan, [*(p.start for p in plan[1:]), end], strict=True):
        kernel = kernel_for(phase.system)
        functions = kernel.functions(tuple(phase.parameters[key] for key in kernel.parameters))
        fresh = dict(zip(phase.system.states, phase.system.initial(phase.parameters), strict=True))
        y0 = [carried.get(key, value) + phase.impulses.get(key, 0.0) for key, value in fresh.items()]
        inside = times[(times >= phase.start) & (times < stop if stop < end else times <= stop)]
        solution = solve_ivp(
            lambda _, y, rhs=functions.rhs: rhs(y.tolist()),
            (phase.start, stop),
            y0,
            method=method,
            t_eval=np.unique([*inside, stop]),
            rtol=rtol,
            atol=1e-2 * rtol,
        )
        assert solution.success, solution.message
        carried = dict(zip(phase.system.states, solution.y[:, -1], strict=True))
        for y in solution.y.T[: len(inside)]:
            signals = phase.system.evaluate(y.tolist(), phase.parameters.__getitem__)[1]
            for name, value in signals.items():
                seen.setdefault(name, []).append(float(value))
    return {name: np.array(values) for name, values in seen.items()}


def slopes(
    scenario: Scenario, block: Block, place: int, arm: str, key: str, times: np.ndarray, series: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Central differences ``p dy/dp`` of one patient's series."""
    (group,) = block.groups
    values = group.phases_of(arm, place)[0].parameters
    weight = float(block.patients["weight"][place])
    treated = next(one for one in scenario.arms if one.name == arm)

    def run(factor: float) -> dict[str, np.ndarray]:
        changed: Mapping[str, float] = {**values, key: values[key] * factor}
        signals = integrate(phases(scenario, treated, changed, weight), scenario.horizon, times)
        radiograph = {name: value for name, value in changed.items() if name.startswith("radiograph.")}
        return {**signals, "mRUST": mrust(signals, radiograph, "human")}

    up, down = run(1 + STEP), run(1 - STEP)
    return {name: (up[name] - down[name]) / (2 * STEP) for name in series}

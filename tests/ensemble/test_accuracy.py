"""Two hundred random virtual patients, extremes among them, against SciPy."""

from collections.abc import Iterator

import numpy as np
from benchmarks.compiled import compiled
from scipy.integrate import solve_ivp

from osteon import Cohort, Scenario
from osteon.engine.ensemble import Solver
from osteon.engine.lanes.making import obtain
from osteon.engine.solve import TOLERANCE, Phase
from osteon.population import Group
from tests.support import Reference

_MOST = 1e-5


class Scipy(Reference):
    """LSODA on compiled rates, which is quick; Radau for a few says whether it is right."""

    def __init__(self, method: str, rtol: float) -> None:
        super().__init__()
        self._method, self._rtol = method, rtol

    def _integrate(self, phase: Phase, y0: list[float], times: np.ndarray) -> np.ndarray:
        if len(times) == 1:
            return np.array(y0)[:, None]
        system = compiled(phase.system)
        c = system.constants(np.array([phase.parameters[key] for key in system.parameters]))
        scale = np.array([state.scale for state in phase.system.states.values()])
        solution = solve_ivp(
            lambda t, y: system.rhs(y, t, c),
            (times[0], times[-1]),
            y0,
            self._method,
            t_eval=times,
            jac=lambda t, y: system.jacobian(y, t, c),
            rtol=self._rtol,
            atol=1e-2 * self._rtol * scale,
        )
        assert solution.success, solution.message
        return solution.y


def cohorts() -> Iterator[Cohort]:
    """Patients with twice the usual spread, and patients at the corners of what a scenario allows."""
    scenario = Scenario.preset("metatarsal_on_denosumab")
    wide = {key: min(2.0, 2 * value) for key, value in Cohort.sample(scenario, 1).spread.items()}
    yield Cohort.sample(scenario, 150, seed=7, spread=wide)
    rng = np.random.default_rng(8)
    yes = lambda: rng.choice([True, False], 50)  # noqa: E731
    corners = {
        "age": rng.choice([18.0, 45.0, 73.0, 105.0], 50),
        "weight": rng.choice([35.0, 68.0, 140.0, 190.0], 50),
        "diabetes": rng.choice(["none", "type1", "type2"], 50),
        **{trait: yes() for trait in ("osteoporosis", "smoking", "obesity")},
        "member": rng.choice(["J", "B"], 50),
        "mechanics.initial_stimulus": rng.choice([0.0, 0.5, 3.0, 20.0], 50),
        "healing.clock": rng.choice([0.1, 0.3, 1.5], 50),
        "denosumab.cl": rng.choice([0.01, 0.07, 0.4], 50),
    }
    yield Cohort.from_table(scenario, corners)


def errors(group: Group, places: range, reference: Scipy) -> Iterator[float]:
    """Largest error of each patient, relative to the size of each state."""
    arms = list(group.arms)
    for arm_number, arm in enumerate(arms):
        end = float(np.max(group.end))
        phases = group.arms[arm]
        grid = np.unique(np.linspace(float(np.min(phases[0].start)), end, 120))
        states = {
            state.signal or key.replace(".", "_"): key for phase in phases for key, state in phase.system.states.items()
        }
        solved = Solver(len(group.index), grid, list(states), obtain, TOLERANCE, threads=2).solve(phases, end)
        assert not solved.failures
        for place in places:
            if place % len(arms) != arm_number:
                continue
            worst = 0.0
            own = group.phases_of(arm, place)
            for phase, (times, found) in zip(own, reference.on_grid(own, end, grid), strict=True):
                at = np.searchsorted(grid, times)
                for name, key in states.items():
                    if key in found:
                        size = np.maximum(np.abs(found[key]), phase.system.states[key].scale)
                        worst = max(
                            worst,
                            float(np.max(np.abs(solved.curves[name][place, at] - found[key]) / size, initial=0.0)),
                        )
            yield worst


def test_each_of_two_hundred_patients_is_right() -> None:
    found: list[float] = []
    for cohort in cohorts():
        (group,) = cohort.block(0, cohort.size).groups
        found += list(errors(group, range(cohort.size), Scipy("LSODA", 1e-11)))
    assert len(found) == 200
    assert max(found) < _MOST

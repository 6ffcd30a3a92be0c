"""The demo against SciPy's Radau at 1e-10: every state, every arm, both ensemble members."""

import numpy as np
import pytest

from osteon.engine.solve import Memory, solve
from osteon.model.person import parameters_for
from osteon.model.systems import assemble
from osteon.scenario import Scenario
from osteon.simulation import phases
from tests.support import Reference

#: True error allowed, relative to the largest value a state takes in any arm.
ALLOWED = 1e-5


@pytest.mark.parametrize("member", ["J", "B"])
def test_demo_agrees_with_scipy(member: str) -> None:
    scenario = Scenario.preset("metatarsal_on_denosumab")
    parameters = parameters_for(scenario, member)
    reference, memory = Reference(rtol=1e-8, atol=1e-11), Memory()
    # The arm that holds is part of the one that goes on, and the members differ in values alone.
    arms = [arm for arm in scenario.arms if arm.name in (("continue", "never") if member == "J" else ("continue",))]
    plans = [phases(scenario, arm, parameters) for arm in arms]
    expected = [reference.solve(plan, scenario.horizon) for plan in plans]
    # What hardly moves in an untreated arm is measured by what it does under the drug.
    largest: dict[str, float] = {}
    for _, states in (piece for arm in expected for piece in arm):
        for key, values in states.items():
            largest[key] = max(largest.get(key, 0.0), float(np.abs(values).max()))
    worst: dict[str, float] = {}
    for plan, arm in zip(plans, expected, strict=True):
        for piece, (times, states) in zip(solve(plan, scenario.horizon, memory), arm, strict=True):
            found = piece.trajectory.sample(times)
            for key, row in zip(piece.kernel.states, found, strict=True):
                scale = max(largest[key], 1e-3 * piece.phase.system.states[key].scale)
                error = float(np.abs(row - states[key]).max()) / scale
                worst[key] = max(worst.get(key, 0.0), error)
    key = max(worst, key=worst.__getitem__)
    assert worst[key] < ALLOWED, (key, worst[key])
    assert set(worst) == set(assemble(fractured=True, drugs=["denosumab"]).states)

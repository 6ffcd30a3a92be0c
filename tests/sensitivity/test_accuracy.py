"""Slopes against a reference that knows no lanes: random patients, parameters of every module."""

from __future__ import annotations

import numpy as np

import osteon
from osteon.population import Cohort

from .reference import integrate, slopes

#: Like the demo, but short, with a dose before and one after the fracture.
TEXT = """\
osteon: 1
title: Doses around a fracture
patient: {species: human, age: 73 yr, sex: female, weight: 68 kg, diabetes: type2, osteoporosis: true}
fracture: {bone: metatarsal, gap: 1 mm, fixation: cast, interfragmentary_strain: 10 %}
arms:
  - name: treated
    doses:
      - {drug: denosumab, amount: 60 mg, start: -40 days, every: 70 days, count: 2}
horizon: 18 weeks
"""
SERIES = ("torsional_stiffness", "mRUST", "osteoclasts", "callus_BMD", "CTX", "BMD_total_hip", "serum_calcium")
TIMES = np.arange(14.0, 112.1, 14.0)
PARAMETERS = (
    *("denosumab.bioavailability", "denosumab.r0", "denosumab.kss", "denosumab.cl", "denosumab.potency"),
    *("turnover.drug_loss", "turnover.resorption_exponent", "turnover.recycling", "markers.ctx_floor"),
    *("callus.hypertrophy", "callus.mmp_removal", "callus.osteoclast_death", "callus.initial_osteoclasts"),
    *("callus.substrate_half", "callus.mineral_bone_time", "callus.factor_union", "callus.initial_fibrous"),
    *("mechanics.modulus_exponent", "mechanics.initial_stimulus", "bone.envelope_radius", "healing.clock"),
    *(
        "inflammation.m1_death",
        "coupling.penetration",
        "radiograph.visible_density",
        "radiograph.bridging_cartilage",
        "turnover.clock",
    ),
    *("endocrine.oestrogen_time", "endocrine.age_at_start", "calcium.gut_reserve", "calcium.baseline"),
)

_PATIENTS = 11  # three parameters of each, so that every one has its turn


def test_slopes_are_those_of_the_reference() -> None:
    scenario = osteon.Scenario.parse(TEXT)
    cohort = Cohort.sample(scenario, _PATIENTS)
    block = cohort.block(0, _PATIENTS)
    found = osteon.sensitivities(cohort, PARAMETERS, series=SERIES, every=14.0, endpoints=False)
    assert found.failed == 0
    curves = found.curves.sel(time=TIMES, arm="treated")
    level = integrate(block.groups[0].phases_of("treated", 0), scenario.horizon, TIMES) | {"mRUST": np.array([16.0])}
    wrong, compared = {}, 0
    for patient in range(_PATIENTS):
        for turn in range(3):
            key = PARAMETERS[(3 * patient + turn) % len(PARAMETERS)]
            expected = slopes(scenario, block, patient, "treated", key, TIMES, SERIES)
            for name in SERIES:
                largest = np.abs(expected[name]).max()
                error = np.abs(curves[name].sel(patient=patient, parameter=key).values - expected[name]).max()
                # Where a parameter does next to nothing, the noise of the reference is a share of the curve, not of it.
                size = max(1.0, np.abs(level[name]).max())
                if largest < 1e-5 * size:
                    assert error < 1e-7 * size, (patient, key, name)
                    continue
                compared += 1
                if error > 1e-3 * largest:
                    wrong[patient, key, name] = error / largest
    assert not wrong
    assert compared > 100


def test_the_reference_is_what_another_method_finds() -> None:
    block = Cohort.sample(osteon.Scenario.parse(TEXT), 1).block(0, 1)
    plan = block.groups[0].phases_of("treated", 0)
    found, other = integrate(plan, 112.0, TIMES), integrate(plan, 112.0, TIMES, "Radau", 1e-9)
    for name, values in found.items():
        np.testing.assert_allclose(values, other[name], rtol=1e-6, atol=1e-8 * (1 + np.abs(values).max()), err_msg=name)

"""Endpoints of function of many patients, refracture, and the interval of this layer."""

import numpy as np
import pytest

from osteon.endpoints.function import (
    FUNCTION_UNITS,
    Traits,
    function_endpoints,
    function_ranges,
    refracture_risk,
    shipped_values,
)
from osteon.endpoints.function.refracture import breaks, fall_rate
from osteon.parameters import load
from osteon.scenario import Fracture, Patient
from tests.endpoints.function.curves import TIME, healing

P = shipped_values()
PERSON = Patient.model_validate({"age": "40 yr"})
HIP = Fracture.model_validate({"bone": "femoral_neck", "fixation": "screws"})
RADIUS = Fracture.model_validate({"bone": "distal_radius", "fixation": "cast"})


def test_every_endpoint_is_told_in_order_and_only_of_people() -> None:
    assert list(function_endpoints(TIME, healing(), HIP, PERSON)) == list(FUNCTION_UNITS)
    of_the_hip = {name for name in FUNCTION_UNITS if name.startswith(("harris", "necrosis"))}
    assert set(function_endpoints(TIME, healing(), RADIUS, PERSON)) == set(FUNCTION_UNITS) - of_the_hip
    assert function_endpoints(TIME, healing(), RADIUS, Patient.model_validate({"species": "mouse"})) == {}


def test_many_patients_equal_each_alone() -> None:
    halves, ages = (40.0, 60.0, 90.0, 200.0), np.array([20.0, 50.0, 70.0, 90.0])
    each = [healing(half) for half in halves]
    each[3]["torsional_stiffness"][:] = np.nan
    for curve in each[2].values():
        curve[TIME > 400] = np.nan
    many = {name: np.stack([one[name] for one in each]) for name in each[0]}
    displaced = np.array([True, False, True, False])
    traits = Traits(age=ages, displaced=displaced)
    found = function_endpoints(TIME, many, HIP, PERSON, traits=traits)
    for patient in range(4):
        own = Traits(age=ages[patient], displaced=displaced[patient])
        alone = function_endpoints(TIME, each[patient], HIP, PERSON, traits=own)
        for name, value in alone.items():
            assert np.array_equal(found[name][patient], value, equal_nan=True), name
            assert patient != 3 or np.isnan(value), name
    assert np.isnan(found["harris_week104"][2])
    assert found["harris_week52"][2] > 60


def test_slower_healing_hurts_longer_and_delays_loading() -> None:
    fast, slow = (function_endpoints(TIME, healing(half), HIP, PERSON) for half in (50.0, 100.0))
    assert fast["full_loading"] < slow["full_loading"]
    assert fast["pain_week12"] < slow["pain_week12"]
    assert fast["harris_week12"] > slow["harris_week12"]


def test_a_fracture_that_never_heals_has_no_date_and_a_poor_hip() -> None:
    series = healing()
    for name in ("torsional_stiffness", "torsional_strength"):
        series[name] = 0 * series[name]
    found = function_endpoints(TIME, series, HIP, PERSON)
    assert np.isnan([found["full_loading"], found["refracture_risk"]]).all()
    assert found["harris_week52"] < 55


def test_refracture_of_intact_bone_is_the_rate_of_falls_that_break_it() -> None:
    start = np.array([100.0])
    intact = np.ones((1, TIME.size))
    risk, ratio = refracture_risk(TIME, intact, start, 80.0, P)
    assert ratio[0] == pytest.approx(1.0)
    assert risk[0] == pytest.approx(-np.expm1(-fall_rate(80.0, P) * P["refracture.breaks_intact"]))
    assert np.isnan(refracture_risk(TIME, intact, np.array([600.0]), 80.0, P)[0]).all()


def test_a_weaker_bone_and_an_older_patient_break_more() -> None:
    share = breaks(np.linspace(0.05, 1.2, 50), P)
    assert np.all(np.diff(share) < 0)
    assert 2 < share[np.argmin(np.abs(np.linspace(0.05, 1.2, 50) - 0.75))] / P["refracture.breaks_intact"] < 4
    rates = fall_rate(np.array([20.0, 65.0, 95.0]), P)
    assert rates[0] == pytest.approx(P["refracture.falls_young"], abs=0.01)
    assert rates[2] == pytest.approx(P["refracture.falls_old"], abs=0.01)
    assert rates[1] == pytest.approx((P["refracture.falls_young"] + P["refracture.falls_old"]) / 2)


def test_the_interval_holds_the_value_and_keeps_to_what_is_possible() -> None:
    traits = Traits(age=40.0, displaced=True)
    found = function_endpoints(TIME, healing(), HIP, PERSON, traits=traits)
    for name, (low, high) in function_ranges(TIME, healing(), HIP, PERSON, traits=traits).items():
        assert 0 <= low < found[name] < high, name
        assert not name.endswith("risk") or high <= 1, name
        assert not name.startswith("harris") or high <= 100, name


def test_the_interval_of_necrosis_is_the_published_one() -> None:
    """20.7 % (12.8-28.5); at five years time has little say, and drawing 400 values adds an error of its own."""
    low, high = function_ranges(TIME, healing(), HIP, PERSON, traits=Traits(displaced=True))["necrosis_risk_year5"]
    assert (low, high) == (pytest.approx(0.128, abs=0.015), pytest.approx(0.285, abs=0.015))


def test_every_parameter_tells_how_far_it_is_known() -> None:
    for key, record in load("function").items():
        assert record.how == "defined" or record.range is not None, key
        assert record.range is None or record.range[0] < record.range[1], key


@pytest.mark.parametrize("key", sorted(P))
def test_every_parameter_has_a_say(key: str) -> None:
    """Doubling it moves an endpoint, on some fixation; the persistence of pain shows in reports alone."""
    from osteon.scenario import catalogue

    if key == "pain.persistence" or key.startswith("pain.spread"):
        from osteon.endpoints.function import pain_reported

        expected = np.full((50, 2), 2.0)
        said = [pain_reported(expected, [1.0, 2.0], p, 1, 0) for p in (P, {**P, key: 0.9 * P[key]})]
        assert not np.array_equal(said[0], said[1])
        return
    value = P[key] * 0.8 if P[key] else 0.05
    moved = False
    for fixation in catalogue.fixations():
        fracture = Fracture.model_validate({"bone": "femoral_neck", "fixation": fixation})
        for traits in (Traits(displaced=True, flap=True, blood_supply=0.8), Traits()):
            told = [
                function_endpoints(TIME, healing(), fracture, PERSON, traits=traits, values=values)
                for values in (P, {**P, key: value})
            ]
            first, second = told
            moved |= any(not np.array_equal(first[name], second[name], equal_nan=True) for name in first)
    # A fixation that only just came into the catalogue, or is not in it yet, has no say.
    assert moved or key.removeprefix("weight_bearing.carried_") not in catalogue.fixations()

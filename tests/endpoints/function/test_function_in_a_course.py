"""Endpoints of function in a course and in a cohort: who has them, their range, and the parameters they read."""

from __future__ import annotations

import numpy as np
import pytest

import osteon
from osteon.endpoints import endpoint_unit
from osteon.endpoints.function import (
    FUNCTION_UNITS,
    function_endpoints,
    function_names,
    function_of,
    function_parameters,
    members_range,
    shipped_values,
    traits_of,
)
from osteon.report.locale import load
from osteon.report.tables import POINTS, endpoint_cells, endpoint_text, summary
from osteon.scenario import Fracture, Patient, Scenario
from tests.endpoints.function.curves import TIME, healing

PERSON = Patient.model_validate({"age": "70 yr"})
MOUSE = Patient.model_validate({"species": "mouse"})


def fracture(bone: str = "femoral_neck", fixation: str = "screws", **more: object) -> Fracture:
    return Fracture.model_validate({"bone": bone, "fixation": fixation, **more})


def scenario(bone: str, fixation: str, patient: dict | None = None, **more: object) -> Scenario:
    return Scenario.parse(
        {
            "osteon": 1,
            "title": "function",
            "patient": {"age": "70 yr"} | (patient or {}),
            "fracture": {"bone": bone, "fixation": fixation, **more},
            "arms": [{"name": "none"}],
            "horizon": "14 months",
        }
    )


class Noted(dict):
    """Values that note what is read of them."""

    def __init__(self) -> None:
        super().__init__(shipped_values())
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> float:
        self.read.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: float | None = None) -> float | None:  # type: ignore[override]
        self.read |= {key} & set(self)
        return super().get(key, default)


@pytest.mark.parametrize(
    "broken", [fracture(displaced=True, flap=True), fracture("tibia", "nail")], ids=["hip", "tibia"]
)
def test_parameters_told_are_those_that_are_read(broken: Fracture) -> None:
    values = Noted()
    function_endpoints(TIME, healing(), broken, PERSON, values=values)
    told = {record.key for record in function_parameters(PERSON, broken)}
    assert values.read == told


def test_animals_and_turnover_have_none() -> None:
    for patient, broken in ((MOUSE, fracture("femur", "nail")), (PERSON, None)):
        assert function_of(patient, broken) is None
        assert function_parameters(patient, broken) == ()
        assert members_range(TIME, [(healing(), 0.0)], patient, broken) == {}


def test_the_fracture_gives_the_traits() -> None:
    traits = traits_of(fracture(displaced=True, flap=True, weight_bearing="6 weeks"), 70.0)
    assert traits[:3] == (70.0, True, True)
    assert traits.protected_until == 42
    assert traits_of(fracture(weight_bearing="as_stiffness_allows"), 70.0).protected_until == 0
    curves = healing(half=5.0)
    early, late = (
        function_endpoints(TIME, curves, fracture("tibia", "nail", **rule), PERSON)["full_loading"]
        for rule in ({}, {"weight_bearing": "20 weeks"})
    )
    assert early < late == 140


def test_the_range_over_members_holds_that_of_each() -> None:
    courses = [(healing(half), 0.0) for half in (60.0, 90.0)]
    both = members_range(TIME, courses, PERSON, fracture())
    for one in courses:
        for name, (low, high) in members_range(TIME, [one], PERSON, fracture()).items():
            assert not low < both[name][0], name
            assert not high > both[name][1], name


@pytest.mark.parametrize("language", ["en", "zh"])
def test_points_are_no_shares_and_every_endpoint_has_a_title(language: str) -> None:
    words = load(language)
    assert set(POINTS) < set(FUNCTION_UNITS)
    assert endpoint_text(words, 2.46, "1", "pain_week6") == "2.5"
    assert endpoint_text(words, 84.6, "1", "harris_week26") == "85"
    assert endpoint_text(words, 0.207, "1", "necrosis_risk_year2").replace(" ", "") == "21%"
    assert all(words(f"endpoint.{name}") and endpoint_unit(name) == FUNCTION_UNITS[name] for name in FUNCTION_UNITS)


def test_a_course_of_a_person_has_them_with_a_range() -> None:
    course = osteon.simulate(scenario("tibia", "nail"), draws=0)
    table = course.endpoints().set_index("endpoint")
    names = list(function_names(["tibia"]))
    assert [name for name in table.index if name in FUNCTION_UNITS] == names
    pain = table.loc["pain_week6"]
    assert pain.low < pain.value < pain.high
    assert {"pain.per_inflammation", "refracture.falls_old"} <= {one.key for one in course.parameters}
    words = load("en")
    groups = summary(words, endpoint_cells(words, course.endpoints()), ["none"], healing=True)
    (function,) = (one for one in groups if one["title"] == words("group.function"))
    assert [row["key"] for row in function["rows"]] == names


def test_a_mouse_has_no_group_of_function() -> None:
    course = osteon.simulate(scenario("femur", "intramedullary_pin", {"species": "mouse", "age": "12 weeks"}), draws=0)
    words = load("en")
    assert not set(course.endpoints().endpoint) & set(FUNCTION_UNITS)
    groups = summary(words, endpoint_cells(words, course.endpoints()), ["none"], healing=True)
    assert words("group.function") not in [one["title"] for one in groups]


def test_a_cohort_of_several_fractures_equals_each_alone() -> None:
    several = [
        scenario("femoral_neck", "screws", displaced=True),
        scenario("tibia", "nail", {"age": "30 yr"}),
        scenario("femoral_neck", "screws", {"age": "85 yr"}),
    ]
    whole = osteon.simulate(osteon.Cohort.of(several), backend="python", threads=1, chunk=1)
    table = whole.endpoints()
    for place, one in enumerate(several):
        alone = osteon.simulate(osteon.Cohort.of([one]), backend="python", threads=1).endpoints()
        for name in function_names([one.fracture.bone]):  # type: ignore[union-attr]
            assert np.array_equal(table[name][place], alone[name][0], equal_nan=True), name
    assert np.isnan(table["harris_week12"][1])
    necrosis = table["necrosis_risk_year2"].to_numpy()
    assert necrosis[0] > necrosis[2]
    together = osteon.simulate(osteon.Cohort.of(several), backend="python", threads=1).endpoints()
    for name in FUNCTION_UNITS:
        assert np.array_equal(table[name], together[name], equal_nan=True), name

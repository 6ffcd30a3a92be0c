"""What the callus has to get right for the right reason: age, matrix removal, vessels, late remodelling, timing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from osteon.endpoints import SEEN, radiograph, time_to_score
from osteon.engine.solve import solve
from osteon.evidence.healing import animal_arms
from osteon.model.person import parameters_for
from osteon.model.systems import assemble
from osteon.population.plan import phases_of, steps
from tests.model.test_callus_rules import BAND, Curves, course, members, on, union, values
from tests.support import values_of

MOUSE_TIBIA = {"bone": "tibia", "fixation": "intramedullary_pin"}
HUMAN_TIBIA = {"bone": "tibia", "fixation": "nail"}
YEAR = 365.25


# ---- age: vessels come later, and catch up -------------------------------------------------------------------------


def _ages(member: str) -> list[tuple[np.ndarray, Curves]]:
    """Young mice and mice of the age of a person of 70, with the share of the callus that is bone."""
    found = [course(values(member, "mouse", MOUSE_TIBIA, age=age), 60.0) for age in ("13 weeks", "24 months")]
    for _, curves in found:
        curves["bone"] = (curves["woven_bone"] + curves["lamellar_bone"]) / curves["callus_tissue"]
    return found


@members
def test_old_mice_have_less_bone_on_day_21(member: str) -> None:
    young, old = _ages(member)
    assert on(21, old, "bone") < (1 - BAND) * on(21, young, "bone")


@members
def test_old_mice_have_caught_up_by_day_35(member: str) -> None:
    """As much bone as the young had on day 21, and the gap to the young of the same day closed."""
    young, old = _ages(member)
    assert on(35, old, "bone") > (1 - BAND) * on(21, young, "bone")
    assert on(35, old, "bone") == pytest.approx(on(35, young, "bone"), rel=BAND)
    missing = [1 - on(day, old, "bone") / on(day, young, "bone") for day in (14, 21, 28, 35)]
    assert (np.diff(missing) < 0).all()


@members
def test_age_is_a_lag_of_vessels(member: str) -> None:
    young, old = _ages(member)
    for day in (7, 10, 14):
        assert on(day, old, "vascularity") < (1 - BAND) * on(day, young, "vascularity")
    assert on(42, old, "vascularity") == pytest.approx(on(42, young, "vascularity"), rel=BAND)


# ---- two routes of removal -----------------------------------------------------------------------------------------


@members
def test_matrix_removal_delays_union_and_osteoclasts_do_not(member: str) -> None:
    """McDonald 2013, Gerstenfeld 2009: an MMP inhibitor delays union; OPG and bisphosphonate leave it as it is."""
    given = values(member)
    usual = union(course(given, 84.0))
    slowed = union(course(given | {"callus.mmp_removal": 0.1 * given["callus.mmp_removal"]}, 200.0))
    assert slowed > 1.10 * usual
    for imposed in ({"callus_free_rankl": 0.02}, {"callus_bisphosphonate_inhibition": 0.45}):
        assert union(course(given, 84.0, **imposed)) == pytest.approx(usual, rel=0.10), imposed


@members
def test_osteoclasts_reach_cartilage_where_vessels_have_opened_it(member: str) -> None:
    """Without vessels, or without what they remove cartilage with, osteoclasts take nothing of it."""
    system, given = assemble(fractured=1, skeleton=False), values(member)
    start = dict.fromkeys(system.states, 0.1) | {"callus.vessels": 0.5}

    def taken(states: dict[str, float], more: dict[str, float]) -> float:
        """Rate at which ten times the osteoclasts take more calcified cartilage."""
        found = []
        for clasts in (0.05, 0.5):
            y = [*(states | {"callus.osteoclasts": clasts}).values()]
            rates = system.evaluate(y, (given | more).__getitem__)[0]
            found.append(dict(zip(system.states, rates, strict=True))["callus.calcified"])
        return found[0] - found[1]

    usual = taken(start, {})
    assert usual > 0
    assert taken(start | {"callus.vessels": 0.0}, {}) == pytest.approx(0.0, abs=1e-12)
    assert taken(start, {"callus.mmp_removal": 0.0}) == pytest.approx(0.0, abs=1e-12)
    assert taken(start, {"callus.mmp_removal": 0.1 * given["callus.mmp_removal"]}) < 0.7 * usual


# ---- vessels -------------------------------------------------------------------------------------------------------


@members
@pytest.mark.parametrize("keys", [("factor_vessels",), ("vessel_capacity",), ("factor_vessels", "vessel_capacity")])
def test_fewer_vessels_delay_union_monotonically(member: str, keys: tuple[str, ...]) -> None:
    given = values(member)
    days = [
        union(course(given | {f"callus.{key}": factor * given[f"callus.{key}"] for key in keys}, 200.0))
        for factor in (1.0, 0.8, 0.6, 0.4, 0.2, 0.1)
    ]
    assert (np.diff(days) > 0).all()
    assert days[-1] > (1 + BAND) * days[0]


def _bridged(member: str, **patient: Any) -> tuple[float, tuple[np.ndarray, Curves]]:
    """Day on which three cortices are bridged in a person of 35 years with a nailed tibia, and the course."""
    given = values(member, "human", HUMAN_TIBIA, age="35 yr", **patient)
    times, found = course(given, 5 * YEAR)
    cortices = radiograph({name: found[name] for name in SEEN}, given, "human")["cortices_bridged"]
    return float(time_to_score(times, cortices, 3)), (times, found)


@members
def test_smoking_delays_union_in_people_as_published(member: str) -> None:
    usual, _ = _bridged(member)
    smoker, _ = _bridged(member, smoking=True)
    assert 1.2 < smoker / usual < 1.7


# ---- late remodelling of people ------------------------------------------------------------------------------------


@members
def test_people_unite_in_months_and_remodel_for_years(member: str) -> None:
    day, found = _bridged(member)
    assert 30 < day < 0.75 * YEAR
    _, curves = found
    bone = curves["woven_bone"] + curves["lamellar_bone"]
    curves["lamellar_share"] = np.divide(curves["lamellar_bone"], bone, out=np.zeros_like(bone), where=bone > 0)
    # Both still move between the second and the fifth year, by more than what counts as nothing.
    assert on(5 * YEAR, found, "lamellar_share") > (1 + BAND) * on(2 * YEAR, found, "lamellar_share")
    assert on(5 * YEAR, found, "callus_volume") < (1 - BAND) * on(2 * YEAR, found, "callus_volume")
    assert on(day, found, "lamellar_share") < 0.5 * on(5 * YEAR, found, "lamellar_share")


@members
def test_late_remodelling_has_a_clock_of_its_own(member: str) -> None:
    """The pace of people against that of animals: it moves late remodelling far more than union."""
    given = values(member, "human", HUMAN_TIBIA, age="35 yr")
    pace = given["callus.remodelling_pace"]
    assert pace < 1
    own, animal = (course(given | {"callus.remodelling_pace": one}, 12 * YEAR) for one in (pace, 1.0))
    remodelled = _shrunken(own) / _shrunken(animal)
    assert remodelled > 0.75 / pace
    assert union(own) / union(animal) - 1 < 0.5 * (remodelled - 1)


def _shrunken(found: tuple[np.ndarray, Curves]) -> float:
    """Day on which the callus has lost a fifth of its largest volume, which all of these do within 12 years."""
    times, curves = found
    volume = curves["callus_volume"]
    late = (times > times[volume.argmax()]) & (volume < 0.8 * volume.max())
    assert late.any()
    return float(times[late.argmax()])


# ---- when a bisphosphonate is given --------------------------------------------------------------------------------


@members
def test_a_bisphosphonate_given_later_leaves_more_mineral(member: str) -> None:
    """Amanat 2007: zoledronate 0.1 mg/kg in rats, mineral of the callus at 6 weeks."""
    mineral, bound = [], []
    for key in ("rat_femur_control", *(f"rat_femur_za_week_{week}" for week in (0, 1, 2))):
        scenario = animal_arms()[key].scenario(43.0)
        plan = phases_of(steps(scenario, scenario.arms[0]), values_of(parameters_for(scenario, member)))
        _, found = solve(plan, 43.0)[-1].evaluate(np.array([42.0]))
        mineral.append(float(found["callus_BMC"][0]))
        bound.append(float(found.get("callus_bisphosphonate_inhibition", np.zeros(1))[0]))
    assert (np.diff(mineral) > 0).all()
    assert (np.diff(bound) > 0).all()
    assert mineral[1] > (1 + BAND) * mineral[0]

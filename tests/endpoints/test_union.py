"""Union by rule, on the course and between visits, and the visits themselves."""

import numpy as np
import pytest

from osteon.endpoints import (
    RULES,
    SCHEDULES,
    Film,
    Schedule,
    cortices,
    endpoint_arrays,
    endpoint_unit,
    radiograph,
    read_films,
    recorded,
    schedule_of,
    time_to_union,
    union_interval,
    united,
)
from osteon.endpoints.union import bending_level, endpoint_of, rule_of
from osteon.errors import InputError

from .trial import RADIOGRAPH, course

TIME = np.arange(0.0, 501.0)


def test_each_rule_reads_its_own_curve() -> None:
    """Moving the line delays RUST alone; stiffness moves no score of a line."""
    signals = course(TIME, 4)
    series = signals | radiograph(signals, RADIOGRAPH, "human")
    usual = {rule: time_to_union(TIME, series, rule) for rule in RULES}
    assert all(np.isfinite(days).all() for days in usual.values())
    late = signals | {"cortical_union": 0.9 * signals["cortical_union"]}
    late |= radiograph(late, RADIOGRAPH, "human")
    assert (time_to_union(TIME, late, "rust") > usual["rust"] + 1).all()
    for rule in ("cortices", "stiffness"):
        assert np.array_equal(time_to_union(TIME, late, rule), usual[rule])
    level = RADIOGRAPH["radiograph.union_stiffness"]
    pairs = zip(usual["stiffness"], series["torsional_stiffness"], strict=True)
    reached = [np.interp(day, TIME, curve) for day, curve in pairs]
    np.testing.assert_allclose(reached, level)
    own = time_to_union(TIME, series, "stiffness", np.array([level, 0.3, 5.0, level]))
    assert own[0] == usual["stiffness"][0]
    assert own[1] < usual["stiffness"][1]
    assert np.isnan(own[2]) or own[2] > usual["stiffness"][2]


def test_endpoints_hold_union_by_every_rule() -> None:
    signals = course(TIME, 3)
    names = ("inflammation", "fibrous", "woven_bone", "lamellar_bone", "callus_tissue", "torsional_strength")
    series = signals | {name: np.ones((3, TIME.size)) for name in (*names, "CTX", "P1NP")}
    series |= {f"BMD_{site}": np.ones((3, TIME.size)) for site in ("lumbar_spine", "total_hip", "femoral_neck")}
    series |= radiograph(signals, RADIOGRAPH, "human")
    found = endpoint_arrays(TIME, series)
    for rule in RULES:
        assert endpoint_unit(endpoint_of(rule)) == "day"
        assert np.array_equal(found[endpoint_of(rule)], time_to_union(TIME, series, rule)), rule
    assert endpoint_of("mrust") == "time_to_union"


def test_unknown_rules_and_schedules_are_told() -> None:
    with pytest.raises(InputError, match=r"union.*not a rule") as told:
        rule_of("cortex")
    assert "cortices" in str(told.value)
    with pytest.raises(InputError, match="not a schedule"):
        schedule_of("never")
    film = Film(np.zeros((4, 1, 1)), np.zeros((4, 1, 1)))
    with pytest.raises(InputError, match="not a rule of films"):
        united(film, "stiffness")


def test_rules_on_films() -> None:
    """Grades by hand: three cortices bridged, of which one and two have lost their line; and no film."""
    callus = np.array([[2, 2, 2, 1], [2, 2, 2, 1], [2, 2, 1, 1], [np.nan] * 4]).T[:, None, :]
    line = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [np.nan] * 4]).T[:, None, :]
    film = Film(callus, line)
    assert np.array_equal(film.RUST, [[9, 10, 10, np.nan]], equal_nan=True)
    assert np.array_equal(film.mRUST, [[12, 13, 12, np.nan]], equal_nan=True)
    assert np.array_equal(united(film, "cortices"), [[1, 1, 0, np.nan]], equal_nan=True)
    assert np.array_equal(united(film, "rust"), [[0, 1, 1, np.nan]], equal_nan=True)
    stiff = np.array([[0.5, 0.7, np.nan, 0.7]])
    assert np.array_equal(united(film, "stiffness", stiff), [[0, 1, np.nan, 1]], equal_nan=True)
    assert np.array_equal(united(film, "stiffness", stiff, level=0.4), [[1, 1, np.nan, 1]], equal_nan=True)


def test_stiffness_scales_with_the_bone() -> None:
    level = RADIOGRAPH["radiograph.union_stiffness"]
    np.testing.assert_allclose(bending_level(np.array([25.8, 2.0])), [level * 25.8, level * 2.0])
    assert bending_level(25.8) == pytest.approx(15, abs=0.1)


def test_union_lies_between_two_visits() -> None:
    nan = np.nan
    days = np.array([[40.0, 80.0, 120.0]] * 7)
    days[4, 1] = nan
    reached = np.array(
        [[0, 0, 1], [1, 1, 1], [0, 0, 0], [0, 1, 0], [0, nan, 1], [0, nan, 1], [nan, nan, nan]], dtype=float
    )
    left, right = union_interval(days, reached)
    assert np.array_equal(left, [80, 0, 120, 40, 40, 40, nan], equal_nan=True)
    assert np.array_equal(right, [120, 40, np.inf, 80, 120, 120, nan], equal_nan=True)


def test_interval_holds_the_day_of_union_without_errors_of_the_reader() -> None:
    """Of patients with the same cortices; the reader adds what an interval misses by."""
    signals = course(TIME, 50)
    days = SCHEDULES["trial"].attended(1, 0, 50)
    sharp = RADIOGRAPH | {"radiograph.sharpness": 60.0, "radiograph.reader_share": 0.0}
    film = read_films(cortices(recorded(TIME, signals, days), sharp, "human"), sharp, seed=3)
    left, right = union_interval(days, united(film, "cortices"))
    day = time_to_union(TIME, radiograph(signals, sharp, "human"), "cortices")
    day = np.where(np.isnan(day), np.inf, day)
    assert ((left <= 1.05 * day) & (day <= 1.05 * right)).all()
    assert (right - left > 0).all()


# ---- visits --------------------------------------------------------------------------------------------------------


def test_visits_keep_to_their_windows() -> None:
    plan = Schedule((42.0, 84.0, 180.0), window=(0.0, 7.0, 14.0), missed=0.2)
    days = plan.attended(9, 0, 4000)
    assert np.isnan(days).mean() == pytest.approx(0.2, abs=0.02)
    off = np.abs(days - np.array(plan.days))
    assert np.nanmax(off, axis=0) == pytest.approx([0.0, 7.0, 14.0], abs=0.1)
    assert np.array_equal(days[100:200], plan.attended(9, 100, 200), equal_nan=True)
    longer = Schedule((42.0, 84.0, 180.0, 300.0), window=(0.0, 7.0, 14.0, 0.0), missed=0.2).attended(9, 0, 4000)
    assert np.array_equal(longer[:, :3], days, equal_nan=True)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"days": ()}, "visits.days"),
        ({"days": (0.0,)}, r"visits.days\[0\]"),
        ({"days": (42.0, 40.0)}, r"visits.days\[1\]"),
        ({"days": (42.0, 50.0), "window": 7.0}, r"visits.days\[1\]"),
        ({"days": (42.0, 84.0), "window": (7.0,)}, "visits.window"),
        ({"days": (42.0,), "window": -1.0}, "visits.window"),
        ({"days": (42.0,), "missed": 1.0}, "visits.missed"),
        ({"days": (np.nan,)}, r"visits.days\[0\]"),
    ],
)
def test_impossible_schedules_are_told(given: dict, path: str) -> None:
    with pytest.raises(InputError, match=path):
        Schedule(**given)


def test_what_is_recorded_at_visits() -> None:
    time = np.array([0.0, 10.0, 20.0])
    curve = np.array([[0.0, 1.0, 3.0], [0.0, 1.0, np.nan]])
    days = np.array([[5.0, 15.0, 20.0, 25.0], [np.nan, 10.0, 12.0, -1.0]])
    found = recorded(time, {"x": curve}, days)["x"]
    expected = [[0.5, 2.0, 3.0, np.nan], [np.nan, 1.0, np.nan, np.nan]]
    assert np.array_equal(found, expected, equal_nan=True)

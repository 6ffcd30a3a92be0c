"""Measures, paired differences and the front, on curves and numbers whose answer is known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from osteon.trial.dosing_compare import beats, compare, front, quantiles
from osteon.trial.dosing_measures import FRONT, LINE_GONE, MEASURES, area_above_zero, measure, measures

from .fake_schedule import made

NAMES = ["regular", "other", "third"]


def flat(**given: np.ndarray) -> dict[str, np.ndarray]:
    """Values of every measure, shape (regimens, draws), ones where nothing is given."""
    shape = next(iter(given.values())).shape
    return {one.name: given.get(one.name, np.ones(shape)) for one in MEASURES}


def cell(values: dict[str, np.ndarray], name: str, regimen: str = "other"):
    names = NAMES[: len(values[name])]
    return next(one for one in compare(values, names, "regular") if (one.regimen, one.measure) == (regimen, name))


# ---- measures ----------------------------------------------------------------------------------------------------


def test_area_above_zero_of_a_triangle() -> None:
    area, width = area_above_zero(np.array([0.0, 10.0, 20.0]), np.array([[-10.0, 10.0, -10.0], [-1.0, -2.0, -3.0]]))
    assert area == pytest.approx([50.0, 0.0])
    assert width == pytest.approx([10.0, 0.0])


def test_area_above_zero_as_on_a_fine_grid() -> None:
    time = np.array([0.0, 3.0, 4.0, 9.0, 15.0, 16.0])
    value = np.array([2.0, -1.0, 5.0, 0.0, -4.0, 3.0])
    fine = np.linspace(0, 16, 1_600_001)
    dense = np.maximum(np.interp(fine, time, value), 0.0)
    area, width = area_above_zero(time, value)
    assert area == pytest.approx(np.trapezoid(dense, fine), rel=1e-6)
    assert width == pytest.approx((dense > 0).mean() * 16, abs=1e-4)


def test_measures_of_curves() -> None:
    time = np.array([-7.0, 0.0, 100.0, 200.0, 300.0])
    shape = (2, 3)
    ctx = np.broadcast_to(np.array([900.0, -50.0, 50.0, 50.0, 0.0]), (*shape, 5))
    line = np.broadcast_to(np.array([4.0, 0.0, 2.0, 3.0, 3.5]), (*shape, 5)).copy()
    line[0, 0] = 0.0
    bmd = np.broadcast_to(np.array([0.0, 1.0, 2.0, 3.0, 4.0]), (*shape, 5))
    series = {"CTX": ctx, "BMD_total_hip": bmd, "BMD_lumbar_spine": 2 * bmd, "cortices_without_line": line}
    ends = {"time_to_union": np.full(shape, 80.0), "lamellar_share_week52": np.full(shape, 0.4)}
    ends["time_to_union"][0, 1] = np.nan
    failed = np.zeros(shape, bool)
    failed[1, 2] = True
    found = measures(time, series, ends, failed)
    assert list(found) == [one.name for one in MEASURES]
    # What CTX was before the fracture does not count.
    assert found["CTX_peak"][0, 0] == 50
    assert found["CTX_area"][0, 0] == pytest.approx(0.5 * 50 * 50 + 50 * 100 + 0.5 * 100 * 50)
    assert found["CTX_days"][0, 0] == pytest.approx(250)
    assert found["BMD_total_hip"][0, 0] == 4
    assert found["BMD_lumbar_spine"][0, 0] == 8
    assert found["line_gone"][0, 1] == pytest.approx(100 + 100 * (LINE_GONE - 2))
    assert np.isinf(found["line_gone"][0, 0])
    assert np.isinf(found["time_to_union"][0, 1])
    assert all(np.isnan(one[1, 2]) for one in found.values())


# ---- differences ---------------------------------------------------------------------------------------------------


def test_differences_are_paired() -> None:
    """A difference far smaller than how draws differ is still seen, since it is the same in each of them."""
    draws = np.linspace(0, 1000, 40)
    found = cell(flat(time_to_union=np.stack([draws, draws + 5])), "time_to_union")
    assert (found.difference_low, found.difference, found.difference_high) == pytest.approx((5, 5, 5))
    assert found.high - found.low == pytest.approx(900)
    assert (found.verdict, found.more, found.less) == ("more", 1.0, 0.0)


@pytest.mark.parametrize(
    ("shift", "verdict"),
    [
        (np.full(40, -3.0), "less"),
        (np.full(40, 0.4), "same"),
        (np.linspace(-10, 10, 40), "open"),
        (np.where(np.arange(40) < 2, -1.0, 1.0), "more"),
        (np.where(np.arange(40) < 3, -1.0, 1.0), "open"),
    ],
)
def test_when_a_difference_is_larger_than_the_uncertainty(shift: np.ndarray, verdict: str) -> None:
    base = np.linspace(100, 140, 40)
    assert cell(flat(time_to_union=np.stack([base, base + shift])), "time_to_union").verdict == verdict


def test_a_time_that_is_not_reached_is_later_than_all() -> None:
    base = np.full(20, 100.0)
    own = np.where(np.arange(20) < 3, np.inf, 90.0)
    found = cell(flat(time_to_union=np.stack([base, own])), "time_to_union")
    assert (found.n, found.reached) == (20, 17)
    assert (found.median, found.high) == (90, np.inf)
    assert (found.difference, found.difference_high) == (-10, np.inf)
    assert found.more == pytest.approx(3 / 20)
    assert found.verdict == "open"


def test_where_neither_is_reached_nothing_is_known() -> None:
    never = np.full((2, 10), np.inf)
    found = cell(flat(time_to_union=never), "time_to_union")
    assert found.verdict == "open"
    assert np.isnan(found.difference)
    assert found.to_dict()["median"] is None


def test_a_failed_draw_is_left_out_of_its_pair() -> None:
    values = np.stack([np.arange(20.0), np.arange(20.0) + 2])
    values[1, 3] = np.nan
    found = cell(flat(time_to_union=values), "time_to_union")
    assert found.n == 19
    assert found.verdict == "more"
    values[1] = np.nan
    found = cell(flat(time_to_union=values), "time_to_union")
    assert (found.n, found.verdict) == (0, "open")


def test_the_reference_is_no_difference() -> None:
    found = cell(flat(time_to_union=np.ones((2, 5))), "time_to_union", "regular")
    assert (found.verdict, found.difference) == ("reference", 0.0)


def test_quantiles_as_numpy_where_all_is_finite() -> None:
    values = np.random.default_rng(1).normal(size=37)
    assert quantiles(values) == pytest.approx(tuple(np.quantile(values, (0.05, 0.5, 0.95))))
    assert np.isnan(quantiles(np.array([]))).all()


def test_quantiles_between_finite_and_infinite_values() -> None:
    values = np.array([-np.inf, -np.inf, *np.arange(15.0), np.inf, np.inf])
    assert quantiles(values) == (-np.inf, 7.0, np.inf)
    assert quantiles(np.array([-np.inf, 1.0])) == (-np.inf, -np.inf, -np.inf)


# ---- the front -----------------------------------------------------------------------------------------------------


def test_who_beats_whom() -> None:
    scores = np.array([[1, 1], [2, 1], [0, 5], [2, 1]])
    found = beats(scores)
    assert found.tolist() == [
        [False, False, False, False],
        [True, False, False, False],
        [False, False, False, False],
        [True, False, False, False],
    ]


def test_the_front_against_a_search_by_hand() -> None:
    rng = np.random.default_rng(3)
    names = list("abcdef")
    values = {name: rng.integers(0, 4, (6, 30)) * measure(name).grid for name in FRONT}
    found = front(values, names)
    on = np.zeros(6)
    for draw in range(30):
        scores = [
            [measure(name).sign * round(values[name][i, draw] / measure(name).grid) for name in FRONT] for i in range(6)
        ]
        for i in range(6):
            beaten = any(
                all(a >= b for a, b in zip(other, scores[i], strict=True)) and other != scores[i] for other in scores
            )
            on[i] += not beaten
    assert [found.share[name] for name in names] == pytest.approx(on / 30)
    assert set(found.at_medians) | set(found.beaten_by) == set(names)


def test_direction_of_each_measure() -> None:
    """Earlier union, more lamellar bone, more density and less CTX beat, one at a time."""
    for name in FRONT:
        values = {one: np.ones((2, 4)) * measure(one).grid for one in FRONT}
        values[name] = values[name] * np.array([[1.0], [5.0]])
        better = "other" if measure(name).sign > 0 else "regular"
        assert front(values, NAMES[:2]).at_medians == (better,)
    assert [measure(name).sign for name in FRONT] == [-1, 1, 1, -1]


def test_less_than_a_step_does_not_beat() -> None:
    values = {one: np.ones((2, 4)) * measure(one).grid for one in FRONT}
    values["time_to_union"] = np.array([[100.0] * 4, [100.3] * 4])
    found = front(values, NAMES[:2])
    assert found.at_medians == ("regular", "other")
    assert set(found.share.values()) == {1.0}


def test_failed_draws_and_regimens_have_no_place() -> None:
    values = {one: np.ones((3, 4)) * measure(one).grid for one in FRONT}
    for array in values.values():
        array[1, 0] = np.nan
    assert front(values, NAMES).draws == 3
    for array in values.values():
        array[1] = np.nan
    found = front(values, NAMES)
    assert found.draws == 0
    assert np.isnan(list(found.share.values())).all()
    assert "other" not in found.at_medians
    assert found.to_dict()["share"]["other"] is None


def test_tables_and_document_of_a_result() -> None:
    found = made()
    table, single = found.table(), found.per_draw()
    assert len(table) == len(found.names) * len(MEASURES)
    assert len(single) == len(found.names) * 20
    row = single[(single["draw_number"] == 4) & (single["regimen"] == "stop")].iloc[0]
    assert row["CTX_days"] == found.values["CTX_days"][found.names.index("stop"), 4]
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert [one["name"] for one in document["regimens"]] == found.names
    assert document["reference"] == "regular"
    assert document["front"]["measures"] == list(FRONT)

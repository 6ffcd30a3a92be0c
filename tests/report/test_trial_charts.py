"""Still charts of a trial: where points, steps, bars and ticks lie."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from osteon.report.locale import load
from osteon.report.trial_charts import counts, responders, restricted, survival, time_axis, visit
from osteon.report.trial_svg import Axis, Line, around, bars, chart, interval, nice_step
from osteon.trial.flow import ticks

SVG = "{http://www.w3.org/2000/svg}"
WORDS = load("en")
X, Y = Axis(0.0, 100.0, "days"), Axis(0.0, 1.0, percent=True)


def tree(svg: object) -> ElementTree.Element:
    return ElementTree.fromstring(str(svg))


def path_of(svg: object, place: int) -> str:
    return next(one.attrib["d"] for one in tree(svg).iter("path") if one.attrib["class"].startswith(f"curve c{place}"))


def test_a_step_keeps_its_level_until_the_next_time() -> None:
    line = Line("a", 0, [0, 40, 100], [1.0, 0.5, 0.5])
    # The plot spans 60 to 496 across and 254 to 12 upwards.
    assert path_of(chart([line], X, Y, "x"), 0) == "M60 12H234.4V133H496V133"


def test_a_line_has_a_gap_where_a_value_is_missing() -> None:
    line = Line("a", 1, [0, 50, 100], [1.0, np.nan, 0.0], kind="line")
    assert path_of(chart([line], X, Y, "x"), 1) == "M60 12M496 254"


def test_many_points_are_thinned_and_keep_both_ends() -> None:
    days = np.linspace(0, 100, 20_000)
    drawn = path_of(chart([Line("a", 0, days, 1 - days / 100, kind="line")], X, Y, "x"), 0)
    assert drawn.count("L") < 600
    assert drawn.startswith("M60 12L")
    assert drawn.endswith("L496 254")


def test_numbers_at_risk_stand_under_their_day() -> None:
    svg = tree(chart([], X, Y, "x", at_risk=[(0, "a", [(0, 90), (100, 7)])], at_risk_title="n", ticks=[0, 100]))
    found = {one.text: float(one.attrib["x"]) for one in svg.iter("text")}
    assert (found["90"], found["7"]) == (60, 496)
    assert float(svg.attrib["viewBox"].split()[3]) > 300


def test_bars_go_from_zero_to_their_value_and_are_held_inside() -> None:
    svg = tree(bars([-10.0, 5.0, 99.0], ["helped", "same", "harmed"], Axis(-10.0, 10.0), "x", "patients", (7.0,)))
    rects = list(svg.iter("rect"))
    assert [one.attrib["class"] for one in rects] == ["bar helped", "bar same", "bar harmed"]
    spans = [(float(one.attrib["y"]), float(one.attrib["height"])) for one in rects]
    assert spans == [(133, 121), (72.5, 60.5), (12, 121)]
    assert sum(one.attrib.get("class") == "edge" for one in svg.iter("line")) == 1


def test_an_estimate_beyond_its_axis_stays_on_it_and_a_missing_interval_is_not_drawn() -> None:
    svg = tree(interval(9.0, np.nan, np.nan, Axis(-1.0, 1.0), 0.0, "x"))
    assert [one.attrib["cx"] for one in svg.iter("circle")] == ["196"]
    assert len(list(svg.iter("line"))) == 1


def test_words_from_outside_stay_words() -> None:
    hostile = '<script>alert("x")</script>'
    svg = str(chart([Line(hostile, 0, [0, 1], [0, 1])], X, Y, hostile, at_risk=[(0, hostile, [])]))
    assert "<script" not in svg
    assert tree(svg).attrib["aria-label"] == hostile


@pytest.mark.parametrize(
    ("least", "step"), [(0.7, 1.0), (1.0, 1.0), (1.1, 2.0), (23.0, 50.0), (0.0, 1.0), (np.nan, 1.0)]
)
def test_steps_of_an_axis_are_round(least: float, step: float) -> None:
    assert nice_step(least) == step


def test_an_axis_holds_its_values_even_if_they_are_equal_or_none() -> None:
    for values in ([3.0, 3.0], [np.nan], [], [-1.0, 4.0]):
        low, high = around(values)
        assert low < high
        assert all(low <= one <= high for one in values if np.isfinite(one))


@pytest.mark.parametrize(
    ("until", "title"), [(364.0, "Weeks"), (84.0, "Weeks"), (730.5, "Months"), (10957.5, "Months")]
)
def test_a_year_is_told_in_weeks_and_longer_in_months(until: float, title: str) -> None:
    axis, days = time_axis(WORDS, until), ticks(until)
    assert axis.title.startswith(title)
    assert 4 <= len(days) <= 9
    assert max(days) <= until + 1e-6
    assert all(abs(day / axis.scale - round(day / axis.scale)) < 1e-9 for day in days)


def arm(name: str, share: list[float]) -> dict:
    at_risk = [(0, 50), (42, 40), (84, 9)]
    return {"arm": name, "time": [42.0, 84.0], "share": share, "low": share, "high": share, "at_risk": at_risk}


def test_kaplan_meier_begins_with_everyone_and_names_every_arm() -> None:
    figure = survival(WORDS, [arm("a", [0.5, 0.25]), arm("b", [0.9, 0.1])], 84.0, True)
    assert [one["name"] for one in figure["legend"]] == ["a", "b"]
    assert re.match(r"M60 12H278V133H496V193\.5$", path_of(figure["svg"], 0))
    assert {"50", "40", "9"} <= {one.text for one in tree(figure["svg"]).iter("text")}


def twin(**changes) -> dict:
    found = {"arm": "b", "control": "a", "threshold": 7.0, "gained": 2, "lost": 1, "neither": 0, "reason": ""}
    return {**found, "mean": -2.4, "median": None, "helped": 0.2, "harmed": 0.25, **changes}


def test_twins_are_coloured_by_what_matters_to_them() -> None:
    figure = responders(WORDS, twin(), [-20.0, -7.0, 0.0, 7.0, 8.0])
    kinds = [one.attrib["class"].split()[1] for one in tree(figure["svg"]).iter("rect")]
    assert kinds == ["helped", "same", "same", "same", "harmed"]
    assert ("Mean difference", "−2.4 days") in figure["counts"]
    assert ("Later by more than 7 days", "25.0 %") in figure["counts"]
    assert ("Reach it under b alone", "2") in figure["counts"]
    assert "Median difference" not in dict(figure["counts"])
    assert figure["counts"] == counts(WORDS, twin())


def test_a_few_very_late_twins_do_not_flatten_the_others() -> None:
    figure = responders(WORDS, twin(), [*np.linspace(-10, 10, 99), 900.0])
    heights = [float(one.attrib["height"]) for one in tree(figure["svg"]).iter("rect")]
    assert heights[0] > 60
    assert "go on beyond it" in figure["caption"]
    assert "beyond" not in responders(WORDS, twin(), [-10.0, 10.0])["caption"]


def test_twins_that_never_reach_it_have_words() -> None:
    figure = responders(WORDS, twin(reason="no patient reached it under both arms"), [])
    assert (figure["svg"], figure["caption"]) == ("", "no patient reached it under both arms")


def test_the_area_of_the_restricted_mean_lies_between_the_curves_and_ends_at_its_day() -> None:
    one = {"arm": "b", "control": "a", "tau": 63.0, "value": 4.2, "low": -1.0, "high": 9.4}
    figure = restricted(WORDS, [arm("a", [0.5, 0.25]), arm("b", [0.9, 0.1])], one, 84.0, True)
    shade = next(path.attrib["d"] for path in tree(figure["svg"]).iter("path") if path.attrib["class"] == "area")
    across = [float(number) for number in re.findall(r"[ML]([\d.]+) ", shade)]
    assert (min(across), max(across)) == (60, 387)
    assert "+4.2 days (−1.0 to +9.4)" in figure["caption"]
    assert len(figure["legend"]) == 2


def test_a_restricted_mean_without_an_interval_says_so() -> None:
    one = {"control": "a", "arm": "b", "tau": 84.0, "value": 3.0, "low": None, "high": None}
    figure = restricted(WORDS, [arm("a", [0.5, 0.25]), arm("b", [0.9, 0.1])], one, 84.0, True)
    assert WORDS("value.not_computed") in figure["caption"]
    assert "+3.0" in figure["caption"]


def test_means_at_visits_are_drawn_where_there_are_any() -> None:
    one = {"name": "a", "day": [42.0, 84.0], "mean": [5.0, None], "low": [4.0, None], "high": [6.0, None]}
    figure = visit(WORDS, {"name": "RUST", "arms": [one]}, "RUST", "", 84.0, True)
    assert len(list(tree(figure["svg"]).iter("circle"))) == 1

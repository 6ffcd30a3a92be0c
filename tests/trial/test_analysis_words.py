"""Trials that tell nothing are told so in words, and a whole analysis is plain values."""

from __future__ import annotations

import json
import warnings
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from osteon.report.locale import load
from osteon.trial.analysis import analyse
from osteon.trial.analysis import result as said
from osteon.trial.analysis.compare import MEASURES, compare_times
from osteon.trial.analysis.curves import curves_of
from osteon.trial.analysis.describe import table_1, twins
from osteon.trial.analysis.result import NOTES, REASONS, plain
from osteon.trial.analysis.sample import MOST_INTERVALS, Times
from osteon.trial.analysis.values import compare_values
from osteon.trial.observe import FAILED, IMPOSED

from .made_trial import CONTROL, DRUG, observed, planned_study


def times(right: list[float], left: list[float] | None = None) -> Times:
    """Times of visits; infinite where the event was not seen by day 364."""
    ends = np.array(right, float)
    event = np.isfinite(ends)
    starts = np.where(event, np.maximum(ends - 42, 0.0), 364.0) if left is None else np.array(left, float)
    return Times(
        np.where(event, ends, starts), event, starts, ends, None, np.full(len(ends), np.nan), np.full(len(ends), 371.0)
    )


_NEVER = float("inf")
_SOME = times([84.0, 126.0, 126.0, 182.0, _NEVER])
_EMPTY, _NOBODY = times([]), times([_NEVER] * 5)
_HOPELESS = {
    "an empty arm": (_EMPTY, _SOME, dict.fromkeys(MEASURES, said.NO_PATIENT)),
    "two empty arms": (_EMPTY, _EMPTY, dict.fromkeys(MEASURES, said.NO_PATIENT)),
    "one patient": (times([84.0]), _SOME, dict.fromkeys(MEASURES, said.ONE_PATIENT)),
    "no event": (_NOBODY, _NOBODY, dict.fromkeys(MEASURES, said.NO_EVENT)),
    "no event in one arm": (
        _NOBODY,
        _SOME,
        {
            **dict.fromkeys(("interval", "interval_weibull", "cox", "log_time"), said.NO_EVENT_IN_ONE),
            "rmst": said.NO_SPREAD_FEW,
        },
    ),
    "one day": (times([84.0] * 4), times([84.0] * 4), dict.fromkeys(MEASURES, said.SAME_TIME)),
    "nobody at risk": (
        times([126.0, 126.0, 182.0]),
        times([_NEVER] * 3, [42.0] * 3),
        {**dict.fromkeys(MEASURES, said.NO_EVENT_IN_ONE), "log_rank": said.NO_RISK, "rmst": said.NO_RISK},
    ),
}


@pytest.mark.parametrize("case", _HOPELESS)
def test_what_cannot_be_compared_has_a_reason(case: str) -> None:
    control, arm, reasons = _HOPELESS[case]
    for method in MEASURES:
        found = compare_times(method, control, arm)
        assert found.reason == reasons.get(method, ""), method
        if found.reason:
            assert not np.isfinite([found.low, found.high, found.p]).any()
        else:
            assert np.isfinite(found.p)
        # What the libraries warn of is kept, and nothing was warned of where there is a reason.
        assert not found.reason or not found.notes


@pytest.mark.parametrize("kind", [_EMPTY, _NOBODY, times([84.0]), times([84.0] * 4)])
def test_curves_of_next_to_nobody_are_empty_or_plain(kind: Times) -> None:
    found = curves_of(kind, [0.0, 100.0], 371.0, 0.95)
    json.dumps(plain(found), allow_nan=False)
    for one in (found["kaplan_meier"], found["steps"], found["competing"], *found["fitted"]):
        assert bool(len(one["time"])) != bool(one["reason"])
    assert {found["kaplan_meier"]["reason"], found["steps"]["reason"]} <= {"", *REASONS}


def test_values_that_tell_nothing_have_a_reason() -> None:
    assert compare_values(np.empty(0), np.ones(3)).reason == said.TOO_FEW
    assert compare_values(np.ones(1), np.ones(3), share=True).reason == said.TOO_FEW
    assert compare_values(np.ones(3), np.ones(3)).reason == said.SAME_VALUE
    nobody = compare_values(np.zeros(30), np.zeros(30), share=True)
    assert (nobody.value, nobody.reason) == (0.0, "")
    assert nobody.low < 0 < nobody.high
    assert np.isnan(nobody.p)


def test_many_distinct_intervals_are_taken_by_visits_or_weeks() -> None:
    n = 3 * MOST_INTERVALS
    right = 84.0 + np.arange(n) / 4
    day = Times(right, np.ones(n, bool), right - 42.5, right)
    weeks, note = day.coarse()
    assert note == said.BY_WEEK
    assert len(weeks) < MOST_INTERVALS
    assert weeks["weight"].sum() == n
    planned = (np.full(n, 42.0), np.full(n, 84.0))
    visits, note = Times(right, np.ones(n, bool), right - 42.5, right, planned).coarse()
    assert (len(visits), note) == (1, said.BY_VISIT)


def test_warnings_of_the_libraries_become_notes() -> None:
    notes: list[str] = []
    with said.heard(notes):
        warnings.warn("a  library\nhas doubts", RuntimeWarning, stacklevel=1)
        warnings.warn("a library has doubts", RuntimeWarning, stacklevel=1)
    assert notes == ["a library has doubts"]


def test_every_reason_and_note_is_said_in_both_languages() -> None:
    for text in (*REASONS, *NOTES, FAILED, IMPOSED):
        assert load("en")(f"trial_said.{text}") == text
        assert load("zh")(f"trial_said.{text}") != text


def test_twins_are_helped_harmed_gained_and_lost() -> None:
    nan = np.nan
    first = pd.Series([100.0, 100.0, 100.0, 100.0, nan, nan], index=range(6))
    other = pd.Series([80.0, 125.0, 104.0, nan, 90.0, nan], index=range(6))
    found = twins(first, other)
    assert (found["n"], found["both"], found["gained"], found["lost"], found["neither"]) == (6, 3, 1, 1, 1)
    assert (found["helped"], found["harmed"]) == (2 / 6, 2 / 6)
    assert (found["mean"], found["median"]) == (3.0, 4.0)
    assert found["ratio"] == pytest.approx((0.8 * 1.25 * 1.04) ** (1 / 3))
    assert twins(first[4:], other[:1].iloc[:0])["reason"] == said.NO_TWINS


def test_table_1_counts_people_by_arm() -> None:
    people = pd.DataFrame(
        {
            "patient": range(4),
            "arm": pd.Categorical(["a", "a", "b", "b"], categories=["a", "b", "c"]),
            "age": [40.0, 60.0, 50.0, 50.0],
            "sex": ["female", "male", "male", "male"],
            "smoking": [True, False, True, True],
        }
    )
    rows = {(one["trait"], one["level"], one["arm"]): one for one in table_1(people, ("a", "b", "c"))}
    age = rows["age", "", "a"]
    assert (age["n"], age["mean"], age["median"]) == (2, 50.0, 50.0)
    assert age["sd"] == pytest.approx(np.sqrt(200))
    assert rows["sex", "male", "b"]["count"] == 2
    assert rows["smoking", "yes", ""]["share"] == 0.75
    assert rows["age", "", "c"]["n"] == 0
    assert np.isnan(rows["sex", "male", "c"]["share"])


def test_a_whole_trial_is_analysed() -> None:
    trial = observed(60, ratio=0.6)
    found = analyse(planned_study(), trial)
    first = found.estimates[0]
    assert (first.primary, first.method, first.arm, first.control) == (True, "interval", DRUG, CONTROL)
    assert first.low < 0.6 < first.high < 1
    assert sum(one.primary for one in found.estimates) == 1
    assert {one.method for one in found.estimates} == {*MEASURES, "difference"} - {"log_time"}
    assert found.estimates[-1].mean - found.estimates[-1].mean_control == pytest.approx(found.estimates[-1].value)
    hazard = next(one for one in found.estimates if one.method == "cox")
    assert hazard.value > 1
    assert next(one for one in found.estimates if one.method == "rmst").value < 0
    (effect,) = found.responders
    assert effect["ratio"] == pytest.approx(0.6)
    assert effect["helped"] > 0.95
    rebound = {one["arm"]: one for one in found.safety if one["event"] == "rebound"}
    assert rebound[CONTROL]["count"] == 0 < rebound[DRUG]["count"]
    assert rebound[DRUG]["difference_low"] > 0
    curve = found.curves[0]
    assert curve["kaplan_meier"]["at_risk"][0] == [0.0, 60]
    whole = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert "seconds" not in whole
    assert whole["estimates"][0]["value"] == first.value
    assert set(asdict(first)) == set(whole["estimates"][0])
    # Who was allocated is all that counts: the other twins could be anything.
    changed = trial.tte.copy()
    changed.loc[~changed["allocated"], ["left", "right", "time"]] = 1.0
    again = compare_times(
        "cox", *(Times.of(replace(trial, tte=changed).times("union", arm)) for arm in (CONTROL, DRUG))
    )
    assert again.value == hazard.value

"""Published beside simulated: covered, distance, direction, verdict, and that nothing is lost on the way to a file."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from osteon.evidence import left_out
from osteon.evidence.healing import healing_facts, healing_left_out
from osteon.evidence.studies import rows_of, study
from osteon.replay.outcome import Outcome
from osteon.replay.reasons import in_chinese, known
from osteon.replay.scoring import Seen, SignVerdict, compare_signs, direction, scored, sign_of_ratios, unscored, worded
from osteon.replay.totals import counts, totals, worst

STUDY = study("uchiyama_2013")
RESULT = STUDY.results[0]
(ROW,) = rows_of(RESULT)
DRAWS = np.linspace(90.0, 110.0, 101)  # of the model: middle 100, ends 91 and 109
TOLD = np.linspace(80.0, 120.0, 201)  # of studies: ends 82 and 118


def compared(value: float, **more: object) -> Outcome:
    return scored(STUDY, RESULT, ROW, Seen(value, **more), "cohort", DRAWS, TOLD)  # type: ignore[arg-type]


def test_the_interval_is_that_of_studies_and_the_middle_that_of_draws() -> None:
    one = compared(100.0, sd=3.0)
    assert (one.simulated, one.simulated_low, one.simulated_high) == (100.0, 82.0, 118.0)
    assert (one.model_low, one.model_high) == (91.0, 109.0)
    assert one.covered
    assert one.verdict == "covered"


@pytest.mark.parametrize(("value", "covered"), [(82.0, True), (81.9, False), (118.0, True), (118.1, False)])
def test_covered_is_inside_the_interval(value: float, covered: bool) -> None:
    one = compared(value)
    assert one.covered is covered
    assert one.missed is not covered


def test_distance_is_in_errors_of_both() -> None:
    own = 18.0 / (2 * 1.6448536)
    assert compared(90.0, sd=20.0).distance == pytest.approx(10.0 / math.hypot(20.0, own))
    # Of a published number without an error, or with one that is too small, the interval stands for it.
    assert compared(90.0, sd=0.1).distance == compared(90.0).distance
    assert compared(90.0).distance == pytest.approx(10.0 / (36.0 / (2 * 1.6448536)))
    ratio = scored(STUDY, RESULT, ROW, Seen(0.5, sd=0.4, scale="log"), "cohort", DRAWS / 100, TOLD / 100)
    assert ratio.distance == pytest.approx(math.log(2.0) / math.hypot(0.4, math.log(1.09 / 0.91) / 3.2897), rel=1e-4)


def test_a_bound_is_kept_where_the_interval_reaches_it() -> None:
    assert compared(115.0, bound="at_least").covered
    assert not compared(119.0, bound="at_least").covered
    assert compared(70.0, bound="at_least").distance == 0.0
    assert not compared(70.0, bound="at_most").covered
    assert compared(130.0, bound="at_most").distance == 0.0


def test_infinite_and_failed_draws() -> None:
    never = np.where(np.arange(101) < 20, np.inf, DRAWS)
    one = scored(STUDY, RESULT, ROW, Seen(100.0), "cohort", never, never)
    assert one.simulated_high == np.inf
    assert one.covered
    assert math.isnan(one.distance)
    some = np.where(np.arange(101) < 20, np.nan, DRAWS)
    assert scored(STUDY, RESULT, ROW, Seen(100.0), "cohort", some, some).simulated == pytest.approx(102.0)
    nothing = scored(STUDY, RESULT, ROW, Seen(100.0), "cohort", some * np.nan, TOLD)
    assert nothing.verdict == "not simulated"
    assert nothing.reason_zh != nothing.reason


def test_a_recalled_number_is_shown_and_not_scored() -> None:
    row = replace(ROW, how_obtained="recalled")
    one = scored(STUDY, RESULT, row, Seen(10.0), "cohort", DRAWS, TOLD)
    assert one.verdict == "not scored"
    assert one.simulated == 100.0
    assert not one.missed
    assert counts([one])["numbers"] == 0


def test_directions() -> None:
    low, none, high = (np.full(9, value) for value in (0.8, 1.02, 1.3))
    seen = Seen(0.7, scale="log", effect=1.0)
    assert direction(seen, low) == ("agrees", 1.0)
    assert direction(seen, high) == ("disagrees", 0.0)
    assert direction(seen, none)[0] == "dead band"
    assert direction(replace(seen, low=0.4, high=1.2), low)[0] == "not a direction"
    assert direction(replace(seen, effect=math.nan), low)[0] == "not a direction"
    apart = Seen(2.0, effect=0.0)
    assert direction(apart, np.full(9, 1.5))[0] == "agrees"
    assert direction(apart, np.full(9, 0.05))[0] == "dead band"
    assert compare_signs(0, 0) == "agrees"


def test_a_direction_alone() -> None:
    ratios = np.array([0.9, 1.1, 1.2, 1.3])
    told = sign_of_ratios(1.0, ratios)
    assert told == SignVerdict(1, 1, 0.75)
    right = worded(STUDY, RESULT, ROW, Seen(1.0), "animal", ratios, told)
    assert (right.verdict, right.sign, right.covered) == ("direction right", "agrees", None)
    wrong = worded(STUDY, RESULT, ROW, Seen(-1.0), "animal", ratios, sign_of_ratios(-1.0, ratios))
    assert (wrong.verdict, wrong.sign) == ("direction wrong", "disagrees")
    assert math.isnan(wrong.distance)
    apart = worded(STUDY, RESULT, ROW, Seen(1.0, scored=False), "animal", ratios, told)
    assert apart.sign == "not a direction"
    assert sign_of_ratios(0.0, np.array([1.04, 0.96])).right


def test_an_outcome_survives_a_file() -> None:
    for one in (compared(100.0, sd=3.0), compared(200.0), unscored(STUDY, RESULT, ROW, "why", "原因")):
        plain = json.loads(json.dumps(one.to_dict(), allow_nan=False))
        again = Outcome.from_dict(plain)
        assert again.to_dict() == one.to_dict()
        assert str(again) == str(one)


def test_totals_keep_uses_apart_and_sort_misses() -> None:
    fit = replace(compared(100.0, sd=3.0), use="fit")
    bad, worse = (compared(value, sd=3.0) for value in (125.0, 160.0))
    none = unscored(STUDY, RESULT, ROW, "why")
    found = totals([fit, bad, worse, none], {"uchiyama_2013": STUDY})
    assert found["use"]["fit"]["coverage"] == 1.0
    assert found["use"]["check"]["coverage"] == 0.0
    assert found["use"]["check"]["not_simulated"] == 1
    assert found["use"]["noise"]["coverage"] is None
    assert found["drug"]["check"]["alendronate"]["numbers"] == 2
    assert found["species"]["fit"]["human"]["covered"] == 1
    assert worst([fit, bad, worse, none]) == [worse, bad]
    assert worst([fit, bad], use="fit") == []


def test_every_reason_of_the_tables_is_there_in_chinese() -> None:
    reasons = {one.reason for one in left_out()} | {one.reason for one in healing_left_out()}
    assert reasons <= set(known())
    assert in_chinese("never heard") == "never heard"
    assert all(one.what for use in ("fit", "check") for one in healing_facts(use))

"""The study arms: each is a scenario, doses fall where the published days say, and baselines are re-based."""

import numpy as np
import pytest

from osteon.errors import InputError
from osteon.evidence import arms, observations
from osteon.evidence.arms import BEFORE_DOSE, BLOCKS, CONTRASTS, arm, contrasted
from osteon.scenario import catalogue

USES = ("fit", "check", "noise")
MONTH = 365.25 / 12


@pytest.mark.parametrize("key", arms())
def test_an_arm_is_a_scenario_of_turnover(key: str) -> None:
    one = arm(key)
    scenario = one.scenario()
    assert scenario.fracture is None
    assert scenario.patient.sex == "female"
    assert one.drugs <= set(catalogue.drugs())
    events = scenario.arms[0].dose_events(scenario.patient)
    assert {event.drug for event in events} == one.drugs
    assert one.trial.source
    assert one.n_source
    assert one.trial.how in ("read", "assumed")
    assert one.n_how in ("read", "assumed")


@pytest.mark.parametrize("key", arms())
def test_a_series_taken_at_home_never_stops_before_the_last_row_on_it(key: str) -> None:
    one = arm(key)
    events = one.scenario().arms[0].dose_events(one.scenario().patient)
    home = [event.time for event in events if event.drug in ("alendronate", "teriparatide")]
    steps = np.diff(home) if len(home) > 1 else np.array([7.0])
    assert steps.max() <= 14
    assert all(row.day < one.horizon for use in USES for row in observations(use).rows if row.arm == key)


def test_arms_name_blocks_contrasts_and_each_other() -> None:
    claims = [(cover.study, cover.arm) for one in arms().values() for cover in one.covers]
    assert len(claims) == len(set(claims))
    for one in arms().values():
        assert one.block in BLOCKS
        assert one.first is None or one.first[1] in BLOCKS
        assert one.shares is None or one.shares[0] in arms()
        for cover in one.covers:
            assert cover.contrast in CONTRASTS
            assert bool(cover.against) == bool(cover.contrast)
            assert not cover.against or cover.against in arms()


def test_an_arm_before_the_division_is_given_the_same() -> None:
    for one in arms().values():
        if one.shares is None:
            continue
        until = one.shares[1]
        mine, other = (
            [event for event in a.scenario().arms[0].dose_events(a.scenario().patient) if event.time < until - 1]
            for a in (one, arm(one.shares[0]))
        )
        assert mine == other


def test_doses_of_phase_2_fall_where_the_figures_say() -> None:
    scenario = arm("phase2_100_q6m").scenario()
    events = scenario.arms[0].dose_events(scenario.patient)
    assert [event.amount for event in events] == [100.0] * 4 + [60.0] * 4
    assert [round(event.time) for event in events] == [0, 183, 365, 548, 730, 913, 1096, 1278]
    monthly = arm("arch_romosozumab").scenario()
    drugs = [event.drug for event in monthly.arms[0].dose_events(monthly.patient)]
    assert drugs.count("romosozumab") == 12
    assert drugs.index("alendronate") == 12


def test_the_flex_arm_takes_5_mg_for_two_years_then_10() -> None:
    scenario = arm("flex_alendronate").scenario()
    events = scenario.arms[0].dose_events(scenario.patient)
    assert {event.amount for event in events if event.time < 730} == {5.0}
    assert {event.amount for event in events if event.time >= 730} == {10.0}
    assert np.allclose(np.diff([event.time for event in events]), 1)


@pytest.mark.parametrize(
    ("key", "day", "taken"),
    [
        ("phase2_60_q6m", 183, 6 * MONTH - BEFORE_DOSE),
        ("phase2_60_q6m", 186, 186),
        ("phase2_60_q6m", 365, 12 * MONTH - BEFORE_DOSE),
        ("phase2_60_q6m", 4, 4),
        ("phase2_60_q6m", 1, 1),
        ("phase2_6_q3m", 457, 15 * MONTH - BEFORE_DOSE),
        ("phase2_60_q6m", 457, 457),
        ("phase2_60_q6m", 1461, 1461),
        ("arch_romosozumab", 30, MONTH - BEFORE_DOSE),
        ("arch_romosozumab", 365, 12 * MONTH - BEFORE_DOSE),
        ("arch_romosozumab", 547, 547),
        ("data_teriparatide", 182, 182),
        ("romo2_placebo_denosumab", 912, 30 * MONTH - BEFORE_DOSE),
        ("bone2011_placebo", 182, 182),
    ],
)
def test_a_sample_of_a_dosing_visit_is_taken_before_the_dose(key: str, day: float, taken: float) -> None:
    assert arm(key).sample_day(day) == pytest.approx(taken, abs=1e-9)


def test_the_first_year_informs_the_drug_of_the_first_year() -> None:
    assert arm("romo2_alendronate_denosumab").block_on(365) == "alendronate"
    assert arm("romo2_alendronate_denosumab").block_on(395) == "romosozumab"
    assert arm("miyauchi_placebo").block_on(183) == "core"
    assert arm("miyauchi_placebo").block_on(548) == "teriparatide"


def test_participants_fall_after_the_division() -> None:
    one = arm("romo2_denosumab")
    assert one.n_on(730) > one.n_on(821)


def test_pretreated_arms_are_rebased_to_the_switch() -> None:
    one = arm("stand_denosumab")
    assert one.zero_day == 0
    assert one.baseline_day < 0
    assert one.scenario().start_day < -365
    # A BMD of 104 % of untreated at the switch and 106.08 % a year later is a gain of 2 %.
    assert one.rebase([4.0, 6.08], 4.0) == pytest.approx([0.0, 2.0])
    # CTX at 40 % and then 20 % of untreated is a fall by half.
    assert one.rebase([-80.0], -60.0) == pytest.approx([-50.0])
    fresh = arm("decide_denosumab")
    assert fresh.baseline_day == 0
    assert fresh.rebase([-80.0], -60.0) == pytest.approx([-80.0])


def test_contrasts_compare_two_arms() -> None:
    assert contrasted("difference", [3.5], [2.6]) == pytest.approx([0.9])
    assert contrasted("ratio", [-55.0], [-10.0]) == pytest.approx([-50.0])
    assert contrasted("", [3.5], [2.6]) == pytest.approx([3.5])


def test_an_unknown_arm_is_refused_with_a_hint() -> None:
    with pytest.raises(InputError, match=r'did you mean "phase2_60_q6m"'):
        arm("phase2_60_q6")

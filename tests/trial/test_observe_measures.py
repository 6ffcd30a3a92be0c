"""What is measured once in a patient, and events whose risk alone the model gives."""

from __future__ import annotations

import numpy as np
import pytest

from osteon.trial.measures import at_nearest, by_day, calcium_from_day_0, calcium_told, event_days, on_day
from osteon.trial.observe import observe

from .made_trial import CONTROL, DRUG, Result, paces, people, study

_ARM = study().scenario().arms[1]


def test_an_event_by_a_day_is_known_of_those_followed_to_it_alone() -> None:
    days = np.array([50.0, 150.0, np.inf, 50.0, np.inf, np.nan])
    followed = np.array([371.0, 371.0, 371.0, 60.0, 60.0, 371.0])
    assert by_day(days, 100.0, followed).tolist()[:3] == [1.0, 0.0, 0.0]
    # Of those who left, the ones with the event would count and the others not.
    assert np.isnan(by_day(days, 100.0, followed)[3:]).all()


def test_who_leaves_does_not_change_the_share_with_an_event() -> None:
    rng = np.random.default_rng(4)
    size = 40_000
    days = np.where(rng.random(size) < 0.2, rng.uniform(0, 300, size), np.inf)
    followed = np.minimum(rng.exponential(400, size), 371.0)
    assert np.nanmean(by_day(days, 300.0, followed)) == pytest.approx(0.2, abs=0.012)


def test_an_event_of_follow_up_is_the_same_in_the_endpoint_and_in_safety() -> None:
    """Both are of all patients of an arm: who was lost before the event is one without it."""
    size = 30
    event = {"name": "rebound", "kind": "event", "endpoint": "rebound"}
    primary = {"name": "union", "kind": "union", "rule": "cortices"}
    plan = study(endpoints={"primary": primary, "secondary": [event]})
    dropout = np.where(np.arange(size) < 10, 50.0, np.inf)
    start = np.stack([np.full(size, np.nan), np.full(size, 100.0)])
    found = observe(plan, people(size, dropout_day=dropout), Result(paces(size), rebound_start=start))
    one, other = (found.values(name, DRUG, allocated=False) for name in ("rebound", "safety_rebound"))
    assert one.tolist() == other.tolist()
    assert (len(one), one.sum()) == (size, size - 10)


def test_low_calcium_before_the_trial_is_no_event_of_it() -> None:
    from osteon.parameters import load

    values = {key: record.value for key, record in load("calcium").items()}
    before = study(
        arms=[
            {"name": CONTROL},
            {"name": DRUG, "doses": [{"drug": "denosumab", "amount": "60 mg", "start": "-6 months"}]},
        ]
    )
    none, given = before.scenario().arms
    assert [calcium_told(arm) for arm in (none, given, _ARM)] == ["none", "curve", "model"]
    time = np.arange(0.0, 372.0, 7.0)
    flat, low = np.full(time.size, 2.35), np.where(np.abs(time - 21) < 1, 1.9, 2.35)
    found = calcium_from_day_0(time, np.stack([flat, low, low]), values, np.array([371.0, 371.0, 10.0]))
    risk = found["hypocalcaemia_risk"]
    assert risk[0] == pytest.approx(risk[2])
    assert risk[0] < 0.01 < 0.7 < risk[1]
    assert found["calcium_day"][1] == 21.0
    never = {"hypocalcaemia_risk": np.array([0.9]), "serum_calcium_nadir_day": np.array([8.0])}
    late = {**never, "hypocalcaemia_risk": risk[:1], "calcium_day": np.array([0.0])}
    fine = np.array([False])
    told = event_days("hypocalcaemia", late, given, fine, 371.0, 1)
    assert told is not None
    assert np.isinf(told).all()


def test_calcium_is_not_told_under_a_drug_that_builds_bone() -> None:
    doses = [{"drug": "teriparatide", "amount": "20 ug", "start": "7 days", "every": "1 day", "count": 9}]
    arm = study(arms=[{"name": CONTROL}, {"name": DRUG, "doses": doses}]).scenario().arms[1]
    assert calcium_told(arm) == "unknown"
    days = event_days("hypocalcaemia", {"hypocalcaemia_risk": np.array([np.nan])}, arm, np.array([False]), 371.0, 1)
    assert days is not None
    assert np.isnan(days).all()


def test_refracture_comes_within_the_year_after_union() -> None:
    size = 4000
    model = {"refracture_risk": np.full(size, 0.3), "united": np.full(size, 120.0)}
    days = event_days("refracture", model, _ARM, np.zeros(size, bool), 371.0, 7)
    assert days is not None
    come = days[np.isfinite(days)]
    assert 0.27 < come.size / size < 0.33
    assert 120 <= come.min() < 140 < 460 < come.max() <= 120 + 365.25
    assert come.mean() == pytest.approx(120 + 365.25 / 2, abs=15)


def test_necrosis_comes_as_often_as_its_risk_says() -> None:
    size = 20_000
    model = {"necrosis_risk_year5": np.full(size, 0.25)}
    days = event_days("necrosis", model, _ARM, np.zeros(size, bool), 371.0, 7)
    assert days is not None
    share = (days <= 5 * 365.25).mean()
    assert share == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / size))
    from osteon.endpoints.function.necrosis import necrosis_risk
    from osteon.endpoints.function.values import Traits, shipped_values

    p = shipped_values()
    of_all = necrosis_risk(np.array([365.25, 5 * 365.25]), Traits(displaced=True), p)
    again = event_days(
        "necrosis", {"necrosis_risk_year5": np.full(size, of_all[1])}, _ARM, np.zeros(size, bool), 371.0, 7
    )
    assert again is not None
    assert (again <= 365.25).mean() == pytest.approx(of_all[0], abs=4 * np.sqrt(of_all[0] / size))


def test_twins_differ_in_an_event_only_as_far_as_their_risks_do() -> None:
    size = 500
    risk = np.stack([np.full(size, 0.1), np.full(size, 0.3)])
    found = observe(study(), people(size), Result(paces(size), hypocalcaemia_risk=risk)).measures
    low, high = (found[found["arm"] == arm]["safety_hypocalcaemia"].to_numpy() for arm in (CONTROL, DRUG))
    assert (low <= high).all()
    assert 0.04 < low.mean() < 0.16 < high.mean() < 0.36


def test_rebound_counts_from_the_last_dose() -> None:
    start = np.array([100.0, np.nan])
    days = event_days("rebound", {"rebound_start": start}, _ARM, np.array([False, False]), 371.0, 1)
    assert days is not None
    assert days.tolist() == [107.0, np.inf]
    assert event_days("rebound", {}, _ARM, np.array([False]), 371.0, 1) is None


def test_nonunion_is_no_film_with_union_by_the_day() -> None:
    event = {"name": "late", "kind": "event", "endpoint": "nonunion", "day": "26 weeks"}
    primary = {"name": "union", "kind": "union", "rule": "cortices"}
    plan = study(endpoints={"primary": primary, "secondary": [event]}, reader={"noise": False})
    dropout = np.where(np.arange(40) < 5, 20.0, np.inf)
    found = observe(plan, people(40, dropout_day=dropout), Result(paces(40)))
    late = found.measures["late"].to_numpy().reshape(-1, 2)
    assert np.isnan(late[:5]).all()
    right = found.tte["right"].to_numpy().reshape(-1, 2)
    assert (late[5:] == (right[5:] > 182)).all()
    assert 0 < late[5:].mean() < 1


def test_scores_are_those_of_the_nearest_visit_and_curves_those_of_the_day() -> None:
    primary = {"name": "RUST at week 12", "kind": "score", "score": "RUST", "day": "12 weeks"}
    curve = {"name": "CTX at week 10", "kind": "curve", "curve": "CTX", "day": "10 weeks"}
    plan = study(endpoints={"primary": primary, "secondary": [curve]}, analysis={"method": "difference"})
    found = observe(plan, people(6, dropout_day=np.array([75.0, *[np.inf] * 5])), Result(paces(6)))
    at_week = found.visits[found.visits["planned"] == 84.0].sort_values(["patient", "arm"])
    kept = found.measures[found.measures["patient"] > 0].sort_values(["patient", "arm"])
    assert kept["RUST at week 12"].tolist() == at_week["RUST"].tolist()
    assert found.measures.loc[found.measures["patient"] == 0, "RUST at week 12"].isna().all()
    assert found.measures.loc[found.measures["arm"] == DRUG, "CTX at week 10"].to_numpy() == pytest.approx(
        -80 * np.exp(-70 / 200), rel=1e-3
    )
    assert at_nearest(np.array([[1.0, 2.0]]), np.array([42.0, 84.0]), 60.0) == 1.0
    assert np.isnan(on_day(np.array([0.0, 10.0]), np.array([[0.0, 1.0]]), 5.0, np.array([4.0])))

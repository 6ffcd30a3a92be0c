"""What a trial sees of simulated patients: visits, films, who leaves, and that arms never touch each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from osteon.errors import InputError
from osteon.trial.observe import FAILED, IMPOSED, observe, series_needed
from osteon.trial.wanted import Source

from .made_trial import CONTROL, DRUG, PLANNED, Result, paces, people, study

_SEES_EXPECTED = {"reader": {"noise": False}}


def _arm(table: pd.DataFrame, arm: str) -> pd.DataFrame:
    rows = table[table["arm"] == arm].drop(columns="arm").reset_index(drop=True)
    return rows.drop(columns="allocated")


def test_visits_hold_the_true_time_between_them() -> None:
    found = observe(study(**_SEES_EXPECTED), people(60), Result(paces(60))).tte
    seen = found[found["event"]]
    assert len(seen) > 60
    assert ((seen["left"] < seen["exact"]) & (seen["exact"] <= seen["right"])).all()
    others = found[~found["event"]]
    assert (others["exact"].isna() | (others["exact"] > others["last_seen"])).all()
    assert (found["time"] == np.where(found["event"], found["right"], found["last_seen"])).all()
    assert set(seen["right_planned"]) <= set(PLANNED)
    assert (abs(seen["right"] - seen["right_planned"]) <= 7).all()


def test_an_arm_changes_nothing_that_is_seen_under_another() -> None:
    plan, folk, pace = study(reader={"readers": 2, "adjudication": "both"}), people(40), paces(40)
    first = observe(plan, folk, Result(pace))
    other = observe(plan, folk, Result(np.stack([pace[0], 3 * pace[1]])))
    for name in ("tte", "visits", "measures"):
        one, two = (getattr(found, name) for found in (first, other))
        pd.testing.assert_frame_equal(_arm(one, CONTROL), _arm(two, CONTROL), check_exact=True)
    assert not _arm(first.tte, DRUG).equals(_arm(other.tte, DRUG))
    alone = observe(plan, folk, Result(pace), arms=(CONTROL,))
    pd.testing.assert_frame_equal(_arm(first.tte, CONTROL), _arm(alone.tte, CONTROL), check_exact=True)


def test_twins_who_heal_alike_are_read_alike() -> None:
    found = observe(study(), people(30), Result(paces(30, ratio=1.0)))
    columns = ["patient", "visit", "RUST", "mRUST", "cortices_bridged", "pain"]
    pd.testing.assert_frame_equal(_arm(found.visits, CONTROL)[columns], _arm(found.visits, DRUG)[columns])


def test_a_patient_is_seen_alike_in_chunks_of_any_size_and_among_any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, pace = study(), paces(50)
    whole = observe(plan, people(50), Result(pace))
    with monkeypatch.context() as patch:
        patch.setattr(Source, "ranges", lambda _: [(0, 7), (7, 8), (8, 50)])
        parts = observe(plan, people(50), Result(pace))
    pd.testing.assert_frame_equal(whole.tte, parts.tte, check_exact=True)
    pd.testing.assert_frame_equal(whole.visits, parts.visits, check_exact=True)
    some = observe(plan, people(20), Result(pace[:, :20]))
    assert whole.tte[whole.tte["patient"] < 20]["right"].tolist() == some.tte["right"].tolist()


def test_readers_blur_union_and_two_who_must_agree_see_it_no_sooner() -> None:
    folk, result = people(80), Result(paces(80))
    plain = observe(study(**_SEES_EXPECTED), folk, result).tte
    one = observe(study(), folk, result).tte
    both = observe(study(reader={"readers": 2, "adjudication": "both"}), folk, result).tte
    assert (both["right"] >= one["right"]).all()
    assert (both["right"] > one["right"]).any()
    assert (one["right"] != plain["right"]).any()
    scores = observe(study(reader={"readers": 2, "adjudication": "mean"}), folk, result).visits["RUST"]
    assert set(np.unique(scores * 2 % 2)) == {0.0, 1.0}


def test_errors_of_readers_are_drawn_once_for_all_arms(monkeypatch: pytest.MonkeyPatch) -> None:
    from osteon.endpoints import readers

    drawn, draw = [], readers.reader_errors
    monkeypatch.setattr(readers, "reader_errors", lambda *given: drawn.append(given) or draw(*given))
    observe(study(reader={"readers": 2, "adjudication": "both"}), people(20), Result(paces(20)))
    assert [given[-1] for given in drawn] == ["1", "2"]


def test_nothing_is_seen_after_death_dropout_or_the_end() -> None:
    size = 40
    death = np.where(np.arange(size) < 10, 100.0, np.inf)
    dropout = np.where((np.arange(size) >= 10) & (np.arange(size) < 20), 60.0, np.inf)
    end = np.where(np.arange(size) >= 30, 150.0, 371.0)
    folk = people(size, death_day=death, dropout_day=dropout, end_day=end)
    found = observe(study(), folk, Result(paces(size)))
    day = found.visits.groupby("patient")["day"].max()
    assert (day <= folk.last_day[day.index]).all()
    rows = found.tte.set_index("patient")
    dead = rows.loc[:9]
    assert (dead["competing"] == ~dead["event"]).all()
    assert dead["competing"].any()
    assert set(dead["death_day"].dropna()) == {100.0}
    assert not rows.loc[10:, "competing"].any()
    assert rows.loc[10:19, "last_seen"].max() <= 60


def test_who_never_came_is_known_to_have_had_nothing_on_the_first_day() -> None:
    found = observe(study(), people(2, dropout_day=np.array([10.0, np.inf])), Result(paces(2))).tte
    row = found[found["patient"] == 0].iloc[0]
    assert (row["left"], row["right"], row["time"], row["last_seen"]) == (0.0, np.inf, 0.0, 0.0)
    assert not row["event"]


def test_an_imposed_ratio_takes_the_place_of_the_model() -> None:
    pace = paces(40)
    plan = study(effect=0.5, **_SEES_EXPECTED)
    found = observe(plan, people(40), Result(pace))
    other = observe(plan, people(40), Result(np.stack([pace[0], 3 * pace[1]])))
    pd.testing.assert_frame_equal(found.tte, other.tte)
    wide = found.tte.pivot(index="patient", columns="arm", values="exact")
    np.testing.assert_allclose(wide[DRUG], 0.5 * wide[CONTROL])
    assert IMPOSED in found.notes
    # What a film of the arm shows on day t is what the control shows on day t / ratio.
    double = Result(np.stack([pace[0], 0.5 * pace[0]]))
    truth = observe(study(**_SEES_EXPECTED), people(40), double).visits
    early = (found.visits["arm"] == DRUG) & (found.visits["day"] < 180)
    np.testing.assert_allclose(found.visits["RUST"][early], truth["RUST"][early], atol=0.25)


def test_a_course_that_failed_is_left_out_of_its_arm() -> None:
    failed = np.zeros((2, 6), bool)
    failed[1, 3] = True
    found = observe(study(), people(6), Result(paces(6), failed=failed))
    assert found.notes == (FAILED,)
    assert 3 not in found.times("union", DRUG, allocated=False)["patient"].to_list()
    assert 3 in found.times("union", CONTROL, allocated=False)["patient"].to_list()


def test_the_people_must_be_those_of_the_cohort() -> None:
    with pytest.raises(InputError, match="there are 3 people, and 4 patients were simulated"):
        observe(study(), people(3), Result(paces(4)))
    with pytest.raises(InputError, match="is not an arm"):
        observe(study(), people(4), Result(paces(4)), arms=("nothing",))


def test_curves_that_are_needed_exist_with_and_without_a_fracture() -> None:
    from osteon.model.systems import curves_of

    with_curve = {"name": "c", "kind": "curve", "curve": "BSAP", "day": "26 weeks"}
    plan = study(endpoints={"primary": with_curve}, analysis={"method": "difference"})
    assert set(series_needed(plan)) <= set(curves_of(1))
    assert "BSAP" in series_needed(plan)
    visits = {"visits": {"days": ["26 weeks"]}, "fracture": None}
    bare = study(endpoints={"primary": with_curve}, analysis={"method": "difference"}, **visits)
    assert set(series_needed(bare)) <= set(curves_of(0))


def test_a_simulated_trial_is_observed() -> None:
    from osteon.ensemble.run import simulate_cohort
    from osteon.population import Cohort
    from osteon.trial.people import enrol

    plan = study(horizon="7 weeks", follow_up="7 weeks", visits={"days": ["2 weeks", "6 weeks"]}, patients=2)
    folk = enrol(plan)
    cohort = Cohort.from_table(plan.scenario(), folk.table)
    result = simulate_cohort(cohort, series=series_needed(plan), backend="python")
    found = observe(plan, folk, result)
    assert len(found.visits) == 2 * 2 * 2
    assert not found.visits.isna().any().any()
    treated = found.visits[(found.visits["arm"] == DRUG) & (found.visits["planned"] > 14)]
    assert (treated["CTX"] < -30).all()
    assert found.visits["RUST"].between(4, 12).all()

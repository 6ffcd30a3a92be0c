"""Calibration of the callus and of healing in people: which rows go in, that check rows never do, and the scores."""

from __future__ import annotations

import csv
import math
import shutil
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from osteon.calibrate import callus, callus_people_scores, callus_scores, people
from osteon.calibrate.animals import AnimalTrials, observed_of
from osteon.calibrate.callus_drug_scores import ratio_interval
from osteon.calibrate.callus_people_scores import rate_interval
from osteon.calibrate.callus_simulated import of_members
from osteon.calibrate.findings import Target
from osteon.calibrate.free import Held
from osteon.calibrate.group_times import UNITED, quantile, share_by
from osteon.calibrate.objective import Objective
from osteon.calibrate.run import Calibration, calibrate
from osteon.calibrate.store import Draws
from osteon.calibrate.subject import Settings
from osteon.calibrate.virtual_people import Group, VirtualPeople
from osteon.evidence.healing import rate_rows
from osteon.evidence.table import FOLDER
from osteon.model.person import MEMBERS
from osteon.parameters import layered, load

TABLES = ("callus.csv", "clinical_healing.csv", "risk_factors.csv")
ARM = "mouse_femur_control"
LEFT_FREE = ("callus.bone_resorption", "callus.retraction", "callus.hypertrophy")


def changed(folder: Path, use: str) -> Path:
    """The shipped tables with every value of one use moved; a direction is turned round."""
    folder.mkdir()
    for name in TABLES:
        shutil.copy(FOLDER / name, folder / name)
        with (folder / name).open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
        for row in rows:
            if row["use"] == use and row["value"]:
                row["value"] = moved(row)
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            out = csv.DictWriter(stream, list(rows[0]))
            out.writeheader()
            out.writerows(rows)
    return folder


def moved(row: dict[str, str]) -> str:
    try:
        value = float(row["value"])
    except ValueError:
        return row["value"]  # a finding in words, never compared
    direction = row.get("unit", "").startswith(("sign", "direction"))
    return str(-value if direction else value * 1.02)


# ---- check rows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subject", [callus, people])
def test_check_rows_never_reach_any_problem(subject: Any, tmp_path: Path) -> None:
    def hashes(data: Path | None) -> list[str]:
        every = subject.problems(subject.STRUCTURES, Settings(data=data))
        return [one.observed.content_hash() for blocks in every.values() for one in blocks.values()]

    usual = hashes(None)
    assert hashes(changed(tmp_path / "check", "check")) == usual
    assert hashes(changed(tmp_path / "noise", "noise")) == usual
    assert not set(hashes(changed(tmp_path / "fit", "fit"))) & set(usual)


def test_directions_and_other_uses_are_not_fitted() -> None:
    rows = callus.fitted_rows()
    assert {row.use for row in rows} == {"fit"}
    assert "sign" not in {row.kind for row in rows}


def short(data: Path | None) -> Calibration:
    """A whole calibration of three parameters on the rows of one arm, all else at its prior."""
    (whole,) = callus.problems(["callus_J"], Settings(data=data, threads=2))["callus_J"].values()
    rows = tuple(row for row in whole.rows if row.arm == ARM and row.against in ("", ARM, "intact"))  # type: ignore[attr-defined]
    assert 4 <= len(rows) < len(whole.rows)  # type: ignore[attr-defined]
    held = {one.key: one.mean for one in whole.free if one.key not in LEFT_FREE}
    problem = Held(replace(whole, rows=rows), held)  # type: ignore[type-var]
    return calibrate({"callus_J": {"core": problem}}, seed=3, starts=2, steps=6, walkers=8, draws=20)


@lru_cache(maxsize=1)
def usual() -> Calibration:
    return short(None)


def test_check_rows_never_reach_the_posterior(tmp_path: Path) -> None:
    draws = usual().joint.draws.values
    assert short(changed(tmp_path / "check", "check")).joint.draws.values.tobytes() == draws.tobytes()
    assert not np.array_equal(short(changed(tmp_path / "fit", "fit")).joint.draws.values, draws)


def test_a_fit_is_no_worse_than_the_prior() -> None:
    stage = usual().stages["callus_J"]["core"]
    prior = np.array([[one.mean for one in stage.problem.free]])
    assert np.isfinite(usual().joint.predicted).all()
    best, centre = Objective(stage.problem, stage.fit.noise).log_probability(np.vstack([stage.fit.z, prior]))
    assert best > centre


# ---- bounds --------------------------------------------------------------------------------------------------------


def test_a_bound_is_kept_on_its_own_side() -> None:
    """From below and from above: the compared value lies at or below the limit where the raw one keeps the bound."""
    rows = [row for row in callus.fitted_rows() if row.kind in ("at_least", "at_most")]
    kinds = {kind: next(row for row in rows if row.kind == kind) for kind in ("at_least", "at_most")}
    for kind, row in kinds.items():
        trials = AnimalTrials([row], "J", threads=2)
        values = {"callus.bone_resorption": np.array([0.05, 0.1, 0.2])}
        raw, compared = trials.raw(values)[:, 0], trials.predict(values)[:, 0]
        # Limits around what is simulated, or one side would never be seen.
        for limit in (0.5 * raw.min(), 2.0 * raw.max()):
            own = replace(row, value=float(limit))
            observed = observed_of([own], {})
            assert bool(observed.censored[0])
            keeps = raw >= limit if kind == "at_least" else raw <= limit
            assert np.array_equal(compared <= observed.value[0], keeps)


# ---- scores --------------------------------------------------------------------------------------------------------


def draws_of(keys: tuple[str, ...], values: np.ndarray, structures: tuple[str, ...]) -> Draws:
    return Draws(keys, values, structures, {"callus_J": 0.5, "callus_B": 0.5})


def test_draws_are_parted_by_member_and_evenly_taken() -> None:
    draws = draws_of(("a", "b"), np.column_stack([np.arange(10.0), np.full(10, 2.0)]), ("callus_J", "callus_B") * 5)
    every = dict(of_members(draws))
    assert {name: one["a"].tolist() for name, one in every.items()} == {"J": [0, 2, 4, 6, 8], "B": [1, 3, 5, 7, 9]}
    few = [value for _, one in of_members(draws, 4) for value in one["a"]]
    assert sorted(few) == [0, 3, 6, 9]


class Stub:
    """Predicts the observed direction of each row with one member, and none with the other."""

    def __init__(self, rows: Any, member: str, **settings: Any) -> None:
        self.rows, self.right = rows, member == "J"

    def raw(self, values: Any) -> np.ndarray:
        ratio = [1.0 + 0.5 * row.sign * self.right for row in self.rows]
        return np.tile(ratio, (len(next(iter(values.values()))), 1))


def test_directions_are_scored_with_the_share_that_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callus_scores, "AnimalTrials", Stub)
    draws = draws_of(("a",), np.ones((4, 1)), ("callus_J", "callus_J", "callus_J", "callus_B"))
    score = callus_scores.signs(draws, Settings())
    assert {one.use for one in score.verdicts} == {"check", "fit"}
    assert score.right == len(score)
    assert {one.agreeing for one in score.verdicts if one.observed} == {0.75}
    assert len(callus_scores.undecided(score)) == sum(one.observed != 0 for one in score.verdicts)
    found = by_name(callus_scores._directions(score))
    assert found["Gerstenfeld2009: directions right"].value == 16
    assert found["Directions right, all to check"].met
    backwards = draws_of(("a",), np.ones((2, 1)), ("callus_B", "callus_B"))
    found = by_name(callus_scores._directions(callus_scores.signs(backwards, Settings(), ("check",))))
    assert not found["Directions right, all to check"].met
    assert not found["Gerstenfeld2009: directions right"].met


def by_name(targets: Any) -> dict[str, Target]:
    return {one.name: one for one in targets}


def seen(problem: Any, predicted: np.ndarray) -> Any:
    """A calibration in the parts that the scores of fitted rows use."""
    observed = problem.observed
    names = ("value", "sd", "endpoint", "censored")
    rows = {name: np.asarray(getattr(observed, name)) for name in names}
    return SimpleNamespace(
        joint=SimpleNamespace(rows=rows, predicted=predicted),
        stages={"one": {"core": SimpleNamespace(problem=problem)}},
    )


def test_fitted_quantities_are_met_where_they_agree() -> None:
    (problem,) = callus.problems(["callus_J"], Settings())["callus_J"].values()
    value = problem.observed.value
    exact = callus_scores._fitted(seen(problem, np.stack([value, value])))
    assert all(one.met and one.value == 0 for one in exact if one.name.endswith("RMSE"))
    far = callus_scores._fitted(seen(problem, np.stack([value + 20.0])))
    assert not any(one.met for one in far)
    assert sum(one.rows for one in exact) == len(value)


def test_fitted_people_are_met_within_a_tenth() -> None:
    (problem,) = people.problems(["callus_J"], Settings())["callus_J"].values()
    value = problem.observed.value
    assert all(one.met for one in callus_people_scores.fitted(seen(problem, value[None])))
    later = callus_people_scores.fitted(seen(problem, value[None] + math.log(1.15)))
    times = [one for one in later if "median time to union" in one.name]
    assert times
    assert all(one.value == pytest.approx(1.15) and not one.met for one in times)


def test_the_range_of_a_rate_holds_its_sources() -> None:
    tibia = [row for row in rate_rows("fit") if row.bone in ("tibia", "tibial shaft", "tibia and fibula")]
    low, high = rate_interval([row for row in tibia if row.event == "nonunion"])
    assert low < min(100 * row.value for row in tibia if row.event == "nonunion")
    assert high > max(100 * row.value for row in tibia if row.event == "nonunion")
    one = rate_interval(tibia[:1])
    assert one[0] < 100 * tibia[0].value < one[1]


def test_who_never_heals_either_way_says_nothing() -> None:
    none, treated = np.array([[100.0, 200.0, np.inf, 100.0]]), np.array([[110.0, 180.0, np.inf, np.inf]])
    assert ratio_interval(treated, none) == (0.9, math.inf)
    assert ratio_interval(treated[:, :2], none[:, :2]) == (0.9, 1.1)
    assert all(math.isnan(end) for end in ratio_interval(treated[:, 2:3], none[:, 2:3]))


# ---- virtual people ------------------------------------------------------------------------------------------------

BRIDGED = ("cortices_bridged", 3.0)


def virtual(**patient: Any) -> VirtualPeople:
    group = Group("one", {"age": "70 yr", "sex": "male", **patient}, {"bone": "tibia", "fixation": "nail"})
    return VirtualPeople([group], {"one": [BRIDGED]}, "J", patients=4, threads=2)


def test_a_trait_multiplies_what_is_drawn() -> None:
    """At its usual value a drawn parameter changes nothing, though age lengthens the lag and smoking takes vessels."""
    keys = ("callus.vessel_lag", "callus.factor_vessels")
    drawn = {key: np.array([layered(*MEMBERS["J"]).value(key)]) for key in keys}
    neutral = {"callus.retraction": np.array([layered(*MEMBERS["J"]).value("callus.retraction")])}
    found = [virtual(smoking=True).times(one)["one", *BRIDGED] for one in (drawn, neutral)]
    assert found[0] == pytest.approx(found[1], rel=1e-9)
    longer = virtual(smoking=True).times({key: drawn[key] * f for key, f in zip(keys, (2.0, 1.0), strict=True)})
    assert np.median(longer["one", *BRIDGED]) > np.median(found[0])


def test_smoking_acts_once() -> None:
    vessels = {"smoking.vessels": np.array([load("people_J")["smoking.vessels"].value])}
    same = virtual(smoking=True).times({**vessels, "callus.retraction": np.array([0.1])})["one", *BRIDGED]
    usual = virtual(smoking=True).times({"callus.retraction": np.array([0.1])})["one", *BRIDGED]
    assert same == pytest.approx(usual, rel=1e-9)
    healthy = virtual().times({"callus.retraction": np.array([0.1])})["one", *BRIDGED]
    assert np.median(usual) > np.median(healthy)


def test_curves_of_virtual_people() -> None:
    days = np.array([0.0, 30.0, 120.0])
    points = {"callus.retraction": np.array([0.05, 0.1])}
    found = virtual().curves(points, ("callus_volume", "woven_bone"), days)
    assert set(found) == {("one", "callus_volume"), ("one", "woven_bone")}
    volume = found["one", "callus_volume"]
    assert volume.shape == (2, 4, 3)
    assert np.isfinite(volume).all()
    assert (volume[..., 1] > volume[..., 0]).all()


def test_shares_and_quantiles_agree() -> None:
    days, spread = np.array([[80.0, 100.0, 130.0, np.inf]]), np.array([0.3])
    middle = quantile(days, spread, 0.5)
    assert share_by(days, spread, float(middle[0]))[0] == pytest.approx(0.5, abs=0.02)
    assert share_by(days, spread, 1e4)[0] == pytest.approx(0.75, abs=1e-3)


def test_times_of_those_who_unite_leave_out_the_others() -> None:
    spread = np.array([0.3])
    healers = np.array([[80.0, 100.0, 130.0]])
    with_one_more = np.append(healers, [[np.inf]], axis=1)
    for share in (0.1, 0.5, 0.9):
        (alone,) = quantile(healers, spread, share)
        assert quantile(with_one_more, spread, share, within=UNITED)[0] == pytest.approx(alone, rel=1e-12)
    assert quantile(with_one_more, spread, 0.9)[0] > 1e4
    assert np.isnan(quantile(np.append(healers, [[np.nan]], axis=1), spread, 0.5, within=UNITED)[0])


def test_non_unions_of_a_bone_grow_with_the_spread_of_its_strain() -> None:
    """And those of a bone with a spread of its own do not change with the usual one."""
    bones = ("tibia", "scaphoid")
    groups = [
        Group(bone, {"age": "30 yr", "sex": "male"}, {"bone": bone, "fixation": "cast"}, horizon=400.0)
        for bone in bones
    ]
    many = VirtualPeople(groups, {bone: [BRIDGED] for bone in bones}, "J", patients=32, threads=2)
    days = many.times({"strain_spread.usual": np.array([0.2, 1.5])})
    late = {bone: 1 - share_by(days[bone, *BRIDGED], np.full(2, 0.3), people.NON_UNION_DAY) for bone in bones}
    assert late["tibia"][1] > late["tibia"][0] + 0.05
    assert late["scaphoid"][1] == late["scaphoid"][0]


def test_every_rate_of_a_bone_that_was_fitted_is_a_row() -> None:
    rows, groups = people.fitted_rows()
    fitted = [row for row in rows if row.kind == "non-union"]
    bones = {"tibia", "femur", "humerus", "distal_radius", "scaphoid"}
    known = {group.key: group.fracture["bone"] for group in groups}
    assert {known[row.group] for row in fitted} == bones
    assert sorted(1 / (1 + math.exp(-row.value)) for row in fitted if known[row.group] == "tibia") == pytest.approx(
        [0.063, 0.091, 0.1395], abs=1e-4
    )
    assert {row.argument for row in fitted} == {people.NON_UNION_DAY}

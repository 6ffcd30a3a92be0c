"""What each engine makes of its rows, with simulations that are made up."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from osteon.evidence.healing import healing_rows
from osteon.evidence.studies import rows_of, study
from osteon.replay import (
    engines_animal,
    engines_cohort,
    engines_label,
    engines_people,
    engines_turnover,
    measures,
)
from osteon.replay.engines import Effort, by_engine, outcomes_of
from osteon.replay.engines_cohort import Simulations
from osteon.replay.outcome import Outcome

EFFORT = Effort()


def run(key: str) -> dict[tuple[str, str], Outcome]:
    """Outcomes of a study by finding and arm."""
    return {(one.result, one.arm): one for one in outcomes_of(study(key), EFFORT)}


# ---- what is taken of patients ---------------------------------------------------------------------------------------


def test_measures_of_values() -> None:
    times = np.array([[10.0, 20.0, np.inf, np.nan]])
    assert measures.summary("median", times, 100.0) == 20.0
    assert measures.summary("mean", times, 100.0) == pytest.approx(130.0 / 3)
    fast, slow = np.array([[10.0, 20.0, 30.0]]), np.array([[20.0, 40.0, 60.0]])
    assert measures.contrast("ratio_of_medians", slow, fast, 100.0) == 2.0
    assert measures.contrast("ratio_of_means", fast, slow, 100.0) == 0.5
    assert measures.contrast("difference", fast, slow, 100.0) == -20.0
    assert measures.contrast("ratio_of_levels", slow, fast, 100.0) == pytest.approx(140.0 / 120.0)
    assert measures.late(times[0], 15.0) == (2, 3)


def test_measures_of_events() -> None:
    counts, sizes = [np.array([10.0, 0.0]), np.array([20.0, 5.0])], (100.0, 100.0)
    odds = measures.of_shares("odds_ratio_late", counts, sizes)
    assert odds[0] == pytest.approx((10 / 90) / (20 / 80))
    assert odds[1] == pytest.approx((0.5 / 100.5) / (5.5 / 95.5))
    assert measures.of_shares("risk_ratio_reached", counts, sizes)[0] == pytest.approx(0.9 / 0.8)
    assert measures.of_shares("share_late", counts[:1], sizes[:1]).tolist() == [10.0, 0.0]
    assert measures.of_shares("share_reached", counts[:1], sizes[:1]).tolist() == [90.0, 100.0]
    assert measures.of_shares("count_late", counts[:1], sizes[:1]).tolist() == [10.0, 0.0]


def test_rare_events_of_small_groups_are_drawn_together() -> None:
    # Alike groups differ by chance alone, and nothing but the common share is left of them.
    alike = measures.shares(np.array([0, 1, 2, 1]), np.full(4, 40))
    assert np.ptp(alike) < 0.01
    assert alike.mean() == pytest.approx(0.0275, abs=0.005)
    apart = measures.shares(np.array([0, 0, 40, 40]), np.full(4, 40))
    assert apart[0] < 0.05
    assert apart[-1] > 0.95
    assert (measures.shares(np.zeros(4), np.full(4, 40)) > 0).all()


# ---- cohorts ---------------------------------------------------------------------------------------------------------


def cohort(monkeypatch: pytest.MonkeyPatch, **values: np.ndarray) -> None:
    """Let every cohort have these values, by ``arm__name``."""
    size = len(next(iter(values.values())))
    told = {tuple(key.split("__")): value for key, value in values.items()}
    found = Simulations(told, np.zeros(0), np.arange(size) % 4, 400.0, 0)  # type: ignore[arg-type]
    monkeypatch.setattr(engines_cohort, "simulate", lambda *given: found)


def test_a_trial_of_times(monkeypatch: pytest.MonkeyPatch) -> None:
    late = np.geomspace(50.0, 150.0, 200)
    cohort(monkeypatch, late__time_to_union_cortices=late, early__time_to_union_cortices=1.13 * late)
    monkeypatch.setattr(engines_people, "_asked", lambda result, row: [])
    found = run("uchiyama_2013")
    ratio = found["ratio_of_times", ""]
    assert ratio.simulated == pytest.approx(1.13)
    assert ratio.distance == pytest.approx(0.0, abs=1e-9)
    assert ratio.covered
    assert ratio.simulated_low == pytest.approx(1.13 * math.exp(-1.645 * ratio.published_sd), rel=0.02)
    assert ratio.model_low == pytest.approx(1.13)  # twins
    assert ratio.sign == "not a direction"  # the published interval holds 1
    assert ratio.published_sd == pytest.approx(math.log(1.29 / 0.99) / 3.92, rel=1e-3)
    other = next(one for (result, _), one in found.items() if result != "ratio_of_times")
    assert other.engine == "none"
    assert other.reason == "no group of virtual patients stands for this row"


def test_a_trial_without_a_printed_error_has_that_of_its_patients(monkeypatch: pytest.MonkeyPatch) -> None:
    days, bone = np.geomspace(20.0, 60.0, 200), np.full(200, 3.0)
    values = {"denosumab__pain_relief": days, "alendronate__pain_relief": days, "denosumab__BMD_lumbar_spine": bone}
    cohort(monkeypatch, **values, alendronate__BMD_lumbar_spine=bone)
    found = run("tetsunaga_2017")
    error = days.std() / days.mean() / math.sqrt(40)
    ratio = found["ratio_of_pain_relief", ""]
    assert ratio.simulated_high - ratio.simulated_low == pytest.approx(2 * 1.645 * error * math.sqrt(2), rel=0.15)
    week = next(one for one in found.values() if one.label == "mean: pain_relief")
    assert week.simulated == pytest.approx(days.mean() / 7)
    # Bone density has no spread here, and what studies have in common remains.
    density = next(one for one in found.values() if one.label == "mean: BMD_lumbar_spine")
    assert density.simulated_high - density.simulated_low == pytest.approx(2 * 1.645 * 0.6, rel=0.15)


def test_a_risk_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    cohort(monkeypatch, denosumab__severe_hypocalcaemia_risk=np.full(40, 0.4))
    (risk,) = run("bird_2024").values()
    assert risk.simulated == pytest.approx(40.0)
    assert risk.covered
    assert risk.simulated_high - risk.simulated_low == pytest.approx(2 * 164.5 * math.sqrt(0.24 / 1523), rel=0.15)


def test_a_trial_of_events(monkeypatch: pytest.MonkeyPatch) -> None:
    rare = np.where(np.arange(400) < 4, 300.0, 60.0)
    cohort(monkeypatch, placebo__time_to_union_cortices=rare, denosumab__time_to_union_cortices=rare)
    found = run("adami_2012")
    drug = next(one for one in found.values() if one.verdict in ("covered", "missed") and one.arm.startswith("denos"))
    assert drug.simulated == pytest.approx(3.86)  # 1 % of 386
    assert drug.covered
    odds = next(one for (result, _), one in found.items() if result.startswith("odds"))
    assert odds.simulated == pytest.approx(1.0, rel=0.05)
    # A printed interval of a ratio says more of the trial than its number of patients.
    assert odds.simulated_low == pytest.approx(math.exp(-1.645 * odds.published_sd), rel=0.1)
    assert odds.covered
    assert sum(one.verdict == "not simulated" for one in found.values()) >= 5


def test_a_direction_of_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    callus = np.linspace(1.0, 2.0, 40)
    arms = {"placebo": 1.0, "teriparatide 20": 1.3, "teriparatide 40": 1.01}
    cohort(monkeypatch, **{f"{arm}__callus_volume": factor * callus for arm, factor in arms.items()})
    found = run("aspenberg_johansson_2010")
    assert found["direction_20", ""].verdict == "direction right"
    assert found["direction_20", ""].simulated == pytest.approx(1.3)
    assert (found["direction_40", ""].verdict, found["direction_40", ""].sign) == ("direction wrong", "dead band")


def test_a_curve_is_read_on_its_day() -> None:
    curves = np.array([[0.0, 10.0], [0.0, 20.0]])
    found = Simulations({("a", "CTX"): curves}, np.array([0.0, 10.0]), np.zeros(2, int), 10.0, 0)
    assert found.of("a", "CTX", 5.0).tolist() == [5.0, 10.0]


# ---- the calibrated layers -------------------------------------------------------------------------------------------


def test_rows_of_the_turnover(monkeypatch: pytest.MonkeyPatch) -> None:
    from osteon.evidence import observations

    rows = observations("check")
    medians = np.tile(rows.value, (20, 1)) + np.linspace(-0.5, 0.5, 20)[:, None]
    fake = SimpleNamespace(rows=rows, medians=medians)
    places = {(row.file, row.line): place for place, row in enumerate(rows.rows)}
    monkeypatch.setattr(engines_turnover, "_compared", lambda *given: (fake, places, np.full(len(rows), 2.0)))
    found = outcomes_of(study("decide"), EFFORT)
    shown = [one for one in found if one.verdict != "not simulated"]
    assert shown
    assert all(one.covered and abs(one.distance) < 0.1 for one in shown)
    # The error of the row and the offset of its study are scaled, the draws are not.
    one, tau = shown[0], {"BMD_lumbar_spine": 0.6, "BMD_total_hip": 0.4, "BMD_femoral_neck": 0.5}
    error = math.hypot(2.0 * math.hypot(one.published_sd, tau[one.label]), 0.3)
    assert one.simulated_high - one.simulated_low == pytest.approx(2 * 1.645 * error, rel=0.2)
    assert one.model_high - one.model_low == pytest.approx(0.9)
    contrast = next(one for one in shown if one.against)
    assert contrast.unit == "points"
    assert contrast.sign in ("agrees", "not a direction")
    left = [one for one in found if one.verdict == "not simulated"]
    assert {one.reason for one in left} == {
        "BMD of the distal third of the radius is not an output of osteon",
        "BMD of the trochanter is not an output of osteon",
    }


def test_errors_are_wider_than_printed_where_the_calibration_says_so() -> None:
    found = engines_turnover._inflation()
    assert all(value >= 1.0 for value in found.values())
    assert found["core", "P1NP"] > 1.2


def test_rows_of_animals(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {row.line: row for row in healing_rows("check") if row.study == "Flick2003"}

    def raw(rows: tuple, effort: Effort) -> np.ndarray:
        up = [1.0 + 0.5 * row.value if row.kind == "sign" else row.value for row in rows]
        return np.tile(up, (12, 1))

    monkeypatch.setattr(engines_animal, "_raw", raw)
    found = outcomes_of(study("flick_2003"), EFFORT)
    signs = [one for one in found if one.unit == "direction"]
    assert len(signs) == sum(row.kind == "sign" for row in known.values())
    assert {one.verdict for one in signs} == {"direction right"}
    assert {one.sign for one in signs} == {"agrees"}
    left = [one for one in found if one.verdict == "not simulated"]
    assert any("lack a gene" in one.reason for one in left)
    assert all(one.reason_zh != one.reason for one in left)


def test_a_number_of_animals_has_the_error_of_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        engines_animal, "_raw", lambda rows, effort: np.tile([2.0 * row.value for row in rows], (30, 1))
    )
    found = {one.label: one for one in outcomes_of(study("ulrich_vinther_2005"), EFFORT) if one.day == 56}
    size = found["BMC"]
    assert size.scale == "log"
    assert size.simulated == pytest.approx(2 * size.published)
    assert size.model_low == size.model_high
    assert size.simulated_low < size.simulated < size.simulated_high
    assert size.distance == pytest.approx(math.log(2) / math.hypot(size.published_sd, 0.1), rel=0.2)
    assert found["osteoclasts"].verdict in ("covered", "missed")


def people(monkeypatch: pytest.MonkeyPatch, days: dict[str, float]) -> None:
    """Let groups be united by a day, with a spread of 0.3 in the logarithm."""

    def given(groups: Any, *rest: Any) -> Any:
        def day(key: str, share: float = 0.5) -> np.ndarray:
            z = {0.1: -1.28155, 0.5: 0.0, 0.9: 1.28155}[share]
            return np.full(20, days[key]) * np.exp(0.3 * z)

        return SimpleNamespace(day=day, late=lambda *which: np.full(20, 0.05))

    monkeypatch.setattr(engines_people, "simulated_of", given)


def test_times_of_people(monkeypatch: pytest.MonkeyPatch) -> None:
    people(monkeypatch, {"tibia_nail_immediate": 137.0, "tibia_nail_protected": 200.0})
    found = {(one.arm, one.label): one for one in outcomes_of(study("gross_2016"), EFFORT)}
    early = found["immediate weight bearing", "median time to union"]
    assert early.covered
    assert early.printed == "22.1 week (SD 11.7)"
    late = found["non-weight bearing 6 weeks", "median time to union"]
    assert late.verdict == "missed"
    assert found["immediate weight bearing", "SD of the log time"].simulated == pytest.approx(0.3, rel=1e-3)


def test_ratios_rates_and_risks_of_people(monkeypatch: pytest.MonkeyPatch) -> None:
    people(monkeypatch, {"tibia_nail_immediate": 110.0, "tibia_nail_protected": 124.0})
    (apart,) = outcomes_of(study("bhanushali_2022"), EFFORT)
    assert apart.simulated == pytest.approx(-2.0)
    assert apart.sign == "agrees"
    rates = outcomes_of(study("edinburgh_2021"), EFFORT)
    rate = next(one for one in rates if one.label.startswith("not bridged"))
    assert rate.simulated == pytest.approx(5.0)
    assert rate.published == 6.3
    odds = next(one for one in rates if one.label == "open" and one.published == 5.44)
    assert odds.simulated == pytest.approx(1.0)
    assert odds.sign == "dead band"
    assert any(one.verdict == "not simulated" for one in rates)


def test_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("trough, steady state", "half-life")
    values = {name: np.linspace(10.0, 40.0, 50) for name in names}
    monkeypatch.setattr(engines_label, "_patients", lambda *given: values)
    found = run("xgeva_label")
    trough = found["ctrough_ss", "denosumab 120 mg"]
    assert trough.simulated == pytest.approx(25.0)
    assert trough.unit == "ug/mL"
    # A mean of 100 of these patients.
    assert (trough.simulated_high - trough.simulated_low) == pytest.approx(3.29 * 8.83 / 10, rel=0.2)


# ---- which engine ----------------------------------------------------------------------------------------------------


def test_a_result_can_name_another_engine() -> None:
    parts = by_engine(study("rozental_2009"))
    assert set(parts) == {"cohort", "people"}
    assert sum(len(rows) for _, rows in parts["people"]) == 1
    assert sum(len(rows_of(result)) for result in study("rozental_2009").results) == 3


def test_quick_is_a_quarter() -> None:
    assert Effort(quick=True).fewer(60) == 15
    assert Effort().fewer(60) == 60

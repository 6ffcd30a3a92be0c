"""Curves beside published rows: the same numbers as the fit, intervals over draws, dose and response, other models."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from osteon.calibrate import virtual
from osteon.calibrate.compare import ARM, comparisons, resimulated
from osteon.calibrate.curves import ArmCurve, Band, arm_curves, chosen, grid, parameter_values, picture
from osteon.calibrate.dose_response import DOSES, MONTH, dose_response
from osteon.calibrate.subject import Settings
from osteon.errors import InputError
from osteon.evidence import Observations, arms, observations
from osteon.evidence.table import FOLDER
from osteon.parameters.posterior import Draws

KEYS = ("turnover.drug_loss", "turnover.pool_coupling")
DRAWS = Draws(
    KEYS,
    np.array([[0.7, 0.7], [0.85, 0.8], [1.0, np.nan]]),
    ("recycling_half", "recycling_half", "gate_blocking"),
    {"recycling_half": 0.7, "gate_blocking": 0.3},
)


# The Python back end needs no compiler; its steps are not held to what is not negative, so they are kept small.
Trials = partial(virtual.VirtualTrials, tolerance=1e-5)


def without_compiler(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(virtual, "obtain", None)
    for module in ("curves", "dose_response"):
        patch.setattr(f"osteon.calibrate.{module}.VirtualTrials", Trials)


@pytest.fixture(autouse=True)
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    without_compiler(monkeypatch)


@pytest.fixture(scope="module")
def stopped() -> tuple[ArmCurve, ...]:
    with pytest.MonkeyPatch.context() as patch:
        without_compiler(patch)
        return arm_curves(DRAWS, [ARM, "phase2_60_q6m"], patients=1)


@pytest.mark.parametrize(("arm", "use"), [("decide_denosumab", "check"), ("stand_denosumab", "check")])
def test_curves_pass_through_what_the_fit_predicts(arm: str, use: str) -> None:
    rows = observations(use).where(arm=arm)  # type: ignore[arg-type]
    assert {row.contrast for row in rows.rows} == ({"", "difference"} if arm.startswith("decide") else {""})
    expected = Trials(rows, patients=1).predict(parameter_values(DRAWS))
    found = {one.curve: one for one in arm_curves(DRAWS, [arm], patients=1)}
    for place, row in enumerate(rows.rows):
        band = Band.of(expected[:, place : place + 1])
        ends = float(band.low[0]), float(band.median[0]), float(band.high[0])
        # Days of the grid after a re-based row may lie in another interval of the solver's output.
        assert found[row.curve].at(row.sample_day) == pytest.approx(ends, abs=1e-6)
        assert row.sample_day in found[row.curve].days


def test_rows_of_a_visit_are_compared_before_its_dose(stopped: tuple[ArmCurve, ...]) -> None:
    ctx = next(one for one in stopped if (one.arm, one.curve) == ("phase2_60_q6m", "CTX"))
    visit = arms()[ctx.arm].visits[0]
    row = next(row for row in ctx.rows if abs(row.sample_day - visit) < 0.5)
    assert row.sample_day < visit
    assert {visit, visit + 3.0} <= set(ctx.days)
    assert ctx.at(visit + 3.0)[1] < ctx.at(row.sample_day)[1] - 10.0
    assert np.all(np.diff(ctx.days) > 0)
    assert np.diff(ctx.days).max() <= 7.0
    assert ctx.days[0] == 0.0


def test_the_interval_is_over_draws_and_each_structure_has_its_median(stopped: tuple[ArmCurve, ...]) -> None:
    many = Draws(KEYS, np.repeat(DRAWS.values[[0, 2]], 3, axis=0), (*["recycling_half"] * 3, *["gate_blocking"] * 3),
                 DRAWS.weights)  # fmt: skip
    ctx = arm_curves(many, [ARM], patients=1)[0]
    assert ctx.curve == "CTX"
    assert set(ctx.structures) == {"recycling_half", "gate_blocking"}
    ends = np.array(list(ctx.structures.values()))
    after = ctx.days > 760
    assert np.ptp(ends, axis=0)[after].max() > 1.0
    assert np.allclose(ctx.band.median, ends.mean(axis=0))
    assert np.allclose([ctx.band.low, ctx.band.high], [ends.min(axis=0), ends.max(axis=0)])
    assert all(np.all((one.band.low <= one.band.median) & (one.band.median <= one.band.high)) for one in stopped)
    assert all(one.structures == {} for one in stopped)  # with one draw of a structure there is none


def test_every_row_that_can_be_compared_is_in_one_curve() -> None:
    wanted = ["miller_zoledronate", "defend_denosumab", "choi_denosumab"]
    found = arm_curves(DRAWS, wanted, patients=1)
    rows = [row for use in ("fit", "check", "noise") for row in observations(use).where(arm=wanted).rows]
    told = [row for one in found for row in one.rows]
    assert len(told) == len(rows)
    assert {(row.file, row.line) for row in told} == {(row.file, row.line) for row in rows}
    assert [one.arm for one in found] == sorted((one.arm for one in found), key=list(arms()).index)


def test_a_failed_draw_is_left_out() -> None:
    band = Band.of(np.array([[1.0, 2.0], [np.nan, 2.0], [3.0, 4.0]]))
    assert band.median.tolist() == [2.0, 3.0]
    assert np.isnan(Band.of(np.full((2, 3), np.nan)).median).all()


def test_the_error_is_over_rows_of_one_use_that_are_not_censored() -> None:
    rows = observations("fit").where(arm="phase2_210_q6m", curve="CTX").rows
    rows = (replace(rows[0], censored=True), replace(rows[1], use="noise"), *rows[2:])
    days = np.array(sorted({row.sample_day for row in rows}))
    flat = Band(*(np.full(len(days), level) for level in (-95.0, -90.0, -85.0)))
    one = ArmCurve("phase2_210_q6m", "CTX", "", "", days, flat, {}, rows)
    values = [row.value for row in rows[2:]]
    assert one.rmse("fit") == pytest.approx(np.sqrt(np.mean((np.array(values) + 90.0) ** 2)))
    assert one.rmse("check") is None


def test_draws_keep_the_shares_of_their_structures() -> None:
    many = Draws(("a",), np.arange(200.0)[:, None], (*["one"] * 150, *["two"] * 50), {"one": 0.75, "two": 0.25})
    some = chosen(many, 60)
    assert (some.structures.count("one"), some.structures.count("two")) == (45, 15)
    assert len(set(some.values[:, 0])) == 60
    assert chosen(many, 500) is many


def test_what_a_structure_fixes_stands_in_for_what_a_draw_lacks() -> None:
    values = parameter_values(DRAWS)
    assert values["turnover.pool_coupling"].tolist() == [0.7, 0.8, 1.0]
    assert values["turnover.recycling"].tolist() == [0.5, 0.5, 0.0]
    assert values["turnover.drug_loss"].tolist() == [0.7, 0.85, 1.0]


def test_an_earlier_treatment_is_re_based() -> None:
    own = arms()["stand_denosumab"]
    days = grid(own)
    assert days[0] == own.baseline_day < 0 == days[1]
    bmd = arm_curves(DRAWS, [own.key], patients=1)[0]
    assert bmd.at(own.baseline_day) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)


def test_an_unknown_arm_is_refused() -> None:
    with pytest.raises(InputError, match="is not a study arm"):
        arm_curves(DRAWS, ["phase2_61_q6m"])


def test_curves_do_not_depend_on_published_values(tmp_path: Path) -> None:
    for name in ("markers.csv", "bmd.csv"):
        shutil.copy(FOLDER / name, tmp_path / name)
    with (tmp_path / "bmd.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    for row in table:
        if row["study"].startswith("DECIDE"):
            row["value"] = str(float(row["value"]) + 3.0)
    with (tmp_path / "bmd.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, list(table[0]))
        out.writeheader()
        out.writerows(table)
    shipped, moved = (arm_curves(DRAWS, ["decide_denosumab"], data=data, patients=1) for data in (None, tmp_path))
    for one, other in zip(shipped, moved, strict=True):
        assert np.array_equal(one.band.median, other.band.median)
        assert [row.value + 3.0 for row in one.rows] == pytest.approx([row.value for row in other.rows])


def test_more_denosumab_suppresses_more_and_longer() -> None:
    found = {one.measure: one for one in dose_response(DRAWS, patients=1)}
    assert list(found) == [*(f"CTX_month_{k}" for k in range(1, 7)), "CTX_area", "BMD_lumbar_spine", "BMD_total_hip"]
    for one in found.values():
        assert one.dose.tolist() == list(DOSES)
        steps = np.diff(one.band.median)
        assert np.all(steps < 0) if one.measure.startswith("CTX_month") else np.all(steps > 0)
    # What is left of a small dose wears off month by month.
    assert np.all(np.diff([found[f"CTX_month_{k}"].band.median[0] for k in range(2, 7)]) > 0)
    area = found["CTX_area"].band.median
    assert 0 < area[0] < area[-1] < 600


def test_published_effects_lie_at_their_dose() -> None:
    found = {one.measure: {point.arm: point for point in one.points} for one in dose_response(DRAWS, patients=1)}
    every_six = {"phase2_14_q6m", "phase2_60_q6m", "phase2_100_q6m", "phase2_210_q6m"}
    every_three = {"phase2_6_q3m", "phase2_14_q3m", "phase2_30_q3m"}
    assert set(found["CTX_month_1"]) == set(found["CTX_month_3"]) == every_six | every_three
    assert set(found["CTX_month_4"]) == set(found["CTX_month_6"]) == set(found["CTX_area"]) == every_six
    rows = observations("fit").where(arm="phase2_60_q6m")
    month = {row.day: row for row in rows.rows if row.curve == "CTX"}
    point = found["CTX_month_6"]["phase2_60_q6m"]
    assert (point.dose, point.value, point.use) == (60.0, month[183.0].value, "fit")
    assert found["CTX_month_3"]["phase2_6_q3m"].dose == 6.0
    days = [0.0, *(day for day in sorted(month) if day <= 183.0)]
    values = [0.0, *(-month[day].value for day in days[1:])]
    expected = sum(0.5 * (values[k] + values[k + 1]) * (days[k + 1] - days[k]) for k in range(len(days) - 1)) / MONTH
    assert found["CTX_area"]["phase2_60_q6m"].value == pytest.approx(expected)
    assert set(found["BMD_lumbar_spine"]) == every_six


def test_models_stand_beside_what_was_observed(stopped: tuple[ArmCurve, ...]) -> None:
    ctx, p1np = comparisons(stopped)
    assert (ctx.endpoint, p1np.endpoint) == ("CTX", "P1NP")
    assert ctx.days == (3.0, 30.0, 182.0, 730.0, 821.0, 912.0, 1095.0, 1277.0, 1460.0)
    assert {row.arm for day, row in ctx.observed.items() if day > 10} == {ARM}
    assert ctx.observed[3.0].arm == "phase2_60_q6m"
    assert ctx.observed[912.0].value == 62.3
    # On the day of a dose a sample was taken before it.
    assert ctx.osteon[182.0] == ctx.curve.at(arms()[ARM].visits[0] - 0.01)
    assert ctx.osteon[182.0][1] > ctx.curve.at(arms()[ARM].visits[0] + 3.0)[1] + 10.0
    observed = {day: row.value for day, row in ctx.observed.items()}
    assert ctx.rmse(observed) == (0.0, 0.0)
    assert ctx.rmse({day: value + (3.0 if day > 731 else 0.0) for day, value in observed.items()}) == (
        0.0,
        pytest.approx(3.0),
    )
    assert ctx.rmse({912.0: 62.3}) == (None, 0.0)
    assert comparisons([one for one in stopped if one.arm != ARM]) == ()


def test_re_simulated_models_say_where_they_come_from() -> None:
    found = resimulated()
    assert {name.split(" ")[0] for name in (model.name for model in found["CTX"])} >= {
        "OpenBoneMin",
        "Joerg",
        "standard",
    }
    for model in (model for models in found.values() for model in models):
        assert ("not checked against the authors' plots" in model.provenance) != model.fitted
        assert all(-100 <= value <= 100 for value in model.values.values())
    assert all(value == 0.0 for day, value in found["CTX"][2].values.items() if day > 700)


def test_a_picture_is_of_the_same_draws_and_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said: list[tuple[str, int, int]] = []
    for name in ("markers.csv", "bmd.csv"):
        lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines[1:] if line.startswith("Bone 2011") or "FREEDOM (Cummings" in line]
        (tmp_path / name).write_text("\n".join([lines[0], *kept]) + "\n", encoding="utf-8")
    monkeypatch.setattr("osteon.calibrate.curves.COUNT", 1)
    small = partial(Trials, patients=1)
    for module in ("curves", "dose_response"):
        patched = lambda rows, patients, threads: small(rows, threads=threads)  # noqa: E731
        monkeypatch.setattr(f"osteon.calibrate.{module}.VirtualTrials", patched)
    monkeypatch.setattr("osteon.calibrate.dose_response.DOSES", (14.0, 60.0))
    found = picture(DRAWS, Settings(data=tmp_path, threads=1), lambda *step: said.append(step))
    keys = list(dict.fromkeys(one.arm for one in found.arms))
    assert ARM in keys
    assert "freedom_denosumab" in keys
    assert found.draws == 1
    assert [one.points for one in found.doses] == [()] * 9  # the dose-ranging trial is not in this folder
    assert said == [("curves", k, len(keys)) for k in range(len(keys))] + [("dose-response", k, 2) for k in range(2)]


def test_no_rows_are_needed_for_a_curve() -> None:
    trials = Trials(Observations(()), patients=1)
    curves = trials.curves(arms()[ARM], np.array([0.0, 30.0]), ["CTX"], parameter_values(DRAWS))
    assert curves["CTX"].shape == (3, 2)
    assert np.all(curves["CTX"][:, 0] == 0.0)
    assert np.all(curves["CTX"][:, 1] < -60.0)

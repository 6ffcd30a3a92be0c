"""The turnover layer as it is calibrated: which rows go in, that check rows never do, what the shipped fit gives."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import osteon
from osteon.calibrate.free import Held
from osteon.calibrate.run import calibrate
from osteon.calibrate.scores import values_of
from osteon.calibrate.subject import Settings
from osteon.calibrate.turnover import ablated, block_of, problems, records, rows_of
from osteon.calibrate.virtual import VirtualTrials
from osteon.evidence import Observations, arms
from osteon.evidence.table import FOLDER
from osteon.parameters.posterior import STRUCTURES, fixed_by, shipped

HALF = "recycling_half"


@pytest.fixture(scope="module")
def best() -> dict[str, float]:
    """The shipped defaults of every free parameter."""
    return {key: record.value for key, record in records().items()}


def test_every_row_to_fit_is_in_exactly_one_block() -> None:
    every = problems(STRUCTURES, Settings())
    whole = rows_of("fit", None)
    for blocks in every.values():
        assert sum(len(one.observed) for one in blocks.values()) == len(whole) == 694
        for block, one in blocks.items():
            assert {row.use for row in one.rows.rows} == {"fit"}
            assert set(block_of(one.rows)) == {block}


def test_structures_and_ablations_hold_what_they_say() -> None:
    every = problems(STRUCTURES, Settings())
    for name, blocks in every.items():
        assert not set(fixed_by(name)) & {one.key for one in blocks["core"].free}
    for one in ablated(HALF, Settings()).values():
        assert not set(one.fixed) & {free.key for free in one.free}


# ---- check rows ----------------------------------------------------------------------------------------------------


def changed(folder: Path, use: str) -> Path:
    """The shipped tables with every value of one use moved."""
    shutil.copytree(FOLDER, folder)
    for name in ("markers.csv", "bmd.csv"):
        with (folder / name).open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
        for row in rows:
            if row["use"] == use:
                row["value"] = str(float(row["value"]) + 7.0)
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            out = csv.DictWriter(stream, list(rows[0]))
            out.writeheader()
            out.writerows(rows)
    return folder


def alendronate_posterior(data: Path | None, best: dict[str, float]) -> np.ndarray:
    """Draws of the smallest block, all else held, from a short but complete calibration."""
    whole = problems([HALF], Settings(data=data, threads=2))[HALF]["alendronate"]
    # One arm will do, and one kernel; rows of every use are read all the same.
    whole = replace(whole, rows=whole.rows.where(arm="arch_alendronate"))
    held = {one.key: float(one.to_z(best[one.key])) for one in whole.free if one.block == "core"}
    problem = Held(replace(whole, patients=2), held)
    found = calibrate({HALF: {"alendronate": problem}}, seed=3, starts=1, steps=6, walkers=8, draws=20)
    return found.joint.draws.values


def test_check_rows_never_reach_the_posterior(tmp_path: Path, best: dict[str, float]) -> None:
    shipped_rows = alendronate_posterior(None, best)
    assert alendronate_posterior(changed(tmp_path / "check", "check"), best).tobytes() == shipped_rows.tobytes()
    assert alendronate_posterior(changed(tmp_path / "noise", "noise"), best).tobytes() == shipped_rows.tobytes()
    assert not np.array_equal(alendronate_posterior(changed(tmp_path / "fit", "fit"), best), shipped_rows)


def test_check_rows_never_reach_any_problem(tmp_path: Path) -> None:
    usual = problems(STRUCTURES, Settings())
    other = problems(STRUCTURES, Settings(data=changed(tmp_path / "check", "check")))
    for name, blocks in usual.items():
        for block, one in blocks.items():
            assert one.observed.content_hash() == other[name][block].observed.content_hash()


# ---- what is predicted ---------------------------------------------------------------------------------------------


def test_a_typical_patient_is_the_one_that_simulate_gives() -> None:
    """One virtual patient without spread, on the compiled kernel, against the plain Python back end."""
    arm = arms()["phase2_14_q6m"]
    days = np.array([30.0, 90.0, 150.0, 180.0, 400.0, 700.0])
    trials = VirtualTrials(Observations(()), {"endocrine.supplements": 0.0}, patients=1, tolerance=1e-5)
    found = trials.curves(arm, days, ["CTX", "BMD_total_hip"], {"markers.ctx_floor": np.array([0.1])})
    course = osteon.simulate(arm.scenario(), draws=0)
    series = course.data["BMD_total_hip"].isel(arm=0).interp(time=days).values
    assert found["BMD_total_hip"][0] == pytest.approx(series, abs=2e-3)
    floor = records()["markers.ctx_floor"].value
    rescaled = course.data["CTX"].isel(arm=0).interp(time=days).values * (1 - 0.1) / (1 - floor)
    assert found["CTX"][0] == pytest.approx(rescaled, abs=0.2)


def rmse(where: np.ndarray, rows: Observations, found: np.ndarray) -> float:
    assert where.sum() > 3
    return float(np.sqrt(np.mean((found - rows.value)[where] ** 2)))


def test_the_headline(best: dict[str, float]) -> None:
    """The shipped fit meets its rows, and what it never saw: the rebound after stopping (limits as they were set)."""
    values = {key: np.array([value]) for key, value in best.items()}
    found = {}
    for use in ("fit", "check"):
        every = rows_of(use, None)
        rows = every.where(arm=[key for key in set(every.arm) if key.startswith(("phase2_", "bone2011_denosumab"))])
        found[use] = rows, VirtualTrials(rows, fixed_by(HALF), patients=32, threads=2).predict(values)[0]
    rows, predicted = found["check"]
    stopped = rows.arm == "bone2011_denosumab"
    assert rmse(stopped & (rows.curve == "CTX"), rows, predicted) < 15
    assert rmse(stopped & (rows.curve == "BMD_total_hip"), rows, predicted) < 1.2
    rows, predicted = found["fit"]
    phase2 = np.char.startswith(rows.arm.astype(str), "phase2_")
    assert rmse(phase2 & (rows.curve == "BSAP"), rows, predicted) < 9
    assert rmse(phase2 & (rows.curve == "BMD_total_hip"), rows, predicted) < 0.8


def test_the_shipped_posterior_is_small_and_whole() -> None:
    draws = shipped()
    assert draws is not None
    assert 1 < len(draws) <= 200
    assert set(draws.keys) == set(records())
    assert sum(draws.weights.values()) == pytest.approx(1)
    counts = {name: draws.structures.count(name) / len(draws) for name in STRUCTURES}
    assert counts == pytest.approx(dict(draws.weights), abs=1.01 / len(draws))
    half = np.array([place for place, name in enumerate(draws.structures) if name == HALF])
    for key, value in values_of(draws, half).items():
        low, high = records()[key].range or (-np.inf, np.inf)
        assert low <= np.median(value) <= high, key

"""`osteon calibrate`, with a toy in place of the model of bone turnover."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from osteon.calibrate.store import read_draws
from tests.cli.conftest import Call

from . import toys

FILES = {"posterior.nc", "parameters.toml", "calibration.json", "calibration.html", "calibration.zh.html"}
FAST = ("--steps", 40, "--starts", 2)


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "osteon.calibrate.turnover", toys)


def table(folder: Path, shift: float) -> Path:
    """Observed rows, with check rows among them that lie elsewhere by `shift`."""
    folder.mkdir()
    with (folder / "markers.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["study", "value", "use"])
        for k, value in enumerate(toys.ROWS):
            out.writerow(["ab"[k % 2], value, "fit"])
            out.writerow(["ab"[k % 2], value + shift, "check"])
    return folder


def test_prints_what_it_found_and_writes_every_file(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "result"
    said = call("calibrate", "turnover", "--out", out, *FAST)
    assert said.code == 0
    assert {path.name for path in out.iterdir()} == FILES | {"run.json", "parts"}
    for word in (
        "plain",
        "bent",
        "romosozumab",
        "CTX, RMSE",
        "met",
        "missed",
        "turnover.drug_loss",
        "regrowth",
        "200 draws",
    ):
        assert word in said.out
    assert "has not settled" in said.out
    assert str(out / "posterior.nc") in said.out
    assert json.loads((out / "calibration.json").read_text(encoding="utf-8"))["draws"] == 200


def test_json_is_one_document_and_writes_nothing(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = call("calibrate", "turnover", "--json", "--quick").document()
    assert told["manifest"]["steps"] == 100
    assert told["manifest"]["starts"] == 2
    assert {"targets", "parameters", "identifiability", "ablations", "structures"} <= set(told)
    assert list(tmp_path.iterdir()) == []


def test_check_rows_are_never_read(call: Call, tmp_path: Path) -> None:
    found = []
    for name, shift in (("first", 3.0), ("second", -40.0)):
        data = table(tmp_path / f"data-{name}", shift)
        assert call("calibrate", "turnover", "--data", data, "--out", tmp_path / name, *FAST).code == 0
        found.append(tmp_path / name / "posterior.nc")
    assert found[0].read_bytes() == found[1].read_bytes()
    # Not because nothing is read: a fitted row does move the posterior.
    moved = table(tmp_path / "data-moved", 3.0)
    text = (moved / "markers.csv").read_text(encoding="utf-8")
    (moved / "markers.csv").write_text(text.replace("check", "fit"), encoding="utf-8")
    assert call("calibrate", "turnover", "--data", moved, "--out", tmp_path / "moved", *FAST).code == 0
    assert not np.array_equal(read_draws(found[0]).values, read_draws(tmp_path / "moved" / "posterior.nc").values)


def test_interrupted_and_resumed(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, out, calls = tmp_path / "whole", tmp_path / "out", 0
    assert call("calibrate", "turnover", "--out", whole, *FAST).code == 0
    predict = toys.Toy.predict

    def interrupted(self: toys.Toy, z: np.ndarray) -> np.ndarray:
        nonlocal calls
        calls += 1
        if calls == 150:
            raise KeyboardInterrupt
        return predict(self, z)

    monkeypatch.setattr(toys.Toy, "predict", interrupted)
    said = call("calibrate", "turnover", "--out", out, *FAST)
    assert said.code == 130
    assert "kept in" in said.err
    assert "--resume" in said.err
    assert not (out / "posterior.nc").exists()
    assert call("calibrate", "turnover", "--out", out, *FAST).code == 2
    said = call("calibrate", "turnover", "--out", out, "--resume", *FAST)
    assert said.code == 0
    assert (out / "posterior.nc").read_bytes() == (whole / "posterior.nc").read_bytes()


BAD = {
    "subject": (
        ("turnovr",),
        '"turnovr" cannot be calibrated (allowed: turnover, callus, people); did you mean "turnover"?',
    ),
    "steps": (("turnover", "--steps", 1), "--steps: 1 is not a whole number"),
    "starts": (("turnover", "--starts", 0), "--starts: 0 is not"),
    "threads": (("turnover", "--threads", 0), "--threads: 0 is not"),
    "walkers": (("turnover", "--walkers", 5), "5 is too few or odd"),
    "seed": (("turnover", "--seed", -4), "seed: -4 is not"),
    "data": (("turnover", "--data", "nowhere"), "--data: nowhere is not a folder"),
    "resume": (("turnover", "--json", "--resume"), "--resume: there is no folder to go on with"),
}


@pytest.mark.parametrize(("arguments", "says"), BAD.values(), ids=BAD)
def test_bad_input(call: Call, arguments: tuple, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = call("calibrate", *arguments)
    assert said.code == 2
    assert said.out == ""
    assert says in said.err
    assert said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_one_sentence(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osteon.calibrate.run.find_spec", lambda name: None)
    said = call("calibrate", "turnover")
    assert said == (2, "", 'Error: Calibration needs an optional package: pip install "osteon[calibrate]".\n')


def test_help_is_there(call: Call) -> None:
    said = call("calibrate", "--help")
    assert said.code == 0
    assert "Usage: osteon calibrate" in said.out
    for option in ("--out", "--seed", "--starts", "--steps", "--walkers", "--quick", "--resume", "--threads", "--json"):
        assert option in said.out

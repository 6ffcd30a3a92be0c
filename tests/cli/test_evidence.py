"""``osteon evidence``, with runs that are made up."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from osteon.cli import evidence as command
from osteon.errors import InputError
from osteon.evidence.studies import rows_of, study
from osteon.replay import run as running
from osteon.replay.run import Replay
from osteon.replay.scoring import Seen, scored, unscored

KEY = "gerstenfeld_2009"


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Replay]:
    """The run that the command gets; the test may put another in its place."""
    of = study(KEY)
    rows = [(result, row) for result in of.results for row in rows_of(result)]
    result, row = rows[0]
    good = scored(of, result, row, Seen(1.0, sd=0.2, label="osteoclasts"), "animal", [0.9, 1.1], [0.5, 1.5])
    bad = scored(of, result, row, Seen(5.0, sd=0.2, label="callus_volume"), "animal", [0.9, 1.1], [0.5, 1.5])
    none = unscored(of, *rows[1], "nobody measured it", "无人测量")
    kept = [Replay({KEY: of}, (good, bad, none), seconds=1.0)]
    monkeypatch.setattr(running, "replay", lambda *given, **more: kept[0])
    return kept


def call(*arguments: object):
    app = typer.Typer()
    command.register(app)
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_published_stands_beside_simulated(found: list[Replay]) -> None:
    said = call("--study", KEY)
    assert said.exit_code == 0
    for text in ("covered", "missed", "callus_volume", "nobody measured it", "1/2 (50 %)", "as printed"):
        assert text in said.stdout, text
    chinese = call("--study", KEY, "--lang", "zh").stdout
    for text in ("未命中", "无人测量", "覆盖", "局限"):
        assert text in chinese, text


def test_of_many_studies_every_miss_is_printed(found: list[Replay]) -> None:
    one = found[0]
    others = {f"{KEY}_{number}": study(KEY) for number in range(20)}
    found[0] = replace(one, studies={**one.studies, **others}, outcomes=one.outcomes * 15)
    said = call()
    assert said.stdout.count("callus_volume") == 15
    assert "osteoclasts" not in said.stdout


def test_one_document_and_files(found: list[Replay], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    said = call("--json", "--out", tmp_path / "run")
    told = json.loads(said.stdout)
    assert [one["verdict"] for one in told["outcomes"]] == ["covered", "missed", "not simulated"]
    assert json.loads((tmp_path / "run" / "evidence.json").read_text(encoding="utf-8")) == told
    with (tmp_path / "run" / "evidence.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["verdict"] for row in rows] == ["covered", "missed", "not simulated"]
    assert rows[0]["study_species"] == "mouse"
    assert rows[2]["simulated"] == ""


def test_a_failed_study_is_named(found: list[Replay]) -> None:
    found[0] = replace(found[0], failures={KEY: "it cannot be solved."})
    said = call("--study", KEY)
    assert said.exit_code == 3
    assert "it cannot be solved" in said.stdout


def test_an_interruption_says_what_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*given: object, **more: object) -> Replay:
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "replay", stopped)
    said = call()
    assert isinstance(said.exception, command.Interrupted)
    assert said.exception.exit_code == 130
    assert "kept" in str(said.exception)


def test_bad_input() -> None:
    for arguments in (("--study", "decid"), ("--use", "fits"), ("--threads", "0")):
        said = call(*arguments)
        assert isinstance(said.exception, InputError), arguments

"""Draws on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from osteon.ensemble import kernels
from osteon.parameters import posterior
from osteon.scenario import Scenario
from osteon.simulation import simulate
from osteon.uncertainty import systems_of
from tests.cli.conftest import SMALL, Call
from tests.cli.conftest import call as call


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A small scenario whose kernels are at hand, so that no word about making them stands on standard error."""
    simulate(Scenario.parse(SMALL), draws=1)
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def test_help_explains_draws(call: Call) -> None:
    for command in ("heal", "demo"):
        said = " ".join(call(command, "--help").out.replace("│", " ").split())
        assert "--draws" in said
        assert "0 for none" in said


def test_heal_says_what_stands_in_brackets(call: Call, small: Path, tmp_path: Path) -> None:
    said = call("heal", small, "--out", tmp_path / "out")
    assert (said.code, said.err) == (0, "")
    assert "5–95 % over 20 draws" in said.out
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["draws"]["number"] == 20
    said = call("heal", small, "--out", tmp_path / "none", "--draws", 0)
    assert "draws of parameters" not in said.out
    assert "draws" not in json.loads((tmp_path / "none" / "manifest.json").read_text(encoding="utf-8"))


def test_a_document_of_some_draws(call: Call, small: Path) -> None:
    document = call("heal", small, "--json", "--draws", 4).document()
    assert document["manifest"]["draws"]["number"] == 4
    series = document["arms"][0]["series"]["CTX"]
    assert len(series["low"]) == len(series["high"]) == len(series["value"])
    ends = document["arms"][0]["endpoints"]["CTX_last"]
    assert ends["low"] < ends["high"]


def test_too_many_draws_are_one_sentence(call: Call, small: Path) -> None:
    said = call("heal", small, "--json", "--draws", 500)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("Error: draws: 500 is too many")
    assert said.err.count("\n") == 1


def test_warmup_makes_what_draws_need(call: Call, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A drug first given after the fracture: its skeleton without a callus is a system of the draws alone."""
    late = SMALL.replace("start: -30 days", "start: 30 days")
    small.write_text(late, encoding="utf-8")
    asked: list[str] = []

    def warm_up(systems, on_wait):
        asked.extend(system.name for system in systems)
        return 0, len(asked)

    monkeypatch.setattr(kernels, "warm_up", warm_up)
    assert call("warmup", small).code == 0
    assert {system.name for system in systems_of(Scenario.parse(late))} == {"turnover", "turnover_denosumab"}
    assert {"turnover", "turnover_denosumab"} <= set(asked)
    asked.clear()
    monkeypatch.setattr(posterior, "SHIPPED", small.with_name("none.nc"))
    assert call("warmup", small).code == 0
    assert "turnover_denosumab" not in asked

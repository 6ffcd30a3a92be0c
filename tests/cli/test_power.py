"""``osteon power``: what it prints and writes, what it refuses, and what is kept when it is interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from osteon.cli.app import app
from osteon.cli.power import register
from tests.cli.conftest import Call, Said

LOGNORMAL = ("--log-sd", "0.45", "--effect", "ratio=0.8", "--trials", "20", "--n", "30,20")


@pytest.fixture
def power(call: Call, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run the command, whether or not the program lists it yet."""
    if "power" not in {one.name for one in app.registered_commands}:
        monkeypatch.setattr(app, "registered_commands", [*app.registered_commands])
        register(app)
    return lambda *arguments: call("power", *arguments)


def test_one_document_and_nothing_else(power: Callable[..., Said]) -> None:
    said = power(*LOGNORMAL, "--backend", "python", "--json")
    assert (said.code, said.err) == (0, "")
    found = said.document()
    assert [row["n"] for row in found["power"]] == [20, 30]
    assert {"null", "looks", "walk", "variations", "population", "method", "versions", "command"} <= set(found)
    assert found["effect"] == {"kind": "ratio", "ratio": 0.8}
    # The command that it names gives the same numbers.
    assert found["command"].endswith(" --backend python")
    again = power(*found["command"].split()[2:], "--json").document()
    assert again == found


def test_a_folder_with_every_file(power: Callable[..., Said], tmp_path: Path) -> None:
    said = power(*LOGNORMAL, "--out", tmp_path / "out", "--lang", "zh")
    assert said.code == 0
    assert "检验效能" in said.out
    names = {"power.json", "power.csv", "report.html", "power.png", "walk.png", "variations.png"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert 'lang="zh' in page
    assert page.count("<svg") >= 3
    assert (tmp_path / "out" / "power.png").read_bytes().startswith(b"\x89PNG")
    rows = (tmp_path / "out" / "power.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].startswith("what,design,n,trials")
    assert {row.split(",")[1] for row in rows[1:]} >= {"planned", "weekly", "obrien_fleming"}


def test_times_at_visits_and_the_planned_method(power: Callable[..., Said]) -> None:
    found = power(
        *LOGNORMAL[:-1], "20", "--visits", "6 weeks, 12 weeks, 26 weeks", "--planned", "1", "--json"
    ).document()
    assert found["population"]["visits"] == [42, 84, 182]
    assert found["method"] == {
        "planned": "log_time",
        "test": "wilcoxon",
        "stands_in": "censored",
        "measure": "hazard_ratio",
    }
    assert found["planned"]["rows"][0]["trials"] == 1


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ((), "STUDY"),
        (("--log-sd", "0.45"), "--effect"),
        ((*LOGNORMAL, "--arm", "x"), "--arm"),
        ((*LOGNORMAL, "--n", "many"), "--n"),
        ((*LOGNORMAL, "--trials", "0"), "--trials"),
        ((*LOGNORMAL, "--visits", "yearly"), "--visits"),
        ((*LOGNORMAL, "--median", "5 kg"), "--median"),
        ((*LOGNORMAL, "--population", "1"), "--population"),
        (("tibia_nail_trial", "--draws", "0"), "--draws"),
        (("tibia_nail_trial", "--draws", "-5"), "--draws"),
        ((*LOGNORMAL, "--resume", "--json"), "--resume"),
        (("no_such_study", "--median", "9 weeks"), "--median"),
        (("no_such_study",), "preset"),
        (("missing.yaml",), "missing.yaml"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_place(
    power: Callable[..., Said], arguments: tuple[str, ...], path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = power(*arguments)
    assert said.code == 2
    assert said.err.startswith(f"Error: {path}: ")
    assert said.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_is_done_is_kept_on_an_interruption(
    power: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("osteon.trial.power.walk", stop)
    said = power(*LOGNORMAL, "--out", tmp_path / "out")
    assert said.code == 130
    assert "3 steps" in said.err
    kept = json.loads((tmp_path / "out" / "power.json").read_text(encoding="utf-8"))
    assert kept["partial"]
    assert kept["done"] == ["power", "null", "looks"]
    assert "Interrupted" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    monkeypatch.setattr("osteon.trial.power.run_cell", stop)
    said = power(*LOGNORMAL, "--json")
    assert (said.code, said.out) == (130, "")


def test_people_that_cannot_be_solved_are_counted_in_the_exit_code(
    power: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    from osteon.trial.power_design import LognormalPopulation

    about = LognormalPopulation.about
    monkeypatch.setattr(LognormalPopulation, "about", lambda self: {**about(self), "failed": 2})
    said = power(*LOGNORMAL, "--json")
    assert said.code == 3
    assert said.document()["population"]["failed"] == 2

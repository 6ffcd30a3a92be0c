"""What `osteon credibility` writes, prints and refuses; nothing is solved."""

from __future__ import annotations

from pathlib import Path

import pytest

from osteon.cli import credibility as command
from osteon.cli.app import app
from osteon.report import credibility_checks as checking
from osteon.report.credibility_checks import Check

from .conftest import Call


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    if not any(one.name == "credibility" for one in app.registered_commands):
        command.register(app)


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(study, days, sbml, tell) -> list[Check]:
        tell("scipy", 0, 1)
        return [Check("scipy", 2e-7, 1e-5, {"days": 60.0})]

    monkeypatch.setattr(checking, "measure", measure)


def test_a_file_is_written(call: Call, tmp_path: Path) -> None:
    said = call("credibility", "--study", "denosumab_stop_trial", "--lang", "zh")
    assert (said.code, said.err) == (0, "")
    text = (tmp_path / "credibility.md").read_text(encoding="utf-8")
    assert "模型风险" in text
    assert "2e-07" in text
    assert "充分性" in said.out
    assert "credibility.md" in said.out


def test_a_page_of_a_study_in_a_file(call: Call, tmp_path: Path) -> None:
    from osteon.trial.study_library import preset_text

    (tmp_path / "mine.yaml").write_text(preset_text("denosumab_stop_trial"), encoding="utf-8")
    said = call("credibility", "--study", "mine.yaml", "--question", "Stop?", "--out", "deep/mine.html")
    assert said.code == 0
    page = (tmp_path / "deep" / "mine.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "Stop?" in page
    assert "mine.yaml" in page


def test_one_document_for_machines(call: Call, tmp_path: Path) -> None:
    said = call("credibility", "--study", "denosumab_stop_trial", "--json", "--influence", "high")
    document = said.document()
    assert (said.code, said.err) == (0, "")
    assert document["osteon_credibility"] == 1
    assert document["risk"]["risk"] == 4
    assert document["evidence"] is None
    assert document["checks"][0]["ok"] is True
    assert not list(tmp_path.glob("credibility*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--study", "hip_fixation_tril"), "hip_fixation_trial"),
        (("--study", "none.yaml"), "none.yaml"),
        (("--influence", "great"), "--influence: "),
        (("--context", ""), "--context: is empty"),
        (("--evidence", "nowhere"), "nowhere"),
        (("--junit", "nowhere.xml"), "nowhere.xml: cannot be read"),
        (("--out", "page.pdf"), "--out: is neither .md nor .html"),
    ],
)
def test_what_is_wrong_is_named(call: Call, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    said = call("credibility", *arguments)
    assert said.code == 2
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not list(tmp_path.iterdir())

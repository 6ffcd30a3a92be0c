"""``osteon review``."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from osteon.cli import review
from osteon.errors import InputError
from osteon.evidence.claims import review as told
from osteon.replay import claims
from osteon.replay.claim_measures import Estimate
from osteon.replay.claims import Checked, ClaimResult, Reviewed


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """The command by itself, with a review that takes no time."""

    def run(keys=None, *, quick: bool = False, on_progress=None) -> Reviewed:
        if on_progress is not None:
            on_progress("a run", 1, 2)
        found = []
        for key in keys or ("C17", "C41"):
            one = told().claims[key]
            tested = tuple(
                Checked(p, Estimate(0.9, 0.8, 0.95, "ratio", "draws", 60), "disagrees", "no") for p in one.tests
            )
            found.append(ClaimResult(one, tested, "disagrees" if tested else "not_simulated"))
        return Reviewed(tuple(found), {}, quick)

    monkeypatch.setattr(claims, "run_review", run)
    made = typer.Typer()
    review.register(made)
    return made


def test_one_claim_is_printed_and_nothing_is_written(app: typer.Typer, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["--claim", "c17"])
    assert shown.exit_code == 0, shown.output
    assert "C17" in shown.stdout
    assert "disagrees" in shown.stdout
    assert "0.90" in shown.stdout
    assert not list(tmp_path.iterdir())


def test_all_claims_write_the_pages(app: typer.Typer, tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["--out", str(tmp_path / "r"), "--lang", "zh", "--quick"])
    assert shown.exit_code == 0, shown.output
    assert "不一致" in shown.stdout
    assert {path.name for path in (tmp_path / "r").iterdir()} == {"review.html", "review.zh.html", "review.json"}
    assert json.loads((tmp_path / "r" / "review.json").read_text(encoding="utf-8"))["quick"] is True
    page = (tmp_path / "r" / "review.html").read_text(encoding="utf-8")
    assert "osteon review --quick" in page
    assert 'href="evidence' not in page, "the page of all studies is not there"


def test_json_is_one_document(app: typer.Typer, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    document = json.loads(CliRunner().invoke(app, ["--json"]).stdout)
    assert [one["key"] for one in document["claims"]] == ["C17", "C41"]
    assert document["claims"][0]["numbers"][0]["low"] == 0.8
    assert not list(tmp_path.iterdir())


def test_an_unknown_claim_and_a_folder_that_cannot_be_are_refused(app: typer.Typer, tmp_path: Path) -> None:
    unknown = CliRunner().invoke(app, ["--claim", "C99"])
    assert isinstance(unknown.exception, InputError)
    (tmp_path / "file").write_text("")
    blocked = CliRunner().invoke(app, ["--out", str(tmp_path / "file")])
    assert isinstance(blocked.exception, InputError)


def test_an_interruption_says_what_is_kept(app: typer.Typer, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(claims, "run_review", stop)
    shown = CliRunner().invoke(app, ["--claim", "C17"])
    assert shown.exception is not None
    assert getattr(shown.exception, "exit_code", None) == 130
    assert "kept" in str(shown.exception)

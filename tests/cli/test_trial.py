"""What `osteon trial` and `osteon compare` print, write and refuse; what is simulated is made up."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from osteon.cli import trial as command
from osteon.cli.app import app
from osteon.trial import run as runner
from osteon.trial.folder import TrialRun, begin
from osteon.trial.study import Study

from ..report.test_trial_page import STUDY, made
from .conftest import Call

MANIFEST = {"kind": "osteon trial", "seed": 1, "versions": {"osteon": "9.9"}}


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    if not any(one.name == "trial" for one in app.registered_commands):
        monkeypatch.setattr(app, "registered_commands", list(app.registered_commands))
        command.register(app)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.json"
    path.write_text(json.dumps(STUDY), encoding="utf-8")
    return path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the runner was asked for; it answers with a made-up trial of which `failed` patients failed."""
    seen: dict[str, Any] = {"failed": 0}

    def run_trial(plan: Study, *, out: Path | None = None, on_progress: Any = None, **settings: Any) -> TrialRun:
        seen.update(settings, out=out, title=plan.title)
        on_progress("simulate", 0.4, 20, 40, 0)
        if seen.get("interrupt"):
            if out is not None:
                begin(out, plan, MANIFEST)
                (out / "run.json").write_text(json.dumps({"patients_done": 16, "patients": 40}))
            raise KeyboardInterrupt
        run = made(failed=seen["failed"])
        return written(run, out) if out is not None else run

    monkeypatch.setattr(runner, "run_trial", run_trial)
    return seen


def written(run: TrialRun, folder: Path, **manifest: Any) -> TrialRun:
    """The folder of a trial, as far as it is opened again."""
    begin(folder, run.study, MANIFEST)
    full = {**MANIFEST, "files": {"adsl.parquet": "0"}, **manifest}
    (folder / "manifest.json").write_text(json.dumps(full))
    (folder / "analysis.json").write_text(json.dumps(dict(run.analysis)))
    return TrialRun(run.study, folder, full, run.analysis)


def plain(text: str) -> str:
    return " ".join(text.split())


def test_it_prints_the_result_and_writes_the_report(call: Call, study: Path, asked: dict[str, Any]) -> None:
    said = call("trial", study, "--out", "here", "--patients", 40, "--seed", 3, "--threads", 1)
    assert (said.code, said.err) == (0, "")
    text = plain(said.out)
    assert "were 0.90 times those with placebo" in text
    assert "not treatment advice" in text
    assert "Report: here/report.html" in text
    assert {name: asked[name] for name in ("patients", "seed", "threads", "resume")} == {
        "patients": 40, "seed": 3, "threads": 1, "resume": False,
    }  # fmt: skip
    assert "A made-up trial" in Path("here/report.html").read_text(encoding="utf-8")


def test_chinese(call: Call, study: Path, asked: dict[str, Any]) -> None:
    said = call("trial", study, "--lang", "zh")
    assert said.code == 0
    assert "倍（95 % 区间" in said.out
    assert '<html lang="zh' in Path("osteon-trial/report.html").read_text(encoding="utf-8")


def test_failed_patients_are_named_and_change_the_exit_code(call: Call, study: Path, asked: dict[str, Any]) -> None:
    asked["failed"] = 2
    said = call("trial", study)
    assert said.code == 3
    assert "2 of 40 patients could not be solved" in plain(said.out)
    assert "no step was found" in said.out


def test_one_document_and_no_files(call: Call, study: Path, asked: dict[str, Any], tmp_path: Path) -> None:
    said = call("trial", study, "--json")
    told = said.document()
    assert (said.code, told["folder"], asked["out"]) == (0, None, None)
    assert told["analysis"]["estimates"][0]["value"] == 0.9
    assert told["failures"] == []
    assert [path.name for path in tmp_path.iterdir()] == ["study.json"]


def test_ctrl_c_says_what_is_kept(call: Call, study: Path, asked: dict[str, Any]) -> None:
    asked["interrupt"] = True
    said = call("trial", study, "--out", "here")
    assert said.code == 130
    assert "16 of 40 patients are done and kept in here; go on with --resume" in plain(said.err)
    said = call("trial", study, "--json")
    assert "nothing was written" in said.err


def test_a_study_is_named_by_its_file_its_folder_or_as_shipped(
    call: Call, study: Path, asked: dict[str, Any], tmp_path: Path
) -> None:
    written(made(), tmp_path / "old")
    assert call("trial", tmp_path / "old", "--json").code == 0
    assert asked["title"] == "A made-up trial"
    assert call("trial", "tibia_nail_trial", "--json").code == 0
    assert asked["title"] == Study.preset("tibia_nail_trial").title


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("tibia_nail_trail",), 'did you mean "tibia_nail_trial"?'),
        (("gone.yaml",), "gone.yaml"),
        (("study.json", "--json", "--resume"), "there is no folder to go on with"),
        (("study.json", "--out", "study.json"), "is a file, and a folder is needed"),
    ],
)
def test_what_is_refused(call: Call, study: Path, asked: dict[str, Any], arguments: tuple[str, ...], why: str) -> None:
    said = call("trial", *arguments)
    assert (said.code, said.out) == (2, "")
    assert why in said.err


def test_two_trials_side_by_side(call: Call, tmp_path: Path) -> None:
    written(made(), tmp_path / "one")
    other = made()
    changed = Study.parse({**STUDY, "seed": 2, "dropout": "20 %/yr"})
    estimates = [{**one, "value": 0.7} if one["primary"] else one for one in other.analysis["estimates"]]
    run = TrialRun(changed, None, {}, {**other.analysis, "estimates": estimates})
    written(run, tmp_path / "two", files={"adsl.parquet": "1"})
    said = call("compare", tmp_path / "one", tmp_path / "two")
    text = plain(said.out)
    assert said.code == 0
    for shown in ("dropout │ 10 %/yr │ 20 %/yr", "0.90 (0.80 – 1.02), p = 0.110", "0.70 (0.80", "61.2 (8.0)", "+0.50"):
        assert shown in text
    told = call("compare", tmp_path / "one", tmp_path / "two", "--json").document()
    assert {one["field"] for one in told["settings"]} == {"seed", "dropout"}
    primary = next(one for one in told["estimates"] if one["method"] == "interval")
    assert (primary["first"]["value"], primary["second"]["value"], told["same"]) == (0.9, 0.7, False)


def test_a_trial_that_was_moved_is_the_same_as_itself(call: Call, tmp_path: Path) -> None:
    written(made(), tmp_path / "one")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    text = plain(call("compare", tmp_path / "one", tmp_path / "two", "--lang", "zh").out)
    assert "两者的文件逐位相同" in text
    assert "两者的设定与版本相同" in text
    said = call("compare", tmp_path / "one", tmp_path / "gone")
    assert (said.code, "holds no trial" in said.err) == (2, True)

"""What `osteon schedule` prints, writes and refuses; what it computes is made up, but for one small real run."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from osteon.cli import schedule
from osteon.cli.app import app
from osteon.report import schedule_files
from osteon.report.locale import load
from osteon.report.schedule import render
from osteon.trial import dosing_run

from ..trial.fake_schedule import TEXT, made
from .conftest import Call

FILES = {"schedule.json", "schedule.csv", "draws.csv", "front.png", "report.html"}
#: Due before the fracture, one dose, no delay and no switch: two regimens that are solved in seconds.
SMALL = """\
osteon: 1
title: Overdue
patient: {species: human, age: 70 yr, sex: female, weight: 60 kg}
fracture: {bone: distal_radius, gap: 1 mm, fixation: cast}
arms:
  - name: treated
    doses:
      - {drug: denosumab, amount: 60 mg, start: -7 months}
horizon: 1 yr
"""


@pytest.fixture(autouse=True)
def there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Have the command, and a folder of its own."""
    monkeypatch.chdir(tmp_path)
    commands = list(app.registered_commands)
    if "schedule" not in [one.name for one in commands]:
        schedule.register(app)
    yield
    app.registered_commands[:] = commands


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Make results up; what was asked for is kept."""
    seen: dict[str, Any] = {}

    def run(candidates: Any, **settings: Any) -> Any:
        seen.update(settings, candidates=candidates)
        settings["on_progress"](1, 2, 0)
        failures = seen.get("fail", ())
        return made(settings["draws"], candidates, failures)

    monkeypatch.setattr(dosing_run, "run", run)
    return seen


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "case.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def plain(text: str) -> str:
    return " ".join(re.sub(r"[│┃]", " ", text).split())


def test_table_and_files(call: Call, file: Path, tmp_path: Path, asked: dict[str, Any]) -> None:
    said = call("schedule", file, "--months", "0-2", "--switch", "zoledronate", "--draws", 12, "--out", "found")
    assert (said.code, asked["draws"], asked["seed"]) == (0, 12, None)
    assert [one.name for one in asked["candidates"].regimens] == [
        *("now", "regular", "delay_1", "delay_2"),
        *("stop", "switch_zoledronate"),
    ]
    text = plain(said.out)
    for expected in (
        "A <made-up> case: schedules of denosumab",
        "Difference to the regular date, draw by draw",
        "On the front at the medians:",
        "recommends none",
        "1 percentage point",
        "Report: found/report.html",
    ):
        assert expected in text
    assert "those of arm “treated [a]”" in said.err
    assert "extended to" in said.err
    assert {path.name for path in (tmp_path / "found").iterdir()} == FILES
    document = json.loads((tmp_path / "found" / "schedule.json").read_text(encoding="utf-8"))
    assert document["draws"] == 12
    assert len(document["results"]) == 6 * 8
    with (tmp_path / "found" / "schedule.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 6 * 8
    assert {row["regimen"] for row in rows} == {one["name"] for one in document["regimens"]}
    assert (tmp_path / "found" / "front.png").read_bytes()[:4] == b"\x89PNG"
    page = (tmp_path / "found" / "report.html").read_text(encoding="utf-8")
    assert "osteon schedule my.yaml --months 0-2 --switch zoledronate --draws 12" in page


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the picture out, which takes seconds."""
    monkeypatch.setattr(schedule_files, "draw", lambda found, words, path: path.write_bytes(b""))


@pytest.mark.usefixtures("undrawn")
def test_chinese(call: Call, file: Path, tmp_path: Path, asked: dict[str, Any]) -> None:
    said = call("schedule", file, "--lang", "zh", "--out", "found")
    assert said.code == 0
    for text in ("地舒单抗给药方案", "不作任何推荐", "按中位数位于前沿"):
        assert text in plain(said.out)
    assert 'lang="zh-CN"' in (tmp_path / "found" / "report.html").read_text(encoding="utf-8")


def test_one_document_and_no_files(call: Call, file: Path, tmp_path: Path, asked: dict[str, Any]) -> None:
    said = call("schedule", file, "--json", "--seed", 5)
    assert said.code == 0
    assert asked["seed"] == 5
    assert said.document()["reference"] == "regular"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["case.yaml"]


@pytest.mark.usefixtures("undrawn")
def test_what_failed_is_named(call: Call, file: Path, asked: dict[str, Any]) -> None:
    asked["fail"] = ({"regimen": "stop", "draw": 3, "reason": "no step was found"},)
    said = call("schedule", file)
    assert said.code == 3
    assert "1 of 480 courses could not be solved" in plain(said.out)
    assert "stopped: 1 × no step was found" in plain(said.out)


def test_interrupted(call: Call, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dosing_run, "run", run)
    said = call("schedule", file, "--out", "found")
    assert said.code == 130
    assert "nothing was written" in said.err
    assert not (tmp_path / "found").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--months", "a-b"], "--months"),
        (["--months", "6-1"], "--months"),
        (["--months", "0-99"], "0 to 24"),
        (["--drug", "denosumap"], 'did you mean "denosumab"'),
        (["--drug", "zoledronate"], "no arm has a dose of zoledronate"),
        (["--switch", "denosumab"], "given already"),
        (["--doses", "0"], "1 to 60"),
        (["--draws", "-1"], "0 to 10,000"),
    ],
)
def test_what_is_refused(call: Call, file: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    found = call("schedule", file, *arguments)
    assert found.code == 2
    assert said in plain(found.err)
    assert len(found.err.strip().splitlines()) == 1
    assert not (tmp_path / "osteon-schedule").exists()


@pytest.mark.parametrize("given", ["3", "1,3", "2-4"])
def test_months_as_they_are_written(call: Call, file: Path, asked: dict[str, Any], given: str) -> None:
    assert call("schedule", file, "--months", given, "--switch", "none", "--json").code == 0
    wanted = {"3": [3], "1,3": [1, 3], "2-4": [2, 3, 4]}[given]
    regimens = asked["candidates"].regimens
    assert [one.months for one in regimens if one.kind == "delay"] == wanted
    assert not [one for one in regimens if one.kind == "switch"]


def test_a_small_real_run(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    settings = ("--months", "0", "--switch", "none", "--draws", 0, "--backend", "python")
    said = call("schedule", path, *settings, "--json")
    assert said.code == 0
    document = said.document()
    assert [one["name"] for one in document["regimens"]] == ["regular", "stop"]
    assert [one["code"] for one in document["notes"]] == ["overdue", "extended"]
    cells = {(one["regimen"], one["measure"]): one for one in document["results"]}
    assert all(one["n"] == 2 for one in cells.values())
    # A dose on the day of the fracture puts the rebound off, and so the loss of bone, and slows remodelling.
    assert cells["stop", "BMD_total_hip"]["difference"] < -0.1
    assert cells["stop", "line_gone"]["difference"] < 0
    assert cells["regular", "CTX_peak"]["median"] > 20


# ---- the page ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("draws", [0, 20])
def test_the_page_stands_alone(lang: str, draws: int) -> None:
    page = render(made(draws), lang, "osteon schedule my.yaml")
    assert "<script" not in page
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", page)
    assert "A &lt;made-up&gt; case" in page
    assert "<made-up>" not in page
    words = load(lang)
    assert words("schedule.disclaimer") in page
    assert (words("schedule.note_members") in page) == (draws == 0)
    # One panel of differences a measure, the front twice with three, and CTX of each of five regimens; switches apart.
    assert page.count('<figure class="panel">') == 8 + 8 + 3 + 3 + 5
    assert "nan" not in re.findall(r"<svg.*</svg>", page, re.DOTALL)[0].lower().split('"')


def test_a_time_that_is_not_reached_is_told_in_words() -> None:
    page = render(made(20), "en")
    assert "&gt; " in page
    assert "inf" not in re.sub(r"<[^>]*>", " ", page).split()


def test_the_words_are_the_same_in_both_languages() -> None:
    first, second = (load(lang).below("schedule") for lang in ("en", "zh"))
    assert first.keys() == second.keys()
    for key, text in first.items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", second[key])), key

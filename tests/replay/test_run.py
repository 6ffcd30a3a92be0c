"""Runs of the evidence: kept by content, failures named, uses apart; with engines that are made up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteon.errors import InputError, SolveError
from osteon.evidence.studies import Study, rows_of, studies
from osteon.replay import run as running
from osteon.replay.engines import Effort
from osteon.replay.files import rows_as_csv
from osteon.replay.outcome import Outcome
from osteon.replay.run import replay
from osteon.replay.scoring import Seen, scored

NAMES = ("uchiyama_2013", "gross_2016", "decide")


class Made:
    """An engine that finds whatever was published, or fails."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.fails: set[str] = set()
        self.stops: set[str] = set()

    def __call__(self, study: Study, effort: Effort) -> list[Outcome]:
        self.ran.append(study.key)
        if study.key in self.fails:
            raise SolveError(f"{study.key} cannot be solved")
        if study.key in self.stops:
            raise KeyboardInterrupt
        rows = [(result, row) for result in study.results for row in rows_of(result)]
        draws = [row.value + np.arange(-2.0, 3.0) for _, row in rows]
        return [
            scored(study, result, row, Seen(row.value), "cohort", one, one)
            for (result, row), one in zip(rows, draws, strict=True)
        ]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Made:
    monkeypatch.setenv("OSTEON_CACHE", str(tmp_path / "cache"))
    engine = Made()
    monkeypatch.setattr(running, "outcomes_of", engine)
    return engine


def test_a_run_is_told_and_kept(made: Made) -> None:
    told: list[tuple[str, int, int]] = []
    first = replay(NAMES, on_progress=lambda *what: told.append(what))
    assert made.ran == list(NAMES)
    assert [done for _, done, _ in told] == [0, 1, 2, 3]
    assert first.cached == 0
    again = replay(NAMES)
    assert made.ran == list(NAMES)
    assert again.cached == 3
    assert [one.to_dict() for one in again.outcomes] == [one.to_dict() for one in first.outcomes]
    assert replay(NAMES, fresh=True).cached == 0


def test_a_changed_file_or_effort_is_run_again(made: Made) -> None:
    known = dict(studies())
    replay(NAMES, studies=known)
    known["decide"] = known["decide"].model_copy(update={"population": "others"})
    replay(NAMES, studies=known)
    assert made.ran[3:] == ["decide"]
    replay(["decide"], quick=True, studies=known)
    assert made.ran[4:] == ["decide"]


def test_a_failure_is_named_and_the_rest_is_there(made: Made) -> None:
    made.fails = {"gross_2016"}
    found = replay(NAMES)
    assert found.failures == {"gross_2016": "gross_2016 cannot be solved"}
    assert {one.study for one in found.outcomes} == {"uchiyama_2013", "decide"}
    assert next(one for one in found.to_dict()["studies"] if one["key"] == "gross_2016")["failed"]
    made.fails = set()
    assert not replay(NAMES).failures


def test_an_interruption_keeps_what_is_done(made: Made) -> None:
    made.stops = {"gross_2016"}
    with pytest.raises(KeyboardInterrupt):
        replay(NAMES)
    made.stops = set()
    assert replay(NAMES).cached == 1


def test_uses_are_kept_apart(made: Made) -> None:
    check = replay(NAMES, use="check")
    assert {one.use for one in check.outcomes} == {"check"}
    assert "gross_2016" not in check.studies
    assert {one.use for one in replay(NAMES).outcomes} == {"fit", "check"}


def test_what_is_not_there_is_refused(made: Made) -> None:
    with pytest.raises(InputError, match='did you mean "decide"'):
        replay(["decid"])
    with pytest.raises(InputError, match="is not a use"):
        replay(NAMES, use="checks")


def test_the_document_and_the_table(made: Made) -> None:
    found = replay(NAMES)
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["totals"]["use"]["check"]["coverage"] == 1.0
    assert told["worst"] == []
    lines = rows_as_csv(found).splitlines()
    assert len(lines) == len(found.outcomes) + 1
    assert len({line.count(",") >= 40 for line in lines}) == 1
    missed = [replace(one, verdict="missed", covered=False, distance=float(n)) for n, one in enumerate(found.outcomes)]
    worse = replace(found, outcomes=tuple(missed)).to_dict()
    assert worse["worst"] == list(range(len(missed)))[::-1]


def test_a_damaged_kept_file_is_run_again(made: Made, tmp_path: Path) -> None:
    replay(["decide"])
    (kept,) = (tmp_path / "cache" / "replay").glob("*.json")
    kept.write_text("{", encoding="utf-8")
    assert replay(["decide"]).cached == 0

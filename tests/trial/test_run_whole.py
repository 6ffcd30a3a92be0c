"""One small trial from the study to its tables: reproduced bit for bit, interrupted, gone on with, moved and opened."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from osteon.trial import observe as observing
from osteon.trial.folder import TABLES, open_trial
from osteon.trial.run import STAGES, run_trial
from osteon.trial.study import Study

TEXT = """\
osteon_study: 1
title: A small trial
patients: 3
fracture: {bone: distal_radius, gap: 1 mm, fixation: cast}
horizon: 13 weeks
follow_up: 13 weeks
visits: {days: [4 weeks, 8 weeks, 12 weeks], window: 3 days}
population: {members: [J], draws: false, spread: none}
arms:
  - {name: none}
  - {name: denosumab, doses: [{drug: denosumab, amount: 60 mg, start: 1 day}]}
endpoints:
  primary: {name: union, kind: union, rule: mrust}
  secondary: [{name: calcium, kind: curve, curve: serum_calcium, day: 28 days}]
analysis: {method: interval}
"""
SETTINGS = {"backend": "python", "chunk": 2}


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "run.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_trial_from_study_to_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, float]] = []
    first = run_trial(
        Study.parse(TEXT),
        out=tmp_path / "one",
        on_progress=lambda stage, share, *_: told.append((stage, share)),
        **SETTINGS,
    )
    assert list(dict.fromkeys(stage for stage, _ in told)) == list(STAGES)
    assert [share for _, share in told] == sorted(share for _, share in told)
    record = json.loads((tmp_path / "one" / "run.json").read_text())
    assert (record["state"], record["patients_done"], set(record["seconds"])) == ("done", 3, set(STAGES))
    assert first.analysis["flow"]["enrolled"] == 3
    assert {one["name"] for one in first.analysis["visits"]} >= {"mRUST", "serum_calcium"}

    # The study of the folder, interrupted once the patients are simulated, gives the same bits.
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    again = Study.read(tmp_path / "one" / "study.yaml")
    with monkeypatch.context() as patched:
        patched.setattr(observing, "observe", stopped)
        with pytest.raises(KeyboardInterrupt):
            run_trial(again, out=tmp_path / "two", **SETTINGS)
    record = json.loads((tmp_path / "two" / "run.json").read_text())
    assert (record["state"], record["patients_done"]) == ("interrupted", 3)
    assert "files" not in json.loads((tmp_path / "two" / "manifest.json").read_text())
    run_trial(again, out=tmp_path / "two", resume=True, **SETTINGS)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")

    shutil.move(tmp_path / "two", tmp_path / "moved")
    opened = open_trial(tmp_path / "moved")
    assert dict(opened.analysis) == json.loads(json.dumps(first.analysis))
    assert opened.people.allocated.tolist() == first.people.allocated.tolist()
    pd.testing.assert_frame_equal(opened.observed.tte, first.observed.tte)
    for name in TABLES:
        assert len(opened.table(name)) == len(first.table(name)) > 0
    assert opened.result.cohort.size == 3

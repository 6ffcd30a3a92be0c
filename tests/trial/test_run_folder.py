"""The folder of a trial: begun, refused, gone on with, moved and opened; and the counts that a run adds."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from osteon.errors import InputError
from osteon.trial.compare import differences
from osteon.trial.flow import at_risk, flow, twin_days, visit_means
from osteon.trial.folder import KIND, TrialRun, begin, hashes, held, open_trial
from osteon.trial.observed import Observed
from osteon.trial.run import STAGES, _share, _sized
from osteon.trial.study import Study

TEXT = """\
osteon_study: 1
title: A small trial
patients: 6
fracture: {bone: tibia, gap: 1 mm, fixation: nail}
horizon: 30 weeks
follow_up: 28 weeks
visits: {days: [6 weeks, 12 weeks, 26 weeks], window: 7 days}
arms:
  - {name: none}
  - name: denosumab
    doses: [{drug: denosumab, amount: 120 mg, start: 1 day}]
endpoints:
  primary: {name: union, kind: union, rule: mrust}
analysis: {method: interval}
"""
MANIFEST = {"kind": KIND, "seed": 1, "versions": {"osteon": "0"}}


@pytest.fixture
def study() -> Study:
    return Study.parse(TEXT)


def refused(folder: Path, manifest: dict, resume: bool) -> str:
    with pytest.raises(InputError) as error:
        held(folder, manifest, resume)
    return str(error.value)


def test_a_folder_is_begun_once_and_gone_on_with_by_the_same_trial_alone(study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "trial"
    assert not held(folder, MANIFEST, False)
    begin(folder, study, MANIFEST)
    assert held(folder, MANIFEST, True)
    assert "already holds a trial" in refused(folder, MANIFEST, False)
    assert "its seed is 1, and here it is 2" in refused(folder, {**MANIFEST, "seed": 2}, True)
    assert "its versions is osteon 0" in refused(folder, {**MANIFEST, "versions": {"osteon": "1"}}, True)


def test_files_of_something_else_are_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine")
    assert '"report.html" of something else' in refused(tmp_path, MANIFEST, True)
    (tmp_path / "manifest.json").write_text('{"kind": "osteon cohort"}')
    assert "of something else" in refused(tmp_path, MANIFEST, True)


def test_the_study_is_written_as_it_is_read(study: Study, tmp_path: Path) -> None:
    begin(tmp_path / "one", study, MANIFEST)
    again = Study.read(tmp_path / "one" / "study.yaml")
    assert again.content_hash() == study.content_hash()
    begin(tmp_path / "two", again, MANIFEST)
    assert hashes(tmp_path / "one", ("study.yaml", "gone")) == hashes(tmp_path / "two", ("study.yaml",))


def test_a_finished_trial_is_opened_wherever_it_was_moved_to(study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    begin(folder, study, MANIFEST)
    with pytest.raises(InputError, match="is not finished"):
        open_trial(folder)
    (folder / "analysis.json").write_text(json.dumps({"flow": {"failed": 2}}))
    (folder / "manifest.json").write_text(json.dumps({**MANIFEST, "files": {}}))
    pd.DataFrame({"AGE": [61.0]}).to_parquet(folder / "adsl.parquet")
    shutil.move(folder, tmp_path / "there")
    run = open_trial(tmp_path / "there")
    assert (run.failed, run.study.title, run.table("adsl")["AGE"].tolist()) == (2, "A small trial", [61.0])
    with pytest.raises(InputError, match="is missing"):
        run.table("adtte")
    with pytest.raises(InputError, match="no table of a trial"):
        run.table("adxx")
    with pytest.raises(InputError, match="holds no trial"):
        open_trial(folder)
    (tmp_path / "there" / "analysis.json").write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        open_trial(tmp_path / "there")


def test_patients_and_seed_can_be_asked_for(study: Study) -> None:
    other = _sized(study, 9, 5)
    assert (other.patients, other.seed, other.title) == (9, 5, study.title)
    assert _sized(study, None, None) is study
    for patients, seed in ((0, None), (True, None), (None, -1)):
        with pytest.raises(InputError, match="is not a whole number"):
            _sized(study, patients, seed)


def test_the_bar_never_goes_back_and_ends_full() -> None:
    told = [_share(stage, part) for stage in STAGES for part in (0.0, 0.5, 1.0)]
    assert told == sorted(told)
    assert (told[0], round(told[-1], 12)) == (0.0, 1.0)


# ---- counts ------------------------------------------------------------------------------------------------------


def people(**changes) -> SimpleNamespace:
    allocated = np.array([0, 0, 0, 1, 1, 1])
    never = np.full(6, np.inf)
    fate = {"dropout_day": never, "death_day": never, "end_day": np.full(6, 196.0), "screened": {"too old": 3}}
    return SimpleNamespace(allocated=allocated, **{**fate, **changes})


def result(*failures: tuple[str, int]) -> SimpleNamespace:
    frame = pd.DataFrame(failures, columns=["arm", "patient"]).assign(failure="no step was found")
    cohort = SimpleNamespace(arms=("none", "denosumab"))
    return SimpleNamespace(cohort=cohort, failed=frame["patient"].nunique(), failures=lambda: frame)


def test_everyone_is_counted_once(study: Study) -> None:
    inf = np.inf
    fate = {
        "death_day": np.array([50.0, inf, 90.0, inf, inf, inf]),
        "dropout_day": np.array([inf, 20.0, 80.0, inf, inf, inf]),
        "end_day": np.array([196.0, 196.0, 196.0, 100.0, 196.0, 196.0]),
    }
    found = flow(study, people(**fate), result(("denosumab", 4), ("none", 5)))
    assert (found["screened"], found["enrolled"], found["failed"], found["excluded"]) == (9, 6, 2, {"too old": 3})
    first, other = found["arms"]
    # Patient 2 left before the death, and patient 5 failed in the arm that was not theirs.
    assert {key: first[key] for key in ("failed", "died", "dropped_out", "closed", "followed")} == {
        "failed": 0, "died": 1, "dropped_out": 2, "closed": 0, "followed": 0,
    }  # fmt: skip
    assert (other["failed"], other["closed"], other["followed"]) == (1, 1, 1)
    for arm in found["arms"]:
        assert arm["allocated"] == sum(arm[key] for key in ("failed", "died", "dropped_out", "closed", "followed"))


def test_means_at_visits_are_of_the_arm_given() -> None:
    frame = pd.DataFrame(
        {
            "patient": [0, 1, 2, 0, 1, 2],
            "arm": ["a", "a", "a", "b", "b", "b"],
            "allocated": [True, True, False, False, False, True],
            "visit": 0,
            "planned": 42.0,
            "day": 40.0,
            "RUST": [4.0, 6.0, 99.0, 99.0, 99.0, 7.0],
            "pain": np.nan,
        }
    )
    (one,) = visit_means(frame, ("a", "b"))
    first, other = one["arms"]
    assert (one["name"], first["mean"], first["n"], first["day"]) == ("RUST", [5.0], [2], [42.0])
    # Two values one off their mean: t of one degree of freedom at 97.5 % is 12.706.
    assert first["high"][0] - first["mean"][0] == pytest.approx(12.706, abs=1e-3)
    assert (other["mean"], np.isnan(other["low"][0])) == ([7.0], True)


def observed(**exact: list[float]) -> Observed:
    rows = [
        {"endpoint": "union", "patient": patient, "arm": arm, "exact": day, "time": day, "allocated": patient % 2 == 0}
        for arm, own in exact.items()
        for patient, day in enumerate(own)
    ]
    empty = pd.DataFrame()
    return Observed(
        pd.DataFrame(rows).assign(time=lambda frame: frame["time"].fillna(200.0)), empty, empty, empty, tuple(exact)
    )


def test_twins_are_compared_with_themselves() -> None:
    nan = np.nan
    found = observed(a=[100.0, 90.0, nan, 50.0, nan], b=[80.0, 95.0, 60.0, nan, nan])
    assert twin_days(found, "union") == {"b": [-20.0, 5.0]}
    assert twin_days(found, "other") == {"b": []}


def test_many_twins_are_thinned_to_their_quantiles() -> None:
    found = twin_days(observed(a=[100.0] * 5000, b=[100.0 + i for i in range(5000)]), "union")["b"]
    assert len(found) == 201
    assert found[100] == pytest.approx(2499.5)


def test_numbers_at_risk_are_of_the_arm_given_and_fall(study: Study) -> None:
    found = at_risk(study, observed(none=[10.0, 1.0, 84.0, 1.0, 150.0], denosumab=[56.0, 1.0, 56.5]))
    assert dict(found["none"])[0.0] == 3
    # On the day of the event a patient is still at risk.
    assert [dict(found["none"])[day] for day in (28.0, 84.0, 112.0)] == [2, 2, 1]
    assert [dict(found["denosumab"])[day] for day in (56.0, 84.0)] == [2, 0]


def test_differences_name_the_leaf() -> None:
    first = {"a": 1, "arms": [{"doses": [{"amount": "60 mg"}]}], "same": [1, 2]}
    other = {"a": 1, "arms": [{"doses": [{"amount": "120 mg"}, {"amount": "1 mg"}]}], "same": [1, 2], "new": True}
    assert list(differences(first, other)) == [
        ("arms[0].doses[0].amount", "60 mg", "120 mg"),
        ("arms[0].doses[1]", None, {"amount": "1 mg"}),
        ("new", None, True),
    ]


def test_a_trial_in_memory_has_its_tables(study: Study) -> None:
    frame = pd.DataFrame({"AGE": [1.0]})
    run = TrialRun(study, None, {}, {"flow": {"failed": 0}}, _tables={"adsl": frame})
    assert run.table("adsl") is frame


def test_a_table_too_large_for_a_transport_file_is_said_to_be_left_out(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from osteon.trial import run, tables

    def some(folder: Path, found: dict, *_: object) -> list[Path]:
        paths = [folder / "adsl.parquet", folder / "adsl.xpt", folder / "adlb.parquet"]
        for path in paths:
            path.write_bytes(b"x")
        return paths

    monkeypatch.setattr(tables, "write_tables", some)
    frames = {"adsl": pd.DataFrame(), "adlb": pd.DataFrame()}
    begin(tmp_path, study, MANIFEST)
    manifest = run._write(tmp_path, {"table1": []}, frames, MANIFEST, study)
    assert manifest["left_out"] == ["adlb.xpt"]
    assert "adlb.parquet" in manifest["files"]
    note = run._Record(tmp_path, 6, left_out=manifest["left_out"])
    note.write()
    assert json.loads((tmp_path / "run.json").read_text())["left_out"] == ["adlb.xpt"]
    assert "left_out" not in run._write(tmp_path, {"table1": []}, {"adsl": pd.DataFrame()}, MANIFEST, study)

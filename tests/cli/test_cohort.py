"""What `osteon cohort` prints, writes and refuses; what it computes is made up, but for one real run."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from osteon.ensemble import chunk, kernels
from osteon.ensemble.result import CohortResult
from osteon.report.locale import load

from ..ensemble import fake
from .conftest import Call

FILES = {"series.zarr", "endpoints", "patients", "cohort.json", "manifest.json", "run.json"}
SLOW = """
from osteon.ensemble import chunk, kernels
from tests.ensemble import fake
chunk.compute = fake.slow
kernels.prepare = lambda cohort, settings, *_: settings
from osteon.cli import main
main()
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Compute what costs nothing, with the default folder in a place of its own."""
    monkeypatch.chdir(tmp_path)
    if "real" not in request.function.__name__:
        monkeypatch.setattr(chunk, "compute", fake.compute)
        monkeypatch.setattr(kernels, "prepare", lambda cohort, settings, *_: settings)


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "scenario.yaml"
    path.write_text(fake.TEXT, encoding="utf-8")
    return path


def plain(text: str) -> str:
    return " ".join(text.split())


def test_table_files_failures_and_exit_code(call: Call, scenario: Path, tmp_path: Path) -> None:
    said = call("cohort", scenario, "--patients", 40, "--out", "trial")
    assert said.code == 3
    assert said.err == ""
    text = plain(said.out)
    assert "A cohort that is none: 40 virtual patients" in text
    assert "Time to union (mRUST ≥ 10)" in text
    assert "United within the time simulated" in text
    assert "100.0 %" in text
    assert "4 of 40 patients could not be solved and are left empty: treated: 4 × no step was found" in text
    assert "not treatment advice" in text
    assert "Files: trial" in text
    assert {path.name for path in (tmp_path / "trial").iterdir()} == FILES


def test_nobody_failed(call: Call, scenario: Path, tmp_path: Path) -> None:
    said = call("cohort", scenario, "-n", 3)
    assert (said.code, said.err) == (0, "")
    assert {path.name for path in (tmp_path / "osteon-cohort").iterdir()} == FILES
    assert "could not be solved" not in said.out


def test_chinese(call: Call, scenario: Path) -> None:
    said = call("cohort", scenario, "-n", 40, "--lang", "zh")
    assert said.code == 3
    for text in ("40 名虚拟患者", "模拟时段内愈合", "4 名未能求解", "不构成治疗建议", "文件："):
        assert text in said.out


def test_one_document(call: Call, scenario: Path, tmp_path: Path) -> None:
    said = call("cohort", scenario, "-n", 40, "--json")
    assert (said.code, said.err) == (3, "")
    found = said.document()
    assert set(found) == {"title", "warning", "patients", "failed", "failures", "arms", "folder", "manifest"}
    assert found["failures"] == [{"arm": "treated", "reason": fake.REASON, "patients": 4}]
    assert [arm["name"] for arm in found["arms"]] == ["treated", "未治疗"]
    union = found["arms"][0]["endpoints"]["time_to_union"]
    assert set(union) == {"unit", "n", "reached", "median", "low", "high"}
    assert (union["unit"], union["n"], union["reached"]) == ("day", 36, 36)
    assert (found["patients"], found["failed"], found["folder"]) == (40, 4, None)
    assert [path.name for path in tmp_path.iterdir()] == ["scenario.yaml"]
    said = call("cohort", scenario, "-n", 40, "--json", "--out", "trial")
    assert said.document()["folder"] == "trial"


def test_settings_arrive(call: Call, scenario: Path, tmp_path: Path) -> None:
    said = call(
        *("cohort", scenario, "-n", 20, "--out", "trial", "--series", "CTX, callus_BMC", "--every", "2 weeks"),
        *("--chunk", 8, "--seed", 7, "--spread", "patient.age=0.2", "--member", "J", "--backend", "python"),
    )
    assert said.code == 3
    found = CohortResult.open(tmp_path / "trial")
    assert found.manifest["settings"] | {"tolerance": 0} == {
        **{"series": ["CTX", "callus_BMC"], "every": 14.0, "tolerance": 0, "backend": "python", "chunk": 8}
    }
    assert (found.cohort.seed, found.cohort.members, found.cohort.spread["patient.age"]) == (7, ("J",), 0.2)
    assert len(list((tmp_path / "trial" / "endpoints").iterdir())) == 3


def test_patients_of_a_table(call: Call, scenario: Path, tmp_path: Path) -> None:
    pd.DataFrame({"age": [50, 60, 70]}).to_csv(tmp_path / "who.csv", index=False)
    assert call("cohort", scenario, "--table", "who.csv", "--out", "trial").code == 0
    assert CohortResult.open(tmp_path / "trial").cohort.size == 3
    for more in (("--patients", 3), ("--seed", 1), ("--spread", "none")):
        said = call("cohort", scenario, "--table", "who.csv", "--out", "other", *more)
        assert (said.code, said.out) == (2, "")
        assert said.err.startswith(f"Error: {more[0]}: goes with drawn patients")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--patients", 0), "--patients: 0 is not a whole number from 1 to 10,000,000."),
        (("--patients", -5), "--patients: -5 is not"),
        (("--patients", 10**9), "--patients: 1000000000 is not"),
        (("--chunk", 0), "chunk: 0 is not a whole number from 1 to 100,000."),
        (("--chunk", 200_000), "chunk: 200000 is not"),
        (("--threads", 0), "threads: 0 is not a whole number from 1 to 1,024."),
        (("--series", "torsional_stifness"), 'did you mean "torsional_stiffness"?'),
        (("--series", ""), 'series: there is no series ""'),
        (("--every", "0 days"), "every: 0.0 is outside the allowed range"),
        (("--every", "-1 week"), "every: -7.0 is outside"),
        (("--every", "7"), '--every: "7" has no unit'),
        (("--every", "7 kg"), "--every:"),
        (("--cluster", "nonsense"), 'cluster: "nonsense" is neither tcp://host:port nor local:N'),
        (("--backend", "cuda"), 'backend: "cuda" is no back end; choose one of auto, compiled, python.'),
        (("--spread", "much"), '--spread: "much" is neither none nor KEY=CV'),
        (("--spread", "patient.agee=0.1"), "patient.age"),
        (("--seed", -1), "seed: -1 is not a whole number"),
        (("--table", "nowhere.csv"), "nowhere.csv"),
        (("--json", "--resume"), "--resume: there is no folder to go on with"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_refused_in_one_sentence(call: Call, scenario: Path, tmp_path: Path, options: tuple, said: str) -> None:
    found = call("cohort", scenario, *options)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("Error: ")
    assert found.err.count("\n") == 1
    assert said in found.err
    assert [path.name for path in tmp_path.iterdir()] == ["scenario.yaml"]


def test_a_folder_that_holds_a_run(call: Call, scenario: Path) -> None:
    assert call("cohort", scenario, "-n", 3).code == 0
    said = call("cohort", scenario, "-n", 3)
    assert (said.code, said.out) == (2, "")
    assert "osteon-cohort already holds a run; go on with --resume" in said.err
    assert call("cohort", scenario, "-n", 3, "--resume").code == 0
    said = call("cohort", scenario, "-n", 4, "--resume")
    assert said.code == 2
    assert "its patients is 3, and here it is 4" in said.err


@pytest.mark.skipif(os.name != "posix", reason="Signals are sent as POSIX has them.")
def test_interrupted_and_resumed(call: Call, scenario: Path, tmp_path: Path) -> None:
    options = ("cohort", str(scenario), "-n", "300", "--chunk", "10", "--out", "trial")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-W", "error", "-c", SLOW, *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, text=True, **pipes) as process:
        while not (tmp_path / "trial" / "endpoints" / "part-00002.parquet").exists():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, "")
    kept = json.loads((tmp_path / "trial" / "run.json").read_text(encoding="utf-8"))["patients_done"]
    assert 30 <= kept < 300
    assert err == load("en")("cohort.interrupted", done=kept, patients=300, folder="trial") + "\n"
    assert call(*options, "--resume").code == 3
    assert call(*options[:-1], "whole").code == 3
    assert fake.contents(tmp_path / "trial") == fake.contents(tmp_path / "whole")


def test_interrupted_without_a_folder(call: Call, scenario: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(chunk, "compute", interrupted)
    assert call("cohort", scenario, "--json") == (130, "", "Interrupted; nothing was written.\n")


def test_a_real_run_and_its_first_look(call: Call, scenario: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(cohort, settings, on_preview):
        on_preview(chunk.compute(cohort, 0, 1, settings))
        return settings

    monkeypatch.setattr(kernels, "prepare", prepare)
    said = call("cohort", scenario, "-n", 2, "--chunk", 1, "--backend", "python")
    assert said.code == 0
    assert "First look while the kernel is compiled, patient 0: Time to union" in plain(said.err)
    for word in ("Remodelling begins", "Stiffness at 6 weeks", "after the end", "BMD total hip, at the end"):
        assert word in plain(said.out)

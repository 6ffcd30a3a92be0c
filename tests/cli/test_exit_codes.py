"""A failed arm is named and ends with 3; an interruption ends with 130 and leaves nothing half-written."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr

from osteon import output, simulation
from osteon.errors import SolveError

from .conftest import Call

SLOW = """
import time
from osteon import simulation
solved = simulation.solve
def endless(*arguments):
    print("ready", flush=True)
    while True:
        solved(*arguments)
simulation.solve = endless
from osteon.cli import main
main()
"""


def failing(monkeypatch: pytest.MonkeyPatch, fails: Callable[[str], bool]) -> None:
    """Let the solver fail in the arms chosen, which are told from each other by their doses."""
    solve = simulation.solve

    def broken(planned, *rest):
        if fails("treated" if any(phase.impulses for phase in planned) else "never"):
            raise SolveError("no step was found on day 12 (callus.cartilage)")
        return solve(planned, *rest)

    monkeypatch.setattr(simulation, "solve", broken)


def test_one_failed_arm_is_named_and_the_other_is_whole(
    call: Call, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, lambda arm: arm == "treated")
    out = tmp_path / "out"
    said = call("heal", small, "--out", out)
    assert said.code == 3
    assert "treated: no step was found on day 12" in " ".join((said.out + said.err).split())
    with xr.open_dataset(out / "course.nc") as course:
        assert course["CTX"].sel(arm="treated").isnull().all()
        assert course["CTX"].sel(arm="never").notnull().all()
        assert "treated" in course.attrs["failed_arms"]
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest["failures"]) == {"treated"}
    assert "no step was found" in (out / "report.html").read_text(encoding="utf-8")


def test_a_failed_arm_in_the_document(call: Call, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, lambda arm: arm == "never")
    said = call("heal", small, "--json")
    assert said.code == 3
    treated, never = said.document()["arms"]
    assert treated["failure"] is None
    assert "no step was found" in never["failure"]


def test_every_arm_failed(call: Call, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, lambda arm: True)
    said = call("heal", small, "--out", tmp_path / "out")
    assert said.code == 3
    assert "Traceback" not in said.err
    assert call("heal", small, "--json").code == 3


@pytest.mark.skipif(os.name != "posix", reason="Signals are sent as POSIX has them.")
def test_interrupted_while_simulating(small: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SLOW, "heal", str(small), "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130
    assert set(out.split()) <= {"ready"}
    assert err == "Interrupted; nothing was written.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]


def test_interrupted_while_writing(call: Call, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(text: str):
        def write(path: Path) -> None:
            path.write_text(text[:10], encoding="utf-8")
            raise KeyboardInterrupt

        return write

    monkeypatch.setattr(output, "_text", interrupted)
    said = call("heal", small, "--out", tmp_path / "out")
    assert said.code == 130
    assert "nothing was written" in said.err
    assert list((tmp_path / "out").iterdir()) == []

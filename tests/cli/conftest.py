"""The command line, called in this process and as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from osteon.cli import main
from osteon.scenario import Scenario
from osteon.simulation import simulate

SMALL = """\
osteon: 1
title: A small one
patient: {species: human, age: 60 yr, sex: female, weight: 66 kg}
fracture: {bone: distal_radius, gap: 1 mm, fixation: cast}
arms:
  - name: treated
    doses:
      - {drug: denosumab, amount: 60 mg, start: -30 days}
  - name: never
horizon: 10 weeks
"""


class Said(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    def document(self) -> Any:
        """What was printed, which must be one JSON document and nothing else."""
        return json.loads(self.out)


Call = Callable[..., Said]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Run the command line in this process."""

    def run(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["osteon", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        seen = capfd.readouterr()
        return Said(int(stop.value.code or 0), seen.out, seen.err)

    return run


def run_process(*arguments: object, cwd: Path, code: str = "from osteon.cli import main; main()", **env: str) -> Said:
    """Run the command line as a process of its own, with warnings as errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def warm() -> None:
    """Its kernels are kept, so that no word about writing them stands on standard error."""
    simulate(Scenario.parse(SMALL))


@pytest.fixture
def small(tmp_path: Path, warm: None) -> Path:
    """A scenario file that is solved in a fraction of a second."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path

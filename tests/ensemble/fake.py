"""A cohort and a computation of the true shape that cost nothing, so that the runner is tested by itself."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from osteon.scenario import Scenario

TEXT = """\
osteon: 1
title: A cohort that is none
patient: {species: human, age: 60 yr, sex: female, weight: 66 kg}
fracture: {bone: distal_radius, gap: 1 mm, fixation: cast}
arms:
  - name: treated
    doses:
      - {drug: denosumab, amount: 60 mg, start: -30 days}
  - name: 未治疗
horizon: 10 weeks
"""
REASON = "no step was found"


class FakeCohort:
    """Patients that are a number each."""

    def __init__(self, size: int, seed: int = 1, text: str = TEXT) -> None:
        self.size, self.seed, self.text = size, seed, text
        self.origin, self.scenarios = "sample", ()
        self.scenario = Scenario.parse(text)
        self.arms = tuple(arm.name for arm in self.scenario.arms)
        self.start_day, self.horizon = self.scenario.start_day, self.scenario.horizon

    def to_dict(self) -> dict[str, Any]:
        return {"size": self.size, "seed": self.seed, "text": self.text}

    @classmethod
    def from_dict(cls, tree: dict[str, Any]) -> FakeCohort:
        return cls(**tree)

    def block(self, lo: int, hi: int) -> SimpleNamespace:
        return SimpleNamespace(groups=())

    def content_hash(self) -> str:
        return hashlib.sha256(json.dumps(self.to_dict()).encode()).hexdigest()


def compute(cohort, lo, hi, settings, on_patients=None, cancelled=None):
    """Noise keyed by patient; every tenth patient fails in the first arm."""
    time_points = len(grid(cohort, settings.every))
    arms, found = len(cohort.arms), {name: [] for name in settings.series}
    table: dict[str, list] = {name: [] for name in ("patient", "arm", "time_to_union", "CTX_last", "steps")}
    table |= {"failure": [], "failed_day": [], "failed_state": []}
    for patient in range(lo, hi):
        noise = np.random.Generator(np.random.Philox(key=(cohort.seed, patient)))
        values = noise.random((len(settings.series), arms, time_points))
        ends = noise.random((arms, 2))
        if patient % 10 == 3:
            values[:, 0], ends[0] = np.nan, np.nan
        for name, own in zip(settings.series, values, strict=True):
            found[name].append(own)
        for place, arm in enumerate(cohort.arms):
            failed = place == 0 and patient % 10 == 3
            row = (patient, arm, 100 * ends[place, 0], 10 * ends[place, 1], 40 + patient % 7)
            row += (REASON, 12.5, "callus.cartilage") if failed else ("", np.nan, "")
            for name, value in zip(table, row, strict=True):
                table[name].append(value)
        if on_patients:
            on_patients(patient - lo + 1)
    return SimpleNamespace(
        lo=lo,
        hi=hi,
        series={name: np.stack(own, axis=1).astype(np.float32) for name, own in found.items()},
        table={name: np.array(column) for name, column in table.items()},
        patients={
            "patient": np.arange(lo, hi),
            "age": 50.0 + np.arange(lo, hi) % 30,
            "sex": np.array(["female", "male"])[np.arange(lo, hi) % 2],
            "smoking": np.arange(lo, hi) % 3 == 0,
        },
    )


def grid(cohort, every: float) -> np.ndarray:
    from osteon.ensemble.chunk import output_grid

    return output_grid(cohort, every)


def slow(*arguments):
    """As `compute`, a tenth of a second later."""
    time.sleep(0.1)
    return compute(*arguments)


def deadly(cohort, lo, hi, *rest):
    """As `compute`, but the first process that comes to the fourth chunk kills itself as a machine that fails would."""
    mark = Path(os.environ["OSTEON_TEST_MARK"])
    if lo == 30 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return compute(cohort, lo, hi, *rest)


def always_deadly(cohort, lo, hi, *rest):
    """Kills whoever computes the fourth chunk."""
    if lo == 30:
        os.kill(os.getpid(), signal.SIGKILL)
    return compute(cohort, lo, hi, *rest)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a run folder but the record of the run."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "run.json")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


if __name__ == "__main__":
    from osteon.ensemble.run import simulate_cohort
    from tests.ensemble import fake  # the module itself, so that workers find its functions by name

    out, work, cluster = sys.argv[1], getattr(fake, sys.argv[2]), (sys.argv[3:] or [None])[0]
    told = lambda done, total, failed: print(done, flush=True)  # noqa: E731
    simulate_cohort(fake.FakeCohort(200), out=out, chunk=10, compute=work, cluster=cluster, on_progress=told)

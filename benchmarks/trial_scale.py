"""Times a whole trial at scale: simulation, observation, statistics and tables, with the most memory held.

``python -m benchmarks.trial_scale --patients 100000`` runs 100,000 patients under two arms for two years with all
endpoints and tables. A smaller trial is extrapolated to ``--to``, along the line through it and one of a quarter of its
size, since statistics have a part that does not grow. A first small trial compiles the kernels, untimed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from osteon.ensemble.store import read_json
from osteon.trial.folder import RUN
from osteon.trial.run import STAGES, run_trial
from osteon.trial.study import Study

PRESET = "tibia_nail_trial"
FULL = 100_000
_PART = 4


def main() -> None:
    """Run the trial that the command line asks for and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--to", type=int, default=FULL, help="patients to extrapolate to")
    parser.add_argument("--study", default=PRESET, help="study file or preset with two arms and two years")
    parser.add_argument("--folder", type=Path, help="where the trial is written and kept (default: a temporary folder)")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--chunk", type=int, default=512)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    study = Study.read(given.study) if Path(given.study).is_file() else Study.preset(given.study)
    settings = {"threads": given.threads, "chunk": given.chunk}
    run_trial(study, patients=8, **settings)
    small = None
    if given.patients < given.to:
        small = _timed(study, max(8, given.patients // _PART), None, settings)
    found = _timed(study, given.patients, given.folder, settings)
    told = {
        "patients": given.patients,
        "arms": len(study.arms),
        "days": study.follow_up,
        **found,
        "to": given.to,
        "extrapolated": None if small is None else _extrapolated(small, found, given.to),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    }
    sys.stdout.write((json.dumps(told) if given.json else _table(told)) + "\n")


def _timed(study: Study, patients: int, folder: Path | None, settings: dict[str, Any]) -> dict[str, Any]:
    """Seconds of each stage, memory and size of one trial."""
    where = folder or Path(tempfile.mkdtemp(prefix="osteon-scale-"))
    try:
        run_trial(study, patients=patients, out=where, **settings)
        record = read_json(where / RUN)
        size = sum(path.stat().st_size for path in where.rglob("*") if path.is_file())
    finally:
        if folder is None:
            shutil.rmtree(where, ignore_errors=True)
    return {
        "size": patients,
        "seconds": record["seconds"],
        "statistics": record["seconds_of_statistics"],
        "peak_memory_MB": record["peak_memory_MB"],
        "folder_MB": round(size / 1e6, 1),
    }


def _extrapolated(small: dict[str, Any], large: dict[str, Any], to: int) -> dict[str, float]:
    """Seconds of each stage at another size, along the line through two."""
    found = {}
    for name in STAGES:
        one, two = small["seconds"][name], large["seconds"][name]
        slope = max(0.0, (two - one) / (large["size"] - small["size"]))
        found[name] = round(two + slope * (to - large["size"]), 1)
    return found


def _table(told: dict[str, Any]) -> str:
    head = f"{told['patients']:,} patients x {told['arms']} arms x {told['days']:.0f} days on {told['cores']} cores"
    seconds, more = told["seconds"], told["extrapolated"]
    lines = [head, f"{'stage':14} {'seconds':>10}" + (f" {'at ' + format(told['to'], ','):>14}" if more else "")]
    for name in (*STAGES, "all"):
        own = sum(seconds.values()) if name == "all" else seconds[name]
        far = f" {sum(more.values()) if name == 'all' else more[name]:14.0f}" if more else ""
        lines.append(f"{name:14} {own:10.1f}{far}")
    lines.append("of the statistics:")
    lines += [f"  {name:12} {value:10.1f}" for name, value in told["statistics"].items()]
    lines.append(f"peak memory {told['peak_memory_MB']:.0f} MB, folder {told['folder_MB']:.0f} MB")
    return "\n".join(lines)


if __name__ == "__main__":
    main()

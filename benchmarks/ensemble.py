"""Our ensemble engine against other solvers, at equal true error: one table, and JSON with everything behind it.

``.venv/bin/python benchmarks/ensemble.py [--quick] [--json FILE] [--patients 32] [--peers ours,scipy]``
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Before NumPy is loaded: every peer gets one thread.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np  # noqa: E402

from benchmarks import precision, scaling, scipy_peers  # noqa: E402
from benchmarks.report import show  # noqa: E402
from benchmarks.workload import SEED, VARIED, Patients, Workload, draw, relative_error, workload  # noqa: E402
from osteon.engine.cache import content_key, folder  # noqa: E402

_REFERENCE, _TIGHTER = 1e-10, 1e-11
_CHECKED = 2  # patients solved again at the tighter tolerance
_QUICK_PATIENTS = 8
_WIDTH = 120  # of the table, where there is no terminal


def main(arguments: list[str] | None = None) -> int:
    """Measure, show, and write; returns the exit code."""
    from rich.console import Console

    given = _parse(arguments)
    console = Console(stderr=True)
    tell = lambda message: console.print(message, style="dim", highlight=False)  # noqa: E731
    result = measure(given.peers, given.patients, quick=given.quick, tell=tell, scale=not given.no_scaling)
    out = Console()
    show(result, out if out.is_terminal else Console(width=_WIDTH))
    if given.json:
        Path(given.json).write_text(json.dumps(result, indent=1, allow_nan=True) + "\n", encoding="utf-8")
    return 0


def measure(names: list[str], count: int, *, quick: bool, tell: precision.Tell, scale: bool = True) -> dict[str, Any]:
    """Run everything.

    Parameters
    ----------
    names : list of str
        Peers: ``ours`` and those of `precision.PEERS`.
    count : int
        Patients of the sweeps.
    quick : bool
        Fewer repeats, no 100,000 patients.
    tell : callable
        Gets words on what is being done.
    scale : bool
        Also measure scaling and the distance to the arithmetic floor; needs ``ours``.
    """
    base = workload()
    patients = draw(count, base)
    result: dict[str, Any] = {"about": _about(base, count, quick)}
    tell(f"reference for {count} patients (Radau at {_REFERENCE:g})")
    reference = _reference(base, patients, _REFERENCE)
    again = _reference(base, patients.take(0, _CHECKED), _TIGHTER)
    consistent = float(relative_error(reference[: len(again)], again, base).max())
    result["reference"] = {"rtol": _REFERENCE, "difference_to_1e-11": consistent, "patients_checked": len(again)}
    result["sweeps"], result["readings"], result["titles"] = {}, {}, {}
    for name in names:
        peer = precision.PEERS.get(name)
        points = []
        for point in (
            precision.sweep_peer(peer, base, patients, reference, quick=quick)
            if peer
            else precision.sweep_ours(base, patients, reference, quick=quick)
        ):
            tell(f"{name}: {point.setting}: error {point.error:.2e}, {point.milliseconds:.3f} ms")
            points.append(point)
        result["titles"][name] = peer.title if peer else precision.OURS_TITLE
        result["sweeps"][name] = [asdict(point) for point in points]
        result["readings"][name] = [asdict(precision.read(points, target)) for target in precision.TARGETS]
    if "roadrunner" in names:
        from benchmarks.roadrunner_peer import expansion

        result["roadrunner_expansion"] = expansion(base)
    if scale and precision.OURS in names:
        few = 1000
        sizes = (100, 1000, 10_000) if quick else (100, 1000, 10_000, 100_000)
        result["scaling"] = [
            asdict(series)
            for series in (
                scaling.by_patients(sizes, tell),
                scaling.by_years(few, tell, fracture=True),
                scaling.by_years(few, tell, fracture=False),
                scaling.by_doses(few, tell),
                scaling.by_threads(4000, tell),
            )
        ]
        result["arithmetic"] = scaling.arithmetic(few, tell)
    result["about"]["load_average_after"] = os.getloadavg()
    return result


def _about(base: Workload, count: int, quick: bool) -> dict[str, Any]:
    packages = ("osteon", "numpy", "scipy", "numba", "llvmlite", "libroadrunner")
    return {
        "workload": f"{base.scenario.title}, {base.start:g} to {base.end:g} days from the fracture",
        "patients": count,
        "copies_of_each_in_our_timing": 8 if quick else precision.COPIES,
        "seed": SEED,
        "varied": VARIED,
        "outputs": len(base.times),
        "states": len(base.states),
        "error": "largest over patients, outputs and states of |y - ref| / (|ref| + 1e-3 scale)",
        "time": "CPU per patient on one core, warm, best of the repeats listed with each point",
        "quick": quick,
        "machine": _processor(),
        "cores": os.cpu_count(),
        "load_average_before": os.getloadavg(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _reference(base: Workload, patients: Patients, rtol: float) -> np.ndarray:
    """The reference, kept beside the kernels while model, workload and patients are the same."""
    digest = hashlib.sha256(f"{rtol} {base.scenario.content_hash()} {base.times.tolist()}".encode())
    digest.update(repr([base.parameters.content_hash(), np.__version__, version("scipy")]).encode())
    for phase in base.phases({}):
        digest.update(content_key(phase.system).encode())
    for key, column in patients.values.items():
        digest.update(key.encode() + column.tobytes())
    path = folder() / f"benchmark_reference_{digest.hexdigest()[:24]}.npy"
    if path.is_file():
        return np.load(path, allow_pickle=False)
    found = scipy_peers.reference(base, patients, rtol)
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(f".{os.getpid()}.tmp.npy")
    np.save(staged, found, allow_pickle=False)
    staged.replace(path)
    return found


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    known = [precision.OURS, *precision.PEERS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer patients and repeats: minutes, not half an hour")
    parser.add_argument("--json", metavar="FILE", help="also write everything measured")
    parser.add_argument("--patients", type=int, help=f"patients of the sweeps (32; {_QUICK_PATIENTS} with --quick)")
    parser.add_argument("--peers", default=",".join(known), help=f"some of {','.join(known)}")
    parser.add_argument("--no-scaling", action="store_true", help="sweeps alone")
    given = parser.parse_args(arguments)
    given.peers = given.peers.split(",")
    given.patients = given.patients or (_QUICK_PATIENTS if given.quick else 32)
    unknown = [name for name in given.peers if name not in known]
    if unknown:
        parser.error(f"--peers: {', '.join(unknown)} is not known (allowed: {', '.join(known)})")
    if given.patients < _CHECKED:
        parser.error(f"--patients: {given.patients} is too few (at least {_CHECKED})")
    return given


if __name__ == "__main__":
    sys.exit(main())

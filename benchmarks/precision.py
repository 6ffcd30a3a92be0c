"""Time at equal true error: each peer is swept over tolerances, and its time at a target is read from the sweep."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from benchmarks import scipy_peers
from benchmarks.ours import METHODS, ours
from benchmarks.workload import Patients, Workload, relative_error

TARGETS = (1e-4, 1e-6)


@dataclass(frozen=True)
class Point:
    """One run of a peer: its setting, largest error over patients, CPU milliseconds per patient."""

    setting: str
    error: float
    milliseconds: float
    failed: int
    repeats: int


@dataclass(frozen=True)
class Reading:
    """CPU milliseconds per patient at a target error; None where the sweep does not reach around it, and why."""

    target: float
    milliseconds: float | None
    note: str = ""


@dataclass(frozen=True)
class Peer:
    """A peer of the sweep.

    Attributes
    ----------
    title : str
        For the table.
    tolerances, floors : tuple of float
        Relative tolerances, and absolute over relative ones in units of each state's usual size.
    solve : callable
        ``solve(base, patients, tolerance, floor)``: states and CPU seconds of each patient.
    repeats : int
        Runs of which the best time of each patient counts.
    """

    title: str
    tolerances: tuple[float, ...]
    floors: tuple[float, ...]
    solve: scipy_peers.Peer
    repeats: int


def _roadrunner(base: Workload, patients: Patients, tolerance: float, floor: float):
    from benchmarks.roadrunner_peer import solve

    return solve(base, patients, tolerance, floor)


#: Everybody but ourselves. Floors were tried from 1e-3 to 1; where two are listed, neither is better throughout.
PEERS = {
    "roadrunner": Peer(
        "libRoadRunner (CVODE, LLVM) on our SBML", (1e-5, 1e-6, 1e-7, 1e-8, 1e-9), (1e-3,), _roadrunner, 2
    ),
    "vode": Peer(
        "SciPy VODE (as CVODE), compiled RHS", (1e-6, 1e-7, 1e-8, 1e-9, 1e-10), (1e-3, 1e-1), scipy_peers.vode, 3
    ),
    "scipy-written": Peer("SciPy LSODA, model as written", (1e-4, 1e-5, 1e-6, 1e-7), (1e-3,), scipy_peers.written, 1),
    "scipy": Peer(
        "SciPy LSODA, generated Python RHS", (1e-4, 1e-5, 1e-6, 1e-7, 1e-8), (1e-3, 1e-1), scipy_peers.plain, 3
    ),
    "scipy-compiled": Peer(
        "SciPy LSODA, compiled RHS + Jacobian", (1e-4, 1e-5, 1e-6, 1e-7, 1e-8), (1e-3, 1e-1), scipy_peers.fast, 3
    ),
}
OURS = "ours"
OURS_TITLE = "osteon, compiled lanes"
OURS_TOLERANCES = tuple(10.0**-power for power in (3.5, 4, 4.5, 5, 5.5, 6, 6.5, 7, 7.5, 8))
OURS_FLOORS = (1.0, 1e-1, 1e-2)
_OURS_REPEATS = 5
#: Each patient so many times over in a timed run, since an ensemble engine is made for many.
COPIES = 32


def sweep_peer(
    peer: Peer, base: Workload, patients: Patients, reference: np.ndarray, *, quick: bool
) -> Iterator[Point]:
    """Points of one peer, each as soon as it is measured."""
    repeats = 1 if quick else peer.repeats
    for floor in peer.floors:
        peer.solve(base, patients.take(0, 1), peer.tolerances[0], floor)  # warm
        for tolerance in peer.tolerances:
            runs = [peer.solve(base, patients, tolerance, floor) for _ in range(repeats)]
            best = np.min([seconds for _, seconds in runs], axis=0)
            setting = f"rtol {tolerance:.0e}, atol {tolerance * floor:.0e} of scale"
            yield _point(setting, relative_error(runs[0][0], reference, base), best.mean(), repeats)


def sweep_ours(base: Workload, patients: Patients, reference: np.ndarray, *, quick: bool) -> Iterator[Point]:
    """Points of our engine, both methods; the error from the patients, the time from `COPIES` of each."""
    copies, repeats = (8, 3) if quick else (COPIES, _OURS_REPEATS)
    many = patients.times(copies)
    for method, floor in product(METHODS, OURS_FLOORS):
        for tolerance in OURS_TOLERANCES[:: 2 if quick else 1]:
            states, _, _ = ours(base, patients, tolerance, method, floor=floor)
            best = min(ours(base, many, tolerance, method, floor=floor)[1] for _ in range(repeats))
            error = relative_error(states, reference, base)
            setting = f"{method}, rtol {tolerance:.1e}, atol {tolerance * floor:.1e} of scale"
            yield _point(setting, error, best / len(many), repeats)


def _point(setting: str, error: np.ndarray, seconds: float, repeats: int) -> Point:
    return Point(setting, float(error.max()), 1e3 * float(seconds), int(np.isinf(error).sum()), repeats)


def read(points: Sequence[Point], target: float) -> Reading:
    """Time at `target` by log-log interpolation between the two best points around it.

    Best points are those that no other beats in both error and time, so that of several settings the best counts.
    Nothing is extrapolated.
    """
    front: list[Point] = []
    for point in sorted((p for p in points if math.isfinite(p.error)), key=lambda p: (p.milliseconds, p.error)):
        if not front or point.error < front[-1].error:
            front.append(point)
    if not front:
        return Reading(target, None, "no run succeeded for every patient")
    for loose, tight in pairwise(front):
        if tight.error <= target <= loose.error:
            share = math.log(target / loose.error) / math.log(tight.error / loose.error)
            return Reading(target, loose.milliseconds * (tight.milliseconds / loose.milliseconds) ** share)
    if target < front[-1].error:
        return Reading(target, None, f"not reached: least error {front[-1].error:.1e}")
    return Reading(target, None, f"sweep begins at {front[0].error:.1e} in {front[0].milliseconds:.3g} ms")


def quickest(points: Sequence[Point], target: float) -> Point | None:
    """The quickest point with an error within `target`."""
    good = [point for point in points if point.error <= target]
    return min(good, key=lambda point: point.milliseconds) if good else None


def slope(x: Sequence[float], y: Sequence[float]) -> float:
    """Exponent of a power law through the points (log-log least squares)."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


#: What a measurement calls as it goes on, with words for a person.
Tell = Callable[[str], None]

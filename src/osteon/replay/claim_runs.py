"""Runs of virtual patients and animals that several claims read: simulated once, kept under a hash of their content."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from osteon.engine.cache import folder

if TYPE_CHECKING:
    from osteon.evidence.claims import Run
    from osteon.population import Cohort
    from osteon.scenario import Scenario

#: ``on_progress(title of the run, done, total)`` in patients.
Told = Callable[[str, int, int], None]
_QUICK_GROUPS = 2  # different draws where few patients are simulated
_SOURCES = (
    "endpoints",
    "population",
    "ensemble/chunk.py",
    "ensemble/function.py",
    "parameters/data",
    "replay/claim_runs.py",
)


@dataclass(frozen=True)
class Simulated:
    """Patients of one run.

    Attributes
    ----------
    arms : tuple of str
    time : ndarray
        Days of the curves, shape (time,) [day].
    series : mapping of str to ndarray
        Curves, shape (arms, patients, time).
    endpoints : mapping of str to ndarray
        Shape (arms, patients); NaN where not reached.
    patients : mapping of str to ndarray
        Traits, member and draw, shape (patients,).
    """

    arms: tuple[str, ...]
    time: np.ndarray
    series: Mapping[str, np.ndarray]
    endpoints: Mapping[str, np.ndarray]
    patients: Mapping[str, np.ndarray]

    @property
    def size(self) -> int:
        """Number of patients."""
        return next(iter(self.endpoints.values())).shape[1]

    @property
    def groups(self) -> np.ndarray:
        """Group of each patient, those who share a draw and a member; all are one where nothing is drawn."""
        if "draw" not in self.patients:
            return np.zeros(self.size, int)
        _, member = np.unique(self.patients["member"], return_inverse=True)
        return np.asarray(self.patients["draw"], int) * (member.max() + 1) + member


def scenarios_of(run: Run) -> dict[str, Scenario]:
    """Scenario of each variant of a run by name, or the only one by an empty name."""
    from osteon.scenario import Scenario

    if run.preset:
        return {"": Scenario.preset(run.preset)}
    found = {}
    for name, change in (run.variants or {"": {}}).items():
        arms = [dict(arm) for arm in run.arms]
        if name:
            arms = [{**arm, "name": name if len(arms) == 1 else f"{name}, {arm['name']}"} for arm in arms]
        fracture = None if run.fracture is None else {**run.fracture, **change.get("fracture", {})}
        found[name] = Scenario.parse(
            {
                "osteon": 1,
                "title": run.title_en,
                "patient": {**run.patient, **change.get("patient", {})},
                "fracture": fracture,
                "arms": arms,
                "horizon": run.horizon,
                "seed": run.seed,
            }
        )
    return found


def cohort_of(run: Run, scenario: Scenario, quick: bool = False) -> Cohort:
    """Patients of a run around one scenario; patient i differs from typical in the same way in every variant."""
    from osteon.population import Cohort

    size = run.quick if quick else run.patients
    if run.draws == "animals":
        return Cohort.from_table(scenario, _callus_draws(scenario, size))
    spread = None if run.spread else "none"
    if run.draws == "none":
        return Cohort.sample(scenario, size, spread=spread)
    groups = _QUICK_GROUPS if quick else run.groups
    return Cohort.sample(scenario, size, draws=groups if run.groups else True, spread=spread)


def values_of(run: Run, quick: bool = False) -> Mapping[str, Any]:
    """Parameters of the patients of a run by key, numbers or of shape (patients,)."""
    cohort = cohort_of(run, next(iter(scenarios_of(run).values())), quick)
    return cohort.block(0, cohort.size).groups[0].values


def _callus_draws(scenario: Scenario, size: int) -> dict[str, Any]:
    """Columns of a table of animals, each with a draw of the callus and the member it belongs to."""
    from osteon.model.person import MEMBERS, parameters_for
    from osteon.parameters import layered, posterior

    every = posterior.read_draws(posterior.SHIPPED.with_name("callus.nc"))
    chosen = np.unique(np.linspace(0, len(every) - 1, size).astype(int))
    members = np.array([every.structures[one].removeprefix("callus_") for one in chosen])
    columns: dict[str, Any] = {"member": members}
    for place, key in enumerate(every.keys):
        drawn = every.values[chosen, place]
        own, usual = np.empty(len(chosen)), np.empty(len(chosen))
        for member in dict.fromkeys(members.tolist()):
            mine = members == member
            own[mine] = parameters_for(scenario, member).value(key)
            usual[mine] = layered(*MEMBERS[member]).value(key)
        # A trait of the animal multiplies the value that is drawn, as it does the usual one.
        columns[key] = np.where(np.isnan(drawn), own, drawn * (own / usual))
    return columns


def simulated(run: Run, *, quick: bool = False, on_progress: Told | None = None) -> Simulated:
    """Simulate a run, or take it from the cache.

    Parameters
    ----------
    run : Run
        Which.
    quick : bool
        Fewer patients in plain Python, so that nothing is compiled.
    on_progress : callable, optional
        Told how far it is.
    """
    every = scenarios_of(run).values()
    parts = [_kept(cohort_of(run, scenario, quick), run, quick, on_progress) for scenario in every]
    return parts[0] if len(parts) == 1 else _joined(parts)


def simulate_patients(
    cohort: Cohort, title: str, series: tuple[str, ...], every: float, quick: bool, on_progress: Told | None
) -> Simulated:
    """Simulate a cohort without the cache; see `simulated`."""
    from osteon.ensemble.run import simulate_cohort

    def tell(done: int, total: int, failed: int) -> None:
        if on_progress is not None:
            on_progress(title, done, total)

    backend = "python" if quick else "auto"
    result = simulate_cohort(cohort, series=series, every=every, backend=backend, on_progress=tell)
    table, size, arms = result.endpoints(), cohort.size, len(cohort.arms)
    endpoints = {
        str(name): table[name].to_numpy(float).reshape(size, arms).T
        for name in table.columns
        if name not in ("patient", "arm", "failure", "failed_day", "failed_state", "steps")
    }
    traits = {str(name): column.to_numpy() for name, column in result.patients().items()}
    patients = {
        name: one if one.dtype.kind in "fiub" else one.astype(str)
        for name, one in traits.items()
        if not name.startswith("x ")
    }
    curves = {name: result[name].to_numpy() for name in series}
    time = np.asarray(result.series["time"].to_numpy(), float)
    return Simulated(tuple(cohort.arms), time, curves, endpoints, patients)


def _kept(cohort: Cohort, run: Run, quick: bool, on_progress: Told | None) -> Simulated:
    path = folder() / "review" / f"{content_key(cohort, run.series, run.every, quick)}.npz"
    found = _read(path)
    if found is None:
        found = simulate_patients(cohort, run.title_en, run.series, run.every, quick, on_progress)
        _write(path, found)
    elif on_progress is not None:
        on_progress(run.title_en, cohort.size, cohort.size)
    return found


def content_key(cohort: Cohort, series: tuple[str, ...], every: float, quick: bool) -> str:
    """Hash of all that a run depends on: patients, settings, model, and the code that reads endpoints."""
    from osteon.ensemble.plan import make_plan

    backend = "python" if quick else "auto"
    plan = make_plan(
        cohort, series=series, every=every, chunk=512, threads=1, backend=backend, tolerance=None
    ).manifest()
    canonical = json.dumps({**plan, "title": ""}, sort_keys=True, default=list)
    return hashlib.sha256((canonical + _code()).encode()).hexdigest()[:32]


@lru_cache(maxsize=1)
def _code() -> str:
    """Hash of the files beside the model that a run depends on."""
    import osteon

    root = Path(str(osteon.__file__)).parent
    digest = hashlib.sha256()
    for name in _SOURCES:
        place = root / name
        files = [place] if place.is_file() else sorted(one for one in place.rglob("*") if one.is_file())
        for one in files:
            if one.suffix in (".py", ".toml"):
                digest.update(one.read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> Simulated | None:
    """What the cache holds; nothing where it is not there or damaged."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            parts: dict[str, dict[str, np.ndarray]] = {"series": {}, "endpoints": {}, "patients": {}}
            for name in file.files:
                kind, _, key = name.partition(":")
                if kind in parts:
                    parts[kind][key] = file[name]
            return Simulated(tuple(file["arms"].tolist()), file["time"], **parts)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None


def _write(path: Path, found: Simulated) -> None:
    """Keep a run, whole or not at all; a folder that cannot be written is done without."""
    staged = path.with_name(f".{path.name}.{os.getpid()}.tmp.npz")
    columns: dict[str, Any] = {"arms": np.array(found.arms), "time": found.time}
    for kind in ("series", "endpoints", "patients"):
        columns |= {f"{kind}:{name}": values for name, values in getattr(found, kind).items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(staged, **columns)
        staged.replace(path)
    except OSError:
        staged.unlink(missing_ok=True)


def _joined(parts: list[Simulated]) -> Simulated:
    """Variants of the same patients side by side, as arms."""
    first = parts[0]
    names = [name for name in first.endpoints if all(name in part.endpoints for part in parts)]
    return Simulated(
        tuple(arm for part in parts for arm in part.arms),
        first.time,
        {name: np.concatenate([part.series[name] for part in parts]) for name in first.series},
        {name: np.concatenate([part.endpoints[name] for part in parts]) for name in names},
        first.patients,
    )

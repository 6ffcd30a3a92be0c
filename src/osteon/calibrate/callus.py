"""Calibration of the callus: its kinetics in animals, from two places that are far apart and give one course.

Numbers are fitted; directions of an effect are scored and never fitted. The data cannot decide between the two places
(the members J and B), so that both get the same weight.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from osteon.calibrate.animals import AnimalTrials, observed_of
from osteon.calibrate.free import Free, Observed, Problem, read_free
from osteon.calibrate.run import Calibration, Problems
from osteon.calibrate.subject import Settings
from osteon.evidence.healing import HealingRow, healing_rows
from osteon.model.person import MEMBERS
from osteon.model.systems import SYSTEMIC_PARAMETERS
from osteon.parameters import Record, layered

STRUCTURES = ("callus_J", "callus_B")
#: Weight of each place, whatever its evidence: where priors are centred is no finding.
WEIGHTS = dict.fromkeys(STRUCTURES, 0.5)
#: What an ablation holds fixed.
ABLATIONS: Mapping[str, Mapping[str, float]] = {
    "vessels that open the way for osteoclasts": {"callus.invasion_half": 1e-9},
    "vessels that limit calcification": {"callus.calcification_floor": 0.9999},
    "calcified cartilage that is weak": {"mechanics.quality_cartilage": 0.5},
    "growth of the envelope under PTH": {"callus.pth_envelope": 1e-9},
}
_DATA = Path(__file__).with_name("data")
_CONTROL = "mouse_femur_control"


@dataclass(frozen=True)
class Animals:
    """The rows on animals under one member; a `Problem`."""

    structure: str
    block: str
    free: tuple[Free, ...]
    rows: tuple[HealingRow, ...]
    fixed: Mapping[str, float]
    threads: int

    @cached_property
    def _observed(self) -> Observed:
        return observed_of(self.rows, _rows_table()["offset"])

    @property
    def observed(self) -> Observed:
        """Rows as the likelihood wants them."""
        return self._observed

    @cached_property
    def _trials(self) -> AnimalTrials:
        return AnimalTrials(self.rows, member_of(self.structure), threads=self.threads)

    def predict(self, z: np.ndarray) -> np.ndarray:
        """Predicted rows, shape (m, n), of points z, shape (m, p)."""
        values = {key: np.full(len(z), value) for key, value in self.fixed.items()}
        values |= {one.key: one.to_value(z[:, place]) for place, one in enumerate(self.free)}
        return self._trials.predict(values)

    def acceptable(self, z: np.ndarray) -> np.ndarray:
        """Which points, shape (m, p), keep the rules of an untreated course and of a callus under drugs; shape (m,)."""
        from osteon.calibrate.callus_rules import keeps_rules

        values = {one.key: one.to_value(z[:, place]) for place, one in enumerate(self.free)}
        return keeps_rules(values, member_of(self.structure), self.threads)


def member_of(structure: str) -> str:
    """Member of the ensemble that a structure is."""
    return structure.removeprefix("callus_")


def fitted_rows(data: Path | None = None) -> tuple[HealingRow, ...]:
    """Rows that are fitted: numbers and bounds of use ``fit``, and what is assumed of the untreated course."""
    rows = tuple(row for row in healing_rows("fit", data) if row.kind != "sign")
    like = next(row for row in rows if row.arm == _CONTROL and row.against == "intact")
    assumed = [
        replace(like, study="assumed course", line=0, sd_how="", how_obtained="assumed", flag="no source", **entry)
        for entry in (dict(entry, against_day=entry["day"]) for entry in _rows_table()["course"])
    ]
    return (*rows, *assumed)


def free_parameters(structure: str) -> tuple[Free, ...]:
    """Free parameters of a structure with their priors."""
    free = read_free(_DATA / "callus_free.toml")
    if structure == "callus_J":
        return free
    centres = tomllib.loads((_DATA / f"{structure}_centre.toml").read_text(encoding="utf-8"))
    found = []
    for one in free:
        module, _, name = one.key.partition(".")
        found.append(replace(one, centre=float(centres.get(module, {}).get(name, one.centre))))
    return tuple(found)


def problems(structures: Sequence[str], settings: Settings) -> Problems:
    """Problems by structure and block."""
    rows = fitted_rows(settings.data)
    return {
        name: {"core": Animals(name, "core", free_parameters(name), rows, {}, settings.cores)} for name in structures
    }


@lru_cache(maxsize=1)
def records() -> Mapping[str, Record]:
    """Unit and meaning of every free parameter."""
    every = layered(*SYSTEMIC_PARAMETERS, *MEMBERS["J"])
    return {one.key: every[one.key] for one in free_parameters("callus_J")}


def ablated(structure: str, settings: Settings) -> Mapping[str, Problem]:
    """Core problems of a structure with a part taken out, by the name of that part."""
    whole = problems([structure], settings)[structure]["core"]
    found: dict[str, Problem] = {}
    for name, fixed in ABLATIONS.items():
        free = tuple(one for one in whole.free if one.key not in fixed)
        found[name] = replace(whole, free=free, fixed=dict(fixed))  # pyright: ignore[reportArgumentType]
    return found


def targets(calibration: Calibration, settings: Settings):
    """Measures of how well the calibrated callus does, fitted and checked."""
    from osteon.calibrate.callus_scores import callus_targets

    return callus_targets(calibration, settings)


@lru_cache(maxsize=1)
def _rows_table() -> Mapping:
    return tomllib.loads((_DATA / "callus_rows.toml").read_text(encoding="utf-8"))

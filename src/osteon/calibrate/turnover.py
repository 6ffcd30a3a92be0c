"""Calibration of the turnover layer: problems by structure, what is asked of the result, and what may be taken out."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from osteon.calibrate.free import Free, Observed, Problem, read_free
from osteon.calibrate.run import Calibration, Problems
from osteon.calibrate.subject import Settings
from osteon.calibrate.virtual import VirtualTrials
from osteon.evidence import Observations, arms, observations
from osteon.model.systems import SYSTEMIC_PARAMETERS
from osteon.parameters import Record, layered
from osteon.parameters.posterior import STRUCTURES as STRUCTURES
from osteon.parameters.posterior import fixed_by

#: Parts that an ablation takes out: what it holds fixed, and virtual patients.
ABLATIONS: Mapping[str, tuple[Mapping[str, float], bool]] = {
    "slow memory": ({"turnover.pool_coupling": 0.0, "turnover.renewal": 1e-3}, True),
    "spread between patients": ({}, False),
    "steepness of the free-RANKL curve (plain Hill, h = 1)": ({"denosumab.steepness": 1.0}, True),
}
PATIENTS, QUICK_PATIENTS = 16, 8
_DATA = Path(__file__).with_name("data")


@dataclass(frozen=True)
class Trials:
    """The rows of one block under one structure; a `Problem`."""

    structure: str
    block: str
    free: tuple[Free, ...]
    rows: Observations
    fixed: Mapping[str, float]
    patients: int
    threads: int

    @property
    def observed(self) -> Observed:
        """Rows as the likelihood wants them."""
        return self._observed

    @cached_property
    def _observed(self) -> Observed:
        return observed_of(self.rows)

    @cached_property
    def _virtual(self) -> VirtualTrials:
        return VirtualTrials(self.rows, self.fixed, patients=self.patients, threads=self.threads)

    def predict(self, z: np.ndarray) -> np.ndarray:
        """Predicted rows, shape (m, n), of points z, shape (m, p)."""
        return self._virtual.predict({one.key: one.to_value(z[:, place]) for place, one in enumerate(self.free)})


def observed_of(rows: Observations) -> Observed:
    """Rows as the likelihood wants them."""
    return Observed(
        value=rows.value,
        sd=rows.sd,
        study=rows.study,
        arm=rows.arm,
        endpoint=rows.curve,
        day=rows.day,
        censored=rows.censored,
        tau=offsets(),
    )


@lru_cache(maxsize=1)
def offsets() -> dict[str, float]:
    """Standard deviation of what a study has in common, by curve [%]."""
    return tomllib.loads((_DATA / "turnover_noise.toml").read_text(encoding="utf-8"))["offset"]


@lru_cache(maxsize=1)
def free_parameters() -> tuple[Free, ...]:
    """Every free parameter with its prior."""
    return read_free(_DATA / "turnover_free.toml")


def block_of(rows: Observations) -> np.ndarray:
    """Block of each row: ``alendronate`` where the arm has had alendronate by then, else ``core``; shape (n,)."""
    return np.array(["alendronate" if _had(row.arm, "alendronate", row.day) else "core" for row in rows.rows], object)


def _had(arm: str, drug: str, day: float) -> bool:
    from osteon.units import to_internal

    return any(dose["drug"] == drug and to_internal(dose["start"], "day") < day for dose in arms()[arm].doses)


def rows_of(use: str, data: Path | None, block: str | None = None) -> Observations:
    """Rows of one use, of one block or of all."""
    found = observations(use, data)  # type: ignore[arg-type]
    if block is None:
        return found
    blocks = block_of(found)
    return Observations(tuple(row for row, own in zip(found.rows, blocks, strict=True) if own == block))


def problems(structures: Sequence[str], settings: Settings) -> Problems:
    """Problems by structure and block: denosumab and the anabolic drugs together, since they share the slow memory."""
    every = {block: rows_of("fit", settings.data, block) for block in ("core", "alendronate")}
    return {
        name: {block: _problem(name, block, rows, settings) for block, rows in every.items()} for name in structures
    }


def _problem(structure: str, block: str, rows: Observations, settings: Settings) -> Trials:
    fixed = fixed_by(structure)
    wanted = ("core",) if block == "core" else ("core", block)
    free = tuple(one for one in free_parameters() if one.block in wanted and one.key not in fixed)
    patients = QUICK_PATIENTS if settings.quick else PATIENTS
    return Trials(structure, block, free, rows, fixed, patients, settings.cores)


@lru_cache(maxsize=1)
def records() -> Mapping[str, Record]:
    """Unit and meaning of every free parameter."""
    every = layered(*SYSTEMIC_PARAMETERS)
    return {one.key: every[one.key] for one in free_parameters()}


def ablated(structure: str, settings: Settings) -> Mapping[str, Problem]:
    """Core problems of a structure with a part taken out, by the name of that part."""
    whole = _problem(structure, "core", rows_of("fit", settings.data, "core"), settings)
    found: dict[str, Problem] = {}
    for name, (fixed, spread) in ABLATIONS.items():
        free = tuple(one for one in whole.free if one.key not in fixed)
        patients = whole.patients if spread else 1
        found[name] = replace(whole, free=free, fixed={**whole.fixed, **fixed}, patients=patients)
    return found


def targets(calibration: Calibration, settings: Settings):
    """Measures of how well the calibrated model does, fitted and checked."""
    from osteon.calibrate.scores import turnover_targets

    return turnover_targets(calibration, settings)


def picture(draws, settings: Settings, on_progress=None):
    """Curves of every study arm and the dose-response of denosumab, to be shown beside the tables."""
    from osteon.calibrate.curves import picture as curves

    return curves(draws, settings, on_progress)

"""Studies of the callus of animals: numbers, bounds and directions by the shipped draws of the callus."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from osteon.replay.outcome import NOT_SIMULATED, Outcome
from osteon.replay.scoring import Seen, SignVerdict, compare_signs, scored, unscored, worded

if TYPE_CHECKING:
    from osteon.calibrate.store import Draws
    from osteon.evidence.healing import HealingRow
    from osteon.evidence.studies import Result, Study, TableRow
    from osteon.replay.engines import Effort, Findings

DRAWS = 60
_REPLICATES = 10  # of each draw
_FACT_ZH = "设计、材料或定义的说明，不与模拟比较"


def outcomes(study: Study, findings: Findings, effort: Effort) -> list[Outcome]:
    """Every row of the findings; see `osteon.replay.engines.Engine`."""
    known, reasons = _known(), _reasons()
    compared = [(result, row, one) for result, rows in findings for row in rows for one in known.get(row.line, ())]
    raw = _raw(tuple(one for _, _, one in compared), effort)
    found = [_outcome(study, result, row, one, raw[:, place]) for place, (result, row, one) in enumerate(compared)]
    for result, rows in findings:
        for row in rows:
            if row.line not in known:
                why, why_zh = reasons[row.line]
                found.append(unscored(study, result, row, why, why_zh))
    return found


def _outcome(study: Study, result: Result, row: TableRow, one: HealingRow, raw: np.ndarray) -> Outcome:
    """`raw` is the predicted ratio or quantity under each draw, shape (draws,)."""
    if one.kind == "sign":
        return _direction(study, result, row, one, raw)
    from osteon.calibrate.animals import is_logarithm
    from osteon.evidence.healing import score_signs

    # Of nothing left there is no logarithm.
    logs = is_logarithm(one) and one.value > 0
    bound = one.kind if one.kind in ("at_least", "at_most") else ""
    seen = Seen(
        value=one.value,
        sd=one.sd / max(one.value, 0.2) if logs else one.sd,
        scale="log" if logs else "linear",
        bound=bound,
        effect=1.0 if one.contrast == "ratio" and one.signed and one.against != "intact" else math.nan,
        unit="ratio" if one.contrast == "ratio" else result.unit,
        day=one.day,
        n=one.n,
        label=one.quantity,
        against=one.against,
        printed=f"{row.value:g} {row.unit}" if one.value != row.value else "",
        flag=one.flag,
    )
    told = _replicates(one, raw, seen, f"{row.line} {one.quantity}")
    found = scored(study, result, row, seen, "animal", raw, told)
    if math.isnan(seen.effect) or found.verdict == NOT_SIMULATED:
        return found
    (verdict,) = score_signs([one], (raw - 1.0)[:, None]).verdicts
    return replace(found, sign=compare_signs(verdict.observed, verdict.predicted), agreeing=verdict.agreeing)


def _replicates(one: HealingRow, raw: np.ndarray, seen: Seen, key: str) -> np.ndarray:
    """What studies with the row's error and an offset of their own would report, shape (draws * replicates,)."""
    from osteon.draws import normal

    noise = normal(1, 0, 2 * _REPLICATES * len(raw), f"replay animal {key}").reshape(2, _REPLICATES, -1)
    error = (0.0 if seen.bound else seen.sd) * noise[0] + _offsets().get(one.quantity, 0.0) * noise[1]
    return (raw * np.exp(error) if seen.scale == "log" else raw + error).reshape(-1)


def _direction(study: Study, result: Result, row: TableRow, one: HealingRow, raw: np.ndarray) -> Outcome:
    """A row that gives a direction alone; what is simulated is shown as a ratio."""
    from osteon.evidence.healing import score_signs

    (verdict,) = score_signs([one], (raw - 1.0)[:, None]).verdicts
    seen = Seen(
        float(one.sign), unit="direction", day=one.day, n=one.n, label=one.quantity, against=one.against, flag=one.flag
    )
    seen = replace(seen, scored=one.signed)
    told = SignVerdict(verdict.observed, verdict.predicted, verdict.agreeing)
    return worded(study, result, row, seen, "animal", raw, told)


def _raw(rows: tuple[HealingRow, ...], effort: Effort) -> np.ndarray:
    """Predicted ratios and quantities by some of the draws, shape (draws, rows)."""
    from osteon.calibrate.animals import AnimalTrials
    from osteon.calibrate.callus_simulated import of_members

    if not rows:
        return np.zeros((0, 0))
    draws = draws_of_callus()
    parts = [
        AnimalTrials(rows, member, threads=effort.cores).raw(values)
        for member, values in of_members(draws, effort.fewer(DRAWS))
    ]
    return np.concatenate(parts)


@lru_cache(maxsize=1)
def draws_of_callus() -> Draws:
    """Return the shipped draws of the callus."""
    from osteon.parameters.posterior import SHIPPED, read_draws

    return read_draws(SHIPPED.with_name("callus.nc"))


@lru_cache(maxsize=1)
def _known() -> Mapping[int, tuple[HealingRow, ...]]:
    """Rows that are compared, by line; one line can stand for several quantities."""
    from osteon.evidence.healing import healing_rows
    from osteon.evidence.healing.table import USES

    found: dict[int, list[HealingRow]] = {}
    for use in USES:
        for row in healing_rows(use):
            found.setdefault(row.line, []).append(row)
    return {line: tuple(rows) for line, rows in found.items()}


@lru_cache(maxsize=1)
def _reasons() -> Mapping[int, tuple[str, str]]:
    """Why the other rows are not compared, by line; facts too."""
    from osteon.evidence.healing import healing_facts, healing_left_out
    from osteon.evidence.healing.table import USES

    found = {one.row.line: (one.reason, "") for one in healing_left_out()}
    for use in USES:
        found |= {one.row.line: (f"not a finding to simulate: {one.what}", _FACT_ZH) for one in healing_facts(use)}
    return found


@lru_cache(maxsize=1)
def _offsets() -> Mapping[str, float]:
    """Standard deviation of what a study has in common, by quantity, as the calibration has it."""
    text = (files("osteon.calibrate") / "data" / "callus_rows.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["offset"]

"""Studies of bone turnover and density: rows of the calibration by the shipped draws, and further curves of its arms.

What the rows of fit, check and noise are compared with is `osteon.calibrate.scores.predicted`, as on the page of the
calibration: the summary of a virtual population under each draw. What another study would report has its error and
offset beside, wider where the calibration found errors wider than printed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.errors import InputError
from osteon.replay.outcome import Outcome
from osteon.replay.reasons import NO_ARM
from osteon.replay.scoring import Seen, scored, unscored

if TYPE_CHECKING:
    from osteon.calibrate.scores import Predicted
    from osteon.evidence.studies import Result, Study, TableRow
    from osteon.parameters.posterior import Draws
    from osteon.replay.engines import Effort, Findings

_QUICK = 15  # draws
_REPLICATES = 10  # of each draw


def outcomes(study: Study, findings: Findings, effort: Effort) -> list[Outcome]:
    """Every row of the findings; see `osteon.replay.engines.Engine`."""
    return [
        _of_curve(study, result, row, effort) if result.simulated is not None else _of_row(study, result, row, effort)
        for result, rows in findings
        for row in rows
    ]


def _of_row(study: Study, result: Result, row: TableRow, effort: Effort) -> Outcome:
    reason = _left_out().get((row.table, row.line))
    if reason is not None:
        return unscored(study, result, row, reason)
    found, places, scale = _compared(row.use, effort.quick, effort.cores)
    place = places[row.table, row.line]
    one = found.rows.rows[place]
    seen = Seen(
        value=one.value,
        low=one.low,
        high=one.high,
        sd=one.sd,
        bound="at_most" if one.censored else "",
        # Of two arms the difference has a direction; that a drug changes a marker at all says little.
        effect=0.0 if one.contrast else np.nan,
        unit="%" if one.contrast != "difference" else "points",
        day=one.day,
        n=one.n,
        label=one.curve,
        against=one.against,
        flag=one.flag,
    )
    medians = found.medians[:, place]
    error = scale[place] * _error(one.sd, one.curve, len(medians), f"{row.table} {row.line}")
    return scored(study, result, row, seen, "turnover", medians, (medians + error).reshape(-1))


def _error(sd: float, curve: str, draws: int, key: str) -> np.ndarray:
    """Error of a study and what it has in common with its other rows, shape (replicates, draws) [%]."""
    from osteon.calibrate.turnover import offsets
    from osteon.draws import normal

    noise = normal(1, 0, 2 * _REPLICATES * draws, f"replay turnover {key}").reshape(2, _REPLICATES, draws)
    return sd * noise[0] + offsets()[curve] * noise[1]


def _of_curve(study: Study, result: Result, row: TableRow, effort: Effort) -> Outcome:
    """A row that no arm of the calibration claims, of which the study file names arm and curve."""
    asked = result.simulated
    assert asked is not None
    key = asked.arms.get(row.arm, asked.arm)
    if not key:
        return unscored(study, result, row, NO_ARM)
    day = row.day if asked.day is None else asked.day
    values = _curve(key, asked.of, day, effort.quick, effort.cores)
    scale = _inflation().get(("core", asked.of), 1.0)
    error = scale * _error(float(np.nan_to_num(row.sd)), asked.of, len(values), f"{row.table} {row.line}")
    seen = Seen(row.value, row.low, row.high, row.sd, unit="%", label=asked.of, day=day)
    return scored(study, result, row, seen, "turnover", values, (values + error).reshape(-1))


@lru_cache(maxsize=8)
def _compared(use: str, quick: bool, threads: int) -> tuple[Predicted, Mapping[tuple[str, int], int], np.ndarray]:
    """Every row of a use as predicted, its place by file and line, and the scale of its error, shape (rows,)."""
    from osteon.calibrate.scores import predicted
    from osteon.calibrate.subject import Settings

    draws = _draws(quick)
    found = predicted(use, draws, {name: {} for name in draws.weights}, Settings(threads=threads))
    places = {(row.file, row.line): place for place, row in enumerate(found.rows.rows)}
    known = _inflation()
    scale = np.array([known.get((_core(row.block), row.curve), 1.0) for row in found.rows.rows])
    return found, places, scale


@lru_cache(maxsize=64)
def _curve(arm: str, curve: str, day: float, quick: bool, threads: int) -> np.ndarray:
    """Curve of an arm on a day under each draw, shape (draws,) [%]."""
    from osteon.calibrate.curves import COUNT, chosen, parameter_values
    from osteon.calibrate.virtual import VirtualTrials
    from osteon.evidence import Observations
    from osteon.evidence.arms import arm as study_arm

    own = study_arm(arm)
    values = parameter_values(chosen(_draws(quick), COUNT))
    at = own.sample_day(day)
    days = np.union1d([at], [own.baseline_day])
    trials = VirtualTrials(Observations(()), threads=threads)
    return trials.curves(own, days, [curve], values)[curve][:, int(np.searchsorted(days, at))]


def _core(block: str) -> str:
    return "alendronate" if block == "alendronate" else "core"


@lru_cache(maxsize=2)
def _draws(quick: bool) -> Draws:
    from osteon.calibrate.curves import chosen
    from osteon.parameters.posterior import shipped

    every = shipped()
    if every is None:
        raise InputError("this osteon ships no posterior of the turnover layer", path="posterior")
    return chosen(every, _QUICK) if quick else every


@lru_cache(maxsize=1)
def _left_out() -> Mapping[tuple[str, int], str]:
    from osteon.evidence import left_out

    return {(one.row.file, one.row.line): one.reason for one in left_out()}


@lru_cache(maxsize=1)
def _inflation() -> Mapping[tuple[str, str], float]:
    """How much wider errors are than printed, by block and curve, as the shipped replicates have it; never below 1."""
    import netCDF4

    from osteon.calibrate.turnover import offsets
    from osteon.parameters.posterior import SHIPPED

    with netCDF4.Dataset(SHIPPED) as file:
        data, told = file.groups["observed_data"], file.groups["posterior_predictive"]
        error: Any = np.asarray(told["value"][0]) - np.asarray(told["predicted"][0])
        sd, curve = np.asarray(data["sd"][:]), np.asarray(data["endpoint"][:], str)
        block = np.asarray(data["block"][:], str)
    tau, found = offsets(), {}
    for part in dict.fromkeys(block.tolist()):
        for name in dict.fromkeys(curve[block == part].tolist()):
            mine = (block == part) & (curve == name)
            usual = np.mean(sd[mine] ** 2 + tau[name] ** 2)
            found[part, name] = max(1.0, float(np.sqrt(np.mean(error[:, mine] ** 2) / usual)))
    return found

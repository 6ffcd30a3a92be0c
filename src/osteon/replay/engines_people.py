"""Studies of healing in people: times to union, radiographs, rates and risk factors of groups of virtual patients.

Groups, milestones and what stands for a bone are those of the calibration. Each draw is one of the callus with the best
fit of its member in people and its own clock, as in cohorts: the uncertainty of that fit is not in the interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.replay.outcome import Outcome
from osteon.replay.people_groups import group, rates, risks, scores, simulated_of, times
from osteon.replay.reasons import NO_GROUP
from osteon.replay.scoring import Seen, scored, unscored

if TYPE_CHECKING:
    from osteon.calibrate.callus_simulated import Simulated
    from osteon.calibrate.virtual_people import Group
    from osteon.evidence.studies import Result, Study, TableRow
    from osteon.replay.engines import Effort, Findings

PATIENTS, MANY = 16, 64
_REPLICATES = 10  # of each draw
_QUANTILES = 2.5631  # standard deviations of a normal law between its 10 and 90 % quantiles
_MEDIAN = 1.2533  # error of a median over that of a mean


@dataclass(frozen=True)
class Asked:
    """One published number, the groups it needs, and how it follows from them.

    `number` gives it under each draw, shape (draws,); `error` is that of a study whose own is not printed, and
    `between` what studies of one kind differ by, both standard deviations on the scale of `seen`.
    """

    seen: Seen
    groups: tuple[Group, ...]
    number: Callable[[Simulated], np.ndarray]
    error: Callable[[Simulated], np.ndarray | float]
    between: Callable[[Simulated], np.ndarray | float]
    milestones: tuple[tuple[str, float], ...]
    patients: int = PATIENTS


def outcomes(study: Study, findings: Findings, effort: Effort) -> list[Outcome]:
    """Every row of the findings; see `osteon.replay.engines.Engine`."""
    found = []
    for result, rows in findings:
        for row in rows:
            asked = _asked(result, row)
            if not asked:
                found.append(unscored(study, result, row, NO_GROUP))
            found += [_outcome(study, result, row, one, effort) for one in asked]
    return found


def _outcome(study: Study, result: Result, row: TableRow, asked: Asked, effort: Effort) -> Outcome:
    from osteon.draws import normal

    given = simulated_of(asked.groups, asked.milestones, asked.patients, effort)
    seen, model = asked.seen, np.asarray(asked.number(given), float)
    own = seen.sd if seen.sd > 0 else asked.error(given)
    key = f"replay people {study.key} {result.id} {row.line} {seen.label}"
    noise = normal(1, 0, 2 * _REPLICATES * len(model), key).reshape(2, _REPLICATES, -1)
    error = own * noise[0] + asked.between(given) * noise[1]
    told = model * np.exp(error) if seen.scale == "log" else model + error
    return scored(study, result, row, seen, "people", model, told.reshape(-1))


# ---- what a row asks for ---------------------------------------------------------------------------------------------


def _asked(result: Result, row: TableRow) -> list[Asked]:
    if result.simulated is not None:
        return [_of_arms(result, row)]
    where = (row.table, row.line)
    for known, make in ((times(), _of_times), (scores(), _of_score), (rates(), _of_rate), (risks(), _of_risk)):
        if where in known:
            return make(known[where], row)
    return []


def _of_arms(result: Result, row: TableRow) -> Asked:
    """A time, or a ratio of times, of groups that the study file names."""
    from osteon.calibrate.callus_simulated import BRIDGED
    from osteon.calibrate.people import BETWEEN

    asked = result.simulated
    assert asked is not None
    names = [asked.arms.get(row.arm, asked.arm), *filter(None, [asked.against])]
    groups = tuple(group(name) for name in names)
    days = _PER[asked.per]
    counts = asked.n or (row.n,) * len(names)
    if asked.against and asked.measure == "difference":
        seen = Seen(row.value, row.low, row.high, row.sd, effect=0.0, label="difference of medians", against=names[1])

        def number(given: Simulated) -> np.ndarray:
            return (given.day(names[0]) - given.day(names[1])) / days
    elif asked.against:
        sd = math.log(row.high / row.low) / 3.919928 if row.low > 0 else math.nan
        seen = Seen(row.value, row.low, row.high, sd, "log", effect=1.0, label="ratio of times", against=names[1])

        def number(given: Simulated) -> np.ndarray:
            return given.day(names[0]) / given.day(names[1])
    else:
        value, sd = row.value * days, row.sd / row.value if row.sd > 0 else math.nan
        printed = f"{row.value:g} {row.unit}" if days != 1 else ""
        seen = Seen(
            value, row.low * days, row.high * days, sd, "log", unit="day", label="median time to union", printed=printed
        )

        def number(given: Simulated) -> np.ndarray:
            return given.day(names[0])

    def spread(given: Simulated) -> np.ndarray:
        parts = [_log_sd(given, name) * _MEDIAN / math.sqrt(max(n, 1)) for name, n in zip(names, counts, strict=False)]
        level = given.day(names[0]) / days if asked.measure == "difference" else 1.0
        return level * np.sqrt(np.sum(np.square(parts), axis=0))

    between = BETWEEN["time"]
    return Asked(
        seen,
        groups,
        number,
        spread,
        lambda given: between * (given.day(names[0]) / days if asked.measure == "difference" else 1.0),
        (BRIDGED,),
    )


def _of_times(one: Any, row: TableRow) -> list[Asked]:
    from osteon.calibrate.callus_simulated import BRIDGED
    from osteon.calibrate.people import BETWEEN

    own, printed = group(one.key), f"{row.value:g} {row.unit}"
    printed += f" ({row.error_type} {row.value - row.low:.3g})" if not math.isnan(row.low) else ""
    sd = one.median_sd / one.median if one.median_sd > 0 else math.nan
    middle = Seen(
        *(one.median, math.nan, math.nan, sd, "log"),
        unit="day",
        n=one.n,
        label="median time to union",
        printed=printed,
        flag=one.note,
    )
    found = [
        Asked(
            middle,
            (own,),
            lambda given: given.day(one.key),
            lambda given: _log_sd(given, one.key) * _MEDIAN / math.sqrt(max(one.n, 1)),
            _always(BETWEEN["time"]),
            (BRIDGED,),
        )
    ]
    if one.log_sd > 0:
        spread = Seen(one.log_sd, sd=one.log_sd_sd, unit="1", n=one.n, label="SD of the log time", printed=printed)
        found.append(
            Asked(
                spread,
                (own,),
                lambda given: _log_sd(given, one.key),
                _always(0.0),
                _always(BETWEEN["log SD"]),
                (BRIDGED,),
            )
        )
    return found


def _of_score(one: Any, row: TableRow) -> list[Asked]:
    from osteon.calibrate.group_times import quantile
    from osteon.calibrate.people import BETWEEN

    key = "tibia_nail_immediate"
    if one.quantity == "time_to_score":
        place, share = ("RUST", one.score), one.percentile / 100.0
        seen = Seen(one.value, scale="log", unit="day", n=one.n, label=f"RUST {one.score:g}, {one.percentile:g} %")

        def number(given: Simulated) -> np.ndarray:
            return quantile(given.times[key, *place], given.spreads[key], share)

        def error(given: Simulated) -> np.ndarray:
            return given.spreads[key] * _MEDIAN / math.sqrt(one.n)

        return [Asked(seen, (group(key),), number, error, _always(BETWEEN["RUST"]), (place,))]
    place = ("RUST", one.score + 1.0)
    seen = Seen(100.0 * one.value, unit="%", day=one.day, n=one.n, label=f"RUST {one.score:g} or less")
    return [_share(seen, group(key), place, one.day, one.n, PATIENTS)]


def _of_rate(one: Any, row: TableRow) -> list[Asked]:
    from osteon.calibrate.callus_simulated import BRIDGED, HEALED, table
    from osteon.calibrate.group_times import DELAYED_DAY, NON_UNION_DAY
    from osteon.calibrate.people import rate_group

    entry = next((entry for entry in table()["rates"] if one.bone in entry["bones"]), None)
    if entry is None:
        return []
    who = rate_group(entry)
    late = one.event == "delayed"
    place, day = (HEALED, DELAYED_DAY) if late else (BRIDGED, NON_UNION_DAY)
    label = "RUST below 10" if late else "not bridged"
    seen = Seen(
        100 * one.value, 100 * one.low, 100 * one.high, unit="%", day=day, n=one.n, label=f"{label}, {entry['key']}"
    )
    return [_share(seen, who, place, day, one.n, MANY)]


def _share(seen: Seen, who: Group, place: tuple[str, float], day: float, n: int, patients: int) -> Asked:
    """Share of a group that is late, with the error of so many patients and of what sources differ by in log-odds."""

    def number(given: Simulated) -> np.ndarray:
        return 100.0 * given.late(who.key, place, day)

    def between(given: Simulated) -> np.ndarray:
        share = np.clip(given.late(who.key, place, day), 1e-4, 1 - 1e-4)
        return 100.0 * _between_rates() * share * (1 - share)

    if n:
        share = min(max(seen.value / 100.0, 0.5 / n), 1.0 - 0.5 / n)
        seen = replace(seen, sd=100.0 * math.sqrt(share * (1.0 - share) / n))
    return Asked(seen, (who,), number, _always(0.0), between, (place,), patients)


def _of_risk(one: Any, row: TableRow) -> list[Asked]:
    from osteon.calibrate.callus_simulated import BRIDGED, HEALED, group_of, table
    from osteon.calibrate.group_times import DELAYED_DAY, NON_UNION_DAY
    from osteon.evidence.healing.risks import BETWEEN_SOURCES, BETWEEN_TIMES

    known = table()["risks"]
    if one.factor not in known["factors"]:
        return []
    base = {name: known[name] for name in ("patient", "fracture")}
    change = known["factors"][one.factor]
    own = {part: {**base[part], **change.get(part, {})} for part in base}
    groups = (group_of(one.factor, own), group_of("none", base))
    seen = Seen(
        *(one.value, one.low, one.high, one.log_sd, "log"), effect=1.0, unit="ratio", label=one.factor, against="none"
    )
    if one.outcome == "time":
        number, place, between = (lambda given: given.day(one.factor) / given.day("none")), BRIDGED, BETWEEN_TIMES
    else:
        place, day = (HEALED, DELAYED_DAY) if one.outcome == "delayed" else (BRIDGED, NON_UNION_DAY)
        seen = replace(seen, day=day)
        between = BETWEEN_SOURCES

        def number(given: Simulated) -> np.ndarray:
            return _odds(given.late(one.factor, place, day)) / _odds(given.late("none", place, day))

    return [Asked(seen, groups, number, _always(0.0), _always(between), (place,), MANY)]


_PER = {"day": 1.0, "week": 7.0, "month": 365.25 / 12.0}


def _log_sd(given: Simulated, key: str) -> np.ndarray:
    return np.log(given.day(key, 0.9) / given.day(key, 0.1)) / _QUANTILES


def _between_rates() -> float:
    from osteon.calibrate.people import BETWEEN

    return BETWEEN["non-union"]


def _odds(share: np.ndarray) -> np.ndarray:
    share = np.clip(share, 1e-4, 1 - 1e-4)
    return share / (1.0 - share)


def _always(value: float) -> Callable[[Simulated], float]:
    return lambda given: value

"""How well healing in virtual people does: times, radiographs, rates, risk factors, and what drugs change.

Fitted rows are what the draws of the calibration predict for them; all else is simulated anew by some of the draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.calibrate.callus_drug_scores import drugs, teriparatide
from osteon.calibrate.callus_simulated import BRIDGED, HEALED, group_of, simulated, table
from osteon.calibrate.findings import Target
from osteon.calibrate.group_times import DELAYED_DAY, NON_UNION_DAY
from osteon.calibrate.virtual_people import Group
from osteon.evidence.healing import RateRow, rate_rows, risk_factors, union_times

if TYPE_CHECKING:
    from osteon.calibrate.people import Row
    from osteon.calibrate.run import Calibration
    from osteon.calibrate.store import Draws
    from osteon.calibrate.subject import Settings

NEAR, NEAR_LOG_SD = (0.9, 1.1), 0.1
#: Days on which a fracture that is not bridged on three cortices counts as a non-union.
NON_UNION_DAYS = (NON_UNION_DAY, 365.0)
MANY = 64  # patients, where a share of them is asked for
_NONE = "none"


def people_targets(calibration: Calibration, settings: Settings) -> Sequence[Target]:
    """Every target of healing in people, met or missed; those without limits are shown only.

    Parameters
    ----------
    calibration : Calibration
        Of the subject ``people``.
    settings : Settings
        Folder of the rows, threads, and whether a rough answer will do.
    """
    draws = calibration.joint.draws
    parts = (checked_times, rates, risks, drugs, teriparatide)
    return [*fitted(calibration), *(one for part in parts for one in part(draws, settings))]


def fitted(calibration: Calibration) -> list[Target]:
    """Fitted rows: the median over the draws beside what was published."""
    problem: Any = next(iter(next(iter(calibration.stages.values())).values())).problem
    middle = np.nanmedian(calibration.joint.predicted, axis=0)
    pairs = zip(problem.rows, middle, strict=True)
    return [_row(row, float(one)) for row, one in pairs if row.kind != "non-union"]  # those are shown with `rates`


def _row(row: Row, value: float) -> Target:
    if row.kind == "log SD":
        name = f"{row.group}: SD of the log time to union, simulated less published"
        return Target(name, "fit", value - row.value, "", NEAR_LOG_SD, -NEAR_LOG_SD, 1)
    score = f"{row.curve} {row.level:g}"
    what = {
        "median": "median time to union",
        "percentile of": f"{100 * row.argument:g}th percentile of the time to {score}",
        "ratio": f"median time over that of {row.against}",
        "at most": f"share below {score} on day {row.argument:.0f}",
        "share": f"share with {score} on day {row.argument:.0f}",
    }[" ".join(row.kind.split()[:2])]
    shares = row.kind in ("at most", "share")
    ratio = _share(value) / _share(row.value) if shares else math.exp(value - row.value)
    return Target(f"{row.group}: {what}, simulated over published", "fit", ratio, "", NEAR[1], NEAR[0], 1)


def _share(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-log_odds))


def checked_times(draws: Draws, settings: Settings) -> list[Target]:
    """Times to union that were never fitted, shown."""
    rows = union_times("check", settings.data)
    given = simulated(draws, [Group(row.key, row.patient, row.fracture) for row in rows], settings)
    found = []
    for row in rows:
        ratio = float(np.nanmedian(given.day(row.key))) / row.median
        name = f"{row.key}: median time to union, simulated over published"
        found.append(Target(name, "check", ratio, "", rows=1))
        if row.log_sd > 0:
            apart = float(np.nanmedian(np.log(given.day(row.key, 0.9) / given.day(row.key, 0.1)) / 2.5631)) - row.log_sd
            name = f"{row.key}: SD of the log time to union, simulated less published"
            found.append(Target(name, "check", apart, "", rows=1))
    return found


def rates(draws: Draws, settings: Settings) -> list[Target]:
    """How many fail to unite, or unite late, by bone; those of use check are shown."""
    from osteon.calibrate.people import rate_group

    entries = table()["rates"]
    groups = [rate_group(entry) for entry in entries]
    given = simulated(draws, groups, settings, milestones=(BRIDGED, HEALED), patients=MANY)
    found = []
    for entry in entries:
        key = entry["key"]
        late = {f"non-union on day {day:g}": ("nonunion", given.late(key, BRIDGED, day)) for day in NON_UNION_DAYS}
        late["RUST below 10 at 6 months"] = ("delayed", given.late(key, HEALED, DELAYED_DAY))
        for what, (event, share) in late.items():
            value = 100.0 * float(np.nanmedian(share))
            for use in ("fit", "check"):
                rows = [one for one in rate_rows(use, settings.data) if one.bone in entry["bones"]]
                rows = [one for one in rows if one.event == event]
                if rows:
                    printed = ", ".join(f"{100 * one.value:.3g}" for one in rows)
                    low, high = rate_interval(rows) if use == "fit" else (-math.inf, math.inf)
                    found.append(Target(f"{key}: {what} (published {printed})", use, value, "%", high, low, len(rows)))
    return found


def rate_interval(rows: Sequence[RateRow]) -> tuple[float, float]:
    """Limits within which 90 % of sources would lie [%], of a normal law of log-odds."""
    from osteon.calibrate.people import BETWEEN

    odds = np.log([row.value / (1.0 - row.value) for row in rows])
    between = max(BETWEEN["non-union"], float(np.std(odds, ddof=1)) if len(rows) > 1 else 0.0)
    low, high = (100.0 * _share(float(odds.mean()) + side * 1.6449 * between) for side in (-1, 1))
    return round(low, 2), round(high, 2)


def risks(draws: Draws, settings: Settings) -> list[Target]:
    """Odds of non-union and of delay, and times to union, with a risk factor over those without."""
    known = table()["risks"]
    base = {name: known[name] for name in ("patient", "fracture")}
    groups = [group_of(_NONE, base)]
    for name, change in known["factors"].items():
        own = {part: {**base[part], **change.get(part, {})} for part in base}
        groups.append(group_of(name, own))
    given = simulated(draws, groups, settings, milestones=(BRIDGED, HEALED), patients=MANY)
    events = {
        f"odds of non-union on day {NON_UNION_DAYS[0]:g}": (BRIDGED, NON_UNION_DAYS[0]),
        "odds of RUST below 10 at 6 months": (HEALED, DELAYED_DAY),
    }
    found = []
    for use in ("fit", "check"):
        for name, factor in risk_factors(use, settings.data).items():
            key, low_high = name.removesuffix(" time"), factor.interval
            if key not in known["factors"] or math.isnan(factor.log_mean):
                continue
            if key != name:
                ratios = {"median time to union": given.day(key) / given.day(_NONE)}
            else:
                ratios = {
                    what: _odds(given.late(key, *event)) / _odds(given.late(_NONE, *event))
                    for what, event in events.items()
                }
            count = sum(row.pooled for row in factor.rows)
            for what, ratio in ratios.items():
                title = f"{key}: {what}, ratio (published {factor.ratio:.2f})"
                low, high = (round(end, 2) for end in low_high)
                found.append(Target(title, use, float(np.nanmedian(ratio)), "", high, low, count))  # type: ignore[arg-type]
    return found


def _odds(share: np.ndarray) -> np.ndarray:
    share = np.clip(share, 1e-4, 1 - 1e-4)
    return share / (1.0 - share)

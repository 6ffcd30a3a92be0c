"""Calibration of healing in people: clocks of bones, what a film shows, and how far people differ.

The kinetics of the callus are held at their best fit in animals. Rows are times to union of groups, the course of
RUST in nailed tibiae, the effect of smoking, age and teriparatide on the time, the share of delayed unions, and that
of non-unions by bone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from osteon.calibrate.callus import STRUCTURES as STRUCTURES
from osteon.calibrate.callus import WEIGHTS as WEIGHTS
from osteon.calibrate.callus import member_of
from osteon.calibrate.free import Free, Observed, Problem, read_free
from osteon.calibrate.group_times import DELAYED_DAY, NON_UNION_DAY, UNITED, quantile, share_by
from osteon.calibrate.run import Calibration, Problems
from osteon.calibrate.subject import Settings
from osteon.calibrate.virtual_people import Group, VirtualPeople
from osteon.evidence.healing import rate_rows, risk_factors, score_rows, union_times
from osteon.parameters import Record, load

#: Standard deviation of what studies of one kind differ by beside their patients: of a logarithm, a log SD or log-odds.
#: Assumed. Rates differ most, since cases are defined otherwise: non-union of all bones is 4.9 and 1.9 %.
BETWEEN = {"time": 0.03, "log SD": 0.03, "RUST": 0.05, "share": 0.6, "rate": 0.9, "non-union": 0.4}
#: What trials of nailed tibiae enrol beside healthy people with closed fractures: share of each trait, assumed.
ALL_COMERS = {"smoking": 0.3, "open": 0.25}
PATIENTS, QUICK_PATIENTS = 16, 8
MORE = 4  # times as many patients where a rare share of them is asked for
_DATA = Path(__file__).with_name("data")
_UNION = ("cortices_bridged", 3.0)
_SMOKER, _NON_SMOKER, _TERIPARATIDE = "tibia_nail_smoker", "tibia_nail_non_smoker", "distal_radius_teriparatide_{}"
_SOON = 400.0  # [day]; a late bridging beyond it counts as none


@dataclass(frozen=True)
class Row:
    """One row: what of which group, and what was published.

    Attributes
    ----------
    kind : str
        ``median``, ``log SD``, ``percentile of ...``, ``at most``, ``ratio``, ``share`` or ``non-union``.
    group, against : str
        Group, and the one it is compared with.
    curve, level : str, float
        Milestone.
    argument : float
        Percentile as a share, or day.
    value, sd : float
        On the scale that is compared: logarithms of days and ratios, log-odds of shares.
    """

    study: str
    kind: str
    group: str
    value: float
    sd: float
    curve: str = _UNION[0]
    level: float = _UNION[1]
    argument: float = math.nan
    against: str = ""


@dataclass(frozen=True)
class People:
    """The rows on people under one member; a `Problem`."""

    structure: str
    block: str
    free: tuple[Free, ...]
    rows: tuple[Row, ...]
    groups: tuple[Group, ...]
    patients: int
    threads: int

    @cached_property
    def _observed(self) -> Observed:
        rows = self.rows
        kinds = np.array([row.kind for row in rows])
        return Observed(
            value=np.array([row.value for row in rows]),
            sd=np.array([row.sd for row in rows]),
            study=np.array([row.study for row in rows]),
            arm=np.array([row.group for row in rows]),
            endpoint=kinds,
            day=np.array([row.argument for row in rows]),
            censored=np.zeros(len(rows), bool),
        )

    @property
    def observed(self) -> Observed:
        """Rows as the likelihood wants them."""
        return self._observed

    @cached_property
    def _virtual(self) -> tuple[VirtualPeople, ...]:
        """Groups asked for times, and larger ones asked how many do not unite."""
        found = []
        for rare in (False, True):
            wanted: dict[str, set[tuple[str, float]]] = {}
            for row in self.rows:
                for key in filter(None, (row.group, row.against)) if (row.kind == "non-union") == rare else ():
                    wanted.setdefault(key, set()).add((row.curve, row.level))
            groups = [group for group in self.groups if group.key in wanted]
            milestones = {key: sorted(every) for key, every in wanted.items()}
            patients = self.patients * (MORE if rare else 1)
            member = member_of(self.structure)
            found.append(VirtualPeople(groups, milestones, member, patients=patients, threads=self.threads))
        return tuple(found)

    def predict(self, z: np.ndarray) -> np.ndarray:
        """Predicted rows, shape (m, n), of points z, shape (m, p)."""
        values = {one.key: one.to_value(z[:, place]) for place, one in enumerate(self.free)}
        own = {key: one for key, one in values.items() if not key.startswith("clock_spread.")}
        times = {place: days for people in self._virtual for place, days in people.times(own).items()}
        spreads = {group.key: values[group.spread_key("clock_spread")] for group in self.groups}
        return np.stack([_predicted(row, times, spreads) for row in self.rows], axis=1)


def _predicted(row: Row, times: Mapping[tuple[str, str, float], np.ndarray], spreads: Mapping[str, np.ndarray]):
    days, spread = times[row.group, row.curve, row.level], spreads[row.group]
    if row.kind == "log SD":
        low, high = (np.log(quantile(days, spread, share, within=UNITED)) for share in (0.1, 0.9))
        return (high - low) / 2.5631
    if row.kind in ("at most", "share", "non-union"):
        share = share_by(days, spread, row.argument)
        share = np.clip(share if row.kind == "share" else 1.0 - share, 1e-4, 1 - 1e-4)
        return np.log(share / (1.0 - share))
    if row.kind.startswith("percentile"):
        return np.log(quantile(days, spread, row.argument))
    found = np.log(quantile(days, spread, 0.5, within=UNITED))
    if row.kind == "ratio":
        other = times[row.against, row.curve, row.level], spreads[row.against]
        found = found - np.log(quantile(*other, 0.5, within=UNITED))
    return found


def fitted_rows(data: Path | None = None) -> tuple[tuple[Row, ...], tuple[Group, ...]]:
    """Rows of use ``fit`` on people, and the groups they are of."""
    rows: list[Row] = []
    groups: dict[str, Group] = {}
    for one in union_times("fit", data):
        mix = ALL_COMERS if one.key.startswith("tibia_nail") else {}
        groups[one.key] = Group(one.key, one.patient, one.fracture, mix=mix)
        sd = one.median_sd / one.median if one.median_sd > 0 else 0.1
        rows.append(Row(one.study, "median", one.key, math.log(one.median), math.hypot(sd, BETWEEN["time"])))
        if one.log_sd > 0:
            error = math.hypot(one.log_sd_sd, BETWEEN["log SD"])
            rows.append(Row(one.study, "log SD", one.key, one.log_sd, error))
    nailed = "tibia_nail_immediate"
    for one in score_rows("fit", data):
        if one.quantity == "time_to_score":
            values = (math.log(one.value), BETWEEN["RUST"], "RUST", one.score, one.percentile / 100.0)
            rows.append(Row(one.study, f"percentile of RUST {one.score:g}", nailed, *values))
        else:
            odds = math.log(one.value / (1.0 - one.value))
            rows.append(Row(one.study, "at most", nailed, odds, BETWEEN["share"], "RUST", one.score + 1.0, one.day))
    for one in rate_rows("fit", data):
        if one.event == "delayed":
            done = 1.0 - one.value
            values = (math.log(done / one.value), BETWEEN["rate"], "RUST", 10.0, DELAYED_DAY)
            rows.append(Row(one.study, "share", nailed, *values))
    open_alone = all_comers(["open"])
    for key, smokes in ((_SMOKER, True), (_NON_SMOKER, False)):
        groups[key] = Group(key, {**groups[nailed].patient, "smoking": smokes}, groups[nailed].fracture, mix=open_alone)
    smoking = risk_factors("fit", data)["smoking time"]
    rows += [
        Row(one.study, "ratio", _SMOKER, math.log(one.value), 0.1, against=_NON_SMOKER)
        for one in smoking.rows
        if one.outcome == "time"
    ]
    rows += _teriparatide(groups, data)
    rows += _non_unions(groups, data)
    return tuple(rows), tuple(groups.values())


def all_comers(traits: Sequence[str]) -> dict[str, float]:
    """Shares of some traits among those whom trials enrol."""
    return {name: ALL_COMERS[name] for name in traits}


def rate_group(entry: Mapping[str, Any]) -> Group:
    """Group of an entry of ``people_scores.toml`` for rates of non-union and delay."""
    from osteon.calibrate.callus_simulated import group_of

    return group_of(entry["key"], entry, mix=all_comers(entry["mix"]))


def _non_unions(groups: dict[str, Group], data: Path | None) -> list[Row]:
    """How many fractures of each bone are not bridged after nine months."""
    from osteon.calibrate.callus_simulated import table

    found, printed = [], [one for one in rate_rows("fit", data) if one.event == "nonunion"]
    for entry in table()["rates"]:
        groups[entry["key"]] = replace(rate_group(entry), horizon=_SOON)
        for one in printed:
            if one.bone not in entry["bones"]:
                continue
            odds, chance = math.log(one.value / (1.0 - one.value)), one.value * (1.0 - one.value)
            sd = math.hypot(BETWEEN["non-union"], 1.0 / math.sqrt(one.n * chance) if one.n > 0 else 0.0)
            found.append(Row(one.study, "non-union", entry["key"], odds, sd, argument=NON_UNION_DAY))
    return found


def _teriparatide(groups: dict[str, Group], data: Path | None) -> list[Row]:
    """Times under teriparatide over that under placebo, both of one trial."""
    from osteon.evidence.healing.table import read

    placebo, found = "distal_radius_cast", []
    printed = [row for row in read("clinical_healing.csv", data) if row.study == "Aspenberg 2010" and row.use == "fit"]
    usual = next(row.value for row in printed if row["arm"] == "placebo")
    for row in printed:
        amount = row["arm"].removeprefix("teriparatide ").split(" ")[0]
        if amount not in ("20", "40"):
            continue
        key = _TERIPARATIDE.format(amount)
        dose = {"drug": "teriparatide", "amount": f"{amount} ug", "start": "7 days", "every": "1 day", "count": 56}
        groups[key] = Group(key, groups[placebo].patient, groups[placebo].fracture, (dose,))
        found.append(Row(row.study, "ratio", key, math.log(row.value / usual), 0.1, against=placebo))
    return found


@lru_cache(maxsize=1)
def free_parameters() -> tuple[Free, ...]:
    """Free parameters with their priors."""
    return read_free(_DATA / "people_free.toml")


def problems(structures: Sequence[str], settings: Settings) -> Problems:
    """Problems by structure and block."""
    rows, groups = fitted_rows(settings.data)
    patients = QUICK_PATIENTS if settings.quick else PATIENTS
    return {
        name: {"core": People(name, "core", free_parameters(), rows, groups, patients, settings.cores)}
        for name in structures
    }


@lru_cache(maxsize=1)
def records() -> Mapping[str, Record]:
    """Unit and meaning of every free parameter."""
    every: dict[str, Record] = {}
    for name in ("callus_J", "geometry", "fixation", "radiograph", "clock_spread", "strain_spread"):
        every |= dict(load(name).items())
    meanings = {"smoking.vessels": "vessels of a smoker, share of usual", "age.per_year": "lag of vessels per year"}
    units = {"smoking.vessels": "1", "age.per_year": "1/yr"}
    for key, means in meanings.items():
        every[key] = Record(key, 1.0, units[key], "fitted", "hooks/patient", means, set="hooks")
    return {one.key: every[one.key] for one in free_parameters()}


def ablated(structure: str, settings: Settings) -> Mapping[str, Problem]:
    """No part is taken out here."""
    return {}


def targets(calibration: Calibration, settings: Settings):
    """Measures of how well virtual people do, fitted and checked."""
    from osteon.calibrate.callus_scores import people_targets

    return people_targets(calibration, settings)

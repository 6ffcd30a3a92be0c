"""Published models of bone turnover, simulated again, beside osteon and what was observed after stopping denosumab.

The design is that of Bone 2011: 60 mg of denosumab every six months, four doses, then none.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osteon.calibrate.curves import ArmCurve
from osteon.evidence import Row
from osteon.evidence.table import FOLDER

ARM = "bone2011_denosumab"
#: Arm of equal treatment that has the days before the first month.
EARLY = "phase2_60_q6m"
TABLE = "models_resimulated.csv"
_EARLY_DAYS, _EARLY_CLOSE, _CLOSE = 10.0, 7.5, 3.0  # [day]
_RANK = {"check": 0, "fit": 1, "noise": 2}


@dataclass(frozen=True)
class Model:
    """One model: its values by day [%], whether it was fitted to these rows, and where the values come from."""

    name: str
    values: Mapping[float, float]
    fitted: bool
    provenance: str


@dataclass(frozen=True)
class Comparison:
    """Models on the same days.

    Attributes
    ----------
    endpoint : str
        Curve that is compared.
    days : tuple of float
        Days since the first dose [day].
    observed : mapping of float to Row
        The row of each day, where there is one.
    osteon : mapping of float to tuple
        Lower end, median and upper end of each day [%].
    models : tuple of Model
        Published models.
    curve : ArmCurve
        The whole curve of osteon.
    stopped : float
        End of the interval of the last dose [day].
    """

    endpoint: str
    days: tuple[float, ...]
    observed: Mapping[float, Row]
    osteon: Mapping[float, tuple[float, float, float]]
    models: tuple[Model, ...]
    curve: ArmCurve
    stopped: float = 731.0

    def rmse(self, values: Mapping[float, float]) -> tuple[float | None, float | None]:
        """Root of the mean squared error of a model under treatment and after it [% points]; None without days."""
        apart = {day: values[day] - row.value for day, row in self.observed.items() if day in values}
        during = [one for day, one in apart.items() if day <= self.stopped]
        after = [one for day, one in apart.items() if day > self.stopped]
        return _root(during), _root(after)


def comparisons(curves: Iterable[ArmCurve], path: str | Path | None = None) -> tuple[Comparison, ...]:
    """Compare the curves of osteon with published models, for every endpoint that the table of models has.

    Parameters
    ----------
    curves : iterable of ArmCurve
        Of all study arms; without that of Bone 2011 there is nothing to compare.
    path : str or Path, optional
        Table of the models; the shipped one by default.
    """
    by_place = {(one.arm, one.curve): one for one in curves if not one.contrast}
    found = []
    for endpoint, models in resimulated(path).items():
        own = by_place.get((ARM, endpoint))
        if own is None:
            continue
        days = tuple(sorted({day for model in models for day in model.values}))
        early = by_place.get((EARLY, endpoint))
        rows = {day: _observed(day, own, early) for day in days}
        observed = {day: row for day, row in rows.items() if row is not None}
        at = {day: own.at(_sampled(day, own)) for day in days}
        found.append(Comparison(endpoint, days, observed, at, models, own))
    return tuple(found)


def resimulated(path: str | Path | None = None) -> dict[str, tuple[Model, ...]]:
    """Published models by endpoint, in the order of the table."""
    with Path(path or FOLDER / TABLE).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    found: dict[str, dict[str, list[dict[str, str]]]] = {}
    for row in rows:
        found.setdefault(row["endpoint"], {}).setdefault(row["model"], []).append(row)
    return {endpoint: tuple(_model(name, own) for name, own in models.items()) for endpoint, models in found.items()}


def _root(apart: list[float]) -> float | None:
    return float(np.sqrt(np.mean(np.square(apart)))) if apart else None


def _model(name: str, rows: list[dict[str, str]]) -> Model:
    values = {float(row["time_days"]): float(row["value"]) for row in rows}
    return Model(name, values, rows[0]["fitted"] == "yes", rows[0]["provenance"])


def _observed(day: float, own: ArmCurve, early: ArmCurve | None) -> Row | None:
    """The published row of a day: that of the first days from the dose-ranging trial, which alone has them."""
    if day < _EARLY_DAYS:
        return _nearest(day, early.rows, _EARLY_CLOSE) if early else None
    return _nearest(day, own.rows, _CLOSE)


def _nearest(day: float, rows: Iterable[Row], within: float) -> Row | None:
    near = [row for row in rows if abs(row.day - day) <= within]
    return min(near, key=lambda row: (_RANK[row.use], abs(row.day - day))) if near else None


def _sampled(day: float, own: ArmCurve) -> float:
    """A day on which a dose falls counts as the day before it."""
    from osteon.evidence import arms

    return arms()[own.arm].sample_day(day)

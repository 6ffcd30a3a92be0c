"""Effect of denosumab against its dose, simulated and as the dose-ranging trial published it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from osteon.calibrate.curves import COUNT, PATIENTS, Band, Progress, chosen, parameter_values
from osteon.calibrate.virtual import VirtualTrials
from osteon.evidence import Observations, Row, arms, observations
from osteon.evidence.arms import BEFORE_DOSE
from osteon.parameters.posterior import Draws
from osteon.units import to_internal

#: Doses that are simulated [mg].
DOSES = (3.0, 4.5, 6.0, 9.0, 14.0, 20.0, 30.0, 42.0, 60.0, 80.0, 100.0, 145.0, 210.0)
MONTHS = (1, 2, 3, 4, 5, 6)
MONTH = 365.25 / 12
_TRIAL = "phase2_60_q6m"  # whose patients are treated
_CLOSE = 6.0  # a published day this close to a month is that month [day]
_SITES = ("BMD_lumbar_spine", "BMD_total_hip")
_MONTHLY_DAYS = np.array([month * MONTH for month in MONTHS[:-1]] + [MONTHS[-1] * MONTH - BEFORE_DOSE])


@dataclass(frozen=True)
class DosePoint:
    """A published effect: dose [mg], value with limits as printed (NaN where none are), and the use of its row."""

    dose: float
    value: float
    low: float
    high: float
    use: str
    arm: str


@dataclass(frozen=True)
class DoseCurve:
    """One measure against dose.

    Attributes
    ----------
    measure : str
        ``CTX_month_1`` to ``CTX_month_6`` [%], ``CTX_area`` [% x month], or a site of BMD at month 12 [%].
    dose : ndarray
        Shape (doses,) [mg].
    band : Band
        Over draws.
    points : tuple of DosePoint
        What the dose-ranging trial published.
    """

    measure: str
    dose: np.ndarray
    band: Band
    points: tuple[DosePoint, ...]


def dose_response(
    draws: Draws,
    *,
    data: str | Path | None = None,
    count: int = COUNT,
    patients: int = PATIENTS,
    threads: int = 1,
    on_progress: Progress | None = None,
) -> tuple[DoseCurve, ...]:
    """CTX after one dose of denosumab, and BMD under one every six months, against the dose.

    Parameters
    ----------
    draws : Draws
        Of a posterior of the turnover layer.
    data : str or Path, optional
        Folder with the tables of rows; the shipped ones by default.
    count, patients, threads : int
        Draws that are followed, virtual patients of each, threads of the kernel.
    on_progress : callable, optional
        Called with what is being done, and the doses done and in all.
    """
    values = parameter_values(chosen(draws, count))
    trials = VirtualTrials(Observations(()), patients=patients, threads=threads)
    # Daily, since the area under the curve is taken by trapezoids.
    days = np.unique([*np.arange(0.0, 6 * MONTH, 1.0), *_MONTHLY_DAYS, 12 * MONTH])
    first = days <= _MONTHLY_DAYS[-1]
    found: dict[str, list[np.ndarray]] = {}
    for done, dose in enumerate(DOSES):
        if on_progress is not None:
            on_progress("dose-response", done, len(DOSES))
        curves = trials.curves(_arm(dose), days, ["CTX", *_SITES], values)
        for month, day in zip(MONTHS, _MONTHLY_DAYS, strict=True):
            found.setdefault(f"CTX_month_{month}", []).append(curves["CTX"][:, np.searchsorted(days, day)])
        area = np.trapezoid(-curves["CTX"][:, first], days[first] / MONTH, axis=1)
        found.setdefault("CTX_area", []).append(area)
        for site in _SITES:
            found.setdefault(site, []).append(curves[site][:, -1])
    points = _points(data)
    return tuple(
        DoseCurve(name, np.array(DOSES), Band.of(np.column_stack(columns)), tuple(points.get(name, ())))
        for name, columns in found.items()
    )


def _arm(dose: float):
    """The dose-ranging trial with another dose every six months."""
    given = {"drug": "denosumab", "amount": f"{dose:g} mg", "start": "0 days", "every": "6 months", "count": 2}
    return replace(arms()[_TRIAL], doses=(MappingProxyType(given),), covers=(), horizon=12 * MONTH)


def _points(data: str | Path | None) -> dict[str, list[DosePoint]]:
    """Published effects by measure; arms dosed more often stand for one dose until the second."""
    found: dict[str, list[DosePoint]] = {}
    rows = [row for use in ("fit", "check") for row in observations(use, data).rows]  # type: ignore[arg-type]
    for key, own in arms().items():
        if own.trial != arms()[_TRIAL].trial or len(own.doses) < 1:
            continue
        dose, second = to_internal(own.doses[0]["amount"], "mg"), own.visits[0] if own.visits else np.inf
        mine = [row for row in rows if row.arm == key and not row.contrast]
        early = [row for row in mine if row.curve == "CTX" and row.sample_day < second]
        for month in MONTHS:
            if row := _nearest(early, month * MONTH):
                found.setdefault(f"CTX_month_{month}", []).append(_point(dose, row))
        if second > 5.5 * MONTH and _nearest(early, 6 * MONTH):
            found.setdefault("CTX_area", []).append(_area(dose, early))
            for site in _SITES:
                if row := _nearest([row for row in mine if row.curve == site], 12 * MONTH):
                    found.setdefault(site, []).append(_point(dose, row))
    return found


def _nearest(rows: list[Row], day: float) -> Row | None:
    near = [row for row in rows if abs(row.day - day) <= _CLOSE]
    return min(near, key=lambda row: abs(row.day - day)) if near else None


def _point(dose: float, row: Row) -> DosePoint:
    return DosePoint(dose, row.value, row.low, row.high, row.use, row.arm)


def _area(dose: float, rows: list[Row]) -> DosePoint:
    """Area between baseline and the published points, by trapezoids."""
    ordered = sorted(rows, key=lambda row: row.day)
    days, values = [0.0, *(row.day for row in ordered)], [0.0, *(-row.value for row in ordered)]
    area = float(np.trapezoid(values, np.array(days) / MONTH))
    return DosePoint(dose, area, np.nan, np.nan, ordered[0].use, ordered[0].arm)

"""Curves of the calibrated model for every study arm, with an interval over draws, beside the rows that were published.

The interval is that of the population median (of the mean for BMD) over parameters and structures; the error of the
published rows is not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from osteon.calibrate.subject import Settings
from osteon.calibrate.virtual import VirtualTrials
from osteon.evidence import Observations, Row, StudyArm, observations
from osteon.evidence import arms as study_arms
from osteon.evidence.arms import BEFORE_DOSE, arm, contrasted
from osteon.parameters.posterior import Draws

if TYPE_CHECKING:
    from osteon.calibrate.dose_response import DoseCurve

COUNT, PATIENTS = 60, 16
#: Curves in the order in which they are shown.
CURVES = ("CTX", "P1NP", "BSAP", "BMD_lumbar_spine", "BMD_total_hip", "BMD_femoral_neck")
ENDS = (0.05, 0.95)
_STEP = 7.0  # of the grid [day]
_AFTER_DOSE = (0.0, 1.0, 2.0, 3.0, 5.0)
_FEWEST = 3  # draws of a structure for a median of its own

Progress = Callable[[str, int, int], object]


@dataclass(frozen=True)
class Band:
    """Median and 5-95 % interval over draws, each of shape (places,); NaN where every draw failed."""

    low: np.ndarray
    median: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> Band:
        """From draws, shape (draws, places); a draw that failed anywhere is left out."""
        whole = values[np.isfinite(values).all(axis=1)]
        if not len(whole):
            return cls(*(np.full(values.shape[1], np.nan) for _ in range(3)))
        return cls(*np.quantile(whole, [ENDS[0], 0.5, ENDS[1]], axis=0))


@dataclass(frozen=True)
class ArmCurve:
    """One curve of one study arm.

    Attributes
    ----------
    arm, curve : str
        Key of the study arm, name of the curve.
    contrast, against : str
        "difference" or "ratio" to another arm, and its key; empty for a change from baseline.
    days : ndarray
        Shape (days,) [day].
    band : Band
        Over all draws [%].
    structures : mapping of str to ndarray
        Median of each structure that has enough draws, shape (days,) [%].
    rows : tuple of Row
        Published rows of every use; their `sample_day` is among `days`.
    """

    arm: str
    curve: str
    contrast: str
    against: str
    days: np.ndarray
    band: Band
    structures: Mapping[str, np.ndarray]
    rows: tuple[Row, ...]

    def at(self, day: float) -> tuple[float, float, float]:
        """Lower end, median and upper end on a day [%], in a straight line between days of the grid."""
        low, median, high = (
            np.interp(day, self.days, one) for one in (self.band.low, self.band.median, self.band.high)
        )
        return float(low), float(median), float(high)

    def rmse(self, use: str) -> float | None:
        """Root of the mean squared error of the median over rows of a use [% points]; None where there are none."""
        apart = [row.value - self.at(row.sample_day)[1] for row in self.rows if row.use == use and not row.censored]
        return float(np.sqrt(np.mean(np.square(apart)))) if apart else None


@dataclass(frozen=True)
class Picture:
    """What a calibration shows beside its tables."""

    arms: tuple[ArmCurve, ...] = ()
    doses: tuple[DoseCurve, ...] = field(default=())
    draws: int = 0


def picture(draws: Draws, settings: Settings | None = None, on_progress: Progress | None = None) -> Picture:
    """Curves of every study arm and the dose-response of denosumab, from draws of a posterior of the turnover layer."""
    from osteon.calibrate.dose_response import dose_response

    settings = settings or Settings()
    threads = settings.cores
    some = chosen(draws, COUNT)
    told = arm_curves(some, data=settings.data, threads=threads, on_progress=on_progress)
    doses = dose_response(some, data=settings.data, threads=threads, on_progress=on_progress)
    return Picture(told, doses, len(some))


def arm_curves(
    draws: Draws,
    arms: Iterable[str] | None = None,
    *,
    data: str | Path | None = None,
    count: int = COUNT,
    patients: int = PATIENTS,
    threads: int = 1,
    on_progress: Progress | None = None,
) -> tuple[ArmCurve, ...]:
    """Curves of study arms that have published rows.

    Parameters
    ----------
    draws : Draws
        Of a posterior of the turnover layer.
    arms : iterable of str, optional
        Keys of study arms; left out, all that have rows.
    data : str or Path, optional
        Folder with the tables of rows; the shipped ones by default.
    count : int
        Draws that are followed, evenly chosen among all.
    patients : int
        Virtual patients of each arm.
    threads : int
        Threads of the kernel.
    on_progress : callable, optional
        Called with what is being done, and the arms done and in all.

    Returns
    -------
    tuple of ArmCurve
        In the order of the study arms, then of `CURVES`.

    Raises
    ------
    InputError
        There is no study arm of a name.
    """
    groups = _groups(data, None if arms is None else {arm(key).key for key in arms})
    some = chosen(draws, count)
    values, trials = parameter_values(some), VirtualTrials(Observations(()), patients=patients, threads=threads)
    found = []
    for done, (key, of_arm) in enumerate(groups.items()):
        if on_progress is not None:
            on_progress("curves", done, len(groups))
        own = study_arms()[key]
        days = grid(own, [row for rows in of_arm.values() for row in rows])
        solved = trials.curves(own, days, _names(of_arm), values)
        for (curve, contrast, against), rows in of_arm.items():
            curves = solved[curve]
            if contrast:
                # The other arm may be re-based on a day of its own.
                other = study_arms()[against]
                wider = np.union1d(days, [other.baseline_day])
                beside = trials.curves(other, wider, [curve], values)[curve][:, np.searchsorted(wider, days)]
                curves = contrasted(contrast, curves, beside)
            medians = _by_structure(curves, some)
            found.append(ArmCurve(key, curve, contrast, against, days, Band.of(curves), medians, tuple(rows)))
    return tuple(found)


def chosen(draws: Draws, count: int) -> Draws:
    """Draws evenly apart, at most `count`: where they lie by structure, every structure keeps its share."""
    if len(draws) <= count:
        return draws
    return draws.taken(((np.arange(count) + 0.5) * len(draws) / count).astype(int))


def parameter_values(draws: Draws) -> dict[str, np.ndarray]:
    """Every parameter that a draw or its structure gives, by key, shape (draws,)."""
    from osteon.model.systems import SYSTEMIC_PARAMETERS
    from osteon.parameters import layered

    return draws.columns({key: record.value for key, record in layered(*SYSTEMIC_PARAMETERS).items()})


def grid(own: StudyArm, rows: Iterable[Row] = ()) -> np.ndarray:
    """Days on which an arm is shown [day]: weekly, before and after each dose at a visit, and those of its rows."""
    sampled = [row.sample_day for row in rows]
    end = max([own.horizon, *sampled])
    days = {*np.arange(0.0, end, _STEP).tolist(), end, own.baseline_day, *sampled}
    for visit in (0.0, *own.visits):
        days |= {visit - BEFORE_DOSE, *(visit + after for after in _AFTER_DOSE)}
    every = np.array(sorted(days))
    return every[(every >= min(own.baseline_day, 0.0)) & (every <= end)]


def _groups(data: str | Path | None, wanted: set[str] | None) -> dict[str, dict[tuple[str, str, str], list[Row]]]:
    """Rows of every use by arm, and then by curve, contrast and the arm it is against."""
    uses = ("fit", "check", "noise")
    rows = [row for use in uses for row in observations(use, data).rows if wanted is None or row.arm in wanted]
    order = {key: place for place, key in enumerate(study_arms())}
    groups: dict[str, dict[tuple[str, str, str], list[Row]]] = {}
    for row in sorted(rows, key=lambda row: (order[row.arm], CURVES.index(row.curve), row.contrast)):
        groups.setdefault(row.arm, {}).setdefault((row.curve, row.contrast, row.against), []).append(row)
    return groups


def _names(of_arm: Iterable[tuple[str, str, str]]) -> list[str]:
    return sorted({curve for curve, _, _ in of_arm})


def _by_structure(curves: np.ndarray, draws: Draws) -> dict[str, np.ndarray]:
    """Median curve of each structure, where there is more than one."""
    own = np.array(draws.structures)
    names = [name for name in draws.weights if (own == name).sum() >= _FEWEST]
    return {name: Band.of(curves[own == name]).median for name in names} if len(names) > 1 else {}

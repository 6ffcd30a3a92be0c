"""What safety endpoints must know of the doses of an arm: the last one, how long it protects, whether it goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from osteon.endpoints.safety import SAFETY_UNITS, WINDOW, safety_arrays
from osteon.scenario import catalogue

if TYPE_CHECKING:
    from osteon.scenario import Arm, Patient

#: Safety endpoints that stand between the first and the last dose, and not after it.
CALCIUM = tuple(name for name in SAFETY_UNITS if "calc" in name)
BEYOND = "after the horizon"
NOT_REACHED = "not reached within the horizon"
_NO_REBOUND = "no drug whose end brings a rebound"
_GOES_ON = "treatment goes on to the end"
_NO_CALCIUM = "no denosumab"
_NOT_LOWERED = "CTX was not lowered"
#: Notes of endpoints that do not apply, where others were not reached.
NOT_APPLICABLE = (_NO_REBOUND, _GOES_ON, _NO_CALCIUM, _NOT_LOWERED)
_CALCIUM_DRUG = "denosumab"
#: Parameters that safety endpoints read.
SAFETY_PARAMETERS = (
    *("safety.hypocalcaemia", "safety.severe_hypocalcaemia", "safety.calcium_sd", "safety.fall_cv"),
    "calcium.baseline",
)
_TOGETHER = 1e-6  # days; ends of intervals are sums of months


class Treatment(NamedTuple):
    """Doses of one arm of one patient or of many, shape (...).

    Attributes
    ----------
    last_dose : float or ndarray
        Day of the last dose of a drug whose end brings a rebound; NaN where there is none.
    protected_until : float or ndarray
        Day its interval ends, NaN likewise.
    doses : ndarray
        Days of denosumab, NaN where a patient had fewer, shape (..., doses), at least one.
    end : float or ndarray
        Day the course ends.
    values : mapping of str to float or ndarray
        Parameters ``safety.*`` and ``calcium.baseline``.
    """

    last_dose: float | np.ndarray
    protected_until: float | np.ndarray
    doses: np.ndarray
    end: float | np.ndarray
    values: Mapping[str, float | np.ndarray]

    @property
    def goes_on(self) -> np.ndarray:
        """Whether the course ends before the interval of the last dose does, shape (...)."""
        return np.asarray(self.protected_until) >= np.asarray(self.end) - _TOGETHER

    def safety(self, time: np.ndarray, series: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Safety endpoints, as `safety_arrays` gives them.

        A treatment that goes on has no rebound yet. Calcium is looked at until the interval of the last dose ends.
        """
        last = np.where(self.goes_on, np.nan, self.last_dose)
        under = time <= np.asarray(self.protected_until)[..., None]
        seen = {name: np.where(under, series[name], np.nan) for name in ("serum_calcium",) if name in series}
        return safety_arrays(time, {**series, **seen}, last, self.protected_until, self.values, self.doses)

    def note(self, name: str, found: Mapping[str, float]) -> str:
        """Why a safety endpoint of one patient is missing, where the others are `found`."""
        if name in CALCIUM:
            return _NO_CALCIUM if np.isnan(self.doses).all() else BEYOND
        if np.isnan(self.last_dose):
            return _NO_REBOUND
        if self.goes_on:
            return _GOES_ON
        if name in ("rebound_area", "rebound_days") and self.last_dose + WINDOW <= self.end:
            return _NOT_LOWERED
        return NOT_REACHED if np.isnan(found["rebound_start"]) and name.startswith("rebound") else BEYOND


def is_treated(patient: Patient, arms: Sequence[Arm]) -> bool:
    """Whether the patient is human and some arm has a dose above zero, so that there are safety endpoints."""
    return patient.species == "human" and any(dose.amount.value > 0 for arm in arms for dose in arm.doses)


def treatment_of(arm: Arm, end: float, values: Mapping[str, float]) -> Treatment:
    """Treatment in one arm of one patient, whose course ends on the day `end`."""
    last, until, doses = _ends(arm)
    return Treatment(last, until, np.array(doses or [np.nan]), end, values)


def treatments_of(arms: Sequence[Arm], end: float | np.ndarray, values: Mapping[str, float | np.ndarray]) -> Treatment:
    """Treatment in one arm of many patients, shape (patients,), or for all of them where one arm is given."""
    found = [_ends(arm) for arm in arms]
    doses = np.full((len(found), max(1, *(len(own) for _, _, own in found))), np.nan)
    for row, (_, _, own) in zip(doses, found, strict=True):
        row[: len(own)] = own
    last, until = (np.array([one[place] for one in found]) for place in (0, 1))
    return Treatment(last, until, doses, end, values)


def treatments_taken(
    doses: Sequence[tuple[str, float | None, np.ndarray]],
    end: float | np.ndarray,
    values: Mapping[str, float | np.ndarray],
) -> Treatment:
    """Treatment in one arm of many patients who did not take all as planned.

    Parameters
    ----------
    doses : sequence of (str, float or None, ndarray)
        Of each dose record with an amount: drug, interval [day], and the day of each dose, NaN where it was not taken,
        shape (patients, count).
    end : float or ndarray
        Day the course ends, shape (patients,).
    values : mapping of str to float or ndarray
        Parameters, as in `Treatment`.
    """
    drugs = catalogue.drugs()
    last: float | np.ndarray = np.nan
    until: float | np.ndarray = np.nan
    calcium = [days for drug, _, days in doses if drug == _CALCIUM_DRUG]
    for drug, every, days in doses:
        protects = drugs[drug].protects
        if protects is not None:
            taken = np.fmax.reduce(days, axis=-1)
            last, until = np.fmax(last, taken), np.fmax(until, taken + (every or protects))
    found = np.sort(np.concatenate(calcium, axis=-1), axis=-1) if calcium else np.full((1, 1), np.nan)
    return Treatment(last, until, found, end, values)


def _ends(arm: Arm) -> tuple[float, float, list[float]]:
    """Last dose that protects and the end of what it protects [day], NaN without; days of denosumab, ascending."""
    drugs = catalogue.drugs()
    last, until = np.nan, np.nan
    doses: list[float] = []
    for dose in arm.doses:
        protects = drugs[dose.drug].protects
        if protects is None or not dose.amount.value > 0:
            continue
        times = dose.times()
        last = np.fmax(last, times[-1])
        until = np.fmax(until, times[-1] + (dose.every or protects))
        doses += times if dose.drug == _CALCIUM_DRUG else ()
    return float(last), float(until), sorted(doses)

"""What a trial measures once in a patient: scores and curves on a day, and events by a day.

An event whose risk alone the model gives comes when a uniform number, keyed by patient and event and not by the arm, is
below that risk: twins differ in it only as far as their risks do.

The model's own risk of low calcium is that of denosumab from its first dose on. Where a trial gives another drug that
lowers resorption, or the first dose came before the trial, the risk is that of its own curve from day 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.draws import uniform

if TYPE_CHECKING:
    from osteon.scenario import Arm

#: Endpoints of the model that events are made of.
RISKS = (
    *("rebound_start", "serum_calcium_nadir_day", "hypocalcaemia_risk", "severe_hypocalcaemia_risk"),
    *("necrosis_risk_year5", "refracture_risk"),
)
#: Drugs under which the model's serum calcium can be read: those that lower resorption.
LOWERING = frozenset({"denosumab", "alendronate", "zoledronate"})
_YEAR = 365.25


def event_days(
    event: str, model: Mapping[str, np.ndarray], arm: Arm, failed: np.ndarray, end: float, seed: int
) -> np.ndarray | None:
    """Day on which an event comes to every patient under one arm, shape (patients,).

    Parameters
    ----------
    event : str
        ``necrosis``, ``refracture``, ``rebound``, ``hypocalcaemia`` or ``severe_hypocalcaemia``.
    model : mapping of str to ndarray
        Endpoints of the model, shape (patients,); ``united`` is the day of union, and ``calcium_day`` that of the
        lowest calcium where the risks are those of `calcium_from_day_0`.
    arm : Arm
        Its planned doses; the days of rebound and of low calcium count from them.
    failed : ndarray
        Whether the course could not be solved, shape (patients,).
    end : float
        Horizon [day].
    seed : int
        Of the study.

    Returns
    -------
    ndarray or None
        Infinite where it does not come, NaN where the model does not tell; None where it has no such event.
    """
    size = len(failed)
    if event == "rebound":
        found = _rebound(model, arm, end)
    elif event == "necrosis":
        found = _necrosis(model, uniform(seed, 0, size, "event necrosis"))
    elif event == "refracture":
        found = _refracture(model, uniform(seed, 0, size, "event refracture"))
    else:
        found = _calcium(event, model, arm, end, uniform(seed, 0, size, "event hypocalcaemia"))
    return None if found is None else np.where(failed, np.nan, found)


def by_day(days: np.ndarray, day: float, followed: np.ndarray) -> np.ndarray:
    """Whether an event came by a day: 1, 0, or NaN for those who were not followed until then, shape (patients,).

    Who left after the event is left out too: of those who left, only the ones with the event would count.
    """
    known = ~np.isnan(days) & (followed >= day)
    return np.where(known, (days <= day).astype(float), np.nan)


def while_followed(days: np.ndarray, until: float, followed: np.ndarray) -> np.ndarray:
    """Whether an event was seen while a patient was followed, of all: 1, 0, or NaN where the model does not tell."""
    return np.where(np.isnan(days), np.nan, (days <= np.minimum(until, followed)).astype(float))


def at_nearest(values: np.ndarray, planned: np.ndarray, day: float) -> np.ndarray:
    """Value at the visit planned nearest to a day, the earlier of two, shape (patients,); NaN where it was missed.

    Parameters
    ----------
    values : ndarray
        Shape (patients, visits).
    planned : ndarray
        Days, shape (visits,).
    day : float
        Wanted.
    """
    return values[:, int(np.abs(planned - day).argmin())]


def on_day(time: np.ndarray, curve: np.ndarray, day: float, followed: np.ndarray) -> np.ndarray:
    """Value of a curve on a day in those who are followed to it, shape (patients,)."""
    from osteon.endpoints.crossing import at

    return np.where(followed >= day, at(time, curve, day), np.nan)


def _rebound(model: Mapping[str, np.ndarray], arm: Arm, end: float) -> np.ndarray | None:
    start = model.get("rebound_start")
    if start is None:
        return None
    last = float(_treatment(arm, end).last_dose)
    return np.where(np.isnan(start), np.inf, start + (0.0 if np.isnan(last) else last))


def calcium_told(arm: Arm) -> str:
    """Where the risk of low calcium of an arm comes from.

    Returns
    -------
    {"none", "model", "curve", "unknown"}
        No drug; the model's endpoint; the arm's curve from day 0; or nowhere, since a drug that builds bone moves
        calcium in ways that the model lacks (docs/safety.md).
    """
    from osteon.scenario import catalogue

    given = {dose.drug for dose in arm.doses if dose.amount.value > 0}
    if not given & set(catalogue.drugs()):
        return "none"
    if not given <= LOWERING:
        return "unknown"
    first = float(np.nanmin(np.atleast_1d(_treatment(arm, 0.0).doses))) if "denosumab" in given else np.nan
    return "model" if given == {"denosumab"} and first >= 0 else "curve"


def calcium_from_day_0(
    time: np.ndarray, curve: np.ndarray, values: Mapping[str, Any], until: np.ndarray
) -> dict[str, np.ndarray]:
    """Risks of low calcium and the day of the lowest, from day 0 to the end of what is seen of each patient.

    Parameters
    ----------
    time : ndarray
        Days from 0 on, shape (time,).
    curve : ndarray
        Serum calcium [mmol/L], shape (patients, time).
    values : mapping
        Parameters ``safety.*`` and ``calcium.baseline``.
    until : ndarray
        Last day of each patient, shape (patients,).

    Returns
    -------
    dict of str to ndarray
        ``hypocalcaemia_risk``, ``severe_hypocalcaemia_risk``, ``calcium_day``, shape (patients,).
    """
    from osteon.endpoints.safety import safety_arrays

    seen = np.where(time <= until[:, None], curve, np.nan)
    nothing = np.full(len(curve), np.nan)
    found = safety_arrays(time, {"serum_calcium": seen}, nothing, nothing, values, np.zeros((len(curve), 1)))
    names = ("hypocalcaemia_risk", "severe_hypocalcaemia_risk")
    return {**{name: found[name] for name in names}, "calcium_day": found["serum_calcium_nadir_day"]}


def _calcium(event: str, model: Mapping[str, np.ndarray], arm: Arm, end: float, draw: np.ndarray) -> np.ndarray | None:
    risk = model.get(f"{event}_risk")
    told = calcium_told(arm)
    if told == "unknown":
        return np.full(len(draw), np.nan)
    if told == "curve" and "calcium_day" in model:
        return _by_risk(risk, draw, np.nan_to_num(model["calcium_day"]))
    if risk is None:
        return None
    doses = np.atleast_1d(_treatment(arm, end).doses)
    first = 0.0 if np.isnan(doses).all() else float(np.nanmin(doses))
    after = np.nan_to_num(model.get("serum_calcium_nadir_day", np.zeros(len(risk))))
    # Without the drug the model has no low calcium: its risk is none.
    return _by_risk(np.nan_to_num(risk), draw, np.maximum(first + after, 0.0))


def _refracture(model: Mapping[str, np.ndarray], draw: np.ndarray) -> np.ndarray | None:
    """Day within the year after union; a number below the risk is as likely anywhere below it, which places the day."""
    risk = model.get("refracture_risk")
    if risk is None:
        return None
    place = np.divide(draw, risk, out=np.zeros(len(risk)), where=risk > 0)
    return _by_risk(risk, draw, np.nan_to_num(model.get("united", np.zeros(len(risk)))) + _YEAR * place)


def _necrosis(model: Mapping[str, np.ndarray], draw: np.ndarray) -> np.ndarray | None:
    """Day of necrosis from the risk within five years and the shape of the hazard, which all have alike."""
    from osteon.endpoints.function.values import shipped_values

    risk = model.get("necrosis_risk_year5")
    if risk is None:
        return None
    p = shipped_values()
    half, shape = p["necrosis.half_time"], p["necrosis.time_shape"]
    by_five = 1 - np.exp2(-((5 * _YEAR / half) ** shape))
    most = -np.log1p(-np.minimum(risk, 1 - 1e-12)) / by_five
    come = np.divide(-np.log1p(-draw), most, out=np.full(len(risk), np.inf), where=most > 0)
    inside = come < 1
    found = np.full(len(risk), np.inf)
    found[inside] = half * (-np.log2(1 - come[inside])) ** (1 / shape)
    return np.where(np.isnan(risk), np.nan, found)


def _by_risk(risk: np.ndarray | None, draw: np.ndarray, day: np.ndarray) -> np.ndarray | None:
    if risk is None:
        return None
    return np.where(np.isnan(risk), np.nan, np.where(draw < risk, day, np.inf))


def _treatment(arm: Arm, end: float) -> Any:
    from osteon.endpoints import treatment_of

    return treatment_of(arm, end, {})

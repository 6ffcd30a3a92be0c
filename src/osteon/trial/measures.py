"""What a trial measures once in a patient: scores and curves on a day, and events by a day.

An event whose risk alone the model gives comes when a uniform number, keyed by patient and event and not by the arm, is
below that risk: twins differ in it only as far as their risks do.
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
        Endpoints of the model, shape (patients,).
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
        found = _by_risk(model.get("refracture_risk"), uniform(seed, 0, size, "event refracture"), np.zeros(size))
    else:
        found = _calcium(event, model, arm, end, uniform(seed, 0, size, "event hypocalcaemia"))
    return None if found is None else np.where(failed, np.nan, found)


def by_day(days: np.ndarray, day: float, followed: np.ndarray) -> np.ndarray:
    """Whether an event came by a day: 1, 0, or NaN for those who were not followed until then, shape (patients,)."""
    came = days <= np.minimum(day, followed)
    known = ~np.isnan(days) & (came | (followed >= day))
    return np.where(known, came.astype(float), np.nan)


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


def _calcium(event: str, model: Mapping[str, np.ndarray], arm: Arm, end: float, draw: np.ndarray) -> np.ndarray | None:
    risk = model.get(f"{event}_risk")
    doses = np.atleast_1d(_treatment(arm, end).doses)
    if risk is None:
        return None
    first = 0.0 if np.isnan(doses).all() else float(np.nanmin(doses))
    after = np.nan_to_num(model.get("serum_calcium_nadir_day", np.zeros(len(risk))))
    # Without the drug the model has no low calcium: its risk is none.
    return _by_risk(np.nan_to_num(risk), draw, np.maximum(first + after, 0.0))


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

"""What a drug may do to harm: the rebound after it, bone lost after it, and low serum calcium under it.

Written for curves of many patients at once, time on the last axis, NaN where a point is not there. What cannot be told,
because the patient was never treated, the event did not come, or the course ends too soon, is NaN without a warning.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from osteon.endpoints.crossing import first_above, last_index, take

#: Unit of each endpoint, in the order they are shown.
SAFETY_UNITS = {
    "rebound_start": "day",
    "rebound_peak": "%",
    "rebound_peak_day": "day",
    "rebound_area": "%*day",
    "rebound_days": "day",
    "BMD_lumbar_spine_lost": "%",
    "BMD_total_hip_lost": "%",
    "BMD_femoral_neck_lost": "%",
    "serum_calcium_nadir": "mmol/L",
    "serum_calcium_nadir_day": "day",
    "hypocalcaemia_risk": "1",
    "severe_hypocalcaemia_risk": "1",
}
#: Days over which the area above baseline is taken, from the last dose.
WINDOW = 2 * 365.25
_YEAR = 365.25
_SUPPRESSED = -5.0  # CTX [%] that must be passed before a rise above baseline is a rebound
_SITES = ("BMD_lumbar_spine", "BMD_total_hip", "BMD_femoral_neck")


_erfc = np.frompyfunc(math.erfc, 1, 1)


def safety_arrays(
    time: np.ndarray,
    series: Mapping[str, np.ndarray],
    last_dose: float | np.ndarray,
    protected_until: float | np.ndarray,
    values: Mapping[str, float | np.ndarray],
    doses: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Safety endpoints of one arm of many patients.

    Parameters
    ----------
    time : ndarray
        Days, ascending, shape (time,).
    series : mapping of str to ndarray
        Curves by public name, shape (..., time): ``CTX`` and ``BMD_*`` [% change], ``serum_calcium`` [mmol/L]. A curve
        that is not there leaves its endpoints NaN.
    last_dose : float or ndarray
        Day of the last dose, NaN where never treated, shape (...).
    protected_until : float or ndarray
        Day the interval of the last dose ends, shape (...).
    values : mapping of str to float or ndarray
        Parameters ``safety.*`` and ``calcium.baseline``, floats or of shape (...).
    doses : ndarray, optional
        Days of all doses, NaN where a patient had fewer, shape (..., doses). Calcium is looked at from the first on;
        without them only from the last dose.

    Returns
    -------
    dict of str to ndarray
        The names of `SAFETY_UNITS`, each of shape (...). Days of the rebound count from the last dose, the day of the
        lowest calcium from the latest of the doses before it; a loss of BMD is positive.
    """
    time = np.asarray(time, float)
    shape = next(iter(series.values())).shape[:-1]
    last_dose, ends = (np.broadcast_to(np.asarray(day, float), shape) for day in (last_dose, protected_until))
    ends = np.where(np.isnan(last_dose), np.nan, ends)
    given = last_dose[..., None] if doses is None else np.asarray(doses, float)
    nothing = np.full((*shape, time.size), np.nan)
    found = _rebound(time, series.get("CTX", nothing), last_dose)
    for name in _SITES:
        curve = series.get(name, nothing)
        found[f"{name}_lost"] = at_each(time, curve, ends) - at_each(time, curve, ends + _YEAR)
    found |= _hypocalcaemia(time, series.get("serum_calcium", nothing), given, values)
    return {name: found[name] for name in SAFETY_UNITS}


def at_each(time: np.ndarray, value: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """Value of each curve at a moment of its own, linear between points; NaN outside the course.

    Parameters
    ----------
    time : ndarray
        Ascending, shape (time,).
    value : ndarray
        Curves, shape (..., time).
    moment : ndarray
        In the unit of `time`, NaN for none, shape (...).

    Returns
    -------
    ndarray
        Shape (...).
    """
    inside = (moment >= time[0]) & (moment <= time[-1])
    i = np.clip(np.searchsorted(time, moment, side="right") - 1, 0, time.size - 1)
    after = np.minimum(i + 1, time.size - 1)
    low, high = take(value, i), take(value, after)
    share = np.divide(moment - time[i], time[after] - time[i], out=np.zeros(i.shape), where=inside & (after > i))
    # At a point itself the next one, which may be missing, has no say.
    return np.where(inside, np.where(share > 0, low + share * (high - low), low), np.nan)


def _rebound(time: np.ndarray, ctx: np.ndarray, last_dose: np.ndarray) -> dict[str, np.ndarray]:
    """When CTX rises above baseline after the last dose, how high, and how much for how long."""
    after = np.where(time >= last_dose[..., None], ctx, np.nan)
    suppressed = np.logical_or.accumulate(after <= _SUPPRESSED, axis=-1)
    start = first_above(time, np.where(suppressed, ctx, np.nan), 0.0)
    above = np.where(time >= start[..., None], ctx, np.nan)
    place = np.fmax(above, -np.inf).argmax(axis=-1)
    # The last point is no peak: CTX may still rise.
    peaked = ~np.isnan(start) & (place < last_index(ctx))
    area, days = _above_zero(time, ctx, start, last_dose + WINDOW)
    fell = suppressed.any(axis=-1)
    return {
        "rebound_start": start - last_dose,
        "rebound_peak": np.where(peaked, take(ctx, place), np.nan),
        "rebound_peak_day": np.where(peaked, time[place] - last_dose, np.nan),
        "rebound_area": np.where(fell, area, np.nan),
        "rebound_days": np.where(fell, days, np.nan),
    }


def _above_zero(
    time: np.ndarray, value: np.ndarray, start: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Area and time above zero between two moments of each curve's own, exact for straight pieces; shapes (...).

    Without a start both are 0; both are NaN where the curve is not known at the end.
    """
    left = np.maximum(time[:-1], np.where(np.isnan(start), end, start)[..., None])
    right = np.minimum(time[1:], end[..., None])
    slope = np.diff(value, axis=-1) / np.diff(time)
    low, high = (value[..., :-1] + slope * (moment - time[:-1]) for moment in (left, right))
    top, bottom = np.maximum(low, high), np.minimum(low, high)
    share = np.divide(top, top - bottom, out=np.ones(top.shape), where=(bottom < 0) & (top > 0))
    width = np.where((right > left) & (top > 0), share * (right - left), 0.0)
    # What is above zero is a trapezium where both ends are, else a triangle.
    height = np.where(width > 0, (top + np.maximum(bottom, 0.0)) / 2, 0.0)
    known = ~np.isnan(at_each(time, value, end))
    area, days = (np.where(known, total.sum(axis=-1), np.nan) for total in (height * width, width))
    return area, days


def _hypocalcaemia(
    time: np.ndarray, calcium: np.ndarray, doses: np.ndarray, values: Mapping[str, float | np.ndarray]
) -> dict[str, np.ndarray]:
    """Lowest calcium from the first dose on, its day after a dose, and the share of such people below each limit."""
    seen = np.where(time >= np.fmin.reduce(doses, axis=-1)[..., None], calcium, np.nan)
    nadir = np.fmin.reduce(seen, axis=-1)
    moment = np.where(np.isnan(nadir), np.nan, time[np.fmin(seen, np.inf).argmin(axis=-1)])
    given = np.where(doses <= moment[..., None], doses, np.nan)
    names = ("hypocalcaemia", "severe_hypocalcaemia", "calcium_sd", "fall_cv")
    mild, severe, sd, cv = (np.asarray(values[f"safety.{name}"], float) for name in names)
    fall = np.maximum(np.asarray(values["calcium.baseline"], float) - nadir, 0.0)
    spread = np.hypot(sd, cv * fall)
    return {
        "serum_calcium_nadir": nadir,
        "serum_calcium_nadir_day": moment - np.fmax.reduce(given, axis=-1),
        "hypocalcaemia_risk": _share_below((mild - nadir) / spread),
        "severe_hypocalcaemia_risk": _share_below((severe - nadir) / spread),
    }


def _share_below(z: np.ndarray) -> np.ndarray:
    """Standard normal share below `z`, any shape; NaN stays."""
    return 0.5 * np.asarray(_erfc(-np.asarray(z, float) / math.sqrt(2.0)), float)

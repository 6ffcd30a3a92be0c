"""Refracture: falls come at a rate by age, and a fall breaks the bone where its load exceeds the strength so far.

Loads are lognormal about the strength of intact bone. The year begins when the bone could be fully loaded without an
implant, as if that came out then; holes of screws are not in it. The sizes are assumed, so compare arms and do not
count on the level.
"""

from __future__ import annotations

import numpy as np

from osteon.endpoints.function.values import Values, over_time
from osteon.endpoints.safety import at_each

#: Days over which the risk is taken.
WINDOW = 365.25


def fall_rate(age: float | np.ndarray, p: Values) -> np.ndarray:
    """Falls or like overloads of a patient by age [yr], per year, shape (...)."""
    old = 1 / (1 + np.exp(-(np.asarray(age, float) - p["refracture.falls_age"]) / p["refracture.falls_width"]))
    return p["refracture.falls_young"] + (p["refracture.falls_old"] - p["refracture.falls_young"]) * old


def breaks(strength: np.ndarray, p: Values) -> np.ndarray:
    """Share of falls that break a bone of this strength, a fraction of intact, shape (..., time)."""
    from scipy.special import ndtr, ndtri

    weaker = np.log(np.maximum(strength, 1e-6)) / over_time(p["refracture.load_spread"])
    return ndtr(over_time(ndtri(p["refracture.breaks_intact"])) - weaker)


def refracture_risk(
    time: np.ndarray, strength: np.ndarray, start: np.ndarray, age: float | np.ndarray, p: Values
) -> tuple[np.ndarray, np.ndarray]:
    """Risk of a refracture in the year after the bone bears full load alone, and its ratio to intact bone.

    Parameters
    ----------
    time : ndarray
        Days from the fracture, ascending, shape (time,).
    strength : ndarray
        Torsional strength, fraction of intact bone, shape (..., time).
    start : ndarray
        Day the bone bears full load alone, NaN for never, shape (...).
    age : float or ndarray
        Age at the fracture [yr], shape (...).
    p : mapping of str to float or ndarray
        Parameters ``refracture.*``, floats or of shape (...).

    Returns
    -------
    tuple of ndarray
        Risk from 0 to 1, and ratio of hazards to intact bone, each of shape (...); NaN where that day is not
        reached or the year goes beyond the course.
    """
    share = breaks(strength, p)
    steps = 0.5 * (share[..., 1:] + share[..., :-1]) * np.diff(time)
    total = np.concatenate([np.zeros((*share.shape[:-1], 1)), np.cumsum(steps, axis=-1)], axis=-1)
    days = at_each(time, total, start + WINDOW) - at_each(time, total, start)
    return -np.expm1(-fall_rate(age, p) * days / WINDOW), days / WINDOW / p["refracture.breaks_intact"]

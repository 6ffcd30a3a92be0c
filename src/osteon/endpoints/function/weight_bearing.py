"""When a limb may be fully loaded: pain is low, and bone and implant together are stiff enough.

The limits are assumed. Surgeons also go by habit: in randomised nailed tibiae the date made no difference to union, so
this date follows healing and does not drive it.
"""

from __future__ import annotations

import numpy as np

from osteon.endpoints.crossing import first_above
from osteon.endpoints.function.values import Values, over_time


def carried(fixation: str, p: Values) -> float | np.ndarray:
    """Share of intact stiffness that a fixation, by name in the catalogue, carries under full load; 0 if unknown."""
    return p.get(f"weight_bearing.carried_{fixation}", 0.0)


def capacity(stiffness: np.ndarray, fixation: str, p: Values) -> np.ndarray:
    """Stiffness of bone and implant over that from which full load is allowed, shape (..., time).

    Parameters
    ----------
    stiffness : ndarray
        Torsional stiffness, fraction of intact bone, shape (..., time).
    fixation : str
        Name of the fixation in the catalogue.
    p : mapping of str to float or ndarray
        Parameters ``weight_bearing.*``, floats or of shape (...).
    """
    return (stiffness + over_time(carried(fixation, p))) / over_time(p["weight_bearing.stiffness_limit"])


def full_loading(
    time: np.ndarray,
    pain: np.ndarray,
    stiffness: np.ndarray,
    fixation: str,
    p: Values,
    protected_until: float | np.ndarray = 0.0,
) -> np.ndarray:
    """First day by which a limb has been stiff enough, free enough of pain, and allowed to be loaded.

    Parameters
    ----------
    time : ndarray
        Days from the fracture, ascending, shape (time,).
    pain, stiffness : ndarray
        Pain of 0 to 10 and torsional stiffness, each of shape (..., time).
    fixation : str
        Name of the fixation in the catalogue.
    p : mapping of str to float or ndarray
        Parameters ``weight_bearing.*``, floats or of shape (...).
    protected_until : float or ndarray
        Day before which it is not allowed, shape (...).

    Returns
    -------
    ndarray
        Day, shape (...); NaN where not reached.
    """
    comfort = over_time(p["weight_bearing.pain_limit"]) / np.maximum(pain, 1e-6)
    # Each crossing by itself: that of the lesser of the two would be interpolated along a kink.
    ready = [first_above(time, margin, 1.0) for margin in (capacity(stiffness, fixation, p), comfort)]
    day = np.maximum(np.maximum(*ready), protected_until)
    return np.where(day <= time[-1], day, np.nan)

"""What is looked at of each regimen: union, remodelling, bone density at the end, and CTX above baseline.

The rebound is not counted from a dose, since a delayed dose follows a first rebound: what CTX is above baseline counts
from the fracture to the end, over the same days in every regimen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from osteon.endpoints.crossing import first_above

#: Expected number of cortices, of four, from which three count as shown without a line on a film.
LINE_GONE = 2.5


class Measure(NamedTuple):
    """One measure of a regimen.

    Attributes
    ----------
    name, unit : str
    group : {"union", "remodelling", "density", "rebound"}
    sign : int
        1 where a regimen with more of it beats another on the front, -1 with less.
    grid : float
        Steps to which values are rounded before regimens are compared; less is no difference.
    """

    name: str
    unit: str
    group: str
    sign: int
    grid: float


MEASURES = (
    Measure("time_to_union", "day", "union", -1, 1.0),
    Measure("line_gone", "day", "remodelling", -1, 1.0),
    Measure("lamellar_share_week52", "1", "remodelling", 1, 0.01),
    Measure("BMD_total_hip", "%", "density", 1, 0.1),
    Measure("BMD_lumbar_spine", "%", "density", 1, 0.1),
    Measure("CTX_peak", "%", "rebound", -1, 1.0),
    Measure("CTX_area", "%*day", "rebound", -1, 365.25),
    Measure("CTX_days", "day", "rebound", -1, 1.0),
)
#: The measure of each group that the front is made of.
FRONT = ("time_to_union", "lamellar_share_week52", "BMD_total_hip", "CTX_area")
#: Times that a fracture may not reach within the days simulated.
TIMES = ("time_to_union", "line_gone")
#: Curves that the measures and the charts need.
SERIES = ("CTX", "BMD_total_hip", "BMD_lumbar_spine", "mRUST", "cortices_without_line")


def measure(name: str) -> Measure:
    """Measure by name."""
    return next(one for one in MEASURES if one.name == name)


def measures(
    time: np.ndarray, series: Mapping[str, np.ndarray], ends: Mapping[str, np.ndarray], failed: np.ndarray
) -> dict[str, np.ndarray]:
    """Every measure of regimens under draws.

    Parameters
    ----------
    time : ndarray
        Days from the fracture, ascending, shape (time,).
    series : mapping of str to ndarray
        ``CTX`` [%], ``BMD_*`` [%] and ``cortices_without_line``, shape (..., time).
    ends : mapping of str to ndarray
        Endpoints ``time_to_union`` [day] and ``lamellar_share_week52``, shape (...).
    failed : ndarray of bool
        What could not be solved, shape (...).

    Returns
    -------
    dict of str to ndarray
        By name of `MEASURES`, shape (...); infinite where a time is not reached, NaN where it failed.
    """
    after = time >= 0
    days, ctx = time[after], np.asarray(series["CTX"], float)[..., after]
    area, above = area_above_zero(days, ctx)
    found = {
        "time_to_union": np.asarray(ends["time_to_union"], float),
        "line_gone": first_above(days, np.asarray(series["cortices_without_line"], float)[..., after], LINE_GONE),
        "lamellar_share_week52": np.asarray(ends["lamellar_share_week52"], float),
        "BMD_total_hip": np.asarray(series["BMD_total_hip"], float)[..., -1],
        "BMD_lumbar_spine": np.asarray(series["BMD_lumbar_spine"], float)[..., -1],
        "CTX_peak": ctx.max(axis=-1),
        "CTX_area": area,
        "CTX_days": above,
    }
    found |= {name: np.where(np.isnan(found[name]), np.inf, found[name]) for name in TIMES}
    return {name: np.where(failed, np.nan, values) for name, values in found.items()}


def area_above_zero(time: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Area and time above zero of curves that are straight between points.

    Parameters
    ----------
    time : ndarray
        Ascending, shape (time,).
    value : ndarray
        Shape (..., time).

    Returns
    -------
    tuple of ndarray
        Each of shape (...); NaN where a point is.
    """
    top, bottom = np.maximum(value[..., :-1], value[..., 1:]), np.minimum(value[..., :-1], value[..., 1:])
    crossing = (bottom < 0) & (top > 0)
    share = np.divide(top, top - bottom, out=np.asarray(top > 0, float), where=crossing)
    width = share * np.diff(time)
    height = (np.maximum(top, 0.0) + np.maximum(bottom, 0.0)) / 2
    missing = np.isnan(value).any(axis=-1)
    return tuple(np.where(missing, np.nan, one.sum(axis=-1)) for one in (width * height, width))  # type: ignore[return-value]

"""Visits of a trial: on which days patients come, and what of a course is recorded on them.

Nothing is known between two visits, so that a schedule decides how late and how roughly an event is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from osteon.draws import uniform
from osteon.errors import InputError, near_match, show

_WEEK = 7.0


@dataclass(frozen=True)
class Schedule:
    """Planned visits.

    Attributes
    ----------
    days : tuple of float
        Planned day of each, ascending, after the fracture.
    window : float or tuple of float
        How far before or after it a patient may come [day], of all visits or of each. Windows may not meet.
    missed : float
        Share of visits that are missed, each by itself [1].
    title_en, title_zh : str
        What people see.

    Raises
    ------
    InputError
        Days or windows are not of that kind, or windows meet.
    """

    days: tuple[float, ...]
    window: float | tuple[float, ...] = 0.0
    missed: float = 0.0
    title_en: str = ""
    title_zh: str = ""

    def __post_init__(self) -> None:
        if not self.days:
            raise InputError("there is no visit", path="visits.days", value=[], hint="name days after the fracture")
        first = 0.0
        if isinstance(self.window, tuple) and len(self.window) != len(self.days):
            message = f"{len(self.window)} windows are given for {len(self.days)} visits"
            raise InputError(message, path="visits.window", value=self.window, hint="give one for all, or one of each")
        for place, (day, window) in enumerate(zip(self.days, self.windows, strict=True)):
            if not 0 <= window < np.inf:
                message = f"{show(window)} is not a number of days from 0"
                raise InputError(message, path="visits.window", value=window)
            if not first < day - window or not day < np.inf:
                message = f"day {day:g} less its window of {window:g} is not after {first:g}, where the last one ends"
                raise InputError(message, path=f"visits.days[{place}]", value=day, hint="a shorter window, or later")
            first = day + window
        if not 0 <= self.missed < 1:
            message = f"{show(self.missed)} is not a share from 0 to below 1"
            raise InputError(message, path="visits.missed", value=self.missed)

    @property
    def windows(self) -> tuple[float, ...]:
        """Window of each visit [day]."""
        return self.window if isinstance(self.window, tuple) else (float(self.window),) * len(self.days)

    def attended(self, seed: int, lo: int, hi: int) -> np.ndarray:
        """Days on which patients `lo` to `hi` come, shape (hi - lo, visits); NaN where one does not.

        A patient comes on any day of a window alike. A visit keeps its day when others are added after it.
        """
        found = np.empty((hi - lo, len(self.days)))
        for visit, (day, window) in enumerate(zip(self.days, self.windows, strict=True)):
            found[:, visit] = day
            if window > 0:
                found[:, visit] += window * (2 * uniform(seed, lo, hi, f"visit {visit} day") - 1)
            if self.missed > 0:
                found[uniform(seed, lo, hi, f"visit {visit} missed") < self.missed, visit] = np.nan
        return found


#: Schedules by name. Windows are assumed; trials rarely print them.
SCHEDULES = {
    # Visits of the TRUST trial of nailed tibiae (Busse 2016).
    "trial": Schedule(
        tuple(_WEEK * week for week in (6, 12, 18, 26, 38, 52)), 7.0, title_en="trial of a year", title_zh="一年期试验"
    ),
    "clinic": Schedule(
        tuple(_WEEK * week for week in (2, 6, 12, 26, 52)), 7.0, title_en="usual clinic", title_zh="常规门诊随访"
    ),
    "weekly": Schedule(tuple(_WEEK * week for week in range(1, 27)), title_en="every week", title_zh="每周一次"),
}


def schedule_of(name: str) -> Schedule:
    """Schedule by name.

    Raises
    ------
    InputError
        There is no such schedule.
    """
    if name not in SCHEDULES:
        hint = near_match(name, SCHEDULES) or f"there are {', '.join(SCHEDULES)}"
        raise InputError(f"{show(name)} is not a schedule of visits", path="visits", value=name, hint=hint)
    return SCHEDULES[name]


def recorded(time: np.ndarray, series: Mapping[str, np.ndarray], days: np.ndarray) -> dict[str, np.ndarray]:
    """Values of curves on the days of visits, linear between points.

    Parameters
    ----------
    time : ndarray
        Ascending [day], shape (time,).
    series : mapping of str to ndarray
        Curves, shape (..., time).
    days : ndarray
        Day of each visit, shape (..., visits).

    Returns
    -------
    dict of str to ndarray
        Shape (..., visits); NaN where a visit was missed or lies outside the course.
    """
    inside = (days >= time[0]) & (days <= time[-1])
    moment = np.where(inside, days, time[0])
    right = np.clip(np.searchsorted(time, moment), 1, time.size - 1)
    share = (moment - time[right - 1]) / (time[right] - time[right - 1])
    found = {}
    for name, curve in series.items():
        low, high = (np.take_along_axis(curve, place, axis=-1) for place in (right - 1, right))
        # A point that is exactly on a visit does not need the next one to be there.
        between = np.where(share == 0, low, np.where(share == 1, high, low + share * (high - low)))
        found[name] = np.where(inside, between, np.nan)
    return found

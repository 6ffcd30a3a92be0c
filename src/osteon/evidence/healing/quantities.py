"""Published endpoints of the callus in the curves of osteon."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from osteon.errors import InputError, near_match, show

FEATURES = ("value", "peak_time", "onset")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A sum of curves times powers of curves, and what is taken from its course.

    Attributes
    ----------
    curves : tuple of str
        Curves that are added.
    powers : tuple of (str, float)
        Curves whose powers multiply the sum.
    feature : {"value", "peak_time", "onset"}
        Its value on the day, the day of its largest value, or the day from which it is present.
    """

    key: str
    curves: tuple[str, ...]
    powers: tuple[tuple[str, float], ...]
    feature: str
    onset_share: float

    @property
    def needs(self) -> frozenset[str]:
        """Names of the curves it is made of."""
        return frozenset((*self.curves, *(name for name, _ in self.powers)))

    def course(self, curves: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return its course, of the shape of the curves (..., time)."""
        found = sum((np.asarray(curves[name], float) for name in self.curves[1:]), np.asarray(curves[self.curves[0]]))
        # On the day of the fracture a curve that is divided by may be zero.
        with np.errstate(divide="ignore", invalid="ignore"):
            for name, power in self.powers:
                found = found * np.asarray(curves[name], float) ** power
        return found

    def evaluate(self, time: np.ndarray, curves: Mapping[str, np.ndarray], day: float) -> np.ndarray:
        """Return the number a row is compared with.

        Parameters
        ----------
        time : ndarray
            Days, ascending, shape (time,) [day].
        curves : mapping of str to ndarray
            The curves in `needs`, shape (..., time).
        day : float
            Day of the row [day]; between two times the value is interpolated.

        Returns
        -------
        ndarray
            Shape (...): the value in the unit of the curves, or a day [day]. NaN where the course is not known.
        """
        course = self.course(curves)
        if self.feature == "value":
            return _at(time, course, day)
        gone = np.isnan(course).any(axis=-1)
        course, time = np.nan_to_num(course), np.asarray(time, float)
        largest = course.max(axis=-1)
        if self.feature == "peak_time":
            found = _summit(time, course)
        else:
            found = _reached(time, course, self.onset_share * largest)
        return np.where(gone, np.nan, found)


def _summit(time: np.ndarray, course: np.ndarray) -> np.ndarray:
    """Time of the largest value, by the parabola through it and its neighbours, evenly spaced; shape (...)."""
    top = np.clip(course.argmax(axis=-1), 1, max(1, len(time) - 2))
    before, at, after = (np.take_along_axis(course, (top + k)[..., None], -1)[..., 0] for k in (-1, 0, 1))
    bend = before - 2 * at + after
    shift = np.divide(0.5 * (before - after), bend, out=np.zeros(top.shape), where=bend < 0)
    return time[top] + np.clip(shift, -1.0, 1.0) * (time[top + 1] - time[top])


def _reached(time: np.ndarray, course: np.ndarray, level: np.ndarray) -> np.ndarray:
    """First time a course reaches a level, linear between points; shape (...)."""
    first = np.argmax(course >= level[..., None], axis=-1)
    low = np.maximum(first - 1, 0)
    below, above = (np.take_along_axis(course, place[..., None], -1)[..., 0] for place in (low, first))
    share = np.divide(level - below, above - below, out=np.zeros(first.shape), where=(first > 0) & (above > below))
    return time[low] + share * (time[first] - time[low])


def _at(time: np.ndarray, course: np.ndarray, day: float) -> np.ndarray:
    time = np.asarray(time, float)
    if not time[0] <= day <= time[-1]:
        message = f"the course runs from day {time[0]:g} to {time[-1]:g} and has no day {day:g}"
        raise InputError(message, path="time", value=day)
    after = min(int(np.searchsorted(time, day)), len(time) - 1)
    if time[after] == day:
        return np.asarray(course[..., after], float)
    share = (day - time[after - 1]) / (time[after] - time[after - 1])
    return (1.0 - share) * course[..., after - 1] + share * course[..., after]


@lru_cache(maxsize=1)
def quantities() -> Mapping[str, Quantity]:
    """Return every quantity by key."""
    table = tomllib.loads(Path(__file__).with_name("quantities.toml").read_text(encoding="utf-8"))
    share = float(table["onset_share"])
    return MappingProxyType({key: _quantity(key, entry, share) for key, entry in table["quantities"].items()})


def quantity(key: str) -> Quantity:
    """Return a quantity; raises `InputError` for an unknown key."""
    known = quantities()
    if key not in known:
        raise InputError(f"{show(key)} is not a quantity", path="quantity", value=key, hint=near_match(key, known))
    return known[key]


def _quantity(key: str, entry: Mapping[str, Any], share: float) -> Quantity:
    powers = tuple((name, float(power)) for name, power in entry.get("times", {}).items())
    return Quantity(key, tuple(entry["sum"]), powers, entry.get("feature", "value"), share)

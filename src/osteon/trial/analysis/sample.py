"""What is compared: the times or values of one arm, and whether a comparison of two can be made at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osteon.trial.analysis import result as said

if TYPE_CHECKING:
    import pandas as pd

#: More distinct intervals than this in an arm, and the NPMLE is taken of coarser ones.
MOST_INTERVALS = 150
_WEEK = 7.0
# Union is after the visit before it and no later than the one that shows it: intervals are closed at the right alone.
_AFTER = 0.01


@dataclass(frozen=True)
class Times:
    """Times of one arm, each array of shape (n,).

    Attributes
    ----------
    time : ndarray
        Day the event was seen, or of the last look without it.
    event : ndarray of bool
        Whether it was seen.
    left, right : ndarray
        Days between which it came; `right` is infinite where it was not seen.
    planned : tuple of ndarray or None
        The same by the planned days of the visits.
    died : ndarray
        Day of death before the event, NaN for others.
    followed : ndarray
        Day until which it is known who lives.
    """

    time: np.ndarray
    event: np.ndarray
    left: np.ndarray
    right: np.ndarray
    planned: tuple[np.ndarray, np.ndarray] | None = None
    died: np.ndarray | None = None
    followed: np.ndarray | None = None

    @classmethod
    def of(cls, rows: pd.DataFrame) -> Times:
        """Times of rows of ``Observed.tte`` of one endpoint and one arm."""
        pick = {name: rows[name].to_numpy(float) for name in rows.columns if rows[name].dtype.kind == "f"}
        planned = (pick["left_planned"], pick["right_planned"]) if "left_planned" in pick else None
        event = rows["event"].to_numpy(bool)
        return cls(
            pick["time"], event, pick["left"], pick["right"], planned, pick.get("death_day"), pick.get("followed")
        )

    def __len__(self) -> int:
        return len(self.time)

    @property
    def events(self) -> int:
        """How many events were seen."""
        return int(self.event.sum())

    def grouped(self) -> pd.DataFrame:
        """Distinct intervals ``left``, ``right`` with their number ``weight``, for likelihoods."""
        return _grouped(np.maximum(self.left, _AFTER), self.right)

    def coarse(self) -> tuple[pd.DataFrame, str]:
        """Intervals for the NPMLE, open at the left, few enough for it, and what was done to them."""
        found, note = _grouped(self.left + _AFTER, self.right), ""
        if len(found) > MOST_INTERVALS and self.planned is not None:
            found, note = _grouped(self.planned[0] + _AFTER, self.planned[1]), said.BY_VISIT
        if len(found) > MOST_INTERVALS:
            weeks = np.floor(self.left / _WEEK) * _WEEK, np.ceil(self.right / _WEEK) * _WEEK
            found, note = _grouped(weeks[0] + _AFTER, weeks[1]), said.BY_WEEK
        return found, note


def _grouped(left: np.ndarray, right: np.ndarray) -> pd.DataFrame:
    import pandas as pd

    # An interval without width would be an exact time.
    frame = pd.DataFrame({"left": np.minimum(left, right), "right": right})
    return frame.value_counts(sort=False).reset_index(name="weight")


def unusable(control: Times, arm: Times) -> str:
    """Why two arms cannot be compared by times; empty where they can."""
    if not len(control) or not len(arm):
        return said.NO_PATIENT
    if len(control) < 2 or len(arm) < 2:
        return said.ONE_PATIENT
    if not control.events and not arm.events:
        return said.NO_EVENT
    return ""


def same_time(control: Times, arm: Times) -> bool:
    """Whether every event of both arms was seen on one day, and nobody was followed for longer or less."""
    return np.unique(np.concatenate([control.time, arm.time])).size == 1


def out_of_reach(control: Times, arm: Times) -> bool:
    """Whether nobody of one arm was at risk when the first event came."""
    first = min(one.time[one.event].min() for one in (control, arm) if one.events)
    return min(control.time.max(), arm.time.max()) < first

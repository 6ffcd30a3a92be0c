"""What a trial saw: times between visits, values at visits, and what is measured once, of every patient and arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

#: Safety events, in the order they are shown; columns of `Observed.measures` with ``safety_`` before them.
EVENTS = ("nonunion", "necrosis", "refracture", "rebound", "hypocalcaemia", "severe_hypocalcaemia", "death")


def of_all(event: str, day: float | None) -> bool:
    """Whether the share of an event is one of all patients, not of those who were followed to its day alone."""
    return day is None and event != "nonunion"


@dataclass(frozen=True)
class Observed:
    """Everything that was seen of every patient under every arm, of which a trial gave one.

    Attributes
    ----------
    tte : DataFrame
        One row per endpoint that is a time, patient and arm: ``endpoint``, ``patient``, ``arm``, ``allocated``,
        ``left`` and ``right`` (visits between which the event came; `right` is infinite where it was never seen),
        ``left_planned`` and ``right_planned`` (their planned days), ``last_seen`` (last visit), ``followed`` (day of
        dropout, death or the end of the study), ``exact`` (day in the model, NaN for none), ``event``, ``competing``
        (died before it was seen), ``death_day`` (NaN unless competing) and ``time`` (`right` or `last_seen`); all days
        after the fracture. Times of an arm that could not be solved are NaN.
    visits : DataFrame
        One row per patient, arm and visit that took place: ``patient``, ``arm``, ``allocated``, ``visit`` (from 0),
        ``planned``, ``day``, and recorded values by name.
    measures : DataFrame
        One row per patient and arm: ``patient``, ``arm``, ``allocated``, a column for each endpoint that is no time
        (NaN where it was not recorded), and ``safety_EVENT`` (1, 0, or NaN where the model does not tell).
    people : DataFrame
        One row per patient: ``patient``, ``arm`` (allocated), traits, ``enrolled_day``, ``dropout_day``,
        ``death_day`` (NaN for none) and ``followed``.
    arms : tuple of str
        The first is the control.
    notes : tuple of str
        What a reader should know of how it was observed.
    """

    tte: pd.DataFrame
    visits: pd.DataFrame
    measures: pd.DataFrame
    people: pd.DataFrame
    arms: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def times(self, endpoint: str, arm: str, allocated: bool = True) -> pd.DataFrame:
        """Rows of one endpoint in one arm, of those it was given to or of all twins; failed courses are left out."""
        rows: Any = self.tte[(self.tte["endpoint"] == endpoint) & (self.tte["arm"] == arm)]
        rows = rows[rows["allocated"]] if allocated else rows
        return rows[rows["time"].notna()]

    def values(self, name: str, arm: str, allocated: bool = True) -> np.ndarray:
        """Recorded values of a measure in one arm, shape (n,), without those that are missing."""
        rows: Any = self.measures[self.measures["arm"] == arm]
        rows = rows[rows["allocated"]] if allocated else rows
        found = rows[name].to_numpy(float)
        return found[~np.isnan(found)]

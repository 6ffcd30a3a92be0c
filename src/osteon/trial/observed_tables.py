"""Tables of what was observed, made of arrays that are filled chunk by chunk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from osteon.trial.people import People

#: Columns of an endpoint that is a time, in the order of its table.
TIMES = (
    *("left", "right", "left_planned", "right_planned", "last_seen", "followed", "exact", "event", "competing"),
    *("death_day", "time"),
)
_DAYS = ("enrolled_day", "dropout_day", "death_day")


@dataclass
class Columns:
    """Columns of a table that is filled chunk by chunk; every array has the patients first.

    Parameters
    ----------
    size : int
        Patients.
    after : tuple of int
        Shape of what each patient has.
    """

    size: int
    after: tuple[int, ...]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def put(self, lo: int, place: tuple[Any, ...], **columns: np.ndarray) -> None:
        """Fill a part of columns from patient `lo` on; `place` indexes what follows the patients."""
        for name, values in columns.items():
            if name not in self.arrays:
                blank: Any = False if values.dtype == bool else np.nan
                self.arrays[name] = np.full((self.size, *self.after), blank, values.dtype)
            self.arrays[name][(slice(lo, lo + len(values)), *place)] = values


@dataclass(frozen=True)
class Keys:
    """What tells the rows of the tables apart: patient, arm, and whether the trial gave it.

    Attributes
    ----------
    every : tuple of str
        Arms of the study.
    arms : tuple of str
        Those that were looked at.
    allocated : ndarray of int
        Place in `every` of the arm each patient got, shape (patients,).
    """

    every: tuple[str, ...]
    arms: tuple[str, ...]
    allocated: np.ndarray

    def columns(self, visits: int = 1) -> dict[str, Any]:
        """Columns of a table with one row per patient, arm and visit, in this order."""
        import pandas as pd

        size, arms = len(self.allocated), len(self.arms)
        number = np.tile(np.repeat(np.arange(arms, dtype=np.int8), visits), size)
        places = np.array([self.every.index(arm) for arm in self.arms])
        given = self.allocated[:, None] == places
        return {
            "patient": np.repeat(np.arange(size, dtype=np.int32), arms * visits),
            "arm": pd.Categorical.from_codes(number, list(self.arms)),
            "allocated": np.repeat(given.reshape(-1), visits),
        }


def times_table(keys: Keys, endpoints: Sequence[tuple[str, dict[str, np.ndarray]]]) -> pd.DataFrame:
    """Table of the endpoints that are times, one below the other; columns of each are of shape (patients, arms)."""
    import pandas as pd

    names = [name for name, _ in endpoints]
    parts = []
    for place, (_, rows) in enumerate(endpoints):
        endpoint = pd.Categorical.from_codes(np.full(rows["time"].size, place, np.int8), names)
        flat = {name: np.asarray(rows[name]).reshape(-1) for name in TIMES}
        parts.append(pd.DataFrame({"endpoint": endpoint, **keys.columns(), **flat}))
    if not parts:
        return pd.DataFrame({name: [] for name in ("endpoint", *keys.columns(), *TIMES)})
    return pd.concat(parts, ignore_index=True)


def visits_table(keys: Keys, planned: np.ndarray, recorded: Columns) -> pd.DataFrame:
    """Table of the visits that took place; empties `recorded` as it goes, so that only one column is held twice."""
    import pandas as pd

    came = ~np.isnan(recorded.arrays["day"].reshape(-1))
    rows = len(keys.allocated) * len(keys.arms)
    columns = {
        **keys.columns(len(planned)),
        "visit": np.tile(np.arange(len(planned), dtype=np.int16), rows),
        "planned": np.tile(planned, rows),
    }
    found = {name: values[came] for name, values in columns.items()}
    for name in list(recorded.arrays):
        found[name] = recorded.arrays.pop(name).reshape(-1)[came]
    return pd.DataFrame(found)


def measures_table(keys: Keys, measures: Columns) -> pd.DataFrame:
    """Table of what is measured once, one row per patient and arm."""
    import pandas as pd

    return pd.DataFrame({**keys.columns(), **{name: one.reshape(-1) for name, one in measures.arrays.items()}})


def people_table(keys: Keys, people: People, followed: np.ndarray) -> pd.DataFrame:
    """Table of the people: allocated arm, traits, and calendar and last days."""
    import pandas as pd

    days = {name: np.asarray(getattr(people, name), float) for name in _DAYS}
    days = {name: np.where(np.isinf(day), np.nan, day) for name, day in days.items()}
    arm = pd.Categorical.from_codes(keys.allocated, list(keys.every))
    first = {"patient": np.arange(len(keys.allocated)), "arm": arm}
    return pd.DataFrame({**first, **people.table, **days, "followed": followed})

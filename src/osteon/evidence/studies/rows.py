"""Rows of the shipped tables in one form, whichever table they stand in."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache

from osteon.evidence.healing.table import read as read_healing
from osteon.evidence.studies.schema import TABLES, Result, Rows
from osteon.evidence.table import read as read_turnover

_TURNOVER = ("markers.csv", "bmd.csv", "pk.csv")
_LIMITS = re.compile(r"\s*(-?[\d.]+)\s*(?:-|to|;)\s*(-?[\d.]+)\s*")
_NINETY_FIVE = 2 * 1.959964


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table, or the number of a result that stands in none.

    Attributes
    ----------
    table, line : str, int
        Where it stands, the header being line 1; a result's own number has the line 0.
    value : float
        In `unit`; nan where the row has words alone.
    low, high, sd : float
        Printed limits, and standard error from SE, SD and n, or 95 % limits; nan where there are none.
    day : float
        nan where it has none [day].
    n : int
        Patients or animals, 0 where the row does not say.
    """

    table: str
    line: int
    study: str
    arm: str
    endpoint: str
    unit: str
    value: float
    day: float
    low: float
    high: float
    sd: float
    error_type: str
    n: int
    how_obtained: str
    quote: str
    use: str

    @property
    def recalled(self) -> bool:
        """Whether the number was remembered and not seen."""
        return self.how_obtained == "recalled"


@cache
def table_rows(table: str) -> tuple[TableRow, ...]:
    """Return every row of a table in its order."""
    if table in _TURNOVER:
        return tuple(_of_turnover(row) for row in read_turnover(table))
    return tuple(_of_healing(row) for row in read_healing(table))


def rows_of(result: Result) -> tuple[TableRow, ...]:
    """Return the rows that a result picks, or its own number as a row."""
    if result.rows is not None:
        return picked(result.rows)
    own = result.published
    assert own is not None
    low, high = (math.nan if one is None else one for one in (own.low, own.high))
    sd = own.sd if own.sd is not None else math.nan
    return (
        TableRow(
            *("", 0, "", own.arm, result.endpoint.en, result.unit, own.value),
            *(math.nan if own.day is None else own.day, low, high, sd, "95% CI" if own.low is not None else ""),
            *(own.n or 0, own.how_obtained, own.quote, result.use or "check"),
        ),
    )


def picked(rows: Rows) -> tuple[TableRow, ...]:
    """Return the rows of a table that a reference names."""
    return tuple(
        row
        for row in table_rows(rows.table)
        if row.study == rows.study
        and (not rows.arm or row.arm in rows.arm)
        and (not rows.endpoint or row.endpoint in rows.endpoint)
        and (not rows.day or row.day in rows.day)
        and (not rows.use or row.use in rows.use)
    )


def places() -> frozenset[tuple[str, int]]:
    """Return table and line of every row of the tables whose studies have a file each."""
    return frozenset((row.table, row.line) for table in TABLES[:5] for row in table_rows(table))


def _of_turnover(row) -> TableRow:
    n = _count(row.n) if "total" not in row.n else 0
    low, high, sd = _error(row.value, row.error, row.error_type, n)
    day = math.nan if row.time_days is None else row.time_days
    about = (row.error_type, n, row.how_obtained, row.quote_or_location, row.use)
    return TableRow(
        row.file, row.line, row.study, row.arm, row.endpoint, row.unit, row.value, day, low, high, sd, *about
    )


def _of_healing(row) -> TableRow:
    if row.file == "risk_factors.csv":
        arm, endpoint, unit = row["factor"], f"{row['effect_measure']}, {row['bone']}", row["effect_measure"]
        low, high = row.number("ci_low"), row.number("ci_high")
        about = ("95% CI" if not math.isnan(low) else "", row.count(), row["how_obtained"], row["quote"], row.use)
        return TableRow(
            row.file, row.line, row.study, arm, endpoint, unit, row.value, math.nan, low, high, math.nan, *about
        )
    n, kind = row.count(), row["error_type"]
    low, high, sd = _error(row.value, row["error"], kind, n)
    about = (kind, n, row["how_obtained"], row["quote_or_location"], row.use)
    day = row.number("time_days")
    return TableRow(
        row.file, row.line, row.study, row["arm"], row["endpoint"], row["unit"], row.value, day, low, high, sd, *about
    )


def _count(text: str) -> int:
    found = re.match(r"\s*(\d+)", text)
    return int(found[1]) if found else 0


def _error(value: float, error: str, kind: str, n: int) -> tuple[float, float, float]:
    """Limits as printed, and the standard error of the value; nan where there is none."""
    found = _LIMITS.fullmatch(error)
    if found:
        low, high = float(found[1]), float(found[2])
        if "CI" in kind:
            return low, high, (high - low) / _NINETY_FIVE
        # Quartiles of patients, as 1.349 SD of normal data, and 1.2533 for the error of a median.
        return low, high, 1.2533 * (high - low) / 1.349 / math.sqrt(n) if "IQR" in kind and n else math.nan
    try:
        one = float(error)
    except ValueError:
        return math.nan, math.nan, math.nan
    if kind.startswith("SE"):
        return value - one, value + one, one
    if kind.startswith("SD"):
        return value - one, value + one, one / math.sqrt(n) if n else math.nan
    return math.nan, math.nan, math.nan

"""Reading of the shipped tables on healing: every row is checked, a bad one refused with its file, row and column."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from osteon.errors import InputError, near_match, show

FOLDER = Path(__file__).parents[1] / "data"
_SHARED = ("value", "how_obtained", "use")
_STUDY = ("study", "year", "doi_or_pmid")
_MEASURED = ("arm", "n", "endpoint", "unit", "error", "error_type", "time_days", "quote_or_location")
#: Columns of each table.
COLUMNS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "callus.csv": frozenset((*_SHARED, *_STUDY, *_MEASURED, "species", "model")),
        "clinical_healing.csv": frozenset((*_SHARED, *_STUDY, *_MEASURED, "population", "bone", "fixation")),
        "risk_factors.csv": frozenset(
            (*_SHARED, "factor", "bone", "effect_measure", "ci_low", "ci_high", "n", "study", "doi_or_pmid", "quote")
        ),
        "tissue_properties.csv": frozenset(
            (
                *_SHARED,
                *_STUDY[::2],
                "tissue",
                "property",
                "unit",
                "low",
                "high",
                "species_context",
                "quote_or_location",
            )
        ),
    }
)
USES = ("fit", "check", "noise")
_WORDS = {"use": USES, "how_obtained": ("abstract", "figure-digitised", "label", "recalled", "table", "text")}
_NUMBERS = ("value", "time_days", "ci_low", "ci_high", "low", "high")
RECALLED = "the number is recalled, not seen"


@dataclass(frozen=True, slots=True)
class Printed:
    """One row as it is printed; `line` is its line in `file`, the header being line 1.

    Attributes
    ----------
    value : float
        The number, in the unit printed beside it; nan where the row gives words alone.
    cells : mapping of str to str
        Every column as it stands.
    """

    file: str
    line: int
    value: float
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    @property
    def study(self) -> str:
        """Name of the study as the table writes it."""
        return self.cells["study"]

    @property
    def use(self) -> str:
        """What the row may be used for: fit, check or noise."""
        return self.cells["use"]

    @property
    def recalled(self) -> bool:
        """Whether the number was remembered, not seen; it is then never a target."""
        return self.cells["how_obtained"] == "recalled"

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return f"{self.file}, row {self.line}"

    def number(self, column: str) -> float:
        """Return the number of a column; nan where it is empty."""
        return float(self.cells[column]) if self.cells[column] else math.nan

    def count(self) -> int:
        """Return the participants or animals printed in `n`; 0 where there are none."""
        found = re.match(r"\s*(\d+)", self.cells["n"])
        return int(found[1]) if found else 0

    def limits(self) -> tuple[float, float]:
        """Return the two limits of a printed interval, such as ``0.72-1.90``; nan where there is none."""
        found = re.fullmatch(r"\s*(-?[\d.]+)\s*(?:-|to|;)\s*(-?[\d.]+)\s*", self.cells.get("error", ""))
        return (float(found[1]), float(found[2])) if found else (math.nan, math.nan)


def read(name: str, folder: str | Path | None = None) -> tuple[Printed, ...]:
    """Return the rows of a table.

    Parameters
    ----------
    name : str
        ``callus.csv``, ``clinical_healing.csv``, ``risk_factors.csv`` or ``tissue_properties.csv``.
    folder : str or Path, optional
        Where it lies; the shipped tables by default.

    Raises
    ------
    InputError
        The file cannot be read, a column is missing or unknown, or a row is refused.
    """
    if name not in COLUMNS:
        raise InputError(f"{show(name)} is not a table on healing (allowed: {', '.join(COLUMNS)})", path="name")
    return _shipped(name) if folder is None else _read(Path(folder) / name)


def printed_in_both_uses(folder: str | Path | None = None) -> tuple[tuple[Printed, Printed], ...]:
    """Return pairs of rows in which one number of one study is for fitting in one place and for checking in another.

    A number that is fitted cannot check anything; whoever fits the first should not count the second as a check.
    """
    rows = [row for name in COLUMNS for row in read(name, folder) if _author(row.study) and not math.isnan(row.value)]
    fitted = [row for row in rows if row.use == "fit"]
    checked = [row for row in rows if row.use == "check"]
    return tuple((a, b) for a in fitted for b in checked if (_author(a.study), a.value) == (_author(b.study), b.value))


def _author(study: str) -> str:
    found = re.match(r"([^\W\d]+)[ \w]*?((?:19|20)\d\d)", study)
    return f"{found[1]} {found[2]}" if found else ""


def check_use(use: str) -> None:
    """Raise `InputError` unless `use` is one of the uses of rows."""
    if use not in USES:
        raise InputError(f"{show(use)} is not a use of rows (allowed: {', '.join(USES)})", path="use", value=use)


@lru_cache(maxsize=4)
def _shipped(name: str) -> tuple[Printed, ...]:
    return _read(FOLDER / name)


def _read(path: Path) -> tuple[Printed, ...]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, restkey="more", restval=None)
            _check_header(reader.fieldnames or (), path.name)
            return tuple(_row(row, path.name, reader.line_num) for row in reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text in CSV"
        raise InputError(f"cannot be read ({reason})", path=str(path)) from None


def _check_header(header: Any, name: str) -> None:
    for column in sorted(COLUMNS[name]):
        if column not in header:
            raise InputError("this column is missing", path=f"{name}, column {column}")
    for column in header:
        if column not in COLUMNS[name]:
            hint = near_match(column, COLUMNS[name])
            raise InputError("is not a known column", path=f"{name}, column {column}", value=column, hint=hint)


def _row(row: dict[str, Any], name: str, line: int) -> Printed:
    where = f"{name}, row {line}"
    if "more" in row or None in row.values():
        raise InputError(f"has not the {len(COLUMNS[name])} values of the header", path=where)
    for column, allowed in _WORDS.items():
        if row[column] not in allowed:
            message = f"{show(row[column])} is not allowed (allowed: {', '.join(allowed)})"
            hint = near_match(row[column], allowed)
            raise InputError(message, path=f"{where}, column {column}", value=row[column], hint=hint)
    worded = row.get("effect_measure") == "direction"
    for column in _NUMBERS:
        if row.get(column) and not _is_number(row[column]) and not (worded and column == "value"):
            message = f"{show(row[column])} is not a finite number"
            raise InputError(message, path=f"{where}, column {column}", value=row[column])
    value = float(row["value"]) if _is_number(row["value"]) else math.nan
    return Printed(name, line, value, MappingProxyType(row))


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False

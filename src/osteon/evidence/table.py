"""Reading of the shipped tables: every row is checked, and a bad one is refused with its file, row and column."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from osteon.errors import InputError, near_match, show

FOLDER = Path(__file__).with_name("data")
#: How an error is printed, and what kind of summary it is.
ERROR_KINDS = {
    "": "none",
    "SE": "se",
    "SD": "sd",
    "range": "range",
    "IQR lo;hi": "iqr",
    "bar limits lo;hi, IQR (recalled)": "iqr",
    "bar limits lo;hi, SE (recalled)": "se",
    "bar limits lo;hi, 95% CI (recalled)": "ci",
    "95% CI lo;hi": "ci",
    "95% CI lo;hi (as coded in file)": "ci",
    "RSE": "rse",
    "CV%": "cv",
}
Use = Literal["fit", "check", "noise"]
_WORDS = {
    "use": ("fit", "check", "noise"),
    "how_obtained": ("figure-digitised", "text", "table", "label", "recalled"),
    "error_type": tuple(ERROR_KINDS),
}


def _number(given: Any) -> float:
    try:
        value = float(given)
    except (TypeError, ValueError):
        raise ValueError(f"{show(given)} is not a number") from None
    if not math.isfinite(value):
        raise ValueError(f"{show(given)} is not a finite number")
    return value


def _day(given: Any) -> float | None:
    return None if given == "" else _number(given)


def _text(given: Any) -> str:
    if not isinstance(given, str) or not given.strip():
        raise ValueError("is empty")
    return given


def _one_of(column: str) -> Any:
    def read(given: Any) -> Any:
        words = _WORDS[column]
        if given in words:
            return given
        allowed = ", ".join(word or "(empty)" for word in words)
        hint = near_match(given, [word for word in words if word]) if isinstance(given, str) and given else ""
        raise ValueError(f"{show(given)} is not allowed (allowed: {allowed})|{hint}")

    return BeforeValidator(read)


class Printed(BaseModel):
    """One row as it is printed; `line` is its line in `file`, the header being line 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str
    line: int
    study: Annotated[str, BeforeValidator(_text)]
    year: Annotated[str, Field(pattern=r"^\d{4}(-\d{4})?$")]
    doi_or_pmid: str
    population: str
    arm: Annotated[str, BeforeValidator(_text)]
    drug: Annotated[str, BeforeValidator(_text)]
    dose_mg: str
    regimen: str
    time_days: Annotated[float | None, BeforeValidator(_day)]
    endpoint: Annotated[str, BeforeValidator(_text)]
    unit: Annotated[str, BeforeValidator(_text)]
    value: Annotated[float, BeforeValidator(_number)]
    error: str
    error_type: Annotated[str, _one_of("error_type")]
    n: str
    how_obtained: Annotated[str, _one_of("how_obtained")]
    quote_or_location: str
    use: Annotated[Use, _one_of("use")]

    @model_validator(mode="after")
    def _fits_together(self) -> Printed:
        if self.time_days is not None and self.time_days < 0:
            raise ValueError(f"time_days|{self.time_days:g} is before the start of treatment (allowed: 0 or more)")
        if self.unit.startswith("% change") and self.value < -100:
            raise ValueError(f"value|{self.value:g} is a fall by more than everything (allowed: -100 or more)")
        if bool(self.error) != bool(self.error_type):
            raise ValueError("error|needs both an error and its error_type, or neither")
        if self.error and len(self.numbers()) not in (1, 2):
            raise ValueError(f"error|{show(self.error)} is neither one number nor two limits such as -2.1;3.4")
        return self

    @property
    def kind(self) -> str:
        """Kind of the printed error: none, se, sd, range, iqr, ci, rse or cv."""
        return ERROR_KINDS[self.error_type]

    def numbers(self) -> tuple[float, ...]:
        """Return the numbers of `error`: none, one, or the two limits."""
        parts = [re.sub(r"\s*%.*$", "", part.strip()) for part in self.error.split(";")] if self.error else []
        try:
            found = tuple(float(part) for part in parts)
        except ValueError:
            return (math.nan,) * 3
        return found if all(math.isfinite(part) for part in found) else (math.nan,) * 3


COLUMNS = tuple(name for name in Printed.model_fields if name not in ("file", "line"))


def read(name: str, folder: str | Path | None = None) -> tuple[Printed, ...]:
    """Return the rows of a table.

    Parameters
    ----------
    name : str
        ``markers.csv``, ``bmd.csv`` or ``pk.csv``.
    folder : str or Path, optional
        Where it lies; the shipped tables by default.

    Raises
    ------
    InputError
        The file cannot be read, a column is missing or unknown, or a row is refused.
    """
    path = (Path(folder) if folder is not None else FOLDER) / name
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return _rows(csv.DictReader(stream, restkey="more", restval=None), name)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text in CSV"
        raise InputError(f"cannot be read ({reason})", path=str(path)) from None


def _rows(reader: csv.DictReader, name: str) -> tuple[Printed, ...]:
    header = tuple(reader.fieldnames or ())
    for column in COLUMNS:
        if column not in header:
            raise InputError("this column is missing", path=f"{name}, column {column}")
    for column in header:
        if column not in COLUMNS:
            hint = near_match(column, COLUMNS)
            raise InputError("is not a known column", path=f"{name}, column {column}", value=column, hint=hint)
    return tuple(_row(row, name, reader.line_num) for row in reader)


def _row(row: dict[str, Any], name: str, line: int) -> Printed:
    where = f"{name}, row {line}"
    if "more" in row or None in row.values():
        raise InputError(f"has not the {len(COLUMNS)} values of the header", path=where)
    try:
        return Printed(file=name, line=line, **row)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        raise _refusal(fault, where, len(error.errors()) - 1) from None


def _refusal(fault: Any, where: str, others: int) -> InputError:
    """One sentence of a fault; a check over several columns names its column before a bar, a hint stands after one."""
    message = str(fault["msg"]).removeprefix("Value error, ").rstrip(".")
    if fault["loc"]:
        column, (message, _, hint) = str(fault["loc"][0]), message.partition("|")
    else:
        column, _, message = message.partition("|")
        hint = ""
    if fault["type"] != "value_error":
        message = f"{show(fault['input'])}: {message[:1].lower()}{message[1:]}"
    value = fault["input"] if fault["loc"] else None
    return InputError(message, path=f"{where}, column {column}", value=value, hint=hint, others=others)

"""The published rows as observations: which arm, curve and day, which value, and how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from osteon.errors import InputError, show
from osteon.evidence.sorting import Mapped, notes, rules, sort
from osteon.evidence.table import Printed, Use, read
from osteon.evidence.uncertainty import OwnError, Spread, own_error, participants

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("markers.csv", "bmd.csv")
#: Rows of different sources within this many days are one visit [day].
SAME_VISIT = 5.0


@dataclass(frozen=True, slots=True)
class Row:
    """One observation; values and errors in the unit of the curve [%].

    Attributes
    ----------
    arm, study, block : str
        Key of the study arm, name of the trial, and drug block the row informs.
    curve, endpoint : str
        Name of the curve of osteon, and of the endpoint in the table.
    day, sample_day : float
        Published day, and the day on which the sample was taken (before a dose given at that visit) [day].
    value, sd : float
        Observed value, and its error: own error, digitisation and any noted doubt, for one of `times_read` readings.
    own_sd, error_how : float, str
        Error of the published summary alone, and whether it is "printed" or "imputed".
    low, high : float
        Limits as printed, for plotting; nan where none are printed.
    n, times_read : int
        Participants, and how many sources read the same patients on the same visit.
    censored : bool
        Whether the value is at or below the limit of the assay.
    contrast, against : str
        "difference" or "ratio" to another arm, and its key; empty for a change from baseline.
    flag : str
        What is known against the row; it is kept all the same.
    """

    file: str
    line: int
    arm: str
    study: str
    block: str
    curve: str
    endpoint: str
    day: float
    sample_day: float
    value: float
    sd: float
    own_sd: float
    error_how: str
    low: float
    high: float
    n: int
    times_read: int
    censored: bool
    contrast: str
    against: str
    use: str
    how_obtained: str
    printed_study: str
    printed_arm: str
    flag: str


@dataclass(frozen=True)
class Observations:
    """Rows of one `use`; every column of `Row` is an attribute, as an array of shape (rows,)."""

    rows: tuple[Row, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __getattr__(self, name: str) -> np.ndarray:
        if name.startswith("_") or name not in _COLUMNS:
            raise AttributeError(f"Observations has no attribute {name}")
        return np.array([getattr(row, name) for row in self.rows], dtype=_COLUMNS[name])

    def where(self, **wanted: str | Sequence[str]) -> Observations:
        """Return the rows whose columns have a value, or one of several: ``where(block="core", endpoint=["CTX"])``."""
        sets = {name: {value} if isinstance(value, str) else set(value) for name, value in wanted.items()}
        return Observations(tuple(r for r in self.rows if all(getattr(r, name) in ok for name, ok in sets.items())))

    def frame(self) -> pd.DataFrame:
        """Return the rows as a data frame."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows], columns=pd.Index(_COLUMNS))


_KINDS = {"str": object, "float": float, "int": int, "bool": bool}
_COLUMNS: dict[str, Any] = {field.name: _KINDS[str(field.type)] for field in fields(Row)}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that is not compared, and why."""

    row: Printed
    reason: str


def observations(use: Use, folder: str | Path | None = None) -> Observations:
    """Return the rows of one use, and nothing of the others.

    Parameters
    ----------
    use : str
        ``fit`` (may be fitted), ``check`` (never fitted) or ``noise`` (second digitisations, only shown).
    folder : str or Path, optional
        Folder with markers.csv and bmd.csv; the shipped tables by default.

    Raises
    ------
    InputError
        The use is unknown, or a row is refused.
    """
    if use not in get_args(Use):
        allowed = ", ".join(get_args(Use))
        raise InputError(f"{show(use)} is not a use of rows (allowed: {allowed})", path="use", value=use)
    # Errors are imputed from fitted rows alone, so that what is fitted never depends on what is checked.
    fitted = _measured(_mapped("fit", folder))
    ours = fitted if use == "fit" else _measured(_mapped(use, folder))
    spread = Spread((m.arm.study, m.row.endpoint, m.row.value, e.sd, n) for m, n, e in fitted if not math.isnan(e.sd))
    readings = _readings([mapped for mapped, _, _ in ours])
    return Observations(tuple(_row(m, n, e, spread, times) for (m, n, e), times in zip(ours, readings, strict=True)))


def left_out(folder: str | Path | None = None) -> tuple[LeftOut, ...]:
    """Return every row of every use that is not compared, with the reason."""
    _, left = sort(row for name in TABLES for row in read(name, folder))
    return tuple(LeftOut(row, reason) for row, reason in left)


def _mapped(use: str, folder: str | Path | None) -> list[Mapped]:
    mapped, _ = sort(row for name in TABLES for row in read(name, folder) if row.use == use)
    return mapped


def _measured(mapped: list[Mapped]) -> list[tuple[Mapped, int, OwnError]]:
    found = []
    for one in mapped:
        n = participants(one.row.n) or one.arm.n_on(one.day)
        high = next((note["high"] for note in notes(one.row) if "high" in note), None)
        found.append((one, n, own_error(one.row, n, high)))
    return found


def _row(mapped: Mapped, n: int, error: OwnError, spread: Spread, times: int) -> Row:
    row, arm, known = mapped.row, mapped.arm, notes(mapped.row)
    printed = not math.isnan(error.sd)
    own = error.sd if printed else spread.sd(arm.study, row.endpoint, row.value, n)
    if mapped.cover.contrast and not printed:
        own *= math.sqrt(2.0)  # Both arms of a contrast are uncertain.
    digitised = row.how_obtained == "figure-digitised"
    noise = rules()["digitisation"][row.endpoint] / math.sqrt(2.0) if digitised else 0.0
    doubt = [note.get("widen", 0.0) for note in known]
    sd = math.sqrt(own**2 + noise**2 + sum(one**2 for one in doubt)) * math.sqrt(times)
    if math.isnan(sd):
        where = f"{row.file}, row {row.line}, column error"
        raise InputError("has no usable error, and no fitted row of its endpoint prints one", path=where)
    return Row(
        file=row.file,
        line=row.line,
        arm=arm.key,
        study=arm.study,
        block=arm.block_on(mapped.day),
        curve=rules()["curves"][row.endpoint],
        endpoint=row.endpoint,
        day=mapped.day,
        sample_day=arm.sample_day(mapped.day),
        value=row.value,
        sd=sd,
        own_sd=own,
        error_how="printed" if printed else "imputed",
        low=error.low,
        high=error.high,
        n=n,
        times_read=times,
        censored=row.value <= rules()["limit"].get(row.endpoint, -math.inf),
        contrast=mapped.cover.contrast,
        against=mapped.cover.against,
        use=row.use,
        how_obtained=row.how_obtained,
        printed_study=row.study,
        printed_arm=row.arm,
        flag="; ".join(note["flag"] for note in known),
    )


def _readings(mapped: list[Mapped]) -> list[int]:
    """How many sources read each row: rows of one arm and endpoint, from different sources, on the same visit."""
    groups: dict[tuple[str, ...], list[tuple[float, tuple[str, ...]]]] = {}
    for one in mapped:
        groups.setdefault(_series(one), []).append((one.day, _source(one)))
    return [len({who for day, who in groups[_series(one)] if abs(day - one.day) <= SAME_VISIT}) for one in mapped]


def _series(mapped: Mapped) -> tuple[str, ...]:
    return mapped.arm.key, mapped.row.endpoint, mapped.cover.contrast


def _source(mapped: Mapped) -> tuple[str, ...]:
    """Who read the row: a digitiser, or the study's own words."""
    row = mapped.row
    if row.how_obtained != "figure-digitised":
        return row.how_obtained, row.study
    quote = row.quote_or_location
    return "figure", next((who for who in ("Joerg", "Metrum") if who in quote), quote)

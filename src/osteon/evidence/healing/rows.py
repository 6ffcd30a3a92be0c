"""The rows of callus.csv as observations: which quantity of which arm, in comparison with what, and how sure it is.

Errors come from a printed SD or SE; of a change against control, from its printed P value, as the size over the normal
quantile ("P<0.001" gives the largest error it allows). Where neither is printed the error is the same share of the
larger level as the median of the fitted rows of the study, or else of all, of the same contrast. Errors never depend
on rows of another use than fit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import NormalDist, median

from osteon.errors import InputError
from osteon.evidence.healing.sorting import Compared, Fact, LeftOut, Sorted, sort
from osteon.evidence.healing.table import USES, check_use, read

TABLE = "callus.csv"
#: A change smaller than this share counts as none.
DEAD_BAND = 0.05


@dataclass(frozen=True, slots=True)
class HealingRow:
    """One observation of the callus.

    Attributes
    ----------
    arm, against : str
        Key of the simulated (or pooled) arm and of what it is compared with: another arm, the same one on
        `against_day`, ``intact`` for the unbroken bone, or empty for a value of the arm itself.
    day, against_day : float
        Day of the value and of what it is divided by [day].
    quantity : str
        Key in ``quantities.toml``.
    contrast : {"ratio", "absolute"}
        Whether `value` is a ratio to `against` [1], or in the unit of the quantity.
    kind : {"number", "sign", "at_least", "at_most"}
        What `value` is: a number, a direction (+1, 0, -1) of the ratio, or a bound.
    value, sd : float
        The value and its error, in one unit; the error of a direction is nan.
    sd_how : {"printed", "P value", "imputed", ""}
        Where the error comes from.
    signed : bool
        Whether the row counts among the directions.
    flag : str
        What is known against the row; it is kept all the same.
    """

    file: str
    line: int
    study: str
    species: str
    arm: str
    against: str
    day: float
    against_day: float
    quantity: str
    contrast: str
    kind: str
    value: float
    sd: float
    sd_how: str
    n: int
    use: str
    how_obtained: str
    endpoint: str
    unit: str
    signed: bool
    flag: str

    @property
    def sign(self) -> int:
        """Observed direction of the ratio, 0 inside the dead band."""
        if self.kind == "sign":
            return int(self.value)
        return 0 if abs(self.value - 1.0) < DEAD_BAND else int(math.copysign(1, self.value - 1.0))


def healing_rows(use: str, folder: str | Path | None = None) -> tuple[HealingRow, ...]:
    """Return the observations of one use, and nothing of the others.

    Parameters
    ----------
    use : str
        ``fit`` (may be fitted), ``check`` (never fitted, only compared) or ``noise``.
    folder : str or Path, optional
        Folder with callus.csv; the shipped table by default.

    Raises
    ------
    InputError
        The use is unknown, or a row is refused or sorted nowhere.
    """
    check_use(use)
    fitted = [_row(one) for one in _sorted("fit", folder).compared]
    ours = fitted if use == "fit" else [_row(one) for one in _sorted(use, folder).compared]
    return tuple(_shared([_with_error(row, fitted) for row in ours]))


def healing_facts(use: str, folder: str | Path | None = None) -> tuple[Fact, ...]:
    """Return the rows of one use that describe a design, a material or a definition."""
    check_use(use)
    return _sorted(use, folder).facts


def healing_left_out(folder: str | Path | None = None) -> tuple[LeftOut, ...]:
    """Return the rows of every use that are not compared, with the reason."""
    return tuple(one for use in USES for one in _sorted(use, folder).left_out)


def sign_rows(rows: Iterable[HealingRow]) -> tuple[HealingRow, ...]:
    """Return the rows that count among the directions: signs, and ratios of numbers where these are signed."""
    return tuple(row for row in rows if row.signed and row.contrast == "ratio" and row.kind in ("number", "sign"))


def _sorted(use: str, folder: str | Path | None) -> Sorted:
    return sort(row for row in read(TABLE, folder) if row.use == use)


def _row(one: Compared) -> HealingRow:
    row, rule = one.row, one.rule
    sign = row["unit"].startswith(("sign", "direction")) or "as" in rule
    kind = "sign" if sign else rule.get("kind", "number")
    value, contrast = _value(one, kind)
    n = rule.get("n") or row.count()
    sd, how = (math.nan, "") if kind == "sign" else _error(one, n, value)
    return HealingRow(
        file=row.file,
        line=row.line,
        study=row.study,
        species=row["species"],
        arm=one.arm,
        against=one.against if contrast == "ratio" else "",
        day=one.day,
        against_day=one.against_day if contrast == "ratio" else math.nan,
        quantity=one.quantity,
        contrast=contrast,
        kind=kind,
        value=value,
        sd=sd,
        sd_how=how,
        n=n,
        use=row.use,
        how_obtained=row["how_obtained"],
        endpoint=row["endpoint"],
        unit=row["unit"],
        signed=bool(rule.get("signed", True)),
        flag=rule.get("flag", ""),
    )


def _value(one: Compared, kind: str) -> tuple[float, str]:
    """Value on the scale of its contrast: of a printed change, share or direction, the ratio to what it is against."""
    row, unit = one.row, one.row["unit"]
    if one.rule.get("as") == "alike":
        return 0.0, "ratio"
    if kind == "sign":
        value = row.value if one.reference is None else _direction(row.value, one.reference.value)
        if value not in (-1.0, 0.0, 1.0):
            raise InputError("a direction is -1, 0 or 1", path=f"{row.where}, column value", value=row.value)
        return (-value if one.rule.get("flip") else value) + 0.0, "ratio"
    if one.reference is not None:
        return row.value / one.reference.value, "ratio"
    if unit == "percent" and " change vs " in row["endpoint"]:
        return 1.0 + row.value / 100.0, "ratio"
    if unit.startswith("percent of"):
        return row.value / 100.0, "ratio"
    return row.value, "ratio" if unit.startswith("fraction of") else "absolute"


def _direction(value: float, other: float) -> float:
    # Of two levels of which one may be below zero the scale is the larger one.
    change = (value - other) / max(abs(value), abs(other))
    return 0.0 if abs(change) < DEAD_BAND else math.copysign(1.0, change)


def _error(one: Compared, n: int, value: float) -> tuple[float, str]:
    row = one.row
    if row["error"]:
        own = _standard_error(row.number("error"), row["error_type"], n, row.where)
        if one.reference is None:
            return own, "printed"
        other = one.reference
        their = _standard_error(other.number("error"), other["error_type"], other.count(), other.where)
        return abs(value) * math.hypot(own / row.value, their / other.value), "printed"
    found = re.search(r"\b[Pp]\s*[=<]\s*(0?\.\d+)", row["quote_or_location"])
    if found and row.value and " change vs " in row["endpoint"]:
        return abs(row.value / 100.0) / NormalDist().inv_cdf(1.0 - float(found[1]) / 2.0), "P value"
    return math.nan, ""


def _standard_error(error: float, kind: str, n: int, where: str) -> float:
    if kind not in ("SD", "SE") or (kind == "SD" and n < 2):
        raise InputError("an SD needs two animals or more, and SE or SD beside it", path=f"{where}, column error_type")
    return error / math.sqrt(n) if kind == "SD" else error


def _shared(rows: list[HealingRow]) -> list[HealingRow]:
    """Widen the errors of numbers that measure one quantity of one arm on one day twice, so that they count once."""
    places = [(row.study, row.arm, row.against, row.day, row.against_day, row.quantity, row.kind) for row in rows]
    counts = [sum(str(other) == str(place) for other in places) for place in places]
    return [replace(row, sd=row.sd * math.sqrt(count)) for row, count in zip(rows, counts, strict=True)]


def _with_error(row: HealingRow, fitted: list[HealingRow]) -> HealingRow:
    if row.kind == "sign" or not math.isnan(row.sd):
        return row
    alike = [one for one in fitted if one.contrast == row.contrast and one.kind == "number"]
    # A change over time in one arm says nothing of the error of a comparison of two.
    sure = [one for one in alike if not math.isnan(one.sd) and one.arm != one.against]
    sure = [one for one in sure if one.study == row.study] or sure
    if not sure:
        raise InputError("has no usable error, and no fitted row prints one", path=f"{row.file}, row {row.line}")
    return replace(row, sd=_level(row) * median(one.sd / _level(one) for one in sure), sd_how="imputed")


def _level(row: HealingRow) -> float:
    """Level that an error is a share of: of a ratio the larger of the two groups."""
    return max(row.value, 1.0) if row.contrast == "ratio" else abs(row.value)

"""Which published row belongs to which study arm, and which rows cannot be compared, with the reason."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from osteon.errors import InputError
from osteon.evidence.arms import Cover, StudyArm, arms
from osteon.evidence.table import Printed

RECALLED = "the number is recalled, not seen"


@dataclass(frozen=True, slots=True)
class Mapped:
    """A row with its arm and the cover that claimed it."""

    row: Printed
    arm: StudyArm
    cover: Cover

    @property
    def day(self) -> float:
        """Published day [day]."""
        return self.row.time_days if self.row.time_days is not None else math.nan


@lru_cache(maxsize=1)
def rules() -> dict[str, Any]:
    """Return ``rows.toml``: digitisation noise, curve names, and what is known about single rows."""
    return tomllib.loads(Path(__file__).with_name("rows.toml").read_text(encoding="utf-8"))


def sort(rows: Iterable[Printed]) -> tuple[list[Mapped], list[tuple[Printed, str]]]:
    """Return the rows mapped to an arm, and those left out with the reason.

    Raises
    ------
    InputError
        A row belongs to no arm and to no reason, or a copy differs from the row it copies.
    """
    rows = tuple(rows)
    by_place = {_place(row, row.arm): row for row in rows}
    claims = {(cover.study, cover.arm): (arm, cover) for arm in arms().values() for cover in arm.covers}
    mapped: list[Mapped] = []
    left: list[tuple[Printed, str]] = []
    for row in rows:
        reason = RECALLED if row.how_obtained == "recalled" else _reason(row) or _copied(row, by_place)
        if reason:
            left.append((row, reason))
            continue
        claim = claims.get((row.study, row.arm))
        if claim is None or row.endpoint not in rules()["curves"]:
            column = "arm" if claim is None else "endpoint"
            message = "belongs to no study arm, and no reason to leave it out is known"
            hint = "add it to arms.toml, or a reason to rows.toml"
            raise InputError(message, path=_where(row, column), value=getattr(row, column), hint=hint)
        if row.time_days is None:
            raise InputError("is empty, and a value on a curve needs its day", path=_where(row, "time_days"))
        mapped.append(Mapped(row, *claim))
    return mapped, left


def notes(row: Printed) -> list[dict[str, Any]]:
    """Return the notes of ``rows.toml`` about a row."""
    return [note for note in rules()["note"] if _noted(note, row)]


def _noted(note: dict[str, Any], row: Printed) -> bool:
    if row.study != note["study"] or row.arm not in note["arms"] or row.endpoint not in note["endpoints"]:
        return False
    day = math.nan if row.time_days is None else row.time_days
    on_day = "days" not in note or day in note["days"]
    early = "until" not in note or day <= note["until"]
    return on_day and early and row.error_type == note.get("error_type", row.error_type)


def _reason(row: Printed) -> str:
    for rule in rules()["left_out"]:
        if all(getattr(row, column) == rule[column] for column in ("study", "arm", "endpoint") if column in rule):
            return rule["reason"]
    return ""


def _copied(row: Printed, by_place: dict[tuple[Any, ...], Printed]) -> str:
    for rule in rules()["copy"]:
        if (row.study, row.arm) != (rule["study"], rule["arm"]) or (row.time_days or 0.0) > rule.get("until", math.inf):
            continue
        twin = by_place.get(_place(row, rule["of"]))
        if twin is None or (twin.value, twin.error) != (row.value, row.error):
            message = f"differs from the same day of the arm {rule['of']}, of which it is said to be a copy"
            raise InputError(message, path=_where(row, "value"), value=row.value)
        return rule["reason"]
    return ""


def _place(row: Printed, arm: str) -> tuple[Any, ...]:
    return row.file, row.use, row.study, arm, row.endpoint, row.time_days


def _where(row: Printed, column: str) -> str:
    return f"{row.file}, row {row.line}, column {column}"

"""Every row of callus.csv: compared with which quantity of which arm, kept as a fact, or left out with the reason."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from osteon.errors import InputError, near_match
from osteon.evidence.healing.arms import parts_of
from osteon.evidence.healing.table import RECALLED, Printed

INTACT = "intact"
_MATCHED = ("endpoint", "arm", "species")


@dataclass(frozen=True, slots=True)
class Compared:
    """A printed row, one quantity it is compared with, the arm and what that is compared with.

    Attributes
    ----------
    against : str
        Key of the other arm, ``intact``, or empty for a value of the arm itself.
    against_day : float
        Day of the other value [day].
    reference : Printed or None
        The row by whose value this one is divided.
    rule : mapping
        What ``rules.toml`` says further.
    """

    row: Printed
    quantity: str
    arm: str
    against: str
    against_day: float
    reference: Printed | None
    rule: Mapping[str, Any]

    @property
    def day(self) -> float:
        """Published day [day]."""
        return self.row.number("time_days")


@dataclass(frozen=True, slots=True)
class Fact:
    """A printed number that describes a design, a material or a definition, and what it is."""

    row: Printed
    what: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A printed row that is not compared, and why."""

    row: Printed
    reason: str


@dataclass(frozen=True, slots=True)
class Sorted:
    """Rows of one table by what they are for."""

    compared: tuple[Compared, ...]
    facts: tuple[Fact, ...]
    left_out: tuple[LeftOut, ...]


@lru_cache(maxsize=1)
def rules() -> Mapping[str, Any]:
    """Return ``rules.toml``."""
    return tomllib.loads(Path(__file__).with_name("rules.toml").read_text(encoding="utf-8"))


def sort(rows: Iterable[Printed]) -> Sorted:
    """Sort rows of callus.csv; rows of one use are sorted alone, so that none depends on those of another.

    Raises
    ------
    InputError
        A row fits no rule, or the row it is to be divided by is not there.
    """
    rows = tuple(rows)
    compared: list[Compared] = []
    facts: list[Fact] = []
    left: list[LeftOut] = []
    for row in rows:
        rule = {"left_out": RECALLED} if row.recalled else _rule(row)
        if "left_out" in rule:
            left.append(LeftOut(row, rule["left_out"]))
        elif "fact" in rule:
            facts.append(Fact(row, rule["fact"]))
        else:
            compared += _compared(row, rule, rows)
    return Sorted(tuple(compared), tuple(facts), tuple(left))


def _rule(row: Printed) -> Mapping[str, Any]:
    people = rules()["people"]
    if row.study in people["studies"]:
        return {"left_out": people["reason"]}
    known = rules()["studies"]
    if row.study not in known:
        hint = near_match(row.study, known) or "add it to rules.toml"
        raise InputError("no rule sorts this study", path=f"{row.where}, column study", value=row.study, hint=hint)
    for rule in known[row.study]["rules"]:
        if _fits(rule, row):
            return rule
    hint = "add it to rules.toml"
    raise InputError("no rule sorts this row", path=f"{row.where}, column endpoint", value=row["endpoint"], hint=hint)


def _fits(rule: Mapping[str, Any], row: Printed) -> bool:
    if "day" in rule and row.number("time_days") != rule["day"]:
        return False
    return all(row[column] in _several(rule[column]) for column in _MATCHED if column in rule)


def _several(given: Any) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _compared(row: Printed, rule: Mapping[str, Any], rows: tuple[Printed, ...]) -> list[Compared]:
    arms = rules()["studies"][row.study].get("arms", {})
    if row["arm"] not in arms:
        hint = near_match(row["arm"], arms) or "add it to rules.toml"
        raise InputError("is not a known arm", path=f"{row.where}, column arm", value=row["arm"], hint=hint)
    arm, against = arms[row["arm"]]
    day, reference = row.number("time_days"), None
    if "since" in rule:
        against, day = arm, float(rule["since"])
    if "over" in rule:
        reference = _reference(row, rule["over"], rows)
        day = reference.number("time_days")
        against = against or arm
    for key in {arm, against} - {"", INTACT}:
        parts_of(key)
    return [Compared(row, name, arm, against, day, reference, rule) for name in _several(rule["quantity"])]


def _reference(row: Printed, over: Mapping[str, Any], rows: tuple[Printed, ...]) -> Printed:
    for other in rows:
        same = other.study == row.study and other["endpoint"] == row["endpoint"]
        if same and other["arm"] == over["arm"] and other.number("time_days") == over["day"]:
            return other
    message = f"the row of {over['arm']} on day {over['day']} it is compared with is missing among rows of its use"
    raise InputError(message, path=f"{row.where}, column arm", value=row["arm"])

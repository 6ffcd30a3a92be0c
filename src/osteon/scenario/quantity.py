"""The kinds of values a scenario is made of, each with its unit and range in this one place.

Every kind is a pydantic type: it reads what a person wrote, stores a bare number in the internal unit, writes it
back as text that reads to the same number, and describes itself in the JSON schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from osteon.errors import InputError, UnitError, near_match, show
from osteon.scenario.base import guarded, refuse
from osteon.units import EXAMPLES, format_quantity, split_quantity, to_internal

NUMBER_PATTERN = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
QUANTITY_PATTERN = rf"^\s*{NUMBER_PATTERN}\s*[A-Za-zµμ%/].*$"
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Range:
    """Allowed values in a unit; ``above`` leaves ``low`` itself out, ``below`` leaves ``high`` out.

    `bounds` are the limits as people write them, where that reads better than in `unit`.
    """

    low: float
    high: float
    unit: str
    above: bool = False
    below: bool = False
    bounds: tuple[str, str] | None = None

    def __contains__(self, value: float) -> bool:
        edge = (self.above and value == self.low) or (self.below and value == self.high)
        return self.low <= value <= self.high and not edge

    def __str__(self) -> str:
        low, high = self.bounds or (format_quantity(value, self.unit) for value in (self.low, self.high))
        if self.above:
            return f"above {low} and up to {high}"
        return f"{low} to below {high}" if self.below else f"{low} to {high}"


#: Ranges that hold for every species; weights, ages and gaps by species are in ``catalogue.toml``.
RANGES = {
    "strain": Range(0, 1, "%"),
    "share": Range(0, 1, "1"),
    "share_above_zero": Range(0, 1, "1", above=True),
    "share_below_one": Range(0, 1, "1", below=True),
    "amount": Range(0, 1000, "mg"),
    "amount_per_weight": Range(0, 100, "mg/kg"),
    "start": Range(-60 * DAYS_PER_YEAR, 30 * DAYS_PER_YEAR, "day", bounds=("-60 yr", "30 yr")),
    "every": Range(0, 30 * DAYS_PER_YEAR, "day", above=True, bounds=("0 days", "30 yr")),
    "count": Range(1, 2000, "1"),
    "horizon": Range(1, 30 * DAYS_PER_YEAR, "day", bounds=("1 day", "30 yr")),
    "seed": Range(0, 2**32 - 1, "1"),
    "gfr": Range(0, 200, "mL/min"),
    "vitamin_d": Range(5, 250, "nmol/L"),
}
MOST_EVENTS = 5000
MOST_ARMS = 100
LONGEST_NAME = 60
LONGEST_TITLE = 200


def check_range(value: float, allowed: Range, given: Any, whom: str = "") -> float:
    """Return the value; raises `InputError` that states the allowed range."""
    if value in allowed:
        return value
    raise InputError(f"{show(given)} is outside the allowed range of {allowed}{whom}", value=given)


def _quantity(unit: str, allowed: Range | None = None) -> tuple[Any, ...]:
    """Return validator, serialiser and schema of a quantity in `unit`; ``%`` is stored as a fraction."""
    internal = "1" if unit == "%" else unit

    def read(given: Any) -> float:
        if unit == "%" and not isinstance(given, str):
            raise UnitError(f"{show(given)} has no unit", value=given, hint='write it like "10 %"')
        try:
            value = to_internal(given, internal)
        except UnitError as error:
            raise UnitError(error.message, value=given, hint=f'write it like "{EXAMPLES[unit]}"') from None
        return check_range(value, allowed, given) if allowed else value

    def write(value: float) -> str:
        return format_quantity(value, unit)

    schema: dict[str, Any] = {"type": "string", "pattern": QUANTITY_PATTERN, "x-unit": unit}
    if allowed:
        scale = 100 if unit == "%" else 1
        schema |= {"x-minimum": allowed.low * scale, "x-maximum": allowed.high * scale}
    schema["examples"] = [EXAMPLES[unit]]
    return PlainValidator(guarded(read)), PlainSerializer(write), WithJsonSchema(schema)


def _share(allowed: Range) -> tuple[Any, ...]:
    """Return the parts of a plain share, written as 0.02 or "2 %"."""

    def read(given: Any) -> float:
        try:
            value = to_internal(given, "1")
        except UnitError as error:
            raise UnitError(error.message, value=given, hint='write it like "0.02" or "2 %"') from None
        return check_range(value, allowed, given)

    low = "exclusiveMinimum" if allowed.above else "minimum"
    high = "exclusiveMaximum" if allowed.below else "maximum"
    number = {"type": "number", low: allowed.low, high: allowed.high}
    text = {"type": "string", "pattern": rf"^\s*{NUMBER_PATTERN}\s*%?\s*$"}
    return PlainValidator(guarded(read)), WithJsonSchema({"anyOf": [number, text], "x-unit": "1", "examples": [0.02]})


def _whole(allowed: Range) -> tuple[Any, ...]:
    def read(given: Any) -> int:
        if isinstance(given, bool) or not isinstance(given, int):
            raise InputError(f"{show(given)} is not a whole number from {allowed}", value=given)
        return int(check_range(given, allowed, given))

    schema = {"type": "integer", "minimum": int(allowed.low), "maximum": int(allowed.high)}
    return PlainValidator(guarded(read)), WithJsonSchema(schema)


def _text(longest: int) -> tuple[Any, ...]:
    def read(given: Any) -> str:
        if not isinstance(given, str):
            raise InputError(f"{show(given)} is not text", value=given, hint="put it in quotes")
        text = given.strip()
        if not text:
            raise InputError(f"is empty, and needs 1 to {longest} characters", value=given)
        if len(text) > longest:
            raise InputError(f"has {len(text)} characters, and at most {longest} are allowed", value=given)
        if not text.isprintable():
            raise InputError(f"{show(given)} has a control character or a line break", value=given)
        return text

    schema = {"type": "string", "minLength": 1, "maxLength": longest}
    return PlainValidator(guarded(read)), WithJsonSchema(schema)


def _flag() -> tuple[Any, ...]:
    words = {"yes": True, "no": False}

    def read(given: Any) -> bool:
        value = words.get(given.lower()) if isinstance(given, str) else given
        if not isinstance(value, bool):
            raise InputError(f"{show(given)} is neither true nor false", value=given)
        return value

    return PlainValidator(guarded(read)), WithJsonSchema({"type": "boolean"})


def choice(what: str, entries: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the parts of a choice among the keys of `entries`, whose values carry ``title_en`` and ``title_zh``."""

    def read(given: Any) -> str:
        if isinstance(given, str) and given in entries:
            return given
        guess = near_match(given, entries) if isinstance(given, str) else ""
        raise refuse(f"{show(given)} is not a known {what} (allowed: {', '.join(entries)})", given, hint=guess)

    titles = [{"value": key, "title": entry.title_en, "title-zh": entry.title_zh} for key, entry in entries.items()]
    schema = {"type": "string", "enum": list(entries), "x-choices": titles}
    return PlainValidator(read), WithJsonSchema(schema)


def listing(what: str, most: int) -> Callable[[Any], Any]:
    """Return a validator that wants a list of at most `most` records."""

    def read(given: Any) -> Any:
        if not isinstance(given, list | tuple):
            raise refuse(f"{show(given)} is not a list", given, hint=f"write a list of {what}, or [] for none")
        if len(given) > most:
            raise refuse(f"has {len(given)} entries, and at most {most} are allowed", len(given))
        return given

    return read


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of drug, in mg or, with ``per_weight``, in mg per kg of body weight."""

    value: float
    per_weight: bool = False

    def in_mg(self, weight: float) -> float:
        """Return the amount [mg] for a body weight [kg]."""
        return self.value * weight if self.per_weight else self.value

    def __str__(self) -> str:
        return format_quantity(self.value, "mg/kg" if self.per_weight else "mg")


def read_amount(given: Any) -> Amount:
    """Return an amount from ``"60 mg"`` or ``"10 mg/kg"``; raises `InputError`."""
    if isinstance(given, Amount):
        return Amount(check_range(given.value, _amount_range(given.per_weight), str(given)), given.per_weight)
    try:
        number, unit = split_quantity(given, "mg")
        per_weight = unit.replace(" ", "").endswith("/kg")
        value = to_internal(f"{number} {unit.rstrip()[:-2].rstrip()[:-1]}" if per_weight else given, "mg")
    except UnitError as error:
        message = error.message if show(given) in error.message else f"{show(given)} cannot be turned into mg"
        raise UnitError(message, value=given, hint='write it like "60 mg" or "10 mg/kg"') from None
    return Amount(check_range(value, _amount_range(per_weight), given), per_weight)


def _amount_range(per_weight: bool) -> Range:
    return RANGES["amount_per_weight" if per_weight else "amount"]


_AMOUNT_SCHEMA = {
    "type": "string",
    "pattern": QUANTITY_PATTERN,
    "x-unit": "mg",
    "x-units": ["mg", "mg/kg"],
    "x-minimum": RANGES["amount"].low,
    "x-maximum": RANGES["amount"].high,
    "examples": ["60 mg", "10 mg/kg"],
}

Age = Annotated[float, *_quantity("yr")]
Weight = Annotated[float, *_quantity("kg")]
Length = Annotated[float, *_quantity("mm")]
Strain = Annotated[float, *_quantity("%", RANGES["strain"])]
FiltrationRate = Annotated[float, *_quantity("mL/min", RANGES["gfr"])]
VitaminD = Annotated[float, *_quantity("nmol/L", RANGES["vitamin_d"])]
Start = Annotated[float, *_quantity("day", RANGES["start"])]
Interval = Annotated[float, *_quantity("day", RANGES["every"])]
Horizon = Annotated[float, *_quantity("day", RANGES["horizon"])]
Share = Annotated[float, *_share(RANGES["share"])]
ShareBelowOne = Annotated[float, *_share(RANGES["share_below_one"])]
ShareAboveZero = Annotated[float, *_share(RANGES["share_above_zero"])]
DoseAmount = Annotated[
    Amount, PlainValidator(guarded(read_amount)), PlainSerializer(str), WithJsonSchema(_AMOUNT_SCHEMA)
]
Count = Annotated[int, *_whole(RANGES["count"])]
Seed = Annotated[int, *_whole(RANGES["seed"])]
Name = Annotated[str, *_text(LONGEST_NAME)]
Title = Annotated[str, *_text(LONGEST_TITLE)]
Flag = Annotated[bool, *_flag()]

"""The kinds of values a study has beside those of a scenario, each with its unit and range in this one place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any, Optional

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema, create_model, model_validator
from pydantic_core import PydanticCustomError

from osteon.errors import InputError, UnitError, show
from osteon.scenario.base import Model, guarded, join_path, refuse
from osteon.scenario.quantity import DAYS_PER_YEAR, QUANTITY_PATTERN, Range, check_range
from osteon.units import format_quantity, to_internal

MOST_PATIENTS = 1_000_000
MOST_ENDPOINTS = 40
MOST_RULES = 40
MOST_VISITS = 400
MOST_DRAWS = 10_000


@contextmanager
def within(*where: str) -> Iterator[None]:
    """Put the place of a part before the path of what is refused in it."""
    try:
        yield
    except PydanticCustomError as error:
        told = dict(error.context or {})
        raise PydanticCustomError("osteon", "{message}", {**told, "path": join_path(*where, told["path"])}) from None


def record(name: str, base: type, doc: str, **fields: Any) -> Any:
    """A kind of record made from its fields, each a pair of its type and how it is described."""
    make: Any = create_model
    return make(name, __base__=base, __doc__=doc, **fields)


class Goal(Model):
    """Mean, and perhaps standard deviation, of a number among those enrolled."""

    mean: float
    sd: float | None = None

    @model_validator(mode="after")
    def _has_a_width(self) -> Goal:
        if self.sd is not None and self.sd <= 0:
            raise refuse("is not above 0", self.sd, path="sd", hint="leave it out, or write what the table says")
        return self


def maybe(kind: Any) -> Any:
    """The kind of a field that may be left out."""
    return Optional[kind]  # noqa: UP045


def _quantity(unit: str, allowed: Range, example: str) -> tuple[Any, ...]:
    """Validator, serialiser and schema of a quantity, which is stored as a bare number in `unit`."""
    written = {"1/yr": "%/yr", "1/day": "/day"}.get(unit, unit)

    def read(given: Any) -> float:
        try:
            value = to_internal(given, unit)
        except UnitError as error:
            raise UnitError(error.message, value=given, hint=f'write it like "{example}"') from None
        return check_range(value, allowed, given)

    def write(value: float) -> str:
        if unit == "1/yr":
            return f"{format_quantity(value, '%')}/yr"
        return format_quantity(value, written)

    schema = {"type": "string", "pattern": QUANTITY_PATTERN, "x-unit": written, "examples": [example]}
    scale = 100 if unit == "1/yr" else 1
    schema |= {"x-minimum": allowed.low * scale, "x-maximum": allowed.high * scale}
    return PlainValidator(guarded(read)), PlainSerializer(write), _schema(schema)


def _number(allowed: Range, example: float) -> tuple[Any, ...]:
    """Parts of a plain number without a unit."""

    def read(given: Any) -> float:
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise InputError(f"{show(given)} is not a plain number from {allowed}", value=given)
        if allowed.above and allowed.below and float(given) not in allowed:
            ends = f"above {allowed.low:g} and below {allowed.high:g}"
            raise InputError(f"{show(given)} is outside the allowed range of {ends}", value=given)
        return check_range(float(given), allowed, given)

    low = "exclusiveMinimum" if allowed.above else "minimum"
    high = "exclusiveMaximum" if allowed.below else "maximum"
    return PlainValidator(guarded(read)), _schema(
        {"type": "number", low: allowed.low, high: allowed.high, "examples": [example]}
    )


def _whole(allowed: Range) -> tuple[Any, ...]:
    def read(given: Any) -> int:
        if isinstance(given, bool) or not isinstance(given, int):
            raise InputError(f"{show(given)} is not a whole number from {allowed}", value=given)
        return int(check_range(given, allowed, given))

    return PlainValidator(guarded(read)), _schema(
        {"type": "integer", "minimum": int(allowed.low), "maximum": int(allowed.high)}
    )


def _schema(schema: Mapping[str, Any]) -> WithJsonSchema:
    return WithJsonSchema(dict(schema))


def _draws(given: Any) -> int | bool:
    """Whether patients have draws of the posterior, or among how many of them they are shared."""
    if isinstance(given, bool):
        return given
    if not isinstance(given, int) or not 1 <= given <= MOST_DRAWS:
        raise InputError(f"{show(given)} is neither true nor false nor a number of draws from 1 to {MOST_DRAWS}")
    return given


def _spread(given: Any) -> str | dict[str, float] | None:
    """``none``, coefficients of variation by key, or nothing for those that osteon ships."""
    if given is None or given == "none":
        return given
    if isinstance(given, str) or not isinstance(given, Mapping):
        raise InputError(f'{show(given)} is neither "none" nor a mapping', hint="write for example healing.clock: 0.3")
    return {str(key): _coefficient(value, str(key)) for key, value in given.items()}


def _coefficient(value: Any, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 2:
        raise InputError(f"{show(value)} is not a coefficient of variation from 0 to 2", path=f'["{key}"]', value=value)
    return float(value)


_LONGEST = 30 * DAYS_PER_YEAR
#: Hazard per year of leaving, dying or stopping a drug.
Rate = Annotated[float, *_quantity("1/yr", Range(0, 100, "1/yr", bounds=("0 %/yr", "10000 %/yr")), "10 %/yr")]
#: People per day.
AccrualRate = Annotated[
    float, *_quantity("1/day", Range(0, 10_000, "1/day", above=True, bounds=("0 /day", "10000 /day")), "10 /month")
]
#: A time from 0 on, of windows, delays and days of endpoints.
Time = Annotated[float, *_quantity("day", Range(0, _LONGEST, "day", bounds=("0 days", "30 yr")), "6 weeks")]
#: A time above 0.
Duration = Annotated[
    float, *_quantity("day", Range(0, _LONGEST, "day", above=True, bounds=("0 days", "30 yr")), "12 months")
]
Patients = Annotated[int, *_whole(Range(1, MOST_PATIENTS, "1"))]
Parts = Annotated[int, *_whole(Range(1, 20, "1"))]
Readers = Annotated[int, *_whole(Range(1, 2, "1"))]
Correlated = Annotated[float, *_number(Range(-0.99, 0.99, "1"), 0.3)]
Excess = Annotated[float, *_number(Range(0, 100, "1"), 2.5)]
TimeRatio = Annotated[float, *_number(Range(0.1, 10, "1"), 0.8)]
Level = Annotated[float, *_number(Range(0.5, 1, "1", above=True, below=True), 0.95)]
Alpha = Annotated[float, *_number(Range(0, 0.5, "1", above=True), 0.05)]
DrawCount = Annotated[
    int | bool,
    PlainValidator(guarded(_draws)),
    _schema({"anyOf": [{"type": "boolean"}, {"type": "integer", "minimum": 1, "maximum": MOST_DRAWS}]}),
]
Spread = Annotated[
    dict[str, float] | str | None,
    PlainValidator(guarded(_spread)),
    _schema(
        {
            "anyOf": [
                {"type": "null"},
                {"type": "string", "enum": ["none"]},
                {"type": "object", "additionalProperties": {"type": "number", "minimum": 0, "maximum": 2}},
            ]
        }
    ),
]

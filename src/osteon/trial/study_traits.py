"""How one trait differs between the people of a study: a distribution, and what a table of the trial says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema, model_validator

from osteon.errors import InputError, near_match, show
from osteon.scenario import catalogue
from osteon.scenario.base import Model, described, guarded, refuse
from osteon.scenario.quantity import RANGES, Age, FiltrationRate, Flag, Range, Share, VitaminD, Weight, choice
from osteon.trial.study_fields import Goal, maybe, record
from osteon.trial.study_words import words
from osteon.units import format_quantity, to_internal

#: Unit of the traits that are numbers.
UNITS = {"age": "yr", "weight": "kg", "gfr": "mL/min", "vitamin_d": "nmol/L"}
#: Traits that are one of several words, in the order a correlation takes them.
CHOICES = {"sex": catalogue.sexes, "diabetes": catalogue.diabetes}
FLAGS = ("osteoporosis", "smoking", "obesity", "nsaid", "open", "displaced")
#: Where a distribution of people is cut if nothing else is written; assumed, and wider than any trial.
_PEOPLE = {"age": (16.0, 105.0), "weight": (35.0, 200.0), "gfr": (5.0, 150.0), "vitamin_d": (5.0, 250.0)}
_PARTS = {"normal": ("mean", "sd"), "lognormal": ("mean", "sd"), "uniform": ("low", "high"), "fixed": ("value",)}
_CUT = {"normal": ("low", "high"), "lognormal": ("low", "high")}
_LEAST = 1e-3  # least share of a distribution that its limits must leave
_SUM = 1e-6


def limits(trait: str, species: str) -> tuple[float, float]:
    """Where the distribution of a number is cut where a study says nothing, in the unit of `UNITS`."""
    return _PEOPLE[trait] if species == "human" else allowed(trait, species)


def allowed(trait: str, species: str) -> tuple[float, float]:
    """Lowest and highest value of a number that a patient may have, in the unit of `UNITS`."""
    if trait in ("gfr", "vitamin_d"):
        return RANGES[trait].low, RANGES[trait].high
    entry = getattr(catalogue.species()[species], trait)
    return entry.low, entry.high


def read_value(trait: str, given: Any) -> float | str | bool:
    """A value of a trait as a person writes it; raises `InputError`."""
    if trait in UNITS:
        return to_internal(given, UNITS[trait])
    if trait in CHOICES:
        known = CHOICES[trait]()
        if not isinstance(given, str) or given not in known:
            hint = near_match(given, known) if isinstance(given, str) else ""
            raise InputError(f"{show(given)} is not a known {trait} (allowed: {', '.join(known)})", hint=hint)
        return given
    value = {"yes": True, "no": False}.get(given.lower()) if isinstance(given, str) else given
    if not isinstance(value, bool):
        raise InputError(f"{show(given)} is neither true nor false", value=given)
    return value


def write_value(trait: str, value: Any) -> Any:
    """A value of a trait as it is written in a file."""
    return format_quantity(value, UNITS[trait]) if trait in UNITS else value


class Numeric(Model):
    """Distribution of a trait that is a number; it is cut at its limits, not heaped up there."""

    trait: ClassVar[str] = ""
    kind: str
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    value: float | None = None

    @model_validator(mode="after")
    def _parts_fit_the_kind(self) -> Numeric:
        needed, cut = _PARTS[self.kind], _CUT.get(self.kind, ())
        for name in ("mean", "sd", "low", "high", "value"):
            given = getattr(self, name)
            if given is None and name in needed:
                raise refuse(f"is missing for a {self.kind} distribution", path=name)
            if given is not None and name not in (*needed, *cut):
                hint = f"write {' and '.join(needed)}"
                raise refuse(f"does not belong to a {self.kind} distribution", self._told(given), path=name, hint=hint)
        if self.sd is not None and self.sd <= 0:
            raise refuse(f"{show(self._told(self.sd))} is not above 0", self.sd, path="sd")
        if self.kind == "lognormal" and (self.mean or 0) <= 0:
            raise refuse(f"{show(self._told(self.mean))} is not above 0", self.mean, path="mean")
        if self.low is not None and self.high is not None and self.low >= self.high:
            message = f"{show(self._told(self.high))} is not above low, {self._told(self.low)}"
            raise refuse(message, self.high, path="high")
        return self

    def _told(self, value: float | None) -> str:
        return "" if value is None else format_quantity(value, UNITS[self.trait])

    def bounds(self, species: str) -> tuple[float, float]:
        """Where the distribution is cut, in the unit of the trait."""
        low, high = limits(self.trait, species)
        return (low if self.low is None else self.low), (high if self.high is None else self.high)

    def check(self, species: str) -> None:
        """Refuse what lies outside what the species may have, or leaves nothing between the limits."""
        least, most = allowed(self.trait, species)
        for name in ("value", "low", "high"):
            given = getattr(self, name)
            if given is not None and not least <= given <= most:
                unit = UNITS[self.trait]
                within = Range(least, most, unit)
                raise refuse(f"{show(self._told(given))} is outside the allowed range of {within}", given, path=name)
        if self.kind in _CUT and self.kept(species) < _LEAST:
            low, high = (self._told(bound) for bound in self.bounds(species))
            message = f"{show(self._told(self.mean))} leaves almost nobody between {low} and {high}"
            raise refuse(message, self.mean, path="mean", hint="move the mean, or write low and high")

    def kept(self, species: str) -> float:
        """Share of a normal or log-normal distribution between its limits."""
        from statistics import NormalDist

        middle, spread = self.around()
        low, high = (self.scaled(bound) for bound in self.bounds(species))
        standard = NormalDist()
        return standard.cdf((high - middle) / spread) - standard.cdf((low - middle) / spread)

    def around(self) -> tuple[float, float]:
        """Mean and standard deviation of a normal distribution, or of the logarithm of a log-normal one."""
        import math

        mean, sd = self.mean or 0.0, self.sd or 0.0
        if self.kind != "lognormal":
            return mean, sd
        variance = math.log1p((sd / mean) ** 2)
        return math.log(mean) - variance / 2, math.sqrt(variance)

    def scaled(self, value: float) -> float:
        """A value on the scale on which the distribution is normal."""
        import math

        return value if self.kind != "lognormal" else (math.log(value) if value > 0 else -math.inf)


class Choice(Model):
    """Distribution of a trait that is one of several words."""

    trait: ClassVar[str] = ""
    kind: str
    shares: dict[str, float] | None = None
    value: str | None = None

    @model_validator(mode="after")
    def _parts_fit_the_kind(self) -> Choice:
        _one_of(self, {"choice": "shares", "fixed": "value"})
        if self.shares is not None and abs(sum(self.shares.values()) - 1) > _SUM:
            total = sum(self.shares.values())
            raise refuse(f"add up to {total:.6g}, and must add up to 1", total, path="shares")
        return self


class Flagged(Model):
    """Distribution of a trait that people have or have not."""

    kind: Annotated[str, *choice("distribution", {key: words("distributions")[key] for key in ("share", "fixed")})] = (
        described("Distribution", "分布", "How the trait differs between people.", examples=["share"])
    )
    share: Share | None = described(
        "Share", "比例", "Share of the people who have the trait.", default=None, examples=[0.3]
    )
    value: Flag | None = described("Value", "取值", "What holds for all.", default=None)

    @model_validator(mode="after")
    def _parts_fit_the_kind(self) -> Flagged:
        _one_of(self, {"share": "share", "fixed": "value"})
        return self


def _one_of(record: Any, parts: Mapping[str, str]) -> None:
    """Refuse a record that lacks the part of its kind, or has that of another."""
    for kind, name in parts.items():
        given = getattr(record, name)
        if kind == record.kind and given is None:
            raise refuse(f"is missing for a {kind} distribution", path=name)
        if kind != record.kind and given is not None:
            raise refuse(f"does not belong to a {record.kind} distribution", given, path=name)


def _shares(trait: str, whole: bool) -> Any:
    """Kind of shares by word; `whole` where they are all of them, else one alone must lie within 0 and 1."""

    def read(given: Any) -> dict[str, float]:
        known = CHOICES[trait]()
        if not isinstance(given, Mapping) or not given:
            raise InputError(
                f"{show(given)} is not a mapping of shares", value=given, hint=f"name some of {list(known)}"
            )
        found = {}
        for key, value in given.items():
            if key not in known:
                message = f"is not a known {trait} (allowed: {', '.join(known)})"
                raise InputError(message, path=str(key), value=key, hint=near_match(key, known))
            try:
                share = to_internal(value, "1")
            except InputError as error:
                raise error.at(str(key)) from None
            inside = 0 <= share <= 1 if whole else 0 < share < 1
            if not inside:
                between = "from 0 to 1" if whole else "between 0 and 1"
                raise InputError(f"{show(value)} is not a share {between}", path=str(key), value=value)
            found[key] = share
        return {key: found[key] for key in known if key in found}

    number = {"type": "number", "minimum": 0, "maximum": 1}
    schema = {
        "type": "object",
        "properties": {key: {"anyOf": [number, {"type": "string"}]} for key in CHOICES[trait]()},
        "additionalProperties": False,
        "x-choices": [
            {"value": key, "title": one.title_en, "title-zh": one.title_zh} for key, one in CHOICES[trait]().items()
        ],
    }
    return Annotated[dict[str, float], PlainValidator(guarded(read)), WithJsonSchema(schema)]


def _inner_share(given: Any) -> float:
    value = to_internal(given, "1")
    if not 0 < value < 1:
        hint = "for all or none of them, write a rule"
        raise InputError(f"{show(given)} is not a share between 0 and 1", value=given, hint=hint)
    return value


#: A share that weighting can reach: neither 0 nor 1.
InnerShare = Annotated[
    float,
    PlainValidator(guarded(_inner_share)),
    WithJsonSchema({"anyOf": [{"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, {"type": "string"}]}),
]


def _distribution(trait: str, kind: Any, example: str) -> Any:
    """Record of the distribution of a number, in its own unit."""
    names = {key: words("distributions")[key] for key in _PARTS}
    unit = f"[{UNITS[trait]}]"
    parts: dict[str, Any] = {
        "kind": (
            Annotated[str, *choice("distribution", names)],
            described("Distribution", "分布", "How the trait differs between people.", examples=["normal"]),
        ),
        "mean": (maybe(kind), described("Mean", "均值", "Mean before the limits.", default=None, examples=[example])),
        "sd": (maybe(kind), described("SD", "标准差", "Standard deviation before the limits.", default=None)),
        "low": (maybe(kind), described("Lowest", "下限", "Lowest value.", default=None)),
        "high": (maybe(kind), described("Highest", "上限", "Highest value.", default=None)),
        "value": (maybe(kind), described("Value", "取值", "What holds for all.", default=None)),
    }
    name = f"{trait.title().replace('_', '')}Distribution"
    made = record(name, Numeric, f"Distribution of {trait} {unit}.", **parts)
    made.trait = trait
    return made


def _choice_distribution(trait: str) -> Any:
    names = {key: words("distributions")[key] for key in ("choice", "fixed")}
    parts: dict[str, Any] = {
        "kind": (
            Annotated[str, *choice("distribution", names)],
            described("Distribution", "分布", "How the trait differs between people.", examples=["choice"]),
        ),
        "shares": (maybe(_shares(trait, True)), described("Shares", "比例", "Share of each choice.", default=None)),
        "value": (
            maybe(Annotated[str, *choice(trait, CHOICES[trait]())]),
            described("Value", "取值", "What holds for all.", default=None),
        ),
    }
    made = record(f"{trait.title()}Distribution", Choice, f"Distribution of {trait}.", **parts)
    made.trait = trait
    return made


def _goal(trait: str, kind: Any, example: str) -> Any:
    parts: dict[str, Any] = {
        "mean": (kind, described("Mean", "均值", "Mean of those enrolled.", examples=[example])),
        "sd": (maybe(kind), described("SD", "标准差", "Standard deviation of those enrolled.", default=None)),
    }
    name = f"{trait.title().replace('_', '')}Target"
    return record(name, Goal, f"What a table of the trial says of {trait}.", **parts)


AgeDistribution = _distribution("age", Age, "65 yr")
WeightDistribution = _distribution("weight", Weight, "70 kg")
GfrDistribution = _distribution("gfr", FiltrationRate, "70 mL/min")
VitaminDDistribution = _distribution("vitamin_d", VitaminD, "50 nmol/L")
SexDistribution = _choice_distribution("sex")
DiabetesDistribution = _choice_distribution("diabetes")
AgeTarget = _goal("age", Age, "65 yr")
WeightTarget = _goal("weight", Weight, "70 kg")
GfrTarget = _goal("gfr", FiltrationRate, "70 mL/min")
VitaminDTarget = _goal("vitamin_d", VitaminD, "50 nmol/L")
SexShares, DiabetesShares = _shares("sex", False), _shares("diabetes", False)


def _raw_value(given: Any, info: ValidationInfo) -> Any:
    """A value in the terms of the trait of its rule; the trait itself is refused elsewhere."""
    trait = info.data.get("trait")
    return given if trait is None or given is None else guarded(lambda one: read_value(trait, one))(given)


#: Value of any trait: a quantity with its unit, a word, or true or false.
TraitValue = Annotated[
    Any,
    PlainValidator(_raw_value),
    PlainSerializer(lambda value: value),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "boolean"}, {"type": "null"}]}),
]

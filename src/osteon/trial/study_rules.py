"""Rules of a population: who is let in, and which traits go together."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema, field_serializer, model_validator

from osteon.errors import InputError, near_match, show
from osteon.scenario.base import Model, described, guarded, refuse
from osteon.scenario.quantity import choice
from osteon.trial.study_fields import Correlated, record
from osteon.trial.study_traits import UNITS, TraitValue, write_value
from osteon.trial.study_words import words

TRAITS = words("traits")
_Trait = Annotated[str, *choice("trait", TRAITS)]


def _pair(given: Any) -> tuple[str, str]:
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise InputError(f"{show(given)} is not a pair of traits", value=given, hint="write for example [age, gfr]")
    for place, name in enumerate(given):
        if not isinstance(name, str) or name not in TRAITS:
            allowed = ", ".join(TRAITS)
            hint = near_match(name, TRAITS)
            raise InputError(f"{show(name)} is not a known trait (allowed: {allowed})", path=f"[{place}]", hint=hint)
    if given[0] == given[1]:
        raise InputError(f"{show(given[0])} cannot be correlated with itself", value=given[0])
    return given[0], given[1]


_PAIR_SCHEMA = {"type": "array", "items": {"type": "string", "enum": list(TRAITS)}, "minItems": 2, "maxItems": 2}


class Correlation(Model):
    """Correlation of the normal numbers behind two traits (Gaussian copula)."""

    traits: Annotated[
        tuple[str, str],
        PlainValidator(guarded(_pair)),
        PlainSerializer(lambda pair: list(pair)),
        WithJsonSchema(_PAIR_SCHEMA),
    ] = described("Traits", "特征", "The two traits that go together.", examples=[["age", "gfr"]])
    rho: Correlated = described("Correlation", "相关系数", "From -0.99 to 0.99.", examples=[-0.4])


class _Rule(Model):
    """Who is let in: a bound, a value, or a value that is not allowed."""

    trait: _Trait = described("Trait", "特征", "What the rule looks at.", examples=["age"])
    at_least: TraitValue = described("At least", "不低于", "Lowest value let in.", default=None, examples=["50 yr"])
    at_most: TraitValue = described("At most", "不高于", "Highest value let in.", default=None, examples=["85 yr"])

    @field_serializer("at_least", "at_most", "is", "not", check_fields=False)
    def _written(self, value: Any) -> Any:
        return None if value is None else write_value(self.trait, value)

    @model_validator(mode="after")
    def _asks_for_something(self) -> _Rule:
        number = self.trait in UNITS
        mine, others = (("at_least", "at_most"), ("is", "not")) if number else (("is", "not"), ("at_least", "at_most"))
        wrong = next((name for name in others if getattr(self, name) is not None), None)
        if wrong:
            what = "a number" if number else "no number"
            raise refuse(f"does not fit {self.trait}, which is {what}", path=wrong, hint=f"use {' or '.join(mine)}")
        given = [getattr(self, name) for name in mine]
        if all(one is None for one in given):
            raise refuse("asks for nothing", hint=f"write {' or '.join(mine)}")
        if number and None not in given and given[0] > given[1]:
            raise refuse(f"{show(self._written(given[1]))} is below at_least", given[1], path="at_most")
        if not number and None not in given:
            raise refuse("stands beside is, and one of them is enough", given[1], path="not")
        return self

    def passes(self, values: Any) -> Any:
        """Whether each of `values` is let in, shape (people,)."""
        wanted, unwanted = getattr(self, "is"), getattr(self, "not")
        if wanted is not None:
            return values == wanted
        if unwanted is not None:
            return values != unwanted
        inside = values == values
        if self.at_least is not None:
            inside &= values >= self.at_least
        return inside if self.at_most is None else inside & (values <= self.at_most)

    @property
    def reason(self) -> str:
        """Why somebody is kept out, such as ``age < 50 yr``; the same words in every language."""
        signs = {"at_least": "<", "at_most": ">", "is": "≠", "not": "="}
        parts = [
            f"{self.trait} {sign} {_plain(self._written(getattr(self, name)))}"
            for name, sign in signs.items()
            if getattr(self, name) is not None
        ]
        return ", ".join(parts)


#: A rule of inclusion; its keys are words that Python keeps for itself, so it is made by name.
Rule = record(
    "Rule",
    _Rule,
    "Who is let in: a bound, a value, or a value that is not allowed.",
    **{
        "is": (TraitValue, described("Is", "等于", "The value let in.", default=None, examples=["female"])),
        "not": (TraitValue, described("Is not", "不等于", "A value kept out.", default=None, examples=["type1"])),
    },
)


def _plain(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)

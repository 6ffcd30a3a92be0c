"""The people of a study: how they differ, who is let in, and how model parameters vary between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, field_validator, model_validator

from osteon.errors import show
from osteon.model.person import MEMBERS
from osteon.scenario import Fracture, Patient
from osteon.scenario.base import Model, described, refuse
from osteon.scenario.catalogue import Entry
from osteon.scenario.quantity import choice, listing
from osteon.trial.study_fields import MOST_RULES, DrawCount, Spread, maybe, record, within
from osteon.trial.study_rules import TRAITS, Correlation, Rule
from osteon.trial.study_traits import (
    FLAGS,
    AgeDistribution,
    AgeTarget,
    DiabetesDistribution,
    DiabetesShares,
    Flagged,
    GfrDistribution,
    GfrTarget,
    InnerShare,
    SexDistribution,
    SexShares,
    VitaminDDistribution,
    VitaminDTarget,
    WeightDistribution,
    WeightTarget,
)

_Member = Annotated[str, *choice("ensemble member", {name: Entry(name, name, name) for name in MEMBERS})]


def _field(trait: str, what: str, **more: Any) -> Any:
    return described(TRAITS[trait].title_en.capitalize(), TRAITS[trait].title_zh, what, default=None, **more)


_HOW = "How it differs between people; left out, all are like the typical patient."
#: Distribution by trait, in the order in which random numbers are correlated.
Covariates = record(
    "Covariates",
    Model,
    "How people differ from the typical patient, by trait.",
    age=(maybe(AgeDistribution), _field("age", _HOW)),
    weight=(maybe(WeightDistribution), _field("weight", _HOW)),
    sex=(maybe(SexDistribution), _field("sex", _HOW)),
    diabetes=(maybe(DiabetesDistribution), _field("diabetes", _HOW)),
    **{name: (maybe(Flagged), _field(name, _HOW)) for name in FLAGS[:4]},
    gfr=(maybe(GfrDistribution), _field("gfr", _HOW)),
    vitamin_d=(maybe(VitaminDDistribution), _field("vitamin_d", _HOW)),
    **{name: (maybe(Flagged), _field(name, _HOW)) for name in FLAGS[4:]},
)


class _Target(Model):
    """Means and shares that the people enrolled are weighted to; at least one."""

    @model_validator(mode="after")
    def _asks_for_something(self) -> _Target:
        if not self.model_fields_set or all(getattr(self, name) is None for name in type(self).model_fields):
            raise refuse("asks for nothing", hint="leave it out, or write for example {age: {mean: 70 yr}}")
        return self


_GOAL = "What those enrolled should be like on average; left out, as the distribution gives it."
#: What a table of the trial says of its people, to which they are weighted.
Target = record(
    "Target",
    _Target,
    "Means and shares that the people enrolled are weighted to.",
    age=(maybe(AgeTarget), _field("age", _GOAL)),
    weight=(maybe(WeightTarget), _field("weight", _GOAL)),
    sex=(maybe(SexShares), _field("sex", _GOAL)),
    diabetes=(maybe(DiabetesShares), _field("diabetes", _GOAL)),
    **{name: (maybe(InnerShare), _field(name, _GOAL)) for name in FLAGS[:4]},
    gfr=(maybe(GfrTarget), _field("gfr", _GOAL)),
    vitamin_d=(maybe(VitaminDTarget), _field("vitamin_d", _GOAL)),
    **{name: (maybe(InnerShare), _field(name, _GOAL)) for name in FLAGS[4:]},
)


class Population(Model):
    """Who is enrolled, and how the parameters of the model vary between people."""

    covariates: Covariates = described(  # pyright: ignore[reportInvalidTypeForm]
        "Covariates", "协变量", "How people differ from the typical patient.", default=Covariates()
    )
    correlation: Annotated[tuple[Correlation, ...], BeforeValidator(listing("correlations", 66))] = described(
        "Correlation", "相关性", "Traits that go together.", default=()
    )
    target: Target | None = described(  # pyright: ignore[reportInvalidTypeForm]
        "Target", "目标人群", "Means and shares that those enrolled are weighted to.", default=None
    )
    rules: Annotated[tuple[Rule, ...], BeforeValidator(listing("rules", MOST_RULES))] = described(  # pyright: ignore[reportInvalidTypeForm]
        "Rules of inclusion", "入选标准", "Who is let in.", default=()
    )
    spread: Spread = described(
        "Spread of parameters",
        "参数个体差异",
        "Coefficients of variation between people by parameter, or none; left out, those of osteon.",
        default=None,
    )
    members: Annotated[tuple[_Member, ...], BeforeValidator(listing("ensemble members", len(MEMBERS)))] = described(
        "Ensemble members",
        "集合成员",
        "Members of the callus kinetics that people are shared between.",
        default=tuple(MEMBERS),
    )
    draws: DrawCount = described(
        "Draws",
        "参数抽样",
        "Whether people have draws of the posterior of the parameters, or among how many draws they are shared.",
        default=True,
    )

    @field_validator("members", mode="after")
    @classmethod
    def _members_differ(cls, members: tuple[str, ...]) -> tuple[str, ...]:
        if not members:
            raise refuse("names no member", hint=f"name some of {', '.join(MEMBERS)}")
        twice = next((place for place, name in enumerate(members) if name in members[:place]), None)
        if twice is not None:
            raise refuse(f"{show(members[twice])} is named twice", members[twice], path=f"[{twice}]")
        return members

    def varying(self) -> dict[str, Any]:
        """Distributions of the traits in which people differ, by name, in the order of `Covariates`."""
        every = {name: getattr(self.covariates, name) for name in TRAITS_IN_ORDER}
        return {name: one for name, one in every.items() if one is not None and one.kind != "fixed"}

    def settled(self, patient: Patient, fracture: Fracture | None) -> dict[str, Any]:
        """Value of each trait that is the same in all, by name; None of one that the typical patient lacks."""
        typical = dict.fromkeys(TRAITS_IN_ORDER)
        typical |= {name: getattr(patient, name) for name in TRAITS_IN_ORDER if hasattr(patient, name)}
        typical |= {name: getattr(fracture, name, None) for name in FLAGS[4:]}
        given = {name: getattr(self.covariates, name) for name in TRAITS_IN_ORDER}
        fixed = {name: one.value for name, one in given.items() if one is not None and one.kind == "fixed"}
        free = self.varying()
        return {name: value for name, value in {**typical, **fixed}.items() if name not in free}


TRAITS_IN_ORDER = tuple(Covariates.model_fields)


def check_population(population: Population, patient: Patient, fracture: Fracture | None) -> None:
    """Refuse what does not fit the typical patient or itself; paths are relative to the population."""
    for name in TRAITS_IN_ORDER:
        given = getattr(population.covariates, name)
        if given is None:
            continue
        word = TRAITS[name]
        if word.fracture and fracture is None:
            raise refuse("needs a fracture, and there is none", path=f"covariates.{name}", hint="leave it out")
        if word.people and patient.species != "human":
            raise refuse("is known of people alone", path=f"covariates.{name}", hint="leave it out")
        if hasattr(given, "check"):
            with within("covariates", name):
                given.check(patient.species)
    free, fixed = population.varying(), population.settled(patient, fracture)
    _check_correlation(population, free)
    for name in TRAITS_IN_ORDER:
        if population.target is not None and getattr(population.target, name) is not None and name not in free:
            message = "is the same in all people, so that weighting cannot reach a target"
            raise refuse(message, path=f"target.{name}", hint=f"write population.covariates.{name}")
        goal = None if population.target is None else getattr(population.target, name)
        if isinstance(goal, dict):
            _check_shares(name, goal, free[name].shares)
    for place, rule in enumerate(population.rules):
        if rule.trait not in free and fixed[rule.trait] is None:
            hint = f"write population.covariates.{rule.trait}"
            raise refuse(f"{show(rule.trait)} is not known of these people", path=f"rules[{place}].trait", hint=hint)


def _check_shares(name: str, goal: Mapping[str, float], shares: Mapping[str, float]) -> None:
    """Refuse shares of the choices of a trait that cannot be all of them, or are of a choice that nobody has."""
    lacks = next((word for word in goal if not shares.get(word)), None)
    if lacks is not None:
        message = f"{show(lacks)} is the choice of nobody in population.covariates.{name}"
        raise refuse(message, lacks, path=f"target.{name}.{lacks}")
    had = {word for word, share in shares.items() if share > 0}
    total = sum(goal.values())
    if total > 1 + 1e-9 or (had == set(goal) and abs(total - 1) > 1e-6):
        limit = "1" if had == set(goal) else "at most 1"
        raise refuse(f"add up to {total:.6g}, and must add up to {limit}", total, path=f"target.{name}")


def _check_correlation(population: Population, free: Mapping[str, Any]) -> None:
    seen: dict[frozenset[str], int] = {}
    for place, one in enumerate(population.correlation):
        for which, name in enumerate(one.traits):
            if name not in free:
                hint = f"write population.covariates.{name}"
                message = f"{show(name)} is the same in all people and cannot be correlated"
                raise refuse(message, name, path=f"correlation[{place}].traits[{which}]", hint=hint)
        pair = frozenset(one.traits)
        if pair in seen:
            message = f"says again what correlation[{seen[pair]}] says"
            raise refuse(message, path=f"correlation[{place}].traits", hint="remove one of them")
        seen[pair] = place
    import numpy as np

    if np.linalg.eigvalsh(correlation_matrix(population))[0] < 1e-6:
        hint = "make some of them weaker"
        raise refuse("cannot hold together (the matrix is not positive definite)", path="correlation", hint=hint)


def correlation_matrix(population: Population) -> Any:
    """Correlation of the normal numbers behind the varying traits, shape (traits, traits)."""
    import numpy as np

    places = {name: place for place, name in enumerate(population.varying())}
    matrix = np.eye(max(len(places), 1))
    for one in population.correlation:
        first, second = (places[name] for name in one.traits)
        matrix[first, second] = matrix[second, first] = one.rho
    return matrix

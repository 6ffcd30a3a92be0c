"""Treatment: dose records as people write them, the single doses they stand for, and imposed effects."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from pydantic import ValidationInfo, field_validator, model_validator

from osteon.errors import near_match
from osteon.scenario import catalogue
from osteon.scenario.base import Model, described, refuse
from osteon.scenario.quantity import Count, DoseAmount, Interval, Share, ShareAboveZero, ShareBelowOne, Start, choice


class DoseEvent(NamedTuple):
    """One single dose: time [day from the fracture], drug, amount [mg] and route."""

    time: float
    drug: str
    amount: float
    route: str


class Dose(Model):
    """One dose, or with `every` and `count` a series of equal doses."""

    drug: Annotated[str, *choice("drug", catalogue.drugs())] = described(
        "Drug", "药物", "Which drug is given.", examples=["denosumab"]
    )
    amount: DoseAmount = described(
        "Amount", "剂量", "Amount of one dose, in mg or per body weight in mg/kg.", examples=["60 mg", "10 mg/kg"]
    )
    start: Start = described(
        "First dose", "首次给药时间", "Time of the first dose; the fracture is at zero.", examples=["-40 months"]
    )
    every: Interval | None = described(
        "Interval", "给药间隔", "Time between doses of a series.", default=None, examples=["6 months"]
    )
    count: Count = described("Number of doses", "给药次数", "How many doses the series has.", default=1, examples=[7])
    route: Annotated[str | None, *choice("route", catalogue.routes())] = described(
        "Route",
        "给药途径",
        "How it is given; left out, the usual route of the drug.",
        default=None,
        **{"x-routes-by-drug": {key: list(drug.routes) for key, drug in catalogue.drugs().items()}},
    )

    @classmethod
    def _prepare(cls, data: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        count = data.get("count", 1)
        if data.get("every") is None and isinstance(count, int) and count > 1:
            raise refuse("is missing for a series", hint='write for example "every: 6 months"', path="every")
        if data.get("every") is not None and "count" not in data:
            raise refuse("is missing for a series", hint='write for example "count: 7"', path="count")
        drug = catalogue.drugs().get(data["drug"]) if isinstance(data.get("drug"), str) else None
        if drug is not None and data.get("route") is None:
            return {**data, "route": drug.usual_route}
        return data

    @field_validator("route", mode="after")
    @classmethod
    def _route_is_given(cls, route: str | None, info: ValidationInfo) -> str | None:
        drug = catalogue.drugs().get(info.data.get("drug", ""))
        if drug is not None and route is not None and route not in drug.routes:
            allowed = ", ".join(drug.routes)
            guess = near_match(route, drug.routes)
            raise refuse(f"{drug.key} is not given by the {route} route (allowed: {allowed})", route, hint=guess)
        return route

    def times(self) -> tuple[float, ...]:
        """Return the times of the single doses [day]."""
        return tuple(self.start + index * (self.every or 0.0) for index in range(self.count))

    def events(self, weight: float) -> tuple[DoseEvent, ...]:
        """Return the single doses for a body weight [kg]."""
        amount = self.amount.in_mg(weight)
        return tuple(DoseEvent(time, self.drug, amount, self.route or "") for time in self.times())


class Impose(Model):
    """Effects imposed from the fracture on instead of a drug, as published animal arms are replayed."""

    free_rankl: ShareAboveZero | None = described(
        "Free RANKL",
        "游离 RANKL 比例",
        "Share of RANKL left free, 1 is untreated.",
        default=None,
        examples=[0.02],
    )
    bisphosphonate_inhibition: ShareBelowOne | None = described(
        "Bisphosphonate inhibition",
        "双膦酸盐抑制程度",
        "Inhibition of mature osteoclasts, below 1.",
        default=None,
        examples=[0.45],
    )
    pth: Share | None = described(
        "PTH", "甲状旁腺激素效应", "Anabolic effect of intermittent PTH, 1 is full.", default=None, examples=[1]
    )

    @model_validator(mode="after")
    def _imposes_something(self) -> Impose:
        if self.free_rankl is None and self.bisphosphonate_inhibition is None and self.pth is None:
            raise refuse("imposes nothing", hint='write for example "free_rankl: 0.02", or leave impose out')
        return self

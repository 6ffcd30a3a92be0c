"""How a study is run: arms, accrual, visits, how drugs are taken, who leaves or dies, and who reads the films."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, ValidationInfo, model_validator

from osteon.errors import InputError, show
from osteon.scenario import Arm
from osteon.scenario.base import Model, described, from_input_error, refuse
from osteon.scenario.quantity import Flag, ShareAboveZero, ShareBelowOne, choice, listing
from osteon.trial.study_fields import MOST_VISITS, AccrualRate, Duration, Excess, Parts, Rate, Readers, Time
from osteon.trial.study_words import schedules, words

if TYPE_CHECKING:
    from osteon.endpoints.visits import Schedule
    from osteon.population.adherence import Intake as Taken


class TrialArm(Arm):
    """One arm of the study; the first is the control."""

    allocation: Parts = described(
        "Allocation",
        "分配比例",
        "How many people this arm gets, against the others.",
        default=1,
        examples=[2],
    )

    def plain(self) -> Arm:
        """The arm as a scenario has it."""
        return Arm(name=self.name, doses=self.doses, impose=self.impose)


class Accrual(Model):
    """How fast people come: a rate, or the time in which the planned number comes."""

    rate: AccrualRate | None = described(
        "Rate", "入组速度", "People enrolled per time, on average.", default=None, examples=["10 /month"]
    )
    over: Duration | None = described(
        "Over", "入组时长", "Time in which the planned number is enrolled, on average.", default=None, examples=["2 yr"]
    )
    close: Duration | None = described(
        "Close",
        "研究结束",
        "When the study ends, from the first enrolment on; who came late is followed for less.",
        default=None,
        examples=["4 yr"],
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Accrual:
        if (self.rate is None) == (self.over is None):
            has = "names no pace" if self.rate is None else "gives rate and over, and one of them is enough"
            raise refuse(has, hint='write for example "rate: 10 /month" or "over: 2 yr"')
        return self

    def per_day(self, patients: int) -> float:
        """People per day, where `patients` are planned."""
        return self.rate if self.rate is not None else patients / (self.over or 1.0)


class Visits(Model):
    """When people come back: a named schedule, or days with a window."""

    schedule: Annotated[str, *choice("schedule of visits", schedules())] | None = described(
        "Schedule", "随访方案", "A schedule by name.", default=None, examples=["trial"]
    )
    days: Annotated[tuple[Time, ...], BeforeValidator(listing("times", MOST_VISITS))] | None = described(
        "Days", "随访时间", "Planned time of each visit.", default=None, examples=[["6 weeks", "12 weeks"]]
    )
    window: Time | None = described(
        "Window", "时间窗", "How long before or after it a person may come.", default=None, examples=["7 days"]
    )
    missed: ShareBelowOne | None = described(
        "Missed visits", "缺失随访比例", "Share of visits that are missed.", default=None, examples=[0.05]
    )

    @classmethod
    def _prepare(cls, data: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if (data.get("schedule") is None) == (data.get("days") is None):
            many = data.get("days") is not None
            has = "gives a schedule and days, and one of them is enough" if many else "names no visit"
            raise refuse(has, hint='write for example "schedule: trial", or "days: [6 weeks, 12 weeks]"')
        return data

    @model_validator(mode="after")
    def _is_a_schedule(self) -> Visits:
        try:
            self.planned()
        except InputError as error:
            raise from_input_error(error, error.path.removeprefix("visits.")) from None
        return self

    def planned(self) -> Schedule:
        """The visits as `osteon.endpoints.visits` takes them."""
        from dataclasses import replace

        from osteon.endpoints.visits import SCHEDULES, Schedule

        known = SCHEDULES[self.schedule] if self.schedule else Schedule(tuple(self.days or ()), self.window or 0.0)
        changed: dict[str, Any] = {} if self.window is None else {"window": self.window}
        return replace(known, **changed, **({} if self.missed is None else {"missed": self.missed}))


class Intake(Model):
    """How drugs are taken: doses missed, late, in part, or stopped."""

    missed: ShareBelowOne = described(
        "Missed doses", "漏用比例", "Share of doses that are missed, each by itself.", default=0.0, examples=[0.05]
    )
    late: Time = described("Delay", "平均延迟", "Mean delay of a dose.", default=0.0, examples=["5 days"])
    taken: ShareAboveZero = described(
        "Taken at home",
        "居家用药比例",
        "Mean share taken of drugs at home.",
        default=1.0,
        examples=[0.8],
    )
    stops: Rate = described(
        "Stopping", "停药率", "Hazard of stopping a drug for good.", default=0.0, examples=["10 %/yr"]
    )

    @model_validator(mode="after")
    def _can_be_taken_so(self) -> Intake:
        try:
            self.taken_by()
        except InputError as error:
            raise from_input_error(error, error.path.removeprefix("intake.")) from None
        return self

    def taken_by(self) -> Taken:
        """The same as `osteon.population` takes it."""
        from osteon.population.adherence import Intake as Taken

        return Taken(missed=self.missed, late=self.late, taken=self.taken, stops=self.stops)


class Death(Model):
    """Death as a competing risk: one rate for all, or a life table by age and sex times an excess."""

    rate: Rate | None = described("Rate", "死亡率", "Hazard of death of all.", default=None, examples=["5 %/yr"])
    life_table: Annotated[str, *choice("life table", words("tables"))] | None = described(
        "Life table", "生命表", "Hazard of death by age and sex.", default=None, examples=["us_2017"]
    )
    excess: Excess = described(
        "Excess", "超额倍数", "By how much the hazard of the table is multiplied.", default=1.0, examples=[2]
    )
    early_excess: Excess | None = described(
        "Early excess", "早期超额倍数", "The same in the first time after the fracture.", default=None, examples=[6]
    )
    early: Duration | None = described(
        "Early time", "早期时长", "How long the early excess lasts.", default=None, examples=["3 months"]
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> Death:
        if (self.rate is None) == (self.life_table is None):
            has = "names no hazard" if self.rate is None else "gives rate and life_table, and one of them is enough"
            raise refuse(has, hint='write for example "life_table: us_2017"')
        if self.rate is not None and (self.excess != 1 or self.early_excess is not None):
            name = "excess" if self.excess != 1 else "early_excess"
            raise refuse("belongs to a life table", path=name, hint="put it into the rate")
        if (self.early_excess is None) != (self.early is None):
            missing = "early_excess" if self.early_excess is None else "early"
            raise refuse("is missing beside the other", path=missing, hint="write early_excess and early, or neither")
        return self


class Reader(Model):
    """Who reads the films, and how two readings become one."""

    readers: Readers = described("Readers", "阅片者人数", "How many read each film.", default=1, examples=[2])
    adjudication: Annotated[str, *choice("adjudication", words("adjudications"))] = described(
        "Adjudication", "裁定方式", "How the readings become one.", default="one"
    )
    noise: Flag = described(
        "Reader noise", "阅片误差", "Whether readers differ, or see what is expected.", default=True
    )

    @model_validator(mode="after")
    def _enough_readers(self) -> Reader:
        if self.readers == 1 and self.adjudication != "one":
            message = f"{show(self.adjudication)} needs two readers, and there is one"
            raise refuse(message, self.adjudication, path="adjudication", hint='write "readers: 2"')
        return self


def read_visits(given: Any) -> Any:
    """A schedule by its name alone stands for a record of it."""
    return {"schedule": given} if isinstance(given, str) else given


def arms_differ(arms: tuple[TrialArm, ...]) -> tuple[TrialArm, ...]:
    """Refuse fewer than two arms, or two of one name."""
    if len(arms) < 2:
        message = f"has {len(arms)} arm{'' if len(arms) == 1 else 's'}, and a trial needs at least two"
        raise refuse(message, len(arms), hint="the first is the control, even if it gets nothing")
    names: dict[str, int] = {}
    for place, arm in enumerate(arms):
        if arm.name in names:
            message = f"{show(arm.name)} is already the name of arms[{names[arm.name]}]"
            raise refuse(message, arm.name, path=f"[{place}].name", hint="give every arm its own name")
        names[arm.name] = place
    return arms

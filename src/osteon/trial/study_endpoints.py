"""What a study measures and how it is analysed."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, field_validator, model_validator

from osteon.errors import near_match, show
from osteon.scenario import Fracture, Patient
from osteon.scenario.base import Model, described, refuse
from osteon.scenario.quantity import Name, choice, listing
from osteon.trial.study_fields import MOST_ENDPOINTS, Alpha, Duration, Level, Time
from osteon.trial.study_words import rules, words

#: Field of an endpoint that names what it is, by kind.
NAMED = {"union": "rule", "score": "score", "curve": "curve", "time": "endpoint", "event": "endpoint"}
#: Kinds whose value is a time that may be censored.
TIMES = ("union", "time")
_OF_TIMES = ("interval", "log_rank", "cox", "rmst", "log_time")
_FIRST_RULE = next(iter(rules()))
_HIP = "femoral_neck"


class Endpoint(Model):
    """One thing that is measured in every person."""

    name: Name = described("Name", "名称", "Short name, unique in the study.", examples=["union"])
    kind: Annotated[str, *choice("kind of endpoint", words("kinds"))] = described(
        "Kind", "类型", "What sort of thing it is.", examples=["union"]
    )
    rule: Annotated[str, *choice("rule of union", rules())] | None = described(
        "Rule", "愈合标准", "Definition of union.", default=None, examples=["cortices"]
    )
    score: Annotated[str, *choice("score", words("scores"))] | None = described(
        "Score", "评分", "Which score, at the visit nearest to the day.", default=None, examples=["RUST"]
    )
    curve: Name | None = described(
        "Curve", "曲线", "Which curve of the model.", default=None, examples=["BMD_lumbar_spine"]
    )
    endpoint: Annotated[str, *choice("stage or event", {**words("times"), **words("events")})] | None = described(
        "Stage or event", "阶段或事件", "Which stage is timed, or which event counted.", default=None
    )
    day: Time | None = described(
        "Day", "时间点", "When it is measured, or by when it counts.", default=None, examples=["6 months"]
    )

    @property
    def what(self) -> str:
        """Name of the rule, score, curve, stage or event."""
        return getattr(self, NAMED[self.kind]) or _FIRST_RULE

    @property
    def timed(self) -> bool:
        """Whether its value is a time, which may be censored."""
        return self.kind in TIMES

    @model_validator(mode="after")
    def _parts_fit_the_kind(self) -> Endpoint:
        needed = NAMED[self.kind]
        if self.kind == "event" and self.endpoint == "nonunion":
            allowed: tuple[str, ...] = ("endpoint", "rule")
        else:
            allowed = (needed,)
        for name in ("rule", "score", "curve", "endpoint"):
            given = getattr(self, name)
            if given is not None and name not in allowed:
                hint = f"write {needed}: ..."
                raise refuse(f"does not belong to an endpoint of the kind {self.kind}", given, path=name, hint=hint)
        if getattr(self, needed) is None and needed != "rule":
            raise refuse(f"is missing for an endpoint of the kind {self.kind}", path=needed)
        if self.endpoint is not None:
            known = words("times" if self.kind == "time" else "events")
            if self.endpoint not in known:
                what = "a stage that is timed" if self.kind == "time" else "an event"
                allowed_names = ", ".join(known)
                raise refuse(f"{show(self.endpoint)} is not {what} (allowed: {allowed_names})", path="endpoint")
        if self.timed and self.day is not None:
            raise refuse("does not belong to a time, which is followed to the end", self.day, path="day")
        if self.kind in ("score", "curve") and self.day is None:
            raise refuse(f"is missing for a {self.kind}", path="day", hint='write for example "day: 6 months"')
        return self

    def check(self, patient: Patient, fracture: Fracture | None, follow_up: float) -> None:
        """Refuse an endpoint that these patients do not have, or that lies after the follow-up."""
        needed = NAMED[self.kind]
        group = {"score": "scores", "time": "times", "event": "events"}.get(self.kind)
        word = words(group)[self.what] if group else None
        if fracture is None and (self.kind == "union" or (word is not None and word.fracture)):
            path = needed if getattr(self, needed) is not None else "kind"
            raise refuse(f"{show(self.what)} needs a fracture, and there is none", self.what, path=path)
        if word is not None and word.people and patient.species != "human":
            raise refuse(f"{show(self.what)} is known of people alone", self.what, path=needed)
        if word is not None and word.hip and (fracture is None or fracture.bone != _HIP):
            raise refuse(f"{show(self.what)} is one of the femoral neck alone", self.what, path=needed)
        if self.curve is not None:
            _check_curve(self.curve, fracture)
        if self.day is not None and self.day > follow_up:
            message = f"day {self.day:.6g} is after the follow-up of {follow_up:.6g} days"
            raise refuse(message, self.day, path="day", hint="lengthen follow_up, or measure earlier")


def _check_curve(name: str, fracture: Fracture | None) -> None:
    from osteon.endpoints import SCORES
    from osteon.model.systems import curves_of

    known = [*curves_of(fracture.compartments if fracture else 0), *(SCORES if fracture else ())]
    if name not in known:
        callus = "" if fracture else " without a fracture"
        hint = near_match(name, known) or "such as CTX, BMD_lumbar_spine or BMD_total_hip"
        raise refuse(f"{show(name)} is not a curve of the model{callus}", name, path="curve", hint=hint)


class Endpoints(Model):
    """The primary endpoint and the others."""

    primary: Endpoint = described("Primary", "主要终点", "What the study is decided by.")
    secondary: Annotated[tuple[Endpoint, ...], BeforeValidator(listing("endpoints", MOST_ENDPOINTS))] = described(
        "Secondary", "次要终点", "What is measured beside it.", default=()
    )

    @field_validator("secondary", mode="after")
    @classmethod
    def _names_differ(cls, secondary: tuple[Endpoint, ...], info: Any) -> tuple[Endpoint, ...]:
        first = info.data.get("primary")
        names = {first.name: "endpoints.primary"} if first is not None else {}
        for place, one in enumerate(secondary):
            if one.name in names:
                message = f"{show(one.name)} is already the name of {names[one.name]}"
                raise refuse(message, one.name, path=f"[{place}].name", hint="give every endpoint its own name")
            names[one.name] = f"endpoints.secondary[{place}]"
        return secondary

    @property
    def all(self) -> tuple[Endpoint, ...]:
        """Every endpoint, the primary first."""
        return self.primary, *self.secondary


class Analysis(Model):
    """How the primary endpoint is analysed."""

    method: Annotated[str, *choice("method", words("methods"))] = described(
        "Method", "分析方法", "How arms are compared.", examples=["interval"]
    )
    level: Level = described("Level", "置信水平", "Level of the interval.", default=0.95)
    alpha: Alpha = described("Alpha", "显著性水平", "Two-sided level of the test.", default=0.05)
    tau: Duration | None = described(
        "Tau", "截断时间", "Up to when the restricted mean is taken; left out, the follow-up.", default=None
    )
    estimand: Annotated[str, *choice("estimand", words("estimands"))] = described(
        "Estimand", "估计目标", "Whom the comparison is about.", default="as_allocated"
    )

    def check(self, primary: Endpoint, follow_up: float) -> None:
        """Refuse a method that does not fit the primary endpoint; paths are relative to the analysis."""
        if primary.timed and self.method not in _OF_TIMES:
            message = f"{show(self.method)} does not fit a time that may be censored (allowed: {', '.join(_OF_TIMES)})"
            raise refuse(message, self.method, path="method")
        if not primary.timed and self.method in _OF_TIMES:
            message = f"{show(self.method)} needs times, and the primary endpoint is of the kind {primary.kind}"
            raise refuse(message, self.method, path="method", hint='write "method: difference"')
        if self.tau is not None and self.method != "rmst":
            raise refuse("belongs to the method rmst", self.tau, path="tau", hint="leave it out")
        if self.tau is not None and self.tau > follow_up:
            message = f"day {self.tau:.6g} is after the follow-up of {follow_up:.6g} days"
            raise refuse(message, self.tau, path="tau", hint="lengthen follow_up, or choose an earlier day")

"""The study: who is enrolled, what arms they get, when they are seen, what is measured and how it is analysed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from osteon.errors import InputError, show
from osteon.scenario import Fracture, Patient, Scenario, catalogue
from osteon.scenario.base import Model, described, from_input_error, refuse, to_input_error
from osteon.scenario.quantity import MOST_ARMS, Horizon, Seed, Title, choice, listing
from osteon.scenario.read import check_tree, decode, load, read_text
from osteon.trial.study_design import Accrual, Death, Intake, Reader, TrialArm, Visits, arms_differ, read_visits
from osteon.trial.study_endpoints import Analysis, Endpoints
from osteon.trial.study_fields import Duration, Patients, Rate, TimeRatio, within
from osteon.trial.study_library import preset_text
from osteon.trial.study_population import Population, check_population
from osteon.units import format_quantity

VERSION = "osteon_study"


def _version(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given != 1:
        hint = f'write "{VERSION}: 1"'
        raise refuse(f"{show(given)} is not a study version this osteon reads (allowed: 1)", given, hint=hint)
    return 1


class Study(Model):
    """A clinical trial, to be simulated.

    Raises
    ------
    InputError
        If anything in it is refused; the path names the field.
    """

    osteon_study: Annotated[Literal[1], PlainValidator(_version), WithJsonSchema({"type": "integer", "const": 1})] = (
        described("Version", "格式版本", "Version of the study format.", examples=[1])
    )
    title: Title = described("Title", "标题", "One line that says what is asked.", examples=["Which dose?"])
    seed: Seed = described("Seed", "随机种子", "Seed of all random draws.", default=1)
    patients: Patients = described("People", "入组人数", "How many are enrolled, all arms together.", examples=[200])
    patient: Patient = described("Typical patient", "典型患者", "Whoever nothing else is said of.", default=Patient())
    fracture: Fracture | None = described(
        "Fracture", "骨折", "The fracture at time zero, or null for bone turnover alone.", examples=[None]
    )
    horizon: Horizon = described("Horizon", "模拟时长", "How long after time zero to simulate.", examples=["18 months"])
    parameters: Annotated[
        tuple[Annotated[str, *choice("published parameter set", catalogue.parameter_sets())], ...],
        BeforeValidator(listing("names of published parameter sets", len(catalogue.parameter_sets()))),
    ] = described(
        "Published parameters",
        "已发表的参数集",
        "Published parameter sets used instead of the default values.",
        default=(),
    )
    population: Population = described("Population", "人群", "Who is enrolled.", default=Population())
    arms: Annotated[tuple[TrialArm, ...], BeforeValidator(listing("arms", MOST_ARMS))] = described(
        "Arms", "治疗组", "At least two; the first is the control.", minItems=2, maxItems=MOST_ARMS
    )
    accrual: Accrual | None = described(
        "Accrual", "入组", "How fast people come; left out, all on the first day.", default=None
    )
    follow_up: Duration = described(
        "Follow-up", "随访时长", "How long each person is followed.", examples=["12 months"]
    )
    visits: Annotated[Visits, BeforeValidator(read_visits)] = described(
        "Visits", "随访", "When people come back: a schedule by name, or days with a window.", examples=["trial"]
    )
    intake: Intake = described("Intake", "用药依从性", "How drugs are taken.", default=Intake())
    dropout: Rate = described("Dropout", "脱落率", "Hazard of leaving the study.", default=0.0, examples=["10 %/yr"])
    death: Death | None = described("Death", "死亡", "Death as a competing risk; left out, nobody dies.", default=None)
    reader: Reader = described("Readers", "阅片", "Who reads the films.", default=Reader())
    endpoints: Endpoints = described("Endpoints", "终点", "What is measured.")
    analysis: Analysis = described("Analysis", "分析计划", "How the arms are compared.")
    effect: TimeRatio | None = described(
        "Imposed effect",
        "设定的疗效",
        "Ratio of the primary times of the other arms to the control, imposed instead of what the model gives.",
        default=None,
        examples=[0.8],
    )

    @classmethod
    def _prepare(cls, data: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        # The usual gap follows the species, as in a scenario.
        return Scenario._prepare(data, info)

    @field_validator("arms", mode="after")
    @classmethod
    def _arms_differ(cls, arms: tuple[TrialArm, ...]) -> tuple[TrialArm, ...]:
        return arms_differ(arms)

    @model_validator(mode="after")
    def _fits_together(self) -> Study:
        try:
            scenario = self.scenario()
        except InputError as error:
            raise from_input_error(error, error.path) from None
        if self.follow_up > self.horizon:
            message = f"day {self.follow_up:.6g} is after the horizon of {self.horizon:.6g} days"
            raise refuse(message, self.follow_up, path="follow_up", hint="lengthen the horizon")
        self._check_visits()
        with within("population"):
            check_population(self.population, self.patient, self.fracture)
        self._check_models(scenario)
        for place, one in enumerate(self.endpoints.all):
            with within("endpoints", "primary" if place == 0 else f"secondary[{place - 1}]"):
                one.check(self.patient, self.fracture, self.follow_up)
        with within("analysis"):
            self.analysis.check(self.endpoints.primary, self.follow_up)
        if self.effect is not None and not self.endpoints.primary.timed:
            message = f"imposes a ratio of times, and the primary endpoint is of the kind {self.endpoints.primary.kind}"
            raise refuse(message, self.effect, path="effect", hint="leave it out")
        if self.death is not None and self.death.life_table is not None and self.patient.species != "human":
            raise refuse("is one of people", path="death.life_table", hint='write "rate: ..."')
        close = None if self.accrual is None else self.accrual.close
        if self.accrual is not None and close is not None:
            takes = self.patients / self.accrual.per_day(self.patients)
            if close <= takes:
                message = f"day {close:.6g} comes before the last person does, about day {takes:.6g}"
                raise refuse(message, close, path="accrual.close", hint="end the study later, or enrol faster")
        return self

    def _check_visits(self) -> None:
        visits = self.visits.planned()
        for place, (day, window) in enumerate(zip(visits.days, visits.windows, strict=True)):
            if day + window > self.follow_up + 1e-9:
                late = f"day {day:.6g}" + (f" with its window of {window:.6g} days" if window else "")
                message = f"{late} is after the follow-up of {self.follow_up:.6g} days"
                path = f"visits.days[{place}]" if self.visits.schedule is None else "visits.schedule"
                raise refuse(message, day, path=path, hint="lengthen follow_up, or leave the visit out")

    def _check_models(self, scenario: Scenario) -> None:
        """Refuse a spread or draws that these patients do not have."""
        spread, draws = self.population.spread, self.population.draws
        if draws and self.patient.species != "human":
            message = f"are of people, and the patients are of the species {self.patient.species}"
            raise refuse(message, draws, path="population.draws", hint='write "draws: false"')
        if isinstance(spread, Mapping):
            from osteon.population.spread import spread_for
            from osteon.population.values import Kind, typical

            try:
                spread_for(spread, typical(Kind.of(scenario, self.population.members[0])), scenario)
            except InputError as error:
                raise from_input_error(error, f"population.{error.path}") from None
        if draws and not isinstance(draws, bool):
            from osteon.population.posteriors import Posterior

            try:
                Posterior.of(scenario).checked(draws)
            except InputError as error:
                raise from_input_error(error, "population.draws") from None
        elif draws and self.parameters:
            from osteon.parameters import posterior

            every = posterior.shipped()
            if every is None or not posterior.selected(every, self.parameters)[0]:
                message = f"there is no draw of the posterior for {', '.join(self.parameters)}"
                raise refuse(message, draws, path="population.draws", hint='write "draws: false"')

    # ---- reading and writing -----------------------------------------------------------------------------------

    @classmethod
    def read(cls, path: str | Path) -> Study:
        """Return the study in a YAML or JSON file.

        Parameters
        ----------
        path : str or Path
            At most 1 MB of UTF-8; files of doses are looked for in its folder.

        Raises
        ------
        InputError
            If the file or anything in it is refused.
        """
        path = Path(path)
        return cls._build(load(read_text(path), path.suffix, str(path)), path.parent)

    @classmethod
    def preset(cls, name: str) -> Study:
        """Return a study shipped with osteon; raises `InputError` for an unknown name."""
        return cls._build(load(preset_text(name), ".yaml", name), None)

    @classmethod
    def parse(cls, source: str | bytes | Mapping[str, Any], base_dir: str | Path | None = None) -> Study:
        """Return the study in a YAML or JSON text, or in a mapping of the same shape.

        Raises
        ------
        InputError
            If anything in it is refused.
        """
        if isinstance(source, bytes):
            source = decode(source, "study")
        tree = load(source, name="study") if isinstance(source, str) else check_tree(source)
        return cls._build(tree, Path(base_dir) if base_dir is not None else None)

    @classmethod
    def _build(cls, tree: Any, base_dir: Path | None) -> Study:
        if isinstance(tree, Mapping) and "osteon" in tree and VERSION not in tree:
            hint = f'a study starts with "{VERSION}: 1"; a scenario is run with "osteon heal"'
            raise InputError("this is a scenario, not a study", path="osteon", hint=hint)
        try:
            return cls.model_validate(tree, context={"base_dir": base_dir})
        except ValidationError as error:
            raise to_input_error(error) from None

    def to_dict(self) -> dict[str, Any]:
        """Return the study as plain values in canonical form; `parse` reads it back to an equal study."""
        plain = self.model_dump(mode="json", exclude_none=True)
        return {**plain, "fracture": plain.get("fracture")}

    def to_json(self) -> str:
        """Return the canonical form as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2)

    def content_hash(self) -> str:
        """Return the SHA-256 of the canonical form, as 64 hexadecimal digits; independent of files and layout."""
        canonical = json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def scenario(self) -> Scenario:
        """Return the typical patient with all arms, as a scenario."""
        return Scenario.parse(
            {
                "osteon": 1,
                "title": self.title,
                "patient": self.patient,
                "fracture": self.fracture,
                "arms": [arm.plain() for arm in self.arms],
                "horizon": format_quantity(self.horizon, "day"),
                "seed": self.seed,
                "parameters": list(self.parameters),
            }
        )


def is_study(path: str | Path) -> bool:
    """Whether a file is meant as a study, not as a scenario; raises `InputError` if it cannot be read."""
    path = Path(path)
    tree = load(read_text(path), path.suffix, str(path))
    return isinstance(tree, Mapping) and VERSION in tree

"""What a file of a published study says: who was studied, what was found, and how osteon simulates it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from osteon.errors import InputError, near_match, show
from osteon.scenario.base import Model, from_input_error, refuse

#: What simulates a study; ``none`` says why nothing does.
ENGINES = ("turnover", "label", "animal", "people", "cohort", "none")
TABLES = ("markers.csv", "bmd.csv", "pk.csv", "callus.csv", "clinical_healing.csv", "risk_factors.csv")
USES = ("fit", "check", "noise")
SPECIES = ("human", "mouse", "rat", "rabbit", "sheep", "monkey", "none")
#: What is taken of simulated patients. A risk is the share [%] who would have an event of which each has a chance; a
#: share is of those who have not come to the time `of` by the day; with ``reached`` of those who have.
MEASURES = (
    *("median", "mean", "risk", "share_late", "share_reached", "count_late", "ratio_of_medians", "ratio_of_means"),
    *("odds_ratio_late", "risk_ratio_reached", "difference", "ratio_of_levels"),
)
#: Measures that compare two arms, and those of them that are ratios.
CONTRASTS = frozenset(MEASURES[6:])
RATIOS = frozenset(MEASURES[6:10])
HOW = ("abstract", "computed", "figure-digitised", "label", "recalled", "table", "text")
_KEY = re.compile(r"[a-z][a-z0-9_]*")


def _filled(text: str) -> str:
    if not text.strip():
        raise refuse("is empty", text)
    return text.strip()


def _one_of(*known: str) -> Any:
    def check(word: str) -> str:
        if word not in known:
            message = f"{show(word)} is not allowed (allowed: {', '.join(known)})"
            raise refuse(message, word, hint=near_match(word, known))
        return word

    return AfterValidator(check)


Filled = Annotated[str, AfterValidator(_filled)]
Key = Annotated[str, Field(pattern=_KEY.pattern)]


class Text(Model):
    """Words in both languages."""

    en: Filled
    zh: Filled

    def of(self, lang: str) -> str:
        """Return the words of a language."""
        return self.zh if lang == "zh" else self.en


class Reference(Model):
    """Where a study is published; `seen` says how it was read."""

    authors: Filled
    year: Annotated[str, Field(pattern=r"^(\d{4}(-\d{4})?)?$")]
    where: str = ""
    doi: str = ""
    pmid: str = ""
    seen: str = ""

    @model_validator(mode="after")
    def _can_be_found(self) -> Reference:
        if not (self.where or self.doi or self.pmid):
            raise refuse("needs a doi, a pmid or words that say where it is", path="where")
        return self


class Rows(Model):
    """Rows of a shipped table: those of a study whose further columns are one of the texts given."""

    table: Annotated[str, _one_of(*TABLES)]
    study: Filled
    arm: tuple[str, ...] = ()
    endpoint: tuple[str, ...] = ()
    day: tuple[float, ...] = ()
    use: tuple[Annotated[str, _one_of(*USES)], ...] = ()


class Published(Model):
    """A published number that stands in no table; `sd` is the standard error of the value."""

    value: float
    low: float | None = None
    high: float | None = None
    sd: float | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    day: float | None = None
    arm: str = ""
    how_obtained: Annotated[str, _one_of(*HOW)]
    quote: Filled

    @model_validator(mode="after")
    def _fits_together(self) -> Published:
        if (self.low is None) != (self.high is None):
            raise refuse("needs both limits or neither", path="low")
        if self.low is not None and self.high is not None and not self.low <= self.value <= self.high:
            raise refuse(f"the limits {self.low:g} to {self.high:g} do not hold {self.value:g}", path="low")
        return self


class Simulated(Model):
    """Which simulated number stands beside a published one.

    Attributes
    ----------
    engine : str or None
        Another engine than that of the study.
    measure, of : str
        One of `MEASURES`, and the endpoint or curve it is taken of.
    day : float or None
        Day of a curve or of a share [day]; where left out, that of the row.
    arm, against : str
        Simulated arm, and the one it is compared with.
    arms : mapping of str to str
        Simulated arm by the arm as a table writes it.
    n : tuple of int
        Patients of the trial by arm, first those of `arm`; where left out, those of the row.
    per : str
        Unit of the published time, where that is not days.
    times, plus : float
        What turns the simulated number into the published unit: first the factor, then the sum.
    """

    engine: Annotated[str, _one_of(*ENGINES)] | None = None
    measure: Annotated[str, _one_of(*MEASURES)] = "median"
    of: str = ""
    day: float | None = None
    arm: str = ""
    against: str = ""
    arms: Mapping[str, str] = Field(default_factory=dict)
    n: tuple[Annotated[int, Field(ge=1)], ...] = ()
    per: Annotated[str, _one_of("day", "week", "month")] = "day"
    times: float = 1.0
    plus: float = 0.0

    @model_validator(mode="after")
    def _compares_two(self) -> Simulated:
        if (self.measure in CONTRASTS) != bool(self.against):
            what = "needs the arm it is" if self.measure in CONTRASTS else "stands alone and cannot be"
            raise refuse(f"{self.measure} {what} compared with", self.against, path="against")
        return self


class Result(Model):
    """One finding of a study: rows of a table or a number given here, and what simulates it."""

    id: Key
    endpoint: Text
    unit: Filled
    rows: Rows | None = None
    published: Published | None = None
    use: Annotated[str, _one_of(*USES)] | None = None
    as_printed: str = ""
    corrected: str = ""
    simulated: Simulated | None = None
    reason: Text | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Result:
        if (self.rows is None) == (self.published is None):
            raise refuse("needs either rows of a table or a published number", path="rows")
        if self.published is not None and self.use is None:
            raise refuse("needs its use, since no table says it", path="use", hint='write for example "use: check"')
        if self.rows is not None and self.use is not None:
            raise refuse("is said by the table", self.use, path="use", hint="leave it out")
        if bool(self.as_printed) != bool(self.corrected):
            raise refuse("stands beside the other of as_printed and corrected", path="as_printed")
        if self.simulated is not None and self.reason is not None:
            raise refuse("a result that is simulated has no reason why it is not", path="reason")
        return self


def _version(given: Any) -> int:
    if isinstance(given, bool) or given != 1:
        raise refuse(f"{show(given)} is not a version this osteon reads (allowed: 1)", given)
    return 1


class Study(Model):
    """A published study.

    Attributes
    ----------
    n : int or None
        Patients or animals in all; None where the source does not say.
    cited_by_review : tuple of str
        Claims of the review that cite it.
    engine : str
        What simulates it; a result can name another.
    arms : tuple of str
        Simulated arms: keys of the engine's table.
    scenario : mapping or None
        Patient, fracture and arms of engine ``cohort``, as a scenario writes them.
    reason : Text or None
        Why nothing of it is simulated.
    """

    osteon_evidence: Annotated[int, AfterValidator(_version)]
    key: Key
    title: Text
    reference: Reference
    species: Annotated[str, _one_of(*SPECIES)]
    population: Filled
    design: Text
    n: Annotated[int, Field(ge=1)] | None = None
    drugs: tuple[Filled, ...] = ()
    site: Filled
    cited_by_review: tuple[Annotated[str, Field(pattern=r"^C\d\d$")], ...] = ()
    engine: Annotated[str, _one_of(*ENGINES)]
    arms: tuple[str, ...] = ()
    scenario: Mapping[str, Any] | None = None
    reason: Text | None = None
    results: Annotated[tuple[Result, ...], Field(min_length=1)]
    limits: tuple[Text, ...] = ()

    @field_validator("scenario", mode="after")
    @classmethod
    def _is_a_scenario(cls, given: Mapping[str, Any] | None, info: ValidationInfo) -> Mapping[str, Any] | None:
        if given is not None:
            from osteon.scenario import Scenario

            try:
                Scenario.parse(given)
            except InputError as error:
                raise from_input_error(error) from None
        return given

    @model_validator(mode="after")
    def _fits_together(self) -> Study:
        if (self.engine == "none") != (self.reason is not None):
            raise refuse("says why nothing is simulated, with the engine none alone", path="reason")
        if (self.engine == "cohort") != (self.scenario is not None):
            raise refuse("belongs to the engine cohort, and it needs one", path="scenario")
        seen: set[str] = set()
        for place, result in enumerate(self.results):
            if result.id in seen:
                raise refuse(f"{show(result.id)} is the id of another result", path=f"results[{place}].id")
            seen.add(result.id)
            self._check(result, f"results[{place}].simulated")
        return self

    def _check(self, result: Result, path: str) -> None:
        if self.engine_of(result) == "cohort" and result.simulated is not None:
            if self.scenario is None:
                raise refuse("needs the scenario of a cohort", path=path)
            names = [arm.get("name") for arm in self.scenario["arms"]]
            asked = result.simulated
            for name in filter(None, (asked.arm, asked.against, *asked.arms.values())):
                if name not in names:
                    raise refuse(f"{show(name)} is not an arm of the scenario", name, path=path)
            if not (asked.arm or asked.arms) or not asked.of:
                raise refuse("needs an arm and what is taken of it", path=path)
        elif self.engine == "cohort" and result.simulated is None and result.reason is None:
            raise refuse("needs how it is simulated, or the reason why it is not", path=path)

    def engine_of(self, result: Result) -> str:
        """Return what simulates a result."""
        if result.reason is not None:
            return "none"
        return (result.simulated.engine if result.simulated is not None else None) or self.engine

    @property
    def doi(self) -> str:
        """DOI of the study, empty where none is known."""
        return self.reference.doi

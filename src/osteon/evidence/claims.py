"""The claims of the review that started osteon, what their sources say, and how each is simulated.

`claims.toml` holds all of it; numbers of published studies are taken from the shipped tables by reference, so that each
stands once.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from osteon.errors import InputError, near_match, show
from osteon.evidence.claim_rows import PublishedRow, resolved

FILE = Path(__file__).with_name("claims.toml")
#: What a source says of a claim that cites it.
VERDICTS = ("supported", "partly", "contradicted", "wrong_reference", "not_checkable", "opinion", "not_identifiable")
TYPES = ("safety", "mechanism", "outlook", "clinical", "pk", "animal", "case")
#: Runs that a module of its own makes.
SPECIAL = ("case", "series", "nonunion", "osteolysis")
WHATS = ("value", "ratio", "difference", "peak_day", "share_by", "finding")
_EXPECTED = re.compile(r"\s*(?:([<>=~])\s*(@?[\w.-]+)|(@?-?[\w.]+)\s*\.\.\s*(@?-?[\w.]+))\s*")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Probe(_Model):
    """One number that is simulated for a claim, and what claim and source expect of it.

    Attributes
    ----------
    run : str
        A run of `Review.runs`, or one of `SPECIAL`.
    what : str
        ``value``, ``ratio`` or ``difference`` of two arms, days or quantities of the same patients, ``peak_day``,
        ``share_by`` (share of patients by day `limit`), or ``finding`` of a special run, named by `of`.
    of : str
        Curve, sum of curves joined by ``+``, or endpoint.
    day, since : float or None
        Day of a curve; with `since` it is compared with that day of the same arm [day].
    less : str
        With ``difference`` and ``ratio``: the quantity of the same arm that is taken off, or divided by.
    claim, source : str
        What each expects: ``> 1``, ``< 0``, ``= 1`` (no difference) or ``-80..-60``; ``@name`` is a published row, and
        ``~ @name`` the printed interval of one.
        Empty where it says nothing.
    blind : bool
        Whether the model lacks the way in which the claim says it comes about, so that no effect decides nothing.
    """

    run: str
    what: Literal["value", "ratio", "difference", "peak_day", "share_by", "finding"] = "value"
    of: str
    arm: str = ""
    against: str = ""
    day: float | None = None
    since: float | None = None
    less: str = ""
    limit: float | str | None = None
    unit: str = "1"
    en: str
    zh: str
    claim: str = ""
    source: str = ""
    blind: bool = False

    @model_validator(mode="after")
    def _expected(self) -> Probe:
        for name in ("claim", "source"):
            text = getattr(self, name)
            if text and not _EXPECTED.fullmatch(text):
                raise ValueError(f"{name}|{show(text)} is not an expectation such as '> 1', '= 1' or '-80..-60'")
        return self


class Claim(_Model):
    """A claim of the review.

    Attributes
    ----------
    key : str
        ``C01`` to ``C54``.
    quote : str
        Short quote in Chinese, as printed; `quote_corrected` where the print has a wrong word.
    source : str
        One of `VERDICTS`: what the cited source says of it.
    said_en, said_zh : str
        What the source really says.
    sources : tuple of str
        Names of published rows whose study is behind `said_en`.
    tests : tuple of Probe
        What is simulated; empty where nothing can be, and `why_en`, `why_zh` then say why.
    because_en, because_zh : str
        Likely reason why the simulation disagrees, shown where it does.
    caveat_en, caveat_zh : str
        What the reader of the simulated numbers must know.
    exploratory : bool
        Whether what is simulated rests on assumed values alone, so that its verdict counts for little.
    """

    key: str
    type: Literal["safety", "mechanism", "outlook", "clinical", "pk", "animal", "case"]
    quote: str
    quote_corrected: str = ""
    ref: str
    claim_en: str
    claim_zh: str
    source: Literal[
        "supported", "partly", "contradicted", "wrong_reference", "not_checkable", "opinion", "not_identifiable"
    ]
    said_en: str
    said_zh: str
    sources: tuple[str, ...] = ()
    tests: tuple[Probe, ...] = ()
    why_en: str = ""
    why_zh: str = ""
    because_en: str = ""
    because_zh: str = ""
    caveat_en: str = ""
    caveat_zh: str = ""
    exploratory: bool = False

    @property
    def command(self) -> str:
        """Command that runs it."""
        return f"osteon review --claim {self.key}"

    @model_validator(mode="after")
    def _runs_or_says_why(self) -> Claim:
        if bool(self.tests) == bool(self.why_en and self.why_zh):
            raise ValueError("tests|a claim is either simulated or says why it is not, in both languages")
        return self


class Mistake(_Model):
    """A mistake or weak point of the review, with its correction."""

    number: int
    claims: tuple[str, ...]
    printed_en: str
    printed_zh: str
    corrected_en: str
    corrected_zh: str


class Term(_Model):
    """A word of the review beside the right one."""

    printed: str
    corrected: str
    en: str


class Run(_Model):
    """A run of virtual patients or animals that claims read.

    Attributes
    ----------
    preset : str
        Name of a shipped scenario; else `patient`, `fracture`, `arms` and `horizon` write one.
    variants : mapping
        Patient or fracture that differs, by name; with them the names of arms are those of the variants.
    draws : str
        What patients have a draw of: ``people`` (turnover, with a fracture callus too), ``animals`` (callus), ``none``.
    groups : int
        Of people with a fracture: how many different draws there are, each with as many patients; 0 for all.
    spread : bool
        Whether patients differ beside their draw.
    patients, quick : int
        How many, and how many for a rough answer.
    """

    title_en: str
    title_zh: str
    preset: str = ""
    patient: dict[str, Any] = Field(default_factory=dict)
    fracture: dict[str, Any] | None = None
    arms: tuple[dict[str, Any], ...] = ({"name": "untreated", "doses": []},)
    horizon: str = "12 months"
    variants: dict[str, dict[str, Any]] = Field(default_factory=dict)
    draws: Literal["people", "animals", "none"] = "people"
    groups: int = 0
    spread: bool = True
    patients: int
    quick: int
    every: float = 7.0
    series: tuple[str, ...]
    seed: int = 1


class Review(_Model):
    """All of `claims.toml`."""

    reference: dict[str, str]
    claims: dict[str, Claim]
    mistakes: tuple[Mistake, ...]
    terms: tuple[Term, ...]
    runs: dict[str, Run]
    rows: dict[str, PublishedRow]

    def bound(self, text: str) -> float:
        """Number that one end of an expectation stands for."""
        return self.row(text[1:]).value if text.startswith("@") else float(text)

    def row(self, name: str) -> PublishedRow:
        """Published row by name; raises `InputError` for an unknown one."""
        if name not in self.rows:
            raise InputError(f"{show(name)} is not a published row", path="rows", hint=near_match(name, self.rows))
        return self.rows[name]

    def expectation(self, text: str) -> tuple[str, float, float] | None:
        """What a text such as ``> 1`` expects: its kind ``<``, ``>``, ``=`` or ``..``, and its two ends."""
        found = _EXPECTED.fullmatch(text) if text else None
        if found is None:
            return None
        if found[1] == "~":
            row = self.row(found[2].removeprefix("@"))
            return "..", row.value if row.low is None else row.low, row.value if row.high is None else row.high
        if found[1]:
            end = self.bound(found[2])
            return found[1], end, end
        return "..", self.bound(found[3]), self.bound(found[4])

    def mistakes_of(self, key: str) -> tuple[Mistake, ...]:
        """Mistakes that a claim is part of."""
        return tuple(one for one in self.mistakes if key in one.claims)

    def filled(self, text: str) -> str:
        """Text with the places ``{row.NAME}`` filled from the published rows."""
        return re.sub(r"\{row\.(\w+)\}", lambda place: f"{self.row(place[1]).value:g}", text)


@lru_cache(maxsize=1)
def review() -> Review:
    """Return the review as shipped."""
    return read_review(FILE)


def claims() -> Mapping[str, Claim]:
    """Return every claim by key, in order."""
    return MappingProxyType(review().claims)


def claim(key: str) -> Claim:
    """Return a claim; raises `InputError` for an unknown key."""
    known = claims()
    if key not in known:
        first, last = next(iter(known)), next(reversed(list(known)))
        raise InputError(
            f"{show(key)} is not a claim (allowed: {first} to {last})",
            path="claim",
            value=key,
            hint=near_match(key.upper(), known),
        )
    return known[key]


def read_review(path: str | Path) -> Review:
    """Read a file of claims.

    Raises
    ------
    InputError
        It cannot be read, or anything in it is refused; the path names it.
    """
    path = Path(path)
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"cannot be read ({error})", path=str(path)) from None
    for part in ("claims", "rows"):
        if not isinstance(tree.get(part), dict):
            raise InputError("is missing", path=f"{path.name}, {part}")
    tree["claims"] = {key: {"key": key, **entry} for key, entry in tree["claims"].items()}
    tree["rows"] = {name: resolved(entry, f"{path.name}, rows.{name}") for name, entry in tree["rows"].items()}
    try:
        found = Review.model_validate(tree)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        message = str(fault["msg"]).removeprefix("Value error, ").rstrip(".")
        column, bar, rest = message.partition("|")
        where = ".".join(str(one) for one in fault["loc"]) + (f".{column}" if bar else "")
        message = rest if bar else message[:1].lower() + message[1:]
        raise InputError(message, path=f"{path.name}, {where}", others=len(error.errors()) - 1) from None
    _check(found, path.name)
    return found


def _check(found: Review, name: str) -> None:
    """Refuse what names a run, a row or a claim that is not there."""
    for key, one in found.claims.items():
        for row in one.sources:
            found.row(row)
        for place, test in enumerate(one.tests):
            where = f"{name}, claims.{key}.tests[{place}]"
            if test.run not in found.runs and test.run not in SPECIAL:
                hint = near_match(test.run, (*found.runs, *SPECIAL))
                raise InputError(f"{show(test.run)} is not a run", path=f"{where}.run", value=test.run, hint=hint)
            for text in (test.claim, test.source):
                found.expectation(text)
    for one in found.mistakes:
        for key in one.claims:
            if key not in found.claims:
                raise InputError(f"{show(key)} is not a claim", path=f"{name}, mistakes[{one.number - 1}]", value=key)

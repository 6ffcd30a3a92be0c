"""The page of the review: every claim beside what its source says and what a simulation shows of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from osteon.evidence.claims import SPECIAL, Claim, review
from osteon.replay.claim_measures import Estimate
from osteon.replay.claim_words import number
from osteon.replay.claims import UNDECIDED, VERDICTS, Checked, ClaimResult, Reviewed
from osteon.report import html
from osteon.report.locale import LANGUAGES, Words, load

if TYPE_CHECKING:
    import jinja2

    from osteon.replay.claim_findings import Cell, Findings, Table

#: Name of the page in each language.
FILES = {"en": "review.html", "zh": "review.zh.html"}
#: Name of the page of all studies in each language, which is linked where it lies beside this one.
EVIDENCE = {"en": "evidence.html", "zh": "evidence.zh.html"}
_SECTIONS = ("series", *(name for name in SPECIAL if name != "series"))
_STYLES = ("report.css", "claims.css")
_HALF = 50.0  # of a bar, where there is no effect
_DOUBLED, _WHOLE = 18.0, 0.5  # of a bar, for a ratio of two and for one per cent


def pages(found: Reviewed, command: str = "osteon review", beside: bool = True) -> dict[str, str]:
    """The page in every language, by the name of its file; see `render`."""
    return {file: render(found, lang, command, beside) for lang, file in FILES.items()}


def render(found: Reviewed, lang: str = "en", command: str = "osteon review", beside: bool = True) -> str:
    """Show the review as one self-contained HTML page.

    Parameters
    ----------
    found : Reviewed
        The review, run.
    lang : str
        ``"en"`` or ``"zh"``.
    command : str
        Command that made it.
    beside : bool
        Whether the page of all studies lies in the same folder, and is linked.

    Returns
    -------
    str
        The HTML text, to be written as UTF-8.

    Raises
    ------
    InputError
        If there is no such language.
    """
    words, told = load(lang), review()
    counts = found.counts()
    style, script = _style(), html._resource("templates", "claims.js")
    other = next(one for one in LANGUAGES if one != lang)
    shown = {one.claim.key for one in found.results}
    from osteon.course import installed

    return _template().render(
        words=words,
        lang=lang,
        version=installed("osteon"),
        command=command,
        quick=found.quick,
        reference=told.reference,
        total=len(found.results),
        counts=[(name, words(f"review.verdict.{name}"), counts["simulation"][name]) for name in VERDICTS],
        sources=[(name, words(f"review.source_verdict.{name}"), n) for name, n in counts["source"].items()],
        claims=[_claim(words, one) for one in found.results],
        sections=[
            (name, words(f"review.{name}"), _section(words, found.findings[name]))
            for name in _SECTIONS
            if name in found.findings
        ],
        mistakes=[
            {
                "number": one.number,
                "printed": getattr(one, f"printed_{lang}"),
                "corrected": getattr(one, f"corrected_{lang}"),
                "claims": [(key, key in shown) for key in one.claims],
            }
            for one in told.mistakes
            if len(shown) > 1 or shown & set(one.claims)
        ],
        terms=told.terms,
        studies=_studies(found.results, EVIDENCE[lang] if beside else ""),
        other=other,
        other_file=FILES[other],
        style=style,
        script=script,
        policy=html._policy(style, script),
    )


def _claim(words: Words, one: ClaimResult) -> dict[str, Any]:
    """What stands in the card of a claim."""
    claim, told, lang = one.claim, review(), words.language
    return {
        "key": claim.key,
        "type": words(f"review.type.{claim.type}"),
        "quote": claim.quote,
        "quote_corrected": claim.quote_corrected,
        "ref": words("review.ref", n=claim.ref)
        if claim.ref[:1].isdigit()
        else words(f"review.refs.{claim.ref.split()[0]}"),
        "text": getattr(claim, f"claim_{lang}"),
        "source": claim.source,
        "source_title": words(f"review.source_verdict.{claim.source}"),
        "said": told.filled(getattr(claim, f"said_{lang}")),
        "studies": [(_anchor(study), study) for study in _study_names(claim)],
        "verdict": one.verdict,
        "verdict_title": words(f"review.verdict.{one.verdict}"),
        "why": getattr(claim, f"why_{lang}"),
        "because": one.because(lang),
        "exploratory": claim.exploratory,
        "caveat": told.filled(getattr(claim, f"caveat_{lang}")),
        "numbers": [_number(words, tested) for tested in one.tested],
        "mistakes": [mistake.number for mistake in told.mistakes_of(claim.key)],
        "command": claim.command,
    }


def _number(words: Words, one: Checked) -> dict[str, Any]:
    found, lang = one.found, words.language
    return {
        "what": getattr(one.probe, lang),
        "text": number(found, lang),
        "over": _over(words, found),
        "verdict": one.verdict,
        "verdict_title": words(f"review.verdict.{one.verdict}") if one.verdict else "",
        "blind": one.probe.blind and one.verdict == UNDECIDED,
        "bar": bar(found),
    }


def _over(words: Words, found: Estimate) -> str:
    return words(f"review.over.{found.over}", n=found.n)


def bar(found: Estimate) -> dict[str, float] | None:
    """Place of an interval on a bar of 100 units with no effect in the middle; None where there is no such middle."""
    places = [_place(one, found.unit) for one in (found.low, found.value, found.high)]
    if any(one is None for one in places):
        return None
    low, middle, high = (min(max(one or 0.0, 0.0), 100.0) for one in places)
    return {"x": round(low, 2), "width": round(max(high - low, 1.0), 2), "value": round(middle, 2)}


def _place(value: float, unit: str) -> float | None:
    if math.isnan(value):
        return None
    if unit == "ratio":
        if math.isinf(value):
            return 100.0
        return _HALF + _DOUBLED * math.log2(value) if value > 0 else 0.0
    return _HALF + _WHOLE * value if unit in ("%", "pp") else None


def _section(words: Words, found: Findings) -> dict[str, Any]:
    """Tables and statements of a special run."""
    lang = words.language
    return {
        "tables": [_table(words, table) for table in found.tables],
        "statements": [_of(one, lang) for one in found.statements],
    }


def _table(words: Words, table: Table) -> dict[str, Any]:
    lang = words.language
    return {
        "title": getattr(table, lang),
        "heads": [_of(head, lang) for head in table.heads],
        "rows": [
            {
                "name": getattr(row, lang),
                "cells": [_cell(words, one) for one in row.cells],
            }
            for row in table.rows
        ],
    }


def _cell(words: Words, cell: Cell) -> tuple[str, str] | None:
    """What a cell says, and over what its interval is."""
    if isinstance(cell, Estimate):
        return number(cell, words.language), _over(words, cell)
    return cell and (_of(cell, words.language), "")


def _of(pair: tuple[str, str], lang: str) -> str:
    """Words of a language, of those in English and Chinese."""
    return pair[LANGUAGES.index(lang)]


def _study_names(claim: Claim) -> list[str]:
    return list(dict.fromkeys(review().row(name).study for name in claim.sources))


def _anchor(study: str) -> str:
    return "study-" + "".join(one if one.isalnum() and one.isascii() else "-" for one in study).strip("-").lower()


@cache
def _keys() -> Mapping[str, str]:
    """Key of the study that holds the rows of a name in the shipped tables, by that name."""
    from osteon.evidence.studies import studies

    return {
        result.rows.study: key for key, one in studies().items() for result in one.results if result.rows is not None
    }


def _studies(results: tuple[ClaimResult, ...], page: str) -> list[dict[str, Any]]:
    """Studies whose numbers stand beside the claims, with the claims that use them."""
    told = review()
    found: dict[str, dict[str, Any]] = {}
    for one in results:
        for name in one.claim.sources:
            row = told.row(name)
            key = _keys().get(row.study, "")
            entry = found.setdefault(
                row.study,
                {
                    "id": _anchor(row.study),
                    "name": row.study,
                    "doi": row.doi,
                    "page": f"{page}#study-{key}" if page and key else "",
                    "command": f"osteon evidence --study {key}" if key else "",
                    "numbers": {},
                    "claims": [],
                },
            )
            where = ", ".join(row.match[key] for key in ("endpoint", "arm") if key in row.match)
            entry["numbers"][f"{where or row.table}: {row.value:g} {row.unit}".strip()] = True
            if one.claim.key not in entry["claims"]:
                entry["claims"].append(one.claim.key)
    return [{**one, "numbers": list(one["numbers"])} for one in sorted(found.values(), key=lambda one: one["name"])]


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(html._resource("templates", "claims.html.j2"))


@cache
def _style() -> str:
    return "\n".join(html._resource("templates", name) for name in _STYLES)

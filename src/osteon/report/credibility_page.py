"""The credibility file in one language: sections of text, lists and tables, as Markdown or as one HTML page."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from osteon.report.credibility_judge import GRADES, texts
from osteon.report.credibility_parts import (
    adequacy,
    applicability,
    calibration,
    code,
    mind,
    reproduce,
    uncertainty,
    validation,
)
from osteon.report.credibility_words import fields, said
from osteon.report.locale import Words, load

if TYPE_CHECKING:
    import jinja2

    from osteon.report.credibility import Credibility

#: A section: its heading, and blocks that are a text, a list of items, or a table with a head and rows.
Section = dict[str, Any]


def markdown(given: Credibility, lang: str = "en") -> str:
    """Return the file as Markdown."""
    return _template("credibility.md.j2", False).render(**_shown(given, lang)).rstrip() + "\n"


def html(given: Credibility, lang: str = "en") -> str:
    """Return the file as one HTML page that loads nothing."""
    style = files("osteon.report").joinpath("templates", "credibility.css").read_text(encoding="utf-8")
    style = style.replace("\r\n", "\n")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    shown = _shown(given, lang) | {"style": style, "style_hash": f"'sha256-{digest}'"}
    return _template("credibility.html.j2", True).render(**shown)


def sections(given: Credibility, lang: str = "en") -> list[Section]:
    """Return the sections of the file in order, each with `key`, `title` and `blocks`."""
    words = load(lang)
    filled = fields(given, words)
    parts = {
        "question": _question,
        "risk": _risk,
        "factors": _factors,
        "categories": _categories,
        "verification": code,
        "calibration": calibration,
        "validation": validation,
        "uncertainty": uncertainty,
        "applicability": applicability,
        "adequacy": adequacy,
        "limits": _limits,
        "mind": mind,
        "sources": _sources,
        "reproduce": reproduce,
    }
    return [
        {"key": key, "title": words(f"credibility.section.{key}"), "blocks": make(given, words, filled)}
        for key, make in parts.items()
    ]


def _shown(given: Credibility, lang: str) -> dict[str, Any]:
    from osteon.course import installed

    words = load(lang)
    version = installed("osteon")
    return {
        "words": words,
        "title": words("credibility.title"),
        "lead": words("credibility.lead", study=given.study.title, version=version),
        "warning": words("credibility.warning"),
        "sections": sections(given, lang),
    }


@cache
def _template(name: str, escaped: bool) -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        autoescape=escaped, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    # Titles come from people: no markup of theirs, and no bar or line break that would end a cell.
    environment.filters["plain"] = _plain
    environment.filters["cell"] = lambda text: _plain(text).replace("|", "\\|")
    text = files("osteon.report").joinpath("templates", name).read_text(encoding="utf-8")
    return environment.from_string(text.replace("\r\n", "\n"))


def _plain(text: object) -> str:
    return " ".join(str(text).split()).replace("<", "&lt;")


def _question(given: Credibility, words: Words, _: dict[str, str]) -> list[dict[str, Any]]:
    told = texts()
    question = given.question or told["question"][words.language]
    context = given.context or told["context"][words.language]
    rows = [
        [words("credibility.question"), question],
        [words("credibility.context"), context],
        [words("credibility.study"), f"{given.study.title} (`{given.named}`)"],
        [words("credibility.sha256"), f"`{given.study.content_hash()[:16]}`"],
    ]
    return [{"table": rows, "head": ["", ""]}]


def _risk(given: Credibility, words: Words, _: dict[str, str]) -> list[dict[str, Any]]:
    told, graded = texts()["risk"], given.risk
    rows = []
    for name in ("influence", "consequence"):
        own = graded["given"][name] or graded[name] is None
        grade = words("credibility.not_graded") if graded[name] is None else words(f"credibility.grade.{graded[name]}")
        why = "–" if graded[name] is None else told["given" if own else name][words.language]
        rows.append([words(f"credibility.{name}"), grade, why])
    size = graded["risk"]
    rows.append([words("credibility.risk"), words("credibility.not_graded") if size is None else f"{size} / 5", ""])
    head = [words("credibility.influence_over"), *(words(f"credibility.grade.{one}") for one in GRADES)]
    table = [
        [
            words(f"credibility.grade.{grade}"),
            *(_marked(told[grade][place], graded, grade, place) for place in range(3)),
        ]
        for grade in GRADES
    ]
    return [
        {"table": rows, "head": ["", words("credibility.graded"), words("credibility.reason")]},
        {"text": words("credibility.matrix")},
        {"table": table, "head": head},
    ]


def _marked(size: int, graded: Any, influence: str, place: int) -> str:
    return f"**{size}**" if (influence, GRADES[place]) == (graded["influence"], graded["consequence"]) else str(size)


def _factors(given: Credibility, words: Words, filled: dict[str, str]) -> list[dict[str, Any]]:
    rows = [
        [
            words(f"credibility.group.{one['group']}"),
            one["name"][words.language],
            one["goal"][words.language],
            said(one["open"] if open_ and "open" in one else one, words, filled),
            words(f"credibility.verdict.{verdict}"),
        ]
        for one in texts()["factors"]
        for verdict in [given.factors[one["key"]]]
        for open_ in [verdict == "open"]
    ]
    head = [words(f"credibility.column.{name}") for name in ("group", "factor", "goal", "evidence", "verdict")]
    return [{"text": words("credibility.lead_factors")}, {"table": rows, "head": head}]


def _categories(given: Credibility, words: Words, filled: dict[str, str]) -> list[dict[str, Any]]:
    rows = [
        [
            str(place),
            one["name"][words.language],
            words(f"credibility.given.{given.categories[one['key']]}"),
            said(one, words, filled),
        ]
        for place, one in enumerate(texts()["categories"], 1)
    ]
    head = ["", *(words(f"credibility.column.{name}") for name in ("category", "status", "evidence"))]
    return [{"table": rows, "head": head}]


def _limits(_: Credibility, words: Words, filled: dict[str, str]) -> list[dict[str, Any]]:
    return [{"list": [said(one, words, filled) for one in texts()["known"]]}]


def _sources(_: Credibility, __: Words, ___: dict[str, str]) -> list[dict[str, Any]]:
    return [{"list": [one["text"] for one in texts()["sources"]]}]

"""The page of the evidence: what was published beside what osteon gives, study by study, and every miss."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osteon.errors import InputError, show
from osteon.report import html
from osteon.report.data import embed
from osteon.report.evidence_data import compact, options
from osteon.report.evidence_facts import cards, failures, splits, uses, worst
from osteon.report.locale import LANGUAGES, Words, load

if TYPE_CHECKING:
    import jinja2

    from osteon.replay.run import Replay

FORMAT = 1  # of the document that is read
#: Name of the page in each language.
FILES = {"en": "evidence.html", "zh": "evidence.zh.html"}
#: Pages that are linked where they lie in the same folder.
_BESIDE = {
    "calibration": {"en": "calibration.html", "zh": "calibration.zh.html"},
    "review": {"en": "review.html", "zh": "review.zh.html"},
}
_STYLES = ("report.css", "evidence.css")
_SCRIPTS = ("evidence_draw.js", "evidence_rows.js", "evidence.js")


def write(found: Replay | Mapping[str, Any], folder: str | Path, lang: str | None = None) -> dict[str, Path]:
    """Write the page of the evidence to a folder.

    Parameters
    ----------
    found : Replay or mapping
        Published studies run again, or the document of such a run, as ``evidence.json`` holds it.
    folder : str or Path
        Made if missing. Pages of the calibration and of the review that lie there are linked.
    lang : {"en", "zh"}, optional
        Language of the page; left out, there is one in each.

    Returns
    -------
    dict of str to Path
        The files by name: ``evidence.html``, ``evidence.zh.html``.

    Raises
    ------
    InputError
        There is no such language, the document is of another kind, or the folder cannot be written.
    """
    from osteon.ensemble.store import unwritable, write_whole

    folder = Path(folder)
    told = found if isinstance(found, Mapping) else found.to_dict()
    languages = LANGUAGES if lang is None else (lang,)
    for one in languages:
        load(one)  # an unknown language is refused before anything is written
    there = {name for names in _BESIDE.values() for name in names.values() if (folder / name).is_file()}
    there |= {name for name in FILES.values() if (folder / name).is_file()} | {FILES[one] for one in languages}
    pages = {FILES[one]: render(told, one, there) for one in languages}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, page in pages.items():
            write_whole(folder / name, page)
    except OSError as error:
        raise unwritable(folder, error) from error
    return {name: folder / name for name in pages}


def write_from(path: str | Path, folder: str | Path, lang: str | None = None) -> dict[str, Path]:
    """Write the page from the document of an earlier run, ``evidence.json``; see `write`."""
    return write(read(path), folder, lang)


def read(path: str | Path) -> dict[str, Any]:
    """Return the document of a run of the evidence.

    Raises
    ------
    InputError
        The file cannot be read, or is not such a document.
    """
    try:
        told = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", path=str(path)) from error
    except ValueError as error:
        raise InputError("is not JSON", path=str(path), hint="it is written by osteon evidence --out") from error
    _check(told, str(path))
    return told


def render(told: Mapping[str, Any], lang: str = "en", there: set[str] | frozenset[str] = frozenset()) -> str:
    """Show the evidence as one self-contained HTML page.

    Parameters
    ----------
    told : mapping
        The document of a run, as `osteon.replay.run.Replay.to_dict` returns it.
    lang : str
        ``"en"`` or ``"zh"``.
    there : set of str
        Names of further pages in the same folder; those that this page knows are linked.

    Returns
    -------
    str
        The HTML text, to be written as UTF-8.

    Raises
    ------
    InputError
        There is no such language, or the document is of another kind.
    """
    words = load(lang)
    _check(told, "evidence.json")
    style, script = _style(), _script()
    other = next(one for one in LANGUAGES if one != lang)
    beside = {kind: names[lang] if names[lang] in there else "" for kind, names in _BESIDE.items()}
    scored = sum(told["totals"]["all"][name] for name in ("numbers", "worded"))
    return _template().render(
        words=words,
        version=told["version"],
        quick=told["quick"],
        use=told["use"],
        studies=len(told["studies"]),
        rows=len(told["outcomes"]),
        scored=scored,
        misses=len(told["worst"]),
        failures=failures(words, told),
        uses=uses(words, told),
        splits=splits(words, told),
        worst=worst(words, told),
        options=options(words, told),
        cards=cards(words, told),
        beside=beside,
        other=other,
        other_file=FILES[other] if FILES[other] in there else "",
        data=embed({**compact(words, told), "words": _said(words)}),
        style=style,
        script=script,
        policy=html._policy(style, script),
    )


def _check(told: Any, path: str) -> None:
    if not isinstance(told, Mapping) or "osteon_replay" not in told:
        raise InputError("is not a run of the evidence", path=path, hint="it is written by osteon evidence --out")
    if told["osteon_replay"] != FORMAT:
        message = f"{show(told['osteon_replay'])} is not a form of the document that is known (allowed: {FORMAT})"
        raise InputError(message, path=f"{path}, osteon_replay", value=told["osteon_replay"])


def _said(words: Words) -> dict[str, str]:
    """Words that the script writes."""
    return words.below("evidence_page.script")


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(html._resource("templates", "evidence.html.j2"))


@cache
def _style() -> str:
    return "\n".join(html._resource("templates", name) for name in _STYLES)


@cache
def _script() -> str:
    own = "\n".join(html._resource("templates", name) for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{own}}})();\n'

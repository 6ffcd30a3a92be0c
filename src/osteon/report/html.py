"""The report as one HTML file: skeleton from Jinja2, charts drawn by uPlot in the reader's browser."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from osteon.report import data, describe, sensitivity, tables
from osteon.report.locale import LANGUAGES, Words, load
from osteon.report.numbers import MONTH, fixed

if TYPE_CHECKING:
    import jinja2

    from osteon.sensitivity import Sensitivities

_SCRIPTS = ("format.js", "chart.js", "tissue.js", "lanes.js", "page.js")


def render(course: Any, lang: str = "en", sensitivities: Sensitivities | None = None, top: int = 20) -> str:
    """Show a course as one self-contained HTML page.

    The page loads nothing: style, script, uPlot and data are inside it, and its content-security policy
    forbids every request and every script but its own.

    Parameters
    ----------
    course : Course
        Result of a simulation: ``data``, ``scenario``, ``parameters``, ``manifest`` and ``endpoints()``.
    lang : str
        ``"en"`` or ``"zh"``.
    sensitivities : Sensitivities, optional
        Local sensitivities of the same scenario, for one more section.
    top : int
        Parameters shown there for an endpoint, at most.

    Returns
    -------
    str
        The HTML text, to be written as UTF-8.

    Raises
    ------
    InputError
        If there is no such language.
    """
    words = load(lang)
    scenario = course.scenario
    healing = scenario.fracture is not None
    names = [str(arm.name) for arm in scenario.arms]
    frame = course.endpoints()
    cells = tables.endpoint_cells(words, frame)
    parameters = tables.parameter_rows(words, course.parameters)
    document = data.payload(course, words, _by_arm(frame))
    style, script = _style(sensitivities is not None), _script()
    return _template().render(
        words=words,
        other=next(one for one in LANGUAGES if one != lang),
        title=str(scenario.title),
        patient=describe.patient(words, scenario.patient),
        fracture=describe.fracture(words, scenario.fracture) if healing else None,
        span=_span(course, words, healing),
        notes=_notes(course, words),
        ensemble=_ensemble(course, words, "lead.ensemble") if healing else "",
        draws=_draws(course, words, "lead.draws"),
        draws_charts=_draws(course, words, "lead.draws_charts"),
        ensemble_charts=_ensemble(course, words, "lead.ensemble_charts") if healing else "",
        arms=[
            {
                "name": arm.name,
                "treatment": describe.treatment(words, arm, list(arm.dose_events(scenario.patient))),
                "highlights": tables.highlights(words, cells, str(arm.name), healing),
            }
            for arm in scenario.arms
        ],
        healing=healing,
        summary=tables.summary(words, cells, names, healing),
        safety=any(cell["applies"] for (_, endpoint), cell in cells.items() if endpoint in tables.SAFETY_UNITS),
        sections={
            name: [chart for chart in document["charts"] if chart["section"] == name]
            for name in ("healing", "systemic", "further")
        },
        tissue=document["tissue"] is not None,
        staged=any(arm["stages"] for arm in document["arms"]),
        dosed=any(arm["doses"] for arm in document["arms"]),
        sensitivity=None if sensitivities is None else sensitivity.section(words, sensitivities, names, top),
        parameters=parameters,
        hows=tables.how_counts(words, parameters),
        assumed=sum(row["how"] == "assumed" for row in parameters),
        scenario_text=_scenario_text(scenario),
        manifest=tables.manifest_rows(course.manifest),
        version=_version(course.manifest),
        uplot_licence=_resource("static", "uPlot-LICENSE.txt"),
        data=data.embed(document),
        style=style,
        script=script,
        policy=_policy(style, script),
    )


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(_resource("templates", "report.html.j2"))


@cache
def _resource(*path: str) -> str:
    # The content-security policy hashes the text as the browser sees it, which has no carriage returns.
    return files("osteon.report").joinpath(*path).read_text(encoding="utf-8").replace("\r\n", "\n")


@cache
def _style(sensitive: bool) -> str:
    own = ("report.css", "sensitivity.css") if sensitive else ("report.css",)
    return "\n".join((_resource("static", "uPlot.min.css"), *(_resource("templates", name) for name in own)))


@cache
def _script() -> str:
    own = "\n".join(_resource("templates", name) for name in _SCRIPTS)
    return f'{_resource("static", "uPlot.iife.min.js")}\n(() => {{\n"use strict";\n{own}}})();\n'


def _policy(style: str, script: str) -> str:
    def digest(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    return (
        f"default-src 'none'; script-src {digest(script)}; style-src {digest(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _notes(course: Any, words: Words) -> list[str]:
    """Arms and draws that failed, then what the scenario says about itself."""
    failures: Mapping[str, str] = getattr(course, "failures", {})
    failed = [words("page.failed", arm=arm, reason=reason) for arm, reason in failures.items()]
    total = course.bands.attrs["draws"] if getattr(course, "bands", None) is not None else 0
    failed += [
        words("page.failed_draws", arm=arm, failed=len(why), total=total, reason=next(iter(why.values())))
        for arm, why in getattr(course, "failed_draws", {}).items()
    ]
    return failed + [getattr(note, f"text_{words.language}") for note in course.scenario.notes()]


def _ensemble(course: Any, words: Words, key: str) -> str:
    members = list(getattr(course, "members", {}))
    if len(members) < 2:
        return ""
    return words(key, first=members[0], all=words("list_separator").join(members))


def _draws(course: Any, words: Words, key: str) -> str:
    bands = getattr(course, "bands", None)
    return "" if bands is None else words(key, n=bands.attrs["draws"])


def _by_arm(frame: Any) -> dict[str, dict[str, float]]:
    known: dict[str, dict[str, float]] = {}
    for arm, endpoint, value in zip(frame["arm"], frame["endpoint"], frame["value"], strict=True):
        known.setdefault(str(arm), {})[str(endpoint)] = float("nan") if value is None else float(value)
    return known


def _span(course: Any, words: Words, healing: bool) -> str:
    time = course.data["time"].values
    start, end = (fixed(float(day) / MONTH, 1).removesuffix(".0") for day in (time[0], time[-1]))
    return words("page.span_fracture" if healing else "page.span_turnover", start=start, end=end)


def _scenario_text(scenario: Any) -> str:
    """The scenario as a file that can be run again: YAML where it can say so itself, JSON otherwise."""
    if hasattr(scenario, "to_yaml"):
        return str(scenario.to_yaml())
    if hasattr(scenario, "to_dict"):
        return json.dumps(scenario.to_dict(), indent=2, ensure_ascii=False)
    return ""


def _version(manifest: Mapping[str, Any]) -> str:
    versions = manifest.get("versions")
    version = versions.get("osteon") if isinstance(versions, Mapping) else manifest.get("version")
    return "" if version is None or (isinstance(version, float) and math.isnan(version)) else str(version)

"""Schedules compared, in words and as one self-contained HTML page without scripts; the console shows the same rows."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.report import describe, html, tables
from osteon.report.locale import LANGUAGES, Words, load
from osteon.report.numbers import fixed, plain
from osteon.report.schedule_charts import curve_panels, difference_panels, front_panels, scale
from osteon.trial.dosing import REGULAR, switches
from osteon.trial.dosing_measures import FRONT, MEASURES, TIMES, Measure, measure

if TYPE_CHECKING:
    import jinja2

    from osteon.trial.dosing import Candidates, Regimen
    from osteon.trial.dosing_compare import Cell
    from osteon.trial.dosing_run import Schedule

_STYLES = ("report.css", "schedule.css")


def number(words: Words, one: Measure, value: float, horizon: float, *, signed: bool = False) -> str:
    """A value of a measure, or a difference of two, as it is shown and without its unit."""
    if np.isnan(value):
        return words("schedule.nothing")
    if np.isinf(value):
        beyond = one.name in TIMES and not signed
        return words("schedule.beyond", days=fixed(horizon, 0)) if beyond else words("schedule.never")
    return fixed(scale(one) * value, 1 if one.group == "density" else 0, signed=signed)


def title(words: Words, regimen: Regimen, short: bool = False) -> str:
    """What a regimen is called."""
    kind = f"{regimen.kind}_one" if regimen.kind == "delay" and regimen.months == 1 else regimen.kind
    drug = describe.title_of(words, "drugs", regimen.drug) if regimen.drug else ""
    day = "" if np.isnan(regimen.day) else fixed(regimen.day, 0)
    return words(f"schedule.{'short' if short else 'regimen'}_{kind}", day=day, months=regimen.months, drug=drug)


def heading(words: Words, found: Schedule) -> str:
    """Title of the whole."""
    told = found.candidates
    drug = describe.title_of(words, "drugs", told.drug)
    return words("schedule.title", title=told.scenario.title, drug=drug)


def notes(words: Words, found: Schedule) -> list[str]:
    """What a reader must know, in whole sentences."""
    told, texts = found.candidates, []
    for code, places in told.notes:
        named = {name: _place(words, one) for name, one in places.items()}
        texts.append(words(f"schedule.note_{code}", **named))
    if not any(code == "planned" for code, _ in told.notes):
        texts.append(words("schedule.note_single", count=told.regimen(REGULAR).doses))
    changed = [_course(words, one) for one in told.regimens if one.kind == "switch"]
    if changed:
        texts.append(words("schedule.note_switch", courses=words("list_separator").join(changed)))
    if any(one.drug == "teriparatide" for one in told.regimens):
        texts.append(words("schedule.note_teriparatide"))
    if not found.drawn:
        texts.append(words("schedule.note_members"))
    return texts + [getattr(note, f"text_{words.language}") for note in told.scenario.notes()]


def _place(words: Words, value: Any) -> str:
    if isinstance(value, list):
        return words("list_separator").join(describe.title_of(words, "drugs", one) for one in value)
    return fixed(value, 0) if isinstance(value, float) else str(value)


def _course(words: Words, regimen: Regimen) -> str:
    one = switches()[regimen.drug]
    named = {"drug": describe.title_of(words, "drugs", regimen.drug), "amount": one["amount"], "doses": one["doses"]}
    if one["doses"] == 1:
        return words("schedule.course_one", **named)
    return words("schedule.course_many", every=str(one["every"]).split()[0], **named)


def facts(words: Words, found: Schedule) -> list[tuple[str, str]]:
    """Patient, fracture, treatment so far, and what is compared."""
    told, scenario = found.candidates, found.candidates.scenario
    one = "_one" if told.past == 1 else ""
    treated = words(f"schedule.treatment_text{one}", **_treated(words, told))
    counted = {"regimens": len(told.regimens), "draws": found.drawn, "days": fixed(scenario.horizon, 0)}
    return [
        (words("page.patient"), describe.patient(words, scenario.patient)),
        (words("page.fracture"), describe.fracture(words, scenario.fracture)),
        (words("schedule.treatment"), treated),
        (words("schedule.compared"), words(f"schedule.compared_text{'' if found.drawn else '_members'}", **counted)),
    ]


def _treated(words: Words, told: Candidates) -> dict[str, Any]:
    drug = describe.title_of(words, "drugs", told.drug)
    return {"count": told.past, "drug": drug, "last": fixed(-told.last, 0), "due": fixed(told.due, 0)}


def rows(words: Words, found: Schedule) -> list[dict[str, Any]]:
    """One row per regimen: title, number, cells of every measure, and place on the front.

    A cell has ``value`` and ``range``, ``difference`` and ``difference_range``, ``verdict`` and ``mark``.
    """
    placed, numbers = found.front, {name: place for place, name in enumerate(found.names, 1)}
    shown = []
    for place, one in enumerate(found.candidates.regimens, 1):
        share, others = placed.share[one.name], placed.beaten_by.get(one.name, ())
        beaten = words("list_separator").join(str(numbers[other]) for other in others)
        shown.append(
            {
                "name": one.name,
                "number": place,
                "switch": one.kind == "switch",
                "title": title(words, one),
                "short": title(words, one, short=True),
                "cells": [_cell(words, found, found.cells[one.name, every.name]) for every in MEASURES],
                "share": words("schedule.nothing") if np.isnan(share) else f"{fixed(100 * share, 0)} %",
                "on_front": one.name in placed.at_medians,
                "front": words("schedule.front_beaten", others=beaten)
                if others
                else words("schedule.front_yes" if one.name in placed.at_medians else "schedule.nothing"),
            }
        )
    return shown


def _cell(words: Words, found: Schedule, cell: Cell) -> dict[str, Any]:
    one, horizon = measure(cell.measure), found.candidates.scenario.horizon

    def told(value: float, signed: bool = False) -> str:
        return number(words, one, value, horizon, signed=signed)

    def span(low: float, high: float, signed: bool = False) -> str:
        if np.isnan(low):
            return ""
        return words("schedule.range", low=told(low, signed), high=told(high, signed))

    reference = cell.verdict == "reference"
    name = {"more": "agreed", "less": "agreed"}.get(cell.verdict, cell.verdict)
    return {
        "measure": cell.measure,
        "value": told(cell.median),
        "range": span(cell.low, cell.high),
        "difference": words("schedule.nothing") if reference else told(cell.difference, True),
        "difference_range": "" if reference else span(cell.difference_low, cell.difference_high, True),
        "verdict": name,
        "verdict_title": words(f"schedule.{name}"),
        "mark": "●" if name == "agreed" else "",
    }


def front_text(words: Words) -> str:
    """What the front is, with the steps in which values count."""
    steps = dict(zip(("union", "lamellar", "density", "area"), map(measure, FRONT), strict=True))
    told = {name: plain(scale(one) * one.grid, 4) for name, one in steps.items()}
    return words("schedule.front_text", steps=words("schedule.front_steps", **told))


def failures(words: Words, found: Schedule) -> list[str]:
    """What could not be solved, by regimen and reason; empty where all was."""
    if not found.failures:
        return []
    counts: dict[tuple[str, str], int] = {}
    for one in found.failures:
        key = (one["regimen"], one["reason"])
        counts[key] = counts.get(key, 0) + 1
    lines = [words("schedule.failed", failed=len(found.failures), total=found.size * len(found.names))]
    for (name, reason), count in counts.items():
        shown = title(words, found.candidates.regimen(name))
        lines.append(words("schedule.reason", regimen=shown, count=count, reason=reason))
    return lines


def render(found: Schedule, lang: str = "en", command: str = "") -> str:
    """Show schedules compared as one HTML page that loads nothing and runs no script.

    Parameters
    ----------
    found : Schedule
        What comes of each regimen.
    lang : {"en", "zh"}
    command : str
        Command that makes it again.

    Returns
    -------
    str
        The HTML text, to be written as UTF-8.
    """
    words, style = load(lang), _style()
    shown = rows(words, found)
    versions = found.manifest.get("versions", {})
    # A switch moves markers so far that the rest would be one point on its scale.
    timed, switched = ([row for row in shown if row["switch"] is one] for one in (False, True))
    parts = [(words(f"schedule.panels_{one}"), part) for one, part in (("timing", timed), ("switch", switched)) if part]
    together = [(words("schedule.panels_all"), front_panels(words, found, shown))] if switched else []
    return _template().render(
        words=words,
        title=heading(words, found),
        facts=facts(words, found),
        failures=failures(words, found),
        notes=notes(words, found),
        groups=_groups(words),
        measures=[(one.name, words(f"schedule.{one.name}"), words(f"schedule.about_{one.name}")) for one in MEASURES],
        rows=shown,
        differences=[(one, difference_panels(words, found, part)) for one, part in parts],
        front_text=front_text(words),
        scatter=[(words("schedule.panels_timing"), front_panels(words, found, timed)), *together],
        curves=[(one, curve_panels(found, part)) for one, part in parts],
        command=command,
        scenario_text=json.dumps(found.candidates.scenario.to_dict(), indent=2, ensure_ascii=False),
        manifest=tables.manifest_rows(found.manifest),
        version=versions.get("osteon", ""),
        other=next(one for one in LANGUAGES if one != lang),
        style=style,
        policy=html._policy(style, ""),
    )


def _groups(words: Words) -> list[tuple[str, int]]:
    """Groups of measures in order, and how many measures each has."""
    counts: dict[str, int] = {}
    for one in MEASURES:
        counts[one.group] = counts.get(one.group, 0) + 1
    return [(words(f"schedule.group_{name}"), count) for name, count in counts.items()]


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(html._resource("templates", "schedule.html.j2"))


@cache
def _style() -> str:
    return "\n".join(html._resource("templates", name) for name in _STYLES)

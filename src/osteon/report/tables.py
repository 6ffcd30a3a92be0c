"""The tables of the report: endpoints per arm, parameters, and the manifest."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from osteon.endpoints.function import FUNCTION_UNITS
from osteon.endpoints.safety import SAFETY_UNITS
from osteon.endpoints.treatment import BEYOND, CALCIUM, NOT_APPLICABLE
from osteon.endpoints.union import RULES, endpoint_of
from osteon.report.charts import unit_text
from osteon.report.locale import Words
from osteon.report.numbers import MONTH, fixed, is_number, plain

HOW_ORDER = ("assumed", "fitted", "digitised", "read", "defined")

# Row by which a course says that an arm could not be solved; the reason stands among the notes.
FAILED = "course"
DAYS = ("day", "days", "d")
_WEEKS = ("week6", "week12", "week26", "week52")
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("stages", ("inflammation_end", "soft_callus_peak", "hard_callus_start", "remodelling_start")),
    ("union", tuple(endpoint_of(rule) for rule in RULES)),
    ("stiffness", tuple(f"torsional_stiffness_{week}" for week in _WEEKS)),
    ("strength", tuple(f"torsional_strength_{week}" for week in _WEEKS)),
    ("tissue", ("lamellar_share_week52",)),
    ("function", tuple(FUNCTION_UNITS)),
    ("markers", ("CTX_nadir", "CTX_last", "P1NP_nadir", "P1NP_last")),
    ("density", ("BMD_lumbar_spine_last", "BMD_total_hip_last", "BMD_femoral_neck_last")),
    ("rebound", tuple(name for name in SAFETY_UNITS if name.startswith("rebound"))),
    ("loss", tuple(name for name in SAFETY_UNITS if name.endswith("_lost"))),
    ("calcium", CALCIUM),
)
_SYSTEMIC = ("markers", "density", "rebound", "loss", "calcium", "other")
#: Endpoints in points of a scale; they have digits of their own and no unit.
POINTS = {name: int(name.startswith("pain_")) for name in FUNCTION_UNITS if name.startswith(("pain_week", "harris_"))}
_SMALL_RISK = 0.001  # a smaller one is not told from none
#: Endpoints that are a time between two moments, and no day of the course.
DURATIONS = tuple(name for name, unit in SAFETY_UNITS.items() if unit in DAYS)
KEY_HEALING = ("time_to_union", "torsional_stiffness_week12", "lamellar_share_week52", "CTX_last")
KEY_TURNOVER = ("CTX_nadir", "CTX_last", "BMD_lumbar_spine_last", "BMD_total_hip_last")


def endpoint_text(words: Words, value: float, unit: str, name: str = "") -> str:
    """An endpoint as a person reads it: days in words, fractions in per cent, changes with their sign."""
    if unit in DAYS:
        return words("value.days" if name in DURATIONS else "value.day", day=fixed(value, 0))
    if name in POINTS:
        return fixed(value, POINTS[name])
    if name.endswith("_risk") and 0 < value < _SMALL_RISK:
        return f"<{fixed(_SMALL_RISK * 100, 1)} %"
    if unit in ("1", ""):
        return f"{fixed(value * 100, int(0 < abs(value) < 0.01))} %"
    if unit == "%*day":
        return f"{fixed(value, 0)} {words('unit.percent_days')}"
    if unit.startswith("%"):
        return f"{fixed(value, 1, signed=not name.endswith('_lost'))} %"
    return f"{plain(value, 3)} {unit}"


def endpoint_cells(words: Words, frame: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """Cell of each (arm, endpoint): its text, weeks beside days, its note, and whether there is a value."""
    cells = {}
    for row in frame.to_dict("records"):
        if row["endpoint"] == FAILED:
            continue
        value = float(row["value"]) if row["value"] is not None else math.nan
        unit, note = (one if isinstance(one, str) else "" for one in (row.get("unit"), row.get("note")))
        name, reached, applies = str(row["endpoint"]), math.isfinite(value), note not in NOT_APPLICABLE
        missing = words(f"value.{'not_applicable' if not applies else 'beyond' if note == BEYOND else 'not_reached'}")
        cells[str(row["arm"]), name] = {
            "text": endpoint_text(words, value, unit, name) if reached else missing,
            "detail": _detail(words, value, name) if reached and unit in DAYS else "",
            "span": _span(words, row.get("low"), row.get("high"), unit, name) if reached else "",
            "note": words.get(f"note.{note}", note),
            "reached": reached,
            "applies": applies,
        }
    return cells


def _detail(words: Words, days: float, name: str) -> str:
    """A time in a longer unit: weeks after the fracture, months where it is a long time between two moments."""
    if name not in DURATIONS:
        return words("value.week", week=fixed(days / 7, 1))
    return words("value.months", n=fixed(days / MONTH, 1)) if days >= 2 * MONTH else ""


def _span(words: Words, low: Any, high: Any, unit: str, name: str) -> str:
    """Range over the ensemble members, or nothing where it rounds away."""
    if not (is_number(low) and is_number(high)):
        return ""
    if unit in DAYS:
        ends = [fixed(one, 0) for one in (low, high)]
    else:
        ends = [endpoint_text(words, one, unit, name) for one in (low, high)]
    return words("value.range", low=ends[0], high=ends[1]) if ends[0] != ends[1] else ""


def summary(words: Words, cells: dict[tuple[str, str], dict[str, Any]], arms: list[str], healing: bool) -> list[dict]:
    """Groups of rows for the summary table; groups that do not apply are left out."""
    present = dict.fromkeys(endpoint for _, endpoint in cells)
    known = {endpoint for _, endpoints in GROUPS for endpoint in endpoints}
    other = tuple(endpoint for endpoint in present if endpoint not in known)
    blank = {"detail": "", "span": "", "note": "", "reached": False, "applies": False}
    missing = {**blank, "text": words("value.not_computed")}
    apart = {**blank, "text": words("value.not_applicable")}
    groups = []
    for name, endpoints in (*GROUPS, ("other", other)):
        if not healing and name not in _SYSTEMIC:
            continue
        # Safety is about treated arms, function about people and hips; what applies to no arm is left out.
        shown = [
            endpoint
            for endpoint in endpoints
            if endpoint not in (*SAFETY_UNITS, *FUNCTION_UNITS)
            or any(cells.get((arm, endpoint), apart)["applies"] for arm in arms)
        ]
        rows = [
            {
                "key": endpoint,
                "title": words.get(f"endpoint.{endpoint}", endpoint.replace("_", " ")),
                "cells": [cells.get((arm, endpoint), apart if endpoint in SAFETY_UNITS else missing) for arm in arms],
            }
            for endpoint in shown
        ]
        _say_once(rows)
        if rows:
            groups.append({"title": words(f"group.{name}"), "rows": rows})
    return groups


def _say_once(rows: list[dict[str, Any]]) -> None:
    """Leave out why an endpoint does not apply where it stands in the row above already."""
    for above, row in reversed(list(pairwise(rows))):
        for cell, other in zip(row["cells"], above["cells"], strict=True):
            if not cell.get("applies", True) and cell["note"] == other["note"]:
                cell["note"] = ""


def highlights(words: Words, cells: dict[tuple[str, str], dict[str, Any]], arm: str, healing: bool) -> list[dict]:
    """The few numbers that stand on the card of an arm."""
    chosen = KEY_HEALING if healing else KEY_TURNOVER
    return [{"title": words(f"endpoint.{name}"), **cells[arm, name]} for name in chosen if (arm, name) in cells]


def parameter_rows(words: Words, records: Any) -> list[dict[str, str]]:
    """Rows of the parameter table, the assumed ones first, then by how well they are founded."""
    rank = {how: place for place, how in enumerate(HOW_ORDER)}
    rows = []
    for record in sorted(records, key=lambda one: rank.get(str(one.how), len(rank))):
        value = record.value
        fields = {name: _text(getattr(record, name, "")) for name in ("unit", "meaning", "source", "note")}
        how = str(record.how)
        rows.append(
            fields
            | {
                "name": _text(getattr(record, "key", record.name)),
                "symbol": _text(getattr(record, "symbol", "")),
                "range": _range(getattr(record, "range", None)),
                "unit": "–" if fields["unit"] == "1" else unit_text(fields["unit"]),
                "value": plain(value) if is_number(value) else _text(value),
                "sort": repr(float(value)) if is_number(value) else "",
                "how": how,
                "how_title": words.get(f"parameter.how_{how}", how),
                "set": _text(getattr(record, "set", "")),
            }
        )
    return rows


def how_counts(words: Words, rows: list[dict[str, str]]) -> list[dict[str, Any]]:
    """How many parameters were obtained in each way, in the order of the table."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["how"]] = counts.get(row["how"], 0) + 1
    return [
        {
            "how": how,
            "title": words.get(f"parameter.how_{how}", how),
            "explain": words.get(f"parameter.explain_{how}", ""),
            "count": count,
        }
        for how, count in counts.items()
    ]


def manifest_rows(tree: Any, prefix: str = "") -> list[tuple[str, str]]:
    """The manifest as flat rows of dotted name and text."""
    rows: list[tuple[str, str]] = []
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            rows += manifest_rows(value, f"{name}.")
        else:
            rows.append((name, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)))
    return rows


def _range(ends: tuple[float, float] | None) -> str:
    return f"({plain(ends[0], 3)}–{plain(ends[1], 3)})" if ends else ""


def _text(value: Any) -> str:
    return "" if value is None else str(value)

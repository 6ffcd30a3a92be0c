"""The pages of a calibration: data over model for every study arm, dose and response, and the tables."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from osteon.calibrate.compare import Comparison, comparisons
from osteon.calibrate.curves import CURVES, Picture
from osteon.report import findings, html, tables
from osteon.report.data import embed
from osteon.report.findings import signed
from osteon.report.locale import LANGUAGES, Words, load
from osteon.report.numbers import fixed, plain
from osteon.report.panels import arm_panel, comparison_panel, dose_panel, drug_titles

if TYPE_CHECKING:
    import jinja2

    from osteon.parameters import Record

#: Name of the page in each language.
FILES = {"en": "calibration.html", "zh": "calibration.zh.html"}
_SCRIPTS = ("format.js", "chart.js", "calibration.js")
_STYLES = ("report.css", "calibration.css")


def pages(
    told: Mapping[str, Any], records: Mapping[str, Record], shown: Picture | None = None, name: str = "turnover"
) -> dict[str, str]:
    """Every page of a calibration, by the name of its file; see `render`."""
    return {file: render(told, records, shown, lang, name) for lang, file in FILES.items()}


def render(
    told: Mapping[str, Any],
    records: Mapping[str, Record],
    shown: Picture | None = None,
    lang: str = "en",
    name: str = "turnover",
) -> str:
    """Show a calibration as one self-contained HTML page.

    Parameters
    ----------
    told : mapping
        What there is to tell, as `osteon.calibrate.findings.document` returns it.
    records : mapping of str to Record
        Unit and meaning of every free parameter.
    shown : Picture, optional
        Curves beside the tables.
    lang : str
        ``"en"`` or ``"zh"``.
    name : str
        Of what was calibrated.

    Returns
    -------
    str
        The HTML text, to be written as UTF-8.

    Raises
    ------
    InputError
        If there is no such language.
    """
    words, shown = load(lang), shown or Picture()
    compared = comparisons(shown.arms)
    panels = [arm_panel(words, one, place) for place, one in enumerate(shown.arms)]
    doses = [dose_panel(words, one) for one in shown.doses]
    beside = [comparison_panel(words, one) for one in compared]
    style, script = _style(), _script()
    other = next(one for one in LANGUAGES if one != lang)
    return _template().render(
        words=words,
        title=words("calibration.title", name=words.get(f"calibration.name_{name}", name)),
        name=name,
        notes=_notes(words, told),
        facts=_facts(words, told, shown),
        targets=[findings.target(words, one) for one in told["targets"]],
        met=sum(one["met"] is True for one in told["targets"]),
        panels=panels,
        curves=[(key, words(f"calibration.curve_{key}")) for key in CURVES if any(p["curve"] == key for p in panels)],
        drugs=drug_titles(words, panels),
        structures_drawn=any(panel["structures"] for panel in panels),
        doses=doses,
        compared=[_comparison(words, one, panel) for one, panel in zip(compared, beside, strict=True)],
        parameters=findings.parameters(words, told, records),
        blind=findings.blind(words, told),
        structures=[findings.structure(words, one) for one in told["structures"]],
        ablations=[findings.ablation(words, one) for one in told["ablations"]],
        manifest=tables.manifest_rows(told["manifest"]),
        version=told["manifest"].get("packages", {}).get("osteon", ""),
        seed=told["manifest"].get("seed", ""),
        other_file=FILES[other],
        other=other,
        uplot_licence=html._resource("static", "uPlot-LICENSE.txt"),
        data=embed(_document(words, [*panels, *doses, *beside])),
        style=style,
        script=script,
        policy=html._policy(style, script),
    )


def _document(words: Words, panels: list[dict[str, Any]]) -> dict[str, Any]:
    """What the script needs; of a panel, what is drawn and not what stands in the page already."""
    drawn = (
        "id",
        "unit",
        "axis",
        "x",
        "low",
        "median",
        "high",
        "structures",
        "points",
        "doses",
        "courses",
        "others",
        "joined",
    )
    chosen = ("months", "month", "dose_axis", "dose_value", "observed", "use_fit", "use_check", "noise", "shown")
    return {
        "panels": [{key: panel[key] for key in drawn if key in panel} for panel in panels],
        "words": {key: words(f"calibration.{key}") for key in chosen},
        # The shared drawing code asks for these.
        "clocks": {},
        "arms": [],
        "charts": [],
        "fractured": False,
    }


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(html._resource("templates", "calibration.html.j2"))


@cache
def _style() -> str:
    return "\n".join(
        (html._resource("static", "uPlot.min.css"), *(html._resource("templates", name) for name in _STYLES))
    )


@cache
def _script() -> str:
    own = "\n".join(html._resource("templates", name) for name in _SCRIPTS)
    return f'{html._resource("static", "uPlot.iife.min.js")}\n(() => {{\n"use strict";\n{own}}})();\n'


def _notes(words: Words, told: Mapping[str, Any]) -> list[str]:
    notes = [] if told["converged"] else [words("calibration.unsettled")]
    if told["draws_failed"]:
        notes.append(words("calibration.failed", failed=told["draws_failed"], draws=told["draws"]))
    return notes


def _facts(words: Words, told: Mapping[str, Any], shown: Picture) -> list[tuple[str, str]]:
    drawn = sum(one["weight"] * told["draws"] >= 0.5 for one in told["structures"])
    named = {"draws": told["draws"], "structures": drawn}
    minutes = plain(max(told["seconds"] / 60, 0.1), 2)
    made = words("calibration.made_text", seed=told["manifest"].get("seed", "–"), minutes=minutes)
    return [
        (words("calibration.draws"), words("calibration.draws_text", shown=shown.draws, **named)),
        (words("calibration.leading"), f"{told['leading']}: {findings.structure_title(words, told['leading'])}"),
        (words("calibration.made"), made),
    ]


def _comparison(words: Words, one: Comparison, panel: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of the table of models: observed first, then osteon, then the others."""
    observed = {day: row.value for day, row in one.observed.items()}
    osteon = {day: middle for day, (_, middle, _) in one.osteon.items()}
    ends = [f"{signed(low)} – {signed(high)}" for low, _, high in one.osteon.values()]
    rows = [_model(words, one, "observed_row", "observed_note", observed)]
    rows.append(_model(words, one, "osteon_row", "osteon_note", osteon) | {"ends": ends})
    for model in one.models:
        note = words("calibration.provenance_fitted" if model.fitted else "calibration.provenance_own")
        rows.append({**_model(words, one, "", "", model.values), "name": model.name, "note": note})
    return {"panel": panel, "days": [words("calibration.day", day=plain(day, 5)) for day in one.days], "rows": rows}


def _model(words: Words, one: Comparison, name: str, note: str, values: Mapping[float, float]) -> dict[str, Any]:
    errors = (None, None) if name == "observed_row" else one.rmse(values)
    return {
        "name": words(f"calibration.{name}") if name else "",
        "note": words(f"calibration.{note}") if note else "",
        "values": [signed(values[day]) if day in values else "–" for day in one.days],
        "ends": [],
        "errors": ["–" if error is None else fixed(error, 1) for error in errors],
        "kind": name,
    }

"""The page of a calculation of power: curves, the walk of one trial, what designs and early stopping do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from osteon.report import html
from osteon.report.locale import Words, load
from osteon.report.power import basis, facts, numbers, tables, title, walk_said
from osteon.report.trial_svg import Axis, Line, chart

if TYPE_CHECKING:
    import jinja2

_SECTIONS = ("power", "planned", "walk", "variations", "looks", "basis")
_RATIO_TICKS = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
_WIDEST = 4.0  # the axis of a ratio goes no farther than this from no effect


def render(found: Mapping[str, Any], lang: str = "en") -> str:
    """Show a calculation of power as one self-contained HTML page.

    Parameters
    ----------
    found : mapping
        What was found, as `osteon.trial.power.PowerRun` has it, with ``command`` and ``versions``.
    lang : {"en", "zh"}

    Returns
    -------
    str
        The HTML text, to be written as UTF-8.

    Raises
    ------
    InputError
        There is no such language.
    """
    words = load(lang)
    told = {one.key: one for one in tables(words, found)}
    figures = {}
    if found.get("power"):
        figures["power"] = _curves(words, found)
    if found.get("walk"):
        figures["walk"] = _walk(words, found)
    leads = {"walk": walk_said(words, found)}
    style = _style()
    return _template().render(
        words=words,
        title=title(words, found),
        facts=facts(words, found),
        tables=told,
        figures=figures,
        leads={id: leads.get(id, []) for id in _SECTIONS},
        present=[id for id in _SECTIONS if id in told or id in figures or id == "basis"],
        basis=basis(words, found),
        command=found.get("command", ""),
        version=(found.get("versions") or {}).get("osteon", ""),
        style=style,
        policy=html._policy(style, ""),
    )


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(html._resource("templates", "power.html.j2"))


@cache
def _style() -> str:
    own = "\n.basis { max-width: 92ch; } .charts:has(> :only-child) { max-width: 760px; grid-template-columns: 1fr; }"
    own += "\npre { white-space: pre-wrap; overflow-wrap: anywhere; }\n"
    return "\n".join(html._resource("templates", name) for name in ("report.css", "trial.css")) + own


def _curves(words: Words, found: Mapping[str, Any]) -> dict[str, Any]:
    sizes = [row["n"] for row in found["power"]]
    is_null = found["effect"]["kind"] == "null"
    lines = [
        _line(words("power.curve_null" if is_null else "power.curve_power"), 1 if is_null else 0, sizes, found["power"])
    ]
    if found.get("assurance"):
        lines.append(_line(words("power.curve_assurance"), 2, sizes, found["assurance"]))
    if found.get("null"):
        lines.append(_line(words("power.curve_null"), 1, sizes, found["null"]))
    closed = found.get("closed_curve") or []
    if closed:
        x, y = [one["n"] for one in closed], [one["power"] for one in closed]
        lines.append(Line(words("power.curve_closed"), 4, x, y, kind="line", style="dashed"))
    top = 1.0 if not is_null else max(0.1, *(row["high"] for row in found["power"]))
    svg = chart(
        lines,
        Axis(0, 1.06 * sizes[-1], words("power.n")),
        _Shares(0, top * 1.02, percent=True),
        words("power.section_power"),
        zero=found["alpha"],
    )
    named = f"{words('power.fact_effect')}{words('power.colon')}{facts(words, found)[0][1]}"
    return {"title": named, "svg": svg, "legend": lines, "notes": []}


def _line(name: str, place: int, sizes: list[int], rows: Any) -> Line:
    low, middle, high = ([row[key] for row in rows] for key in ("low", "share", "high"))
    return Line(name, place, sizes[: len(middle)], middle, low, high, kind="points")


def _walk(words: Words, found: Mapping[str, Any]) -> dict[str, Any]:
    walk = found["walk"]
    patients, ratio = walk["patients"], walk["none"] == 1
    shown = {name: numbers(walk[name]) for name in ("estimate", "low", "high")}
    lines: list[Any] = []
    if walk["band"]:
        band = numbers(walk["band"]["low"]), numbers(walk["band"]["high"])
        name = words("power.walk_band", trials=walk["band"]["trials"])
        lines.append((name, 4, [math.nan] * len(patients), *band, "line", "thin"))
    lines.append((words("power.walk_one"), 0, *shown.values(), "points", ""))
    true = found["population"]["time_ratio"] if walk["measure"] == "time_ratio" else None
    if true is not None:
        lines.append((words("power.walk_true"), 1, [true] * len(patients), None, None, "line", "dashed"))
    if ratio:
        lines = [
            (name, place, *(_logs(one) for one in parts), kind, style) for name, place, *parts, kind, style in lines
        ]
    drawn = [
        Line(name, place, patients, y, low, high, kind=kind, style=style)
        for name, place, y, low, high, kind, style in lines
    ]
    values = [one for line in drawn for part in (line.y, line.low, line.high) if part is not None for one in part]
    y = _ratio_axis(words, values, walk["measure"]) if ratio else _axis(words, values, walk["measure"])
    held = [_held(line, y) for line in drawn]
    x = Axis(0, 1.03 * patients[-1], words("power.axis_patients"))
    zero = 0.0
    svg = chart(held, x, y, words("power.section_walk"), zero=zero)
    return {"title": words(f"power.measure_{walk['measure']}"), "svg": svg, "legend": drawn, "notes": []}


class _Shares(Axis):
    """An axis of shares, with the 80 % that trials are planned for among its ticks."""

    def ticks(self, most: int = 6) -> list[float]:
        return [one / 5 for one in range(6)] if self.high >= 1 else super().ticks(most)


class _Ratios(Axis):
    """An axis of logarithms whose ticks are written as ratios."""

    def ticks(self, most: int = 6) -> list[float]:
        return [math.log(one) for one in _RATIO_TICKS if self.low <= math.log(one) <= self.high]

    def text(self, value: float) -> str:
        return f"{math.exp(value):.3g}"


def _logs(values: list[float] | None) -> list[float] | None:
    return None if values is None else [math.log(one) if one > 0 else math.nan for one in values]


def _ratio_axis(words: Words, values: list[float], measure: str) -> Axis:
    known = [one for one in values if math.isfinite(one)]
    most = math.log(_WIDEST)
    low, high = min([*known, -0.35]), max([*known, 0.35])
    return _Ratios(max(low, -most), min(high, most))


def _axis(words: Words, values: list[float], measure: str) -> Axis:
    known = [one for one in values if math.isfinite(one)] or [0.0, 1.0]
    low, high = min(*known, 0.0), max(*known, 0.0)
    room = 0.05 * (high - low) or 1.0
    return Axis(low - room, high + room)


def _held(line: Line, axis: Axis) -> Line:
    """The line within the axis: the first intervals of a walk are wider than any picture."""

    def inside(values: Any) -> Any:
        return None if values is None else [min(max(one, axis.low), axis.high) if one == one else one for one in values]

    return Line(
        line.name, line.place, line.x, inside(line.y), inside(line.low), inside(line.high), line.kind, line.style
    )

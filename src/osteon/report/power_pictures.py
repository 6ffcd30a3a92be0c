"""Still pictures of a calculation of power, by matplotlib: curves, the walk of one trial, what designs cost."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping
from textwrap import fill
from typing import TYPE_CHECKING, Any

from osteon.errors import MissingExtra
from osteon.report.fonts import chinese_font
from osteon.report.locale import Words, load
from osteon.report.power import numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BLUE, _RED, _GREY, _GREEN = "#1f6fb2", "#c0392b", "#777777", "#2e8b57"
_DPI = 150


def pictures(found: Mapping[str, Any], lang: str = "en") -> dict[str, bytes]:
    """PNG files by name: ``power.png``, ``walk.png`` and ``variations.png``, as far as there is something to show.

    Parameters
    ----------
    found : mapping
        What was found, as `osteon.trial.power.PowerRun` has it.
    lang : {"en", "zh"}
        Language; English where no font with Chinese letters is installed.

    Raises
    ------
    MissingExtra
        matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise MissingExtra("Pictures of power", "plot") from None
    font = chinese_font() if lang == "zh" else None
    words = load("zh" if font else "en")
    style: Any = {"font.sans-serif": [font, "DejaVu Sans"]} if font else {}
    made: dict[str, Callable[[Words, Mapping[str, Any]], Figure]] = {}
    if found.get("power"):
        made["power.png"] = _power
    if found.get("walk"):
        made["walk.png"] = _walk
    if found.get("variations"):
        made["variations.png"] = _variations
    drawn = {}
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False} | style):
        for name, draw in made.items():
            file = io.BytesIO()
            # Without the version in it, so that the same numbers give the same file.
            draw(words, found).savefig(file, format="png", dpi=_DPI, metadata={"Software": None})
            drawn[name] = file.getvalue()
    return drawn


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def _power(words: Words, found: Mapping[str, Any]) -> Figure:
    figure, ax = _figure(6.4, 4.2)
    rows = found["power"]
    sizes = [row["n"] for row in rows]
    is_null = found["effect"]["kind"] == "null"
    ax.axhline(100 * found["alpha"], color=_GREY, lw=0.8, ls=":")
    if not is_null:
        ax.axhline(80, color=_GREY, lw=0.8, ls=":")
        closed = found.get("closed_curve") or []
        shown = [(one["n"], 100 * one["power"]) for one in closed]
        if shown:
            ax.plot(*zip(*shown, strict=True), color=_GREY, lw=1.4, ls="--", label=words("power.curve_closed"))
    _points(ax, sizes, rows, _RED if is_null else _BLUE, words("power.curve_null" if is_null else "power.curve_power"))
    if found.get("assurance"):
        _points(ax, sizes, found["assurance"], _GREEN, words("power.curve_assurance"), marker="s")
    if found.get("null"):
        _points(ax, sizes, found["null"], _RED, words("power.curve_null"), marker="v")
    ax.set(xlabel=words("power.n"), ylabel="%", ylim=(0, None if is_null else 102), xlim=(0, None))
    ax.set_title(_title(words, found), loc="left", fontsize=10)
    ax.legend(frameon=False, loc="upper right" if is_null else "center right")
    return figure


def _points(ax: Any, sizes: list[int], rows: Any, colour: str, label: str, marker: str = "o") -> None:
    middle = [100 * row["share"] for row in rows]
    low = [100 * (row["share"] - row["low"]) for row in rows]
    high = [100 * (row["high"] - row["share"]) for row in rows]
    sizes = sizes[: len(middle)]
    ax.errorbar(sizes, middle, (low, high), color=colour, marker=marker, ms=4, lw=1.4, capsize=2, label=label)


def _walk(words: Words, found: Mapping[str, Any]) -> Figure:
    figure, ax = _figure(6.4, 4.2)
    walk = found["walk"]
    patients, ratio = walk["patients"], walk["none"] == 1
    middle, low, high = (numbers(walk[name]) for name in ("estimate", "low", "high"))
    if walk["band"]:
        ends = numbers(walk["band"]["low"]), numbers(walk["band"]["high"])
        label = words("power.walk_band", trials=walk["band"]["trials"])
        ax.fill_between(patients, *ends, color=_GREY, alpha=0.2, lw=0, label=label)
    ax.errorbar(
        patients,
        middle,
        ([m - a for m, a in zip(middle, low, strict=True)], [b - m for m, b in zip(middle, high, strict=True)]),
        color=_BLUE,
        marker="o",
        ms=2.5,
        lw=1.2,
        elinewidth=0.7,
        label=words("power.walk_one"),
    )
    ax.axhline(walk["none"], color="black", lw=0.9)
    if walk["measure"] == "time_ratio" and found["population"]["time_ratio"]:
        ax.axhline(found["population"]["time_ratio"], color=_RED, lw=1, ls="--", label=words("power.walk_true"))
    if ratio:
        ends = _room([*middle, *low, *high])
        ax.set_yscale("log")
        ax.set_ylim(*ends)
        ticks = [one for one in (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10) if ends[0] <= one <= ends[1]]
        ax.set_yticks(ticks, [f"{one:g}" for one in ticks])
        ax.minorticks_off()
    ax.set(xlabel=words("power.axis_patients"), ylabel=words(f"power.measure_{walk['measure']}"))
    ax.set_title(_title(words, found), loc="left", fontsize=10)
    ax.legend(frameon=False, loc="best")
    return figure


def _room(values: list[float], widest: float = 20.0) -> tuple[float, float]:
    """Ends of an axis of ratios; the first intervals may be wider than it."""
    known = [one for one in values if math.isfinite(one) and one > 0] or [1.0]
    return max(min(*known, 0.8), 1 / widest) * 0.95, min(max(*known, 1.25), widest) * 1.05


def _variations(words: Words, found: Mapping[str, Any]) -> Figure:
    rows = [("base", found["power"]), *((one["key"], one["rows"]) for one in found["variations"])]
    figure, ax = _figure(6.8, 1.2 + 0.36 * len(rows))
    sizes = [row["n"] for row in found["power"]]
    shades = [0.35 + 0.65 * (place + 1) / len(sizes) for place in range(len(sizes))]
    for place, n in enumerate(sizes):
        own = [one[place] for _, one in rows]
        middle = [100 * one["share"] for one in own]
        ends = ([100 * (o["share"] - o["low"]) for o in own], [100 * (o["high"] - o["share"]) for o in own])
        at = list(range(len(rows)))
        shade = {"color": _BLUE, "alpha": shades[place]}
        ax.errorbar(middle, at, xerr=ends, fmt="o", ms=4.5, lw=1.1, capsize=2, label=f"n = {n}", **shade)
        ax.axvline(middle[0], lw=0.7, ls=":", **shade)
    ax.set_yticks(range(len(rows)), [words(f"power.variation_{key}") for key, _ in rows])
    ax.invert_yaxis()
    ax.set(xlabel=f"{words('power.power')} [%]", xlim=(0, 102))
    ax.legend(frameon=False, ncols=len(sizes), loc="lower left", bbox_to_anchor=(0, 1.0), fontsize=8)
    return figure


def _title(words: Words, found: Mapping[str, Any]) -> str:
    effect = found["effect"]
    ratio = "" if effect["ratio"] is None else f"{effect['ratio']:g}"
    text = words(f"power.effect_{effect['kind']}", ratio=ratio)
    title = _wrapped(found["title"] or words("power.untitled"))
    return f"{title}\n{words('power.fact_effect')}: {text}"


def _wrapped(text: str) -> str:
    """In lines that fit above a chart; Chinese letters are twice as wide and have no spaces to break at."""
    wide = sum(ord(letter) > 0x2E80 for letter in text) > len(text) / 4
    return "\n".join(text[at : at + 40] for at in range(0, len(text), 40)) if wide else fill(text, 85)

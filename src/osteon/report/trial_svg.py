"""Still charts as inline SVG: steps, curves with bands, points with whiskers, bars in order; colours come from CSS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from osteon.report.numbers import plain

WIDTH, HEIGHT = 520.0, 300.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 60.0, 24.0, 12.0, 46.0
_ROW = 19.0  # height of a row of numbers below the axis
_COLOURS = 8
Values = Sequence[float] | np.ndarray
_POINTS = 500  # more than a chart of this width can show


@dataclass(frozen=True)
class Line:
    """One curve of a chart.

    Attributes
    ----------
    name : str
        What it is, for the tooltip.
    place : int
        Number of the arm, which gives the colour.
    x, y : sequence of float
        Points; NaN leaves a gap.
    low, high : sequence of float, optional
        Ends of the band or of the whiskers.
    kind : {"step", "line", "points"}
    style : {"", "dashed", "thin", "area"}
        An area is shaded between `low` and `high`, and has no curve of its own.
    """

    name: str
    place: int
    x: Values
    y: Values
    low: Values | None = None
    high: Values | None = None
    kind: str = "step"
    style: str = ""


@dataclass(frozen=True)
class Axis:
    """An axis: its ends, ticks and title; `scale` divides the values where ticks are written."""

    low: float
    high: float
    title: str = ""
    scale: float = 1.0
    percent: bool = False

    def ticks(self, most: int = 6) -> list[float]:
        """Round values between the ends, in the units of the data."""
        low, high = self.low / self.scale, self.high / self.scale
        step = nice_step((high - low) / most)
        first = math.ceil(low / step - 1e-9)
        count = math.floor(high / step + 1e-9) - first
        return [(first + number) * step * self.scale for number in range(count + 1)]

    def text(self, value: float) -> str:
        """The value as it stands beside a tick."""
        shown = value / self.scale
        return f"{plain(100 * shown, 4)} %" if self.percent else plain(shown, 5)


def nice_step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `least`."""
    if not (math.isfinite(least) and least > 0):
        return 1.0
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= least * (1 - 1e-9))


def around(values: Sequence[float], floor: float | None = None) -> tuple[float, float]:
    """Ends of an axis that hold all finite values with a little room; at least `floor` wide of nothing."""
    known = np.asarray(values, dtype=float)
    known = known[np.isfinite(known)]
    if not known.size:
        return (0.0, 1.0)
    low, high = float(known.min()), float(known.max())
    low = min(low, floor) if floor is not None else low
    room = 0.05 * (high - low) or 0.05 * max(abs(high), 1.0)
    return (low if low == floor else low - room, high + room)


def chart(
    lines: Sequence[Line],
    x: Axis,
    y: Axis,
    label: str,
    *,
    at_risk: Sequence[tuple[int, str, Sequence[tuple[float, int]]]] = (),
    at_risk_title: str = "",
    zero: float | None = None,
    ticks: Sequence[float] | None = None,
) -> Markup:
    """Curves over time, with rows of numbers under the axis where there are any.

    Parameters
    ----------
    lines : sequence of Line
    x, y : Axis
    label : str
        What a screen reader says of the chart.
    at_risk : sequence of (place, name, [(x, number), ...])
        A row an arm.
    at_risk_title : str
    zero : float, optional
        Level at which a line is drawn across.
    ticks : sequence of float, optional
        Ticks of the x axis; round values if left out.
    """
    height = HEIGHT + (_ROW * (len(at_risk) + 1) if at_risk else 0)
    sx, sy = _scale(x, _LEFT, WIDTH - _RIGHT), _scale(y, HEIGHT - _BOTTOM, _TOP)
    ticks = x.ticks() if ticks is None else [one for one in ticks if x.low <= one <= x.high]
    parts = [_grid(x, y, sx, sy, ticks)]
    if zero is not None:
        parts.append(f'<line class="zero" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{_n(sy(zero))}" y2="{_n(sy(zero))}"/>')
    parts += [_band(one, sx, sy) for one in lines if one.low is not None and one.kind != "points"]
    parts += [_curve(one, sx, sy) for one in lines]
    if at_risk:
        parts.append(_numbers(at_risk, at_risk_title, sx))
    return _svg(height, label, parts)


def bars(
    values: Sequence[float], kinds: Sequence[str], y: Axis, label: str, x_title: str, edges: Sequence[float] = ()
) -> Markup:
    """Values in order as bars from zero.

    Parameters
    ----------
    values : sequence of float
        Heights, ordered.
    kinds : sequence of str
        CSS class of each bar.
    y : Axis
    label, x_title : str
    edges : sequence of float
        Levels at which dashed lines are drawn.
    """
    sy = _scale(y, HEIGHT - _BOTTOM, _TOP)
    x = Axis(0.0, 1.0, x_title, percent=True)
    sx = _scale(x, _LEFT, WIDTH - _RIGHT)
    parts = [_grid(x, y, sx, sy, x.ticks(5))]
    wide = 1.0 / max(len(values), 1)
    for place, (value, kind) in enumerate(zip(values, kinds, strict=True)):
        left, right = sx(place * wide), sx((place + 1) * wide)
        top, low = sorted((sy(min(max(value, y.low), y.high)), sy(0.0)))
        size = f'x="{_n(left)}" y="{_n(top)}" width="{_n(max(right - left, 0.4))}" height="{_n(low - top)}"'
        parts.append(f'<rect class="bar {kind}" {size}/>')
    parts.append(f'<line class="zero" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{_n(sy(0.0))}" y2="{_n(sy(0.0))}"/>')
    for edge in edges:
        if y.low < edge < y.high:
            ends = f'y1="{_n(sy(edge))}" y2="{_n(sy(edge))}"'
            parts.append(f'<line class="edge" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" {ends}/>')
    return _svg(HEIGHT, label, parts)


def interval(value: float, low: float, high: float, axis: Axis, null: float, label: str) -> Markup:
    """One estimate and its interval on a short axis with the value of no effect; of a table's cell."""
    wide, middle = 200.0, 9.0
    sx = _scale(axis, 4.0, wide - 4.0)

    def held(one: float) -> float:
        return sx(min(max(one, axis.low), axis.high))

    parts = [f'<line class="zero" x1="{_n(held(null))}" x2="{_n(held(null))}" y1="0" y2="18"/>']
    if math.isfinite(low) and math.isfinite(high):
        ends = f'x1="{_n(held(low))}" x2="{_n(held(high))}"'
        parts.append(f'<line class="whisker" {ends} y1="{middle}" y2="{middle}"/>')
    if math.isfinite(value):
        parts.append(f'<circle class="dot" cx="{_n(held(value))}" cy="{middle}" r="4"/>')
    inside = "".join(parts)
    text = f'<svg class="estimate" viewBox="0 0 200 18" role="img" aria-label="{escape(label)}">{inside}</svg>'
    return Markup(text)


def _scale(axis: Axis, start: float, end: float) -> Any:
    wide = (axis.high - axis.low) or 1.0
    return lambda value: start + (value - axis.low) / wide * (end - start)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _svg(height: float, label: str, parts: Sequence[str]) -> Markup:
    inside = "".join(parts)
    head = f'<svg class="still" viewBox="0 0 {_n(WIDTH)} {_n(height)}" role="img" aria-label="{escape(label)}">'
    return Markup(f"{head}{inside}</svg>")


def _grid(x: Axis, y: Axis, sx: Any, sy: Any, ticks: Sequence[float]) -> str:
    bottom, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    parts = []
    for one in y.ticks(5):
        at = _n(sy(one))
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{at}" y2="{at}"/>')
        parts.append(f'<text class="tick end" x="{_LEFT - 6}" y="{_n(sy(one) + 4)}">{escape(y.text(one))}</text>')
    for one in ticks:
        at = _n(sx(one))
        parts.append(f'<line class="grid" x1="{at}" x2="{at}" y1="{_TOP}" y2="{bottom}"/>')
        parts.append(f'<text class="tick mid" x="{at}" y="{bottom + 16}">{escape(x.text(one))}</text>')
    parts.append(f'<text class="title mid" x="{_n((_LEFT + right) / 2)}" y="{bottom + 37}">{escape(x.title)}</text>')
    return "".join(parts)


def _colour(place: int) -> str:
    return f"c{place % _COLOURS}"


def _thin(line: Line) -> np.ndarray:
    """Places of the points that are drawn: all, or as many as can be seen."""
    count = len(line.x)
    if count <= _POINTS:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, _POINTS).round().astype(int))


def _path(xs: Sequence[float], ys: Sequence[float], sx: Any, sy: Any, stepped: bool, start: str = "M") -> str:
    parts, pen = [], start
    for x, y in zip(xs, ys, strict=True):
        if not (math.isfinite(x) and math.isfinite(y)):
            pen = "M"
            continue
        if stepped and pen != "M":
            parts.append(f"H{_n(sx(x))}V{_n(sy(y))}")
        else:
            parts.append(f"{pen}{_n(sx(x))} {_n(sy(y))}")
        pen = "L"
    return "".join(parts)


def _corners(xs: np.ndarray, ys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points of a stepped curve with its corners."""
    return np.repeat(xs, 2)[1:], np.repeat(ys, 2)[:-1]


def _band(line: Line, sx: Any, sy: Any) -> str:
    chosen = _thin(line)
    x, low, high = (np.asarray(one, dtype=float)[chosen] for one in (line.x, line.low, line.high))  # type: ignore[arg-type]
    known = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
    x, low, high = x[known], low[known], high[known]
    if x.size < 2:
        return ""
    if line.kind == "step":
        (_, low), (x, high) = _corners(x, low), _corners(x, high)
    up = _path(x.tolist(), high.tolist(), sx, sy, False)
    back = _path(x[::-1].tolist(), low[::-1].tolist(), sx, sy, False, "L")
    kind = line.style if line.style == "area" else f"band {_colour(line.place)}"
    return f'<path class="{kind}" d="{up}{back}Z"/>'


def _curve(line: Line, sx: Any, sy: Any) -> str:
    chosen = _thin(line)
    x, y = (np.asarray(one, dtype=float)[chosen].tolist() for one in (line.x, line.y))
    path = _path(x, y, sx, sy, line.kind == "step")
    if not path:
        return ""
    style = f" {line.style}" if line.style else ""
    name = f"<title>{escape(line.name)}</title>"
    drawn = f'<path class="curve {_colour(line.place)}{style}" d="{path}">{name}</path>'
    if line.kind != "points":
        return drawn
    marks = []
    for place in range(len(line.x)):
        at, middle = line.x[place], line.y[place]
        if not (math.isfinite(at) and math.isfinite(middle)):
            continue
        if line.low is not None and line.high is not None and math.isfinite(line.low[place]):
            ends = f'y1="{_n(sy(line.low[place]))}" y2="{_n(sy(line.high[place]))}"'
            marks.append(f'<line class="whisker {_colour(line.place)}" x1="{_n(sx(at))}" x2="{_n(sx(at))}" {ends}/>')
        marks.append(f'<circle class="dot {_colour(line.place)}" cx="{_n(sx(at))}" cy="{_n(sy(middle))}" r="3.2"/>')
    return drawn + "".join(marks)


def _numbers(rows: Sequence[tuple[int, str, Sequence[tuple[float, int]]]], title: str, sx: Any) -> str:
    top = HEIGHT + 10
    parts = [f'<text class="title" x="4" y="{top}">{escape(title)}</text>']
    for number, (place, name, cells) in enumerate(rows, start=1):
        level = top + number * _ROW
        swatch = f'<line class="curve {_colour(place)}" x1="4" x2="24" y1="{level - 4}" y2="{level - 4}"/>'
        parts.append(f"<g><title>{escape(name)}</title>{swatch}</g>")
        parts += [f'<text class="tick mid" x="{_n(sx(x))}" y="{level}">{count}</text>' for x, count in cells]
    return "".join(parts)

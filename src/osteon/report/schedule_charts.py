"""Still charts of schedules as numbers a template draws as SVG: differences, the front, and curves over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.report.locale import Words
from osteon.report.numbers import plain
from osteon.trial.dosing import REGULAR
from osteon.trial.dosing_measures import FRONT, MEASURES, Measure, measure

if TYPE_CHECKING:
    from osteon.trial.dosing_run import Schedule

#: Width of every chart, in units of its own: about pixels on a phone.
WIDTH = 340.0
_LABELS, _RIGHT, _ROW, _TOP = 104.0, 14.0, 19.0, 8.0
_SQUARE = 250.0
_CURVE = 150.0
_POINTS = 120  # of a curve; more is not seen at this width


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers between two ends, at most so many."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low] if math.isfinite(low) else []
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * one for one in (1, 2, 2.5, 5, 10) if power * one >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [float(f"{step * one:.12g}") for one in range(first, math.floor(high / step + 1e-9) + 1)]


class _Scale:
    """Straight from values to places; an end that is not finite goes to the edge."""

    def __init__(self, values: Sequence[float], start: float, end: float, pad: float = 0.06) -> None:
        there = [one for one in values if math.isfinite(one)] or [0.0]
        low, high = min(*there, 0.0), max(*there, 0.0)
        room = pad * (high - low) or 1.0
        self.low, self.high, self._start, self._end = low - room, high + room, start, end

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if math.isfinite(value) else float(value > 0)
        return round(self._start + min(max(share, 0.0), 1.0) * (self._end - self._start), 1)

    def ticks(self, most: int) -> list[dict[str, Any]]:
        """Ticks with place and text."""
        return [{"at": self(one), "text": plain(one, 4)} for one in ticks(self.low, self.high, most)]


def scale(one: Measure) -> float:
    """Factor by which values of a measure are shown: shares in per cent, areas in years."""
    return {"1": 100.0, "%*day": 1 / 365.25}.get(one.unit, 1.0)


def _shown(name: str, *values: float) -> tuple[float, ...]:
    factor = scale(measure(name))
    return tuple(factor * one for one in values)


def difference_panels(words: Words, found: Schedule, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each measure a dot and a bar per row: the difference to the regular regimen and where 90 % of it lies."""
    shown = [row for row in rows if row["name"] != REGULAR]
    panels = []
    for place, one in enumerate(MEASURES):
        cells = [found.cells[row["name"], one.name] for row in shown]
        spans = [_shown(one.name, c.difference_low, c.difference, c.difference_high) for c in cells]
        across = _Scale([each for span in spans for each in span], _LABELS, WIDTH - _RIGHT)
        marks = []
        for number, (row, (low, middle, high)) in enumerate(zip(shown, spans, strict=True)):
            told = row["cells"][place]
            named = f"{row['title']}: {told['difference']} ({told['difference_range']}), {told['verdict_title']}"
            marks.append(
                {
                    "label": row["short"],
                    "title": named,
                    "y": _TOP + _ROW * (number + 0.5),
                    "there": not math.isnan(middle),
                    "low": 0.0 if math.isnan(low) else across(low),
                    "middle": 0.0 if math.isnan(middle) else across(middle),
                    "high": 0.0 if math.isnan(high) else across(high),
                    "verdict": told["verdict"],
                }
            )
        bottom = _TOP + _ROW * len(shown)
        panels.append(
            {
                "title": words(f"schedule.{one.name}"),
                "about": words(f"schedule.about_{one.name}"),
                "width": WIDTH,
                "height": bottom + 24,
                "top": _TOP,
                "bottom": bottom,
                "label_end": _LABELS - 8,
                "zero": across(0.0),
                "ticks": across.ticks(4),
                "marks": marks,
            }
        )
    return panels


def front_points(found: Schedule, name: str) -> dict[str, tuple[float, float, float]]:
    """Lower end, median and upper end of the differences of a measure, by regimen; the regular one is at zero."""
    cells = {each: found.cells[each, name] for each in found.names}
    return {
        each: (0.0, 0.0, 0.0)
        if each == REGULAR
        else _shown(name, one.difference_low, one.difference, one.difference_high)  # type: ignore[misc]
        for each, one in cells.items()
    }


def front_panels(words: Words, found: Schedule, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Union, remodelling and density against the rebound, all as differences to the regular regimen."""
    *upwards, rebound = FRONT
    across = front_points(found, rebound)
    panels = []
    for name in upwards:
        up = front_points(found, name)
        x = _Scale([one for row in rows for one in across[row["name"]]], 48.0, WIDTH - _RIGHT)
        y = _Scale([one for row in rows for one in up[row["name"]]], _SQUARE - 44.0, 10.0)
        points = []
        for row in rows:
            (left, here, right), (low, height, high) = across[row["name"]], up[row["name"]]
            if math.isnan(here) or math.isnan(height):
                continue
            points.append(
                {
                    "number": row["number"],
                    "title": row["title"],
                    "front": row["on_front"],
                    **{"x": x(here), "left": x(left), "right": x(right)},
                    **{"y": y(height), "low": y(low), "high": y(high)},
                }
            )
        panels.append(
            {
                "title": words(f"schedule.{name}"),
                "across": words(f"schedule.{rebound}"),
                "width": WIDTH,
                "height": _SQUARE,
                **{"left": 48.0, "right": WIDTH - _RIGHT, "top": 10.0, "bottom": _SQUARE - 44.0},
                **{"zero_x": x(0.0), "zero_y": y(0.0), "x_ticks": x.ticks(4), "y_ticks": y.ticks(5)},
                "points": points,
            }
        )
    return panels


def curve_panels(found: Schedule, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """CTX of each row over time, with its band and the regular one behind it, all on one scale."""
    time, ctx = found.time, found.curves["CTX"]
    places = [found.names.index(row["name"]) for row in rows]
    thin = np.unique(np.linspace(0, len(time) - 1, min(_POINTS, len(time))).round().astype(int))
    thin = thin[time[thin] >= -2 * 365.25]
    days = time[thin]
    left, right, top, bottom = 36.0, WIDTH - 8.0, 8.0, _CURVE - 24.0
    x = _Scale([float(days[0]), float(days[-1])], left, right, pad=0.0)
    shown = ctx[:, [*places, found.names.index(REGULAR)]][:, :, thin]
    finite = shown[np.isfinite(shown)]
    y = _Scale([float(finite.min()), float(finite.max())] if finite.size else [0.0], bottom, top)
    regular = _line(x, y, days, ctx[1, found.names.index(REGULAR)][thin])
    panels = []
    for place, row in zip(places, rows, strict=True):
        arm = found.candidates.scenario.arms[place]
        given = {round(one.time) for one in arm.dose_events(found.candidates.scenario.patient) if one.time >= 0}
        low, middle, high = (ctx[one, place][thin] for one in range(3))
        seen = np.isfinite(middle)
        band = [*zip(days[seen], low[seen], strict=True), *zip(days[seen][::-1], high[seen][::-1], strict=True)]
        panels.append(
            {
                "number": row["number"],
                "title": row["title"],
                "width": WIDTH,
                "height": _CURVE,
                **{"left": left, "right": right, "top": top, "bottom": bottom},
                **{"zero": y(0.0), "fracture": x(0.0)},
                "x_ticks": x.ticks(5),
                "y_ticks": y.ticks(4),
                "band": " ".join(f"{x(float(one))},{y(float(value))}" for one, value in band),
                "middle": _line(x, y, days, middle),
                "regular": regular,
                "doses": _spells(sorted(given), x),
            }
        )
    return panels


def _line(x: _Scale, y: _Scale, days: np.ndarray, values: np.ndarray) -> str:
    pairs = zip(days.tolist(), values.tolist(), strict=True)
    return " ".join(f"{x(one)},{y(value)}" for one, value in pairs if math.isfinite(value))


def _spells(days: Sequence[int], x: _Scale) -> list[dict[str, float]]:
    """Doses as marks; those that would touch are one bar."""
    spells: list[list[float]] = []
    for day in days:
        if spells and x(day) - spells[-1][1] < 2.0:
            spells[-1][1] = x(day)
        else:
            spells.append([x(day), x(day)])
    return [{"start": start, "width": round(max(end - start, 2.0), 1)} for start, end in spells]

"""Figures of a trial: Kaplan-Meier, interval-censored, Aalen-Johansen, twins, and means at the visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from osteon.report.locale import Words
from osteon.report.numbers import MONTH, fixed, is_number, plain
from osteon.report.trial_svg import Axis, Line, around, bars, chart
from osteon.trial.flow import WEEKS_UNTIL, ticks


def time_axis(words: Words, until: float, fracture: bool = True) -> Axis:
    """Weeks for a trial of about a year, months for longer ones; data are in days."""
    if until <= WEEKS_UNTIL and fracture:
        return Axis(0.0, until, words("trial.axis_weeks"), 7.0)
    return Axis(0.0, until, words("trial.axis_months" if fracture else "trial.axis_months_start"), MONTH)


def survival(words: Words, curves: Sequence[Mapping[str, Any]], until: float, fracture: bool) -> dict[str, Any]:
    """Kaplan-Meier with bands and numbers at risk.

    Parameters
    ----------
    curves : sequence of mapping
        For each arm ``arm``, ``time``, ``share``, ``low``, ``high`` and ``at_risk`` (pairs of day and number).
    """
    axis = time_axis(words, until, fracture)
    lines = [
        Line(one["arm"], place, *_stretched(one, until), kind="step") for place, one in enumerate(curves) if one["time"]
    ]
    rows = [(place, one["arm"], one["at_risk"]) for place, one in enumerate(curves) if one.get("at_risk")]
    title = words("trial.km_title")
    svg = chart(
        lines,
        axis,
        Axis(0.0, 1.0, percent=True),
        title,
        at_risk=rows,
        at_risk_title=words("trial.at_risk"),
        ticks=ticks(until, fracture),
    )
    return _figure(title, words("trial.km_caption"), svg, lines)


def censored(
    words: Words,
    steps: Sequence[Mapping[str, Any]],
    fitted: Sequence[Mapping[str, Any]],
    model: str,
    until: float,
    fracture: bool,
) -> dict[str, Any]:
    """Interval-censored curves: free of a shape as steps, the fitted model dashed."""
    axis = time_axis(words, until, fracture)
    lines = [Line(one["arm"], place, *_stretched(one, until), kind="step") for place, one in enumerate(steps)]
    named = len(lines)
    lines += [
        Line(one["arm"], place, one["time"], one["share"], kind="line", style="dashed")
        for place, one in enumerate(fitted)
    ]
    title = words("trial.interval_title")
    caption = words("trial.interval_caption", model=model) if fitted else words("trial.interval_caption_plain")
    svg = chart(lines, axis, Axis(0.0, 1.0, percent=True), title, ticks=ticks(until, fracture))
    return _figure(title, caption, svg, lines[:named] or lines)


def competing(words: Words, curves: Sequence[Mapping[str, Any]], until: float, fracture: bool) -> dict[str, Any]:
    """Aalen-Johansen: share with the event, and thin dashed the share who died before."""
    axis = time_axis(words, until, fracture)
    lines = []
    for place, one in enumerate(curves):
        lines.append(Line(words("trial.aj_event", arm=one["arm"]), place, *_stretched(one, until, start=0.0)))
        if one.get("death"):
            died = _stretched({**one, "share": one["death"], "low": None, "high": None}, until, start=0.0)
            lines.append(Line(words("trial.aj_death", arm=one["arm"]), place, *died, style="dashed thin"))
    title = words("trial.aj_title")
    svg = chart(lines, axis, Axis(0.0, 1.0, percent=True), title, ticks=ticks(until, fracture))
    return _figure(title, words("trial.aj_caption"), svg, lines)


def restricted(
    words: Words, curves: Sequence[Mapping[str, Any]], one: Mapping[str, Any], until: float, fracture: bool
) -> dict[str, Any]:
    """The area between two Kaplan-Meier curves up to the day of the restricted mean, which is its difference."""
    axis = time_axis(words, until, fracture)
    place = {curve["arm"]: number for number, curve in enumerate(curves)}
    pair = [curves[place[arm]] for arm in (one["control"], one["arm"])]
    lines = [Line(curve["arm"], place[curve["arm"]], *_stretched(curve, until)[:2]) for curve in pair]
    tau = float(one["tau"])
    days = np.unique(np.concatenate([[tau], *(np.asarray(line.x, dtype=float) for line in lines)]))
    days = days[days <= tau]
    low, high = (np.asarray(line.y)[np.searchsorted(line.x, days, "right") - 1] for line in lines)
    shade = Line("", 0, days, np.full(days.size, np.nan), low, high, style="area")
    # A difference whose error the library cannot tell has no interval.
    missing = words("value.not_computed")
    numbers = {
        key: missing if one[key] is None else fixed(one[key], 1, signed=True) for key in ("value", "low", "high")
    }
    caption = words("trial.rmst_caption", tau=plain(tau, 5), **numbers)
    title = words("trial.rmst_title")
    svg = chart([shade, *lines], axis, Axis(0.0, 1.0, percent=True), title, ticks=ticks(until, fracture))
    return _figure(title, caption, svg, lines)


def responders(words: Words, one: Mapping[str, Any], days: Sequence[float]) -> dict[str, Any]:
    """Differences of the same patient under two arms, in order, with their numbers below.

    Parameters
    ----------
    one : mapping
        As in ``Analysis.responders``.
    days : sequence of float
        Differences in order [day].
    """
    shown, edge = np.asarray(days, dtype=float), float(one["threshold"])
    # A few very late patients would flatten all the others.
    inner = np.quantile(shown, (0.02, 0.98)).tolist() if shown.size else []
    low, high = around([*inner, -edge, edge])
    clipped = shown.size and (shown[0] < low or shown[-1] > high)
    kinds = np.where(shown < -edge, "helped", np.where(shown > edge, "harmed", "same"))
    title = words("trial.responder_title", arm=one["arm"], control=one["control"])
    label = words("trial.axis_patients")
    svg = bars(shown.tolist(), kinds.tolist(), Axis(low, high), title, label, (-edge, edge)) if shown.size else ""
    caption = words("trial.responder_caption") if shown.size else one["reason"]
    caption += words("sentence_gap") + words("trial.clipped") if clipped else ""
    return {"title": title, "caption": caption, "svg": svg, "counts": counts(words, one)}


def visit(words: Words, one: Mapping[str, Any], title: str, unit: str, until: float, fracture: bool) -> dict[str, Any]:
    """Means of one recorded value at the visits, an arm a curve, beside each other where visits coincide."""
    axis = time_axis(words, until, fracture)
    apart = 0.008 * until
    shift = [apart * (place - (len(one["arms"]) - 1) / 2) for place in range(len(one["arms"]))]
    lines, ends = [], []
    for place, arm in enumerate(one["arms"]):
        keys = ("mean", "low", "high")
        middle, low, high = ([np.nan if value is None else value for value in arm[key]] for key in keys)
        lines.append(
            Line(arm["name"], place, [day + shift[place] for day in arm["day"]], middle, low, high, "points", "thin")
        )
        ends += [*middle, *low, *high]
    values = np.asarray(ends, dtype=float)
    zero = 0.0 if np.nanmin(values, initial=np.inf) < 0 < np.nanmax(values, initial=-np.inf) else None
    svg = chart(lines, axis, Axis(*around(ends)), f"{title} {unit}".strip(), ticks=ticks(until, fracture), zero=zero)
    return {**_figure(title, unit, svg, []), "legend": []}


def counts(words: Words, one: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What stands below the bars of the twins."""
    rows = [
        (words(f"trial.responder_{key}"), words("trial.days", n=fixed(one[key], 1, signed=True)))
        for key in ("mean", "median")
        if is_number(one.get(key))
    ]
    if is_number(one.get("q05")) and is_number(one.get("q95")):
        ends = words("value.range", low=fixed(one["q05"], 0, signed=True), high=fixed(one["q95"], 0, signed=True))
        rows.append((words("trial.responder_range"), words("trial.days", n=ends)))
    for key in ("helped", "harmed"):
        if is_number(one.get(key)):
            text = words(f"trial.responder_{key}", days=plain(one["threshold"]))
            rows.append((text, f"{fixed(100 * one[key], 1)} %"))
    for key in ("gained", "lost", "neither"):
        text = words(f"trial.responder_{key}", arm=one["arm"], control=one["control"])
        rows.append((text, f"{one[key]:,}"))
    return rows


def _stretched(one: Mapping[str, Any], until: float, start: float = 1.0) -> tuple[Any, Any, Any, Any]:
    """Times, shares and band of a stepped curve, from day zero to the end of what is shown."""
    time, share = list(one["time"]), list(one["share"])
    low, high = (list(one[key]) if one.get(key) is not None else None for key in ("low", "high"))
    if not time or time[0] > 0:
        time.insert(0, 0.0)
        for values in (share, low, high):
            if values is not None:
                values.insert(0, start)
    inside = [place for place, day in enumerate(time) if day <= until]
    return tuple(
        None if values is None else [np.nan if values[place] is None else float(values[place]) for place in inside]
        for values in (time, share, low, high)
    )  # type: ignore[return-value]


def _figure(title: str, caption: str, svg: Any, lines: Sequence[Line]) -> dict[str, Any]:
    legend = [{"name": line.name, "place": line.place, "style": line.style} for line in lines]
    return {"title": title, "caption": caption, "svg": svg, "legend": legend, "notes": []}

"""The course as the JSON document that the charts of the report draw."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from osteon.report.charts import CHARTS, STAGES, TISSUES, Chart, unit_text
from osteon.report.describe import title_of
from osteon.report.locale import Words
from osteon.report.numbers import plain, short_list

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr

_MOST_POINTS = 900
_DAILY_UNTIL = 400.0
_MOVED = 1e-9


def payload(course: Any, words: Words, endpoints: dict[str, dict[str, float]]) -> dict[str, Any]:
    """What the page's script needs, as plain JSON values.

    Parameters
    ----------
    course : Course
        Result of a simulation.
    words : Words
        Language of the labels.
    endpoints : dict
        Endpoint values in days by arm and endpoint name, for the stages.

    Returns
    -------
    dict
        ``clocks`` (time in days per clock), ``arms``, ``charts``, ``tissue`` (or None), ``words``.
    """
    import numpy as np

    dataset = course.data
    time = np.asarray(dataset["time"].values, dtype=float)
    broken = course.scenario.fracture is not None
    rows = {"months": _thin(time)}
    if broken and time[-1] >= 0:
        rows["weeks"] = rows["months"][time[rows["months"]] >= 0]
    drawn = {*TISSUES, *(chart.series for chart in CHARTS)}
    values = {str(name): _by_arm(dataset, str(name)) for name in dataset.data_vars if name in drawn}
    others = [member for member in getattr(course, "members", {}).values() if member is not dataset]
    bands = getattr(course, "bands", None)
    charts = [
        _chart(
            chart,
            values[chart.series],
            [_by_arm(member, chart.series) for member in others if chart.series in member],
            dict(dataset[chart.series].attrs),
            rows[chart.clock],
            words,
            _level(chart, course.parameters),
            bands if bands is not None and chart.series in bands else None,
        )
        for chart in _chosen(values, rows)
    ]
    tissues = [name for name in TISSUES if name in values] if "weeks" in rows else []
    return {
        "fractured": broken,
        "clocks": {clock: short_list(time[row], 7) for clock, row in rows.items()},
        "arms": [
            {
                "name": str(arm.name),
                "doses": _doses(arm, course.scenario.patient, words),
                "stages": stage_bars(endpoints.get(str(arm.name), {}), float(time[-1])) if broken else [],
                "peak": _finite(endpoints.get(str(arm.name), {}).get("soft_callus_peak")) if broken else None,
            }
            for arm in course.scenario.arms
        ],
        "charts": charts,
        "tissue": {
            "names": tissues,
            "titles": [words(f"tissue.{name}") for name in tissues],
            "values": [
                [short_list(values[name][arm][rows["weeks"]] * 100, 4) for name in tissues]
                for arm in range(dataset.sizes["arm"])
            ],
        }
        if tissues
        else None,
        "words": words.below("axis")
        | {"since": words("dose.since"), "before": words("dose.before"), "shown": words("parameter.shown")}
        | {f"stage_{name}": words(f"stage.{name}") for name in (*STAGES, "soft_callus_peak")}
        | {"tissue_title": words("chart.tissue.title")}
        | {
            f"tissue_{of}": words("chart.tissue.axis", of=words(f"chart.tissue.of_{of}"))
            for of in ("envelope", "tissue")
        },
    }


def embed(document: Any) -> str:
    """JSON that may stand inside a script element: nothing in it can end the element or a line."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def stage_bars(endpoints: dict[str, float], end: float) -> list[dict[str, Any]]:
    """The stages an arm goes through, each from its beginning to the beginning of the next [day]."""
    begins = (0.0, *(endpoints.get(key) for key in ("inflammation_end", "hard_callus_start", "remodelling_start")))
    known: list[tuple[str, float]] = []
    for stage, begin in zip(STAGES, begins, strict=True):
        begin = _finite(begin)
        if begin is not None and begin <= end:
            known.append((stage, max(begin, known[-1][1] if known else 0.0)))
    ends = [begin for _, begin in known[1:]] + [end]
    return [{"stage": s, "from": round(b, 2), "to": round(e, 2)} for (s, b), e in zip(known, ends, strict=True)]


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(float(value)) else None


def _by_arm(dataset: xr.Dataset, name: str) -> np.ndarray:
    return dataset[name].transpose("arm", "time").values.astype(float)


def _drawn(bands: xr.Dataset, name: str, quantile: int) -> np.ndarray:
    """Lowest or highest quantile of a curve over the draws, shape (arm, time)."""
    return bands[name].isel(quantile=quantile).transpose("arm", "time").values.astype(float)


def _thin(time: np.ndarray) -> np.ndarray:
    """Rows to draw: all of them, or about daily up to day 400 and weekly elsewhere where there are very many."""
    import numpy as np

    if len(time) <= _MOST_POINTS:
        return np.arange(len(time))
    near = (time >= 0) & (time <= _DAILY_UNTIL)
    # The small shift keeps grid times such as 6.9999999 in the bin they are meant for.
    bins = np.where(near, np.floor(time + 1e-6), np.floor(time / 7 + 1e-6) * 7 - 0.5)
    first = np.flatnonzero(np.diff(bins, prepend=bins[0] - 1) != 0)
    return np.unique(np.append(first, len(time) - 1))


def _chosen(values: dict[str, np.ndarray], rows: dict[str, np.ndarray]) -> list[Chart]:
    """Charts that this course can fill."""
    import numpy as np

    chosen = []
    for chart in CHARTS:
        series = values.get(chart.series)
        if series is None or chart.clock not in rows or not np.isfinite(series).any():
            continue
        if chart.idle is not None and not np.nanmax(np.abs(series - chart.idle)) > _MOVED:
            continue
        chosen.append(chart)
    return chosen


def _level(chart: Chart, parameters: Iterable[Any]) -> float | None:
    """The level a chart marks; one that is a parameter only where the course has it."""
    if chart.reference is None or not _is_parameter(chart):
        return chart.reference and chart.reference[0]  # type: ignore[return-value]
    known = {getattr(record, "key", record.name): record.value for record in parameters}
    return known.get(chart.reference[0])


def _is_parameter(chart: Chart) -> bool:
    return chart.reference is not None and isinstance(chart.reference[0], str)


def _chart(
    chart: Chart,
    values: np.ndarray,
    others: list[np.ndarray],
    attributes: dict[str, Any],
    row: np.ndarray,
    words: Words,
    level: float | None,
    bands: xr.Dataset | None,
) -> dict[str, Any]:
    name = chart.series
    raw = str(attributes.get("units", "1"))
    bare = raw in ("1", "")
    percent = chart.percent and bare
    unit = "%" if percent or raw.startswith("%") else "" if bare else unit_text(raw)
    relative = words("unit.relative_callus" if chart.clock == "weeks" else "unit.relative")
    note = str(attributes.get("note", ""))
    caption = words(f"chart.{name}.caption")
    factor = 100.0 if percent else 1.0
    if bands is None:
        span = _span([values[:, row] * factor] + [other[:, row] * factor for other in others])
    else:
        span = _span([_drawn(bands, name, end)[:, row] * factor for end in (0, -1)])
    return {
        "id": name,
        "section": chart.section,
        "clock": chart.clock,
        "title": words(f"chart.{name}.title"),
        "axis": words(f"chart.{name}.axis", unit=relative if bare and not percent else unit),
        "caption": caption + words("sentence_gap") + words.get(f"note.{note}", note) if note else caption,
        "unit": unit,
        "include": [*chart.include, *([level] if level is not None and _is_parameter(chart) else [])],
        "fixed": list(chart.fixed) if chart.fixed else None,
        "reference": {"value": level, "label": words.get(chart.reference[1], "")}
        if chart.reference and level is not None
        else None,
        "values": [short_list(series[row] * factor) for series in values],
        "span": span,
        "shading": words("legend.draws", n=bands.attrs["draws"]) if span and bands is not None else "",
    }


def _span(members: list[np.ndarray]) -> list[list[list[float | None]]] | None:
    """Lower and upper curve per arm over the ensemble members or two quantiles, or None where they agree."""
    import numpy as np

    stack = np.stack(members)
    low, high = stack.min(axis=0), stack.max(axis=0)
    apart = np.nan_to_num(high - low).max(initial=0.0)
    if apart <= 2e-3 * np.nan_to_num(np.abs(high)).max(initial=0.0):
        return None
    return [[short_list(one, 4), short_list(two, 4)] for one, two in zip(low, high, strict=True)]


def _doses(arm: Any, patient: Any, words: Words) -> list[dict[str, Any]]:
    return [
        {
            "day": round(float(dose.time), 3),
            "text": f"{title_of(words, 'drugs', str(dose.drug))} {plain(dose.amount, 3)} mg",
        }
        for dose in arm.dose_events(patient)
    ]

"""Panels of the calibration page, as its script draws them: a band, its line, and published points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from osteon.report.describe import title_of, treatment
from osteon.report.locale import Words
from osteon.report.numbers import MONTH, plain, short_list

if TYPE_CHECKING:
    from osteon.calibrate.compare import Comparison
    from osteon.calibrate.curves import ArmCurve, Band
    from osteon.calibrate.dose_response import DoseCurve
    from osteon.evidence import Row, StudyArm

_HOME = 14.0  # a drug taken more often than this is drawn as a bar [day]
_DIGITS = 4


def arm_panel(words: Words, one: ArmCurve, place: int) -> dict[str, Any]:
    """A curve of a study arm: what the script draws, and the words beside it."""
    from osteon.evidence import arms

    own = arms()[one.arm]
    title = arm_title(words, own)
    notes = []
    if one.contrast:
        notes.append(words(f"calibration.{one.contrast}", arm=arm_title(words, arms()[one.against])))
    if own.zero_day is not None:
        notes.append(words("calibration.rebased"))
    if own.shares and not one.contrast:
        month, twin = plain(round(own.shares[1] / MONTH), 3), arm_title(words, arms()[own.shares[0]])
        notes.append(words("calibration.shared", month=month, arm=twin))
    uses = sorted({row.use for row in one.rows})
    return {
        "id": f"arm-{place}",
        "arm": one.arm,
        "study": own.study,
        "title": title,
        "curve": one.curve,
        "curve_title": words(f"calibration.curve_{one.curve}"),
        "notes": notes,
        "drugs": sorted(own.drugs) or ["none"],
        "uses": uses,
        "rmse": _rmse(words, one),
        "unit": "%",
        "axis": "months",
        "x": short_list(one.days / MONTH, 5),
        **_band(one.band),
        "structures": [short_list(values, _DIGITS) for values in one.structures.values()],
        "points": [_point(row) for row in one.rows],
        **_given(own),
    }


def dose_panel(words: Words, one: DoseCurve) -> dict[str, Any]:
    """A measure against dose."""
    area = one.measure == "CTX_area"
    month = one.measure.removeprefix("CTX_month_")
    known = f"calibration.dose_{one.measure}"
    title = words(known) if known in words else words("calibration.dose_CTX_month", month=month)
    return {
        "id": f"dose-{one.measure}",
        "title": title,
        "unit": words("calibration.dose_unit_area") if area else "%",
        "axis": "dose",
        "x": short_list(one.dose, 5),
        **_band(one.band),
        "structures": [],
        "points": [[one.dose, one.value, _finite(one.low), _finite(one.high), one.use, 0] for one in one.points],
        "doses": [],
        "courses": [],
    }


def comparison_panel(words: Words, one: Comparison) -> dict[str, Any]:
    """The curve of osteon with the values of other models."""
    own = arm_panel(words, one.curve, 0)
    title = words("calibration.compare_chart", curve=own["curve_title"])
    others = [
        {"name": model.name, "x": [round(day / MONTH, 3) for day in model.values], "y": list(model.values.values())}
        for model in one.models
    ]
    drawn = {"structures": [], "others": others, "joined": one.stopped / MONTH - 0.1}
    return own | drawn | {"id": f"compare-{one.endpoint}", "title": title}


def arm_title(words: Words, own: StudyArm) -> str:
    """What an arm is given, in the words of the language."""
    if words.language == "en":
        return own.title.replace(" ug ", " µg ")
    if not own.doses:
        return words("calibration.placebo")
    scenario = own.scenario()
    lines = treatment(words, scenario.arms[0], list(scenario.arms[0].dose_events(scenario.patient)))
    return words("list_separator").join(lines)


def drug_titles(words: Words, panels: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Drugs of the panels with their titles, in the order in which they first appear, and none last."""
    names = dict.fromkeys(name for panel in panels for name in panel["drugs"])
    drugs = [(name, title_of(words, "drugs", name)) for name in names if name != "none"]
    return [*drugs, ("none", words("calibration.placebo"))] if "none" in names else drugs


def _band(band: Band) -> dict[str, list[float | None]]:
    return {name: short_list(getattr(band, name), _DIGITS) for name in ("low", "median", "high")}


def _point(row: Row) -> list[Any]:
    """Month, value, limits as printed, use, and whether it is censored."""
    month = round(row.sample_day / MONTH, 3)
    return [month, row.value, _finite(row.low), _finite(row.high), row.use, int(row.censored)]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _rmse(words: Words, one: ArmCurve) -> str:
    """Error of the median over fitted and over check rows, in words."""
    fit, check = ("" if (value := one.rmse(use)) is None else plain(value, 2) for use in ("fit", "check"))
    if fit and check:
        return words("calibration.rmse_both", fit=fit, check=check)
    if fit:
        return words("calibration.rmse", value=fit)
    return words("calibration.rmse_check", value=check) if check else ""


def _given(own: StudyArm) -> dict[str, Any]:
    """Months of single doses, and spans of drugs taken every day or week."""
    from osteon.units import to_internal

    doses, courses = [], []
    for dose in own.doses:
        start, every, count = to_internal(dose["start"], "day"), dose.get("every"), dose.get("count", 1)
        step = to_internal(every, "day") if every else 0.0
        if count > 1 and step <= _HOME:
            courses.append([round(start / MONTH, 3), round((start + step * count) / MONTH, 3)])
        else:
            doses += [round((start + step * place) / MONTH, 3) for place in range(count)]
    return {"doses": [day for day in doses if day >= 0], "courses": [span for span in courses if span[1] > 0]}

"""A trial in words: the primary result as a sentence, estimates as rows of a table, the design as a person reads it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from osteon.report.locale import Words
from osteon.report.numbers import MONTH, fixed, is_number, plain
from osteon.report.trial_svg import Axis, interval

if TYPE_CHECKING:
    from osteon.trial.study import Study

#: Value of no effect by measure.
NULL = {"time_ratio": 1.0, "hazard_ratio": 1.0, "rmst_difference": 0.0, "difference": 0.0}
_SENTENCE = {
    "time_ratio": "ratio_sentence",
    "hazard_ratio": "hazard_sentence",
    "rmst_difference": "rmst_sentence",
    "difference": "difference_sentence",
    "log_rank": "log_rank_sentence",
}
_LEAST_P = 0.001


def title(words: Words, group: str, key: str) -> str:
    """Title of a name that a study may use, the page's own or that of the study's list; else the name."""
    from osteon.trial.study_words import rules, schedules
    from osteon.trial.study_words import words as listed

    named = words.get(f"trial.{group}_{key}", "")
    if named:
        return named
    own = {"rules": rules, "schedules": schedules}.get(group)
    entry = (own() if own else listed(group)).get(key)
    return key.replace("_", " ") if entry is None else str(getattr(entry, f"title_{words.language}"))


def method_title(words: Words, method: str, instead_of: str = "") -> str:
    """Title of a method of analysis, and of the planned one that it stands in for."""
    text = words.get(f"trial.method_{method}", "") or title(words, "methods", method)
    return words("trial.stands_in", method=text, planned=method_title(words, instead_of)) if instead_of else text


def study_title(words: Words, study: Study) -> str:
    """Title of a study; of one that is shipped in the language of the page."""
    from osteon.trial.study_library import presets

    known = {one.title: one.title_zh for one in presets()}
    return known.get(study.title, study.title) if words.language == "zh" else study.title


def series_title(words: Words, name: str) -> tuple[str, str]:
    """Title and unit of a curve or of a value recorded at visits."""
    from osteon.course import about
    from osteon.endpoints import SCORES
    from osteon.model.systems import curves
    from osteon.report.charts import unit_text

    known = about(name, "human") if name in curves() or name in SCORES else {}
    text = words.get(f"chart.{name}.title", "") or words.get(f"trial.value_{name}", "")
    unit = known.get("units", "")
    text = text or title(words, "scores", name)
    first = text.partition(" ")[0]
    text = text[:1].upper() + text[1:] if first.islower() else text
    return text, "" if unit in ("", "1") else unit_text(unit)


def when(words: Words, day: float) -> str:
    """A day of a trial as weeks or months where it is a whole number of them."""
    for key, size in (("week", 7.0), ("month", MONTH)):
        if abs(day / size - round(day / size)) < 1e-3 and day > 0:
            return words(f"trial.{key}_n", n=round(day / size))
    return words("value.day", day=plain(day, 4))


def p_text(p: float | None) -> str:
    """A p value with three decimals, or that it is smaller."""
    if not is_number(p):
        return "–"
    return f"< {_LEAST_P}" if p < _LEAST_P else fixed(p, 3)  # type: ignore[operator]


def value_text(measure: str, value: float | None, signed: bool = True, size: float | None = None) -> str:
    """An estimate as it is printed: ratios with three digits, differences with their sign.

    Of a difference `size` decides how many decimals there are, so that an estimate and its interval have the same.
    """
    if not is_number(value):
        return "–"
    if NULL.get(measure, 0.0) == 1.0:
        # A ratio that would be rounded to no difference keeps one more digit.
        decimals = 3 if round(value, 2) == 1 else 2  # type: ignore[arg-type]
        return fixed(value, decimals) if 0.1 <= value < 100 else plain(value, 3)  # type: ignore[arg-type, operator]
    size = abs(value) if size is None else size  # type: ignore[arg-type]
    return fixed(value, 1 if size >= 1 else 2 if size >= 0.1 else 3, signed=signed)  # type: ignore[arg-type]


def value_texts(one: Mapping[str, Any]) -> dict[str, str]:
    """An estimate and the ends of its interval as they are printed."""
    keys = ("value", "low", "high")
    size = max((abs(one[key]) for key in keys if is_number(one[key])), default=None)
    return {key: value_text(one["measure"], one[key], size=size) for key in keys}


def _p_part(words: Words, p: float | None) -> str:
    if not is_number(p):
        return ""
    small = p < _LEAST_P  # type: ignore[operator]
    return words("trial.p_small", p=_LEAST_P) if small else words("trial.p_part", p=fixed(p, 3))  # type: ignore[arg-type]


def sentence(words: Words, one: Mapping[str, Any]) -> str:
    """One estimate as a sentence with its interval, or why there is none."""
    named = {"arm": one["arm"], "control": one["control"], "endpoint": one["endpoint_title"]}
    if one["reason"]:
        return words("trial.reason_sentence", reason=one["reason"], **named)
    measure = one["measure"]
    numbers = value_texts(one)
    numbers["level"] = plain(100 * one["level"], 3)
    unit = f" {one['unit']}" if one.get("unit") else ""
    tau = plain(one["tau"], 5) if is_number(one.get("tau")) else ""
    text = words(f"trial.{_SENTENCE[measure]}", p=_p_part(words, one["p"]), unit=unit, tau=tau, **numbers, **named)
    if not one.get("instead_of"):
        return text
    return words("trial.stand_in_sentence", text=text, planned=method_title(words, one["instead_of"]))


def verdict(words: Words, one: Mapping[str, Any]) -> str:
    """Whether the interval holds the value of no effect."""
    null = NULL.get(one["measure"])
    if one["reason"] or null is None or not (is_number(one["low"]) and is_number(one["high"])):
        return ""
    return words("trial.crosses" if one["low"] <= null <= one["high"] else "trial.excludes")


def rows_of(words: Words, estimates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Estimates as rows of a table, each with its picture on an axis shared by estimates of its measure."""
    axes = {measure: _axis(measure, estimates) for measure in NULL}
    rows = []
    for one in estimates:
        measure = one["measure"]
        shown = value_texts(one)
        known = not one["reason"] and measure in NULL
        unit = f" {one['unit']}" if one.get("unit") else ""
        text = f"{one['arm']}: {shown['value']} ({shown['low']} – {shown['high']})"
        rows.append(
            {
                "endpoint": one["endpoint_title"],
                "method": one["method_title"],
                "details": [text for text in (one.get("counts", ""), *one.get("notes", ())) if text],
                "arm": one["arm"],
                "primary": one["primary"],
                "reason": one["reason"],
                "value": f"{shown['value']}{unit}" if known else "–",
                "interval": f"{shown['low']} – {shown['high']}" if known else "–",
                "p": p_text(one["p"]),
                "svg": _picture(one, axes[measure], text) if known else "",
            }
        )
    return rows


def grouped(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Rows of the same endpoint together."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["endpoint"], []).append(row)
    return list(found.values())


def _axis(measure: str, estimates: list[dict[str, Any]]) -> Axis:
    ends = [one[key] for one in estimates if one["measure"] == measure for key in ("value", "low", "high")]
    known = [_on_axis(measure, one) for one in ends if is_number(one) and (NULL[measure] == 0 or one > 0)]
    far = max((abs(one) for one in known), default=1.0) or 1.0
    return Axis(-1.05 * far, 1.05 * far)


def _on_axis(measure: str, value: float) -> float:
    return math.log(value) if NULL[measure] == 1.0 else value


def _picture(one: Mapping[str, Any], axis: Axis, text: str) -> Any:
    measure = one["measure"]
    positive = NULL[measure] == 0
    ends = (one[key] for key in ("value", "low", "high"))
    known = (end if is_number(end) and (positive or end > 0) else math.nan for end in ends)
    value, low, high = (_on_axis(measure, end) for end in known)
    # Ratios share an axis; differences are of different units, so that each has its own.
    far = _reach([value, low, high])
    return interval(value, low, high, Axis(-far, far) if positive else axis, 0.0, text)


def _reach(places: list[float]) -> float:
    return 1.05 * max((abs(one) for one in places if math.isfinite(one)), default=1.0) or 1.0

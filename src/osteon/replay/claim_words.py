"""Simulated numbers and what they amount to, in English and Chinese words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from osteon.replay.claim_measures import Estimate

_NEVER = {"en": "not reached", "zh": "未达到"}
_UNKNOWN = {"en": "not known", "zh": "未知"}
_UNITS = {
    "en": {
        "day": " days",
        "month": " months",
        "point": " points",
        "%": " %",
        "share": " %",
        "pp": " percentage points",
    },
    "zh": {"day": " 天", "month": " 个月", "point": " 分", "%": " %", "share": " %", "pp": " 个百分点"},
}
_BETWEEN = {"en": "{value} ({level} %: {low} to {high})", "zh": "{value}（{level}%：{low} 至 {high}）"}
_COUNTED = {
    "en": {
        "agrees": "{k} of {n} as the claim says",
        "source": "{k} of {n} as its source says, against the claim",
        "disagrees": "{k} of {n} against the claim",
        "undecided": "{k} of {n} undecided",
    },
    "zh": {
        "agrees": "{n} 项中 {k} 项与论点一致",
        "source": "{n} 项中 {k} 项与来源一致而与论点不符",
        "disagrees": "{n} 项中 {k} 项与论点不一致",
        "undecided": "{n} 项中 {k} 项未定",
    },
}


def number(found: Estimate, lang: str) -> str:
    """A number with its interval and unit."""
    if math.isnan(found.value):
        return _UNKNOWN[lang]
    value, low, high = (_plain(one, found.unit, lang) for one in (found.value, found.low, found.high))
    unit = _UNITS[lang].get(found.unit, "") if math.isfinite(found.value) else ""
    unit = " day" if unit == " days" and value == "1" else unit
    level = f"{100 * found.level:.0f}"
    return _BETWEEN[lang].format(value=value + unit, level=level, low=low, high=high)


def _plain(value: float, unit: str, lang: str) -> str:
    """A number as people read it, without its unit."""
    if math.isnan(value):
        return _UNKNOWN[lang]
    if math.isinf(value):
        return _NEVER[lang]
    scaled = 100.0 * value if unit == "share" else value
    if unit == "day":
        digits = 0
    elif unit in ("%", "month", "point", "pp"):
        digits = 1
    elif unit == "share":
        digits = 1 if abs(scaled) >= 1 or scaled == 0 else 2
    else:
        digits = max(0, 2 - math.floor(math.log10(abs(scaled)))) if 0 < abs(scaled) < 100 else 0
        digits = min(digits, 2 if abs(scaled) >= 0.1 else 4)
    rounded = round(scaled, digits)
    return f"{rounded + 0.0 if rounded else 0.0:.{digits}f}".replace("-", "−")


def sentence(numbers: Sequence[tuple[str, Estimate, str]], lang: str) -> str:
    """All numbers of a claim and how many of them are as it says.

    Parameters
    ----------
    numbers : sequence of (str, Estimate, str)
        What each is, the number, and its verdict.
    """
    stop, colon, gap, comma, end = ("; ", ": ", " ", ", ", ".") if lang == "en" else ("；", "：", "", "，", "。")
    listed = stop.join(f"{what}{colon}{number(found, lang)}" for what, found, _ in numbers)
    return f"{listed}{end}{gap}{counted([one for *_, one in numbers], lang, comma)}{end}"


def counted(verdicts: Sequence[str], lang: str, comma: str = ", ") -> str:
    """How many numbers have each verdict; those of which the claim says nothing do not count."""
    there = [one for one in verdicts if one]
    return comma.join(
        text.format(k=there.count(name), n=len(there)) for name, text in _COUNTED[lang].items() if name in there
    )

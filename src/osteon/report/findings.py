"""What a calibration has to tell, as rows of the tables of its page."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from osteon.calibrate.curves import CURVES
from osteon.report.locale import Words
from osteon.report.numbers import fixed, plain

if TYPE_CHECKING:
    from osteon.parameters import Record

_WIDE = 240.0  # units of a parameter's bar
_LEADING = 4  # parameters told of a flat direction


def target(words: Words, one: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the table of targets."""
    unit = _said(words, one["unit"])
    return {
        "name": _target_name(words, one["name"]),
        "use": words(f"calibration.use_{one['use']}"),
        "rows": one["rows"] or "–",
        "value": f"{_number(one['value'])} {unit}".strip(),
        "allowed": one["allowed"],
        "met": one["met"],
    }


def _target_name(words: Words, name: str) -> str:
    """A target in the words of the language; its curve by title."""
    parts = re.fullmatch(rf"(.+): ({'|'.join(CURVES)}), RMSE", name)
    if parts is None:
        return _said(words, name)
    gap = "：" if words.language == "zh" else ": "
    curve = words(f"calibration.curve_{parts[2]}")
    return f"{_said(words, parts[1])}{gap}{curve}{words('list_separator')}RMSE"


def _said(words: Words, text: str) -> str:
    return words.get(f"calibration.said.{text}", text)


def structure_title(words: Words, name: str) -> str:
    """What a structure means, or nothing where it is unknown."""
    return words.get(f"calibration.structure_{name}", "")


def parameters(words: Words, told: Mapping[str, Any], records: Mapping[str, Record]) -> list[dict[str, Any]]:
    """Rows of the table of parameters, with the places of their bars."""
    shares: dict[str, float] = {}
    for found in told["identifiability"].get(told["leading"], {}).values():
        shares |= found["shrinkage"]
    rows = []
    for one in told["parameters"]:
        key = one["parameter"]
        share = shares.get(key)
        rows.append(
            {
                "key": key,
                "meaning": records[key].meaning if key in records else "",
                "unit": "" if one["unit"] in ("1", "") else one["unit"],
                "best": _number(one["best"]),
                "interval": f"{_number(one['low'])} – {_number(one['high'])}",
                "prior": f"{_number(one['prior_low'])} – {_number(one['prior_high'])}",
                "share": "–" if share is None else f"{fixed(100 * share, 0)} %",
                "unseen": told["leading"] in one["unseen_in"],
                "bar": _bar(one),
            }
        )
    return rows


def _bar(one: Mapping[str, Any]) -> dict[str, float] | None:
    """Prior and posterior on a logarithmic axis that reaches half the prior's width beyond it."""
    names = ("prior_low", "prior_high", "low", "high", "best")
    if any(one[name] is None or one[name] <= 0 for name in names) or one["prior_low"] >= one["prior_high"]:
        return None
    begin, width = math.log(one["prior_low"]), math.log(one["prior_high"] / one["prior_low"])

    def place(name: str) -> float:
        share = (math.log(one[name]) - begin) / width
        return round(_WIDE * min(max((share + 0.5) / 2.0, 0.0), 1.0), 2)

    found = {name: place(name) for name in names}
    found["width"] = max(round(found["high"] - found["low"], 2), 1.0)
    found["prior_width"] = round(found["prior_high"] - found["prior_low"], 2)
    return found


def blind(words: Words, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the data cannot tell in the leading structure, block by block."""
    found = []
    for block, one in told["identifiability"].get(told["leading"], {}).items():
        pairs = [
            (
                f"{pair['first']} ↔ {pair['second']}",
                words("calibration.correlation", value=signed(pair["correlation"], 2)),
            )
            for pair in one["correlated"]
        ]
        flat = [
            (_mix(item["parameters"]), words("calibration.singular", value=_number(item["singular_value"])))
            for item in one["flat"]
        ]
        unseen = [(key, f"{fixed(100 * one['shrinkage'][key], 0)} %") for key in one["unseen"]]
        found.append({"title": words("calibration.block", block=block), "unseen": unseen, "pairs": pairs, "flat": flat})
    return found


def _mix(parts: Mapping[str, float]) -> str:
    ordered = sorted(parts.items(), key=lambda pair: -abs(pair[1]))
    shown = [f"{signed(part, 2)} {key}" for key, part in ordered[:_LEADING]]
    return " · ".join(shown + ["…"] * (len(ordered) > _LEADING))


def structure(words: Words, one: Mapping[str, Any]) -> dict[str, Any]:
    """A structure with its weight, and its blocks."""
    return {
        "name": one["name"],
        "title": structure_title(words, one["name"]),
        "weight": f"{fixed(100 * one['weight'], 1)} %",
        "share": round(100 * one["weight"], 2),
        "evidence": "–" if one["log_evidence"] is None else fixed(one["log_evidence"], 1),
        "blocks": [
            {
                "block": block["block"],
                "rows": block["rows"],
                "agreeing": f"{block['starts_agreeing']}/{len(block['costs'])}",
                "effective": _number(block["effective"]),
                "settled": block["settled"],
                "errors": [(_curve(words, e["endpoint"]), _number(e["rmse"])) for e in block["endpoints"]],
            }
            for block in one["blocks"]
        ],
    }


def ablation(words: Words, one: Mapping[str, Any]) -> dict[str, Any]:
    """What the model does without a part."""
    errors = [
        (_curve(words, e["endpoint"]), f"{_number(e['rmse'])} ({_number(e['rmse_full'])})") for e in one["endpoints"]
    ]
    change = "–" if one["log_evidence"] is None else signed(one["log_evidence"], 1)
    return {"name": _said(words, one["name"]), "change": change, "errors": errors}


def _curve(words: Words, name: str) -> str:
    return words.get(f"calibration.curve_{name}", name)


def _number(value: float | None) -> str:
    return "–" if value is None else plain(value, 3)


def signed(value: float, decimals: int = 0) -> str:
    """A number with its sign."""
    return fixed(value, decimals, signed=True)

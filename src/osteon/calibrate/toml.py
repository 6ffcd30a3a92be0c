"""Calibrated parameters as a parameter file, in the form of those that osteon ships."""

from __future__ import annotations

import json
from collections.abc import Mapping

from osteon.calibrate.store import Draws
from osteon.parameters import Record


def parameter_toml(
    draws: Draws, values: Mapping[str, float], records: Mapping[str, Record], *, source: str, reference: str
) -> str:
    """Write calibrated parameters as TOML; each has its 5-95 % interval as its range.

    Parameters
    ----------
    draws : Draws
        Give the intervals, over all structures.
    values : mapping of str to float
        One coherent set, the best fit of the heaviest structure: value by key.
    records : mapping of str to Record
        Unit, symbol and meaning by key.
    source : str
        What stands as the source of each value, before its interval.
    reference : str
        What stands at the head of the file.
    """
    tables: dict[str, list[str]] = {}
    for key, value in values.items():
        record = records[key]
        low, _, high = draws.interval(key)
        entry = {
            **({"symbol": record.symbol} if record.symbol else {}),
            "value": _number(value),
            "unit": record.unit,
            "how": "fitted",
            "source": f"{source}; 5-95 % interval {low:.3g} to {high:.3g}",
            "meaning": record.meaning,
            "range": (_number(low), _number(high)),
        }
        fields = ", ".join(f"{name} = {_text(one)}" for name, one in entry.items())
        tables.setdefault(record.module, []).append(f"{record.name} = {{ {fields} }}")
    parts = [f"reference = {_text(reference)}\n"]
    parts += [f"[{module}]\n" + "\n".join(lines) + "\n" for module, lines in tables.items()]
    return "\n".join(parts)


def _number(value: float) -> float:
    # Six digits: the interval leaves no more to tell.
    return float(f"{value:.6g}")


def _text(value: object) -> str:
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    # A JSON string is a TOML string too; only DEL would need another escape.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")

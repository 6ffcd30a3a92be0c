"""Local sensitivities in words and bars: which parameters move the main endpoints, and how far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from osteon.report.charts import unit_text
from osteon.report.locale import Words
from osteon.report.numbers import fixed, plain
from osteon.report.tables import DAYS, endpoint_text

if TYPE_CHECKING:
    from osteon.sensitivity import Sensitivities

_OPEN = 8  # rows of an endpoint that are not folded away
_HIGHER = 0.1  # a parameter is shown this much higher
HALF = 100.0  # units from the middle of a bar to its end


def section(words: Words, found: Sensitivities, arms: list[str], top: int = 20) -> dict[str, Any]:
    """What stands in the section of the page, and in the table on the command line.

    Parameters
    ----------
    words : Words
        Language.
    found : Sensitivities
        Of one patient.
    arms : list of str
        Names of the arms of the course; their order gives the colours.
    top : int
        Parameters shown for an endpoint, at most.

    Returns
    -------
    dict
        ``arms`` (places and names of those that have sensitivities), ``member``, ``parameters`` (their number) and
        ``endpoints``: for each ``title``, ``bases`` (text an arm), ``reached``, ``open`` and ``folded`` rows.
    """
    own = [(arms.index(name), name) for name in found.arms]
    meanings = dict(zip(found.curves["parameter"].values, found.curves["meaning"].values, strict=True))
    return {
        "arms": [{"place": place, "name": name} for place, name in own],
        "member": found.cohort.members[0],
        "parameters": found.curves.sizes["parameter"],
        "endpoints": [_endpoint(words, found, name, own, meanings, top) for name in found.main_endpoints()],
    }


def _endpoint(
    words: Words, found: Sensitivities, name: str, arms: list[tuple[int, str]], meanings: dict[str, str], top: int
) -> dict[str, Any]:
    table: Any = found.table[found.table["endpoint"] == name]
    unit = str(table["endpoint_unit"].iloc[0])
    failed = set(found.failures["arm"])
    bases = []
    for place, arm in arms:
        value = float(table.loc[table["arm"] == arm, "endpoint_value"].iloc[0])
        if value == value:
            text = endpoint_text(words, value, unit)
        else:
            missing = "beyond" if unit not in DAYS else "not_reached"
            text = words(f"value.{'not_computed' if arm in failed else missing}")
        bases.append({"place": place, "arm": arm, "text": text})
    chosen: Any = found.strongest(name, top)
    longest = float(chosen["slope"].abs().max()) if len(chosen) else math.nan
    rows = []
    for key, same in chosen.groupby("parameter", sort=False):
        by_arm: dict[str, dict[str, Any]] = {row["arm"]: row for row in same.to_dict("records")}
        rows.append(
            {
                "key": str(key),
                "meaning": meanings[str(key)],
                **_value(words, list(by_arm.values())),
                "bars": [
                    {"place": place, **_bar(words, by_arm[arm], unit, longest)}
                    if arm in by_arm
                    else {"place": place, **_NO_BAR}
                    for place, arm in arms
                ],
            }
        )
    return {
        "key": name,
        "title": words.get(f"endpoint.{name}", name.replace("_", " ")),
        "unit": words("sensitivity.unit_days" if unit in DAYS else "sensitivity.unit_points"),
        "bases": bases,
        "reached": bool(table["endpoint_value"].notna().any()),
        "open": rows[:_OPEN],
        "folded": rows[_OPEN:],
    }


def _value(words: Words, rows: list[dict[str, Any]]) -> dict[str, str]:
    """The value with its unit; several where arms impose different ones."""
    rows = [row for row in rows if row["value"] == row["value"]]
    unit, how = str(rows[0]["unit"]), str(rows[0]["how"])
    numbers = " / ".join(dict.fromkeys(plain(row["value"], 4) for row in rows))
    return {
        "value": numbers if unit == "1" else f"{numbers} {unit_text(unit)}",
        "how": how,
        "how_title": words.get(f"parameter.how_{how}", how),
    }


def _bar(words: Words, row: dict[str, Any], unit: str, longest: float) -> dict[str, Any]:
    slope, elasticity = float(row["slope"]), float(row["elasticity"])
    if slope != slope:
        return _NO_BAR
    length = round(HALF * abs(slope) / longest, 2)
    number = _signed(slope * _HIGHER * (100 if unit == "1" else 1))
    return {
        "x": HALF if slope >= 0 else HALF - length,
        "width": length,
        "number": number,
        "change": words("sensitivity.days" if unit in DAYS else "sensitivity.points", n=number),
        "elasticity": "" if elasticity != elasticity or slope == 0 else _signed(elasticity),
    }


_NO_BAR: dict[str, Any] = {"x": HALF, "width": 0.0, "number": "", "change": "", "elasticity": ""}


def _signed(value: float) -> str:
    """Two significant digits, at most three decimals."""
    if abs(value) < 5e-4:
        return "0"
    return fixed(value, min(3, max(0, 1 - math.floor(math.log10(abs(value))))), signed=True)

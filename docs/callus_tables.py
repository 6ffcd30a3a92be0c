"""Write the tables of docs/callus.md between its markers, from finished calibrations.

Usage: python docs/callus_tables.py CALLUS PEOPLE, the --out of ``osteon calibrate callus`` and of ``people``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

PAGE = Path(__file__).with_name("callus.md")


def main(callus: Path, people: Path) -> None:
    """Replace every block between ``<!-- NAME -->`` and ``<!-- end -->``."""
    from osteon.calibrate.callus_scores import signs, undecided
    from osteon.calibrate.subject import Settings
    from osteon.parameters.posterior import read_draws

    told = {
        name: json.loads((path / "calibration.json").read_text(encoding="utf-8"))
        for name, path in _both(callus, people)
    }
    score = signs(read_draws(callus / "posterior.nc"), Settings())
    blocks = {
        "chains": _chains(told),
        "signs": _signs(score),
        "undecided": "\n".join(f"- {one}" for one in undecided(score)) or "None.",
        "callus targets": _targets(told["callus"]),
        "people targets": _targets(told["people"]),
        "callus parameters": _parameters(told["callus"]),
        "people parameters": _parameters(told["people"]),
        "ablations": _ablations(told["callus"]),
    }
    text = PAGE.read_text(encoding="utf-8")
    for name, block in blocks.items():
        text, count = re.subn(
            rf"(?s)(<!-- {name} -->\n).*?(<!-- end -->)", lambda m, b=block: f"{m[1]}\n{b}\n\n{m[2]}", text
        )
        if count != 1:
            raise SystemExit(f"{PAGE.name} has {count} blocks named {name}")
    PAGE.write_text(text, encoding="utf-8")


def _both(callus: Path, people: Path) -> list[tuple[str, Path]]:
    return [("callus", callus), ("people", people)]


def _chains(told: dict) -> str:
    rows = [
        "| calibration | member | rows | cost | starts agreeing | acceptance | R-hat | effective draws |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, one in told.items():
        for structure in one["structures"]:
            for block in structure["blocks"]:
                agreeing = f"{block['starts_agreeing']} of {len(block['costs'])}"
                numbers = f"{_number(block['acceptance'])} | {_number(block['rhat'])} | {_number(block['effective'])}"
                member = structure["name"].removeprefix("callus_")
                rows.append(
                    f"| {name} | {member} | {block['rows']} | {_number(min(block['costs']))} | {agreeing} | {numbers} |"
                )
    return "\n".join(rows)


def _signs(score) -> str:
    rows = [
        "| study | arm | day | quantity | use | observed | median effect (90 %) | members agreeing | |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for one in score.verdicts:
        effect = f"{_percent(one.effect)} ({_percent(one.low)} to {_percent(one.high)})"
        right = "right" if one.right else "**missed**"
        rows.append(
            f"| {one.study} | {one.arm} | {one.day:g} | {one.quantity} | {one.use} | {one.observed:+d} | {effect} | "
            f"{100 * one.agreeing:.0f} % | {right} |"
        )
    return "\n".join(rows)


def _targets(told: dict) -> str:
    rows = ["| target | use | rows | value | allowed | |", "|---|---|---|---|---|---|"]
    for one in told["targets"]:
        met = {None: "shown", True: "met", False: "**missed**"}[one["met"]]
        value = "–" if one["value"] is None else f"{_number(one['value'])} {one['unit']}".strip()
        rows.append(f"| {one['name']} | {one['use']} | {one['rows']} | {value} | {one['allowed']} | {met} |")
    return "\n".join(rows)


def _parameters(told: dict) -> str:
    names = [structure["name"] for structure in told["structures"]]
    heads = " | ".join(name.removeprefix("callus_") for name in names)
    rows = [f"| parameter | unit | {heads} | 5–95 % | prior 5–95 % |", "|---|---|" + "---|" * len(names) + "---|---|"]
    best = {structure["name"]: structure["best"] for structure in told["structures"]}
    for one in told["parameters"]:
        values = " | ".join(_number(best[name][one["parameter"]]) for name in names)
        ends = (
            f"{_number(one['low'])}–{_number(one['high'])} | {_number(one['prior_low'])}–{_number(one['prior_high'])}"
        )
        rows.append(f"| `{one['parameter']}` | {one['unit']} | {values} | {ends} |")
    return "\n".join(rows)


def _ablations(told: dict) -> str:
    rows = ["| without | log evidence |", "|---|---|"]
    known = [one for one in told["ablations"] if one["log_evidence"] is not None]
    return "\n".join([*rows, *(f"| {one['name']} | {one['log_evidence']:+.1f} |" for one in known)])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _percent(value: float) -> str:
    return "–" if value != value else "> +999 %" if value > 9.99 else f"{100 * value:+.0f} %"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""Put finished calibrations of the callus and of people into the package: values of both members, and a posterior.

Usage: python docs/ship_people.py CALLUS PEOPLE, the --out of ``osteon calibrate callus`` and of ``people``.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

DATA = Path(__file__).parents[1] / "src" / "osteon" / "parameters" / "data"
_SPREADS = ("clock_spread", "strain_spread")
_CALLUS = "osteon calibrate callus, best fit of member {} to rows of use fit on mice and rats"
_PEOPLE = "osteon calibrate people, best fit with member {} to rows of use fit on people"


def main(callus: Path, people: Path) -> None:
    """Write everything, file by file."""
    told = {path: json.loads((path / "calibration.json").read_text(encoding="utf-8")) for path in (callus, people)}
    (DATA / "posterior").mkdir(exist_ok=True)
    shutil.copyfile(callus / "posterior.nc", DATA / "posterior" / "callus.nc")
    for structure in told[callus]["structures"]:
        _member(structure["name"].removeprefix("callus_"), structure["best"])
    ends = {row["parameter"]: row for row in told[people]["parameters"]}
    best = {one["name"].removeprefix("callus_"): one["best"] for one in told[people]["structures"]}
    for member, values in best.items():
        _people(member, values, ends)
    for key in (key for key in ends if key.startswith(_SPREADS)):
        both = sum(values[key] for values in best.values()) / len(best)
        table, _, name = key.partition(".")
        _line(DATA / f"{table}.toml", name, both, _PEOPLE.format("J and B, mean of both"))
    path = DATA / "hooks" / "patient.toml"
    both = sum(values["age.per_year"] for values in best.values()) / len(best)
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?m)^per_year = [\d.]+", f"per_year = {both:.3g}", text, count=1), encoding="utf-8")


def _member(member: str, best: dict[str, float]) -> None:
    """Values of a member: J in place, B as a file of what differs."""
    path = DATA / "callus_J.toml"
    if member == "J":
        for key, value in best.items():
            _line(path, key.partition(".")[2], value, _CALLUS.format(member))
        return
    lines = [
        f"# Member {member} of the ensemble: what differs from J.",
        f'reference = "osteon calibrate callus, from the place of member {member} of the callus prototype"',
        "fixes = []",
    ]
    tables: dict[str, list[str]] = {}
    for key, value in best.items():
        module, _, name = key.partition(".")
        tables.setdefault(module, []).append(_changed(_found(path, name), value, _CALLUS.format(member)))
    for module, rows in tables.items():
        lines += ["", f"[{module}]", *rows]
    (DATA / f"callus_{member}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _people(member: str, best: dict[str, float], ends: dict[str, dict]) -> None:
    """What people need beside the kinetics of a member."""
    lines = [
        f"# People with the callus of member {member}: clocks, what a film shows, late remodelling, smoking.",
        'reference = "osteon calibrate people"',
    ]
    from osteon.calibrate.people import records

    tables: dict[str, list[str]] = {}
    for key, value in best.items():
        module, _, name = key.partition(".")
        if module in (*_SPREADS, "age"):
            continue
        row = ends[key]
        entry = f'value = {value:.5g}, unit = "{row["unit"]}", how = "fitted", source = "{_PEOPLE.format(member)}"'
        tables.setdefault(module, []).append(f'{name} = {{ {entry}, meaning = "{records()[key].meaning}" }}')
    for module, rows in tables.items():
        lines += ["", f"[{module}]", *rows]
    (DATA / f"people_{member}.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _found(path: Path, name: str) -> str:
    found = re.search(rf"(?m)^{name} = \{{.*\}}$", path.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit(f"{path.name} has no entry {name}")
    return found.group(0)


def _line(path: Path, name: str, value: float, source: str) -> None:
    line = _found(path, name)
    path.write_text(path.read_text(encoding="utf-8").replace(line, _changed(line, value, source)), encoding="utf-8")


def _changed(line: str, value: float, source: str) -> str:
    line = re.sub(r"value = [^,]+", f"value = {value:.5g}", line, count=1)
    line = re.sub(r'how = "\w+"', 'how = "fitted"', line, count=1)
    return re.sub(r'source = "[^"]*"', f'source = "{source}"', line, count=1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

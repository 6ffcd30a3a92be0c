"""Put a finished calibration into the package: the shipped posterior, default values, and one set for each structure.

Usage: python docs/ship_calibration.py FOLDER, where FOLDER is the --out of ``osteon calibrate turnover``.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

DATA = Path(__file__).parents[1] / "src" / "osteon" / "parameters" / "data"
#: Parameter file of each module.
FILES = {"turnover": "turnover", "markers": "turnover", "denosumab": "sutjandra2011", "endocrine": "endocrine"}
_SOURCE = "osteon calibrate turnover, best fit of {}; 5-95 % over draws and structures {:.3g} to {:.3g}"


def main(folder: Path) -> None:
    """Write everything, file by file."""
    told = json.loads((folder / "calibration.json").read_text(encoding="utf-8"))
    (DATA / "posterior").mkdir(exist_ok=True)
    shutil.copyfile(folder / "posterior.nc", DATA / "posterior" / "turnover.nc")
    for row in told["parameters"]:
        source = _SOURCE.format(told["leading"], row["low"], row["high"])
        _replace(row["parameter"], row["best"], (row["low"], row["high"]), source)
    for structure in told["structures"]:
        _structure(structure["name"], structure["best"])


def _replace(key: str, value: float, ends: tuple[float, float], source: str) -> None:
    """Give one entry of a parameter file its value, interval and source; unit and meaning stay."""
    module, name = key.split(".")
    path = DATA / f"{FILES.get(module, module)}.toml"
    text = path.read_text(encoding="utf-8")
    found = re.search(rf"(?ms)^\[{module}\]\n.*?^({name} = \{{.*?\}})$", text)
    if found is None:
        raise SystemExit(f"{path.name} has no entry {key}")
    line = found.group(1)
    line = re.sub(r"value = [^,]+", f"value = {value:.5g}", line, count=1)
    line = re.sub(r'how = "\w+"', 'how = "fitted"', line, count=1)
    line = re.sub(r'source = "[^"]*"', f'source = "{source}"', line, count=1)
    line = re.sub(r"range = \[[^\]]*\]", f"range = [{ends[0]:.5g}, {ends[1]:.5g}]", line, count=1)
    path.write_text(text[: found.start(1)] + line + text[found.end(1) :], encoding="utf-8")


def _structure(name: str, best: dict[str, float]) -> None:
    """Write the best fit of a structure behind what defines it."""
    path = DATA / f"{name}.toml"
    text = path.read_text(encoding="utf-8").partition("\n# Best fit of this structure")[0].rstrip()
    lines = ["", "", "# Best fit of this structure (osteon calibrate turnover); units as in the default files."]
    own = re.findall(r"(?m)^(\w+) = \{", text)
    last = "turnover"
    for key in sorted(best, key=lambda key: (key.partition(".")[0] != "turnover", key)):
        module, short = key.split(".")
        if short in own:
            continue
        if module != last:
            lines += ["", f"[{module}]"]
            last = module
        entry = _entry(module, short)
        source = "osteon calibrate turnover, best fit of this structure"
        told = f'how = "fitted", source = "{source}", meaning = "{entry["meaning"]}"'
        lines.append(f'{short} = {{ value = {best[key]:.5g}, unit = "{entry["unit"]}", {told} }}')
    path.write_text(text + "\n".join(lines) + "\n", encoding="utf-8")


def _entry(module: str, name: str) -> dict:
    import tomllib

    return tomllib.loads((DATA / f"{FILES.get(module, module)}.toml").read_text(encoding="utf-8"))[module][name]


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""The table a person reads, and what is met of what was aimed at."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

#: How many times faster than a peer at each target error.
AIMS = {
    ("roadrunner", 1e-4): 25,
    ("roadrunner", 1e-6): 10,
    # The method of libRoadRunner without what its compiler does to nested rules: the harder test of the same aim.
    ("vode", 1e-4): 25,
    ("vode", 1e-6): 10,
    ("scipy", 1e-4): 200,
    ("scipy", 1e-6): 100,
}
SPEED_UP, SLOPE, SLACK = 1.9, 1.0, 0.05


def aims(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Each aim with what was measured: `aim`, `measured` (None where it could not be read), `met`."""
    found = []
    for (name, target), factor in AIMS.items():
        if name in result["readings"] and "ours" in result["readings"]:
            ratio = _ratio(result, name, target)
            met = None if ratio is None else ratio >= factor
            found.append({"aim": f">= {factor}x {name} at {target:.0e}", "measured": ratio, "met": met})
    for series in result.get("scaling", []):
        if series["what"] == "threads":
            speed_up = series["notes"]["speed_up"]
            met = speed_up >= SPEED_UP
            found.append({"aim": f"two threads >= {SPEED_UP}x", "measured": speed_up, "met": met})
        elif series["what"].startswith(("patients", "years")):
            met = abs(series["exponent"] - SLOPE) <= SLACK
            aim = f"linear in {series['what']} (1 +- {SLACK})"
            found.append({"aim": aim, "measured": series["exponent"], "met": met})
    return found


def show(result: dict[str, Any], console: Console) -> None:
    """Print the table; adds `aims` to the result."""
    from rich.table import Table

    result["aims"] = aims(result)
    about = result["about"]
    table = Table(title=about["workload"], title_justify="left", show_lines=False)
    for name in ("", "at 1e-4", "at 1e-6"):
        table.add_column(name, justify="left" if not name else "right")
    table.add_row("[bold]CPU ms per patient and core, and times slower than osteon", "", "")
    for name, title in result["titles"].items():
        table.add_row(title, *(_cell(result, name, reading) for reading in result["readings"][name]))
    for series in result.get("scaling", []):
        table.add_section()
        _series(table, series)
    if "arithmetic" in result:
        table.add_section()
        _arithmetic(table, result["arithmetic"])
    if result["aims"]:
        table.add_section()
        table.add_row("[bold]Aims", "measured", "")
    for aim in result["aims"]:
        word = {True: "[green]met", False: "[red]missed", None: "[yellow]not measured"}[aim["met"]]
        table.add_row(aim["aim"], _number(aim["measured"]), word)
    console.print(table)
    if "roadrunner_expansion" in result:
        factor = result["roadrunner_expansion"]["factor"]
        console.print(
            f"libRoadRunner puts rules in wherever they are used, here {factor:.0f} times what the file says; "
            "VODE with a compiled right-hand side shows what its method costs without that"
        )
    before, after = (about[f"load_average_{when}"][0] for when in ("before", "after"))
    console.print(
        f"{about['patients']} patients, {about['states']} states, {about['outputs']} outputs; {about['machine']}, "
        f"{about['cores']} cores, load average {before:.1f} before and {after:.1f} after; reference agrees with a "
        f"tighter one to {result['reference']['difference_to_1e-11']:.1e}"
    )


def _ratio(result: dict[str, Any], name: str, target: float) -> float | None:
    times = [
        reading["milliseconds"]
        for who in (name, "ours")
        for reading in result["readings"].get(who, [])
        if reading["target"] == target
    ]
    return None if len(times) < 2 or None in times else times[0] / times[1]


def _cell(result: dict[str, Any], name: str, reading: dict[str, Any]) -> str:
    if reading["milliseconds"] is None:
        return f"[yellow]{reading['note']}"
    ratio = _ratio(result, name, reading["target"]) if name != "ours" else None
    return _number(reading["milliseconds"]) + ("" if ratio is None else f"  ({_number(ratio)}x)")


def _series(table: Any, series: dict[str, Any]) -> None:
    exponent = series["exponent"]
    head = "" if math.isnan(exponent) else f"CPU in all ~ size^{exponent:.3f}"
    table.add_row(f"[bold]osteon against {series['what']}[/] {head}", "CPU ms a patient", "steps; wall s")
    for row in series["rows"]:
        table.add_row(f"  {row['size']:,g}", _number(row["milliseconds"]), f"{row['steps']:.0f}; {row['wall']:.3f}")


def _arithmetic(table: Any, found: dict[str, Any]) -> None:
    counts = ", ".join(f"{number:g} {kind}" for kind, number in found["operations_per_step"].items())
    table.add_row(f"[bold]One {found['method']} step of one patient", "ns", "measured over it")
    table.add_row(f"  measured ({counts})", _number(found["measured_nanoseconds_per_step"]), "")
    words = {
        "realistic": "  floor: half of the additions fused, divisions apart",
        "fused": "  floor: all additions fused, divisions beside",
    }
    for name, text in words.items():
        table.add_row(text, _number(found["floor_nanoseconds"][name]), f"{found['measured_over_floor'][name]:.2f}x")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"

"""``osteon calibrate``: fit a model to published data, and write the posterior with what the data can tell."""

from __future__ import annotations

import json as jsons
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osteon.cli.heal import JsonOption
from osteon.errors import InputError, Interrupted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_QUICK = {"starts": 2, "steps": 100}
_FULL = {"starts": 8, "steps": 1000}


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("calibrate")(calibrate)


def calibrate(
    what: Annotated[
        str, typer.Argument(help="What to calibrate: turnover, callus or people.", metavar="WHAT", show_default=False)
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the results (default: osteon-calibrate).", metavar="DIR"),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the calibration that the folder holds.")] = False,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of the tables with observed rows (default: shipped).", metavar="DIR"),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of starts, chains and draws.", metavar="N")] = 1,
    starts: Annotated[
        int | None, typer.Option("--starts", help=f"Starts of each fit (default: {_FULL['starts']}).", metavar="N")
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", help=f"Steps of each chain (default: {_FULL['steps']}).", metavar="N")
    ] = None,
    walkers: Annotated[
        int | None, typer.Option("--walkers", help="Walkers of each chain (default: by parameters).", metavar="N")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help=f"A first look: {_QUICK['starts']} starts, {_QUICK['steps']} steps.")
    ] = False,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Threads to use (default: all cores).", metavar="N")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Fit a model to published data, with the uncertainty of its parameters and of its structure.

    turnover is the systemic layer under drugs, callus the kinetics of healing in animals, and people how fast bones of
    people heal, what films show of it and how far people differ.

    Prints the targets, the parameters with their intervals, and what the data cannot tell; writes to DIR posterior.nc
    (for ArviZ), parameters.toml, calibration.json and, to look at, calibration.html and calibration.zh.html. What is
    done is kept on Ctrl-C and continued with --resume, which also takes a larger number of steps.

    Example: [bold]osteon calibrate turnover --quick --out first-look[/bold]
    """
    from osteon.calibrate.run import require

    require()
    from osteon.calibrate.files import save
    from osteon.calibrate.subject import Settings, subject
    from osteon.ensemble.plan import whole
    from osteon.output import check_writable

    model = subject(what)
    usual = _QUICK if quick else _FULL
    asked = {
        "seed": seed,
        "starts": whole("--starts", usual["starts"] if starts is None else starts, 1, 10_000),
        "steps": whole("--steps", usual["steps"] if steps is None else steps, 4, 10_000_000),
        "walkers": None if walkers is None else whole("--walkers", walkers, 4, 100_000),
        "resume": resume,
    }
    if threads is not None:
        whole("--threads", threads, 1, 4096)
    if data is not None and not data.is_dir():
        raise InputError(f"{data} is not a folder", path="--data", value=str(data), hint="name one with the tables")
    folder = out or (None if json else Path("osteon-calibrate"))
    if folder is None and resume:
        raise InputError("there is no folder to go on with", path="--resume", hint="name it with --out")
    if folder is not None:
        check_writable(folder)
    settings = Settings(data, threads, quick)
    found, told = _run(model, settings, folder, asked)
    written = {}
    if folder is not None:
        try:
            shown = _pages(model, found, told, settings, what)
        except KeyboardInterrupt:
            raise Interrupted(_kept(folder)) from None
        written = save(found, folder, model.records(), told, what, shown)
    if json:
        jsons.dump(told, sys.stdout, allow_nan=False)
        sys.stdout.write("\n")
    else:
        _print(told, what, written)


def _run(model: Any, settings: Any, folder: Path | None, asked: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Calibrate, measure and take parts out; the calibration, and what there is to tell."""
    from osteon.calibrate.findings import ablate, document
    from osteon.calibrate.run import calibrate as run
    from osteon.cli.show import progress

    try:
        with progress() as tell:
            weight = getattr(model, "WEIGHTS", None)
            problems = model.problems(model.STRUCTURES, settings)
            found = run(problems, folder=folder, on_progress=tell, weight=weight, **asked)
            tell("targets", 0, 1)
            targets = model.targets(found, settings)
            core = next(iter(found.stages[found.leading].values()))
            without = model.ablated(found.leading, settings)
            ablations = ablate(core, without, seed=asked["seed"], starts=asked["starts"], on_progress=tell)
    except KeyboardInterrupt:
        raise Interrupted(_kept(folder)) from None
    return found, document(found, model.records(), targets, ablations)


def _pages(model: Any, found: Any, told: Mapping[str, Any], settings: Any, what: str) -> dict[str, str]:
    """Text of the pages by file name, with curves where the subject has any."""
    from osteon.cli.show import progress
    from osteon.report.calibration import pages

    with progress() as tell:
        picture = getattr(model, "picture", None)
        shown = None if picture is None else picture(found.joint.draws, settings, tell)
        return pages(told, model.records(), shown, what)


def _kept(folder: Path | None) -> str:
    from osteon.calibrate.folder import RUN

    if folder is None or not (folder / RUN).exists():
        return "Interrupted; nothing was written."
    return f"Interrupted; what is done is kept in {folder}. To go on, give the same command with --resume."


def _print(told: Mapping[str, Any], what: str, written: Mapping[str, Path]) -> None:
    """Print the tables, what the data cannot tell, and where the files are."""
    from rich.console import Console
    from rich.markup import escape

    out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    tables = [_structures(told, what), _targets(told), _parameters(told), _ablations(told)]
    for table in tables:
        if table.row_count:
            out.print(table)
    _cannot_tell(out, told)
    if not told["converged"]:
        out.print("[yellow]Some chain has not settled[/yellow] (R-hat above 1.1 or under 100 effective draws).")
        out.print("To go on, give the same command with --resume and a larger --steps.")
    if told["draws_failed"]:
        out.print(f"[yellow]The model fails at {told['draws_failed']} of {told['draws']} draws.[/yellow]")
    out.print(f"{told['draws']} draws; {told['seconds']:.0f} s.")
    if written:
        out.print(f"Files: {escape(', '.join(str(path) for path in written.values()))}", soft_wrap=True)


def _structures(told: Mapping[str, Any], what: str) -> Table:
    table = _table(f"Calibration of {what}: structures and blocks")
    for name in ("structure", "weight", "block"):
        table.add_column(name)
    for name in ("rows", "starts agreeing", "acceptance", "R-hat", "effective draws", "RMSE"):
        table.add_column(name, justify="right", overflow="fold")
    for structure in told["structures"]:
        table.add_section()
        for place, block in enumerate(structure["blocks"]):
            first = (structure["name"], f"{100 * structure['weight']:.1f} %") if not place else ("", "")
            errors = ", ".join(f"{one['endpoint']} {_number(one['rmse'])}" for one in block["endpoints"])
            agreeing = f"{block['starts_agreeing']}/{len(block['costs'])}"
            numbers = [_number(block[name]) for name in ("acceptance", "rhat", "effective")]
            table.add_row(*first, block["block"], str(block["rows"]), agreeing, *numbers, errors)
    return table


def _targets(told: Mapping[str, Any]) -> Table:
    table = _table("Targets")
    table.add_column("target", overflow="fold")
    table.add_column("use")
    for name in ("rows", "value", "allowed"):
        table.add_column(name, justify="right")
    table.add_column("")
    for one in told["targets"]:
        met = {None: "shown", True: "[green]met[/green]", False: "[red]missed[/red]"}[one["met"]]
        value = f"{_number(one['value'])} {one['unit']}".strip()
        table.add_row(one["name"], one["use"], str(one["rows"]), value, one["allowed"], met)
    return table


def _parameters(told: Mapping[str, Any]) -> Table:
    table = _table("Parameters: best fit, 5-95 % interval over all structures, and prior")
    table.add_column("parameter", overflow="fold")
    table.add_column("unit")
    for name in ("best", "5-95 %", "prior", "prior 5-95 %"):
        table.add_column(name, justify="right")
    table.add_column("")
    for one in told["parameters"]:
        ends, before = (f"{_number(one[f'{of}low'])} to {_number(one[f'{of}high'])}" for of in ("", "prior_"))
        note = "[yellow]not seen by the data[/yellow]" if told["leading"] in one["unseen_in"] else ""
        best, prior = _number(one["best"]), _number(one["prior"])
        table.add_row(one["parameter"], one["unit"], best, ends, prior, before, note)
    return table


def _ablations(told: Mapping[str, Any]) -> Table:
    table = _table("Ablations: the model with a part taken out, fitted anew")
    table.add_column("without", overflow="fold")
    table.add_column("log evidence", justify="right")
    table.add_column("RMSE without (with) it", overflow="fold")
    for one in told["ablations"]:
        rows = one["endpoints"]
        errors = ", ".join(f"{row['endpoint']} {_number(row['rmse'])} ({_number(row['rmse_full'])})" for row in rows)
        table.add_row(one["name"], f"{one['log_evidence']:+.1f}" if one["log_evidence"] is not None else "-", errors)
    return table


def _cannot_tell(out: Console, told: Mapping[str, Any]) -> None:
    """What the data cannot tell in the leading structure."""
    for block, one in told["identifiability"][told["leading"]].items():
        lines = [f"hardly narrower than its prior: {name}" for name in one["unseen"]]
        lines += [
            f"not parted (correlation {pair['correlation']:+.2f}): {pair['first']} and {pair['second']}"
            for pair in one["correlated"]
        ]
        lines += [f"flat direction (singular value {flat['singular_value']:.2g}): {_mix(flat)}" for flat in one["flat"]]
        if lines:
            out.print(f"[bold]What the data cannot tell, block {block}[/bold]")
            for line in lines:
                out.print(f"  {line}")


def _mix(flat: Mapping[str, Any]) -> str:
    return ", ".join(f"{part:+.2f} {name}" for name, part in flat["parameters"].items())


def _table(title: str) -> Table:
    from rich.table import Table

    return Table(title=title, title_justify="left", title_style="bold", header_style="bold")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"

"""``osteon schedule``: what follows from giving the next dose now, on time, late, never, or another drug instead."""

from __future__ import annotations

import json as jsons
import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from osteon.cli.heal import JsonOption, LangOption, Language, OutOption
from osteon.errors import InputError, Interrupted, show

if TYPE_CHECKING:
    from osteon.report.locale import Words
    from osteon.trial.dosing import Candidates
    from osteon.trial.dosing_run import Schedule

_MONTHS = "0-6"


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("schedule")(schedule)


def schedule(
    file: Annotated[Path, typer.Argument(help="Scenario, YAML or JSON.", metavar="FILE", show_default=False)],
    drug: Annotated[
        str | None,
        typer.Option("--drug", help="Whose next dose is timed (default: that of the last dose).", metavar="NAME"),
    ] = None,
    months: Annotated[
        str, typer.Option("--months", help="Delays in months: from-to, or with commas between.", metavar="A-B")
    ] = _MONTHS,
    switch: Annotated[
        str | None,
        typer.Option(
            "--switch", help="Drugs to switch to, with commas between, or none (default: all known).", metavar="A,B"
        ),
    ] = None,
    doses: Annotated[
        int | None,
        typer.Option("--doses", help="Doses still to come (default: as the file plans, at least 1).", metavar="N"),
    ] = None,
    draws: Annotated[
        int, typer.Option("--draws", help="Draws of parameters and structures; 0 for none.", metavar="N")
    ] = 40,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of the draws (default: the scenario's).", metavar="N")
    ] = None,
    out: OutOption = None,
    backend: Annotated[str, typer.Option("--backend", help="auto, compiled or python.")] = "auto",
    json: JsonOption = False,
    lang: LangOption = Language.en,
) -> None:
    """Show what follows from the time of the next dose after a fracture under treatment; it recommends nothing.

    The first arm with doses before the fracture gives the treatment so far. Prints union, remodelling, bone density and
    rebound of every regimen, their differences to the regular date under the same draws, and which regimens no other
    beats. Writes schedule.json, schedule.csv, draws.csv, front.png and [bold]report.html[/bold] to DIR (default:
    osteon-schedule).

    Example: [bold]osteon schedule my.yaml --months 0-6 --switch alendronate,zoledronate[/bold]
    """
    from rich.markup import escape

    from osteon.cli.show import console
    from osteon.output import check_writable
    from osteon.report.locale import load
    from osteon.report.schedule import notes
    from osteon.report.schedule_files import check_picture, save
    from osteon.scenario import Scenario
    from osteon.trial.dosing import candidates

    words = load(lang.value)
    folder = out or (None if json else Path("osteon-schedule"))
    compared = candidates(Scenario.read(file), drug=drug, months=_months(months), switch=_switches(switch), doses=doses)
    if folder is not None:
        check_writable(folder)
        check_picture()
    found = _simulate(compared, draws, seed, backend, words)
    for note in notes(words, found):
        console.print(f"[yellow]{words('cli.note')}[/yellow] ", escape(note), soft_wrap=True)
    given = {"--drug": drug, "--months": None if months == _MONTHS else months, "--switch": switch, "--doses": doses}
    command = _command({**given, "--draws": draws, "--seed": seed})
    written = {} if folder is None else save(found, folder, lang.value, command)
    if json:
        jsons.dump(found.to_dict(), sys.stdout, allow_nan=False)
        sys.stdout.write("\n")
    else:
        _print(found, words, written)
    if found.failures:
        raise typer.Exit(3)


def _months(given: str) -> list[int]:
    """Delays as they are written: ``0-6``, ``1,3,6`` or ``3``."""
    ends = re.fullmatch(r"\s*(\d{1,3})\s*-\s*(\d{1,3})\s*", given)
    if ends is not None and int(ends[1]) <= int(ends[2]):
        return list(range(int(ends[1]), int(ends[2]) + 1))
    try:
        return [int(one) for one in given.split(",")]
    except ValueError:
        message, hint = f"{show(given)} is no number of months", 'write for example "0-6" or "1,3,6"'
        raise InputError(message, path="--months", value=given, hint=hint) from None


def _switches(given: str | None) -> list[str] | None:
    if given is None:
        return None
    named = [one.strip() for one in given.split(",") if one.strip()]
    return [] if named == ["none"] else named


def _command(given: Mapping[str, object]) -> str:
    options = [f"{name} {shlex.quote(str(value))}" for name, value in given.items() if value is not None]
    return " ".join(["osteon schedule my.yaml", *options])


def _simulate(compared: Candidates, draws: int, seed: int | None, backend: str, words: Words) -> Schedule:
    from osteon.cli.show import progress
    from osteon.trial.dosing_run import run

    try:
        with progress() as tell:

            def on_progress(done: int, total: int, failed: int) -> None:
                tell(words("schedule.working", failed=failed) if failed else "", done, total)

            return run(compared, draws=draws, seed=seed, backend=backend, on_progress=on_progress)
    except KeyboardInterrupt:
        raise Interrupted(words("schedule.interrupted")) from None


def _print(found: Schedule, words: Words, written: Mapping[str, Path]) -> None:
    """Print the results, the differences with the front, and where the files are."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from osteon.report import schedule as told
    from osteon.trial.dosing_measures import MEASURES

    shown = told.rows(words, found)
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 144)

    def table(heading: str, columns: tuple[str, ...] = ()) -> Table:
        made = Table(title=escape(heading), title_justify="left", title_style="bold", header_style="bold")
        made.add_column(words("schedule.regimen"), overflow="fold")
        for one in (*(words(f"schedule.{one.name}") for one in MEASURES), *columns):
            made.add_column(escape(one), justify="right", overflow="fold")
        return made

    results = table(told.heading(words, found))
    for row in shown:
        cells = (f"{cell['value']}\n[dim]{cell['range']}[/dim]" for cell in row["cells"])
        results.add_row(f"{row['number']}. {row['title']}", *cells)
    out.print(results)
    out.print(words("schedule.range_text"))
    differences = table(words("schedule.differences"), (words("schedule.front_share"),))
    for row in shown:
        cells = (
            f"{(cell['mark'] + ' ') if cell['mark'] else ''}{cell['difference']}\n[dim]{cell['difference_range']}[/dim]"
            for cell in row["cells"]
        )
        differences.add_row(f"{row['number']}. {row['short']}", *cells, row["share"])
    out.print(differences)
    out.print(words("schedule.differences_text"))
    placed = [f"{row['number']}. {row['title']}" for row in shown if row["on_front"]]
    out.print(escape(words("schedule.front_line", names=words("list_separator").join(placed))))
    out.print(told.front_text(words))
    for line in told.failures(words, found):
        out.print(f"[red]{escape(line)}[/red]")
    out.print(f"[bold]{words('page.disclaimer_title')}[/bold] {words('schedule.disclaimer')}")
    if "report.html" in written:
        out.print(f"{words('cli.report')} {escape(str(written['report.html']))}", soft_wrap=True)

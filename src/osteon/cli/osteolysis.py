"""``osteon osteolysis``: a lytic lesion under drugs, exploratory."""

from __future__ import annotations

import json as jsons
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osteon.cli.heal import JsonOption, LangOption, Language

if TYPE_CHECKING:
    from osteon.replay.osteolysis import LesionCourse
    from osteon.replay.osteolysis_checks import Direction
    from osteon.report.locale import Words


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("osteolysis")(osteolysis)


def osteolysis(
    file: Annotated[
        Path | None,
        typer.Argument(help="Scenario without a fracture (default: usual regimens).", metavar="[FILE]"),
    ] = None,
    lesion: Annotated[
        str, typer.Option("--lesion", help="giant_cell_tumour or particles (around an implant).", metavar="KIND")
    ] = "giant_cell_tumour",
    check: Annotated[
        bool, typer.Option("--check", help="Set the directions of published studies beside the simulated ones.")
    ] = False,
    draws: Annotated[int, typer.Option("--draws", help="Draws over what is assumed.", metavar="N")] = 24,
    json: JsonOption = False,
    lang: LangOption = Language.en,
) -> None:
    """Follow a lytic lesion with a high local RANKL: how fast it is eaten, and what fills it.

    Exploratory: what is of the lesion alone is assumed, and drawn from its range. Nothing here is fitted.

    Example: [bold]osteon osteolysis --lesion particles[/bold]
    """
    from osteon.cli.show import progress
    from osteon.course import RESEARCH_ONLY
    from osteon.replay.osteolysis import lesion_course
    from osteon.replay.osteolysis_checks import directions, lesion_scenario
    from osteon.report.locale import load
    from osteon.scenario import Scenario
    from osteon.trial.analysis.result import plain

    words, found = load(lang.value), ()
    scenario = Scenario.read(file) if file is not None else None
    with progress() as tell:

        def on_progress(done: int, total: int) -> None:
            tell(words("osteolysis.draws"), done, total)

        if check:
            found, courses = directions(draws, on_progress)
            course = courses.get(lesion) or next(iter(courses.values()))
        else:
            course = lesion_course(scenario or lesion_scenario(lesion), lesion, draws=draws, on_progress=on_progress)
    if json:
        told = {"warning": RESEARCH_ONLY, **course.to_dict(), "directions": [_plain(one) for one in found]}
        jsons.dump(plain(told), sys.stdout, allow_nan=False)
        sys.stdout.write("\n")
    else:
        _print(words, course, lang.value)
        _print_directions(words, found)
    if course.failed:
        raise typer.Exit(3)


def _plain(one: Direction) -> dict[str, Any]:
    return {**one._asdict(), "sign": one.sign, "agrees": one.agrees}


def _print(words: Words, course: LesionCourse, lang: str) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from osteon.replay.osteolysis import CURVES, LESIONS

    plain = course.to_dict()["days"]
    title = words("osteolysis.title", lesion=LESIONS[course.lesion][lang == "zh"])
    table = Table(title=escape(title), title_justify="left", title_style="bold", header_style="bold")
    table.add_column(words("osteolysis.curve"), overflow="fold")
    table.add_column(words("osteolysis.day"), justify="right")
    for arm in course.arms:
        table.add_column(escape(arm), justify="right", overflow="fold")
    for name in CURVES:
        table.add_section()
        for day, arms in plain[name].items():
            scale = 365.0 if name == "lesion_resorption" else 1.0
            cells = [_range(tuple(scale * value for value in arms[arm])) for arm in course.arms]
            table.add_row(words(f"osteolysis.{name}"), day, *cells)
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 130)
    out.print(table)
    out.print(words("osteolysis.explored", draws=course.to_dict()["draws"]))
    if course.failed:
        out.print(f"[red]{words('osteolysis.failed', failed=course.failed)}[/red]")
    out.print(f"[bold]{words('page.disclaimer_title')}[/bold] {words('cohort.disclaimer')}")


def _print_directions(words: Words, found: tuple[Direction, ...]) -> None:
    from rich.console import Console
    from rich.markup import escape

    out = Console(highlight=False, width=None if sys.stdout.isatty() else 130)
    for one in found:
        verdict = words("osteolysis.agrees" if one.agrees else "osteolysis.disagrees")
        colour = "green" if one.agrees else "red"
        measured = f"{one.measure} {_range((one.simulated, one.low, one.high))}"
        out.print(f"[{colour}]{verdict}[/{colour}]  [bold]{escape(one.study)}[/bold]: {escape(one.said)}")
        out.print(f"      {words('osteolysis.simulated')} {escape(measured)}")


def _range(three: tuple[float, ...]) -> str:
    middle, low, high = three
    return f"{middle:.2f} ({low:.2f} – {high:.2f})"

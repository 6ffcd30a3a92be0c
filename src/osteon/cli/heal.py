"""``osteon heal`` and ``osteon demo``: simulate, print the table, write the files."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from osteon.course import Course
    from osteon.scenario import Scenario

DEMO = "metatarsal_on_denosumab"


class Language(StrEnum):
    """Languages of table and report."""

    en = "en"
    zh = "zh"


class Members(StrEnum):
    """Which members of the ensemble of callus kinetics."""

    both = "both"
    J = "J"
    B = "B"


OutOption = Annotated[
    Path | None, typer.Option("--out", "-o", help="Folder for the results.", metavar="DIR", show_default=False)
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document and nothing else; files only with --out.")
]
LangOption = Annotated[Language, typer.Option("--lang", help="Language of the table and the report.")]
MemberOption = Annotated[
    Members, typer.Option("--member", help="Ensemble members to run; curves are those of the first.")
]
DrawsOption = Annotated[
    int | None,
    typer.Option(
        "--draws",
        help="Draws of parameters and structures of the turnover model, over which markers, density and safety have a "
        "range; 0 for none (default: 40 for people where no arm imposes an effect).",
        metavar="N",
        show_default=False,
    ),
]
OpenOption = Annotated[
    bool | None,
    typer.Option("--open/--no-open", help="Open the report in the browser.", show_default="only at a terminal"),
]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("heal")(heal)
    app.command("demo")(demo)


def heal(
    file: Annotated[Path, typer.Argument(help="Scenario, YAML or JSON.", metavar="FILE", show_default=False)],
    out: OutOption = None,
    json: JsonOption = False,
    lang: LangOption = Language.en,
    member: MemberOption = Members.both,
    draws: DrawsOption = None,
    open_report: OpenOption = False,
) -> None:
    """Simulate a scenario: every arm of one patient.

    Prints a table and writes [bold]report.html[/bold], course.nc, endpoints.csv and .parquet, scenario.json and
    manifest.json to DIR (default: osteon-out). Ranges over draws need a compiled kernel for each set of drugs, which
    is made on the first run; --draws 0 needs none.

    Example: [bold]osteon heal my.yaml --out result --lang zh[/bold]
    """
    from osteon.scenario import Scenario

    _run(Scenario.read(file), out or (None if json else Path("osteon-out")), json, lang, member, draws, open_report)


def demo(
    out: OutOption = None,
    json: JsonOption = False,
    lang: LangOption = Language.en,
    member: MemberOption = Members.both,
    draws: DrawsOption = None,
    open_report: OpenOption = None,
) -> None:
    """Simulate a published case: a metatarsal that broke four months after a denosumab dose.

    Three arms of the same woman of 73: go on with the drug, hold it, never treated. Writes to DIR (default: demo-out).
    """
    from osteon.scenario import Scenario

    _run(Scenario.preset(DEMO), out or (None if json else Path("demo-out")), json, lang, member, draws, open_report)


def _run(
    scenario: Scenario,
    out: Path | None,
    json: bool,
    lang: Language,
    member: Members,
    draws: int | None,
    open_report: bool | None,
) -> None:
    from osteon.cli.show import console, print_json, print_table
    from osteon.output import check_writable, save

    if out is not None:
        check_writable(out)
    words = _words(lang)
    for note in scenario.notes():
        console.print(f"[yellow]{words('cli.note')}[/yellow] ", note.text_zh if lang == "zh" else note.text_en)
    course = _simulate(scenario, member, draws)
    written = save(course, out, lang.value) if out is not None else {}
    if json:
        print_json(course)
    else:
        print_table(course, words, written)
    if open_report is None:
        open_report = console.is_terminal and not json
    if open_report and written:
        import webbrowser

        webbrowser.open(written["report.html"].absolute().as_uri())
    if course.failures:
        raise typer.Exit(3)


def _simulate(scenario: Scenario, member: Members, draws: int | None) -> Course:
    from osteon.cli.show import progress
    from osteon.model.person import MEMBERS
    from osteon.simulation import simulate

    members = tuple(MEMBERS) if member is Members.both else (member.value,)
    with progress() as tell:
        return simulate(scenario, members=members, draws=draws, on_progress=tell)


def _words(lang: Language):
    from osteon.report.locale import load

    return load(lang.value)

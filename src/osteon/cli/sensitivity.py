"""``osteon sensitivity``: which parameters move the endpoints of a scenario, in a table, a report and files."""

from __future__ import annotations

import json as jsons
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osteon.cli.heal import JsonOption, LangOption, Language, MemberOption, Members, OutOption

if TYPE_CHECKING:
    from osteon.course import Course
    from osteon.report.locale import Words
    from osteon.scenario import Scenario
    from osteon.sensitivity import Sensitivities

_MOST = 1000


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("sensitivity")(sensitivity)


def sensitivity(
    file: Annotated[Path, typer.Argument(help="Scenario, YAML or JSON.", metavar="FILE", show_default=False)],
    out: OutOption = None,
    parameters: Annotated[
        str | None, typer.Option("--parameters", help="Only these, with commas between (default: all).", metavar="A,B")
    ] = None,
    series: Annotated[
        str | None, typer.Option("--series", help="Curves whose slopes are written.", metavar="A,B")
    ] = None,
    top: Annotated[int, typer.Option("--top", help="Parameters shown for each endpoint.", metavar="N")] = 20,
    arm: Annotated[str | None, typer.Option("--arm", help="Only this arm.", metavar="NAME")] = None,
    member: MemberOption = Members.both,
    json: JsonOption = False,
    lang: LangOption = Language.en,
) -> None:
    """Say which parameters move the endpoints of a scenario, and how far.

    Prints the strongest parameters of the main endpoints and writes to DIR (default: osteon-sensitivity) what heal
    writes, with a section in [bold]report.html[/bold], and sensitivity.csv, .parquet and .nc. Sensitivities are those
    of the first ensemble member.

    Example: [bold]osteon sensitivity my.yaml --top 10 --arm hold[/bold]
    """
    from osteon.cli.show import console
    from osteon.ensemble.plan import whole
    from osteon.output import check_writable, save
    from osteon.report.locale import load
    from osteon.scenario import Scenario

    words, scenario = load(lang.value), Scenario.read(file)
    whole("--top", top, 1, _MOST)
    folder = out or (None if json else Path("osteon-sensitivity"))
    if folder is not None:
        check_writable(folder)
    for note in scenario.notes():
        console.print(f"[yellow]{words('cli.note')}[/yellow] ", note.text_zh if lang == "zh" else note.text_en)
    found, course = _compute(scenario, member, _listed(parameters), _listed(series), arm, words)
    written = {} if folder is None else save(course, folder, lang.value, found, top)
    if json:
        jsons.dump(document(found), sys.stdout, allow_nan=False)
        sys.stdout.write("\n")
    else:
        _print(found, course, words, top, written)
    if found.failed or course.failures:
        raise typer.Exit(3)


def _compute(
    scenario: Scenario,
    member: Members,
    parameters: list[str] | None,
    series: list[str] | None,
    arm: str | None,
    words: Words,
) -> tuple[Sensitivities, Course]:
    from osteon.cli.show import progress
    from osteon.model.person import MEMBERS
    from osteon.sensitivity import sensitivities
    from osteon.simulation import simulate

    members = tuple(MEMBERS) if member is Members.both else (member.value,)
    with progress() as tell:
        # First, because it looks at every setting before it begins.
        found = sensitivities(
            scenario,
            parameters,
            series=series,
            arms=None if arm is None else [arm],
            member=members[0],
            on_progress=lambda done, total: tell(words("sensitivity.working"), done, total),
        )
        return found, simulate(scenario, members=members, on_progress=tell)


def _listed(given: str | None) -> list[str] | None:
    return None if given is None else [name.strip() for name in given.split(",")]


def document(found: Sensitivities) -> dict[str, Any]:
    """Return the sensitivities of endpoints as plain values for one JSON document; NaN is written as null.

    Keys: title, warning, member, arms (name, failure, endpoints) and manifest. An endpoint has its value, its unit and
    its parameters, the strongest first: parameter, value, unit, slope, elasticity, how, source.
    """
    from osteon.course import RESEARCH_ONLY

    reasons = dict(zip(found.failures["arm"], found.failures["failure"], strict=True))
    arms = []
    for arm in found.arms:
        endpoints: dict[str, Any] = {}
        own: Any = found.table[found.table["arm"] == arm]
        for name, rows in own.groupby("endpoint", sort=False):
            order = rows["slope"].abs().sort_values(ascending=False, kind="stable", na_position="last").index
            columns = ["parameter", "value", "unit", "slope", "elasticity", "how", "source"]
            endpoints[str(name)] = {
                "value": _plain(rows["endpoint_value"].iloc[0]),
                "unit": rows["endpoint_unit"].iloc[0],
                "parameters": [
                    {key: _plain(one) for key, one in row.items()}
                    for row in rows.loc[order, columns].to_dict(orient="records")
                ],
            }
        arms.append({"name": arm, "failure": reasons.get(arm), "endpoints": endpoints})
    return {
        "title": found.cohort.scenario.title,
        "warning": RESEARCH_ONLY,
        "member": found.cohort.members[0],
        "arms": arms,
        "manifest": dict(found.manifest),
    }


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _print(found: Sensitivities, course: Course, words: Words, top: int, written: Mapping[str, Path]) -> None:
    """Print a group of rows for every main endpoint, a column an arm, and where the files are."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from osteon.report.sensitivity import section

    told = section(words, found, [arm.name for arm in course.scenario.arms], top)
    title = escape(words("sensitivity.title", title=course.scenario.title))
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    table.add_column(words("sensitivity.parameter"), overflow="fold")
    table.add_column(words("parameter.value"), justify="right", overflow="fold")
    table.add_column(words("parameter.how"))
    for arm in told["arms"]:
        table.add_column(escape(arm["name"]), justify="right", overflow="fold")
    for endpoint in told["endpoints"]:
        table.add_section()
        bases = (f"[bold]{base['text']}[/bold]" for base in endpoint["bases"])
        table.add_row(f"[bold]{endpoint['title']}[/bold]", endpoint["unit"], "", *bases)
        rows = [*endpoint["open"], *endpoint["folded"]]
        for row in rows:
            how = f"[yellow]{row['how_title']}[/yellow]" if row["how"] == "assumed" else row["how_title"]
            table.add_row(row["key"], escape(row["value"]), how, *(_cell(bar) for bar in row["bars"]))
        if not rows and endpoint["reached"]:
            table.add_row(words("sensitivity.nothing"))
    out = Console(highlight=False, width=None if sys.stdout.isatty() else max(120, 70 + 20 * len(told["arms"])))
    out.print(table)
    out.print(words("sensitivity.explain"))
    out.print(words("sensitivity.count", count=told["parameters"]))
    if course.scenario.fracture is not None:
        out.print(words("sensitivity.member", member=told["member"]))
    reasons = dict(zip(found.failures["arm"], found.failures["failure"], strict=True)) | dict(course.failures)
    for arm, why in reasons.items():
        out.print(f"[red]{escape(words('sensitivity.failed', arm=arm, reason=why))}[/red]")
    assumed = sum(record.how == "assumed" for record in course.parameters)
    out.print(words("page.assumed_share", assumed=assumed, total=len(course.parameters)))
    out.print(f"[bold]{words('page.disclaimer_title')}[/bold] {words('page.disclaimer')}")
    if "report.html" in written:
        out.print(f"{words('cli.report')} {escape(str(written['report.html']))}", soft_wrap=True)


def _cell(bar: Mapping[str, Any]) -> str:
    return f"{bar['number']} ({bar['elasticity']})" if bar["elasticity"] else str(bar["number"])

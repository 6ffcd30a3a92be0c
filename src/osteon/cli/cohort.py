"""``osteon cohort``: simulate many patients, print their endpoints, write the run folder."""

from __future__ import annotations

import json as jsons
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osteon.cli.heal import JsonOption, LangOption, Language, Members
from osteon.errors import InputError, Interrupted

if TYPE_CHECKING:
    from osteon.ensemble.chunk import Chunk
    from osteon.ensemble.result import CohortResult
    from osteon.population import Cohort
    from osteon.report.locale import Words
    from osteon.scenario import Scenario

PATIENTS = 1000
_REASONS = 8  # lines of failures shown before the rest is summed up


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("cohort")(cohort)


def cohort(
    file: Annotated[Path, typer.Argument(help="Scenario, YAML or JSON.", metavar="FILE", show_default=False)],
    patients: Annotated[
        int | None, typer.Option("--patients", "-n", help=f"How many to draw (default: {PATIENTS}).", metavar="N")
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option("--table", help="Take these patients, one a row, CSV or Parquet.", metavar="FILE"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the results (default: osteon-cohort).", metavar="DIR")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that the folder holds.")] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of the draws (default: the scenario's).", metavar="N")
    ] = None,
    spread: Annotated[
        list[str] | None,
        typer.Option("--spread", help="none, or KEY=CV, as often as needed: how patients differ.", metavar="KEY=CV"),
    ] = None,
    member: Annotated[Members, typer.Option("--member", help="Ensemble members the patients have.")] = Members.both,
    series: Annotated[
        str | None, typer.Option("--series", help="Curves to keep, with commas between.", metavar="A,B")
    ] = None,
    every: Annotated[str, typer.Option("--every", help="Spacing of the curves.", metavar="TIME")] = "7 days",
    chunk: Annotated[int, typer.Option("--chunk", help="Patients computed and written at a time.", metavar="N")] = 512,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Threads to use (default: all cores).", metavar="N")
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", help="Dask: tcp://host:port, or local:N processes.", metavar="ADDRESS"),
    ] = None,
    backend: Annotated[str, typer.Option("--backend", help="auto, compiled or python.")] = "auto",
    json: JsonOption = False,
    lang: LangOption = Language.en,
) -> None:
    """Simulate many virtual patients: every arm of each.

    Prints the median and the range of every endpoint and writes DIR: series.zarr, endpoints and patients (Parquet),
    cohort.json, manifest.json and run.json. What is done is kept on Ctrl-C and continued with --resume.

    Example: [bold]osteon cohort my.yaml --patients 1000 --out trial[/bold]
    """
    from osteon.cli.show import console
    from osteon.output import check_writable
    from osteon.report.locale import load
    from osteon.scenario import Scenario
    from osteon.units import to_internal

    words = load(lang.value)
    folder = out or (None if json else Path("osteon-cohort"))
    if folder is None and resume:
        raise InputError("there is no folder to go on with", path="--resume", hint="name it with --out")
    settings = {
        "series": None if series is None else [name.strip() for name in series.split(",")],
        "every": to_internal(every, "day", path="--every"),
        "chunk": chunk,
        "threads": threads,
        "backend": backend,
        "cluster": cluster,
        "resume": resume,
    }
    scenario = Scenario.read(file)
    who = _who(scenario, table, patients, seed, member, _spread(spread))
    if folder is not None:
        check_writable(folder)
    for note in scenario.notes():
        console.print(f"[yellow]{words('cli.note')}[/yellow] ", note.text_zh if lang == "zh" else note.text_en)
    result = _simulate(who, folder, settings, words)
    if json:
        jsons.dump(document(result), sys.stdout, allow_nan=False)
        sys.stdout.write("\n")
    else:
        _print(result, words)
    if result.failed:
        raise typer.Exit(3)


def _who(
    scenario: Scenario,
    table: Path | None,
    patients: int | None,
    seed: int | None,
    member: Members,
    spread: str | dict[str, float] | None,
) -> Cohort:
    """The cohort: drawn around the scenario's patient, or read from a table."""
    from osteon.ensemble.plan import MOST_PATIENTS, whole
    from osteon.model.person import MEMBERS
    from osteon.population import Cohort

    if table is None:
        size = whole("--patients", PATIENTS if patients is None else patients, 1, MOST_PATIENTS)
        members = tuple(MEMBERS) if member is Members.both else (member.value,)
        return Cohort.sample(scenario, size, seed=seed, members=members, spread=spread)
    for name, given in (("--patients", patients), ("--seed", seed), ("--spread", spread)):
        if given is not None:
            hint = "leave one of the two out"
            raise InputError("goes with drawn patients, and --table lists them", path=name, value=given, hint=hint)
    return Cohort.from_table(scenario, table, member=next(iter(MEMBERS)) if member is Members.both else member.value)


def _spread(given: Sequence[str] | None) -> str | dict[str, float] | None:
    """The spread as it is written on the command line: ``none``, or ``KEY=CV`` several times."""
    if not given:
        return None
    if list(given) == ["none"]:
        return "none"
    found = {}
    for text in given:
        key, _, number = text.partition("=")
        try:
            found[key.strip()] = float(number)
        except ValueError:
            message = f'"{text}" is neither none nor KEY=CV'
            raise InputError(message, path="--spread", value=text, hint='write for example "patient.age=0.1"') from None
    return found


def _simulate(who: Cohort, folder: Path | None, settings: Mapping[str, Any], words: Words) -> CohortResult:
    from rich.markup import escape

    from osteon.cli.show import console, progress
    from osteon.ensemble.run import simulate_cohort

    try:
        with progress() as tell:

            def on_progress(done: int, total: int, failed: int) -> None:
                tell(words("cohort.failing", failed=failed) if failed else "", done, total)

            def on_preview(chunk: Chunk) -> None:
                console.print(escape(_first_look(words, who, chunk)), style="dim")

            return simulate_cohort(who, out=folder, on_progress=on_progress, on_preview=on_preview, **settings)
    except KeyboardInterrupt:
        raise Interrupted(_kept(folder, words)) from None


def _first_look(words: Words, who: Cohort, chunk: Chunk) -> str:
    """One line about a patient that plain Python solved while the kernel is compiled."""
    from osteon.endpoints import endpoint_unit
    from osteon.report.tables import endpoint_text

    name = "time_to_union" if "time_to_union" in chunk.table else "CTX_last"
    values = [float(value) for value in chunk.table[name]]
    missing = words("value.not_reached")
    shown = [missing if math.isnan(one) else endpoint_text(words, one, endpoint_unit(name), name) for one in values]
    told = words("list_separator").join(f"{arm} {text}" for arm, text in zip(who.arms, shown, strict=True))
    return words("cohort.first_look", patient=chunk.lo, endpoint=words(f"endpoint.{name}"), values=told)


def _kept(folder: Path | None, words: Words) -> str:
    """What an interrupted run leaves."""
    from osteon.ensemble.store import RUN, read_json

    if folder is None or not (folder / RUN).exists():
        return words("cohort.interrupted_nothing")
    run = read_json(folder / RUN)
    return words("cohort.interrupted", done=run["patients_done"], patients=run["patients"], folder=folder)


def document(result: CohortResult) -> dict[str, Any]:
    """Return the summary of a cohort as plain values for one JSON document; NaN is written as null.

    Keys: title, warning, patients, failed, failures (arm, reason, patients), arms (name, endpoints), folder, manifest.
    """
    from osteon.course import RESEARCH_ONLY

    arms: dict[str, dict[str, Any]] = {arm: {} for arm in result.cohort.arms}
    for row in result.summary().to_dict(orient="records"):
        plain = {name: None if isinstance(one, float) and math.isnan(one) else one for name, one in row.items()}
        arms[row["arm"]][row["endpoint"]] = {name: plain[name] for name in plain if name not in ("arm", "endpoint")}
    return {
        "title": result.cohort.scenario.title,
        "warning": RESEARCH_ONLY,
        "patients": result.cohort.size,
        "failed": result.failed,
        "failures": [{"arm": arm, "reason": why, "patients": count} for (arm, why), count in _reasons(result)],
        "arms": [{"name": name, "endpoints": endpoints} for name, endpoints in arms.items()],
        "folder": None if result.folder is None else str(result.folder),
        "manifest": dict(result.manifest),
    }


def _reasons(result: CohortResult) -> list[tuple[tuple[str, str], int]]:
    """How many patients failed, by arm and reason, the most frequent first."""
    found = result.failures()
    return Counter(zip(found["arm"].astype(str), found["failure"].astype(str), strict=True)).most_common()


def _print(result: CohortResult, words: Words) -> None:
    """Print the endpoints, one column per arm, what failed, and where the files are."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from osteon.report.tables import summary

    arms, who = list(result.cohort.arms), result.cohort
    rows = result.summary().to_dict(orient="records")
    cells = {(row["arm"], row["endpoint"]): _cell(words, row) for row in rows}
    title = escape(words("cohort.title", title=who.scenario.title, patients=who.size))
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    table.add_column(words("endpoint.heading"), overflow="fold")
    for arm in arms:
        table.add_column(escape(arm), justify="right", overflow="fold")
    for group in summary(words, cells, arms, who.scenario.fracture is not None):
        table.add_section()
        for row in group["rows"]:
            table.add_row(row["title"], *(cell["text"] for cell in row["cells"]))
            if row["key"] == "time_to_union":
                table.add_row(words("cohort.united"), *(_share(rows, arm, row["key"]) for arm in arms))
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    out.print(table)
    out.print(words("cohort.range"))
    if result.failed:
        out.print(f"[red]{words('cohort.failed', failed=result.failed, patients=who.size)}[/red]")
        reasons = _reasons(result)
        for (arm, why), count in reasons[:_REASONS]:
            out.print("  " + escape(words("cohort.reason", arm=arm, count=count, reason=why)))
        if len(reasons) > _REASONS:
            out.print("  " + words("cohort.more", count=len(reasons) - _REASONS))
    out.print(f"[bold]{words('page.disclaimer_title')}[/bold] {words('cohort.disclaimer')}")
    if result.folder is not None:
        out.print(f"{words('cohort.files')} {escape(str(result.folder))}", soft_wrap=True)


def _cell(words: Words, row: Mapping[str, Any]) -> dict[str, Any]:
    """Median and range of an endpoint in one arm, as a person reads them."""
    from osteon.report.numbers import fixed
    from osteon.report.tables import DAYS, SAFETY_UNITS, endpoint_text

    unit, name, missing = row["unit"], row["endpoint"], words("value.not_reached")
    if not row["n"]:
        text = words("value.not_computed")
    elif not row["reached"] and name in SAFETY_UNITS:
        text = words("value.not_applicable")
    elif not row["reached"]:
        text = missing if unit in DAYS else words("value.beyond")
    else:
        middle = missing if math.isnan(row["median"]) else endpoint_text(words, row["median"], unit, name)
        ends = [
            missing
            if math.isnan(one)
            else fixed(one, 0)
            if unit in DAYS
            # The unit stands once, after the median.
            else endpoint_text(words, one, unit, name).partition(" ")[0]
            for one in (row["low"], row["high"])
        ]
        text = f"{middle} ({words('value.range', low=ends[0], high=ends[1])})"
    return {
        "text": text,
        "detail": "",
        "span": "",
        "note": "",
        "reached": bool(row["reached"]),
        "applies": bool(row["reached"]),
    }


def _share(rows: Sequence[Mapping[Any, Any]], arm: str, endpoint: str) -> str:
    """Share of the solved patients that reach an endpoint."""
    row = next(one for one in rows if (one["arm"], one["endpoint"]) == (arm, endpoint))
    return f"{100 * row['reached'] / row['n']:.1f} %" if row["n"] else ""

"""``osteon trial`` and ``osteon compare``: simulate a study and analyse it, set two trials side by side."""

from __future__ import annotations

import json as jsons
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osteon.cli.heal import JsonOption, LangOption, Language
from osteon.errors import InputError, Interrupted

if TYPE_CHECKING:
    from osteon.report.locale import Words
    from osteon.trial.compare import Comparison
    from osteon.trial.folder import TrialRun
    from osteon.trial.run import Told
    from osteon.trial.study import Study

FOLDER = "osteon-trial"
_REASONS = 8  # lines of failures shown before the rest is summed up
FolderArgument = Annotated[Path, typer.Argument(help="Folder of a trial.", metavar="DIR", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("trial")(trial)
    app.command("compare")(compare)


def trial(
    study: Annotated[
        str,
        typer.Argument(help="Study file (YAML), or the name of a shipped study.", metavar="STUDY", show_default=False),
    ],
    patients: Annotated[
        int | None, typer.Option("--patients", "-n", help="How many to enrol (default: the study's).", metavar="N")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help=f"Folder for the results (default: {FOLDER}).", metavar="DIR")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the trial that the folder holds.")] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of the draws (default: the study's).", metavar="N")
    ] = None,
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
    """Simulate a trial: enrol virtual patients, treat, look at them at visits, and analyse as planned.

    Writes DIR: [bold]report.html[/bold], study.yaml, manifest.json, the tables adsl, adtte and adlb (Parquet and XPT),
    table1.csv, analysis.json and the simulated cohort. What is done is kept on Ctrl-C and continued with --resume;
    DIR/study.yaml gives the same trial again.

    Example: [bold]osteon trial tibia_nail --patients 400 --out trial[/bold]
    """
    from osteon.output import check_writable
    from osteon.report.locale import load
    from osteon.trial.run import run_trial

    words = load(lang.value)
    folder = out or (None if json else Path(FOLDER))
    if folder is None and resume:
        raise InputError("there is no folder to go on with", path="--resume", hint="name it with --out")
    plan = _study(study)
    if folder is not None:
        check_writable(folder)
    try:
        with _progress(words) as tell:
            run = run_trial(
                plan,
                patients=patients,
                seed=seed,
                out=folder,
                resume=resume,
                cluster=cluster,
                threads=threads,
                backend=backend,
                on_progress=tell,
            )
            if folder is not None:
                tell("report", 1.0, 0, 0, run.failed)
                _write_report(run, folder, lang.value)
    except KeyboardInterrupt:
        raise Interrupted(_kept(folder, words)) from None
    if json:
        jsons.dump(document(run), sys.stdout, allow_nan=False)
        sys.stdout.write("\n")
    else:
        _print(run, words)
    if run.failed:
        raise typer.Exit(3)


def compare(
    first: FolderArgument,
    second: FolderArgument,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")] = False,
    lang: LangOption = Language.en,
) -> None:
    """Set two trials side by side: settings that differ, estimates, Table 1.

    Example: [bold]osteon compare trial-monthly trial-weekly[/bold]
    """
    from osteon.report.locale import load
    from osteon.trial.compare import compare as compared
    from osteon.trial.folder import open_trial

    found = compared(open_trial(first), open_trial(second))
    if json:
        jsons.dump(found.to_dict(), sys.stdout, allow_nan=False)
        sys.stdout.write("\n")
    else:
        _print_comparison(found, load(lang.value))


def _study(given: str) -> Study:
    """The study of a file, of a run folder, or one that is shipped."""
    from osteon.trial.folder import STUDY
    from osteon.trial.study import Study

    path = Path(given)
    if path.is_dir() and (path / STUDY).exists():
        return Study.read(path / STUDY)
    # A word without an ending or a folder names a shipped study.
    return Study.read(path) if path.is_file() or path.suffix or len(path.parts) > 1 else Study.preset(given)


def _write_report(run: TrialRun, folder: Path, lang: str) -> None:
    from osteon.output import write_text
    from osteon.report.trial import render
    from osteon.trial.folder import REPORT

    write_text(folder / REPORT, render(run, lang))


@contextmanager
def _progress(words: Words) -> Iterator[Told]:
    """A bar over all stages, with the time left."""
    from osteon.cli.show import progress

    with progress() as bar:

        def tell(stage: str, share: float, done: int, total: int, failed: int) -> None:
            text = words(f"trial.stage_{stage}", done=done, total=total)
            if failed:
                text += f" ({words('cohort.failing', failed=failed)})"
            # In thousandths, so that a long stage still moves often enough for the time left to be told.
            bar(text, round(1000 * share), 1000)

        yield tell


def _kept(folder: Path | None, words: Words) -> str:
    """What an interrupted trial leaves."""
    from osteon.ensemble.store import read_json
    from osteon.trial.folder import RUN

    if folder is None or not (folder / RUN).exists():
        return words("trial.interrupted_nothing")
    run = read_json(folder / RUN)
    return words("trial.interrupted", done=run["patients_done"], patients=run["patients"], folder=folder)


def document(run: TrialRun) -> dict[str, Any]:
    """Return what a trial found as plain values for one JSON document; what is not finite is null.

    Keys: title, warning, patients, failed, failures (arm, reason, patients), analysis, folder, manifest.
    """
    from osteon.course import RESEARCH_ONLY

    return {
        "title": run.study.title,
        "warning": RESEARCH_ONLY,
        "patients": run.study.patients,
        "failed": run.failed,
        "failures": run.analysis["flow"]["failures"],
        "analysis": dict(run.analysis),
        "folder": None if run.folder is None else str(run.folder),
        "manifest": dict(run.manifest),
    }


# ---- tables for people -------------------------------------------------------------------------------------------


def _print(run: TrialRun, words: Words) -> None:
    """Print the primary result, the estimates, what failed, and where the files are."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from osteon.report.trial import primary
    from osteon.report.trial_facts import facts
    from osteon.report.trial_words import rows_of, study_title
    from osteon.trial.folder import REPORT

    out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    told = facts(words, run)
    out.print(f"[bold]{escape(study_title(words, run.study))}[/bold]")
    for sentence in (text for texts in primary(words, told).values() for text in texts):
        out.print(escape(sentence))
    table = Table(title_justify="left", header_style="bold")
    table.add_column(words("trial.endpoint"), overflow="fold")
    table.add_column(words("trial.method"), overflow="fold")
    table.add_column(words("trial.arm"), overflow="fold")
    for name in ("estimate", "interval"):
        table.add_column(words(f"trial.{name}"), justify="right", overflow="fold")
    table.add_column("p", justify="right")
    for row in rows_of(words, told.estimates):
        shown = (row["reason"], "", "") if row["reason"] else (row["value"], row["interval"], row["p"])
        method = "\n".join((row["method"], *row["details"]))
        table.add_row(*(escape(str(one)) for one in (row["endpoint"], method, row["arm"], *shown)))
    out.print(table)
    if run.failed:
        out.print(f"[red]{words('cohort.failed', failed=run.failed, patients=run.study.patients)}[/red]")
        reasons = run.analysis["flow"]["failures"]
        for one in reasons[:_REASONS]:
            text = words("cohort.reason", arm=one["arm"], count=one["patients"], reason=one["reason"])
            out.print("  " + escape(text))
        if len(reasons) > _REASONS:
            out.print("  " + words("cohort.more", count=len(reasons) - _REASONS))
    out.print(f"[bold]{words('page.disclaimer_title')}[/bold] {words('trial.disclaimer')}")
    if run.folder is not None:
        out.print(f"{words('trial.report_at')} {escape(str(run.folder / REPORT))}", soft_wrap=True)


def _print_comparison(found: Comparison, words: Words) -> None:
    from rich.console import Console

    from osteon.report.trial_compare import tables

    out = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    out.print(f"[bold]{words('trial.compare_title')}[/bold]")
    if found.same:
        out.print(words("trial.compare_same_bits"))
    if not found.settings:
        out.print(words("trial.compare_same_settings"))
    for title, head, rows in tables(words, found):
        _print_table(out.print, title, head, rows)


def _print_table(show: Callable[..., None], title: str, head: list[str], rows: list[list[str]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    if not rows:
        return
    table = Table(title=escape(title), title_justify="left", title_style="bold", header_style="bold")
    for name in head:
        table.add_column(escape(name), overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(one)) for one in row))
    show(table)

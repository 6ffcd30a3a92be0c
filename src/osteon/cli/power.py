"""``osteon power``: how likely a study is to see an effect, and what its design does to that."""

from __future__ import annotations

import json as jsons
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osteon.cli.heal import JsonOption, LangOption, Language
from osteon.errors import InputError, Interrupted, show

if TYPE_CHECKING:
    from osteon.report.locale import Words
    from osteon.trial.power import PowerRun, Source
    from osteon.trial.power_plan import Plan
    from osteon.trial.study import Study

FOLDER = "osteon-power"
SIZES = "50,100,200,400"
_YEAR = 365.25
_MODEL_ALONE = ("arm", "draws")
_LOGNORMAL_ALONE = ("median",)


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("power")(power)


def power(
    context: typer.Context,
    study: Annotated[
        str | None, typer.Argument(help="Study file, or a shipped study; not needed with --log-sd.", metavar="STUDY")
    ] = None,
    effect: Annotated[
        str, typer.Option("--effect", help="from-model, ratio=0.8 (of times), or null.", metavar="EFFECT")
    ] = "from-model",
    n: Annotated[str, typer.Option("--n", help="Patients per arm, with commas between.", metavar="N,N")] = SIZES,
    trials: Annotated[int, typer.Option("--trials", help="Trials of each size.", metavar="N")] = 1000,
    log_sd: Annotated[
        float | None, typer.Option("--log-sd", help="Lognormal times with this log SD, and no model.", metavar="SD")
    ] = None,
    median: Annotated[
        str | None, typer.Option("--median", help="Median of lognormal times (default: 18 weeks).", metavar="TIME")
    ] = None,
    visits: Annotated[
        str | None,
        typer.Option("--visits", help='A schedule by name, "6 weeks, 12 weeks", or exact.', metavar="VISITS"),
    ] = None,
    arm: Annotated[
        str | None, typer.Option("--arm", help="Arm set against the first (default: the second).", metavar="NAME")
    ] = None,
    population: Annotated[
        int | None,
        typer.Option("--population", help="People to draw from (default: 2000; lognormal 20000).", metavar="N"),
    ] = None,
    draws: Annotated[
        int | None, typer.Option("--draws", help="Posterior draws, for assurance (default: 20); 1: none.", metavar="K")
    ] = None,
    looks: Annotated[int, typer.Option("--looks", help="Looks of early stopping, the last counted.", metavar="N")] = 3,
    planned: Annotated[
        int, typer.Option("--planned", help="Trials of each size by the planned method itself (slow).", metavar="M")
    ] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help=f"Folder for the results (default: {FOLDER}).", metavar="DIR")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the people that the folder holds.")] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of the draws (default: the study's).", metavar="N")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Threads to use (default: all cores).", metavar="N")
    ] = None,
    backend: Annotated[str, typer.Option("--backend", help="auto, compiled or python.")] = "auto",
    json: JsonOption = False,
    lang: LangOption = Language.en,
) -> None:
    """Say how likely a study is to see an effect: power, error, assurance, and what its design costs.

    Simulates one virtual population, draws many trials from it and analyses each. Writes DIR:
    [bold]report.html[/bold], power.json, power.csv, pictures (PNG) and the simulated people.

    Example: [bold]osteon power tibia_nail_trial --effect ratio=0.8 --n 50,100,200[/bold]
    """
    from osteon.output import check_writable
    from osteon.report.locale import load
    from osteon.trial.power import PowerRun

    given = context.params
    words, folder = load(lang.value), out or (None if json else Path(FOLDER))
    _check(given, folder)
    read = None if study is None else _study(study)
    plan = _plan(read, given)
    make = _lognormal if log_sd is not None else _modelled
    if folder is not None:
        check_writable(folder)
    with _progress(words) as tell:
        run = PowerRun(plan, make(read, plan, given, folder, tell), "" if read is None else read.title)
        command = _command(given, plan)
        try:
            run.run(tell)
        except KeyboardInterrupt:
            raise Interrupted(_keep(run, folder, lang.value, command, words)) from None
        written = {} if folder is None else _save(run, folder, lang.value, command)
    if json:
        jsons.dump(document(run, command), sys.stdout, allow_nan=False)
        sys.stdout.write("\n")
    else:
        _print(document(run, command), words, written)
    if run.found["population"]["failed"]:
        raise typer.Exit(3)


def _check(given: Mapping[str, Any], folder: Path | None) -> None:
    """Refuse options that do not go together."""
    if given["resume"] and folder is None:
        raise InputError("there is no folder to go on with", path="--resume", hint="name it with --out")
    if given["study"] is None and given["log_sd"] is None:
        raise InputError("no study is named", path="STUDY", hint="name a file, or give --log-sd for lognormal times")
    alone, kind = (_LOGNORMAL_ALONE, "lognormal times") if given["log_sd"] is None else (_MODEL_ALONE, "a model")
    for name in alone:
        if given[name] is not None:
            hint = "give --log-sd" if given["log_sd"] is None else "leave out --log-sd"
            raise InputError(f"goes with {kind} alone", path=f"--{name}", value=given[name], hint=hint)


def _study(given: str) -> Study:
    """The study of a file, of a run folder, or one that is shipped."""
    from osteon.trial.folder import STUDY
    from osteon.trial.study import Study

    path = Path(given)
    if path.is_dir() and (path / STUDY).exists():
        return Study.read(path / STUDY)
    # A word without an ending or a folder names a shipped study.
    return Study.read(path) if path.is_file() or path.suffix or len(path.parts) > 1 else Study.preset(given)


def _plan(study: Study | None, given: Mapping[str, Any]) -> Plan:
    from osteon.trial.power_plan import Effect, Plan

    sizes = []
    for text in given["n"].split(","):
        try:
            sizes.append(int(text))
        except ValueError:
            message = f"{show(text.strip())} is not a number of patients"
            raise InputError(message, path="--n", value=given["n"], hint="write for example 50,100,200") from None
    planned: dict[str, Any] = {} if study is None else {"alpha": study.analysis.alpha, "level": study.analysis.level}
    if given["log_sd"] is None and study is not None:
        share = study.endpoints.primary.kind == "event"
        planned["method"] = "share" if share else study.analysis.method
        planned["tau"] = study.follow_up if study.analysis.tau is None else study.analysis.tau
    seed = given["seed"] if given["seed"] is not None else (0 if study is None else study.seed)
    effect = Effect.parse(given["effect"])
    return Plan(effect, tuple(sizes), given["trials"], seed, looks=given["looks"], planned=given["planned"], **planned)


def _lognormal(study: Study | None, plan: Plan, given: Mapping[str, Any], folder: Path | None, tell: Any) -> Source:
    from osteon.trial.power_design import LognormalPopulation, read_schedule
    from osteon.trial.power_lognormal import MEDIAN, PEOPLE
    from osteon.units import to_internal

    return LognormalPopulation(
        given["log_sd"],
        plan.effect,
        median=MEDIAN if given["median"] is None else to_internal(given["median"], "day", path="--median"),
        visits=None if given["visits"] is None else read_schedule(given["visits"]),
        follow_up=None if study is None else study.follow_up,
        dropout=0.0 if study is None else study.dropout / _YEAR,
        seed=plan.seed,
        people=_size(given["population"], PEOPLE),
    )


def _modelled(study: Study | None, plan: Plan, given: Mapping[str, Any], folder: Path | None, tell: Any) -> Source:
    from osteon.trial.power_design import read_schedule
    from osteon.trial.power_model import PEOPLE, ModelPopulation, simulate

    assert study is not None
    schedule = None if given["visits"] is None else read_schedule(given["visits"])
    if given["visits"] is not None and schedule is None:
        message = "times known to the moment go with --log-sd alone"
        raise InputError(message, path="--visits", value=given["visits"], hint="name a schedule or times")
    settings = {name: given[name] for name in ("resume", "threads", "backend")}
    return ModelPopulation(
        study,
        plan.effect,
        partial(simulate, **settings, on_progress=lambda done, total, failed: tell("simulate", done, total)),
        arm=given["arm"],
        people=_size(given["population"], PEOPLE),
        draws=given["draws"],
        visits=schedule,
        seed=plan.seed,
        folder=folder,
    )


def _size(given: int | None, usual: int) -> int:
    from osteon.ensemble.plan import MOST_PATIENTS, whole

    return usual if given is None else whole("--population", given, 2, MOST_PATIENTS)


def _command(given: Mapping[str, Any], plan: Plan) -> str:
    """The command that gives the same numbers again."""
    parts = ["osteon", "power"] + ([] if given["study"] is None else [given["study"]])
    parts += ["--effect", str(plan.effect), "--n", ",".join(map(str, plan.sizes)), "--trials", str(plan.trials)]
    parts += ["--seed", str(plan.seed), "--looks", str(plan.looks)]
    for name in ("log_sd", "median", "visits", "arm", "population", "draws", "planned"):
        if given[name]:
            parts += [f"--{name.replace('_', '-')}", str(given[name])]
    # Back ends differ in the last digits.
    parts += [] if given["backend"] == "auto" else ["--backend", given["backend"]]
    return shlex.join(parts)


def document(run: PowerRun, command: str) -> dict[str, Any]:
    """Return what was found as plain values for one JSON document; what is not finite is null.

    Keys: those of `osteon.trial.power.PowerRun.found`, command and versions.
    """
    from osteon.ensemble.labels import versions
    from osteon.trial.power import plain

    return plain({**run.found, "command": command, "versions": versions()})


def _save(run: PowerRun, folder: Path, lang: str, command: str) -> dict[str, Path]:
    from osteon.report.power_files import save

    return save(document(run, command), folder, lang)


def _keep(run: PowerRun, folder: Path | None, lang: str, command: str, words: Words) -> str:
    """Write what is done of an interrupted calculation, and say what that is."""
    done = run.found.get("done", [])
    if folder is None:
        return words("power.interrupted_nothing")
    if not done:
        return words("power.interrupted_cohort" if (folder / "cohort").exists() else "power.interrupted_nothing")
    _save(run, folder, lang, command)
    return words("power.interrupted", done=len(done), folder=folder)


@contextmanager
def _progress(words: Words) -> Iterator[Callable[[str, int, int], None]]:
    """A bar over the steps of a calculation."""
    from osteon.cli.show import progress

    with progress() as bar:

        def tell(step: str, done: int, total: int) -> None:
            bar(words(f"power.step_{step.partition('_')[0]}"), done, total)

        yield tell


def _print(found: Mapping[str, Any], words: Words, written: Mapping[str, Path]) -> None:
    """Print every table, what the walk shows, what it rests on, and where the files are."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from osteon.report.power import basis, tables, title, walk_said
    from osteon.report.power_files import REPORT

    out = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    out.print(f"[bold]{escape(title(words, found))}[/bold]")
    for told in tables(words, found):
        table = Table(title=words(f"power.section_{told.key}"), title_justify="left", header_style="bold")
        for place, name in enumerate(told.head):
            table.add_column(escape(name), justify="right" if place else "left", overflow="fold")
        for row in told.rows:
            table.add_row(*map(escape, row))
        out.print(table)
        for note in told.notes:
            out.print(escape(note))
    out.print(f"[bold]{words('power.section_walk')}[/bold]")
    for text in (*walk_said(words, found), "", *basis(words, found)):
        out.print(escape(text))
    out.print(f"[bold]{words('page.disclaimer_title')}[/bold] {words('power.disclaimer')}")
    if written:
        out.print(f"{words('cli.report')} {escape(str(written[REPORT]))}", soft_wrap=True)

"""``osteon evidence``: run the published studies again, and print what was published beside what is simulated."""

from __future__ import annotations

import json as jsons
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from osteon.cli.heal import JsonOption, LangOption, Language
from osteon.errors import Interrupted

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from osteon.replay.outcome import Outcome
    from osteon.replay.run import Replay
    from osteon.report.locale import Words

_FEW = 12  # studies of which every row is printed; of more, every miss
_NOTHING = "–"


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("evidence")(evidence)


def evidence(
    study: Annotated[
        list[str] | None, typer.Option("--study", help="One study, as often as needed (default: all).", metavar="NAME")
    ] = None,
    use: Annotated[
        str | None, typer.Option("--use", help="Rows of one use alone: fit, check or noise.", metavar="USE")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for evidence.json, evidence.csv and the page.", metavar="DIR"),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A rough answer, from a quarter of the draws.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run again what an earlier run has kept.")] = False,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Threads to use (default: all cores).", metavar="N")
    ] = None,
    json: JsonOption = False,
    lang: LangOption = Language.en,
) -> None:
    """Run the published studies again: published beside simulated, covered or missed, and the totals.

    Rows of use check were never fitted; rows of use fit were, and say how well the fit holds. Every miss is printed.
    What is done is kept by content, also on Ctrl-C, and not run again.

    Example: [bold]osteon evidence --study decide --study aspenberg_2010[/bold]
    """
    from osteon.ensemble.plan import whole
    from osteon.output import check_writable
    from osteon.report.locale import load

    words = load(lang.value)
    if threads is not None:
        whole("--threads", threads, 1, 1024)
    if out is not None:
        check_writable(out)
    found = _run(study, use, quick, threads, fresh, words)
    written = {} if out is None else _write(found, out, lang.value)
    if json:
        jsons.dump(found.to_dict(), sys.stdout, allow_nan=False)
        sys.stdout.write("\n")
    else:
        _print(found, words, written)
    if found.failures:
        raise typer.Exit(3)


def _run(
    study: Sequence[str] | None, use: str | None, quick: bool, threads: int | None, fresh: bool, words: Words
) -> Replay:
    from osteon.cli.show import progress
    from osteon.replay.run import replay

    try:
        with progress() as tell:
            return replay(study or None, use, quick=quick, threads=threads, fresh=fresh, on_progress=tell)
    except KeyboardInterrupt:
        raise Interrupted(words("evidence.interrupted")) from None


def _write(found: Replay, folder: Path, lang: str) -> dict[str, Path]:
    """Write the document, the rows as a table and, where there is one, the page."""
    from importlib.util import find_spec

    from osteon.output import write_text
    from osteon.replay.files import rows_as_csv

    written = {name: folder / name for name in ("evidence.json", "evidence.csv")}
    text = jsons.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False, indent=1)
    write_text(written["evidence.json"], text + "\n")
    write_text(written["evidence.csv"], rows_as_csv(found))
    if find_spec("osteon.report.evidence") is not None:
        from importlib import import_module

        page = import_module("osteon.report.evidence").write(found, folder, lang)
        written |= page if isinstance(page, dict) else {Path(page).name: Path(page)}
    return written


def _print(found: Replay, words: Words, written: dict[str, Path]) -> None:
    from rich.console import Console
    from rich.markup import escape

    out = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    if len(found.studies) <= _FEW:
        for key in found.studies:
            _print_study(out, found, key, words)
    else:
        out.print(_studies(found, words))
        out.print(_rows(words("evidence.misses"), found.worst(None), words, True))
    for table in (_totals(found, words), _by_engine(found, words)):
        out.print(table)
    if 1 < len(found.studies) <= _FEW and (worst := found.worst(10)):
        out.print(_rows(words("evidence.worst"), worst, words, True))
    for key, why in found.failures.items():
        out.print(f"[red]{words('evidence.failed', study=key)}[/red] {escape(why)}")
    out.print(
        words("evidence.seconds", seconds=f"{found.seconds:.0f}", cached=found.cached, studies=len(found.studies))
    )
    out.print(f"[bold]{words('page.disclaimer_title')}[/bold] {words('page.disclaimer')}")
    if written:
        told = words("list_separator").join(str(path) for path in written.values())
        out.print(f"{words('cohort.files')} {escape(told)}", soft_wrap=True)


def _print_study(out: Console, found: Replay, key: str, words: Words) -> None:
    """Every row of one study, what is not simulated with the reason, and the limits."""
    from rich.markup import escape

    study, lang = found.studies[key], words.language
    mine = found.of(key)
    shown = [one for one in mine if one.verdict != "not simulated"]
    reference = study.reference
    source = ", ".join(filter(None, (reference.authors, reference.year, reference.where, reference.doi)))
    out.print(f"[bold]{escape(study.title.of(lang))}[/bold] ({key})")
    out.print(f"  {escape(study.design.of(lang))}; {escape(study.population)}. {escape(source)}")
    if shown:
        out.print(_rows("", shown, words, False))
    reasons: dict[str, int] = {}
    for one in mine:
        if one.verdict == "not simulated":
            why = one.reason_zh if lang == "zh" else one.reason
            reasons[why] = reasons.get(why, 0) + 1
    for why, count in reasons.items():
        out.print(f"  {words('evidence.not_simulated', count=count)} {escape(why)}")
    for one in study.results:
        if one.as_printed:
            out.print(f"  {words('evidence.as_printed')} {escape(one.as_printed)}")
            out.print(f"  {words('evidence.corrected')} {escape(one.corrected)}")
    for limit in study.limits:
        out.print(f"  {words('evidence.limit')} {escape(limit.of(lang))}")


def _rows(title: str, outcomes: Sequence[Outcome], words: Words, named: bool) -> Table:
    from rich.markup import escape

    table = _table(title)
    for name in (["study"] if named else []) + ["endpoint", "arm"]:
        table.add_column(words(f"evidence.column.{name}"), overflow="fold")
    for name in ("day", "published", "simulated", "distance"):
        table.add_column(words(f"evidence.column.{name}"), justify="right", overflow="fold")
    for name in ("use", "verdict", "sign"):
        table.add_column(words(f"evidence.column.{name}"))
    for one in outcomes:
        endpoint = one.endpoint_zh if words.language == "zh" else one.endpoint
        color = {"covered": "green", "direction right": "green", "missed": "red", "direction wrong": "red"}
        told, verdict = color.get(one.verdict, "dim"), words(f"evidence.verdict.{_key(one.verdict)}")
        sign = "" if one.sign == "not a direction" else words(f"evidence.sign.{_key(one.sign)}")
        cells = [
            *([one.study] if named else []),
            f"{endpoint}: {one.label}" if one.label else endpoint,
            f"{one.arm} / {one.against}" if one.against and one.arm else one.arm or one.against,
        ]
        numbers = [_number(one.day), _published(one), _simulated(one), _number(one.distance)]
        table.add_row(*map(escape, (*cells, *numbers)), one.use, f"[{told}]{verdict}[/{told}]", sign)
    return table


def _studies(found: Replay, words: Words) -> Table:
    from rich.markup import escape

    from osteon.replay.totals import counts

    table = _table(words("evidence.studies"))
    for name in ("study", "title", "engine"):
        table.add_column(words(f"evidence.column.{name}"), overflow="fold")
    for name in ("covered", "directions", "not_simulated"):
        table.add_column(words(f"evidence.column.{name}"), justify="right")
    for key, study in found.studies.items():
        mine = counts(found.of(key))
        shares = (_of(mine["covered"], mine["numbers"]), _of(mine["agreeing"], mine["directions"]))
        table.add_row(
            key, escape(study.title.of(words.language)), study.engine, *shares, str(mine["not_simulated"] or _NOTHING)
        )
    return table


def _totals(found: Replay, words: Words) -> Table:
    return _counted(words("evidence.totals"), found.totals["use"], words)


def _by_engine(found: Replay, words: Words) -> Table:
    parts = found.totals["engine"]
    rows = {f"{name}, {use}": one for use in ("fit", "check") for name, one in parts[use].items()}
    return _counted(words("evidence.by_engine"), rows, words)


def _counted(title: str, rows: dict[str, Any], words: Words) -> Table:
    table = _table(title)
    table.add_column("")
    for name in ("rows", "covered", "directions", "worded", "not_scored", "not_simulated"):
        table.add_column(words(f"evidence.column.{name}"), justify="right")
    for name, one in rows.items():
        pairs = (("covered", "numbers"), ("agreeing", "directions"), ("worded_right", "worded"))
        cells = [_of(one[right], one[every]) for right, every in pairs]
        table.add_row(
            name, str(one["rows"]), *cells, *(str(one[key] or _NOTHING) for key in ("not_scored", "not_simulated"))
        )
    return table


def _table(title: str) -> Table:
    from rich.table import Table

    return Table(title=title or None, title_justify="left", title_style="bold", header_style="bold")


def _of(right: int, every: int) -> str:
    return f"{right}/{every} ({100 * right / every:.0f} %)" if every else _NOTHING


def _published(one: Outcome) -> str:
    if one.unit == "direction":
        return f"{one.published:+.0f}"
    mark = {"at_least": "≥ ", "at_most": "≤ "}.get(one.bound, "")
    unit = "" if one.unit in ("1", "ratio") else f" {one.unit}"
    return f"{mark}{_number(one.published)}{_interval(one.published_low, one.published_high)}{unit}"


def _simulated(one: Outcome) -> str:
    return f"{_number(one.simulated)}{_interval(one.simulated_low, one.simulated_high)}"


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) or math.isnan(high) else f" ({_number(low)} to {_number(high)})"


def _number(value: float) -> str:
    return _NOTHING if math.isnan(value) else f"{value:.3g}"


def _key(words: str) -> str:
    return words.replace(" ", "_")

"""``osteon review``: run the claims of the review, print what each simulation shows, write the page."""

from __future__ import annotations

import json as jsons
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from osteon.cli.heal import JsonOption, LangOption, Language, OutOption

if TYPE_CHECKING:
    from osteon.replay.claims import Reviewed
    from osteon.report.locale import Words

_COLOURS = {"agrees": "green", "source": "blue", "disagrees": "red", "undecided": "yellow", "not_simulated": "dim"}
_FILE = "review.json"


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("review")(review)


def review(
    claim: Annotated[
        list[str] | None,
        typer.Option("--claim", help="Only this claim, as often as needed.", metavar="C17", show_default=False),
    ] = None,
    out: OutOption = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Few patients in plain Python: rough, and nothing is compiled.")
    ] = False,
    json: JsonOption = False,
    lang: LangOption = Language.en,
) -> None:
    """Run the review that osteon started from, claim by claim.

    Prints for each of its 54 claims what the source says and what the simulation shows, with intervals, and writes to
    DIR (default: osteon-review) [bold]review.html[/bold], review.zh.html and review.json. Runs are kept under
    OSTEON_CACHE and not repeated, but for lytic lesions.

    Example: [bold]osteon review --claim C17[/bold]
    """
    from osteon.evidence.claims import claim as known
    from osteon.output import check_writable
    from osteon.report.locale import load

    words = load(lang.value)
    keys = None if not claim else [known(one.upper()).key for one in claim]
    # One claim is looked at in the terminal; the page is of all unless a folder is named.
    folder = out or (None if json or keys else Path("osteon-review"))
    if folder is not None:
        check_writable(folder)
    found = _run(keys, quick, words)
    written = {} if folder is None else _write(found, folder, _command(keys, quick))
    if json:
        jsons.dump(found.to_dict(), sys.stdout, allow_nan=False, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        _print(found, words, written)


def _run(keys: list[str] | None, quick: bool, words: Words) -> Reviewed:
    from osteon.cli.show import progress
    from osteon.errors import Interrupted
    from osteon.replay.claims import run_review

    try:
        with progress() as tell:
            return run_review(keys, quick=quick, on_progress=lambda what, done, total: tell(what[:60], done, total))
    except KeyboardInterrupt:
        raise Interrupted(words("review.interrupted")) from None


def _command(keys: list[str] | None, quick: bool) -> str:
    chosen = "".join(f" --claim {key}" for key in keys or ())
    return f"osteon review{chosen}{' --quick' if quick else ''}"


def _write(found: Reviewed, folder: Path, command: str) -> dict[str, Path]:
    """Write the pages and the document, each whole or not at all."""
    from osteon.ensemble.store import unwritable, write_json, write_whole
    from osteon.report.claims import EVIDENCE, pages

    written = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        beside = all((folder / name).is_file() for name in EVIDENCE.values())
        for name, text in pages(found, command, beside).items():
            write_whole(folder / name, text)
            written[name] = folder / name
        write_json(folder / _FILE, found.to_dict())
    except OSError as error:
        raise unwritable(folder, error) from error
    return written


def _print(found: Reviewed, words: Words, written: Mapping[str, Path]) -> None:
    """Print a row for every claim, the totals, and where the page is."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from osteon.report.claims import FILES

    lang = words.language
    table = Table(title=words("review.table_title"), title_justify="left", title_style="bold", header_style="bold")
    table.add_column("", no_wrap=True)
    table.add_column(words("review.claim"), overflow="fold", ratio=3)
    table.add_column(words("review.source"), overflow="fold", ratio=1)
    table.add_column(words("review.simulation"), overflow="fold", ratio=5)
    for one in found.results:
        colour, verdict = _COLOURS[one.verdict], words(f"review.verdict.{one.verdict}")
        verdict += f" ({words('review.exploratory')})" if one.claim.exploratory else ""
        told = f"[{colour}]{verdict}[/{colour}]\n{escape(one.text(lang))}"
        told += f"\n{words('review.because')} {escape(one.because(lang))}" if one.because(lang) else ""
        source = words(f"review.source_verdict.{one.claim.source}")
        table.add_row(one.claim.key, escape(getattr(one.claim, f"claim_{lang}")), source, told, end_section=True)
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    out.print(table)
    counts = found.counts()["simulation"]
    told = words("list_separator").join(f"{words(f'review.verdict.{name}')} {n}" for name, n in counts.items() if n)
    out.print(words("review.totals", n=len(found.results), counts=told))
    if found.quick:
        out.print(f"[yellow]{words('review.quick')}[/yellow]")
    out.print(f"[bold]{words('page.disclaimer_title')}[/bold] {words('review.disclaimer')}")
    if FILES[lang] in written:
        out.print(f"{words('review.page')} {escape(str(written[FILES[lang]]))}", soft_wrap=True)

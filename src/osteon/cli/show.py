"""What commands print: tables for people, one document for machines, progress on standard error."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from osteon.course import Course
    from osteon.report.locale import Words

#: Notes, progress and errors go to standard error, so that results can be piped.
console = Console(stderr=True, highlight=False)


def print_json(course: Course) -> None:
    """Print the course as one JSON document on standard output."""
    json.dump(course.to_document(), sys.stdout, allow_nan=False)
    sys.stdout.write("\n")


def print_table(course: Course, words: Words, written: Mapping[str, Path]) -> None:
    """Print the endpoints, one column per arm, and where the files are."""
    from osteon.report.tables import endpoint_cells, summary

    arms = [arm.name for arm in course.scenario.arms]
    cells = endpoint_cells(words, course.endpoints())
    table = Table(title=course.scenario.title, title_justify="left", title_style="bold", header_style="bold")
    table.add_column(words("endpoint.heading"), overflow="fold")
    for arm in arms:
        table.add_column(_plain(arm), justify="right", overflow="fold")
    for group in summary(words, cells, arms, course.scenario.fracture is not None):
        table.add_section()
        for row in group["rows"]:
            shown = [cell["text"] + (f" ({cell['span']})" if cell["span"] else "") for cell in row["cells"]]
            table.add_row(row["title"], *shown)
    out = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    out.print(table)
    if len(course.members) > 1:
        out.print(words("cli.range"))
    if course.bands is not None:
        out.print(words("cli.draws", n=course.bands.attrs["draws"]))
        for arm, draws in course.failed_draws.items():
            counts = {"failed": len(draws), "total": course.bands.attrs["draws"], "reason": next(iter(draws.values()))}
            out.print(f"[yellow]{_plain(words('cli.failed_draws', arm=arm, **counts))}[/yellow]")
    for arm, why in course.failures.items():
        out.print(f"[red]{words('cli.failed')}[/red] {_plain(arm)}: {_plain(why)}")
    assumed = sum(record.how == "assumed" for record in course.parameters)
    out.print(words("page.assumed_share", assumed=assumed, total=len(course.parameters)))
    out.print(f"[bold]{words('page.disclaimer_title')}[/bold] {words('page.disclaimer')}")
    if "report.html" in written:
        out.print(f"{words('cli.report')} {_plain(str(written['report.html']))}", soft_wrap=True)


@contextmanager
def progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar with the time left on standard error, at a terminal only and gone when done."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    hidden = not console.is_terminal
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task("", total=None)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=_plain(what), completed=done, total=total)

        with _told("osteon", bar.console):
            yield tell


@contextmanager
def _told(name: str, where: Console) -> Iterator[None]:
    """Show what the logger `name` has to say, such as why the first run takes longer."""
    log, handler = logging.getLogger(name), logging.Handler()
    handler.emit = lambda record: where.print(_plain(record.getMessage().capitalize() + "."), style="dim")
    before = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)


def _plain(text: str) -> str:
    """Text with its square brackets kept from being read as markup."""
    from rich.markup import escape

    return escape(text)

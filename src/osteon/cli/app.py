"""The `osteon` command: entry point, exit codes and the list of commands.

Exit codes: 0 done, 1 the system refused, 2 bad input, 3 some arm or patient failed (named), 130 interrupted.
"""

from __future__ import annotations

import gc
import os
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from osteon.cli import (
    calibrate,
    cohort,
    credibility,
    evidence,
    heal,
    look,
    osteolysis,
    power,
    review,
    schedule,
    sensitivity,
    trial,
    warmup,
)
from osteon.errors import OsteonError

_INTERRUPTED = 130

app = typer.Typer(
    name="osteon",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with [bold]osteon demo[/bold]. osteon is research software; its results are no treatment advice.",
)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Simulate how a fracture heals and what a bone drug does to it."""
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"osteon {installed('osteon')}")
        raise typer.Exit


heal.register(app)
cohort.register(app)
sensitivity.register(app)
calibrate.register(app)
trial.register(app)
power.register(app)
schedule.register(app)
evidence.register(app)
review.register(app)
credibility.register(app)
osteolysis.register(app)
look.register(app)
warmup.register(app)


def main() -> None:
    """Run the command line and leave with its exit code."""
    # Imports make many objects and little garbage: collecting seldom saves a tenth of a run.
    gc.set_threshold(50_000)
    # Every matrix here is small, so threads of BLAS would only cost start-up.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a letter shows a question mark instead of ending the command.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app(prog_name="osteon")
    except SystemExit as stop:
        if stop.code == _INTERRUPTED:
            _say("Interrupted; nothing was written.")
        raise
    except OsteonError as error:
        _say(str(error) if error.exit_code == _INTERRUPTED else f"Error: {error}")
        sys.exit(error.exit_code)
    except OSError as error:
        _say(f"Error: the system refused ({error.strerror or error}).")
        sys.exit(1)


def _say(text: str) -> None:
    typer.echo(text, err=True)

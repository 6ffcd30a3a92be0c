"""``osteon credibility``: write down what a planned study that uses osteon would rest on."""

from __future__ import annotations

import json as jsons
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from osteon.cli.heal import JsonOption, LangOption, Language

if TYPE_CHECKING:
    from osteon.scenario import Scenario
    from osteon.trial.study import Study


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command("credibility")(credibility)


def credibility(
    study: Annotated[
        str | None,
        typer.Option(
            "--study", help="Study that is planned, a file or a preset.", metavar="FILE|NAME", show_default=False
        ),
    ] = None,
    question: Annotated[
        str | None,
        typer.Option("--question", help="Question of interest (default: which schedules to compare).", metavar="TEXT"),
    ] = None,
    context: Annotated[
        str | None,
        typer.Option("--context", help="Context of use (default: planning a real trial).", metavar="TEXT"),
    ] = None,
    influence: Annotated[
        str | None,
        typer.Option("--influence", help="Model influence: low, medium or high.", metavar="GRADE", show_default=False),
    ] = None,
    consequence: Annotated[
        str | None,
        typer.Option(
            "--consequence", help="Decision consequence: low, medium or high.", metavar="GRADE", show_default=False
        ),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", help='What "osteon evidence --out" wrote: folder or evidence.json.', metavar="PATH"),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Results of the test suite as JUnit XML.", metavar="FILE")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File to write, .md or .html (default: credibility.md).", metavar="FILE"),
    ] = None,
    json: JsonOption = False,
    lang: LangOption = Language.en,
) -> None:
    """Write the credibility file of a planned study.

    In the terms of ASME V&V 40 and of the FDA guidance of 2023: question, context of use, model risk, verification
    (measured now), calibration, validation (from a run of the evidence), uncertainty, applicability of this study,
    adequacy, limits, and what would change our mind. What was not handed in is said to be open.

    Example: [bold]osteon credibility --study hip_fixation_trial --evidence evidence --out hip.md[/bold]
    """
    from osteon.cli.show import progress
    from osteon.errors import InputError
    from osteon.report.credibility import STUDY, assess
    from osteon.report.locale import load

    words = load(lang.value)
    path = out or (None if json else Path("credibility.md"))
    if path is not None and path.suffix not in (".md", ".html"):
        raise InputError("is neither .md nor .html", path="--out", value=str(path))
    with progress() as tell:
        found = assess(
            None if study is None else _study(study),
            named=study or STUDY,
            question=question,
            context=context,
            influence=influence,
            consequence=consequence,
            evidence=evidence,
            junit=junit,
            sbml=_sbml,
            on_progress=lambda key, done, total: tell(words(f"credibility.check_name.{key}"), done, total),
        )
    if path is not None:
        from osteon.output import write_text
        from osteon.report.credibility_page import html, markdown

        write_text(path, (html if path.suffix == ".html" else markdown)(found, lang.value))
    if json:
        jsons.dump(found.to_dict(), sys.stdout, allow_nan=False, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    from rich.console import Console
    from rich.markup import escape

    from osteon.report.credibility_page import sections

    printed = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    (told,) = (one for one in sections(found, lang.value) if one["key"] == "adequacy")
    printed.print(f"[bold]{told['title']}[/bold] {escape(told['blocks'][0]['text'])}")
    printed.print(words("credibility.warning"))
    printed.print(f"{words('credibility.file')} {escape(str(path))}", soft_wrap=True)


def _study(given: str) -> Study:
    """The study in a file, or a shipped one by name."""
    from osteon.trial.study import Study

    path = Path(given)
    return Study.read(path) if path.is_file() or path.suffix or len(path.parts) > 1 else Study.preset(given)


def _sbml(scenario: Scenario, arm: str) -> str:
    from osteon.exchange import export

    return export(scenario, "sbml", arm)

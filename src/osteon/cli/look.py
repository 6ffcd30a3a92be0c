"""``osteon presets | validate | schema | export``: look at scenarios and models without simulating."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

FileArgument = Annotated[Path, typer.Argument(help="Scenario, YAML or JSON.", metavar="FILE", show_default=False)]


class Format(StrEnum):
    """Formats a model is exported to."""

    sbml = "sbml"
    antimony = "antimony"
    equations = "equations"


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("presets")(presets)
    app.command("validate")(validate)
    app.command("schema")(schema)
    app.command("export")(export)


def presets(
    show: Annotated[
        str | None, typer.Option("--show", help="Print the YAML of one, to start your own from.", metavar="NAME")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    studies: Annotated[bool, typer.Option("--studies", help="Studies (trials) instead of scenarios.")] = False,
) -> None:
    """List the scenarios that come with osteon, or the studies.

    Example: [bold]osteon presets --show metatarsal_on_denosumab > my.yaml[/bold]
    """
    if studies:
        from osteon.trial.study_library import preset_text
        from osteon.trial.study_library import presets as shipped
    else:
        from osteon.scenario import preset_text
        from osteon.scenario import presets as shipped

    if show is not None:
        typer.echo(preset_text(show), nl=False)
        return
    if json:
        _print_json([preset._asdict() for preset in shipped()])
        return
    for preset in shipped():
        typer.echo(f"{preset.name:32} {preset.title}")


def validate(
    file: FileArgument,
    json: Annotated[bool, typer.Option("--json", help="Print the scenario in canonical form.")] = False,
) -> None:
    """Check a scenario or a study and say what osteon understood; nothing is simulated."""
    from osteon.scenario import Scenario
    from osteon.trial.study import Study, is_study

    study = Study.read(file) if is_study(file) else None
    scenario = Scenario.read(file) if study is None else study.scenario()
    if json:
        _print_json((study or scenario).to_dict())
        return
    typer.echo(f"{file}: valid. {scenario.title}")
    for arm in scenario.arms:
        events = arm.dose_events(scenario.patient)
        when = f" from day {events[0].time:.6g} to day {events[-1].time:.6g}" if events else ""
        typer.echo(f"  {arm.name}: {len(events)} doses{when}{', imposed effects' if arm.impose else ''}")
    for note in scenario.notes():
        typer.echo(f"  note: {note.text_en}")


def schema(
    study: Annotated[bool, typer.Option("--study", help="That of a study (trial).")] = False,
) -> None:
    """Print the JSON schema of a scenario or of a study, for editors and forms."""
    if study:
        from osteon.trial.study_schema import json_schema
    else:
        from osteon.scenario.schema import json_schema

    _print_json(json_schema())


def export(
    file: FileArgument,
    format: Annotated[Format, typer.Option("--format", "-f", help="What to write.")] = Format.sbml,
    arm: Annotated[str | None, typer.Option("--arm", help="Which arm (default: the first).", metavar="NAME")] = None,
    member: Annotated[str, typer.Option("--member", help="Ensemble member, J or B.")] = "J",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write (default: standard output).", metavar="FILE")
    ] = None,
) -> None:
    """Write the model of one arm, with its doses, in a format other tools read.

    Example: [bold]osteon export my.yaml --format sbml --arm hold --out hold.xml[/bold]
    """
    from osteon.exchange import export as written
    from osteon.output import write_text
    from osteon.scenario import Scenario

    text = written(Scenario.read(file), format.value, arm=arm, member=member)
    if out is None:
        typer.echo(text)
    else:
        write_text(out, text)


def _print_json(value: object) -> None:
    import json

    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    typer.echo(json.dumps(value, ensure_ascii=plain, indent=2))

"""``osteon warmup``: compile kernels ahead of time, for clusters, containers and CI."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("warmup")(warmup)


def warmup(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Scenarios, YAML or JSON (default: those shipped).", metavar="[FILE]...", show_default=False
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compile the kernels that scenarios need, so that later runs start at once.

    Run it once on each kind of machine, with OSTEON_CACHE naming a folder that the runs share. Kernels that are at
    hand are left alone.

    Example: [bold]osteon warmup my.yaml[/bold]
    """
    import json as jsons

    from osteon.cli.show import progress
    from osteon.engine.cache import folder, kernel_for
    from osteon.ensemble.kernels import systems_of, warm_up
    from osteon.population import Cohort
    from osteon.scenario import Scenario, presets
    from osteon.uncertainty import choose
    from osteon.uncertainty import systems_of as systems_of_draws

    scenarios = [Scenario.read(file) for file in files] if files else [Scenario.preset(one.name) for one in presets()]
    systems = {one.name: one for scenario in scenarios for one in systems_of(Cohort.sample(scenario, 1))}
    drawn = [scenario for scenario in scenarios if choose(scenario) is not None]
    systems |= {one.name: one for scenario in drawn for one in systems_of_draws(scenario)}
    begun = time.monotonic()
    with progress() as tell:
        compiled, total = warm_up(systems.values(), lambda done: tell("", done, len(systems)))
        for system in systems.values():
            kernel_for(system)
    seconds = time.monotonic() - begun
    if json:
        about = {
            "compiled": compiled,
            "kernels": sorted(systems),
            "folder": str(folder()),
            "seconds": round(seconds, 1),
        }
        typer.echo(jsons.dumps(about, indent=2))
        return
    typer.echo(f"{total} kernels in {folder()}, {compiled} of them compiled now, in {seconds:.0f} s.")

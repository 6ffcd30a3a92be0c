"""Exchange of models with other tools: SBML and Antimony files, and the equations as a page to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osteon.errors import InputError, near_match, show

if TYPE_CHECKING:
    from osteon.scenario import Scenario

__all__ = ["FORMATS", "export"]

#: Formats that `export` writes.
FORMATS = ("sbml", "antimony", "equations")


def export(scenario: Scenario, format: str, arm: str | None = None, member: str = "J") -> str:
    """Write the model of one arm as text.

    Parameters
    ----------
    scenario : Scenario
        Whose patient, fracture and treatment.
    format : {"sbml", "antimony", "equations"}
        SBML Level 3 Version 2, Antimony, or Markdown with LaTeX equations.
    arm : str, optional
        Name of the arm; the first one where left out.
    member : {"J", "B"}
        Ensemble member of the callus kinetics.

    Raises
    ------
    InputError
        The format, the arm or the member is unknown.
    MissingExtra
        The optional packages of the format are not installed.
    """
    if format == "sbml":
        from osteon.exchange.sbml import to_sbml as write
    elif format == "antimony":
        from osteon.exchange.antimony import to_antimony as write
    elif format == "equations":
        from osteon.exchange.equations import to_equations as write
    else:
        message = f"{show(format)} is not a format osteon writes (allowed: {', '.join(FORMATS)})"
        raise InputError(message, path="format", value=format, hint=near_match(format, FORMATS))
    return write(scenario, arm, member)

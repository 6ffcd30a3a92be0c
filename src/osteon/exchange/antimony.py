"""Antimony of one arm: the SBML model as text that people read and edit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from osteon.errors import MissingExtra, ModelError
from osteon.exchange.arm import arm_model
from osteon.exchange.sbml import write_sbml

if TYPE_CHECKING:
    from osteon.scenario import Scenario


def to_antimony(scenario: Scenario, arm_name: str | None = None, member: str = "J") -> str:
    """Return the Antimony text of one arm.

    Parameters
    ----------
    scenario : Scenario
        Whose patient, fracture and treatment.
    arm_name : str, optional
        The first arm where left out.
    member : {"J", "B"}
        Ensemble member of the callus kinetics.

    Raises
    ------
    InputError
        There is no such arm or member.
    MissingExtra
        antimony or python-libsbml is not installed.
    """
    try:
        import antimony
    except ImportError:
        raise MissingExtra("Antimony export", "exchange") from None
    text, values = write_sbml(arm_model(scenario, arm_name, member), literal_units=False)
    antimony.clearPreviousLoads()
    if antimony.loadSBMLString(text) < 0:
        raise ModelError(f"not readable as Antimony: {antimony.getLastError()}")
    written = str(antimony.getAntimonyString(antimony.getMainModuleName()))

    def full(found: re.Match[str]) -> str:
        name = found[2]
        return f"{found[1]}{name} = {values[name]!r};" if name in values else found[0]

    # Antimony writes 15 digits; the number is put back in full.
    return re.sub(r"^(\s*)(\w+) = [-+.\deE]+;", full, written, flags=re.MULTILINE)

"""osteon simulates how a fracture heals and what a bone drug does to it.

It is research software; its results are no treatment advice.

>>> import osteon
>>> scenario = osteon.Scenario.preset("metatarsal_on_denosumab")
>>> course = osteon.simulate(scenario)
>>> course["torsional_stiffness"].sel(arm="hold")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osteon.course import Course
    from osteon.ensemble.api import simulate
    from osteon.ensemble.result import CohortResult
    from osteon.errors import InputError, ModelError, OsteonError, SolveError, UnitError
    from osteon.exchange import export
    from osteon.output import save
    from osteon.population import Cohort
    from osteon.report import render
    from osteon.scenario import Arm, Dose, Fracture, Impose, Patient, Scenario, presets
    from osteon.sensitivity import Sensitivities, sensitivities

_WHERE = {
    "Arm": "osteon.scenario",
    "Cohort": "osteon.population",
    "CohortResult": "osteon.ensemble.result",
    "Course": "osteon.course",
    "Dose": "osteon.scenario",
    "Fracture": "osteon.scenario",
    "Impose": "osteon.scenario",
    "InputError": "osteon.errors",
    "ModelError": "osteon.errors",
    "OsteonError": "osteon.errors",
    "Patient": "osteon.scenario",
    "Scenario": "osteon.scenario",
    "Sensitivities": "osteon.sensitivity",
    "SolveError": "osteon.errors",
    "UnitError": "osteon.errors",
    "export": "osteon.exchange",
    "presets": "osteon.scenario",
    "render": "osteon.report",
    "save": "osteon.output",
    "sensitivities": "osteon.sensitivity",
    "simulate": "osteon.ensemble.api",
}

__all__ = [  # noqa: RUF022 - the order a reader needs them in
    "Scenario",
    "Patient",
    "Fracture",
    "Arm",
    "Dose",
    "Impose",
    "Cohort",
    "presets",
    "simulate",
    "Course",
    "CohortResult",
    "sensitivities",
    "Sensitivities",
    "save",
    "render",
    "export",
    "OsteonError",
    "InputError",
    "UnitError",
    "ModelError",
    "SolveError",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use, so that importing osteon costs nothing."""
    if name == "__version__":
        from importlib.metadata import version

        return version("osteon")
    if name not in _WHERE:
        raise AttributeError(f"module 'osteon' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])

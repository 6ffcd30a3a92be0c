"""What series and endpoints of a cohort are called, their units, and the versions that made them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from osteon.course import RESEARCH_ONLY, installed

if TYPE_CHECKING:
    from osteon.population import Cohort

#: Columns of the endpoint table that are no endpoints.
KEYS = ("patient", "arm")
BESIDE = ("steps", "failure", "failed_day", "failed_state")
# Whatever can change a bit of the result or of a file.
_PACKAGES = ("osteon", "numpy", "numba", "llvmlite", "sympy", "pyarrow", "zarr", "numcodecs")


def of_dataset(cohort: Cohort) -> dict[str, Any]:
    """Attributes of the whole set of series."""
    return {"title": cohort.scenario.title, "comment": RESEARCH_ONLY, "source": f"osteon {installed('osteon')}"}


def of_coordinates() -> dict[str, dict[str, Any]]:
    """Attributes of the dimensions, in their order."""
    return {
        "arm": {"long_name": "arm"},
        "patient": {"long_name": "number of the patient"},
        "time": {"units": "day", "long_name": "time from the fracture"},
    }


def endpoint_names(columns: Any) -> list[str]:
    """Names of the endpoints among the columns of the endpoint table."""
    return [str(name) for name in columns if name not in (*KEYS, *BESIDE)]


def versions() -> dict[str, str]:
    """Versions of everything that can change a bit of the result."""
    return {"python": sys.version.split()[0], **{name: installed(name) for name in _PACKAGES}}

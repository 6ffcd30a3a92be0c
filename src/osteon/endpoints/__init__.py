"""Endpoints as trials record them, from curves alone."""

from osteon.endpoints.scores import UNION, cortex_grades, mrust
from osteon.endpoints.table import STAGES, WEEKS, Endpoint, endpoint_arrays, endpoint_unit, endpoints

__all__ = [
    "STAGES",
    "UNION",
    "WEEKS",
    "Endpoint",
    "cortex_grades",
    "endpoint_arrays",
    "endpoint_unit",
    "endpoints",
    "mrust",
]

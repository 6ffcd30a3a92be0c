"""Endpoints as trials record them, from curves alone."""

from osteon.endpoints.safety import SAFETY_UNITS
from osteon.endpoints.scores import UNION, cortex_grades, mrust
from osteon.endpoints.table import STAGES, WEEKS, Endpoint, endpoint_arrays, endpoint_unit, endpoints
from osteon.endpoints.treatment import SAFETY_PARAMETERS, Treatment, is_treated, treatment_of, treatments_of

__all__ = [
    "SAFETY_PARAMETERS",
    "SAFETY_UNITS",
    "STAGES",
    "UNION",
    "WEEKS",
    "Endpoint",
    "Treatment",
    "cortex_grades",
    "endpoint_arrays",
    "endpoint_unit",
    "endpoints",
    "is_treated",
    "mrust",
    "treatment_of",
    "treatments_of",
]

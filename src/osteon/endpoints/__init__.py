"""Endpoints as trials record them, from curves alone."""

from osteon.endpoints.radiograph import SCORES, SEEN, Cortices, cortices, radiograph
from osteon.endpoints.readers import Film, icc, read_films
from osteon.endpoints.safety import SAFETY_UNITS
from osteon.endpoints.scores import UNION, cortex_grades, mrust, rust, time_to_score
from osteon.endpoints.table import STAGES, WEEKS, Endpoint, endpoint_arrays, endpoint_unit, endpoints
from osteon.endpoints.treatment import (
    SAFETY_PARAMETERS,
    Treatment,
    is_treated,
    treatment_of,
    treatments_of,
    treatments_taken,
)
from osteon.endpoints.union import RULES, time_to_union, union_interval, united
from osteon.endpoints.visits import SCHEDULES, Schedule, recorded, schedule_of

__all__ = [
    "RULES",
    "SAFETY_PARAMETERS",
    "SAFETY_UNITS",
    "SCHEDULES",
    "SCORES",
    "SEEN",
    "STAGES",
    "UNION",
    "WEEKS",
    "Cortices",
    "Endpoint",
    "Film",
    "Schedule",
    "Treatment",
    "cortex_grades",
    "cortices",
    "endpoint_arrays",
    "endpoint_unit",
    "endpoints",
    "icc",
    "is_treated",
    "mrust",
    "radiograph",
    "read_films",
    "recorded",
    "rust",
    "schedule_of",
    "time_to_score",
    "time_to_union",
    "treatment_of",
    "treatments_of",
    "treatments_taken",
    "union_interval",
    "united",
]

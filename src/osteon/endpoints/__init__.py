"""Endpoints as trials record them, from curves alone."""

from osteon.endpoints.scores import UNION, cortex_grades, mrust
from osteon.endpoints.table import STAGES, WEEKS, Endpoint, endpoints

__all__ = ["STAGES", "UNION", "WEEKS", "Endpoint", "cortex_grades", "endpoints", "mrust"]

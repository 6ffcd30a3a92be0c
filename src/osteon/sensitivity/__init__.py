"""Local sensitivities: how curves and endpoints change with parameters, by derivative lanes in lock-step."""

from osteon.sensitivity.result import MAIN, Sensitivities
from osteon.sensitivity.run import sensitivities

__all__ = ["MAIN", "Sensitivities", "sensitivities"]

"""Uncertainty of predictions: the systemic layer under draws from the posterior over parameters and structures."""

from osteon.uncertainty.bands import NOT_UNDER_EVERY_DRAW, QUANTILES, Band, Spread, band_curves
from osteon.uncertainty.choice import DEFAULT, Choice, choose
from osteon.uncertainty.lanes import Lanes, systems_of

__all__ = [
    "DEFAULT",
    "NOT_UNDER_EVERY_DRAW",
    "QUANTILES",
    "Band",
    "Choice",
    "Lanes",
    "Spread",
    "band_curves",
    "choose",
    "systems_of",
]

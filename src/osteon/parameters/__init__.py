"""Parameters: every value with its unit, source and how it was obtained."""

from osteon.parameters.record import HOWS, Record
from osteon.parameters.sets import ParameterSet, available, layered, load, load_table

__all__ = ["HOWS", "ParameterSet", "Record", "available", "layered", "load", "load_table"]

"""One parameter: its value, and everything a reader needs to judge it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

How = Literal["read", "digitised", "fitted", "assumed", "defined"]
HOWS: tuple[How, ...] = ("read", "digitised", "fitted", "assumed", "defined")


@dataclass(frozen=True, slots=True)
class Record:
    """A parameter value with its unit and provenance.

    Attributes
    ----------
    key : str
        ``module.name``, the name models look it up by.
    value : float
        Value in `unit`.
    unit : str
        Unit as pint writes it; ``"1"`` is dimensionless.
    how : {"read", "digitised", "fitted", "assumed", "defined"}
        How the value was obtained; ``defined`` marks units and neutral multipliers.
    source : str
        Where it stands: paper, table, or the fit it came from.
    meaning : str
        One line in words.
    symbol : str
        Symbol in the source, if it has one.
    range : tuple of float or None
        Plausible lower and upper value.
    set : str
        Parameter file or layer the value came from.
    note : str
        What later layers did to it.
    """

    key: str
    value: float
    unit: str
    how: How
    source: str
    meaning: str
    symbol: str = ""
    range: tuple[float, float] | None = None
    set: str = ""
    note: str = ""

    @property
    def module(self) -> str:
        """Module part of the key."""
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        """Name part of the key."""
        return self.key.partition(".")[2]

    def changed(self, value: float, *, layer: str, how: How, source: str, note: str = "") -> Record:
        """Return a copy with a new value, keeping a trace of the change in `note`."""
        trace = note or f"{layer}: {self.value:g} -> {value:g}"
        return replace(
            self,
            value=float(value),
            how=how,
            source=source,
            set=layer,
            range=None,
            note=f"{self.note}; {trace}" if self.note else trace,
        )

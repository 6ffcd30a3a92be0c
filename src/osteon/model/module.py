"""The contract of a model module: what it holds, what it needs, what it gives, and its rates.

A module is a Python file that makes one `Module`. Its functions are pure and use ordinary operators and
`osteon.model.maths` only, so that they can be called with floats, arrays, pint quantities or SymPy symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from osteon.errors import ModelError

Rates = Callable[[Any, Any, Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class State:
    """A quantity with a rate.

    Attributes
    ----------
    unit : str
        Unit as pint writes it.
    means : str
        One line of meaning.
    initial : float or str
        Value at baseline, or the name of the parameter that holds it.
    scale : float
        Usual size, against which errors are measured.
    signal : str
        Name under which other modules and results see it; empty keeps it private.
    signed : bool
        Whether it may be negative.
    """

    unit: str
    means: str
    initial: float | str = 0.0
    scale: float = 1.0
    signal: str = ""
    signed: bool = False


@dataclass(frozen=True, slots=True)
class Signal:
    """A named quantity one module gives and others may use."""

    unit: str
    means: str


@dataclass(frozen=True, slots=True)
class Input:
    """A signal a module needs. Without a provider the default holds: that is how "off" is written."""

    unit: str
    means: str
    default: float | None = None


@dataclass(frozen=True)
class Module:
    """One part of a model.

    Attributes
    ----------
    name : str
        Name; states are keyed ``name.state``.
    states, inputs, outputs : mapping
        Declared states, needed signals and given signals.
    tables : tuple of str
        Parameter tables the functions may read, first match wins.
    rates : callable
        ``rates(s, p, signal) -> {state: rate}``, per day of the module's own clock.
    signals : callable or None
        ``signals(s, p, signal) -> {output: value}``.
    clock : str
        Key of the parameter all rates are multiplied by; empty for calendar time.
    doses : mapping
        Drug name to (state, factor parameter): where an amount in mg lands, per route.
    reference : str
        Where the equations come from.
    limits : str
        Where they may not be used.
    """

    name: str
    states: Mapping[str, State]
    rates: Rates
    tables: tuple[str, ...]
    inputs: Mapping[str, Input] = field(default_factory=dict)
    outputs: Mapping[str, Signal] = field(default_factory=dict)
    signals: Rates | None = None
    clock: str = ""
    doses: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    reference: str = ""
    limits: str = ""

    def __post_init__(self) -> None:
        if self.outputs and self.signals is None:
            raise ModelError(f"module {self.name} declares outputs but has no function for them")
        doubled = set(self.outputs) & set(self.inputs)
        if doubled:
            raise ModelError(f"module {self.name} both needs and gives {', '.join(sorted(doubled))}")

    @property
    def description(self) -> str:
        """Docstring of the file the module stands in: the equations in words."""
        import sys

        return (sys.modules[self.rates.__module__].__doc__ or "").strip()

    @property
    def source_file(self) -> str:
        """Path of the file the module stands in."""
        return self.rates.__code__.co_filename

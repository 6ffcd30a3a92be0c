"""Unit check of a system: its own functions are called with quantities, and nothing may be lost on the way.

A rate or signal must have the declared dimension, and must come out the same with quantities as with bare numbers;
the second finds a forgotten factor between, say, mg/L and ng/mL.
"""

from __future__ import annotations

import math

from osteon.errors import ModelError
from osteon.model.system import System
from osteon.units import registry


def check_units(system: System) -> None:
    """Refuse a system whose rates or signals disagree with their declared units.

    Raises
    ------
    ModelError
        Names the state or signal, what was found and what is declared.
    """
    import pint

    ureg = registry()

    def quantity(value: float | None, unit: str):
        return ureg.Quantity(value, _unit(unit))

    keys = list(system.states)
    # An uneven point away from zero, so that no term vanishes by chance.
    bare = [
        state.scale * (0.11 + 0.37 * math.modf(0.618034 * (i + 1))[0]) for i, state in enumerate(system.states.values())
    ]
    values = system.parameters
    y = [quantity(v, state.unit) for v, state in zip(bare, system.states.values(), strict=True)]
    try:
        rates, signals = system.evaluate(y, lambda key: quantity(values[key].value, values[key].unit), literal=quantity)
    except pint.DimensionalityError as error:
        raise ModelError(f"system {system.name}: {error}") from error
    bare_rates, bare_signals = system.evaluate(bare, values.value)

    for key, rate, plain in zip(keys, rates, bare_rates, strict=True):
        _agree(f"the rate of {key}", rate, plain, _unit(system.states[key].unit) / ureg.Unit("day"))
    for name, signal in system.signal_units.items():
        _agree(f"signal {name}", signals[name], bare_signals[name], _unit(signal.unit))


def _unit(text: str):
    return registry().Unit("" if text == "1" else text.replace("%", "percent"))


def _agree(what: str, found, plain: float, declared) -> None:
    found = found if hasattr(found, "to") else registry().Quantity(found, "")
    if found.dimensionality != declared.dimensionality:
        raise ModelError(f"{what} is in {found.units:~}, which is not {declared:~}")
    value = found.to(declared).magnitude
    if not math.isclose(value, plain, rel_tol=1e-9, abs_tol=1e-300):
        raise ModelError(f"{what} is {value:.6g} {declared:~} with units and {plain:.6g} without: a factor is missing")

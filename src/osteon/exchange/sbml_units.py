"""Units of osteon as SBML unit definitions."""

from __future__ import annotations

import re
from typing import Any

from osteon.units import registry


def unit_id(model: Any, unit: str) -> str:
    """Return the SBML name of a unit, adding its definition to `model` (libsbml.Model) where it is new.

    Parameters
    ----------
    model : libsbml.Model
        Gets the definition.
    unit : str
        As pint writes it; ``"1"`` is dimensionless.
    """
    if unit in ("", "1"):
        return "dimensionless"
    name = _name(unit)
    if model.getUnitDefinition(name) is None:
        definition = model.createUnitDefinition()
        definition.setId(name)
        definition.setName(unit)
        for kind, exponent, multiplier in _parts(unit):
            part = definition.createUnit()
            part.initDefaults()
            part.setKind(_kind(kind))
            part.setExponent(exponent)
            part.setMultiplier(multiplier)
    return name


def _name(unit: str) -> str:
    text = unit.replace("%", "percent")
    text = re.sub(r"^1/", "per_", text).replace("/", "_per_").replace("^", "")
    return re.sub(r"\W+", "_", text).strip("_")


def _parts(unit: str) -> list[tuple[str, float, float]]:
    """Base unit, exponent and multiplier of each factor; a pure number becomes a dimensionless factor."""
    ureg = registry()
    parts: list[tuple[str, float, float]] = []
    number = 1.0
    for factor, exponent in _items(ureg.Quantity(1.0, unit.replace("%", "percent"))):
        base = ureg.Quantity(1.0, factor).to_base_units()
        size, kinds = float(base.magnitude), _items(base)
        if len(kinds) == 1:
            kind, power = kinds[0]
            parts.append((kind, power * exponent, _rounded(size ** (1 / power))))
        else:
            number *= size**exponent
            parts += [(kind, power * exponent, 1.0) for kind, power in kinds]
    if number != 1.0:
        parts.append(("dimensionless", 1.0, _rounded(number)))
    return parts


def _items(quantity: Any) -> list[tuple[str, float]]:
    return [(name, float(exponent)) for name, exponent in quantity.unit_items()]


def _rounded(value: float) -> float:
    """Value without the last digits, which conversion leaves uneven."""
    return float(f"{value:.12g}")


def _kind(name: str) -> int:
    import libsbml

    return libsbml.UnitKind_forName(name)

"""One registry of units, and the reading and writing of quantities such as ``60 mg``.

Inside osteon numbers are bare floats in day, mg, ng/mL, mm, N and MPa; text with units lives at the border only.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osteon.errors import UnitError, show

if TYPE_CHECKING:
    from pint import UnitRegistry

#: What to write for each internal unit; used in error messages and in the published schema.
EXAMPLES = {
    "1": "0.5",
    "%": "10 %",
    "day": "14 days",
    "yr": "73 yr",
    "kg": "68 kg",
    "mg": "60 mg",
    "mg/kg": "10 mg/kg",
    "mm": "1 mm",
    "N": "700 N",
    "MPa": "20 MPa",
    "ng/mL": "50 ng/mL",
    "mg/cm3": "300 mg/cm3",
    "1/day": "0.1 1/day",
    "mL/min": "60 mL/min",
    "nmol/L": "50 nmol/L",
}

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(.*?)\s*", re.DOTALL)
_TERM = re.compile(r"\s*([*/]?)\s*(?:([A-Za-zµμ%]+)(?:(?:\^|\*\*)?([+-]?\d))?|(1))(?![\w])")
_LONGEST = 80


@lru_cache(maxsize=1)
def registry() -> UnitRegistry:
    """Return the one registry of units, built on first use from the small definition file of the package."""
    from pint import UnitRegistry

    return UnitRegistry(str(Path(__file__).with_name("units.txt")), autoconvert_to_preferred=False)


def to_internal(given: str | float, unit: str, path: str = "") -> float:
    """Return a quantity as a bare number in `unit`.

    Parameters
    ----------
    given : str or float
        Text such as ``"60 mg"``. A bare number is taken for a dimensionless quantity (``unit="1"``) only.
    unit : str
        The unit wanted, for example ``day``; ``1`` for dimensionless.
    path : str
        Where the quantity stands, for the error message.

    Returns
    -------
    float
        Finite value in `unit`. Decimal factors (``%``, ``g`` to ``kg``) are exact to the last bit.

    Raises
    ------
    UnitError
        If the text is no quantity, its unit is missing, unknown or of the wrong dimension, or it is not finite.
    """
    number, written = split_quantity(given, unit, path)
    if not written and unit != "1":
        raise _error(f"{show(given)} has no unit", given, unit, path)
    try:
        factor = conversion_factor(written or "1", unit)
    except UnitError as error:
        raise _error(f"{show(given)} {error.message}", given, unit, path) from None
    value = _scale(number, factor)
    if not math.isfinite(value):
        raise _error(f"{show(given)} is not a finite number", given, unit, path)
    return value


def split_quantity(given: str | float, unit: str = "1", path: str = "") -> tuple[Decimal, str]:
    """Return the number and the unit text of a quantity; `unit` and `path` serve the error message.

    Raises
    ------
    UnitError
        If `given` is neither a finite number nor text that starts with one.
    """
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise _error(f"{show(given)} is not a quantity", given, unit, path)
    if not isinstance(given, str):
        try:
            finite = math.isfinite(given)
        except OverflowError:
            finite = False
        if not finite:
            raise _error(f"{show(given)} is not a finite number", given, unit, path)
        return Decimal(repr(float(given))), ""
    match = _QUANTITY.fullmatch(given.replace("−", "-")) if len(given) <= _LONGEST else None
    if match is None:
        words = given.strip().lower().split(" ")[0].lstrip("+-.")
        fault = "is not a finite number" if words in ("nan", "inf", "infinity") else "is not a number with a unit"
        raise _error(f"{show(given)} {fault}", given, unit, path)
    if not math.isfinite(float(match[1])):
        raise _error(f"{show(given)} is not a finite number", given, unit, path)
    return Decimal(match[1]), match[2]


@lru_cache(maxsize=1024)
def conversion_factor(written: str, unit: str) -> float:
    """Return by how much a number in the unit `written` is multiplied to stand in `unit`.

    Raises
    ------
    UnitError
        If a unit is unknown or the two have different dimensions.
    """
    source, target = _parse(written), _parse(unit)
    if source.dimensionality != target.dimensionality:
        raise UnitError(f"cannot be turned into {'a plain number' if unit == '1' else unit}", value=written)
    return float(registry().convert(1.0, source, target))


def format_quantity(value: float, unit: str) -> str:
    """Return a value with its unit as text that `to_internal` reads back to the very same float.

    With ``unit="%"`` the value is a fraction and is written in per cent.
    """
    number = Decimal(repr(float(value)))
    if unit == "%":
        number *= 100
    text = format(number.normalize(), "f") if -7 < number.adjusted() < 17 else str(number.normalize())
    text = "0" if number == 0 else text
    return text if unit == "1" else f"{text} {unit}"


def _parse(text: str) -> Any:
    """Return the unit written, from names, whole powers, products and quotients; nothing is evaluated."""
    text = text.replace("³", "3").replace("²", "2").replace("·", "*").strip()
    unit, position = registry().Unit(""), 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None or (position == 0 and match[1] == "*") or (match[4] and match[1] == "*"):
            raise UnitError(f"has a unit that cannot be read, {show(text)}", value=text)
        if match[2]:
            term = _named(match[2]) ** int(match[3] or 1)
            unit = unit / term if match[1] == "/" else unit * term
        position = match.end()
    return unit


def _named(name: str) -> Any:
    """Return one unit by name; raises `UnitError` for a name the registry lacks."""
    from pint.errors import UndefinedUnitError

    try:
        return registry().Unit("percent" if name == "%" else name)
    except UndefinedUnitError:
        raise UnitError(f"has an unknown unit, {show(name)}", value=name) from None


def _scale(number: Decimal, factor: float) -> float:
    """Multiply, exactly where factor or its inverse is a whole number, so that 57 % is 0.57 to the last bit."""
    inverse = round(1 / factor)
    if factor < 1 and math.isclose(inverse * factor, 1.0, rel_tol=1e-12) and inverse < 1e15:
        return float(number / inverse) if abs(number.adjusted()) < 400 else float(number) / inverse
    whole = round(factor)
    return float(number) * (whole if math.isclose(whole, factor, rel_tol=1e-12) else factor)


def _error(message: str, given: object, unit: str, path: str) -> UnitError:
    example = EXAMPLES.get(unit, "" if unit == "1" else f"1 {unit}")
    return UnitError(message, path=path, value=given, hint=f'write it like "{example}"' if example else "")

"""Functions a rate may use: the same call works on floats, arrays, pint quantities and SymPy symbols.

Rates may not branch: no ``if``, no ``max``, no jump. A switch is smooth, with its width stated.
"""

from __future__ import annotations

import math
from typing import Any

__all__ = ["hill", "positive", "power", "power_from_zero", "smooth_min", "sqrt"]


def sqrt(x: Any) -> Any:
    """Square root."""
    if isinstance(x, float):
        return math.sqrt(x)
    if hasattr(x, "free_symbols"):
        import sympy

        return sympy.sqrt(x)
    return x**0.5


def positive(x: Any, width: float) -> Any:
    """Smooth positive part: ``(x + sqrt(x**2 + width**2)) / 2``, width/2 at 0 and never negative.

    It differs from the sharp one by at most width/2, and by ``width**2 / 4|x|`` away from 0.
    """
    return 0.5 * (x + sqrt(x * x + width * width))


def smooth_min(a: Any, b: Any, width: float) -> Any:
    """Smooth minimum, below the smaller of `a` and `b` by at most width/2."""
    return b - positive(b - a, width)


def power(x: Any, exponent: Any) -> Any:
    """``x**exponent`` for a quantity that is zero or more; a rounding error below zero stays harmless."""
    return positive(x, 1e-10) ** exponent


def power_from_zero(x: Any, exponent: Any) -> Any:
    """``x**exponent`` that is exactly 0 at 0 also where the exponent is below 1, for drugs that are not there.

    Below about 1e-6 it goes to 0 in proportion to `x`, with a slope that stays finite.
    """
    return x * (x * x + 1e-12) ** (0.5 * (exponent - 1))


def hill(x: Any, half: Any, exponent: int = 1) -> Any:
    """``x**n / (half**n + x**n)``; `exponent` is a plain whole number."""
    ratio = (x / half) ** exponent
    return ratio / (1.0 + ratio)

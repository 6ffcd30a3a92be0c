"""Numbers as a person reads them, and arrays small enough to ship inside a page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

MONTH = 365.25 / 12
MINUS = "−"


def plain(value: float, digits: int = 6) -> str:
    """Value with up to ``digits`` significant digits, a true minus sign and no needless zeros."""
    text = f"{float(value):.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = f"10{power}" if mantissa == "1" else f"{mantissa} × 10{power}"
    return text.replace("-", MINUS)


def fixed(value: float, decimals: int, signed: bool = False) -> str:
    """Value with a fixed number of decimals, never a minus zero; with ``signed`` also a plus."""
    rounded = round(float(value), decimals)
    rounded = rounded + 0.0 if rounded else 0.0
    text = f"{rounded:.{decimals}f}".replace("-", MINUS)
    return f"+{text}" if signed and rounded > 0 else text


def short_list(values: np.ndarray, digits: int = 5) -> list[float | None]:
    """Round to significant digits for JSON; not-a-number and infinity become ``None``.

    Parameters
    ----------
    values : numpy.ndarray
        One series, shape (time,).
    digits : int
        Significant digits kept.

    Returns
    -------
    list
        One float or ``None`` per time point.
    """
    import numpy as np

    values = np.asarray(values, dtype=float)
    finite = np.isfinite(values)
    size = np.abs(np.where(finite, values, 0.0))
    # Far below the largest value a number is zero on any axis; dropping it saves long exponents.
    seen = size > 1e-9 * size.max(initial=0.0)
    power = digits - 1 - np.floor(np.log10(np.where(seen, size, 1.0)))
    up, down = 10.0 ** np.maximum(power, 0), 10.0 ** np.maximum(-power, 0)
    rounded = np.where(seen, np.round(np.where(finite, values, 0.0) * up / down) * down / up, 0.0)
    return [value if ok else None for value, ok in zip(rounded.tolist(), finite.tolist(), strict=True)]


def is_number(value: Any) -> bool:
    """Whether a value is a finite number, and not a truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

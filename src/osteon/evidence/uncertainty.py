"""How sure a published number is: from its printed error, or, where none is usable, from rows of the same kind.

The error of a median comes from quartiles as IQR/1.349 x 1.2533/sqrt(n) (normal data), of a mean from its SE, its
95 % interval/3.92, or SD/sqrt(n). A printed range counts as plus and minus one error. Where a row prints no usable
error, the spread of patients is taken as the median over fitted rows of the same trial and endpoint, or else of the
endpoint, and divided by sqrt(n). For markers that spread is a share of the level (100 + change), because quartiles
narrow as levels fall.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from osteon.evidence.table import Printed

MEDIAN_FROM_IQR = 1.2533 / 1.349
FULL_INTERVAL = 2 * 1.96
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class OwnError:
    """Error of a published summary, in the unit of its value; `sd` is nan where none is usable.

    `low` and `high` are the limits to draw, as printed (a single error goes to both sides), nan where there are none.
    """

    sd: float
    low: float
    high: float


def participants(text: str) -> int | None:
    """Return the number printed in a row's `n`, or None where there is none or it counts several arms together."""
    found = re.match(r"\s*(\d+)", text)
    return int(found[1]) if found and "total" not in text else None


def own_error(row: Printed, n: int, high: float | None = None) -> OwnError:
    """Return the printed error of a row.

    Parameters
    ----------
    row : Printed
        The row.
    n : int
        Participants behind it.
    high : float, optional
        Upper limit to use instead of the printed one, where that is known to be a slip [unit of the row].
    """
    numbers = row.numbers()
    if row.kind == "none" or row.kind in ("rse", "cv"):
        return OwnError(math.nan, math.nan, math.nan)
    if len(numbers) == 1:
        low, upper = row.value - numbers[0], row.value + numbers[0]
        sd = {"se": numbers[0], "sd": numbers[0] / math.sqrt(n)}.get(row.kind, math.nan)
        return OwnError(sd if sd > 0 else math.nan, low, upper)
    low, upper = numbers
    return OwnError(_from_limits(row.kind, row.value, low, upper if high is None else high, n), low, upper)


def _from_limits(kind: str, value: float, low: float, high: float, n: int) -> float:
    below, above = value - low, high - value
    # Limits that do not enclose the value, or coincide, were misread and say nothing.
    if below < -_SLACK or above < -_SLACK or below + above <= _SLACK:
        return math.nan
    # An interval coded to one side only carries its half width there.
    width = 2 * max(below, above) if kind == "ci" and min(below, above) <= _SLACK else below + above
    scale = {"iqr": MEDIAN_FROM_IQR / math.sqrt(n), "ci": 1 / FULL_INTERVAL, "se": 0.5, "range": 0.5}[kind]
    return width * scale


class Spread:
    """Spread of patients by trial and endpoint, for rows that print no usable error."""

    def __init__(self, known: Iterable[tuple[str, str, float, float, int]]) -> None:
        """Take (study, endpoint, value, sd, n) of rows with a usable error."""
        self._found: dict[tuple[str, str], list[float]] = {}
        for study, endpoint, value, sd, n in known:
            spread = sd * math.sqrt(n) / _level(endpoint, value)
            for key in ((study, endpoint), ("", endpoint)):
                self._found.setdefault(key, []).append(spread)

    def sd(self, study: str, endpoint: str, value: float, n: int) -> float:
        """Return the imputed error [unit of the value]; nan if no row of the endpoint prints one."""
        spreads = self._found.get((study, endpoint)) or self._found.get(("", endpoint))
        if not spreads:
            return math.nan
        ordered, half = sorted(spreads), len(spreads) // 2
        middle = ordered[half] if len(ordered) % 2 else 0.5 * (ordered[half - 1] + ordered[half])
        return middle * _level(endpoint, value) / math.sqrt(n)


def _level(endpoint: str, value: float) -> float:
    return 1.0 if endpoint.endswith("_BMD") else max(100.0 + value, 1.0)

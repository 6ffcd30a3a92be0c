"""Pharmacokinetic numbers of drug labels, for comparison with simulated courses."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from osteon.evidence.table import read

_LABELS = ("label", "SmPC", "monograph")


@dataclass(frozen=True, slots=True)
class LabelValue:
    """One number of a label.

    Attributes
    ----------
    value, low, high : float
        The number and its printed limits in `unit`; limits are nan where none are printed.
    target : bool
        Whether it may serve as a target; a recalled number was never seen and may not.
    """

    study: str
    arm: str
    drug: str
    dose_mg: str
    regimen: str
    endpoint: str
    unit: str
    value: float
    low: float
    high: float
    error_type: str
    n: str
    how_obtained: str
    quote: str
    target: bool
    line: int


def label_pharmacokinetics(folder: str | Path | None = None) -> tuple[LabelValue, ...]:
    """Return the label rows of ``pk.csv``.

    Parameters
    ----------
    folder : str or Path, optional
        Where the table lies; the shipped one by default.

    Raises
    ------
    InputError
        A row is refused.
    """
    found = []
    for row in read("pk.csv", folder):
        if not any(word in row.study for word in _LABELS):
            continue
        numbers = row.numbers()
        low, high = math.nan, math.nan
        if len(numbers) == 2:
            low, high = numbers
        elif len(numbers) == 1 and row.kind in ("sd", "se"):
            low, high = row.value - numbers[0], row.value + numbers[0]
        found.append(
            LabelValue(
                study=row.study,
                arm=row.arm,
                drug=row.drug,
                dose_mg=row.dose_mg,
                regimen=row.regimen,
                endpoint=row.endpoint,
                unit=row.unit,
                value=row.value,
                low=low,
                high=high,
                error_type=row.error_type,
                n=row.n,
                how_obtained=row.how_obtained,
                quote=row.quote_or_location,
                target=row.how_obtained != "recalled",
                line=row.line,
            )
        )
    return tuple(found)

"""Risk factors of people: what each source says, and a distribution over the sources, which disagree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from osteon.errors import InputError
from osteon.evidence.healing.people import named_rows
from osteon.evidence.healing.table import Printed

#: Assumed SD between sources of the logarithm [1] where too few print an error: of odds, which differ 2-5 times for
#: one factor, and of times to union, which are ratios of means near one another.
BETWEEN_SOURCES = 0.4
BETWEEN_TIMES = 0.1
_Z = 1.959964
_Z90 = 1.644854


@dataclass(frozen=True, slots=True)
class RiskRow:
    """What a factor does to the odds or the time, as one source has it.

    Attributes
    ----------
    outcome : str
        ``nonunion``, ``delayed``, ``impaired`` (either, by odds or risk), ``time`` (ratio of times to union), or
        ``complication``.
    measure : str
        Effect measure as printed.
    value, low, high : float
        Ratio and its printed limits [1]; limits are nan where none are printed.
    log_sd : float
        Standard error of the logarithm [1]; nan where none is printed.
    pooled : bool
        Whether it stands for its study when sources are pooled.
    """

    factor: str
    study: str
    file: str
    line: int
    bone: str
    outcome: str
    measure: str
    value: float
    low: float
    high: float
    log_sd: float
    pooled: bool
    use: str
    note: str


@dataclass(frozen=True, slots=True)
class Factor:
    """A risk factor over its sources: a distribution to sample, not a point.

    Attributes
    ----------
    rows : tuple of RiskRow
        Every row of the use.
    log_mean, log_mean_sd : float
        Mean of the logarithm over pooled sources, and its standard error [1]; nan where no source is pooled.
    between : float
        SD between sources of the logarithm [1].
    between_how : {"estimated", "assumed"}
        "assumed" where fewer than three sources print an error.
    """

    factor: str
    rows: tuple[RiskRow, ...] = field(repr=False)
    log_mean: float
    log_mean_sd: float
    between: float
    between_how: str

    @property
    def ratio(self) -> float:
        """Ratio in the middle of the sources [1]."""
        return math.exp(self.log_mean)

    @property
    def interval(self) -> tuple[float, float]:
        """Limits within which 90 % of sources would lie [1]."""
        reach = _Z90 * math.hypot(self.between, self.log_mean_sd)
        return math.exp(self.log_mean - reach), math.exp(self.log_mean + reach)


def risk_rows(use: str, folder: str | Path | None = None) -> tuple[RiskRow, ...]:
    """Return the risk factors of one use, source by source."""
    return tuple(_risk(row, entry) for row, entry in named_rows("risks", use, folder))


def risk_factors(use: str, folder: str | Path | None = None) -> dict[str, Factor]:
    """Return the risk factors of one use, each over its sources; ratios of times are kept apart as ``FACTOR time``."""
    grouped: dict[str, list[RiskRow]] = {}
    for row in risk_rows(use, folder):
        grouped.setdefault(f"{row.factor} time" if row.outcome == "time" else row.factor, []).append(row)
    return {name: _pooled(name, tuple(rows)) for name, rows in grouped.items()}


def _risk(row: Printed, entry: Mapping[str, Any]) -> RiskRow:
    risk = row.file == "risk_factors.csv"
    low, high = (row.number("ci_low"), row.number("ci_high")) if risk else row.limits()
    value = 1.0 + row.value / 100.0 if entry.get("percent") else row.value / entry.get("over", 1.0)
    if not value > 0:
        raise InputError("a ratio is above 0", path=f"{row.where}, column value", value=row.value)
    log_sd = entry.get("log_sd", math.log(high / low) / (2.0 * _Z) if low > 0 and high > low else math.nan)
    return RiskRow(
        factor=entry["factor"],
        study=row.study,
        file=row.file,
        line=row.line,
        bone=row["bone"] if risk else row["model"],
        outcome=entry["outcome"],
        measure=row["effect_measure"] if risk else row["endpoint"],
        value=value,
        low=low,
        high=high,
        log_sd=log_sd,
        pooled=entry.get("pooled", True),
        use=row.use,
        note=entry.get("note", ""),
    )


def _pooled(name: str, rows: tuple[RiskRow, ...]) -> Factor:
    """Random effects after DerSimonian and Laird; a source without an error has the largest one of the others."""
    used = [row for row in rows if row.pooled]
    assumed = BETWEEN_TIMES if rows[0].outcome == "time" else BETWEEN_SOURCES
    if not used:
        return Factor(name, rows, math.nan, math.nan, assumed, "assumed")
    known = [row.log_sd for row in used if not math.isnan(row.log_sd)]
    most = max(known, default=assumed)
    logs = [math.log(row.value) for row in used]
    own = [most if math.isnan(row.log_sd) else row.log_sd for row in used]
    between, how = assumed, "assumed"
    if len(known) >= 3:
        weights = [1.0 / sd**2 for sd in own]
        total = sum(weights)
        mean = sum(w * y for w, y in zip(weights, logs, strict=True)) / total
        excess = sum(w * (y - mean) ** 2 for w, y in zip(weights, logs, strict=True)) - (len(used) - 1)
        between = math.sqrt(max(0.0, excess) / (total - sum(w * w for w in weights) / total))
        how = "estimated"
    weights = [1.0 / (sd**2 + between**2) for sd in own]
    mean = sum(w * y for w, y in zip(weights, logs, strict=True)) / sum(weights)
    return Factor(name, rows, mean, 1.0 / math.sqrt(sum(weights)), between, how)

"""One published number beside what osteon gives for it: value, interval, distance, covered or not, direction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

COVERED, MISSED = "covered", "missed"
RIGHT, WRONG = "direction right", "direction wrong"
NOT_SIMULATED, NOT_SCORED = "not simulated", "not scored"
VERDICTS = (COVERED, MISSED, RIGHT, WRONG, NOT_SCORED, NOT_SIMULATED)
AGREES, DISAGREES, DEAD_BAND, NO_DIRECTION = "agrees", "disagrees", "dead band", "not a direction"


@dataclass(frozen=True)
class Outcome:
    """A published number and the simulated one beside it.

    Attributes
    ----------
    study, result : str
        Key of the study, id of its finding.
    label : str
        What tells it from other rows of the finding: arm, curve or quantity.
    table, line : str, int
        Where the published number stands; empty and 0 where the study's own file gives it.
    endpoint, endpoint_zh, unit : str
        What was measured.
    arm, against : str
        Arms as published.
    day : float
        nan where there is none [day].
    published, published_low, published_high : float
        Value and limits as printed, on the scale of `unit`.
    published_sd : float
        Standard error of the value, of its logarithm where `scale` is ``log``.
    printed, as_printed, corrected : str
        The row as it stands where `published` is another summary of it; a print known to be wrong, and its correction.
    simulated, simulated_low, simulated_high : float
        Median over draws, and 90 % interval of what such a study would report.
    model_low, model_high : float
        The same interval without the study's own error.
    distance : float
        Simulated less published in standard errors of both, at least that of the interval.
    covered : bool or None
        Whether the interval holds the published value, or, of a bound, what the bound allows.
    sign, agreeing : str, float
        How the directions compare, and the share of draws with the published one [1].
    verdict, reason, reason_zh : str
        One of `VERDICTS`; why a row is not simulated or not scored.
    flag : str
        What is known against the published row.
    """

    study: str
    result: str
    label: str
    table: str
    line: int
    endpoint: str
    endpoint_zh: str
    unit: str
    arm: str
    against: str
    day: float
    use: str
    how_obtained: str
    engine: str
    n: int
    published: float
    published_low: float
    published_high: float
    published_sd: float
    bound: str
    scale: str
    printed: str
    as_printed: str
    corrected: str
    simulated: float
    simulated_low: float
    simulated_high: float
    model_low: float
    model_high: float
    distance: float
    covered: bool | None
    sign: str
    agreeing: float
    verdict: str
    reason: str
    reason_zh: str
    flag: str

    @property
    def missed(self) -> bool:
        """Whether the published number or direction is missed."""
        return self.verdict in (MISSED, WRONG)

    @property
    def badness(self) -> float:
        """How bad a miss is, for sorting: a distance, and for a direction how many draws have another one."""
        if self.verdict == WRONG:
            return 2.0 + 2.0 * (1.0 - (0.0 if math.isnan(self.agreeing) else self.agreeing))
        if self.verdict != MISSED:
            return 0.0
        return abs(self.distance) if not math.isnan(self.distance) else math.inf

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values; numbers that are not finite are None."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Outcome:
        """Return the outcome that `to_dict` wrote."""
        numbers = {field.name for field in fields(cls) if field.type == "float"}
        plain: dict[str, Any] = {name: math.nan if name in numbers and v is None else v for name, v in given.items()}
        return cls(**plain)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value

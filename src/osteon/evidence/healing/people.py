"""The rows on people: times to union, radiographs, and rates of non-union and delayed union."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from osteon.errors import InputError
from osteon.evidence.healing.table import Printed, check_use, read

if TYPE_CHECKING:
    from osteon.scenario import Scenario

MONTH = 365.25 / 12.0
_DAYS = {"day": 1.0, "d": 1.0, "week": 7.0, "month": MONTH}


@dataclass(frozen=True, slots=True)
class UnionTimes:
    """Times to union of one group of patients.

    Attributes
    ----------
    patient, fracture : mapping
        The group as a scenario writes it.
    rule : str
        What the study called union: ``cortices`` or ``clinical``.
    median, log_sd : float
        Median [day] and SD of the logarithm [1] of the lognormal law of the printed mean and SD; `log_sd` is nan
        where the row gives a median alone.
    median_sd, log_sd_sd : float
        Standard errors of both, from `n`; nan where there is no spread.
    """

    key: str
    study: str
    line: int
    patient: Mapping[str, Any]
    fracture: Mapping[str, Any]
    rule: str
    median: float
    log_sd: float
    median_sd: float
    log_sd_sd: float
    n: int
    use: str
    how: str
    note: str

    def quantile(self, share: float) -> float:
        """Return the day by which a share of patients has united [day]."""
        from statistics import NormalDist

        return self.median * math.exp(self.log_sd * NormalDist().inv_cdf(share))

    def scenario(self, horizon: float, seed: int = 1) -> Scenario:
        """Return a patient of the middle of the group, untreated, as a scenario of `horizon` days [day]."""
        from osteon.scenario import Scenario

        return Scenario.parse(
            {
                "osteon": 1,
                "title": self.key.replace("_", " "),
                "patient": dict(self.patient),
                "fracture": dict(self.fracture),
                "arms": [{"name": self.key, "doses": []}],
                "horizon": f"{horizon:.10g} days",
                "seed": seed,
            }
        )


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One number on the course of RUST in nailed tibiae.

    Attributes
    ----------
    quantity : str
        ``time_to_score``: day [day] by which `percentile` per cent have reached `score`; ``share_at_most``: share of
        films [1] with at most `score` on `day`.
    day, value : float
        Day of the film [day] (nan for a time), and the number.
    """

    study: str
    line: int
    quantity: str
    score: float
    percentile: float
    day: float
    value: float
    n: int
    use: str


@dataclass(frozen=True, slots=True)
class RateRow:
    """How often a fracture of a bone fails to unite, or unites late.

    Attributes
    ----------
    event : str
        ``nonunion`` or ``delayed``.
    value, low, high : float
        Share of fractures and its printed limits [1]; limits are nan where none are printed.
    """

    study: str
    file: str
    line: int
    bone: str
    population: str
    event: str
    value: float
    low: float
    high: float
    n: int
    use: str


def union_times(use: str, folder: str | Path | None = None) -> tuple[UnionTimes, ...]:
    """Return the times to union of one use.

    Parameters
    ----------
    use : str
        ``fit``, ``check`` or ``noise``.
    folder : str or Path, optional
        Folder with the tables; the shipped ones by default.

    Raises
    ------
    InputError
        The use is unknown, or a row is refused or has no time.
    """
    return tuple(_times(row, entry) for row, entry in named_rows("times", use, folder))


def score_rows(use: str, folder: str | Path | None = None) -> tuple[ScoreRow, ...]:
    """Return the rows of one use on the course of RUST."""
    return tuple(_score(row, entry) for row, entry in named_rows("radiographs", use, folder))


def rate_rows(use: str, folder: str | Path | None = None) -> tuple[RateRow, ...]:
    """Return the rates of non-union and delayed union of one use."""
    return tuple(_rate(row, entry) for row, entry in named_rows("rates", use, folder))


@lru_cache(maxsize=1)
def _entries() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("people.toml").read_text(encoding="utf-8"))


_FILES = {"times": "clinical_healing.csv", "radiographs": "clinical_healing.csv"}
_STUDIES = {"radiographs": "Wojahn 2021 (RUST course)"}


def named_rows(kind: str, use: str, folder: str | Path | None) -> list[tuple[Printed, Mapping[str, Any]]]:
    """Return rows of a use that the entries of a kind in ``people.toml`` name; recalled ones are never among them."""
    check_use(use)
    found = []
    for entry in _entries()[kind]:
        name = entry.get("file", _FILES.get(kind, "risk_factors.csv"))
        study = entry.get("study", _STUDIES.get(kind))
        for row in read(name, folder):
            fits = row.study == study and all(row[column] == text for column, text in entry["match"].items())
            if fits and row.use == use and not row.recalled:
                found.append((row, entry))
    return found


def _times(row: Printed, entry: Mapping[str, Any]) -> UnionTimes:
    if row["unit"] not in _DAYS or not row.value > 0:
        message = "a time to union is a positive number of days, weeks or months"
        raise InputError(message, path=f"{row.where}, column unit", value=row["unit"])
    n, kind, per = entry.get("n") or row.count(), row["error_type"], _DAYS[row["unit"]]
    middle, log_sd = row.value * per, math.nan
    if kind.startswith(("SD", "SE")):
        sd = row.number("error") * (math.sqrt(n) if kind.startswith("SE") else 1.0)
        log_sd = math.sqrt(math.log1p((sd / row.value) ** 2))
        middle *= math.exp(-0.5 * log_sd**2)
    elif "median" not in row["endpoint"]:
        raise InputError("a mean time needs its SD or SE", path=f"{row.where}, column error_type", value=kind)
    return UnionTimes(
        key=entry["key"],
        study=row.study,
        line=row.line,
        patient=MappingProxyType(entry["patient"]),
        fracture=MappingProxyType(entry["fracture"]),
        rule=entry["rule"],
        median=middle,
        log_sd=log_sd,
        median_sd=middle * log_sd / math.sqrt(n),
        log_sd_sd=log_sd / math.sqrt(2.0 * max(n - 1, 1)),
        n=n,
        use=row.use,
        how=entry["how"],
        note=entry["note"],
    )


def _score(row: Printed, entry: Mapping[str, Any]) -> ScoreRow:
    timed = entry["quantity"] == "time_to_score"
    return ScoreRow(
        study=row.study,
        line=row.line,
        quantity=entry["quantity"],
        score=float(entry["score"]),
        percentile=float(entry.get("percentile", math.nan)),
        day=math.nan if timed else row.number("time_days"),
        value=row.value if timed else row.value / 100.0,
        n=row.count(),
        use=row.use,
    )


def _rate(row: Printed, entry: Mapping[str, Any]) -> RateRow:
    risk = row.file == "risk_factors.csv"
    bone = row["bone"] if "bone" in row.cells else row["arm"]
    low, high = (row.number("ci_low"), row.number("ci_high")) if risk else row.limits()
    return RateRow(
        study=row.study,
        file=row.file,
        line=row.line,
        bone=bone,
        population=entry["population"],
        event=entry["event"],
        value=row.value / 100.0,
        low=low / 100.0,
        high=high / 100.0,
        n=row.count(),
        use=row.use,
    )

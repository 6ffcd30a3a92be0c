"""The study arms: who took part, what they were given, and which published rows are theirs."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.errors import InputError, near_match, show
from osteon.units import to_internal

if TYPE_CHECKING:
    from osteon.scenario import Scenario

BLOCKS = ("core", "alendronate", "teriparatide", "romosozumab")
CONTRASTS = ("", "difference", "ratio")
#: A sample within this many days of a dosing visit was taken at that visit, before the dose.
VISIT_WINDOW = 2.0
#: How long before the dose such a sample counts as taken [day].
BEFORE_DOSE = 0.01
#: Drugs taken at home have a shorter interval [day]; only the first dose of such a series is a visit.
HOME_INTERVAL = 14.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial: its name, mean age [yr] and weight [kg] of those who took part, and where these come from."""

    key: str
    study: str
    age: float
    weight: float
    how: str
    source: str
    sex: str = "female"


@dataclass(frozen=True, slots=True)
class Cover:
    """The `arm` text of a `study` whose rows belong here; a `contrast` compares with the arm `against`."""

    study: str
    arm: str
    against: str = ""
    contrast: str = ""


@dataclass(frozen=True, slots=True)
class StudyArm:
    """One arm of a trial as osteon simulates it.

    Attributes
    ----------
    block : str
        Which drug the arm informs: core, alendronate, teriparatide or romosozumab.
    visits : tuple of float
        Days after day 0 on which a dose is given at a visit [day].
    first : tuple of (float, str) or None
        Until which day [day] its rows inform another block, and which.
    horizon : float
        How long to simulate [day].
    n, n_later : int, tuple of (float, int) or None
        Participants, and from which day [day] on how many; used where a row prints none.
    zero_day : float or None
        Day of the baseline where earlier treatment has gone before [day]; curves are then re-based to it.
    shares : tuple of (str, float) or None
        Arm that carries this arm's rows until a day [day], because the patients were the same.
    """

    key: str
    trial: Trial
    title: str
    block: str
    horizon: float
    n: int
    n_how: str
    n_source: str
    doses: tuple[MappingProxyType[str, Any], ...]
    covers: tuple[Cover, ...]
    visits: tuple[float, ...]
    first: tuple[float, str] | None = None
    n_later: tuple[float, int] | None = None
    zero_day: float | None = None
    shares: tuple[str, float] | None = None

    @property
    def study(self) -> str:
        """Name of the trial; rows of one trial share its random offset."""
        return self.trial.study

    @property
    def drugs(self) -> frozenset[str]:
        """Drugs given in the arm."""
        return frozenset(dose["drug"] for dose in self.doses)

    @property
    def baseline_day(self) -> float:
        """Day on which a re-zeroed baseline is taken, just before the dose [day]; day 0 where nothing went before."""
        return 0.0 if self.zero_day is None else self.zero_day - BEFORE_DOSE

    def scenario(self, seed: int = 1) -> Scenario:
        """Return the arm as a scenario without a fracture; the drugs it gives must be in the catalogue."""
        from osteon.scenario import Scenario

        return Scenario.parse(
            {
                "osteon": 1,
                "title": f"{self.study}: {self.title}",
                "patient": {
                    "age": f"{self.trial.age:g} yr",
                    "weight": f"{self.trial.weight:g} kg",
                    "sex": self.trial.sex,
                },
                "fracture": None,
                "arms": [{"name": self.key, "doses": [dict(dose) for dose in self.doses]}],
                "horizon": f"{self.horizon:.10g} days",
                "seed": seed,
            }
        )

    def sample_day(self, day: float) -> float:
        """Return when the sample of a published day was taken [day]: before the dose where one was given that day."""
        near = [visit for visit in self.visits if abs(visit - day) <= VISIT_WINDOW]
        return near[0] - BEFORE_DOSE if near else float(day)

    def block_on(self, day: float) -> str:
        """Return the block that a row of a day [day] informs."""
        return self.first[1] if self.first and day <= self.first[0] else self.block

    def n_on(self, day: float) -> int:
        """Return the number of participants on a day [day]."""
        return self.n_later[1] if self.n_later and day >= self.n_later[0] else self.n

    def rebase(self, values: Any, baseline: Any) -> np.ndarray:
        """Return per cent changes from the arm's own baseline.

        Parameters
        ----------
        values : array_like
            Per cent changes from the untreated baseline, any shape [%].
        baseline : array_like
            The same curve on `baseline_day`, of a shape that broadcasts [%].
        """
        values = np.asarray(values, float)
        return values if self.zero_day is None else ratio(values, baseline)


def ratio(values: Any, other: Any) -> np.ndarray:
    """Return levels relative to other levels, all as per cent changes [%]: 100 ((100 + v)/(100 + w) - 1)."""
    return 100.0 * ((100.0 + np.asarray(values, float)) / (100.0 + np.asarray(other, float)) - 1.0)


def contrasted(kind: str, values: Any, other: Any) -> np.ndarray:
    """Return what a row of a contrast compares: the ``difference`` of two arms [% points] or their ``ratio`` [%]."""
    if kind == "difference":
        return np.asarray(values, float) - np.asarray(other, float)
    return ratio(values, other) if kind == "ratio" else np.asarray(values, float)


@lru_cache(maxsize=1)
def arms() -> MappingProxyType[str, StudyArm]:
    """Return every study arm by key."""
    table = tomllib.loads(Path(__file__).with_name("arms.toml").read_text(encoding="utf-8"))
    trials = {key: Trial(key, **entry) for key, entry in table["trials"].items()}
    return MappingProxyType({key: _arm(key, entry, trials) for key, entry in table["arms"].items()})


def arm(key: str) -> StudyArm:
    """Return a study arm; raises `InputError` for an unknown key."""
    known = arms()
    if key not in known:
        raise InputError(
            f"{show(key)} is not a study arm (allowed: {', '.join(known)})",
            path="arm",
            value=key,
            hint=near_match(key, known),
        )
    return known[key]


def _arm(key: str, entry: dict[str, Any], trials: dict[str, Trial]) -> StudyArm:
    first, later, shares = entry.get("first"), entry.get("later"), entry.get("shares")
    return StudyArm(
        key=key,
        trial=trials[entry["trial"]],
        title=entry["title"],
        block=entry["block"],
        horizon=to_internal(entry["horizon"], "day"),
        n=entry["n"],
        n_how=entry["n_how"],
        n_source=entry["n_source"],
        doses=tuple(MappingProxyType(dose) for dose in entry["doses"]),
        covers=tuple(Cover(**cover) for cover in entry["covers"]),
        visits=_visits(entry["doses"]),
        first=(float(first["until"]), first["block"]) if first else None,
        n_later=(float(later["from"]), later["n"]) if later else None,
        zero_day=float(entry["zero_day"]) if "zero_day" in entry else None,
        shares=(shares["arm"], float(shares["until"])) if shares else None,
    )


def _visits(doses: Iterable[dict[str, Any]]) -> tuple[float, ...]:
    days: set[float] = set()
    for dose in doses:
        start, every, count = to_internal(dose["start"], "day"), dose.get("every"), dose.get("count", 1)
        step = to_internal(every, "day") if every else 0.0
        days.update([start] if step <= HOME_INTERVAL else [start + index * step for index in range(count)])
    return tuple(sorted(day for day in days if day > 0))

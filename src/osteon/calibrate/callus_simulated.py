"""Groups of virtual people under some draws of a calibration, and the table of the groups that are scored."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.calibrate.callus import member_of
from osteon.calibrate.group_times import UNITED, quantile, share_by
from osteon.calibrate.virtual_people import Group, VirtualPeople

if TYPE_CHECKING:
    from osteon.calibrate.store import Draws
    from osteon.calibrate.subject import Settings

DRAWS, PATIENTS = 60, 16
QUICK = 4  # times fewer draws and patients for a rough answer
BRIDGED, HEALED = ("cortices_bridged", 3.0), ("RUST", 10.0)
#: Days of the curves [day].
WEEKS = np.arange(7.0, 366.0, 7.0)


def of_members(draws: Draws, most: int = DRAWS) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Yield each member of the ensemble with the values of its draws, `most` of all draws, evenly taken.

    Parameters
    ----------
    draws : Draws
        Of a calibration whose structures are ``callus_<member>``.
    most : int
        Draws in all.

    Yields
    ------
    (str, dict)
        Member, and values by key, each of shape (m,).
    """
    chosen = np.unique(np.linspace(0, len(draws) - 1, min(most, len(draws))).astype(int))
    names = np.array(draws.structures)[chosen]
    for structure in dict.fromkeys(names.tolist()):
        mine = chosen[names == structure]
        values = {key: draws.values[mine, place] for place, key in enumerate(draws.keys)}
        yield member_of(structure), {key: one for key, one in values.items() if not np.isnan(one).any()}


@dataclass(frozen=True)
class Simulated:
    """Groups of virtual people under some draws.

    Attributes
    ----------
    times : mapping
        Day of a milestone by group, curve and number, shape (draws, patients) [day]; infinite for never.
    spreads : mapping of str to ndarray
        Standard deviation of the logarithm of clocks by group, shape (draws,).
    curves : mapping
        By group and name, shape (draws, patients, weeks of a year).
    """

    times: Mapping[tuple[str, str, float], np.ndarray]
    spreads: Mapping[str, np.ndarray]
    curves: Mapping[tuple[str, str], np.ndarray]

    def late(self, group: str, milestone: tuple[str, float], day: float) -> np.ndarray:
        """Share of a group that has not come to a milestone by a day, shape (draws,)."""
        return 1.0 - share_by(self.times[group, *milestone], self.spreads[group], day)

    def day(self, group: str, share: float = 0.5) -> np.ndarray:
        """Day by which a share of those who are bridged within two years is so, shape (draws,) [day]."""
        return quantile(self.times[group, *BRIDGED], self.spreads[group], share, within=UNITED)


def simulated(
    draws: Draws,
    groups: Sequence[Group],
    settings: Settings,
    *,
    milestones: Sequence[tuple[str, float]] = (BRIDGED,),
    patients: int = PATIENTS,
    curves: Sequence[str] = (),
) -> Simulated:
    """Simulate groups by `DRAWS` of the draws.

    Parameters
    ----------
    draws : Draws
        Of the posterior.
    groups : sequence of Group
        Who they are.
    settings : Settings
        Threads, and whether a rough answer will do.
    milestones : sequence of (str, float)
        Curve of the radiograph and number, for every group.
    patients : int
        Virtual patients of a group.
    curves : sequence of str
        Public signals, at weekly steps for a year.
    """
    fewer = QUICK if settings.quick else 1
    parts: dict[Any, list[np.ndarray]] = {}
    for member, every in of_members(draws, DRAWS // fewer):
        wanted = {group.key: tuple(milestones) for group in groups}
        people = VirtualPeople(groups, wanted, member, patients=patients // fewer, threads=settings.cores)
        values = {key: one for key, one in every.items() if not key.startswith("clock_spread.")}
        found: dict[Any, np.ndarray] = dict(people.times(values))
        found |= {group.key: every[group.spread_key("clock_spread")] for group in groups}
        found |= people.curves(values, curves, WEEKS) if curves else {}
        for place, one in found.items():
            parts.setdefault(place, []).append(one)
    whole = {place: np.concatenate(every) for place, every in parts.items()}
    return Simulated(
        {place: one for place, one in whole.items() if isinstance(place, tuple) and len(place) == 3},
        {place: one for place, one in whole.items() if isinstance(place, str)},
        {place: one for place, one in whole.items() if isinstance(place, tuple) and len(place) == 2},
    )


@lru_cache(maxsize=1)
def table() -> Mapping[str, Any]:
    """Groups, risk factors and treatments that are scored, as ``people_scores.toml`` has them."""
    path = Path(__file__).with_name("data") / "people_scores.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def group_of(
    key: str, entry: Mapping[str, Any], mix: Mapping[str, float] | None = None, doses: tuple[Mapping, ...] = ()
) -> Group:
    """Return a group from an entry of the table."""
    return Group(key, entry["patient"], entry["fracture"], doses, mix=mix or {})

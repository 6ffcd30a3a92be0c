"""One arm as the patients of a block take it: its single doses on their own days, its home drugs in part or given up.

What is late falls between the moments of the plan, on a day of each patient's own; the moments stay, and with them the
structures of the model, so that patients are solved side by side whatever they miss. See `osteon.population.adherence`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from osteon.draws import uniform
from osteon.population.adherence import Intake
from osteon.population.intake import Change, Number, is_averaged

if TYPE_CHECKING:
    from osteon.scenario import Arm, DoseEvent


class Delayed(NamedTuple):
    """What is added on a day of each patient's own, `start` [day] of shape (patients,), none before the moment."""

    start: np.ndarray
    changes: list[Change]


@dataclass(frozen=True)
class Given:
    """What patients took of an arm.

    Attributes
    ----------
    moments : tuple of float
        Days on which anything is planned.
    doses : tuple of (str, float or None, ndarray)
        Drug, interval [day] and days of each dose record with an amount, NaN where not taken, shape (patients, count).
    count : ndarray of int or None
        Single doses taken from day zero on, shape (patients,); None where none is planned.
    share : ndarray or None
        Share of the home drugs of the arm that was taken, mean over drugs, shape (patients,); None without one.
    """

    moments: tuple[float, ...]
    doses: tuple[tuple[str, float | None, np.ndarray], ...]
    count: np.ndarray | None
    share: np.ndarray | None


@dataclass
class Taking:
    """How patients `lo` to `hi`, the last left out, take one arm; `apply` it to the plan of the arm once.

    Attributes
    ----------
    delayed : dict of float to list of Delayed
        By moment of the plan: what follows in each patient's own time before the next moment, in that order.
    """

    intake: Intake
    seed: int
    lo: int
    hi: int
    arm: Arm
    horizon: float
    delayed: dict[float, list[Delayed]] = field(default_factory=dict)
    given: Given | None = None

    def apply(
        self, moments: list[float], events: list[DoseEvent], changes: dict[float, list[Change]]
    ) -> tuple[list[DoseEvent], dict[float, list[Change]]]:
        """Return events and changes of the intake as taken, with amounts of shape (patients,); the rest is `delayed`.

        Parameters
        ----------
        moments : list of float
            Days on which a step of the arm begins, ascending.
        events : list of DoseEvent
            Single doses in order.
        changes : dict of float to list of Change
            Changes of what is taken at home, as `intake_changes` gives them.
        """
        plan: dict[str, list[float]] = {}
        for drug in sorted({dose.drug for dose in self.arm.doses}):
            plan[drug] = sorted({time for dose in self.arm.doses if dose.drug == drug for time in dose.times()})
        stop = {
            drug: max(0.0, days[0]) + self.intake.stay(self._uniform(f"intake {drug} stops"))
            for drug, days in plan.items()
        }
        days = self._days_taken(plan, moments, stop)
        kept = self._doses(events, days)
        at_home, share = self._home(moments, changes, stop)
        self.given = self._told(events, changes, days, stop, share)
        return kept, at_home

    # ---- single doses --------------------------------------------------------------------------------------------

    def _days_taken(
        self, plan: Mapping[str, list[float]], moments: list[float], stop: Mapping[str, np.ndarray]
    ) -> dict[tuple[str, float], np.ndarray]:
        """Day of each single dose of a drug planned for a moment, NaN where it is missed, of shape (patients,)."""
        plan = {
            drug: [day for day in days if 0 <= day < self.horizon]
            for drug, days in plan.items()
            if not is_averaged(drug)
        }
        found: dict[tuple[str, float], np.ndarray] = {}
        for moment in sorted({day for days in plan.values() for day in days}):
            drugs = sorted(drug for drug, days in plan.items() if moment in days)
            # Who comes late to a visit is late for all that is given there.
            delay = self.intake.delay(self._uniform(f"intake {drugs[0]} dose {plan[drugs[0]].index(moment)} late"))
            after = next((other for other in moments if other > moment), math.inf)
            held = np.minimum(moment + delay, _before(moment, after))
            for drug in drugs:
                number = plan[drug].index(moment)
                again = next((day for day in plan[drug] if day > moment), math.inf)
                came = (moment + delay <= _before(moment, again)) & (moment + delay < self.horizon)
                if self.intake.missed:
                    came &= self._uniform(f"intake {drug} dose {number} missed") >= self.intake.missed
                found[drug, moment] = np.where(came & (moment < stop[drug]), held, np.nan)
        return found

    def _doses(self, events: list[DoseEvent], days: Mapping[tuple[str, float], np.ndarray]) -> list[DoseEvent]:
        """Doses that fall on the planned day; late ones are put off."""
        kept = []
        late: dict[float, list[Change]] = {}
        for event in events:
            day = days.get((event.drug, event.time))
            if day is None:
                kept.append(event)
                continue
            amount: Any = np.where(np.isnan(day), 0.0, event.amount)
            if self.intake.late:
                late.setdefault(event.time, []).append(Change(event.drug, event.route, amount))
            else:
                kept.append(event._replace(amount=amount))
        for moment, changes in late.items():
            came = np.stack([days[change.drug, moment] for change in changes])
            start = np.fmax(np.fmax.reduce(came, axis=0), moment)
            self.delayed.setdefault(moment, []).append(Delayed(start, changes))
        return kept

    # ---- drugs taken at home ---------------------------------------------------------------------------------------

    def _home(
        self, moments: list[float], changes: dict[float, list[Change]], stop: Mapping[str, np.ndarray]
    ) -> tuple[dict[float, list[Change]], dict[str, np.ndarray]]:
        """Changes of the intake as taken, and the share of each drug that is taken over the course."""
        drugs = sorted({change.drug for added in changes.values() for change in added})
        part = {drug: self.intake.share(self._uniform(f"intake {drug} taken")) for drug in drugs}
        if not drugs or (self.intake.taken == 1 and not self.intake.stops):
            return changes, part
        size = self.hi - self.lo
        level: dict[tuple[str, str], Number] = {}
        taken: dict[tuple[str, str], np.ndarray] = {}
        planned, had = ({drug: np.zeros(size) for drug in drugs} for _ in range(2))
        found: dict[float, list[Change]] = {}
        # Nothing may be put off to the end of the course or later: that would open a stage of its own.
        ends = [min(moment, self.horizon) for moment in [*moments[1:], self.horizon]]
        for moment, after in zip(moments, ends, strict=True):
            for change in changes.get(moment, ()):
                key = change.drug, change.route
                level[key] = level.get(key, 0.0) + change.amount
                before = taken.get(key, np.zeros(size))
                wanted = np.where(stop[change.drug] > moment, level[key] * part[change.drug], 0.0)
                found.setdefault(moment, []).append(Change(*key, wanted - before))
                taken[key] = before + (wanted - before)
            for key, amount in taken.items():
                until = np.clip(stop[key[0]], moment, max(moment, after))
                planned[key[0]] += level[key] * max(0.0, after - moment)
                had[key[0]] += amount * (until - moment)
            if self.intake.stops and after > moment:
                self._leave(moment, after, level, taken, stop)
        shares = {
            drug: np.divide(had[drug], planned[drug], out=np.ones(size), where=planned[drug] > 0) for drug in drugs
        }
        return found, shares

    def _leave(
        self,
        moment: float,
        after: float,
        level: Mapping[tuple[str, str], Number],
        taken: dict[tuple[str, str], np.ndarray],
        stop: Mapping[str, np.ndarray],
    ) -> None:
        """Put off to its day what those who stop between two moments of the plan no longer take."""
        keys = [key for key, planned in level.items() if np.any(planned != 0)]
        if not keys:
            return
        put_off = self.delayed.setdefault(moment, [])
        begun = put_off[-1].start if put_off else np.full(self.hi - self.lo, moment)
        leaves = {key: (stop[key[0]] > moment) & (stop[key[0]] < after) for key in keys}
        # Whoever does not stop here has the day of what went before, where the course is held up anyway.
        days = {key: np.where(leaves[key], np.maximum(stop[key[0]], begun), begun) for key in keys}
        left = {key: leaves[key] for key in keys}
        for start in np.sort(np.stack([days[key] for key in keys]), axis=0):
            changes = []
            for key in keys:
                now = left[key] & (days[key] == start)
                changes.append(Change(*key, np.where(now, -taken[key], 0.0)))
                taken[key] = np.where(now, 0.0, taken[key])
                left[key] = left[key] & ~now
            put_off.append(Delayed(start, changes))

    # ---- both ------------------------------------------------------------------------------------------------------

    def _told(
        self,
        events: list[DoseEvent],
        changes: Mapping[float, list[Change]],
        days: Mapping[tuple[str, float], np.ndarray],
        stop: Mapping[str, np.ndarray],
        share: Mapping[str, np.ndarray],
    ) -> Given:
        doses = []
        for dose in self.arm.doses:
            if not dose.amount.value > 0:
                continue
            planned = ((time, np.where(time < stop[dose.drug], time, np.nan)) for time in dose.times())
            taken = [days.get((dose.drug, time), usual) for time, usual in planned]
            doses.append((dose.drug, dose.every, np.stack(taken, axis=1)))
        count = sum((~np.isnan(day)).astype(int) for day in days.values()) if days else None
        mean = np.mean(list(share.values()), axis=0) if share else None
        moments = tuple(sorted({event.time for event in events} | set(changes)))
        return Given(moments, tuple(doses), count, mean)  # pyright: ignore[reportArgumentType]

    def _uniform(self, purpose: str) -> np.ndarray:
        return uniform(self.seed, self.lo, self.hi, purpose)


def _before(moment: float, after: float) -> float:
    """Last time for what is planned for a moment: a day before what comes after, or half the way if that is near."""
    return after - min(1.0, (after - moment) / 2) if after < math.inf else math.inf

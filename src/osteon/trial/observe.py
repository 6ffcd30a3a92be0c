"""Looks at simulated patients as a trial would: at visits, on films, until they leave, die, or the study ends.

Every patient is looked at under every arm. Days of visits, missed visits, errors of readers, reported pain, dropout and
death are keyed by patient and not by arm, so that an arm never changes what is seen under another.

An imposed ratio of times takes the place of what the model gives: under the other arms a patient heals as under the
control, that many times as late. Films, stiffness and pain of day t are those of the control on day t / ratio; a day
that then lies after the horizon shows its end. Curves of the blood and of density stay the arm's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.errors import InputError
from osteon.trial import films, measures
from osteon.trial.observed import EVENTS, Observed, of_all
from osteon.trial.observed_tables import Columns, Keys, measures_table, people_table, times_table, visits_table
from osteon.trial.wanted import INFLAMMATION, PAIN, RECORDED, STIFFNESS, Source, series_needed

if TYPE_CHECKING:
    from osteon.ensemble.result import CohortResult
    from osteon.trial.people import People
    from osteon.trial.study import Study

__all__ = ["Observed", "observe", "series_needed"]

#: Notes of what was observed.
FAILED = "patients whose course could not be solved under an arm are left out of that arm"
IMPOSED = "the ratio of times was imposed: healing under the other arms is not what the model gives"


def observe(study: Study, people: People, result: CohortResult, *, arms: tuple[str, ...] | None = None) -> Observed:
    """Observe a simulated cohort as a study plans it.

    Parameters
    ----------
    study : Study
        Visits, readers, endpoints, seed.
    people : People
        Who they are, what arm each got, and when each leaves or dies; row i is patient i of the cohort.
    result : CohortResult
        With the curves of `series_needed`.
    arms : tuple of str, optional
        Arms that are looked at; all by default.

    Returns
    -------
    Observed

    Raises
    ------
    InputError
        The people are not those of the cohort, or there is no such arm.
    """
    source = Source(result)
    if len(people.allocated) != source.size:
        message = f"there are {len(people.allocated)} people, and {source.size} patients were simulated"
        raise InputError(message, path="people", value=len(people.allocated))
    chosen = tuple(source.arms) if arms is None else tuple(arms)
    for name in chosen:
        if name not in source.arms:
            hint = f"there are {', '.join(source.arms)}"
            raise InputError(f'"{name}" is not an arm of the study', path="arms", value=name, hint=hint)
    return _Look(study, people, source, chosen).all()


class _Look:
    """One look at a whole cohort, filled chunk by chunk."""

    def __init__(self, study: Study, people: People, source: Source, arms: tuple[str, ...]) -> None:
        from osteon.endpoints import RULES
        from osteon.endpoints.union import endpoint_of

        self.study, self.people, self.source, self.arms = study, people, source, arms
        self.schedule = study.visits.planned()
        self.planned = np.asarray(self.schedule.days, float)
        self.last = np.asarray(people.last_day, float)
        self.timed = [one for one in study.endpoints.all if one.timed]
        self.once = [one for one in study.endpoints.all if not one.timed]
        self.rules = {one.what for one in self.timed if one.kind == "union"}
        self.nonunion = next((one.what for one in study.endpoints.all if one.kind == "union"), next(iter(RULES)))
        self.broken = study.fracture is not None
        if self.broken:
            self.rules |= {self.nonunion, *(self._rule(one) for one in self.once if one.what == "nonunion")}
        self.endpoint_of = endpoint_of
        wanted = [self._model_name(one) for one in self.timed] + [endpoint_of(rule) for rule in self.rules]
        self.model = source.endpoints([*wanted, *measures.RISKS])
        size, shape = source.size, (len(arms),)
        self.tte = {one.name: Columns(size, shape) for one in self.timed}
        self.unions = {rule: Columns(size, shape) for rule in self.rules}
        self.visits = Columns(size, (len(arms), len(self.planned)))
        self.measures = Columns(size, shape)
        self.told = {name: measures.calcium_told(study.scenario().arms[source.arms.index(name)]) for name in arms}
        self.calcium = Columns(size, shape)
        self.errors: films.Errors = {}

    def _rule(self, endpoint: Any) -> str:
        return endpoint.rule or self.nonunion

    def _model_name(self, endpoint: Any) -> str:
        return self.endpoint_of(endpoint.what) if endpoint.kind == "union" else endpoint.what

    def _healing_arm(self, arm: str) -> tuple[int, float]:
        """Arm whose healing is shown, and how many times as late."""
        place = self.source.arms.index(arm)
        return (0, float(self.study.effect)) if self.study.effect is not None and place > 0 else (place, 1.0)

    def all(self) -> Observed:
        for lo, hi in self.source.ranges():
            days = np.rint(self.schedule.attended(self.study.seed, lo, hi))
            days[days > self.last[lo:hi, None]] = np.nan
            values = self.source.values(lo, hi)
            if self.broken:
                # Drawn once for all arms, of which they do not depend.
                self.errors = films.errors_of(self.study.reader, self.study.seed, lo, hi, len(self.planned))
            for place, arm in enumerate(self.arms):
                self._arm(place, arm, lo, hi, days, values)
        self._events()
        keys = Keys(self.source.arms, self.arms, np.asarray(self.people.allocated))
        times = [self._rows(one) for one in self.timed]
        tte = times_table(keys, times)
        visits = visits_table(keys, self.planned, self.visits)
        return Observed(
            tte,
            visits,
            measures_table(keys, self.measures),
            people_table(keys, self.people, self.last),
            self.arms,
            self._notes(),
        )

    # ---- one arm of one chunk ------------------------------------------------------------------------------------

    def _arm(self, place: int, arm: str, lo: int, hi: int, days: np.ndarray, values: Mapping[str, np.ndarray]) -> None:
        from osteon.endpoints import SEEN, recorded

        own, (heals, ratio), source = self.source.arms.index(arm), self._healing_arm(arm), self.source
        blood = source.curves(dict.fromkeys((*RECORDED, *self._curves())), own, lo, hi)
        shown = recorded(source.time, {name: blood[name] for name in RECORDED if name in blood}, days)
        reading = None
        if self.broken:
            callus = source.curves(dict.fromkeys((*SEEN, INFLAMMATION, STIFFNESS)), heals, lo, hi)
            signals = films.at_visits(source.time, callus, days / ratio)
            species = self.study.patient.species
            reading = films.read(signals, values, self.study.reader, species, self.errors)
            shown |= {**reading.scores, STIFFNESS: signals[STIFFNESS]}
            if species == "human" and INFLAMMATION in callus:
                shown[PAIN] = self._pain(callus, values, days / ratio, lo)
        self.visits.put(lo, (place,), day=days, **{name: one.astype(np.float32) for name, one in shown.items()})
        for rule in self.rules:
            seen = self._united(rule, heals, ratio, reading, shown, values, days, lo, hi)
            self._times(self.unions[rule], place, lo, days, seen)
        for one in self.timed:
            if one.kind != "union":
                exact = self._exact(self._model_name(one), heals, ratio, lo, hi)
                failed = self.model["failed"][heals, lo:hi, None] | np.isnan(days)
                reached = np.where(failed, np.nan, exact[:, None] <= days)
                self._times(self.tte[one.name], place, lo, days, reached)
        self._once(place, lo, hi, shown, blood)
        if self.told[arm] == "curve" and "serum_calcium" in blood:
            risks = measures.calcium_from_day_0(source.time, blood["serum_calcium"], values, self.last[lo:hi])
            self.calcium.put(lo, (place,), **risks)

    def _curves(self) -> list[str]:
        return [one.curve for one in self.once if one.kind == "curve" and one.curve]

    def _exact(self, name: str, heals: int, ratio: float, lo: int, hi: int) -> np.ndarray:
        found = self.model.get(name)
        return np.full(hi - lo, np.nan) if found is None else ratio * found[heals, lo:hi]

    def _united(
        self,
        rule: str,
        heals: int,
        ratio: float,
        reading: films.Reading | None,
        shown: Mapping[str, np.ndarray],
        values: Mapping[str, np.ndarray],
        days: np.ndarray,
        lo: int,
        hi: int,
    ) -> np.ndarray:
        """Whether union is seen at each visit; without reader noise from the day the model gives."""
        if reading is None or not reading.films:
            exact = self._exact(self.endpoint_of(rule), heals, ratio, lo, hi)
            missing = self.model["failed"][heals, lo:hi, None] | np.isnan(days)
            return np.where(missing, np.nan, exact[:, None] <= days)
        level = values["radiograph.union_stiffness"]
        return films.union_seen(reading, rule, self.study.reader.adjudication, shown.get(STIFFNESS), level)

    def _pain(
        self, callus: Mapping[str, np.ndarray], values: Mapping[str, np.ndarray], days: np.ndarray, lo: int
    ) -> np.ndarray:
        """Pain that patients report, or what is expected where the study has no reader noise."""
        from osteon.endpoints.function.pain import pain, pain_reported
        from osteon.endpoints.function.values import shipped_values

        p, chronic = shipped_values(), values.get("inflammation.chronic", 0.0)
        expected = pain(self.source.time, callus[INFLAMMATION], callus[STIFFNESS], p, chronic)
        there = films.at_visits(self.source.time, {PAIN: expected}, days)[PAIN]
        return pain_reported(there, self.planned.tolist(), p, self.study.seed, lo) if self.study.reader.noise else there

    def _times(self, columns: Columns, place: int, lo: int, days: np.ndarray, reached: np.ndarray) -> None:
        from osteon.endpoints import union_interval

        left, right = union_interval(days, reached)
        planned = union_interval(np.where(np.isnan(days), np.nan, self.planned), reached)
        # Who never came is known to be without the event on the first day.
        never = np.isnan(days).all(axis=-1)
        left, right = np.where(never, 0.0, left), np.where(never, np.inf, right)
        first, second = np.where(never, 0.0, planned[0]), np.where(never, np.inf, planned[1])
        columns.put(lo, (place,), left=left, right=right, left_planned=first, right_planned=second)

    def _once(
        self, place: int, lo: int, hi: int, shown: Mapping[str, np.ndarray], curves: Mapping[str, np.ndarray]
    ) -> None:
        nothing = np.full((hi - lo, len(self.planned)), np.nan)
        for one in self.once:
            if one.kind == "score":
                found = measures.at_nearest(shown.get(one.what, nothing), self.planned, float(one.day or 0.0))
            elif one.kind == "curve" and one.what in curves:
                found = measures.on_day(self.source.time, curves[one.what], float(one.day or 0.0), self.last[lo:hi])
            else:
                continue
            self.measures.put(lo, (place,), **{one.name: found.astype(float)})

    # ---- events, of all patients at once --------------------------------------------------------------------------

    def _events(self) -> None:
        planned = [one for one in self.once if one.kind == "event"]
        # A planned end of follow-up reaches to the end, which a study that closes early cuts for some.
        alive = np.minimum(np.asarray(self.people.dropout_day, float), np.asarray(self.people.end_day, float))
        for place, arm in enumerate(self.arms):
            for event in EVENTS:
                days = self._event_days(event, place, arm, self.nonunion)
                if days is not None:
                    self.measures.put(0, (place,), **{f"safety_{event}": self._seen(event, None, days, alive)})
            for one in planned:
                days = self._event_days(one.what, place, arm, self._rule(one), one.day)
                days = np.full(self.source.size, np.nan) if days is None else days
                self.measures.put(0, (place,), **{one.name: self._seen(one.what, one.day, days, alive)})

    def _seen(self, event: str, day: float | None, days: np.ndarray, alive: np.ndarray) -> np.ndarray:
        """Whether an event was seen: by a day of those followed to it, without a day of all while they were followed.

        That union has not come is known of those alone who were followed to the day, or to the end.
        """
        until, followed = float(self.study.follow_up), alive if event == "death" else self.last
        if of_all(event, day):
            return measures.while_followed(days, until, followed)
        return measures.by_day(days, until if day is None else day, followed)

    def _event_days(self, event: str, place: int, arm: str, rule: str, day: float | None = None) -> np.ndarray | None:
        own = self.source.arms.index(arm)
        if event == "death":
            return np.asarray(self.people.death_day, float)
        if event == "nonunion":
            if not self.broken:
                return None
            # No union by a day: it comes on that day, to those in whom no film had shown union.
            wanted = float(self.study.follow_up) if day is None else day
            right = self.unions[rule].arrays["right"][:, place]
            return np.where(np.isnan(right), np.nan, np.where(right <= wanted, np.inf, wanted))
        model = {name: self.model[name][own] for name in measures.RISKS if name in self.model}
        model |= {name: one[:, place] for name, one in self.calcium.arrays.items() if self.told[arm] == "curve"}
        if self.broken:
            model["united"] = self._exact(self.endpoint_of(rule), *self._healing_arm(arm), 0, self.source.size)
        return measures.event_days(
            event,
            model,
            self.study.scenario().arms[own],
            self.model["failed"][own],
            float(self.study.horizon),
            self.study.seed,
        )

    def _rows(self, endpoint: Any) -> tuple[str, dict[str, np.ndarray]]:
        """Name and columns of one endpoint that is a time, each of shape (patients, arms)."""
        columns = (self.unions[endpoint.what] if endpoint.kind == "union" else self.tte[endpoint.name]).arrays
        right = columns["right"]
        day = self.visits.arrays["day"][:, 0, :]
        seen = np.broadcast_to(np.where(np.isnan(day), 0.0, day).max(axis=-1)[:, None], right.shape)
        people = self.people
        dropout, end, death = (np.asarray(one, float) for one in (people.dropout_day, people.end_day, people.death_day))
        event, failed = np.isfinite(right), np.isnan(right)
        competing = ~event & ~failed & (death <= np.minimum(dropout, end))[:, None]
        exact = np.full(right.shape, np.nan)
        for place, arm in enumerate(self.arms):
            exact[:, place] = self._exact(self._model_name(endpoint), *self._healing_arm(arm), 0, self.source.size)
        return endpoint.name, {
            **columns,
            "last_seen": np.where(failed, np.nan, seen),
            "followed": np.broadcast_to(self.last[:, None], right.shape),
            "exact": exact,
            "event": event,
            "competing": competing,
            "death_day": np.where(competing, death[:, None], np.nan),
            "time": np.where(event, right, np.where(failed, np.nan, seen)),
        }

    def _notes(self) -> tuple[str, ...]:
        found = [FAILED] if self.model["failed"].any() else []
        return (*found, IMPOSED) if self.study.effect is not None else tuple(found)

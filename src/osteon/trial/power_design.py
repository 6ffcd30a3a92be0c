"""The designs that stand beside the planned one: how often people come, who misses what, who reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from osteon.endpoints.visits import SCHEDULES, Schedule, schedule_of
from osteon.errors import InputError
from osteon.scenario.quantity import DAYS_PER_YEAR
from osteon.trial.power_lognormal import MEDIAN, PEOPLE, lognormal
from osteon.trial.power_trials import Outcomes
from osteon.units import to_internal

if TYPE_CHECKING:
    from osteon.trial.power import Effect

#: Days between visits that are set beside the planned ones.
SPACINGS = {"weekly": 7.0, "six_weeks": 42.0, "twelve_weeks": 84.0}
#: Assumed, to show how much such a thing costs: share of visits and of doses missed; hazard of leaving [1/day].
MISSED = 0.2
DROPOUT = 0.1 / DAYS_PER_YEAR
#: Follow-up where no study says it [day].
FOLLOW_UP = 364.0
_WINDOW = 7.0
_OF_SPACING = 0.4  # of a spacing is the widest window, so that windows do not meet


def every(spacing: float, until: float, missed: float = 0.0) -> Schedule:
    """Visits at equal distances up to a day [day], with a window of a week where there is room for it."""
    window = min(_WINDOW, _OF_SPACING * spacing)
    count = int((until - window) / spacing + 1e-9)
    if count < 1:
        message = f"day {until:g} comes before the first visit after {spacing:g} days"
        raise InputError(message, path="follow_up", value=until)
    return Schedule(tuple(spacing * number for number in range(1, count + 1)), window, missed)


def read_schedule(text: str, path: str = "--visits") -> Schedule | None:
    """Read ``exact`` (None), the name of a schedule, or times with commas between, such as ``6 weeks, 12 weeks``."""
    if text.strip() == "exact":
        return None
    parts = [one.strip() for one in text.split(",")]
    if len(parts) == 1 and not parts[0][:1].isdigit():
        try:
            return schedule_of(parts[0])
        except InputError as error:
            hint = f"write exact, {', '.join(SCHEDULES)}, or times such as 6 weeks, 12 weeks"
            raise InputError(error.message, path=path, value=text, hint=hint) from None
    days = tuple(float(to_internal(one, "day", path=path)) for one in parts)
    try:
        return Schedule(days)
    except InputError as error:
        raise error.at(path) from None


class LognormalPopulation:
    """Lognormal times instead of a model: for closed forms, and to see what a design costs.

    Parameters
    ----------
    log_sd : float
        Standard deviation of log times.
    effect : Effect
        A ratio, or none.
    median : float
        Median time of the control [day].
    visits : Schedule, optional
        Planned visits; left out, times are known to the moment.
    follow_up : float, optional
        Last day [day]; left out, a year where there are visits.
    dropout : float
        Hazard of leaving [1/day]; it counts at visits.
    seed, people : int
        Seed, and size of the population.

    Raises
    ------
    InputError
        A value is not allowed, or the effect is that of a model.
    """

    def __init__(
        self,
        log_sd: float,
        effect: Effect,
        *,
        median: float = MEDIAN,
        visits: Schedule | None = None,
        follow_up: float | None = None,
        dropout: float = 0.0,
        seed: int = 0,
        people: int = PEOPLE,
    ) -> None:
        if effect.kind == "from-model":
            message = "asks for the effect of the model, and lognormal times have none"
            raise InputError(
                message, path="--effect", value="from-model", hint="write ratio=0.8, or leave out --log-sd"
            )
        for path, value, low, high in (("--log-sd", log_sd, 0.01, 3.0), ("--median", median, 0.1, 10_000.0)):
            if not low <= value <= high:
                raise InputError(f"{value:g} is not a number from {low:g} to {high:g}", path=path, value=value)
        self.log_sd, self.effect, self.median, self.people, self.seed = log_sd, effect, median, people, seed
        self.visits, self.dropout = visits, dropout
        self.follow_up = FOLLOW_UP if follow_up is None else follow_up

    def base(self) -> Outcomes:
        """As planned; without visits everybody is followed to the event."""
        return self._seen(self.visits, self.dropout)

    def variations(self) -> list[str]:
        """Spacings of visits, missed visits and dropout."""
        keys = [key for key, spacing in SPACINGS.items() if self._differs(spacing)]
        return ([] if self.visits is None else ["exact"]) + [*keys, "missed_visits", "dropout"]

    def varied(self, key: str) -> Outcomes:
        """The same people, seen in another way; what needs visits has six-weekly ones where none are planned."""
        visits = self.visits or every(SPACINGS["six_weeks"], self.follow_up)
        if key == "exact":
            return self._seen(None, 0.0)
        if key in SPACINGS:
            return self._seen(every(SPACINGS[key], self.follow_up), self.dropout)
        if key == "missed_visits":
            return self._seen(replace(visits, missed=max(MISSED, visits.missed)), self.dropout)
        return self._seen(visits, max(DROPOUT, 2 * self.dropout))

    def about(self) -> dict[str, Any]:
        """The lognormal distribution; the median has no source where it is osteon's own."""
        return {
            "kind": "lognormal",
            "given_log_sd": self.log_sd,
            "median": self.median,
            "median_assumed": self.median == MEDIAN,
            "visits": None if self.visits is None else list(self.visits.days),
            "failed": 0,
        }

    def _differs(self, spacing: float) -> bool:
        return self.visits is None or self.visits.days != every(spacing, self.follow_up).days

    def _seen(self, visits: Schedule | None, dropout: float) -> Outcomes:
        return lognormal(
            self.log_sd,
            self.effect.ratio,
            median=self.median,
            visits=visits,
            follow_up=float("inf") if visits is None else self.follow_up,
            dropout=0.0 if visits is None else dropout,
            seed=self.seed,
            people=self.people,
        )

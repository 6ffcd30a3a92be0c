"""A population of lognormal times, seen at visits, for power without a model of healing."""

from __future__ import annotations

import numpy as np

from osteon.draws import uniform
from osteon.endpoints.union import union_interval
from osteon.endpoints.visits import Schedule
from osteon.trial.power_trials import Outcomes

PEOPLE = 20_000
#: Median time of the control [day]: it matters at visits alone. Assumed: 18 weeks, as of nailed tibiae.
MEDIAN = 126.0


def lognormal(
    log_sd: float,
    ratio: float,
    *,
    median: float = MEDIAN,
    visits: Schedule | None = None,
    follow_up: float = np.inf,
    dropout: float = 0.0,
    seed: int = 0,
    people: int = PEOPLE,
) -> Outcomes:
    """People whose times lie at equally spaced quantiles, so that mean and spread are exact; twins differ by `ratio`.

    Parameters
    ----------
    log_sd, ratio : float
        Standard deviation of log times; time of the treated over that of the control.
    median : float
        Of the control [day].
    visits : Schedule, optional
        When the event is looked for; left out, every time is known to the moment.
    follow_up : float
        Last day on which anybody is seen [day].
    dropout : float
        Hazard of leaving [1/day].
    seed : int
        Of windows, missed visits and leaving.
    people : int
        Size of the population.

    Returns
    -------
    Outcomes
        Shapes (2, people).
    """
    from scipy.special import ndtri

    control = median * np.exp(log_sd * ndtri((np.arange(people) + 0.5) / people))
    exact = np.stack([control, ratio * control])
    last = np.full(people, float(follow_up))
    if dropout > 0:
        last = np.minimum(last, -np.log(uniform(seed, 0, people, "power dropout")) / dropout)
    if visits is None:
        value, event, left, right = seen(exact, last)
    else:
        value, event, left, right = at_visits(exact, visits.attended(seed, 0, people), last)
    return Outcomes(value, event, exact, np.full(people, -1), left, right)


Seen = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def seen(exact: np.ndarray, last: np.ndarray) -> Seen:
    """Times that are known to the moment up to the last day of each person; as `at_visits`."""
    event = exact <= last
    value = np.where(event, exact, last)
    return value, event, value, np.where(event, exact, np.inf)


def at_visits(exact: np.ndarray, days: np.ndarray, last: np.ndarray) -> Seen:
    """First visit that shows the event, or the last without it, and whether it was seen.

    Parameters
    ----------
    exact : ndarray
        Time of the event [day], shape (2, people).
    days : ndarray
        Day of each visit [day], shape (people, visits); NaN where it was missed.
    last : ndarray
        Last day of each person [day], shape (people,).

    Returns
    -------
    value, event, left, right : ndarray
        Shape (2, people). Who never came is without the event on day 0.
    """
    came = np.where(days <= last[:, None], days, np.nan)
    final = np.where(np.isnan(came), 0.0, came).max(axis=1)
    left, right = np.empty(exact.shape), np.empty(exact.shape)
    for arm, times in enumerate(exact):
        reached = np.where(np.isnan(came), np.nan, came >= times[:, None])
        left[arm], right[arm] = union_interval(came, reached)
    left, right = np.nan_to_num(left, nan=0.0), np.where(np.isnan(right), np.inf, right)
    event = np.isfinite(right)
    return np.where(event, right, final), event, left, right

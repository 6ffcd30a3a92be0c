"""Times to union of virtual patients as a series would record them: a rule, read from films at visits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osteon.endpoints import SCHEDULES, SEEN, Schedule, cortices, read_films, recorded, union_interval, united

if TYPE_CHECKING:
    from collections.abc import Mapping

    from osteon.replay.claim_runs import Simulated

_WEEK = 7.0
#: Visits of two years: every week, every month, and those of the usual clinic with two more in the second year.
VISITS = {
    "weekly": Schedule(tuple(_WEEK * week for week in range(1, 105)), title_en="every week", title_zh="每周一次"),
    "monthly": Schedule(
        tuple(365.25 / 12 * month for month in range(1, 25)), 3.0, title_en="every month", title_zh="每月一次"
    ),
    "clinic": Schedule(
        (*SCHEDULES["clinic"].days, _WEEK * 78, _WEEK * 104),
        _WEEK,
        title_en="usual clinic",
        title_zh="常规门诊随访",
    ),
}


def seen_union(
    run: Simulated, arm: str, values: Mapping[str, float | np.ndarray], rule: str, visits: str, seed: int
) -> np.ndarray:
    """Day of the visit at which union is first seen on a film, shape (patients,) [day]; infinite for never.

    Parameters
    ----------
    run : Simulated
        With the curves that a radiograph is made of.
    arm : str
    values : mapping of str to float or ndarray
        Parameters ``radiograph.*``, floats or of shape (patients,).
    rule : str
        A key of `osteon.endpoints.RULES`.
    visits : str
        A key of `VISITS`.
    seed : int
        Of visits and reader; a patient has the same ones in every arm and under every rule.
    """
    place = run.arms.index(arm)
    days = VISITS[visits].attended(seed, 0, run.size)
    curves = {name: run.series[name][place].astype(float) for name in SEEN}
    signals = recorded(run.time, curves, days)
    film = read_films(cortices(signals, values, "human"), values, seed)
    reached = united(film, rule, signals["torsional_stiffness"])
    return union_interval(days, reached)[1]

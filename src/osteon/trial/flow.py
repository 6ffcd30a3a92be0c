"""What a trial looked like apart from its statistics: who went where, means at visits, twins, numbers at risk."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from osteon.ensemble.result import CohortResult
    from osteon.trial.observe import Observed
    from osteon.trial.people import People
    from osteon.trial.study import Study

_KEYS = ("patient", "arm", "allocated", "visit", "planned", "day")
_QUANTILES = 201  # bars of the plot of individual effects, at most
MONTH = 365.25 / 12
WEEKS_UNTIL = 400.0  # a longer follow-up is told in months [day]
_WEEKS, _MONTHS = (1, 2, 4, 8, 12, 26), (1, 2, 3, 6, 12, 24)
_TICKS = 8


def flow(study: Study, people: People, result: CohortResult) -> dict[str, Any]:
    """Counts from screening to the end of follow-up.

    Returns
    -------
    dict
        ``screened`` and ``excluded`` (by reason), ``enrolled``, ``failed`` (patients of whom some arm could not be
        solved), ``failures`` (arm, reason, patients) and ``arms``: name, allocated, failed, died, dropped_out,
        closed (the study ended before their follow-up did), followed (to the end).
    """
    found = result.failures()
    reasons = Counter(zip(found["arm"].astype(str), found["failure"].astype(str), strict=True)).most_common()
    out = {arm: found.loc[found["arm"] == arm, "patient"].to_numpy() for arm in result.cohort.arms}
    died = people.death_day <= np.minimum(people.end_day, people.dropout_day)
    gone = ~died & (people.dropout_day < people.end_day)
    closed = ~died & ~gone & (people.end_day < study.follow_up)
    arms = []
    for place, arm in enumerate(result.cohort.arms):
        own = people.allocated == place
        failed = own & np.isin(np.arange(own.size), out[arm])
        solved = own & ~failed
        arms.append(
            {
                "name": arm,
                "allocated": int(own.sum()),
                "failed": int(failed.sum()),
                "died": int((solved & died).sum()),
                "dropped_out": int((solved & gone).sum()),
                "closed": int((solved & closed).sum()),
                "followed": int((solved & ~died & ~gone & ~closed).sum()),
            }
        )
    excluded = {str(reason): int(count) for reason, count in people.screened.items()}
    return {
        "screened": int(people.allocated.size) + sum(excluded.values()),
        "excluded": excluded,
        "enrolled": int(people.allocated.size),
        "failed": result.failed,
        "failures": [{"arm": arm, "reason": why, "patients": count} for (arm, why), count in reasons],
        "arms": arms,
    }


def visit_means(visits: pd.DataFrame, arms: tuple[str, ...]) -> list[dict[str, Any]]:
    """Mean and 95 % interval of every value recorded at the visits, in the arm that the trial gave.

    Parameters
    ----------
    visits : DataFrame
        As in ``Observed.visits``.
    arms : tuple of str
        In the order of the study.

    Returns
    -------
    list of dict
        ``name`` and ``arms``: for each the lists ``day`` (planned), ``n``, ``mean``, ``low``, ``high``.
    """
    from scipy.stats import t

    own = visits[visits["allocated"]]
    names = [name for name in own.columns if name not in _KEYS and own[name].dtype.kind in "fi"]
    found = []
    for name in names:
        groups = own.groupby(["arm", "planned"], observed=True, sort=True)[name].agg(["count", "mean", "std"])
        told: dict[str, Any] = {"name": str(name), "arms": []}
        for arm in arms:
            rows = groups.loc[groups.index.get_level_values("arm") == arm]
            rows = rows[rows["count"] > 0]
            count, mean = rows["count"].to_numpy(), rows["mean"].to_numpy(float)
            error = rows["std"].to_numpy(float) / np.sqrt(count)
            width = np.where(count > 1, t.ppf(0.975, np.maximum(count - 1, 1)) * error, np.nan)
            told["arms"].append(
                {
                    "name": arm,
                    "day": rows.index.get_level_values("planned").astype(float).tolist(),
                    "n": count.tolist(),
                    "mean": mean.tolist(),
                    "low": (mean - width).tolist(),
                    "high": (mean + width).tolist(),
                }
            )
        if any(arm["n"] for arm in told["arms"]):
            found.append(told)
    return found


def twin_days(observed: Observed, endpoint: str) -> dict[str, list[float]]:
    """What each arm did to each patient, against the same patient under the first arm.

    Returns
    -------
    dict of str to list of float
        For each arm but the first the differences of true times [day], in order and thinned to quantiles, of patients
        who reach the endpoint under both.
    """
    first, *others = (
        observed.times(endpoint, arm, allocated=False).set_index("patient")["exact"].dropna() for arm in observed.arms
    )
    found = {}
    for arm, times in zip(observed.arms[1:], others, strict=True):
        gain = np.sort((times - first).dropna().to_numpy(float))
        found[arm] = gain if gain.size <= _QUANTILES else np.quantile(gain, (np.arange(_QUANTILES) + 0.5) / _QUANTILES)
    return {arm: days.tolist() for arm, days in found.items()}


def at_risk(study: Study, observed: Observed) -> dict[str, list[tuple[float, int]]]:
    """How many of each arm are still followed without the primary event, on the days of `ticks`."""
    days = ticks(float(study.follow_up), study.fracture is not None)
    found = {}
    for arm in observed.arms:
        times = np.sort(observed.times(study.endpoints.primary.name, arm)["time"].to_numpy(float))
        found[arm] = list(zip(days, (times.size - np.searchsorted(times, days)).tolist(), strict=True))
    return found


def ticks(until: float, fracture: bool = True) -> list[float]:
    """Days that an axis of time names: whole weeks of a trial of about a year, whole months of others."""
    unit, steps = (7.0, _WEEKS) if fracture and until <= WEEKS_UNTIL else (MONTH, _MONTHS)
    wide = until / unit
    step = next((one for one in steps if wide / one <= _TICKS), 12 * math.ceil(wide / _TICKS / 12))
    return [place * step * unit for place in range(int(wide / step + 1e-9) + 1)]

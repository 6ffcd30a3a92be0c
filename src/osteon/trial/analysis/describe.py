"""Who was in the trial (Table 1), what harmed them (safety), and what each arm did to the same patient (twins)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.trial.analysis import result as said
from osteon.trial.analysis.values import compare_values, share_of
from osteon.trial.observed import EVENTS

if TYPE_CHECKING:
    import pandas as pd

    from osteon.trial.observed import Observed

#: A twin helped or harmed by less than this counts as neither [day].
MATTERS = 7.0
_NO_TRAITS = ("patient", "arm", "enrolled_day", "dropout_day", "death_day", "followed", "member")
_NUMBERS = ("mean", "sd", "median", "q1", "q3")
_QUANTILES = {"q05": 0.05, "q25": 0.25, "q75": 0.75, "q95": 0.95}


def table_1(people: pd.DataFrame, arms: Sequence[str]) -> list[dict[str, Any]]:
    """Traits of the people by allocated arm, one row per trait, level and arm; the arm ``""`` holds all together.

    Of a yes-or-no trait the row of its level is ``yes``.
    """
    groups = {**{arm: people[people["arm"] == arm] for arm in arms}, "": people}
    rows = []
    for trait in people.columns:
        if trait in _NO_TRAITS:
            continue
        column = people[trait]
        if column.dtype.kind in "fiu":
            rows += [_number(trait, arm, group[trait].to_numpy(float)) for arm, group in groups.items()]
            continue
        yes_or_no = column.dtype.kind == "b"
        levels: list[Any] = [True] if yes_or_no else sorted(map(str, column.unique()))
        for level in levels:
            for arm, group in groups.items():
                own = group[trait].to_numpy() if yes_or_no else group[trait].astype(str).to_numpy()
                rows.append(_level(trait, "yes" if yes_or_no else level, arm, own == level))
    return rows


def _number(trait: str, arm: str, values: np.ndarray) -> dict[str, Any]:
    values = values[~np.isnan(values)]
    numbers = [np.nan] * len(_NUMBERS)
    if len(values):
        spread = values.std(ddof=1) if len(values) > 1 else np.nan
        numbers = [values.mean(), spread, *np.quantile(values, (0.5, 0.25, 0.75))]
    row = {"trait": trait, "level": "", "arm": arm, "n": len(values)}
    return row | dict(zip(_NUMBERS, map(float, numbers), strict=True)) | {"count": np.nan, "share": np.nan}


def _level(trait: str, level: str, arm: str, has: np.ndarray) -> dict[str, Any]:
    row = {"trait": trait, "level": level, "arm": arm, "n": len(has), **dict.fromkeys(_NUMBERS, np.nan)}
    return row | {"count": int(has.sum()), "share": float(has.mean()) if len(has) else np.nan}


def safety(observed: Observed, level: float) -> list[dict[str, Any]]:
    """Safety events by allocated arm with exact intervals, and the difference to the control; see `Analysis.safety`."""
    rows = []
    control = observed.arms[0]
    for event in EVENTS:
        name = f"safety_{event}"
        if name not in observed.measures:
            continue
        for arm in observed.arms:
            values, first = observed.values(name, arm), observed.values(name, control)
            share, low, high = share_of(values, level)
            row = {"event": event, "arm": arm, "n": len(values), "count": int(values.sum())}
            row |= {"share": share, "low": low, "high": high, "reason": "" if len(values) else said.NOT_RECORDED}
            one = None if arm == control else compare_values(first, values, level, share=True)
            ends = (np.nan,) * 3 if one is None else (one.value, one.low, one.high)
            rows.append(row | dict(zip(("difference", "difference_low", "difference_high"), ends, strict=True)))
    return rows


def responders(observed: Observed, endpoints: Sequence[str]) -> list[dict[str, Any]]:
    """What each arm did to the same patients, against the control: true times in the model, of all twins.

    Returns
    -------
    list of dict
        For each endpoint that is a time and each arm but the control: ``n`` (twins), ``both`` (reach it under both),
        ``mean``, ``median``, ``q05`` to ``q95`` of the differences of `both` [day; below 0 is sooner], ``ratio``
        (geometric mean of the ratios) with ``ratio_q05`` and ``ratio_q95``, shares of `n` ``helped`` and ``harmed``
        (by more than `MATTERS` days, or the event comes under one arm alone), numbers ``gained`` and ``lost`` (under
        this arm alone, under the control alone) and ``neither``, ``threshold`` [day], ``reason``.
    """
    rows = []
    control = observed.arms[0]
    for endpoint in endpoints:
        first = _exact(observed, endpoint, control)
        for arm in observed.arms[1:]:
            told = {"endpoint": endpoint, "arm": arm, "control": control}
            rows += [{**told, **twins(first, _exact(observed, endpoint, arm))}]
    return rows


def _exact(observed: Observed, endpoint: str, arm: str) -> Any:
    return observed.times(endpoint, arm, allocated=False).set_index("patient")["exact"]


def twins(first: pd.Series, other: pd.Series) -> dict[str, Any]:
    """Individual effects of the arm `other` against `first`, true times by patient; see `responders`."""
    shared = first.index.intersection(other.index)
    one, two = first.loc[shared].to_numpy(float), other.loc[shared].to_numpy(float)
    has, had = ~np.isnan(two), ~np.isnan(one)
    both, n = has & had, len(shared)
    found: dict[str, Any] = {
        "n": n,
        "both": int(both.sum()),
        "gained": int((has & ~had).sum()),
        "lost": int((had & ~has).sum()),
        "neither": int((~has & ~had).sum()),
        "threshold": MATTERS,
        **dict.fromkeys(("helped", "harmed", "mean", "median", *_QUANTILES, "ratio", "ratio_q05", "ratio_q95"), np.nan),
        "reason": "" if both.any() else said.NO_TWINS,
    }
    days = two[both] - one[both]
    if n:
        found["helped"] = float((np.sum(days < -MATTERS) + found["gained"]) / n)
        found["harmed"] = float((np.sum(days > MATTERS) + found["lost"]) / n)
    if both.any():
        found |= {"mean": float(days.mean()), "median": float(np.median(days))}
        found |= {name: float(np.quantile(days, share)) for name, share in _QUANTILES.items()}
        if (one[both] > 0).all() and (two[both] > 0).all():
            ratio = np.log(two[both] / one[both])
            found["ratio"] = float(np.exp(ratio.mean()))
            found |= {f"ratio_q{100 * s:02.0f}": float(np.exp(np.quantile(ratio, s))) for s in (0.05, 0.95)}
    return found

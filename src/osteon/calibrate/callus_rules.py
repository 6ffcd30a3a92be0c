"""Rules that every shipped draw of the callus keeps: the untreated course, and what RANKL and strain do to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from osteon.calibrate.animals import AnimalTrials
from osteon.endpoints.crossing import first_above
from osteon.evidence.healing import animal_arms

_CURVES = frozenset(
    {"torsional_stiffness", "osteoclasts", "cartilage_cores", "callus_volume", "callus_tissue", "mRUST"}
)
_CONTROL, _INHIBITED = "mouse_femur_control", "mouse_femur_dmab"
_STOPPED, _OF_STOPPED = "mouse_tibia_rankfc_stopped", "mouse_tibia_control"
_HALF = 0.5  # of intact stiffness
_LAST = 120.0  # day


def keeps_rules(values: Mapping[str, np.ndarray], member: str, threads: int = 1) -> np.ndarray:
    """Whether points keep every rule; see `broken_rules`, shape (m,)."""
    broken = broken_rules(values, member, threads)
    return ~np.any(list(broken.values()), axis=0)


def broken_rules(values: Mapping[str, np.ndarray], member: str, threads: int = 1) -> dict[str, np.ndarray]:
    """Which points break which rule.

    Parameters
    ----------
    values : mapping of str to ndarray
        Parameter values by key, each of shape (m,).
    member : str
        Member of the ensemble whose values hold where a point says nothing.
    threads : int
        Threads of the kernel.

    Returns
    -------
    dict of str to ndarray of bool
        By rule, shape (m,); a point at which the model fails breaks all.
    """
    trials = AnimalTrials((), member, threads=threads, last=_LAST)
    base = animal_arms()[_CONTROL]

    def solve(arm) -> dict[str, np.ndarray]:
        return trials.curves(arm, _CURVES, values)

    control = solve(base)
    shares = (1.0, 0.3, 0.02)
    graded = [control, *(solve(replace(base, impose={"free_rankl": share})) for share in shares[1:])]
    stopped, of_stopped = solve(animal_arms()[_STOPPED]), solve(animal_arms()[_OF_STOPPED])
    torn = {
        strain: solve(replace(base, fracture={**base.fracture, "interfragmentary_strain": f"{strain} %"}))
        for strain in (30, 40)
    }

    def on(found: Mapping[str, np.ndarray], name: str, day: float) -> np.ndarray:
        return found[name][:, int(np.searchsorted(trials.time, day))]

    def half(found: Mapping[str, np.ndarray]) -> np.ndarray:
        return first_above(trials.time, found["torsional_stiffness"], _HALF)

    usual, inhibited = half(control), half(graded[-1])
    late = {strain: np.nan_to_num(half(found), nan=np.inf) for strain, found in torn.items()}
    restored = on(stopped, "osteoclasts", 28.0) / on(of_stopped, "osteoclasts", 28.0)
    kept = {
        "mRUST 4 to 6 on day 7 and 14 to 16 on day 24": _within(on(control, "mRUST", 7.0), 4, 6)
        & _within(on(control, "mRUST", 24.0), 14, 16),
        "half of intact stiffness between days 14 and 28": _within(usual, 14, 28),
        "stiffness 0.6 to 2.2 of intact on day 84": _within(on(control, "torsional_stiffness", 84.0), 0.6, 2.2),
        "time to half stiffness moves less than 10 % without RANKL": np.abs(inhibited / usual - 1.0) < 0.1,
        "osteoclasts back by day 28 after a stop on day 14": _within(restored, 0.75, 1.4),
        "fewer osteoclasts with less RANKL": _falls([on(one, "osteoclasts", 21.0) for one in graded]),
        "more cores with less RANKL": _falls([-on(one, "cartilage_cores", 42.0) for one in graded]),
        "no smaller callus with less RANKL": _falls([-on(one, "callus_volume", 42.0) for one in graded]),
        "30 % strain delays by at least 1.7 times": late[30] >= 1.7 * usual,
        "no union under 40 % strain": np.isinf(late[40]),
        "tissue at most 0.95 of the envelope": control["callus_tissue"].max(axis=1) <= 0.95,
    }
    whole = ~np.isnan(control["torsional_stiffness"]).any(axis=1)
    return {rule: ~(one & whole) for rule, one in kept.items()}


def _within(value: np.ndarray, low: float, high: float) -> np.ndarray:
    return (value >= low) & (value <= high)


def _falls(values: list[np.ndarray]) -> np.ndarray:
    """Whether a series of arrays falls from each to the next, to rounding."""
    return np.all([after <= before + 1e-9 for before, after in pairwise(values)], axis=0)

"""Groups of virtual people under some draws of the callus, as engines ask for them, and the rows that are theirs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.errors import InputError, near_match, show
from osteon.replay.engines_animal import draws_of_callus

if TYPE_CHECKING:
    from osteon.calibrate.callus_simulated import Simulated
    from osteon.calibrate.store import Draws
    from osteon.calibrate.virtual_people import Group
    from osteon.replay.engines import Effort

DRAWS = 60
_CLOCK = "species_clock.human"


def group(key: str) -> Group:
    """Return a group of people by key, with the mix of traits that the calibration gives it."""
    from osteon.calibrate.people import fitted_rows
    from osteon.calibrate.virtual_people import Group
    from osteon.evidence.healing import union_times

    fitted = {one.key: one for one in fitted_rows()[1]}
    checked = {one.key: Group(one.key, one.patient, one.fracture) for one in union_times("check")}
    known = {**checked, **fitted}
    if key not in known:
        raise InputError(f"{show(key)} is not a group of people", path="arm", value=key, hint=near_match(key, known))
    return known[key]


_CACHE: dict[Any, Simulated] = {}


def simulated_of(groups: tuple[Group, ...], milestones: tuple, patients: int, effort: Effort) -> Simulated:
    """Groups under some draws; kept, since rows of one study ask for the same."""
    from osteon.calibrate.callus_simulated import simulated
    from osteon.calibrate.subject import Settings

    place = (tuple(one.key for one in groups), repr(groups), milestones, patients, effort)
    if place not in _CACHE:
        settings = Settings(threads=effort.cores)
        draws = _draws(effort.fewer(DRAWS))
        _CACHE[place] = simulated(draws, groups, settings, milestones=milestones, patients=patients)
    return _CACHE[place]


@lru_cache(maxsize=4)
def _draws(count: int) -> Draws:
    """Some draws of the callus, each with its clock in people, as cohorts have it, and with the spread of clocks."""
    from osteon.calibrate.curves import chosen
    from osteon.model.person import MEMBERS
    from osteon.parameters import load
    from osteon.population.callus_clock import clock_factors

    every, spread = draws_of_callus(), load("clock_spread")
    human = {f"callus_{member}": load(f"people_{member}")[_CLOCK].value for member in MEMBERS}
    clocks = np.array([human[structure] for structure in every.structures]) * clock_factors(every)
    keys = tuple(spread)
    spreads = np.tile([spread[key].value for key in keys], (len(every), 1))
    values = np.hstack([every.values, clocks[:, None], spreads])
    return chosen(replace(every, keys=(*every.keys, _CLOCK, *keys), values=values), count)


@lru_cache(maxsize=1)
def times() -> Mapping[tuple[str, int], Any]:
    """Return the times to union, by table and line."""
    from osteon.evidence.healing import union_times

    return {("clinical_healing.csv", one.line): one for use in ("fit", "check") for one in union_times(use)}


@lru_cache(maxsize=1)
def scores() -> Mapping[tuple[str, int], Any]:
    """Return the rows on the course of RUST, by table and line."""
    from osteon.evidence.healing import score_rows

    return {("clinical_healing.csv", one.line): one for use in ("fit", "check") for one in score_rows(use)}


@lru_cache(maxsize=1)
def rates() -> Mapping[tuple[str, int], Any]:
    """Return the rates of non-union and delay, by table and line."""
    from osteon.evidence.healing import rate_rows

    return {(one.file, one.line): one for use in ("fit", "check") for one in rate_rows(use)}


@lru_cache(maxsize=1)
def risks() -> Mapping[tuple[str, int], Any]:
    """Return the risk factors, by table and line."""
    from osteon.evidence.healing import risk_rows

    return {(one.file, one.line): one for use in ("fit", "check") for one in risk_rows(use)}

"""Drugs whose daily mean is followed: their doses become an intake in mg/day that steps up, down and back to zero.

A dose is spread over the interval of its series, or over the usual one of the drug. Equal doses on end make one level,
so a regular course has two steps, and a missed dose is a gap; series that overlap add up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from osteon.scenario import catalogue

if TYPE_CHECKING:
    from osteon.scenario import Arm

#: A number, or one for each of many patients, shape (patients,).
Number = float | np.ndarray

# Ends nearer than this [day] to a dose fall together with it: both are sums of intervals, rounded differently.
_TOGETHER = 1e-6


class Change(NamedTuple):
    """A drug, its route, and the amount [mg], or for a drug whose mean is followed [mg/day], that is added."""

    drug: str
    route: str
    amount: Number


class Spell(NamedTuple):
    """Doses on end from `start` to `end` [day], at `rate` mg/day, or mg/day per kg of body weight."""

    start: float
    end: float
    rate: float
    per_weight: bool


def is_averaged(drug: str) -> bool:
    """Whether the daily mean of a drug is followed and not each of its doses."""
    return catalogue.drugs()[drug].averaged_over is not None


def intake_changes(arm: Arm, weight: Number, horizon: float) -> tuple[dict[float, list[Change]], dict[str, float]]:
    """Changes of the intake of all drugs whose daily mean is followed.

    Parameters
    ----------
    arm : Arm
        Whose doses.
    weight : float or ndarray
        Body weight [kg], shape (patients,), for doses per kg.
    horizon : float
        Day from which on no end of a dose matters.

    Returns
    -------
    changes : dict of float to list of Change
        By day. The changes of a drug add up to its intake, and after its last dose to zero, to the last bit; whether
        there is a change does not depend on the weight.
    begun : dict of str to float
        Day of the first dose of each drug.
    """
    changes: dict[float, list[Change]] = {}
    begun: dict[str, float] = {}
    for (drug, route), spells in _spells(arm).items():
        first = min(spell.start for spell in spells)
        begun[drug] = min(first, begun.get(drug, first))
        before, intake = (0.0, 0.0), 0.0
        for moment in sorted({time for spell in spells for time in spell[:2]}):
            level = _level(spell for spell in spells if spell.start <= moment < spell.end)
            dosed = any(spell.start == moment for spell in spells)
            if level == before or (moment >= horizon and not dosed):
                continue
            # Less the sum so far, not the level before: then the sum is the level's, and zero at the end.
            amount = (level[0] + level[1] * weight if level[1] else level[0]) - intake
            changes.setdefault(moment, []).append(Change(drug, route, amount))
            before, intake = level, intake + amount
    return changes, begun


def _spells(arm: Arm) -> dict[tuple[str, str], list[Spell]]:
    """Spells by drug and route: each series is one, each single dose too."""
    found: dict[tuple[str, str], list[Spell]] = {}
    averaged = [dose for dose in arm.doses if is_averaged(dose.drug)]
    starts = np.array([time for dose in arm.doses for time in dose.times()] if averaged else [])
    for dose in averaged:
        interval = dose.every or catalogue.drugs()[dose.drug].averaged_over or 1.0
        end = dose.start + dose.count * interval
        nearest = float(starts[np.argmin(np.abs(starts - end))])
        end = nearest if abs(nearest - end) <= min(_TOGETHER, interval / 2) else end
        spell = Spell(dose.start, end, dose.amount.value / interval, dose.amount.per_weight)
        found.setdefault((dose.drug, dose.route or ""), []).append(spell)
    return found


def _level(spells: Iterable[Spell]) -> tuple[float, float]:
    """Intake [mg/day] and the part of it per kg of body weight, both summed exactly."""
    rates = list(spells)
    fixed, scaled = ([spell.rate for spell in rates if spell.per_weight is per] for per in (False, True))
    return math.fsum(fixed), math.fsum(scaled)

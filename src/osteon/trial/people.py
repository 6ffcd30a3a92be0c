"""The people of a trial: who is screened and enrolled, which arm they get, and when they come, leave or die.

Everything about a candidate is keyed by the seed and the number of the candidate, and everything about a place in the
trial by the seed and that place: who is enrolled does not change when more are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from osteon.draws import uniform
from osteon.errors import InputError, show
from osteon.trial.balance import Tilt, tilt
from osteon.trial.lifetable import DAYS_PER_YEAR, life_table
from osteon.trial.people_traits import candidates, moments
from osteon.trial.study_fields import MOST_PATIENTS

if TYPE_CHECKING:
    from osteon.trial.study import Study

_AT_A_TIME = 16_384
_POOL = 65_536
_FIRST_OF_POOL = 2**40  # candidates nobody enrols, so that weights do not follow those who are
_LEAST_LET_IN = 1 / 2000
_ROUNDS = 2  # how often the ratio of allocation is repeated in a block


@dataclass(frozen=True, eq=False)
class People:
    """Who is enrolled; row i is patient i.

    Attributes
    ----------
    table : dict of str to ndarray
        Traits as columns for `Cohort.from_table`, each of shape (patients,).
    candidate : ndarray of int
        Number of the candidate that each patient was, ascending, shape (patients,).
    allocated : ndarray of int
        Place of the arm that the trial gives, shape (patients,).
    enrolled_day : ndarray
        Calendar day of the fracture, from the first of all on [day], shape (patients,).
    dropout_day, death_day : ndarray
        Days from the fracture at which each would leave or die, infinite for never, shape (patients,).
    end_day : ndarray
        Days from the fracture at which follow-up ends by plan, or because the study closes, shape (patients,).
    screened : dict of str to int
        How many were not let in, by the first rule that kept them out.
    """

    table: dict[str, np.ndarray]
    candidate: np.ndarray
    allocated: np.ndarray
    enrolled_day: np.ndarray
    dropout_day: np.ndarray
    death_day: np.ndarray
    end_day: np.ndarray
    screened: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.candidate)

    @property
    def last_day(self) -> np.ndarray:
        """Last day on which a patient can be seen: follow-up over, left or dead, shape (patients,)."""
        return np.minimum(self.end_day, np.minimum(self.dropout_day, self.death_day))


def enrol(study: Study, patients: int | None = None) -> People:
    """Enrol people.

    Parameters
    ----------
    study : Study
        Who is let in, and how the trial is run.
    patients : int, optional
        How many; left out, as the study plans. Those enrolled first are the same whatever their number.

    Returns
    -------
    People

    Raises
    ------
    InputError
        The rules let almost nobody in, or the target cannot be reached.
    MissingExtra
        SciPy is not installed.
    """
    size = study.patients if patients is None else _whole(patients)
    tilted = _prepared(study)
    reasons = [rule.reason for rule in study.population.rules]
    counts = np.zeros(len(reasons), int)
    parts: list[dict[str, np.ndarray]] = []
    have, lo = 0, 0
    while have < size:
        hi = lo + _AT_A_TIME
        traits = candidates(study, lo, hi)
        here, failed = _looked_at(study, traits, lo, hi, tilted)
        chosen = np.flatnonzero(here & (failed < 0))[: size - have]
        # Nobody is screened after the last one was found.
        until = chosen[-1] + 1 if have + len(chosen) == size else hi - lo
        told = failed[:until][here[:until]]
        counts += np.bincount(told[told >= 0], minlength=len(reasons))
        parts.append({**{name: value[chosen] for name, value in traits.items()}, **_fate(study, lo, hi, chosen)})
        have, lo = have + len(chosen), hi
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    candidate, leaves, hazard = (found.pop(name) for name in ("candidate", "leaves", "hazard"))
    enrolled = _accrued(study, size)
    close = study.accrual.close if study.accrual is not None else None
    end = np.full(size, study.follow_up)
    return People(
        table=found,
        candidate=candidate,
        allocated=_allocated(study, size),
        enrolled_day=enrolled,
        dropout_day=leaves,
        death_day=_death(study, found, hazard),
        end_day=end if close is None else np.clip(close - enrolled, 0.0, end),
        screened=_summed(reasons, counts),
    )


def _summed(reasons: list[str], counts: np.ndarray) -> dict[str, int]:
    """Counts by reason; two rules may give the same."""
    found = dict.fromkeys(reasons, 0)
    for reason, count in zip(reasons, counts.tolist(), strict=True):
        found[reason] += count
    return found


def _prepared(study: Study) -> Tilt | None:
    """The tilt to the target, once the rules are known to let somebody in."""
    population = study.population
    if not population.rules and population.target is None:
        return None
    pool = candidates(study, _FIRST_OF_POOL, _FIRST_OF_POOL + _POOL)
    failed = _failed(study, pool)
    let_in = failed < 0
    if let_in.mean() < _LEAST_LET_IN:
        worst = int(np.bincount(failed[~let_in]).argmax())
        message = f"let in fewer than one in {1 / _LEAST_LET_IN:.0f} of these people"
        hint = f"most are kept out by rules[{worst}], {population.rules[worst].reason}"
        raise InputError(message, path="population.rules", hint=hint)
    if population.target is None:
        return None
    found = tilt(*moments(study, {name: value[let_in] for name, value in pool.items()}))
    if let_in.mean() * found.kept < _LEAST_LET_IN:
        message = f"cannot be reached by weighting: with the rules fewer than one in {1 / _LEAST_LET_IN:.0f} are kept"
        hint = "bring the covariates nearer to the rules and the target"
        raise InputError(message, path="population.target", hint=hint)
    return found


def _failed(study: Study, traits: dict[str, np.ndarray]) -> np.ndarray:
    """Place of the first rule that keeps each candidate out, -1 for none, shape (candidates,)."""
    failed = np.full(len(traits["member"]), -1)
    for place, rule in enumerate(study.population.rules):
        failed[(failed < 0) & ~rule.passes(traits[rule.trait])] = place
    return failed


def _looked_at(
    study: Study, traits: dict[str, np.ndarray], lo: int, hi: int, tilted: Tilt | None
) -> tuple[np.ndarray, np.ndarray]:
    """Who comes to be screened, and what `_failed` says, each of shape (hi - lo,)."""
    failed = _failed(study, traits)
    if tilted is None:
        return np.ones(hi - lo, bool), failed
    # The tilt makes the people who come, so that the counts of those not let in are of the same people.
    chance = tilted.chance(moments(study, traits)[0])
    return uniform(study.seed, lo, hi, "candidate comes") < chance, failed


def _fate(study: Study, lo: int, hi: int, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """Number, day of leaving and hazard of death to go through, of those enrolled among candidates `lo` to `hi`."""
    leaves = np.full(len(chosen), np.inf)
    if study.dropout > 0:
        leaves = -np.log(uniform(study.seed, lo, hi, "candidate leaves")[chosen]) / study.dropout * DAYS_PER_YEAR
    hazard = np.full(len(chosen), np.inf)
    if study.death is not None:
        hazard = -np.log(uniform(study.seed, lo, hi, "candidate dies")[chosen])
    return {"candidate": chosen + lo, "leaves": leaves, "hazard": hazard}


def _death(study: Study, traits: dict[str, np.ndarray], hazard: np.ndarray) -> np.ndarray:
    """Day of death from the fracture, shape (patients,); infinite for none."""
    plan = study.death
    if plan is None:
        return np.full(len(hazard), np.inf)
    if plan.life_table is None:
        rate = plan.rate or 0.0
        return hazard / rate * DAYS_PER_YEAR if rate > 0 else np.full(len(hazard), np.inf)
    table = life_table(plan.life_table)
    age, female = traits["age"], traits["sex"] == "female"
    early, first = (plan.early or 0.0) / DAYS_PER_YEAR, plan.early_excess
    # Of the table itself: what is left after the early time is gone through at the later pace.
    before = 0.0 if first is None else table.through(age, female, early)
    spent = before * (0.0 if first is None else first)
    with np.errstate(divide="ignore", invalid="ignore"):
        soon = hazard / (first or np.nan)
        late = before + (hazard - spent) / plan.excess if plan.excess > 0 else np.full(len(hazard), np.inf)
    through = np.where(hazard < spent, soon, late)
    return table.years(age, female, through) * DAYS_PER_YEAR


def _accrued(study: Study, size: int) -> np.ndarray:
    """Calendar day on which each place is filled, from the first on, shape (size,)."""
    if study.accrual is None:
        return np.zeros(size)
    gaps = -np.log(uniform(study.seed, 0, size, "accrual")) / study.accrual.per_day(study.patients)
    gaps[0] = 0.0
    return np.cumsum(gaps)


def _allocated(study: Study, size: int) -> np.ndarray:
    """Place of the arm of each place in the trial, by permuted blocks, shape (size,)."""
    arms = np.repeat(np.arange(len(study.arms)), [_ROUNDS * arm.allocation for arm in study.arms])
    blocks = -(-size // len(arms))
    keys = np.stack([uniform(study.seed, 0, blocks, f"allocation {slot}") for slot in range(len(arms))], axis=-1)
    return arms[np.argsort(keys, axis=-1)].reshape(-1)[:size]


def _whole(patients: int) -> int:
    if isinstance(patients, bool) or not isinstance(patients, int | np.integer) or not 1 <= patients <= MOST_PATIENTS:
        message = f"{show(patients)} is not a whole number from 1 to {MOST_PATIENTS}"
        raise InputError(message, path="patients", value=patients)
    return int(patients)

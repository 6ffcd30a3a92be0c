"""Trials of drugs in people: a cohort of virtual patients, each under every arm, and what such a trial would report.

Patients differ as shipped and each has a draw of the posterior. The number is that of all of them; its interval is over
trials of the published size, whose patients are taken at random from those of one group of draws for each arm apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.draws import normal, uniform
from osteon.errors import InputError, near_match, show
from osteon.evidence.studies.schema import RATIOS
from osteon.replay.measures import contrast, is_log, is_share, late, no_effect, of_shares, shares, summary
from osteon.replay.outcome import Outcome
from osteon.replay.reasons import NO_ARM
from osteon.replay.scoring import Seen, scored, sign_of_ratios, unscored, worded

if TYPE_CHECKING:
    from osteon.ensemble.result import CohortResult
    from osteon.evidence.studies import Result, Simulated, Study, TableRow
    from osteon.replay.engines import Effort, Findings

PATIENTS, TRIALS = 960, 400
GROUPS = 12  # draws of the posteriors, evenly filled
_PER = {"day": 1.0, "week": 7.0, "month": 365.25 / 12.0}
_USUAL = 50  # patients of an arm, where the source does not say


@dataclass(frozen=True)
class Simulations:
    """A cohort under every arm of a trial.

    Attributes
    ----------
    values : mapping of (str, str) to ndarray
        Endpoint or curve by arm and name, shape (patients,) or (patients, time).
    time : ndarray
        Days of the curves, shape (time,) [day].
    group : ndarray
        Group of draws of each patient, shape (patients,).
    horizon : float
        How long patients are followed [day].
    failed : int
        Patients of whom some arm could not be solved.
    """

    values: Mapping[tuple[str, str], np.ndarray]
    time: np.ndarray
    group: np.ndarray
    horizon: float
    failed: int

    def of(self, arm: str, name: str, day: float) -> np.ndarray:
        """Values of an arm, shape (patients,): an endpoint, or a curve on a day [day]."""
        found = self.values[arm, name]
        if found.ndim == 1:
            return found
        return np.array([np.interp(day, self.time, one) for one in found])


def outcomes(study: Study, findings: Findings, effort: Effort) -> list[Outcome]:
    """Every row of the findings; see `osteon.replay.engines.Engine`."""
    asked = [result.simulated for result, _ in findings if result.simulated is not None]
    found = simulate(study, asked, effort)
    return [_outcome(study, result, row, found) for result, rows in findings for row in rows]


def simulate(study: Study, asked: Sequence[Simulated], effort: Effort) -> Simulations:
    """Simulate the cohort of a study, keeping the endpoints and curves that are asked for."""
    from osteon.ensemble.labels import endpoint_names
    from osteon.ensemble.run import simulate_cohort
    from osteon.population import Cohort
    from osteon.scenario import Scenario

    assert study.scenario is not None
    scenario = Scenario.parse(study.scenario)
    cohort = Cohort.sample(scenario, effort.fewer(PATIENTS), draws=GROUPS)
    names = sorted({one.of for one in asked})
    curves = [name for name in names if name in _curves(scenario)]
    result = simulate_cohort(cohort, series=curves or None, every=7.0, threads=effort.cores)
    table = result.endpoints()
    known = endpoint_names(list(table.columns))
    values: dict[tuple[str, str], np.ndarray] = {}
    for arm in cohort.arms:
        own = table[table["arm"] == arm]
        failed = np.asarray(own["failure"]) != ""
        for name in names:
            if name in curves:
                values[arm, name] = np.asarray(result[name].sel(arm=arm), float)
                continue
            if name not in known:
                message = f"{show(name)} is neither an endpoint nor a curve of this cohort"
                raise InputError(message, path=f"{study.key}.yaml, of", value=name, hint=near_match(name, known))
            found = np.asarray(own[name], float)
            # Of times, NaN says that they are not reached; of a failed patient nothing is known.
            values[arm, name] = np.where(failed, np.nan, np.where(np.isnan(found), _missing(name), found))
    time = np.asarray(result.series["time"], float) if curves else np.zeros(0)
    return Simulations(values, time, _grouped(result), scenario.horizon, result.failed)


def _curves(scenario: Any) -> frozenset[str]:
    from osteon.endpoints import SCORES
    from osteon.model.systems import curves_of

    if scenario.fracture is None:
        return frozenset(curves_of(0))
    return frozenset((*curves_of(scenario.fracture.compartments), *SCORES))


def _missing(name: str) -> float:
    """What a missing endpoint of a solved patient is: a time beyond the horizon, or unknown."""
    from osteon.endpoints import endpoint_unit

    return math.inf if endpoint_unit(name) == "day" else math.nan


def _grouped(result: CohortResult) -> np.ndarray:
    """Group of each patient: those who have one draw of the posteriors and one member of the callus, from 0."""
    patients = result.patients()
    place = dict.fromkeys(zip(patients["draw"], patients["member"], strict=True))
    number = {one: count for count, one in enumerate(place)}
    return np.array([number[one] for one in zip(patients["draw"], patients["member"], strict=True)])


def _outcome(study: Study, result: Result, row: TableRow, found: Simulations) -> Outcome:
    asked = result.simulated
    if asked is None:
        return unscored(study, result, row, NO_ARM)
    name = asked.arms.get(row.arm, asked.arm)
    if not name:
        return unscored(study, result, row, NO_ARM)
    day = row.day if asked.day is None else asked.day
    arms = (name, asked.against) if asked.against else (name,)
    counts = _counts(asked, row, len(arms))
    every = [found.of(arm, asked.of, day) for arm in arms]
    key = f"replay cohort {study.key} {result.id} {row.line}"
    members = [np.flatnonzero(found.group == one) for one in np.unique(found.group)]
    shown, seen = _converter(asked), _seen(asked, row, counts, day)
    who = Asked(asked, every, members, counts, day, found.horizon, key)
    made = _events if is_share(asked.measure) else _levels
    whole, model, trials = (shown(one) for one in made(who))
    if asked.measure == "risk":
        trials = _counted(who, model)
    elif not is_share(asked.measure) or (asked.measure in RATIOS and seen.sd > 0):
        trials = _reported(who, model, trials, seen)
    if row.unit.startswith("direction"):
        seen = Seen(row.value, unit="direction", day=day, n=sum(counts), label=_label(asked), against=asked.against)
        found_signs = sign_of_ratios(row.value, np.asarray(whole, float))
        told = replace(found_signs, agreeing=sign_of_ratios(row.value, model.reshape(-1)).agreeing)
        return _centred(worded(study, result, row, seen, "cohort", model.reshape(-1), told), float(whole[0]), seen)
    outcome = scored(study, result, row, seen, "cohort", model.reshape(-1), trials)
    return _centred(outcome, float(whole[0]), seen)


def _counts(asked: Simulated, row: TableRow, arms: int) -> tuple[int, ...]:
    if asked.n:
        return tuple(asked.n) if len(asked.n) == arms else (asked.n[0],) * arms
    # What is printed beside a comparison counts both arms together.
    return (max(2, row.n // arms),) * arms if row.n else (_USUAL,) * arms


@dataclass(frozen=True)
class Asked:
    """What is asked of a cohort.

    `values` are those of each arm, shape (patients,); `members` the places of the patients of each group of draws;
    `counts` how many patients the trial had in each arm; `key` names its random numbers.
    """

    by: Simulated
    values: list[np.ndarray]
    members: list[np.ndarray]
    counts: tuple[int, ...]
    day: float
    horizon: float
    key: str

    @property
    def which(self) -> np.ndarray:
        """Group of draws of each trial, shape (trials,)."""
        return (uniform(1, 0, TRIALS, f"{self.key} group") * len(self.members)).astype(int)

    def random(self, arm: int, each: int = 1) -> np.ndarray:
        """Uniform numbers of an arm, shape (trials, each)."""
        return uniform(1, 0, TRIALS * each, f"{self.key} arm {arm}").reshape(TRIALS, each)


def _levels(asked: Asked) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Measure of values of all patients, shape (1,), of each group of draws, and of trials of the published size."""

    def measured(values: list[np.ndarray]) -> np.ndarray:
        if len(values) == 1:
            return summary(asked.by.measure, values[0], asked.horizon)
        return contrast(asked.by.measure, values[0], values[1], asked.horizon)

    members, trials = asked.members, []
    for place, (values, n) in enumerate(zip(asked.values, asked.counts, strict=True)):
        picks = zip(asked.which, asked.random(place, n), strict=True)
        trials.append(values[np.stack([members[g][(one * len(members[g])).astype(int)] for g, one in picks])])
    model = [measured([values[None, some] for values in asked.values]) for some in members]
    return measured([values[None] for values in asked.values]), np.concatenate(model), measured(trials)


def _events(asked: Asked) -> tuple[np.ndarray, ...]:
    """The same of patients with an event: too rare in a group to take trials from its few patients."""
    from scipy.stats import binom

    whole, model, trials = [], [], []
    for place, (values, n) in enumerate(zip(asked.values, asked.counts, strict=True)):
        seen = np.array([late(values[some], asked.day) for some in asked.members])
        chance = shares(seen[:, 0], seen[:, 1])
        whole.append(np.array([n * seen[:, 0].sum() / seen[:, 1].sum()]))
        model.append(n * chance)
        trials.append(binom.ppf(asked.random(place)[:, 0], n, chance[asked.which]))
    sizes = tuple(float(n) for n in asked.counts)
    return tuple(of_shares(asked.by.measure, one, sizes) for one in (whole, model, trials))


def _counted(asked: Asked, risk: np.ndarray) -> np.ndarray:
    """What trials count of an event of which each patient has a chance, shape (trials,) [%]."""
    from scipy.stats import binom

    (n,) = asked.counts
    return 100.0 / n * binom.ppf(asked.random(0)[:, 0], n, np.clip(risk[asked.which] / 100.0, 0.0, 1.0))


def _reported(asked: Asked, model: np.ndarray, trials: np.ndarray, seen: Seen) -> np.ndarray:
    """What trials would report, shape (trials,): with the printed error where there is one, and a study's offset."""
    from osteon.calibrate.turnover import offsets

    noise = normal(1, 0, 2 * TRIALS, f"{asked.key} error").reshape(2, -1)
    common = offsets().get(asked.by.of, 0.0) if asked.by.measure in ("median", "mean") else 0.0
    if not seen.sd > 0:
        return trials + common * noise[1]
    # The printed error has what patients differ by and how they were measured.
    chosen, error = model[asked.which], seen.sd * noise[0]
    return chosen * np.exp(error) if seen.scale == "log" else chosen + error + common * noise[1]


def _converter(asked: Simulated) -> Callable[[np.ndarray], np.ndarray]:
    """What turns a measure into the unit of the row, such as days into weeks."""
    factor = asked.times / (1.0 if asked.measure in RATIOS else _PER[asked.per])
    return lambda values: np.asarray(values, float) * factor + asked.plus


def _seen(asked: Simulated, row: TableRow, counts: tuple[int, ...], day: float) -> Seen:
    logs, sd = is_log(asked.measure), row.sd
    if logs and row.low > 0:
        sd = math.log(row.high / row.low) / 3.919928
    elif asked.measure == "count_late":
        sd = math.sqrt(max(row.value, 0.5) * (1.0 - min(row.value, counts[0] - 0.5) / counts[0]))
    elif asked.measure in ("share_late", "share_reached", "risk"):
        share = min(max(row.value / 100.0, 0.5 / counts[0]), 1.0 - 0.5 / counts[0])
        sd = 100.0 * math.sqrt(share * (1.0 - share) / counts[0])
    return Seen(
        *(row.value, row.low, row.high, sd, "log" if logs else "linear"),
        effect=no_effect(asked.measure),
        day=day,
        n=sum(counts),
        label=_label(asked),
        against=asked.against,
    )


def _label(asked: Simulated) -> str:
    return f"{asked.measure.replace('_', ' ')}: {asked.of}"


def _centred(outcome: Outcome, middle: float, seen: Seen) -> Outcome:
    """The outcome with the number of all patients together in the middle, instead of the median over groups."""
    if math.isnan(outcome.simulated) or math.isnan(middle):
        return outcome
    before, distance = outcome.simulated, outcome.distance
    if not math.isnan(distance) and distance:
        logs = seen.scale == "log" and min(before, middle, seen.value) > 0
        apart = [math.log(one / seen.value) if logs else one - seen.value for one in (before, middle)]
        distance = distance * apart[1] / apart[0] if apart[0] else distance
    return replace(outcome, simulated=middle, distance=distance)

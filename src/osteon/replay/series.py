"""The review's own 33 + 33 series as a virtual trial: flap, drug, definition of union, visits and era as factors.

The flap acts on necrosis alone in the model, so that it cannot change a time to union. Every virtual patient is
simulated with and without each factor; a factor's interval is over trials of the same patients, and beside it stands
what two different groups of that size would show. Means are restricted to two years, so that nobody drops out of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.endpoints import RULES
from osteon.evidence.claims import Review, review
from osteon.replay.claim_findings import Findings, interaction, mean_ratio, trials
from osteon.replay.claim_measures import Estimate, estimate, share
from osteon.replay.claim_runs import Told, simulated, values_of
from osteon.replay.series_films import seen_union
from osteon.replay.series_hip import hip_numbers
from osteon.replay.series_tables import (
    STATEMENTS,
    explained_table,
    factor_titles,
    factorial_table,
    further_table,
    rules_table,
)

if TYPE_CHECKING:
    from osteon.replay.claim_runs import Simulated

RUN = "neck"
PLAIN = ("early, none", "early, denosumab")  # the same rule of loading, without and with the drug
LATE = "late, none"
_SHORTER = 0.9  # ratio of times that a trial of C52 is planned for
_RULE, _VISITS = "cortices", "monthly"
_END = 2 * 365.25  # to which means are restricted


@dataclass(frozen=True)
class _Series:
    """Virtual patients of the series and what trials of its size are drawn from them."""

    run: Simulated
    values: Mapping[str, Any]
    seed: int
    picks: np.ndarray
    others: np.ndarray

    def times(self, arm: str, rule: str = _RULE, visits: str = _VISITS) -> np.ndarray:
        """Times to union as seen, at most two years [day]."""
        return np.minimum(self.seen(arm, rule, visits), _END)

    def seen(self, arm: str, rule: str = _RULE, visits: str = _VISITS) -> np.ndarray:
        """Times to union as seen, infinite where it never was [day]."""
        return seen_union(self.run, arm, self.values, rule, visits, self.seed)

    def factor(self, new: np.ndarray, old: np.ndarray) -> tuple[Estimate, Estimate]:
        """Ratio of mean times over trials of the same patients, and over trials of two groups."""
        return mean_ratio(new, old, self.picks), mean_ratio(new, old, self.picks, self.others)


def series(*, quick: bool = False, on_progress: Told | None = None) -> Findings:
    """Simulate the series and say what each factor could explain of its difference."""
    told = review()
    size = told.row("own_time").n
    run = simulated(told.runs[RUN], quick=quick, on_progress=on_progress)
    own, seed = values_of(told.runs[RUN], quick), told.runs[RUN].seed
    values = {key: one for key, one in own.items() if key.startswith("radiograph.")}
    picks, others = (trials(seed, run.groups, size, f"series {name}") for name in ("own", "historical"))
    whole = _Series(run, values, seed, picks, others)
    return found_in(whole, told, own.get("inflammation.chronic", 0.0))


def found_in(whole: _Series, told: Review, chronic: Any) -> Findings:
    """Numbers, tables and statements of the virtual series."""
    none, drug = PLAIN
    published = published_ratio(told)
    # In the model nothing of the flap reaches the callus, so that both cells of a drug have one course.
    cells = {(flap, given): whole.times(drug if given else none) for flap in (False, True) for given in (False, True)}
    by_rule = {rule: (whole.times(none, rule, "weekly"), whole.times(drug, rule, "weekly")) for rule in RULES}
    usual = {rule: float(one[0].mean()) for rule, one in by_rule.items()}
    easy, hard = min(usual, key=usual.__getitem__), max(usual, key=usual.__getitem__)
    often, seldom = whole.times(none, visits="weekly"), whole.times(none, visits="clinic")
    base = cells[False, False]
    factors = {
        "drug": whole.factor(cells[False, True], base),
        "flap": whole.factor(cells[True, False], base),
        "both": whole.factor(cells[True, True], base),
        "definition": whole.factor(by_rule[easy][0], by_rule[hard][0]),
        "visits": whole.factor(often, seldom),
        "era": whole.factor(base, whole.times(LATE)),
        "together": whole.factor(by_rule[easy][0], whole.times(LATE, hard, "clinic")),
    }
    numbers = {name: one[0] for name, one in factors.items()}
    numbers["chance"] = mean_ratio(base, base, whole.picks, whole.others)
    numbers["published_ratio"] = published
    numbers["interaction"] = interaction(cells[True, True], cells[True, False], cells[False, True], base, whole.picks)
    plain, treated = by_rule[hard]
    numbers["interaction_definition"] = interaction(treated, plain, by_rule[easy][1], by_rule[easy][0], whole.picks)
    numbers |= _united(whole, none, drug)
    numbers["loading_drug"] = _ratio_of(whole, "full_loading", drug, none)
    numbers["loading_rule"] = _ratio_of(whole, "full_loading", LATE, none)
    numbers["patients_needed"] = patients_needed(whole.seen(none, visits="clinic"), whole)
    numbers |= hip_numbers(whole.run, PLAIN, chronic, told)
    tables = (
        explained_table(factors, numbers["chance"], published, factor_titles(easy, hard, told)),
        factorial_table(cells, numbers),
        rules_table({rule: (one[0], whole.factor(one[1], one[0])[0]) for rule, one in by_rule.items()}),
        further_table(numbers, easy, hard),
    )
    return Findings(numbers, tables, STATEMENTS)


def published_ratio(told: Review) -> Estimate:
    """Ratio of the printed mean times with its 95 % interval, from the printed SD, on the scale of logarithms."""
    new, old = told.row("own_time"), told.row("own_time_historical")
    error = math.hypot(*((row.sd or math.nan) / row.value / math.sqrt(row.n) for row in (new, old)))
    from scipy.stats import norm

    width = float(norm.ppf(0.975)) * error
    middle = math.log(new.value / old.value)
    low, high = math.exp(middle - width), math.exp(middle + width)
    return Estimate(math.exp(middle), low, high, "ratio", "published", new.n, 0.95)


def _united(whole: _Series, none: str, drug: str) -> dict[str, Estimate]:
    """Shares united by two years, and the chance that all of a group of the published size are."""
    found, size = {}, whole.picks.shape[1]
    for name, arm in (("none", none), ("drug", drug)):
        times = whole.seen(arm)
        united = share(int(np.isfinite(times).sum()), len(times))
        found[f"united_{name}"] = united
        low, high = united.low**size, united.high**size
        found[f"all_unite_{name}"] = Estimate(united.value**size, low, high, "share", "exact", len(times))
    return found


def _ratio_of(whole: _Series, endpoint: str, arm: str, other: str) -> Estimate:
    run = whole.run
    values, others = (run.endpoints[endpoint][run.arms.index(one)] for one in (arm, other))
    return estimate(values / others, "ratio")


def patients_needed(times: np.ndarray, whole: _Series) -> Estimate:
    """Patients an arm for 80 % power to see times shortened to 0.9, from the spread of their logarithms.

    NaN where fewer than two times are known.
    """
    logs = np.log(times[np.isfinite(times)])
    if len(logs) < 2:
        return Estimate(math.nan, math.nan, math.nan, "1", "patients", len(logs))
    again = trials(whole.seed, len(logs), len(logs), "spread of times", 200)
    spreads = (float(np.std(logs, ddof=1)), *np.percentile(np.std(logs[again], axis=1, ddof=1), [5, 95]))
    value, low, high = (_patients(-math.log(_SHORTER), float(sd)) for sd in spreads)
    return Estimate(value, low, high, "1", "patients", len(logs))


def _patients(effect: float, sd: float) -> float:
    """Patients an arm, two at least, for 80 % power to see two means of normal numbers apart by `effect`."""
    from statsmodels.stats.power import TTestIndPower

    # From 6 SD on two are enough, and the solver finds no number below.
    if effect >= 6 * sd:
        return 2.0
    return float(math.ceil(TTestIndPower().solve_power(effect / sd, alpha=0.05, power=0.8)))

"""Many trials drawn from one virtual population: resampled by key, tested, counted, and stopped early by rules.

A trial takes `n` patients per arm from the population with replacement, other ones for each arm, and sees each of them
under the arm it gave. Trial number t takes the same patients whatever else is computed, and a larger trial begins with
the patients of a smaller one, so that sizes and variations are compared on common random numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from osteon.draws import uniform
from osteon.trial.power_forms import boundaries, exact_interval
from osteon.trial.power_tests import RANKS, Arm, Estimate, estimates, p_values

#: Control and treated, in this order along the first axis.
ARMS = ("control", "treated")
MOST_A_TRIAL = 2**20  # patients per arm; the stride between trials in the stream of numbers
_AT_ONCE = 2_000_000  # values of a block of trials
_BLOCK = 250  # trials between two looks at how far it is
_FITTED = 40  # trials whose estimate is fitted where that takes its time


@dataclass(frozen=True)
class Outcomes:
    """What a trial would record of every person of a population, under either arm.

    Attributes
    ----------
    value : ndarray
        Day of the event as it is seen, or of the last visit without it, or the measure; shape (2, people), NaN where
        nothing was ever recorded.
    event : ndarray
        Whether the event is seen, shape (2, people).
    exact : ndarray
        Time of the event itself [day], shape (2, people); NaN where it never comes.
    draw : ndarray
        Draw of the posterior that the person has, shape (people,); -1 for none.
    left, right : ndarray or None
        Visits between which the event came, shape (2, people); `right` is infinite where it was never seen.
    """

    value: np.ndarray
    event: np.ndarray
    exact: np.ndarray
    draw: np.ndarray
    left: np.ndarray | None = None
    right: np.ndarray | None = None

    @property
    def people(self) -> int:
        """Size of the population."""
        return self.value.shape[1]

    @property
    def complete(self) -> bool:
        """Whether the event of every person is seen under both arms."""
        return bool(self.event.all() and np.isfinite(self.value).all())

    def without_effect(self) -> Outcomes:
        """The same population where the treated arm is another control."""
        return self._of(lambda one: one[[0, 0]], self.draw)

    def of_draw(self, draw: int) -> Outcomes:
        """The people who have this draw."""
        own = self.draw == draw
        return self._of(lambda one: one[:, own], self.draw[own])

    def _of(self, pick: Callable[[np.ndarray], np.ndarray], draw: np.ndarray) -> Outcomes:
        ends = (None if one is None else pick(one) for one in (self.left, self.right))
        return Outcomes(pick(self.value), pick(self.event), pick(self.exact), draw, *ends)

    def log_effect(self) -> tuple[float, float]:
        """Mean log time ratio of twins and SD of log times of the control, of those whose event comes; NaN without."""
        with np.errstate(all="ignore"):
            logs = np.log(self.exact)
        both = np.isfinite(logs).all(axis=0)
        if both.sum() < 2:
            return np.nan, np.nan
        return float((logs[1, both] - logs[0, both]).mean()), float(logs[0, both].std(ddof=1))


def take(outcomes: Outcomes, seed: int, lo: int, hi: int, n: int, ends: bool = False) -> tuple[Arm, Arm]:
    """Control and treated patients of trials `lo` to `hi`, each of shape (hi - lo, n).

    Parameters
    ----------
    outcomes : Outcomes
        Whom they are drawn from.
    seed : int
        Of the draws.
    lo, hi : int
        Trials, the last one left out.
    n : int
        Patients per arm, up to `MOST_A_TRIAL`.
    ends : bool
        Whether the visits around the event are taken along.
    """
    found = []
    for arm, name in enumerate(ARMS):
        share = np.empty((hi - lo, n))
        for trial in range(lo, hi):
            first = trial * MOST_A_TRIAL
            share[trial - lo] = uniform(seed, first, first + n, f"power {name}")
        who = np.minimum((share * outcomes.people).astype(int), outcomes.people - 1)
        around = (None if one is None or not ends else one[arm][who] for one in (outcomes.left, outcomes.right))
        found.append(Arm(outcomes.value[arm][who], outcomes.event[arm][who], *around))
    return found[0], found[1]


@dataclass
class Cell:
    """How the trials of one size came out.

    Attributes
    ----------
    n : int
        Patients per arm.
    trials, rejected, undecided : int
        Trials drawn; those with p below alpha; those whose test had no answer, which count as not rejected.
    estimate : Estimate
        Of the first trials, each of shape (fitted,).
    """

    n: int
    trials: int = 0
    rejected: int = 0
    undecided: int = 0
    estimate: Estimate = field(default_factory=lambda: Estimate(*(np.empty(0),) * 3))

    def to_dict(self, level: float = 0.95) -> dict[str, Any]:
        """Share of rejections with its exact interval, and the usual estimate and width of its interval."""
        low, high = exact_interval(self.rejected, self.trials, level)
        told: dict[str, Any] = {
            "n": self.n,
            "trials": self.trials,
            "rejected": self.rejected,
            "undecided": self.undecided,
            "share": self.rejected / self.trials if self.trials else np.nan,
            "low": low,
            "high": high,
        }
        return told | usual(self.estimate)


def usual(estimate: Estimate) -> dict[str, Any]:
    """Median estimate, medians of its ends, and mean width of its interval, of the trials that have one."""
    there = np.isfinite(estimate.low) & np.isfinite(estimate.high)
    told: dict[str, Any] = {"fitted": int(there.sum())}
    for name, values in zip(("estimate", "estimate_low", "estimate_high"), estimate, strict=True):
        told[name] = float(np.median(values[there])) if there.any() else np.nan
    width = estimate.high - estimate.low
    return told | {"width": float(width[there].mean()) if there.any() else np.nan}


Tell = Callable[[int], None]


def run_cell(
    outcomes: Outcomes,
    test: str,
    n: int,
    trials: int,
    seed: int,
    alpha: float,
    level: float = 0.95,
    fitted: int | None = None,
    tell: Tell | None = None,
    first: int = 0,
) -> Cell:
    """Draw trials of one size and test each.

    Parameters
    ----------
    outcomes : Outcomes
        Population.
    test : str
        As `osteon.trial.power_tests.chosen_test` names it.
    n, trials, seed : int
        Patients per arm, number of trials, seed.
    alpha, level : float
        Two-sided error of the first kind; level of the interval of the estimate.
    fitted : int, optional
        Trials whose estimate is found; left out, all where that is quick, else 40.
    tell : callable, optional
        Told how many trials are done, several times.
    first : int
        Number of the first trial.
    """
    cell, parts = Cell(n), []
    wanted = (min(trials, _FITTED) if test in RANKS else trials) if fitted is None else min(trials, fitted)
    for lo, hi in blocks(first, first + trials, n):
        control, treated = take(outcomes, seed, lo, hi, n)
        p = p_values(test, control, treated)
        cell.trials += hi - lo
        cell.rejected += int((p < alpha).sum())
        cell.undecided += int(np.isnan(p).sum())
        more = min(hi - first, wanted) - (lo - first)
        if more > 0:
            one, other = (Arm(arm.value[:more], arm.event[:more]) for arm in (control, treated))
            parts.append(estimates(test, one, other, level))
        if tell:
            tell(cell.trials)
    if parts:
        cell.estimate = Estimate(*(np.concatenate(one) for one in zip(*parts, strict=True)))
    return cell


def blocks(lo: int, hi: int, n: int) -> list[tuple[int, int]]:
    """Trials in blocks that fit in memory."""
    step = max(1, min(_BLOCK, _AT_ONCE // max(n, 1)))
    return [(first, min(first + step, hi)) for first in range(lo, hi, step)]


def run_looks(
    outcomes: Outcomes,
    test: str,
    n: int,
    trials: int,
    seed: int,
    alpha: float,
    rules: dict[str, int],
    level: float = 0.95,
    tell: Tell | None = None,
) -> dict[str, dict[str, Any]]:
    """Trials that stop for a clear difference at a look: power, how many stop early, and the patients they need.

    Parameters
    ----------
    rules : dict of str to int
        Number of looks, the last one counted, of each rule of `boundaries`.
    outcomes, test, n, trials, seed, alpha, level, tell
        As in `run_cell`; `n` is the size of a trial that goes on to its end.

    Returns
    -------
    dict of str to dict
        For each rule: looks, bounds [standard deviations], at (patients per arm at each look), rejected, share, low,
        high, early (share that stops before the end) and mean_n (patients per arm). A look sees complete follow-up.
    """
    from scipy.stats import norm

    plans = {rule: (np.array(boundaries(rule, looks, alpha)), _sizes(n, looks)) for rule, looks in rules.items()}
    sizes = sorted({size for _, at in plans.values() for size in at})
    stops: dict[str, list[np.ndarray]] = {rule: [] for rule in plans}
    done = 0
    for lo, hi in blocks(0, trials, n):
        control, treated = take(outcomes, seed, lo, hi, n)
        z = {size: norm.isf(p_values(test, control.first(size), treated.first(size)) / 2) for size in sizes}
        for rule, (bounds, at) in plans.items():
            over = np.stack([z[size] for size in at]) >= bounds[:, None]
            # The look at which it stops, from 0; the number of looks where it never does.
            stops[rule].append(np.where(over.any(axis=0), over.argmax(axis=0), len(at)))
        done += hi - lo
        if tell:
            tell(done)
    return {rule: _stopped(np.concatenate(found), plans[rule], level) for rule, found in stops.items()}


def _sizes(n: int, looks: int) -> list[int]:
    return [max(1, round(n * step / looks)) for step in range(1, looks + 1)]


def _stopped(stop: np.ndarray, plan: tuple[np.ndarray, list[int]], level: float) -> dict[str, Any]:
    bounds, at = plan
    looks, rejected = len(at), int((stop < len(at)).sum())
    low, high = exact_interval(rejected, stop.size, level)
    needed = np.array([*at, at[-1]])[stop]
    return {
        "looks": looks,
        "bounds": bounds.tolist(),
        "at": at,
        "trials": int(stop.size),
        "rejected": rejected,
        "share": rejected / stop.size,
        "low": low,
        "high": high,
        "early": float((stop < looks - 1).mean()),
        "mean_n": float(needed.mean()),
    }

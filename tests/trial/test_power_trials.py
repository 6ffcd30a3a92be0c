"""Simulated power against closed forms, error without effect, draws of trials, and tests of degenerate trials."""

from functools import cache

import numpy as np
import pytest

from osteon.endpoints.visits import Schedule
from osteon.errors import InputError
from osteon.trial.power_forms import closed_form_power, exact_interval
from osteon.trial.power_lognormal import at_visits, lognormal
from osteon.trial.power_planned import planned_cell
from osteon.trial.power_tests import TESTS, Arm, chosen_test, estimates, p_values
from osteon.trial.power_trials import Outcomes, run_cell, run_looks, take
from osteon.trial.power_walk import walk
from tests.trial.test_power_forms import SIZES

TRIALS = 2000
VISITS = Schedule((42.0, 84.0, 126.0, 182.0, 266.0, 364.0), 7.0)


@cache
def population(log_sd: float, ratio: float) -> Outcomes:
    return lognormal(log_sd, ratio)


def within_monte_carlo_error(rejected: int, trials: int, expected: float) -> bool:
    """Whether what is expected lies in the exact interval of 99.9 %."""
    low, high = exact_interval(rejected, trials, 0.999)
    return low <= expected <= high


@pytest.mark.parametrize(("cell", "n"), [(cell, n) for cell, n in SIZES.items() if n < 300])
def test_simulated_power_is_that_of_the_closed_form(cell: tuple[float, float], n: int) -> None:
    ratio, log_sd = cell
    found = run_cell(population(log_sd, ratio), "t_test", n, TRIALS, seed=1, alpha=0.05, fitted=0)
    assert (found.trials, found.undecided) == (TRIALS, 0)
    for test in ("z", "t"):
        assert within_monte_carlo_error(found.rejected, TRIALS, closed_form_power(n, ratio, log_sd, test=test))


@pytest.mark.parametrize("n", [20, 64, 174])
def test_the_error_without_effect_is_five_per_cent(n: int) -> None:
    none = population(0.45, 0.8).without_effect()
    found = run_cell(none, "t_test", n, 3000, seed=2, alpha=0.05, fitted=0)
    assert within_monte_carlo_error(found.rejected, 3000, 0.05)


@pytest.mark.parametrize("test", ["wilcoxon", "log_rank"])
def test_tests_of_ranks_hold_their_error_at_visits(test: str) -> None:
    seen = lognormal(0.45, 0.8, visits=VISITS, follow_up=371.0, dropout=0.0003)
    found = run_cell(seen.without_effect(), test, 40, 700, seed=3, alpha=0.05, fitted=0)
    assert within_monte_carlo_error(found.rejected, 700, 0.05)


@pytest.mark.parametrize("rule", ["obrien_fleming", "haybittle_peto"])
def test_early_stopping_holds_its_error_and_saves_patients(rule: str) -> None:
    outcomes = population(0.45, 0.8)
    none = run_looks(outcomes.without_effect(), "t_test", 66, TRIALS, 4, 0.05, {rule: 3})[rule]
    some = run_looks(outcomes, "t_test", 66, TRIALS, 4, 0.05, {rule: 3})[rule]
    assert none["at"] == [22, 44, 66]
    assert within_monte_carlo_error(none["rejected"], TRIALS, 0.05)
    assert none["mean_n"] > 65 > some["mean_n"] > 44
    whole = run_cell(outcomes, "t_test", 66, TRIALS, 4, 0.05, fitted=0)
    # O'Brien and Fleming with three looks need 1.7 % more patients, and Haybittle and Peto hardly any.
    assert -0.03 < some["share"] - whole.rejected / TRIALS < 0.01


def test_a_trial_is_the_same_whatever_else_is_drawn() -> None:
    outcomes = population(0.45, 0.8)
    large, small = take(outcomes, 9, 3, 6, 50), take(outcomes, 9, 5, 6, 20)
    for arm in (0, 1):
        assert np.array_equal(large[arm].value[2:, :20], small[arm].value)
    assert not np.array_equal(large[0].value, large[1].value / 0.8)
    assert not np.array_equal(take(outcomes, 10, 5, 6, 20)[0].value, small[0].value)


def test_patients_are_drawn_evenly() -> None:
    numbers = np.arange(50.0)
    people = Outcomes(np.stack([numbers, numbers]), np.ones((2, 50), bool), np.stack([numbers, numbers]), numbers)
    counts = np.bincount(take(people, 1, 0, 40, 500)[0].value.astype(int).reshape(-1), minlength=50)
    from scipy.stats import chisquare

    assert chisquare(counts).pvalue > 1e-3


def test_the_interval_of_the_estimate_covers_the_truth() -> None:
    cell = run_cell(population(0.45, 0.8), "t_test", 64, 1000, seed=1, alpha=0.05)
    covered = (cell.estimate.low <= 0.8) & (cell.estimate.high >= 0.8)
    assert within_monte_carlo_error(int(covered.sum()), 1000, 0.95)
    row = cell.to_dict()
    assert row["estimate"] == pytest.approx(0.8, abs=0.02)
    # Of the log ratio the interval is 2 x 1.98 x 0.45 sqrt(2 / 64) wide.
    assert row["width"] == pytest.approx(0.8 * 2 * 1.98 * 0.45 * np.sqrt(2 / 64), rel=0.03)


def test_the_log_rank_test_is_that_of_scipy() -> None:
    from scipy.stats import CensoredData, logrank

    control, treated = take(lognormal(0.5, 0.7, visits=VISITS, follow_up=371.0), 6, 0, 3, 30)
    for place, p in enumerate(p_values("log_rank", control, treated)):
        one, other = (
            CensoredData(uncensored=arm.value[place][arm.event[place]], right=arm.value[place][~arm.event[place]])
            for arm in (control, treated)
        )
        assert p == pytest.approx(logrank(one, other).pvalue, rel=1e-6)


def test_a_treatment_that_helps_has_a_hazard_ratio_above_one_and_a_time_ratio_below() -> None:
    outcomes = population(0.45, 0.6)
    arms = take(outcomes, 1, 0, 3, 80)
    assert (estimates("log_rank", *arms).low > 1).all()
    assert (estimates("t_test", *arms).high < 1).all()


NO_ANSWER = {
    "all censored": ([[100.0, 200.0, 300.0]] * 2, [[False] * 3] * 2),
    "all equal": ([[84.0] * 3] * 2, [[True] * 3] * 2),
    "never seen": ([[np.nan] * 3] * 2, [[False] * 3] * 2),
    "nobody at risk": ([[0.0] * 3, [50.0, 60.0, 70.0]], [[False] * 3, [True] * 3]),
    "one patient": ([[84.0]] * 2, [[True]] * 2),
}


@pytest.mark.parametrize(
    ("test", "name"),
    [(test, name) for test in ("wilcoxon", "log_rank") for name in NO_ANSWER]
    + [(test, name) for test in ("t_test", "welch") for name in ("all equal", "never seen", "one patient")],
)
def test_degenerate_trials_have_no_answer_and_give_no_warning(test: str, name: str) -> None:
    times, seen = (np.array(one) for one in NO_ANSWER[name])
    control, treated = (Arm(times[[arm]], seen[[arm]]) for arm in (0, 1))
    assert np.isnan(p_values(test, control, treated)).all()
    assert all(np.isnan(one).all() for one in estimates(test, control, treated))
    # They are counted, and count as not significant.
    found = run_cell(Outcomes(times, seen, times, np.full(times.shape[1], -1)), test, 3, 4, 1, 0.05)
    assert (found.trials, found.rejected, found.undecided) == (4, 0, 4)
    assert np.isnan(found.to_dict()["width"])


def test_a_trial_without_an_answer_does_not_spoil_those_beside_it() -> None:
    times = np.array([[84.0] * 4, [60.0, 70.0, 90.0, 120.0]])
    control, treated = Arm(times, times > 0), Arm(times * 0.5, times > 0)
    p = p_values("t_test", control, treated)
    assert np.isnan(p[0])
    assert 0 < p[1] < 0.1


def test_visits_are_recorded_as_a_trial_sees_them() -> None:
    exact = np.array([[50.0, 90.0, 130.0, 10.0], [40.0, 300.0, 84.0, np.nan]])
    days = np.array([[42.0, 84.0, 126.0], [42.0, np.nan, 126.0], [42.0, 84.0, 126.0], [np.nan] * 3])
    value, event, left, right = at_visits(exact, days, np.array([365.0, 365.0, 100.0, 365.0]))
    assert value.tolist() == [[84.0, 126.0, 84.0, 0.0], [42.0, 126.0, 84.0, 0.0]]
    assert event.tolist() == [[True, True, False, False], [True, False, True, False]]
    assert left[0].tolist() == [42.0, 42.0, 84.0, 0.0]
    assert right[1].tolist() == [42.0, np.inf, 84.0, np.inf]


def test_the_planned_method_itself_answers_in_the_same_trials() -> None:
    outcomes = lognormal(0.4, 0.6, visits=VISITS, follow_up=371.0)
    row = planned_cell(outcomes, "interval", "wilcoxon", 30, 2, 1, 0.05)
    assert row["measure"] == "time_ratio"
    assert row["trials"] == row["fitted"] == 2
    assert 0.4 < row["estimate_low"] < row["estimate"] < row["estimate_high"] < 1
    assert row["agree"] in (0.0, 0.5, 1.0)


def test_the_walk_of_a_trial_ends_where_the_trial_does() -> None:
    outcomes = population(0.45, 0.8)
    told = walk(outcomes, "t_test", 52, seed=1)
    assert told["patients"] == [*range(10, 104, 10), 104]
    last = run_cell(outcomes, "t_test", 52, 1, 1, 0.05).estimate
    assert told["estimate"][-1] == pytest.approx(last.middle[0])
    widths = np.log(told["high"]) - np.log(told["low"])
    assert widths[0] > 2 * widths[-1]
    assert told["band"]["low"][-1] < 0.8 < told["band"]["high"][-1]
    assert told["band"]["high"][0] > told["band"]["high"][-1]


def test_a_walk_says_from_when_on_its_answer_holds() -> None:
    sure = walk(population(0.35, 0.5), "t_test", 60, seed=1)
    assert sure["settled"] <= 30
    none = walk(population(0.45, 0.8).without_effect(), "t_test", 30, seed=1)
    assert (none["settled"] is None) == (none["p"][-1] >= 0.05)


@pytest.mark.parametrize(
    ("method", "complete", "test"), [("log_time", True, "t_test"), ("log_time", False, "wilcoxon")]
)
def test_the_test_follows_the_method_and_the_censoring(method: str, complete: bool, test: str) -> None:
    assert chosen_test(method, complete) == test


def test_every_planned_method_has_a_test_and_others_are_refused() -> None:
    from osteon.trial.study_words import words

    assert set(words("methods")) <= set(TESTS)
    with pytest.raises(InputError, match="is not a method"):
        chosen_test("log-rank", True)

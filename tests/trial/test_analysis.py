"""Statistics of a trial against textbooks and against other libraries."""

from __future__ import annotations

import numpy as np
import pytest

from osteon.trial.analysis.compare import compare_times, restricted_mean
from osteon.trial.analysis.curves import aalen_johansen, fitted, kaplan_meier, npmle
from osteon.trial.analysis.sample import Times
from osteon.trial.analysis.values import compare_values

#: Remission of leukaemia, weeks (Freireich 1963; Klein and Moeschberger 2003, section 1.2).
_6MP = ([6, 6, 6, 7, 10, 13, 16, 22, 23], [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35])
_PLACEBO = ([1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23], [])
#: Cosmetic deterioration after radiotherapy, months (Finkelstein and Wolfe 1985).
_RADIOTHERAPY = [
    *((45, None), (6, 10), (0, 7), (46, None), (46, None), (7, 16), (17, None), (7, 14), (37, 44), (0, 8), (4, 11)),
    *((15, None), (11, 15), (22, None), (46, None), (46, None), (25, 37), (46, None), (26, 40), (46, None), (27, 34)),
    *((36, 44), (46, None), (36, 48), (37, None), (40, None), (17, 25), (46, None), (11, 18), (38, None), (5, 12)),
    *((37, None), (0, 5), (18, None), (24, None), (36, None), (5, 11), (19, 35), (17, 25), (24, None), (32, None)),
    *((33, None), (19, 26), (37, None), (34, None), (36, None)),
]


def sample(events: list[float], censored: list[float] | None = None) -> Times:
    """Times known to the day."""
    time = np.array([*events, *(censored or [])], float)
    event = np.arange(len(time)) < len(events)
    return Times(time, event, np.where(event, time - 1, time), np.where(event, time, np.inf))


def random_sample(n: int, seed: int, scale: float = 100.0) -> Times:
    """Exponential times, some censored."""
    rng = np.random.default_rng(seed)
    time, end = rng.exponential(scale, n), rng.uniform(20, 300, n)
    event = time <= end
    seen = np.minimum(time, end)
    return Times(seen, event, seen - 1, np.where(event, seen, np.inf))


def test_kaplan_meier_of_the_textbook() -> None:
    middle, curve = kaplan_meier(sample(*_6MP), [0.0, 10.0, 20.0, 35.0, 40.0], 0.95)
    share = dict(zip(np.asarray(curve["time"]).tolist(), curve["share"], strict=True))
    known = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert {day: round(share[day], 3) for day in known} == known
    assert middle["median"] == 23
    assert curve["at_risk"] == [[0.0, 21], [10.0, 15], [20.0, 8], [35.0, 1], [40.0, 0]]
    assert (np.asarray(curve["low"]) <= curve["share"]).all()
    assert (np.asarray(curve["share"]) <= curve["high"]).all()


def test_log_rank_and_cox_of_the_textbook() -> None:
    control, arm = sample(*_6MP), sample(*_PLACEBO)
    from scipy.stats import chi2

    # Chi squared of 16.79; Cox with Efron's ties 1.572 with an error of 0.412 (coxph of R).
    assert compare_times("log_rank", control, arm).p == pytest.approx(chi2.sf(16.793, 1), rel=1e-3)
    found = compare_times("cox", control, arm)
    assert np.log(found.value) == pytest.approx(1.5721, abs=2e-4)
    assert np.log(found.high / found.low) / (2 * 1.959964) == pytest.approx(0.4124, abs=2e-4)
    assert (found.n_control, found.n, found.events_control, found.events) == (21, 21, 9, 21)


def test_log_rank_is_that_of_scipy() -> None:
    from scipy.stats import CensoredData, logrank

    control, arm = random_sample(80, 1), random_sample(70, 2, 130.0)
    data = [CensoredData(uncensored=one.time[one.event], right=one.time[~one.event]) for one in (control, arm)]
    assert compare_times("log_rank", control, arm).p == pytest.approx(logrank(*data).pvalue, rel=1e-9)


def test_npmle_of_the_textbook() -> None:
    left = np.array([one for one, _ in _RADIOTHERAPY], float)
    right = np.array([np.inf if two is None else two for _, two in _RADIOTHERAPY], float)
    event = np.isfinite(right)
    curve = npmle(Times(np.where(event, right, left), event, left, right), [])
    share = dict(zip(np.round(curve["time"]).tolist(), curve["share"], strict=True))
    # Masses 0.046, 0.033, 0.089, 0.071, 0.093, 0.082, 0.121 and 0.466 end at these months (R package interval).
    known = {5: 0.954, 7: 0.920, 8: 0.832, 12: 0.761, 25: 0.668, 34: 0.586, 40: 0.466, 48: 0.0}
    assert {month: share[month] for month in known} == pytest.approx(known, abs=2e-3)


def test_npmle_of_visits_that_nobody_missed_is_the_share_seen_by_them() -> None:
    visits = np.array([0.0, 42, 84, 126])
    place = np.repeat([0, 1, 2, 3], [10, 30, 40, 20])
    left, right = visits[place], np.append(visits[1:], np.inf)[place]
    event = np.isfinite(right)
    curve = npmle(Times(np.where(event, right, left), event, left, right), [])
    share = dict(zip(np.round(curve["time"]).tolist(), curve["share"], strict=True))
    assert [share[day] for day in (42, 84, 126)] == pytest.approx([0.9, 0.6, 0.2], abs=1e-4)


def _visited(n: int, mu: float, sigma: float, seed: int) -> Times:
    rng = np.random.default_rng(seed)
    time = np.exp(mu + sigma * rng.standard_normal(n))
    visits = np.array([0.0, 42, 84, 126, 182, 266, 364, np.inf])
    place = np.searchsorted(visits, time)
    left, right = visits[place - 1], visits[place]
    event = np.isfinite(right)
    return Times(np.where(event, right, left), event, left, right)


def test_interval_censored_times_give_back_what_they_were_drawn_from() -> None:
    n = 2000
    control, arm = _visited(n, 5.0, 0.45, 1), _visited(n, 5.0 + np.log(0.85), 0.45, 2)
    found = compare_times("interval", control, arm)
    error = np.log(found.high / found.low) / (2 * 1.959964)
    assert abs(np.log(found.value / 0.85)) < 3 * error
    # Visits cost a little of what exact times would tell: 0.45 sqrt(2 / n) and not half as much again.
    assert 0.45 * np.sqrt(2 / n) < error < 1.5 * 0.45 * np.sqrt(2 / n)
    fit = fitted(control, "lognormal", 364.0)
    assert fit["mu"] == pytest.approx(5.0, abs=0.04)
    assert fit["sigma"] == pytest.approx(0.45, abs=0.03)
    assert fit["aic"] < fitted(control, "weibull", 364.0)["aic"]
    # The day of a visit is later than the day of union: a curve through visits lies above.
    assert np.interp(150.0, fit["time"], fit["share"]) == pytest.approx(0.5, abs=0.03)


def test_without_deaths_aalen_johansen_is_kaplan_meier() -> None:
    found = random_sample(150, 5)
    share = aalen_johansen(found, 0.95)
    _, curve = kaplan_meier(found, [0.0], 0.95)
    at = np.searchsorted(curve["time"], share["time"], side="right") - 1
    np.testing.assert_allclose(share["share"], 1 - np.asarray(curve["share"])[at], atol=1e-12)
    assert not np.any(share["death"])


def test_with_deaths_and_nobody_lost_aalen_johansen_counts_shares() -> None:
    # Ten united on day 42, five died on day 60, twenty united on day 84, five were followed to the end.
    time = np.repeat([42.0, 42.0, 84.0, 84.0], [10, 5, 20, 5])
    event = np.repeat([True, False, True, False], [10, 5, 20, 5])
    died = np.where((time == 42) & ~event, 60.0, np.nan)
    followed = np.where(np.isnan(died), 371.0, 60.0)
    found = aalen_johansen(Times(time, event, time - 42, time, None, died, followed), 0.95)
    at = np.searchsorted(found["time"], [42.0, 61.0, 84.0], side="right") - 1
    np.testing.assert_allclose(np.asarray(found["share"])[at], [0.25, 0.25, 0.75], atol=1e-12)
    np.testing.assert_allclose(np.asarray(found["death"])[at], [0.0, 0.125, 0.125], atol=1e-12)


def test_deaths_on_the_days_of_visits_do_not_depend_on_chance() -> None:
    time = np.repeat([42.0, 42.0, 84.0], [10, 5, 20])
    event = np.repeat([True, False, True], [10, 5, 20])
    died = np.where(event, np.nan, 42.0)
    found = [aalen_johansen(Times(time, event, time - 1, time, None, died, np.fmin(died, 371)), 0.95) for _ in "ab"]
    np.testing.assert_array_equal(found[0]["share"], found[1]["share"])


def test_restricted_mean_is_that_of_the_cut_times_where_nobody_is_lost() -> None:
    time = np.random.default_rng(3).lognormal(5, 0.4, 400)
    mean, error = restricted_mean(Times(time, np.ones(400, bool), time, time), 160.0)
    cut = np.minimum(time, 160.0)
    assert mean == pytest.approx(cut.mean(), rel=1e-9)
    assert error == pytest.approx(cut.std() / 20, rel=1e-9)


def test_restricted_mean_of_the_textbook() -> None:
    # 23.29 weeks with a standard error of 2.83 to week 35 (Klein and Moeschberger 2003, section 4.5).
    assert restricted_mean(sample(*_6MP), 35.0) == pytest.approx((23.29, 2.83), abs=6e-3)


def test_log_times_are_compared_by_welch() -> None:
    control, arm = sample([50.0, 100.0, 200.0]), sample([25.0, 50.0, 100.0])
    found = compare_times("log_time", control, arm)
    assert found.value == pytest.approx(0.5)
    assert found.low * found.high == pytest.approx(0.25)
    assert not found.notes
    assert compare_times("log_time", control, sample([25.0, 50.0], [60.0])).notes


def test_risk_difference_of_newcombe() -> None:
    # 56 of 70 and 48 of 80: 0.2, 0.0524 to 0.3339 (Newcombe 1998, method 10 of example a).
    found = compare_values(np.repeat([1.0, 0.0], [48, 32]), np.repeat([1.0, 0.0], [56, 14]), share=True)
    assert (found.value, found.low, found.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert found.unit == "share"
    assert 0.005 < found.p < 0.01


def test_difference_of_means_of_welch() -> None:
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

    rng = np.random.default_rng(0)
    control, arm = rng.normal(8, 2, 40), rng.normal(9, 3, 35)
    found = compare_values(control, arm)
    both = CompareMeans(DescrStatsW(arm), DescrStatsW(control))
    assert (found.low, found.high) == pytest.approx(both.tconfint_diff(usevar="unequal"))
    assert found.p == pytest.approx(both.ttest_ind(usevar="unequal")[1])

"""Data from which a ratio does not follow: a reason in words, never a number whose interval is absurd."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from osteon.trial.analysis import analyse
from osteon.trial.analysis import result as said
from osteon.trial.analysis.compare import MEASURES, compare_times
from osteon.trial.analysis.curves import fitted
from osteon.trial.analysis.interval import WIDEST, interval, off
from osteon.trial.analysis.sample import Times
from osteon.trial.analysis.values import compare_values

from .made_trial import CONTROL, DRUG, observed, planned_study

_VISITS = (42.0, 84.0, 126.0, 182.0, 266.0, 364.0)


def visited(
    times: np.ndarray, seed: int, visits: tuple[float, ...] = _VISITS, window: float = 7.0, stay: float = 0.0
) -> Times:
    """True times as visits see them, each within a window; `stay` is the mean day of leaving."""
    from osteon.endpoints import union_interval

    rng = np.random.default_rng(seed)
    size = len(times)
    days = np.rint(np.array(visits) + window * (2 * rng.random((size, len(visits))) - 1))
    days[rng.random(days.shape) < 0.05] = np.nan
    if stay:
        days[days > rng.exponential(stay, size)[:, None]] = np.nan
    left, right = union_interval(days, np.where(np.isnan(days), np.nan, times[:, None] <= days))
    never = np.isnan(days).all(axis=1)
    left, right = np.where(never, 0.0, left), np.where(never, np.inf, right)
    event = np.isfinite(right)
    return Times(np.where(event, right, np.nanmax(np.c_[days, np.zeros(size)], axis=1)), event, left, right)


def lognormal(size: int, median: float, sigma: float, seed: int) -> np.ndarray:
    return median * np.exp(sigma * np.random.default_rng(seed).standard_normal(size))


def test_events_that_all_came_before_the_first_look_tell_no_ratio() -> None:
    # Everybody loads fully within days; who missed the first visit is seen at the second.
    control, arm = (visited(lognormal(100, 10, 0.4, seed), seed) for seed in (1, 2))
    assert len(np.unique(control.right)) > 10
    for method in ("interval", "interval_weibull", "log_time"):
        found = compare_times(method, control, arm)
        assert found.reason == said.ONE_INTERVAL
        assert np.isnan([found.value, found.low, found.high, found.p]).all()
    assert fitted(control, "lognormal", 364.0)["reason"] == said.ONE_INTERVAL_HERE
    for method in ("cox", "rmst"):
        assert said.FIRST_LOOK in compare_times(method, control, arm).notes


def test_an_arm_without_a_lower_bound_has_no_finite_ratio() -> None:
    control, arm = visited(lognormal(60, 150, 0.4, 1), 1), visited(lognormal(60, 10, 0.3, 2), 2)
    assert compare_times("interval", control, arm).reason == said.ALL_FIRST
    assert compare_times("cox", control, arm).reason in ("", said.TOO_WIDE)


def test_looks_on_nearly_one_day_tell_a_share_and_no_spread() -> None:
    control, arm = (visited(lognormal(60, 90, 0.4, seed), seed, visits=(90.0,)) for seed in (1, 2))
    assert compare_times("interval", control, arm).reason == said.NOT_TOLD


@pytest.mark.parametrize(
    ("size", "median", "sigma", "stay"),
    [(4, 150, 0.45, 0.0), (30, 30, 0.5, 0.0), (30, 200, 0.45, 120.0), (30, 700, 0.4, 0.0), (30, 100, 0.03, 0.0)],
)
def test_a_number_has_an_interval_that_holds_the_truth_or_there_is_a_reason(
    size: int, median: float, sigma: float, stay: float
) -> None:
    """Few patients, most before the first visit, most lost, most without the event, hardly any spread."""
    wrong = 0
    for seed in range(2):
        control, arm = (
            visited(ratio * lognormal(size, median, sigma, 10 * seed + place), 10 * seed + place, stay=stay)
            for place, ratio in enumerate((1.0, 0.8))
        )
        for method in ("interval", "cox"):
            found = compare_times(method, control, arm)
            if found.reason:
                assert np.isnan([found.low, found.high]).all()
                continue
            assert 0 < found.low < found.value < found.high < WIDEST * found.low
            few = min(control.events, arm.events) < 10
            assert (said.FEW_EVENTS in found.notes) == few
            # A few events are told to be too few for such an interval.
            if method == "interval" and not few:
                wrong += not found.low <= 0.8 <= found.high
    assert wrong == 0


def test_a_fit_that_ran_off_is_told_by_what_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    import osteon.trial.analysis.interval as module

    control, arm = (visited(lognormal(80, 150, 0.45, seed), seed) for seed in (1, 2))
    assert "value" in interval(control, arm, 0.95, "lognormal")
    good, null = module._best(control, arm, 150.0, "lognormal")  # type: ignore[misc]
    for changes, reason in (
        ({"effect": -1.6, "error": 1e-3}, said.NOT_TOLD),
        ({"scale": 1e-3}, said.NOT_TOLD),
        ({"centre": good.centre - 1.5}, said.AT_ODDS),
        ({"likelihood": null - 3}, said.NOT_CONVERGED),
        ({"error": 2.0}, said.TOO_WIDE),
    ):
        bad = (good._replace(**changes), null)
        with monkeypatch.context() as patch:
            patch.setattr(module, "_best", lambda *_, bad=bad: bad)
            assert interval(control, arm, 0.95, "lognormal") == {"reason": reason}


def test_two_optima_that_fit_alike_and_differ_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    import osteon.trial.analysis.interval as module

    control, arm = (visited(lognormal(8, 150, 0.45, seed), seed) for seed in (1, 2))
    fits = iter([module.Fit(0.1, 0.5, 0.4, 0.0, -20.0), module.Fit(0.9, 0.5, 0.4, 0.0, -20.01)])
    monkeypatch.setattr(module, "_fit", lambda *_: next(fits))
    assert interval(control, arm, 0.95, "lognormal") == {"reason": said.NOT_TOLD}


def test_a_curve_is_held_against_the_bounds_of_what_was_seen() -> None:
    one = visited(lognormal(200, 150, 0.45, 1), 1)
    from scipy.stats import norm

    def curve(median: float) -> object:
        return lambda day: norm.sf(np.log(day / median) / 0.45)

    assert not off(one, curve(150.0))
    assert off(one, curve(75.0))
    assert off(one, curve(300.0))


def test_hazards_of_arms_that_never_overlap_have_no_number() -> None:
    early, late = (
        Times(day, np.ones(6, bool), day - 1, day)
        for day in (np.array([40.0, 41, 42, 43, 44, 45]), np.array([80.0, 81, 82, 83, 84, 85]))
    )
    found = compare_times("cox", late, early)
    assert found.reason in (said.TOO_WIDE, said.NOT_CONVERGED)
    assert not found.notes


def test_the_restricted_mean_goes_on_after_the_last_of_an_arm_has_the_event() -> None:
    early = np.array([40.0, 44, 42, 48, 43, 41])
    late = np.array([100.0, 150, 200, 260, 300, 364])
    none = np.array([True, True, True, True, True, False])
    control = Times(late, none, late - 10, np.where(none, late, np.inf))
    arm = Times(early, np.ones(6, bool), early - 10, early)
    found = compare_times("rmst", control, arm)
    assert found.tau == 364.0
    assert found.value == pytest.approx(early.mean() - late.mean())
    # Who is still without it sets the end.
    cut = replace(arm, event=np.array([True] * 3 + [False] + [True] * 2))
    assert compare_times("rmst", control, cut).tau == 48.0


def test_a_few_values_without_spread_have_no_interval() -> None:
    spread, few, many = np.array([1.0, 2.0, 4.0]), np.full(3, 5.0), np.full(40, 5.0)
    assert compare_values(spread, few).reason == said.NO_SPREAD_FEW
    found = compare_values(spread, many)
    assert (found.reason, found.notes) == ("", (said.NO_SPREAD,))
    same = Times(np.full(3, 84.0), np.ones(3, bool), np.full(3, 80.0), np.full(3, 84.0))
    other = Times(
        np.array([84.0, 126.0, 182.0]), np.ones(3, bool), np.array([80.0, 120, 180]), np.array([84.0, 126, 182])
    )
    for method in ("rmst", "log_time"):
        assert compare_times(method, same, other).reason == said.NO_SPREAD_FEW


def test_a_method_without_spread_stands_in_for_the_planned_one() -> None:
    trial = observed(40, deaths=1e9)
    changed = trial.tte.copy()
    # Everybody has it before any look; the days differ by when people came.
    seen = changed["right"].where(np.isfinite(changed["right"]), 50.0)
    day = 35.0 + seen.rank(method="first") % 15
    changed["left"], changed["left_planned"] = 0.0, 0.0
    changed["right"], changed["time"], changed["event"], changed["right_planned"] = day, day, True, 42.0
    found = analyse(planned_study(), replace(trial, tte=changed))
    planned = found.estimates[0]
    assert (planned.primary, planned.reason) == (True, said.ONE_INTERVAL)
    stand_in = [one for one in found.estimates if one.instead_of]
    assert [(one.method, one.instead_of, one.arm) for one in stand_in] == [("rmst", "interval", DRUG)]
    assert said.INSTEAD in stand_in[0].notes
    assert stand_in[0].low < 0 < stand_in[0].high
    assert not [one for one in analyse(planned_study(), observed(60)).estimates if one.instead_of]


def test_a_secondary_time_gets_one_too() -> None:
    trial = observed(30)
    second = trial.tte.assign(endpoint="loading")
    second.loc[second["arm"] == DRUG, ["event"]] = False
    second.loc[second["arm"] == DRUG, "right"] = np.inf
    second.loc[second["arm"] == DRUG, "time"] = second["last_seen"]
    import pandas as pd

    primary = {"name": "union", "kind": "union", "rule": "cortices"}
    loading = {"name": "loading", "kind": "time", "endpoint": "full_loading"}
    plan = planned_study(endpoints={"primary": primary, "secondary": [loading]})
    found = analyse(plan, replace(trial, tte=pd.concat([trial.tte, second], ignore_index=True)))
    own = [one for one in found.estimates if one.endpoint == "loading"]
    assert [(one.method, one.instead_of, bool(one.reason)) for one in own] == [
        ("interval", "", True),
        ("rmst", "interval", False),
    ]
    assert set(MEASURES) >= {one.method for one in own}
    assert own[0].control == CONTROL

"""Exposure against curves whose areas, peaks and half-lives are known in closed form."""

import numpy as np
import pytest

from osteon.endpoints.exposure import (
    ASSAY_LIMIT,
    auc,
    auc_to_infinity,
    exposure,
    half_life,
    over_interval,
    peak,
)

DAYS = np.arange(0.0, 200.0)


def decay(rate: float, start: float = 5000.0) -> np.ndarray:
    return start * np.exp(-rate * DAYS)


def test_logarithmic_trapezoids_are_exact_on_a_decay() -> None:
    """However coarse the points: where a linear trapezoid is 20 % off, the logarithmic one has all its digits."""
    rate = 0.1
    coarse = np.array([0.0, 7.0, 20.0, 60.0])
    curve = 5000 * np.exp(-rate * coarse)
    exact = 5000 * (1 - np.exp(-rate * 60)) / rate
    assert auc(coarse, curve, 0, 60) == pytest.approx(exact, rel=1e-12)
    assert np.trapezoid(curve, coarse) > 1.2 * exact
    # A window between points is read by the same rule.
    part = 5000 * (np.exp(-rate * 3) - np.exp(-rate * 33)) / rate
    assert auc(coarse, curve, 3, 33) == pytest.approx(part, rel=1e-12)


def test_linear_where_it_rises() -> None:
    time, curve = np.array([0.0, 2.0, 4.0]), np.array([0.0, 10.0, 30.0])
    assert auc(time, curve, 0, 4) == 50.0
    assert auc(time, curve, 1, 3) == 0.5 * (5 + 10) + 0.5 * (10 + 20)


def test_flat_and_zero_curves() -> None:
    assert auc(DAYS, np.full(200, 3.0), 0, 100) == pytest.approx(300)
    assert auc(DAYS, np.zeros(200), 0, 100) == 0
    almost = 3.0 * (1 - 1e-9 * DAYS)
    assert auc(DAYS, almost, 0, 100) == pytest.approx(300 * (1 - 0.5e-7), rel=1e-12)


def test_area_outside_the_curve_is_missing() -> None:
    for window in ((-1, 10), (0, 200), (10, 10), (10, 5)):
        assert np.isnan(auc(DAYS, decay(0.1), *window))
    gap = decay(0.1)
    gap[50] = np.nan
    assert np.isnan(auc(DAYS, gap, 0, 60))
    assert auc(DAYS, gap, 0, 49) == pytest.approx(auc(DAYS, decay(0.1), 0, 49))


@pytest.mark.parametrize("life", [5.0, 25.4, 60.0])
def test_half_life_of_a_decay(life: float) -> None:
    curve = decay(np.log(2) / life)
    assert half_life(DAYS, curve, 28, 112) == pytest.approx(life, rel=1e-9)
    infinite = auc_to_infinity(DAYS, curve, 0, 60)
    assert infinite == pytest.approx(5000 * life / np.log(2), rel=1e-9)


def test_points_below_the_limit_take_no_part() -> None:
    """Below the limit this curve is noise; with it the half-life would be another."""
    curve = decay(0.1)
    below = curve < ASSAY_LIMIT
    curve[below] = ASSAY_LIMIT * 0.9
    assert half_life(DAYS, curve, 28, 112) == pytest.approx(np.log(2) / 0.1, rel=1e-9)
    assert half_life(DAYS, curve, 28, 112, limit=0.0) > 2 * np.log(2) / 0.1
    # The area to infinity goes on from the last point that counts.
    assert auc_to_infinity(DAYS, curve, 0, 40) == pytest.approx(5000 / 0.1, rel=1e-9)


def test_half_life_is_missing_where_it_is_not_defined() -> None:
    rising, two = 5000 - decay(0.1), decay(0.1)
    two[31:] = 1.0
    assert np.isnan(half_life(DAYS, rising, 28, 112))
    assert np.isnan(half_life(DAYS, np.full(200, 100.0), 28, 112))
    assert np.isnan(half_life(DAYS, np.zeros(200), 28, 112))
    assert np.isfinite(half_life(DAYS, two, 28, 112))
    two[30] = 1.0
    assert np.isnan(half_life(DAYS, two, 28, 112)), "two points are too few"
    assert np.isnan(half_life(DAYS, decay(0.1), 300, 400))
    assert np.isnan(auc_to_infinity(DAYS, np.full(200, 1.0), 28, 112))


def test_peak() -> None:
    time, curve = np.array([0.0, 3.0, 9.0, 10.0]), np.array([0.0, 7.0, 9.0, np.nan])
    assert peak(time, curve) == (9.0, 9.0)
    assert np.isnan(peak(time, np.zeros(4))).all()
    assert np.isnan(peak(time, np.full(4, np.nan))).all()


def test_an_interval_at_steady_state() -> None:
    """Sawtooth of period 28: trough before the next dose, peak at the dose."""
    rate, period = 0.02, 28.0
    curve = 1000 * np.exp(-rate * (DAYS % period))
    found = over_interval(DAYS[:85], np.append(curve[:84], 1000 * np.exp(-rate * 28)), 56.0, period)
    assert found.peak == 1000
    assert found.tmax == 0
    assert found.trough == pytest.approx(1000 * np.exp(-rate * 28), rel=1e-12)
    assert found.auc == pytest.approx(1000 * (1 - np.exp(-rate * 28)) / rate, rel=1e-12)
    assert np.isnan(over_interval(DAYS[:80], curve[:80], 56.0, period)).all()


def test_many_curves_equal_each_alone() -> None:
    rng = np.random.default_rng(2)
    lives = rng.uniform(5, 60, (2, 3))
    curves = 5000 * (1 - np.exp(-0.3 * DAYS)) * np.exp(-np.log(2) / lives[..., None] * DAYS)
    curves[1, 2] = np.nan
    curves[0, 1] = 0.0
    many = exposure(DAYS, curves)
    interval = over_interval(DAYS, curves, 10.0, 28.0)
    for place in np.ndindex(2, 3):
        alone = (*exposure(DAYS, curves[place]), *over_interval(DAYS, curves[place], 10.0, 28.0))
        for together, one in zip((*many, *interval), alone, strict=True):
            assert together.shape == (2, 3)
            assert np.isnan(one) == np.isnan(together[place])
            assert np.isnan(one) or one == pytest.approx(together[place], rel=1e-12)
    assert np.isnan(many.cmax).tolist() == [[False, True, False], [False, False, True]]

"""Closed forms of power, exact intervals, and boundaries of early stopping."""

import math

import numpy as np
import pytest

from osteon.errors import InputError
from osteon.trial.power_forms import LOOKS, boundaries, closed_form_power, closed_form_size, exact_interval

#: Patients per arm for 80 % power, two-sided 5 %, lognormal times (science notes on endpoints and power).
SIZES = {
    (0.80, 0.35): 39,
    (0.80, 0.45): 64,
    (0.80, 0.55): 96,
    (0.90, 0.35): 174,
    (0.90, 0.45): 287,
    (0.90, 0.55): 428,
}


@pytest.mark.parametrize(("cell", "size"), SIZES.items())
def test_sizes_for_eighty_per_cent_power(cell: tuple[float, float], size: int) -> None:
    assert closed_form_size(0.8, *cell) == size
    assert closed_form_power(size, *cell) >= 0.8 > closed_form_power(size - 1, *cell)


def test_power_with_an_estimated_spread_is_a_little_lower() -> None:
    known, estimated = (closed_form_power(39, 0.8, 0.35, test=test) for test in ("z", "t"))
    assert 0 < known - estimated < 0.02
    assert closed_form_power(10_000, 0.9, 0.45, test="t") == pytest.approx(1, abs=1e-6)


def test_power_without_an_effect_is_the_error_and_needs_no_end_of_patients() -> None:
    assert closed_form_power(50, 1.0, 0.45, alpha=0.03) == pytest.approx(0.03, abs=1e-9)
    assert closed_form_size(0.8, 1.0, 0.45) == math.inf


def test_power_of_many_sizes_at_once() -> None:
    many = closed_form_power(np.array([20.0, 40.0, 80.0]), 0.8, 0.45)
    assert np.allclose(many, [closed_form_power(n, 0.8, 0.45) for n in (20, 40, 80)])
    # A ratio and its inverse are the same effect.
    assert np.allclose(many, closed_form_power(np.array([20.0, 40.0, 80.0]), 1.25, 0.45))


@pytest.mark.parametrize(("name", "value"), [("ratio", 0.0), ("ratio", -1.0), ("log_sd", 0.0), ("log_sd", math.inf)])
def test_what_is_no_effect_is_refused(name: str, value: float) -> None:
    given = {"ratio": 0.8, "log_sd": 0.45, name: value}
    with pytest.raises(InputError, match="above 0") as error:
        closed_form_power(50, **given)
    assert error.value.path == name


def test_exact_intervals_are_those_of_clopper_and_pearson() -> None:
    from scipy.stats import beta

    low, high = exact_interval(7, 50)
    assert (low, high) == pytest.approx((beta.ppf(0.025, 7, 44), beta.ppf(0.975, 8, 43)))
    assert exact_interval(0, 10)[0] == 0
    assert exact_interval(10, 10)[1] == 1
    assert all(math.isnan(one) for one in exact_interval(0, 0))


@pytest.mark.parametrize(("looks", "constant"), [(2, 1.977), (3, 2.004), (4, 2.024)])
def test_boundaries_of_o_brien_and_fleming_are_those_in_print(looks: int, constant: float) -> None:
    # Jennison and Turnbull 2000, table 2.3, alpha 0.05.
    found = boundaries("obrien_fleming", looks)
    assert found == pytest.approx([constant * math.sqrt(looks / look) for look in range(1, looks + 1)], abs=2e-3)


@pytest.mark.parametrize("rule", LOOKS)
def test_boundaries_hold_the_error_in_simulated_walks(rule: str) -> None:
    bounds = np.array(boundaries(rule, 3, 0.05))
    steps = np.random.default_rng(5).normal(size=(200_000, 3))
    z = steps.cumsum(axis=1) / np.sqrt([1, 2, 3])
    error = (np.abs(z) >= bounds).any(axis=1).mean()
    assert abs(error - 0.05) < 4 * math.sqrt(0.05 * 0.95 / len(z))


def test_haybittle_and_peto_look_with_three_standard_deviations() -> None:
    *early, last = boundaries("haybittle_peto", 4)
    assert early == [3.0, 3.0, 3.0]
    assert 1.96 < last < 2.0


@pytest.mark.parametrize(
    ("given", "path"),
    [(("pocok", 3, 0.05), "looks"), (("obrien_fleming", 1, 0.05), "looks"), (("haybittle_peto", 5, 0.001), "looks")],
)
def test_rules_that_cannot_be_kept_are_refused(given: tuple[str, int, float], path: str) -> None:
    with pytest.raises(InputError) as error:
        boundaries(*given)
    assert error.value.path == path

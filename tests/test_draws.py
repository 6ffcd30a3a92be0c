"""Random numbers by key: the same for any split of the patients, independent of everything else."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from osteon.draws import normal, uniform
from osteon.errors import InputError

MANY = 200_000


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**62), st.lists(st.integers(0, 40), min_size=1, max_size=6))
def test_any_split_gives_the_same_bits(seed: int, lo: int, sizes: list[int]) -> None:
    edges = [lo, *(lo + int(step) for step in np.cumsum(sizes))]
    whole = uniform(seed, lo, edges[-1], "a")
    parts = [uniform(seed, one, other, "a") for one, other in pairwise(edges)]
    assert np.array_equal(np.concatenate(parts), whole)
    assert len(whole) == edges[-1] - lo


def test_the_numbers_never_change() -> None:
    """A change would silently draw other patients for every seed in print."""
    expected = [0.18627532409147995, 0.8856676116335577, 0.5286304376033345]
    assert uniform(1, 0, 3, "patient.weight").tolist() == expected


@pytest.mark.parametrize("other", [(2, "a"), (0, "a"), (1, "b"), (1, "aa"), (1, "")], ids=str)
def test_another_seed_or_purpose_is_independent(other: tuple[int, str]) -> None:
    one, two = normal(1, 0, MANY, "a"), normal(other[0], 0, MANY, other[1])
    assert abs(np.corrcoef(one, two)[0, 1]) < 4 / np.sqrt(MANY)
    assert not np.any(one == two)


def test_neighbouring_patients_are_independent() -> None:
    drawn = normal(1, 0, MANY, "a")
    for lag in (1, 2, 3, 4, 8):
        assert abs(np.corrcoef(drawn[lag:], drawn[:-lag])[0, 1]) < 4 / np.sqrt(MANY)


def test_the_distributions_are_right() -> None:
    even = uniform(7, 0, MANY, "a")
    assert stats.kstest(even, "uniform").pvalue > 1e-3
    assert 0 < even.min() < even.max() < 1
    assert stats.kstest(normal(7, 0, MANY, "a"), "norm").pvalue > 1e-3


def test_huge_patient_numbers_and_empty_ranges() -> None:
    last = uniform(2**64 - 1, 2**63 - 2, 2**63, "a")
    assert len(set(last.tolist())) == 2
    assert uniform(1, 2**40, 2**40 + 3, "a")[2] == uniform(1, 2**40 + 2, 2**40 + 3, "a")[0]
    assert uniform(1, 5, 5, "a").shape == (0,)


@pytest.mark.parametrize(
    ("seed", "lo", "hi", "path"),
    [
        (-1, 0, 1, "seed"),
        (2**64, 0, 1, "seed"),
        (1.5, 0, 1, "seed"),
        (True, 0, 1, "seed"),
        (1, -1, 1, "lo"),
        (1, 0.0, 1, "lo"),
        (1, 0, -1, "hi"),
        (1, 3, 2, "hi"),
        (1, 0, 2**63 + 1, "hi"),
    ],
)
def test_what_makes_no_sense_is_refused(seed: int, lo: int, hi: int, path: str) -> None:
    with pytest.raises(InputError) as caught:
        uniform(seed, lo, hi, "a")
    assert caught.value.path == path

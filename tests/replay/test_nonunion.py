"""Three of three, beside delayed unions that go on with and without the drug."""

import math

import numpy as np
import pytest

from osteon.evidence.claims import review
from osteon.replay.nonunion import found_in
from tests.replay.made import made

ARMS = ("humerus, none", "humerus, 120 mg", "femur, none", "femur, 120 mg")
TIME = np.array([0.0])


def test_only_delayed_unions_count() -> None:
    never = math.nan
    times = [[100, 200, 300, never], [90, 190, 500, 300], [100, 100, 100, 250], [100, 100, 100, 240]]
    found = found_in(made(ARMS, TIME, endpoints={"time_to_union_cortices": times}), review())
    numbers = found.numbers
    assert (numbers["delayed"].value, numbers["delayed"].n) == (0.5, 8)
    assert numbers["unite_without"].value == 0.75
    assert numbers["unite_with"].value == 0.75
    assert numbers["unite_difference"].value == 0
    assert numbers["unite_difference"].low < 0 < numbers["unite_difference"].high
    assert numbers["all_three_without"].value == pytest.approx(0.75**3)
    left = [(one - 182.625) / (other - 182.625) for one, other in ((190, 200), (500, 300), (240, 250))]
    assert numbers["time_left"].value == pytest.approx(np.median([*left, 0.0])), "who unites with the drug alone counts"
    assert numbers["published"].low == pytest.approx(0.292, abs=5e-4)
    assert [row.zh for row in found.tables[0].rows][:2] == ["肱骨", "股骨"]


def test_without_a_delayed_union_nothing_is_known() -> None:
    times = [[100.0, 120.0]] * 4
    numbers = found_in(made(ARMS, TIME, endpoints={"time_to_union_cortices": times}), review()).numbers
    assert math.isnan(numbers["unite_without"].value)
    assert math.isnan(numbers["unite_difference"].value)
    assert math.isnan(numbers["all_three_with"].value)


def test_a_failed_patient_is_no_delayed_union() -> None:
    run = made(ARMS, TIME, endpoints={"time_to_union_cortices": [[math.nan, 100.0]] * 4})
    run.endpoints["CTX_nadir"][:, 0] = math.nan
    assert found_in(run, review()).numbers["delayed"].n == 2

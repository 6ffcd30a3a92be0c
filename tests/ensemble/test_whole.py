"""Real patients through the whole of it: the same bits for any chunk, thread or cluster."""

from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

import osteon
from osteon.ensemble.result import CohortResult

from .fake import TEXT, contents

SIZE = 7


@pytest.fixture(scope="module")
def cohort() -> osteon.Cohort:
    return osteon.Cohort.sample(osteon.Scenario.parse(TEXT), SIZE)


@pytest.fixture(scope="module")
def whole(cohort: osteon.Cohort) -> CohortResult:
    return osteon.simulate(cohort, backend="python")


def test_curves_and_endpoints(whole: CohortResult) -> None:
    assert whole.failed == 0
    data = whole.series
    assert data["CTX"].notnull().all()
    assert (data["mRUST"].isnull().all(("arm", "patient")) == (data["time"] < 0)).all()
    assert data["mRUST"].sel(time=70).min() >= 4
    assert len(whole.endpoints()) == 2 * SIZE
    assert {"time_to_union", "torsional_stiffness_week6", "CTX_nadir"} <= set(whole.summary()["endpoint"])
    assert whole.patients()["age"].nunique() == SIZE


def test_chunks_change_no_bit(cohort: osteon.Cohort, whole: CohortResult) -> None:
    found = osteon.simulate(cohort, backend="python", chunk=3)
    xr.testing.assert_identical(found.series, whole.series)
    pd.testing.assert_frame_equal(found.endpoints(), whole.endpoints())
    pd.testing.assert_frame_equal(found.patients(), whole.patients())


def test_a_cluster_changes_no_bit(cohort: osteon.Cohort, whole: CohortResult, tmp_path: Path) -> None:
    here = osteon.simulate(cohort, backend="python", chunk=3, out=tmp_path / "here")
    there = osteon.simulate(cohort, backend="python", chunk=3, out=tmp_path / "there", cluster="local:1")
    assert there.folder is not None
    assert contents(tmp_path / "here") == contents(there.folder)
    again = CohortResult.open(there.folder)
    assert again.cohort == cohort
    pd.testing.assert_frame_equal(again.summary(), whole.summary())
    pd.testing.assert_frame_equal(here.summary(), whole.summary())

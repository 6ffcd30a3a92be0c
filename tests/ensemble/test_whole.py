"""Real patients through the whole of it: the same bits for any chunk, thread or cluster."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import osteon
from osteon.endpoints import SAFETY_UNITS
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


def test_nothing_but_the_patient_decides_on_a_bit(tmp_path: Path) -> None:
    """The compiled back end: chunk, threads, order and cluster, with exponents NumPy has short cuts for."""
    size, rng = 40, np.random.default_rng(5)
    table = pd.DataFrame(
        {
            "age": rng.uniform(30, 90, size),
            "weight": rng.uniform(45, 110, size),
            "smoking": rng.choice([True, False], size),
            "member": rng.choice(["J", "B"], size),
            "radiograph.sharpness": rng.choice([2.0, 3.0, 0.5], size),
            "radiograph.cortex_spread": rng.uniform(0.05, 0.3, size),
            "denosumab.cl": rng.uniform(0.05, 0.1, size),
        }
    )
    scenario = osteon.Scenario.parse(TEXT)
    listed = osteon.Cohort.from_table(scenario, table)
    first = osteon.simulate(listed, backend="compiled", threads=2)
    for settings in ({"chunk": 1, "threads": 1}, {"chunk": 7}, {"cluster": "local:2", "chunk": 11}):
        found = osteon.simulate(listed, backend="compiled", **settings)
        xr.testing.assert_identical(found.series, first.series)
        pd.testing.assert_frame_equal(found.endpoints(), first.endpoints())
    order = rng.permutation(size)
    moved = osteon.simulate(osteon.Cohort.from_table(scenario, table.iloc[order]), backend="compiled", chunk=9)
    for name in first.series.data_vars:
        np.testing.assert_array_equal(moved.series[name].values, first.series[name].values[:, order])
    columns = [name for name in first.endpoints() if name not in ("patient", "arm")]
    rows = first.endpoints().set_index("patient").loc[order, columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(moved.endpoints()[columns].reset_index(drop=True), rows)


def test_a_cluster_changes_no_bit(cohort: osteon.Cohort, whole: CohortResult, tmp_path: Path) -> None:
    here = osteon.simulate(cohort, backend="python", chunk=3, out=tmp_path / "here")
    there = osteon.simulate(cohort, backend="python", chunk=3, out=tmp_path / "there", cluster="local:1")
    assert there.folder is not None
    assert contents(tmp_path / "here") == contents(there.folder)
    again = CohortResult.open(there.folder)
    assert again.cohort == cohort
    pd.testing.assert_frame_equal(again.summary(), whole.summary())
    pd.testing.assert_frame_equal(here.summary(), whole.summary())


def test_safety_of_patients_with_doses_of_their_own(tmp_path: Path) -> None:
    """Stopped after one or two doses, treated to the end, and never: each as alone, whatever the chunk."""
    dose = "{drug: denosumab, amount: 60 mg, start: 0 days"
    plans = [f"[{dose}}}]", f"[{dose}, every: 6 months, count: 2}}]", f"[{dose}, every: 6 months, count: 5}}]", "[]"]
    text = "{osteon: 1, title: t, patient: {gfr: %s mL/min}, fracture: null, arms: [{name: a, doses: %s}], horizon: %s}"
    horizons = ("900 days", "800 days", "900 days", "900 days")
    ways = zip((80, 30, 50, 80), plans, horizons, strict=True)
    people = [osteon.Scenario.parse(text % way) for way in ways]
    cohort = osteon.Cohort.of(people)
    found = osteon.simulate(cohort, backend="python", out=tmp_path / "one", chunk=1).endpoints()
    together = osteon.simulate(cohort, backend="python").endpoints()
    assert set(SAFETY_UNITS) <= set(found.columns)
    for name in SAFETY_UNITS:
        np.testing.assert_array_equal(found[name], together[name])
    for place, one in enumerate(people):
        alone = osteon.simulate(one, members=["J"]).endpoints().set_index("endpoint")["value"]
        for name in SAFETY_UNITS:
            expected = alone.get(name, np.nan)
            assert found[name][place] == pytest.approx(expected, rel=1e-3, abs=1e-3, nan_ok=True), (place, name)
    assert found["rebound_start"].notna().tolist() == [True, True, False, False]
    assert found["serum_calcium_nadir"].notna().tolist() == [True, True, True, False]


def test_untreated_people_have_no_safety_columns() -> None:
    text = "{osteon: 1, title: t, patient: {}, fracture: null, arms: [{name: a}], horizon: 60 days}"
    found = osteon.simulate(osteon.Cohort.sample(osteon.Scenario.parse(text), 2), backend="python").endpoints()
    assert not set(SAFETY_UNITS) & set(found.columns)

"""Endpoints of many patients at once are those of each alone, to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osteon.endpoints import cortex_grades, endpoint_arrays, endpoint_unit, endpoints, mrust, radiograph
from osteon.endpoints.crossing import at, first_above, last_above
from osteon.parameters import load

QUICK = settings(max_examples=40, deadline=None, derandomize=True)
CALLUS = ("inflammation", "cartilage", "mineralised_tissue", "fibrous", "woven_bone", "lamellar_bone", "callus_tissue")
SIGNALS = ("callus_BMD", "cartilage", "mineralised_tissue", "torsional_stiffness", "cortical_union")
TURNOVER = ("CTX", "P1NP", "BMD_lumbar_spine", "BMD_total_hip", "BMD_femoral_neck")
NAMES = (*CALLUS, *SIGNALS, "torsional_strength", *TURNOVER)
RADIOGRAPH = {key: record.value for key, record in load("radiograph").items()}


def curves(rng: np.random.Generator, patients: int, time: np.ndarray) -> dict[str, np.ndarray]:
    """Random walks that cross every level, with points of exactly equal value among them."""
    found = {}
    for name in NAMES:
        walk = np.cumsum(rng.normal(0, 0.2, (patients, time.size)), axis=-1) + rng.uniform(0, 0.5, (patients, 1))
        found[name] = np.maximum(np.round(walk, 1), 0.0) if rng.random() < 0.5 else np.abs(walk)
    found["callus_BMD"] *= 200
    found["mRUST"] = 4 + 2 * found["torsional_stiffness"]
    for name in (*CALLUS, *SIGNALS, "torsional_strength", "mRUST"):
        found[name][:, time < 0] = np.nan
    return found


def same(one: float, other: float) -> bool:
    return one == other or (np.isnan(one) and np.isnan(other))


@QUICK
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_many_patients_equal_each_alone(seed: int, fractured: bool) -> None:
    """Own horizons, own standing inflammation, and patients that failed."""
    rng = np.random.default_rng(seed)
    time = np.unique(np.concatenate([np.arange(-28, 0, 7), np.arange(0, rng.integers(5, 430), rng.integers(1, 30))]))
    time = time.astype(float)
    series = curves(rng, 7, time)
    series = series if fractured else {name: series[name] for name in TURNOVER}
    last = rng.integers(np.searchsorted(time, 0.0), time.size, 7)
    failed = rng.random(7) < 0.2
    for values in series.values():
        values[np.arange(time.size) > last[:, None]] = np.nan
        values[failed] = np.nan
    chronic = rng.choice([0.0, 0.1], 7)
    many = endpoint_arrays(time, series, chronic)
    for patient in range(7):
        own = {name: values[patient, : last[patient] + 1] for name, values in series.items()}
        alone = endpoints(time[: last[patient] + 1], own, float(chronic[patient]))
        assert [one.endpoint for one in alone] == list(many)
        for one in alone:
            value = many[one.endpoint][patient]
            assert same(one.value, value), (one, value)
            assert (one.note != "") == np.isnan(one.value)
            assert not failed[patient] or np.isnan(value)


def test_leading_axes_may_be_any() -> None:
    rng, time = np.random.default_rng(1), np.arange(400.0)
    series = curves(rng, 6, time)
    flat = endpoint_arrays(time, series, 0.05)
    deep = endpoint_arrays(time, {name: values.reshape(2, 3, -1) for name, values in series.items()}, 0.05)
    for name, values in flat.items():
        assert np.array_equal(values.reshape(2, 3), deep[name], equal_nan=True), name


@QUICK
@given(st.integers(0, 2**32 - 1), st.integers(1, 140))
def test_score_of_many_equals_each_alone(seed: int, patients: int) -> None:
    """Parameters of each patient's own as arrays, or common as floats; human and animal."""
    rng, time = np.random.default_rng(seed), np.arange(37.0)
    series = curves(rng, patients, time)
    series["cartilage"][0, 3:9] = series["mineralised_tissue"][0, 3:9] = 0.0
    own = {key: value * rng.uniform(0.8, 1.2, patients) for key, value in RADIOGRAPH.items()}
    for species in ("human", "mouse"):
        common, varied = mrust(series, RADIOGRAPH, species), mrust(series, own, species)
        assert common.shape == varied.shape == (patients, 37)
        for i in range(0, patients, max(1, patients // 5)):
            alone = {name: values[i] for name, values in series.items()}
            assert np.array_equal(mrust(alone, RADIOGRAPH, species), common[i])
            np.testing.assert_array_equal(mrust(alone, {k: float(v[i]) for k, v in own.items()}, species), varied[i])
        assert (common >= 4).all()
        assert (common <= 16).all()


def test_score_keeps_to_its_formula() -> None:
    """One power a curve gives what one power a cortex gave."""
    rng, time, p = np.random.default_rng(3), np.arange(50.0), RADIOGRAPH
    series = {name: values[0] for name, values in curves(rng, 1, time).items()}
    places = np.array([-1, -1 / 3, 1 / 3, 1])[:, None]
    lag, line_lag = (np.exp(p[f"radiograph.{name}_spread"] * places) for name in ("cortex", "line"))

    def rise(x: np.ndarray, half: np.ndarray) -> np.ndarray:
        ratio = (x / half) ** p["radiograph.sharpness"]
        return ratio / (1 + ratio)

    solid = series["cartilage"] + series["mineralised_tissue"]
    soft = np.divide(series["cartilage"], solid, out=np.ones_like(solid), where=solid > 0)
    callus = rise(series["callus_BMD"], p["radiograph.visible_density"] * lag)
    bridged = 1 - rise(soft, p["radiograph.bridging_cartilage"] / lag)
    bridged = bridged * rise(series["torsional_stiffness"], p["radiograph.bridging_stiffness"] * lag)
    gone = rise(series["cortical_union"], p["radiograph.line_union"] * line_lag)
    grades = {"mRUST": 1 + callus * (1 + bridged * (1 + gone)), "RUST": 1 + callus * (1 + bridged * gone)}
    found = radiograph(series, p, "human")
    for score, expected in grades.items():
        np.testing.assert_allclose(cortex_grades(series, p, score), expected, rtol=1e-13)
        np.testing.assert_allclose(found[score], expected.sum(axis=0), rtol=1e-13)
    np.testing.assert_allclose(found["cortices_bridged"], (callus * bridged).sum(axis=0), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(
        found["cortices_without_line"], (callus * bridged * gone).sum(axis=0), rtol=1e-12, atol=1e-14
    )


def test_score_is_missing_where_a_signal_is() -> None:
    series = curves(np.random.default_rng(4), 3, np.arange(20.0))
    for name in SIGNALS:
        series[name][1, 12:] = np.nan
    for species in ("human", "rat"):
        score = mrust(series, RADIOGRAPH, species)
        assert np.isnan(score[1, 12:]).all()
        assert np.isfinite(score[[0, 2]]).all()


# ---- crossings -------------------------------------------------------------------------------------------------------

TIME = np.array([0.0, 1.0, 2.0, 4.0])


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        ([0, 2, 0, 0], 0.5, 1.5),
        ([1, 1, 1, 1], 0.0, np.nan),
        ([0, 0, 0, 0], np.nan, 0.0),
        ([2, 0, 0, 2], 0.0, np.nan),
        ([0, 0, 0, 2], 3.0, np.nan),
        ([0, 1, 0, 0], 1.0, 1.0),
        ([0, 2, np.nan, np.nan], 0.5, np.nan),
        ([0, 2, 0, np.nan], 0.5, 1.5),
        ([np.nan, 2, 0, 0], 1.0, 1.5),
        ([np.nan, 0, 0, np.nan], np.nan, 1.0),
        ([np.nan] * 4, np.nan, np.nan),
    ],
)
def test_crossings(value: list[float], first: float, last: float) -> None:
    curve = np.array(value, float)
    assert same(float(first_above(TIME, curve, 1.0)), first)
    assert same(float(last_above(TIME, curve, 1.0)), last)
    both = np.stack([curve, np.zeros(4)])
    assert same(first_above(TIME, both, np.array([1.0, 5.0]))[0], first)


@pytest.mark.parametrize(("moment", "value"), [(0, 1.0), (0.5, 1.5), (3, 4.0), (4, 5.0), (4.1, np.nan), (-1, np.nan)])
def test_value_at_a_moment(moment: float, value: float) -> None:
    curve = np.array([[1.0, 2.0, 3.0, 5.0], [1.0, 2.0, np.nan, np.nan]])
    found = at(TIME, curve, moment)
    assert same(found[0], value)
    assert same(found[1], value if 0 <= moment <= 1 else np.nan)


@pytest.mark.parametrize("patients", [1, 3])
def test_units(patients: int) -> None:
    found = endpoint_arrays(np.arange(400.0), curves(np.random.default_rng(5), patients, np.arange(400.0)))
    days = {"inflammation_end", "soft_callus_peak", "hard_callus_start", "remodelling_start", "time_to_union"}
    # Curves of this test hold one score and stiffness: there is no union by the others.
    days |= {"time_to_union_stiffness"}
    assert {name for name in found if endpoint_unit(name) == "day"} == days
    assert endpoint_unit("CTX_last") == "%"
    assert endpoint_unit("lamellar_share_week52") == "1"
    assert all(values.shape == (patients,) for values in found.values())

"""What sensitivities are made of, whatever their accuracy: layout, exact cases, failures, refusals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import osteon
from osteon.errors import InputError
from osteon.population import Cohort
from osteon.sensitivity.lanes import Layout
from osteon.sensitivity.run import JUMPING

from .test_accuracy import TEXT

KEYS = ("denosumab.bioavailability", "denosumab.r0", "callus.hypertrophy", "healing.clock", "markers.ctx_floor")
SERIES = ("torsional_stiffness", "CTX", "mRUST")


@pytest.fixture(scope="module")
def scenario() -> osteon.Scenario:
    return osteon.Scenario.parse(TEXT.replace("horizon", "  - name: never\nhorizon"))


@pytest.fixture(scope="module")
def found(scenario: osteon.Scenario) -> osteon.Sensitivities:
    return osteon.sensitivities(scenario, series=SERIES)


def test_every_parameter_that_is_read_is_there_but_conversions_of_units(found: osteon.Sensitivities) -> None:
    keys = set(map(str, found.curves["parameter"].values))
    assert {"denosumab.bioavailability", "denosumab.r0", "healing.clock", "radiograph.sharpness"} <= keys
    assert {"bone.outer_radius", "callus.factor_union", "coupling.penetration"} <= keys
    assert not {key for key in keys if key.startswith("constants.")}
    assert "radiograph.animal_stiffness" not in keys
    assert len(keys) > 150


def test_curves_have_their_dimensions_units_and_names(found: osteon.Sensitivities) -> None:
    assert set(found.curves.data_vars) == set(SERIES)
    for name, unit in (("torsional_stiffness", "1"), ("CTX", "%"), ("mRUST", "1")):
        curve = found.curves[name]
        assert curve.dims == ("patient", "arm", "parameter", "time")
        assert curve.attrs["units"] == unit
        assert curve.attrs["long_name"]
    assert list(found.curves["arm"].values) == ["treated", "never"]
    stiffness = found.curves["torsional_stiffness"].sel(time=slice(None, -1))
    assert np.isnan(stiffness).all()
    assert np.isfinite(found.curves["torsional_stiffness"].sel(time=slice(0, None))).all()


def test_the_table_says_what_each_number_is(found: osteon.Sensitivities) -> None:
    table = found.table
    columns = ["patient", "arm", "endpoint", "parameter", "value", "unit", "endpoint_value", "endpoint_unit"]
    assert list(table.columns) == [*columns, "slope", "elasticity", "how", "source"]
    assert not set(JUMPING) & set(table["endpoint"])
    assert set(table["how"]) == {"read", "fitted", "assumed", "defined"}
    row = table.set_index(["arm", "endpoint", "parameter"]).loc[
        "treated", "torsional_stiffness_week12", "healing.clock"
    ]
    assert row["elasticity"] == pytest.approx(row["slope"] / row["endpoint_value"])
    assert (row["unit"], row["how"]) == ("1", "assumed")
    late = table[table["endpoint"] == "torsional_stiffness_week52"]
    assert late[["endpoint_value", "slope", "elasticity"]].isna().all(axis=None)
    # Without the drug CTX is lowest at the start: nothing has changed, and no relative change of nothing is given.
    untreated = table[(table["arm"] == "never") & (table["endpoint"] == "CTX_nadir")]
    assert (untreated["slope"] == 0).all()
    assert untreated["elasticity"].isna().all()
    # From there on age and oestrogen move it.
    last = table[(table["arm"] == "never") & (table["endpoint"] == "CTX_last") & (table["slope"] != 0)]
    assert {key.partition(".")[0] for key in last["parameter"]} == {"endocrine", "turnover", "markers"}
    assert {"endocrine.oestrogen_time", "endocrine.age_at_start", "endocrine.supplements"} <= set(last["parameter"])


def test_endpoints_are_those_of_a_simulation(scenario: osteon.Scenario, found: osteon.Sensitivities) -> None:
    course = osteon.simulate(scenario, members=("J",)).endpoints().set_index(["arm", "endpoint"])["value"]
    ours = found.table.groupby(["arm", "endpoint"])["endpoint_value"].first().dropna()
    for place, value in ours.items():
        assert value == pytest.approx(course[place], rel=2e-4, abs=2e-4), place


def test_slopes_that_are_known(found: osteon.Sensitivities) -> None:
    # CTX change is 100 (floor + (1 - floor) r - 1), so its slope over ln(floor) is 100 floor (1 - r).
    curves = found.curves.sel(patient=0, arm="treated")
    ctx = osteon.simulate(found.cohort.scenario, members=("J",), tolerance=1e-8)["CTX"].sel(arm="treated")
    time = np.intersect1d(curves["time"], ctx["time"])
    ctx, slope = ctx.sel(time=time).values, curves["CTX"].sel(time=time, parameter="markers.ctx_floor").values
    floor = float(found.table[found.table["parameter"] == "markers.ctx_floor"]["value"].iloc[0])
    np.testing.assert_allclose(slope, -floor / (1 - floor) * ctx, atol=1e-3 * np.abs(slope).max())
    # An arm without the drug does not feel its parameters.
    drug = [str(key) for key in curves["parameter"].values if str(key).startswith("denosumab.")]
    assert (found.curves["CTX"].sel(arm="never", parameter=drug) == 0).all()


def test_a_dose_follows_what_is_lost_on_its_way(scenario: osteon.Scenario) -> None:
    found = osteon.sensitivities(scenario, ["denosumab.bioavailability"], series=["CTX"], endpoints=False)
    slope = found.curves["CTX"].sel(arm="treated").values.reshape(-1)
    step = 1e-3
    # As much more of the drug by the dose itself.
    up, down = (
        osteon.simulate(osteon.Scenario.parse(TEXT.replace("60 mg", f"{60 * (1 + h)} mg")), tolerance=1e-9)["CTX"]
        for h in (step, -step)
    )
    time = np.intersect1d(up["time"], found.curves["time"])
    expected = ((up - down) / (2 * step)).sel(arm="treated", time=time).values
    slope = slope[np.isin(found.curves["time"].values, time)]
    np.testing.assert_allclose(slope, expected, atol=1e-3 * np.abs(expected).max())
    assert np.abs(slope).max() > 0.1


def test_a_parameter_of_an_initial_state(scenario: osteon.Scenario) -> None:
    found = osteon.sensitivities(scenario, ["denosumab.r0"], series=["CTX"], arms=["treated"], endpoints=False)
    table = pd.DataFrame({"denosumab.r0": [614 * 1.02, 614 * 0.98]})
    pair = osteon.simulate(Cohort.from_table(scenario, table), series=["CTX"], tolerance=1e-10, backend="compiled")
    curves = pair["CTX"].sel(arm="treated").astype(float)
    expected = ((curves.sel(patient=0) - curves.sel(patient=1)) / 0.04).values
    slope = found.curves["CTX"].values.reshape(-1)
    # Far apart, because series of cohorts are kept in single precision.
    np.testing.assert_allclose(slope, expected, atol=5e-3 * np.abs(expected).max())
    assert np.abs(slope).max() > 0.05


def test_a_parameter_that_is_zero_has_its_plain_slope(scenario: osteon.Scenario) -> None:
    key = "endocrine.supplements"
    found = osteon.sensitivities(scenario, [key], series=["CTX"])
    assert set(found.table["value"]) == {0.0}
    assert set(found.table["elasticity"].dropna()) == {0.0}
    table = pd.DataFrame({key: [0.02, 0.0]})
    pair = osteon.sensitivities(Cohort.from_table(scenario, table), ["markers.ctx_floor"], series=["CTX"])
    last = pair.table[(pair.table["endpoint"] == "CTX_last") & (pair.table["arm"] == "treated")]["endpoint_value"]
    row = found.table[(found.table["endpoint"] == "CTX_last") & (found.table["arm"] == "treated")].iloc[0]
    assert row["slope"] == pytest.approx((last.iloc[0] - last.iloc[1]) / 0.02, rel=0.02)
    assert row["slope"] != 0


def test_slopes_do_not_depend_on_what_else_is_asked_for(scenario: osteon.Scenario, found: osteon.Sensitivities) -> None:
    few = osteon.sensitivities(scenario, KEYS[::-1], series=SERIES)
    for key in KEYS:
        for name in SERIES:
            one, all_of_them = few.curves[name].sel(parameter=key), found.curves[name].sel(parameter=key)
            scale = np.abs(all_of_them).max(("time", "arm"))
            if (scale > 1e-9).all():
                assert (np.abs(one - all_of_them).max(("time", "arm")) < 1e-4 * scale).all(), (key, name)


def test_threads_and_neighbours_change_no_bit(scenario: osteon.Scenario) -> None:
    cohort = Cohort.sample(scenario, 40, seed=2)
    one = osteon.sensitivities(cohort, KEYS, series=SERIES, threads=1)
    two = osteon.sensitivities(cohort, KEYS, series=SERIES, threads=2)
    fewer = osteon.sensitivities(Cohort.sample(scenario, 3, seed=2), KEYS, series=SERIES, threads=1)
    pd.testing.assert_frame_equal(one.table, two.table, check_exact=True)
    for name in SERIES:
        assert one.curves[name].identical(two.curves[name])
        np.testing.assert_array_equal(one.curves[name].values[:3], fewer.curves[name].values)


def test_arms_endpoints_and_progress_can_be_chosen(scenario: osteon.Scenario) -> None:
    told: list[tuple[int, int]] = []
    one = osteon.sensitivities(
        scenario, KEYS, arms=["never"], endpoints=False, on_progress=lambda done, total: told.append((done, total))
    )
    assert one.arms == ("never",)
    assert one.table.empty
    assert one.main_endpoints() == ()
    assert told[-1] == (len(KEYS), len(KEYS))
    assert told == sorted(told)


def test_the_strongest_come_first(found: osteon.Sensitivities) -> None:
    strongest = found.strongest("time_to_union", 5)
    assert strongest["parameter"].nunique() == 5
    assert len(strongest) == 10
    sizes = strongest.groupby("parameter", sort=False)["slope"].agg(lambda slopes: slopes.abs().max())
    assert list(sizes) == sorted(sizes, reverse=True)
    assert found.main_endpoints() == (
        *("time_to_union", "torsional_stiffness_week12", "torsional_stiffness_week26"),
        *("CTX_nadir", "BMD_total_hip_last"),
    )
    assert found.strongest("torsional_stiffness_week52").empty


def test_turnover_alone_and_imposed_effects() -> None:
    held = TEXT.replace("      - {drug", "      # {drug").replace("    doses:\n", "    impose: {free_rankl: 0.3}\n")
    lines = ["fracture: null" if line.startswith("fracture") else line for line in held.splitlines()]
    lines.insert(-1, "  - name: never")
    found = osteon.sensitivities(osteon.Scenario.parse("\n".join(lines)))
    keys = set(map(str, found.curves["parameter"].values))
    assert not {key for key in keys if key.startswith(("callus.", "radiograph.", "denosumab."))}
    assert found.main_endpoints() == ("CTX_nadir", "BMD_total_hip_last")
    table = found.table.set_index(["arm", "endpoint", "parameter"])
    assert table.loc[("treated", "CTX_last", "imposed.free_rankl"), "slope"] > 0
    assert table.loc[("treated", "CTX_last", "imposed.free_rankl"), ["value", "how"]].tolist() == [0.3, "defined"]
    # What only another arm has is no number here and changes nothing.
    assert np.isnan(table.loc[("never", "CTX_last", "imposed.free_rankl"), "value"])
    assert table.loc[("never", "BMD_total_hip_last", "imposed.free_rankl"), "slope"] == 0


def test_explicit_patients_with_doses_of_their_own() -> None:
    texts = [TEXT.replace("start: -40 days", f"start: {start} days") for start in (-40, -30)]
    cohort = Cohort.of([osteon.Scenario.parse(one) for one in texts])
    both = osteon.sensitivities(cohort, ["denosumab.bioavailability", "callus.hypertrophy"], series=["CTX"])
    for patient, text in enumerate(texts):
        alone = osteon.sensitivities(osteon.Scenario.parse(text), ["denosumab.bioavailability"], series=["CTX"])
        times = np.intersect1d(both.curves["time"], alone.curves["time"])
        ours = both.curves["CTX"].sel(patient=patient, parameter="denosumab.bioavailability", time=times)
        own = alone.curves["CTX"].sel(patient=0, parameter="denosumab.bioavailability", time=times)
        inside = np.isfinite(own.values)
        assert np.abs(ours.values - own.values)[inside].max() < 1e-4 * np.abs(own.values[inside]).max()
    assert set(both.table["patient"]) == {0, 1}


def test_a_patient_that_fails_is_left_empty(scenario: osteon.Scenario) -> None:
    table = pd.DataFrame({"markers.mineral_time": [90.0, 0.0]})
    found = osteon.sensitivities(Cohort.from_table(scenario, table), ["healing.clock"], series=["CTX"], arms=["never"])
    assert found.failed == 1
    assert found.failures.iloc[0][["patient", "arm"]].tolist() == [1, "never"]
    assert "no step was small enough" in found.failures["failure"].iloc[0]
    lost = found.table[found.table["patient"] == 1]
    assert lost[["endpoint_value", "slope", "elasticity"]].isna().all(axis=None)
    assert found.curves["CTX"].sel(patient=1).isnull().all()
    assert found.table[found.table["patient"] == 0]["slope"].notna().any()


BAD = {
    "a typing error": ({"parameters": ["callus.hypertrofy"]}, 'did you mean "callus.hypertrophy"'),
    "a conversion of units": ({"parameters": ["constants.percent"]}, "is not a parameter of these patients"),
    "named twice": ({"parameters": ["healing.clock", "healing.clock"]}, "is named twice"),
    "one text": ({"parameters": "healing.clock"}, "is not a list of parameters"),
    "none": ({"parameters": []}, "is not a list of parameters"),
    "an unknown arm": ({"arms": ["treted"]}, 'did you mean "treated"'),
    "an unknown series": ({"series": ["CTXX"]}, 'did you mean "CTX"'),
    "an unknown member": ({"member": "Z"}, "is not an ensemble member"),
    "an odd spacing": ({"every": 0}, "every"),
    "an odd tolerance": ({"tolerance": 1}, "tolerance"),
}


@pytest.mark.parametrize(("settings", "fragment"), BAD.values(), ids=BAD)
def test_settings_are_refused_in_a_sentence(scenario: osteon.Scenario, settings: dict, fragment: str) -> None:
    with pytest.raises(InputError) as stop:
        osteon.sensitivities(scenario, **settings)
    assert fragment in str(stop.value)


def test_what_is_neither_a_scenario_nor_a_cohort_or_far_too_large(scenario: osteon.Scenario) -> None:
    with pytest.raises(InputError, match="a scenario or a cohort"):
        osteon.sensitivities("demo")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="have their own"):
        osteon.sensitivities(Cohort.sample(scenario, 2), member="J")
    with pytest.raises(InputError, match="2 GB are allowed"):
        osteon.sensitivities(Cohort.sample(scenario, 100_000))


@pytest.mark.parametrize(("keys", "width"), [(1, 8), (3, 8), (4, 16), (7, 16), (8, 24), (127, 256)])
def test_lanes_of_a_parameter_share_an_eight(keys: int, width: int) -> None:
    layout = Layout(tuple(map(str, range(keys))))
    assert layout.width == width
    assert layout.width > 2 * keys
    lanes, apart = layout.change("0", np.array([2.0, 0.0]), 2)
    assert isinstance(lanes, np.ndarray)
    assert (lanes.reshape(2, width)[:, 2:] == [[2.0], [0.0]]).all()
    assert lanes[width + 1] == 0.0 < lanes[width]
    assert (apart > 0).all()

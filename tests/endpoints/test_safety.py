"""Safety endpoints: curves drawn by hand with known answers, and a course of treatment that is stopped."""

import numpy as np
import pytest
from scipy.stats import norm

from osteon.endpoints.crossing import at
from osteon.endpoints.safety import SAFETY_UNITS, WINDOW, at_each, safety_arrays
from osteon.engine.solve import Phase, solve
from osteon.model import calcium, markers, turnover
from osteon.model.drugs import denosumab
from osteon.model.system import System
from osteon.parameters import layered
from tests.support import values_of

PARAMETERS = layered("constants", "sutjandra2011", "turnover", "calcium")
VALUES = values_of(PARAMETERS)
BASELINE = VALUES["calcium.baseline"]
TIME = np.arange(-30.0, 1400.0)
INTERVAL = 365.25 / 2
REBOUND = [name for name in SAFETY_UNITS if name.startswith("rebound")]


def line(*corners: tuple[float, float]) -> np.ndarray:
    """A curve of straight pieces through (day, value)."""
    days, values = zip(*corners, strict=True)
    return np.interp(TIME, days, values)


#: Last dose on day 100; above baseline from day 300 to 700, highest on day 400, so a triangle of 400 x 60 / 2.
CTX = line((0, 0), (5, -80), (200, -80), (300, 0), (400, 60), (700, 0), (800, 0), (1400, 0))
CALCIUM = line((0, BASELINE), (10, 2.15), (100, BASELINE), (108, 2.2), (200, BASELINE))
SERIES = {
    "CTX": CTX,
    "BMD_lumbar_spine": line((0, 0), (280, 6), (1400, 6 - 0.01 * 1120)),
    "BMD_total_hip": line((0, 0), (280, 4), (1400, 4 - 0.005 * 1120)),
    "serum_calcium": CALCIUM,
}
DOSES = np.array([0.0, 100.0])


def found(**changed: np.ndarray) -> dict[str, float]:
    arrays = safety_arrays(TIME, SERIES | changed, 100.0, 280.0, VALUES, doses=DOSES)
    assert list(arrays) == list(SAFETY_UNITS)
    return {name: float(value) for name, value in arrays.items()}


def test_a_rebound_drawn_by_hand() -> None:
    one = found()
    assert one["rebound_start"] == pytest.approx(200.0)
    assert one["rebound_peak"] == pytest.approx(60.0)
    assert one["rebound_peak_day"] == pytest.approx(300.0)
    assert one["rebound_area"] == pytest.approx(400 * 60 / 2)
    assert one["rebound_days"] == pytest.approx(400.0)


def test_area_ends_two_years_after_the_last_dose() -> None:
    """CTX stays 20 % up for ever; the crossing and the end of the window both lie between two points."""
    one = found(CTX=line((0, 0), (5, -80), (299, -80), (301, 20), (1400, 20)))
    assert one["rebound_start"] == pytest.approx(200.6)
    assert one["rebound_days"] == pytest.approx(WINDOW - 200.6)
    assert one["rebound_area"] == pytest.approx(0.4 * 20 / 2 + 20 * (WINDOW - 201.0))


def test_every_dip_below_baseline_is_left_out() -> None:
    one = found(CTX=line((0, 0), (5, -50), (200, -50), (250, 50), (300, -50), (350, 50), (400, -50), (1400, -50)))
    assert one["rebound_start"] == pytest.approx(125.0)
    assert one["rebound_days"] == pytest.approx(100.0)
    assert one["rebound_area"] == pytest.approx(2 * 50 * 50 / 2)


def test_no_rise_above_baseline_is_no_rebound() -> None:
    """Treated, followed for two years and never above: no day and no peak, and an area of zero."""
    one = found(CTX=line((0, 0), (5, -80), (400, -80), (900, -10), (1400, -10)))
    assert all(np.isnan(one[name]) for name in ("rebound_start", "rebound_peak", "rebound_peak_day"))
    assert one["rebound_area"] == one["rebound_days"] == 0.0


def test_a_marker_that_was_never_suppressed_does_not_rebound() -> None:
    one = found(CTX=line((0, 0), (30, 80), (400, 0), (500, -4), (600, 20), (1400, 0)))
    assert all(np.isnan(one[name]) for name in REBOUND)


def test_a_rise_before_the_last_dose_is_not_counted() -> None:
    """A late dose: CTX was above baseline when it was given."""
    one = found(CTX=line((0, 0), (5, -80), (60, -80), (99, 40), (101, 40), (110, -80), (300, -80), (340, 80), (900, 0)))
    assert one["rebound_start"] == pytest.approx(220.0)


def test_an_end_in_mid_rise_is_no_peak() -> None:
    one = found(CTX=np.where(TIME > 350, np.nan, CTX))
    assert one["rebound_start"] == pytest.approx(200.0)
    assert all(np.isnan(one[name]) for name in REBOUND if name != "rebound_start")


def test_bone_lost_in_the_year_after_protection() -> None:
    one = found()
    assert one["BMD_lumbar_spine_lost"] == pytest.approx(0.01 * 365.25)
    assert one["BMD_total_hip_lost"] == pytest.approx(0.005 * 365.25)
    assert np.isnan(one["BMD_femoral_neck_lost"]), "there is no such curve"
    assert np.isnan(found(BMD_total_hip=np.where(TIME > 600, np.nan, SERIES["BMD_total_hip"]))["BMD_total_hip_lost"])


def test_calcium_nadir_and_its_risk() -> None:
    one = found()
    assert one["serum_calcium_nadir"] == pytest.approx(2.15)
    assert one["serum_calcium_nadir_day"] == 10.0
    spread = np.hypot(VALUES["safety.calcium_sd"], VALUES["safety.fall_cv"] * (BASELINE - 2.15))
    assert one["hypocalcaemia_risk"] == pytest.approx(norm.cdf((2.13 - 2.15) / spread))
    assert one["severe_hypocalcaemia_risk"] == pytest.approx(norm.cdf((1.87 - 2.15) / spread))
    later = safety_arrays(TIME, SERIES, 100.0, 280.0, VALUES)
    assert later["serum_calcium_nadir"] == pytest.approx(2.2), "without the other doses the last alone is looked at"
    assert later["serum_calcium_nadir_day"] == 8.0


def test_risk_of_a_lower_nadir_is_higher() -> None:
    levels = (2.35, 2.3, 2.2, 2.1, 2.0, 1.8)
    ones = [found(serum_calcium=line((0, BASELINE), (10, level), (100, BASELINE))) for level in levels]
    for name in ("hypocalcaemia_risk", "severe_hypocalcaemia_risk"):
        assert (np.diff([one[name] for one in ones]) > 0).all()
    assert ones[0]["hypocalcaemia_risk"] == pytest.approx(norm.cdf((2.13 - 2.35) / VALUES["safety.calcium_sd"]))
    assert all(one["severe_hypocalcaemia_risk"] < one["hypocalcaemia_risk"] for one in ones)


def test_never_treated_and_failed_patients_are_nan() -> None:
    never = safety_arrays(TIME, SERIES, np.nan, np.nan, VALUES, doses=np.array([np.nan, np.nan]))
    assert all(np.isnan(value) for value in never.values())
    failed = found(**{name: np.full(TIME.size, np.nan) for name in SERIES})
    assert all(np.isnan(value) for value in failed.values())


def test_many_patients_equal_each_alone() -> None:
    """Own doses, own horizons, own parameters, and patients never treated, to the last bit."""
    rng, patients = np.random.default_rng(4), 24
    walk = np.cumsum(rng.normal(0, 6, (patients, TIME.size)), axis=-1)
    series = {name: walk * rng.uniform(0.5, 1) for name in SERIES if name != "serum_calcium"}
    series["serum_calcium"] = 2.2 + 0.02 * np.sin(walk / 40)
    for curve in series.values():
        curve[np.arange(TIME.size) > rng.integers(500, TIME.size, patients)[:, None]] = np.nan
    last = np.where(rng.random(patients) < 0.2, np.nan, rng.uniform(0, 300, patients))
    doses = np.stack([last / 3, last, np.full(patients, np.nan)], axis=-1)
    spread = rng.uniform(0.05, 0.1, patients)
    values = VALUES | {"safety.calcium_sd": spread}
    many = safety_arrays(TIME, series, last, last + INTERVAL, values, doses=doses)
    assert any(np.isfinite(many[name]).any() for name in REBOUND)
    for i in range(patients):
        own = VALUES | {"safety.calcium_sd": float(spread[i])}
        curves = {name: v[i] for name, v in series.items()}
        alone = safety_arrays(TIME, curves, last[i], last[i] + INTERVAL, own, doses=doses[i])
        for name, value in alone.items():
            assert np.array_equal(value, many[name][i], equal_nan=True), name
    cube = {name: v.reshape(4, 6, -1) for name, v in series.items()}
    own = VALUES | {"safety.calcium_sd": spread.reshape(4, 6)}
    ends = (last + INTERVAL).reshape(4, 6)
    deep = safety_arrays(TIME, cube, last.reshape(4, 6), ends, own, doses=doses.reshape(4, 6, 3))
    assert all(np.array_equal(deep[name].ravel(), many[name], equal_nan=True) for name in SAFETY_UNITS)


def test_at_each_equals_at_for_one_moment() -> None:
    rng = np.random.default_rng(2)
    value = rng.normal(size=(5, TIME.size))
    value[:, -200:] = np.nan
    for moment in (-31.0, -30.0, 0.0, 17.25, 1198.0, 1199.0, 1199.5, 1399.0, 1500.0):
        one = at_each(TIME, value, np.full(5, moment))
        np.testing.assert_allclose(one, at(TIME, value, moment), rtol=1e-12, err_msg=str(moment))
    assert np.isnan(at_each(TIME, value, np.full(5, np.nan))).all()


# ---- a real course ---------------------------------------------------------------------------------------------------


def stopped(doses: int) -> dict[str, float]:
    """Endpoints after some half-yearly doses of 60 mg, followed for three years and a half from the last."""
    system = System("treated", (turnover.MODULE, markers.MODULE, calcium.MODULE, denosumab.MODULE), PARAMETERS)
    impulse = {"denosumab.depot": 60.0 * VALUES["denosumab.bioavailability"]}
    days = [INTERVAL * i for i in range(doses)]
    end = days[-1] + 1280.0
    pieces = solve([Phase(day, system, VALUES, impulse) for day in days], end)
    time, series = [], {name: [] for name in SERIES}
    for piece, stop in zip(pieces, [*days[1:], end], strict=True):
        time.append(np.arange(piece.start, stop))
        _, signals = piece.evaluate(time[-1])
        for name, curve in series.items():
            curve.append(signals[name])
    curves = {name: np.concatenate(curve) for name, curve in series.items()}
    until = days[-1] + INTERVAL
    arrays = safety_arrays(np.concatenate(time), curves, days[-1], until, VALUES, doses=np.array(days))
    return {name: float(value) for name, value in arrays.items()}


@pytest.fixture(scope="module")
def courses() -> list[dict[str, float]]:
    return [stopped(doses) for doses in (2, 4, 8)]


def test_stopping_after_two_years(courses: list[dict[str, float]]) -> None:
    """As in Bone 2011: above baseline within months of the interval's end, tens of per cent at the peak, bone lost."""
    one = courses[1]
    assert INTERVAL < one["rebound_start"] < INTERVAL + 180
    assert 20.0 < one["rebound_peak"] < 120.0
    assert one["rebound_start"] < one["rebound_peak_day"] < 600
    assert 100.0 < one["rebound_days"] < WINDOW - one["rebound_start"] + 1e-6
    assert 0.25 < one["rebound_area"] / (one["rebound_days"] * one["rebound_peak"]) < 1.0
    for site in ("lumbar_spine", "total_hip"):
        assert 1.0 < one[f"BMD_{site}_lost"] < 12.0
    # The first dose lowers calcium most, and the day counts from that one.
    assert 3.0 < one["serum_calcium_nadir_day"] < 15.0
    assert 0.0 < one["severe_hypocalcaemia_risk"] < 0.01 < one["hypocalcaemia_risk"] < 0.3


def test_longer_treatment_rebounds_more(courses: list[dict[str, float]]) -> None:
    for name in ("rebound_peak", "rebound_area", "BMD_lumbar_spine_lost", "BMD_total_hip_lost"):
        assert (np.diff([one[name] for one in courses]) > 0).all(), name
    assert (np.diff([one["rebound_start"] for one in courses]) < 0).all()

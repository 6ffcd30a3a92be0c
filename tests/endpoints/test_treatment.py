"""Which doses of an arm safety endpoints see, and what they say where there is nothing to tell."""

import numpy as np
import pytest

import osteon
from osteon.endpoints import SAFETY_PARAMETERS, SAFETY_UNITS, endpoint_arrays, endpoint_unit, endpoints
from osteon.endpoints.treatment import CALCIUM, Treatment, is_treated, treatment_of, treatments_of
from osteon.parameters import load
from osteon.scenario import Arm, Patient, catalogue

MONTH = 365.25 / 12
VALUES = {key: load("calcium")[key].value for key in SAFETY_PARAMETERS}
TIME = np.arange(0.0, 1500.0)
AFTER = [name for name in SAFETY_UNITS if name not in CALCIUM]


def arm(*doses: dict) -> Arm:
    return Arm(name="a", doses=[{"start": "0 days", "amount": "60 mg", **dose} for dose in doses])


def given(*doses: dict, end: float = 1499.0) -> Treatment:
    return treatment_of(arm(*doses), end, VALUES)


def series(patients: int = 1, seed: int = 3) -> dict[str, np.ndarray]:
    """CTX suppressed for a year and above baseline after it, density lost from then on, a dip of calcium."""
    rng = np.random.default_rng(seed)
    high = rng.uniform(20, 60, (patients, 1))
    sites = ("BMD_lumbar_spine", "BMD_total_hip", "BMD_femoral_neck")
    found = {
        "CTX": np.where(TIME < 365, -80.0, high * np.exp(-(((TIME - 500) / 200) ** 2)) - 1),
        "P1NP": np.zeros((patients, TIME.size)),
        "serum_calcium": 2.35 - 0.1 * np.exp(-(((TIME - 8) / 4) ** 2)) - 0.3 * np.exp(-(((TIME - 900) / 9) ** 2)),
        **{name: np.where(TIME < 365, TIME, 730 - TIME) / 100 for name in sites},
    }
    return {name: np.broadcast_to(curve, (patients, TIME.size)).copy() for name, curve in found.items()}


DENOSUMAB = {"drug": "denosumab", "every": "6 months", "count": 2}
ROMOSOZUMAB = {"drug": "romosozumab", "amount": "210 mg", "every": "1 month", "count": 12}
ALENDRONATE = {"drug": "alendronate", "amount": "70 mg", "start": "12 months", "every": "7 days", "count": 50}


@pytest.mark.parametrize(
    ("doses", "last", "until", "denosumab"),
    [
        ([DENOSUMAB], 6 * MONTH, 12 * MONTH, [0, 6 * MONTH]),
        ([{"drug": "denosumab"}], 0, 6 * MONTH, [0]),
        ([{"drug": "denosumab", "amount": "120 mg", "every": "4 weeks", "count": 3}], 56, 84, [0, 28, 56]),
        ([{"drug": "romosozumab", "amount": "210 mg"}], 0, MONTH, []),
        ([ROMOSOZUMAB, {**DENOSUMAB, "start": "12 months"}], 18 * MONTH, 24 * MONTH, [12 * MONTH, 18 * MONTH]),
        ([DENOSUMAB, ALENDRONATE], 6 * MONTH, 12 * MONTH, [0, 6 * MONTH]),
        # What still acts of the earlier drug protects too.
        ([{"drug": "denosumab"}, {"drug": "romosozumab", "start": "1 month"}], MONTH, 6 * MONTH, [0]),
        ([{"drug": "denosumab"}, {"drug": "denosumab", "amount": "0 mg", "start": "300 days"}], 0, 6 * MONTH, [0]),
        ([ALENDRONATE], np.nan, np.nan, []),
        ([], np.nan, np.nan, []),
    ],
    ids=str,
)
def test_last_dose_and_how_long_it_protects(doses: list[dict], last: float, until: float, denosumab: list) -> None:
    found = given(*doses)
    assert found.last_dose == pytest.approx(last, nan_ok=True)
    assert found.protected_until == pytest.approx(until, nan_ok=True)
    assert found.doses[np.isfinite(found.doses)] == pytest.approx(denosumab)
    many = treatments_of([arm(*doses), arm(), arm(DENOSUMAB)], 1499.0, VALUES)
    assert many.last_dose[0] == pytest.approx(last, nan_ok=True)
    assert np.isnan(many.last_dose[1])
    assert many.doses.shape == (3, max(2, len(denosumab)))


def test_drugs_whose_end_brings_a_rebound() -> None:
    known = {key: drug.protects for key, drug in catalogue.drugs().items() if drug.protects is not None}
    assert known == pytest.approx({"denosumab": 6 * MONTH, "romosozumab": MONTH})


def test_people_under_a_drug_alone_are_treated() -> None:
    human, mouse = Patient(), Patient(species="mouse", rankl="human")
    assert is_treated(human, [arm(), arm(ALENDRONATE)])
    assert not is_treated(human, [arm()])
    assert not is_treated(human, [arm({"drug": "denosumab", "amount": "0 mg"})])
    assert not is_treated(mouse, [arm({"drug": "denosumab", "amount": "0.1 mg"})])


def said(treatment: Treatment, **changed: np.ndarray) -> dict[str, tuple[float, str]]:
    curves = {name: curve[0] for name, curve in series().items()} | changed
    kept = treatment.end >= TIME
    rows = endpoints(TIME[kept], {name: curve[kept] for name, curve in curves.items()}, 0.0, treatment)
    assert all((row.note != "") == np.isnan(row.value) for row in rows)
    assert all(row.unit == endpoint_unit(row.endpoint) for row in rows)
    return {row.endpoint: (row.value, row.note) for row in rows if row.endpoint in SAFETY_UNITS}


def test_a_course_that_is_stopped_and_followed() -> None:
    found = said(given(DENOSUMAB))
    assert list(found) == list(SAFETY_UNITS)
    assert all(note == "" for _, note in found.values())
    assert found["BMD_total_hip_lost"][0] == pytest.approx(365.25 / 100, abs=0.01)


def test_calcium_is_looked_at_under_treatment_alone() -> None:
    """The deeper dip on day 900 comes long after the last interval, or under a later dose."""
    found = said(given(DENOSUMAB))
    assert found["serum_calcium_nadir"][0] == pytest.approx(2.25, abs=1e-6)
    assert found["serum_calcium_nadir_day"][0] == 8.0
    later = said(given({**DENOSUMAB, "count": 5}))
    assert later["serum_calcium_nadir"][0] == pytest.approx(2.05, abs=1e-6)


def test_without_safety_curves_or_doses() -> None:
    curves = {name: curve[0] for name, curve in series().items()}
    assert not set(SAFETY_UNITS) & {row.endpoint for row in endpoints(TIME, curves)}
    del curves["serum_calcium"]
    found = endpoint_arrays(TIME, curves, treatment=given(DENOSUMAB))
    assert all(np.isnan(found[name]) for name in CALCIUM)
    assert np.isfinite(found["rebound_peak"])


@pytest.mark.parametrize(
    ("treatment", "notes"),
    [
        (given(DENOSUMAB, end=365.25), dict.fromkeys(AFTER, "treatment goes on to the end")),
        (given(ALENDRONATE), dict.fromkeys(AFTER, "no drug whose end brings a rebound")),
        (given(ALENDRONATE), dict.fromkeys(CALCIUM, "no denosumab")),
        (given(ROMOSOZUMAB), dict.fromkeys(CALCIUM, "no denosumab")),
        (given(DENOSUMAB, end=500.0), dict.fromkeys(("BMD_total_hip_lost", "rebound_area"), "after the horizon")),
        (given(DENOSUMAB, end=500.0), {"rebound_peak": "after the horizon", "rebound_start": ""}),
    ],
    ids=lambda one: "" if isinstance(one, Treatment) else str(one),
)
def test_what_is_missing_says_why(treatment: Treatment, notes: dict[str, str]) -> None:
    found = said(treatment)
    assert {name: found[name][1] for name in notes} == notes


def test_a_marker_that_stays_low_or_never_fell_says_so() -> None:
    stays = said(given(DENOSUMAB), CTX=np.full(TIME.size, -50.0))
    assert stays["rebound_start"][1] == stays["rebound_peak"][1] == "not reached within the horizon"
    assert stays["rebound_area"] == (0.0, "")
    never = said(given(DENOSUMAB), CTX=np.zeros(TIME.size))
    assert never["rebound_area"][1] == never["rebound_days"][1] == "CTX was not lowered"


def test_many_patients_equal_each_alone() -> None:
    """Own arms and own horizons, to the last bit; one arm for all is the same as that arm for each."""
    arms = [arm(DENOSUMAB), arm(), arm(ROMOSOZUMAB), arm(ALENDRONATE), arm({**DENOSUMAB, "count": 8})]
    ends = np.array([1499.0, 1400.0, 700.0, 1499.0, 1461.0])
    curves = series(len(arms))
    for curve in curves.values():
        curve[ends[:, None] < TIME] = np.nan
    spread = np.linspace(0.05, 0.1, len(arms))
    values = VALUES | {"safety.calcium_sd": spread}
    many = endpoint_arrays(TIME, curves, 0.0, treatments_of(arms, ends, values))
    for place, (one, end) in enumerate(zip(arms, ends, strict=True)):
        own = {name: curve[place, end >= TIME] for name, curve in curves.items()}
        alone = treatment_of(one, float(end), VALUES | {"safety.calcium_sd": float(spread[place])})
        for row in endpoints(TIME[end >= TIME], own, 0.0, alone):
            assert np.array_equal(row.value, many[row.endpoint][place], equal_nan=True), row
    common = endpoint_arrays(TIME, curves, 0.0, treatments_of(arms[:1], ends, values))
    each = endpoint_arrays(TIME, curves, 0.0, treatments_of(arms[:1] * len(arms), ends, values))
    for name, found in each.items():
        assert np.array_equal(common[name], found, equal_nan=True), name


def test_presets_are_among_the_treated() -> None:
    stop, going, never = osteon.Scenario.preset("denosumab_stop").arms
    treated = [is_treated(Patient(), [one]) for one in (stop, going, never)]
    assert treated == [True, True, False]
    assert not treatment_of(stop, 1461.0, VALUES).goes_on
    assert treatment_of(going, 1461.0, VALUES).goes_on

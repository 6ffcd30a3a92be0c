"""Pain: the placebo arm it is fitted to, its spread between patients, and when a limb may be loaded."""

import numpy as np
import pytest

import osteon
from osteon.endpoints.function import fit_pain, full_loading, pain, pain_reported, pain_sd, shipped_values
from osteon.scenario import catalogue
from osteon.simulation import simulate
from tests.endpoints.function.curves import TIME, healing

P = shipped_values()
# Placebo arm, n = 22, no analgesics: nasal calcitonin trial 2016, table 2.
DAYS = np.array([0.0, 10.0, 45.0, 90.0, 180.0])
MEANS = np.array([3.36, 2.36, 1.36, 1.38, 0.32])
SDS = np.array([2.48, 2.01, 1.43, 1.56, 0.57])


def after(series: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    inside = TIME >= 0
    return TIME[inside], series["inflammation"][inside], series["torsional_stiffness"][inside]


def test_the_course_meets_the_arm_it_is_fitted_to() -> None:
    """A usual patient of that trial; each mean within one and a half of its standard errors."""
    scenario = osteon.Scenario.parse(
        {
            "osteon": 1,
            "title": "placebo arm",
            "patient": {"age": "65 yr", "sex": "female"},
            "fracture": {"bone": "distal_radius", "fixation": "cast"},
            "arms": [{"name": "placebo"}],
            "horizon": "200 days",
        }
    )
    course = simulate(scenario)
    time = course.data["time"].values
    inside = time >= 0
    inflammation, stiffness = (course[name].values[0][inside] for name in ("inflammation", "torsional_stiffness"))
    told = np.interp(DAYS, time[inside], pain(time[inside], inflammation, stiffness, P))
    assert np.abs((told - MEANS) / (SDS / np.sqrt(22))).max() < 1.5


def test_a_fit_finds_what_the_means_were_made_with() -> None:
    time, inflammation, stiffness = after(healing())
    truth = {**P, "pain.per_inflammation": 1.3, "pain.unhealed": 2.1, "pain.fading": 35.0}
    means = np.interp(DAYS, time, pain(time, inflammation, stiffness, truth))
    found = fit_pain(time, inflammation, stiffness, DAYS, means, SDS / np.sqrt(22), P)
    for name, (value, error) in found.items():
        assert value == pytest.approx(truth[name], rel=5e-3), name
        assert 0 < error < truth[name], name


def test_pain_never_rises_in_a_fracture_that_heals_and_stays_in_one_that_does_not() -> None:
    time, inflammation, stiffness = after(healing())
    hurt = pain(time, inflammation, stiffness, P)
    assert np.all(np.diff(hurt) <= 1e-12)
    assert hurt[time == 300][0] < 0.2
    open_still = pain(time, inflammation, 0 * stiffness, P)
    assert open_still[-1] == pytest.approx(P["pain.unhealed"])


def test_standing_inflammation_does_not_hurt() -> None:
    time, inflammation, stiffness = after(healing())
    assert np.allclose(pain(time, inflammation + 0.1, stiffness, P, 0.1), pain(time, inflammation, stiffness, P))


def test_patients_differ_as_those_of_the_trial() -> None:
    """SD of the five visits within 15 %, which is about their own error at 22 patients."""
    assert np.abs(pain_sd(MEANS, P) / SDS - 1).max() < 0.15
    said = pain_reported(np.tile(MEANS, (20_000, 1)), DAYS.tolist(), P, seed=3, lo=0)
    assert said.min() >= 0
    assert said.max() <= 10
    assert np.abs(said.mean(axis=0) / MEANS - 1).max() < 0.05
    assert np.abs(said.std(axis=0) / SDS - 1).max() < 0.15
    assert 0.3 < np.corrcoef(said[:, 1], said[:, 2])[0, 1] < 0.6


def test_a_patients_pain_depends_on_patient_seed_and_day_alone() -> None:
    expected = np.tile(MEANS, (30, 1))
    all_of_them = pain_reported(expected, DAYS.tolist(), P, seed=1, lo=0)
    some = pain_reported(expected[:5, [4, 1]], [180.0, 10.0], P, seed=1, lo=10)
    assert np.array_equal(some, all_of_them[10:15][:, [4, 1]])
    assert not np.array_equal(pain_reported(expected, DAYS.tolist(), P, seed=2, lo=0), all_of_them)


@pytest.mark.parametrize("fixation", sorted(catalogue.fixations()))
def test_every_fixation_carries_a_stated_share(fixation: str) -> None:
    assert 0 <= P[f"weight_bearing.carried_{fixation}"] <= 1


def test_loading_waits_for_pain_for_stiffness_and_for_leave() -> None:
    time, inflammation, stiffness = after(healing())
    hurt = pain(time, inflammation, stiffness, P)
    stiff = np.interp(P["weight_bearing.stiffness_limit"], stiffness, time)
    assert full_loading(time, hurt, stiffness, "cast", P) == pytest.approx(stiff)
    early = full_loading(time, hurt, stiffness, "nail", P)
    assert early < stiff
    assert np.interp(early, time, hurt) == pytest.approx(P["weight_bearing.pain_limit"], rel=1e-2)
    assert full_loading(time, hurt, stiffness, "nail", P, 42.0) == 42.0
    assert np.isnan(full_loading(time, hurt, 0 * stiffness, "cast", P))
    assert np.isnan(full_loading(time, hurt + 4, stiffness, "cast", P))
    assert np.isnan(full_loading(time, hurt, stiffness, "cast", P, 2 * time[-1]))

"""Harris hip score by items, and avascular necrosis by displacement, blood supply and time."""

import numpy as np
import pytest

from osteon.endpoints.function import (
    POINTS,
    Traits,
    blood_supply,
    harris_items,
    harris_score,
    necrosis_hazard,
    necrosis_risk,
    shipped_values,
    walking_ability,
)

P = shipped_values()
LATE = np.array([50 * 365.25])


def test_the_items_make_a_hundred_points() -> None:
    assert sum(points[0] for points in POINTS.values()) == 100
    assert all(list(points) == sorted(points, reverse=True) and points[-1] == 0 for points in POINTS.values())


def test_one_patient_has_the_points_of_the_form() -> None:
    best = harris_items(np.array(0.0), np.array(1.0), False, P, spread=False)
    assert {item: float(value) for item, value in best.items()} == {item: points[0] for item, points in POINTS.items()}
    worst = harris_items(np.array(10.0), np.array(0.0), False, P, spread=False)
    assert {item for item, value in worst.items() if value > 0} == {"deformity", "motion"}
    for pain, points in ((0.5, 44), (0.6, 40), (2.5, 30), (5.0, 20), (7.0, 10), (9.0, 0)):
        assert harris_items(np.array(pain), np.array(1.0), False, P, spread=False)["pain"] == points


def test_every_grade_of_every_item_can_be_had() -> None:
    pain, ability = np.meshgrid(np.linspace(0, 10, 101), np.linspace(0, 1, 101))
    found = harris_items(pain, ability, False, P, spread=False)
    for item in set(POINTS) - {"motion", "deformity"}:
        assert set(np.unique(found[item])) == set(POINTS[item]), item


def test_the_score_rises_with_stiffness_and_falls_with_pain_displacement_and_necrosis() -> None:
    pain, stiff = np.linspace(0, 10, 41), np.linspace(0, 3, 41)
    assert np.all(np.diff(harris_score(pain, 2.0, False, 0.1, P)) < 0)
    assert np.all(np.diff(harris_score(1.0, stiff, False, 0.1, P)) > 0)
    assert np.all(np.diff(harris_score(1.0, 2.0, False, np.linspace(0, 1, 11), P)) < 0)
    assert harris_score(1.0, 2.0, True, 0.1, P) < harris_score(1.0, 2.0, False, 0.1, P)
    assert np.isnan(harris_score(np.array([np.nan]), np.array([1.0]), False, 0.1, P)).all()


def test_expected_points_are_the_mean_of_patients() -> None:
    """Pain as it is reported, at full ability, where the grades by ability do not differ."""
    from osteon.endpoints.function import pain_reported

    said = pain_reported(np.full((20_000, 1), 1.4), [90.0], P, seed=5, lo=0)[:, 0]
    forms = harris_items(said, np.array(0.5), False, P, spread=False)["pain"].mean()
    assert float(harris_items(np.array(1.4), np.array(0.5), False, P)["pain"]) == pytest.approx(forms, abs=0.15)


def test_walking_needs_both_stiffness_and_comfort() -> None:
    assert walking_ability(np.array(3.0), np.array(0.0), P) > 0.95
    assert walking_ability(np.array(0.1), np.array(0.0), P) < 0.05
    assert walking_ability(np.array(3.0), np.array(9.0), P) < 0.05


@pytest.mark.parametrize(("displaced", "share"), [(True, 0.207), (False, 0.047)])
def test_necrosis_meets_the_pooled_share(displaced: bool, share: float) -> None:
    assert necrosis_risk(LATE, Traits(displaced=displaced), P)[0] == pytest.approx(share, rel=1e-6)


def test_necrosis_is_the_integral_of_its_hazard() -> None:
    time = np.linspace(0, 2000, 20_001)
    hazard = necrosis_hazard(time, Traits(displaced=True), P)
    total = np.concatenate([[0.0], np.cumsum(0.5 * (hazard[1:] + hazard[:-1]) * np.diff(time))])
    assert np.abs(-np.expm1(-total) - necrosis_risk(time, Traits(displaced=True), P)).max() < 1e-5
    assert necrosis_hazard(np.array([-5.0]), Traits(), P)[0] == 0


def test_a_flap_and_a_better_blood_supply_lower_the_hazard() -> None:
    traits = Traits(displaced=np.array([True, True, True]), flap=np.array([False, True, False]))
    traits = traits._replace(blood_supply=np.array([1.0, 1.0, 0.5]))
    hazard = necrosis_hazard(np.array([200.0]), traits, P)[:, 0]
    assert hazard[1] / hazard[0] == pytest.approx(P["necrosis.flap_ratio"])
    assert hazard[2] / hazard[0] == pytest.approx(2.0 ** P["necrosis.supply_exponent"])
    assert necrosis_risk(np.array([0.0, 300.0, 600.0]), traits, P).shape == (3, 3)


def test_blood_supply_is_one_in_the_usual_patient_and_less_where_vessels_are_late() -> None:
    time = np.arange(0.0, 365.0)
    usual, late = (1 / (1 + np.exp(-(time - day) / 10)) for day in (60, 90))
    found = blood_supply(time, np.stack([usual, late]), usual)
    assert found[0] == pytest.approx(1.0)
    assert found[1] == pytest.approx(60 / 90, rel=0.02)

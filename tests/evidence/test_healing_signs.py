"""Quantities of a course against closed forms, and the score of directions on effects made by hand."""

import numpy as np
import pytest

from osteon.errors import InputError
from osteon.evidence.healing import (
    animal_arms,
    healing_rows,
    needed_curves,
    pooled_arms,
    predicted,
    quantities,
    relative_effects,
    score_signs,
    sign_rows,
)

TIME = np.arange(0.0, 85.0)
ROWS = sign_rows(healing_rows("check"))


def level(row) -> float:
    """A relative effect with the observed sign."""
    return 0.2 * row.sign


def made(**levels: float) -> dict[str, dict[str, np.ndarray]]:
    """Constant curves, 1 in every arm but those named, two members."""
    wanted = needed_curves(ROWS)
    return {
        arm: {name: np.full((2, len(TIME)), levels.get(arm, 1.0)) for name in names} for arm, names in wanted.items()
    }


def test_effects_as_observed_are_all_right() -> None:
    score = score_signs(ROWS, np.array([[level(row) for row in ROWS]] * 3))
    assert score.right == len(score) == len(ROWS)
    assert score.misses == ()
    assert {one.agreeing for one in score.verdicts} == {1.0}
    assert score.by_study["Gerstenfeld2009"] == (16, 16)


def test_effects_turned_round_are_right_only_where_none_was_seen() -> None:
    score = score_signs(ROWS, np.array([[-level(row) for row in ROWS]]))
    assert {one.observed for one in score.verdicts if one.right} == {0}
    assert len(score.misses) == sum(row.sign != 0 for row in ROWS)


def test_the_dead_band_is_none_inside_and_a_direction_at_its_edge() -> None:
    up = next(row for row in ROWS if row.sign == 1)
    none = next(row for row in ROWS if row.sign == 0)
    for effect, is_up in ((0.049, False), (0.05, True), (-0.06, False)):
        first, second = score_signs((up, none), np.array([[effect, effect]])).verdicts
        assert (first.right, second.right) == (is_up, abs(effect) < 0.05)
    assert score_signs((up,), np.array([[0.05]]), band=0.1).right == 0


def test_members_are_counted_one_by_one_and_the_median_decides() -> None:
    up = next(row for row in ROWS if row.sign == 1)
    (verdict,) = score_signs((up,), np.array([[0.3], [0.1], [0.01], [np.nan]])).verdicts
    assert verdict.agreeing == 0.5  # a member without a value does not agree
    assert verdict.right
    assert verdict.effect == 0.1
    (lost,) = score_signs((up,), np.array([[np.nan]])).verdicts
    assert (lost.right, lost.agreeing) == (False, 0.0)
    none = next(row for row in ROWS if row.sign == 0)
    assert score_signs((none,), np.array([[np.nan]])).right == 0
    assert score_signs((up,), np.array([[np.inf], [np.inf]])).right == 1


def test_the_frame_has_a_line_for_each_row() -> None:
    frame = score_signs(ROWS, np.zeros((1, len(ROWS)))).frame()
    assert len(frame) == len(ROWS)
    assert frame["right"].sum() == sum(row.sign == 0 for row in ROWS)


@pytest.mark.parametrize("shape", [(0, len(ROWS)), (2, 3), (len(ROWS),)])
def test_predictions_of_another_shape_are_refused(shape) -> None:
    with pytest.raises(InputError, match="has the shape"):
        score_signs(ROWS, np.zeros(shape))


def test_a_band_outside_its_range_is_refused() -> None:
    with pytest.raises(InputError, match="above 0 and below 1"):
        score_signs(ROWS, np.zeros((1, len(ROWS))), band=0.0)


def test_a_row_that_is_not_a_ratio_has_no_direction() -> None:
    rows = [row for row in healing_rows("fit") if row.contrast == "absolute"][:1]
    with pytest.raises(InputError, match="not a ratio"):
        relative_effects(rows, TIME, {})


def test_equal_arms_have_no_effect_and_an_arm_twice_as_large_has_one() -> None:
    assert np.abs(relative_effects(ROWS, TIME, made())).max() == 0
    effects = relative_effects(ROWS, TIME, made(mouse_femur_dmab=2.0))
    assert effects.shape == (2, len(ROWS))
    changed = [row.arm == "mouse_femur_dmab" for row in ROWS]
    assert (effects[0, changed] == 1.0).all()
    assert not effects[0, ~np.array(changed)].any()


def test_a_pooled_arm_is_the_mean_of_its_parts() -> None:
    parts = pooled_arms()["rat_femur_za"]
    found = made(**dict(zip(parts, (1.0, 2.0, 6.0), strict=True)))
    at = [i for i, row in enumerate(ROWS) if row.arm == "rat_femur_za"]
    assert relative_effects(ROWS, TIME, found)[1, at] == pytest.approx(2.0)


def test_something_beside_nothing_is_infinitely_more_and_nothing_beside_nothing_is_equal() -> None:
    row = next(row for row in ROWS if row.quantity == "all_cartilage")
    found = made(**{row.against: 0.0})
    assert np.isposinf(relative_effects((row,), TIME, found)).all()
    assert not relative_effects((row,), TIME, made(**{row.against: 0.0, row.arm: 0.0})).any()


def test_quantities_of_known_courses() -> None:
    known = quantities()
    rise = {"callus_volume": np.stack([50 - (TIME - 12) ** 2, np.where(TIME < 30, TIME, np.nan)])}
    assert known["peak_of_callus"].evaluate(TIME, rise, 10)[0] == 12
    assert np.isnan(known["peak_of_callus"].evaluate(TIME, rise, 10)[1])
    assert known["onset_of_cartilage"].evaluate(TIME, {"cartilage": np.minimum(TIME, 40)[None]}, 7) == [2.0]
    line = {"callus_volume": 3.0 * TIME}
    assert known["callus_volume"].evaluate(TIME, line, 20.25) == pytest.approx(60.75)
    with pytest.raises(InputError, match="has no day 90"):
        known["callus_volume"].evaluate(TIME, line, 90)
    rod = {"torsional_strength": np.full(3, 2.0), "callus_radius": np.full(3, 2.0)}
    assert known["apparent_stress"].course(rod) == pytest.approx([0.25] * 3)


def test_numbers_over_time_and_against_intact_bone() -> None:
    rows = [row for row in healing_rows("fit") if row.study == "Collier2020"]
    names = needed_curves(rows)["mouse_femur_control"]
    found = {"mouse_femur_control": dict.fromkeys(names, 0.01 * TIME)}
    by = {(row.quantity, row.day): value for row, value in zip(rows, predicted(rows, TIME, found), strict=True)}
    assert by["strength", 21] == pytest.approx(0.21)
    assert by["cartilage", 28] == pytest.approx(2.0)
    assert by["twist_to_failure", 21] == pytest.approx(1.0)


def test_a_curve_that_is_missing_is_named() -> None:
    found = made()
    del found["mouse_femur_dmab"]["callus_BMD"]
    with pytest.raises(InputError, match="has no curve callus_BMD"):
        predicted(ROWS, TIME, found)
    assert set(found) <= set(animal_arms())

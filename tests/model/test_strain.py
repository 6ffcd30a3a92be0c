"""Strain measures against closed forms: pure shear, uniaxial strain, rotation, and the stimulus of a gap."""

from __future__ import annotations

import math

import numpy as np
import pytest

from osteon.errors import ModelError
from osteon.model import strain
from osteon.model.fracture import stimulus_per_strain
from osteon.parameters import load

SHEAR = 0.08  # engineering shear strain


@pytest.mark.parametrize("plane", [0, 1, 2])
def test_pure_shear(plane: int) -> None:
    """An engineering shear g: principal strains +-g/2, octahedral sqrt(2/3) g, von Mises g / sqrt(3)."""
    found = strain.tensor(np.zeros(3), SHEAR * np.eye(3)[plane])
    assert np.abs(found).max() == SHEAR / 2
    assert np.array_equal(found, found.T)
    np.testing.assert_allclose(strain.principal(found), [SHEAR / 2, 0.0, -SHEAR / 2], atol=1e-15)
    assert strain.octahedral_shear(found) == pytest.approx(math.sqrt(2 / 3) * SHEAR, rel=1e-12)
    assert strain.von_mises(found) == pytest.approx(SHEAR / math.sqrt(3), rel=1e-12)
    assert strain.dilatational(found) == 0.0


def test_engineering_shear_taken_for_tensor_shear_would_be_seen() -> None:
    right = strain.tensor(np.zeros(3), [0.0, 0.0, SHEAR])
    wrong = right * 2
    assert strain.octahedral_shear(wrong) == pytest.approx(2 * strain.octahedral_shear(right))
    assert strain.octahedral_shear(wrong) != pytest.approx(math.sqrt(2 / 3) * SHEAR, rel=0.1)


@pytest.mark.parametrize("ratio", [0.0, 0.167, 0.3, 0.5])
def test_uniaxial_strain(ratio: float) -> None:
    """Axial strain e with free sides: octahedral (2/3) sqrt(2) (1 + nu) e, von Mises (2/3) (1 + nu) e."""
    axial = -0.1
    found = strain.uniaxial(axial, ratio)
    assert strain.octahedral_shear(found) == pytest.approx(2 / 3 * math.sqrt(2) * (1 + ratio) * abs(axial), rel=1e-12)
    assert strain.von_mises(found) == pytest.approx(2 / 3 * (1 + ratio) * abs(axial), rel=1e-12)
    assert strain.dilatational(found) == pytest.approx((1 - 2 * ratio) * axial / 3, abs=1e-15)
    assert strain.octahedral_shear_of_gap(axial, ratio) == pytest.approx(strain.octahedral_shear(found))


def test_von_mises_of_an_incompressible_bar_is_its_axial_strain() -> None:
    assert strain.von_mises(strain.uniaxial(0.02, 0.5)) == pytest.approx(0.02, rel=1e-12)


def test_measures_follow_principal_differences_and_do_not_turn_with_the_axes() -> None:
    rng = np.random.default_rng(5)
    found = strain.tensor(rng.normal(size=(2, 7, 3)), rng.normal(size=(2, 7, 3)))
    e = strain.principal(found)
    assert e.shape == (2, 7, 3)
    assert (np.diff(e, axis=-1) <= 0).all()
    squares = (e[..., 0] - e[..., 1]) ** 2 + (e[..., 1] - e[..., 2]) ** 2 + (e[..., 2] - e[..., 0]) ** 2
    np.testing.assert_allclose(strain.octahedral_shear(found), 2 / 3 * np.sqrt(squares), rtol=1e-12)
    halves = strain.distortional(found, "principal_differences")
    np.testing.assert_allclose(halves, np.sqrt(squares / 2), rtol=1e-12)
    np.testing.assert_allclose(strain.distortional(found, "von_mises"), strain.von_mises(found), rtol=1e-12)
    np.testing.assert_allclose(halves, math.sqrt(1.5) * strain.distortional(found, "deviatoric_norm"), rtol=1e-12)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    np.testing.assert_allclose(
        strain.octahedral_shear(turn @ found @ turn.T), strain.octahedral_shear(found), rtol=1e-9
    )


def test_one_tensor_among_normal_strains_of_many() -> None:
    found = strain.tensor(np.zeros((4, 3)), [0.0, 0.0, SHEAR])
    assert found.shape == (4, 3, 3)


def test_stimulus_of_a_gap_follows_from_its_definition() -> None:
    table = load("fixation")
    ratio, scale = table["strain.poisson_ratio"].value, table["strain.octahedral_scale"].value
    assert stimulus_per_strain().value == pytest.approx(2 / 3 * math.sqrt(2) * (1 + ratio) / scale, rel=1e-12)
    assert stimulus_per_strain().value == pytest.approx(30, rel=0.05)


def test_what_is_no_strain_tensor_is_refused() -> None:
    with pytest.raises(ModelError, match=r"\(\.\.\., 3, 3\)"):
        strain.octahedral_shear(np.zeros((2, 6)))
    with pytest.raises(ModelError, match="von_mises"):
        strain.distortional(np.zeros((3, 3)), "von_mise")

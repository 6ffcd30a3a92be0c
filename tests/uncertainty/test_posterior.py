"""Draws and structures as the lower layer reads them."""

from pathlib import Path

import numpy as np
import pytest

from osteon.calibrate.turnover import free_parameters
from osteon.errors import InputError
from osteon.model.systems import SYSTEMIC_PARAMETERS
from osteon.parameters import layered, load, posterior
from osteon.parameters.posterior import STRUCTURES, Draws, fixed_by, read_draws
from osteon.scenario import catalogue

from .standin import draws, write


def test_draws_are_read_as_they_were_written(shipped: Path) -> None:
    read, before = read_draws(shipped), draws()
    assert read.keys == before.keys
    assert read.structures == before.structures
    assert np.array_equal(read.values, before.values, equal_nan=True)
    assert read.content_hash() == before.content_hash() == posterior.shipped().content_hash()
    assert read.content_hash() != draws(seed=2).content_hash() != read.taken([0]).content_hash()


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structure_is_a_set_that_a_scenario_may_name(name: str) -> None:
    fixed = fixed_by(name)
    assert fixed
    assert set(fixed) <= set(load(name)) <= set(layered(*SYSTEMIC_PARAMETERS))
    assert name in catalogue.parameter_sets()
    for key, value in fixed.items():
        low, high = load(name)[key].range or (-np.inf, np.inf)
        assert low <= value <= high


def test_structures_differ() -> None:
    assert len({tuple(sorted(fixed_by(name).items())) for name in STRUCTURES}) == len(STRUCTURES)
    assert fixed_by("recycling_half")["turnover.recycling"] == 0.5


def test_a_draw_gives_what_its_structure_fixes_and_the_rest_is_as_usual() -> None:
    some = Draws(
        ("turnover.pool_coupling", "turnover.drug_loss"),
        np.array([[0.7, 1.0], [np.nan, 2.0], [np.nan, np.nan]]),
        ("recycling_half", "gate_blocking", "recycling_full"),
        {},
    )
    usual = {"turnover.pool_coupling": 0.9, "turnover.drug_loss": 0.8, "turnover.recycling": 0.6}
    found = some.columns(usual)
    assert found["turnover.pool_coupling"].tolist() == [0.7, 1.0, 0.9]
    assert found["turnover.drug_loss"].tolist() == [1.0, 2.0, 0.8]
    assert found["turnover.recycling"].tolist() == [0.5, 0.0, 1.0]
    assert set(some.columns(usual, {"turnover.recycling"})) == {"turnover.pool_coupling", "turnover.drug_loss"}


def test_what_is_free_may_not_be_what_is_fixed() -> None:
    stand_in = draws()
    for row, structure in enumerate(stand_in.structures):
        assert not set(stand_in.parameters(row)) & set(fixed_by(structure))
    assert set(stand_in.keys) == {one.key for one in free_parameters()}


def test_no_shipped_posterior_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posterior, "SHIPPED", tmp_path / "none.nc")
    assert posterior.shipped() is None


def test_a_changed_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "turnover.nc", draws(size=3))
    monkeypatch.setattr(posterior, "SHIPPED", path)
    assert len(posterior.shipped()) == 3
    write(path, draws(size=5))
    assert len(posterior.shipped()) == 5


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.nc").write_bytes(b"no NetCDF")
    with pytest.raises(InputError) as caught:
        read_draws(tmp_path / "bad.nc")
    assert caught.value.path == str(tmp_path / "bad.nc")

"""Patients who each have a draw of the posterior."""

from pathlib import Path

import numpy as np
import pytest

import osteon
from osteon.errors import InputError
from osteon.parameters import posterior
from osteon.parameters.posterior import fixed_by
from osteon.population import Cohort

from .standin import draws, write
from .test_draws_of_a_course import scenario

TURNOVER = {"fracture": None, "horizon": "60 days"}


def test_each_patient_has_a_draw_and_the_spread_on_top() -> None:
    cohort = Cohort.sample(scenario(**TURNOVER), 60, draws=True)
    block, plain = cohort.block(0, 60), Cohort.sample(scenario(**TURNOVER), 60).block(0, 60)
    every, who = posterior.shipped(), block.patients
    assert set(who) - set(plain.patients) == {"draw", "structure"}
    assert len(set(who["draw"])) > 10
    (group,) = block.groups
    for patient, number in enumerate(who["draw"]):
        assert who["structure"][patient] == every.structures[number]
        recycling = fixed_by(every.structures[number])["turnover.recycling"]
        assert np.broadcast_to(group.values["turnover.recycling"], 60)[patient] == recycling
        given = every.parameters(int(number))
        for key in ("turnover.drug_loss", "denosumab.potency", "markers.ctx_floor"):
            factor = who[f"x {key}"][patient] if f"x {key}" in who else 1.0
            assert group.values[key][patient] == pytest.approx(given[key] * factor, rel=1e-12), key
    # What is not of the posterior is as it was.
    assert np.array_equal(who["weight"], plain.patients["weight"])
    assert np.array_equal(group.values["denosumab.cl"], plain.groups[0].values["denosumab.cl"])


def test_a_patient_is_the_same_in_any_block() -> None:
    cohort = Cohort.sample(scenario(**TURNOVER), 60, draws=True)
    whole, part = cohort.block(0, 60), cohort.block(20, 33)
    assert np.array_equal(whole.patients["draw"][20:33], part.patients["draw"])
    for key in ("turnover.drug_loss", "turnover.pool_coupling"):
        assert np.array_equal(whole.groups[0].values[key][20:33], part.groups[0].values[key])


def test_cohorts_with_and_without_are_told_apart() -> None:
    plain, drawn = Cohort.sample(scenario(**TURNOVER), 5), Cohort.sample(scenario(**TURNOVER), 5, draws=True)
    assert "draws" not in plain.to_dict()
    assert plain.content_hash() != drawn.content_hash()
    assert Cohort.from_dict(drawn.to_dict()) == drawn
    assert Cohort.from_dict(plain.to_dict()) == plain


def test_another_posterior_is_not_taken_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cohort = Cohort.sample(scenario(**TURNOVER), 5, draws=True)
    monkeypatch.setattr(posterior, "SHIPPED", write(tmp_path / "turnover.nc", draws(seed=2)))
    for ask in (lambda: cohort.block(0, 5), lambda: Cohort.from_dict(cohort.to_dict())):
        with pytest.raises(InputError, match="another posterior"):
            ask()


def test_what_has_no_posterior_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="of people"):
        Cohort.sample(scenario(patient={"species": "mouse"}, arms=[{"name": "a"}]), 5, draws=True)
    monkeypatch.setattr(posterior, "SHIPPED", tmp_path / "none.nc")
    with pytest.raises(InputError, match="no posterior"):
        Cohort.sample(scenario(), 5, draws=True)


def test_a_named_structure_is_that_of_every_patient() -> None:
    cohort = Cohort.sample(scenario(parameters=["recycling_half"], **TURNOVER), 12, draws=True)
    assert set(cohort.block(0, 12).patients["structure"]) == {"recycling_half"}


def test_the_result_says_which_draw_a_patient_had() -> None:
    cohort = Cohort.sample(scenario(**TURNOVER), 6, draws=True, spread="none")
    result = osteon.simulate(cohort, backend="python", series=["CTX"])
    patients = result.patients()
    assert patients["draw"].tolist() == cohort.block(0, 6).patients["draw"].tolist()
    assert set(patients["structure"]) <= set(posterior.shipped().structures)
    assert not result.endpoints()["failure"].any()

"""A whole calibration: bits, resuming, structures, blocks."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from osteon.calibrate.free import Free
from osteon.calibrate.run import Calibration, Problems, calibrate
from osteon.calibrate.structures import allot, thin, weights
from osteon.calibrate.subject import Settings
from osteon.errors import InputError, MissingExtra, ModelError

from . import toys
from .toys import DAYS, Toy, closed_form, linear, observed

SMALL = {"seed": 7, "steps": 40, "starts": 2}


def both() -> Problems:
    return toys.problems(toys.STRUCTURES, Settings())


def bits(found: Calibration) -> list[bytes]:
    joint = found.joint
    arrays = (joint.draws.values, joint.log_probability, joint.predicted, joint.replicate)
    return [one.tobytes() for one in arrays] + ["".join(joint.draws.structures).encode()]


@pytest.fixture(scope="module")
def whole() -> Calibration:
    return calibrate(both(), **SMALL)


def test_the_seed_settles_every_bit(whole: Calibration) -> None:
    assert bits(calibrate(both(), **SMALL)) == bits(whole)
    other = calibrate(both(), **{**SMALL, "seed": 8})
    assert not np.array_equal(other.joint.draws.values, whole.joint.draws.values)


@pytest.mark.parametrize(
    "when", ["plain, core: fit", "step 23 of 40", "romosozumab: what the data", "bent, core: samp"]
)
def test_a_stopped_run_goes_on_with_equal_bits(whole: Calibration, tmp_path: Path, when: str) -> None:
    def stop(what: str, done: int, total: int) -> None:
        assert 0 <= done <= total
        if when in what:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(both(), folder=tmp_path, on_progress=stop, **SMALL)
    said: list[str] = []
    resumed = calibrate(both(), folder=tmp_path, resume=True, on_progress=lambda what, *_: said.append(what), **SMALL)
    assert bits(resumed) == bits(whole)
    if when == "bent, core: samp":
        assert not [one for one in said if one.startswith("plain") and "step" in one], "what was done is done again"


def test_more_steps_go_on_from_what_is_there(tmp_path: Path) -> None:
    short, long = {**SMALL, "steps": 20}, {**SMALL, "steps": 30}
    calibrate(both(), folder=tmp_path, **short)
    assert bits(calibrate(both(), folder=tmp_path, resume=True, **long)) == bits(calibrate(both(), **long))


def test_a_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    settings = {**SMALL, "steps": 4}
    calibrate(both(), folder=tmp_path, **settings)
    with pytest.raises(InputError, match="already holds a calibration; go on with --resume"):
        calibrate(both(), folder=tmp_path, **settings)
    with pytest.raises(InputError, match="whose seed differs: it is 7, and here it is 8"):
        calibrate(both(), folder=tmp_path, resume=True, **{**settings, "seed": 8})

    changed = {name: dict(blocks) for name, blocks in both().items()}
    for blocks in changed.values():
        rows = blocks["core"].observed
        blocks["core"] = replace(blocks["core"], observed=replace(rows, value=rows.value + 1))  # type: ignore[type-var]
    with pytest.raises(InputError, match="whose data differs"):
        calibrate(changed, folder=tmp_path, resume=True, **settings)

    changed = {name: dict(blocks) for name, blocks in both().items()}
    before = changed["bent"]["core"]
    changed["bent"]["core"] = replace(before, model=lambda z: before.predict(z) + 0.01)  # type: ignore[type-var]
    with pytest.raises(InputError, match="calibrated with another model"):
        calibrate(changed, folder=tmp_path, resume=True, **settings)
    with pytest.raises(InputError, match="no folder to go on with"):
        calibrate(both(), resume=True, **settings)


def test_structures_weigh_as_their_evidence() -> None:
    # Close enough to the rows that no variance is added, so that the evidence is known.
    matrix, widths = np.column_stack([np.ones(12), DAYS]), [5.0, 2.0]
    rows = observed(1 + DAYS + np.sin(5 * DAYS), 2.0, CTX=1.0)
    other = np.column_stack([np.ones(12), DAYS**1.2])
    problems = {
        "first": {"core": linear(matrix, rows, widths, structure="first")},
        "second": {"core": linear(other, rows, widths, structure="second")},
    }
    found = calibrate(problems, **SMALL)
    known = [closed_form(one, rows, widths)[2] for one in (matrix, other)]
    ratio = np.exp(known[0] - known[1])
    assert 1.1 < ratio < 100
    assert found.weights["first"] == pytest.approx(ratio / (1 + ratio), rel=1e-4)
    taken = found.joint.draws.structures.count("first")
    assert abs(taken - 200 * found.weights["first"]) < 1
    assert len(found.joint.draws) == 200
    assert found.leading == "first"


def test_draws_are_allotted_by_weight() -> None:
    weight = weights({"a": -1000.0, "b": -1000.0 + np.log(2), "c": -1010.0, "d": -4000.0})
    assert sum(weight.values()) == pytest.approx(1)
    assert weight["b"] == pytest.approx(2 * weight["a"])
    for seed in range(50):
        taken = allot(weight, 37, seed)
        assert sum(taken.values()) == 37
        assert all(abs(taken[name] - 37 * weight[name]) < 1 for name in weight)
    assert {allot(weight, 37, seed)["a"] for seed in range(50)} == {12, 13}
    for count in (0, 201):
        with pytest.raises(InputError, match="1 to 200"):
            allot(weight, count, 1)
    places = thin(1000, 100, 1, "")
    assert set(np.diff(places)) <= {9, 10, 11}
    assert places.max() < 1000


def test_blocks_are_drawn_together_to_first_order() -> None:
    # The core sees a; the block's rows see a + b, so that b follows a with slope -1 (nearly: it has a prior).
    def problems() -> Problems:
        core = linear(np.ones((12, 1)), observed(np.full(12, 2.0), 3.0), [10.0])
        free = (*core.free, Free("toy.b", "linear", 0.0, 50.0, "drug"))
        rows = observed(np.full(12, 7.0), 0.5, endpoint="P1NP")
        drug = Toy(free, rows, lambda z: np.repeat(z.sum(axis=1, keepdims=True), 12, axis=1), block="drug")
        return {"only": {"core": core, "drug": drug}}

    found = calibrate(problems(), seed=3, steps=800, starts=1)
    a, b = found.joint.draws.of("toy.a"), found.joint.draws.of("toy.b")
    own = 1 / (12 / 0.5**2 + 1 / 50.0**2)
    follows = -own * 12 / 0.5**2
    spread_a = 1 / (12 / 3.0**2 + 1 / 10.0**2)
    assert found.stages["only"]["drug"].shift == pytest.approx(np.array([[follows]]), rel=1e-6)
    # 200 draws: a standard deviation is known to 5 %.
    assert a.std() == pytest.approx(np.sqrt(spread_a), rel=0.2)
    assert b.std() == pytest.approx(np.sqrt(own + follows**2 * spread_a), rel=0.2)
    assert (a + b).std() == pytest.approx(np.sqrt(own), rel=0.2)
    assert np.corrcoef(a, b)[0, 1] < -0.9
    assert found.joint.predicted[:, 12:] == pytest.approx(np.repeat((a + b)[:, None], 12, axis=1))
    errors = found.joint.replicate[:, 12:] - found.joint.predicted[:, 12:]
    assert errors.std() == pytest.approx(0.5, rel=0.1)


BAD = {
    "steps": ({"steps": 0}, "steps: 0 is not allowed"),
    "starts": ({"starts": 0}, "starts: 0 is not allowed"),
    "draws": ({"draws": 500}, "draws: 500 is not allowed"),
    "seed": ({"seed": -1}, "seed: -1 is not a whole number"),
    "walkers": ({"walkers": 3}, "walkers: 3 is too few or odd"),
}


@pytest.mark.parametrize(("settings", "says"), BAD.values(), ids=BAD)
def test_bad_settings_are_named(settings: dict, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        calibrate(both(), folder=tmp_path / "out", **{**SMALL, **settings})
    assert says in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_problems_that_do_not_fit_together_are_refused() -> None:
    good = both()
    with pytest.raises(ModelError, match="no problem"):
        calibrate({}, **SMALL)
    with pytest.raises(ModelError, match="own free parameters are none, or of another block"):
        calibrate({"plain": {"romosozumab": good["plain"]["romosozumab"]}}, **SMALL)
    with pytest.raises(ModelError, match="the problem calls itself plain, core"):
        calibrate({"bent": {"core": good["plain"]["core"]}}, **SMALL)
    other = {"core": toys.core("bent", observed(DAYS))}
    with pytest.raises(ModelError, match="its rows are not those of the other structures"):
        calibrate({"plain": {"core": good["plain"]["core"]}, "bent": other}, **SMALL)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("osteon.calibrate.run.find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as refused:
        calibrate(both(), **SMALL)
    assert str(refused.value) == 'Calibration needs an optional package: pip install "osteon[calibrate]".'


def test_what_was_asked_for_is_kept(whole: Calibration, tmp_path: Path) -> None:
    assert json.loads(json.dumps(whole.manifest)) == dict(whole.manifest)
    assert set(whole.manifest["data"]) == {"core", "romosozumab"}
    assert whole.manifest["free"]["plain"] == whole.manifest["free"]["bent"]
    assert whole.joint.draws.attributes["seed"] == 7

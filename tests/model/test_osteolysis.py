"""A lytic lesion: grows untreated as its rate says, is quiet and fills under denosumab, and takes nothing from bone."""

from __future__ import annotations

import numpy as np
import pytest

from osteon.engine.solve import Phase, solve
from osteon.errors import InputError
from osteon.model.person import parameters_for
from osteon.model.systems import assemble
from osteon.model.unit_check import check_units
from osteon.parameters import load
from osteon.replay import osteolysis
from osteon.replay.osteolysis import lesion_course
from osteon.replay.osteolysis_checks import HALF_YEARLY, MONTHLY, NONE, Direction, directions, lesion_scenario
from osteon.scenario import Scenario

_END = 200.0


def _solved(free_rankl: float) -> dict[str, np.ndarray]:
    system = assemble(fractured=False, imposed=["free_rankl"], lesion=True)
    values = {key: record.value for key, record in parameters_for(lesion_scenario("giant_cell_tumour")).items()}
    values |= {key: record.value for key, record in load("osteolysis").items()}
    (piece,) = solve([Phase(0.0, system, {**values, "imposed.free_rankl": free_rankl}, {})], _END)
    states, signals = piece.evaluate(np.linspace(0.0, _END, 41))
    return {**states, **signals}


def test_units_and_names() -> None:
    system = assemble(fractured=False, drugs=["denosumab"], lesion=True)
    check_units(system)
    assert "osteolysis" in system.name
    assert not any(key.startswith("osteolysis.") for key in assemble(fractured=False).states)


def test_an_untreated_lesion_grows_at_its_rate() -> None:
    found = _solved(1.0)
    growth = load("osteolysis")["osteolysis.growth"].value
    assert found["osteolysis.void"][-1] == pytest.approx(np.exp(growth * _END), rel=1e-4)
    assert found["osteolysis.bone"] == pytest.approx(0.0, abs=1e-9)


def test_a_quiet_lesion_fills_and_what_fills_it_was_void() -> None:
    found = _solved(0.0)
    filling = load("osteolysis")["osteolysis.filling"].value
    # Osteoclasts go within days, so that the lesion hardly grows and fills as if alone.
    assert found["osteolysis.void"][-1] == pytest.approx(np.exp(-filling * _END), rel=0.02)
    total = found["osteolysis.void"] + found["osteolysis.bone"]
    assert np.all(np.diff(total) >= -1e-9)
    assert total[-1] < 1.02


def test_a_surplus_protects_osteoclasts_from_half_a_blockade() -> None:
    system = assemble(fractured=False, imposed=["free_rankl"], lesion=True)
    values = {key: record.value for key, record in parameters_for(lesion_scenario("particles")).items()}
    values |= {key: record.value for key, record in load("osteolysis").items()} | {"imposed.free_rankl": 0.5}
    left = []
    for surplus in (1.0, 50.0):
        (piece,) = solve([Phase(0.0, system, {**values, "osteolysis.surplus": surplus}, {})], _END)
        left.append(piece.evaluate(np.array([_END]))[0]["osteolysis.osteoclasts"][0])
    assert left[0] < left[1] < 1


def test_denosumab_against_a_tumour(monkeypatch: pytest.MonkeyPatch) -> None:
    course = lesion_course(lesion_scenario("giant_cell_tumour", months=7), draws=2)
    assert course.failed == 0
    # Each draw takes what is assumed anew.
    untreated = course.curves["lesion_void"][course.arms.index(NONE), :, -1]
    assert untreated[0] != untreated[1]
    osteoclasts, bone = (course.at(name, 182.0) for name in ("lesion_osteoclasts", "lesion_new_bone"))
    assert osteoclasts[NONE][0] == pytest.approx(1.0)
    assert osteoclasts[MONTHLY][0] < osteoclasts[HALF_YEARLY][0] < 1
    assert bone[MONTHLY][0] > bone[HALF_YEARLY][0] > bone[NONE][0]
    assert np.isnan(course.at("lesion_void", 1000.0)[NONE]).all()

    monkeypatch.setattr("osteon.replay.osteolysis_checks.lesion_course", lambda *_, **__: course)
    found, _ = directions(2)
    tumour = next(one for one in found if "Deveci" in one.study)
    assert tumour.agrees
    assert "252" in tumour.said


@pytest.mark.parametrize(("low", "high", "sign"), [(-2.0, -0.1, -1), (-1.0, 1.0, 0), (0.5, 2.0, 1)])
def test_a_direction_whose_range_spans_nothing_is_none(low: float, high: float, sign: int) -> None:
    one = Direction("a study", "what it saw", "a measure", 1, (low + high) / 2, low, high)
    assert one.sign == sign
    assert one.agrees == (sign == 1)


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"lesion": "giant_cell_tumor"}, "lesion"),
        ({"draws": 0}, "draws"),
        ({"scenario": Scenario.preset("metatarsal_on_denosumab")}, "fracture"),
        ({"scenario": Scenario.parse({"osteon": 1, "title": "m", "patient": {"species": "mouse"}, "fracture": None,
                                      "arms": [{"name": "a"}], "horizon": "1 yr"})}, "patient.species"),
    ],
)  # fmt: skip
def test_refused(changed: dict, path: str) -> None:
    given = {"scenario": lesion_scenario("particles"), "lesion": "particles", **changed}
    with pytest.raises(InputError) as caught:
        osteolysis.lesion_course(given.pop("scenario"), **given)
    assert caught.value.path == path

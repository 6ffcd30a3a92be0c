"""What a fracture sets: bone, callus envelope, fixation, and weight bearing over time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from osteon.engine.solve import Phase, solve
from osteon.model import loading
from osteon.model.fracture import outer_radius
from osteon.model.person import person_parameters
from osteon.model.system import System
from osteon.model.systems import HEALING, assemble
from osteon.parameters import load
from osteon.scenario import catalogue
from osteon.scenario.patient import Fracture, Patient
from tests.support import MOUSE_FEMUR, prototype_parameters, values_of


def values(species: str = "human", bone: str = "tibia", fixation: str = "nail", **more: Any) -> dict[str, float]:
    fracture = Fracture(bone=bone, fixation=fixation, **more)
    return values_of(person_parameters(Patient(species=species), fracture))


def course(days: float, given: dict[str, float]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    times = np.arange(days + 1.0)
    system = assemble(fractured=True, skeleton=False)
    return times, solve([Phase(0.0, system, given)], days)[0].evaluate(times)[1]


def test_mouse_femur_with_a_pin_is_that_of_the_prototype() -> None:
    found, prototype = values("mouse", "femur", "intramedullary_pin"), values_of(prototype_parameters())
    for name, size in MOUSE_FEMUR.items():
        assert found[f"bone.{name}"] == pytest.approx(size, rel=1e-6)
    assert found["mechanics.initial_stimulus"] == pytest.approx(prototype["mechanics.initial_stimulus"], rel=1e-6)
    assert found["mechanics.fixation_stiffness"] == prototype["mechanics.fixation_stiffness"]


@pytest.mark.parametrize("species", list(catalogue.species()))
@pytest.mark.parametrize("bone", list(catalogue.bones()))
def test_every_bone_of_every_species_is_a_tube_inside_its_callus(species: str, bone: str) -> None:
    found = values(species, bone)
    inner, outer, envelope = (found[f"bone.{name}"] for name in ("inner_radius", "outer_radius", "envelope_radius"))
    assert 0 < inner < outer < envelope
    assert found["bone.length"] > 0
    assert outer <= outer_radius(bone, "human").value


def test_every_fixation_of_the_catalogue_has_stiffness_and_strain() -> None:
    table = load("fixation")
    for group in ("axial_stiffness", "initial_strain"):
        keys = {key.partition(".")[2] for key in table if key.startswith(f"{group}.")}
        assert keys == set(catalogue.fixations()), group


def test_firmer_fixation_leaves_less_strain() -> None:
    order = ("none", "cast", "nail", "plate", "compression_plate")
    found = [values(fixation=fixation) for fixation in order]
    stiffness = [v["mechanics.fixation_stiffness"] for v in found]
    assert stiffness == sorted(stiffness)
    strain = [v["mechanics.initial_stimulus"] for v in found]
    assert strain == sorted(strain, reverse=True)


def test_strain_of_the_scenario_goes_before_that_of_the_fixation() -> None:
    ratio = (
        values(interfragmentary_strain="10 %")["mechanics.initial_stimulus"] / values()["mechanics.initial_stimulus"]
    )
    assert ratio == pytest.approx(0.10 / load("fixation")["initial_strain.nail"].value)


def test_callus_grows_best_between_too_stiff_and_too_loose() -> None:
    """U-shape: too little strain makes little callus, and at 30 % nothing bears load after a year."""
    reached = {}
    for strain in ("0.1 %", "5 %", "30 %"):
        _, found = course(365, values(interfragmentary_strain=strain))
        reached[strain] = found["torsional_stiffness"].max()
    assert reached["5 %"] > 1.3 * reached["0.1 %"]
    assert reached["30 %"] < load("radiograph")["radiograph.bridging_stiffness"].value


# ---- weight bearing ------------------------------------------------------------------------------------------------


def test_immediate_full_load_equals_no_rule_of_loading() -> None:
    """To the bit, at states along the course: stimulus and every rate but that of the days."""
    given = values()
    whole = assemble(fractured=True, skeleton=False)
    bare = System(
        "bare",
        tuple(m for m in HEALING if m is not loading.MODULE),
        person_parameters(Patient(), Fracture(bone="tibia", fixation="nail")),
    )
    piece = solve([Phase(0.0, whole, given)], 200.0)[0]
    for day in (0.0, 20.0, 90.0, 200.0):
        y = dict(zip(whole.states, piece.trajectory.at(day), strict=True))
        rates, signals = whole.evaluate(list(y.values()), given.__getitem__)
        bare_rates, bare_signals = bare.evaluate([y[key] for key in bare.states], given.__getitem__)
        found = dict(zip(whole.states, rates, strict=True))
        assert found.pop("loading.elapsed") == 1.0
        assert found == dict(zip(bare.states, bare_rates, strict=True))
        assert signals["mechanical_stimulus"] == bare_signals["mechanical_stimulus"]


def test_protection_holds_the_load_until_its_day() -> None:
    partial = load("fixation")["protection.partial_load"].value
    times, found = course(120, values(weight_bearing="6 weeks"))
    borne = found["weight_bearing"]
    assert borne[0] == pytest.approx(partial, abs=0.01)
    assert np.interp(42, times, borne) == pytest.approx((1 + partial) / 2, abs=1e-6)
    assert borne[-1] == pytest.approx(1, abs=0.01)
    assert (np.diff(borne) > 0).all()


def test_load_is_in_calendar_days_in_every_species() -> None:
    for species, bone in (("mouse", "femur"), ("human", "scaphoid")):
        times, found = course(60, values(species, bone, "nail", weight_bearing="30 days"))
        assert np.interp(30, times, found["load"]) == pytest.approx(0.607, abs=1e-3)


def test_load_follows_stiffness() -> None:
    given = values(weight_bearing="as_stiffness_allows")
    _, found = course(730, given)
    partial, half = given["loading.partial"], given["loading.stiffness_half"]
    square = (found["torsional_stiffness"] / half) ** 2
    np.testing.assert_allclose(found["weight_bearing"], partial + (1 - partial) * square / (1 + square), rtol=1e-9)
    assert found["weight_bearing"][0] == pytest.approx(partial, abs=0.01)
    assert found["weight_bearing"].max() > 0.8


def test_less_load_is_less_strain() -> None:
    _, free = course(20, values())
    _, held = course(20, values(weight_bearing="8 weeks"))
    assert (held["mechanical_stimulus"] < 0.5 * free["mechanical_stimulus"]).all()
    assert math.isclose(free["weight_bearing"].min(), 1.0)

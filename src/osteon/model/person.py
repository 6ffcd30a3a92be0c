"""From a scenario to parameters: default, then published sets it names, species and bone, then the patient's traits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from osteon.errors import ModelError
from osteon.model.systems import SYSTEMIC_PARAMETERS
from osteon.parameters import ParameterSet, Record, layered, load, load_table
from osteon.parameters.record import How

if TYPE_CHECKING:
    from osteon.scenario import Fracture, Impose, Patient, Scenario

#: Members of the ensemble of callus kinetics and the parameter files they are layered from.
MEMBERS = {"J": ("callus_J",), "B": ("callus_J", "callus_B")}


def parameters_for(scenario: Scenario, member: str = "J") -> ParameterSet:
    """Parameters of the scenario's patient, with the published sets it names, before any arm imposes an effect.

    Parameters
    ----------
    scenario : Scenario
        Whose patient and fracture.
    member : {"J", "B"}
        Member of the ensemble of callus kinetics.

    Raises
    ------
    ModelError
        `member` is unknown.
    """
    return person_parameters(scenario.patient, scenario.fracture, member, scenario.parameters)


def person_parameters(
    patient: Patient, fracture: Fracture | None, member: str = "J", sets: Sequence[str] = ()
) -> ParameterSet:
    """Parameters of a patient with a fracture or none, and published sets by name; see `parameters_for`."""
    if member not in MEMBERS:
        raise ModelError(f"there is no ensemble member {member}; the members are {', '.join(MEMBERS)}")
    names = SYSTEMIC_PARAMETERS + (("radiograph", *MEMBERS[member]) if fracture is not None else ())
    parameters = _species(_published(layered(*names), sets), patient)
    if fracture is None:
        return parameters
    return _traits(_fracture(parameters, fracture, patient), patient, fracture)


def aged_keys() -> tuple[str, ...]:
    """Keys of the parameters that `age_factors` multiplies."""
    return tuple(load_table("hooks/patient")["age"]["keys"])


def age_factors(species: str, age: np.ndarray) -> np.ndarray:
    """Factor by which age [yr] slows healing, of the shape of `age`; 1 in animals and up to a certain age."""
    rule = load_table("hooks/patient")["age"]
    if species != "human":
        return np.ones_like(age)
    return np.maximum(0.2, 1.0 - rule["per_year"] * np.maximum(0.0, age - rule["from_years"]))


def imposed_records(impose: Impose | None) -> tuple[Record, ...]:
    """Records ``imposed.<signal>`` for an arm that imposes effects; free RANKL holds in the skeleton and the callus."""
    if impose is None:
        return ()
    values: dict[str, float] = {}
    if impose.free_rankl is not None:
        values |= {"free_rankl": impose.free_rankl, "callus_free_rankl": impose.free_rankl}
    if impose.bisphosphonate_inhibition is not None:
        values["bisphosphonate_inhibition"] = impose.bisphosphonate_inhibition
    if impose.pth is not None:
        values["pth"] = impose.pth
    meaning = "effect imposed by the arm from the fracture on"
    return tuple(
        Record(f"imposed.{name}", value, "1", "defined", "scenario", meaning, set="scenario")
        for name, value in sorted(values.items())
    )


def _published(parameters: ParameterSet, sets: Sequence[str]) -> ParameterSet:
    """Replace what published sets give, which is always the value of a known parameter."""
    for name in sets:
        parameters = parameters.with_records(
            *(
                replace(record, note=f"{name}: {parameters[key].value:g} -> {record.value:g}")
                for key, record in load(name).items()
            )
        )
    return parameters


def _species(parameters: ParameterSet, patient: Patient) -> ParameterSet:
    hooks, geometry = load_table("hooks/patient"), load("geometry")
    parameters = parameters.with_values(
        {
            "denosumab.weight": patient.weight,
            "endocrine.age_at_start": patient.age,
            **({} if patient.gfr is None else {"calcium.gfr": patient.gfr}),
            **({} if patient.vitamin_d is None else {"calcium.vitamin_d": patient.vitamin_d}),
        },
        layer="patient",
        how="defined",
        source="scenario",
    )
    if patient.species == "human":
        return _apply(parameters, hooks["menopause"], "sex") if patient.sex == "female" else parameters
    clock = geometry[f"turnover_clock.{patient.species}"]
    parameters = parameters.with_values(
        dict.fromkeys(("turnover.clock", "markers.clock", "calcium.clock"), clock.value),
        layer="species",
        how=clock.how,
        source=clock.source,
    )
    layers = ["animal_pharmacokinetics", "animal_bmd"] + ([] if patient.binds("denosumab") else ["native_rodent_rankl"])
    for name in layers:
        parameters = parameters.with_values(
            hooks[name]["set"], layer=name, how=_how(hooks[name]), source=hooks[name]["source"]
        )
    return parameters


def _fracture(parameters: ParameterSet, fracture: Fracture, patient: Patient) -> ParameterSet:
    geometry = load("geometry")

    def record(key: str, value: float, unit: str, source: str, meaning: str) -> Record:
        return Record(key, value, unit, "assumed", source, meaning, set="geometry")

    size = geometry[f"outer_radius.{fracture.bone}"]
    human, own = geometry["femur_radius.human"], geometry[f"femur_radius.{patient.species}"]
    outer = size.value * own.value / human.value
    scaled = "" if patient.species == "human" else f", scaled by the femur of the {patient.species}"
    shapes = [
        record("bone.outer_radius", outer, "mm", size.source + scaled, f"outer cortical radius, {fracture.bone}"),
        *(
            record(f"bone.{key}", outer * shape.value, "mm", shape.source, meaning)
            for key, meaning, shape in (
                ("inner_radius", "inner cortical radius", geometry["shape.inner"]),
                ("length", "length of the callus", geometry["shape.length"]),
                ("envelope_radius", "radius of the callus envelope", geometry["shape.envelope"]),
            )
        ),
    ]
    parameters = parameters.with_records(*shapes)

    species, bone = geometry[f"species_clock.{patient.species}"], geometry[f"bone_clock.{fracture.bone}"]
    gap, most = geometry[f"reference_gap.{patient.species}"], geometry["shape.most_union"]
    strain = geometry[f"fixation_strain.{fracture.fixation}"]
    moved = strain.value if fracture.interfragmentary_strain is None else fracture.interfragmentary_strain
    whence = strain.source if fracture.interfragmentary_strain is None else "strain given in the scenario"
    per_strain = geometry["shape.stimulus_per_strain"]
    parameters = parameters.with_values(
        {"healing.clock": species.value * bone.value},
        layer="species and bone",
        how="defined" if species.how == bone.how == "defined" else "assumed",
        source=f"{species.source}; {bone.source}",
    )
    parameters = parameters.with_values(
        {"callus.factor_union": min(gap.value / fracture.gap, most.value)},
        layer="fracture",
        source=f"the gap closes at constant speed, given at {gap.value:g} mm ({gap.source}); "
        f"{most.meaning}: {most.value:g}",
    )
    return parameters.with_values(
        {"mechanics.initial_stimulus": per_strain.value * moved},
        layer="fixation",
        source=f"{whence}; {per_strain.value:g} per unit of strain ({per_strain.source})",
    )


def _traits(parameters: ParameterSet, patient: Patient, fracture: Fracture) -> ParameterSet:
    hooks = load_table("hooks/patient")
    age, (factor,) = hooks["age"], age_factors(patient.species, np.array([patient.age]))
    if factor != 1.0:
        parameters = _apply(parameters, {"multiply": dict.fromkeys(aged_keys(), float(factor)), **age}, "age")
    # Diabetes of type 2 and obesity share one mechanism and are applied once.
    obese = patient.obesity and patient.diabetes != "type2"
    given = {
        "type1_diabetes": patient.diabetes == "type1",
        "type2_diabetes": patient.diabetes == "type2",
        "obesity": obese,
        "smoking": patient.smoking,
        "osteoporosis": patient.osteoporosis,
        "open_fracture": fracture.open,
    }
    for trait, has_it in given.items():
        if has_it:
            parameters = _apply(parameters, hooks["trait"][trait], trait)
    return parameters


def _apply(parameters: ParameterSet, hook: dict, layer: str) -> ParameterSet:
    values = {key: parameters.value(key) * factor for key, factor in hook.get("multiply", {}).items()}
    values |= {key: parameters.value(key) + more for key, more in hook.get("add", {}).items()}
    return parameters.with_values(values, layer=layer, how=_how(hook), source=hook["source"])


def _how(hook: dict) -> How:
    return hook["how"]

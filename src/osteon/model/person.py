"""From a scenario to parameters: default, then published sets it names, species and bone, then the patient's traits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from osteon.errors import ModelError
from osteon.model.fracture import fracture_parameters
from osteon.model.systems import SYSTEMIC_PARAMETERS
from osteon.parameters import ParameterSet, Record, layered, load, load_table
from osteon.parameters.record import How

if TYPE_CHECKING:
    from osteon.scenario import Fracture, Impose, Patient, Scenario

#: Members of the ensemble of callus kinetics and the parameter files they are layered from.
MEMBERS = {"J": ("callus_J", "callus_drugs"), "B": ("callus_J", "callus_B", "callus_drugs")}


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
    if patient.species == "human":
        people = load(f"people_{member}")
        parameters = parameters.with_records(*(record for key, record in people.items() if key in parameters))
    parameters = fracture_parameters(parameters, fracture, patient)
    if patient.species == "human":
        parameters = _as_fitted(parameters, fracture, load(f"people_{member}"))
    return _traits(parameters, patient, fracture, member)


def aged_keys() -> tuple[str, ...]:
    """Keys of the parameters that `age_factors` multiplies."""
    return tuple(load_table("hooks/patient")["age"]["keys"])


def age_factors(species: str, age: np.ndarray) -> np.ndarray:
    """Factor by which age [yr] lengthens the lag of vessels, of the shape of `age`; 1 up to a certain age.

    An animal counts as a person of the same stage of life.
    """
    rule = load_table("hooks/patient")["age"]
    birth, pace = rule["human_years"].get(species, (0.0, 1.0))
    return 1.0 + rule["per_year"] * np.maximum(0.0, birth + pace * age - rule["from_years"])


def imposed_records(impose: Impose | None) -> tuple[Record, ...]:
    """Records ``imposed.<signal>`` for an arm that imposes effects, which hold in the skeleton and the callus."""
    if impose is None:
        return ()
    values: dict[str, float] = {}
    if impose.free_rankl is not None:
        values |= {"free_rankl": impose.free_rankl, "callus_free_rankl": impose.free_rankl}
    if impose.bisphosphonate_inhibition is not None:
        shared = impose.bisphosphonate_inhibition
        values |= {"bisphosphonate_inhibition": shared, "callus_bisphosphonate_inhibition": shared}
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


def _as_fitted(parameters: ParameterSet, fracture: Fracture, people: Mapping[str, Record]) -> ParameterSet:
    """Clock and strain of people as fitted with the kinetics of a member, where the bone and the fixation were."""
    geometry, fixation = load("geometry"), load("fixation")
    human = people["species_clock.human"]
    key = f"bone_clock.{fracture.bone}"
    bone = people[key] if key in people else geometry[key]
    parameters = parameters.with_values(
        {"healing.clock": human.value * bone.value},
        layer="people",
        how="fitted" if key in people else "assumed",
        source=f"{human.source}; {bone.source}",
    )
    key = f"initial_strain.{fracture.fixation}"
    if key not in people or fracture.interfragmentary_strain is not None:
        return parameters
    stimulus = parameters.value("mechanics.initial_stimulus") * people[key].value / fixation[key].value
    return parameters.with_values(
        {"mechanics.initial_stimulus": stimulus}, layer="people", how="fitted", source=people[key].source
    )


def _traits(parameters: ParameterSet, patient: Patient, fracture: Fracture, member: str) -> ParameterSet:
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
        "nsaid": patient.nsaid,
        "osteoporosis": patient.osteoporosis,
        "open_fracture": fracture.open,
    }
    for trait, has_it in given.items():
        if has_it:
            hook = hooks["trait"][trait]
            if trait == "smoking" and patient.species == "human":
                vessels = load(f"people_{member}")["smoking.vessels"].value
                hook = {**hook, "multiply": dict.fromkeys(hook["multiply"], vessels)}
            parameters = _apply(parameters, hook, trait)
    return parameters


def _apply(parameters: ParameterSet, hook: dict, layer: str) -> ParameterSet:
    values = {key: parameters.value(key) * factor for key, factor in hook.get("multiply", {}).items()}
    values |= {key: parameters.value(key) + more for key, more in hook.get("add", {}).items()}
    return parameters.with_values(values, layer=layer, how=_how(hook), source=hook["source"])


def _how(hook: dict) -> How:
    return hook["how"]

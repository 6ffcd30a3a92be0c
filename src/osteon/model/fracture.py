"""From a fracture to parameters: the bone's tube, the callus envelope, the gap, the fixation and weight bearing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from osteon.model.strain import octahedral_shear_of_gap
from osteon.parameters import ParameterSet, Record, load

if TYPE_CHECKING:
    from osteon.scenario import Fracture, Patient


def fracture_parameters(parameters: ParameterSet, fracture: Fracture, patient: Patient) -> ParameterSet:
    """Parameters of a patient with what the fracture sets.

    Parameters
    ----------
    parameters : ParameterSet
        Of the patient, with those of the callus.
    fracture : Fracture
        Bone, gap, compartments, fixation, interfragmentary strain and weight bearing.
    patient : Patient
        Whose species gives sizes and clock.

    Returns
    -------
    ParameterSet
        With ``bone.*`` [mm], clock, width of the gap, pace of cortical union, initial stimulus, fixation stiffness and
        weight bearing.
    """
    parameters = parameters.with_records(*_bone(fracture.bone, patient.species))
    return _weight_bearing(_fixation(_healing(parameters, fracture, patient), fracture), fracture)


def outer_radius(bone: str, species: str) -> Record:
    """Record of the outer radius [mm] of a bone: its own where it is known, else scaled from man by the femur."""
    bones = load("geometry")
    own = f"outer_radius_{species}.{bone}"
    if own in bones:
        return bones[own]
    size = bones[f"outer_radius.{bone}"]
    if species == "human":
        return size
    femur, human = bones[f"outer_radius_{species}.femur"], bones["outer_radius.femur"]
    return size.changed(
        size.value * (femur.value / human.value),
        layer="geometry",
        how="assumed",
        source=f"{size.source}, scaled by the femur of the {species}",
    )


def stimulus_per_strain() -> Record:
    """Record of the stimulus per unit of interfragmentary strain: octahedral shear of the gap over its scale."""
    table = load("fixation")
    ratio, scale = table["strain.poisson_ratio"], table["strain.octahedral_scale"]
    value = float(octahedral_shear_of_gap(1.0, ratio.value)) / scale.value
    source = f"octahedral shear of uniaxial strain, Poisson's ratio {ratio.value:g} ({ratio.source}), "
    source += f"over {scale.value:g} ({scale.source})"
    return Record("strain.stimulus", value, "1", "read", source, "stimulus per unit of strain", set="fixation")


def _bone(bone: str, species: str) -> list[Record]:
    bones = load("geometry")
    size = outer_radius(bone, species)
    inner = bones[f"inner_share.{bone}" if species == "human" else "shape.inner"]
    length, envelope = bones["shape.length"], bones[f"envelope.{species}"]

    def record(name: str, share: Record, meaning: str) -> Record:
        how = "read" if size.how == share.how == "read" else "assumed"
        return Record(f"bone.{name}", size.value * share.value, "mm", how, share.source, meaning, set="geometry")

    outer = Record(
        "bone.outer_radius", size.value, "mm", size.how, size.source, f"outer cortical radius, {bone}", set="geometry"
    )
    return [
        outer,
        record("inner_radius", inner, "inner cortical radius"),
        record("length", length, "length of the callus"),
        record("envelope_radius", envelope, "radius of the callus envelope"),
    ]


def _healing(parameters: ParameterSet, fracture: Fracture, patient: Patient) -> ParameterSet:
    bones = load("geometry")
    species, bone = bones[f"species_clock.{patient.species}"], bones[f"bone_clock.{fracture.bone}"]
    gap, most = bones[f"reference_gap.{patient.species}"], bones["shape.most_union"]
    parameters = parameters.with_values(
        {"healing.clock": species.value * bone.value},
        layer="species and bone",
        how="defined" if species.how == bone.how == "defined" else "assumed",
        source=f"{species.source}; {bone.source}",
    )
    parameters = parameters.with_values({"gap.width": fracture.gap}, layer="fracture", how="defined", source="scenario")
    return parameters.with_values(
        {"callus.factor_union": min(gap.value / fracture.gap, most.value)},
        layer="fracture",
        source=f"the gap closes at constant speed, given at {gap.value:g} mm ({gap.source}); "
        f"{most.meaning}: {most.value:g}",
    )


def _fixation(parameters: ParameterSet, fracture: Fracture) -> ParameterSet:
    table, per_strain = load("fixation"), stimulus_per_strain()
    strain = table[f"initial_strain.{fracture.fixation}"]
    moved = strain.value if fracture.interfragmentary_strain is None else fracture.interfragmentary_strain
    whence = strain.source if fracture.interfragmentary_strain is None else "strain given in the scenario"
    parameters = parameters.with_values(
        {"mechanics.initial_stimulus": per_strain.value * moved},
        layer="fixation",
        source=f"{whence}; {per_strain.value:.4g} per unit of strain ({per_strain.source})",
    )
    held, intact = table[f"axial_stiffness.{fracture.fixation}"], table["intact.axial_stiffness"]
    limb = table["intact.limb_share"]
    return parameters.with_values(
        {"mechanics.fixation_stiffness": limb.value + held.value / intact.value},
        layer="fixation",
        source=f"{held.value:g} N/mm ({held.source}) over {intact.value:g} N/mm of an intact tibia, and "
        f"{limb.value:g} for the limb ({limb.source})",
    )


def _weight_bearing(parameters: ParameterSet, fracture: Fracture) -> ParameterSet:
    rule = fracture.weight_bearing
    if rule == "immediate":
        return parameters
    partial = load("fixation")["protection.partial_load"]
    parameters = parameters.with_values(
        {"loading.partial": partial.value}, layer="weight bearing", how=partial.how, source=partial.source
    )
    if isinstance(rule, str):
        values = {"loading.by_time": 0.0, "loading.by_stiffness": 1.0}
    else:
        values = {"loading.release": float(rule)}
    return parameters.with_values(values, layer="weight bearing", how="defined", source="scenario")

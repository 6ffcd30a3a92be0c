"""Lumped mechanics of a callus around a tube of bone: size, mineral, stiffness, strength, and the strain left.

The callus is a ring outside the cortex. Its modulus mixes the soft tissues and a power of mineral density times
matrix quality; its torsional stiffness adds to that of the closed part of the cortical gap. Strain falls as the
callus stiffens beside the fixation, and is in proportion to the load on the limb, which the callus may earn by its
stiffness. Stimulus is octahedral shear strain (tensor shear) over 0.0375.
"""

import math
from types import SimpleNamespace

from osteon.model.maths import hill, positive, power, sqrt
from osteon.model.module import Input, Module, Signal

_TINY = 1e-6  # keeps ratios finite before there is any tissue, and after it is gone
_WEAKEST = 8  # power by which the weakest section decides the strength

INPUTS = {
    "fibrous": Input("1", "granulation and fibrous tissue"),
    "proliferating_cartilage": Input("1", "proliferating cartilage"),
    "hypertrophic_cartilage": Input("1", "hypertrophic cartilage"),
    "calcified_matrix": Input("1", "calcified cartilage"),
    "cartilage_cores": Input("1", "cartilage cores left inside bone"),
    "woven_bone": Input("1", "woven bone"),
    "lamellar_bone": Input("1", "lamellar bone"),
    "mineralised_tissue": Input("1", "calcified cartilage and bone"),
    "callus_tissue": Input("1", "all tissue of the callus, fraction of the envelope"),
    "callus_mineral": Input("mg/mm^3", "mineral per volume of the envelope"),
    "cortical_union": Input("1", "closed share of the cortical gap"),
    "gap_share": Input("1", "width of the gap, share of the length of the callus", 0.0),
    "gap_stiffness": Input("1", "torsional stiffness of the section at the gap, fraction of intact bone", 1.0),
    "gap_strength": Input("1", "maximum torque of the section at the gap, fraction of intact bone", 1.0),
    "load": Input("1", "load that the rule of after-treatment allows, share of full load", 1.0),
}
OUTPUTS = {
    "callus_volume": Signal("mm^3", "volume of the callus"),
    "callus_bone_volume_fraction": Signal("1", "mineralised tissue over callus volume (BV/TV)"),
    "callus_BMD": Signal("mg/cm^3", "mineral over callus volume"),
    "callus_TMD": Signal("mg/cm^3", "mineral over mineralised volume"),
    "callus_BMC": Signal("mg", "mineral of the callus"),
    "callus_radius": Signal("mm", "outer radius of the callus"),
    "callus_modulus": Signal("MPa", "Young's modulus of the callus, mean"),
    "torsional_stiffness": Signal("1", "torsional stiffness, fraction of intact bone"),
    "torsional_strength": Signal("1", "maximum torque, fraction of intact bone"),
    "weight_bearing": Signal("1", "load on the limb, share of full load"),
    "mechanical_stimulus": Signal("1", "octahedral shear strain over 0.0375"),
}


def signals(s, p, signal):
    """Geometry, mineral, stiffness, strength and stimulus of the callus."""
    envelope = math.pi * (p.envelope_radius**2 - p.outer_radius**2) * p.length
    cuff = section(signal, p)
    share = signal.gap_share
    # Sections in series; written so that a section without stiffness leaves none.
    stiffness = cuff.stiffness * signal.gap_stiffness / ((1 - share) * signal.gap_stiffness + share * cuff.stiffness)
    # The weaker section breaks; a high power of both is a smooth minimum of sections in series.
    strength = ((1 - share) * power(cuff.strength, -_WEAKEST) + share * power(signal.gap_strength, -_WEAKEST)) ** (
        -1 / _WEAKEST
    )
    load = signal.load + (1 - signal.load) * p.by_stiffness * hill(stiffness, p.stiffness_half, 2)
    return {
        "callus_volume": cuff.tissue * envelope,
        "callus_bone_volume_fraction": signal.mineralised_tissue / cuff.tissue,
        "callus_BMD": p.mg_per_mm3 * cuff.density,
        "callus_TMD": p.mg_per_mm3 * signal.callus_mineral / cuff.hard,
        "callus_BMC": signal.callus_mineral * envelope,
        "callus_radius": cuff.radius,
        "callus_modulus": cuff.modulus,
        "torsional_stiffness": stiffness,
        "torsional_strength": strength,
        "weight_bearing": load,
        "mechanical_stimulus": p.initial_stimulus * load / (1 + stiffness / p.fixation_stiffness),
    }


def section(tissue, p):
    """Size, density, modulus, stiffness and strength of a section with some tissue, beside intact bone."""
    volume = positive(tissue.callus_tissue, _TINY)
    radius = sqrt(p.outer_radius**2 + volume * (p.envelope_radius**2 - p.outer_radius**2))
    callus_moment = math.pi / 2 * (radius**4 - p.outer_radius**4)
    cortex_moment = math.pi / 2 * (p.outer_radius**4 - p.inner_radius**4)

    hard = positive(tissue.mineralised_tissue, _TINY)
    density = tissue.callus_mineral / volume
    quality = (
        tissue.lamellar_bone
        + p.quality_woven * tissue.woven_bone
        + p.quality_cartilage * tissue.calcified_matrix
        + p.quality_cores * tissue.cartilage_cores
    ) / hard
    relative = density / p.mineral_reference
    soft = (
        p.modulus_fibrous * tissue.fibrous
        + p.modulus_cartilage * tissue.proliferating_cartilage
        + p.modulus_hypertrophic * tissue.hypertrophic_cartilage
    ) / volume
    modulus = soft + p.bone_modulus * quality * power(relative, p.modulus_exponent)
    shear_strength = p.bone_shear_strength * quality * power(relative, p.strength_exponent)
    intact_stiffness = p.cortical_modulus * cortex_moment
    intact_strength = p.cortical_shear_strength * cortex_moment
    return SimpleNamespace(
        tissue=volume,
        radius=radius,
        hard=hard,
        density=density,
        modulus=modulus,
        stiffness=modulus * callus_moment / intact_stiffness + tissue.cortical_union,
        strength=shear_strength * callus_moment * p.outer_radius / (radius * intact_strength) + tissue.cortical_union,
    )


def rates(s, p, signal):
    """No state of its own."""
    return {}


MODULE = Module(
    name="mechanics",
    states={},
    rates=rates,
    signals=signals,
    inputs=INPUTS,
    outputs=OUTPUTS,
    tables=("mechanics", "bone", "loading", "constants"),
    reference="osteon callus prototype, lumped mechanics; stimulus scale of Prendergast",
    limits="Sections of a tube in torsion: a gap that bridges abruptly cannot be represented.",
)

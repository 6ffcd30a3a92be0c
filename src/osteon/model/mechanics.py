"""Lumped mechanics of a callus around a tube of bone: size, mineral, stiffness, strength, and the strain left.

The callus is a ring outside the cortex. Its modulus mixes the soft tissues and a power of mineral density times
matrix quality; its torsional stiffness adds to that of the closed part of the cortical gap. Strain falls as the
callus stiffens beside the fixation. Stimulus is octahedral shear strain (tensor shear) over 0.0375.
"""

import math

from osteon.model.maths import positive, power, sqrt
from osteon.model.module import Input, Module, Signal

_TINY = 1e-6  # keeps ratios finite before there is any tissue, and after it is gone

INPUTS = {
    "fibrous": Input("1", "granulation and fibrous tissue"),
    "proliferating_cartilage": Input("1", "proliferating cartilage"),
    "hypertrophic_cartilage": Input("1", "hypertrophic cartilage"),
    "calcified_cartilage": Input("1", "calcified cartilage with cores left in bone"),
    "woven_bone": Input("1", "woven bone"),
    "lamellar_bone": Input("1", "lamellar bone"),
    "mineralised_tissue": Input("1", "calcified cartilage and bone"),
    "callus_tissue": Input("1", "all tissue of the callus, fraction of the envelope"),
    "callus_mineral": Input("mg/mm^3", "mineral per volume of the envelope"),
    "cortical_union": Input("1", "closed share of the cortical gap"),
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
    "mechanical_stimulus": Signal("1", "octahedral shear strain over 0.0375"),
}


def signals(s, p, signal):
    """Geometry, mineral, stiffness, strength and stimulus of the callus."""
    tissue = positive(signal.callus_tissue, _TINY)
    envelope = math.pi * (p.envelope_radius**2 - p.outer_radius**2) * p.length
    radius = sqrt(p.outer_radius**2 + tissue * (p.envelope_radius**2 - p.outer_radius**2))
    callus_moment = math.pi / 2 * (radius**4 - p.outer_radius**4)
    cortex_moment = math.pi / 2 * (p.outer_radius**4 - p.inner_radius**4)

    hard = positive(signal.mineralised_tissue, _TINY)
    density = signal.callus_mineral / tissue
    quality = (
        signal.lamellar_bone + p.quality_woven * signal.woven_bone + p.quality_cartilage * signal.calcified_cartilage
    ) / hard
    relative = density / p.mineral_reference
    soft = (
        p.modulus_fibrous * signal.fibrous
        + p.modulus_cartilage * signal.proliferating_cartilage
        + p.modulus_hypertrophic * signal.hypertrophic_cartilage
    ) / tissue
    modulus = soft + p.bone_modulus * quality * power(relative, p.modulus_exponent)
    shear_strength = p.bone_shear_strength * quality * power(relative, p.strength_exponent)
    stiffness = modulus * callus_moment / (p.cortical_modulus * cortex_moment) + signal.cortical_union
    strength = (
        shear_strength * callus_moment / radius / (p.cortical_shear_strength * cortex_moment / p.outer_radius)
        + signal.cortical_union
    )
    return {
        "callus_volume": tissue * envelope,
        "callus_bone_volume_fraction": signal.mineralised_tissue / tissue,
        "callus_BMD": p.mg_per_mm3 * density,
        "callus_TMD": p.mg_per_mm3 * signal.callus_mineral / hard,
        "callus_BMC": signal.callus_mineral * envelope,
        "callus_radius": radius,
        "callus_modulus": modulus,
        "torsional_stiffness": stiffness,
        "torsional_strength": strength,
        "mechanical_stimulus": p.initial_stimulus / (1 + stiffness / p.fixation_stiffness),
    }


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
    tables=("mechanics", "bone", "constants"),
    reference="osteon callus prototype, lumped mechanics; stimulus scale of Prendergast",
    limits="One compartment: a gap that bridges abruptly cannot be represented.",
)

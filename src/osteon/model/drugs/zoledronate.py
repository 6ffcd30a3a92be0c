"""Zoledronate by vein: plasma, the part that bone takes up within a day, and its slow loss from where it acts.

Bone amount drives a kinetic-pharmacodynamic inhibition of mature osteoclasts, ``x**h / (1 + x**h)`` with ``x`` the
rate of loss from bone over the one that stops half the activity.
"""

from osteon.model.maths import power_from_zero
from osteon.model.module import Module, Signal, State

STATES = {
    "plasma": State("mg", "drug in plasma", scale=1e-2),
    "bone": State("mg", "drug on bone where it acts", scale=1e-1, signal="zoledronate_bone"),
    "buried": State("mg", "drug buried in bone", scale=1.0),
    "eliminated": State("mg", "drug in urine so far", scale=1.0),
}
OUTPUTS = {
    "zoledronate_serum": Signal("ng/mL", "zoledronate in plasma"),
    "zoledronate_inhibition": Signal("1", "share of osteoclast activity that zoledronate stops"),
    "zoledronate_uptake": Signal("mg/day", "zoledronate that mineral takes up"),
}


def signals(s, p, signal):
    """Concentration in plasma and inhibition by what bone holds."""
    # Hill in bone amount per dose given, since the source counts its effect site in mg of dose.
    exposure = p.loss * s.bone / ((1 - p.urine_share) * p.half_rate)
    effect = power_from_zero(exposure, p.steepness)
    return {
        "zoledronate_serum": p.mg_per_L * s.plasma / p.vc,
        "zoledronate_inhibition": effect / (1 + effect),
        "zoledronate_uptake": (1 - p.urine_share) * p.k * s.plasma,
    }


def rates(s, p, signal):
    """Plasma to urine and bone, and bone to where it no longer acts."""
    cleared, lost = p.k * s.plasma, p.loss * s.bone
    return {
        "plasma": -cleared,
        "bone": (1 - p.urine_share) * cleared - lost,
        "buried": lost,
        "eliminated": p.urine_share * cleared,
    }


MODULE = Module(
    name="zoledronate",
    states=STATES,
    rates=rates,
    signals=signals,
    outputs=OUTPUTS,
    tables=("zoledronate", "constants"),
    doses={("zoledronate", "intravenous"): ("plasma", "availability")},
    reference="Mori 2018, doi 10.1007/s00198-018-4376-1 (kinetic-pharmacodynamic); Chen 2002 and label (plasma, urine)",
    limits="Nothing was fitted: potency is that for TRACP-5b in Japanese patients. The slow plasma tail is left out.",
)

"""Denosumab: subcutaneous absorption, two compartments, quasi-steady target-mediated elimination.

The drug binds soluble RANKL so fast that free drug follows from the total by a quadratic (quasi-steady state).
Free drug leaves by linear clearance, the complex by internalisation; RANKL is made at a constant rate. At bone,
free RANKL falls with the serum concentration as ``1 / (1 + (C/K)**h)``.
"""

from osteon.model.maths import power_from_zero, sqrt
from osteon.model.module import Module, Signal, State

STATES = {
    "depot": State("mg", "drug under the skin, bioavailable part", scale=1e-3),
    "central": State("mg", "drug in the central compartment, free and bound", scale=1e-3),
    "peripheral": State("mg", "drug in the peripheral compartment", scale=1e-3),
    "eliminated": State("mg", "drug eliminated so far", scale=1e-3),
    "rankl_total": State("ng/mL", "soluble RANKL, free and bound, in drug-equivalent mass", "r0", scale=500.0),
}
OUTPUTS = {
    "denosumab_serum": Signal("ng/mL", "free denosumab in serum"),
    "free_rankl": Signal("1", "free RANKL at bone relative to baseline"),
}


def free_concentration(central, rankl, p):
    """Free drug in the central compartment [ng/mL] from the quasi-steady binding equation.

    Written as ``2 Kss a / (sqrt(x**2 + 4 Kss a) - x)``, which keeps its digits when almost all drug is bound.
    """
    total = p.mg_per_L * central / central_volume(p)
    excess = total - rankl - p.kss
    return 2 * p.kss * total / (sqrt(excess * excess + 4 * p.kss * total) - excess)


def central_volume(p):
    """Central volume [L] at the patient's weight."""
    return p.vc * (p.weight / p.weight_reference) ** p.weight_exponent_vc


def signals(s, p, signal):
    """Free drug, and what it leaves of RANKL."""
    serum = free_concentration(s.central, s.rankl_total, p)
    return {
        "denosumab_serum": serum,
        "free_rankl": 1 / (1 + p.binding * power_from_zero(serum / p.potency, p.steepness)),
    }


def rates(s, p, signal):
    """Absorption, distribution, both eliminations, and the turnover of RANKL."""
    size = p.weight / p.weight_reference
    serum = signal.denosumab_serum
    bound_share = serum / (p.kss + serum)
    complex_ = s.rankl_total * bound_share

    absorption = p.ka * s.depot
    distribution = (
        p.q * size**p.weight_exponent_q * (serum / p.mg_per_L - s.peripheral / (p.vp * size**p.weight_exponent_vp))
    )
    linear = p.cl * size**p.weight_exponent_cl * serum / p.mg_per_L
    internalised = p.kint * complex_ * central_volume(p) / p.mg_per_L
    return {
        "depot": -absorption,
        "central": absorption - distribution - linear - internalised,
        "peripheral": distribution,
        "eliminated": linear + internalised,
        "rankl_total": p.kdeg * (p.r0 - s.rankl_total) - (p.kint - p.kdeg) * complex_,
    }


MODULE = Module(
    name="denosumab",
    states=STATES,
    rates=rates,
    signals=signals,
    outputs=OUTPUTS,
    tables=("denosumab", "constants"),
    doses={("denosumab", "subcutaneous"): ("depot", "bioavailability")},
    reference="Sutjandra 2011, doi 10.2165/11594240; weight exponents of Choi 2025",
    limits="Subcutaneous doses in adults; animals are scaled by weight alone.",
)

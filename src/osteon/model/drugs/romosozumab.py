"""Romosozumab: subcutaneous absorption, two compartments, linear clearance and elimination by sclerostin.

Sclerostin is made and lost so fast that its total stays where it was; the complex takes drug away at most as fast as
sclerostin is made. Free sclerostin falls as ``Kss / (Kss + C)``.
"""

from osteon.model.module import Module, Signal, State

STATES = {
    "depot": State("mg", "drug under the skin, bioavailable part", scale=1e-1),
    "central": State("mg", "drug in the central compartment", scale=1e-1),
    "peripheral": State("mg", "drug in the peripheral compartment", scale=1e-1),
    "eliminated": State("mg", "drug eliminated so far", scale=1e-1),
}
OUTPUTS = {
    "romosozumab_serum": Signal("ng/mL", "free romosozumab in serum"),
    "free_sclerostin": Signal("1", "free sclerostin relative to baseline"),
}


def signals(s, p, signal):
    """Concentration and the sclerostin it leaves free."""
    serum = p.mg_per_L * s.central / p.vc
    return {"romosozumab_serum": serum, "free_sclerostin": p.kss / (p.kss + p.binding * serum)}


def rates(s, p, signal):
    """Absorption, distribution and both eliminations."""
    serum = signal.romosozumab_serum
    absorption = p.ka * s.depot
    distribution = p.q * (serum / p.mg_per_L - s.peripheral / p.vp)
    linear = p.cl * serum / p.mg_per_L
    taken = p.binding * p.ksyn * p.vc / p.mg_per_L * serum / (p.kss + serum)
    return {
        "depot": -absorption,
        "central": absorption - distribution - linear - taken,
        "peripheral": distribution,
        "eliminated": linear + taken,
    }


MODULE = Module(
    name="romosozumab",
    states=STATES,
    rates=rates,
    signals=signals,
    outputs=OUTPUTS,
    tables=("romosozumab", "constants"),
    doses={("romosozumab", "subcutaneous"): ("depot", "bioavailability")},
    reference="Stein 2018, doi 10.1002/psp4.12316 (disposition); absorption from the label's time of the peak",
    limits="Adults; body weight is left out for want of a source.",
)

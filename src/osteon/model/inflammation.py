"""Haematoma and inflammation: neutrophils first, then M1 macrophages that clear debris and turn into M2.

Debris recruits neutrophils and macrophages, phagocytes clear it, M1 macrophages switch to M2, and M2 damp the
inflammatory signal. The signal drives the progenitors: some of it makes them multiply, much of it holds them back.
"""

from osteon.model.maths import positive
from osteon.model.module import Module, Signal, State

STATES = {
    "haematoma": State("1", "haematoma and debris, 1 at the fracture", "initial_debris", signal="haematoma"),
    "neutrophils": State("1", "neutrophils, relative", 0.0),
    "m1": State("1", "M1 macrophages, relative", "initial_macrophages"),
    "m2": State("1", "M2 macrophages, relative", "initial_macrophages", signal="m2_macrophages"),
}
OUTPUTS = {"inflammation": Signal("1", "inflammatory signal in the callus")}


def signals(s, p, signal):
    """Inflammation raised by debris, M1 and neutrophils, damped by M2, above a standing level."""
    raised = p.signal_debris * s.haematoma + s.m1 + p.signal_neutrophils * s.neutrophils
    return {"inflammation": p.factor_inflammation * raised / (1 + s.m2 / p.m2_damping) + p.chronic}


def rates(s, p, signal):
    """Clearance of debris, entry and loss of neutrophils and macrophages, the switch to M2."""
    phagocytes = s.m1 + s.m2 + p.neutrophil_weight * s.neutrophils
    cleared = p.factor_macrophages * p.debris_clearance * phagocytes * s.haematoma / (p.debris_half + s.haematoma)
    recruited = (
        p.factor_macrophages
        * p.macrophage_entry
        * (s.haematoma + p.neutrophil_signal * s.neutrophils)
        * positive(1 - s.m1 - s.m2, 1e-3)
    )
    switched = p.switch * s.m1
    return {
        "haematoma": -cleared,
        "neutrophils": p.neutrophil_entry * s.haematoma * (1 - s.neutrophils) - p.neutrophil_death * s.neutrophils,
        "m1": recruited - switched - p.m1_death * s.m1,
        "m2": switched - p.m2_death * s.m2,
    }


MODULE = Module(
    name="inflammation",
    states=STATES,
    rates=rates,
    signals=signals,
    outputs=OUTPUTS,
    tables=("inflammation",),
    clock="healing.clock",
    reference="osteon callus prototype; forms of Trejo 2019, M1 timing of Baratchart 2022",
    limits="Neutrophils are put on the same species clock as remodelling, which is too slow for them in man.",
)

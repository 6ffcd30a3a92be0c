"""Alendronate by mouth: the absorbed part that bone keeps lies on its surface, is buried, and slowly comes back.

Weekly or daily doses are taken as the mean daily intake of their interval: plasma holds the drug for hours and bone
for years. What lies on the surface stops mature osteoclasts, ``largest * x / (1 + x)`` with ``x`` the surface amount
over the one that stops half as many.
"""

from osteon.model.module import Module, Signal, State

STATES = {
    "intake": State("mg/day", "absorbed amount a day, mean over the dosing interval", scale=1e-2),
    "surface": State("mg", "drug on bone surfaces", scale=1e-1, signal="alendronate_bone"),
    "buried": State("mg", "drug buried in bone", scale=1.0),
    "eliminated": State("mg", "drug eliminated so far", scale=1.0),
}
OUTPUTS = {
    "alendronate_inhibition": Signal("1", "share of osteoclast activity that alendronate stops"),
    "alendronate_uptake": Signal("mg/day", "alendronate that mineral takes up"),
}


def signals(s, p, signal):
    """Inhibition by what lies on the surface."""
    return {
        "alendronate_inhibition": p.largest * s.surface / (p.half_load + s.surface),
        "alendronate_uptake": p.retained * s.intake,
    }


def rates(s, p, signal):
    """Uptake by bone, burial under new bone, and release from it."""
    buried, released = p.burial * s.surface, p.release * s.buried
    return {
        "intake": 0.0 * s.intake / p.day,
        "surface": p.retained * s.intake - buried + (1 - p.released_lost) * released,
        "buried": buried - released,
        "eliminated": (1 - p.retained) * s.intake + p.released_lost * released,
    }


MODULE = Module(
    name="alendronate",
    states=STATES,
    rates=rates,
    signals=signals,
    outputs=OUTPUTS,
    tables=("alendronate", "constants"),
    doses={("alendronate", "oral"): ("intake", "bioavailability")},
    reference="absorption and retention of the label and 10.2165/00003088-199936050-00002; two bone pools fitted",
    limits="Fasting adults who take it as told; uptake does not depend on turnover.",
)

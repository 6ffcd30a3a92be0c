"""Teriparatide under the skin every day, as the mean of the day: it is gone from serum hours after each dose.

Mean concentration follows the intake at once. Its effect is the share ``C / (EC50 + C)`` of the largest, which
turnover reads as more formation, more RANKL, and use of the lining pool, from which tolerance comes.
"""

from osteon.model.module import Module, Signal, State

STATES = {
    "intake": State("mg/day", "bioavailable amount a day, mean over the dosing interval", scale=1e-2),
    "eliminated": State("mg", "drug eliminated so far", scale=1.0),
}
OUTPUTS = {
    "teriparatide_serum": Signal("ng/mL", "teriparatide in serum, mean over the day"),
    "teriparatide_effect": Signal("1", "share of the largest teriparatide effect"),
    "pth": Signal("1", "PTH(1-34) effect; 1 is 200 ug/kg/day in the rat"),
}


def signals(s, p, signal):
    """Mean concentration and its effect; the callus is assumed to see the same share of its largest effect."""
    serum = p.mg_per_L * s.intake / p.cl
    effect = serum / (p.half_effect + serum)
    return {"teriparatide_serum": serum, "teriparatide_effect": effect, "pth": 1.0 * effect}


def rates(s, p, signal):
    """What goes in comes out the same day."""
    return {"intake": 0.0 * s.intake / p.day, "eliminated": 1.0 * s.intake}


MODULE = Module(
    name="teriparatide",
    states=STATES,
    rates=rates,
    signals=signals,
    outputs=OUTPUTS,
    tables=("teriparatide", "constants"),
    doses={("teriparatide", "subcutaneous"): ("intake", "bioavailability")},
    reference="label and Satterwhite 2010, doi 10.1007/s00223-010-9424-6 (clearance, bioavailability)",
    limits="Daily doses; a pulse's hours are not resolved. The half-point rests on two doses; on a callus, assumed.",
)

"""Bisphosphonate in the callus: new mineral takes it up while it passes, and gives it back as it is resorbed.

A callus holds none when it forms. What a dose leaves there follows the mineral and the osteoblasts it meets, so that
a dose on the day of the fracture leaves less than one two weeks later. It stops a share ``largest x / (half + x)`` of
osteoclast activity, with ``x`` the amount bound per body weight, in zoledronate by effect.
"""

from osteon.model.module import Input, Module, Signal, State

STATES = {
    "bound": State("mg/kg", "bisphosphonate on callus mineral per body weight, as zoledronate by effect", scale=1e-2),
}
INPUTS = {
    "alendronate_uptake": Input("mg/day", "alendronate that mineral takes up", 0.0),
    "zoledronate_uptake": Input("mg/day", "zoledronate that mineral takes up", 0.0),
    "mineralised_tissue": Input("1", "calcified cartilage and bone"),
    "osteoblasts": Input("1", "osteoblasts in the callus, relative"),
    "osteoclasts": Input("1", "osteoclasts in the callus, relative"),
    "osteoclast_activity": Input("1", "activity of one osteoclast in the callus"),
}
OUTPUTS = {
    "callus_bisphosphonate_inhibition": Signal("1", "share of osteoclast activity that bisphosphonate stops here")
}


def signals(s, p, signal):
    """Share of osteoclast activity that the bound drug stops."""
    return {"callus_bisphosphonate_inhibition": p.largest_inhibition * s.bound / (p.half_bound + s.bound)}


def rates(s, p, signal):
    """Uptake while the drug passes, release with time and with resorption."""
    passing = (signal.zoledronate_uptake + p.alendronate_potency * signal.alendronate_uptake) / p.weight
    surface = p.bare_surface + signal.mineralised_tissue + signal.osteoblasts
    resorbed = p.clock * p.resorbed * signal.osteoclasts * signal.osteoclast_activity
    return {"bound": p.uptake * surface * passing - (p.release + resorbed) * s.bound}


MODULE = Module(
    name="callus_bisphosphonate",
    states=STATES,
    rates=rates,
    signals=signals,
    inputs=INPUTS,
    outputs=OUTPUTS,
    tables=("callus_bisphosphonate", "healing", "denosumab", "constants"),
    reference="osteon callus prototype, uptake in proportion to mineral and osteoblasts",
    limits="Amounts in a callus have not been measured: uptake, half amount and relative potency are assumed.",
)

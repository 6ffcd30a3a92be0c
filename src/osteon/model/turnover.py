"""Bone turnover in the whole skeleton: a precursor pool, osteoclasts and the formation coupled to them.

Osteoclasts form from the pool as free RANKL allows and turn over slowly; when RANKL is taken away the active ones
are lost fast, and a share returns to the pool as osteomorphs. The pool fills while formation is blocked: that slow
memory makes the creep under treatment and the rebound after it. Formation follows the active osteoclasts through
two stages. All cells are relative to the untreated baseline.
"""

from osteon.model.maths import power
from osteon.model.module import Input, Module, Signal, State

STATES = {
    "precursors": State("1", "osteoclast precursors and osteomorphs", 1.0, signal="precursors"),
    "osteoclasts": State("1", "osteoclasts of the skeleton", 1.0, signal="systemic_osteoclasts"),
    "coupling": State("1", "formation signalled by osteoclasts", 1.0),
    "osteoblasts": State("1", "osteoblasts of the skeleton", 1.0, signal="systemic_osteoblasts"),
}
INPUTS = {
    "free_rankl": Input("1", "free RANKL at bone relative to baseline", 1.0),
    "systemic_tone": Input("1", "RANKL drive of menopause, PTH and OPG relative to baseline", 1.0),
    "bisphosphonate_inhibition": Input("1", "share of osteoclast activity that bisphosphonate stops", 0.0),
}
OUTPUTS = {
    "active_osteoclasts": Signal("1", "osteoclasts of the skeleton that resorb"),
    "resorption": Signal("1", "bone resorption relative to baseline"),
    "formation": Signal("1", "bone formation relative to baseline"),
}


def signals(s, p, signal):
    """Resorption by the active osteoclasts, formation with the share that does not wait for them."""
    active = s.osteoclasts * (1 - signal.bisphosphonate_inhibition)
    return {
        "active_osteoclasts": active,
        "resorption": power(active, p.resorption_exponent),
        "formation": p.modelling_share + (1 - p.modelling_share) * s.osteoblasts,
    }


def rates(s, p, signal):
    """Formation draws on the pool, loss under the drug gives part of it back."""
    formed = p.regrowth * power(signal.free_rankl, p.rankl_exponent) * s.precursors
    lost = p.drug_loss * (1 - signal.free_rankl) * s.osteoclasts
    return {
        "precursors": p.renewal * (1 - s.precursors) + p.pool_coupling * (p.regrowth - formed + p.recycling * lost),
        "osteoclasts": formed * signal.systemic_tone - p.regrowth * s.osteoclasts - lost,
        "coupling": p.formation_rate * (signal.active_osteoclasts - s.coupling),
        "osteoblasts": p.formation_rate * (s.coupling - s.osteoblasts),
    }


MODULE = Module(
    name="turnover",
    states=STATES,
    rates=rates,
    signals=signals,
    inputs=INPUTS,
    outputs=OUTPUTS,
    tables=("turnover", "constants"),
    clock="turnover.clock",
    reference="osteon turnover prototype; osteomorphs after McDonald 2021, pool after Joerg 2022",
    limits="Gate-blocking and osteomorph recycling cannot be told apart from median markers.",
)

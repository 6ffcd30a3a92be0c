"""Bone turnover in the whole skeleton: a precursor pool, osteoclasts and the formation coupled to them.

Osteoclasts form from the pool as free RANKL allows and turn over slowly; when RANKL is taken away the active ones
are lost fast, and a share returns to the pool as osteomorphs. The pool fills while formation is blocked: that slow
memory makes the creep under treatment and the rebound after it. Formation follows the active osteoclasts through
two stages. Anabolic drugs call osteoblasts from the lining and pre-osteoblast pool, within weeks and where bone is
being remodelled, and use that pool up; the osteoblasts they call carry RANKL, so that resorption rises with them.
All cells are relative to the untreated baseline.
"""

from osteon.model.maths import power
from osteon.model.module import Input, Module, Signal, State

STATES = {
    "precursors": State("1", "osteoclast precursors and osteomorphs", 1.0, signal="precursors"),
    "osteoclasts": State("1", "osteoclasts of the skeleton", 1.0, signal="systemic_osteoclasts"),
    "lining": State("1", "lining cells and pre-osteoblasts that an anabolic drug can call on", 1.0),
    "called": State("1", "osteoblasts that an anabolic drug has called", 0.0),
    "coupling": State("1", "young osteoblasts that follow osteoclasts", 1.0),
    "osteoblasts": State("1", "osteoblasts that follow osteoclasts", 1.0),
}
INPUTS = {
    "free_rankl": Input("1", "free RANKL at bone relative to baseline", 1.0),
    "systemic_tone": Input("1", "RANKL drive of age and oestrogen relative to baseline", 1.0),
    "bisphosphonate_inhibition": Input("1", "share of osteoclast activity that bisphosphonate stops", 0.0),
    "teriparatide_effect": Input("1", "share of the largest teriparatide effect", 0.0),
    "free_sclerostin": Input("1", "free sclerostin relative to baseline", 1.0),
}
OUTPUTS = {
    "active_osteoclasts": Signal("1", "osteoclasts of the skeleton that resorb"),
    "systemic_osteoblasts": Signal("1", "osteoblasts of the skeleton"),
    "resorption": Signal("1", "bone resorption relative to baseline"),
    "formation": Signal("1", "bone formation relative to baseline"),
}


def signals(s, p, signal):
    """Resorption by the active osteoclasts; formation by remodelling and, apart from it, by modelling."""
    active = s.osteoclasts * (1 - signal.bisphosphonate_inhibition)
    blocked = 1 - signal.free_sclerostin
    osteoblasts = s.osteoblasts + s.called
    modelling = p.modelling_teriparatide * signal.teriparatide_effect + p.modelling_sclerostin * blocked
    return {
        "active_osteoclasts": active,
        "systemic_osteoblasts": osteoblasts,
        "resorption": power(active, p.resorption_exponent),
        "formation": p.modelling_share * (1 + modelling * s.lining) + (1 - p.modelling_share) * osteoblasts,
    }


def rates(s, p, signal):
    """Formation of osteoclasts draws on the pool, loss under a drug gives part of it back."""
    blocked = 1 - signal.free_sclerostin
    call = p.anabolic_teriparatide * signal.teriparatide_effect + p.anabolic_sclerostin * blocked
    # Called osteoblasts carry RANKL where there are young ones; without remodelling there is little to raise.
    company = 2 * s.coupling / (1 + s.coupling)
    drive = signal.systemic_tone * (1 + p.osteoblast_rankl * call * s.lining * company)
    left = signal.free_rankl * (1 - p.rankl_sclerostin * blocked)
    formed = p.regrowth * power(left, p.rankl_exponent) * s.precursors
    lost = (p.drug_loss * (1 - signal.free_rankl) + p.sclerostin_loss * blocked) * s.osteoclasts
    used = p.lining_use_teriparatide * signal.teriparatide_effect + p.lining_use_sclerostin * blocked
    sites = signal.active_osteoclasts * s.lining
    return {
        "precursors": p.renewal * (1 - s.precursors) + p.pool_coupling * (p.regrowth - formed + p.recycling * lost),
        "osteoclasts": formed * drive - p.regrowth * s.osteoclasts - lost,
        "lining": p.lining_renewal * (1 - s.lining) - used * s.lining,
        "called": p.call_rate * (call * sites - s.called),
        "coupling": p.formation_rate * (sites - s.coupling),
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
    reference="osteon turnover model; osteomorphs after McDonald 2021, pool after Joerg 2022",
    limits="Gate-blocking and osteomorph recycling cannot be told apart from median markers.",
)

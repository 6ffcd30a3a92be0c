"""A lytic lesion of bone under a local surplus of RANKL: exploratory, as far as the turnover layer carries it.

Cells of a giant cell tumour, or around the wear particles of an implant, make RANKL many times beyond that of normal
bone. What the drug leaves free of it occupies RANK along a saturating curve, so that a surplus needs more binding
before osteoclasts fall. Osteoclasts eat bone around the lesion; where they are gone the lesion fills with woven bone,
which returning osteoclasts eat again. The lesion does not act back on the skeleton.
"""

from osteon.model.maths import hill
from osteon.model.module import Input, Module, Signal, State

STATES = {
    "osteoclasts": State("1", "osteoclasts of the lesion relative to the untreated lesion", 1.0),
    "void": State("1", "volume without bone, relative to the lesion at the start", 1.0, signal="lesion_void"),
    "bone": State("1", "new bone in the lesion, relative to the lesion at the start", 0.0, signal="lesion_new_bone"),
}
INPUTS = {
    "free_rankl": Input("1", "free RANKL at bone relative to baseline", 1.0),
    "bisphosphonate_inhibition": Input("1", "share of osteoclast activity that bisphosphonate stops", 0.0),
}
OUTPUTS = {
    "lesion_osteoclasts": Signal("1", "osteoclasts of the lesion that resorb, relative to the untreated lesion"),
    "lesion_resorption": Signal("1/day", "bone around the lesion that is eaten, relative to the lesion at the start"),
}


def _wanted(p, signal):
    """Osteoclasts that the RANKL left in the lesion would keep, relative to the untreated lesion."""
    return hill(p.surplus * signal.free_rankl, p.rank_half) / hill(p.surplus, p.rank_half)


def signals(s, p, signal):
    """Active osteoclasts, and how fast they widen the lesion."""
    active = s.osteoclasts * (1 - signal.bisphosphonate_inhibition)
    return {"lesion_osteoclasts": active, "lesion_resorption": p.growth * active * s.void}


def rates(s, p, signal):
    """Osteoclasts follow RANKL and are lost fast without it; void and new bone exchange what is filled and eaten."""
    wanted = _wanted(p, signal)
    active = s.osteoclasts * (1 - signal.bisphosphonate_inhibition)
    filled = p.filling * (1 - active) * s.void
    eaten = p.growth * active * s.bone
    spread = p.growth * active * s.void
    return {
        "osteoclasts": p.pace * p.regrowth * (wanted - s.osteoclasts) - p.drug_loss * (1 - wanted) * s.osteoclasts,
        "void": spread + eaten - filled,
        "bone": filled - eaten,
    }


MODULE = Module(
    name="osteolysis",
    states=STATES,
    rates=rates,
    signals=signals,
    inputs=INPUTS,
    outputs=OUTPUTS,
    tables=("osteolysis", "turnover"),
    reference="osteon; osteoclast kinetics of its turnover layer, RANK occupancy as in its callus",
    limits="Exploratory: rates of growth and filling are assumed; no tumour cells, no pressure, no implant.",
)

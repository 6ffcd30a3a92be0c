"""RANKL in the callus and what it tells osteoclasts there.

Cartilage under calcification, osteoblasts, woven bone, inflammation and stiffness beyond need raise RANKL. Its free
share occupies RANK, which drives how many osteoclasts form, how long they live and how active each one is.
Bisphosphonate lowers the activity alone.
"""

from osteon.model.maths import hill, positive
from osteon.model.module import Input, Module, Signal

INPUTS = {
    "hypertrophic_cartilage": Input("1", "hypertrophic cartilage"),
    "calcified_matrix": Input("1", "calcified cartilage"),
    "osteoblasts": Input("1", "osteoblasts in the callus, relative"),
    "woven_bone": Input("1", "woven bone"),
    "inflammation": Input("1", "inflammatory signal in the callus", 0.0),
    "torsional_stiffness": Input("1", "torsional stiffness, fraction of intact bone"),
    "callus_free_rankl": Input("1", "free over total RANKL in the callus", 1.0),
    "callus_bisphosphonate_inhibition": Input("1", "share of osteoclast activity bisphosphonate stops here", 0.0),
    "pth": Input("1", "PTH(1-34) effect; 1 is 200 ug/kg/day in the rat", 0.0),
}
OUTPUTS = {
    "rank_occupancy": Signal("1", "RANK signal to osteoclasts in the callus"),
    "osteoclast_activity": Signal("1", "activity of one osteoclast in the callus"),
}


def signals(s, p, signal):
    """Ligand from each source, the RANK it occupies, and the activity that follows."""
    surplus = positive(signal.torsional_stiffness - 1, 1e-3)
    ligand = (
        p.ligand_cartilage * (signal.hypertrophic_cartilage + signal.calcified_matrix)
        + p.ligand_osteoblasts * signal.osteoblasts
        + p.ligand_woven * signal.woven_bone
        + p.ligand_inflammation * signal.inflammation
        + p.ligand_basal
        + p.ligand_redundancy * hill(surplus, p.redundancy_half)
    )
    ligand = p.factor_rankl * (1 + p.pth_rankl * p.pth_shrinkage * signal.pth) * ligand
    occupancy = hill(signal.callus_free_rankl * ligand, p.rank_half)
    activity = p.activity_floor + (1 - p.activity_floor) * occupancy
    return {
        "rank_occupancy": occupancy,
        "osteoclast_activity": activity * (1 - signal.callus_bisphosphonate_inhibition),
    }


def rates(s, p, signal):
    """No state of its own."""
    return {}


MODULE = Module(
    name="osteoclast_signal",
    states={},
    rates=rates,
    signals=signals,
    inputs=INPUTS,
    outputs=OUTPUTS,
    tables=("callus",),
    reference="osteon callus prototype, RANK occupancy",
    limits="The dose-response is not identified: only free RANKL below 0.05 and above 0.9 rest on callus data.",
)

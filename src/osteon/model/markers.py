"""What is measured of turnover: serum markers and bone mineral density at spine, total hip and femoral neck.

CTX follows resorption above a floor, P1NP and BSAP follow formation above theirs; BSAP loses part of a lasting change
again, for reasons unknown. TRACP-5b follows the number of
active osteoclasts with a delay of days. BMD gains where formation exceeds resorption, each site weighing resorption
in its own way; it gains once more as bone that is no longer remodelled takes up mineral, loses as young bone replaces
old, and falls with age. Results are per cent change from the untreated baseline.
"""

from osteon.model.module import Input, Module, Signal, State

STATES = {
    "tracp5b": State("1", "TRACP-5b in serum relative to baseline", 1.0),
    "bsap_habit": State("1", "lasting change of formation that BSAP has got used to", 0.0, signed=True),
    "mineralisation": State("1", "secondary mineralisation gained since baseline", 0.0, signed=True),
    "balance_lumbar_spine": State("%", "BMD gained from bone balance, lumbar spine", 0.0, signed=True),
    "balance_total_hip": State("%", "BMD gained from bone balance, total hip", 0.0, signed=True),
    "balance_femoral_neck": State("%", "BMD gained from bone balance, femoral neck", 0.0, signed=True),
}
INPUTS = {
    "resorption": Input("1", "bone resorption relative to baseline"),
    "formation": Input("1", "bone formation relative to baseline"),
    "active_osteoclasts": Input("1", "osteoclasts of the skeleton that resorb"),
    "systemic_osteoblasts": Input("1", "osteoblasts of the skeleton"),
}
OUTPUTS = {
    "CTX": Signal("%", "serum CTX, change from baseline"),
    "P1NP": Signal("%", "serum P1NP, change from baseline"),
    "BSAP": Signal("%", "serum bone-specific alkaline phosphatase, change from baseline"),
    "TRACP5b": Signal("%", "serum TRACP-5b, change from baseline"),
    "BMD_lumbar_spine": Signal("%", "bone mineral density of the lumbar spine, change from baseline"),
    "BMD_total_hip": Signal("%", "bone mineral density of the total hip, change from baseline"),
    "BMD_femoral_neck": Signal("%", "bone mineral density of the femoral neck, change from baseline"),
}


def signals(s, p, signal):
    """Per cent change of each marker and of BMD."""
    return {
        "CTX": p.percent * (1 - p.ctx_floor) * (signal.resorption - 1),
        "P1NP": p.percent * (1 - p.p1np_floor) * (signal.systemic_osteoblasts - 1),
        "BSAP": p.percent * (1 - p.bsap_floor) * (signal.systemic_osteoblasts - 1 - p.bsap_adaptation * s.bsap_habit),
        "TRACP5b": p.percent * (s.tracp5b - 1),
        "BMD_lumbar_spine": s.balance_lumbar_spine + p.mineral_lumbar_spine * s.mineralisation,
        "BMD_total_hip": s.balance_total_hip + p.mineral_total_hip * s.mineralisation,
        "BMD_femoral_neck": s.balance_femoral_neck + p.mineral_femoral_neck * s.mineralisation,
    }


def rates(s, p, signal):
    """Delay of TRACP-5b, mineral uptake, and bone balance less ageing at each site."""
    gained, lost = signal.formation - 1, signal.resorption - 1
    # Mean tissue age bounds mineral from both sides: bone can be older or younger, not more.
    older = (1 - signal.formation) / (1 + signal.formation)
    return {
        "tracp5b": p.tracp5b_rate * (signal.active_osteoclasts - s.tracp5b),
        "bsap_habit": (signal.systemic_osteoblasts - 1 - s.bsap_habit) / p.bsap_time,
        "mineralisation": (older - s.mineralisation) / p.mineral_time,
        "balance_lumbar_spine": p.gain_lumbar_spine * (gained - lost) - p.ageing_lumbar_spine,
        "balance_total_hip": p.gain_total_hip * (gained - p.resorbed_total_hip * lost) - p.ageing_total_hip,
        "balance_femoral_neck": p.gain_femoral_neck * (gained - p.resorbed_femoral_neck * lost) - p.ageing_femoral_neck,
    }


MODULE = Module(
    name="markers",
    states=STATES,
    rates=rates,
    signals=signals,
    inputs=INPUTS,
    outputs=OUTPUTS,
    tables=("markers", "constants"),
    clock="markers.clock",
    reference="osteon turnover model; TRACP-5b elimination of Mori 2018",
    limits="TRACP-5b is a prediction: no open time course under denosumab was found.",
)

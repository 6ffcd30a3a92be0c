"""Serum calcium: bone takes it up while resorption is low and formation goes on, and PTH brings it back.

Uptake by bone is the daily exchange with the skeleton times formation less resorption, and slows with the calcium at
hand. PTH follows serum calcium along a falling sigmoid within hours; it saves calcium in the kidney at once and takes
more from the gut within a day, by 1,25(OH)2D. Both reserves fall with kidney function, that of the gut with vitamin D
too. Beside them the surface of bone draws serum calcium back without hormones. Where formation equals resorption
nothing moves.
"""

from osteon.model.maths import hill, power
from osteon.model.module import Input, Module, Signal, State

STATES = {
    "serum": State("mmol/L", "serum calcium, total, adjusted for albumin", "baseline", 2.0, signal="serum_calcium"),
    "pth": State("1", "PTH in serum relative to baseline", 1.0, signal="endogenous_pth"),
    "absorption": State("1", "calcium absorption by 1,25(OH)2D, as share of its reserve", 0.0, signed=True),
}
INPUTS = {
    "resorption": Input("1", "bone resorption relative to baseline", 1.0),
    "formation": Input("1", "bone formation relative to baseline", 1.0),
}
OUTPUTS = {"calcium_uptake": Signal("mmol/day", "calcium that bone takes up, net")}


def signals(s, p, signal):
    """Net uptake of calcium by bone."""
    return {
        "calcium_uptake": p.exchange * (signal.formation * s.serum / p.baseline - signal.resorption),
    }


def renal_share(p):
    """What kidney function leaves of the reserve of kidney and gut, 1 at the reference."""
    return hill(p.gfr, p.gfr_half, 2) / hill(p.gfr_reference, p.gfr_half, 2)


def vitamin_d_share(p):
    """What 25(OH)D leaves of the reserve of the gut, 1 at the reference."""
    return hill(p.vitamin_d, p.vitamin_d_half) / hill(p.vitamin_d_reference, p.vitamin_d_half)


def rates(s, p, signal):
    """Serum calcium under uptake and the three returns, PTH and the absorption it raises."""
    reserve = p.pth_maximum - 1
    drive = (s.pth - 1) / reserve
    kidney = p.kidney_reserve * renal_share(p) * drive
    gut = p.gut_reserve * renal_share(p) * vitamin_d_share(p) * s.absorption
    surface = p.surface_clearance * (p.baseline - s.serum)
    wanted = p.pth_maximum / (1 + reserve * power(s.serum / p.baseline, p.pth_steepness))
    return {
        "serum": (kidney + gut + surface - signal.calcium_uptake) * p.baseline / p.pool,
        "pth": (wanted - s.pth) / p.pth_time,
        "absorption": (drive - s.absorption) / p.absorption_time,
    }


MODULE = Module(
    name="calcium",
    states=STATES,
    rates=rates,
    signals=signals,
    inputs=INPUTS,
    outputs=OUTPUTS,
    tables=("calcium",),
    clock="calcium.clock",
    reference="osteon; calcium exchange of Bergmann 1983, falls of calcium and rises of PTH of Lee 2025, Miyaoka 2018",
    limits="Adults whose resorption is lowered; knows no injected PTH, calcium supplement, dialysate or CKD-MBD.",
)

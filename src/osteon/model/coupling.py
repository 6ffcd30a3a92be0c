"""How the systemic layer reaches the callus: drug that has got in through the vessels lowers RANKL there.

An antibody enters a callus as its vessels do: callus over serum concentration rises from a small share to one with
vascularity. The callus does not act back on the skeleton.
"""

from osteon.model.maths import power_from_zero
from osteon.model.module import Input, Module, Signal

INPUTS = {
    "denosumab_serum": Input("ng/mL", "free denosumab in serum", 0.0),
    "vascularity": Input("1", "vessels of the callus, 0 to 1"),
}
OUTPUTS = {"callus_free_rankl": Signal("1", "free over total RANKL in the callus")}


def signals(s, p, signal):
    """Free RANKL in the callus at the concentration that vessels bring."""
    reach = p.penetration + (1 - p.penetration) * signal.vascularity
    local = reach * signal.denosumab_serum
    return {"callus_free_rankl": 1 / (1 + p.binding * power_from_zero(local / p.potency, p.steepness))}


def rates(s, p, signal):
    """No state of its own."""
    return {}


MODULE = Module(
    name="coupling",
    states={},
    rates=rates,
    signals=signals,
    inputs=INPUTS,
    outputs=OUTPUTS,
    tables=("coupling", "denosumab", "constants"),
    reference="osteon callus prototype, drug hooks; same potency as at bone",
    limits="Penetration of an antibody into an early callus has not been measured.",
)

"""How teriparatide reaches the callus: its effect, as the callus module reads intermittent PTH."""

from osteon.model.module import Input, Module, Signal

INPUTS = {"teriparatide_effect": Input("1", "share of the largest teriparatide effect", 0.0)}
OUTPUTS = {"pth": Signal("1", "PTH(1-34) effect; 1 is 200 ug/kg/day in the rat")}


def signals(s, p, signal):
    """The same share of the largest effect."""
    return {"pth": 1.0 * signal.teriparatide_effect}


def rates(s, p, signal):
    """No state of its own."""
    return {}


MODULE = Module(
    name="pth",
    states={},
    rates=rates,
    signals=signals,
    inputs=INPUTS,
    outputs=OUTPUTS,
    tables=("constants",),
    reference="assumed: the share of the largest effect on turnover is that on the callus",
    limits="Doses of man and rat differ in kind; an effect on union in people has not been shown.",
)

"""What all bisphosphonates in bone do together: mature osteoclasts resorb less.

Each drug leaves its own share of activity; shares multiply. Osteoclasts still form, so that stopping brings no
rebound.
"""

from osteon.model.module import Input, Module, Signal

INPUTS = {
    "alendronate_inhibition": Input("1", "share of osteoclast activity that alendronate stops", 0.0),
    "zoledronate_inhibition": Input("1", "share of osteoclast activity that zoledronate stops", 0.0),
}
OUTPUTS = {"bisphosphonate_inhibition": Signal("1", "share of osteoclast activity that bisphosphonate stops")}


def signals(s, p, signal):
    """One less what both leave."""
    left = (1 - signal.alendronate_inhibition) * (1 - signal.zoledronate_inhibition)
    return {"bisphosphonate_inhibition": 1 - left}


def rates(s, p, signal):
    """No state of its own."""
    return {}


MODULE = Module(
    name="bisphosphonate",
    states={},
    rates=rates,
    signals=signals,
    inputs=INPUTS,
    outputs=OUTPUTS,
    tables=("constants",),
    reference="both drugs act on mature osteoclasts by the same enzyme; product of what each leaves",
    limits="Two bisphosphonates at once have not been measured.",
)

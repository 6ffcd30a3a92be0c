"""Weight bearing: the share of full load that the rule of after-treatment allows, by the time from the fracture.

Under protection the limb bears a partial load until a day, about which the load rises smoothly to full. Where load
follows stiffness, the rule alone never goes beyond the partial load, and the mechanics adds what the callus can bear.
Without this module the load is full from the first day.
"""

from osteon.model.maths import sqrt
from osteon.model.module import Module, Signal, State

STATES = {"elapsed": State("day", "time from the fracture, in calendar days", 0.0, 10.0)}
OUTPUTS = {"load": Signal("1", "load that the rule of after-treatment allows, share of full load")}


def signals(s, p, signal):
    """Partial load, and the rise to full about the day of release."""
    late = s.elapsed - p.release
    risen = 0.5 * (1 + late / sqrt(late * late + p.ramp * p.ramp))
    return {"load": p.partial + (1 - p.partial) * p.by_time * risen}


def rates(s, p, signal):
    """Time passes."""
    return {"elapsed": 1.0}


MODULE = Module(
    name="loading",
    states=STATES,
    rates=rates,
    signals=signals,
    outputs=OUTPUTS,
    tables=("loading",),
    reference="osteon; partial load of a nail's instructions, load against stiffness of Joslin 2008",
    limits="A load for the limb as a whole: no steps in a day, no muscle force, no pain.",
)

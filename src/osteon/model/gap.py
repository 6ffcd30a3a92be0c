"""The gap as a second compartment: the same tissues as in the cuff of callus, fed from it by what crosses the gap.

Progenitors and vessels do not begin in the gap; they come in from the cuff, the slower the wider the gap is, by
diffusion over half its width. Tissue, mineral and osteoclasts follow the equations of the callus under the same
strain, inflammation and RANKL. The gap is a section of the callus in series with the rest of its length.
"""

from types import SimpleNamespace

from osteon.model import callus, mechanics
from osteon.model.module import Input, Module, Signal, State

_SHARED = ("angiogenesis", "cortical_union")  # states of the cuff that the gap reads
_ABSENT = ("progenitors", "vessels")  # what the gap has none of at the fracture

STATES = {
    name: State(
        state.unit,
        f"{state.means}, in the gap",
        0.0 if name in _ABSENT else state.initial,
        state.scale,
        signal="gap_vascularity" if name == "vessels" else "",
    )
    for name, state in callus.STATES.items()
    if name not in _SHARED
}
INPUTS = {
    **callus.INPUTS,
    "vascularity": Input("1", "vessels of the callus, 0 to 1"),
    "progenitors": Input("1", "osteochondroprogenitors, relative"),
    "angiogenic_readiness": Input("1", "readiness of vessels around the fracture to sprout"),
    "cortical_union": Input("1", "closed share of the cortical gap"),
}
OUTPUTS = {
    "gap_share": Signal("1", "width of the gap, share of the length of the callus"),
    "gap_stiffness": Signal("1", "torsional stiffness of the section at the gap, fraction of intact bone"),
    "gap_strength": Signal("1", "maximum torque of the section at the gap, fraction of intact bone"),
    "gap_bone_volume_fraction": Signal("1", "mineralised tissue over tissue in the gap"),
}


def signals(s, p, signal):
    """The section of the callus at the gap, and what share of its length it is."""
    tissue = _tissue(s, signal)
    sums = callus.signals(tissue, p, signal)
    section = mechanics.section(
        SimpleNamespace(
            **sums,
            fibrous=s.fibrous,
            proliferating_cartilage=s.chondral,
            hypertrophic_cartilage=s.hypertrophic,
            calcified_matrix=s.calcified,
            cartilage_cores=s.cores,
            woven_bone=s.woven,
            lamellar_bone=s.lamellar,
            cortical_union=signal.cortical_union,
        ),
        p,
    )
    return {
        "gap_share": p.width / (p.width + p.length),
        "gap_stiffness": section.stiffness,
        "gap_strength": section.strength,
        "gap_bone_volume_fraction": sums["mineralised_tissue"] / section.tissue,
    }


def rates(s, p, signal):
    """Those of the callus without sources of its own, and what comes in from the cuff."""
    tissue = _tissue(s, signal)
    here = _Instead(signal, callus.signals(tissue, p, signal))
    closed = _Instead(p, {"vessel_seed": 0.0 * p.vessel_seed, "progenitor_entry": 0.0 * p.progenitor_entry})
    given = callus.rates(tissue, closed, here)
    # Diffusion is given in calendar time, and the clock will multiply it.
    per_area = 4 / (p.width * p.width * p.clock)
    given["progenitors"] += p.progenitor_diffusion * per_area * (signal.progenitors - s.progenitors)
    given["vessels"] += p.vessel_diffusion * per_area * (signal.vascularity - s.vessels)
    return {name: rate for name, rate in given.items() if name not in _SHARED}


class _Instead:
    """Names with some of them replaced."""

    def __init__(self, names, given) -> None:
        self._names, self._given = names, given

    def __getattr__(self, name: str):
        return self._given[name] if name in self._given else getattr(self._names, name)


def _tissue(s, signal):
    shared = {"angiogenesis": signal.angiogenic_readiness, "cortical_union": signal.cortical_union}
    return _Instead(s, shared)


MODULE = Module(
    name="gap",
    states=STATES,
    rates=rates,
    signals=signals,
    inputs=INPUTS,
    outputs=OUTPUTS,
    tables=("gap", "callus", "mechanics", "bone", "healing", "constants"),
    clock="healing.clock",
    reference="osteon callus prototype, option of a cuff and a gap; cells and vessels diffuse as in spatial models",
    limits="Strain, inflammation and RANKL are those of the whole callus; no direct healing of a tight gap.",
)

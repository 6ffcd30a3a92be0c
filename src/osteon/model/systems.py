"""Named systems: which modules make turnover, healing, and healing under drugs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from osteon.errors import ModelError, near_match
from osteon.model import (
    bisphosphonate,
    calcium,
    callus,
    callus_bisphosphonate,
    coupling,
    endocrine,
    gap,
    inflammation,
    loading,
    markers,
    mechanics,
    osteoclast_signal,
    osteolysis,
    turnover,
)
from osteon.model.drugs import alendronate, denosumab, romosozumab, teriparatide, zoledronate
from osteon.model.module import Module
from osteon.model.system import System
from osteon.parameters import ParameterSet, Record, layered

TURNOVER = (endocrine.MODULE, turnover.MODULE, markers.MODULE, calcium.MODULE)
HEALING = (inflammation.MODULE, callus.MODULE, osteoclast_signal.MODULE, loading.MODULE, mechanics.MODULE)


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug: its module, its parameter file, the modules that tie it to the callus, and those that it shares."""

    module: Module
    parameters: str
    ties: tuple[Module, ...] = ()
    shared: tuple[Module, ...] = ()


DRUGS = {
    "denosumab": Drug(denosumab.MODULE, "sutjandra2011", ties=(coupling.MODULE,)),
    "alendronate": Drug(
        alendronate.MODULE, "alendronate", ties=(callus_bisphosphonate.MODULE,), shared=(bisphosphonate.MODULE,)
    ),
    "zoledronate": Drug(
        zoledronate.MODULE, "zoledronate", ties=(callus_bisphosphonate.MODULE,), shared=(bisphosphonate.MODULE,)
    ),
    "teriparatide": Drug(teriparatide.MODULE, "teriparatide"),
    "romosozumab": Drug(romosozumab.MODULE, "romosozumab"),
}
#: Parameter files of the systemic layer.
SYSTEMIC_PARAMETERS = (
    *("constants", "turnover", "endocrine", "calcium", "loading"),
    *(drug.parameters for drug in DRUGS.values()),
)
#: Signals a scenario may impose.
IMPOSABLE = (
    *("bisphosphonate_inhibition", "callus_bisphosphonate_inhibition"),
    *("callus_free_rankl", "free_rankl", "pth"),
)


def assemble(
    *,
    fractured: bool | int,
    drugs: Iterable[str] = (),
    imposed: Iterable[str] = (),
    skeleton: bool = True,
    lesion: bool = False,
) -> System:
    """The system for a patient with or without a fracture, under some drugs.

    Parameters
    ----------
    fractured : bool or int
        Whether there is a callus, as the number of its compartments: 0 none, 1 a callus, 2 its cuff and the gap.
    drugs : iterable of str
        Drugs given so far; a drug not given is absent.
    imposed : iterable of str
        Signals held at a parameter instead of computed.
    skeleton : bool
        Whether the systemic layer is there; False leaves the callus alone, as animal work is often described.
    lesion : bool
        Whether there is a lytic lesion, which is exploratory.

    Raises
    ------
    ModelError
        A drug is unknown.
    """
    return _assemble(int(fractured), tuple(sorted(set(drugs))), tuple(sorted(set(imposed))), skeleton, lesion)


@lru_cache(maxsize=64)
def _assemble(fractured: int, drugs: tuple[str, ...], imposed: tuple[str, ...], skeleton: bool, lesion: bool) -> System:
    modules: list[Module] = list(TURNOVER) if skeleton else []
    for drug in drugs:
        if drug not in DRUGS:
            raise ModelError(f"there is no drug module for {drug}; {near_match(drug, DRUGS)}".rstrip("; "))
        modules.append(DRUGS[drug].module)
        modules += [module for module in DRUGS[drug].shared if module not in modules]
        modules += [module for module in DRUGS[drug].ties if fractured and module not in modules]
    modules += HEALING if fractured else ()
    modules += (gap.MODULE,) if fractured > 1 else ()
    modules += (osteolysis.MODULE,) if lesion else ()
    wanted = {name for module in modules for name in (*module.inputs, *module.outputs)}
    kept = tuple(name for name in imposed if name in wanted)
    parts = [
        ("turnover" if skeleton else ""),
        ("", "healing", "healing-gap")[fractured],
        ("osteolysis" if lesion else ""),
        *drugs,
        *(f"imposed-{n}" for n in kept),
    ]
    name = "_".join(part for part in parts if part)
    return System(name, tuple(modules), _defaults(), kept)


@dataclass(frozen=True, slots=True)
class Curve:
    """What a result may hold: a signal or a state, its unit and meaning, and its value where its part is absent.

    It is there in a callus of at least so many compartments; 0 is the skeleton, which is always there. `idle` is its
    value in a callus that a drug has not reached.
    """

    unit: str
    means: str
    group: str
    absent: float
    compartments: int
    idle: float = math.nan

    @property
    def callus(self) -> bool:
        """Whether it is a curve of the callus."""
        return self.compartments > 0


@lru_cache(maxsize=1)
def curves() -> dict[str, Curve]:
    """Every signal, and every state without a signal as ``module_state``, of all modules."""
    found: dict[str, Curve] = {}
    ties = list({tie.name: tie for drug in DRUGS.values() for tie in drug.ties}.values())
    shared = {module.name: module for drug in DRUGS.values() for module in drug.shared}
    everything = [*TURNOVER, *HEALING, gap.MODULE, *(drug.module for drug in DRUGS.values()), *shared.values(), *ties]
    idle = {name: need.default for module in everything for name, need in module.inputs.items()}
    least = {module.name: 1 for module in (*HEALING, *ties)} | {gap.MODULE.name: 2}
    tied = {tie.name for tie in ties}
    for module in everything:
        local = least.get(module.name, 0)
        for name, signal in module.outputs.items():
            # Nobody needs the serum level of most drugs as an input; without the drug there is none of it.
            off = idle.get(name, 0.0 if name.endswith("_serum") else None) if local < 2 else None
            value = math.nan if off is None else off
            waits = value if module.name in tied else math.nan
            found[name] = Curve(signal.unit, signal.means, module.name, value, local, waits)
        for name, state in module.states.items():
            start = state.initial if isinstance(state.initial, float) and not local else math.nan
            waits = state.initial if module.name in tied and isinstance(state.initial, float) else math.nan
            name = state.signal or f"{module.name}_{name}"
            found[name] = Curve(state.unit, state.means, module.name, start, local, waits)
    return found


def curves_of(compartments: int) -> dict[str, Curve]:
    """Those of `curves` that a result holds with so many compartments of the callus, 0 without a fracture."""
    return {name: curve for name, curve in curves().items() if curve.compartments <= compartments}


@lru_cache(maxsize=1)
def _defaults() -> ParameterSet:
    """Some value for every parameter, to assemble and check units with."""
    bone = {"outer_radius": 0.85, "inner_radius": 0.5, "length": 4.0, "envelope_radius": 2.6}
    records = [Record(f"bone.{k}", v, "mm", "assumed", "mouse femur of the prototype", k) for k, v in bone.items()]
    records += [Record(f"imposed.{name}", 0.5, "1", "defined", "scenario", name) for name in IMPOSABLE]
    return layered(*SYSTEMIC_PARAMETERS, "osteolysis", "callus_J", "callus_drugs").with_records(*records)

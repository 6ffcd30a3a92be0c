"""libRoadRunner (CVODE, code compiled by LLVM) on the SBML that `osteon export` writes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from time import process_time
from typing import Any

import numpy as np

from benchmarks.workload import VARIED, Patients, Workload
from osteon.exchange import export
from osteon.exchange.sbml import identifier

_MOST_STEPS = 1_000_000


@dataclass(frozen=True)
class Loaded:
    """A model compiled once for all patients.

    Attributes
    ----------
    model : roadrunner.RoadRunner
        The model; its selections are the states in the order of the results.
    varied : dict of str to int
        Parameter key to its place among the parameters of the model.
    states : dict of str to float
        Name of each state in SBML, and its usual size.
    """

    model: Any
    varied: dict[str, int]
    states: dict[str, float]


def solve(base: Workload, patients: Patients, tolerance: float, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Solve patients with the stiff integrator; doses and the fracture are events of the model.

    Parameters
    ----------
    tolerance : float
        Relative tolerance.
    floor : float
        Absolute over relative tolerance, in units of the usual size of each state.

    Returns
    -------
    states : ndarray, (patients, times, states)
    seconds : ndarray, (patients,)
        CPU time of each, from setting its parameters on.
    """
    held = _load(base)
    model = held.model
    moments = [0.0, *(base.times - base.start)]
    found, seconds = base.empty(len(patients)), np.empty(len(patients))
    for number in range(len(patients)):
        own = patients.one(number)
        places, values = zip(*((place, own[key]) for key, place in held.varied.items()), strict=True)
        model.resetToOrigin()  # else the fracture of the patient before would stay
        model.integrator.relative_tolerance = tolerance
        for name, scale in held.states.items():
            model.integrator.setIndividualTolerance(name, tolerance * floor * scale)
        began = process_time()
        model.model.setGlobalParameterValues(list(places), list(values))
        model.reset()  # after the parameters: initial states that follow from them are computed here
        try:
            found[number] = np.array(model.simulate(times=moments))[1:]
        except RuntimeError:
            found[number] = np.nan
        seconds[number] = process_time() - began
    return found, seconds


def expansion(base: Workload) -> dict[str, float]:
    """Sizes of the rates as written and with every assignment rule put in wherever it is used.

    libRoadRunner 2.10 compiles the second: it evaluates a rule anew at each use, and the rules within it too.
    """
    import libsbml

    document = libsbml.readSBMLFromString(export(base.scenario, "sbml"))
    rules = list(document.getModel().getListOfRules())
    assigned = {rule.getVariable(): rule.getMath() for rule in rules if rule.isAssignment()}
    inlined: dict[str, int] = {}

    def size(tree: Any, *, whole: bool) -> int:
        name = str(tree.getName()) if tree.isName() else ""
        if whole and name in assigned:
            if name not in inlined:
                inlined[name] = size(assigned[name], whole=True)
            return inlined[name]
        return 1 + sum(size(tree.getChild(i), whole=whole) for i in range(tree.getNumChildren()))

    written = sum(size(rule.getMath(), whole=False) for rule in rules)
    compiled = sum(size(rule.getMath(), whole=True) for rule in rules if rule.isRate())
    return {"nodes_written": written, "nodes_with_rules_inlined": compiled, "factor": compiled / written}


@lru_cache(maxsize=4)
def _load(base: Workload) -> Loaded:
    import roadrunner

    model = roadrunner.RoadRunner(export(base.scenario, "sbml"))
    model.integrator.stiff = True
    model.integrator.maximum_num_steps = _MOST_STEPS
    names = [identifier(key) for key in base.states]
    model.timeCourseSelections = names
    known = list(model.model.getGlobalParameterIds())
    varied = {key: known.index(identifier(key)) for key in VARIED if identifier(key) in known}
    return Loaded(model, varied, dict(zip(names, base.scale.tolist(), strict=True)))

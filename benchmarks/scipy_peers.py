"""SciPy: the reference (Radau), LSODA as most users write it, and LSODA and VODE with compiled functions."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

import numpy as np
from scipy.integrate import ode, odeint, solve_ivp

from benchmarks.compiled import compiled
from benchmarks.workload import Patients, Workload
from osteon.engine.cache import kernel_for
from osteon.engine.solve import Phase
from osteon.model.system import System

_MOST_STEPS = 1_000_000
#: ``integrate(y0, times)``: states (times, states), the first row `y0`.
Integrate = Callable[[np.ndarray, np.ndarray], np.ndarray]
#: ``prepare(phase)``: what integrates the system of a phase with its parameters.
Prepare = Callable[[Phase], Integrate]
#: ``peer(base, patients, tolerance, floor)``: states (patients, times, states) and CPU seconds (patients,).
Peer = Callable[[Workload, Patients, float, float], tuple[np.ndarray, np.ndarray]]


def march(base: Workload, phases: Sequence[Phase], prepare: Prepare) -> np.ndarray:
    """Solve one patient, stopped and started again at each dose and at the fracture.

    Returns
    -------
    ndarray, (times, states)
        Not a number from where the solver gave up.
    """
    found = base.empty(1)[0]
    ready: dict[System, Integrate] = {}
    carried: dict[str, float] = {}
    for number, phase in enumerate(phases):
        stop = base.end if number == len(phases) - 1 else phases[number + 1].start
        keys = tuple(phase.system.states)
        if phase.system not in ready:
            ready[phase.system] = prepare(phase)
        fresh = dict(zip(keys, phase.system.initial(phase.parameters), strict=True))
        y0 = np.array([carried.get(key, value) + phase.impulses.get(key, 0.0) for key, value in fresh.items()])
        inside = (base.times > phase.start) & (base.times <= stop)
        states = ready[phase.system](y0, np.unique([phase.start, *base.times[inside], stop]))
        if not np.isfinite(states).all():
            return found
        columns = np.array([base.states.index(key) for key in keys])
        found[np.flatnonzero(inside)[:, None], columns] = states[1 : 1 + inside.sum()]
        carried = dict(zip(keys, states[-1].tolist(), strict=True))
    return found


def reference(base: Workload, patients: Patients, rtol: float = 1e-10) -> np.ndarray:
    """States by Radau at a tight tolerance, (patients, times, states)."""

    def prepare(phase: Phase) -> Integrate:
        rhs, jacobian, c = _compiled(phase)
        atol = 1e-3 * rtol * _scale(phase)

        def radau(y0: np.ndarray, times: np.ndarray) -> np.ndarray:
            course = solve_ivp(
                lambda t, y: rhs(y, t, c),
                (times[0], times[-1]),
                y0,
                method="Radau",
                t_eval=times,
                jac=lambda t, y: jacobian(y, t, c),
                rtol=rtol,
                atol=atol,
            )
            return course.y.T if course.success else np.full((len(times), len(y0)), np.nan)

        return radau

    return np.array([march(base, base.phases(patients.one(i)), prepare) for i in range(len(patients))])


def plain(base: Workload, patients: Patients, tolerance: float, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """LSODA with our generated plain-Python right-hand side and no Jacobian.

    Parameters
    ----------
    floor : float
        Absolute over relative tolerance, in units of the usual size of each state.

    Returns
    -------
    states : ndarray, (patients, times, states)
    seconds : ndarray, (patients,)
        CPU time of each; planning the doses and compiling are not counted.
    """

    def prepare(phase: Phase) -> Integrate:
        kernel = kernel_for(phase.system)
        rhs = kernel.functions([phase.parameters[key] for key in kernel.parameters]).rhs
        return _lsoda(lambda y, t: rhs(y.tolist()), tolerance, tolerance * floor * _scale(phase))

    return _timed(base, patients, prepare)


def written(base: Workload, patients: Patients, tolerance: float, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """LSODA on the model's functions as a person writes them, nothing generated; as for `plain`."""

    def prepare(phase: Phase) -> Integrate:
        evaluate, get = phase.system.evaluate, phase.parameters.__getitem__
        return _lsoda(lambda y, t: evaluate(y.tolist(), get)[0], tolerance, tolerance * floor * _scale(phase))

    return _timed(base, patients, prepare)


def fast(base: Workload, patients: Patients, tolerance: float, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """LSODA with a compiled right-hand side and analytic Jacobian; parameters and result as for `plain`."""

    def prepare(phase: Phase) -> Integrate:
        rhs, jacobian, c = _compiled(phase)
        return _lsoda(rhs, tolerance, tolerance * floor * _scale(phase), args=(c,), Dfun=jacobian)

    return _timed(base, patients, prepare)


def vode(base: Workload, patients: Patients, tolerance: float, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """VODE, the ancestor of CVODE, with a compiled right-hand side and no Jacobian; as for `plain`."""

    def prepare(phase: Phase) -> Integrate:
        rhs, _, c = _compiled(phase)
        settings = {"method": "bdf", "rtol": tolerance, "atol": tolerance * floor * _scale(phase)}

        def bdf(y0: np.ndarray, times: np.ndarray) -> np.ndarray:
            solver = ode(lambda t, y: rhs(y, t, c)).set_integrator("vode", nsteps=_MOST_STEPS, **settings)
            solver.set_initial_value(y0, times[0])
            found = np.array([y0, *(solver.integrate(time) for time in times[1:])])
            return found if solver.successful() else np.full(found.shape, np.nan)

        return bdf

    return _timed(base, patients, prepare)


def _lsoda(rhs: Callable, rtol: float, atol: np.ndarray, **more: Any) -> Integrate:
    def lsoda(y0: np.ndarray, times: np.ndarray) -> np.ndarray:
        # Never past a dose (tcrit): what follows it is another course.
        found, info = odeint(
            rhs, y0, times, rtol=rtol, atol=atol, tcrit=times[-1:], mxstep=_MOST_STEPS, full_output=True, **more
        )
        return found if info["message"] == "Integration successful." else np.full(found.shape, np.nan)

    return lsoda


def _compiled(phase: Phase) -> tuple[Callable, Callable, np.ndarray]:
    functions = compiled(phase.system)
    values = np.array([phase.parameters[key] for key in functions.parameters])
    return functions.rhs, functions.jacobian, functions.constants(values)


def _scale(phase: Phase) -> np.ndarray:
    return np.array([state.scale for state in phase.system.states.values()])


def _timed(base: Workload, patients: Patients, prepare: Prepare) -> tuple[np.ndarray, np.ndarray]:
    found, seconds = base.empty(len(patients)), np.empty(len(patients))
    plans = [base.phases(patients.one(number)) for number in range(len(patients))]
    for phase in plans[0]:
        prepare(phase)  # compiled before the clock starts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a tolerance too loose to hold shows in the error
        for number, phases in enumerate(plans):
            began = process_time()
            found[number] = march(base, phases, prepare)
            seconds[number] = process_time() - began
    return found, seconds

"""From a scenario to a course: parameters, phases of each arm, solution, curves and endpoints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.course import RESEARCH_ONLY, Course, about, installed
from osteon.endpoints import (
    SAFETY_PARAMETERS,
    SCORES,
    Treatment,
    endpoint_arrays,
    endpoints,
    is_treated,
    radiograph,
    treatment_of,
    treatments_of,
)
from osteon.endpoints.function import function_of, function_parameters, members_range
from osteon.engine.solve import TOLERANCE, Memory, Piece, solve
from osteon.errors import InputError, SolveError
from osteon.model.person import MEMBERS, imposed_records, parameters_for
from osteon.model.systems import curves_of
from osteon.population.plan import course_times, phases, steps
from osteon.uncertainty import NOT_UNDER_EVERY_DRAW, Choice, Lanes, Spread, choose

if TYPE_CHECKING:
    import xarray as xr

    from osteon.parameters import ParameterSet, Record
    from osteon.scenario import Arm, Scenario

Curves = dict[str, np.ndarray]


def simulate(
    scenario: Scenario,
    *,
    members: Sequence[str] = tuple(MEMBERS),
    tolerance: float = TOLERANCE,
    draws: int | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Course:
    """Simulate every arm of a scenario.

    Parameters
    ----------
    scenario : Scenario
        What to simulate.
    members : sequence of str
        Ensemble members of the callus kinetics; curves are those of the first, endpoints span all.
    tolerance : float
        Error allowed per step.
    draws : int, optional
        Draws of parameters and structures of the turnover layer over which curves and endpoints of the skeleton have
        a range; 0 for none. Left out, 40 for people where no arm imposes an effect, else none. The callus has that of
        its members.
    on_progress : callable, optional
        ``on_progress(what, done, total)`` before each arm.

    Returns
    -------
    Course
        An arm that could not be solved is NaN, with its reason in `failures`.

    Raises
    ------
    ModelError
        A member is unknown.
    InputError
        No member is named, the tolerance is not a number between 1e-12 and 1e-2, or there are not so many draws.
    """
    import pandas as pd

    if not members:
        raise InputError("no ensemble member is named", path="members", hint=f"name some of {', '.join(MEMBERS)}")
    if not 1e-12 <= tolerance <= 1e-2:
        raise InputError(f"{tolerance} is outside the allowed range of 1e-12 to 1e-2", path="tolerance")
    members = tuple(members) if scenario.fracture is not None else tuple(members)[:1]
    choice = choose(scenario, draws)
    time = output_times(scenario)
    sets = {member: parameters_for(scenario, member) for member in members}
    memory, failures = Memory(), {}
    found: dict[str, dict[str, Curves]] = {member: {} for member in members}
    done, total = 0, (len(members) + (choice is not None)) * len(scenario.arms)
    with _lanes(scenario, sets[members[0]], choice) as lanes:
        for member, parameters in sets.items():
            for arm in scenario.arms:
                if on_progress:
                    on_progress(arm.name, done, total)
                try:
                    pieces = solve(phases(scenario, arm, parameters), scenario.horizon, memory, tolerance)
                    found[member][arm.name] = _curves(scenario, pieces, time, parameters)
                except SolveError as error:
                    failures[arm.name] = str(error)
                done += 1
        spread = None
        if choice is not None and lanes is not None:
            names = [arm.name for arm in scenario.arms]

            def tell(arm: str) -> None:
                if on_progress:
                    on_progress(f"{arm} × {len(choice)}", done + names.index(arm), total)

            score = partial(_systemic_endpoints, scenario, time)
            spread = Spread.solve(choice, lanes, time, score, without=failures, tolerance=tolerance, on_arm=tell)
    for name in failures:
        for member in members:
            found[member].pop(name, None)
    if on_progress:
        on_progress("", total, total)

    datasets = {member: _dataset(scenario, time, found[member], failures) for member in members}
    table = pd.DataFrame(_endpoint_rows(scenario, time, found, sets, failures, spread))
    return Course(
        scenario=scenario,
        data=datasets[members[0]],
        members=datasets,
        table=table,
        parameters=_used(scenario, sets),
        failures=failures,
        manifest=_manifest(scenario, sets, tolerance) | ({} if spread is None else {"draws": spread.manifest()}),
        bands=None if spread is None else spread.dataset(scenario, time),
        failed_draws={} if spread is None else spread.failed,
    )


def output_times(scenario: Scenario) -> np.ndarray:
    """Days at which curves are given: weekly before, daily for two years after, finer after each dose.

    Of a drug whose daily mean is followed, the days on which its mean changes count as its doses.
    """
    doses = {float(step.start) for arm in scenario.arms for step in steps(scenario, arm) if step.doses}
    return course_times(scenario.start_day, scenario.horizon, doses)


def _curves(scenario: Scenario, pieces: list[Piece], time: np.ndarray, parameters: ParameterSet) -> Curves:
    """All curves of one arm over `time`; what a phase does not have is at its value without the part."""
    broken = scenario.fracture is not None
    found = {
        name: np.full(len(time), np.nan if curve.callus else curve.absent)
        for name, curve in curves_of(_compartments(scenario)).items()
    }
    for number, piece in enumerate(pieces):
        last = number == len(pieces) - 1
        inside = (time >= piece.start) & ((time <= piece.end) if last else (time < piece.end))
        if not inside.any():
            continue
        states, signals = piece.evaluate(time[inside])
        hidden = {key.replace(".", "_"): values for key, values in states.items()}
        for name, values in {**hidden, **signals}.items():
            if name in found:
                found[name][inside] = values
    if broken:
        after = time >= 0
        # Before a drug is given the callus sees all its RANKL, and none of the drug.
        for name, curve in curves_of(_compartments(scenario)).items():
            if not np.isnan(curve.idle):
                found[name][after & np.isnan(found[name])] = curve.idle
        values = {key: parameters.value(key) for key in parameters if key.startswith("radiograph.")}
        seen = {name: curve[after] for name, curve in found.items()}
        for name, curve in radiograph(seen, values, scenario.patient.species).items():
            found[name] = np.full(len(time), np.nan)
            found[name][after] = curve
    return found


def _dataset(scenario: Scenario, time: np.ndarray, arms: dict[str, Curves], failures: dict[str, str]) -> xr.Dataset:
    """Label the curves; an arm that failed is NaN."""
    import xarray as xr

    names = [arm.name for arm in scenario.arms]
    empty = np.full(len(time), np.nan)
    broken = scenario.fracture is not None
    listed = sorted([*curves_of(_compartments(scenario)), *(SCORES if broken else ())])
    variables = {}
    for name in listed:
        variables[name] = (
            ("arm", "time"),
            np.stack([arms.get(arm, {}).get(name, empty) for arm in names]),
            about(name, scenario.patient.species),
        )
    coordinates = {
        "arm": ("arm", np.array(names, dtype=object), {"long_name": "arm"}),
        "time": ("time", time, {"units": "day", "long_name": "time from the fracture"}),
    }
    attributes = {"title": scenario.title, "comment": RESEARCH_ONLY, "source": f"osteon {installed('osteon')}"}
    if failures:
        attributes["failed_arms"] = "; ".join(f"{arm}: {why}" for arm, why in failures.items())
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)


def _endpoint_rows(
    scenario: Scenario,
    time: np.ndarray,
    found: dict[str, dict[str, Curves]],
    sets: dict[str, ParameterSet],
    failures: dict[str, str],
    spread: Spread | None,
) -> list[dict[str, Any]]:
    """Endpoints of every arm, with their range over the members, or over the draws where these have it."""
    rows: list[dict[str, Any]] = []
    for arm in scenario.arms:
        if arm.name in failures:
            rows.append(_row(arm.name, "course", [np.nan], "1", f"failed: {failures[arm.name]}"))
            continue
        by_member = [
            endpoints(
                time,
                found[member][arm.name],
                _chronic(parameters),
                _treatment(scenario, arm, parameters),
                function_of(scenario.patient, scenario.fracture),
            )
            for member, parameters in sets.items()
        ]
        courses = [(found[member][arm.name], _chronic(parameters)) for member, parameters in sets.items()]
        ranges = members_range(time, courses, scenario.patient, scenario.fracture)
        for same in zip(*by_member, strict=True):
            first = same[0]
            rows.append(_row(arm.name, first.endpoint, [one.value for one in same], first.unit, first.note))
            if first.endpoint in ranges and not np.isnan(first.value):
                rows[-1] |= dict(zip(("low", "high"), ranges[first.endpoint], strict=True))
            drawn = None if spread is None else spread.range_of(arm.name, first.endpoint)
            if drawn is not None and not np.isnan(first.value):
                rows[-1] |= dict(zip(("low", "high"), drawn, strict=True))
                rows[-1]["note"] = NOT_UNDER_EVERY_DRAW if np.isnan(drawn).any() else first.note
    return rows


def _row(arm: str, endpoint: str, values: list[float], unit: str, note: str) -> dict[str, Any]:
    """One row; the range over members is open where a member does not reach the endpoint."""
    low, high = (np.nan, np.nan) if np.isnan(values).any() else (min(values), max(values))
    return {
        "arm": arm,
        "endpoint": endpoint,
        "value": values[0],
        "unit": unit,
        "low": low,
        "high": high,
        "note": note or ("not reached by every ensemble member" if np.isnan(values).any() else ""),
    }


def _chronic(parameters: ParameterSet) -> float:
    return parameters.value("inflammation.chronic") if "inflammation.chronic" in parameters else 0.0


def _compartments(scenario: Scenario) -> int:
    return 0 if scenario.fracture is None else scenario.fracture.compartments


def _treatment(scenario: Scenario, arm: Arm, parameters: ParameterSet) -> Treatment | None:
    """What safety endpoints need to know; none where there are none."""
    if not is_treated(scenario.patient, [arm]):
        return None
    return treatment_of(arm, scenario.horizon, {key: parameters.value(key) for key in SAFETY_PARAMETERS})


def _lanes(scenario: Scenario, parameters: ParameterSet, choice: Choice | None) -> AbstractContextManager[Lanes | None]:
    """The skeleton under draws, of which kernels are being made meanwhile."""
    if choice is None:
        return nullcontext()
    return Lanes(scenario, choice.values({key: record.value for key, record in parameters.items()}), len(choice))


def _systemic_endpoints(
    scenario: Scenario, time: np.ndarray, name: str, series: Mapping[str, np.ndarray], values: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Endpoints of the skeleton of one arm under draws, each of shape (draws,)."""
    (arm,) = (one for one in scenario.arms if one.name == name)
    treatment = None
    if is_treated(scenario.patient, [arm]):
        treatment = treatments_of([arm], scenario.horizon, {key: values[key] for key in SAFETY_PARAMETERS})
    return endpoint_arrays(time, series, treatment=treatment)


def _used(scenario: Scenario, sets: dict[str, ParameterSet]) -> tuple[Record, ...]:
    """Parameters that some arm reads, what arms impose, and where further members differ from the first."""
    first, *others = sets
    keys = {key for key in sets[first] if key.startswith("radiograph.")}
    keys |= set(SAFETY_PARAMETERS) if is_treated(scenario.patient, scenario.arms) else set()
    imposed: list[Record] = []
    for arm in scenario.arms:
        plan = phases(scenario, arm, sets[first])
        for phase in plan:
            keys |= {*phase.system.parameter_keys, *phase.system.initial_parameters()}
        events = arm.dose_events(scenario.patient)
        keys |= {plan[-1].system.dose_target(event.drug, event.route)[1] for event in events}
        imposed += [replace(record, note=f"arm {arm.name}") for record in imposed_records(arm.impose)]
    base = [sets[first][key] for key in sorted(keys) if key in sets[first]]
    further: list[Record] = []
    for member in others:
        differing = (sets[member][one.key] for one in base if sets[member].value(one.key) != one.value)
        further += [replace(one, note="; ".join(filter(None, (f"member {member}", one.note)))) for one in differing]
    return (*base, *further, *imposed, *function_parameters(scenario.patient, scenario.fracture))


def _manifest(scenario: Scenario, sets: dict[str, ParameterSet], tolerance: float) -> dict[str, Any]:
    packages = ("osteon", "numpy", "xarray", "pandas", "pydantic", "pint", "netcdf4", "pyarrow")
    return {
        "osteon": installed("osteon"),
        "versions": {"python": sys.version.split()[0], **{name: installed(name) for name in packages}},
        "seed": scenario.seed,
        "scenario_sha256": scenario.content_hash(),
        "parameters_sha256": {member: parameters.content_hash() for member, parameters in sets.items()},
        "members": list(sets),
        "tolerance": tolerance,
        "warning": RESEARCH_ONLY,
    }

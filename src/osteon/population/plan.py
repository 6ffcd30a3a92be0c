"""The plan of an arm: phases of unchanging structure, for one patient or for many of equal structure at once.

Whatever differs between patients, a weight, a dose or a parameter, may be an array over patients; a plan for one
patient holds plain numbers and is the same to the last bit as its place in a plan for many.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from osteon.engine.solve import Phase
from osteon.model.person import imposed_records
from osteon.model.system import System
from osteon.model.systems import assemble
from osteon.parameters import ParameterSet

if TYPE_CHECKING:
    from osteon.scenario import Arm, DoseEvent, Scenario

#: A number, or one for each of many patients, shape (patients,).
Number = float | np.ndarray
#: What tells two structures apart: whether there is a callus, drugs given so far, effects imposed.
Structure = tuple[bool, tuple[str, ...], tuple[str, ...]]

_WEEKLY_AFTER = 731.0
_AFTER_A_DOSE = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 14.0)


class Step(NamedTuple):
    """A phase before parameters are known: start [day], structure, and amount [mg] by state and bioavailability."""

    start: float
    structure: Structure
    doses: dict[tuple[str, str], Number]

    @property
    def shape(self) -> tuple[Structure, tuple[tuple[str, str], ...]]:
        """What must agree for the steps of two patients to be solved side by side."""
        return self.structure, tuple(self.doses)

    @property
    def system(self) -> System:
        """The assembled system of this step."""
        fractured, drugs, imposed = self.structure
        return assemble(fractured=fractured, drugs=drugs, imposed=imposed)

    def impulses(self, values: Mapping[str, Number]) -> dict[str, Number]:
        """Amount [mg] added to each state, what is lost on the way taken off."""
        added: dict[str, Number] = {}
        for (state, share), amount in self.doses.items():
            added[state] = added.get(state, 0.0) + amount * values[share]
        return added


def steps(scenario: Scenario, arm: Arm, weight: Number | None = None) -> list[Step]:
    """Steps of an arm: a new one wherever the structure changes or a dose falls.

    Parameters
    ----------
    scenario : Scenario
        Whose fracture and doses.
    arm : Arm
        Which arm.
    weight : float or ndarray, optional
        Body weight [kg], shape (patients,); left out, that of the scenario's patient.

    Returns
    -------
    list of Step
        A drug is absent before its first dose, the callus before the fracture, an imposed effect before time zero.
    """
    events = _events(arm, scenario.patient.weight if weight is None else weight)
    imposed = tuple(record.name for record in imposed_records(arm.impose))
    broken = scenario.fracture is not None
    whole: set[float] = {scenario.start_day, *(event.time for event in events)}
    moments = sorted(whole | {0.0} if broken or imposed else whole)
    first: dict[str, float] = {}
    fallen: dict[float, list[DoseEvent]] = {}
    for event in events:
        first.setdefault(event.drug, event.time)
        fallen.setdefault(event.time, []).append(event)
    planned = []
    for moment in moments:
        given = tuple(sorted(drug for drug, time in first.items() if time <= moment))
        step = Step(moment, (broken and moment >= 0, given, imposed if moment >= 0 else ()), {})
        amounts: dict[tuple[str, str], list[Number]] = {}
        for event in fallen.get(moment, ()):
            amounts.setdefault(step.system.dose_target(event.drug, event.route), []).append(event.amount)
        step.doses.update({target: _total(added) for target, added in amounts.items()})
        planned.append(step)
    return planned


def phases(
    scenario: Scenario, arm: Arm, parameters: ParameterSet | Mapping[str, Number], weight: Number | None = None
) -> list[Phase]:
    """Phases of one arm.

    Parameters
    ----------
    scenario : Scenario
        Whose fracture and doses.
    arm : Arm
        Which arm; what it imposes is added to the parameters.
    parameters : ParameterSet or mapping of str to float or ndarray
        Values by key, arrays of shape (patients,).
    weight : float or ndarray, optional
        Body weight [kg] for doses per kg; left out, that of the scenario's patient.
    """
    if isinstance(parameters, ParameterSet):
        parameters = {key: record.value for key, record in parameters.items()}
    values: Any = {**parameters, **{record.key: record.value for record in imposed_records(arm.impose)}}
    return [
        Phase(step.start, step.system, values, step.impulses(values))  # pyright: ignore[reportArgumentType]
        for step in steps(scenario, arm, weight)
    ]


def course_times(start: float, end: float, doses: Iterable[float]) -> np.ndarray:
    """Days at which curves are given: weekly before, daily for two years after, finer after each dose.

    Parameters
    ----------
    start, end : float
        First and last day.
    doses : iterable of float
        Days on which a dose falls.

    Returns
    -------
    ndarray
        Shape (time,), ascending, from `start` to `end`.
    """
    days = [np.arange(0.0, start, -7.0)[::-1], np.arange(0.0, min(end, _WEEKLY_AFTER), 1.0)]
    days.append(np.arange(_WEEKLY_AFTER, end, 7.0))
    days += [np.add(moment, (0.0, *_AFTER_A_DOSE)) for moment in set(doses)]
    every = np.unique(np.concatenate([*days, [start, end]]))
    return every[(every >= start) & (every <= end)]


def narrow(values: np.ndarray) -> Number:
    """One number where all are equal."""
    return float(values[0]) if len(values) and (values == values[0]).all() else values


def _events(arm: Arm, weight: Any) -> list[DoseEvent]:
    """Single doses in order; amounts of equal doses need no order, since they are summed exactly."""
    events = [event for dose in arm.doses for event in dose.events(weight)]
    return sorted(events, key=lambda event: (event.time, event.drug, event.route))


def _total(amounts: Sequence[Number]) -> Number:
    """Sum exactly, so that a split or reordered dose gives the same bits."""
    if len(amounts) == 1:
        return amounts[0]
    if all(isinstance(amount, float | int) for amount in amounts):
        return math.fsum(amounts)  # pyright: ignore[reportArgumentType]
    return np.array([math.fsum(column) for column in zip(*np.broadcast_arrays(*amounts), strict=True)])

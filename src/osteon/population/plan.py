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
from osteon.population.intake import Change, Number, intake_changes, is_averaged

if TYPE_CHECKING:
    from osteon.population.taking import Taking
    from osteon.scenario import Arm, DoseEvent, Scenario

#: What tells two structures apart: compartments of the callus or 0, drugs given so far, effects imposed.
Structure = tuple[int, tuple[str, ...], tuple[str, ...]]

_WEEKLY_AFTER = 731.0
_AFTER_A_DOSE = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 14.0)


class Step(NamedTuple):
    """A phase before parameters are known: start [day], structure, and amount by state and bioavailability.

    An amount is in mg, or in mg/day where the daily mean of a drug is followed; it is negative where that falls.
    """

    start: Number
    structure: Structure
    doses: dict[tuple[str, str], Number]

    @property
    def shape(self) -> tuple[Structure, tuple[tuple[str, str], ...]]:
        """What must agree for the steps of two patients to be solved side by side."""
        return self.structure, tuple(self.doses)

    @property
    def system(self) -> System:
        """The assembled system of this step."""
        compartments, drugs, imposed = self.structure
        return assemble(fractured=compartments, drugs=drugs, imposed=imposed)

    def impulses(self, values: Mapping[str, Number]) -> dict[str, Number]:
        """Amount added to each state, what is lost on the way taken off."""
        added: dict[str, Number] = {}
        for (state, share), amount in self.doses.items():
            added[state] = added.get(state, 0.0) + amount * values[share]
        return added


def steps(scenario: Scenario, arm: Arm, weight: Number | None = None, taking: Taking | None = None) -> list[Step]:
    """Steps of an arm: a new one wherever the structure changes or a dose falls.

    Parameters
    ----------
    scenario : Scenario
        Whose fracture and doses.
    arm : Arm
        Which arm.
    weight : float or ndarray, optional
        Body weight [kg], shape (patients,); left out, that of the scenario's patient.
    taking : Taking, optional
        How many patients take this arm; left out, as planned.

    Returns
    -------
    list of Step
        A drug is absent before its first dose, the callus before the fracture, an imposed effect before time zero.
    """
    weight = scenario.patient.weight if weight is None else weight
    events = _events(arm, weight)
    changes, begun = intake_changes(arm, weight, scenario.horizon)
    imposed = tuple(record.name for record in imposed_records(arm.impose))
    compartments = 0 if scenario.fracture is None else scenario.fracture.compartments
    whole: set[float] = {scenario.start_day, *(event.time for event in events), *begun.values(), *changes}
    moments = sorted(whole | {0.0} if compartments or imposed else whole)
    if taking is not None:
        events, changes = taking.apply(moments, events, changes)
    first: dict[str, float] = dict(begun)
    fallen: dict[float, list[Change]] = {moment: list(added) for moment, added in changes.items()}
    for event in _events(arm, weight):
        first.setdefault(event.drug, event.time)
    for event in events:
        fallen.setdefault(event.time, []).append(Change(event.drug, event.route, event.amount))
    planned = []
    for moment in moments:
        given = tuple(sorted(drug for drug, time in first.items() if time <= moment))
        structure = compartments if moment >= 0 else 0, given, imposed if moment >= 0 else ()
        planned.append(_step(moment, structure, fallen.get(moment, ())))
        late = () if taking is None else taking.delayed.get(moment, ())
        planned += [_step(one.start, structure, one.changes) for one in late]
    return planned


def _step(start: Number, structure: Structure, fallen: Iterable[Change]) -> Step:
    step = Step(start, structure, {})
    amounts: dict[tuple[str, str], list[Number]] = {}
    for change in sorted(fallen, key=lambda change: (change.drug, change.route)):
        amounts.setdefault(step.system.dose_target(change.drug, change.route), []).append(change.amount)
    step.doses.update({target: _total(added) for target, added in amounts.items()})
    return step


def phases(
    scenario: Scenario,
    arm: Arm,
    parameters: ParameterSet | Mapping[str, Number],
    weight: Number | None = None,
    taking: Taking | None = None,
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
    taking : Taking, optional
        How many patients take this arm; left out, as planned.
    """
    if isinstance(parameters, ParameterSet):
        parameters = {key: record.value for key, record in parameters.items()}
    values: Any = {**parameters, **{record.key: record.value for record in imposed_records(arm.impose)}}
    return phases_of(steps(scenario, arm, weight, taking), values)


def phases_of(planned: Sequence[Step], values: Mapping[str, Number]) -> list[Phase]:
    """Phases of the steps of one arm under parameter `values`, which they share.

    Where all that was given of a drug has been taken back, so is all that arrived, to the last bit.
    """
    made = []
    given: dict[tuple[str, str], Number] = {}
    arrived: dict[tuple[str, str], Number] = {}
    for step in planned:
        impulses: Any = {}
        for target, amount in step.doses.items():
            state, share = target
            before = arrived.get(target, 0.0)
            given[target] = given.get(target, 0.0) + amount
            change = _take_back(given[target], before, amount * values[share])
            arrived[target] = before + change
            impulses[state] = impulses.get(state, 0.0) + change
        parameters: Any = values
        start: Any = step.start
        made.append(Phase(start, step.system, parameters, impulses))
    return made


def _take_back(given: Number, before: Number, change: Number) -> Number:
    if isinstance(given, np.ndarray) or isinstance(change, np.ndarray):
        return np.where(np.asarray(given) == 0, 0.0 - before, change)
    return 0.0 - before if given == 0 else change


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
    """Single doses in order, less those whose mean is followed; equal ones need no order, they are summed exactly."""
    events = [event for dose in arm.doses if not is_averaged(dose.drug) for event in dose.events(weight)]
    return sorted(events, key=lambda event: (event.time, event.drug, event.route))


def _total(amounts: Sequence[Number]) -> Number:
    """Sum exactly, so that a split or reordered dose gives the same bits."""
    if len(amounts) == 1:
        return amounts[0]
    if all(isinstance(amount, float | int) for amount in amounts):
        return math.fsum(amounts)  # pyright: ignore[reportArgumentType]
    return np.array([math.fsum(column) for column in zip(*np.broadcast_arrays(*amounts), strict=True)])

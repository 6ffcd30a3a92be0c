"""One arm as a single system for its whole course, as other tools need it.

osteon itself leaves a drug out before its first dose and the callus out before the fracture. Elsewhere the structure
of a model cannot change on the way, so here every part is there from the start: a drug that was not given is at zero,
and the callus waits behind a switch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from osteon.errors import InputError, ModelError, near_match, show
from osteon.model.person import MEMBERS, imposed_records, parameters_for
from osteon.model.system import IMPOSED, System
from osteon.model.systems import assemble
from osteon.parameters import Record
from osteon.population.plan import Step, steps

if TYPE_CHECKING:
    from osteon.scenario import Arm, Scenario


@dataclass(frozen=True)
class GivenDose:
    """What is added to one state on one day, as the solver adds it.

    Attributes
    ----------
    day : float
        Day from the fracture.
    drug : str
        Which drug.
    amount : float
        Sum of the doses of that day [mg]; of a drug whose daily mean is followed the change of its intake [mg/day],
        negative where it falls.
    unit : str
        "mg" or "mg/day".
    state, share : str
        Keys of the state it lands in, and of the parameter that says which share does.
    """

    day: float
    drug: str
    amount: float
    unit: str
    state: str
    share: str

    @property
    def means(self) -> str:
        """One line that says what happens."""
        if self.unit == "mg":
            return f"{self.amount:g} mg {self.drug}"
        return f"mean intake of {self.drug} {'rises' if self.amount > 0 else 'falls'} by {abs(self.amount):g} mg/day"


@dataclass(frozen=True)
class ArmModel:
    """The model of one arm.

    Attributes
    ----------
    scenario, arm, member : Scenario, Arm, str
        What it was made from.
    system : System
        Every part the arm ever has; each input without a provider is a parameter ``imposed.<signal>``.
    imposed : mapping
        Signal to (value before time zero, value from time zero on) for what the arm imposes.
    doses : tuple of GivenDose
        In order of time; a course whose daily mean is followed is its first day and the day after its end.
    waiting : frozenset of str
        States that rest until the fracture.
    """

    scenario: Scenario
    arm: Arm
    member: str
    system: System
    imposed: Mapping[str, tuple[float, float]]
    doses: tuple[GivenDose, ...]
    waiting: frozenset[str]

    @property
    def start(self) -> float:
        """First day, counted from the fracture; zero or negative."""
        return self.scenario.start_day


def arm_model(scenario: Scenario, arm_name: str | None = None, member: str = "J") -> ArmModel:
    """Assemble the model of one arm.

    Parameters
    ----------
    scenario : Scenario
        Whose patient, fracture and treatment.
    arm_name : str, optional
        The first arm where left out.
    member : {"J", "B"}
        Ensemble member of the callus kinetics.

    Raises
    ------
    InputError
        There is no such arm or member.
    """
    arm = _arm(scenario, arm_name)
    if member not in MEMBERS:
        message = f"{show(member)} is not an ensemble member (allowed: {', '.join(MEMBERS)})"
        raise InputError(message, path="member", value=member)
    planned = steps(scenario, arm)
    drugs = planned[-1].structure[1]
    records = imposed_records(arm.impose)
    compartments = planned[-1].structure[0]
    without = assemble(fractured=compartments, drugs=drugs)
    held = assemble(fractured=compartments, drugs=drugs, imposed=[record.name for record in records])
    system = with_inputs(
        System(held.name, held.modules, parameters_for(scenario, member).with_records(*records), held.imposed)
    )
    idle = defaults(without)
    computed = [name for name in held.imposed if name not in idle]
    if computed and scenario.start_day < 0:
        raise ModelError(f"{', '.join(computed)} is computed before the fracture and imposed after it: not exported")
    values = {record.name: record.value for record in records}
    return ArmModel(
        scenario,
        arm,
        member,
        system,
        {name: (idle.get(name, values[name]), values[name]) for name in held.imposed},
        tuple(dose for step in planned for dose in _given(step, system)),
        frozenset(without.states) - frozenset(assemble(fractured=False, drugs=drugs).states),
    )


def defaults(system: System) -> dict[str, float]:
    """Signals that nothing in `system` gives, with the value that holds for them."""
    return {
        name: need.default
        for module in system.modules
        for name, need in module.inputs.items()
        if name not in system.providers and need.default is not None
    }


def with_inputs(system: System) -> System:
    """Return the system with each input nobody provides as a parameter ``imposed.<signal>`` at its default."""
    idle = defaults(system)
    about = {name: need for module in system.modules for name, need in module.inputs.items()}
    records = [
        Record(f"{IMPOSED}.{name}", value, about[name].unit, "defined", "value without the part", about[name].means)
        for name, value in idle.items()
    ]
    parameters = system.parameters.with_records(*records)
    return System(system.name, system.modules, parameters, (*system.imposed, *sorted(idle)))


def _given(step: Step, system: System) -> Iterator[GivenDose]:
    """What a step adds, state by state."""
    drugs = {
        f"{module.name}.{state}": drug for module in system.modules for (drug, _), (state, _) in module.doses.items()
    }
    for (state, share), amount in step.doses.items():
        yield GivenDose(float(step.start), drugs[state], float(amount), system.states[state].unit, state, share)


def _arm(scenario: Scenario, name: str | None) -> Arm:
    if name is None:
        return scenario.arms[0]
    known = {arm.name: arm for arm in scenario.arms}
    if name not in known:
        message = f"{show(name)} is not an arm of this scenario (allowed: {', '.join(known)})"
        raise InputError(message, path="arm", value=name, hint=near_match(name, known))
    return known[name]

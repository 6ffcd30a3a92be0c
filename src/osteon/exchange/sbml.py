"""SBML Level 3 Version 2 of one arm: the same equations, doses and parameters, for any tool that reads SBML.

States are parameters with rate rules, signals are assignment rules, doses and the fracture are events. The time of
SBML begins at zero with the first day of the scenario: day from the fracture = time + `osteon_start_day`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from osteon.course import RESEARCH_ONLY
from osteon.errors import MissingExtra, ModelError
from osteon.exchange.arm import ArmModel, arm_model
from osteon.exchange.sbml_units import unit_id
from osteon.model.system import IMPOSED

if TYPE_CHECKING:
    from osteon.parameters import Record
    from osteon.scenario import Scenario

#: Switch that lets the callus move: 0 before the fracture, 1 after it.
AFTER_FRACTURE = "after_fracture"


def to_sbml(scenario: Scenario, arm_name: str | None = None, member: str = "J") -> str:
    """Return the SBML text of one arm, its whole course from the first dose of the scenario on.

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
    MissingExtra
        python-libsbml is not installed.
    """
    text, values = write_sbml(arm_model(scenario, arm_name, member))
    return exact(text, values)


def write_sbml(arm: ArmModel, *, literal_units: bool = True) -> tuple[str, dict[str, float]]:
    """Return the SBML text as libsbml writes it, to 15 digits, and the value of every parameter by its id.

    Parameters
    ----------
    arm : ArmModel
        The model of the arm.
    literal_units : bool
        Mark bare numbers as dimensionless, which unit checks need and readers do not.
    """
    try:
        import libsbml
    except ImportError:
        raise MissingExtra("SBML export", "exchange") from None
    document = libsbml.SBMLDocument(3, 2)
    writer = _Writer(libsbml, document.createModel(), literal_units)
    _head(writer, arm)
    _body(writer, arm)
    _events(writer, arm)
    return libsbml.writeSBMLToString(document), writer.values


def exact(text: str, values: dict[str, float]) -> str:
    """Put the values in `text` back to full precision; libsbml writes 15 digits."""

    def full(found: re.Match[str]) -> str:
        return f'{found[1]}"{values[found[2]]!r}"'

    return re.sub(r'(<parameter id="(\w+)"[^>]* value=)"[^"]*"', full, text)


def identifier(key: str) -> str:
    """Name of a state or parameter in SBML."""
    module, _, name = key.partition(".")
    return name if module == IMPOSED else key.replace(".", "_")


@dataclass
class _Writer:
    """Adds elements to a model, each name once."""

    sbml: Any
    model: Any
    literal_units: bool
    values: dict[str, float] = field(default_factory=dict)

    def parameter(
        self, name: str, unit: str, means: str, *, value: float | None = None, constant: bool = True, notes: str = ""
    ) -> None:
        if self.model.getParameter(name) is not None:
            raise ModelError(f"two things would be called {name} in SBML")
        element = self.model.createParameter()
        element.setId(name)
        element.setName(means)
        element.setUnits(unit_id(self.model, unit))
        element.setConstant(constant)
        if value is not None:
            element.setValue(value)
            self.values[name] = float(value)
        if notes:
            element.setNotes(_notes(notes))

    def initial(self, name: str, formula: str) -> None:
        element = self.model.createInitialAssignment()
        element.setSymbol(name)
        element.setMath(self.math(formula))

    def rate(self, name: str, formula: str) -> None:
        element = self.model.createRateRule()
        element.setVariable(name)
        element.setMath(self.math(formula))

    def assignment(self, name: str, formula: str) -> None:
        element = self.model.createAssignmentRule()
        element.setVariable(name)
        element.setMath(self.math(formula))

    def event(self, name: str, means: str, moment: str, changes: dict[str, str]) -> None:
        element = self.model.createEvent()
        element.setId(name)
        element.setName(means)
        element.setUseValuesFromTriggerTime(True)
        trigger = element.createTrigger()
        trigger.setInitialValue(False)
        trigger.setPersistent(True)
        trigger.setMath(self.math(f"time >= {moment}"))
        for variable, formula in changes.items():
            change = element.createEventAssignment()
            change.setVariable(variable)
            change.setMath(self.math(formula))

    def math(self, formula: str) -> Any:
        settings = self.sbml.L3ParserSettings()
        settings.setModel(self.model)
        tree = self.sbml.parseL3FormulaWithSettings(formula, settings)
        if tree is None:
            raise ModelError(f"not readable as SBML: {self.sbml.getLastParseL3Error()}")
        if self.literal_units:
            _mark_dimensionless(tree)
        return tree


def _mark_dimensionless(tree: Any) -> None:
    if tree.isNumber():
        tree.setUnits("dimensionless")
    for place in range(tree.getNumChildren()):
        _mark_dimensionless(tree.getChild(place))


def _head(writer: _Writer, arm: ArmModel) -> None:
    """Name, time unit and notes of the model."""
    scenario, model = arm.scenario, writer.model
    model.setId(re.sub(r"\W+", "_", f"osteon_{arm.arm.name}_{arm.member}", flags=re.ASCII).strip("_"))
    model.setName(f"{scenario.title}; arm {arm.arm.name}")
    model.setTimeUnits(unit_id(model, "day"))
    model.setNotes(
        _notes(
            RESEARCH_ONLY,
            f"Arm {arm.arm.name}, ensemble member {arm.member}, system {arm.system.name}.",
            f"Time is in days and begins at {arm.start!r} days from the fracture: day = time + osteon_start_day. "
            f"The scenario ends at time {scenario.horizon - arm.start!r}.",
            "A drug that was not given yet is at zero, which equals its absence. Where the daily mean of a drug is "
            "followed, a course is a rise of its intake with the first dose and a fall after the last. The callus "
            f"rests at its initial state until the fracture, when {AFTER_FRACTURE} turns from 0 to 1; before that its "
            "curves mean nothing.",
            f"SHA-256 of the scenario: {scenario.content_hash()}",
        )
    )


def _body(writer: _Writer, arm: ArmModel) -> None:
    """Parameters, states with their rates, signals."""
    from osteon.engine.trace import trace
    from osteon.exchange.infix import infix

    system, traced = arm.system, trace(arm.system)
    writer.parameter("osteon_start_day", "day", "first day, counted from the fracture", value=arm.start)
    writer.parameter("time_from_fracture", "day", "day from the fracture", constant=False)
    writer.assignment("time_from_fracture", "time + osteon_start_day")
    if arm.waiting:
        moves = arm.start == 0
        means = "1 from the fracture on, 0 before"
        writer.parameter(AFTER_FRACTURE, "1", means, value=float(moves), constant=moves)

    shares = {dose.share for dose in arm.doses}
    for key in sorted({*traced.parameters, *system.initial_parameters(), *shares}):
        record = system.parameters[key]
        before, after = (
            arm.imposed.get(record.name, (record.value, record.value)) if key.startswith(IMPOSED) else (0, 0)
        )
        if before == after or arm.start == 0:
            writer.parameter(
                identifier(key), record.unit, record.meaning, value=record.value, notes=_provenance(record)
            )
        else:
            writer.parameter(
                f"imposed_{record.name}", record.unit, record.meaning, value=after, notes=_provenance(record)
            )
            means = f"{record.name}: imposed from the fracture on, without effect before"
            writer.parameter(identifier(key), record.unit, means, value=before, constant=False)

    starts = dict(zip(system.states, system.initial({k: r.value for k, r in system.parameters.items()}), strict=True))
    for key, state in system.states.items():
        shown = f"In results of osteon: {state.signal}." if state.signal else ""
        writer.parameter(identifier(key), state.unit, state.means, value=starts[key], constant=False, notes=shown)
    for name in traced.signals:
        about = system.signal_units[name]
        writer.parameter(name, about.unit, about.means, constant=False)

    names = {symbol: identifier(key) for symbol, key in zip(traced.y, traced.states, strict=True)}
    names |= {symbol: identifier(key) for symbol, key in zip(traced.p, traced.parameters, strict=True)}
    names |= {symbol: name for name, (symbol, _) in traced.signals.items()}
    for name, (_, expression) in traced.signals.items():
        writer.assignment(name, infix(expression, names))
    for key, rate in zip(traced.states, traced.rates, strict=True):
        if rate == 0:
            continue  # A mean intake moves at doses alone, and a bare zero would have no unit.
        formula = infix(rate, names)
        writer.rate(identifier(key), f"{AFTER_FRACTURE}*({formula})" if key in arm.waiting else formula)


def _events(writer: _Writer, arm: ArmModel) -> None:
    """Initial states, doses, the fracture and imposed effects; what happens on the first day is initial."""
    system = arm.system
    # Asked with keys for values, a state whose baseline is a parameter answers with its key.
    baseline = zip(system.states, system.initial({key: key for key in system.parameters}), strict=True)  # pyright: ignore
    begins = {state: identifier(key) for state, key in baseline if isinstance(key, str)}
    planned: dict[float, tuple[list[str], dict[str, str]]] = {}
    if arm.start < 0 and (arm.waiting or arm.imposed):
        changes = {AFTER_FRACTURE: "1"} if arm.waiting else {}
        changes |= {name: f"imposed_{name}" for name, (before, after) in arm.imposed.items() if before != after}
        if changes:
            planned[0.0] = (["fracture" if arm.waiting else "effects_imposed"], changes)
    for number, dose in enumerate(arm.doses, 1):
        amount, state = f"dose_{number}_amount", identifier(dose.state)
        means = f"dose {number}: {dose.means}, day {dose.day:g} from the fracture"
        writer.parameter(amount, dose.unit, means, value=dose.amount)
        more = f"{identifier(dose.share)}*{amount}"
        if dose.day == arm.start:
            initial = system.states[dose.state].initial
            before = begins.get(dose.state, "" if initial == 0 else repr(initial))
            begins[dose.state] = f"{before} + {more}" if before else more
        else:
            labels, changes = planned.setdefault(dose.day, ([], {}))
            labels.append(f"dose_{number}")
            changes[state] = f"{changes.get(state, state)} + {more}"
    for key, formula in begins.items():
        writer.initial(identifier(key), formula)
    for day, (labels, changes) in sorted(planned.items()):
        moment = f"{labels[0]}_time"
        writer.parameter(moment, "day", f"time of {labels[0]}, day {day:g} from the fracture", value=day - arm.start)
        writer.event(labels[0], ", ".join(label.replace("_", " ") for label in labels), moment, changes)


def _provenance(record: Record) -> str:
    text = f"{record.how}: {record.source}"
    return f"{text} ({record.note})" if record.note else text


def _notes(*paragraphs: str) -> str:
    inside = "".join(f"<p>{escape(text)}</p>" for text in paragraphs)
    return f'<body xmlns="http://www.w3.org/1999/xhtml">{inside}</body>'

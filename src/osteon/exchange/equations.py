"""The equations of a system as a page: words, LaTeX and parameter tables, made from the modules themselves.

``python -m osteon.exchange.equations docs/equations.md`` writes the page of the documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

from osteon.course import RESEARCH_ONLY
from osteon.exchange.arm import arm_model, with_inputs
from osteon.exchange.latex import Expr, Name, call, latex, symbol, terms
from osteon.exchange.named import Equation, ModuleEquations, equations
from osteon.exchange.naming import namer
from osteon.model import maths
from osteon.model.module import Module
from osteon.model.person import MEMBERS
from osteon.model.system import System
from osteon.model.systems import DRUGS, assemble
from osteon.parameters import ParameterSet, Record, layered

if TYPE_CHECKING:
    from osteon.scenario import Scenario

_WIDE = 110  # letters of a line before it is broken


def to_equations(scenario: Scenario | None = None, arm_name: str | None = None, member: str = "J") -> str:
    """Return the equations as Markdown with LaTeX.

    Parameters
    ----------
    scenario : Scenario, optional
        Whose system and parameter values; left out, everything osteon has with its starting values.
    arm_name : str, optional
        The first arm where left out.
    member : {"J", "B"}
        Ensemble member of the callus kinetics.

    Raises
    ------
    InputError
        There is no such arm or member.
    """
    if scenario is None:
        whole = with_inputs(assemble(fractured=1, drugs=DRUGS))
        others = {name: layered(*files) for name, files in MEMBERS.items() if name != "J"}
        intro = [
            "This page is made from the modules in `src/osteon/model`; do not edit it. After a change there, write it",
            "again with `python -m osteon.exchange.equations docs/equations.md`.",
            "",
            "It shows every module osteon has, with starting values: those of member J, of a weight of 66 kg and 65",
            "years of age, and for geometry those of a mouse femur. Species, bone, fixation and traits change them;",
            "`osteon export FILE --format equations` gives the page of one scenario. The gap as a compartment has the",
            "equations of the callus and is left out here.",
        ]
        return _page("The equations of osteon", intro, whole, others, {})
    arm = arm_model(scenario, arm_name, member)
    intro = [
        f"Scenario: {scenario.title}. Arm: {arm.arm.name}. Ensemble member: {arm.member}.",
        "",
        "A drug has no effect before its first dose, and the callus begins at the fracture.",
    ]
    held = {name: after for name, (_, after) in arm.imposed.items()}
    return _page("The equations of one arm", intro, arm.system, {}, held)


def write_docs(path: Path | str = "docs/equations.md") -> None:
    """Write the page of the documentation to `path`."""
    Path(path).write_text(to_equations(), encoding="utf-8")


def _page(title: str, intro: list[str], system: System, others: dict[str, ParameterSet], held: dict[str, float]) -> str:
    parts = equations(system)
    text = [
        f"# {title}",
        "",
        RESEARCH_ONLY,
        "",
        *intro,
        "",
        "Modules: " + ", ".join(_link(name) for name in parts) + ".",
    ]
    text += ["", *_notation()]
    for part in parts.values():
        text += ["", *_section(part, system, others, held)]
    return "\n".join(text) + "\n"


def _link(name: str) -> str:
    return f"[{name}](#{name})"


def _notation() -> list[str]:
    """How to read the page, with the smooth switches as they are computed."""
    text = [
        "## Notation",
        "",
        "Time is in days. A name in upright letters is a state, a signal or a named step; a letter is a parameter and",
        "stands in the table below its module, where a parameter without a letter of its own goes by its name. A prime",
        "marks a step that is used again under the same name. Rates are smooth: switches are written as",
        "",
    ]
    arguments = {"positive": ("x", "w"), "smooth_min": ("a", "b", "w"), "power": ("x", "n"), "hill": ("x", "K", "n")}
    for name, letters in arguments.items():
        function = getattr(maths, name)
        symbols = [symbol("parameter", letter) for letter in letters]
        # Only the outer function is opened; what it is made of stands above it.
        kept = {inner: getattr(maths, inner) for inner in ("positive", "sqrt") if inner != name}
        form = _opened(function, symbols, kept)
        text += _shown(rf"{latex(call(name, *symbols), _plain)} \;=\; {latex(form, _plain)}".replace(r"\;", r"\ "))
        text += [_markdown(_first_line(function.__doc__)), ""]
    return [*text, "A power guarded in this way is printed like any other; the two differ by less than one can see."]


def _opened(function: FunctionType, symbols: list[Expr], kept: dict[str, FunctionType]) -> Expr:
    """Run one function of `osteon.model.maths` with symbols, leaving the functions in `kept` by name."""
    inside = {**function.__globals__, **{name: _by_name(name) for name in kept}}
    return FunctionType(function.__code__, inside, function.__name__, function.__defaults__)(*symbols)


def _by_name(name: str) -> Callable:
    return lambda *arguments: call(name, *arguments)


def _plain(name: Name) -> str:
    return name.key


def _section(
    part: ModuleEquations, system: System, others: dict[str, ParameterSet], held: dict[str, float]
) -> list[str]:
    module, name = part.module, namer(part, system.parameters)
    text = [f"## {module.name}", "", _markdown(module.description), ""]
    text += [f"*Reference.* {module.reference}.", ""] if module.reference else []
    text += [f"*Limits.* {module.limits.rstrip('.')}.", ""] if module.limits else []
    if module.clock:
        clock = name(Name("parameter", module.clock)) if part.rates else ""
        text += [f"All rates run on the clock ${clock}$ (`{module.clock}`).", ""]
    if module.inputs:
        rows = []
        for key, need in module.inputs.items():
            kind, giver = system.providers[key]
            origin = giver.name if kind != "imposed" else f"nobody; {need.default:g}"
            origin = f"imposed: {held[key]:g}" if key in held else origin
            rows.append([f"`{key}`", need.unit, need.means, origin])
        text += _table(["Input", "unit", "meaning", "given by"], rows)
    if module.states:
        rows = []
        for key, state in module.states.items():
            starts = f"`{state.initial}`" if isinstance(state.initial, str) else f"{state.initial:g}"
            rows.append([f"`{key}`", state.unit, state.means, starts, f"`{state.signal}`" if state.signal else ""])
        text += _table(["State", "unit", "meaning", "at baseline", "others see it as"], rows)
    if module.outputs:
        rows = [[f"`{key}`", signal.unit, signal.means] for key, signal in module.outputs.items()]
        text += _table(["Output", "unit", "meaning"], rows)
    for heading, lines in (("Outputs", part.outputs), ("Rates", part.rates)):
        if lines:
            text += [f"### {heading} of {module.name}", "", *_lines(part, lines, name)]
    for drug, route in module.doses:
        text += [_dose(module, drug, route, system), ""]
    text += _parameters(part, system, others, name)
    return text[:-1]


def _dose(module: Module, drug: str, route: str, system: System) -> str:
    """What a dose does; the unit of the state tells a single dose from a mean intake."""
    state, key = module.doses[drug, route][0], system.dose_target(drug, route)[1]
    if module.states[state].unit == "mg":
        return f"A {route} dose of {drug} adds its amount times `{key}` to `{state}`."
    return (
        f"A course of {route} doses of {drug} adds its mean amount a day times `{key}` to `{state}` with its first "
        "dose, and takes it away one dosing interval after its last."
    )


def _lines(part: ModuleEquations, lines: list[Equation], name: Callable[[Name], str]) -> Iterator[str]:
    """Equations in order, each function of the module introduced by what it says of itself."""
    functions = _functions(part)
    before = ""
    for line in lines:
        if line.function != before:
            before = line.function
            about = _markdown(_first_line(functions[before].__doc__)) if before in functions else ""
            if about:
                yield from (f"*{about}*", "")
        left = name(line.name)
        if line.name.kind == "state":
            left = rf"\frac{{\mathrm{{d}}\ {left}}}{{\mathrm{{d}}t}}"
        yield from _shown(_broken(left, line, name))


def _functions(part: ModuleEquations) -> dict[str, Callable]:
    import sys

    held = vars(sys.modules[part.module.rates.__module__])
    return {key: value for key, value in held.items() if callable(value)}


def _broken(left: str, line: Equation, name: Callable[[Name], str]) -> str:
    """One equation; a long sum goes over several lines."""
    whole = latex(line.value, name)
    if _width(whole) <= _WIDE:
        return f"{left} = {whole}"
    factors, inside = [], line.value
    # The clock stands before the whole rate: the sum behind it is what can be broken.
    if inside.op == "mul" and inside.parts[1].op in ("add", "sub"):
        factors, inside = [latex(inside.parts[0], name)], inside.parts[1]
    pieces = [(sign, latex(term, name)) for sign, term in terms(inside)]
    if len(pieces) == 1:
        return f"{left} = {whole}"
    rows, row = [], ""
    for sign, piece in pieces:
        new = f"{row} {sign} {piece}".strip()
        if row and _width(new) > _WIDE:
            rows.append(row)
            new = f"{sign} {piece}"
        row = new
    rows.append(row)
    opening, closing = (rf"{factors[0]} \cdot \bigl(", r"\bigr)") if factors else ("", "")
    rows[0], rows[-1] = f"{opening}{rows[0]}", f"{rows[-1]}{closing}"
    joined = " \\cr\n&\\quad ".join(rows)
    return f"\\begin{{aligned}}\n{left} &= {joined}\n\\end{{aligned}}"


def _width(text: str) -> int:
    """Roughly how many letters a formula is wide; of a fraction the wider part counts."""
    text = re.sub(r"\\mathrm\{([^{}]*)\}", r"\1", text)
    while found := re.search(r"\\frac\{([^{}]*)\}\{([^{}]*)\}|[_^]?\{([^{}]*)\}", text):
        text = text[: found.start()] + max((part or "" for part in found.groups()), key=len) + text[found.end() :]
    return len(re.sub(r"\\(?:left|right|cdot)", "", re.sub(r"\\[a-z]+", "x", text)))


def _shown(formula: str) -> list[str]:
    return ["$$", formula, "$$", ""]


def _parameters(
    part: ModuleEquations, system: System, others: dict[str, ParameterSet], name: Callable[[Name], str]
) -> list[str]:
    """Table of what the equations, initial states and doses of a module read."""
    module = part.module
    keys = {n.key for line in part.all() for n in line.value.symbols() if n.kind == "parameter"}
    keys |= {
        key for key in system.initial_parameters() if key.rpartition(".")[2] in _baselines(part) and _own(part, key)
    }
    keys |= {system.dose_target(drug, route)[1] for drug, route in module.doses}
    if not keys:
        return []
    rows = []
    differing = {m: {k for k in keys if k in o and o.value(k) != system.parameters.value(k)} for m, o in others.items()}
    shown = [member for member, differs in differing.items() if differs]
    used = {n for line in part.all() for n in line.value.symbols()}
    for key in sorted(keys):
        record = system.parameters[key]
        sign = f"${name(Name('parameter', key))}$" if Name("parameter", key) in used else ""
        values = [f"{others[m].value(key):.10g}" if key in differing[m] else "" for m in shown]
        how = f"**{record.how}**" if record.how == "assumed" else record.how
        rows.append(
            [sign, f"`{key}`", f"{record.value:.10g}", *values, record.unit, record.meaning, how, _source(record)]
        )
    heads = ["symbol", "name", "value", *(f"in {m}" for m in shown), "unit", "meaning", "how", "source"]
    return [f"### Parameters of {module.name}", "", *_table(heads, rows)]


def _baselines(part: ModuleEquations) -> set[str]:
    return {state.initial for state in part.module.states.values() if isinstance(state.initial, str)}


def _own(part: ModuleEquations, key: str) -> bool:
    return key.partition(".")[0] in part.module.tables


def _source(record: Record) -> str:
    return f"{record.source} ({record.note})" if record.note else record.source


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    text = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return [*(f"| {' | '.join(row)} |" for row in text), ""]


def _markdown(text: str) -> str:
    return text.replace("``", "`")


def _first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]


if __name__ == "__main__":
    import sys

    write_docs(*sys.argv[1:2])

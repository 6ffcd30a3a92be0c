"""The Python back end: straight-line functions that answer at once, for one patient or a handful.

The generated module has ``make(p)``, which computes all that depends on parameters alone once and returns three
closures: the rates, the factored matrix ``a I - J``, and the solution with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from osteon.engine.program import write_program
from osteon.engine.trace import Traced


def generate_python(traced: Traced) -> str:
    """Source text of the straight-line Python back end."""
    program = write_program(traced)
    n = len(traced.y)
    unpack_y = f"{', '.join(map(str, traced.y))}, = y"
    unknowns, rates = (", ".join(f"{letter}{i}" for i in range(n)) for letter in "bf")
    kept = f"{', '.join(program.kept)},"
    text = ["from math import exp, log, sqrt", f"STATES = {traced.states!r}", f"PARAMETERS = {traced.parameters!r}"]
    text += ["", "", "def make(p):"]
    text += _indent([f"{', '.join(map(str, traced.p))}, = p", *program.constants], 1)
    for name, arguments, lines in (
        ("rhs", "y", [unpack_y, *program.rhs, f"return [{rates}]"]),
        ("factor", "y, a", [unpack_y, *program.factor, f"return [{rates}], ({kept})"]),
        ("solve", "lu, b", [f"{kept} = lu", f"{unknowns}, = b", *program.solve, f"return [{unknowns}]"]),
    ):
        text += ["", f"    def {name}({arguments}):", *_indent(lines, 2)]
    text += ["", "    return rhs, factor, solve", ""]
    return "\n".join(text)


def _indent(lines: Iterable[str], depth: int) -> list[str]:
    return ["    " * depth + line for line in lines]

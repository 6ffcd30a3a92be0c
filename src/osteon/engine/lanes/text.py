"""From a traced system to the routines of its kernel, and where each of their rows lies in a lane group's memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from osteon.engine.lanes.layout import MISC, STAGES
from osteon.engine.lanes.vector import Routine
from osteon.engine.program import Program, write_program
from osteon.engine.trace import Traced
from osteon.model.system import System

_HIDDEN: Any = (sympy.Function(name) for name in ("exp_", "log_", "sqrt_", "inverse_"))
_EXP, _LOG, _SQRT, _INVERSE = _HIDDEN


@dataclass(frozen=True)
class LaneProgram:
    """All that a kernel is made of.

    Attributes
    ----------
    states, parameters, signals : tuple of str
        Keys, in the order of their rows.
    signed : tuple of bool
        Whether each state may be negative.
    kept : tuple of str
        Names of the parameters and constants a lane holds, in the order of their rows.
    routines : tuple of Routine
        By name ``prepare, factor, rhs, solve, combine1..7, finish, dense, at, observe``.
    rows : dict of str to int
        First row of each block of memory; ``end`` is their number.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    signals: tuple[str, ...]
    signed: tuple[bool, ...]
    kept: tuple[str, ...]
    routines: tuple[Routine, ...]
    rows: dict[str, int]

    def operations(self, stages: int) -> Counter[str]:
        """Operations of one lane in one step of a method with that many stages, without output."""
        by_name = {routine.name: routine for routine in self.routines}
        counted: Counter[str] = Counter()
        times = {"factor": 1, "rhs": stages - 1, "solve": stages, "finish": 1}
        times |= {f"combine{stage}": 1 for stage in range(1, stages)}
        for name, often in times.items():
            counted.update({kind: often * number for kind, number in by_name[name].operations().items()})
        return counted


def program_of(system: System) -> LaneProgram:
    """Trace a system and write its routines."""
    from osteon.engine.trace import trace
    from osteon.model.unit_check import check_units

    check_units(system)
    states = system.states.values()
    return write_lanes(trace(system), [state.scale for state in states], [state.signed for state in states])


def write_lanes(traced: Traced, scale: Sequence[float], signed: Sequence[bool]) -> LaneProgram:
    """Write the routines of a system.

    Parameters
    ----------
    traced : Traced
        The system in symbols.
    scale : sequence of float
        Usual size of each state.
    signed : sequence of bool
        Whether each state may be negative.
    """
    program = write_program(traced, spell)
    n, size = len(traced.y), len(program.kept)
    every = [*program.rhs, *program.factor, *program.observe]
    kept = tuple(sorted({name for line in every for name in re.findall(r"\b[pc]\d+\b", line)}))
    rows = _rows(
        V=len(traced.p),
        Y=n,
        C=len(kept),
        L=size,
        F=n,
        R=n,
        U=STAGES * n,
        P=n,
        N=n,
        K=3 * n,
        D=n,
        O=n + len(program.signals),
        M=len(MISC),
    )
    routines = (
        _prepare(program, kept),
        _factor(program, kept, n),
        Routine("rhs", {"Y": "rows", "C": "rows", "F": "rows"}, _with_rows(program.rhs, kept, "Y", n)),
        _solve(program, n),
        *(_combine(stage, n) for stage in range(1, STAGES)),
        _finish(scale),
        _dense(n),
        _at(n),
        _observe(program, kept, scale, signed),
    )
    return LaneProgram(traced.states, traced.parameters, tuple(program.signals), tuple(signed), kept, routines, rows)


def spell(expr: Any) -> Any:
    """Write powers with exp, log and sqrt, which lanes know; SymPy would join them again under its own names."""
    if not getattr(expr, "args", ()):
        return expr
    args = [spell(argument) for argument in expr.args]
    if not expr.is_Pow:
        known = {"exp": _EXP, "log": _LOG}
        return known.get(type(expr).__name__, expr.func)(*args)
    base, exponent = args
    if exponent.is_Integer and abs(int(exponent)) <= 32:
        return base ** int(exponent) if exponent > 0 else _INVERSE(base) ** -int(exponent)
    if (2 * exponent).is_Integer and abs(exponent) <= 4:
        root, twice = _SQRT(base), int(2 * exponent)
        return base ** (twice // 2) * root if twice > 0 else _INVERSE(root) ** -twice
    return _EXP(exponent * _LOG(base))


def _rows(**sizes: int) -> dict[str, int]:
    rows, end = {}, 0
    for name, size in sizes.items():
        rows[name] = end
        end += size
    return {**rows, "end": end}


def _misc(name: str) -> str:
    return f"M[{MISC.index(name)}]"


def _with_rows(lines: Sequence[str], kept: Sequence[str], state: str, n: int) -> list[str]:
    """Lines after what they use has been read from memory, before the rates are put there."""
    used = {name for line in lines for name in re.findall(r"\b[ypc]\d+\b", line)}
    read = [f"{name} = C[{row}]" for row, name in enumerate(kept) if name in used]
    read += [f"y{i} = {state}[{i}]" for i in range(n) if f"y{i}" in used]
    return [*read, *lines, *(f"F[{i}] = f{i}" for i in range(n))]


def _prepare(program: Program, kept: Sequence[str]) -> Routine:
    """What follows from the parameters alone, once per patient."""
    used = {name for line in (*program.constants, *kept) for name in re.findall(r"\bp\d+\b", line)}
    lines = [f"{name} = V[{name[1:]}]" for name in sorted(used)]
    lines += [*program.constants, *(f"C[{row}] = {name}" for row, name in enumerate(kept))]
    return Routine("prepare", {"V": "rows", "C": "rows"}, lines)


def _factor(program: Program, kept: Sequence[str], n: int) -> Routine:
    start = [f"i = inverse({_misc('h')})", f"{_misc('per_h')} = i", "a = i*Q[2]", f"g = {_misc('h')}*Q[3]"]
    guard = ["w = 1.0"]
    guard += [f"w = minimum(w, abs({name}){'*g' if of_state else ''})" for name, of_state in program.pivots]
    store = [*(f"L[{i}] = {name}" for i, name in enumerate(program.kept)), f"{_misc('guard')} = w"]
    lines = [*start, *_with_rows(program.factor, kept, "Y", n), *guard, *store]
    pointers = {"Y": "rows", "C": "rows", "L": "rows", "F": "rows", "M": "rows", "Q": "scalars"}
    return Routine("factor", pointers, lines)


def _solve(program: Program, n: int) -> Routine:
    lines = [f"{name} = L[{i}]" for i, name in enumerate(program.kept)]
    lines += [f"b{i} = F[{i}] + R[{i}]" for i in range(n)]
    lines += [*program.solve, *(f"U[{i}] = b{i}" for i in range(n))]
    return Routine("solve", {"L": "rows", "F": "rows", "R": "rows", "U": "rows"}, lines)


def _combine(stage: int, n: int) -> Routine:
    """Point and coupling term of a stage from the stages before it."""
    point = " + ".join(["Y[0]", *(f"A[{j}]*U[{j * n}]" for j in range(stage))])
    term = " + ".join(f"G[{j}]*U[{j * n}]" for j in range(stage))
    pointers = {"Y": "rows", "U": "rows", "P": "rows", "R": "rows", "M": "fixed", "A": "scalars", "G": "scalars"}
    return Routine(f"combine{stage}", pointers, [f"P[0] = {point}", f"R[0] = ({term})*{_misc('per_h')}"], n)


def _finish(scale: Sequence[float]) -> Routine:
    """New state, error over tolerance, and the factor for the next step."""
    # The largest ratio of error to size is found by cross-multiplication, since divisions are slow.
    lines = ["e = 0.0", "z = 1.0", "t = 0.0"]
    for i, size in enumerate(scale):
        lines += [f"v = P[{i}] + U[{i}]", f"N[{i}] = v", f"d = abs(U[{i}])", "t = t + d"]
        lines += [f"s = maximum({size!r}*Q[4], maximum(abs(Y[{i}]), abs(v)))", "a = d*z", "b = e*s"]
        lines += ["e = above(a, b, d, e)", "z = above(a, b, s, z)"]
    lines += ["e = e/z*Q[1]", f"{_misc('error')} = e", f"{_misc('total')} = t"]
    change = "0.9*exp(Q[0]*log(maximum(1e-10, e)))"
    lines.append(f"{_misc('change')} = minimum(6.0, maximum(0.2, {change}))")
    pointers = {"P": "rows", "U": "rows", "Y": "rows", "N": "rows", "M": "rows", "Q": "scalars"}
    return Routine("finish", pointers, lines)


def _dense(n: int) -> Routine:
    """Coefficients of the dense output of a step."""
    lines = [
        f"K[{row * n}] = " + " + ".join(f"H[{row * STAGES + j}]*U[{j * n}]" for j in range(STAGES)) for row in range(3)
    ]
    return Routine("dense", {"U": "rows", "K": "rows", "H": "scalars"}, lines, n)


def _at(n: int) -> Routine:
    """State at the share `x` of the step."""
    x = _misc("x")
    inner = f"(K[0] + {x}*(K[{n}] + {x}*K[{2 * n}]))"
    lines = [f"z = 1.0 - {x}", f"D[0] = z*Y[0] + {x}*(N[0] + z*{inner})"]
    return Routine("at", {"Y": "rows", "N": "rows", "K": "rows", "D": "rows", "M": "fixed"}, lines, n)


def _observe(program: Program, kept: Sequence[str], scale: Sequence[float], signed: Sequence[bool]) -> Routine:
    """States without rounding errors below zero, every signal, and how far below zero the lowest state lies."""
    used = {name for line in program.observe for name in re.findall(r"\b[pc]\d+\b", line)}
    lines = [f"{name} = C[{row}]" for row, name in enumerate(kept) if name in used]
    lines.append("w = 0.0")
    for i, (size, free) in enumerate(zip(scale, signed, strict=True)):
        lines.append(f"y{i} = D[{i}]")
        if not free:
            lines += [f"w = minimum(w, y{i}*{1.0 / size!r})", f"y{i} = maximum(0.0, y{i})"]
        lines.append(f"O[{i}] = y{i}")
    lines += program.observe
    lines += [f"O[{len(scale) + i}] = s{i}" for i in range(len(program.signals))]
    lines.append(f"{_misc('low')} = w")
    return Routine("observe", {"D": "rows", "C": "rows", "O": "rows", "M": "rows"}, lines)

"""Right-hand side and dense Jacobian of a system as compiled functions, for solvers that are not ours.

Made from the same traced equations as our own kernels. Parameters are run-time data: what depends on them alone is
computed once for each patient, and nothing is compiled again for the next one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import sympy

from osteon.engine.program import CodePrinter, write_program
from osteon.engine.trace import Traced, trace
from osteon.model.system import System


@dataclass(frozen=True)
class Compiled:
    """A compiled system.

    Attributes
    ----------
    parameters : tuple of str
        Keys in the order that `constants` takes their values.
    constants : callable
        ``constants(values)`` gives what the others take as `c`: all that depends on parameters alone.
    rhs : callable
        ``rhs(y, t, c)``, rates (states,).
    jacobian : callable
        ``jacobian(y, t, c)``, (states, states), its transpose contiguous: column by column.
    """

    parameters: tuple[str, ...]
    constants: Callable[[np.ndarray], np.ndarray]
    rhs: Callable[[np.ndarray, float, np.ndarray], np.ndarray]
    jacobian: Callable[[np.ndarray, float, np.ndarray], np.ndarray]


@lru_cache(maxsize=16)
def compiled(system: System) -> Compiled:
    """Compile `system`; kept for the next patient."""
    import numba

    names: dict[str, Any] = {name: getattr(math, name) for name in ("exp", "log", "sqrt")} | {"np": np}
    parameters, text = _source(system)
    exec(compile(text, f"<{system.name}>", "exec"), names)
    array = numba.types.Array(numba.float64, 1, "C")
    both = (array, numba.float64, array)
    return Compiled(
        parameters,
        names["constants"],
        numba.njit(both, error_model="numpy")(names["rhs"]),
        numba.njit(both, error_model="numpy")(names["jacobian"]),
    )


def _source(system: System) -> tuple[tuple[str, ...], str]:
    """Keys of the parameters, and the text of the three functions."""
    traced, show = trace(system), CodePrinter().doprint
    program = write_program(traced)
    fixed, slopes, entries = _jacobian(traced)
    n = len(traced.y)
    held = [
        *map(str, traced.p),
        *(line.split(" = ")[0] for line in program.constants),
        *(str(name) for name, _ in fixed),
    ]
    constants = [f"{', '.join(map(str, traced.p))}, = values.tolist()", *program.constants]
    constants += [f"{name} = {show(expr)}" for name, expr in fixed]
    constants.append(f"return np.array([{', '.join(held)}])")

    unpack = [f"{symbol} = y[{i}]" for i, symbol in enumerate(traced.y)]
    unpack += [f"{name} = c[{i}]" for i, name in enumerate(held)]
    rhs = [*unpack, *program.rhs, f"out = np.empty({n})", *(f"out[{i}] = f{i}" for i in range(n)), "return out"]
    jacobian = [*unpack, *(f"{name} = {show(expr)}" for name, expr in slopes), f"out = np.zeros(({n}, {n}))"]
    jacobian += [f"out[{column}, {row}] = {show(expr)}" for (row, column), expr in entries.items()]

    lines = []
    for head, body in (
        ("constants(values)", constants),
        ("rhs(y, t, c)", rhs),
        ("jacobian(y, t, c)", [*jacobian, "return out.T"]),
    ):
        lines += [f"def {head}:", *(f"    {line}" for line in body)]
    return traced.parameters, "\n".join(lines) + "\n"


def _jacobian(traced: Traced) -> tuple[list[tuple], list[tuple], dict[tuple[int, int], Any]]:
    """What depends on parameters alone, what comes before the entries, and the entries of the Jacobian.

    By the chain rule over signals, so that expressions stay short; common parts are named once.
    """
    place: dict[Any, int] = {symbol: column for column, symbol in enumerate(traced.y)}
    given: list[tuple[Any, Any]] = []
    slopes: dict[Any, dict[int, Any]] = {}

    def gradient(expression: Any) -> dict[int, Any]:
        row: dict[int, Any] = {}
        for symbol in sorted(expression.free_symbols, key=str):
            if symbol in place:
                row[place[symbol]] = row.get(place[symbol], 0) + expression.diff(symbol)
            elif symbol in slopes:
                outer = expression.diff(symbol)
                for column, inner in slopes[symbol].items():
                    row[column] = row.get(column, 0) + outer * inner
        return {column: value for column, value in row.items() if value != 0}

    for number, (symbol, expression) in enumerate(traced.signals.values()):
        given.append((symbol, expression))
        slopes[symbol] = {}
        for column, value in gradient(expression).items():
            slopes[symbol][column] = sympy.Symbol(f"g{number}_{column}", real=True)
            given.append((slopes[symbol][column], value))
    entries = {(row, col): value for row, rate in enumerate(traced.rates) for col, value in gradient(rate).items()}

    group = _Grouper(set(traced.p))
    everything = [group(expr) for expr in (*(expr for _, expr in given), *entries.values())]
    common, reduced = _common(everything)
    pending: dict[Any, Any] = dict(common) | {name: expr for (name, _), expr in zip(given, reduced, strict=False)}
    ordered = []
    while pending:
        for name in [name for name, expr in pending.items() if not expr.free_symbols & set(pending)]:
            ordered += [(name, pending.pop(name))]
    fixed = [(name, expr) for expr, name in group.names.items()]
    return fixed, ordered, dict(zip(entries, reduced[len(given) :], strict=True))


def _common(expressions: list[Any]) -> tuple[Any, Any]:
    """Common parts with their names, and the expressions in them."""
    return sympy.cse(expressions, symbols=sympy.numbered_symbols("x", real=True), order="none")


class _Grouper:
    """Names what depends on parameters alone, kept together in each sum and product."""

    def __init__(self, fixed: set[Any]) -> None:
        self._fixed = fixed
        self.names: dict[Any, Any] = {}

    def __call__(self, expr: Any) -> Any:
        if expr.free_symbols <= self._fixed:
            return expr if not expr.args or not expr.free_symbols else self._name(expr)
        parts, alone = list(expr.args), []
        if expr.is_Add or expr.is_Mul:
            alone = [part for part in parts if part.free_symbols <= self._fixed]
        if len(alone) > 1:
            parts = [part for part in parts if part not in alone]
            parts.append(expr.func(*alone))
        return expr.func(*map(self, parts)) if parts else expr

    def _name(self, expr: Any) -> Any:
        return self.names.setdefault(expr, sympy.Symbol(f"k{len(self.names)}", real=True))

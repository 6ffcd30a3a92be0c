"""From symbols to straight-line Python: rates, the factored iteration matrix, and its solution.

The generated module has ``make(p)``, which computes all that depends on parameters alone once and returns three
closures. The matrix ``a I - J`` is factored without pivoting in an order of least fill, unrolled entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import sympy
from sympy.printing.pycode import PythonCodePrinter

from osteon.engine.trace import Traced


class _Printer(PythonCodePrinter):
    def __init__(self) -> None:
        super().__init__({"fully_qualified_modules": False, "standard": "python3"})

    def _print_Float(self, expr) -> str:
        return repr(float(expr))

    def _print_Pow(self, expr, rational=False) -> str:
        base, exponent = expr.args
        text = self.parenthesize(base, 100)
        if exponent == -1:
            return f"1.0/{text}"
        if exponent == sympy.Rational(1, 2):
            return f"sqrt({self._print(base)})"
        if exponent == -sympy.Rational(1, 2):
            return f"1.0/sqrt({self._print(base)})"
        if exponent.is_Integer and 2 <= abs(int(exponent)) <= 4 and base.is_Symbol:
            product = "*".join([text] * abs(int(exponent)))
            return f"({product})" if exponent > 0 else f"1.0/({product})"
        return f"{text}**{self.parenthesize(exponent, 100)}"


class _Hoister:
    """Pulls out what depends on parameters alone, so that it is computed once per patient."""

    def __init__(self, traced: Traced) -> None:
        self._fixed: set[Any] = set(traced.p)
        self.constants: dict[sympy.Expr, sympy.Symbol] = {}
        self._memo: dict[sympy.Expr, sympy.Expr] = {}

    def _constant(self, expr: Any) -> bool:
        return bool(expr.free_symbols) and expr.free_symbols <= self._fixed

    def __call__(self, expr: Any) -> Any:
        if expr in self._memo:
            return self._memo[expr]
        if self._constant(expr):
            result = expr if expr.is_Symbol else self._name(expr)
        elif not expr.args:
            result = expr
        else:
            parts = list(expr.args)
            if expr.is_Add or expr.is_Mul:
                fixed = [part for part in parts if not part.free_symbols or self._constant(part)]
                if len(fixed) > 1:
                    parts = [part for part in parts if part not in fixed]
                    parts.append(expr.func(*fixed))
            result = expr.func(*(self(part) for part in parts))
        self._memo[expr] = result
        return result

    def _name(self, expr: sympy.Expr) -> sympy.Expr:
        if expr not in self.constants:
            self.constants[expr] = sympy.Symbol(f"c{len(self.constants)}", real=True)
            self._fixed.add(self.constants[expr])
        return self.constants[expr]


def generate_python(traced: Traced) -> str:
    """Source text of the straight-line Python back end."""
    hoist, show = _Hoister(traced), _Printer().doprint
    # Hoisted before they are differentiated, so that derivatives are short.
    traced = replace(
        traced,
        signals={name: (symbol, hoist(expr)) for name, (symbol, expr) in traced.signals.items()},
        rates=tuple(hoist(rate) for rate in traced.rates),
    )
    signals, rates = list(traced.signals.values()), list(traced.rates)
    chain, entries = traced.jacobian()
    chain = [(symbol, hoist(expr)) for symbol, expr in chain]
    entries = {place: hoist(expr) for place, expr in entries.items()}

    unpack_y = f"{', '.join(map(str, traced.y))}, = y"
    body = [f"{', '.join(map(str, traced.p))}, = p"]
    body += [f"{symbol} = {show(expr)}" for expr, symbol in hoist.constants.items()]

    rhs = [unpack_y, *_straight_line(signals, dict(enumerate(rates)), "f", show)]
    rhs.append(f"return [{', '.join(f'f{i}' for i in range(len(rates)))}]")

    n = len(traced.y)
    rows = {**{("f", i): rate for i, rate in enumerate(rates)}, **{("j", *place): e for place, e in entries.items()}}
    names = {key: "_".join(map(str, key)) for key in rows}
    factor = [unpack_y, *_straight_line([*signals, *chain], rows, "", show, names)]
    lines, kept, solve = _lu(n, set(entries))
    factor += lines
    factor.append(f"return [{', '.join(f'f_{i}' for i in range(n))}], ({', '.join(kept)},)")

    text = ["from math import exp, log, sqrt", f"STATES = {traced.states!r}", f"PARAMETERS = {traced.parameters!r}"]
    text += ["", "", "def make(p):", *_indent(body, 1)]
    for name, arguments, lines in (
        ("rhs", "y", rhs),
        ("factor", "y, a", factor),
        ("solve", "lu, b", [f"{', '.join(kept)}, = lu", f"{', '.join(f'b{i}' for i in range(n))}, = b", *solve]),
    ):
        text += ["", f"    def {name}({arguments}):", *_indent(lines, 2)]
    text += ["", "    return rhs, factor, solve", ""]
    return "\n".join(text)


def _straight_line(given, results, prefix, show, names=None) -> list[str]:
    """Assignments for `given` (symbol, expr) in order and for `results`, with common parts named once."""
    everything = [expr for _, expr in given] + list(results.values())
    common, reduced = sympy.cse(everything, symbols=sympy.numbered_symbols("x"), order="none")
    targets = [str(symbol) for symbol, _ in given]
    targets += [names[key] if names else f"{prefix}{key}" for key in results]
    pending = [(str(symbol), expr) for symbol, expr in common]
    pending += list(zip(targets, reduced, strict=True))
    return [f"{name} = {show(expr)}" for name, expr in _sorted_by_need(pending)]


def _sorted_by_need(assignments: list[tuple[str, sympy.Expr]]) -> Iterable[tuple[str, sympy.Expr]]:
    """Order assignments so that each comes after what it uses."""
    expressions = dict(assignments)
    done: set[str] = set()
    ordered: list[tuple[str, sympy.Expr]] = []
    for start in expressions:
        stack = [start]
        while stack:
            name = stack[-1]
            needs = (
                []
                if name in done
                else [
                    str(s)
                    for s in sorted(expressions[name].free_symbols, key=str)
                    if str(s) in expressions and str(s) not in done
                ]
            )
            if needs:
                stack += needs
                continue
            stack.pop()
            if name not in done:
                done.add(name)
                ordered.append((name, expressions[name]))
    return ordered


def _lu(n: int, pattern: set[tuple[int, int]]) -> tuple[list[str], list[str], list[str]]:
    """Symbolic LU of ``a I - J`` in Markowitz order: factor lines, kept names, solve lines."""
    present = pattern | {(i, i) for i in range(n)}
    lines = []
    for i, j in sorted(present):
        if i == j:
            lines.append(f"m_{i}_{j} = a - j_{i}_{j}" if (i, j) in pattern else f"m_{i}_{j} = a")
        else:
            lines.append(f"m_{i}_{j} = -j_{i}_{j}")
    left, order = set(range(n)), []
    lower: dict[int, list[int]] = {}
    upper: dict[int, list[int]] = {}
    while left:
        rows = {k: [i for i in left if i != k and (i, k) in present] for k in left}
        columns = {k: [j for j in left if j != k and (k, j) in present] for k in left}
        k = min(left, key=lambda k: (len(rows[k]) * len(columns[k]), k))
        lower[k], upper[k] = sorted(rows[k]), sorted(columns[k])
        order.append(k)
        left.remove(k)
        lines.append(f"d_{k} = 1.0/m_{k}_{k}")
        for i in lower[k]:
            lines.append(f"l_{i}_{k} = m_{i}_{k}*d_{k}")
            for j in upper[k]:
                old = f"m_{i}_{j}" if (i, j) in present else ""
                present.add((i, j))
                lines.append(f"m_{i}_{j} = {old} - l_{i}_{k}*m_{k}_{j}")
    kept = [f"l_{i}_{k}" for k in order for i in lower[k]]
    kept += [f"m_{k}_{j}" for k in order for j in upper[k]] + [f"d_{k}" for k in order]
    solve = [f"b{i} -= l_{i}_{k}*b{k}" for k in order for i in lower[k]]
    for k in reversed(order):
        minus = "".join(f" - m_{k}_{j}*b{j}" for j in upper[k])
        solve.append(f"b{k} = (b{k}{minus})*d_{k}")
    solve.append(f"return [{', '.join(f'b{i}' for i in range(n))}]")
    return lines, kept, solve


def _indent(lines: Iterable[str], depth: int) -> list[str]:
    return ["    " * depth + line for line in lines]

"""From symbols to straight lines: rates, the factored iteration matrix, its solution, and what is observed.

Both back ends are written from these lines; they differ in how a power is spelled. The matrix ``a I - J`` is factored
with the signals as unknowns of their own: a signal that many states raise and many rates use then costs its own row
and column instead of a dense block. It is factored without pivoting, in an order of least fill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy.printing.pycode import PythonCodePrinter

from osteon.engine.trace import Traced


@dataclass(frozen=True)
class Program:
    """Assignments as text, in the order they must run.

    Attributes
    ----------
    constants : list of str
        ``c0 = ...`` from parameters ``p0..`` alone.
    rhs : list of str
        ``f0 = ...`` from states ``y0..``, parameters and constants.
    factor : list of str
        The factors of ``a I - J`` from states and ``a``, and the rates as ``f0..``.
    pivots : list of (str, bool)
        Each pivot in `factor`, and whether it belongs to a state, so that its natural size is ``a`` and not 1.
    kept : list of str
        Names in `factor` that `solve` needs.
    solve : list of str
        ``b0 = ...`` in place from the right-hand side ``b0..``.
    observe : list of str
        Every signal as ``s0 = ...`` from states, parameters and constants.
    signals : list of str
        Names of the signals, in the order of ``s0..``.
    """

    constants: list[str]
    rhs: list[str]
    factor: list[str]
    pivots: list[tuple[str, bool]]
    kept: list[str]
    solve: list[str]
    observe: list[str]
    signals: list[str]


class CodePrinter(PythonCodePrinter):
    """Expressions as Python, with the cheapest spelling of small powers."""

    def __init__(self) -> None:
        # The names under which a back end hides functions that SymPy would join with others.
        hidden = {f"{name}_": name for name in ("exp", "log", "sqrt", "inverse")}
        super().__init__({"fully_qualified_modules": False, "standard": "python3", "user_functions": hidden})

    def _print_Float(self, expr) -> str:
        return repr(float(expr))

    def _print_Rational(self, expr) -> str:
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
        if exponent.is_Integer and exponent < 0:
            return f"1.0/{text}**{-exponent}"
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


def write_program(traced: Traced, spell: Callable[[Any], Any] = lambda expr: expr) -> Program:
    """Write the assignments of a system.

    Parameters
    ----------
    traced : Traced
        The system in symbols.
    spell : callable, optional
        Rewrites an expression before it is printed, for a back end that has no general power.
    """
    hoist, printer = _Hoister(traced), CodePrinter()

    def show(expr: Any) -> str:
        return str(printer.doprint(expr))

    # Hoisted before they are differentiated, so that derivatives are short.
    traced = replace(
        traced,
        signals={name: (symbol, hoist(expr)) for name, (symbol, expr) in traced.signals.items()},
        rates=tuple(hoist(rate) for rate in traced.rates),
    )
    signals = [(symbol, spell(expr)) for symbol, expr in traced.signals.values()]
    rates = {f"f{i}": spell(rate) for i, rate in enumerate(traced.rates)}
    used, partials = traced.partials()
    entries = {f"e_{i}_{j}": spell(hoist(expr)) for (i, j), expr in partials.items()}
    factors, pivots, kept, solve = _lu(len(traced.y), len(used), partials)
    # Each entry is computed right before it is needed, so that little has to be remembered.
    factor = _in_order({**_assignments(signals, {**rates, **entries}, show), **factors}, [*factors, *rates])
    return Program(
        constants=[f"{symbol} = {show(spell(expr))}" for expr, symbol in hoist.constants.items()],
        rhs=_in_order(_assignments(signals, rates, show), rates),
        factor=factor,
        pivots=pivots,
        kept=kept,
        solve=solve,
        observe=_in_order(_assignments(signals, {}, show), [str(symbol) for symbol, _ in signals]),
        signals=list(traced.signals),
    )


def _assignments(
    given: Sequence[tuple[Any, Any]], results: dict[str, Any], show: Callable[[Any], str]
) -> dict[str, tuple[str, list[str]]]:
    """Text and needs of `given` (symbol, expr), of `results`, and of their common parts, which are named once."""
    everything = [expr for _, expr in given] + list(results.values())
    common, reduced = sympy.cse(everything, symbols=sympy.numbered_symbols("x"), order="none")
    targets = [*(str(symbol) for symbol, _ in given), *results]
    named = [(str(symbol), expr) for symbol, expr in common] + list(zip(targets, reduced, strict=True))
    return {name: (show(expr), sorted(map(str, expr.free_symbols))) for name, expr in named}


def _in_order(assignments: dict[str, tuple[str, list[str]]], wanted: Iterable[str]) -> list[str]:
    """Lines for what is wanted, each after what it needs; what nothing wanted needs is left out."""
    done: set[str] = set()
    lines: list[str] = []
    for start in wanted:
        stack = [start]
        while stack:
            name = stack[-1]
            text, used = assignments[name]
            needs = [] if name in done else [one for one in used if one in assignments and one not in done]
            if needs:
                stack += needs
                continue
            stack.pop()
            if name not in done:
                done.add(name)
                lines.append(f"{name} = {text}")
    return lines


def _lu(
    states: int, signals: int, pattern: Iterable[tuple[int, int]]
) -> tuple[dict[str, tuple[str, list[str]]], list[tuple[str, bool]], list[str], list[str]]:
    """Symbolic LU in Markowitz order: factors with their needs, pivots, kept names, solve lines.

    Every entry gets all its updates at once (left-looking), so that it is written a single time.
    """
    size = states + signals
    filled = set(pattern)
    present = filled | {(i, i) for i in range(size)}
    updates: dict[tuple[int, int], list[int]] = {}
    left, order = set(range(size)), []
    lower: dict[int, list[int]] = {}
    upper: dict[int, list[int]] = {}
    while left:
        rows = {k: [i for i in left if i != k and (i, k) in present] for k in left}
        columns = {k: [j for j in left if j != k and (k, j) in present] for k in left}
        k = min(left, key=lambda k: (len(rows[k]) * len(columns[k]), k))
        lower[k], upper[k] = sorted(rows[k]), sorted(columns[k])
        order.append(k)
        left.remove(k)
        for i in lower[k]:
            for j in upper[k]:
                present.add((i, j))
                updates.setdefault((i, j), []).append(k)

    def entry(i: int, j: int) -> tuple[str, list[str]]:
        text = ("a" if i < states else "1.0") if i == j else ""
        needs = [f"e_{i}_{j}"] if (i, j) in filled else []
        text += f" - e_{i}_{j}" if (i, j) in filled else ""
        for k in updates.get((i, j), ()):
            text += f" - l_{i}_{k}*m_{k}_{j}"
            needs += [f"l_{i}_{k}", f"m_{k}_{j}"]
        return text.strip(), needs

    factors: dict[str, tuple[str, list[str]]] = {}
    for k in order:
        factors[f"m_{k}_{k}"] = entry(k, k)
        factors[f"d_{k}"] = f"1.0/m_{k}_{k}", [f"m_{k}_{k}"]
        factors |= {f"m_{k}_{j}": entry(k, j) for j in upper[k]}
        for i in lower[k]:
            text, needs = entry(i, k)
            factors[f"l_{i}_{k}"] = f"({text})*d_{k}", [*needs, f"d_{k}"]

    solve, zero = [], set(range(states, size))
    for k in order:
        for i in lower[k] if k not in zero else ():  # nothing has reached row k of the right-hand side while it is zero
            text = f"{'' if i in zero else f'b{i}'} - l_{i}_{k}*b{k}"
            solve.append((f"b{i}", text, [f"l_{i}_{k}"], [f"b{i}", f"b{k}"]))
            zero.discard(i)
    for k in reversed(order):
        start = "0.0" if k in zero else f"b{k}"
        minus = "".join(f" - m_{k}_{j}*b{j}" for j in upper[k])
        needs = [f"m_{k}_{j}" for j in upper[k]] + [f"d_{k}"]
        solve.append((f"b{k}", f"({start}{minus})*d_{k}", needs, [f"b{k}", *(f"b{j}" for j in upper[k])]))
    text, kept = _live(solve, {f"b{i}" for i in range(states)})
    return factors, [(f"m_{k}_{k}", k < states) for k in order], kept, text


def _live(statements: list[tuple[str, str, list[str], list[str]]], wanted: set[str]) -> tuple[list[str], list[str]]:
    """Statements (target, text, factors, unknowns) that `wanted` rests on, and the factors they use."""
    text: list[str] = []
    kept: dict[str, None] = {}
    for target, right, factors, unknowns in reversed(statements):
        if target in wanted:
            wanted = (wanted - {target}) | set(unknowns)
            text.append(f"{target} = {right.strip()}")
            kept |= dict.fromkeys(factors)
    return text[::-1], sorted(kept)

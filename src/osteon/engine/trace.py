"""From a system to symbols: every signal and rate as a SymPy expression, and the sparse Jacobian.

Signals stay symbols in the rates, so that expressions remain short; the chain rule puts the Jacobian together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy

from osteon.model.system import System


@dataclass(frozen=True)
class Traced:
    """A system in symbols.

    Attributes
    ----------
    states, parameters : tuple of str
        Keys, in the order of their symbols.
    y, p : tuple of sympy.Symbol
        Symbols ``y0..`` and ``p0..``.
    signals : dict
        Signal name to (symbol, expression), each using only states, parameters and earlier signals.
    rates : tuple of sympy.Expr
        One per state, in states, parameters and signals.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    y: tuple[sympy.Symbol, ...]
    p: tuple[sympy.Symbol, ...]
    signals: dict[str, tuple[sympy.Symbol, sympy.Expr]]
    rates: tuple[sympy.Expr, ...]

    def jacobian(self) -> tuple[list[tuple[sympy.Symbol, sympy.Expr]], dict[tuple[int, int], sympy.Expr]]:
        """Sparse Jacobian by the chain rule over signals.

        Returns
        -------
        chain : list of (symbol, expression)
            Derivatives of signals by states, in the order they must be computed.
        entries : dict
            (row, column) to expression; absent entries are zero.
        """
        place: dict[Any, int] = {symbol: column for column, symbol in enumerate(self.y)}
        order: dict[Any, str] = {symbol: name for name, (symbol, _) in self.signals.items()}
        slopes: dict[str, dict[int, sympy.Symbol]] = {}
        chain: list[tuple[sympy.Symbol, sympy.Expr]] = []

        def gradient(expression: sympy.Expr) -> dict[int, sympy.Expr]:
            row: dict[int, sympy.Expr] = {}
            for symbol in sorted(expression.free_symbols, key=str):
                if symbol in place:
                    column = place[symbol]
                    row[column] = row.get(column, sympy.S.Zero) + sympy.diff(expression, symbol)
                elif symbol in order:
                    outer = sympy.diff(expression, symbol)
                    for column, inner in slopes[order[symbol]].items():
                        row[column] = row.get(column, sympy.S.Zero) + outer * inner
            return {column: value for column, value in row.items() if value != 0}

        for number, (name, (_, expression)) in enumerate(self.signals.items()):
            slopes[name] = {}
            for column, value in gradient(expression).items():
                symbol = sympy.Symbol(f"g{number}_{column}", real=True)
                chain.append((symbol, value))
                slopes[name][column] = symbol
        entries = {(row, col): v for row, rate in enumerate(self.rates) for col, v in gradient(rate).items()}
        return chain, entries


def trace(system: System) -> Traced:
    """Call the model's own functions with symbols."""
    y = tuple(sympy.Symbol(f"y{i}", real=True) for i in range(len(system.states)))
    keys = system.parameter_keys
    p = tuple(sympy.Symbol(f"p{i}", real=True) for i in range(len(keys)))
    by_key = dict(zip(keys, p, strict=True))
    signals: dict[str, tuple[sympy.Symbol, sympy.Expr]] = {}

    def record(name: str, expression) -> sympy.Symbol:
        symbol = sympy.Symbol(f"s{len(signals)}", real=True)
        signals[name] = (symbol, sympy.sympify(expression))
        return symbol

    rates, _ = system.evaluate(y, by_key.__getitem__, record)
    return Traced(tuple(system.states), keys, y, p, signals, tuple(sympy.sympify(rate) for rate in rates))

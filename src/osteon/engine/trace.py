"""From a system to symbols: every signal and rate as a SymPy expression, and their direct derivatives.

Signals stay symbols in the rates, so that expressions remain short; the chain rule is left to the factored matrix.
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

    def partials(self) -> tuple[list[str], dict[tuple[int, int], sympy.Expr]]:
        """Direct derivatives of rates and of the signals they rest on, by states and by signals.

        Returns
        -------
        used : list of str
            Signals that some rate rests on, directly or through others, in the order they are computed.
        entries : dict
            (row, column) to expression; rows and columns count the states first and then `used`. Absent ones are zero.
        """
        expressions: dict[Any, sympy.Expr] = dict(self.signals.values())
        needed: set[Any] = set()
        front = [symbol for rate in self.rates for symbol in rate.free_symbols]
        while front:
            symbol = front.pop()
            if symbol in expressions and symbol not in needed:
                needed.add(symbol)
                front += expressions[symbol].free_symbols
        used = [name for name, (symbol, _) in self.signals.items() if symbol in needed]
        symbols = [*self.y, *(self.signals[name][0] for name in used)]
        place: dict[Any, int] = {symbol: column for column, symbol in enumerate(symbols)}
        entries: dict[tuple[int, int], sympy.Expr] = {}
        for row, expression in enumerate([*self.rates, *(self.signals[name][1] for name in used)]):
            for symbol in sorted(expression.free_symbols & set(place), key=lambda symbol: place[symbol]):
                slope = sympy.diff(expression, symbol)
                if slope != 0:
                    entries[row, place[symbol]] = slope
        return used, entries


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

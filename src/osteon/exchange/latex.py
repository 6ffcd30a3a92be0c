"""Expressions that keep the form in which a module writes them, and their LaTeX.

A computer algebra system would reorder and expand; here `a - b * c` stays `a - b * c`, so that the page reads like
the source. A module's functions are called with these instead of numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_SUM, _SIGN, _PRODUCT, _POWER, _ATOM = range(5)
_RANK = {"add": _SUM, "sub": _SUM, "neg": _SIGN, "mul": _PRODUCT, "div": _PRODUCT, "pow": _POWER}


@dataclass(frozen=True)
class Name:
    """What a symbol stands for: "state", "signal", "parameter" or "helper", and its key."""

    kind: str
    key: str


@dataclass(frozen=True)
class Expr:
    """A node: `op` with its parts; a leaf is a "symbol" with a `Name` or a "number" with a float."""

    op: str
    parts: tuple[Any, ...]

    def __add__(self, other: Any) -> Expr:
        return Expr("add", (self, lift(other)))

    def __radd__(self, other: Any) -> Expr:
        return Expr("add", (lift(other), self))

    def __sub__(self, other: Any) -> Expr:
        return Expr("sub", (self, lift(other)))

    def __rsub__(self, other: Any) -> Expr:
        return Expr("sub", (lift(other), self))

    def __mul__(self, other: Any) -> Expr:
        return Expr("mul", (self, lift(other)))

    def __rmul__(self, other: Any) -> Expr:
        return Expr("mul", (lift(other), self))

    def __truediv__(self, other: Any) -> Expr:
        return Expr("div", (self, lift(other)))

    def __rtruediv__(self, other: Any) -> Expr:
        return Expr("div", (lift(other), self))

    def __pow__(self, other: Any) -> Expr:
        return Expr("pow", (self, lift(other)))

    def __rpow__(self, other: Any) -> Expr:
        return Expr("pow", (lift(other), self))

    def __neg__(self) -> Expr:
        return Expr("neg", (self,))

    def symbols(self) -> Iterator[Name]:
        """Names of all leaves, in order of writing."""
        if self.op == "symbol":
            yield self.parts[0]
        for part in self.parts:
            if isinstance(part, Expr):
                yield from part.symbols()


def symbol(kind: str, key: str) -> Expr:
    """Return the leaf for a named quantity."""
    return Expr("symbol", (Name(kind, key),))


def call(name: str, *arguments: Any) -> Expr:
    """Return the use of a function of `osteon.model.maths`, kept by name."""
    return Expr("call", (name, *(lift(argument) for argument in arguments)))


def lift(value: Any) -> Expr:
    """Return a number as a leaf, an expression as it is."""
    return value if isinstance(value, Expr) else Expr("number", (float(value),))


def latex(expr: Expr, name: Callable[[Name], str]) -> str:
    """Return the LaTeX of an expression.

    Parameters
    ----------
    expr : Expr
        What to write.
    name : callable
        LaTeX of a named quantity.
    """

    def show(part: Expr, least: int = _SUM) -> str:
        text = write(part)
        return rf"\left({text}\right)" if _rank(part) < least else text

    def factors(part: Expr) -> list[Expr]:
        return [*factors(part.parts[0]), *factors(part.parts[1])] if part.op == "mul" else [part]

    def fraction(part: Expr) -> tuple[Expr, list[Expr]]:
        below: list[Expr] = []
        while part.op == "div":
            part, last = part.parts
            below = [*factors(last), *below]
        return part, below

    def product(parts: list[Expr]) -> str:
        return show(parts[0]) if len(parts) == 1 else r" \cdot ".join(show(part, _PRODUCT) for part in parts)

    def write(part: Expr) -> str:
        parts = part.parts
        match part.op:
            case "symbol":
                return name(parts[0])
            case "number":
                return number(parts[0])
            case "add":
                return f"{show(parts[0])} + {show(parts[1], _PRODUCT)}"
            case "sub":
                return f"{show(parts[0])} - {show(parts[1], _PRODUCT)}"
            case "neg":
                return f"-{show(parts[0], _PRODUCT)}"
            case "mul":
                return product(factors(part))
            case "div":
                above, below = fraction(part)
                return rf"\frac{{{product(factors(above))}}}{{{product(below)}}}"
            case "pow":
                return _power(show(parts[0], _ATOM), parts[1], write(parts[1]), write(parts[0]))
            case "call":
                return _called(parts[0], [write(p) for p in parts[1:]], [show(p, _ATOM) for p in parts[1:]], parts[1:])
        raise ValueError(part.op)

    return write(expr)


def number(value: float) -> str:
    """Return a number as LaTeX: multiples of pi by name, small and large ones with a power of ten."""
    for times in (1, 2, 4):
        if value == math.pi / times:
            return rf"\frac{{\pi}}{{{times}}}" if times > 1 else r"\pi"
    mantissa, _, exponent = f"{value:.12g}".partition("e")
    if not exponent:
        return mantissa
    power = f"10^{{{int(exponent)}}}"
    return power if mantissa == "1" else rf"{mantissa} \times {power}"


def terms(expr: Expr) -> list[tuple[str, Expr]]:
    """Split a sum into its signed terms, for breaking it over lines."""
    if expr.op == "add":
        return [*terms(expr.parts[0]), ("+", expr.parts[1])]
    if expr.op == "sub":
        return [*terms(expr.parts[0]), ("-", expr.parts[1])]
    return [("", expr)]


def _rank(expr: Expr) -> int:
    if expr.op == "number" and expr.parts[0] < 0:
        return _SIGN
    return _RANK.get(expr.op, _ATOM)


def _power(base: str, exponent: Expr, raised: str, bare: str) -> str:
    if exponent.op == "number" and exponent.parts[0] == 0.5:
        return rf"\sqrt{{{bare}}}"
    # A name that already carries a mark above is set in brackets.
    return rf"\left({base}\right)^{{{raised}}}" if "'" in base or "^" in base else rf"{base}^{{{raised}}}"


def _called(name: str, bare: list[str], closed: list[str], arguments: tuple[Expr, ...]) -> str:
    """LaTeX of a function of `osteon.model.maths`."""
    if name == "sqrt":
        return rf"\sqrt{{{bare[0]}}}"
    if name in ("power", "power_from_zero"):
        return _power(closed[0], arguments[1], bare[1], bare[0])
    if name == "positive":
        return rf"\left[{bare[0]}\right]_{{+,\ {bare[1]}}}"
    if name == "smooth_min":
        return rf"\min_{{{bare[2]}}}\left({bare[0]},\ {bare[1]}\right)"
    if name == "hill":
        if len(bare) < 3 or arguments[2] == lift(1):
            return rf"\frac{{{bare[0]}}}{{{bare[1]} + {bare[0]}}}"
        above, below = (
            _power(closed[0], arguments[2], bare[2], bare[0]),
            _power(closed[1], arguments[2], bare[2], bare[1]),
        )
        return rf"\frac{{{above}}}{{{below} + {above}}}"
    return rf"\mathrm{{{name}}}\left({', '.join(bare)}\right)"

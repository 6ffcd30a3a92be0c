"""SymPy expressions as infix text that SBML tools read."""

from __future__ import annotations

import math

import sympy
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter


class _Infix(StrPrinter):
    """Powers with ``^``, square roots by name, pi by name, numbers in full."""

    def _print_Float(self, expr: sympy.Float) -> str:
        value = float(expr)
        for times in (1, 2, 4):
            if value == math.pi / times:
                return f"(pi/{times})" if times > 1 else "pi"
        return repr(value)

    def _print_Pow(self, expr: sympy.Pow, rational: bool = False) -> str:
        base, exponent = expr.args
        if exponent == sympy.S.Half:
            return f"sqrt({self._print(base)})"
        if exponent.could_extract_minus_sign():
            below = self._print(sympy.Pow(base, -exponent, evaluate=False)) if exponent != -1 else None
            below = below or self.parenthesize(base, PRECEDENCE["Pow"])
            return f"1/{below}"
        return f"{self.parenthesize(base, PRECEDENCE['Pow'])}^{self.parenthesize(exponent, PRECEDENCE['Pow'])}"


def infix(expression: sympy.Expr, names: dict[sympy.Symbol, str]) -> str:
    """Return `expression` as text, each symbol under its name.

    Parameters
    ----------
    expression : sympy.Expr
        What to write.
    names : dict
        Symbol to name.
    """
    renamed = expression.xreplace({symbol: sympy.Symbol(name, real=True) for symbol, name in names.items()})
    return _Infix().doprint(renamed)

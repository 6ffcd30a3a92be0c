"""exp, log and their kin as vector instructions, so that no lane waits for a library call.

Both reduce the argument by bit patterns and end in a polynomial: exp after Cody and Waite with a Taylor series of
degree 13 on half an octave, log by the odd series of ``(m - 1)/(m + 1)``. Within 2 units in the last place (tests).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from llvmlite import ir

_FLAGS = ("contract",)
_I64 = ir.IntType(64)
_MAGIC = 6755399441055744.0  # 1.5 * 2**52: adding it rounds to a whole number held in the low bits
_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10


def _integers(kind: ir.VectorType) -> ir.VectorType:
    return ir.VectorType(_I64, kind.count)


def _real(x: Any, value: float) -> ir.Constant:
    return ir.Constant(x.type, [value] * x.type.count)


def _whole(x: Any, value: int) -> ir.Constant:
    return ir.Constant(_integers(x.type), [value] * x.type.count)


def _declared(b: ir.IRBuilder, name: str, x: Any, count: int) -> Any:
    full = f"llvm.{name}.v{x.type.count}f64"
    known = b.module.globals.get(full)
    return known or ir.Function(b.module, ir.FunctionType(x.type, [x.type] * count), full)


def maximum(b: ir.IRBuilder, x: Any, y: Any) -> Any:
    """Larger of the two; not a number if the second is."""
    return b.select(b.fcmp_ordered(">", x, y), x, y)


def minimum(b: ir.IRBuilder, x: Any, y: Any) -> Any:
    """Smaller of the two; not a number if the second is."""
    return b.select(b.fcmp_ordered("<", x, y), x, y)


def above(b: ir.IRBuilder, x: Any, y: Any, yes: Any, no: Any) -> Any:
    """One number where `x` is above `y`, and else the other."""
    return b.select(b.fcmp_ordered(">", x, y), yes, no)


def absolute(b: ir.IRBuilder, x: Any) -> Any:
    """Size."""
    bits = b.and_(b.bitcast(x, _integers(x.type)), _whole(x, 0x7FFFFFFFFFFFFFFF))
    return b.bitcast(bits, x.type)


def sqrt(b: ir.IRBuilder, x: Any) -> Any:
    """Square root, correctly rounded."""
    return b.call(_declared(b, "sqrt", x, 1), [x])


def inverse(b: ir.IRBuilder, x: Any) -> Any:
    """One over `x`, correctly rounded."""
    return b.fdiv(_real(x, 1.0), x)


def fused(b: ir.IRBuilder, x: Any, y: Any, z: Any) -> Any:
    """``x*y + z`` rounded once."""
    return b.call(_declared(b, "fma", x, 3), [x, y, z])


def polynomial(b: ir.IRBuilder, x: Any, coefficients: list[float]) -> Any:
    """Sum of ``coefficients[n] x**n`` by halves, which waits less than one term after the other."""
    terms: list[Any] = [_real(x, value) for value in coefficients]
    while len(terms) > 1:
        pairs = [fused(b, high, x, low) for low, high in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[2 * len(pairs) :]
        x = b.fmul(x, x)
    return terms[0]


def exp(b: ir.IRBuilder, x: Any) -> Any:
    """Exponential; 0 below -745 and infinite above 709.8, not a number where `x` is not."""
    held = minimum(b, _real(x, 710.0), maximum(b, _real(x, -746.0), x))
    shifted = fused(b, held, _real(x, 1.0 / math.log(2.0)), _real(x, _MAGIC))
    octaves = b.fsub(shifted, _real(x, _MAGIC))
    rest = fused(b, octaves, _real(x, -_LN2_LOW), fused(b, octaves, _real(x, -_LN2_HIGH), held))
    series = polynomial(b, rest, [1.0 / math.factorial(n) for n in range(14)])
    # Two factors, so that results near the ends of the range neither overflow nor vanish too early.
    count = b.sub(b.bitcast(shifted, _integers(x.type)), b.bitcast(_real(x, _MAGIC), _integers(x.type)))
    half = b.ashr(count, _whole(x, 1))
    for part in (half, b.sub(count, half)):
        power = b.shl(b.add(part, _whole(x, 1023)), _whole(x, 52))
        series = b.fmul(series, b.bitcast(power, x.type))
    return series


def log(b: ir.IRBuilder, x: Any) -> Any:
    """Natural logarithm of a positive normal number; not a number for anything below."""
    bits = b.bitcast(x, _integers(x.type))
    # Mantissa in [sqrt(1/2), sqrt(2)), by moving the exponent so that the split falls there.
    moved = b.sub(bits, _whole(x, 0x3FE6A09E667F3BCD))
    exponent = b.ashr(moved, _whole(x, 52))
    mantissa = b.bitcast(b.sub(bits, b.shl(exponent, _whole(x, 52))), x.type)
    magic = b.bitcast(_real(x, _MAGIC), _integers(x.type))
    octaves = b.fsub(b.bitcast(b.add(exponent, magic), x.type), _real(x, _MAGIC))
    above_one = b.fsub(mantissa, _real(x, 1.0))
    share = b.fmul(above_one, inverse(b, b.fadd(mantissa, _real(x, 1.0))))
    square = b.fmul(share, share)
    series = polynomial(b, square, [2.0 / n for n in range(3, 25, 2)])
    # log(1+f) = f - f*s + s*series, which keeps the digits that 2s alone would lose.
    tail = fused(b, share, fused(b, series, square, b.fneg(above_one)), b.fmul(octaves, _real(x, _LN2_LOW)))
    value = b.fadd(fused(b, octaves, _real(x, _LN2_HIGH), above_one), tail)
    return b.select(b.fcmp_ordered(">", x, _real(x, 0.0)), value, _real(x, math.nan))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": exp,
    "inverse": inverse,
    "log": log,
    "sqrt": sqrt,
    "abs": absolute,
    "above": above,
    "maximum": maximum,
    "minimum": minimum,
}

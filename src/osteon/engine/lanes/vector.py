"""A small language for lanes: straight-line Python in which every name is a vector of eight patients.

A `Routine` is text that Python itself could read: ``w[3] = y0*w[7] + exp(x2)``. Rows of memory are vectors of `LANES`
numbers. The text becomes LLVM vector instructions one by one, so nothing rests on a compiler noticing that a loop can
be vectorised, and each lane does the same operations whatever the others hold.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from osteon.engine.lanes import elementary
from osteon.engine.lanes.layout import LANES

_ROW_BYTES = 8 * LANES
_DOUBLE = ir.DoubleType()
_VECTOR = ir.VectorType(_DOUBLE, LANES)
_INDEX = ir.IntType(64)
_OPERATORS: dict[type, str] = {ast.Add: "fadd", ast.Sub: "fsub", ast.Mult: "fmul", ast.Div: "fdiv"}
# Only fused multiply-add is allowed: it is the same in every lane. Anything looser breaks the rounding inside exp.
_FLAGS = ("contract",)


@dataclass(frozen=True)
class Routine:
    """Straight-line text over rows of memory.

    Attributes
    ----------
    name : str
        Name of the function.
    pointers : mapping of str to str
        Each argument and what it is: ``rows`` (vectors; moves on by a row at each repeat), ``fixed`` (vectors) or
        ``scalars`` (numbers that all lanes share).
    lines : sequence of str
        Assignments ``name = ...`` or ``pointer[i] = ...``.
    repeat : int
        How often the text runs, each time one row further.
    """

    name: str
    pointers: Mapping[str, str]
    lines: Sequence[str]
    repeat: int = 1

    def operations(self) -> Counter[str]:
        """Count the operations of one lane: add, multiply, divide, sqrt, exp, log and compare."""
        counted: Counter[str] = Counter()
        for node in (inner for line in self.lines for inner in ast.walk(ast.parse(line))):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
                counted["multiply"] += self.repeat * (_exponent(node).bit_length() + _exponent(node).bit_count() - 2)
            elif isinstance(node, ast.BinOp):
                counted[_COUNTED[type(node.op)]] += self.repeat
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                name = node.func.id
                name = "divide" if name == "inverse" else name
                counted["compare" if name in ("above", "minimum", "maximum") else name] += self.repeat
        counted.pop("abs", None)
        return counted


def _exponent(node: ast.BinOp) -> int:
    if isinstance(node.right, ast.Constant) and isinstance(node.right.value, int) and node.right.value > 0:
        return node.right.value
    raise ValueError(f"lanes know only whole powers, not: {ast.unparse(node)}")


_COUNTED: dict[type, str] = {ast.Add: "add", ast.Sub: "add", ast.Mult: "multiply", ast.Div: "divide"}


def build(routine: Routine, module: ir.Module) -> ir.Function:
    """Add the routine to an LLVM module as ``void name(double*, ...)``."""
    kind = ir.FunctionType(ir.VoidType(), [_DOUBLE.as_pointer()] * len(routine.pointers))
    function = ir.Function(module, kind, routine.name)
    function.attributes.add("noinline")
    function.attributes.add("nounwind")
    for argument in function.args:
        argument.add_attribute("noalias")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    arguments = dict(zip(routine.pointers, function.args, strict=True))
    if routine.repeat == 1:
        _Block(builder, routine, arguments, None).run()
        builder.ret_void()
        return function
    entry, body = builder.block, function.append_basic_block("body")
    leave = function.append_basic_block("leave")
    builder.branch(body)
    builder.position_at_end(body)
    row = builder.phi(_INDEX)
    row.add_incoming(ir.Constant(_INDEX, 0), entry)
    _Block(builder, routine, arguments, row).run()
    following = builder.add(row, ir.Constant(_INDEX, 1))
    row.add_incoming(following, builder.block)
    builder.cbranch(builder.icmp_signed("<", following, ir.Constant(_INDEX, routine.repeat)), body, leave)
    builder.position_at_end(leave)
    builder.ret_void()
    return function


class _Block:
    """Translates the lines of a routine into the block a builder stands in."""

    def __init__(self, builder: Any, routine: Routine, pointers: Mapping[str, Any], row: Any) -> None:
        self._builder, self._routine, self._pointers, self._row = builder, routine, pointers, row
        self._names: dict[str, Any] = {}
        self._loaded: dict[tuple[str, int], Any] = {}

    def run(self) -> None:
        for line in self._routine.lines:
            statement = ast.parse(line).body[0]
            if not isinstance(statement, ast.Assign):
                raise ValueError(f"lanes know only assignments, not: {line}")
            value = self._value(statement.value)
            target = statement.targets[0]
            if isinstance(target, ast.Name):
                self._names[target.id] = value
            else:
                name, place = self._place(target)
                self._builder.store(value, self._address(name, place), align=_ROW_BYTES)
                self._loaded[name, place] = value

    def _value(self, node: ast.expr) -> Any:
        b = self._builder
        if isinstance(node, ast.Constant):
            return splat(float(node.value))  # type: ignore[arg-type]
        if isinstance(node, ast.Name):
            return self._names[node.id]
        if isinstance(node, ast.UnaryOp):
            return b.fneg(self._value(node.operand))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            return self._power(self._value(node.left), _exponent(node))
        if isinstance(node, ast.BinOp):
            make = getattr(b, _OPERATORS[type(node.op)])
            return make(self._value(node.left), self._value(node.right), flags=_FLAGS)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return elementary.FUNCTIONS[node.func.id](b, *(self._value(argument) for argument in node.args))
        name, place = self._place(node)
        if (name, place) not in self._loaded:
            self._loaded[name, place] = self._load(name, place)
        return self._loaded[name, place]

    def _power(self, base: Any, exponent: int) -> Any:
        """Multiply by squares, from the lowest bit."""
        result, b = None, self._builder
        while exponent:
            if exponent & 1:
                result = base if result is None else b.fmul(result, base, flags=_FLAGS)
            exponent >>= 1
            base = b.fmul(base, base, flags=_FLAGS) if exponent else base
        return result

    def _load(self, name: str, place: int) -> Any:
        address = self._address(name, place)
        if self._routine.pointers[name] != "scalars":
            return self._builder.load(address, align=_ROW_BYTES)
        return spread(self._builder, self._builder.load(address))

    def _address(self, name: str, place: int) -> Any:
        b, kind = self._builder, self._routine.pointers[name]
        if kind == "scalars":
            return b.gep(self._pointers[name], [ir.Constant(_INDEX, place)], inbounds=True)
        index: Any = ir.Constant(_INDEX, place * LANES)
        if kind == "rows" and self._row is not None:
            index = b.add(index, b.mul(self._row, ir.Constant(_INDEX, LANES)))
        return b.bitcast(b.gep(self._pointers[name], [index], inbounds=True), _VECTOR.as_pointer())

    @staticmethod
    def _place(node: ast.expr) -> tuple[str, int]:
        if not (
            isinstance(node, ast.Subscript)
            and isinstance(node.value, ast.Name)
            and isinstance(node.slice, ast.Constant)
            and isinstance(node.slice.value, int)
        ):
            raise ValueError(f"lanes do not know: {ast.unparse(node)}")
        return node.value.id, node.slice.value


def splat(value: float) -> ir.Constant:
    """A vector constant."""
    return ir.Constant(_VECTOR, [value] * LANES)


def spread(builder: ir.IRBuilder, scalar: Any) -> Any:
    """A vector with `scalar` in every lane."""
    one = builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), zeros)

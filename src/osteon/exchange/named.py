"""The equations of each module under the names its author gave them.

The source of a module is read once more with every assignment reporting its name, and run with expressions instead
of numbers. What comes out is the module's own equations, one for each named step, in its own words and order.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import CodeType
from typing import Any

from osteon.exchange.latex import Expr, Name, call, lift, symbol
from osteon.model import maths
from osteon.model.module import Module
from osteon.model.system import IMPOSED, System

_REPORT = "__report__"


@dataclass(frozen=True)
class Equation:
    """One line: a named step, an output or the rate of a state.

    Attributes
    ----------
    name : Name
        What it gives.
    value : Expr
        Right-hand side.
    function : str
        Function of the module it stands in.
    """

    name: Name
    value: Expr
    function: str


@dataclass
class ModuleEquations:
    """Equations of one module, in the order they are computed.

    Attributes
    ----------
    module : Module
        Whose equations.
    outputs, rates : list of Equation
        Signals it gives and rates of its states, each after the steps they need.
    """

    module: Module
    outputs: list[Equation] = field(default_factory=list)
    rates: list[Equation] = field(default_factory=list)

    def all(self) -> list[Equation]:
        """Every equation of the module."""
        return [*self.outputs, *self.rates]


def equations(system: System) -> dict[str, ModuleEquations]:
    """Equations of every module of a system, by module name.

    Parameters
    ----------
    system : System
        Assembled modules, without an input that nobody provides.
    """
    found = {module.name: ModuleEquations(module) for module in system.modules}
    rewritten = System(
        system.name,
        tuple(_rewritten(module, found[module.name]) for module in system.modules),
        system.parameters,
        system.imposed,
    )

    def parameter(key: str) -> Expr:
        if key.startswith(f"{IMPOSED}."):
            return symbol("signal", key.partition(".")[2])
        return symbol("parameter", key)

    def record(name: str, value: Any) -> Expr:
        owner = system.providers[name][1].name
        found[owner].outputs.append(Equation(Name("signal", name), value, "signals"))
        return symbol("signal", name)

    rates, _ = rewritten.evaluate([symbol("state", key) for key in system.states], parameter, record)
    by_key = dict(zip(system.states, rates, strict=True))
    for part in found.values():
        keys = [f"{part.module.name}.{state}" for state in part.module.states]
        part.rates += [Equation(Name("state", key), lift(by_key[key]), "rates") for key in keys]
    return found


def helper_parts(key: str) -> tuple[str, str, int]:
    """Function, plain name and number of re-use of a named step."""
    _, function, name, again = key.split(":")
    return function, name, int(again)


class _Signals:
    """Signals seen by name, also where a state of another module stands behind them."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Expr:
        getattr(self._inner, name)
        return symbol("signal", name)


def _rewritten(module: Module, found: ModuleEquations) -> Module:
    """The module with functions that report every named step to `found`."""
    into: list[list[Equation]] = [found.outputs]
    steps: dict[str, Expr] = {}

    def report(function: str, name: str, value: Any) -> Any:
        if not isinstance(value, Expr) or value.op in ("symbol", "number"):
            return value
        name = name.strip("_")
        again = 0
        while steps.get(key := f"{module.name}:{function}:{name}:{again}", value) != value:
            again += 1
        if key not in steps:
            steps[key] = value
            into[0].append(Equation(Name("helper", key), value, function))
        return symbol("helper", key)

    namespace: dict[str, Any] = {"__name__": module.rates.__module__, _REPORT: report}
    exec(_code(module.source_file), namespace)
    for name in maths.__all__:
        if name in namespace:
            namespace[name] = _kept(name)

    def within(place: list[Equation], function: Callable[..., Mapping[str, Any]]) -> Callable[..., Mapping[str, Any]]:
        def run(s: Any, p: Any, signal: Any) -> Mapping[str, Any]:
            into[0] = place
            return function(s, p, _Signals(signal))

        return run

    changed = {"rates": within(found.rates, namespace[module.rates.__name__])}
    if module.signals is not None:
        changed["signals"] = within(found.outputs, namespace[module.signals.__name__])
    return replace(module, **changed)


def _kept(name: str) -> Callable[..., Expr]:
    return lambda *arguments: call(name, *arguments)


def _code(source_file: str) -> CodeType:
    tree = ast.parse(Path(source_file).read_text(encoding="utf-8"))
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            _Reporting(function.name).visit(function)
    return compile(ast.fix_missing_locations(tree), source_file, "exec")


class _Reporting(ast.NodeTransformer):
    """Wraps each assigned value, each field of a namespace and the result of a helper function."""

    def __init__(self, function: str) -> None:
        self._function = function

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        self.generic_visit(node)
        target = node.targets[0]
        if isinstance(target, ast.Name):
            node.value = self._wrapped(target.id, node.value)
        elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = zip(target.elts, node.value.elts, strict=True)
            node.value.elts = [self._wrapped(t.id, v) if isinstance(t, ast.Name) else v for t, v in pairs]
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "SimpleNamespace":
            for keyword in node.keywords:
                if keyword.arg:
                    keyword.value = self._wrapped(keyword.arg, keyword.value)
        return node

    def visit_Return(self, node: ast.Return) -> ast.Return:
        self.generic_visit(node)
        if node.value is not None and self._function not in ("rates", "signals"):
            node.value = self._wrapped(self._function, node.value)
        return node

    def _wrapped(self, name: str, value: ast.expr) -> ast.expr:
        words: list[ast.expr] = [ast.Constant(self._function), ast.Constant(name), value]
        return ast.Call(ast.Name(_REPORT, ast.Load()), words, [])

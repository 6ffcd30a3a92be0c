"""Assembly of modules into a system that can be evaluated with any kind of number.

Outputs are computed on demand, so the order of modules does not matter; a circle of outputs is refused. States are
ordered by name, never by place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from osteon.errors import ModelError
from osteon.model.module import Module, Signal, State
from osteon.parameters import ParameterSet

IMPOSED = "imposed"


class _Names:
    """Attribute access to named values with a near-match hint."""

    def __init__(self, owner: str, kind: str, get: Callable[[str], Any], known: Iterable[str]) -> None:
        self._owner, self._kind, self._get, self._known = owner, kind, get, tuple(known)

    def __getattr__(self, name: str) -> Any:
        if name not in self._known:
            near = get_close_matches(name, self._known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ModelError(f"module {self._owner} uses {self._kind} {name}, which it does not have{hint}")
        return self._get(name)


@dataclass(frozen=True, eq=False)
class System:
    """Assembled modules.

    Attributes
    ----------
    name : str
        Name for messages and files.
    modules : tuple of Module
        The parts.
    imposed : tuple of str
        Signals held at parameters ``imposed.<signal>`` instead of being computed.
    parameters : ParameterSet
        Defaults; also says which parameter each module finds under which key.
    """

    name: str
    modules: tuple[Module, ...]
    parameters: ParameterSet
    imposed: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self._refuse_doubles()
        self._refuse_missing()

    # ---- what the system holds -------------------------------------------------------------------------------

    @cached_property
    def states(self) -> dict[str, State]:
        """States by ``module.name``, sorted."""
        return dict(
            sorted((f"{module.name}.{name}", state) for module in self.modules for name, state in module.states.items())
        )

    @cached_property
    def providers(self) -> dict[str, tuple[str, Module]]:
        """Signal to ("output" | "state" | "imposed", module)."""
        found: dict[str, tuple[str, Module]] = {}
        for module in self.modules:
            found.update(dict.fromkeys(module.outputs, ("output", module)))
            found.update({state.signal: ("state", module) for state in module.states.values() if state.signal})
        found.update(dict.fromkeys(self.imposed, ("imposed", self.modules[0])))
        return found

    @cached_property
    def signal_units(self) -> dict[str, Signal]:
        """Every signal this system gives, with unit and meaning."""
        given = {
            name: signal for module in self.modules for name, signal in module.outputs.items() if name in self.providers
        }
        for module in self.modules:
            given |= {st.signal: Signal(st.unit, st.means) for st in module.states.values() if st.signal}
            given |= {n: Signal(i.unit, i.means) for n, i in module.inputs.items() if n in self.imposed}
        return given

    @cached_property
    def parameter_keys(self) -> tuple[str, ...]:
        """Keys of the parameters the rates and signals really read, sorted."""
        used: set[str] = set()

        def get(key: str) -> float:
            used.add(key)
            return self.parameters.value(key)

        self.evaluate([self._initial(key, get) for key in self.states], get)
        return tuple(sorted(used))

    def initial(self, values: Mapping[str, float]) -> list[float]:
        """State at baseline for parameter `values`, in the order of `states`."""
        return [self._initial(key, values.__getitem__) for key in self.states]

    def initial_parameters(self) -> tuple[str, ...]:
        """Keys of the parameters that initial states read."""
        return tuple(
            sorted(
                {
                    self._key(key.partition(".")[0], s.initial)
                    for key, s in self.states.items()
                    if isinstance(s.initial, str)
                }
            )
        )

    def dose_target(self, drug: str, route: str) -> tuple[str, str]:
        """State a dose lands in and the key of its bioavailability; raises `ModelError` if no module takes it."""
        for module in self.modules:
            if (drug, route) in module.doses:
                state, factor = module.doses[drug, route]
                return f"{module.name}.{state}", self._key(module.name, factor)
        raise ModelError(f"system {self.name} takes no {drug} by the {route} route")

    # ---- evaluation --------------------------------------------------------------------------------------------

    def evaluate(
        self,
        y: Sequence[Any],
        parameter: Callable[[str], Any],
        record: Callable[[str, Any], Any] | None = None,
        literal: Callable[[float | None, str], Any] | None = None,
    ) -> tuple[list[Any], dict[str, Any]]:
        """Rates and signals at one state, or at many when the entries of `y` are arrays.

        Parameters
        ----------
        y : sequence
            States in the order of `states`.
        parameter : callable
            ``parameter(key)`` gives a parameter value.
        record : callable, optional
            Sees every computed signal and may replace it (tracing).
        literal : callable, optional
            ``literal(value, unit)`` wraps the default of an input nobody provides (unit check).

        Returns
        -------
        rates : list
            One per state, per day.
        signals : dict
            Every signal by name.

        Raises
        ------
        ModelError
            Outputs depend on each other in a circle, or a function returns other names than declared.
        """
        state = dict(zip(self.states, y, strict=True))
        known: dict[str, Any] = {}
        under_way: list[str] = []

        def signal(name: str, module: Module) -> Any:
            if name in known:
                return known[name]
            if name not in self.providers:
                need = module.inputs[name]
                return literal(need.default, need.unit) if literal else need.default
            kind, provider = self.providers[name]
            if kind == "imposed":
                known[name] = parameter(f"{IMPOSED}.{name}")
            elif kind == "state":
                known.update(
                    {st.signal: state[f"{provider.name}.{n}"] for n, st in provider.states.items() if st.signal}
                )
            else:
                compute(provider)
            return known[name]

        def compute(module: Module) -> None:
            if module.name in under_way:
                raise ModelError(f"outputs depend on each other in a circle: {' -> '.join([*under_way, module.name])}")
            under_way.append(module.name)
            given = self._call(module.signals, module, state, parameter, signal, set(module.outputs), "signals")
            under_way.pop()
            for name in module.outputs:
                if self.providers[name][1] is module and self.providers[name][0] == "output":
                    known[name] = record(name, given[name]) if record else given[name]

        rates: dict[str, Any] = {}
        for name, (_, provider) in self.providers.items():
            signal(name, provider)
        for module in self.modules:
            given = self._call(module.rates, module, state, parameter, signal, set(module.states), "rates")
            clock = parameter(module.clock) if module.clock and given else None
            for name, rate in given.items():
                rates[f"{module.name}.{name}"] = rate if clock is None else clock * rate
        return [rates[key] for key in self.states], known

    def _call(self, function, module, state, parameter, signal, expected, what) -> Mapping[str, Any]:
        own = {name: state[f"{module.name}.{name}"] for name in module.states}
        s = _Names(module.name, "state", own.__getitem__, own)
        p = _Names(module.name, "parameter", lambda n: parameter(self._key(module.name, n)), self._reach[module.name])
        seen = [*module.inputs, *(module.outputs if what == "rates" else ())]
        given = function(s, p, _Names(module.name, "signal", lambda n: signal(n, module), seen))
        if set(given) != expected:
            odd = ", ".join(sorted(set(given) ^ expected))
            raise ModelError(f"module {module.name}: {what} and declaration differ in {odd}")
        return given

    # ---- names ---------------------------------------------------------------------------------------------------

    @cached_property
    def _reach(self) -> dict[str, dict[str, str]]:
        reach: dict[str, dict[str, str]] = {}
        for module in self.modules:
            names: dict[str, str] = {}
            for table in reversed(module.tables):
                names |= {key.partition(".")[2]: key for key in self.parameters if key.startswith(f"{table}.")}
            reach[module.name] = names
        return reach

    def _key(self, module: str, name: str) -> str:
        return self._reach[module][name]

    def _initial(self, key: str, get: Callable[[str], float]) -> float:
        initial = self.states[key].initial
        return get(self._key(key.partition(".")[0], initial)) if isinstance(initial, str) else initial

    def _refuse_doubles(self) -> None:
        names = Counter(m.name for m in self.modules)
        given = Counter(name for m in self.modules for name in m.outputs)
        given.update(st.signal for m in self.modules for st in m.states.values() if st.signal)
        doubled = sorted(name for name, n in [*names.items(), *given.items()] if n > 1)
        if doubled:
            raise ModelError(f"system {self.name}: {', '.join(doubled)} is given twice")

    def _refuse_missing(self) -> None:
        for module in self.modules:
            for name, need in module.inputs.items():
                if name not in self.providers and need.default is None:
                    near = get_close_matches(name, self.providers, n=1)
                    hint = f"; did you mean {near[0]}?" if near else ""
                    raise ModelError(f"system {self.name}: no module gives {name}, which {module.name} needs{hint}")
        wanted = {name for module in self.modules for name in (*module.inputs, *module.outputs)}
        for name in self.imposed:
            if name not in wanted:
                near = get_close_matches(name, wanted, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise ModelError(f"system {self.name}: no module uses the imposed signal {name}{hint}")

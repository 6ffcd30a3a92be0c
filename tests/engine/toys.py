"""Small systems of nobody's biology, to ask a solver hard questions."""

from osteon.model.maths import positive, power
from osteon.model.module import Module, State
from osteon.model.system import System
from osteon.parameters import ParameterSet, Record


def _grow(s, p, signal):
    """Growth with the square, which ends in infinity; plain growth, whose first pivot may be zero; a plain loss."""
    return {"y": p.square * s.y * s.y + p.plain * s.y - p.loss}


def _robertson(s, p, signal):
    """Robertson's three reactions, stiff over eleven powers of ten, with the sum of all held."""
    made, fast, slow = p.slow * s.a, p.fast * s.b * s.b, p.back * s.b * s.c
    return {"a": slow - made, "b": made - slow - fast, "c": fast}


def _oscillate(s, p, signal):
    """Van der Pol with an absorbed dose that pushes it, and a power with a free exponent."""
    push = p.absorption * s.depot
    pull = p.pace * (s.x + 0.1 * power(positive(s.x, 1e-3), p.exponent))
    return {
        "depot": -push,
        "x": p.pace * s.v,
        "v": p.damping * (1 - s.x * s.x) * s.v - pull + push / p.mass,
    }


def _system(name: str, rates, states: dict[str, State], parameters: dict[str, tuple], doses=None) -> System:
    module = Module(name=name, states=states, rates=rates, tables=(name,), doses=doses or {})
    records = [Record(f"{name}.{key}", *given, "assumed", "test", key) for key, given in parameters.items()]
    return System(name, (module,), ParameterSet({record.key: record for record in records}))


def one_state() -> System:
    """``dy/dt = square y**2 + plain y - loss`` from 1."""
    return _system(
        "one", _grow, {"y": State("1", "it", 1.0)}, dict.fromkeys(("square", "plain", "loss"), (0.0, "1/day"))
    )


def robertson() -> System:
    states = {
        "a": State("1", "a", 1.0),
        "b": State("1", "b", 0.0, scale=1e-4),
        "c": State("1", "c", 0.0),
    }
    return _system(
        "robertson", _robertson, states, {"slow": (0.04, "1/day"), "fast": (3e7, "1/day"), "back": (1e4, "1/day")}
    )


def oscillator() -> System:
    states = {
        "depot": State("mg", "dose not yet absorbed", 0.0),
        "x": State("1", "place", 1.0, signed=True),
        "v": State("1", "speed", 0.0, signed=True),
    }
    parameters = {
        "damping": (5.0, "1/day"),
        "absorption": (2.0, "1/day"),
        "pace": (1.0, "1/day"),
        "exponent": (1.7, "1"),
        "share": (1.0, "1"),
        "mass": (1.0, "mg"),
    }
    return _system("oscillator", _oscillate, states, parameters, {("push", "mouth"): ("depot", "share")})

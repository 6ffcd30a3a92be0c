"""The language of lanes: elementary functions, translation against NumPy, counts of operations."""

import ctypes
from collections.abc import Sequence

import numpy as np
import pytest
from llvmlite import binding, ir

from osteon.engine.lanes.layout import LANES, STAGES
from osteon.engine.lanes.machine import host_machine
from osteon.engine.lanes.text import program_of
from osteon.engine.lanes.vector import Routine, build
from osteon.model.systems import assemble


class Compiled:
    """A routine as machine code that takes arrays of rows."""

    def __init__(self, routine: Routine) -> None:
        module = ir.Module()
        build(routine, module)
        self._engine = binding.create_mcjit_compiler(binding.parse_assembly("", None), host_machine())
        parsed = binding.parse_assembly(str(module))
        self._engine.add_module(parsed)
        self._engine.finalize_object()
        address = self._engine.get_function_address(routine.name)
        self._call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(routine.pointers))(address)

    def __call__(self, *blocks: np.ndarray) -> None:
        self._call(*(block.ctypes.data for block in blocks))


def rows(count: int) -> np.ndarray:
    """Rows of lanes, where vectors may begin."""
    memory = np.zeros((count + 1) * LANES)
    start = (-memory.ctypes.data % 64) // 8
    return memory[start : start + count * LANES].reshape(count, LANES)


def evaluate(expression: str, *inputs: Sequence[float]) -> np.ndarray:
    """`expression` in x0, x1, .. over any number of values."""
    count = len(inputs[0])
    lines = [f"x{i} = X[{i}]" for i in range(len(inputs))]
    routine = Compiled(Routine("f", {"X": "rows", "Y": "rows"}, [*lines, f"Y[0] = {expression}"]))
    found = np.empty(-(-count // LANES) * LANES)
    for start in range(0, count, LANES):
        x, y = rows(len(inputs)), rows(1)
        for i, values in enumerate(inputs):
            part = values[start : start + LANES]
            x[i, : len(part)] = part
        routine(x, y)
        found[start : start + LANES] = y[0]
    return found[:count]


def ulps(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.max(np.abs(found - expected) / np.spacing(np.abs(expected))))


def test_exponential_is_good_to_two_units_in_the_last_place() -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.uniform(-708, 709, 4000), rng.uniform(-1, 1, 4000), rng.normal(0, 1e-8, 100), [0.0, -0.0]])
    assert ulps(evaluate("exp(x0)", x), np.exp(x)) <= 2


def test_logarithm_is_good_to_two_units_in_the_last_place() -> None:
    rng = np.random.default_rng(2)
    x = np.concatenate([np.exp(rng.uniform(-700, 700, 4000)), rng.uniform(0.5, 2, 4000), 1 + rng.normal(0, 1e-6, 200)])
    assert ulps(evaluate("log(x0)", x), np.log(x)) <= 2


def test_ends_of_the_range() -> None:
    with np.errstate(all="ignore"):
        x = np.array([-1e4, -745.0, -740.0, 710.0, 1e4, np.inf, -np.inf, np.nan])
        found = evaluate("exp(x0)", x)
        np.testing.assert_array_equal(found[[0, 3, 4, 5, 6, 7]], np.exp(x)[[0, 3, 4, 5, 6, 7]])
        np.testing.assert_allclose(found[[1, 2]], np.exp(x[[1, 2]]), atol=5e-324)
        np.testing.assert_array_equal(evaluate("log(x0)", np.array([-1.0, 0.0, np.nan])), [np.nan] * 3)
        np.testing.assert_array_equal(evaluate("sqrt(x0)", np.array([0.0, 4.0, np.inf])), [0.0, 2.0, np.inf])


def test_choices_hold_on_to_what_is_no_number() -> None:
    x, y = np.array([1.0, 3.0, 1.0]), np.array([2.0, 2.0, np.nan])
    np.testing.assert_array_equal(evaluate("maximum(x0, x1)", x, y), [2.0, 3.0, np.nan])
    np.testing.assert_array_equal(evaluate("minimum(x0, x1)", x, y), [1.0, 2.0, np.nan])
    np.testing.assert_array_equal(evaluate("above(x0, x1, 10.0, x0)", x, y), [1.0, 10.0, 1.0])
    np.testing.assert_array_equal(evaluate("abs(x0 - x1)", x, y)[:2], [1.0, 1.0])


@pytest.mark.parametrize("expression", ["x0**7 - x1", "-x0*(x1 + 3)/x0**2", "inverse(x0) + sqrt(x1)/2.5"])
def test_arithmetic_is_that_of_numpy(expression: str) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.uniform(0.5, 2, 64), rng.uniform(0.5, 2, 64)
    expected = eval(expression, {"x0": x, "x1": y, "sqrt": np.sqrt, "inverse": np.reciprocal})
    np.testing.assert_allclose(evaluate(expression, x, y), expected, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("line", ["x = y if 1 else 2", "x = p.q", "x = X[i]", "x = 2**0.5", "x += 1"])
def test_what_lanes_do_not_know_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"lanes know only|lanes do not know"):
        Compiled(Routine("f", {"X": "rows"}, ["y = X[0]", line]))


def _numpy(routine: Routine, blocks: dict[str, np.ndarray]) -> None:
    """Run the text of a routine as what it also is: Python over NumPy rows."""
    known = {"exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": np.abs, "inverse": np.reciprocal}
    known |= {"maximum": np.maximum, "minimum": np.minimum, "above": lambda a, b, x, y: np.where(a > b, x, y)}
    for row in range(routine.repeat):
        moved = {
            name: block[row:] if kind == "rows" else block
            for (name, kind), block in zip(routine.pointers.items(), blocks.values(), strict=True)
        }
        exec("\n".join(routine.lines), {**known, **moved})


def test_every_routine_of_a_kernel_does_what_its_text_says() -> None:
    program = program_of(assemble(fractured=True, drugs=["denosumab"]))
    names = list(program.rows)
    size = {name: program.rows[names[i + 1]] - program.rows[name] for i, name in enumerate(names[:-1])}
    assert {routine.name for routine in program.routines} >= {"factor", "rhs", "solve", "finish", "at", "observe"}
    for routine in program.routines:
        rng, ours, theirs = np.random.default_rng(4), {}, {}
        for name, kind in routine.pointers.items():
            if kind == "scalars":
                ours[name] = theirs[name] = rng.uniform(0.5, 1.5, 3 * STAGES * STAGES)
            else:
                ours[name] = rows(size[name])
                ours[name][:] = rng.uniform(0.1, 1.0, ours[name].shape)
                theirs[name] = ours[name].copy()
        Compiled(routine)(*ours.values())
        with np.errstate(invalid="ignore", divide="ignore"):
            _numpy(routine, theirs)
        for name in ours:
            bound = 1e-9 * np.nanmax(np.abs(theirs[name]))
            np.testing.assert_allclose(
                ours[name], theirs[name], rtol=1e-7, atol=bound, err_msg=f"{routine.name} {name}"
            )


def test_counts_of_operations_hold_the_speed() -> None:
    """What one step costs; a change that makes it dearer must say so here."""
    counted = program_of(assemble(fractured=True, drugs=["denosumab"])).operations(STAGES)
    assert 15_000 < counted["multiply"] + counted["add"] < 18_000
    assert counted["divide"] <= 340
    assert counted["sqrt"] <= 125
    assert counted["exp"] <= 50
    assert counted["log"] <= 50

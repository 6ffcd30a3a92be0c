"""From routines to machine code: Numba compiles the driver around them, and the result is kept as an object file.

Only whoever builds a kernel needs Numba. A kernel that is at hand is loaded with llvmlite alone, which takes a few
hundredths of a second and needs neither Numba nor its caches.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from osteon.engine.lanes.driver import REALS, WHOLES, make_driver
from osteon.engine.lanes.layout import STAGES
from osteon.engine.lanes.machine import host_machine
from osteon.engine.lanes.store import seal
from osteon.engine.lanes.text import LaneProgram, program_of
from osteon.engine.lanes.vector import Routine, build
from osteon.model.systems import assemble


def compile_lanes(program: LaneProgram) -> tuple[str, bytes]:
    """Compile a kernel for this machine.

    Parameters
    ----------
    program : LaneProgram
        Its routines.

    Returns
    -------
    entry : str
        Name of the function; it follows Numba's calling convention.
    code : bytes
        An object file that holds it.
    """
    from llvmlite import binding
    from numba import njit, types

    real, whole = types.CPointer(types.float64), types.CPointer(types.int64)
    call = SimpleNamespace(**{routine.name: _callable(routine) for routine in program.routines})
    call.combine = _combine([getattr(call, f"combine{stage}") for stage in range(1, STAGES)])
    run = make_driver(program.rows, len(program.states), len(program.parameters), _offset(), _take(), call)
    arguments = [whole] * len(WHOLES) + [real] * len(REALS) + [real, whole]
    bare: Any = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "_nrt": False}
    compiled = njit(types.int64(*arguments), nogil=True, error_model="numpy", **bare)(run)
    overload = compiled.overloads[compiled.signatures[0]]
    module = binding.parse_assembly(compiled.inspect_llvm(compiled.signatures[0]))
    return overload.fndesc.llvm_func_name, host_machine().emit_object(module)


def main(source: str, target: str) -> None:
    """Read a program, or how osteon assembles its system, from one file and write the kernel to another."""
    given = json.loads(Path(source).read_text(encoding="utf-8"))
    if "recipe" in given:
        program = program_of(assemble(**given["recipe"]))
    else:
        about = given["program"]
        routines = tuple(Routine(**routine) for routine in about.pop("routines"))
        program = LaneProgram(**about, routines=routines)
    entry, code = compile_lanes(program)
    layout = {
        "entry": entry,
        "states": program.states,
        "parameters": program.parameters,
        "signals": program.signals,
        "rows": program.rows["end"],
        "operations": {name: dict(program.operations(stages)) for name, stages in (("Rodas4", 6), ("Rodas5P", 8))},
    }
    Path(target).write_bytes(seal(layout, code))


def _callable(routine: Routine) -> Any:
    """The routine as something Numba functions can call with pointers."""
    from numba import types
    from numba.core.extending import intrinsic

    count = len(routine.pointers)
    names = ", ".join(routine.pointers)

    def generate(context, builder, signature, arguments):
        module = builder.module
        function = module.globals.get(routine.name)
        if function is None:
            function = build(routine, module)
            function.linkage = "internal"
        builder.call(function, arguments)
        return context.get_dummy_value()

    def typing(typingctx, *pointers):
        if len(pointers) != count:
            return None
        return types.void(*pointers), generate

    scope: dict[str, Any] = {"typing": typing}
    exec(f"def {routine.name}(typingctx, {names}):\n    return typing(typingctx, {names})", scope)
    return intrinsic(scope[routine.name])


def _combine(stages: list[Any]) -> Any:
    """One call for all stages; the stage is known only at run time."""
    from numba import njit

    one, two, three, four, five, six, seven = stages

    @njit
    def combine(stage, y, u, p, r, m, a, g):
        if stage == 1:
            one(y, u, p, r, m, a, g)
        elif stage == 2:
            two(y, u, p, r, m, a, g)
        elif stage == 3:
            three(y, u, p, r, m, a, g)
        elif stage == 4:
            four(y, u, p, r, m, a, g)
        elif stage == 5:
            five(y, u, p, r, m, a, g)
        elif stage == 6:
            six(y, u, p, r, m, a, g)
        else:
            seven(y, u, p, r, m, a, g)

    return combine


def _offset() -> Any:
    from numba import types
    from numba.core.extending import intrinsic

    @intrinsic
    def offset(typingctx, pointer, count):
        def generate(context, builder, signature, arguments):
            return builder.gep(arguments[0], [arguments[1]])

        return pointer(pointer, types.int64), generate

    return offset


def _take() -> Any:
    from llvmlite import ir
    from numba import types
    from numba.core.extending import intrinsic

    @intrinsic
    def take(typingctx, pointer):
        def generate(context, builder, signature, arguments):
            return builder.atomic_rmw("add", arguments[0], ir.Constant(ir.IntType(64), 1), "monotonic")

        return types.int64(pointer), generate

    return take


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

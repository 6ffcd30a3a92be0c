"""How fast this machine can do arithmetic: vectors of eight numbers, many of them independent, nothing from memory."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import lru_cache
from time import process_time

LANES = 8
_CHAINS = 12  # enough to hide the latency of one behind the others
_VECTOR = f"<{LANES} x double>"
_BODY = {
    "fused": f"call {_VECTOR} @llvm.fma.v{LANES}f64({_VECTOR} {{x}}, {_VECTOR} %a, {_VECTOR} %b)",
    "divide": f"fdiv {_VECTOR} %b, {{x}}",
    "sqrt": f"call {_VECTOR} @llvm.sqrt.v{LANES}f64({_VECTOR} {{x}})",
}
#: What else a step has, in vector instructions and divisions: a comparison and a choice; range reduction, polynomial
#: and putting the exponent back.
_MADE_OF = {"compare": (2, 0), "exp": (26, 0), "log": (26, 1)}
#: Names a generator may give to the same thing.
_ALSO = {"reciprocal": "divide", "subtract": "add", "fma": "fused"}


@lru_cache(maxsize=1)
def costs(rounds: int = 200_000, repeats: int = 7) -> dict[str, float]:
    """Nanoseconds of CPU per operation and lane, for `fused` (multiply-add), `divide` and `sqrt`."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(), features=binding.get_host_cpu_features().flatten(), opt=2
    )
    engine = binding.create_mcjit_compiler(binding.parse_assembly(_text()), machine)
    engine.finalize_object()
    found = {}
    for name in _BODY:
        call = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_int64, ctypes.c_double, ctypes.c_double)(
            engine.get_function_address(name)
        )
        best = float("inf")
        for _ in range(repeats):
            began = process_time()
            call(rounds, 0.999, 1.001)
            best = min(best, process_time() - began)
        found[name] = best / (rounds * _CHAINS * LANES) * 1e9
    return found


def floor_of_step(counts: Mapping[str, float]) -> dict[str, float]:
    """Least time of one step of one lane [ns].

    Parameters
    ----------
    counts : mapping
        Operations of one lane in one step: ``add``, ``multiply``, ``divide``, ``sqrt``, ``exp``, ``log``, ``compare``.

    Returns
    -------
    dict
        `fused`: every addition rides on a multiplication and divisions run beside them. `realistic`: half of those
        that could ride do, and divisions and roots take their own time.

    Raises
    ------
    KeyError
        An operation has no known cost.
    """
    plain: dict[str, float] = dict.fromkeys(("add", "multiply", "fused", "divide", "sqrt"), 0.0)
    for kind, number in counts.items():
        if kind in _MADE_OF:
            instructions, divisions = _MADE_OF[kind]
            plain["fused"] += instructions * number
            plain["divide"] += divisions * number
        else:
            plain[_ALSO.get(kind, kind)] += number
    cost = costs()
    most, least = max(plain["add"], plain["multiply"]), min(plain["add"], plain["multiply"])
    slow = plain["divide"] * cost["divide"] + plain["sqrt"] * cost["sqrt"]
    return {
        "fused": max((most + plain["fused"]) * cost["fused"], slow),
        "realistic": (most + 0.5 * least + plain["fused"]) * cost["fused"] + slow,
    }


def _text() -> str:
    """LLVM code of one loop for each operation."""
    lines = [f"declare {_VECTOR} @llvm.fma.v{LANES}f64({_VECTOR}, {_VECTOR}, {_VECTOR})"]
    lines.append(f"declare {_VECTOR} @llvm.sqrt.v{LANES}f64({_VECTOR})")
    for name, body in _BODY.items():
        lines += [f"define double @{name}(i64 %n, double %p, double %q) {{", "entry:"]
        for vector, scalar in (("a", "p"), ("b", "q")):
            lines.append(f"  %{vector}0 = insertelement {_VECTOR} undef, double %{scalar}, i32 0")
            zeros = f"<{LANES} x i32> zeroinitializer"
            lines.append(f"  %{vector} = shufflevector {_VECTOR} %{vector}0, {_VECTOR} undef, {zeros}")
        for k in range(_CHAINS):
            start = f"double {k + 1}.0"
            lines.append(f"  %s{k} = insertelement {_VECTOR} %b, {start}, i32 {k % LANES}")
        lines += ["  br label %loop", "loop:", "  %i = phi i64 [0, %entry], [%j, %loop]"]
        lines += [f"  %x{k} = phi {_VECTOR} [%s{k}, %entry], [%y{k}, %loop]" for k in range(_CHAINS)]
        lines += [f"  %y{k} = {body.format(x=f'%x{k}')}" for k in range(_CHAINS)]
        lines += ["  %j = add i64 %i, 1", "  %go = icmp slt i64 %j, %n", "  br i1 %go, label %loop, label %done"]
        lines += ["done:", f"  %t0 = fadd {_VECTOR} %y0, %y0"]
        lines += [f"  %t{k} = fadd {_VECTOR} %t{k - 1}, %y{k}" for k in range(1, _CHAINS)]
        lines += [f"  %r = extractelement {_VECTOR} %t{_CHAINS - 1}, i32 0", "  ret double %r", "}"]
    return "\n".join(lines)

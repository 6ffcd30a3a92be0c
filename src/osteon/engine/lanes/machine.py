"""The processor of this computer, as LLVM sees it."""

from __future__ import annotations

from typing import Any


def host_machine() -> Any:
    """Return an LLVM target machine for this processor."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    return binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        opt=3,
        reloc="pic",
        codemodel="small",
    )


def processor() -> str:
    """Name and features of this processor; another one may round the last digit otherwise."""
    from llvmlite import binding

    return f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}"

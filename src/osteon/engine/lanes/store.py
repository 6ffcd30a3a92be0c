"""Compiled kernels on disk: under a content hash, checked on every load.

One file holds the layout as JSON and the machine code; its first line is a hash of the rest, so a damaged or
half-written file is noticed and made again. Files are put in place whole, so processes that race for one do no harm.
The name covers the model's text, the code that writes kernels, the compiler and the processor, so machines may share
a folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from osteon.engine.cache import content_key, folder, put
from osteon.engine.lanes.job import Code
from osteon.engine.lanes.machine import host_machine, processor
from osteon.model.system import System

_LOG = logging.getLogger(__name__)
_HERE = Path(__file__).parent
_NAMES = ("build", "driver", "elementary", "layout", "machine", "text", "vector")
_WRITERS = (*(_HERE / f"{name}.py" for name in _NAMES), *(_HERE.parent / f"{n}.py" for n in ("program", "rosenbrock")))
_MAGIC = b"osteon lanes "


@dataclass(frozen=True)
class LaneKernel:
    """A compiled system.

    Attributes
    ----------
    key : str
        Content hash.
    states, parameters, signals : tuple of str
        Keys, in the order the code uses.
    code : Code
        Its machine code.
    operations : mapping
        Operations of one lane in a step, by method.
    """

    key: str
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    signals: tuple[str, ...]
    code: Code
    operations: dict[str, dict[str, int]]
    _engine: Any = field(repr=False)


@lru_cache(maxsize=256)
def lane_key(system: System) -> str:
    """Hash of all that the machine code of a system depends on."""
    digest = hashlib.sha256(content_key(system).encode())
    for path in _WRITERS:
        digest.update(path.read_bytes())
    digest.update(repr([(state.scale, state.signed) for state in system.states.values()]).encode())
    packages = " ".join(version(name) for name in ("numba", "llvmlite", "sympy"))
    digest.update(f"{packages} {sys.platform} {processor()}".encode())
    return digest.hexdigest()[:32]


def load(system: System) -> LaneKernel | None:
    """The kernel of a system, if a sound one is at hand."""
    return _load(lane_key(system), folder())


#: Kernels made in this process, for a folder that cannot be written.
_FRESH: dict[str, LaneKernel] = {}


def seal(layout: dict[str, Any], code: bytes) -> bytes:
    """Content of a kernel file."""
    body = json.dumps(layout, sort_keys=True).encode() + b"\n" + code
    return _MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _path(key: str, place: Path) -> Path:
    return place / f"lanes_{key}.bin"


def keep(key: str, content: bytes) -> LaneKernel:
    """Put a kernel file in its place and open it; a folder that cannot be written is done without.

    Raises
    ------
    ValueError
        The content is damaged.
    """
    put(_path(key, folder()), content, "the compiled kernel")
    _FRESH[key] = _open(key, content)
    return _FRESH[key]


@lru_cache(maxsize=128)
def _load_checked(key: str, place: Path, stamp: tuple[int, int]) -> LaneKernel | None:
    content = _path(key, place).read_bytes()
    if _body(content) is None:
        _LOG.warning("the compiled kernel %s is damaged and is made again", _path(key, place).name)
        return None
    return _open(key, content)


def _load(key: str, place: Path) -> LaneKernel | None:
    try:
        about = _path(key, place).stat()
        return _load_checked(key, place, (about.st_mtime_ns, about.st_size)) or _FRESH.get(key)
    except OSError:
        return _FRESH.get(key)


def _body(content: bytes) -> bytes | None:
    header, _, body = content.partition(b"\n")
    return body if header == _MAGIC + hashlib.sha256(body).hexdigest().encode() else None


def _open(key: str, content: bytes) -> LaneKernel:
    body = _body(content)
    if body is None:
        raise ValueError("the compiler left a damaged file")
    about, _, machine = body.partition(b"\n")
    layout = json.loads(about)
    engine, address = _link(machine, layout["entry"])
    return LaneKernel(
        key=key,
        states=tuple(layout["states"]),
        parameters=tuple(layout["parameters"]),
        signals=tuple(layout["signals"]),
        code=Code(address, len(layout["states"]), len(layout["parameters"]), layout["rows"]),
        operations=layout["operations"],
        _engine=engine,
    )


def _link(machine: bytes, entry: str) -> tuple[Any, int]:
    """Put machine code where it can run; the engine must outlive its use."""
    from llvmlite import binding

    # This memory manager lays code and constants side by side; the default one may put them more than the 2 GB apart
    # that the code can bridge, which ends the process.
    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), host_machine(), use_lmm=True)
    engine.add_object_file(binding.ObjectFileRef.from_data(machine))
    engine.finalize_object()
    return engine, engine.get_function_address(entry)

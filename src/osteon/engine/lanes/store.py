"""Compiled kernels on disk: under a content hash, checked on every load, made in a process of their own.

One file holds the layout as JSON and the machine code; its first line is a hash of the rest, so a damaged or half-written
file is noticed and made again. Files are put in place whole, so processes that race for one do no harm. The name covers the
model's text, the code that writes kernels, the compiler and the processor, so machines may share a folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from osteon.engine.cache import content_key, folder
from osteon.engine.lanes.job import Code
from osteon.errors import SolveError
from osteon.model.system import System

_LOG = logging.getLogger(__name__)
_HERE = Path(__file__).parent
_WRITERS = (
    *(_HERE / f"{name}.py" for name in ("build", "driver", "elementary", "text", "vector")),
    _HERE.parent / "program.py",
)
_MAGIC = b"osteon lanes "
_POLL = 0.05  # second


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
    _constants: Any = field(repr=False)
    _kept: tuple[str, ...] = field(repr=False)
    _engine: Any = field(repr=False)

    def constants(self, values: Iterable[Any], size: int) -> np.ndarray:
        """Constants of `size` patients from parameter values in the order of `parameters`; shape (size, constants)."""
        names: dict[str, Any] = {"sqrt": np.sqrt, "exp": np.exp, "log": np.log}
        names |= {f"p{i}": value for i, value in enumerate(values)}
        with np.errstate(all="ignore"):
            exec(self._constants, names)
        found = np.empty((size, len(self._kept)))
        for column, name in enumerate(self._kept):
            found[:, column] = names[name]
        return found


def lane_key(system: System) -> str:
    """Hash of all that the machine code of a system depends on."""
    from llvmlite import binding

    digest = hashlib.sha256(content_key(system).encode())
    for path in _WRITERS:
        digest.update(path.read_bytes())
    digest.update(repr([(state.scale, state.signed) for state in system.states.values()]).encode())
    digest.update(f"{version('numba')} {version('llvmlite')} {sys.platform}".encode())
    digest.update(f"{binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}".encode())
    return digest.hexdigest()[:32]


def load(system: System) -> LaneKernel | None:
    """The kernel of a system, if a sound one is at hand."""
    return _load(lane_key(system), folder())


def obtain(system: System) -> LaneKernel:
    """The kernel of a system; made first, in another process, if it is not at hand.

    Raises
    ------
    SolveError
        It could not be made.
    """
    return load(system) or Build(system).wait()


class Build:
    """A kernel in the making: text in a thread, machine code in another process."""

    def __init__(self, system: System) -> None:
        _LOG.info("compiling %s, once; later runs start at once", system.name)
        self._system, self._key = system, lane_key(system)
        self._process: subprocess.Popen | None = None
        self._kernel: LaneKernel | None = None
        self._trouble = ""
        self._cancelled = False
        self._thread = threading.Thread(target=self._make, daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return not self._thread.is_alive()

    def wait(self, on_wait: Callable[[], None] | None = None) -> LaneKernel:
        """The kernel, when it is made; raises `SolveError` if it could not be."""
        try:
            while self._thread.is_alive():
                self._thread.join(_POLL)
                if on_wait:
                    on_wait()
        except BaseException:
            self.cancel()
            raise
        if self._kernel is None:
            raise SolveError(f"the compiled kernel of {self._system.name} could not be made: {self._trouble}")
        return self._kernel

    def cancel(self) -> None:
        """Stop making it."""
        self._cancelled = True
        if self._process is not None:
            self._process.kill()
        self._thread.join()

    def _make(self) -> None:
        from osteon.engine.lanes.text import write_lanes
        from osteon.engine.trace import trace
        from osteon.model.unit_check import check_units

        try:
            check_units(self._system)
            states = self._system.states.values()
            program = write_lanes(trace(self._system), [s.scale for s in states], [s.signed for s in states])
            with tempfile.TemporaryDirectory(prefix="osteon-") as place:
                source, made = Path(place) / "program.json", Path(place) / "kernel"
                source.write_text(json.dumps(asdict(program)), encoding="utf-8")
                if self._cancelled:
                    return
                command = [sys.executable, "-m", "osteon.engine.lanes.build", str(source), str(made)]
                self._process = subprocess.Popen(
                    command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
                )
                _, errors = self._process.communicate()
                if self._process.returncode:
                    self._trouble = (errors.strip().splitlines() or [f"exit {self._process.returncode}"])[-1]
                    return
                content = made.read_bytes()
            _keep(self._key, content)
            self._kernel = _open(self._key, content)
            _FRESH[self._key] = self._kernel
        except (OSError, ValueError, SolveError) as error:
            self._trouble = str(error)


#: Kernels made in this process, for a folder that cannot be written.
_FRESH: dict[str, LaneKernel] = {}


def seal(layout: dict[str, Any], code: bytes) -> bytes:
    """Content of a kernel file."""
    body = json.dumps(layout, sort_keys=True).encode() + b"\n" + code
    return _MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def _path(key: str, place: Path) -> Path:
    return place / f"lanes_{key}.bin"


def _keep(key: str, content: bytes) -> None:
    path = _path(key, folder())
    staged = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        staged.write_bytes(content)
        staged.replace(path)
    except OSError as error:
        _LOG.warning("the compiled kernel is not kept: %s", error)
        with suppress(OSError):
            staged.unlink(missing_ok=True)


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
        code=Code(address, len(layout["states"]), len(layout["kept"]), layout["rows"]),
        operations=layout["operations"],
        _constants=compile("\n".join(layout["constants"]), f"<constants of {key}>", "exec"),
        _kept=tuple(layout["kept"]),
        _engine=engine,
    )


def _link(machine: bytes, entry: str) -> tuple[Any, int]:
    """Put machine code where it can run; the engine must outlive its use."""
    from llvmlite import binding

    from osteon.engine.lanes.machine import host_machine

    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), host_machine())
    engine.add_object_file(binding.ObjectFileRef.from_data(machine))
    engine.finalize_object()
    return engine, engine.get_function_address(entry)


def wait_all(builds: Iterable[Build], on_wait: Callable[[], None] | None = None) -> None:
    """Wait for several; a failure shows when its kernel is asked for."""
    waiting = list(builds)
    try:
        while any(not build.done for build in waiting):
            time.sleep(_POLL)
            if on_wait:
                on_wait()
    except BaseException:
        for build in waiting:
            build.cancel()
        raise

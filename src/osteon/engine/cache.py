"""Generated kernels under a content hash: built once, checked on every load, never needed to be there.

The key covers the text of every module the system is made of and of the code that writes kernels, so a changed line
in the model gives a new kernel. A damaged file is built again; a folder that cannot be written is done without.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from osteon.engine.rosenbrock import Functions
from osteon.model import maths, module
from osteon.model import system as system_file
from osteon.model.system import System

_LOG = logging.getLogger(__name__)
_HERE = Path(__file__).parent
_WRITERS = (
    *(Path(str(source.__file__)) for source in (maths, module, system_file)),
    _HERE / "trace.py",
    _HERE / "program.py",
    _HERE / "generate.py",
)
_HEADER = "# osteon kernel; sha256 of what follows: "


@dataclass(frozen=True)
class Kernel:
    """A system ready to be integrated.

    Attributes
    ----------
    key : str
        Content hash.
    states, parameters : tuple of str
        Keys in the order the functions use.
    make : callable
        ``make(values) -> (rhs, factor, solve)``.
    """

    key: str
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    make: Callable[[Sequence[float]], tuple]

    def functions(self, values: Sequence[float]) -> Functions:
        """Functions for one set of parameter values, in the order of `parameters`."""
        return Functions(*self.make(list(values)))


def folder() -> Path:
    """Where kernels are kept: ``OSTEON_CACHE`` or the user's cache folder."""
    chosen = os.environ.get("OSTEON_CACHE")
    if chosen:
        return Path(chosen)
    from platformdirs import user_cache_path

    return user_cache_path("osteon")


def content_key(system: System) -> str:
    """Hash of the text of the system's modules, of the code that writes kernels, and of how it is put together."""
    digest = hashlib.sha256()
    for path in (*_WRITERS, *sorted({Path(part.source_file) for part in system.modules})):
        digest.update(_text(path))
    for part in system.modules:
        digest.update(repr((part.name, part.tables, part.clock, part.rates.__qualname__)).encode())
    digest.update(repr((system.imposed, system.parameter_keys)).encode())
    return digest.hexdigest()[:32]


@lru_cache(maxsize=64)
def kernel_for(system: System) -> Kernel:
    """Load the kernel of `system`, or build and keep it."""
    key = content_key(system)
    path = folder() / f"kernel_{key}.py"
    names = _load(path)
    if names is None:
        names = _build(system, path)
    return Kernel(key, names["STATES"], names["PARAMETERS"], names["make"])


def is_cached(system: System) -> bool:
    """Whether a sound kernel of `system` is already kept."""
    return _sound(folder() / f"kernel_{content_key(system)}.py") is not None


def _build(system: System, path: Path) -> dict:
    from osteon.engine.generate import generate_python
    from osteon.engine.trace import trace
    from osteon.model.unit_check import check_units

    _LOG.info("writing the equations of %s as code, once; later runs start at once", system.name)
    check_units(system)
    body = generate_python(trace(system))
    text = f"{_HEADER}{hashlib.sha256(body.encode()).hexdigest()}\n{body}"
    put(path, text.encode(), "the kernel")
    return _run(compile(text, str(path), "exec"))


def put(path: Path, content: bytes, what: str) -> None:
    """Put a file in its place whole; a folder that cannot be written is done without, and said."""
    staged = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        staged.write_bytes(content)
        staged.replace(path)
    except OSError as error:
        _LOG.warning("%s is not kept: %s", what, error)
        with suppress(OSError):
            staged.unlink(missing_ok=True)


def _sound(path: Path) -> str | None:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    header, _, body = text.partition("\n")
    if header != _HEADER + hashlib.sha256(body.encode()).hexdigest():
        _LOG.warning("the kept kernel %s is damaged and is built again", path.name)
        return None
    return text


def _load(path: Path) -> dict | None:
    text = _sound(path)
    return None if text is None else _run(compile(text, str(path), "exec"))


def _run(code) -> dict:
    names: dict = {}
    exec(code, names)
    return names


@lru_cache(maxsize=64)
def _text(path: Path) -> bytes:
    return path.read_bytes()

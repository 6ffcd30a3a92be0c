"""Making a compiled kernel, in a process of its own, while this one goes on."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from osteon.engine.lanes.store import LaneKernel, keep, lane_key, load
from osteon.errors import OsteonError, SolveError
from osteon.model.system import System
from osteon.model.systems import DRUGS, TURNOVER, assemble

_LOG = logging.getLogger(__name__)
_POLL = 0.05  # second
_AT_ONCE = threading.BoundedSemaphore(os.cpu_count() or 1)  # compilers


def obtain(system: System) -> LaneKernel:
    """The kernel of a system; made first, in another process, if it is not at hand.

    Raises
    ------
    SolveError
        It could not be made.
    """
    return load(system) or Build(system).wait()


class Build:
    """A kernel in the making.

    Parameters
    ----------
    system : System
        Of which. A system that osteon assembles itself is traced in the other process too.
    """

    def __init__(self, system: System) -> None:
        _LOG.warning("compiling %s, once; later runs start at once", system.name)
        self.system = system
        self._process: subprocess.Popen | None = None
        self._kernel: LaneKernel | None = None
        self._trouble = "it was stopped"
        self._cancelled = False
        self._thread = threading.Thread(target=self._make, daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it has ended, well or not."""
        return not self._thread.is_alive()

    def wait(self, on_wait: Callable[[], None] | None = None) -> LaneKernel:
        """The kernel, when it is made; raises `SolveError` if it could not be."""
        wait_all([self], on_wait)
        if self._kernel is None:
            raise SolveError(f"the compiled kernel of {self.system.name} could not be made: {self._trouble}")
        return self._kernel

    def cancel(self) -> None:
        """Stop making it."""
        self._cancelled = True
        while self._thread.is_alive():
            # It may be starting just now, and is not known yet.
            if self._process is not None:
                self._process.kill()
            self._thread.join(_POLL)

    def _make(self) -> None:
        with _AT_ONCE:
            if not self._cancelled:
                self._compile()

    def _compile(self) -> None:
        try:
            with tempfile.TemporaryDirectory(prefix="osteon-") as place:
                source, made = Path(place) / "program.json", Path(place) / "kernel"
                source.write_text(json.dumps(_recipe(self.system) or _program(self.system)), encoding="utf-8")
                if self._cancelled:
                    return
                command = [sys.executable, "-m", "osteon.engine.lanes.build", str(source), str(made)]
                # In a session of its own, so that an interruption at the keyboard comes to this process alone.
                self._process = subprocess.Popen(
                    command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
                )
                _, errors = self._process.communicate()
                if self._process.returncode:
                    self._trouble = (errors.strip().splitlines() or [f"exit {self._process.returncode}"])[-1]
                    return
                self._kernel = keep(lane_key(self.system), made.read_bytes())
        except (OSError, ValueError, RuntimeError, OsteonError) as error:
            self._trouble = str(error)


def wait_all(builds: Iterable[Build], on_wait: Callable[[], None] | None = None) -> None:
    """Wait for several; a failure shows when its kernel is asked for. What `on_wait` raises stops them."""
    waiting, ended = list(builds), False
    try:
        while any(not build.done for build in waiting):
            time.sleep(_POLL)
            if on_wait:
                on_wait()
        ended = True
    finally:
        for build in waiting if not ended else ():
            build.cancel()


def _recipe(system: System) -> dict[str, Any] | None:
    """How osteon assembles this system; None for one that somebody else has put together."""
    given = {module.name for module in system.modules}
    recipe = {
        "fractured": 2 if "gap" in given else int("callus" in given),
        "drugs": [name for name, drug in DRUGS.items() if drug.module.name in given],
        "imposed": list(system.imposed),
        "skeleton": TURNOVER[0].name in given,
    }
    return {"recipe": recipe} if assemble(**recipe) is system else None


def _program(system: System) -> dict[str, Any]:
    from osteon.engine.lanes.text import program_of

    return {"program": asdict(program_of(system))}

"""What can be calibrated, by name, and what its module has to offer; the model is imported when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from osteon.calibrate.findings import Target
from osteon.calibrate.free import Problem
from osteon.calibrate.run import Calibration, Problems
from osteon.errors import InputError, near_match, show
from osteon.parameters import Record

#: Module of each subject.
SUBJECTS = {
    "turnover": "osteon.calibrate.turnover",
    "callus": "osteon.calibrate.callus",
    "people": "osteon.calibrate.people",
}


@dataclass(frozen=True)
class Settings:
    """How a subject makes its problems.

    Attributes
    ----------
    data : Path or None
        Folder of the tables with observed rows; those shipped where None.
    threads : int or None
        Threads of the model; all cores where None.
    quick : bool
        Whether a rough answer will do, as for a first look.
    """

    data: Path | None = None
    threads: int | None = None
    quick: bool = False

    @property
    def cores(self) -> int:
        """Threads to use."""
        return self.threads or os.cpu_count() or 1


class Subject(Protocol):
    """A module that can be calibrated."""

    STRUCTURES: Sequence[str]

    def problems(self, structures: Sequence[str], settings: Settings) -> Problems:
        """Problems by structure and block, the core block first."""
        ...

    def records(self) -> Mapping[str, Record]:
        """Unit and meaning of every free parameter."""
        ...

    def targets(self, calibration: Calibration, settings: Settings) -> Sequence[Target]:
        """Measures of how well the calibrated model does, fitted and checked."""
        ...

    def ablated(self, structure: str, settings: Settings) -> Mapping[str, Problem]:
        """Core problems of a structure with a part taken out, by the name of that part."""
        ...


def subject(name: str) -> Any:
    """Return the module of a subject, which offers what `Subject` says.

    Raises
    ------
    InputError
        There is no such subject.
    """
    if name not in SUBJECTS:
        message = f"{show(name)} cannot be calibrated (allowed: {', '.join(SUBJECTS)})"
        raise InputError(message, path="WHAT", value=name, hint=near_match(name, SUBJECTS))
    return import_module(SUBJECTS[name])

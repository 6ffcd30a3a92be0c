"""The folder of a calibration: what was asked for, the fits, and the chains, so that a stopped run can go on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from osteon.calibrate.fit import Fit
from osteon.calibrate.free import Problem
from osteon.calibrate.objective import Objective
from osteon.calibrate.sample import load_arrays, save_arrays
from osteon.ensemble.store import read_json, unwritable, write_json
from osteon.errors import InputError, show

RUN = "run.json"
PARTS = "parts"  # fits and chains; may be removed when the run is done


class RunFolder:
    """Fits and chains of a run, kept in a folder; without one, nothing is kept.

    Parameters
    ----------
    folder : str or Path or None
        Made if missing.
    manifest : mapping
        What is asked for.
    resume : bool
        Go on with what the folder holds; a folder without a run is begun.

    Raises
    ------
    InputError
        The folder holds a run and `resume` is false, holds another run, or cannot be written.
    """

    def __init__(self, folder: str | Path | None, manifest: Mapping[str, Any], resume: bool = False) -> None:
        self.folder = None if folder is None else Path(folder)
        if self.folder is None:
            if resume:
                raise InputError("there is no folder to go on with", path="resume", hint="name one")
            return
        try:
            if (self.folder / RUN).exists():
                _check_same(self.folder, manifest, resume)
                return
            if (self.folder / PARTS).exists():
                message = f'{self.folder} holds "{PARTS}" of something else'
                raise InputError(message, path="--out", value=str(folder), hint="name another folder")
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json(self.folder / RUN, dict(manifest))
        except OSError as error:
            raise unwritable(self.folder, error) from error

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, OSError) and self.folder is not None:
            raise unwritable(self.folder, error) from error

    def fit(self, problem: Problem) -> Fit | None:
        """Return the fit that is kept, or None."""
        path = self._path(problem, "fit.npz")
        return Fit.from_arrays(load_arrays(path)) if path is not None and path.exists() else None

    def keep_fit(self, problem: Problem, fit: Fit) -> Fit:
        """Keep a fit, and return it."""
        path = self._path(problem, "fit.npz")
        if path is not None:
            save_arrays(path, **fit.to_arrays())
        return fit

    def check_fit(self, objective: Objective, fit: Fit) -> None:
        """Refuse a fit of another model: at its best point the model must predict what it did.

        Raises
        ------
        InputError
            It does not.
        """
        if self.folder is None:
            return
        now = objective.predict(fit.z[None])[0]
        if not np.allclose(now, fit.predicted, rtol=1e-9, atol=1e-9, equal_nan=True):
            message = f"{self.folder} was calibrated with another model, which predicts other values at its best fit"
            raise InputError(message, path="--resume", value=str(self.folder), hint="name another folder")

    def chain(self, problem: Problem) -> Path | None:
        """Return the folder of the chain of a problem, or None where nothing is kept."""
        return self._path(problem, "")

    def _path(self, problem: Problem, name: str) -> Path | None:
        if self.folder is None:
            return None
        return self.folder / PARTS / problem.structure / problem.block / name


def _check_same(folder: Path, manifest: Mapping[str, Any], resume: bool) -> None:
    if not resume:
        hint = "go on with --resume (resume=True), or name another folder"
        raise InputError(f"{folder} already holds a calibration", path="--out", value=str(folder), hint=hint)
    held, wanted = read_json(folder / RUN), json.loads(json.dumps(manifest))
    held = held if isinstance(held, dict) else {}
    for name in {**wanted, **held}:
        if held.get(name) != wanted.get(name):
            before, now = show(held.get(name)), show(wanted.get(name))
            is_what = f": it is {before}, and here it is {now}" if before != now else ""
            message = f"{folder} holds another calibration, whose {name} differs{is_what}"
            hint = "give the same data, settings and versions, or name another folder"
            raise InputError(message, path="--resume", value=str(folder), hint=hint)

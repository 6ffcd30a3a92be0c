"""A folder of a trial: what it holds, how it is begun, and how it is opened again wherever it was moved to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osteon.ensemble.store import read_json, unwritable, write_json, write_whole
from osteon.errors import InputError, show

if TYPE_CHECKING:
    import pandas as pd

    from osteon.ensemble.result import CohortResult
    from osteon.trial.observe import Observed
    from osteon.trial.people import People
    from osteon.trial.study import Study

KIND = "osteon trial"
STUDY, MANIFEST, RUN, COHORT = "study.yaml", "manifest.json", "run.json", "cohort"
ANALYSIS, TABLE1, REPORT = "analysis.json", "table1.csv", "report.html"
TABLES = ("adsl", "adtte", "adlb")
#: Everything that a trial writes into its folder.
FILES = (STUDY, MANIFEST, RUN, COHORT, ANALYSIS, TABLE1, REPORT, *(f"{one}.parquet" for one in TABLES))


@dataclass(frozen=True)
class TrialRun:
    """A trial that was simulated and analysed.

    Attributes
    ----------
    study : Study
        With the number of patients and the seed that were used.
    folder : Path or None
        Where it is written; None if it is in memory.
    manifest : mapping
        Versions, seed and hashes of what went in and of the files that came out.
    analysis : mapping
        What the analysis found, as plain values, with ``flow`` (counts from screening to analysis), ``visits`` (means
        at the visits), ``failures`` and ``assumed``.
    """

    study: Study
    folder: Path | None
    manifest: Mapping[str, Any]
    analysis: Mapping[str, Any]
    _result: CohortResult | None = field(default=None, repr=False, compare=False)
    _people: People | None = field(default=None, repr=False, compare=False)
    _observed: Observed | None = field(default=None, repr=False, compare=False)
    _tables: Mapping[str, pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def result(self) -> CohortResult:
        """The simulated cohort: every patient under every arm."""
        if self._result is not None or self.folder is None:
            return self._result  # type: ignore[return-value]  # one of the two is always there
        from osteon.ensemble.result import CohortResult

        return CohortResult.open(self.folder / COHORT)

    @cached_property
    def people(self) -> People:
        """Who was enrolled; of a folder it is drawn again, which gives the same people."""
        if self._people is not None:
            return self._people
        from osteon.trial.people import enrol

        return enrol(self.study)

    @cached_property
    def observed(self) -> Observed:
        """What was seen of every patient under every arm; of a folder it is observed again, with the same outcome."""
        if self._observed is not None:
            return self._observed
        from osteon.trial.observe import observe

        return observe(self.study, self.people, self.result)

    def table(self, name: str) -> pd.DataFrame:
        """Return one of the tables ``adsl``, ``adtte`` and ``adlb``.

        Raises
        ------
        InputError
            There is no such table, or the folder lacks it.
        """
        if name not in TABLES:
            hint = f"choose one of {', '.join(TABLES)}"
            raise InputError(f"{show(name)} is no table of a trial", path="table", value=name, hint=hint)
        if name in self._tables or self.folder is None:
            return self._tables[name]
        import pandas as pd

        path = self.folder / f"{name}.parquet"
        if not path.exists():
            raise InputError(f"{path.name} is missing", path=str(self.folder), value=str(path))
        return pd.read_parquet(path)

    @property
    def failed(self) -> int:
        """Number of patients of whom some arm could not be solved."""
        return int(self.analysis["flow"]["failed"])


def open_trial(folder: str | Path) -> TrialRun:
    """Open the folder of a trial, wherever it was moved to.

    Parameters
    ----------
    folder : str or Path
        What ``out`` (``--out``) named.

    Raises
    ------
    InputError
        It holds no trial, one that was not finished, or a damaged one.
    """
    from osteon.trial.study import Study

    folder = Path(folder)
    manifest = manifest_of(folder)
    if manifest is None:
        raise InputError(f"{folder} holds no trial", path="folder", value=str(folder))
    if "files" not in manifest or not (folder / ANALYSIS).exists():
        hint = f"finish it with osteon trial {folder / STUDY} --out {folder} --resume"
        raise InputError(f"the trial in {folder} is not finished", path="folder", value=str(folder), hint=hint)
    return TrialRun(Study.read(folder / STUDY), folder, manifest, read_json(folder / ANALYSIS))


def manifest_of(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of the trial that a folder holds, None where there is none."""
    if not (folder / MANIFEST).exists():
        return None
    found = read_json(folder / MANIFEST)
    return found if isinstance(found, dict) and found.get("kind") == KIND else None


def held(folder: Path, wanted: Mapping[str, Any], resume: bool) -> bool:
    """Return whether the folder holds the trial that is wanted, so that it can be gone on with.

    Raises
    ------
    InputError
        It holds a trial and `resume` is false, holds another one, or files of something else.
    """
    try:
        there = [name for name in FILES if (folder / name).exists()]
    except OSError as error:
        raise unwritable(folder, error) from error
    if not there:
        return False
    found = manifest_of(folder)
    if found is None:
        message = f'{folder} holds "{there[0]}" of something else, which would be written over'
        raise InputError(message, path="--out", value=str(folder), hint="name another folder")
    if not resume:
        hint = "go on with --resume (resume=True), or name another folder"
        raise InputError(f"{folder} already holds a trial", path="--out", value=str(folder), hint=hint)
    for name, value in wanted.items():
        if found.get(name) != value:
            message = f"{folder} holds another trial: its {name} is {_short(found.get(name))}, and here it is"
            hint = "give the same study, settings and versions, or name another folder"
            raise InputError(f"{message} {_short(value)}", path="--resume", value=str(folder), hint=hint)
    return True


def begin(folder: Path, study: Study, manifest: Mapping[str, Any]) -> None:
    """Write what says which trial the folder is of; the manifest first, so that all else is known to be ours."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / MANIFEST, dict(manifest))
        write_study(folder / STUDY, study)
    except OSError as error:
        raise unwritable(folder, error) from error


def write_study(path: Path, study: Study) -> None:
    """Write a study as YAML that needs no other file and is read back the same."""
    import yaml

    text = yaml.safe_dump(study.to_dict(), sort_keys=False, allow_unicode=True, width=110)
    write_whole(path, text)


def hashes(folder: Path, names: tuple[str, ...]) -> dict[str, str]:
    """Return the SHA-256 of files of a folder by name; those that are not there are left out."""
    found = {}
    for name in names:
        path = folder / name
        if path.exists():
            with path.open("rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def _short(value: Any) -> str:
    text = show(value) if not isinstance(value, Mapping) else ", ".join(f"{k} {v}" for k, v in value.items())
    return text if len(text) <= 120 else f"{text[:117]}..."

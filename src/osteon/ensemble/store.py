"""A run folder: series as Zarr, endpoints and patients as Parquet, written chunk by chunk and resumed.

A chunk is done when its part of the endpoints is there; that part is written last and moved into place whole. All but
``run.json`` depends on the cohort and the settings alone, so that a resumed run writes the same bits.
"""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.course import about
from osteon.ensemble.labels import of_coordinates, of_dataset
from osteon.errors import InputError, show

if TYPE_CHECKING:
    from osteon.ensemble.chunk import Chunk
    from osteon.ensemble.plan import Plan

SERIES, ENDPOINTS, PATIENTS = "series.zarr", "endpoints", "patients"
COHORT, MANIFEST, RUN = "cohort.json", "manifest.json", "run.json"
_LEVEL = 3  # of zstd: a third smaller than level 1 is not worth a slower run
_LABELS_A_CHUNK = 1_000_000


class RunFolder:
    """The folder of a run, open for writing by this process alone.

    Parameters
    ----------
    folder : Path
        Made if missing.
    plan : Plan
        What is to be computed.
    resume : bool
        Go on with what the folder holds; a folder without a run is begun.

    Raises
    ------
    InputError
        The folder holds a run and `resume` is false, holds another run than `plan`, is in use, or cannot be written.
    """

    def __init__(self, folder: Path, plan: Plan, resume: bool = False) -> None:
        self.folder, self.plan = folder, plan
        self._lock: int | None = None
        held = held_by(folder, resume)
        if held is not None:
            _check_same(folder, held, plan.manifest())
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(folder)
            self._begin(new=held is None)
        except OSError as error:
            self.close()
            raise unwritable(folder, error) from error

    def _begin(self, new: bool) -> None:
        """Write what describes the run; the manifest first, so that whatever else is here is known to be ours."""
        if new:
            write_json(self.folder / MANIFEST, self.plan.manifest())
        write_json(self.folder / COHORT, self.plan.cohort.to_dict(), indent=None)
        for name in (ENDPOINTS, PATIENTS):
            (self.folder / name).mkdir(exist_ok=True)
        for left in (*self.folder.glob("*/.*.tmp"), *self.folder.glob(".*.tmp")):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        if not (self.folder / SERIES).exists():
            staged = self.folder / f".{SERIES}.tmp"
            _write_skeleton(staged, self.plan)
            staged.replace(self.folder / SERIES)
        for left in (self.folder / SERIES).rglob("*.partial"):
            left.unlink()

    def done(self) -> set[int]:
        """Return the first patient of every chunk that is done."""
        return {lo for lo, _ in self.plan.ranges() if self._part(ENDPOINTS, lo).exists()}

    def failed(self) -> int:
        """Return the number of patients that failed in the chunks that are done."""
        import pyarrow.parquet as pq

        parts = (pq.read_table(self._part(ENDPOINTS, lo), columns=["patient", "failure"]) for lo in self.done())
        return sum(count_failed(part["patient"].to_numpy(), part["failure"].to_numpy()) for part in parts)

    def write(self, chunk: Chunk) -> None:
        """Write one chunk; after it returns, the chunk is done.

        Raises
        ------
        InputError
            The folder cannot be written, for example because the disk is full.
        """
        try:
            for name, array in self._series.items():
                array[:, chunk.lo : chunk.hi, :] = chunk.series[name]
            write_table(self._part(PATIENTS, chunk.lo), chunk.patients)
            write_table(self._part(ENDPOINTS, chunk.lo), chunk.table)
        except OSError as error:
            raise unwritable(self.folder, error) from error

    @cached_property
    def _series(self) -> dict[str, Any]:
        import zarr

        group = zarr.open_group(self.folder / SERIES, mode="r+", use_consolidated=False)
        return {name: group[name] for name in self.plan.settings.series}

    def note(self, facts: Mapping[str, Any]) -> None:
        """Write ``run.json``: what is not part of the result."""
        try:
            write_json(self.folder / RUN, facts)
        except OSError as error:
            raise unwritable(self.folder, error) from error

    def close(self) -> None:
        """Let other processes have the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _part(self, kind: str, lo: int) -> Path:
        width = max(5, len(str((self.plan.cohort.size - 1) // self.plan.chunk)))
        return self.folder / kind / f"part-{lo // self.plan.chunk:0{width}}.parquet"


def arrow_table(columns: Mapping[str, Any]) -> Any:
    """Columns as an Arrow table whose types depend on the kind of a column alone, never on its values."""
    import pyarrow as pa

    kinds = {"b": pa.bool_(), "i": pa.int64(), "u": pa.int64(), "f": pa.float64()}
    arrays = {}
    for name, values in columns.items():
        values = np.asarray(values)
        kind = kinds.get(values.dtype.kind)
        arrays[name] = pa.array(values, kind) if kind is not None else pa.array(values.tolist(), pa.string())
    return pa.table(arrays)


def write_table(path: Path, columns: Mapping[str, Any]) -> None:
    """Write columns as Parquet, whole or not at all."""
    import pyarrow.parquet as pq

    staged = path.with_name(f".{path.name}.tmp")
    pq.write_table(arrow_table(columns), staged, compression="zstd", compression_level=_LEVEL, version="2.6")
    staged.replace(path)


def write_json(path: Path, value: Any, indent: int | None = 2) -> None:
    """Write one JSON file, whole or not at all."""
    write_whole(path, json.dumps(value, indent=indent, ensure_ascii=False) + "\n")


def write_whole(path: Path, content: str | bytes) -> None:
    """Write one file, text as UTF-8, whole or not at all."""
    staged = path.with_name(f".{path.name}.tmp")
    try:
        staged.write_bytes(content.encode() if isinstance(content, str) else content)
        staged.replace(path)
    finally:
        staged.unlink(missing_ok=True)


def read_json(path: Path) -> Any:
    """Read a JSON file of a run folder.

    Raises
    ------
    InputError
        It is missing or damaged.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"{path.name} cannot be read ({why})", path=str(path.parent), value=str(path)) from error
    except ValueError as error:
        raise InputError(f"{path.name} is damaged ({error})", path=str(path.parent), value=str(path)) from error


def count_failed(patients: np.ndarray, failure: Any) -> int:
    """Number of patients of whom some arm failed."""
    return len(np.unique(np.asarray(patients)[np.asarray(failure, dtype=object) != ""]))


def unwritable(folder: Path, error: OSError) -> InputError:
    """Say why a folder cannot be written."""
    why = error.strerror or str(error)
    message = f"{folder} cannot be written ({why})"
    return InputError(message, path="--out", value=str(folder), hint="name a folder of your own with room in it")


def _write_skeleton(path: Path, plan: Plan) -> None:
    """Write the Zarr group with its labels and without any series."""
    import zarr
    from zarr.codecs import ZstdCodec

    cohort, settings = plan.cohort, plan.settings
    group = zarr.create_group(path, zarr_format=3, attributes=of_dataset(cohort))
    dimensions = of_coordinates()
    labels = (np.array(cohort.arms, dtype=np.dtypes.StringDType()), np.arange(cohort.size), plan.time)
    for (name, attributes), values in zip(dimensions.items(), labels, strict=True):
        chunks = (min(len(values), _LABELS_A_CHUNK),)
        group.create_array(name, data=values, chunks=chunks, dimension_names=(name,), attributes=attributes)
    for name in settings.series:
        group.create_array(
            name,
            shape=(len(cohort.arms), cohort.size, len(plan.time)),
            chunks=(1, plan.chunk, len(plan.time)),
            dtype="float32",
            fill_value=float("nan"),
            compressors=ZstdCodec(level=_LEVEL),
            dimension_names=tuple(dimensions),
            attributes=about(name, cohort.scenario.patient.species),
        )
    with warnings.catch_warnings():
        # Zarr warns that other readers may pass over consolidated metadata; xarray warns where it is missing.
        warnings.filterwarnings("ignore", message=".*[Cc]onsolidated metadata")
        zarr.consolidate_metadata(path)


def held_by(folder: Path, resume: bool) -> dict[str, Any] | None:
    """Return the manifest of the run that a folder holds, or None where one can be begun.

    Raises
    ------
    InputError
        It holds a run and `resume` is false, or files of something else.
    """
    try:
        there = [name for name in (MANIFEST, SERIES, ENDPOINTS, PATIENTS, COHORT) if (folder / name).exists()]
    except OSError as error:
        raise unwritable(folder, error) from error
    if not there:
        return None
    if MANIFEST not in there:
        message = f'{folder} holds "{there[0]}" of something else, which would be written over'
        raise InputError(message, path="--out", value=str(folder), hint="name another folder")
    if not resume:
        hint = "go on with --resume (resume=True), or name another folder"
        raise InputError(f"{folder} already holds a run", path="--out", value=str(folder), hint=hint)
    found = read_json(folder / MANIFEST)
    return found if isinstance(found, dict) else {}


def _check_same(folder: Path, held: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse to go on with another run, naming the first field that differs."""
    # As JSON has them, so that a tuple equals the list it was written as.
    differing = _difference(held, json.loads(json.dumps(wanted)))
    if differing:
        field, before, now = differing
        message = f"{folder} holds another run: its {field} is {show(before)}, and here it is {show(now)}"
        hint = "give the same cohort, settings and versions, or name another folder"
        raise InputError(message, path="--resume", value=str(folder), hint=hint)


def _difference(held: Any, wanted: Any, path: str = "") -> tuple[str, Any, Any] | None:
    if isinstance(held, dict) and isinstance(wanted, dict):
        for key in {**wanted, **held}:
            found = _difference(held.get(key), wanted.get(key), f"{path}.{key}".lstrip("."))
            if found:
                return found
        return None
    if held == wanted:
        return None
    short = [", ".join(map(str, one)) if isinstance(one, list) else one for one in (held, wanted)]
    return path, short[0], short[1]


def _locked(folder: Path) -> int | None:
    """Hold the folder against a second run, where the system can; a killed process lets go by itself."""
    try:
        import fcntl
    except ImportError:
        return None
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        message = f"{folder} is in use by another run"
        raise InputError(message, path="--out", value=str(folder), hint="wait for it to end") from None
    except OSError:
        # Some network file systems have no locks.
        os.close(lock)
        return None
    return lock

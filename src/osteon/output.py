"""Writing a course to a folder: open formats, each file whole or not there at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osteon.errors import InputError

if TYPE_CHECKING:
    from osteon.course import Course
    from osteon.sensitivity import Sensitivities


def save(
    course: Course,
    folder: str | Path,
    lang: str = "en",
    sensitivities: Sensitivities | None = None,
    top: int = 20,
) -> dict[str, Path]:
    """Write a course as files other tools read.

    Parameters
    ----------
    course : Course
        What to write.
    folder : str or Path
        Made if missing; files of an earlier run are replaced.
    lang : {"en", "zh"}
        Language of the report.
    sensitivities : Sensitivities, optional
        Local sensitivities of the same scenario, as a section of the report and files of their own.
    top : int
        Parameters the report shows for an endpoint, at most.

    Returns
    -------
    dict of str to Path
        ``report.html``, ``course.nc`` (and ``course_<member>.nc`` for further ensemble members; ranges over draws are
        its group ``bands``),
        ``endpoints.csv``, ``endpoints.parquet``, ``scenario.json``, ``manifest.json``; with sensitivities also
        ``sensitivity.nc``, ``sensitivity.csv``, ``sensitivity.parquet``.

    Raises
    ------
    InputError
        The folder cannot be written; nothing is left behind.
    """
    folder = Path(folder)
    check_writable(folder)
    writers = _writers(course, lang, sensitivities, top)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".osteon-", dir=folder))
        try:
            for name, write in writers.items():
                write(staging / name)
            for name in writers:
                (staging / name).replace(folder / name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return {name: folder / name for name in writers}


def check_writable(folder: str | Path) -> None:
    """Refuse a folder that cannot be made or written, before any work is done.

    Raises
    ------
    InputError
        Says why.
    """
    folder = Path(folder)
    try:
        there = next((parent for parent in (folder, *folder.absolute().parents) if parent.exists()), folder)
        if not there.is_dir():
            raise InputError(f"{there} is a file, and a folder is needed", path="--out", value=str(folder))
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise _unwritable(folder, error) from error


def write_text(path: str | Path, text: str) -> None:
    """Write one text file, whole or not at all.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    path = Path(path)
    if not path.name or path.is_dir():
        raise InputError(f"{path} is a folder, and a file is needed", path="--out", value=str(path))
    check_writable(path.parent)
    staged = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        staged.write_text(text, encoding="utf-8")
        staged.replace(path)
    except OSError as error:
        staged.unlink(missing_ok=True)
        raise _unwritable(path, error) from error


def _unwritable(folder: Path, error: OSError) -> InputError:
    why = error.strerror or str(error)
    return InputError(
        f"{folder} cannot be written ({why})", path="--out", value=str(folder), hint="name a folder of your own"
    )


def _writers(
    course: Course, lang: str, sensitivities: Sensitivities | None, top: int
) -> dict[str, Callable[[Path], Any]]:
    from osteon.report import render

    html = render(course, lang, sensitivities, top)
    table = course.endpoints()
    created = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = {**course.manifest, "created": created, "failures": dict(course.failures)}
    first, *others = course.members
    further = {}
    if sensitivities is not None:
        manifest["sensitivities"] = {**sensitivities.manifest, "failed": sensitivities.failed}
        further = _sensitivity_writers(sensitivities)
    return {
        "course.nc": _netcdf(course.data, first, course.bands),
        **{f"course_{member}.nc": _netcdf(course.members[member], member) for member in others},
        "endpoints.csv": lambda path: table.to_csv(path, index=False),
        "endpoints.parquet": lambda path: table.to_parquet(path, index=False),
        "scenario.json": _text(course.scenario.to_json() + "\n"),
        "manifest.json": _text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"),
        **further,
        "report.html": _text(html),
    }


def _sensitivity_writers(found: Sensitivities) -> dict[str, Callable[[Path], Any]]:
    return {
        "sensitivity.nc": lambda path: found.curves.to_netcdf(path, engine="netcdf4"),
        "sensitivity.csv": lambda path: found.table.to_csv(path, index=False),
        "sensitivity.parquet": lambda path: found.table.to_parquet(path, index=False),
    }


def _netcdf(dataset: Any, member: str, bands: Any = None) -> Callable[[Path], Any]:
    def write(path: Path) -> None:
        dataset.assign_attrs(member=member).to_netcdf(path, engine="netcdf4")
        if bands is not None:
            packed = {name: {"zlib": True} for name in bands.data_vars}
            bands.to_netcdf(path, mode="a", group="bands", engine="netcdf4", encoding=packed)

    return write


def _text(text: str) -> Callable[[Path], Any]:
    return lambda path: path.write_text(text, encoding="utf-8")

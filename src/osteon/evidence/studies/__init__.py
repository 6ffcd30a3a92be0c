"""The published studies, one file each: adding a study is adding a file to this folder."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from pydantic import ValidationError

from osteon.errors import InputError, near_match, show
from osteon.evidence.studies.rows import TableRow, places, rows_of
from osteon.evidence.studies.schema import ENGINES, Published, Reference, Result, Rows, Simulated, Study, Text
from osteon.scenario.base import to_input_error
from osteon.scenario.read import load, read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ENGINES",
    "FOLDER",
    "Published",
    "Reference",
    "Result",
    "Rows",
    "Simulated",
    "Study",
    "TableRow",
    "Text",
    "places",
    "read_study",
    "rows_of",
    "studies",
    "study",
]

FOLDER = Path(__file__).parent


def read_study(path: str | Path) -> Study:
    """Return the study of a file.

    Parameters
    ----------
    path : str or Path
        YAML, named after the key of the study.

    Raises
    ------
    InputError
        The file or anything in it is refused; file and field are named.
    """
    path = Path(path)
    tree = load(read_text(path), ".yaml", str(path))
    try:
        found = Study.model_validate(tree)
    except ValidationError as error:
        fault = to_input_error(error)
        raise fault.at(f"{path.name}, {fault.path}") from None
    if found.key != path.stem:
        raise InputError(f"{show(found.key)} is not the name of the file", path=f"{path.name}, key", value=found.key)
    for place, result in enumerate(found.results):
        if not rows_of(result):
            raise InputError("no row of the table fits", path=f"{path.name}, results[{place}].rows")
    return found


@lru_cache(maxsize=4)
def studies(folder: Path = FOLDER) -> Mapping[str, Study]:
    """Return every study by key, in the order of the keys.

    Parameters
    ----------
    folder : Path
        Folder with the files; the shipped ones by default.

    Raises
    ------
    InputError
        A file is refused, or two of them hold one row of a table.
    """
    found = {path.stem: read_study(path) for path in sorted(folder.glob("*.yaml"))}
    held: dict[tuple[str, int], str] = {}
    for key, one in found.items():
        for result in one.results:
            for row in rows_of(result):
                if row.line and (row.table, row.line) in held:
                    message = f"is held by {held[row.table, row.line]} already"
                    raise InputError(message, path=f"{key}.yaml, {result.id}: {row.table}, row {row.line}")
                held[row.table, row.line] = f"{key}.yaml, {result.id}"
    return MappingProxyType(found)


def study(key: str) -> Study:
    """Return a study; raises `InputError` for an unknown key."""
    known = studies()
    if key not in known:
        message = f"{show(key)} is not a study"
        hint = near_match(key, known) or f"there are {len(known)}, for example {', '.join(list(known)[:3])}"
        raise InputError(message, path="study", value=key, hint=hint)
    return known[key]

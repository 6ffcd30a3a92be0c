"""Writing a calculation of power to a folder: one document, one table, pictures and the page."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from osteon.ensemble.store import unwritable, write_whole
from osteon.report.power_page import render
from osteon.report.power_pictures import pictures

DOCUMENT, TABLE, REPORT = "power.json", "power.csv", "report.html"
_COLUMNS = ("n", "trials", "rejected", "undecided", "share", "low", "high")
_COLUMNS += ("closed_form", "closed_form_t", "estimate", "estimate_low", "estimate_high", "width")


def save(found: Mapping[str, Any], folder: Path, lang: str = "en") -> dict[str, Path]:
    """Write what was found, each file whole or not at all.

    Parameters
    ----------
    found : mapping
        Plain values, as `osteon.trial.power.PowerRun` has them.
    folder : Path
        Made if missing.
    lang : {"en", "zh"}
        Language of the page and the pictures.

    Returns
    -------
    dict of str to Path
        ``power.json``, ``power.csv`` (a row for each step, design and size), ``report.html`` and the pictures.

    Raises
    ------
    InputError
        The folder cannot be written.
    """
    files: dict[str, bytes] = {
        DOCUMENT: (json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
    }
    files[TABLE] = _table(found).encode()
    files |= pictures(found, lang)
    files[REPORT] = render(found, lang).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_whole(folder / name, content)
    except OSError as error:
        raise unwritable(folder, error) from error
    return {name: folder / name for name in files}


def _table(found: Mapping[str, Any]) -> str:
    """Shares of all steps as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["what", "design", *_COLUMNS])
    for what, design, rows in _parts(found):
        writer.writerows([what, design, *(row.get(name) for name in _COLUMNS)] for row in rows)
    return text.getvalue()


def _parts(found: Mapping[str, Any]) -> list[tuple[str, str, list[Mapping[str, Any]]]]:
    parts = [(name, "planned", found[name]) for name in ("power", "null", "assurance") if name in found]
    parts += [("power", one["key"], one["rows"]) for one in found.get("variations", [])]
    for rule, one in (found.get("looks") or {}).items():
        parts += [("power", rule, one["rows"]), ("null", rule, one["null"])]
    return parts

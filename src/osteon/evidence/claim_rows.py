"""Published numbers by reference: the row of a shipped table that a few of its columns name."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, ConfigDict

from osteon.errors import InputError


class PublishedRow(BaseModel):
    """A number of a shipped table: where it is, and what it says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: str
    match: dict[str, str]
    study: str = ""
    doi: str = ""
    value: float = 0.0
    low: float | None = None
    high: float | None = None
    sd: float | None = None
    n: int = 0
    unit: str = ""


def resolved(entry: Any, where: str) -> dict[str, Any]:
    """Entry of a published row, found at `where` of a file, with what its table says.

    Raises
    ------
    InputError
        Not one row of the table matches, or its number is recalled.
    """
    from osteon.evidence import table as skeleton
    from osteon.evidence.healing import table as healing

    if not isinstance(entry, dict) or not {"table", "match"} <= set(entry):
        raise InputError("needs a table and what its row matches", path=where)
    if entry["table"] in healing.COLUMNS:
        every = [dict(row.cells) for row in healing.read(entry["table"])]
    else:
        every = [{key: str(one) for key, one in row.model_dump().items()} for row in skeleton.read(entry["table"])]
    fits = [row for row in every if all(row.get(key, "") == text for key, text in entry["match"].items())]
    if len(fits) != 1:
        raise InputError(f"{len(fits)} rows of {entry['table']} match, and one is needed", path=where)
    row = fits[0]
    if row["how_obtained"] == "recalled":
        raise InputError("the number is recalled, not seen, and may not be used", path=where)
    error = row.get("error", "")
    ends = re.fullmatch(r"\s*(-?[\d.]+)\s*(?:-|to|;)\s*(-?[\d.]+)\s*", error)
    single = re.fullmatch(r"\s*([\d.]+)\s*", error)
    spread = bool(single) and row.get("error_type", "").startswith("SD")
    count = re.match(r"\s*(\d+)", row.get("n", ""))
    doi = re.search(r"10\.\d{4,}/[^\s;,]+", row.get("doi_or_pmid", ""))
    return {
        **entry,
        "study": row["study"],
        "doi": doi[0] if doi else "",
        "value": float(row["value"]),
        "low": float(ends[1]) if ends else None,
        "high": float(ends[2]) if ends else None,
        "sd": float(single[1]) if single and spread else None,
        "n": int(count[1]) if count else 0,
        "unit": row.get("unit", ""),
    }

"""The rows of a run of the evidence as a table other tools read."""

from __future__ import annotations

import csv
import io
from dataclasses import fields
from typing import TYPE_CHECKING

from osteon.replay.outcome import Outcome

if TYPE_CHECKING:
    from osteon.replay.run import Replay

#: What is known of the study of a row.
STUDY = ("title", "species", "drugs", "site", "design", "doi")


def rows_as_csv(found: Replay) -> str:
    """Return a table as CSV text: a row for each published number; a cell is empty where it has no value."""
    names = [field.name for field in fields(Outcome)]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*names, *(f"study_{name}" for name in STUDY)])
    for one in found.outcomes:
        study, plain = found.studies[one.study], one.to_dict()
        about = (study.title.en, study.species, "; ".join(study.drugs), study.site, study.design.en, study.doi)
        writer.writerow([*("" if plain[name] is None else plain[name] for name in names), *about])
    return stream.getvalue()

"""What simulates studies: a module each, and how much work is put into a run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from osteon.replay.outcome import Outcome
from osteon.replay.scoring import unscored

if TYPE_CHECKING:
    from osteon.evidence.studies import Result, Study, TableRow

#: Module of each engine; ``none`` has none.
MODULES = {
    "turnover": "osteon.replay.engines_turnover",
    "label": "osteon.replay.engines_label",
    "animal": "osteon.replay.engines_animal",
    "people": "osteon.replay.engines_people",
    "cohort": "osteon.replay.engines_cohort",
}
QUICK = 4  # times fewer draws for a rough answer

#: Findings of one study for one engine: each with its rows.
Findings = Sequence[tuple["Result", tuple["TableRow", ...]]]


@dataclass(frozen=True)
class Effort:
    """How much is put into a run.

    Attributes
    ----------
    quick : bool
        A rough answer, from a quarter of the draws.
    threads : int
        Threads of the kernel; no result depends on it.
    """

    quick: bool = False
    threads: int = 0

    @property
    def cores(self) -> int:
        """Threads to use."""
        return self.threads or os.cpu_count() or 1

    def fewer(self, draws: int) -> int:
        """Return how many of so many draws are followed."""
        return max(4, draws // QUICK) if self.quick else draws


class Engine(Protocol):
    """A module that simulates studies."""

    def outcomes(self, study: Study, findings: Findings, effort: Effort) -> list[Outcome]:
        """Every row of the findings, compared or with the reason why it is not."""
        ...


def engine(name: str) -> Engine:
    """Return the module of an engine."""
    return import_module(MODULES[name])  # pyright: ignore[reportReturnType]


def by_engine(study: Study) -> Mapping[str, Findings]:
    """Return the findings of a study by what simulates them."""
    from osteon.evidence.studies import rows_of

    found: dict[str, list] = {}
    for result in study.results:
        found.setdefault(study.engine_of(result), []).append((result, rows_of(result)))
    return found


def outcomes_of(study: Study, effort: Effort) -> list[Outcome]:
    """Run one study and return its outcomes, in the order of its file."""
    found: list[Outcome] = []
    for name, findings in by_engine(study).items():
        if name == "none":
            found += [_reasoned(study, result, row) for result, rows in findings for row in rows]
        else:
            found += engine(name).outcomes(study, findings, effort)
    order = {result.id: place for place, result in enumerate(study.results)}
    return sorted(found, key=lambda one: order[one.result])


def _reasoned(study: Study, result: Result, row: TableRow) -> Outcome:
    why = result.reason or study.reason
    assert why is not None
    # One finding can stand for many numbers of a table; its own words then do not tell them apart.
    return unscored(study, result, row, why.en, why.zh, "" if result.endpoint.en == row.endpoint else row.endpoint)

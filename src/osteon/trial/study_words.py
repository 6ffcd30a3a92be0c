"""What a study file may name: endpoints, methods, distributions, traits and life tables, with titles, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from osteon.scenario.catalogue import Entry


@dataclass(frozen=True, slots=True)
class Word(Entry):
    """A name with its titles, and whether it needs a fracture, a fracture of the femoral neck, or people."""

    fracture: bool = False
    hip: bool = False
    people: bool = False


def words(group: str) -> MappingProxyType[str, Word]:
    """Names of a group, such as ``kinds``, ``scores``, ``times``, ``events``, ``methods`` or ``traits``, by key."""
    return _all()[group]


@lru_cache(maxsize=1)
def _all() -> dict[str, MappingProxyType[str, Word]]:
    table = tomllib.loads((Path(__file__).parent / "data" / "words.toml").read_text(encoding="utf-8"))
    return {
        group: MappingProxyType({key: Word(key=key, **row) for key, row in rows.items()})
        for group, rows in table.items()
    }


def schedules() -> MappingProxyType[str, Entry]:
    """Named schedules of visits by key."""
    from osteon.endpoints.visits import SCHEDULES

    return MappingProxyType({key: Entry(key, one.title_en, one.title_zh) for key, one in SCHEDULES.items()})


def rules() -> MappingProxyType[str, Entry]:
    """Definitions of union by key."""
    from osteon.endpoints.union import RULES

    return MappingProxyType({key: Entry(key, one.title_en, one.title_zh) for key, one in RULES.items()})

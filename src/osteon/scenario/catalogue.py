"""What osteon knows by name: species, bones, fixations, routes and drugs, read once from ``catalogue.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from osteon.units import to_internal


@dataclass(frozen=True, slots=True)
class Entry:
    """A name with its titles in English and Chinese."""

    key: str
    title_en: str
    title_zh: str


@dataclass(frozen=True, slots=True)
class Trait:
    """The usual value of a quantity in a species and its plausible range, as bare numbers in `unit`.

    `written` is the usual value and `bounds` the range as people write them.
    """

    written: str
    bounds: tuple[str, str]
    default: float
    low: float
    high: float
    unit: str


@dataclass(frozen=True, slots=True)
class Species(Entry):
    """A species with its usual age [yr], weight [kg] and fracture gap [mm]."""

    rodent: bool
    age: Trait
    weight: Trait
    gap: Trait


@dataclass(frozen=True, slots=True)
class Drug(Entry):
    """A drug: how it is given, and in which species it binds its target (`binds_assumed`: without evidence)."""

    routes: tuple[str, ...]
    usual_route: str
    binds: tuple[str, ...]
    binds_assumed: tuple[str, ...]


def species() -> MappingProxyType[str, Species]:
    """Return the species by key."""
    return _all_species()


def bones() -> MappingProxyType[str, Entry]:
    """Return the bones by key."""
    return _entries("bones")


def fixations() -> MappingProxyType[str, Entry]:
    """Return the fixations by key."""
    return _entries("fixations")


def routes() -> MappingProxyType[str, Entry]:
    """Return every route by key; each drug allows some of them."""
    return _entries("routes")


def sexes() -> MappingProxyType[str, Entry]:
    """Return the sexes by key."""
    return _entries("sexes")


def diabetes() -> MappingProxyType[str, Entry]:
    """Return the kinds of diabetes by key."""
    return _entries("diabetes")


def rankl() -> MappingProxyType[str, Entry]:
    """Return the kinds of RANKL an animal may carry by key."""
    return _entries("rankl")


def drugs() -> MappingProxyType[str, Drug]:
    """Return the drugs by key."""
    return _all_drugs()


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=16)
def _entries(group: str) -> MappingProxyType[str, Entry]:
    return MappingProxyType({key: Entry(key, **titles) for key, titles in _table()[group].items()})


@lru_cache(maxsize=1)
def _all_drugs() -> MappingProxyType[str, Drug]:
    return MappingProxyType(
        {
            key: Drug(
                key=key,
                title_en=row["title_en"],
                title_zh=row["title_zh"],
                routes=tuple(row["routes"]),
                usual_route=row["usual_route"],
                binds=tuple(row["binds"]),
                binds_assumed=tuple(row.get("binds_assumed", ())),
            )
            for key, row in _table()["drugs"].items()
        }
    )


@lru_cache(maxsize=1)
def _all_species() -> MappingProxyType[str, Species]:
    return MappingProxyType(
        {
            key: Species(
                key=key,
                title_en=row["title_en"],
                title_zh=row["title_zh"],
                rodent=row.get("rodent", False),
                age=_trait(row["age"], "yr"),
                weight=_trait(row["weight"], "kg"),
                gap=_trait(row["gap"], "mm"),
            )
            for key, row in _table()["species"].items()
        }
    )


def _trait(row: dict[str, str], unit: str) -> Trait:
    default, low, high = (to_internal(row[name], unit) for name in ("default", "low", "high"))
    return Trait(row["default"], (row["low"], row["high"]), default, low, high, unit)

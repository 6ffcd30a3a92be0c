"""What osteon knows by name: species, bones, fixations, routes, drugs and published parameters, read once."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from osteon.units import to_internal

_PARAMETERS = Path(__file__).parents[1] / "parameters" / "data"
_SELECTABLE = re.compile(r"^selectable\s*=\s*true", re.MULTILINE)
_NO_LIMIT = "1000 mg"


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
    """A drug: how it is given, and in which species it acts.

    Attributes
    ----------
    routes : tuple of str
        Routes it is given by.
    usual_route : str
        Route where none is written.
    binds, binds_assumed : tuple of str
        Species it acts in, and those of them where this is without evidence.
    target : Entry or None
        What it binds in those species; None where species do not differ.
    averaged_over : float or None
        Interval [day] a single dose is spread over; None where each dose is followed by itself.
    protects : float or None
        Usual interval [day], for which a single dose is taken to act; None where the end of the drug brings no rebound.
    weight_scaled : bool
        Whether its pharmacokinetics follow body weight.
    large, largest : float
        Single dose [mg] above which it is noted in people, and above which it is refused.
    """

    routes: tuple[str, ...]
    usual_route: str
    binds: tuple[str, ...]
    binds_assumed: tuple[str, ...]
    target: Entry | None
    averaged_over: float | None
    protects: float | None
    weight_scaled: bool
    large: float
    largest: float


@dataclass(frozen=True, slots=True)
class Published(Entry):
    """A published parameter set and the keys it sets, each ``module.name``."""

    keys: frozenset[str]


def species() -> MappingProxyType[str, Species]:
    """Return the species by key."""
    return _all_species()


def bones() -> MappingProxyType[str, Entry]:
    """Return the bones by key."""
    return _entries("bones")


def fixations() -> MappingProxyType[str, Entry]:
    """Return the fixations by key."""
    return _entries("fixations")


def weight_bearing() -> MappingProxyType[str, Entry]:
    """Return the rules of weight bearing by key; a duration of protection is a rule too."""
    return _entries("weight_bearing")


def compartments() -> MappingProxyType[str, Entry]:
    """Return the ways to divide a callus by the number of compartments, as text."""
    return _entries("compartments")


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


def parameter_sets() -> MappingProxyType[str, Published]:
    """Return the published parameter sets a scenario may name, by key."""
    return _all_sets()


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
                target=Entry(f"{key}_target", **row["target"]) if "target" in row else None,
                averaged_over=to_internal(row["averaged_over"], "day") if "averaged_over" in row else None,
                protects=to_internal(row["protects"], "day") if "protects" in row else None,
                weight_scaled=row.get("weight_scaled", False),
                large=to_internal(row.get("large", _NO_LIMIT), "mg"),
                largest=to_internal(row.get("largest", _NO_LIMIT), "mg"),
            )
            for key, row in _table()["drugs"].items()
        }
    )


@lru_cache(maxsize=1)
def _all_sets() -> MappingProxyType[str, Published]:
    """Read the sets that say so at their top: data beside the package, since names are all that is needed here."""
    found: dict[str, Published] = {}
    for path in sorted(_PARAMETERS.glob("*.toml")):
        text = path.read_text(encoding="utf-8")
        # Most files are not selectable, and parsing them all would slow every start.
        if not _SELECTABLE.search(text):
            continue
        table = tomllib.loads(text)
        keys = {f"{module}.{key}" for module, rows in table.items() if isinstance(rows, dict) for key in rows}
        if table.get("selectable") is True:
            found[path.stem] = Published(path.stem, table["title_en"], table["title_zh"], frozenset(keys))
    return MappingProxyType(found)


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

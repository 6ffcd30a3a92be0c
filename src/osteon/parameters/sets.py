"""Parameter sets: read from TOML, layered, looked up by name.

Layers go default < paper < patient < draw: each `ParameterSet` method returns a new set, so a set never changes
under somebody who holds it.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files

from osteon.errors import ModelError
from osteon.parameters.record import HOWS, How, Record

_DATA = files("osteon.parameters") / "data"


class ParameterSet(Mapping[str, Record]):
    """Immutable mapping from ``module.name`` to `Record`."""

    def __init__(self, records: Mapping[str, Record]) -> None:
        self._records = dict(sorted(records.items()))

    def __getitem__(self, key: str) -> Record:
        try:
            return self._records[key]
        except KeyError:
            near = get_close_matches(key, self._records, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ModelError(f"no parameter named {key}{hint}") from None

    def __contains__(self, key: object) -> bool:
        return key in self._records

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def value(self, key: str) -> float:
        """Value of parameter `key` in its own unit."""
        return self[key].value

    def with_records(self, *records: Record) -> ParameterSet:
        """Add records, replacing those of the same key."""
        return ParameterSet({**self._records, **{record.key: record for record in records}})

    def with_values(
        self, values: Mapping[str, float], *, layer: str, how: How = "assumed", source: str = ""
    ) -> ParameterSet:
        """Replace values of known parameters, noting the layer that did it."""
        return self.with_records(
            *(
                self[key].changed(value, layer=layer, how=how, source=source or self[key].source)
                for key, value in values.items()
            )
        )

    def content_hash(self) -> str:
        """SHA-256 over key, value (17 digits) and unit of every record."""
        text = "\n".join(f"{key} {record.value!r} {record.unit}" for key, record in self._records.items())
        return hashlib.sha256(text.encode()).hexdigest()


@cache
def load_table(name: str) -> dict:
    """Read ``data/<name>.toml`` as plain tables."""
    return tomllib.loads((_DATA / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def load(name: str) -> ParameterSet:
    """Read the parameter set ``data/<name>.toml``.

    Raises
    ------
    ModelError
        A record lacks a field or names an unknown way of obtaining it.
    """
    records: dict[str, Record] = {}
    for module, table in load_table(name).items():
        if not isinstance(table, dict):
            continue
        for key, entry in table.items():
            records[f"{module}.{key}"] = _record(f"{module}.{key}", entry, name)
    return ParameterSet(records)


def layered(*names: str) -> ParameterSet:
    """Load several sets; later ones win."""
    merged: dict[str, Record] = {}
    for name in names:
        merged.update(load(name))
    return ParameterSet(merged)


def available() -> list[str]:
    """Names of the shipped parameter files."""
    return sorted(entry.name.removesuffix(".toml") for entry in _DATA.iterdir() if entry.name.endswith(".toml"))


def _record(key: str, entry: Mapping, name: str) -> Record:
    missing = {"value", "unit", "how", "source", "meaning"} - set(entry)
    if missing:
        raise ModelError(f"parameter {key} in {name}.toml lacks {', '.join(sorted(missing))}")
    if entry["how"] not in HOWS:
        raise ModelError(f"parameter {key} in {name}.toml: how is {entry['how']!r}, allowed are {', '.join(HOWS)}")
    low_high = entry.get("range")
    return Record(
        key=key,
        value=float(entry["value"]),
        unit=entry["unit"],
        how=entry["how"],
        source=entry["source"],
        meaning=entry["meaning"],
        symbol=entry.get("symbol", ""),
        range=(float(low_high[0]), float(low_high[1])) if low_high else None,
        set=name,
    )

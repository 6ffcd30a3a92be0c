"""Draws from a posterior over parameters and structures, of the turnover layer and of the callus.

A structure is a published alternative that the data cannot decide between. Its parameter file
``data/<structure>.toml`` names in `fixes` the parameters that define it; a scenario may select the same file. The
structures of the callus are the members of its ensemble, ``callus_J`` and ``callus_B``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from osteon.errors import InputError
from osteon.parameters.sets import load, load_table

FORMAT = 1  # of the file
#: Structures of the turnover layer, each the name of a parameter file.
STRUCTURES = ("recycling_none", "recycling_half", "recycling_full", "gate_blocking")
#: The posterior that osteon ships; the order of its draws is random over structures.
SHIPPED = Path(__file__).parent / "data" / "posterior" / "turnover.nc"
#: The posterior of the kinetics of the callus in animals that osteon ships, as many draws of each member.
SHIPPED_CALLUS = SHIPPED.with_name("callus.nc")


@dataclass(frozen=True)
class Draws:
    """Draws from a posterior over parameters and structures.

    Attributes
    ----------
    keys : tuple of str
        Parameters.
    values : ndarray
        In each parameter's own unit, shape (draws, keys); NaN where a structure lacks the parameter.
    structures : tuple of str
        Structure of each draw.
    weights : mapping of str to float
        Weight of every structure, also of one too light to have a draw.
    attributes : mapping
        Version, seed, hashes and packages, as the file has them.
    """

    keys: tuple[str, ...]
    values: np.ndarray
    structures: tuple[str, ...]
    weights: Mapping[str, float]
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    def of(self, key: str) -> np.ndarray:
        """Draws of one parameter, shape (draws,)."""
        return self.values[:, self.keys.index(key)]

    def parameters(self, draw: int) -> dict[str, float]:
        """Value of each parameter that the structure of a draw has."""
        pairs = zip(self.keys, self.values[draw].tolist(), strict=True)
        return {key: value for key, value in pairs if not np.isnan(value)}

    def interval(self, key: str, low: float = 0.05, high: float = 0.95) -> tuple[float, float, float]:
        """Lower end, median and upper end of one parameter."""
        ends = np.nanquantile(self.of(key), [low, 0.5, high])
        return float(ends[0]), float(ends[1]), float(ends[2])

    def taken(self, places: Iterable[int]) -> Draws:
        """Some of the draws, in the order of `places`."""
        chosen = list(places)
        return replace(self, values=self.values[chosen], structures=tuple(self.structures[one] for one in chosen))

    def columns(self, usual: Mapping[str, Any], held: Iterable[str] = ()) -> dict[str, np.ndarray]:
        """Value of each parameter that a draw or its structure gives, under every draw.

        Parameters
        ----------
        usual : mapping of str to float or ndarray
            Values by key, numbers or of shape (draws,), for draws that say nothing about a parameter others give.
        held : iterable of str
            Parameters that stay as they are, whatever a draw says.

        Returns
        -------
        dict of str to ndarray
            By key, each of shape (draws,).
        """
        fixed = [fixed_by(structure) for structure in self.structures]
        found: dict[str, np.ndarray] = {}
        for key in sorted({*self.keys, *(key for one in fixed for key in one)} - set(held)):
            drawn = self.of(key) if key in self.keys else np.full(len(self), np.nan)
            given = np.array([one.get(key, np.nan) for one in fixed])
            found[key] = np.where(np.isnan(given), np.where(np.isnan(drawn), usual[key], drawn), given)
        return found

    def content_hash(self) -> str:
        """SHA-256 over parameters, structures and the bits of every value."""
        about = json.dumps([self.keys, self.structures]).encode()
        return hashlib.sha256(about + np.ascontiguousarray(self.values, "<f8").tobytes()).hexdigest()


@lru_cache(maxsize=32)
def fixed_by(structure: str) -> Mapping[str, float]:
    """Value of each parameter that a structure holds fixed, by key."""
    records = load(structure)
    return {key: records[key].value for key in load_table(structure)["fixes"]}


def selected(every: Draws, sets: Iterable[str]) -> tuple[list[int], frozenset[str]]:
    """What sets of parameters leave of a posterior.

    Parameters
    ----------
    every : Draws
        The posterior.
    sets : iterable of str
        Names of parameter files. A structure among them leaves the draws of that structure, if it has any.

    Returns
    -------
    places : list of int
        Draws that are left; none where the other sets give every parameter that is drawn.
    held : frozenset of str
        Parameters that the other sets give, and draws leave alone.
    """
    named = list(sets)
    structure = next((name for name in named if name in STRUCTURES and name in every.structures), None)
    places = [place for place, one in enumerate(every.structures) if structure in (None, one)]
    held = frozenset(key for name in named if name != structure for key in load(name))
    return ([] if held >= set(every.keys) else places), held


def shipped() -> Draws | None:
    """The posterior of the turnover layer that osteon ships, or None."""
    return _at(SHIPPED)


def shipped_callus() -> Draws | None:
    """The posterior of the callus that osteon ships, or None."""
    return _at(SHIPPED_CALLUS)


def _at(path: Path) -> Draws | None:
    try:
        about = path.stat()
    except FileNotFoundError:
        return None
    return _shipped(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=4)
def _shipped(path: Path, *stamp: int) -> Draws:
    return read_draws(path)


def read_draws(path: str | Path) -> Draws:
    """Read the draws of a posterior.

    Raises
    ------
    InputError
        The file is missing, damaged, or of another kind.
    """
    import netCDF4

    path = Path(path)
    try:
        with netCDF4.Dataset(path) as file:
            attributes = {name: _plain(file.getncattr(name)) for name in file.ncattrs()}
            found = file.groups.get("posterior")
            if found is None or attributes.get("format") != FORMAT:
                raise InputError("it is no posterior of this version of osteon", path=str(path), value=str(path))
            names = str(found["structure"].flag_meanings).split()
            structures = tuple(names[int(one)] for one in np.asarray(found["structure"][0]))
            keys = tuple(name for name in found.variables if name not in ("chain", "draw", "structure"))
            values = np.array([np.ma.filled(found[key][0], np.nan) for key in keys], float).T
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"it cannot be read ({why})", path=str(path), value=str(path)) from error
    weights = json.loads(attributes.pop("weights"))
    attributes.pop("format")
    return Draws(keys, values.reshape(len(structures), len(keys)), structures, weights, attributes)


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value

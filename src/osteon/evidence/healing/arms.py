"""The animal arms: which animal, bone and fixation, what is imposed or given, and from which day to which."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from osteon.errors import InputError, near_match, show

if TYPE_CHECKING:
    from osteon.scenario import Scenario


@dataclass(frozen=True, slots=True)
class AnimalArm:
    """One arm of an animal study as osteon simulates it.

    Attributes
    ----------
    key, setting : str
        Its name, and that of the animal, bone and fixation it shares with its control.
    patient, fracture : mapping
        As a scenario writes them.
    impose : mapping of str to float
        Effects imposed from the fracture on: ``free_rankl``, ``bisphosphonate_inhibition`` or ``pth`` [1].
    stop : float or None
        Day on which the imposed effects end [day]; None where they last.
    doses : tuple of mapping
        Doses, as a scenario writes them.
    factors : mapping of str to float
        Factors on parameters, by key.
    how, source : str
        Whether the arm was read or assumed, and from what.
    """

    key: str
    setting: str
    patient: Mapping[str, Any]
    fracture: Mapping[str, Any]
    impose: Mapping[str, float]
    stop: float | None
    doses: tuple[Mapping[str, Any], ...]
    factors: Mapping[str, float]
    how: str
    source: str

    @property
    def species(self) -> str:
        """Species of the animal."""
        return self.patient["species"]

    def imposed_on(self, day: float) -> dict[str, float]:
        """Return the imposed effects of a day [day]; past `stop` they are those of an untreated animal."""
        if self.stop is None or day < self.stop:
            return dict(self.impose)
        return {name: 1.0 if name == "free_rankl" else 0.0 for name in self.impose}

    def scenario(self, horizon: float, seed: int = 1) -> Scenario:
        """Return the arm as a scenario of one arm, without `stop` and `factors`, which a scenario cannot write.

        Parameters
        ----------
        horizon : float
            How long to simulate [day].
        seed : int
            Seed of the scenario.
        """
        from osteon.scenario import Scenario

        arm = {"name": self.key, "doses": [dict(dose) for dose in self.doses]}
        return Scenario.parse(
            {
                "osteon": 1,
                "title": self.key.replace("_", " "),
                "patient": dict(self.patient),
                "fracture": dict(self.fracture),
                "arms": [arm | ({"impose": dict(self.impose)} if self.impose else {})],
                "horizon": f"{horizon:.10g} days",
                "seed": seed,
            }
        )


@lru_cache(maxsize=1)
def animal_arms() -> Mapping[str, AnimalArm]:
    """Return every animal arm by key, pooled arms left out."""
    table = _table()
    return MappingProxyType({key: _arm(key, entry, table["settings"]) for key, entry in table["arms"].items()})


@lru_cache(maxsize=1)
def pooled_arms() -> Mapping[str, tuple[str, ...]]:
    """Return the arms that papers report together: name, and the keys of the arms whose mean it is."""
    return MappingProxyType({key: tuple(parts) for key, parts in _table()["pooled"].items()})


def parts_of(key: str) -> tuple[str, ...]:
    """Return the simulated arms behind a key; raises `InputError` for an unknown one."""
    if key in animal_arms():
        return (key,)
    if key in pooled_arms():
        return pooled_arms()[key]
    known = (*animal_arms(), *pooled_arms())
    raise InputError(f"{show(key)} is not an animal arm", path="arm", value=key, hint=near_match(key, known))


def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("arms.toml").read_text(encoding="utf-8"))


def _arm(key: str, entry: Mapping[str, Any], settings: Mapping[str, Any]) -> AnimalArm:
    setting = settings[entry["setting"]]
    return AnimalArm(
        key=key,
        setting=entry["setting"],
        patient=MappingProxyType({**setting["patient"], **entry.get("patient", {})}),
        fracture=MappingProxyType({**setting["fracture"], **entry.get("fracture", {})}),
        impose=MappingProxyType({name: float(value) for name, value in entry.get("impose", {}).items()}),
        stop=float(entry["stop"]) if "stop" in entry else None,
        doses=tuple(MappingProxyType(dose) for dose in entry.get("doses", ())),
        factors=MappingProxyType(dict(entry.get("factors", {}))),
        how=entry.get("how", setting["how"]),
        source="; ".join(filter(None, (entry.get("source"), setting["source"]))),
    )

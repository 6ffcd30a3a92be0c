"""Which parameters a cohort reads, what is known of each, and which of them are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from osteon.endpoints import mrust
from osteon.errors import InputError, near_match, show
from osteon.model.person import imposed_records, parameters_for
from osteon.model.system import IMPOSED
from osteon.sensitivity.lanes import planned

if TYPE_CHECKING:
    from osteon.parameters import Record
    from osteon.population import Block, Cohort, Group

_SCORED = ("callus_BMD", "cartilage", "mineralised_tissue", "torsional_stiffness", "cortical_union")


def wanted(cohort: Cohort, named: Sequence[str] | None) -> tuple[str, ...]:
    """Parameters to differentiate by.

    Left out, all that some arm reads, for rates, signals, initial states, doses or the score. Conversions of units are
    not among them. Multipliers that are 1 are: they are where age and traits enter, so their slopes say what those do.

    Raises
    ------
    InputError
        One is unknown, a conversion of units, or named twice.
    """
    block = cohort.block(0, cohort.size if cohort.origin == "scenarios" else 1)
    if named is None:
        read = {key for group in block.groups for key in _read(cohort, block, group)}
        return tuple(sorted(key for key in read if _settable(key)))
    if isinstance(named, str) or not isinstance(named, Sequence) or not named:
        raise InputError(f"{show(named)} is not a list of parameters", path="parameters", value=named)
    known = {key for group in block.groups for key in (*group.values, *_imposed(group)) if _settable(key)}
    for place, key in enumerate(named):
        if key not in known:
            hint = near_match(key, known) or "sensitivities without this setting list them all"
            message = f"{show(key)} is not a parameter of these patients"
            raise InputError(message, path=f"parameters[{place}]", value=key, hint=hint)
        if key in named[:place]:
            raise InputError(f"{show(key)} is named twice", path=f"parameters[{place}]", value=key)
    return tuple(named)


class Known:
    """What is known of the parameters of each patient."""

    def __init__(self, cohort: Cohort) -> None:
        self._cohort = cohort
        self._sets: dict[tuple[int, str], Mapping[str, Record]] = {}
        self._listed = () if cohort.table is None else cohort.table.parameters

    def of(self, patient: int, member: str, arm: str, key: str) -> tuple[str, str, str]:
        """Unit of a value, how it was obtained, and its source."""
        record = self.record(patient, member, arm, key)
        if record is None:
            return "", "", ""
        how, source = ("defined", "table of patients") if key in self._listed else (record.how, record.source)
        return record.unit, how, source

    def record(self, patient: int, member: str, arm: str, key: str) -> Record | None:
        """Record of a parameter; none for an effect that the arm does not impose."""
        place = patient if self._cohort.scenarios else 0
        scenario = self._cohort.scenarios[place] if self._cohort.scenarios else self._cohort.scenario
        if key.startswith(f"{IMPOSED}."):
            impose = scenario.arms[self._cohort.arms.index(arm)].impose
            return next((record for record in imposed_records(impose) if record.key == key), None)
        if (place, member) not in self._sets:
            self._sets[place, member] = parameters_for(scenario, member)
        return self._sets[place, member][key]


def _settable(key: str) -> bool:
    return not key.startswith("constants.")


def _imposed(group: Group) -> set[str]:
    """What some arm imposes."""
    found = {key for phases in group.arms.values() for phase in phases for key in phase.parameters}
    return {key for key in found if key.startswith(f"{IMPOSED}.")}


def _read(cohort: Cohort, block: Block, group: Group) -> set[str]:
    found: set[str] = set()
    for arm, phases in group.arms.items():
        for phase, step in zip(phases, planned(cohort, block, group, arm), strict=True):
            found |= {*phase.system.parameter_keys, *phase.system.initial_parameters()}
            found |= {share for _, share in step.doses}
    if group.scenario.fracture is not None:
        noted = _Noted(group.values)
        mrust({name: np.ones(1) for name in _SCORED}, noted, group.scenario.patient.species)
        found |= noted.read
    return found


class _Noted(dict):
    """A mapping that notes what is read of it."""

    def __init__(self, values: Mapping[str, object]) -> None:
        super().__init__({key: np.asarray(value).reshape(-1)[0] for key, value in values.items()})
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> float:
        self.read.add(key)
        return super().__getitem__(key)

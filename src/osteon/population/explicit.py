"""Patients given one by one as scenarios: checked to belong together, and grouped by equal structure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.engine.solve import Phase
from osteon.errors import InputError, show
from osteon.model.person import imposed_records
from osteon.population.block import TRAITS, Block, Group
from osteon.population.plan import Number, Step, narrow, phases_of, steps
from osteon.population.values import Kind, values_of
from osteon.scenario import Scenario

if TYPE_CHECKING:
    from osteon.scenario import Arm


def checked(scenarios: Sequence[Scenario]) -> tuple[Scenario, ...]:
    """Return scenarios that can form a cohort; raises `InputError` that names the first that cannot."""
    if isinstance(scenarios, Scenario | str | Mapping) or not isinstance(scenarios, Sequence):
        raise InputError(f"{show(scenarios)} is not a list of scenarios", path="scenarios")
    if not scenarios:
        raise InputError("holds no scenario, and at least one is needed", path="scenarios")
    for number, scenario in enumerate(scenarios):
        if not isinstance(scenario, Scenario):
            raise InputError(f"{show(scenario)} is not a scenario", path=f"scenarios[{number}]")
    first = scenarios[0]
    names = [arm.name for arm in first.arms]
    for number, scenario in enumerate(scenarios):
        path = f"scenarios[{number}]"
        own = [arm.name for arm in scenario.arms]
        if own != names:
            message = f"has the arms {_listed(own)}, and scenarios[0] has {_listed(names)}"
            raise InputError(message, path=f"{path}.arms", value=own)
        species = scenario.patient.species
        if species != first.patient.species:
            message = f"{show(species)} is not the species of scenarios[0], {show(first.patient.species)}"
            raise InputError(message, path=f"{path}.patient.species", value=species)
        if (scenario.fracture is None) != (first.fracture is None):
            has, other = ("no", "one") if scenario.fracture is None else ("a", "none")
            raise InputError(f"has {has} fracture, and scenarios[0] has {other}", path=f"{path}.fracture")
    return tuple(scenarios)


def explicit_block(scenarios: Sequence[Scenario], member: str, lo: int) -> Block:
    """Block of the patients of `scenarios`, the first of whom has number `lo`."""
    kinds: dict[Kind, int] = {}
    which = np.array([kinds.setdefault(Kind.of(one, member), len(kinds)) for one in scenarios], int)
    age = np.array([one.patient.age for one in scenarios])
    weight = np.array([one.patient.weight for one in scenarios])
    plans = [[steps(one, arm) for arm in one.arms] for one in scenarios]
    alike: dict[Any, list[int]] = {}
    for place, plan in enumerate(plans):
        alike.setdefault(tuple(tuple(step.shape for step in arm) for arm in plan), []).append(place)
    groups = []
    for places in alike.values():
        index = np.array(places)
        values = values_of(list(kinds), which[index], age[index], weight[index])
        own, ours = [scenarios[place] for place in places], [plans[place] for place in places]
        arms = {
            arm.name: _stacked([plan[number] for plan in ours], [one.arms[number] for one in own], values)
            for number, arm in enumerate(own[0].arms)
        }
        end = narrow(np.array([one.horizon for one in own]))
        groups.append(Group(index, own[0], arms, end, values))
    patients = {name: np.array([getattr(one.patient, name) for one in scenarios]) for name in TRAITS[:-1]}
    patients["member"] = np.full(len(scenarios), member)
    return Block(lo, lo + len(scenarios), tuple(groups), patients)


def _stacked(plans: Sequence[list[Step]], arms: Sequence[Arm], values: Mapping[str, Number]) -> list[Phase]:
    """Phases of one arm of many patients from the plans of each, which have the same shape."""
    imposed: dict[str, list[float]] = {}
    for arm in arms:
        for record in imposed_records(arm.impose):
            imposed.setdefault(record.key, []).append(record.value)
    held: Any = {**values, **{key: narrow(np.array(each)) for key, each in imposed.items()}}
    stacked = []
    for same in zip(*plans, strict=True):
        start: Any = narrow(np.array([step.start for step in same]))
        doses = {target: narrow(np.array([step.doses[target] for step in same])) for target in same[0].doses}
        stacked.append(Step(start, same[0].structure, doses))
    return phases_of(stacked, held)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(show(name) for name in names)

"""Endpoints of function of the patients of a group, who may have fractures of several kinds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.endpoints.function import (
    FUNCTION_SERIES,
    Traits,
    function_endpoints,
    function_names,
    function_of,
    traits_of,
)

if TYPE_CHECKING:
    from osteon.endpoints.table import Function
    from osteon.population import Block, Cohort, Group
    from osteon.scenario import Fracture, Patient


def function_of_group(cohort: Cohort, block: Block, group: Group) -> Function | None:
    """What gives the endpoints of function of a group of a block; None for animals and without a fracture.

    Names of the endpoints follow from the cohort and not from the group, so that every chunk has the same.
    """
    patient, fracture = group.scenario.patient, group.scenario.fracture
    if fracture is None or patient.species != "human":
        return None
    age = block.patients["age"][group.index]
    if cohort.origin != "scenarios":
        traits = traits_of(fracture, age)
        if "displaced" in block.patients:
            traits = traits._replace(displaced=block.patients["displaced"][group.index])
        return function_of(patient, fracture, traits)
    fractures = [_fracture(cohort, block.lo + place) for place in group.index]
    bones = {one.fracture.bone for one in cohort.scenarios if one.fracture is not None}
    return partial(_together, fractures=fractures, patient=patient, age=age, names=function_names(bones))


def _fracture(cohort: Cohort, place: int) -> Any:
    return cohort.scenarios[place].fracture


def _together(
    time: np.ndarray,
    series: Mapping[str, np.ndarray],
    *,
    fractures: list[Fracture],
    patient: Patient,
    age: np.ndarray,
    names: tuple[str, ...],
    chronic: float | np.ndarray = 0.0,
) -> dict[str, np.ndarray]:
    """Endpoints of patients with their own fractures, kind by kind: bone and fixation alike."""
    found = {name: np.full(len(fractures), np.nan) for name in names}
    standing = np.broadcast_to(np.asarray(chronic, float), len(fractures))
    kinds: dict[tuple[str, str], list[int]] = {}
    for place, fracture in enumerate(fractures):
        kinds.setdefault((fracture.bone, fracture.fixation), []).append(place)
    for places in kinds.values():
        own = [traits_of(fractures[place], age[place]) for place in places]
        traits = Traits(*(np.array(column) for column in zip(*own, strict=True)))
        curves = {name: series[name][places] for name in FUNCTION_SERIES}
        alike = function_endpoints(time, curves, fractures[places[0]], patient, traits=traits, chronic=standing[places])
        for name, values in alike.items():
            found[name][places] = values
    return found

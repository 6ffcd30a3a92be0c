"""Blocks of patients who share one scenario: virtual ones drawn around its patient, and those of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osteon.population.block import OF_FRACTURE, TRAITS, Block, one_group
from osteon.population.plan import Number, narrow
from osteon.population.posteriors import Posterior
from osteon.population.spread import AGE, WEIGHT, ages, choose, factors, weights
from osteon.population.values import Kind, values_of

if TYPE_CHECKING:
    from osteon.population.cohort import Cohort
    from osteon.population.table import Table


def sampled_block(cohort: Cohort, lo: int, hi: int) -> Block:
    """Patients drawn around the scenario's."""
    scenario, patient = cohort.scenario, cohort.scenario.patient
    age, weight = (draw(cohort.seed, lo, hi, patient, cohort.spread) for draw in (ages, weights))
    which = choose(cohort.seed, lo, hi, "member", len(cohort.members))
    members = np.array(cohort.members)[which]
    kinds = [Kind.of(scenario, member) for member in cohort.members]
    values = values_of(kinds, which, age, weight)
    told = _drawn(cohort, lo, hi, values, members)
    multiplied = _spread(cohort, lo, hi, values)
    patients = {name: np.full(hi - lo, getattr(patient, name)) for name in TRAITS[2:-1]}
    patients = {"age": age, "weight": weight, **patients, "member": members, **told}
    patients |= {f"x {key}": factor for key, factor in multiplied.items()}
    return _block(cohort, lo, hi, values, patients)


def listed_block(cohort: Cohort, table: Table, lo: int, hi: int) -> Block:
    """Patients of the rows of a table; what a column gives is neither drawn nor spread."""
    patient = cohort.scenario.patient
    patients = {name: table.trait(name, lo, hi, patient, cohort.members[0]) for name in TRAITS}
    for name, draw, key in (("age", ages, AGE), ("weight", weights, WEIGHT)):
        if key in cohort.spread:
            patients[name] = draw(cohort.seed, lo, hi, patient, cohort.spread)
    of_fracture = {name: table.columns[name][lo:hi] for name in OF_FRACTURE if name in table.columns}
    kinds, which = _kinds(cohort, {name: patients[name] for name in TRAITS[2:]} | of_fracture)
    values = values_of(kinds, which, patients["age"], patients["weight"])
    given = table.parameters
    usual = {key: np.broadcast_to(np.asarray(values[key], float), (hi - lo,)) for key in given}
    patients |= of_fracture | _drawn(cohort, lo, hi, values, patients["member"], given)
    multiplied = _spread(cohort, lo, hi, values, given)
    patients |= {f"x {key}": factor for key, factor in multiplied.items()}
    for key in given:
        own: Number = table.columns[key][lo:hi]
        patients[f"x {key}"] = np.divide(own, usual[key], out=np.full(own.shape, np.nan), where=usual[key] != 0)
        values[key] = narrow(own)
    return _block(cohort, lo, hi, values, patients)


def _kinds(cohort: Cohort, traits: dict[str, np.ndarray]) -> tuple[list[Kind], np.ndarray]:
    """Kinds of patients that occur, and that of each."""
    kinds: dict[Kind, int] = {}
    found: dict[tuple, int] = {}
    which = np.zeros(len(traits["member"]), int)
    for place, own in enumerate(zip(*(column.tolist() for column in traits.values()), strict=True)):
        if own not in found:
            named = dict(zip(traits, own, strict=True))
            broken = {name: named.pop(name) for name in OF_FRACTURE if name in named}
            kind = Kind.of(cohort.scenario, named.pop("member"), broken, **named)
            found[own] = kinds.setdefault(kind, len(kinds))
        which[place] = found[own]
    return list(kinds), which


def _drawn(
    cohort: Cohort,
    lo: int,
    hi: int,
    values: dict[str, Number],
    members: np.ndarray,
    given: list[str] | None = None,
) -> dict[str, np.ndarray]:
    """Put a draw of the posterior into the values of each patient; return columns that say which."""
    if not cohort.draws:
        return {}
    every = Posterior.of(cohort.scenario, cohort.draws)
    own, told = every.drawn((cohort.seed, lo, hi), cohort.different, values, members, given or ())
    values |= own
    return told


def _spread(
    cohort: Cohort, lo: int, hi: int, values: dict[str, Number], given: list[str] | None = None
) -> dict[str, np.ndarray]:
    """Multiply the values of each patient by factors of its own, and return those."""
    every = factors(cohort.seed, lo, hi, cohort.spread, values)
    multiplied = {key: factor for key, factor in every.items() if key not in (given or ())}
    values |= {key: values[key] * factor for key, factor in multiplied.items()}
    return multiplied


def _block(cohort: Cohort, lo: int, hi: int, values: dict[str, Number], patients: dict[str, np.ndarray]) -> Block:
    group = one_group(cohort, values, narrow(patients["weight"]), lo, hi)
    for arm, given in group.given.items():
        if given.count is not None:
            patients[f"doses_given {arm}"] = given.count
        if given.share is not None:
            patients[f"taken {arm}"] = given.share
    return Block(lo, hi, (group,), patients)

"""A run of patients ready to be solved: parameters as arrays, phases of every arm, and who they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from osteon.engine.one_by_one import one_patient
from osteon.engine.solve import Phase
from osteon.population.plan import Number, phases
from osteon.population.taking import Given, Taking

if TYPE_CHECKING:
    from osteon.population.cohort import Cohort
    from osteon.scenario import Scenario

#: Columns that describe a patient.
TRAITS = ("age", "weight", "sex", "diabetes", "osteoporosis", "smoking", "obesity", "nsaid", "member")
#: Columns of a table that describe the fracture of a patient.
OF_FRACTURE = ("open", "displaced")


@dataclass(frozen=True)
class Group:
    """Patients of a block whose arms have the same sequence of structures.

    Attributes
    ----------
    index : ndarray of int
        Places within the block, ascending, shape (m,).
    scenario : Scenario
        One of the patients', for species, fracture and names of arms.
    arms : mapping of str to list of Phase
        Phases of each arm; start, parameter values and impulses are floats or arrays of shape (m,).
    end : float or ndarray
        Horizon [day].
    values : mapping of str to float or ndarray
        Parameters before an arm imposes an effect.
    given : mapping of str to Given
        What patients took of each arm; empty where all is taken as planned.
    """

    index: np.ndarray
    scenario: Scenario
    arms: Mapping[str, list[Phase]]
    end: Number
    values: Mapping[str, Number]
    given: Mapping[str, Given] = field(default_factory=dict)

    def phases_of(self, arm: str, place: int) -> list[Phase]:
        """Phases of one arm of the patient at `place` within the group, all values plain floats."""
        return one_patient(self.arms[arm], place)


@dataclass(frozen=True)
class Block:
    """Patients `lo` to `hi` of a cohort, the last left out.

    Attributes
    ----------
    groups : tuple of Group
        Every patient is in one of them.
    patients : dict of str to ndarray
        ``age`` [yr], ``weight`` [kg], traits, ``member``, and ``x <parameter>``, the factor on that parameter; with
        draws their numbers ``draw`` and ``callus_draw`` and the ``structure``; where doses are missed, the single doses
        from day zero on, ``doses_given <arm>``, and the share of home drugs, ``taken <arm>``. Each of shape (hi - lo,).
    """

    lo: int
    hi: int
    groups: tuple[Group, ...]
    patients: dict[str, np.ndarray]


def one_group(cohort: Cohort, values: dict[str, Number], weight: Number, lo: int, hi: int) -> Group:
    """Group of the patients `lo` to `hi`, who are all treated as the scenario of the cohort plans."""
    scenario, arms, given = cohort.scenario, {}, {}
    for arm in scenario.arms:
        taking = None
        if cohort.intake is not None:
            taking = Taking(cohort.intake, cohort.seed, lo, hi, arm, scenario.horizon)
        arms[arm.name] = phases(scenario, arm, values, weight, taking)
        if taking is not None and taking.given is not None:
            given[arm.name] = taking.given
    return Group(np.arange(hi - lo), scenario, arms, scenario.horizon, values, given)

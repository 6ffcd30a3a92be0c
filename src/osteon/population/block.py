"""A run of patients ready to be solved: parameters as arrays, phases of every arm, and who they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from osteon.engine.one_by_one import one_patient
from osteon.engine.solve import Phase
from osteon.population.plan import Number, phases

if TYPE_CHECKING:
    from osteon.scenario import Scenario

#: Columns that describe a patient.
TRAITS = ("age", "weight", "sex", "diabetes", "osteoporosis", "smoking", "obesity", "nsaid", "member")


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
    """

    index: np.ndarray
    scenario: Scenario
    arms: Mapping[str, list[Phase]]
    end: Number
    values: Mapping[str, Number]

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
        ``age`` [yr], ``weight`` [kg], traits, ``member``, and ``x <parameter>``, the factor on that parameter; each of
        shape (hi - lo,).
    """

    lo: int
    hi: int
    groups: tuple[Group, ...]
    patients: dict[str, np.ndarray]


def one_group(scenario: Scenario, values: dict[str, Number], weight: Number, patients: int) -> Group:
    """Group of patients who are all treated as the scenario says."""
    arms = {arm.name: phases(scenario, arm, values, weight) for arm in scenario.arms}
    return Group(np.arange(patients), scenario, arms, scenario.horizon, values)

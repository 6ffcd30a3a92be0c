"""Patients made into lanes: eights of one patient, in which two lanes differ in one parameter, up and down.

An eight shares every step, so the difference of two of its lanes is that of one smooth function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.engine.solve import Phase
from osteon.population.block import Group
from osteon.population.plan import Number, Step, steps

if TYPE_CHECKING:
    from osteon.population import Block, Cohort

EIGHT = 8
# Of the steps from 1e-6 to 1e-4 the one nearest to slopes of far finer solutions: curvature above, rounding below.
STEP = 3e-5


@dataclass(frozen=True)
class Layout:
    """Which lanes of a patient differ in which parameter.

    Attributes
    ----------
    keys : tuple of str
        Parameters: the first is higher in lane 0 and lower in lane 1, the next in lanes 2 and 3. At least one lane is
        left over and unchanged.
    """

    keys: tuple[str, ...]

    @property
    def width(self) -> int:
        """Lanes of a patient."""
        return EIGHT * (2 * len(self.keys) // EIGHT + 1)

    def widen(self, value: Number) -> Number:
        """Give every lane of a patient the patient's value; shape (patients,) becomes (patients * width,)."""
        return np.repeat(value, self.width) if isinstance(value, np.ndarray) else value

    def change(self, key: str, value: Number, patients: int) -> tuple[Number, np.ndarray]:
        """Values of a parameter in all lanes, and how far its two lanes are apart.

        Parameters
        ----------
        key : str
            The parameter; one that is not among `keys` stays as it is.
        value : float or ndarray
            Its value, shape (patients,).
        patients : int
            Number of patients.

        Returns
        -------
        values : float or ndarray
            Shape (patients * width,) where lanes differ.
        apart : ndarray
            Shape (patients,).
        """
        if key not in self.keys:
            return self.widen(value), np.zeros(patients)
        own = np.broadcast_to(np.asarray(value, float), (patients,))
        lanes = np.repeat(own[:, None], self.width, axis=1)
        up = 2 * self.keys.index(key)
        # What is 0 is often not allowed below it, so it is raised alone.
        lanes[:, up] = np.where(own == 0, STEP, own * (1 + STEP))
        lanes[:, up + 1] = own * (1 - STEP)
        return lanes.reshape(-1), lanes[:, up] - lanes[:, up + 1]

    def difference(self, found: np.ndarray, patients: int) -> np.ndarray:
        """Upper less lower lane: shape (patients * width, ...) becomes (patients, parameters, ...)."""
        lanes = found.reshape(patients, self.width, *found.shape[1:])
        pairs = 2 * len(self.keys)
        return lanes[:, 0:pairs:2] - lanes[:, 1:pairs:2]

    def unchanged(self, found: np.ndarray, patients: int) -> np.ndarray:
        """The lane without a change: shape (patients * width, ...) becomes (patients, ...)."""
        return found.reshape(patients, self.width, *found.shape[1:])[:, -1]


@dataclass(frozen=True)
class Wide:
    """Patients of a group made into lanes; `k` parameters.

    Attributes
    ----------
    group : Group
        As the engine and the endpoints take it, with each lane for a patient.
    layout : Layout
        Which lane is which.
    values, apart : mapping of str to ndarray
        Of each arm: values of the parameters, NaN where the arm does not have one, and how far the two lanes of each
        are apart, 0 there; shape (patients, k).
    """

    group: Group
    layout: Layout
    values: Mapping[str, np.ndarray]
    apart: Mapping[str, np.ndarray]


def widen(cohort: Cohort, block: Block, group: Group, arms: tuple[str, ...], layout: Layout) -> Wide:
    """Make the patients of a group into lanes.

    Doses stay what they are, also those given per body weight; what is lost on their way follows its parameter.
    """
    patients = len(group.index)
    changed = {key: layout.change(key, value, patients) for key, value in group.values.items()}
    plans, values, apart = {}, {}, {}
    for arm in arms:
        given = group.arms[arm][0].parameters
        # What the arm imposes is not among the values of the group.
        own = changed | {key: layout.change(key, given[key], patients) for key in given if key not in changed}
        held: Any = {key: lanes for key, (lanes, _) in own.items()}
        values[arm] = np.full((patients, len(layout.keys)), np.nan)
        apart[arm] = np.zeros((patients, len(layout.keys)))
        for number, key in enumerate(layout.keys):
            if key in own:
                values[arm][:, number], apart[arm][:, number] = given[key], own[key][1]
        plans[arm] = [
            _phase(layout, phase, step, held)
            for phase, step in zip(group.arms[arm], planned(cohort, block, group, arm), strict=True)
        ]
    lanes = np.arange(patients * layout.width)
    common = {key: lanes for key, (lanes, _) in changed.items()}
    return Wide(Group(lanes, group.scenario, plans, layout.widen(group.end), common), layout, values, apart)


def planned(cohort: Cohort, block: Block, group: Group, arm: str) -> list[Step]:
    """Steps of an arm of a group, with the doses [mg] as they were given, each amount of shape (patients,) or a number.

    A phase holds only what of a dose has arrived, which does not tell what was lost.
    """
    number = cohort.arms.index(arm)
    if cohort.origin != "scenarios":
        return steps(group.scenario, group.scenario.arms[number], block.patients["weight"][group.index])
    own = [cohort.scenarios[block.lo + int(place)] for place in group.index]
    alike = zip(*(steps(one, one.arms[number]) for one in own), strict=True)
    return [
        same[0]._replace(doses={target: np.array([one.doses[target] for one in same]) for target in same[0].doses})
        for same in alike
    ]


def _phase(layout: Layout, phase: Phase, step: Step, held: Any) -> Phase:
    doses = {target: layout.widen(amount) for target, amount in step.doses.items()}
    impulses: Any = step._replace(doses=doses).impulses(held)
    start: Any = layout.widen(phase.start)
    return Phase(start, phase.system, held, impulses)

"""What is solved: one arm over years, monthly outputs of all states, patients that differ in a dozen parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from osteon.engine.solve import Phase
from osteon.model.person import parameters_for
from osteon.population.plan import phases
from osteon.scenario import Scenario

if TYPE_CHECKING:
    from osteon.model.system import System
    from osteon.parameters import ParameterSet

MONTH = 30.4375  # day
YEAR = 12 * MONTH
DOSE_EVERY = 6  # months
SEED = 20_240_917
#: Share of the absolute size of a state below which errors count as absolute, for `relative_error`.
FLOOR = 1e-3
#: Parameters that differ between patients, with their coefficient of variation.
VARIED = {
    "denosumab.cl": 0.25,
    "denosumab.vc": 0.15,
    "denosumab.ka": 0.30,
    "denosumab.r0": 0.25,
    "denosumab.kint": 0.15,
    "denosumab.kss": 0.20,
    "denosumab.weight": 0.15,
    "turnover.regrowth": 0.20,
    "turnover.formation_rate": 0.20,
    "turnover.resorption_exponent": 0.10,
    "callus.progenitor_growth": 0.15,
    "callus.expansion": 0.15,
    "callus.hypertrophy": 0.20,
    "callus.osteoclast_formation": 0.20,
    "callus.bone_resorption": 0.20,
}


@dataclass(frozen=True)
class Patients:
    """Patients by the parameters in which they differ.

    Attributes
    ----------
    values : mapping of str to ndarray, (patients,)
        Parameter values by key, each in its own unit.
    """

    values: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))

    def one(self, number: int) -> dict[str, float]:
        """Parameter values of one patient."""
        return {key: float(column[number]) for key, column in self.values.items()}

    def take(self, lo: int, hi: int) -> Patients:
        """Patients `lo` to `hi` - 1."""
        return Patients({key: column[lo:hi] for key, column in self.values.items()})

    def times(self, copies: int) -> Patients:
        """The same patients several times over."""
        return Patients({key: np.tile(column, copies) for key, column in self.values.items()})


@dataclass(frozen=True, eq=False)
class Workload:
    """A course that every patient goes through.

    Attributes
    ----------
    scenario : Scenario
        One arm; time zero is the fracture, if there is one.
    times : ndarray, (times,)
        Output times [day]: the middle of each month and the last day, so that none falls on a dose, where a state
        has two values.
    """

    scenario: Scenario
    times: np.ndarray

    @property
    def start(self) -> float:
        """First day."""
        return self.scenario.start_day

    @property
    def end(self) -> float:
        """Last day."""
        return self.scenario.horizon

    @cached_property
    def parameters(self) -> ParameterSet:
        """Parameters of the patient around whom the others vary."""
        return parameters_for(self.scenario)

    def phases(self, values: Mapping[str, float | np.ndarray]) -> list[Phase]:
        """Phases of one patient, or of many at once where `values` holds arrays."""
        known = {key: record.value for key, record in self.parameters.items()}
        own = {key: value for key, value in values.items() if key in known}
        return phases(self.scenario, self.scenario.arms[0], known | own)

    @cached_property
    def system(self) -> System:
        """The largest structure, that of the last phase; its states are those of the results."""
        return self.phases({})[-1].system

    @cached_property
    def states(self) -> tuple[str, ...]:
        """Keys of the states, in the order of the results."""
        return tuple(self.system.states)

    @cached_property
    def scale(self) -> np.ndarray:
        """Usual size of each state, (states,)."""
        return np.array([state.scale for state in self.system.states.values()])

    @cached_property
    def present(self) -> np.ndarray:
        """Whether each state is there at each output time, bool (times, states)."""
        held = np.zeros((len(self.times), len(self.states)), bool)
        for phase in self.phases({}):
            held[self.times >= phase.start] = [key in phase.system.states for key in self.states]
        return held

    def empty(self, patients: int) -> np.ndarray:
        """NaN for every result, (patients, times, states)."""
        return np.full((patients, len(self.times), len(self.states)), np.nan)


def workload(years: float = 5, *, fracture: bool = True, doses: int | None = None) -> Workload:
    """The demo patient on 60 mg denosumab every six months.

    Parameters
    ----------
    years : float
        Length of the course.
    fracture : bool
        Whether a bone breaks at three fifths of the course.
    doses : int, optional
        How many doses, spread evenly; one every six months where left out.
    """
    months = round(12 * years)
    before = round(0.6 * months) if fracture else 0
    every = DOSE_EVERY if doses is None else months / max(doses, 1)
    count = math.ceil(months / DOSE_EVERY) if doses is None else doses
    demo = Scenario.preset("metatarsal_on_denosumab").to_dict()
    series = {"drug": "denosumab", "amount": "60 mg", "start": f"{-before * MONTH!r} days"}
    if count > 1:
        series |= {"every": f"{every * MONTH!r} days", "count": count}
    scenario = Scenario.parse(
        {
            "osteon": 1,
            "title": f"{years:g} years on denosumab",
            "patient": demo["patient"],
            "fracture": demo["fracture"] if fracture else None,
            "arms": [{"name": "continue", "doses": [series] if count else []}],
            "horizon": f"{(months - before) * MONTH!r} days",
        }
    )
    middle = scenario.start_day + (np.arange(math.floor((scenario.horizon - scenario.start_day) / MONTH)) + 0.5) * MONTH
    return Workload(scenario, np.append(middle, scenario.horizon))


def draw(count: int, base: Workload, seed: int = SEED) -> Patients:
    """Virtual patients: log-normal about the demo patient, the same first ones whatever the number."""
    normal = np.random.default_rng(seed).standard_normal((count, len(VARIED)))
    values = {}
    for (key, cv), column in zip(VARIED.items(), normal.T, strict=True):
        spread = math.sqrt(math.log1p(cv * cv))
        middle = base.parameters.value(key) if key in base.parameters else 1.0
        values[key] = middle * np.exp(spread * column - 0.5 * spread**2)
    return Patients(values)


def relative_error(found: np.ndarray, reference: np.ndarray, base: Workload) -> np.ndarray:
    """Error of each state where it is present, over its size: ``|found - ref| / (|ref| + 1e-3 scale)``.

    Returns
    -------
    ndarray, (patients,)
        The largest over times and states; infinite where a patient failed.
    """
    size = np.abs(reference) + FLOOR * base.scale
    error = np.where(base.present, np.abs(found - reference) / size, 0.0)
    return np.where(np.isfinite(error), error, np.inf).max(axis=(1, 2))

"""Times to union and to scores of groups of people, for many parameter points at a time.

A few virtual patients of each group differ in strain, blood supply and cells. Clocks differ too, and by a clock a
course is only stretched: so each simulated time stands for a log-normal spread of times (`group_times`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from osteon.endpoints import SEEN, radiograph
from osteon.endpoints.scores import time_to_score
from osteon.engine.ensemble import Solver
from osteon.engine.lanes.making import obtain
from osteon.model.fracture import stimulus_per_strain
from osteon.model.person import MEMBERS, parameters_for
from osteon.parameters import layered, load, load_table
from osteon.population.plan import phases_of, steps
from osteon.population.spread import factor_at, spread_key
from osteon.scenario import Scenario

_STRAIN = "mechanics.initial_stimulus"
#: What virtual patients of a group differ in beside their clock: coefficients of variation are in ``spread.toml``, that
#: of strain in ``strain_spread.toml``.
VARIED = (
    *(_STRAIN, "callus.factor_vessels", "callus.vessel_capacity", "callus.factor_progenitors"),
    *("callus.factor_osteoblasts", "callus.factor_hypertrophy"),
)
TOLERANCE = 1e-4
_LANES = 4000  # patients solved at once; bounds memory
_TRAITS = ("smoking", "open")


@dataclass(frozen=True)
class Group:
    """A group of people with one kind of fracture.

    Attributes
    ----------
    key : str
        Its name.
    patient, fracture : mapping
        As a scenario writes them.
    doses : tuple of mapping
        Doses, as a scenario writes them.
    horizon : float
        How long it is followed [day].
    mix : mapping of str to float
        Share of the group with a trait: one of a patient, or ``open`` for the fracture.
    """

    key: str
    patient: Mapping[str, Any]
    fracture: Mapping[str, Any]
    doses: tuple[Mapping[str, Any], ...] = ()
    horizon: float = 720.0
    mix: Mapping[str, float] = field(default_factory=dict)

    def scenario(self, *traits: str) -> Scenario:
        """Return the group's middle patient as a scenario of one arm, with traits of the mix."""
        arm = {"name": self.key, "doses": [dict(dose) for dose in self.doses]}
        return Scenario.parse(
            {
                "osteon": 1,
                "title": self.key.replace("_", " "),
                "patient": {**self.patient, **{name: True for name in traits if name != "open"}},
                "fracture": {**self.fracture, **({"open": True} if "open" in traits else {})},
                "arms": [arm],
                "horizon": f"{self.horizon:.10g} days",
                "seed": 1,
            }
        )

    def spread_key(self, kind: str) -> str:
        """Which spread of a kind holds for the group; see `osteon.population.spread.spread_key`."""
        return spread_key(kind, self.fracture["bone"], self.fracture["fixation"])


class VirtualPeople:
    """Times to milestones of groups.

    Parameters
    ----------
    groups : sequence of Group
        Who they are.
    milestones : mapping of str to sequence of (str, float)
        By group: curve of the radiograph and whole number that a film has to show.
    member : str
        Member of the ensemble of callus kinetics.
    patients : int
        Virtual patients of a group.
    threads : int
        Threads of the kernel; the result does not depend on it.
    """

    def __init__(
        self,
        groups: Sequence[Group],
        milestones: Mapping[str, Sequence[tuple[str, float]]],
        member: str = "J",
        *,
        patients: int = 16,
        threads: int = 1,
        tolerance: float = TOLERANCE,
    ) -> None:
        self.groups, self.milestones, self.member = tuple(groups), dict(milestones), member
        self.patients, self.threads, self.tolerance = patients, threads, tolerance

    @cached_property
    def _deviates(self) -> dict[str, np.ndarray]:
        """How many standard deviations each virtual patient is from typical, by parameter, shape (patients,)."""
        from scipy.stats import norm

        return dict(zip(VARIED, norm.ppf(self._points[:, : len(VARIED)]).T, strict=True))

    @cached_property
    def _points(self) -> np.ndarray:
        """Evenly spread points, one dimension for each parameter and each trait of a mix, shape (patients, ...)."""
        from scipy.stats import qmc

        points = qmc.Sobol(len(VARIED) + len(_TRAITS), seed=2)  # pyright: ignore[reportCallIssue]
        return points.random(self.patients)

    def _traits(self, group: Group) -> list[tuple[str, ...]]:
        """Traits of each virtual patient; of the share that the mix says, to the nearest patient."""
        found: list[list[str]] = [[] for _ in range(self.patients)]
        for name, share in group.mix.items():
            order = np.argsort(self._points[:, len(VARIED) + _TRAITS.index(name)])
            for place in order[: round(share * self.patients)]:
                found[place].append(name)
        return [tuple(one) for one in found]

    def times(self, values: Mapping[str, np.ndarray]) -> dict[tuple[str, str, float], np.ndarray]:
        """Day of each milestone of each patient at the typical clock.

        Parameters
        ----------
        values : mapping of str to ndarray
            Values by key, as ``people_free.toml`` has them and any parameter beside, each of shape (m,).

        Returns
        -------
        dict
            By group, curve and number, shape (m, patients) [day]; infinite where it is not reached.
        """
        (size,) = {len(one) for one in values.values()}
        most = max(1, _LANES // self.patients)
        found: dict[tuple[str, str, float], list[np.ndarray]] = {}
        for lo in range(0, size, most):
            some = {key: one[lo : lo + most] for key, one in values.items()}
            for group in self.groups:
                for place, day in self._group(group, some).items():
                    found.setdefault((group.key, *place), []).append(day)
        return {place: np.concatenate(parts) for place, parts in found.items()}

    def curves(
        self, values: Mapping[str, np.ndarray], names: Sequence[str], days: np.ndarray
    ) -> dict[tuple[str, str], np.ndarray]:
        """Curves of each patient at the typical clock.

        Parameters
        ----------
        values : mapping of str to ndarray
            As in `times`.
        names : sequence of str
            Public signals.
        days : ndarray
            Ascending, shape (time,) [day].

        Returns
        -------
        dict
            By group and name, shape (m, patients, time); NaN where a patient failed.
        """
        (size,) = {len(one) for one in values.values()}
        most = max(1, _LANES // self.patients)
        found: dict[tuple[str, str], list[np.ndarray]] = {}
        for lo in range(0, size, most):
            some = {key: one[lo : lo + most] for key, one in values.items()}
            for group in self.groups:
                own = self._patients(group, some, min(most, size - lo))
                for name, curve in self._solved(group, own, names, days).items():
                    found.setdefault((group.key, name), []).append(curve.reshape(-1, self.patients, len(days)))
        return {place: np.concatenate(parts) for place, parts in found.items()}

    def _group(self, group: Group, values: Mapping[str, np.ndarray]) -> dict[tuple[str, float], np.ndarray]:
        (size,) = {len(one) for one in values.values()}
        own = self._patients(group, values, size)
        days = np.unique(np.concatenate([np.arange(0.0, 200.0, 2.0), np.arange(200.0, group.horizon + 1.0, 6.0)]))
        curves = self._solved(group, own, SEEN, days)
        scores = radiograph(curves, {key: one for key, one in own.items() if key.startswith("radiograph.")}, "human")
        found = {}
        for curve, level in self.milestones[group.key]:
            day = time_to_score(days, scores[curve], level)
            failed = np.isnan(scores[curve]).any(axis=1)
            found[curve, level] = np.where(failed, np.nan, np.where(np.isnan(day), np.inf, day)).reshape(size, -1)
        return found

    def _solved(
        self, group: Group, own: Mapping[str, Any], names: Sequence[str], days: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Curves by name, each of shape (m * patients, time)."""
        scenario = group.scenario()
        lanes = len(own[VARIED[0]])
        solver = Solver(lanes, days, names, obtain, self.tolerance, threads=self.threads)
        planned = steps(scenario, scenario.arms[0], np.full(lanes, scenario.patient.weight))
        return dict(solver.solve(phases_of(planned, own), float(days[-1])).curves)

    def _patients(self, group: Group, values: Mapping[str, np.ndarray], size: int) -> dict[str, Any]:
        """Parameters of every patient at every point, numbers or of shape (m * patients,)."""
        traits = self._traits(group)
        kinds: dict[tuple[str, ...], dict[str, Any]] = {}
        for kind in dict.fromkeys(traits):
            records = parameters_for(group.scenario(*kind), self.member)
            own: dict[str, Any] = {key: record.value for key, record in records.items()}
            kinds[kind] = own | self._own(group, own, values, "smoking" in kind)
        first = kinds[traits[0]]
        found: dict[str, Any] = {}
        for key in first:
            each = [kinds[kind][key] for kind in traits]
            same = all(isinstance(one, float) and one == each[0] for one in each)
            found[key] = each[0] if same else np.stack([one * np.ones(size) for one in each], axis=1).reshape(-1)
        spread = load("spread")
        for key, z in self._deviates.items():
            if key == _STRAIN:
                factor = np.exp(self._strain_spread(group, values, size)[:, None] * z).reshape(-1)
            else:
                factor = factor_at(key, spread[key].value, np.tile(z, size), found[key])
            found[key] = found[key] * factor
        return found

    @staticmethod
    def _strain_spread(group: Group, values: Mapping[str, np.ndarray], size: int) -> np.ndarray:
        """Standard deviation of the logarithm of strain at each point, shape (m,)."""
        key = group.spread_key("strain_spread")
        return values[key] if key in values else np.full(size, load("strain_spread")[key].value)

    def _own(
        self, group: Group, own: Mapping[str, Any], values: Mapping[str, np.ndarray], smokes: bool
    ) -> dict[str, np.ndarray]:
        """Parameters of a kind of patient that the points change, shape (m,)."""
        bone, fixation = group.fracture["bone"], group.fracture["fixation"]
        # A trait multiplies the value that is drawn, as it does the usual one.
        table, found = load("geometry"), {k: one * self._trait(k, own[k]) for k, one in values.items() if k in own}
        one = np.ones(len(next(iter(values.values()))))

        def value(key: str, usual: float) -> np.ndarray:
            return values.get(key, usual * one)

        table = {**table, **load(f"people_{self.member}")}
        human = value("species_clock.human", table["species_clock.human"].value)
        found["healing.clock"] = human * value(f"bone_clock.{bone}", table[f"bone_clock.{bone}"].value)
        if f"initial_strain.{fixation}" in values:
            found["mechanics.initial_stimulus"] = stimulus_per_strain().value * values[f"initial_strain.{fixation}"]
        hooks = load_table("hooks/patient")
        if (smokes or group.patient.get("smoking")) and "smoking.vessels" in values:
            usual = table["smoking.vessels"].value
            for key in hooks["trait"]["smoking"]["multiply"]:
                found[key] = (found[key] if key in found else own[key]) / usual * values["smoking.vessels"]
        if "age.per_year" in values:
            late = max(0.0, float(str(group.patient["age"]).split()[0]) - hooks["age"]["from_years"])
            usual = 1.0 + hooks["age"]["per_year"] * late
            for key in hooks["age"]["keys"]:
                found[key] = (found[key] if key in found else own[key]) / usual * (1.0 + values["age.per_year"] * late)
        return found

    @cached_property
    def _usual(self) -> Mapping[str, float]:
        """Kinetics of the callus of a person without any trait."""
        usual = {key: record.value for key, record in layered(*MEMBERS[self.member]).items()}
        return usual | {key: one.value for key, one in load(f"people_{self.member}").items() if key in usual}

    def _trait(self, key: str, own: float) -> float:
        usual = self._usual.get(key, 0.0)
        return own / usual if usual else 1.0

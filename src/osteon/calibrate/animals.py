"""Published rows on the callus of animals as the model would give them, for many parameter points at a time.

Every arm is one typical animal. Numbers above zero are compared by their logarithm, so that a ratio and its inverse
weigh the same; a bound from below is turned into one from above by its sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from osteon.calibrate.free import Observed
from osteon.endpoints import SCORES, SEEN, radiograph
from osteon.engine.ensemble import Solver
from osteon.engine.lanes.making import obtain
from osteon.engine.solve import Phase
from osteon.errors import ModelError
from osteon.evidence.healing import AnimalArm, HealingRow, animal_arms, needed_curves, predicted
from osteon.model.person import MEMBERS, imposed_records, parameters_for
from osteon.parameters import layered
from osteon.population.plan import phases_of, steps

TOLERANCE = 1e-4
_LANES = 4000  # animals solved at once; bounds memory
_EVERY = 0.5  # days between points of a curve
_DAYS = ("peak_of_callus", "onset_of_cartilage", "onset_of_ossification", "onset_of_remodelling")
_SCORES = ("union",)
_LEAST = 0.2  # of a value, in which its error is one of its logarithm; above it ends mean little


def is_logarithm(row: HealingRow) -> bool:
    """Whether a row is compared by its logarithm: numbers that cannot be negative and have no scale of their own."""
    return row.quantity not in (*_DAYS, *_SCORES)


def endpoint_of(row: HealingRow) -> str:
    """Name under which the misfit of a row is pooled; what PTH does is apart, or its misfit would hide all others."""
    return f"{row.quantity} under PTH" if animal_arms()[row.arm].impose.get("pth") else row.quantity


def observed_of(rows: Sequence[HealingRow], tau: Mapping[str, float]) -> Observed:
    """Rows as the likelihood wants them.

    Parameters
    ----------
    rows : sequence of HealingRow
        Numbers and bounds, n of them; directions are kept apart.
    tau : mapping of str to float
        Standard deviation of what a study has in common, by quantity.
    """
    if any(row.kind == "sign" for row in rows):
        raise ModelError("directions of an effect are scored and never fitted as numbers")
    value = np.array([_scaled(row, row.value) for row in rows])
    return Observed(
        value=value,
        sd=np.array([row.sd / max(row.value, _LEAST) if is_logarithm(row) else row.sd for row in rows]),
        study=np.array([row.study for row in rows]),
        arm=np.array([row.arm for row in rows]),
        endpoint=np.array([endpoint_of(row) for row in rows]),
        day=np.array([row.day for row in rows]),
        censored=np.array([row.kind in ("at_least", "at_most") for row in rows]),
        tau={endpoint_of(row): tau[row.quantity] for row in rows if row.quantity in tau},
    )


def _scaled(row: HealingRow, value: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.log(value) if is_logarithm(row) else value
    return -scaled if row.kind == "at_least" else scaled


class AnimalTrials:
    """Predicts published rows on the callus of animals.

    Parameters
    ----------
    rows : sequence of HealingRow
        Rows to predict, n of them.
    member : str
        Member of the ensemble whose values hold where a point says nothing.
    threads : int
        Threads of the kernel; the result does not depend on it.
    tolerance : float
        Error allowed per step.
    last : float
        Last day of the curves; where left out, that of the rows [day].
    """

    def __init__(
        self,
        rows: Sequence[HealingRow],
        member: str = "J",
        *,
        threads: int = 1,
        tolerance: float = TOLERANCE,
        last: float | None = None,
    ) -> None:
        self.rows, self.member, self.threads, self.tolerance = tuple(rows), member, threads, tolerance
        self._wanted = needed_curves(self.rows)
        days = [row.day for row in self.rows] + [row.against_day for row in self.rows if row.against_day > 0]
        last = max(days) if last is None else last
        self.time = np.arange(0.0, last + 1.0, _EVERY)

    def predict(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Predicted rows on the scale on which they are compared.

        Parameters
        ----------
        values : mapping of str to ndarray
            Parameter values by key, each of shape (m,).

        Returns
        -------
        ndarray
            Shape (m, n); NaN where an animal failed.
        """
        raw = self.raw(values)
        return np.stack([_scaled(row, raw[:, place]) for place, row in enumerate(self.rows)], axis=1)

    def raw(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Predicted ratios and quantities in their own unit, shape (m, n); see `predict`."""
        (size,) = {len(one) for one in values.values()}
        parts = []
        for lo in range(0, size, _LANES):
            some = {key: one[lo : lo + _LANES] for key, one in values.items()}
            curves = {key: self.curves(animal_arms()[key], names, some) for key, names in self._wanted.items()}
            parts.append(predicted(self.rows, self.time, curves))
        return np.concatenate(parts)

    def curves(self, arm: AnimalArm, names: frozenset[str], values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Curves of one arm by name, each of shape (m, time); `values` as in `predict`."""
        scenario = arm.scenario(float(self.time[-1]))
        own: dict[str, Any] = {key: record.value for key, record in parameters_for(scenario, self.member).items()}
        usual = layered(*MEMBERS[self.member])
        unknown = set(values) - set(own)
        if unknown:
            raise ModelError(f"no parameter named {', '.join(sorted(unknown))}")
        for key, drawn in values.items():
            # A trait of the animal multiplies the value that is fitted, as it does the usual one.
            own[key] = drawn * (own[key] / usual.value(key))
        for key, factor in arm.factors.items():
            own[key] = own[key] * factor
        imposed = imposed_records(scenario.arms[0].impose)
        own |= {record.key: record.value for record in imposed}
        phases = phases_of(steps(scenario, scenario.arms[0]), own)
        if arm.stop is not None:
            untreated = {f"imposed.{name}": value for name, value in _imposed_after(arm).items()}
            phases = [*phases, Phase(arm.stop, phases[-1].system, {**own, **untreated}, {})]
        (size,) = {len(one) for one in values.values()}
        scored = bool(names & set(SCORES))
        wanted = sorted((names - set(SCORES)) | (set(SEEN) if scored else set()))
        solver = Solver(
            size=size, grid=self.time, names=wanted, kernel=obtain, tolerance=self.tolerance, threads=self.threads
        )
        curves = dict(solver.solve(phases, float(self.time[-1])).curves)
        if scored:
            scores = {key: value for key, value in own.items() if key.startswith("radiograph.")}
            curves |= radiograph({name: curves[name] for name in SEEN}, scores, arm.species)
        return {name: curves[name] for name in names}


def _imposed_after(arm: AnimalArm) -> dict[str, float]:
    """Signals that an arm has imposed, as they are in an untreated animal."""
    names = {"free_rankl": ("free_rankl", "callus_free_rankl"), "pth": ("pth",)}
    names["bisphosphonate_inhibition"] = ("bisphosphonate_inhibition", "callus_bisphosphonate_inhibition")
    after = arm.imposed_on(arm.stop if arm.stop is not None else 0.0)
    return {signal: value for name, value in after.items() for signal in names[name]}

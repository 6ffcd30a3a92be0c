"""Published rows as a virtual population would give them: many parameter points at a time, on the compiled kernel.

Every arm is simulated for the same few virtual patients, who differ in body weight and in the kinetics of denosumab as
its sources say. Markers are compared as medians and BMD as means, as trials report them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from osteon.engine.ensemble import Solver
from osteon.engine.lanes.making import obtain
from osteon.errors import ModelError
from osteon.evidence import StudyArm, arms
from osteon.evidence.arms import contrasted
from osteon.model.person import parameters_for
from osteon.parameters import load
from osteon.population.plan import phases_of, steps

if TYPE_CHECKING:
    from osteon.evidence import Observations

#: What virtual patients differ in, beside body weight; their coefficients of variation are in ``spread.toml``.
VARIED = ("cl", "ka", "kint", "kss", "potency", "r0", "vc", "vp")
TOLERANCE = 1e-3
_MEANS = ("BMD_femoral_neck", "BMD_lumbar_spine", "BMD_total_hip")
_LANES = 20_000  # patients solved at once; bounds memory


class VirtualTrials:
    """Predicts published rows.

    Parameters
    ----------
    rows : Observations
        Rows to predict, n of them.
    fixed : mapping of str to float
        Parameter values by key that replace the arm's own, in every call.
    patients : int
        Virtual patients of each arm; 1 is the typical patient without any spread.
    threads : int
        Threads of the kernel; the result does not depend on it.
    tolerance : float
        Error allowed per step.
    """

    def __init__(
        self,
        rows: Observations,
        fixed: Mapping[str, float] | None = None,
        *,
        patients: int = 16,
        threads: int = 1,
        tolerance: float = TOLERANCE,
    ) -> None:
        self.rows, self.fixed, self.patients = rows, dict(fixed or {}), patients
        self.threads, self.tolerance = threads, tolerance
        self._wanted: dict[str, set[str]] = {}
        for row in rows.rows:
            for key in filter(None, (row.arm, row.against)):
                self._wanted.setdefault(key, set()).add(row.curve)

    @cached_property
    def _factors(self) -> dict[str, np.ndarray]:
        """Factor of each virtual patient by parameter, shape (patients,), spread evenly over their distribution."""
        if self.patients == 1:
            return {}
        from scipy.stats import norm, qmc

        spread = load("spread")
        keys = ["denosumab.weight", *(f"denosumab.{name}" for name in VARIED)]
        points = qmc.Sobol(len(keys), seed=1)  # pyright: ignore[reportCallIssue]
        z = norm.ppf(points.random(self.patients))
        found = {}
        for place, key in enumerate(keys):
            cv = spread["patient.weight" if key == "denosumab.weight" else key].value
            found[key] = np.exp(math.sqrt(math.log1p(cv * cv)) * z[:, place])
        # Synthesis of RANKL is common to all, so that more of it means slower degradation.
        found["denosumab.kdeg"] = 1.0 / found["denosumab.r0"]
        return found

    @cached_property
    def _middle(self) -> np.ndarray:
        """Harrell-Davis weights of the median over sorted patients: smoother in the parameters than the middle one."""
        from scipy.stats import beta

        half = 0.5 * (self.patients + 1)
        return np.diff(beta.cdf(np.arange(self.patients + 1) / self.patients, half, half))

    def predict(self, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Predicted rows.

        Parameters
        ----------
        values : mapping of str to ndarray
            Parameter values by key, each of shape (m,).

        Returns
        -------
        ndarray
            Shape (m, n); a point at which any patient failed is NaN in the rows of that arm.
        """
        (size,) = {len(one) for one in values.values()}
        most = max(1, _LANES // self.patients)
        parts = [
            self._some({key: one[lo : lo + most] for key, one in values.items()}, min(most, size - lo))
            for lo in range(0, size, most)
        ]
        return np.concatenate(parts)

    def curves(
        self, arm: StudyArm, days: np.ndarray, names: Sequence[str], values: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Whole curves of one arm, as the trial would report them on each day.

        Parameters
        ----------
        arm : StudyArm
            Whatever it gives; its rows do not matter.
        days : ndarray
            Ascending, shape (days,), with the arm's `baseline_day` where it is re-based [day].
        names : sequence of str
            Curves.
        values : mapping of str to ndarray
            Parameter values by key, each of shape (m,).

        Returns
        -------
        dict of str to ndarray
            By curve, shape (m, days); a point at which any patient failed is NaN.
        """
        (size,) = {len(one) for one in values.values()}
        give = self._arm(arm, np.asarray(days, float), names, values, size)
        return {name: np.column_stack([self._summary(name, give(name, day)) for day in days]) for name in names}

    def _some(self, values: Mapping[str, np.ndarray], size: int) -> np.ndarray:
        out = np.full((size, len(self.rows)), np.nan)
        solved = {
            key: self._arm(arms()[key], self._days(arms()[key]), sorted(names), values, size)
            for key, names in self._wanted.items()
        }
        for place, row in enumerate(self.rows.rows):
            found = self._summary(row.curve, solved[row.arm](row.curve, row.sample_day))
            if row.contrast:
                other = arms()[row.against]
                day = other.sample_day(row.day)
                against = self._summary(row.curve, solved[row.against](row.curve, day))
                found = contrasted(row.contrast, found, against)
            out[:, place] = found
        return out

    def _arm(
        self, arm: StudyArm, days: np.ndarray, names: Sequence[str], values: Mapping[str, np.ndarray], size: int
    ) -> Callable[[str, float], np.ndarray]:
        """Solve one arm; what comes back gives a curve on a day for each point and patient, shape (m, patients)."""
        scenario = arm.scenario()
        own: dict = {key: record.value for key, record in parameters_for(scenario).items()}
        own |= {"endocrine.supplements": 1.0, **self.fixed}
        unknown = set(values) - set(own)
        if unknown:
            raise ModelError(f"no parameter named {', '.join(sorted(unknown))}")
        own |= {key: np.repeat(one, self.patients) for key, one in values.items()}
        for key, factor in self._factors.items():
            own[key] = own[key] * np.tile(factor, size)
        weight = own["denosumab.weight"]
        lanes = size * self.patients
        planned = steps(scenario, scenario.arms[0], np.broadcast_to(weight, (lanes,)))
        solver = Solver(
            size=lanes, grid=days, names=names, kernel=obtain, tolerance=self.tolerance, threads=self.threads
        )
        curves = solver.solve(phases_of(planned, own), float(max(arm.horizon, days[-1]))).curves

        def give(curve: str, day: float) -> np.ndarray:
            found = curves[curve][:, np.searchsorted(days, day)]
            if arm.zero_day is not None:
                found = arm.rebase(found, curves[curve][:, np.searchsorted(days, arm.baseline_day)])
            return found.reshape(size, self.patients)

        return give

    def _days(self, arm: StudyArm) -> np.ndarray:
        days = {row.sample_day for row in self.rows.rows if row.arm == arm.key}
        days |= {arm.sample_day(row.day) for row in self.rows.rows if row.against == arm.key}
        return np.array(sorted(days | ({arm.baseline_day} if arm.zero_day is not None else set())))

    def _summary(self, curve: str, found: np.ndarray) -> np.ndarray:
        """What a trial reports of its patients, shape (m,)."""
        if curve in _MEANS:
            return found.mean(axis=1)
        return np.sort(found, axis=1) @ self._middle

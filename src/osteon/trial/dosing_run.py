"""The regimens simulated for the same virtual patient under the same draws, and what comes of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.course import RESEARCH_ONLY
from osteon.errors import InputError, show
from osteon.model.person import MEMBERS
from osteon.trial.dosing import REGULAR, Candidates
from osteon.trial.dosing_compare import Cell, Front, compare, front, plain
from osteon.trial.dosing_measures import FRONT, MEASURES, SERIES, measures

if TYPE_CHECKING:
    import pandas as pd

    from osteon.ensemble.result import CohortResult
    from osteon.population import Cohort

#: Draws, where nobody says how many.
DRAWS = 40
MOST_DRAWS = 10_000
#: Curves that are shown, with their quantiles over the draws.
SHOWN = ("CTX", "BMD_total_hip", "BMD_lumbar_spine", "cortices_without_line")
_QUANTILES = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Schedule:
    """What comes of each regimen.

    Attributes
    ----------
    candidates : Candidates
    values : mapping of str to ndarray
        By measure, shape (regimens, draws); infinite where a time is not reached, NaN where a draw failed.
    patients : mapping of str to ndarray
        Ensemble member of the callus, and draw and structure where there are draws, shape (draws,).
    time : ndarray
        Days of `curves`, shape (time,).
    curves : mapping of str to ndarray
        5, 50 and 95 % of each curve over the draws, shape (3, regimens, time).
    failures : tuple of mapping
        regimen, draw and reason of what could not be solved.
    drawn : int
        Draws of the posterior that were asked for; 0 where the two members of the callus stand alone.
    manifest : mapping
        Settings, versions, seed and hashes.
    """

    candidates: Candidates
    values: Mapping[str, np.ndarray] = field(repr=False)
    patients: Mapping[str, np.ndarray] = field(repr=False)
    time: np.ndarray = field(repr=False)
    curves: Mapping[str, np.ndarray] = field(repr=False)
    failures: tuple[Mapping[str, Any], ...]
    drawn: int
    manifest: Mapping[str, Any] = field(repr=False)

    @property
    def names(self) -> list[str]:
        """Names of the regimens."""
        return [one.name for one in self.candidates.regimens]

    @property
    def size(self) -> int:
        """Virtual patients: draws, or members of the callus where there are none."""
        return len(next(iter(self.values.values()))[0])

    @cached_property
    def cells(self) -> dict[tuple[str, str], Cell]:
        """By regimen and measure."""
        return {(one.regimen, one.measure): one for one in compare(self.values, self.names, REGULAR)}

    @cached_property
    def front(self) -> Front:
        """The regimens that no other beats."""
        return front(self.values, self.names)

    def table(self) -> pd.DataFrame:
        """One row per regimen and measure: what `Cell` holds, the first dose, and the place on the front."""
        import pandas as pd

        units = {one.name: (one.group, one.unit) for one in MEASURES}
        rows = []
        for cell in self.cells.values():
            one = self.candidates.regimen(cell.regimen)
            group, unit = units[cell.measure]
            dosed = {"drug": one.drug, "first_dose_day": one.day, "doses": one.doses}
            placed = {
                "front_share": self.front.share[one.name],
                "front_at_medians": one.name in self.front.at_medians,
            }
            told = {name: value for name, value in vars(cell).items() if name not in ("regimen", "measure")}
            about = {"regimen": one.name, **dosed, "group": group, "measure": cell.measure, "unit": unit}
            rows.append({**about, **told, **placed})
        return pd.DataFrame(rows)

    def per_draw(self) -> pd.DataFrame:
        """One row per draw and regimen with every measure."""
        import pandas as pd

        names, size = self.names, self.size
        columns: dict[str, Any] = {"draw_number": np.repeat(np.arange(size), len(names))}
        columns |= {name: np.repeat(one, len(names)) for name, one in self.patients.items()}
        columns["regimen"] = np.tile(np.array(names, object), size)
        return pd.DataFrame(columns | {name: one.T.reshape(-1) for name, one in self.values.items()})

    def to_dict(self) -> dict[str, Any]:
        """Return all but single draws as plain values; what is not finite is None."""
        told = self.candidates
        regimens = [{name: plain(value) for name, value in vars(one).items()} for one in told.regimens]
        return {
            "title": told.scenario.title,
            "warning": RESEARCH_ONLY,
            "arm": told.source,
            "drug": told.drug,
            "past_doses": told.past,
            "last_dose_day": told.last,
            "due_day": told.due,
            "interval_days": told.interval,
            "horizon_days": told.scenario.horizon,
            "notes": [{"code": code, **places} for code, places in told.notes],
            "draws": self.drawn,
            "patients": self.size,
            "reference": REGULAR,
            "regimens": regimens,
            "measures": [one._asdict() for one in MEASURES],
            "results": [cell.to_dict() for cell in self.cells.values()],
            "front": self.front.to_dict(),
            "failures": [dict(one) for one in self.failures],
            "scenario": told.scenario.to_dict(),
            "manifest": dict(self.manifest),
        }


def run(
    candidates: Candidates,
    *,
    draws: int = DRAWS,
    seed: int | None = None,
    backend: str = "auto",
    threads: int | None = None,
    on_progress: Callable[[int, int, int], None] | None = None,
) -> Schedule:
    """Simulate every regimen for the same patient under the same draws.

    Parameters
    ----------
    candidates : Candidates
        The regimens.
    draws : int
        Virtual patients that differ in a draw of the posterior and in the member of the callus; 0 for the two members
        of the callus under best values alone.
    seed : int, optional
        Seed of the draws; left out, that of the scenario.
    backend : {"auto", "compiled", "python"}
        What solves the equations.
    threads : int, optional
        Threads of the compiled kernel.
    on_progress : callable, optional
        ``on_progress(done, total, failed)`` in virtual patients.

    Raises
    ------
    InputError
        The number of draws is not allowed, or there is no posterior to draw from.
    """
    from osteon.ensemble.run import simulate_cohort

    who = people(candidates, draws, seed)
    result = simulate_cohort(who, series=SERIES, backend=backend, threads=threads, on_progress=on_progress)
    return of_result(candidates, result, draws)


def people(candidates: Candidates, draws: int, seed: int | None = None) -> Cohort:
    """The scenario's patient under each draw; without draws, with each member of the callus."""
    from osteon.population import Cohort

    if isinstance(draws, bool) or not isinstance(draws, int) or not 0 <= draws <= MOST_DRAWS:
        message = f"{show(draws)} is not a whole number of draws from 0 to {MOST_DRAWS:,}"
        raise InputError(message, path="draws", value=draws)
    if draws == 0:
        return Cohort.from_table(candidates.scenario, {"member": list(MEMBERS)})
    from osteon.population.posteriors import Posterior

    # Each draw once; where more are asked for than there are, they come again.
    different = draws if draws <= len(Posterior.of(candidates.scenario).places) else True
    return Cohort.sample(candidates.scenario, draws, seed=seed, spread="none", draws=different)


def of_result(candidates: Candidates, result: CohortResult, draws: int) -> Schedule:
    """What comes of each regimen, from its simulation as a cohort."""
    size, names = result.cohort.size, list(result.cohort.arms)
    table, who = result.endpoints(), result.patients()

    def column(name: str) -> np.ndarray:
        return table[name].to_numpy().reshape(size, len(names)).T

    why = column("failure").astype(str)
    failed = why != ""
    time = result.series["time"].to_numpy()
    series = {name: result[name].to_numpy() for name in SERIES}
    ends = {name: column(name) for name in ("time_to_union", "lamellar_share_week52")}
    failures = tuple(
        {"regimen": names[arm], "draw": int(draw), "reason": str(why[arm, draw])}
        for arm, draw in zip(*np.nonzero(failed), strict=True)
    )
    return Schedule(
        candidates,
        measures(time, series, ends, failed),
        {name: who[name].to_numpy() for name in ("member", "draw", "structure", "callus_draw") if name in who},
        time,
        {name: _bands(series[name], failed) for name in SHOWN},
        failures,
        draws,
        {**result.manifest, "kind": "osteon schedule", "front": list(FRONT), "draws": draws},
    )


def _bands(curve: np.ndarray, failed: np.ndarray) -> np.ndarray:
    """Quantiles over the draws of each regimen, shape (3, regimens, time); NaN where a point is not there."""
    found = np.full((3, curve.shape[0], curve.shape[2]), np.nan)
    for arm, one in enumerate(curve):
        solved = np.asarray(one[~failed[arm]], float)
        there = ~np.isnan(solved).any(axis=0) if len(solved) else np.zeros(curve.shape[2], bool)
        if there.any():
            found[:, arm, there] = np.quantile(solved[:, there], _QUANTILES, axis=0)
    return found

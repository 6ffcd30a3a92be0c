"""The clock that goes with each draw of the callus, so that a draw does not change how long people take to heal.

The clocks of people, and how far they differ between people, were fitted with the best fit of the callus in animals. A
draw of its kinetics is quicker or slower than that, by about an eighth: with the fitted clock it would add to the
spread of clocks, which has all of the spread of people in it already. So each draw has a factor on the clock, such that
a reference patient without any drug unites on the same day as with the best fit. The factors are shipped beside the
posterior and are solved again by `solved_factors` whenever the posterior or the model changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.errors import InputError
from osteon.model.person import MEMBERS
from osteon.parameters import layered
from osteon.parameters.posterior import SHIPPED, Draws
from osteon.population.plan import phases_of, steps
from osteon.population.values import Kind, typical
from osteon.scenario import Scenario

if TYPE_CHECKING:
    from osteon.engine.lanes.store import LaneKernel
    from osteon.model.system import System

#: Where the shipped factors are.
FACTORS = SHIPPED.with_name("callus_clock.json")
#: The parameter that the factors are on.
CLOCK = "healing.clock"
#: The rule of union whose day is kept, that of ``time_to_union``.
RULE = "mrust"
#: The patient whose day of union is kept.
REFERENCE: Mapping[str, Any] = {
    "osteon": 1,
    "title": "reference of the clock",
    "patient": {"species": "human", "age": "40 yr", "sex": "male"},
    "fracture": {"bone": "tibia", "fixation": "nail"},
    "arms": [{"name": "untreated"}],
    "horizon": "420 days",
}
_ROUNDS = 3  # diffusion in the gap goes by the calendar, so one stretch of the clock is not all


def clock_factors(every: Draws) -> np.ndarray:
    """Shipped factor on the clock of each draw, shape (draws,).

    Raises
    ------
    InputError
        There are none, or they are those of another posterior.
    """
    try:
        about = FACTORS.stat()
    except FileNotFoundError:
        raise InputError("this osteon ships no clocks of its callus posterior", path="draws", value=True) from None
    posterior, factors = _read(FACTORS, about.st_mtime_ns, about.st_size)
    if posterior != every.content_hash():
        message = "the clocks that this osteon ships are those of another posterior of the callus"
        raise InputError(message, path="draws", value=True)
    return factors


@lru_cache(maxsize=2)
def _read(path: Path, *stamp: int) -> tuple[str, np.ndarray]:
    told = json.loads(path.read_text(encoding="utf-8"))
    return told["posterior_sha256"], np.array(told["factors"], float)


def described(every: Draws, factors: np.ndarray) -> dict[str, Any]:
    """What the shipped file holds."""
    return {
        "meaning": "factor on healing.clock of each draw of callus.nc, so that the reference unites on the same day",
        "rule": RULE,
        "reference": dict(REFERENCE),
        "posterior_sha256": every.content_hash(),
        "factors": [float(f"{one:.6g}") for one in factors],
    }


def solved_factors(
    every: Draws,
    places: Iterable[int] | None = None,
    kernel: Callable[[System], LaneKernel] | None = None,
    threads: int = 1,
) -> np.ndarray:
    """Solve for the factor on the clock of draws.

    Parameters
    ----------
    every : Draws
        Of the callus.
    places : iterable of int, optional
        Which draws; left out, all.
    kernel : callable, optional
        Gives the compiled kernel of a system; without it the Python back end solves.
    threads : int
        Threads of the compiled kernel.

    Returns
    -------
    ndarray
        Shape (draws that are asked for,).
    """
    wanted = np.arange(len(every)) if places is None else np.array(list(places), int)
    members = np.array([every.structures[place].removeprefix("callus_") for place in wanted])
    found = np.ones(len(wanted))
    for member in dict.fromkeys(members.tolist()):
        own = members == member
        values = _with_best(every, wanted[own], member)
        for _ in range(_ROUNDS):
            lanes = {**values, CLOCK: values[CLOCK] * np.concatenate([[1.0], found[own]])}
            day = _union(lanes, kernel, threads)
            found[own] *= day[1:] / day[0]
    return found


@cache
def best_fit(member: str) -> Mapping[str, float]:
    """Kinetics of the callus that a member was fitted to, by key."""
    return {key: record.value for key, record in layered(*MEMBERS[member]).items()}


def _with_best(every: Draws, places: np.ndarray, member: str) -> dict[str, Any]:
    """Values of the reference patient with the best fit and then each draw, shape (1 + draws,)."""
    scenario = Scenario.parse(dict(REFERENCE))
    values: dict[str, Any] = dict(typical(Kind.of(scenario, member)))
    values |= {"endocrine.age_at_start": scenario.patient.age, "denosumab.weight": scenario.patient.weight}
    best = best_fit(member)
    for column, key in enumerate(every.keys):
        values[key] = values[key] * np.concatenate([[1.0], every.values[places, column] / best[key]])
    return values


def _union(values: Mapping[str, Any], kernel: Any, threads: int) -> np.ndarray:
    """Day of union of each lane, the last day where it is not reached."""
    from osteon.endpoints import SEEN, radiograph, time_to_union
    from osteon.engine.ensemble import Solver

    scenario = Scenario.parse(dict(REFERENCE))
    days = np.arange(0.0, scenario.horizon + 1.0)
    solver = Solver(np.shape(values[CLOCK])[0], days, SEEN, kernel, threads=threads)
    curves = dict(solver.solve(phases_of(steps(scenario, scenario.arms[0]), values), scenario.horizon).curves)
    held = {key: value for key, value in values.items() if key.startswith("radiograph.")}
    day = time_to_union(days, {**curves, **radiograph(curves, held, "human")}, RULE)
    return np.where(np.isnan(day), scenario.horizon, day)

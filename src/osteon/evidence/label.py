"""How far the parameter sets of denosumab agree with the exposure its labels print.

Only the drug's own module is solved, since nothing acts back on it. The virtual population is drawn as for any cohort,
around a person of the label's study; what had to be assumed of that person stands beside the numbers in ``label.toml``.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from osteon.endpoints.exposure import ASSAY_LIMIT, HALF_LIFE_DAYS, exposure, half_life, over_interval
from osteon.engine.ensemble import Solver
from osteon.engine.solve import Phase
from osteon.errors import InputError, near_match, show
from osteon.model.drugs import denosumab
from osteon.model.system import System
from osteon.parameters import layered
from osteon.population import Cohort
from osteon.scenario import Scenario

#: Parameter sets by name, and the files each is layered from.
SETS = {
    "sutjandra2011": ("sutjandra2011",),
    "choi2025": ("sutjandra2011", "choi2025"),
    "gibiansky2012": ("sutjandra2011", "gibiansky2012"),
}
#: How patients differ: not at all, or as shipped.
SPREADS = ("none", "shipped")
#: A simulated value this close to the published one agrees.
CLOSE = 0.2
FEWEST = 200

_MICROGRAMS = 1000.0  # ng/mL in one ug/mL
_HALF_YEAR = 365.25 / 2
_SERUM = "denosumab_serum"


class Agreement(NamedTuple):
    """One published number beside what one parameter set gives for it.

    ``ratio`` is simulated over published; ``seen`` is how the published number was obtained, and ``patients`` how many
    simulated ones it was compared with. NaN where the set has no such number.
    """

    study: str
    endpoint: str
    unit: str
    statistic: str
    published: float
    error: str
    seen: str
    parameters: str
    spread: str
    patients: int
    simulated: float
    ratio: float
    within: bool


def label_agreement(
    sets: Sequence[str] = tuple(SETS),
    spreads: Sequence[str] = SPREADS,
    *,
    studies: Sequence[str] | None = None,
    patients: int = FEWEST,
    seed: int = 1,
) -> list[Agreement]:
    """Compare parameter sets of denosumab with published exposure.

    Parameters
    ----------
    sets : sequence of str
        Names out of `SETS`.
    spreads : sequence of str
        Names out of `SPREADS`; without spread ("none") one typical patient stands for all.
    studies : sequence of str, optional
        Tables of ``label.toml``; left out, all.
    patients : int
        Virtual patients of each study, at least 200.
    seed : int
        Seed of the draws.

    Returns
    -------
    list of Agreement
        In the order study, endpoint, set, spread.

    Raises
    ------
    InputError
        A name is unknown, or there are fewer than 200 patients.
    """
    known = published()
    chosen = tuple(known) if studies is None else tuple(studies)
    for path, names, allowed in (("sets", sets, SETS), ("spreads", spreads, SPREADS), ("studies", chosen, known)):
        for name in names:
            if name not in allowed:
                message = f"{show(name)} is not one of {', '.join(allowed)}"
                raise InputError(message, path=path, value=name, hint=near_match(name, allowed))
    if isinstance(patients, bool) or not isinstance(patients, int) or patients < FEWEST:
        raise InputError(f"{show(patients)} is not a whole number of at least {FEWEST}", path="patients")
    found = []
    for study in chosen:
        about = known[study]
        simulated = {
            (name, spread): endpoints_of(about, name, spread, patients, seed) for name in sets for spread in spreads
        }
        for row in about["rows"]:
            for (name, spread), endpoints in simulated.items():
                found.append(_compared(study, about["seen"], row, name, spread, endpoints[row["endpoint"]]))
    return found


def mean_log_ratio(rows: Iterable[Agreement], parameters: str, spread: str, study: str = "us_label") -> float:
    """Mean of ``abs(log(simulated / published))`` over the rows of one study; 0 is perfect, NaN if none is there."""
    mine = [row for row in rows if (row.parameters, row.spread, row.study) == (parameters, spread, study)]
    logs = [abs(math.log(row.ratio)) if row.ratio > 0 else math.nan for row in mine]
    return math.fsum(logs) / len(logs) if logs else math.nan


@cache
def published() -> dict[str, Any]:
    """Tables of ``label.toml``: published numbers, the people, and what is assumed of them."""
    text = (files("osteon.evidence") / "label.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def _compared(study: str, seen: str, row: Mapping[str, Any], name: str, spread: str, values: np.ndarray) -> Agreement:
    """One row; a population is summed up as the label does, over those of whom there is a value."""
    there = values[~np.isnan(values)]
    middle = np.median if row["statistic"] == "median" else np.mean
    simulated = float(middle(there)) if there.size else math.nan
    ratio = simulated / row["published"]
    told = (row["endpoint"], row["unit"], row["statistic"], row["published"], row["error"], seen)
    return Agreement(study, *told, name, spread, values.size, simulated, ratio, abs(ratio - 1) <= CLOSE)


def endpoints_of(about: Mapping[str, Any], name: str, spread: str, patients: int, seed: int) -> dict[str, np.ndarray]:
    """Endpoints of every patient, each of shape (patients,)."""
    values, size = _population(about, name, spread, patients, seed)
    system = _system()
    doses = [about["every"] * number for number in range(about["count"])]
    amount = about["dose"] * values["denosumab.bioavailability"]
    phases = [Phase(day, system, values, {"denosumab.depot": amount}) for day in doses]
    last = doses[-1]
    end = last + max(_HALF_YEAR, about["every"])
    after = np.unique([*np.arange(0.0, end - last, 1.0), about["every"], end - last])
    solved = Solver(size, last + after, (_SERUM,), None).solve(phases, end)
    return _endpoints(after, solved.curves[_SERUM], about["every"], values)


def _endpoints(after: np.ndarray, serum: np.ndarray, every: float, values: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """What the rows ask for; `after` are days from the last dose."""
    once = exposure(after, serum)
    # Where all is apparent, bioavailability is contained in the volumes and cannot be compared.
    share = values["denosumab.bioavailability"]
    found = {
        "Cmax": once.cmax / _MICROGRAMS,
        "Tmax": once.tmax,
        "AUC 0-16 weeks": once.auc / _MICROGRAMS,
        "half-life": half_life(after, serum, *HALF_LIFE_DAYS),
        "bioavailability": np.full(len(serum), share if share < 1 else math.nan),
        "below assay limit at 6 months": 100.0 * (serum[:, -1] < ASSAY_LIMIT),
    }
    if every:
        steady = over_interval(after, serum, 0.0, every)
        found["Tmax"] = steady.tmax
        found["Cmax, steady state"] = steady.peak / _MICROGRAMS
        found["trough, steady state"] = steady.trough / _MICROGRAMS
        found["AUC of an interval, steady state"] = steady.auc / _MICROGRAMS
    return found


def _population(
    about: Mapping[str, Any], name: str, spread: str, patients: int, seed: int
) -> tuple[dict[str, Any], int]:
    """Parameter values, arrays of shape (patients,) where patients differ, and how many patients there are."""
    values: dict[str, Any] = {key: record.value for key, record in layered(*SETS[name], "constants").items()}
    scenario = Scenario.parse(
        {
            "osteon": 1,
            "title": about["title"],
            "patient": {"species": "human", **about["patient"]},
            "fracture": None,
            "arms": [{"name": "label", "doses": []}],
            "horizon": "1 day",
        }
    )
    if spread == "none":
        return values | {"denosumab.weight": scenario.patient.weight}, 1
    own = {"patient.weight": about["weight_spread"]} if "weight_spread" in about else None
    drawn = Cohort.sample(scenario, patients, seed=seed, spread=own).block(0, patients).patients
    values["denosumab.weight"] = drawn["weight"]
    for key, factor in drawn.items():
        if key.startswith("x denosumab."):
            values[key[2:]] = values[key[2:]] * factor
    return values, patients


@cache
def _system() -> System:
    """The drug alone; every set has its parameters."""
    return System("denosumab_alone", (denosumab.MODULE,), layered("sutjandra2011", "constants"))

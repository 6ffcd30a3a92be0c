"""How patients differ: coefficients of variation by parameter, and the draws they lead to.

All draws are keyed by (seed, patient, parameter) and independent of each other; see ``data/spread.toml``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.draws import normal, quantile, uniform
from osteon.errors import InputError, near_match, show
from osteon.parameters import load, load_table
from osteon.population.plan import Number
from osteon.scenario import catalogue

if TYPE_CHECKING:
    from osteon.scenario import Patient, Scenario

AGE, WEIGHT = "patient.age", "patient.weight"
LARGEST = 2.0
#: Parameters of people whose spread depends on bone and fixation, and the tables of these spreads.
_OF_FRACTURES = {"healing.clock": "clock_spread", "mechanics.initial_stimulus": "strain_spread"}
_FARTHEST = 30.0  # log-odds of a share; beyond it the share would round to 0 or 1


def settable(keys: Iterable[str]) -> list[str]:
    """Keys of parameters that a person may vary: all but conversions of units and the body weight."""
    return [
        key
        for key in keys
        if not key.startswith("constants.") and key not in ("denosumab.weight", "endocrine.age_at_start")
    ]


def spread_key(kind: str, bone: str, fixation: str) -> str:
    """Which spread holds for people with a broken bone and its fixation.

    Parameters
    ----------
    kind : {"clock_spread", "strain_spread"}
        Table of parameters: standard deviations of the logarithm of clocks, or of strains at the start.
    bone, fixation : str
        As a scenario names them.

    Returns
    -------
    str
        Key in that table: of the bone and the fixation, else of the bone, else the usual.
    """
    known = load(kind)
    for name in (f"{bone}_{fixation}", bone):
        if f"{kind}.{name}" in known:
            return f"{kind}.{name}"
    return f"{kind}.usual"


def spread_for(
    given: str | Mapping[str, float] | None, keys: Iterable[str], scenario: Scenario | None = None
) -> dict[str, float]:
    """Coefficients of variation in force, by key, without zeros.

    Parameters
    ----------
    given : mapping of str to float, or "none", or None
        Replaces the shipped ones by key (a parameter, ``patient.age`` or ``patient.weight``); "none" takes all away.
    keys : iterable of str
        Parameters of the patients; what the shipped table has beside them is left out.
    scenario : Scenario, optional
        Of the typical patient; in people the spreads of clocks and of strain follow bone and fixation.

    Raises
    ------
    InputError
        A key is unknown, or a coefficient lies outside 0 to 2.
    """
    known = {AGE, WEIGHT, *settable(keys)}
    shipped = {key: record.value for key, record in load("spread").items() if key in known}
    if scenario is not None and scenario.fracture is not None and scenario.patient.species == "human":
        for key, kind in _OF_FRACTURES.items():
            sigma = load(kind)[spread_key(kind, scenario.fracture.bone, scenario.fracture.fixation)].value
            shipped[key] = math.sqrt(math.expm1(sigma * sigma))
    if isinstance(given, str):
        if given != "none":
            raise InputError(f'{show(given)} is neither "none" nor a mapping', path="spread", value=given)
        return {}
    if given is not None and not isinstance(given, Mapping):
        hint = 'write for example {"denosumab.cl": 0.3}'
        raise InputError(f"{show(given)} is not a mapping", path="spread", value=given, hint=hint)
    wanted = dict(shipped)
    for key, value in (given or {}).items():
        path = f"spread[{show(str(key))}]"
        if key not in known:
            hint = near_match(key, known)
            raise InputError("is not a parameter of these patients that may vary", path=path, value=key, hint=hint)
        wanted[key] = _coefficient(value, path)
    return {key: wanted[key] for key in sorted(wanted) if wanted[key] > 0}


def ages(seed: int, lo: int, hi: int, patient: Patient, spread: Mapping[str, float]) -> np.ndarray:
    """Ages [yr] around the patient's, normal, cut at what the species allows; shape (hi - lo,)."""
    allowed = catalogue.species()[patient.species].age
    sd = spread.get(AGE, 0.0) * patient.age
    return _cut(seed, lo, hi, AGE, (patient.age, sd), (allowed.low, allowed.high))


def weights(seed: int, lo: int, hi: int, patient: Patient, spread: Mapping[str, float]) -> np.ndarray:
    """Body weights [kg] around the patient's, log-normal, cut at what the species allows; shape (hi - lo,)."""
    if WEIGHT not in spread:
        return np.full(hi - lo, patient.weight)
    allowed = catalogue.species()[patient.species].weight
    middle, bounds = math.log(patient.weight), (math.log(allowed.low), math.log(allowed.high))
    drawn = np.exp(_cut(seed, lo, hi, WEIGHT, (middle, _sigma(spread[WEIGHT])), bounds))
    return np.clip(drawn, allowed.low, allowed.high)


def factors(
    seed: int, lo: int, hi: int, spread: Mapping[str, float], values: Mapping[str, Number]
) -> dict[str, np.ndarray]:
    """Factors by which parameters are multiplied, by key.

    Parameters
    ----------
    seed, lo, hi : int
        Seed, and range of patient numbers.
    spread : mapping of str to float
        Coefficients of variation, as `spread_for` gives them.
    values : mapping of str to float or ndarray
        Typical values; read for shares, which stay between 0 and 1.

    Returns
    -------
    dict of str to ndarray
        Each of shape (hi - lo,) with median 1.
    """
    found = {}
    for key in spread:
        if key in (AGE, WEIGHT):
            continue
        found[key] = factor_at(key, spread[key], normal(seed, lo, hi, f"spread {key}"), values[key])
    if "denosumab.r0" in found:
        # Synthesis is common to all: who has more RANKL degrades it more slowly (Choi 2025).
        found["denosumab.kdeg"] = found.get("denosumab.kdeg", 1.0) / found["denosumab.r0"]
    return found


def factor_at(key: str, cv: float, z: np.ndarray, value: Number) -> np.ndarray:
    """Factor on a parameter of a person who stands `z` standard deviations from typical.

    Parameters
    ----------
    key : str
        Parameter; a share stays between 0 and 1, all else is log-normal.
    cv : float
        Coefficient of variation.
    z : ndarray
        Standard normal numbers, any shape.
    value : float or ndarray
        Typical value, read for shares, of the shape of `z`.

    Returns
    -------
    ndarray
        Of the shape of `z`, 1 where `z` is 0.
    """
    if key in load_table("spread")["shares"]:
        return _share_factor(_sigma(cv) * z, np.asarray(value))
    return np.exp(_sigma(cv) * z)


def choose(seed: int, lo: int, hi: int, purpose: str, choices: int) -> np.ndarray:
    """Number of one of several equally likely choices for each patient, shape (hi - lo,)."""
    return np.floor(uniform(seed, lo, hi, purpose) * choices).astype(int)


def shares(seed: int, lo: int, hi: int, purpose: str, choices: int) -> np.ndarray:
    """Number of one of several choices for each patient: each `choices` patients in a row have each of them once."""
    first, last = lo // choices * choices, -(-hi // choices) * choices
    order = uniform(seed, first, last, purpose).reshape(-1, choices).argsort(axis=1, kind="stable")
    return order.reshape(-1)[lo - first : hi - first]


def _share_factor(step: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Move the log-odds of a share, by so much that its relative spread is the one asked for while that is small."""
    rest = 1.0 - share
    odds = np.exp(np.clip(np.divide(step, rest, out=np.zeros_like(step), where=rest > 0), -_FARTHEST, _FARTHEST))
    return odds / (rest + share * odds)


def _cut(
    seed: int, lo: int, hi: int, purpose: str, around: tuple[float, float], bounds: tuple[float, float]
) -> np.ndarray:
    """Normal numbers between bounds, by the inverse of the distribution, so that one draw gives one number."""
    from statistics import NormalDist

    mean, sd = around
    if sd == 0:
        return np.full(hi - lo, mean)
    low, high = (NormalDist().cdf((bound - mean) / sd) for bound in bounds)
    drawn = mean + sd * quantile(low + (high - low) * uniform(seed, lo, hi, purpose))
    return np.clip(drawn, *bounds)


def _sigma(cv: float) -> float:
    """Standard deviation of the logarithm for a coefficient of variation."""
    return math.sqrt(math.log1p(cv * cv))


def _coefficient(value: Any, path: str) -> float:
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not 0 <= value <= LARGEST:
        raise InputError(f"{show(value)} is not a coefficient of variation from 0 to {LARGEST:g}", path=path)
    return float(value)

"""Endpoints of function and complications of one arm, and how far they are known.

They stand apart from the biology: nothing here changes healing. Only people have them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from osteon.draws import normal
from osteon.endpoints.crossing import at, last_above
from osteon.endpoints.function.harris import harris_score
from osteon.endpoints.function.necrosis import necrosis_risk
from osteon.endpoints.function.pain import pain
from osteon.endpoints.function.refracture import refracture_risk
from osteon.endpoints.function.values import Traits, Values, shipped_values, traits_of
from osteon.endpoints.function.weight_bearing import capacity, full_loading
from osteon.parameters import load

if TYPE_CHECKING:
    from osteon.parameters import Record
    from osteon.scenario import Fracture, Patient

#: Curves that the function layer reads.
FUNCTION_SERIES = ("inflammation", "torsional_stiffness", "torsional_strength")
#: Unit of each endpoint, in the order they are shown; those of the hip are there for the femoral neck alone.
FUNCTION_UNITS = {
    **dict.fromkeys(("pain_week2", "pain_week6", "pain_week12", "pain_week26"), "1"),
    "pain_relief": "day",
    "full_loading": "day",
    "refracture_risk": "1",
    "refracture_ratio": "1",
    **dict.fromkeys(("harris_week12", "harris_week26", "harris_week52", "harris_week104"), "1"),
    **dict.fromkeys(("necrosis_risk_year1", "necrosis_risk_year2", "necrosis_risk_year5"), "1"),
}
#: The bone whose fractures have a hip score and necrosis.
HIP = "femoral_neck"
_OF_THE_HIP = ("harris_", "necrosis_")
#: Parameters of the spread between patients, which no expected value reads but that of the hip score.
_SPREAD = ("pain.spread", "pain.spread_exponent", "pain.persistence")
_YEAR = 365.25
_Z90 = 1.6448536269514722  # standard normal value below which 95 % lie


def function_names(bones: Iterable[str]) -> tuple[str, ...]:
    """Names of the endpoints of function of people with fractures of these bones, in the order they are shown."""
    hip = HIP in bones
    return tuple(name for name in FUNCTION_UNITS if hip or not name.startswith(_OF_THE_HIP))


def function_of(
    patient: Patient, fracture: Fracture | None, traits: Traits | None = None
) -> Callable[..., dict[str, np.ndarray]] | None:
    """`function_endpoints` with all given but time, curves and ``chronic``; None for animals and without a fracture."""
    if fracture is None or patient.species != "human":
        return None
    return partial(function_endpoints, fracture=fracture, patient=patient, traits=traits)


def function_parameters(patient: Patient, fracture: Fracture | None) -> tuple[Record, ...]:
    """Parameters of ``function.toml`` that `function_endpoints` reads for a patient and a fracture."""
    if fracture is None or patient.species != "human":
        return ()
    hip, carried = fracture.bone == HIP, "weight_bearing.carried_"
    held = (f"{carried}{fracture.fixation}", f"{carried}none")

    def is_read(key: str) -> bool:
        if key.startswith(carried):
            return key in held
        if key.startswith(("harris.", "necrosis.")):
            return hip
        return key not in _SPREAD or (hip and key != "pain.persistence")

    return tuple(record for key, record in load("function").items() if is_read(key))


def function_endpoints(
    time: np.ndarray,
    series: Mapping[str, np.ndarray],
    fracture: Fracture,
    patient: Patient,
    *,
    traits: Traits | None = None,
    values: Values | None = None,
    chronic: float | np.ndarray = 0.0,
) -> dict[str, np.ndarray]:
    """Endpoints of function and complications of one arm of many patients.

    Parameters
    ----------
    time : ndarray
        Days from the fracture, ascending, shape (time,); points before it are left out.
    series : mapping of str to ndarray
        The curves `FUNCTION_SERIES`, each of shape (..., time); NaN after a patient's own horizon and
        for one that failed.
    fracture : Fracture
        Bone, fixation, displacement, flap and weight bearing.
    patient : Patient
        Species, and age where `traits` are not given.
    traits : Traits, optional
        What no curve tells, numbers or of shape (...); left out, those of patient and fracture.
    values : mapping of str to float or ndarray, optional
        Parameters of ``function.toml`` by key, floats or of shape (...); left out, as shipped.
    chronic : float or ndarray
        Standing inflammation, shape (...).

    Returns
    -------
    dict of str to ndarray
        By the names of `FUNCTION_UNITS`, each of shape (...); NaN where not reached or beyond the course. Empty for an
        animal.
    """
    if patient.species != "human":
        return {}
    p = shipped_values() if values is None else values
    traits = traits_of(fracture, patient.age) if traits is None else traits
    start = int(np.searchsorted(time, 0.0))
    time = np.asarray(time, float)[start:]
    inflammation, stiffness, strength = (series[name][..., start:] for name in FUNCTION_SERIES)
    hurt = pain(time, inflammation, stiffness, p, chronic)
    found = {f"pain_week{week}": at(time, hurt, 7.0 * week) for week in (2, 6, 12, 26)}
    found["pain_relief"] = last_above(time, hurt, 0.5 * np.fmax.reduce(hurt, axis=-1))
    found["full_loading"] = full_loading(time, hurt, stiffness, fracture.fixation, p, traits.protected_until)
    alone = full_loading(time, hurt, stiffness, "none", p)
    found["refracture_risk"], found["refracture_ratio"] = refracture_risk(time, strength, alone, traits.age, p)
    if fracture.bone == HIP:
        found |= _hip(time, hurt, capacity(stiffness, fracture.fixation, p), traits, p)
    return {name: found[name] for name in FUNCTION_UNITS if name in found}


def function_ranges(
    time: np.ndarray,
    series: Mapping[str, np.ndarray],
    fracture: Fracture,
    patient: Patient,
    *,
    traits: Traits | None = None,
    chronic: float = 0.0,
    draws: int = 400,
    seed: int = 0,
) -> dict[str, tuple[float, float]]:
    """90 % interval of each endpoint of one course as the parameters of this layer go over their ranges.

    Parameters are drawn apart from each other. It is the uncertainty of this layer alone: the course, and so the
    biology, stays the same.

    Parameters
    ----------
    time, series, fracture, patient, traits, chronic
        As in `function_endpoints`, of one patient: curves of shape (time,), traits that are numbers.
    draws : int
        Draws of the parameters.
    seed : int
        Seed of the draws.

    Returns
    -------
    dict of str to tuple of float
        Low and high end by endpoint; an end is NaN where the endpoint is not reached there.
    """
    values = {key: _drawn(record, seed, draws) for key, record in load("function").items()}
    found = function_endpoints(time, series, fracture, patient, traits=traits, values=values, chronic=chronic)
    ranges = {}
    for name, value in found.items():
        ordered = np.sort(np.where(np.isnan(value), np.inf, np.broadcast_to(value, draws)))
        ends = ordered[[round(0.05 * (draws - 1)), round(0.95 * (draws - 1))]]
        low, high = np.where(np.isinf(ends), np.nan, ends).tolist()
        ranges[name] = (low, high)
    return ranges


def members_range(
    time: np.ndarray,
    courses: Sequence[tuple[Mapping[str, np.ndarray], float]],
    patient: Patient,
    fracture: Fracture | None,
    draws: int = 100,
) -> dict[str, tuple[float, float]]:
    """Range over the parameters and over courses of one patient, each with its standing inflammation.

    It holds the ends of `function_ranges` and the endpoints of every course. Empty for an animal and without a
    fracture; where a value or an end is open in one course, so is the range.
    """
    if fracture is None or patient.species != "human":
        return {}
    ends: dict[str, list[float]] = {}
    for series, chronic in courses:
        best = function_endpoints(time, series, fracture, patient, chronic=chronic)
        spans = function_ranges(time, series, fracture, patient, chronic=chronic, draws=draws)
        for name, span in spans.items():
            # The shipped value may lie at the rim of a skewed range.
            ends.setdefault(name, []).extend((*span, float(best[name])))
    return {name: (float(np.min(each)), float(np.max(each))) for name, each in ends.items()}


def _drawn(record: Record, seed: int, draws: int) -> np.ndarray:
    """Values whose 5 and 95 % lie at the ends of the range, on a scale of logarithms unless it begins at zero."""
    if record.range is None:
        return np.full(draws, record.value)
    z = normal(seed, 0, draws, f"function {record.key}") / _Z90
    (low, high), middle = record.range, record.value
    if low <= 0:
        return np.maximum(middle + np.where(z > 0, high - middle, middle - low) * z, 0.0)
    return middle * np.exp(z * np.log(np.where(z > 0, high / middle, middle / low)))


def _hip(time: np.ndarray, hurt: np.ndarray, stiff: np.ndarray, traits: Traits, p: Values) -> dict[str, np.ndarray]:
    found = {}
    for week in (12, 26, 52, 104):
        moment = 7.0 * week
        necrotic = necrosis_risk(np.array([moment]), traits, p)[..., 0]
        found[f"harris_week{week}"] = harris_score(
            at(time, hurt, moment), at(time, stiff, moment), traits.displaced, necrotic, p
        )
    # Necrosis goes by the calendar, but a patient whose course failed has none.
    there = np.where(np.isnan(hurt).all(axis=-1), np.nan, 0.0)
    for year in (1, 2, 5):
        found[f"necrosis_risk_year{year}"] = necrosis_risk(np.array([year * _YEAR]), traits, p)[..., 0] + there
    return found

"""Endpoints of an arm as one table: stages of healing, union, mechanics, function, turnover, density and safety.

A time that is not reached, or a week after the horizon, is NaN with a note, never a number. All is written for curves
of many patients at once, time on the last axis; a point after a patient's own horizon is NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from osteon.endpoints.crossing import at, bracket, first_above, last_above, last_index, take
from osteon.endpoints.function.table import FUNCTION_UNITS
from osteon.endpoints.safety import SAFETY_UNITS
from osteon.endpoints.treatment import BEYOND, NOT_REACHED, Treatment
from osteon.endpoints.union import RULES, endpoint_of, time_to_union

#: Weeks after the fracture at which mechanics are reported.
WEEKS = (6, 12, 26, 52)
#: Endpoints that are times after the fracture.
STAGES = ("inflammation_end", "soft_callus_peak", "hard_callus_start", "remodelling_start")
_NO_SOFT_CALLUS = "no soft callus forms"
#: Sites of bone density.
DENSITIES = ("BMD_lumbar_spine", "BMD_total_hip", "BMD_femoral_neck")
_UNION = {endpoint_of(rule): rule for rule in RULES}
_SOFT_CALLUS = 0.02  # least share of the callus that counts as a soft callus
_BONE = 1e-4  # least bone of which a lamellar share is given


#: Endpoints of function by name, from time, curves, and standing inflammation as ``chronic``.
Function = Callable[..., Mapping[str, np.ndarray]]


class Endpoint(NamedTuple):
    """One endpoint of one arm."""

    endpoint: str
    value: float
    unit: str
    note: str = ""


def endpoints(
    time: np.ndarray,
    series: Mapping[str, np.ndarray],
    chronic: float = 0.0,
    treatment: Treatment | None = None,
    function: Function | None = None,
) -> list[Endpoint]:
    """Endpoints of one arm of one patient.

    Parameters
    ----------
    time : ndarray
        Days from the fracture, shape (time,).
    series : mapping of str to ndarray
        The arm's curves by public name; callus curves are NaN before the fracture and absent without one.
    chronic : float
        Standing inflammation, which never ends and is taken off.
    treatment : Treatment, optional
        Doses of the arm; without them there are no safety endpoints.
    function : callable, optional
        `function_endpoints` of a person's fracture; without it there are no endpoints of function.

    Returns
    -------
    list of Endpoint
        In the order they are shown.
    """
    found = []
    arrays = {
        name: float(values) for name, values in endpoint_arrays(time, series, chronic, treatment, function).items()
    }
    for name, value in arrays.items():
        unit, note = endpoint_unit(name), ""
        if np.isnan(value) and treatment is not None and name in SAFETY_UNITS:
            note = treatment.note(name, arrays)
        elif np.isnan(value):
            note = NOT_REACHED if unit == "day" else BEYOND
            if name == "soft_callus_peak" and not _soft_callus(_after_fracture(time, series)[1]).any():
                note = _NO_SOFT_CALLUS
        found.append(Endpoint(name, value, unit, note))
    return found


def endpoint_arrays(
    time: np.ndarray,
    series: Mapping[str, np.ndarray],
    chronic: float | np.ndarray = 0.0,
    treatment: Treatment | None = None,
    function: Function | None = None,
) -> dict[str, np.ndarray]:
    """Endpoints of one arm of many patients.

    Parameters
    ----------
    time : ndarray
        Days from the fracture, ascending, shape (time,).
    series : mapping of str to ndarray
        Curves by public name, shape (..., time); callus curves are absent without a fracture. NaN after a patient's
        own horizon, and throughout for one that failed.
    chronic : float or ndarray
        Standing inflammation, which never ends and is taken off, shape (...).
    treatment : Treatment, optional
        Doses of the arm; without them there are no safety endpoints.
    function : callable, optional
        `function_endpoints` of fractures of people; without it there are no endpoints of function.

    Returns
    -------
    dict of str to ndarray
        By name, in the order they are shown, each of shape (...); NaN where not reached, after the horizon, or failed.
    """
    found = _healing(*_after_fracture(time, series), chronic) if "mRUST" in series else {}
    if function is not None:
        found |= function(time, series, chronic=chronic)
    found |= _turnover(series)
    return found if treatment is None else found | treatment.safety(time, series)


def endpoint_unit(name: str) -> str:
    """Unit of an endpoint by name."""
    if name in SAFETY_UNITS:
        return SAFETY_UNITS[name]
    if name in FUNCTION_UNITS:
        return FUNCTION_UNITS[name]
    if name in STAGES or name in _UNION:
        return "day"
    return "1" if "_week" in name else "%"


def _after_fracture(time: np.ndarray, series: Mapping[str, np.ndarray]) -> tuple[np.ndarray, Mapping[str, np.ndarray]]:
    start = int(np.searchsorted(time, 0.0))
    present = (*_HEALING, *(rule.curve for rule in RULES.values() if rule.curve in series))
    return time[start:], {name: series[name][..., start:] for name in present}


_HEALING = (
    *("inflammation", "cartilage", "mineralised_tissue", "fibrous", "woven_bone", "lamellar_bone", "callus_tissue"),
    *("mRUST", "torsional_stiffness", "torsional_strength"),
)


def _healing(time: np.ndarray, series: Mapping[str, np.ndarray], chronic: float | np.ndarray) -> dict[str, np.ndarray]:
    raised = series["inflammation"] - np.asarray(chronic, float)[..., None]
    cartilage, woven, lamellar = (series[name] for name in ("cartilage", "woven_bone", "lamellar_bone"))
    last = last_index(cartilage)
    peak, most = _highest(cartilage), _highest(woven)
    # Past the peak of cartilage, so that the first days without any tissue do not count.
    surplus = series["mineralised_tissue"] - (cartilage + series["fibrous"])
    surplus[np.arange(time.size) < peak[..., None]] = np.nan
    found = {
        "inflammation_end": last_above(time, raised, 0.1 * np.fmax.reduce(raised, axis=-1)),
        "soft_callus_peak": np.where((peak < last) & _soft_callus(series), time[peak], np.nan),
        "hard_callus_start": first_above(time, surplus, 0.0),
        # Remodelling leads from the day woven bone is lost faster than it is made.
        "remodelling_start": np.where(most < last, time[most], np.nan),
    }
    # A score that was not computed has no endpoint.
    found |= {name: time_to_union(time, series, by) for name, by in _UNION.items() if RULES[by].curve in series}
    for name in ("torsional_stiffness", "torsional_strength"):
        found |= {f"{name}_week{week}": at(time, series[name], 7.0 * week) for week in WEEKS}
    around = bracket(time, 364.0)
    share = _lamellar_share(woven[..., around], lamellar[..., around]) if around else lamellar
    found["lamellar_share_week52"] = at(time[around] if around else time, share, 364.0)
    return found


def _turnover(series: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    found = {}
    for name in ("CTX", "P1NP"):
        found[f"{name}_nadir"] = np.fmin.reduce(series[name], axis=-1)
        found[f"{name}_last"] = _last(series[name])
    return found | {f"{name}_last": _last(series[name]) for name in DENSITIES}


def _soft_callus(series: Mapping[str, np.ndarray]) -> np.ndarray:
    """Whether a callus is ever soft enough to speak of a soft callus."""
    peak = _highest(series["cartilage"])
    return take(series["cartilage"], peak) >= _SOFT_CALLUS * take(series["callus_tissue"], peak)


def _lamellar_share(woven: np.ndarray, lamellar: np.ndarray) -> np.ndarray:
    bone = woven + lamellar
    # No bone has no lamellar share, but a point that is not there stays away.
    return np.divide(lamellar, bone, out=0.0 * bone, where=bone > _BONE)


def _highest(value: np.ndarray) -> np.ndarray:
    """Place of the highest point that is there."""
    return np.fmax(value, -np.inf).argmax(axis=-1)


def _last(value: np.ndarray) -> np.ndarray:
    return take(value, np.maximum(last_index(value), 0))

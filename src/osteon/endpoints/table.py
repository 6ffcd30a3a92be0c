"""Endpoints of an arm as one table: stages of healing, union, mechanics, turnover and density.

A time that is not reached, or a week after the horizon, is NaN with a note, never a number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from osteon.endpoints.crossing import at, first_above, last_above
from osteon.endpoints.scores import UNION

#: Weeks after the fracture at which mechanics are reported.
WEEKS = (6, 12, 26, 52)
#: Endpoints that are times after the fracture.
STAGES = ("inflammation_end", "soft_callus_peak", "hard_callus_start", "remodelling_start")
_NOT_REACHED = "not reached within the horizon"
_BEYOND = "after the horizon"
_SOFT_CALLUS = 0.02  # least share of the callus that counts as a soft callus


class Endpoint(NamedTuple):
    """One endpoint of one arm."""

    endpoint: str
    value: float
    unit: str
    note: str = ""


def endpoints(time: np.ndarray, series: Mapping[str, np.ndarray], chronic: float = 0.0) -> list[Endpoint]:
    """Endpoints of one arm.

    Parameters
    ----------
    time : ndarray
        Days from the fracture, shape (time,).
    series : mapping of str to ndarray
        The arm's curves by public name; callus curves are NaN before the fracture and absent without one.
    chronic : float
        Standing inflammation, which never ends and is taken off.

    Returns
    -------
    list of Endpoint
        In the order they are shown.
    """
    found: list[Endpoint] = []
    if "mRUST" in series:
        after = time >= 0
        found += _healing(time[after], {name: values[after] for name, values in series.items()}, chronic)
    found += _turnover(series)
    return found


def _healing(time: np.ndarray, series: Mapping[str, np.ndarray], chronic: float) -> Iterator[Endpoint]:
    raised = series["inflammation"] - chronic
    cartilage = series["cartilage"]
    hard = series["mineralised_tissue"]
    soft = cartilage + series["fibrous"]
    peak = int(np.argmax(cartilage))
    # Past the peak of cartilage, so that the first days without any tissue do not count.
    overtakes = first_above(time[peak:], (hard - soft)[peak:], 0.0)
    bone = series["woven_bone"] + series["lamellar_bone"]
    lamellar_share = np.divide(series["lamellar_bone"], bone, out=np.zeros_like(bone), where=bone > 1e-4)
    yield _time("inflammation_end", last_above(time, raised, 0.1 * float(raised.max())))
    if cartilage.max() < _SOFT_CALLUS * series["callus_tissue"][peak]:
        yield Endpoint("soft_callus_peak", float("nan"), "day", "no soft callus forms")
    else:
        yield _time("soft_callus_peak", float(time[peak]) if peak < len(time) - 1 else float("nan"))
    yield _time("hard_callus_start", overtakes)
    # Remodelling leads from the day woven bone is lost faster than it is made.
    most = int(np.argmax(series["woven_bone"]))
    yield _time("remodelling_start", float("nan") if most == len(time) - 1 else float(time[most]))
    yield _time("time_to_union", first_above(time, series["mRUST"], UNION))
    for name in ("torsional_stiffness", "torsional_strength"):
        for week in WEEKS:
            yield _value(f"{name}_week{week}", at(time, series[name], 7.0 * week), "1")
    yield _value("lamellar_share_week52", at(time, lamellar_share, 364.0), "1")


def _turnover(series: Mapping[str, np.ndarray]) -> Iterator[Endpoint]:
    for name in ("CTX", "P1NP"):
        yield _value(f"{name}_nadir", float(series[name].min()), "%")
        yield _value(f"{name}_last", float(series[name][-1]), "%")
    for name in ("BMD_lumbar_spine", "BMD_total_hip"):
        yield _value(f"{name}_last", float(series[name][-1]), "%")


def _time(name: str, value: float) -> Endpoint:
    return Endpoint(name, value, "day", _NOT_REACHED if np.isnan(value) else "")


def _value(name: str, value: float, unit: str) -> Endpoint:
    return Endpoint(name, value, unit, _BEYOND if np.isnan(value) else "")

"""Radiographic scores from the state of the callus, so that a picture can replace the formula later.

In people each of four cortices is graded 1 none, 2 callus, 3 bridged, 4 line gone. Callus shows with its mineral
density, a cortex is bridged when the cartilage in the callus has ended and the callus bears load, and the line goes
with cortical union, which needs osteoclasts. The score is provisional: its thresholds are set on nailed tibiae alone.
In animals the surrogate of the callus prototype holds, which follows torsional stiffness.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

#: mRUST from which a fracture counts as united.
UNION = 10.0

_CORTICES = (-1.0, -1 / 3, 1 / 3, 1.0)
_USED = ("callus_BMD", "cartilage", "mineralised_tissue", "torsional_stiffness", "cortical_union")
_AT_ONCE = 64  # patients whose intermediate results stay in the processor's cache


def cortex_grades(signals: Mapping[str, np.ndarray], p: Mapping[str, float | np.ndarray]) -> np.ndarray:
    """Expected grade of each cortex in people.

    Parameters
    ----------
    signals : mapping of str to ndarray
        ``callus_BMD`` [mg/cm3], ``cartilage``, ``mineralised_tissue``, ``torsional_stiffness`` and
        ``cortical_union`` [1], each of shape (..., time).
    p : mapping of str to float or ndarray
        Parameters ``radiograph.*``, floats or of shape (...).

    Returns
    -------
    ndarray
        Shape (4, ..., time), each from 1 to 4; NaN where a signal is.
    """
    return np.stack(list(_grades(signals, p)))


def mrust(signals: Mapping[str, np.ndarray], p: Mapping[str, float | np.ndarray], species: str) -> np.ndarray:
    """Modified radiographic union score for tibia, 4 to 16, shape (..., time); see `cortex_grades`."""
    stiffness = signals["torsional_stiffness"]
    if species != "human":
        return 4 + 12 * (1 - np.exp(-stiffness / _over_time(p["radiograph.animal_stiffness"])))
    if stiffness.ndim != 2:
        return _mrust(signals, p)
    score = np.empty(stiffness.shape)
    for lo in range(0, len(stiffness), _AT_ONCE):
        part = slice(lo, lo + _AT_ONCE)
        own = {key: value[part] if isinstance(value, np.ndarray) and value.ndim else value for key, value in p.items()}
        score[part] = _mrust({name: signals[name][part] for name in _USED}, own)
    return score


def _mrust(signals: Mapping[str, np.ndarray], p: Mapping[str, float | np.ndarray]) -> np.ndarray:
    first, *others = _grades(signals, p)
    for grade in others:
        first += grade
    return first


def _grades(signals: Mapping[str, np.ndarray], p: Mapping[str, float | np.ndarray]) -> Iterator[np.ndarray]:
    """Grades of one cortex after the other, each of shape (..., time)."""
    spread, sharpness = (np.asarray(p[f"radiograph.{name}"], float) for name in ("cortex_spread", "sharpness"))
    solid = signals["cartilage"] + signals["mineralised_tissue"]
    soft = np.divide(signals["cartilage"], solid, out=np.ones_like(solid), where=solid > 0)
    names = ("visible_density", "bridging_cartilage", "bridging_stiffness", "line_union")
    curves = (signals["callus_BMD"], soft, signals["torsional_stiffness"], signals["cortical_union"])
    seen, cartilage, stiff, closed = (
        _power(curve, p[f"radiograph.{name}"], sharpness) for name, curve in zip(names, curves, strict=True)
    )
    for place in _CORTICES:
        # A cortex whose thresholds lie `lag` higher: (x / (half lag))**e is (x / half)**e over lag**e.
        # By exp and log: a power of NumPy takes other ways for some exponents when they are one number.
        lag = _over_time(np.exp(sharpness * np.log(1 + spread * place)))
        callus = seen / (seen + lag)
        bridged = (1 - cartilage / (cartilage + 1 / lag)) * (stiff / (stiff + lag))
        line_gone = closed / (closed + lag)
        # A cortex cannot be bridged before it shows callus, nor lose its line before it is bridged.
        yield 1 + callus * (1 + bridged * (1 + line_gone))


def _power(x: np.ndarray, half: float | np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """``(x / half)**exponent`` of what is not negative."""
    ratio = np.maximum(x, 0.0) / _over_time(half)
    with np.errstate(divide="ignore"):
        return np.exp(_over_time(exponent) * np.log(ratio))


def _over_time(value: float | np.ndarray) -> np.ndarray:
    return np.asarray(value, float)[..., None]

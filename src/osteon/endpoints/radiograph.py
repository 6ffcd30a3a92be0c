"""What a radiograph shows of each of four cortices: the grade of its callus and, apart from it, its fracture line.

In people callus shows with its mineral density; a cortex is bridged when the cartilage in the callus has ended and the
callus bears load; the line goes with cortical union, which needs osteoclasts. So stiffness may be back while the line
stays. What is given is the chance of each, whose sums are expected scores; `readers` makes single films of it. In
animals the surrogate of the callus prototype holds: the score follows torsional stiffness, and its three steps are
spread over the four cortices alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

#: Curves that are made of a radiograph, in the order they are shown.
SCORES = ("mRUST", "RUST", "cortices_bridged", "cortices_without_line")
#: Cortices on two views.
CORTICES = 4
#: Curves of the callus that a radiograph is made of.
SEEN = ("callus_BMD", "cartilage", "mineralised_tissue", "torsional_stiffness", "cortical_union")

_PLACES = (-1.0, -1 / 3, 1 / 3, 1.0)
_AT_ONCE = 64  # patients whose intermediate results stay in the processor's cache

Values = Mapping[str, float | np.ndarray]


class Cortices(NamedTuple):
    """Chance of each outcome on each cortex [1], shape (4, ..., time); NaN where a signal is.

    Attributes
    ----------
    callus : ndarray
        That callus shows.
    bridged : ndarray
        That the callus bridges, where it shows.
    line_gone : ndarray
        That no fracture line is left, where the callus bridges.
    """

    callus: np.ndarray
    bridged: np.ndarray
    line_gone: np.ndarray


def cortices(signals: Mapping[str, np.ndarray], p: Values, species: str) -> Cortices:
    """Chance of callus, of its bridging and of a line that is gone, on each cortex.

    Parameters
    ----------
    signals : mapping of str to ndarray
        ``callus_BMD`` [mg/cm3], ``cartilage``, ``mineralised_tissue``, ``torsional_stiffness`` and
        ``cortical_union`` [1], each of shape (..., time); of animals ``torsional_stiffness`` alone.
    p : mapping of str to float or ndarray
        Parameters ``radiograph.*``, floats or of shape (...).
    species : str
        ``human``, or any other for the surrogate of animals.

    Returns
    -------
    Cortices
        Its three fields of shape (4, ..., time).
    """
    found = _each(signals, p) if species == "human" else [_animal(signals["torsional_stiffness"], p)] * CORTICES
    return Cortices(*(np.stack(one) for one in zip(*found, strict=True)))


def radiograph(signals: Mapping[str, np.ndarray], p: Values, species: str) -> dict[str, np.ndarray]:
    """Expected scores of a radiograph over the course; parameters as in `cortices`.

    Returns
    -------
    dict of str to ndarray
        ``mRUST`` from 4 to 16, ``RUST`` from 4 to 12, ``cortices_bridged`` and ``cortices_without_line`` from 0 to 4,
        each of shape (..., time), NaN where a signal is. RUST grades a cortex 1 without callus, 2 with callus and a
        line, 3 with callus and no line; mRUST 1 without callus, 2 with callus, 3 bridged, 4 remodelled.
    """
    stiffness = signals["torsional_stiffness"]
    if species != "human":
        return _scores(*(CORTICES * chance for chance in _products(*_animal(stiffness, p))))
    if stiffness.ndim != 2:
        return _scores(*_sums(signals, p))
    found = {name: np.empty(stiffness.shape) for name in SCORES}
    for lo in range(0, len(stiffness), _AT_ONCE):
        part = slice(lo, lo + _AT_ONCE)
        own = {key: value[part] if isinstance(value, np.ndarray) and value.ndim else value for key, value in p.items()}
        for name, values in _scores(*_sums({name: signals[name][part] for name in SEEN}, own)).items():
            found[name][part] = values
    return found


def _scores(shown: np.ndarray, bridged: np.ndarray, without_line: np.ndarray) -> dict[str, np.ndarray]:
    """Scores from the expected numbers of cortices with callus, with bridging callus, and without a line."""
    rust = CORTICES + shown + without_line
    found = {"mRUST": rust + bridged, "RUST": rust, "cortices_bridged": bridged, "cortices_without_line": without_line}
    return {name: found[name] for name in SCORES}


def _products(callus: np.ndarray, bridged: np.ndarray, gone: np.ndarray) -> tuple[np.ndarray, ...]:
    # A cortex cannot be bridged before it shows callus, nor lose its line before it is bridged.
    bridging = callus * bridged
    return callus, bridging, bridging * gone


def _sums(signals: Mapping[str, np.ndarray], p: Values) -> tuple[np.ndarray, ...]:
    each = _each(signals, p)
    totals = _products(*next(each))
    for one in each:
        for total, chance in zip(totals, _products(*one), strict=True):
            total += chance
    return totals


def _each(signals: Mapping[str, np.ndarray], p: Values) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Chances of one cortex after the other, each of shape (..., time)."""
    names = ("sharpness", "cortex_spread", "line_spread")
    sharpness, cortex_spread, line_spread = (np.asarray(p[f"radiograph.{name}"], float) for name in names)
    solid = signals["cartilage"] + signals["mineralised_tissue"]
    soft = np.divide(signals["cartilage"], solid, out=np.ones_like(solid), where=solid > 0)
    names = ("visible_density", "bridging_cartilage", "bridging_stiffness", "line_union")
    curves = (signals["callus_BMD"], soft, signals["torsional_stiffness"], signals["cortical_union"])
    seen, cartilage, stiff, closed = (
        _power(curve, p[f"radiograph.{name}"], sharpness) for name, curve in zip(names, curves, strict=True)
    )
    for place in _PLACES:
        # A cortex whose thresholds are `exp(spread place)` as high: (x / half)**e over that to the same exponent.
        lag = _over_time(np.exp(sharpness * cortex_spread * place))
        line_lag = _over_time(np.exp(sharpness * line_spread * place))
        bridged = stiff / ((1 + cartilage * lag) * (stiff + lag))
        yield seen / (seen + lag), bridged, closed / (closed + line_lag)


def _animal(stiffness: np.ndarray, p: Values) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Chances on any cortex, of which each of three steps is done with the share of the full score."""
    share = 1 - np.exp(-stiffness / _over_time(p["radiograph.animal_stiffness"]))
    left = 1 - share
    callus = share * (3 - share * (3 - share))
    bridging = share * share * (1 + 2 * left)
    # As shares of the step before it; at the start all three are zero together.
    bridged = np.divide(bridging, callus, out=np.zeros_like(callus) * callus, where=callus > 0)
    gone = np.divide(share, 1 + 2 * left)
    return callus, bridged, gone


def _power(x: np.ndarray, half: float | np.ndarray, exponent: np.ndarray) -> np.ndarray:
    """``(x / half)**exponent`` of what is not negative."""
    # By exp and log: a power of NumPy takes other ways for some exponents when they are one number.
    ratio = np.maximum(x, 0.0) / _over_time(half)
    with np.errstate(divide="ignore"):
        return np.exp(_over_time(exponent) * np.log(ratio))


def _over_time(value: float | np.ndarray) -> np.ndarray:
    return np.asarray(value, float)[..., None]

"""Radiographic scores from the state of the callus, so that a picture can replace the formula later.

In people each of four cortices is graded 1 none, 2 callus, 3 bridged, 4 line gone. Callus shows with its mineral
density, a cortex is bridged when the cartilage in the callus has ended and the callus bears load, and the line goes
with cortical union, which needs osteoclasts. The score is provisional: its thresholds are set on nailed tibiae alone.
In animals the surrogate of the callus prototype holds, which follows torsional stiffness.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

#: mRUST from which a fracture counts as united.
UNION = 10.0


def cortex_grades(signals: Mapping[str, np.ndarray], p: Mapping[str, float]) -> np.ndarray:
    """Expected grade of each cortex in people.

    Parameters
    ----------
    signals : mapping of str to ndarray
        ``callus_BMD`` [mg/cm3], ``cartilage``, ``mineralised_tissue``, ``torsional_stiffness`` and
        ``cortical_union`` [1], each of shape (time,).
    p : mapping of str to float
        Parameters ``radiograph.*``.

    Returns
    -------
    ndarray
        Shape (4, time), each from 1 to 4.
    """
    spread, sharpness = p["radiograph.cortex_spread"], p["radiograph.sharpness"]
    lag = (1 + spread * np.array([-1.0, -1 / 3, 1 / 3, 1.0]))[:, None]
    solid = signals["cartilage"] + signals["mineralised_tissue"]
    soft = np.divide(signals["cartilage"], solid, out=np.ones_like(solid), where=solid > 0)
    callus = _rise(signals["callus_BMD"], p["radiograph.visible_density"] * lag, sharpness)
    bridged = 1 - _rise(soft, p["radiograph.bridging_cartilage"] / lag, sharpness)
    bridged = bridged * _rise(signals["torsional_stiffness"], p["radiograph.bridging_stiffness"] * lag, sharpness)
    line_gone = _rise(signals["cortical_union"], p["radiograph.line_union"] * lag, sharpness)
    # A cortex cannot be bridged before it shows callus, nor lose its line before it is bridged.
    return 1 + callus * (1 + bridged * (1 + line_gone))


def mrust(signals: Mapping[str, np.ndarray], p: Mapping[str, float], species: str) -> np.ndarray:
    """Modified radiographic union score for tibia, 4 to 16, shape (time,); see `cortex_grades`."""
    if species == "human":
        return cortex_grades(signals, p).sum(axis=0)
    return 4 + 12 * (1 - np.exp(-signals["torsional_stiffness"] / p["radiograph.animal_stiffness"]))


def _rise(x: np.ndarray, half: np.ndarray, exponent: float) -> np.ndarray:
    ratio = (np.maximum(x, 0.0) / half) ** exponent
    return ratio / (1 + ratio)

"""A trial of nailed tibiae without the model: curves that pass the thresholds at about the days of the literature."""

from __future__ import annotations

import numpy as np

from osteon.draws import normal
from osteon.parameters import load

RADIOGRAPH = {key: record.value for key, record in load("radiograph").items()}
#: Median days on which a middling cortex passes each threshold, and the power of time with which it is passed.
PASSED = {"callus": (75.0, 0.8), "bridged": (125.0, 1.0), "line": (230.0, 0.7)}


def course(time: np.ndarray, patients: int, p: dict[str, float] | None = None) -> dict[str, np.ndarray]:
    """Signals of patients who differ in speed alone, log-normal with 0.4, shape (patients, time)."""
    p = RADIOGRAPH if p is None else p
    speed = np.exp(0.4 * normal(11, 0, patients, "speed of a test"))[:, None]
    callus, bridged, line = ((speed * time / day) ** power for day, power in PASSED.values())
    # Cartilage as a share of all that is solid falls through its threshold as the rest rises.
    soft = p["radiograph.bridging_cartilage"] / np.maximum(bridged, 0.1)
    return {
        "callus_BMD": p["radiograph.visible_density"] * callus,
        "cartilage": soft,
        "mineralised_tissue": 1 - soft,
        "torsional_stiffness": p["radiograph.bridging_stiffness"] * bridged,
        "cortical_union": p["radiograph.line_union"] * line,
    }

"""Single scores of a radiograph, and when a film shows them; `radiograph` makes them from the state of the callus."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from osteon.endpoints.crossing import first_above
from osteon.endpoints.radiograph import Values, cortices, radiograph

#: Expected mRUST from which a fracture counts as united.
UNION = 10.0


def cortex_grades(signals: Mapping[str, np.ndarray], p: Values, score: str = "mRUST") -> np.ndarray:
    """Expected grade of each cortex in people; `signals` and `p` as in `radiograph.cortices`.

    Parameters
    ----------
    signals, p : mapping
        Curves and parameters.
    score : {"mRUST", "RUST"}
        Whose grades: 1 to 4, or 1 to 3.

    Returns
    -------
    ndarray
        Shape (4, ..., time); NaN where a signal is.
    """
    callus, bridged, gone = cortices(signals, p, "human")
    return 1 + callus * (1 + bridged * gone) if score == "RUST" else 1 + callus * (1 + bridged * (1 + gone))


def mrust(signals: Mapping[str, np.ndarray], p: Values, species: str) -> np.ndarray:
    """Expected modified radiographic union score for tibia, 4 to 16, shape (..., time); see `radiograph`."""
    return radiograph(signals, p, species)["mRUST"]


def rust(signals: Mapping[str, np.ndarray], p: Values, species: str) -> np.ndarray:
    """Expected radiographic union score for tibia, 4 to 12, shape (..., time); see `radiograph`."""
    return radiograph(signals, p, species)["RUST"]


def time_to_score(time: np.ndarray, expected: np.ndarray, score: float | np.ndarray) -> np.ndarray:
    """Day from which a film is read as `score` or more with about even odds, shape (...); NaN if never.

    A score that is a whole number is read as the nearest one, so the expectation has to pass half a point below it: an
    expectation never reaches the highest score.

    Parameters
    ----------
    time : ndarray
        Ascending [day], shape (time,).
    expected : ndarray
        Expected score or number of cortices, shape (..., time).
    score : float or ndarray
        Whole number that a film has to show, shape (...).
    """
    return first_above(time, expected, np.asarray(score, float) - 0.5)

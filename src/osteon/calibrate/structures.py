"""Several structures of the model in one answer: how much each weighs, and which draws are taken of each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from osteon.draws import uniform
from osteon.errors import InputError

#: Draws that a posterior has at most.
MOST_DRAWS = 200


def weights(log_evidence: Mapping[str, float]) -> dict[str, float]:
    """Weight of each structure from the log of its evidence, adding up to 1; all are as likely before the data.

    Each evidence is taken with the structure's own variance inflation, so that a structure which fits badly is charged
    for the wider errors that it needs, and not for the misfit twice.
    """
    names = list(log_evidence)
    values = np.array([log_evidence[name] for name in names], float)
    share = np.exp(values - values.max())
    return dict(zip(names, (share / share.sum()).tolist(), strict=True))


def allot(weight: Mapping[str, float], count: int, seed: int) -> dict[str, int]:
    """How many of `count` draws each structure gives, by systematic resampling: within one of its share.

    Raises
    ------
    InputError
        More draws are asked for than a posterior may have, or none.
    """
    if not 1 <= count <= MOST_DRAWS:
        raise InputError(f"{count} draws are not allowed (allowed: 1 to {MOST_DRAWS})", path="draws", value=count)
    edges = np.cumsum(list(weight.values()))
    places = (np.arange(count) + uniform(seed, 0, 1, "calibrate structures")) / count * edges[-1]
    # The last edge may round below the last place.
    taken = np.minimum(np.searchsorted(edges, places, side="right"), len(edges) - 1)
    return {name: int((taken == k).sum()) for k, name in enumerate(weight)}


def thin(available: int, count: int, seed: int, purpose: str) -> np.ndarray:
    """Places of `count` draws among `available`, evenly apart from a random beginning, shape (count,)."""
    if not count:
        return np.zeros(0, int)
    places = (np.arange(count) + uniform(seed, 0, 1, f"calibrate thin {purpose}")) / count * available
    return np.minimum(places.astype(int), available - 1)


def shuffled(count: int, seed: int, purpose: str) -> np.ndarray:
    """The numbers from 0 to `count`, the last left out, in random order."""
    return np.argsort(uniform(seed, 0, count, f"calibrate shuffle {purpose}"), kind="stable")

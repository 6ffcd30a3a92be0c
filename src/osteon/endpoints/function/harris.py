"""Harris hip score, item by item, for a fracture of the femoral neck.

Each item is a grade that a patient has when pain is below, or walking ability above, a limit; what is expected is the
mean over patients. Points are those of the score; the limits are assumed, since no source ties the grades to pain or
stiffness. A head with necrosis hurts and limps, and counts with its probability.
"""

from __future__ import annotations

import numpy as np

from osteon.endpoints.function.pain import WORST, gamma_of
from osteon.endpoints.function.values import Values, power

#: Points of the grades of each item from best to worst; motion is graded by degrees.
POINTS: dict[str, tuple[float, ...]] = {
    "pain": (44, 40, 30, 20, 10, 0),
    "limp": (11, 8, 5, 0),
    "support": (11, 7, 5, 3, 2, 0),
    "distance": (11, 8, 5, 2, 0),
    "sitting": (5, 3, 0),
    "stairs": (4, 2, 1, 0),
    "shoes": (4, 2, 0),
    "transport": (1, 0),
    "deformity": (4, 0),
    "motion": (5, 0),
}
_PAIN = ("pain_none", "pain_slight", "pain_mild", "pain_moderate", "pain_marked")
# Limits of walking ability between grades, evenly spaced: nothing is known of them.
_BY_ABILITY = ("limp", "support", "distance", "stairs", "transport")
_NORMAL = 1.702  # a logistic curve of this slope is within 0.01 of the normal one


def walking_ability(capacity: np.ndarray, pain: np.ndarray, p: Values) -> np.ndarray:
    """Walking ability, 0 to 1, from stiffness over its limit and pain, of their shape (...).

    Parameters
    ----------
    capacity : ndarray
        Stiffness of bone and implant over that from which full load is allowed, shape (...).
    pain : ndarray
        Pain of 0 to 10, shape (...).
    p : mapping of str to float or ndarray
        Parameters ``harris.*`` and ``weight_bearing.*``, floats or of shape (...).
    """
    sharpness = p["harris.sharpness"]
    stiff = power(capacity, sharpness)
    hurt = power(pain / p["weight_bearing.pain_limit"], sharpness)
    return stiff / (1 + stiff) / (1 + hurt)


def harris_items(
    pain: np.ndarray, ability: np.ndarray, displaced: bool | np.ndarray, p: Values, *, spread: bool = True
) -> dict[str, np.ndarray]:
    """Points of each item of the Harris hip score.

    Parameters
    ----------
    pain : ndarray
        Pain of 0 to 10, shape (...).
    ability : ndarray
        Walking ability, 0 to 1, shape (...).
    displaced : bool or ndarray
        Whether the fracture was displaced, shape (...).
    p : mapping of str to float or ndarray
        Parameters ``harris.*`` and ``pain.*``, floats or of shape (...).
    spread : bool
        Whether pain and ability are means over patients, which gives expected points; else they are one patient's own,
        which gives the points of a form.

    Returns
    -------
    dict of str to ndarray
        By item in the order of `POINTS`, each of shape (...); they sum to at most 100.
    """
    pain, ability = np.broadcast_arrays(np.asarray(pain, float), np.asarray(ability, float))

    def hurts_less(limit: float | np.ndarray) -> np.ndarray:
        if not spread:
            return (pain <= limit).astype(float)
        from scipy.special import gammainc

        shape, scale = gamma_of(pain, p)
        return gammainc(shape, limit / scale)

    def walks_better(limit: float) -> np.ndarray:
        if not spread:
            return (ability >= limit).astype(float)
        return 1 / (1 + np.exp(-_NORMAL * (ability - limit) / p["harris.ability_spread"]))

    found = {"pain": _graded("pain", [hurts_less(p[f"harris.{name}"]) for name in _PAIN])}
    for item in _BY_ABILITY:
        grades = len(POINTS[item])
        found[item] = _graded(item, [walks_better(1 - rank / grades) for rank in range(1, grades)])
    found["sitting"] = _graded(
        "sitting", [hurts_less(p[f"harris.{name}"]) for name in ("pain_slight", "pain_moderate")]
    )
    motion = p["harris.motion_rest"] + (1 - np.asarray(p["harris.motion_rest"])) * ability
    found["motion"] = POINTS["motion"][0] * motion
    found["shoes"] = _graded("shoes", [walks_better(1 / 2), walks_better(1 / 4)])
    deformed = np.where(displaced, p["harris.deformity_displaced"], 0.0)
    found["deformity"] = POINTS["deformity"][0] * (1 - deformed if spread else np.ones(np.shape(deformed)))
    absent = 0 * pain * ability  # not a number stays so
    return {item: found[item] + absent for item in POINTS}


def harris_score(
    pain: float | np.ndarray,
    capacity: float | np.ndarray,
    displaced: bool | np.ndarray,
    necrosis: float | np.ndarray,
    p: Values,
) -> np.ndarray:
    """Expected Harris hip score of 0 to 100, shape (...), with the share `necrosis` of heads that are necrotic.

    `capacity` is that of `walking_ability`, `displaced` and `p` those of `harris_items`.
    """
    pain, capacity = np.asarray(pain, float), np.asarray(capacity, float)
    ability = walking_ability(capacity, pain, p)
    sound = _total(harris_items(pain, ability, displaced, p))
    worse = np.minimum(pain + p["harris.necrosis_pain"], WORST)
    limping = ability * p["harris.necrosis_ability"]
    return (1 - necrosis) * sound + necrosis * _total(harris_items(worse, limping, displaced, p))


def _total(items: dict[str, np.ndarray]) -> np.ndarray:
    return np.asarray(sum(items.values()))


def _graded(item: str, better: list[np.ndarray]) -> np.ndarray:
    """Points of an item from the shares of patients that are better than each limit, best grade first."""
    points = POINTS[item]
    steps = zip(points[:-1], points[1:], better, strict=True)
    return np.asarray(points[-1] + sum((best - next_best) * share for best, next_best, share in steps))

"""Pain after a fracture: what trials ask for on a visual analogue scale of 0 to 10.

Pain is the sum of two parts: one follows inflammation once it has passed its peak, the other is that of a fracture
which is not yet stiff, and fades some weeks after it is. Both are fitted to one untreated arm in the distal radius and
taken over to other bones, where nobody has tested them. Pain of the operation, of nerves and joints, and of analgesics
left off is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from osteon.draws import normal
from osteon.endpoints.function.values import Values, over_time, power

#: Upper end of the scale.
WORST = 10.0
_GRID = 24


def pain(
    time: np.ndarray, inflammation: np.ndarray, stiffness: np.ndarray, p: Values, chronic: float | np.ndarray = 0.0
) -> np.ndarray:
    """Expected pain of a fracture on the visual analogue scale.

    Parameters
    ----------
    time : ndarray
        Days from the fracture, ascending from the fracture on, shape (time,).
    inflammation : ndarray
        Inflammation [1], shape (..., time); NaN after a patient's own horizon.
    stiffness : ndarray
        Torsional stiffness, fraction of intact bone, shape (..., time).
    p : mapping of str to float or ndarray
        Parameters ``pain.*``, floats or of shape (...).
    chronic : float or ndarray
        Standing inflammation, which does not hurt, shape (...).

    Returns
    -------
    ndarray
        Points from 0 to 10, shape (..., time). The mean of many such patients; see `pain_sd` for one of them.
    """
    acute = over_time(p["pain.per_inflammation"]) * _after_peak(inflammation, chronic)
    late = _unhealed(time, stiffness, p["pain.fading"], p["pain.stiffness_half"], p["pain.sharpness"])
    return np.minimum(acute + over_time(p["pain.unhealed"]) * late, WORST)


def pain_sd(expected: np.ndarray, p: Values) -> np.ndarray:
    """SD of pain between patients of the same expected pain, with the error of asking in it, of any shape."""
    return p["pain.spread"] * power(expected, p["pain.spread_exponent"])


def pain_reported(
    expected: np.ndarray, days: Sequence[float], p: Mapping[str, float], seed: int, lo: int
) -> np.ndarray:
    """Pain that patients report at visits: a gamma distribution about what is expected, cut at 10.

    Parameters
    ----------
    expected : ndarray
        Expected pain at each visit, shape (patients, visits).
    days : sequence of float
        Day of each visit, which keys its random numbers: a further visit changes no other.
    p : mapping of str to float
        Parameters ``pain.*``.
    seed : int
        Seed of the trial.
    lo : int
        Number of the first patient.

    Returns
    -------
    ndarray
        Points from 0 to 10, shape (patients, visits).
    """
    from scipy.special import gammaincinv, ndtr

    patients, own = len(expected), p["pain.persistence"]
    steady = normal(seed, lo, lo + patients, "pain of the patient")
    visits = [normal(seed, lo, lo + patients, f"pain on day {day:g}") for day in days]
    z = np.sqrt(own) * steady[:, None] + np.sqrt(1 - own) * np.stack(visits, axis=-1)
    shape, scale = gamma_of(expected, p)
    return np.minimum(gammaincinv(shape, ndtr(z)) * scale, WORST)


def gamma_of(expected: np.ndarray, p: Values) -> tuple[np.ndarray, np.ndarray]:
    """Shape and scale of the gamma distribution of pain between patients, each of the shape of `expected`."""
    mean = np.maximum(expected, 1e-6)
    variance = pain_sd(mean, p) ** 2
    return mean**2 / variance, variance / mean


def fit_pain(
    time: np.ndarray,
    inflammation: np.ndarray,
    stiffness: np.ndarray,
    days: np.ndarray,
    means: np.ndarray,
    errors: np.ndarray,
    p: Mapping[str, float],
) -> dict[str, tuple[float, float]]:
    """Fit the three sizes of `pain` to the mean pain of one arm.

    Parameters
    ----------
    time, inflammation, stiffness : ndarray
        Course of a usual patient of that arm from the fracture on, each of shape (time,).
    days, means, errors : ndarray
        Day of each visit, mean pain and its standard error, each of shape (visits,).
    p : mapping of str to float
        ``pain.stiffness_half`` and ``pain.sharpness``, which five means do not determine.

    Returns
    -------
    dict of str to tuple of float
        Value and standard error of ``pain.per_inflammation``, ``pain.unhealed`` and ``pain.fading``.
    """
    acute = np.interp(days, time, _after_peak(inflammation, 0.0))

    def parts(fading: float) -> np.ndarray:
        late = _unhealed(time, stiffness, fading, p["pain.stiffness_half"], p["pain.sharpness"])
        return np.stack([acute, np.interp(days, time, late)], axis=-1) / errors[:, None]

    def sizes(fading: float) -> np.ndarray:
        return np.linalg.lstsq(parts(fading), means / errors, rcond=None)[0]

    def misfit(fading: float) -> float:
        return float(np.sum((parts(fading) @ sizes(fading) - means / errors) ** 2))

    grid = np.geomspace(1.0, 500.0, _GRID)
    for _ in range(4):
        place = int(np.argmin([misfit(one) for one in grid]))
        grid = np.linspace(grid[max(place - 1, 0)], grid[min(place + 1, len(grid) - 1)], _GRID)
    fading = float(grid[int(np.argmin([misfit(one) for one in grid]))])
    early, late = sizes(fading)
    step = 1e-4 * fading
    slope = (parts(fading + step) - parts(fading - step)) @ np.array([early, late]) / (2 * step)
    information = np.column_stack([parts(fading), slope])
    error = np.sqrt(np.diag(np.linalg.inv(information.T @ information)))
    names = ("pain.per_inflammation", "pain.unhealed", "pain.fading")
    return {name: (float(v), float(e)) for name, v, e in zip(names, (early, late, fading), error, strict=True)}


def _after_peak(inflammation: np.ndarray, chronic: float | np.ndarray) -> np.ndarray:
    """Inflammation above its standing level, before its peak the peak: the break itself hurts from the start."""
    raised = np.maximum(inflammation - over_time(chronic), 0.0)
    still = np.fmax.accumulate(raised[..., ::-1], axis=-1)[..., ::-1]
    return np.where(np.isnan(inflammation), np.nan, still)


def _unhealed(
    time: np.ndarray,
    stiffness: np.ndarray,
    fading: float | np.ndarray,
    half: float | np.ndarray,
    sharpness: float | np.ndarray,
) -> np.ndarray:
    """Share of the pain of an unhealed fracture that is left: it follows lack of stiffness at a rate of its own."""
    lack = 1 / (1 + power(stiffness / over_time(half), over_time(sharpness)))
    kept = np.moveaxis(np.exp(-np.diff(time) / over_time(fading)), -1, 0)
    still = np.empty_like(lack)
    level = still[..., 0] = lack[..., 0]
    for i, share in enumerate(kept):
        level = share * level + (1 - share) * 0.5 * (lack[..., i] + lack[..., i + 1])
        still[..., i + 1] = level
    return still

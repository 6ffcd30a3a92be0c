"""Regimens compared under the same draws: medians and intervals, paired differences, and the trade-off front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from osteon.trial.dosing_measures import FRONT, MEASURES, Measure, measure

#: Ends and middle of what nine tenths of the draws hold.
SHARES = (0.05, 0.5, 0.95)
#: Share of the draws that must agree before a difference counts as larger than the uncertainty.
AGREED = 0.95


@dataclass(frozen=True)
class Cell:
    """One measure of one regimen over the draws, and its difference to the regular one, draw by draw.

    Attributes
    ----------
    regimen, measure : str
    n : int
        Draws that were solved.
    reached : int
        Those in which a time is reached.
    median, low, high : float
        Infinite where a time is not reached by then; NaN without a draw.
    difference, difference_low, difference_high : float
        Median and 5 to 95 % of the differences, draw by draw.
    more, less : float
        Share of the draws in which it is more and less than the regular one, by at least half a step of the grid.
    verdict : {"reference", "more", "less", "same", "open"}
        ``more``, ``less`` or ``same`` (within half a step) in at least 95 % of the draws; ``open`` where neither.
    """

    regimen: str
    measure: str
    n: int
    reached: int
    median: float
    low: float
    high: float
    difference: float
    difference_low: float
    difference_high: float
    more: float
    less: float
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values; what is not finite is None."""
        return {name: plain(one) for name, one in asdict(self).items()}


def plain(value: Any) -> Any:
    """Return a value as JSON can have it; what is not finite is None."""
    return None if isinstance(value, float) and not np.isfinite(value) else value


def quantiles(values: np.ndarray) -> tuple[float, float, float]:
    """5, 50 and 95 % of values that may be infinite, linear between finite ones; NaN of none.

    Parameters
    ----------
    values : ndarray
        Shape (n,), without NaN.
    """
    if not len(values):
        return np.nan, np.nan, np.nan
    ordered, found = np.sort(values), []
    for share in SHARES:
        place = share * (len(ordered) - 1)
        low, high = ordered[int(np.floor(place))], ordered[int(np.ceil(place))]
        # Between a finite value and an infinite one is nothing.
        found.append(float(low if low == high or np.isinf(low) else low + (high - low) * (place % 1.0)))
    return found[0], found[1], found[2]


def compare(values: Mapping[str, np.ndarray], names: Sequence[str], reference: str) -> list[Cell]:
    """Every measure of every regimen, with its difference to the reference.

    Parameters
    ----------
    values : mapping of str to ndarray
        By measure, shape (regimens, draws); infinite where a time is not reached, NaN where it failed.
    names : sequence of str
        Regimens.
    reference : str
        One of them.
    """
    base = list(names).index(reference)
    return [
        _cell(name, one, values[one.name][place], values[one.name][base], name == reference)
        for place, name in enumerate(names)
        for one in MEASURES
    ]


def _cell(name: str, one: Measure, own: np.ndarray, regular: np.ndarray, is_reference: bool) -> Cell:
    solved = own[~np.isnan(own)]
    low, middle, high = quantiles(solved)
    paired = ~np.isnan(own) & ~np.isnan(regular)
    # Where neither is reached, which is later is not known.
    paired &= np.isfinite(own) | np.isfinite(regular)
    differences = own[paired] - regular[paired]
    below, between, above = quantiles(differences)
    count = max(len(differences), 1)
    more, less = ((differences >= one.grid / 2).sum() / count, (differences <= -one.grid / 2).sum() / count)
    verdict = "reference" if is_reference else _verdict(more, less, len(differences))
    return Cell(
        name,
        one.name,
        len(solved),
        int(np.isfinite(solved).sum()),
        middle,
        low,
        high,
        between,
        below,
        above,
        float(more),
        float(less),
        verdict,
    )


def _verdict(more: float, less: float, n: int) -> str:
    if not n:
        return "open"
    return next(
        (told for told, share in (("more", more), ("less", less), ("same", 1 - more - less)) if share >= AGREED), "open"
    )


@dataclass(frozen=True)
class Front:
    """The regimens that no other beats.

    Attributes
    ----------
    share : mapping of str to float
        Share of the draws in which each regimen is on the front; NaN without a draw.
    at_medians : tuple of str
        Regimens on the front of the medians.
    beaten_by : mapping of str to tuple of str
        Which regimens beat each of the others there.
    draws : int
        Draws in which every regimen was solved.
    """

    share: Mapping[str, float]
    at_medians: tuple[str, ...]
    beaten_by: Mapping[str, tuple[str, ...]]
    draws: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "measures": list(FRONT),
            "draws": self.draws,
            "share": {name: plain(one) for name, one in self.share.items()},
            "at_medians": list(self.at_medians),
            "beaten_by": {name: list(others) for name, others in self.beaten_by.items()},
        }


def beats(scores: np.ndarray) -> np.ndarray:
    """Which regimen beats which: nowhere worse, and somewhere better.

    Parameters
    ----------
    scores : ndarray
        More is better, shape (regimens, ..., measures).

    Returns
    -------
    ndarray of bool
        Whether the first beats the second, shape (regimens, regimens, ...).
    """
    first, second = scores[:, None], scores[None, :]
    return np.asarray((first >= second).all(axis=-1) & (first > second).any(axis=-1))


def front(values: Mapping[str, np.ndarray], names: Sequence[str]) -> Front:
    """The trade-off front over union, remodelling, density and rebound, one measure each; shapes as in `compare`."""
    stacked = np.stack([values[name] for name in FRONT], axis=-1)
    there = ~np.isnan(stacked).any(axis=(0, 2))
    whole = _scores(stacked[:, there])
    unbeaten = ~beats(whole).any(axis=0)
    share = unbeaten.mean(axis=-1) if there.any() else np.full(len(names), np.nan)
    middle = [[quantiles(row[~np.isnan(row)])[1] for row in values[name]] for name in FRONT]
    central = np.array(middle, float).T
    # A regimen that was never solved has no place.
    placed = np.flatnonzero(~np.isnan(central).any(axis=-1)).tolist()
    beating = beats(_scores(central))
    beaten = {
        name: tuple(names[int(other)] for other in np.flatnonzero(beating[:, place]))
        for place, name in enumerate(names)
        if place in placed
    }
    return Front(
        {name: float(one) for name, one in zip(names, share, strict=True)},
        tuple(name for name, others in beaten.items() if not others),
        {name: others for name, others in beaten.items() if others},
        int(there.sum()),
    )


def _scores(values: np.ndarray) -> np.ndarray:
    """Values of the front's measures as scores of which more is better, on the grid of each."""
    chosen = [measure(name) for name in FRONT]
    grid, sign = np.array([one.grid for one in chosen]), np.array([one.sign for one in chosen])
    return sign * np.round(values / grid)

"""Candidates of a study: their traits, drawn from a Gaussian copula, and the moments that weighting looks at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.draws import uniform
from osteon.errors import MissingExtra
from osteon.trial.study_population import TRAITS_IN_ORDER, correlation_matrix
from osteon.trial.study_traits import CHOICES, UNITS

if TYPE_CHECKING:
    from osteon.trial.study import Study

_FROM_WHICH = "member"


def normal_functions() -> tuple[Any, Any]:
    """The normal distribution function and its inverse, on arrays."""
    try:
        from scipy.special import ndtr, ndtri
    except ImportError:
        raise MissingExtra("Enrolling people", "trial") from None
    return ndtr, ndtri


def candidates(study: Study, lo: int, hi: int) -> dict[str, np.ndarray]:
    """Traits of candidates `lo` to `hi`, the last left out.

    Parameters
    ----------
    study : Study
        Whose population.
    lo, hi : int
        Numbers of candidates; each is the same whatever others are drawn.

    Returns
    -------
    dict of str to ndarray
        By trait, each of shape (hi - lo,): age [yr], weight [kg], gfr [mL/min] and vitamin_d [nmol/L] where people
        have them, words, flags, and ``member`` of the callus kinetics.
    """
    ndtr, ndtri = normal_functions()
    population, size = study.population, hi - lo
    free = population.varying()
    shares = {name: uniform(study.seed, lo, hi, f"candidate {name}") for name in free}
    linked = [name for name in free if any(name in one.traits for one in population.correlation)]
    if linked:
        names = list(free)
        places = [names.index(name) for name in linked]
        root = np.linalg.cholesky(correlation_matrix(population)[np.ix_(places, places)])
        mixed = root @ ndtri(np.stack([shares[name] for name in linked]))
        shares |= dict(zip(linked, ndtr(mixed), strict=True))
    settled = population.settled(study.patient, study.fracture)
    found: dict[str, np.ndarray] = {}
    for name in TRAITS_IN_ORDER:
        if name in free:
            found[name] = _valued(name, free[name], shares[name], study.patient.species)
        elif settled[name] is not None:
            found[name] = np.full(size, settled[name])
    which = np.floor(uniform(study.seed, lo, hi, f"candidate {_FROM_WHICH}") * len(_members(study))).astype(int)
    found[_FROM_WHICH] = np.array(_members(study))[which]
    return found


def _members(study: Study) -> tuple[str, ...]:
    # Without a fracture the members do not differ.
    return study.population.members if study.fracture is not None else study.population.members[:1]


def _valued(name: str, distribution: Any, share: np.ndarray, species: str) -> np.ndarray:
    """Values below which a share of the people lies; a higher share is a higher number, a later word, or true."""
    if name in UNITS:
        return _number(distribution, share, species)
    if name in CHOICES:
        words = [word for word in CHOICES[name]() if distribution.shares.get(word, 0) > 0]
        ends = np.cumsum([distribution.shares[word] for word in words])
        return np.array(words)[np.minimum(np.searchsorted(ends, share, side="right"), len(words) - 1)]
    return share > 1 - distribution.share


def _number(distribution: Any, share: np.ndarray, species: str) -> np.ndarray:
    low, high = distribution.bounds(species)
    if distribution.kind == "uniform":
        return low + (high - low) * share
    ndtr, ndtri = normal_functions()
    middle, spread = distribution.around()
    first, last = (ndtr((distribution.scaled(bound) - middle) / spread) for bound in (low, high))
    value = middle + spread * ndtri(first + (last - first) * share)
    return np.clip(np.exp(value) if distribution.kind == "lognormal" else value, low, high)


def moments(study: Study, traits: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """What weighting looks at.

    Returns
    -------
    moments : ndarray
        Shape (candidates, moments).
    wanted : ndarray
        Mean of each that those enrolled should have, shape (moments,).
    names : list of str
        What each is, as a path below ``population.target``.
    """
    columns, wanted, names = [], [], []
    target = study.population.target
    for name in TRAITS_IN_ORDER:
        goal = None if target is None else getattr(target, name)
        if goal is None:
            continue
        value = traits[name]
        if name in UNITS:
            columns.append(value)
            wanted.append(goal.mean)
            names.append(f"{name}.mean")
            if goal.sd is not None:
                columns.append((value - goal.mean) ** 2)
                wanted.append(goal.sd**2)
                names.append(f"{name}.sd")
        elif name in CHOICES:
            # Shares of all choices add up to one, so that the last says nothing new.
            whole = sum(goal.values()) > 1 - 1e-9
            for word, share in list(goal.items())[: -1 if whole else None]:
                columns.append((value == word).astype(float))
                wanted.append(share)
                names.append(f"{name}.{word}")
        else:
            columns.append(value.astype(float))
            wanted.append(goal)
            names.append(name)
    return np.stack(columns, axis=-1), np.array(wanted), names

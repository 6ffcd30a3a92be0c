"""Films and scores at the visits of a trial: what readers write down, and when they first see union.

A film shows the curves of its own day. Errors of a reader are keyed by patient, visit and reader and not by the arm, so
twins are read with the same errors. Without reader noise a film shows the expected score, and union is seen from the
day the model gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from osteon.trial.wanted import READ

if TYPE_CHECKING:
    from osteon.endpoints import Film
    from osteon.endpoints.readers import Errors as ReaderErrors
    from osteon.trial.study_design import Reader


class Reading(NamedTuple):
    """What is written down of the films of one arm.

    Attributes
    ----------
    scores : dict of str to ndarray
        ``RUST``, ``mRUST`` and ``cortices_bridged``, shape (patients, visits); NaN where there is no film.
    films : tuple of Film
        One of each reader; empty without noise.
    """

    scores: dict[str, np.ndarray]
    films: tuple[Film, ...]


Errors = Mapping[str, "tuple[ReaderErrors, ...]"]


def errors_of(reader: Reader, seed: int, lo: int, hi: int, visits: int) -> Errors:
    """Errors of every reader who is asked, by reader: the same whatever arm is read; empty without noise.

    Parameters
    ----------
    reader : Reader
        How many read, how two readings become one, and whether readers differ.
    seed : int
        Of the study.
    lo, hi : int
        Numbers of the first patient and of the one after the last.
    visits : int
        Planned visits.
    """
    from osteon.endpoints.readers import reader_errors

    who = ("1", "2")[: 1 if reader.adjudication == "one" else reader.readers] if reader.noise else ()
    return {name: reader_errors(seed, lo, hi, visits, name) for name in who}


def read(
    signals: Mapping[str, np.ndarray],
    values: Mapping[str, np.ndarray],
    reader: Reader,
    species: str,
    errors: Errors,
) -> Reading:
    """Read the films of one arm.

    Parameters
    ----------
    signals : mapping of str to ndarray
        Curves of the callus on the day of each visit, shape (patients, visits); NaN where there is none.
    values : mapping of str to ndarray
        Parameters ``radiograph.*`` of each patient, shape (patients,).
    reader : Reader
        How many read, how two readings become one, and whether readers differ.
    species : str
        Of the patients.
    errors : mapping of str to tuple of ReaderErrors
        As `errors_of` draws them for these patients; empty without noise.
    """
    from osteon.endpoints import cortices, radiograph
    from osteon.endpoints.readers import read_films

    if not reader.noise:
        scores = radiograph(signals, values, species)
        return Reading({name: scores[name] for name in READ}, ())
    chances = cortices(signals, values, species)
    films = tuple(read_films(chances, values, 0, errors=own) for own in errors.values())
    return Reading({name: np.mean([getattr(film, name) for film in films], axis=0) for name in READ}, films)


def union_seen(
    reading: Reading, rule: str, adjudication: str, stiffness: np.ndarray | None, level: np.ndarray
) -> np.ndarray:
    """Whether each film shows union: 1, 0, or NaN where there is none, shape (patients, visits).

    Parameters
    ----------
    reading : Reading
        With the films of at least one reader.
    rule : str
        A key of `osteon.endpoints.RULES`.
    adjudication : {"one", "both", "mean"}
        The first reader alone, both must see it, or the mean of their scores must show it.
    stiffness : ndarray or None
        Torsional stiffness at the visits [fraction of intact], for the rule of that name, shape (patients, visits).
    level : ndarray
        Stiffness at which that rule holds [fraction of intact], shape (patients,).
    """
    from osteon.endpoints import RULES, united

    chosen = RULES[rule]
    if chosen.film is None:
        seen = np.asarray(stiffness, float)
        return np.where(np.isnan(seen), np.nan, seen >= np.asarray(level)[:, None])
    if adjudication == "mean":
        score = reading.scores[chosen.curve]
        return np.where(np.isnan(score), np.nan, score >= chosen.film)
    # The least of several: union counts when every reader who is asked sees it.
    return np.min([united(film, rule) for film in reading.films], axis=0)


def at_visits(time: np.ndarray, curves: Mapping[str, np.ndarray], days: np.ndarray) -> dict[str, np.ndarray]:
    """Values of curves on the days of visits, shape (patients, visits); a day after the course shows its end."""
    from osteon.endpoints import recorded

    return recorded(time, curves, np.minimum(days, time[-1]))

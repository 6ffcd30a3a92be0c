"""Films as a reader grades them: whole grades of each cortex, whose mean is what the course expects.

Each outcome of a cortex shows when a uniform number is below its chance. Behind that number are three normal ones: of
the cortex, which stays the same at every visit and for every reader, since cortices of one patient differ; of the
reader for the whole film, who is lenient or strict; and of the reader for the cortex. The share of the reader decides
how well two readers agree and leaves the mean grade as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from osteon.draws import normal
from osteon.endpoints.radiograph import CORTICES, Cortices, Values


class Film(NamedTuple):
    """What a reader writes down of each cortex, shape (4, ..., visits); NaN where there is no film.

    Attributes
    ----------
    callus : ndarray
        0 none, 1 callus, 2 bridging callus.
    line_gone : ndarray
        1 where no fracture line is left, else 0.
    """

    callus: np.ndarray
    line_gone: np.ndarray

    @property
    def RUST(self) -> np.ndarray:
        """Radiographic union score for tibia, 4 to 12, shape (..., visits)."""
        return (1 + np.minimum(self.callus, 1) + self.line_gone).sum(axis=0)

    @property
    def mRUST(self) -> np.ndarray:
        """Modified radiographic union score for tibia, 4 to 16, shape (..., visits)."""
        return (1 + self.callus + self.line_gone).sum(axis=0)

    @property
    def cortices_bridged(self) -> np.ndarray:
        """Number of bridged cortices, 0 to 4, shape (..., visits)."""
        return np.maximum(self.callus - 1, 0).sum(axis=0)

    @property
    def cortices_without_line(self) -> np.ndarray:
        """Number of cortices without a fracture line, 0 to 4, shape (..., visits)."""
        return self.line_gone.sum(axis=0)


class Errors(NamedTuple):
    """Standard normal numbers of one outcome: of the cortex, of the film's reader, and of the reader for the cortex."""

    cortex: np.ndarray
    film: np.ndarray
    own: np.ndarray


def read_films(
    chances: Cortices,
    p: Values,
    seed: int,
    lo: int = 0,
    reader: str = "1",
    errors: Sequence[Errors] | None = None,
) -> Film:
    """Have a reader grade the films of patients.

    Parameters
    ----------
    chances : Cortices
        Chances at the visits, each of shape (4, patients, visits).
    p : mapping of str to float or ndarray
        ``radiograph.reader_share`` and ``radiograph.reader_common`` [1], floats or of shape (patients,).
    seed : int
        Of the draws.
    lo : int
        Number of the first patient; a patient's films do not depend on who else is read.
    reader : str
        Who reads; another name gives other errors on the same films.
    errors : sequence of Errors, optional
        As `reader_errors` draws them for this seed, these patients and this reader, to read more films of theirs.
    """
    return _graded(chances, _errors_on(chances, seed, lo, reader) if errors is None else errors, p)


def reader_errors(seed: int, lo: int, hi: int, visits: int, reader: str = "1") -> tuple[Errors, ...]:
    """Errors of a reader on the films of patients, whatever the films show.

    Parameters
    ----------
    seed : int
        Of the draws.
    lo, hi : int
        Numbers of the first patient and of the one after the last.
    visits : int
        How many films each has.
    reader : str
        Who reads.

    Returns
    -------
    tuple of Errors
        One for each outcome of a cortex; ``cortex`` of shape (4, patients, 1), ``film`` (patients, visits), ``own``
        (4, patients, visits).
    """
    found = []
    for outcome in Cortices._fields:
        # Numbers of each outcome by itself, so that chances of one after the other multiply.
        key = f"radiograph {outcome}"
        cortex = np.stack([normal(seed, lo, hi, f"{key} cortex {place}") for place in range(CORTICES)])[..., None]
        film, own = np.empty((hi - lo, visits)), np.empty((CORTICES, hi - lo, visits))
        for visit in range(visits):
            film[:, visit] = normal(seed, lo, hi, f"{key} reader {reader} visit {visit}")
            for place in range(CORTICES):
                own[place, :, visit] = normal(seed, lo, hi, f"{key} reader {reader} visit {visit} cortex {place}")
        found.append(Errors(cortex, film, own))
    return tuple(found)


def icc(readings: np.ndarray) -> float:
    """Intraclass correlation of single readings, two-way random effects and absolute agreement: ICC(2,1).

    Parameters
    ----------
    readings : ndarray
        Shape (films, readers), without NaN. Shrout and Fleiss 1979, doi 10.1037/0033-2909.86.2.420.
    """
    films, readers = readings.shape
    mean = readings.mean()
    of_film, of_reader = readings.mean(axis=1, keepdims=True), readings.mean(axis=0, keepdims=True)
    between = readers * ((of_film - mean) ** 2).sum() / (films - 1)
    judges = films * ((of_reader - mean) ** 2).sum() / (readers - 1)
    error = ((readings - of_film - of_reader + mean) ** 2).sum() / ((films - 1) * (readers - 1))
    return float((between - error) / (between + (readers - 1) * error + readers * (judges - error) / films))


def agreement(
    chances: Cortices, p: Values, seed: int, score: str = "RUST", readers: Sequence[str] = ("1", "2"), lo: int = 0
) -> float:
    """ICC of readers of the same films; `score` is a number that a `Film` gives, the rest as in `read_films`."""
    return _agreement(chances, [_errors_on(chances, seed, lo, reader) for reader in readers], p, score)


def reader_share(chances: Cortices, p: Values, target: float, seed: int, score: str = "RUST") -> float:
    """Share of the reader at which two readers agree with an ICC of `target` on these films.

    To be found anew when thresholds move: agreement depends on how many cortices are in doubt, and on how patients
    and visits differ. Found by halving, with the same draws throughout; 0 or 1 where the target is out of reach.
    """
    errors = [_errors_on(chances, seed, 0, reader) for reader in ("1", "2")]
    low, high = 0.0, 1.0
    for _ in range(20):
        middle = (low + high) / 2
        found = _agreement(chances, errors, {**p, "radiograph.reader_share": middle}, score)
        low, high = (middle, high) if found > target else (low, middle)
    return (low + high) / 2


def _errors_on(chances: Cortices, seed: int, lo: int, reader: str) -> tuple[Errors, ...]:
    _, patients, visits = chances.callus.shape
    return reader_errors(seed, lo, lo + patients, visits, reader)


def _graded(chances: Cortices, errors: Sequence[Errors], p: Values) -> Film:
    from scipy.special import ndtr

    names = ("reader_share", "reader_common")
    share, common = (np.asarray(p[f"radiograph.{name}"], float)[..., None] for name in names)
    shown = []
    for chance, (cortex, film, own) in zip(chances, errors, strict=True):
        reader = np.sqrt(common) * film + np.sqrt(1 - common) * own
        shown.append(ndtr(np.sqrt(1 - share) * cortex + np.sqrt(share) * reader) < chance)
    callus, bridged, gone = shown
    missing = np.isnan(chances.callus + chances.bridged + chances.line_gone)
    bridged &= callus
    return Film(
        np.where(missing, np.nan, callus.astype(float) + bridged),
        np.where(missing, np.nan, (bridged & gone).astype(float)),
    )


def _agreement(chances: Cortices, errors: Sequence[Sequence[Errors]], p: Mapping, score: str) -> float:
    read = np.stack([getattr(_graded(chances, one, p), score).reshape(-1) for one in errors], axis=-1)
    return icc(read[~np.isnan(read).any(axis=-1)])

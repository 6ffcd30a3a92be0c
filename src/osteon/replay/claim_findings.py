"""What runs with a module of their own find: numbers by name, tables and statements; how cohorts become trials."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from osteon.draws import normal, uniform
from osteon.parameters import Record
from osteon.replay.claim_measures import HIGH, LOW, Estimate

#: Cell of a table: a number, words in English and Chinese, or nothing.
Cell = Estimate | tuple[str, str] | None

REPEATS = 1000  # virtual trials
_Z90 = 1.6448536269514722  # standard normal value below which 95 % lie


@dataclass(frozen=True)
class Row:
    """One row of a table: its name in both languages, and a number, words or nothing for each column."""

    en: str
    zh: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """Numbers side by side, with names of the columns in both languages."""

    en: str
    zh: str
    heads: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Findings:
    """Numbers by name, tables, and what is to be said plainly, in both languages."""

    numbers: Mapping[str, Estimate]
    tables: tuple[Table, ...] = ()
    statements: tuple[tuple[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "numbers": {name: one.to_dict() for name, one in self.numbers.items()},
            "tables": [
                {
                    "title": {"en": table.en, "zh": table.zh},
                    "columns": [{"en": en, "zh": zh} for en, zh in table.heads],
                    "rows": [
                        {"en": row.en, "zh": row.zh, "cells": [_plain(one) for one in row.cells]} for row in table.rows
                    ],
                }
                for table in self.tables
            ],
            "statements": [{"en": en, "zh": zh} for en, zh in self.statements],
        }


def _plain(cell: Cell) -> Any:
    if isinstance(cell, Estimate):
        return cell.to_dict()
    return cell and {"en": cell[0], "zh": cell[1]}


def trials(seed: int, patients: int | np.ndarray, size: int, purpose: str, repeats: int = REPEATS) -> np.ndarray:
    """Patients of repeated virtual trials, drawn with replacement, shape (repeats, size).

    Parameters
    ----------
    patients : int or ndarray
        How many, or the group of each, shape (patients,). Trials take their patients from one group, each group in
        turn: those of a group have one draw of the posteriors and one member, which is the same for a whole trial.
    purpose : str
        Names the random numbers; the group of a trial does not depend on it.
    """
    at = uniform(seed, 0, repeats * size, purpose).reshape(repeats, size)
    if isinstance(patients, int):
        return np.floor(at * patients).astype(int)
    places = [np.flatnonzero(patients == one) for one in np.unique(patients)]
    picks = [places[number % len(places)] for number in range(repeats)]
    return np.stack([own[np.floor(one * len(own)).astype(int)] for own, one in zip(picks, at, strict=True)])


def mean_ratio(times: np.ndarray, other: np.ndarray, picks: np.ndarray, others: np.ndarray | None = None) -> Estimate:
    """Ratio of mean times of all patients, and its 90 % interval over repeated trials.

    Parameters
    ----------
    times, other : ndarray
        Times of the same patients in two arms, finite, shape (patients,) [day].
    picks : ndarray
        Patients of each trial, shape (repeats, size).
    others : ndarray, optional
        Patients of the other arm; left out, the same ones, so that chance hardly plays a part.
    """
    ratios = times[picks].mean(axis=1) / other[picks if others is None else others].mean(axis=1)
    return _over(float(times.mean() / other.mean()), ratios, "twins" if others is None else "trials", picks)


def interaction(both: np.ndarray, one: np.ndarray, two: np.ndarray, none: np.ndarray, picks: np.ndarray) -> Estimate:
    """Ratio of mean times with both factors over what the two make by themselves; arguments as in `mean_ratio`."""
    every = np.arange(len(both))[None]

    def of(chosen: np.ndarray) -> np.ndarray:
        a, b, c, d = (times[chosen].mean(axis=1) for times in (both, one, two, none))
        return (a / b) / (c / d)

    return _over(float(of(every)[0]), of(picks), "twins", picks)


def _over(value: float, ratios: np.ndarray, over: str, picks: np.ndarray) -> Estimate:
    low, high = np.percentile(ratios, [LOW, HIGH])
    return Estimate(value, float(low), float(high), "ratio", over, picks.shape[1])


def explained(factor: Estimate, gap: Estimate) -> Estimate:
    """How much of a gap a factor could explain, as a share of the gap on the scale of logarithms."""
    whole = math.log(gap.value)
    ends = sorted(math.log(one) / whole for one in (factor.low, factor.high)) if factor.low > 0 else [math.nan] * 2
    return Estimate(math.log(factor.value) / whole, ends[0], ends[1], "share", factor.over, factor.n)


def of_parameters(function: Callable[[Mapping[str, Any]], Any], records: Mapping[str, Record], unit: str) -> Estimate:
    """A number at the shipped values of parameters, with its 90 % interval as they go over their ranges.

    Parameters
    ----------
    function : callable
        Gives the number from values by key, which are numbers or of shape (draws,).
    records : mapping of str to Record
        Parameters; the ends of a range are its 5 and 95 %.
    """
    drawn = {key: _over_range(record) for key, record in records.items()}
    value = float(function({key: record.value for key, record in records.items()}))
    low, high = np.percentile(np.asarray(function(drawn)), [LOW, HIGH])
    return Estimate(value, float(low), float(high), unit, "parameters", REPEATS)


def _over_range(record: Record) -> np.ndarray:
    if record.range is None:
        return np.full(REPEATS, record.value)
    z, (low, high), middle = normal(1, 0, REPEATS, f"review {record.key}") / _Z90, record.range, record.value
    if low <= 0:
        return np.maximum(middle + np.where(z > 0, high - middle, middle - low) * z, 0.0)
    return middle * np.exp(z * np.log(np.where(z > 0, high / middle, middle / low)))

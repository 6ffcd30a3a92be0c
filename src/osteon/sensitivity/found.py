"""The numbers of a run, filled in portion by portion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from osteon.engine.ensemble import Failure
from osteon.errors import InputError

_MOST_BYTES = 2e9
_ENDPOINTS, _BYTES_A_ROW = 18, 130


class Found:
    """Numbers of all patients, arms and parameters; NaN where nothing is filled in.

    Parameters
    ----------
    patients, arms, keys, times : int
        How many.
    series : sequence of str
        Differentiated curves.

    Attributes
    ----------
    series : dict of str to ndarray
        Slopes of curves, shape (patients, arms, keys, times).
    slopes, endpoints : dict of str to ndarray
        Slopes of endpoints, shape (patients, arms, keys), and endpoints, shape (patients, arms).
    values : ndarray
        Parameter values, shape (patients, arms, keys).
    patients : dict of str to ndarray
        Who the patients are, each of shape (patients,).
    failures : dict of (int, int) to Failure
        By number of the patient and of the arm.

    Raises
    ------
    InputError
        All that would take too much memory.
    """

    def __init__(self, patients: int, arms: int, keys: int, times: int, series: Sequence[str]) -> None:
        size = float(patients * arms * keys) * (8 * times * len(series) + _ENDPOINTS * _BYTES_A_ROW)
        if size > _MOST_BYTES:
            message = f"the sensitivities would take about {size / 1e9:.0f} GB of memory, and 2 GB are allowed"
            raise InputError(message, path="parameters", hint="take fewer patients, parameters, series or times")
        self._shape = patients, arms, keys
        self.series = {name: np.full((*self._shape, times), np.nan) for name in series}
        self.slopes: dict[str, np.ndarray] = {}
        self.endpoints: dict[str, np.ndarray] = {}
        self.values = np.full(self._shape, np.nan)
        self.patients: dict[str, np.ndarray] = {}
        self.failures: dict[tuple[int, int], Failure] = {}

    def endpoint(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Slopes and values of an endpoint, to be filled in."""
        if name not in self.slopes:
            self.slopes[name] = np.full(self._shape, np.nan)
            self.endpoints[name] = np.full(self._shape[:2], np.nan)
        return self.slopes[name], self.endpoints[name]

    def describe(self, patients: Mapping[str, np.ndarray]) -> None:
        """Add the next patients."""
        for name, column in patients.items():
            self.patients[name] = np.concatenate([self.patients[name], column]) if name in self.patients else column

    def blank_failed(self) -> None:
        """Leave nothing of a patient in an arm in which one of its lanes failed."""
        for place in self.failures:
            for numbers in (*self.series.values(), *self.slopes.values(), *self.endpoints.values()):
                numbers[place] = np.nan

"""Death by age and sex: the cumulative hazard of a life table, and when people die by it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

DAYS_PER_YEAR = 365.25
_OLDEST = 130
_STEPS = 12  # a year, so that a straight line between them is as good as the curve


@dataclass(frozen=True)
class LifeTable:
    """Hazard of death by age and sex.

    Attributes
    ----------
    source : str
        Where the numbers are from.
    age : ndarray
        Ages [yr], ascending, shape (ages,).
    cumulative : dict of str to ndarray
        Hazard up to each age, by sex, shape (ages,).
    """

    source: str
    age: np.ndarray
    cumulative: dict[str, np.ndarray]

    def hazard(self, age: np.ndarray, sex: str) -> np.ndarray:
        """Hazard of death [1/yr] at an age [yr], shape of `age`."""
        step = 1.0 / _STEPS
        return (self._at(age + step, sex) - self._at(age, sex)) / step

    def years(self, age: np.ndarray, female: np.ndarray, hazard: np.ndarray) -> np.ndarray:
        """Years after which people have gone through a hazard.

        Parameters
        ----------
        age : ndarray
            Age at the start [yr], shape (people,).
        female : ndarray of bool
            Shape (people,).
        hazard : ndarray
            Cumulative hazard to go through [1], shape (people,).

        Returns
        -------
        ndarray
            Shape (people,) [yr]; infinite where it is not reached by the end of the table.
        """
        found = np.empty(len(age))
        for sex, who in (("female", female), ("male", ~female)):
            total = self._at(age[who], sex) + hazard[who]
            curve = self.cumulative[sex]
            when = np.interp(total, curve, self.age) - age[who]
            found[who] = np.where(total > curve[-1], np.inf, when)
        return found

    def through(self, age: np.ndarray, female: np.ndarray, years: float) -> np.ndarray:
        """Cumulative hazard that people go through in some years, shape (people,)."""
        passed = {sex: self._at(age + years, sex) - self._at(age, sex) for sex in ("female", "male")}
        return np.where(female, passed["female"], passed["male"])

    def _at(self, age: np.ndarray, sex: str) -> np.ndarray:
        return np.interp(age, self.age, self.cumulative[sex])


@lru_cache(maxsize=4)
def life_table(name: str) -> LifeTable:
    """Life table by name, a file of the folder ``data``."""
    path = Path(__file__).parent / "data" / f"{name}.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    knots = np.array(table["age"], float)
    age = np.arange(0, _OLDEST * _STEPS + 1) / _STEPS
    cumulative = {}
    for sex, death in table["death"].items():
        # A chance q of dying within a year is a mean hazard of -log(1 - q), which stands for the middle of that year.
        hazard = -np.log1p(-np.array(death))
        slope = np.log(hazard[-1] / hazard[-2]) / (knots[-1] - knots[-2])
        middle = (age[:-1] + age[1:]) / 2
        log_hazard = np.interp(middle, knots + 0.5, np.log(hazard))
        # Past the last age it goes on growing as before it; below the first it stays.
        log_hazard += slope * np.maximum(middle - knots[-1] - 0.5, 0.0)
        cumulative[sex] = np.concatenate([[0.0], np.cumsum(np.exp(log_hazard)) / _STEPS])
    return LifeTable(table["source"], age, cumulative)

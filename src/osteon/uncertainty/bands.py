"""What draws say about a curve or an endpoint: the range in which nine tenths of them lie."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.course import about
from osteon.engine.solve import TOLERANCE
from osteon.model.systems import DRUGS, TURNOVER
from osteon.uncertainty.choice import Choice
from osteon.uncertainty.lanes import Lanes

if TYPE_CHECKING:
    import xarray as xr

    from osteon.scenario import Scenario

QUANTILES = (0.05, 0.5, 0.95)
#: Share of the draws that may lack an endpoint before its range is left open.
_LACKING = 0.05
NOT_UNDER_EVERY_DRAW = "not reached under every draw"

#: Endpoints of one arm by name, each of shape (draws,), from its curves, each of shape (draws, time).
Score = Callable[[str, Mapping[str, np.ndarray], Mapping[str, Any]], Mapping[str, np.ndarray]]


@lru_cache(maxsize=1)
def band_curves() -> tuple[str, ...]:
    """Systemic curves that have a name of their own, in alphabetical order."""
    modules = [*TURNOVER, *(module for drug in DRUGS.values() for module in (drug.module, *drug.shared))]
    states = (state.signal for module in modules for state in module.states.values())
    return tuple(sorted({*filter(None, states), *(name for module in modules for name in module.outputs)}))


def interval(values: np.ndarray, solved: np.ndarray) -> tuple[float, float]:
    """Lower and upper end over the draws that were solved.

    Parameters
    ----------
    values : ndarray
        An endpoint under each draw, NaN where it is not reached, shape (draws,).
    solved : ndarray of bool
        Which draws were solved, shape (draws,).

    Returns
    -------
    tuple of float
        NaN where more than one in twenty does not reach it.
    """
    there = values[solved & ~np.isnan(values)]
    if not len(there) or len(there) < (1 - _LACKING) * int(solved.sum()):
        return np.nan, np.nan
    low, high = np.quantile(there, (QUANTILES[0], QUANTILES[-1]))
    return float(low), float(high)


@dataclass(frozen=True)
class Band:
    """One arm under the draws.

    Attributes
    ----------
    quantiles : mapping of str to ndarray
        By curve, shape (quantile, time); NaN where no draw was solved.
    ranges : mapping of str to tuple of float
        Lower and upper end of each endpoint.
    failed : mapping of int to str
        Why a draw failed, by its number in the posterior.
    """

    quantiles: Mapping[str, np.ndarray]
    ranges: Mapping[str, tuple[float, float]]
    failed: Mapping[int, str]


@dataclass(frozen=True)
class Spread:
    """Every arm under the draws.

    Attributes
    ----------
    choice : Choice
        The draws.
    bands : mapping of str to Band
        By arm.
    compiled : bool
        Whether the compiled kernel solved them.
    """

    choice: Choice
    bands: Mapping[str, Band]
    compiled: bool

    @classmethod
    def solve(
        cls,
        choice: Choice,
        lanes: Lanes,
        time: np.ndarray,
        score: Score,
        *,
        without: Iterable[str] = (),
        tolerance: float = TOLERANCE,
        on_arm: Callable[[str], None] | None = None,
    ) -> Spread:
        """Solve every arm under every draw.

        Parameters
        ----------
        choice : Choice
            The draws.
        lanes : Lanes
            Made for them.
        time : ndarray
            Days of the curves, shape (time,).
        score : callable
            Endpoints from the name of an arm, its curves and the parameter values.
        without : iterable of str
            Arms that are left out.
        tolerance : float
            Error allowed per step.
        on_arm : callable, optional
            Called with the name of each arm before it is solved, and with the first while kernels are made.
        """
        names = [arm.name for arm in lanes.scenario.arms if arm.name not in set(without)]
        tell = on_arm or (lambda name: None)
        lanes.wait(time, band_curves(), tolerance, (lambda: tell(names[0])) if names else None)
        bands = {}
        for name in names:
            tell(name)
            found = lanes.solve(name)
            failed = {choice.numbers[place]: failure.reason for place, failure in sorted(found.failures.items())}
            solved = np.array([place not in found.failures for place in range(len(choice))])
            with np.errstate(all="ignore"):
                ends = score(name, found.curves, lanes.values)
            bands[name] = Band(
                {curve: _quantiles(values[solved]) for curve, values in found.curves.items()},
                {endpoint: interval(values, solved) for endpoint, values in ends.items()},
                failed,
            )
        return cls(choice, bands, lanes.compiled)

    def range_of(self, arm: str, endpoint: str) -> tuple[float, float] | None:
        """Lower and upper end of an endpoint, None where it is not one of the skeleton."""
        return self.bands[arm].ranges.get(endpoint) if arm in self.bands else None

    @property
    def failed(self) -> dict[str, dict[int, str]]:
        """Draws that failed, by arm and number in the posterior."""
        return {name: dict(band.failed) for name, band in self.bands.items() if band.failed}

    def manifest(self) -> dict[str, Any]:
        """What the ranges depend on, and which draws failed in which arm."""
        from osteon.engine.lanes.machine import processor

        found = {
            **self.choice.describe(),
            "range": [QUANTILES[0], QUANTILES[-1]],
            "failed": {arm: {str(number): why for number, why in draws.items()} for arm, draws in self.failed.items()},
            "backend": "compiled" if self.compiled else "python",
        }
        # Another processor may round the last digit otherwise.
        more = {"processor": hashlib.sha256(processor().encode()).hexdigest()[:16]} if self.compiled else {}
        return found | more

    def dataset(self, scenario: Scenario, time: np.ndarray) -> xr.Dataset:
        """Bands as a dataset with the dims (arm, quantile, time); an arm that was left out is NaN."""
        import xarray as xr

        arms = [arm.name for arm in scenario.arms]
        empty = np.full((len(QUANTILES), len(time)), np.nan)
        variables = {
            curve: (
                ("arm", "quantile", "time"),
                np.stack([self.bands[arm].quantiles[curve] if arm in self.bands else empty for arm in arms]),
                about(curve, scenario.patient.species),
            )
            for curve in band_curves()
        }
        coordinates = {
            "arm": ("arm", np.array(arms, dtype=object), {"long_name": "arm"}),
            "quantile": ("quantile", np.array(QUANTILES), {"long_name": "quantile over draws of the posterior"}),
            "time": ("time", time, {"units": "day", "long_name": "time from the fracture"}),
        }
        return xr.Dataset(variables, coordinates, attrs=self._attributes())

    def _attributes(self) -> dict[str, Any]:
        failed = [f"{arm}, draw {number}: {why}" for arm, draws in self.failed.items() for number, why in draws.items()]
        about_draws = {
            "draws": len(self.choice),
            "posterior_sha256": self.choice.posterior,
            "comment": "5, 50 and 95 % quantiles over draws of parameters and structures of the turnover layer",
        }
        return {**about_draws, **({"failed_draws": "; ".join(failed)} if failed else {})}


def _quantiles(values: np.ndarray) -> np.ndarray:
    """Quantiles over the draws, shape (quantile, time); NaN without any draw, and where a curve is not there."""
    if not len(values):
        return np.full((len(QUANTILES), values.shape[1]), np.nan)
    return np.quantile(values, QUANTILES, axis=0)

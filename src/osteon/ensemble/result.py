"""The result of a cohort: series, endpoints, patients, failures and their summary, in memory or in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from osteon.course import about
from osteon.endpoints import endpoint_unit
from osteon.ensemble.labels import endpoint_names, of_coordinates, of_dataset
from osteon.ensemble.store import (
    COHORT,
    ENDPOINTS,
    MANIFEST,
    PATIENTS,
    SERIES,
    arrow_table,
    count_failed,
    read_json,
)
from osteon.errors import InputError, MissingExtra, near_match

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from osteon.ensemble.chunk import Chunk
    from osteon.ensemble.plan import Plan
    from osteon.population import Cohort

_VALUES_AT_ONCE = 10_000_000  # of endpoints, so that a summary stays small where the table does not
_FAILURE = ("patient", "arm", "failure", "failed_day", "failed_state")


class Kept(Protocol):
    """Where a result is kept; `table` takes ``endpoints`` or ``patients``, and columns or all of them."""

    def series(self) -> xr.Dataset:
        """Curves, dims (arm, patient, time)."""
        ...

    def columns(self, kind: str) -> list[str]:
        """Names of the columns of a table."""
        ...

    def table(self, kind: str, columns: list[str] | None = None, failed: bool = False) -> pd.DataFrame:
        """One table, with `failed` its rows of failure alone."""
        ...


@dataclass(frozen=True)
class CohortResult:
    """Curves and endpoints of every patient and arm of a cohort.

    Attributes
    ----------
    cohort : Cohort
        Who was simulated.
    folder : Path or None
        Where it is written; None if it is in memory.
    manifest : mapping
        Settings, versions, seed and hash of the cohort.
    """

    cohort: Cohort
    folder: Path | None
    manifest: Mapping[str, Any]
    _kept: Kept = field(repr=False, compare=False)

    @classmethod
    def open(cls, folder: str | Path) -> CohortResult:
        """Open the folder of a run, wherever it was moved to; of an unfinished run, what is done.

        Parameters
        ----------
        folder : str or Path
            What ``out`` named.

        Raises
        ------
        InputError
            It holds no run, or a damaged one.
        """
        from osteon.population import Cohort

        folder = Path(folder)
        if not (folder / MANIFEST).exists() or not (folder / COHORT).exists():
            raise InputError(f"{folder} holds no run of a cohort", path="folder", value=str(folder))
        cohort = Cohort.from_dict(read_json(folder / COHORT))
        return cls(cohort, folder, read_json(folder / MANIFEST), InFolder(folder))

    @cached_property
    def series(self) -> xr.Dataset:
        """Curves, dims ``(arm, patient, time)``, float32, with units; read from the folder when a value is used.

        NaN where an arm failed, after a patient's horizon, and for callus curves before the fracture.
        """
        return self._kept.series()

    def __getitem__(self, name: str) -> xr.DataArray:
        """Return one curve of all patients, ``(arm, patient, time)``.

        Raises
        ------
        InputError
            It was not kept; the nearest is suggested.
        """
        if name not in self.series:
            hint = near_match(name, self.series.data_vars) or f"there are {', '.join(map(str, self.series.data_vars))}"
            raise InputError("this series was not kept", path=name, value=name, hint=hint)
        return self.series[name]

    def endpoints(self) -> pd.DataFrame:
        """Return one row per patient and arm: patient, arm, every endpoint, steps, failure and where it happened.

        Times are days from the fracture, mechanics fractions of intact bone, turnover per cent change.
        """
        return self._kept.table(ENDPOINTS)

    def patients(self) -> pd.DataFrame:
        """Return one row per patient: traits, ensemble member, and the factors ``x <parameter>``."""
        return self._kept.table(PATIENTS)

    def failures(self) -> pd.DataFrame:
        """Return one row per patient and arm that failed: patient, arm, failure, failed_day, failed_state."""
        return self._kept.table(ENDPOINTS, list(_FAILURE), failed=True)

    @cached_property
    def failed(self) -> int:
        """Number of patients of whom some arm could not be solved."""
        found = self.failures()
        return count_failed(found["patient"].to_numpy(), found["failure"].to_numpy())

    def summary(self) -> pd.DataFrame:
        """Return one row per arm and endpoint: arm, endpoint, unit, n, reached, median, low (5 %) and high (95 %).

        `n` are patients that were solved, `reached` those with a value. Who does not reach a time counts as later than
        everyone else; a median or bound that falls among them is NaN. Other endpoints are over those with a value.
        """
        import pandas as pd

        keys = self._kept.table(ENDPOINTS, ["arm", "failure"])
        solved = {arm: ((keys["arm"] == arm) & (keys["failure"] == "")).to_numpy() for arm in self.cohort.arms}
        rows = []
        names, at_once = endpoint_names(self._kept.columns(ENDPOINTS)), 1 + _VALUES_AT_ONCE // len(keys)
        for first in range(0, len(names), at_once):
            columns = self._kept.table(ENDPOINTS, names[first : first + at_once])
            rows += [_summed(columns[name], name, arm, chosen) for name in columns for arm, chosen in solved.items()]
        return pd.DataFrame(rows)

    def plot(self, name: str, ax: Any = None) -> Any:
        """Draw the median and the 5 to 95 % band of one curve for every arm and return the matplotlib axes.

        Raises
        ------
        MissingExtra
            matplotlib is not installed.
        InputError
            The curve was not kept.
        """
        curve = self[name]
        try:
            import matplotlib.pyplot as plt
        except ImportError:
            raise MissingExtra("Plotting", "plot") from None
        ax = plt.subplots(figsize=(7, 4), layout="constrained")[1] if ax is None else ax
        time = curve["time"].to_numpy()
        for arm in self.cohort.arms:
            values = curve.sel(arm=arm).to_numpy()
            seen = np.isfinite(values).any(axis=0)
            low, middle, high = np.nanquantile(values[:, seen], (0.05, 0.5, 0.95), axis=0)
            lines = ax.plot(time[seen], middle, label=arm)
            ax.fill_between(time[seen], low, high, color=lines[0].get_color(), alpha=0.15, lw=0)
        if self.cohort.scenario.fracture is not None:
            ax.axvline(0, color="0.6", lw=1, zorder=0)
        unit = curve.attrs["units"]
        ax.set(xlabel="days from the fracture", ylabel=curve.attrs["long_name"] + (f" [{unit}]" if unit != "1" else ""))
        ax.legend(frameon=False)
        return ax


def _summed(column: Any, name: Any, arm: str, chosen: np.ndarray) -> dict[str, Any]:
    """Row of the summary for one endpoint in one arm."""
    values, unit = column.to_numpy(dtype=float)[chosen], endpoint_unit(name)
    there = values[~np.isnan(values)]
    among = np.where(np.isnan(values), np.inf, values) if unit == "day" else there
    low, middle, high = quantiles(among, (0.05, 0.5, 0.95))
    row = {"arm": arm, "endpoint": name, "unit": unit, "n": len(values), "reached": len(there)}
    return row | {"median": middle, "low": low, "high": high}


def quantiles(values: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    """Quantiles with linear interpolation of values that may be infinite; NaN where one would not be finite."""
    if not len(values):
        return [float("nan")] * len(shares)
    ordered = np.sort(values)
    found = []
    for share in shares:
        place = share * (len(ordered) - 1)
        below, above = ordered[int(np.floor(place))], ordered[int(np.ceil(place))]
        found.append(float(below + (above - below) * (place % 1.0)) if np.isfinite(above) else float("nan"))
    return found


class InFolder:
    """A result that is read from its folder part by part."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def series(self) -> xr.Dataset:
        """Curves, read when a value is used."""
        import xarray as xr

        found = xr.open_zarr(self._folder / SERIES, chunks=None)
        names = read_json(self._folder / MANIFEST)["settings"]["series"]
        return found[names].assign_coords(arm=found["arm"].astype(object))

    def columns(self, kind: str) -> list[str]:
        """Names of the columns of a table."""
        parts = self._parts(kind)
        return list(parts.schema.names)

    def table(self, kind: str, columns: list[str] | None = None, failed: bool = False) -> pd.DataFrame:
        """One table, with `failed` its rows of failure alone."""
        import pyarrow.compute as pc

        chosen = pc.field("failure") != "" if failed else None
        return self._parts(kind).to_table(columns=columns, filter=chosen).to_pandas()

    def _parts(self, kind: str) -> Any:
        """All parts of a table, in the order of their patients."""
        import pyarrow.dataset as ds

        names = sorted(map(str, (self._folder / kind).glob("part-*.parquet")))
        if not names:
            message = f"{self._folder} holds no patient that is done yet"
            raise InputError(message, path="folder", value=str(self._folder), hint="go on with --resume (resume=True)")
        return ds.dataset(names, format="parquet")


class InMemory:
    """A result that is kept in memory; it is filled like a run folder."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        shape = (len(plan.cohort.arms), plan.cohort.size, len(plan.time))
        self._series = {name: np.full(shape, np.nan, dtype=np.float32) for name in plan.settings.series}
        self._tables: dict[str, dict[int, Any]] = {ENDPOINTS: {}, PATIENTS: {}}

    def write(self, chunk: Chunk) -> None:
        """Take in one chunk."""
        for name, values in self._series.items():
            values[:, chunk.lo : chunk.hi, :] = chunk.series[name]
        self._tables[ENDPOINTS][chunk.lo] = arrow_table(chunk.table)
        self._tables[PATIENTS][chunk.lo] = arrow_table(chunk.patients)

    def series(self) -> xr.Dataset:
        """Curves with their labels."""
        import xarray as xr

        cohort, dimensions = self._plan.cohort, of_coordinates()
        labels = (np.array(cohort.arms, dtype=object), np.arange(cohort.size), self._plan.time)
        coordinates = {
            name: (name, values, attributes)
            for (name, attributes), values in zip(dimensions.items(), labels, strict=True)
        }
        species = cohort.scenario.patient.species
        curves = {name: (tuple(dimensions), values, about(name, species)) for name, values in self._series.items()}
        return xr.Dataset(curves, coords=coordinates, attrs=of_dataset(cohort))

    def columns(self, kind: str) -> list[str]:
        """Names of the columns of a table."""
        return list(next(iter(self._tables[kind].values())).column_names)

    def table(self, kind: str, columns: list[str] | None = None, failed: bool = False) -> pd.DataFrame:
        """One table, with `failed` its rows of failure alone."""
        import pyarrow as pa
        import pyarrow.compute as pc

        found = pa.concat_tables([part for _, part in sorted(self._tables[kind].items())])
        found = found.filter(pc.field("failure") != "") if failed else found
        return (found.select(columns) if columns else found).to_pandas()

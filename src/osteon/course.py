"""The result of a simulation: labelled curves with units, endpoints, parameters and how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from osteon.errors import InputError, MissingExtra, near_match

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from osteon.parameters import Record
    from osteon.scenario import Scenario

#: Curves of the JSON document, in its order; those of the callus are absent without a fracture.
JSON_SERIES = (
    "denosumab_serum",
    "romosozumab_serum",
    "teriparatide_serum",
    "zoledronate_serum",
    "CTX",
    "P1NP",
    "BSAP",
    "TRACP5b",
    "BMD_lumbar_spine",
    "BMD_total_hip",
    "BMD_femoral_neck",
    "serum_calcium",
    "endogenous_pth",
    "callus_volume",
    "callus_bone_volume_fraction",
    "callus_BMC",
    "callus_BMD",
    "torsional_stiffness",
    "torsional_strength",
    "mRUST",
    "RUST",
    "cortices_bridged",
    "cortices_without_line",
    "osteoclasts",
    "osteoblasts",
    "woven_bone",
    "lamellar_bone",
    "cartilage",
    "free_rankl",
    "free_sclerostin",
    "teriparatide_effect",
    "bisphosphonate_inhibition",
    "alendronate_bone",
    "zoledronate_bone",
    "fibrous",
    "calcified_cartilage",
    "marrow",
    "inflammation",
    "precursors",
    "systemic_osteoclasts",
    "systemic_osteoblasts",
)


@dataclass(frozen=True)
class Course:
    """Curves of every arm of a scenario.

    Attributes
    ----------
    scenario : Scenario
        What was asked.
    data : xarray.Dataset
        Curves of the first ensemble member, dims ``(arm, time)``; time in days from the fracture. Callus curves are
        NaN before the fracture and absent without one; a failed arm is NaN throughout.
    members : mapping of str to xarray.Dataset
        The same curves for every ensemble member.
    table : pandas.DataFrame
        What `endpoints` returns.
    parameters : tuple of Record
        Every parameter used: of the first member, and the values in which further members differ.
    failures : mapping of str to str
        Reason by arm for arms that could not be solved.
    manifest : mapping
        Versions, seed and hashes.
    bands : xarray.Dataset or None
        Curves of the skeleton over draws of parameters and structures, dims ``(arm, quantile, time)`` with the
        quantiles 0.05, 0.5 and 0.95; None where no draws were asked for. A draw that failed has no say.
    failed_draws : mapping of str to mapping of int to str
        By arm, why draws could not be solved, by their number in the posterior.
    """

    scenario: Scenario
    data: xr.Dataset
    members: Mapping[str, xr.Dataset]
    table: pd.DataFrame
    parameters: tuple[Record, ...]
    failures: Mapping[str, str] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    bands: xr.Dataset | None = None
    failed_draws: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> xr.DataArray:
        """Return one curve of all arms, ``(arm, time)``.

        Raises
        ------
        InputError
            There is no curve of this name; the nearest is suggested.
        """
        if name not in self.data:
            hint = near_match(name, self.data.data_vars) or f"there are {', '.join(map(str, self.data.data_vars))}"
            raise InputError("there is no such curve in this course", path=name, value=name, hint=hint)
        return self.data[name]

    def endpoints(self) -> pd.DataFrame:
        """Return the endpoints, one row per arm and endpoint.

        Columns: arm, endpoint, value, unit, low and high, note. The range of a healing endpoint is over the ensemble
        members, that of turnover, density and safety is 5-95 % over the draws, if there are any. What is not reached
        is NaN with a note.
        """
        return self.table.copy()

    def plot(self, name: str, ax: Any = None) -> Any:
        """Draw one curve of every arm and return the matplotlib axes.

        Raises
        ------
        MissingExtra
            matplotlib is not installed.
        InputError
            There is no curve of this name.
        """
        curve = self[name]
        try:
            import matplotlib.pyplot as plt
        except ImportError:
            raise MissingExtra("Plotting", "plot") from None
        ax = plt.subplots(figsize=(7, 4), layout="constrained")[1] if ax is None else ax
        for arm in curve["arm"].values:
            one = curve.sel(arm=arm)
            lines = ax.plot(one["time"], one, label=str(arm))
            bounds = [member[name].sel(arm=arm) for member in self.members.values()]
            if self.bands is not None and name in self.bands:
                ends = self.bands[name].sel(arm=arm)
                low, high = ends.isel(quantile=0), ends.isel(quantile=-1)
                ax.fill_between(one["time"], low, high, color=lines[0].get_color(), alpha=0.15, lw=0)
            elif len(bounds) > 1:
                lowest, highest = bounds[0], bounds[0]
                for other in bounds[1:]:
                    lowest, highest = lowest.where(lowest < other, other), highest.where(highest > other, other)
                ax.fill_between(one["time"], lowest, highest, color=lines[0].get_color(), alpha=0.15, lw=0)
        if self.scenario.fracture is not None:
            ax.axvline(0, color="0.6", lw=1, zorder=0)
        unit = curve.attrs["units"]
        ax.set(xlabel="days from the fracture", ylabel=curve.attrs["long_name"] + (f" [{unit}]" if unit != "1" else ""))
        ax.legend(frameon=False)
        return ax

    def to_document(self) -> dict[str, Any]:
        """Return the course as plain values for one JSON document; NaN is written as null.

        Keys: title, warning, arms (name, failure, endpoints, series) and manifest. A series of the skeleton has low and
        high, 5 and 95 % over the draws, if there are any.
        """
        names = [name for name in JSON_SERIES if name in self.data]
        time = [float(t) for t in self.data["time"].values]
        arms = []
        for arm in map(str, self.data["arm"].values):
            rows: list[dict[str, Any]] = self.table.loc[self.table["arm"] == arm].to_dict(orient="records")  # pyright: ignore
            arms.append(
                {
                    "name": arm,
                    "failure": self.failures.get(arm),
                    "endpoints": {
                        row["endpoint"]: {
                            "value": _plain(row["value"]),
                            "unit": row["unit"],
                            "low": _plain(row["low"]),
                            "high": _plain(row["high"]),
                            "note": row["note"],
                        }
                        for row in rows
                    },
                    "series": {
                        name: {
                            "unit": self.data[name].attrs["units"],
                            "time_days": time,
                            "value": [_plain(v) for v in self.data[name].sel(arm=arm).values.tolist()],
                            **self._ends(name, arm),
                        }
                        for name in names
                    },
                }
            )
        return {
            "title": self.scenario.title,
            "warning": RESEARCH_ONLY,
            "arms": arms,
            "manifest": dict(self.manifest),
        }

    def _ends(self, name: str, arm: str) -> dict[str, list[float | None]]:
        """Lower and upper curve over the draws, where a series has them."""
        if self.bands is None or name not in self.bands:
            return {}
        lines = self.bands[name].sel(arm=arm).values
        return {end: [_plain(v) for v in lines[place].tolist()] for end, place in (("low", 0), ("high", -1))}


#: Stands in every result.
RESEARCH_ONLY = "osteon is research software. Its results are no treatment advice."


def _plain(value: float) -> float | None:
    return None if value != value else float(value)


_RADIOGRAPH = {
    "mRUST": "modified radiographic union score (mRUST)",
    "RUST": "radiographic union score for tibia (RUST)",
    "cortices_bridged": "expected number of bridged cortices, of four",
    "cortices_without_line": "expected number of cortices without a fracture line, of four",
}
_SIZES = ("callus_volume", "callus_BMC", "callus_radius")


def about(name: str, species: str) -> dict[str, Any]:
    """Attributes of a series: units, long_name, group and, where it needs one, a note."""
    from osteon.model.systems import curves

    if name in _RADIOGRAPH:
        note = (
            "provisional score: thresholds set on nailed tibiae alone"
            if species == "human"
            else "surrogate that follows torsional stiffness"
        )
        return {"units": "1", "long_name": _RADIOGRAPH[name], "group": "radiograph", "note": note}
    curve = curves()[name]
    found = {"units": curve.unit.replace("^", ""), "long_name": curve.means, "group": curve.group}
    if name in _SIZES and species == "human":
        found["note"] = "size follows an envelope scaled from the mouse femur and is too large for people"
    return found


def installed(package: str) -> str:
    """Version of a package, or ``unknown``."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"

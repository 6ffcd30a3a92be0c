"""The result: slopes of curves, a table of slopes of endpoints, and which parameters matter most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.course import about
from osteon.endpoints import endpoint_unit
from osteon.ensemble.labels import of_coordinates, of_dataset
from osteon.sensitivity.keys import Known

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from osteon.ensemble.plan import Plan
    from osteon.population import Cohort
    from osteon.sensitivity.found import Found

#: Endpoints shown first, as far as there are any.
MAIN = (
    "time_to_union",
    "torsional_stiffness_week12",
    "torsional_stiffness_week26",
    "CTX_nadir",
    "BMD_total_hip_last",
)
_NOTHING = 1e-3
_ZERO = 1e-9  # an endpoint this small is 0 but for rounding


@dataclass(frozen=True)
class Sensitivities:
    """Local sensitivities of every patient and arm.

    Attributes
    ----------
    cohort : Cohort
        Whose; of a scenario, a cohort of its one patient.
    curves : xarray.Dataset
        For each series ``y`` and parameter ``p`` the slope ``dy / d ln p``, in the unit of the series, dims
        ``(patient, arm, parameter, time)``; of a parameter that is 0, ``dy / dp``. NaN before the callus, after a
        patient's horizon, and where a patient failed.
    table : pandas.DataFrame
        One row per patient, arm, endpoint and parameter: ``value`` and ``unit`` of the parameter, ``endpoint_value``
        and ``endpoint_unit``, ``slope``, the endpoint's change with ``ln p`` (with ``p`` where that is 0),
        ``elasticity``, its relative change over that of the parameter (0 where that is 0, NaN where the endpoint is 0
        or not reached), ``how`` and ``source`` of the value. A parameter that an arm does not have is NaN and changes
        nothing. Empty without endpoints.
    failures : pandas.DataFrame
        Patients and arms that could not be solved: patient, arm, failure, failed_day [day], failed_state.
    manifest : mapping
        What the result depends on.
    """

    cohort: Cohort
    curves: xr.Dataset
    table: pd.DataFrame
    failures: pd.DataFrame
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """Number of patients with an arm that could not be solved."""
        return len(set(self.failures["patient"]))

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms."""
        return tuple(map(str, self.curves["arm"].values))

    def main_endpoints(self) -> tuple[str, ...]:
        """Endpoints to show: the main ones that there are, or all there are."""
        there = tuple(dict.fromkeys(self.table["endpoint"]))
        return tuple(name for name in MAIN if name in there) or there

    def strongest(self, endpoint: str, top: int = 20) -> pd.DataFrame:
        """Parameters an endpoint depends on most.

        Parameters
        ----------
        endpoint : str
            Name of the endpoint.
        top : int
            How many at most; what matters less than a thousandth of the strongest is not among them.

        Returns
        -------
        DataFrame
            The rows of `table` on them, the strongest parameter first. Strength is the largest over the arms of the
            mean over patients of the absolute slope over ``ln p``; a parameter that is 0 has none.
        """
        table = self.table
        rows: Any = table[(table["endpoint"] == endpoint) & (table["value"] != 0)]
        size = rows["slope"].abs().groupby([rows["parameter"], rows["arm"]], sort=False).mean()
        size = size.groupby(level=0, sort=False).max().sort_values(ascending=False, kind="stable")
        least = max(_ZERO * max(1.0, rows["endpoint_value"].abs().max()), _NOTHING * size.max())
        size = size[size > least][:top]
        place = {name: number for number, name in enumerate(size.index)}
        rows = rows[rows["parameter"].isin(size.index)]
        return rows.iloc[np.argsort(rows["parameter"].map(place).to_numpy(), kind="stable")].reset_index(drop=True)


def assemble(plan: Plan, keys: tuple[str, ...], arms: tuple[str, ...], found: Found) -> Sensitivities:
    """Label what was found."""
    import pandas as pd

    failures = [
        {"patient": who, "arm": arms[arm], "failure": why.reason, "failed_day": why.day, "failed_state": why.state}
        for (who, arm), why in sorted(found.failures.items())
    ]
    columns = ["patient", "arm", "failure", "failed_day", "failed_state"]
    manifest = {name: value for name, value in plan.manifest().items() if name != "kind"}
    manifest = {"kind": "osteon sensitivities", **manifest, "arms": list(arms), "parameters": list(keys)}
    return Sensitivities(
        cohort=plan.cohort,
        curves=_curves(plan, keys, arms, found),
        table=_table(plan.cohort, keys, arms, found),
        failures=pd.DataFrame(failures, columns=columns),  # pyright: ignore[reportArgumentType]
        manifest=manifest,
    )


def _curves(plan: Plan, keys: tuple[str, ...], arms: tuple[str, ...], found: Found) -> xr.Dataset:
    import xarray as xr

    dims, variables = ("patient", "arm", "parameter", "time"), {}
    for name, values in found.series.items():
        told = about(name, plan.cohort.scenario.patient.species)
        told |= {"long_name": f"{told['long_name']}: change with the logarithm of the parameter"}
        variables[name] = dims, values, told
    known, member = Known(plan.cohort), str(found.patients["member"][0])
    records = [next(filter(None, (known.record(0, member, arm, key) for arm in arms)), None) for key in keys]
    labels = of_coordinates()
    coordinates = {
        "patient": ("patient", np.arange(plan.cohort.size), labels["patient"]),
        "arm": ("arm", np.array(arms, object), labels["arm"]),
        "parameter": ("parameter", np.array(keys, object), {"long_name": "key of the parameter"}),
        "time": ("time", plan.time, labels["time"]),
        "meaning": ("parameter", np.array(["" if one is None else one.meaning for one in records], object)),
    }
    note = "slope over ln(parameter); of a parameter that is 0, over the parameter itself"
    return xr.Dataset(variables, coordinates, {**of_dataset(plan.cohort), "note": note})


def _table(cohort: Cohort, keys: tuple[str, ...], arms: tuple[str, ...], found: Found) -> pd.DataFrame:
    import pandas as pd

    names = tuple(found.slopes)
    shape = cohort.size, len(arms), len(names), len(keys)
    slope = np.stack([found.slopes[name] for name in names], 2) if names else np.empty(shape)
    end = np.stack([found.endpoints[name] for name in names], 2)[..., None] if names else np.empty(shape)
    elasticity = np.divide(slope, end, out=np.full(shape, np.nan), where=np.abs(end) > _ZERO)
    value = np.broadcast_to(found.values[:, :, None], shape)
    elasticity[(value == 0) & ~np.isnan(elasticity)] = 0.0
    about_values = _about_values(cohort, keys, arms, found.patients["member"])
    columns = {
        "patient": np.arange(cohort.size)[:, None, None, None],
        "arm": np.array(arms, object)[:, None, None],
        "endpoint": np.array(names, object)[:, None],
        "parameter": np.array(keys, object),
        "value": value,
        "unit": about_values["unit"][:, :, None],
        "endpoint_value": end,
        "endpoint_unit": np.array([endpoint_unit(name) for name in names], object)[:, None],
        "slope": slope,
        "elasticity": elasticity,
        "how": about_values["how"][:, :, None],
        "source": about_values["source"][:, :, None],
    }
    return pd.DataFrame({name: np.broadcast_to(column, shape).reshape(-1) for name, column in columns.items()})


def _about_values(
    cohort: Cohort, keys: tuple[str, ...], arms: tuple[str, ...], members: np.ndarray
) -> dict[str, np.ndarray]:
    """Unit, how and source of every value, shape (patients, arms, keys)."""
    known, same = Known(cohort), {}
    found = {name: np.empty((cohort.size, len(arms), len(keys)), object) for name in ("unit", "how", "source")}
    for patient in range(cohort.size):
        for number, arm in enumerate(arms):
            kind = patient if cohort.scenarios else 0, str(members[patient]), arm
            if kind not in same:
                same[kind] = [known.of(patient, kind[1], arm, key) for key in keys]
            for place, name in enumerate(found):
                found[name][patient, number] = [one[place] for one in same[kind]]
    return found

"""Writing the posterior as one NetCDF file that ArviZ reads; `osteon.parameters.posterior` reads it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from osteon.errors import InputError
from osteon.parameters.posterior import FORMAT, Draws, read_draws

__all__ = ["Draws", "packages", "read_draws", "write_posterior"]


def write_posterior(
    path: str | Path,
    draws: Draws,
    *,
    log_probability: np.ndarray,
    rows: Mapping[str, np.ndarray],
    predicted: np.ndarray,
    replicate: np.ndarray,
) -> None:
    """Write a posterior, whole or not at all.

    Parameters
    ----------
    path : str or Path
        NetCDF file with the groups posterior, sample_stats, observed_data and posterior_predictive.
    draws : Draws
        One chain. Its structures are written as numbers whose meaning stands in the attribute ``flag_meanings``.
    log_probability : ndarray
        Shape (draws,).
    rows : mapping
        Columns of the observed rows, shape (rows,): value, sd, day, censored, block, study, arm, endpoint.
    predicted, replicate : ndarray
        Rows without and with the error of the data, shape (draws, rows).

    Raises
    ------
    InputError
        The file cannot be written.
    """
    import xarray as xr

    path = Path(path)
    names = list(draws.weights)
    sample = {"chain": np.arange(1), "draw": np.arange(len(draws))}
    structure = np.array([names.index(one) for one in draws.structures], np.int32)[None]
    flags = {"flag_values": np.arange(len(names), dtype=np.int32), "flag_meanings": " ".join(names)}
    posterior = {key: (("chain", "draw"), draws.values[None, :, k]) for k, key in enumerate(draws.keys)}
    text = {name: ("row", np.asarray(rows[name], dtype=str)) for name in ("block", "study", "arm", "endpoint")}
    labels = {"row": np.arange(len(rows["value"])), **text, "day": ("row", np.asarray(rows["day"], float))}
    data = {name: ("row", np.asarray(rows[name], float)) for name in ("value", "sd")}
    data["censored"] = ("row", np.asarray(rows["censored"], np.int8))
    across = ("chain", "draw", "row")
    groups = {
        "posterior": xr.Dataset({**posterior, "structure": (("chain", "draw"), structure, flags)}, sample),
        "sample_stats": xr.Dataset({"lp": (("chain", "draw"), log_probability[None])}, sample),
        "observed_data": xr.Dataset(data, labels),
        "posterior_predictive": xr.Dataset(
            {"value": (across, replicate[None]), "predicted": (across, predicted[None])}, {**sample, **labels}
        ),
    }
    plain = {"format": FORMAT, "weights": json.dumps(dict(draws.weights)), **draws.attributes}
    staged = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        xr.Dataset(attrs=plain).to_netcdf(staged, mode="w", engine="netcdf4")
        for name, group in groups.items():
            encoding: Any = {one: {"zlib": True} for one in group.data_vars if group[one].size > 1000}
            group.to_netcdf(staged, mode="a", group=name, engine="netcdf4", encoding=encoding)
        staged.replace(path)
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"{path} cannot be written ({why})", path="--out", value=str(path)) from error
    finally:
        staged.unlink(missing_ok=True)


def packages(names: Sequence[str] = ("osteon", "numpy", "scipy", "emcee", "xarray", "netCDF4")) -> dict[str, str]:
    """Installed version of each package."""
    from importlib.metadata import version

    return {name: version(name) for name in names}

"""A posterior in the place of the shipped one: free parameters scattered about their defaults."""

from pathlib import Path

import numpy as np

from osteon.calibrate.store import write_posterior
from osteon.calibrate.turnover import free_parameters, records
from osteon.draws import normal, uniform
from osteon.parameters.posterior import STRUCTURES, Draws, fixed_by

WIDTH = 0.1


def draws(size: int = 20, seed: int = 1, structures: tuple[str, ...] = STRUCTURES) -> Draws:
    """Draws about the defaults, 10 % of width on the scale of the fit."""
    free, usual = free_parameters(), records()
    values = np.column_stack(
        [one.to_value(one.to_z(usual[one.key].value) + WIDTH * normal(seed, 0, size, one.key)) for one in free]
    )
    which = np.floor(uniform(seed, 0, size, "structure") * len(structures)).astype(int)
    chosen = tuple(structures[place] for place in which)
    for column, one in enumerate(free):
        values[[one.key in fixed_by(structure) for structure in chosen], column] = np.nan
    weights = {name: chosen.count(name) / size for name in STRUCTURES}
    return Draws(tuple(one.key for one in free), values, chosen, weights, {"seed": seed})


def write(path: Path, made: Draws) -> Path:
    """Write draws as the calibration does."""
    rows = {"value": np.zeros(1), "sd": np.ones(1), "day": np.zeros(1), "censored": np.zeros(1)}
    rows |= {name: np.array(["a"]) for name in ("block", "study", "arm", "endpoint")}
    nothing = np.zeros((len(made), 1))
    write_posterior(path, made, log_probability=np.zeros(len(made)), rows=rows, predicted=nothing, replicate=nothing)
    return path

"""Small models with known answers, and one that stands in for the module that `osteon calibrate turnover` imports."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from osteon.calibrate.findings import Target, rmse
from osteon.calibrate.free import Free, Observed
from osteon.calibrate.run import Calibration
from osteon.calibrate.subject import Settings
from osteon.parameters import Record

DAYS = np.linspace(0.5, 8.0, 12)


@dataclass(frozen=True)
class Toy:
    """A problem whose predictions are a function of z, shape (m, p), giving shape (m, n)."""

    free: tuple[Free, ...]
    observed: Observed
    model: Callable[[np.ndarray], np.ndarray]
    structure: str = "only"
    block: str = "core"

    def predict(self, z: np.ndarray) -> np.ndarray:
        return self.model(z)


def observed(
    value: Any, sd: Any = 1.0, study: Any = "a", endpoint: Any = "CTX", censored: Any = False, **tau: float
) -> Observed:
    """Rows, where what is given once holds for all of them."""
    value = np.asarray(value, float)
    rows = value.shape
    columns = [np.broadcast_to(np.asarray(one), rows).copy() for one in (sd, study, "arm", endpoint)]
    day = np.resize(DAYS, rows)
    return Observed(value, columns[0].astype(float), *columns[1:], day, np.broadcast_to(censored, rows).copy(), tau)


def linear(matrix: np.ndarray, rows: Observed, widths: Sequence[float], **about: str) -> Toy:
    """Predictions `matrix @ z`, with priors of mean 0; parameters are called toy.a, toy.b, ..."""
    names = "abcdefgh"
    free = tuple(Free(f"toy.{names[k]}", "linear", 0.0, width) for k, width in enumerate(widths))
    return Toy(free, rows, lambda z: z @ matrix.T, **about)


def covariance(rows: Observed) -> np.ndarray:
    """Covariance of the rows: own errors, and offsets that rows of a study and endpoint share."""
    found = np.diag(rows.sd**2)
    for i in range(len(rows)):
        for j in range(len(rows)):
            if (rows.study[i], rows.endpoint[i]) == (rows.study[j], rows.endpoint[j]):
                found[i, j] += rows.tau.get(str(rows.endpoint[i]), 0.0) ** 2
    return found


def closed_form(matrix: np.ndarray, rows: Observed, widths: Sequence[float]) -> tuple[np.ndarray, np.ndarray, float]:
    """Posterior mean, covariance and log evidence of a linear model with Gaussian errors."""
    from scipy.stats import multivariate_normal

    noise, prior = covariance(rows), np.diag(np.square(widths))
    inverse = np.linalg.inv(noise)
    spread = np.linalg.inv(matrix.T @ inverse @ matrix + np.linalg.inv(prior))
    evidence = multivariate_normal(np.zeros(len(rows)), noise + matrix @ prior @ matrix.T).logpdf(rows.value)
    return spread @ matrix.T @ inverse @ rows.value, spread, float(evidence)


# What follows stands in for the module of a subject.

STRUCTURES = ("plain", "bent")
CORE = (Free("turnover.drug_loss", "log", 30.0, 0.5), Free("turnover.regrowth", "log", 0.2, 0.7))
DRUG = Free("turnover.renewal", "log", 1.0, 0.5, "romosozumab")
ROWS = 50 * (1 - np.exp(-0.4 * DAYS)) + 1.5 * np.sin(7 * DAYS)


def core(structure: str, rows: Observed) -> Toy:
    bend = {"plain": 0.0, "bent": 0.05}[structure]

    def model(z: np.ndarray) -> np.ndarray:
        size, rate = (one.to_value(z[:, k])[:, None] for k, one in enumerate(CORE))
        return size * (1 - np.exp(-rate * rows.day)) * (1 + bend * rows.day)

    return Toy(CORE, rows, model, structure)


def drug(structure: str) -> Toy:
    """A block whose rows depend on the core too."""
    rows = observed(80 * (1 - np.exp(-0.4 * DAYS[:6])), 2.0, endpoint="P1NP")

    def model(z: np.ndarray) -> np.ndarray:
        size, rate, gain = (one.to_value(z[:, k])[:, None] for k, one in enumerate((*CORE, DRUG)))
        return gain * size * (1 - np.exp(-rate * rows.day))

    return Toy((*CORE, DRUG), rows, model, structure, "romosozumab")


def problems(structures: Sequence[str], settings: Settings) -> dict[str, dict[str, Toy]]:
    rows = observed(ROWS, study=np.resize(["a", "b"], len(ROWS)), CTX=1.0)
    if settings.data is not None:
        with (settings.data / "markers.csv").open(encoding="utf-8") as file:
            fitted = [row for row in csv.DictReader(file) if row["use"] == "fit"]
        rows = observed([float(row["value"]) for row in fitted], study=[row["study"] for row in fitted], CTX=1.0)
    return {name: {"core": core(name, rows), "romosozumab": drug(name)} for name in structures}


def records() -> Mapping[str, Record]:
    return {
        one.key: Record(one.key, one.centre, "1/day", "assumed", "a toy", f'of a "toy", {one.key}', symbol="x")
        for one in (*CORE, DRUG)
    }


def targets(calibration: Calibration, settings: Settings) -> list[Target]:
    stage = calibration.stages[calibration.leading]["core"]
    error = rmse(stage.problem.observed, stage.fit.predicted)["CTX"]
    return [Target("CTX, RMSE", "fit", error, "points", high=6.0, rows=12), Target("peak", "check", 9.0, "%", 5.0, 1.0)]


def ablated(structure: str, settings: Settings) -> dict[str, Toy]:
    whole = problems([structure], settings)[structure]["core"]
    return {"regrowth": Toy(CORE[:1], whole.observed, lambda z: whole.model(np.c_[z, np.zeros(len(z))]), structure)}

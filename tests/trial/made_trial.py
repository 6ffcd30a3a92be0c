"""Stand-ins for a simulated cohort and an observed trial, so that nothing has to be simulated."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from osteon.endpoints import RULES, SEEN, time_to_union, union_interval
from osteon.endpoints.radiograph import radiograph
from osteon.endpoints.union import endpoint_of
from osteon.parameters import load
from osteon.trial.observed import Observed
from osteon.trial.study import Study

CONTROL, DRUG = "placebo", "denosumab"
PLANNED = (42.0, 84.0, 126.0, 182.0, 266.0, 364.0)


def study(**changes: Any) -> Study:
    """A study of a nailed tibia with two arms."""
    plain = {
        "osteon_study": 1,
        "title": "made up",
        "seed": 5,
        "patients": 4,
        "fracture": {"bone": "tibia", "fixation": "nail", "gap": "1 mm"},
        "horizon": "53 weeks",
        "arms": [
            {"name": CONTROL},
            {"name": DRUG, "doses": [{"drug": "denosumab", "amount": "60 mg", "start": "7 days"}]},
        ],
        "follow_up": "53 weeks",
        "visits": {"days": [f"{day:g} days" for day in PLANNED], "window": "7 days"},
        "endpoints": {"primary": {"name": "union", "kind": "union", "rule": "cortices"}},
        "analysis": {"method": "interval"},
    }
    return Study.parse({**plain, **changes})


def people(size: int, **changes: Any) -> Any:
    """People who all stay to the end, every other one in the second arm."""
    never, end = np.full(size, np.inf), np.full(size, 371.0)
    found = {
        "table": {"age": np.linspace(30, 60, size), "smoking": np.arange(size) % 3 == 0},
        "allocated": np.arange(size) % 2,
        "enrolled_day": np.arange(size, dtype=float),
        "dropout_day": never,
        "death_day": never,
        "end_day": end,
        **changes,
    }
    last = np.minimum(found["end_day"], np.minimum(found["dropout_day"], found["death_day"]))
    return SimpleNamespace(**found, last_day=last)


class Result:
    """A cohort whose fractures heal at a pace of their own, `half` [day] of shape (arms, patients)."""

    def __init__(self, half: np.ndarray, *, chunk: int = 512, failed: np.ndarray | None = None, **risks: Any) -> None:
        import xarray as xr

        half = np.asarray(half, float)
        self.manifest = {"settings": {"chunk": chunk}}
        self.time = np.arange(0.0, 372.0, 7.0)
        progress = 1 / (1 + (half[..., None] / np.maximum(self.time, 1e-9)) ** 4)
        curves = {
            "callus_BMD": 600 * progress,
            "cartilage": 0.3 * (1 - progress),
            "mineralised_tissue": progress,
            "torsional_stiffness": progress,
            "cortical_union": progress**2,
            "inflammation": 1 - progress,
            "CTX": -80 * np.array([0.0, 1.0])[:, None, None] * np.exp(-self.time / 200) * np.ones_like(progress),
        }
        failed = np.zeros(half.shape, bool) if failed is None else failed
        blank = np.where(failed, np.nan, 1.0)[..., None]
        curves = {name: curve * blank for name, curve in curves.items()}
        dims = ("arm", "patient", "time")
        arms = [CONTROL, DRUG]
        values = {name: (dims, curve.astype(np.float32)) for name, curve in curves.items()}
        self.series = xr.Dataset(values, coords={"arm": arms, "time": self.time})
        self.parameters = {key: record.value for key, record in load("radiograph").items()}
        group = SimpleNamespace(values=self.parameters)
        self.cohort = SimpleNamespace(
            arms=arms,
            size=half.shape[1],
            block=lambda lo, hi: SimpleNamespace(
                groups=(SimpleNamespace(index=np.arange(hi - lo), values=group.values),)
            ),
        )
        seen = {name: curves[name] for name in SEEN}
        scored = {**curves, **radiograph(seen, self.parameters, "human")}
        model = {endpoint_of(rule): time_to_union(self.time, scored, rule) for rule in RULES}
        self.model = {**model, **{name: np.asarray(one, float) for name, one in risks.items()}}
        self.fate = np.where(failed, "no solution", "").astype(object)

    def endpoints(self) -> pd.DataFrame:
        size = self.cohort.size
        flat = {name: values.T.reshape(-1) for name, values in {**self.model, "failure": self.fate}.items()}
        return pd.DataFrame({"patient": np.repeat(np.arange(size), 2), "arm": self.cohort.arms * size, **flat})


def paces(size: int, ratio: float = 0.8) -> np.ndarray:
    """Half times of healing of twins, shape (2, size)."""
    first = 60 + 80 * (np.arange(size) * 0.618 % 1)
    return np.stack([first, ratio * first])


def observed(n: int, ratio: float = 0.9, seed: int = 1, deaths: float = 3000.0) -> Observed:
    """A trial of `n` in each arm with lognormal times (mu 5, sigma 0.45), seen at visits; the others are twins."""
    rng = np.random.default_rng(seed)
    size, names = 2 * n, (CONTROL, DRUG)
    given = rng.permutation(np.repeat([0, 1], n))
    days = np.rint(np.array(PLANNED) + 7 * (2 * rng.random((size, 6)) - 1))
    days[rng.random((size, 6)) < 0.05] = np.nan
    first = np.exp(5 + 0.45 * rng.standard_normal(size))
    dropout, death = rng.exponential(2000, size), rng.exponential(deaths, size)
    last = np.minimum(np.minimum(dropout, death), 371.0)
    days[days > last[:, None]] = np.nan
    parts = []
    for place, arm in enumerate(names):
        exact = first * (ratio if place else 1.0)
        reached = np.where(np.isnan(days), np.nan, exact[:, None] <= days)
        never = np.isnan(days).all(axis=1)
        intervals = []
        for when in (days, np.where(np.isnan(days), np.nan, PLANNED)):
            left, right = union_interval(when, reached)
            intervals += [np.where(never, 0.0, left), np.where(never, np.inf, right)]
        left, right, left_planned, right_planned = intervals
        seen, event = np.nanmax(np.c_[days, np.zeros(size)], axis=1), np.isfinite(right)
        competing = ~event & (death <= np.minimum(dropout, 371.0))
        columns = {
            "endpoint": "union",
            "patient": np.arange(size),
            "arm": arm,
            "allocated": given == place,
            "left": left,
            "right": right,
            "left_planned": left_planned,
            "right_planned": right_planned,
            "last_seen": seen,
            "followed": last,
            "exact": np.where(exact < 371, exact, np.nan),
            "event": event,
            "competing": competing,
            "death_day": np.where(competing, death, np.nan),
            "time": np.where(event, right, seen),
        }
        parts.append(pd.DataFrame(columns))
    tte = pd.concat(parts, ignore_index=True)
    measures = tte[["patient", "arm", "allocated"]].copy()
    measures["RUST at week 12"] = np.r_[rng.normal(8, 2, size), rng.normal(9, 2, size)]
    measures["safety_rebound"] = np.r_[np.zeros(size), (rng.random(size) < 0.3).astype(float)]
    table = pd.DataFrame(
        {
            "patient": np.arange(size),
            "arm": pd.Categorical.from_codes(given, list(names)),
            "age": rng.normal(60, 10, size),
            "sex": rng.choice(["female", "male"], size),
            "smoking": rng.random(size) < 0.3,
            "enrolled_day": np.arange(size, dtype=float),
            "dropout_day": dropout,
            "death_day": death,
            "followed": last,
        }
    )
    came = ~np.isnan(days)
    rows, visit = np.nonzero(came)
    visits = pd.DataFrame(
        {
            "patient": rows.astype(np.int32),
            "arm": pd.Categorical.from_codes(given[rows], list(names)),
            "allocated": True,
            "visit": visit,
            "planned": np.array(PLANNED)[visit],
            "day": days[came],
            "RUST": rng.integers(4, 13, len(rows)).astype(np.float32),
        }
    )
    return Observed(tte, visits, measures, table, names)


def planned_study(**changes: Any) -> Study:
    """A study that fits `observed`."""
    secondary = [{"name": "RUST at week 12", "kind": "score", "score": "RUST", "day": "12 weeks"}]
    primary = {"name": "union", "kind": "union", "rule": "cortices"}
    return study(**{"endpoints": {"primary": primary, "secondary": secondary}, **changes})

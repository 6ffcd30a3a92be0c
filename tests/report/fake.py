"""A made-up course with the shape of a real one: plausible curves, no simulation behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from osteon.scenario import Scenario

MONTH = 365.25 / 12

SCENARIO: dict[str, Any] = {
    "osteon": 1,
    "title": "Metatarsal fracture four months after a denosumab dose",
    "patient": {
        "species": "human",
        "age": "73 yr",
        "sex": "female",
        "weight": "68 kg",
        "diabetes": "type2",
        "osteoporosis": True,
        "smoking": False,
    },
    "fracture": {"bone": "metatarsal", "gap": "1 mm", "fixation": "cast", "interfragmentary_strain": "10 %"},
    "arms": [
        {
            "name": "continue",
            "doses": [{"drug": "denosumab", "amount": "60 mg", "start": "-40 months", "every": "6 months", "count": 9}],
        },
        {
            "name": "hold",
            "doses": [{"drug": "denosumab", "amount": "60 mg", "start": "-40 months", "every": "6 months", "count": 7}],
        },
        {"name": "never", "doses": []},
    ],
    "horizon": "12 months",
}


@dataclass(frozen=True)
class Record:
    """One parameter with its origin."""

    name: str
    value: float
    unit: str
    meaning: str
    source: str
    how: str
    set: str = "default"
    module: str = "callus"
    note: str = ""


@dataclass
class Course:
    """What a simulation returns, as far as the report looks at it."""

    scenario: Scenario
    data: xr.Dataset
    parameters: tuple[Record, ...]
    table: pd.DataFrame
    manifest: dict[str, Any]
    members: dict[str, xr.Dataset] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def endpoints(self) -> pd.DataFrame:
        return self.table


def scenario(**changes: Any) -> Scenario:
    """The demo scenario with some fields replaced."""
    return Scenario.parse(SCENARIO | changes)


def records(count: int = 120) -> tuple[Record, ...]:
    hows = ("read", "fitted", "assumed", "digitised", "fitted")
    return tuple(
        Record(
            name=f"callus.rate_{index}",
            value=0.0123 * (index + 1) if index % 7 else 1.5e-7 * (index + 1),
            unit=("1/day", "1", "ng/mL", "MPa")[index % 4],
            meaning=f"a made-up rate number {index} of the callus under mechanical load",
            source="Author 2011, table 2" if index % 5 != 2 else "no source; chosen so that the callus peaks in week 3",
            how=hows[index % 5],
            note="poorly identified" if index % 11 == 0 else "",
        )
        for index in range(count)
    )


def _sigmoid(t: np.ndarray, middle: float, width: float) -> np.ndarray:
    return 1 / (1 + np.exp(-(t - middle) / width))


def _systemic(time: np.ndarray, doses: list[float]) -> dict[str, np.ndarray]:
    serum, held = np.zeros_like(time), np.zeros_like(time)
    for dose in doses:
        since = np.clip(time - dose, 0, None)
        serum += np.where(time >= dose, 7500 * (np.exp(-since / 26) - np.exp(-since / 3)), 0)
        held += np.where(time >= dose, np.clip(since / 365, 0, 1) * np.exp(-since / 700), 0)
    block = serum / (serum + 250)
    pool = np.clip(held, 0, 2)
    ctx = -86 * block + 45 * pool * (1 - block) * (serum < 60)
    p1np = np.convolve(ctx, np.exp(-np.arange(120) / 40) / 38, mode="full")[: len(ctx)] * 0.75
    gain = np.cumsum(np.gradient(time) * (-ctx)) * 8e-5
    return {
        "denosumab_serum": serum,
        "free_rankl": 1 - block,
        "CTX": ctx,
        "P1NP": p1np,
        "BSAP": 0.6 * p1np,
        "TRACP5b": 0.7 * ctx,
        "BMD_lumbar_spine": gain,
        "BMD_total_hip": 0.6 * gain,
        "systemic_osteoclasts": 1 + ctx / 100,
        "systemic_osteoblasts": 1 + p1np / 120,
        "precursors": 1 + pool,
        "BMD_femoral_neck": 0.5 * gain,
        "romosozumab_serum": 2 * serum,
        "free_sclerostin": 1 - 0.9 * block,
        "teriparatide_serum": 1e-5 * serum,
        "teriparatide_effect": 0.4 * block,
        "zoledronate_serum": 1e-2 * serum,
        "zoledronate_bone": 0.5 * pool,
        "alendronate_bone": 3 * pool,
        "bisphosphonate_inhibition": 0.3 * block,
        "serum_calcium": 2.35 - 0.1 * block,
        "endogenous_pth": 1 + block,
        "calcium_uptake": 2 * block,
        "systemic_tone": 1 + time / 1e5,
    }


def _callus(time: np.ndarray, slow: float) -> dict[str, np.ndarray]:
    t = np.where(time < 0, np.nan, time)
    cartilage = 0.55 * np.exp(-(((t - 26) / 13) ** 2))
    calcified = 0.25 * np.exp(-(((t - 45 * slow) / (18 * slow)) ** 2))
    woven = 0.5 * _sigmoid(t, 45 * slow, 9) * np.exp(-np.clip(t - 60, 0, None) / (170 * slow))
    lamellar = 0.45 * (1 - np.exp(-np.clip(t - 50, 0, None) / (160 * slow)))
    marrow = 0.2 * _sigmoid(t, 90 * slow, 25)
    whole = 1 - _sigmoid(t, 30, 9)
    parts = {
        "fibrous": np.clip(whole, 0.02, None),
        "cartilage": cartilage,
        "calcified_cartilage": calcified,
        "woven_bone": woven,
        "lamellar_bone": lamellar,
        "marrow": marrow,
    }
    total = np.sum(list(parts.values()), axis=0)
    parts = {name: part / total for name, part in parts.items()}
    stiffness = 1.05 * _sigmoid(t, 70 * slow, 20)
    bone = parts["woven_bone"] + parts["lamellar_bone"]
    return parts | {
        "inflammation": np.exp(-t / 6) * t / 3,
        "callus_volume": 900 * _sigmoid(t, 18, 4) * (0.45 + 0.55 * np.exp(-np.clip(t - 50, 0, None) / (120 * slow))),
        "callus_bone_volume_fraction": bone,
        "callus_BMC": 500 * bone,
        "callus_BMD": 900 * bone,
        "torsional_stiffness": stiffness,
        "torsional_strength": 0.95 * _sigmoid(t, 85 * slow, 26),
        "mRUST": 4 + 12 * _sigmoid(t, 95 * slow, 30),
        "osteoclasts": 1.4 / slow**2 * np.exp(-(((t - 60) / 40) ** 2)) + 0.1,
        "osteoblasts": 1.8 * np.exp(-(((t - 48) / 30) ** 2)) + 0.1,
    }


UNITS = {
    "denosumab_serum": "ng/mL",
    "callus_volume": "mm3",
    "callus_BMC": "mg",
    "callus_BMD": "mg/cm3",
    **dict.fromkeys(("romosozumab_serum", "teriparatide_serum", "zoledronate_serum"), "ng/mL"),
    **dict.fromkeys(("zoledronate_bone", "alendronate_bone"), "mg"),
    **dict.fromkeys(("CTX", "P1NP", "BSAP", "TRACP5b", "BMD_lumbar_spine", "BMD_total_hip", "BMD_femoral_neck"), "%"),
    "serum_calcium": "mmol/L",
    "calcium_uptake": "mmol/day",
}


def course(story: Scenario | None = None) -> Course:
    """A course for a scenario; by default the demo with its three arms."""
    story = story or scenario()
    end = float(story.horizon)
    time = np.unique(np.concatenate((np.arange(np.floor(story.start_day), 0, 7), np.arange(0, end + 1, 1.0), [end])))
    daily = np.arange(time[0], time[-1] + 1)
    columns: dict[str, list[np.ndarray]] = {}
    rows: list[dict[str, Any]] = []
    for arm in story.arms:
        doses = [event.time for event in arm.dose_events(story.patient)]
        slow = 1.0 + 0.35 * bool([dose for dose in doses if dose > 0]) + 0.2 * bool(doses)
        series = {name: np.interp(time, daily, values) for name, values in _systemic(daily, doses).items()}
        if story.fracture is not None:
            series |= _callus(time, slow)
            rows += _healing_rows(arm.name, time, series, slow)
        for name in ("CTX", "P1NP"):
            rows.append(_row(arm.name, f"{name}_nadir", series[name].min(), "%"))
            rows.append(_row(arm.name, f"{name}_last", series[name][-1], "%"))
        for name in ("BMD_lumbar_spine", "BMD_total_hip", "BMD_femoral_neck"):
            rows.append(_row(arm.name, f"{name}_last", series[name][-1], "%"))
        for name, values in series.items():
            columns.setdefault(name, []).append(values)
    data = xr.Dataset(
        {name: (("arm", "time"), np.array(values)) for name, values in columns.items()},
        coords={"arm": [arm.name for arm in story.arms], "time": time},
    )
    for name in columns:
        data[name].attrs = {"units": UNITS.get(name, "1"), "long_name": name.replace("_", " "), "group": "made up"}
    if "mRUST" in data:
        data["mRUST"].attrs["note"] = "provisional score: thresholds set on nailed tibiae alone"
    manifest = {
        "created": "2026-01-01T00:00:00Z",
        "seed": 1,
        "versions": {"osteon": "0.1.0", "python": "3.11.9", "numpy": "2.1.0"},
        "hashes": {"scenario": "a" * 64, "parameters": "b" * 64},
    }
    members = {"J": data}
    if story.fracture is not None:
        other = data.copy(deep=True)
        other["torsional_stiffness"] = other["torsional_stiffness"] * 0.85
        members["B"] = other.assign({name: other[name].assign_attrs(data[name].attrs) for name in data})
    return Course(story, data, records(), pd.DataFrame(rows), manifest, members)


def _row(arm: str, endpoint: str, value: float, unit: str, note: str = "") -> dict[str, Any]:
    value = float(value)
    low = value * 0.85 if endpoint.startswith("torsional_stiffness") else value
    return {"arm": arm, "endpoint": endpoint, "value": value, "unit": unit, "low": low, "high": value, "note": note}


def _healing_rows(arm: str, time: np.ndarray, series: dict[str, np.ndarray], slow: float) -> list[dict[str, Any]]:
    healed = time[(series["mRUST"] >= 10) & (time >= 0)]
    rows = [
        _row(arm, "inflammation_end", 11.0, "day"),
        _row(arm, "soft_callus_peak", 26.0, "day"),
        _row(arm, "hard_callus_start", 40.0 * slow, "day"),
        _row(arm, "time_to_union", healed[0] if len(healed) else np.nan, "day"),
    ]
    late = slow > 1.5
    rows.append(
        _row(
            arm,
            "remodelling_start",
            np.nan if late else 110.0 * slow,
            "day",
            "woven bone was still rising at day 365" if late else "",
        )
    )
    rows += [
        _row(arm, f"{name}_week{week}", np.interp(week * 7, time, series[name]), "1")
        for week in (6, 12, 26, 52)
        for name in ("torsional_stiffness", "torsional_strength")
    ]
    woven, lamellar = series["woven_bone"][-1], series["lamellar_bone"][-1]
    rows.append(_row(arm, "lamellar_share_week52", lamellar / (woven + lamellar), "1"))
    return rows

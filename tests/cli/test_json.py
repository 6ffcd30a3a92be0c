"""`--json` prints one document of a promised shape and nothing else."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from .conftest import Call, run_process
from .test_heal import UNITS

CALLUS = {"callus_volume", "callus_bone_volume_fraction", "callus_BMC", "callus_BMD", "torsional_stiffness"}
CALLUS |= {"torsional_strength", "mRUST", "osteoclasts", "osteoblasts", "woven_bone", "lamellar_bone", "cartilage"}


def test_one_document_in_a_process_of_its_own(small: Path, tmp_path: Path) -> None:
    said = run_process("heal", small, "--json", cwd=tmp_path)
    assert said.code == 0
    assert said.err == ""
    assert said.out.count("\n") == 1
    assert [arm["name"] for arm in said.document()["arms"]] == ["treated", "never"]
    assert [path.name for path in tmp_path.iterdir()] == ["small.yaml"]


def test_shape(call: Call, small: Path, tmp_path: Path) -> None:
    said = call("heal", small, "--json", "--out", tmp_path / "out")
    document = said.document()
    assert document["title"] == "A small one"
    for arm in document["arms"]:
        assert set(arm) == {"name", "failure", "endpoints", "series"}
        assert arm["failure"] is None
        assert {name: arm["series"][name]["unit"] for name in UNITS} == UNITS
        assert set(UNITS) <= set(arm["series"])
        for name in UNITS:
            series = arm["series"][name]
            assert set(series) - {"low", "high"} == {"unit", "time_days", "value"}
            time, value = series["time_days"], series["value"]
            assert (time[0], time[-1], len(time)) == (-30.0, 70.0, len(value))
            assert np.diff(time).min() > 0
            assert np.diff(time).max() <= 7
            # Unknown before the fracture is null, and only there.
            assert all((v is None) == (name in CALLUS and t < 0) for t, v in zip(time, value, strict=True) if t < 0)
            assert all(v is not None for t, v in zip(time, value, strict=True) if t >= 0)
        for endpoint in arm["endpoints"].values():
            assert set(endpoint) == {"value", "unit", "low", "high", "note"}
            assert (endpoint["value"] is None) <= bool(endpoint["note"])
    with xr.open_dataset(tmp_path / "out" / "course.nc") as course:
        told = document["arms"][0]["series"]["CTX"]
        assert told["value"] == course["CTX"].sel(arm="treated").values.tolist()
        assert told["time_days"] == course["time"].values.tolist()


def test_the_demo_case_as_a_document(call: Call) -> None:
    document = call("demo", "--json").document()
    names = [arm["name"] for arm in document["arms"]]
    assert names == ["continue", "hold", "never"]
    arms = {arm["name"]: arm for arm in document["arms"]}
    series = arms["hold"]["series"]["denosumab_serum"]
    assert series["time_days"][0] == pytest.approx(-40 * 365.25 / 12)
    assert np.diff(series["time_days"]).max() <= 7
    assert max(series["value"]) > 1000
    assert set(arms["never"]["series"]["denosumab_serum"]["value"]) == {0.0}


def test_turnover_alone_has_no_callus(call: Call, small: Path) -> None:
    text = small.read_text(encoding="utf-8")
    fracture = next(line for line in text.splitlines() if line.startswith("fracture"))
    small.write_text(text.replace(fracture, "fracture: null"), encoding="utf-8")
    (first, _) = call("heal", small, "--json").document()["arms"]
    assert not CALLUS & set(first["series"])
    assert {"CTX", "BMD_total_hip", "denosumab_serum"} <= set(first["series"])
    assert "time_to_union" not in first["endpoints"]


def test_notes_stay_off_the_document(call: Call, small: Path) -> None:
    text = small.read_text(encoding="utf-8").replace("human, age: 60 yr, sex: female, weight: 66 kg", "rat")
    small.write_text(text, encoding="utf-8")
    said = call("heal", small, "--json")
    assert said.code == 0
    assert said.document()["arms"]
    assert "RANKL" in said.err

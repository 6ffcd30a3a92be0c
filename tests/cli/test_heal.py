"""What `osteon heal` prints and writes."""

import errno
import json
import os
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

from osteon import output
from osteon.endpoints import SAFETY_UNITS
from osteon.scenario import Scenario

from .conftest import Call, run_process

FILES = {
    "course.nc",
    "course_B.nc",
    "endpoints.csv",
    "endpoints.parquet",
    "manifest.json",
    "report.html",
    "scenario.json",
}
PERCENT = ("CTX", "P1NP", "BSAP", "TRACP5b", "BMD_lumbar_spine", "BMD_total_hip")
UNITS = {
    "denosumab_serum": "ng/mL",
    **dict.fromkeys(PERCENT, "%"),
    "callus_volume": "mm3",
    "callus_BMC": "mg",
    "callus_BMD": "mg/cm3",
    **dict.fromkeys(("callus_bone_volume_fraction", "torsional_stiffness", "torsional_strength", "mRUST"), "1"),
    **dict.fromkeys(("osteoclasts", "osteoblasts", "woven_bone", "lamellar_bone", "cartilage"), "1"),
}


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_writes_every_file_with_its_content(call: Call, small: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "result"
    said = call("heal", small, "--out", out)
    assert said.code == 0
    assert said.err == ""
    assert names_in(out) == FILES
    assert str(out / "report.html") in said.out

    with xr.open_dataset(out / "course.nc") as course, xr.open_dataset(out / "course_B.nc") as other:
        assert course.sizes["arm"] == 2
        assert list(course["arm"].values) == ["treated", "never"]
        assert course["time"].attrs["units"] == "day"
        assert (float(course["time"][0]), float(course["time"][-1])) == (-30.0, 70.0)
        for name, curve in course.data_vars.items():
            assert curve.attrs["units"], name
            assert curve.attrs["long_name"], name
        assert {name: course[name].attrs["units"] for name in UNITS} == UNITS
        assert (course.attrs["member"], other.attrs["member"]) == ("J", "B")
        assert "no treatment advice" in course.attrs["comment"]

    table = pd.read_csv(out / "endpoints.csv", keep_default_na=True).fillna({"note": ""})
    pd.testing.assert_frame_equal(table, pd.read_parquet(out / "endpoints.parquet"), check_dtype=False, rtol=1e-12)
    assert list(table.columns) == ["arm", "endpoint", "value", "unit", "low", "high", "note"]
    safety = table["endpoint"].isin(SAFETY_UNITS)
    assert set(table.loc[safety, "arm"]) == {"treated"}
    assert table[~safety].groupby("arm").size().nunique() == 1
    late = table[table["endpoint"] == "torsional_strength_week52"]
    assert late["value"].isna().all()
    assert (late["note"] != "").all()

    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    scenario = Scenario.read(out / "scenario.json")
    assert scenario == Scenario.read(small)
    assert manifest["scenario_sha256"] == scenario.content_hash()
    assert set(manifest["parameters_sha256"]) == {"J", "B"}
    assert manifest["seed"] == 1
    assert {"python", "numpy", "xarray"} <= set(manifest["versions"])
    assert manifest["created"].endswith("+00:00")
    assert manifest["failures"] == {}

    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    assert 'lang="en"' in page
    assert "A small one" in page


def test_the_table_has_a_column_an_arm(call: Call, small: Path, tmp_path: Path) -> None:
    said = call("heal", small, "--out", tmp_path / "out")
    head = next(line for line in said.out.splitlines() if "Endpoint" in line)
    assert head.index("treated") < head.index("never")
    for row in ("Soft callus peak", "Time to union", "Stiffness at 6 weeks", "Strength at 52 weeks", "CTX, nadir"):
        assert row in said.out
    assert "assumed, not measured" in said.out
    assert "not treatment advice" in said.out


def test_chinese(call: Call, small: Path, tmp_path: Path) -> None:
    said = call("heal", small, "--out", tmp_path / "out", "--lang", "zh")
    assert said.code == 0
    assert "骨痂" in said.out
    assert "骨瘤" not in said.out
    assert "Endpoint" not in said.out
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert 'lang="zh' in page


def test_an_existing_folder_is_used_again(call: Call, small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    (out / "manifest.json").write_text("old", encoding="utf-8")
    assert call("heal", small, "--out", out).code == 0
    assert call("heal", small, "--out", out).code == 0
    assert names_in(out) == FILES | {"mine.txt"}
    assert (out / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert json.loads((out / "manifest.json").read_text(encoding="utf-8"))["members"] == ["J", "B"]


def test_results_have_a_folder_without_asking(
    call: Call, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("heal", "small.yaml").code == 0
    assert names_in(tmp_path / "osteon-out") == FILES


def test_one_member_has_one_course(call: Call, small: Path, tmp_path: Path) -> None:
    assert call("heal", small, "--out", tmp_path / "out", "--member", "B").code == 0
    assert names_in(tmp_path / "out") == FILES - {"course_B.nc"}


def test_a_rodent_without_the_drug_target_is_warned_about(call: Call, small: Path, tmp_path: Path) -> None:
    text = small.read_text(encoding="utf-8").replace("human, age: 60 yr, sex: female, weight: 66 kg", "mouse")
    small.write_text(text, encoding="utf-8")
    said = call("heal", small, "--out", tmp_path / "out")
    assert said.code == 0
    assert "does not bind mouse RANKL" in " ".join(said.err.split())


def refused(said: tuple[int, str, str], fragment: str) -> None:
    code, out, err = said
    assert code == 2
    assert out == ""
    assert err.startswith("Error: ")
    assert err.count("\n") == 1
    assert fragment in err


@pytest.mark.parametrize("below", [".", "sub", "sub/deeper"])
def test_a_file_in_the_place_of_the_folder(call: Call, small: Path, tmp_path: Path, below: str) -> None:
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    refused(call("heal", small, "--out", tmp_path / "taken" / below), "is a file, and a folder is needed")
    assert names_in(tmp_path) == {"small.yaml", "taken"}


def test_a_folder_that_cannot_be_written(call: Call, small: Path) -> None:
    if not Path("/proc/self").is_dir():
        pytest.skip("This system has no folder that even root cannot write.")
    refused(call("heal", small, "--out", "/proc/osteon"), "cannot be written")


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="Nothing is forbidden to root.")
def test_a_folder_without_permission(call: Call, small: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    refused(call("heal", small, "--out", locked), "cannot be written")
    assert names_in(locked) == set()


def test_a_folder_with_too_long_a_name(call: Call, small: Path, tmp_path: Path) -> None:
    refused(call("heal", small, "--out", tmp_path / ("x" * 400)), "--out")
    assert names_in(tmp_path) == {"small.yaml"}


def test_a_full_disk_leaves_nothing_behind(
    call: Call, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.html").write_text("the old one", encoding="utf-8")

    def full(text: str):
        def write(path: Path) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        return write

    monkeypatch.setattr(output, "_text", full)
    refused(call("heal", small, "--out", out), "No space left on device")
    assert names_in(out) == {"report.html"}
    assert (out / "report.html").read_text(encoding="utf-8") == "the old one"


BAD = {
    "no such file": (None, "there is no such file"),
    "empty": ("", "is empty"),
    "not YAML": ("osteon: [1\n", "is not valid YAML"),
    "a typing error": ("denosumb", 'did you mean "denosumab"'),
    "no unit": ("60 mg -> 60", "has no unit"),
    "negative": ("66 kg -> -66 kg", "patient.weight"),
}


@pytest.mark.parametrize(("change", "fragment"), BAD.values(), ids=BAD)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    call: Call, small: Path, tmp_path: Path, change: str | None, fragment: str
) -> None:
    text = small.read_text(encoding="utf-8")
    if change is None:
        small.unlink()
    elif " -> " in change:
        small.write_text(text.replace(*change.split(" -> ")), encoding="utf-8")
    elif change == "denosumb":
        small.write_text(text.replace("denosumab", change), encoding="utf-8")
    else:
        small.write_text(change, encoding="utf-8")
    refused(call("heal", small, "--out", tmp_path / "out"), fragment)
    refused(call("heal", small, "--json"), fragment)
    refused(call("validate", small), fragment)
    refused(call("export", small), fragment)
    assert names_in(tmp_path) <= {"small.yaml"}


def test_bad_input_shows_no_traceback_in_a_process_of_its_own(small: Path, tmp_path: Path) -> None:
    small.write_bytes(b"osteon: 1\ntitle: \xff\n")
    refused(run_process("heal", small, cwd=tmp_path), "is not UTF-8 text")
    assert names_in(tmp_path) == {"small.yaml"}


def test_a_terminal_without_these_letters(small: Path, tmp_path: Path) -> None:
    """An old terminal shows a replacement for what it does not know, and the command still ends well."""
    said = run_process("heal", small, "--lang", "zh", "--out", "out", cwd=tmp_path, PYTHONIOENCODING="ascii")
    assert said.code == 0
    assert "Traceback" not in said.err

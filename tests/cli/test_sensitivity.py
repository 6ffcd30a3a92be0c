"""What `osteon sensitivity` prints and writes."""

import json
from pathlib import Path

import pandas as pd
import pytest

from .conftest import Call
from .test_heal import FILES, names_in, refused

OWN = {"sensitivity.csv", "sensitivity.parquet", "sensitivity.nc"}


def test_prints_the_strongest_and_writes_every_file(call: Call, small: Path, tmp_path: Path) -> None:
    out = tmp_path / "result"
    said = call("sensitivity", small, "--out", out, "--top", 4)
    assert said.code == 0
    assert names_in(out) == FILES | OWN
    for word in ("Time to union", "Stiffness at 26", "CTX, nadir", "BMD total hip", "treated", "never", "assumed"):
        assert word in said.out
    assert "not treatment advice" in said.out
    assert str(out / "report.html") in said.out
    table = pd.read_csv(out / "sensitivity.csv")
    assert set(table["arm"]) == {"treated", "never"}
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["sensitivities"]["failed"] == 0
    assert 'id="sensitivity"' in (out / "report.html").read_text(encoding="utf-8")


def test_chinese_one_arm_and_chosen_parameters(
    call: Call, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ("--parameters", "markers.ctx_floor, denosumab.kss", "--arm", "treated", "--lang", "zh", "--member", "B")
    said = call("sensitivity", "small.yaml", *asked, "--series", "CTX")
    assert said.code == 0
    assert "弹性系数" in said.out
    assert "骨瘤" not in said.out
    assert "never" not in said.out
    table = pd.read_csv(tmp_path / "osteon-sensitivity" / "sensitivity.csv")
    assert set(table["parameter"]) == {"markers.ctx_floor", "denosumab.kss"}
    assert set(table["arm"]) == {"treated"}
    assert names_in(tmp_path / "osteon-sensitivity") == (FILES | OWN) - {"course_B.nc"}


def test_json_is_one_document_and_writes_nothing(call: Call, small: Path, tmp_path: Path) -> None:
    said = call("sensitivity", small, "--json", "--arm", "never")
    assert said.code == 0
    document = said.document()
    assert (document["member"], document["arms"][0]["name"]) == ("J", "never")
    stiffness = document["arms"][0]["endpoints"]["torsional_stiffness_week6"]
    slopes = [abs(one["slope"]) for one in stiffness["parameters"]]
    assert slopes == sorted(slopes, reverse=True)
    assert set(stiffness["parameters"][0]) == {"parameter", "value", "unit", "slope", "elasticity", "how", "source"}
    assert document["arms"][0]["endpoints"]["torsional_stiffness_week52"]["value"] is None
    assert names_in(tmp_path) == {"small.yaml"}


BAD = {
    "a parameter": (("--parameters", "denosumab.kls"), 'did you mean "denosumab.kss"'),
    "an arm": (("--arm", "nevr"), 'did you mean "never"'),
    "a series": (("--series", "CTXX"), 'did you mean "CTX"'),
    "no row at all": (("--top", "0"), "--top"),
}


@pytest.mark.parametrize(("options", "fragment"), BAD.values(), ids=BAD)
def test_bad_input_is_one_sentence_and_nothing_is_written(
    call: Call, small: Path, tmp_path: Path, options: tuple[str, ...], fragment: str
) -> None:
    refused(call("sensitivity", small, "--out", tmp_path / "out", *options), fragment)
    assert names_in(tmp_path) == {"small.yaml"}


def test_a_patient_that_fails_ends_with_three(
    call: Call, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from osteon.engine import ensemble
    from osteon.engine.ensemble import Failure, Solved

    solve = ensemble.Solver.solve

    def fail(self, phases, end):
        solved = solve(self, phases, end)
        for curve in solved.curves.values():
            curve[:] = float("nan")
        return Solved(
            solved.curves, {3: Failure("no step was small enough at day 5", 5.0, "callus.woven")}, solved.steps
        )

    monkeypatch.setattr(ensemble.Solver, "solve", fail)
    said = call("sensitivity", small, "--arm", "never", "--out", tmp_path / "out")
    assert said.code == 3
    assert "no step was small enough at day 5" in said.out
    assert "not computed" in said.out

"""`presets`, `validate`, `schema` and `export`."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from osteon.scenario import Scenario, preset_text, presets

from .conftest import Call

NAMES = [preset.name for preset in presets()]


def test_presets_are_listed(call: Call) -> None:
    said = call("presets")
    assert [line.split()[0] for line in said.out.splitlines()] == NAMES
    document = call("presets", "--json").document()
    assert [row["name"] for row in document] == NAMES
    assert all(row["title"] and row["title_zh"] for row in document)


@pytest.mark.parametrize("name", NAMES)
def test_a_shown_preset_is_a_valid_scenario(call: Call, tmp_path: Path, name: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(call("presets", "--show", name).out, encoding="utf-8")
    said = call("validate", path)
    assert said.code == 0
    assert "valid" in said.out
    scenario = Scenario.preset(name)
    for arm in scenario.arms:
        assert f"  {arm.name}: {len(arm.dose_events(scenario.patient))} doses" in said.out
    canonical = call("validate", path, "--json").document()
    assert Scenario.parse(canonical) == scenario


def test_an_unknown_preset(call: Call) -> None:
    code, out, err = call("presets", "--show", "metatarsal_on_denosumb")
    assert (code, out) == (2, "")
    assert 'did you mean "metatarsal_on_denosumab"?' in err


def test_the_schema_accepts_what_is_shipped_and_refuses_the_rest(call: Call) -> None:
    schema = call("schema").document()
    checker = jsonschema.Draft202012Validator(schema)
    checker.check_schema(schema)
    for name in NAMES:
        written = yaml.safe_load(preset_text(name))
        assert list(checker.iter_errors(written)) == [], name
        assert list(checker.iter_errors(Scenario.preset(name).to_dict())) == [], name
    good = yaml.safe_load(preset_text(NAMES[0]))
    for spoiled in ({**good, "osteon": 2}, {**good, "seeds": 1}, {**good, "horizon": 12}, {**good, "arms": []}):
        assert list(checker.iter_errors(spoiled))


@pytest.mark.parametrize(
    ("format", "fragment"), [("sbml", "<sbml"), ("antimony", "model "), ("equations", "# ")], ids=str
)
def test_export(call: Call, small: Path, tmp_path: Path, format: str, fragment: str) -> None:
    if format != "equations":
        pytest.importorskip("libsbml")
    if format == "antimony":
        pytest.importorskip("antimony")
    printed = call("export", small, "--format", format, "--arm", "treated")
    assert printed.code == 0
    assert fragment in printed.out
    out = tmp_path / "made" / "model"
    written = call("export", small, "--format", format, "--arm", "treated", "--out", out)
    assert (written.code, written.out) == (0, "")
    assert out.read_text(encoding="utf-8").strip() == printed.out.strip()


@pytest.mark.parametrize(
    "arguments", [("--arm", "trated"), ("--member", "K"), ("--out", "/proc/osteon/model.xml")], ids=lambda a: a[0]
)
def test_export_refuses(call: Call, small: Path, arguments: tuple[str, ...]) -> None:
    code, out, err = call("export", small, "--format", "equations", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert err.count("\n") == 1


def test_validate_simulates_nothing(call: Call, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from osteon import simulation

    monkeypatch.delattr(simulation, "solve")
    assert call("validate", small).code == 0
    assert json.loads(call("validate", small, "--json").out)["title"] == "A small one"

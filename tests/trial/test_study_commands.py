"""The commands that look at studies: `presets --studies`, `validate` and `schema --study`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from osteon.cli.app import app
from osteon.errors import InputError
from osteon.trial.study import Study
from osteon.trial.study_library import presets
from osteon.trial.study_schema import json_schema


def said(*arguments: str | Path) -> str:
    done = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_studies_are_listed_and_shown(tmp_path: Path) -> None:
    names = [preset.name for preset in presets()]
    assert [line.split()[0] for line in said("presets", "--studies").splitlines()] == names
    assert [row["name"] for row in json.loads(said("presets", "--studies", "--json"))] == names
    path = tmp_path / "mine.yaml"
    path.write_text(said("presets", "--studies", "--show", names[0]), encoding="utf-8")
    study = Study.preset(names[0])
    assert f"valid. {study.title}" in said("validate", path)
    assert Study.parse(json.loads(said("validate", path, "--json"))) == study


def test_a_bad_study_is_refused_by_its_field(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(json.dumps({**Study.preset("tibia_nail_trial").to_dict(), "follow_up": "9 yr"}), encoding="utf-8")
    with pytest.raises(InputError, match=r"^follow_up: day"):
        CliRunner().invoke(app, ["validate", str(path)], catch_exceptions=False)


def test_the_schema_of_a_study_is_printed() -> None:
    assert json.loads(said("schema", "--study")) == json_schema()
    assert json.loads(said("schema")) != json_schema()

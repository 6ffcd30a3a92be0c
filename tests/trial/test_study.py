"""What a study holds, how it is written back, the shipped studies, the schema, and the page that explains it."""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from osteon.errors import InputError
from osteon.scenario import Scenario
from osteon.trial.study import Study, is_study
from osteon.trial.study_library import preset_text, presets
from osteon.trial.study_population import TRAITS_IN_ORDER
from osteon.trial.study_schema import json_schema
from osteon.trial.study_words import words

NAMES = [preset.name for preset in presets()]
PAGE = Path(__file__).parents[2] / "docs" / "study.md"
SMALL = """\
osteon_study: 1
title: Small
patients: 10
fracture: {bone: tibia, fixation: nail}
horizon: 12 months
arms: [{name: none}, {name: imposed, impose: {pth: 0.5}}]
follow_up: 12 months
visits: weekly
endpoints: {primary: {name: union, kind: union}}
analysis: {method: log_rank}
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_study_is_read_and_written_back(name: str) -> None:
    study = Study.preset(name)
    listed = next(preset for preset in presets() if preset.name == name)
    assert study.title == listed.title
    again = Study.parse(study.to_json())
    assert again == study
    assert again.content_hash() == study.content_hash()
    assert yaml.safe_load(preset_text(name))["osteon_study"] == 1
    assert next(iter(yaml.safe_load(preset_text(name)))) == "osteon_study"


def test_the_shipped_studies_are_those_of_the_folder() -> None:
    folder = Path(Study.preset.__globals__["__file__"]).with_name("presets")
    assert {path.stem for path in folder.glob("*.yaml")} == set(NAMES)
    assert len(NAMES) == 7
    assert all(re.search("[\u4e00-\u9fff]", preset.title_zh) for preset in presets())
    assert all("\u9aa8\u7624" not in preset.title_zh for preset in presets())
    with pytest.raises(InputError, match='did you mean "tibia_nail_trial"'):
        Study.preset("tibia_nail_trail")


@pytest.mark.parametrize("name", NAMES)
def test_the_scenario_has_all_arms(name: str) -> None:
    study = Study.preset(name)
    scenario = study.scenario()
    assert [arm.name for arm in scenario.arms] == [arm.name for arm in study.arms]
    assert (scenario.horizon, scenario.seed) == (study.horizon, study.seed)
    assert scenario == Scenario.parse(scenario.to_dict())


def test_what_is_left_out_is_usual() -> None:
    study = Study.parse(SMALL)
    assert study.population.draws is True
    assert study.population.members == ("J", "B")
    assert (study.dropout, study.death, study.accrual, study.effect) == (0.0, None, None, None)
    assert study.intake.taken_by().perfect
    assert study.visits.planned().days == tuple(7.0 * week for week in range(1, 27))
    assert study.endpoints.primary.what == "mrust"


def test_quantities_are_stored_in_internal_units() -> None:
    text = SMALL + "dropout: 12 %/yr\naccrual: {rate: 7 /week, close: 1 yr}\neffect: 0.8\n"
    study = Study.parse(text.replace("visits: weekly", "visits: {days: [2 weeks, 1 month], window: 1 day}"))
    assert study.dropout == 0.12
    assert study.accrual is not None
    assert study.accrual.rate == pytest.approx(1.0, rel=1e-15)
    assert study.visits.planned().days == (14.0, 365.25 / 12)
    assert study.to_dict()["dropout"] == "12 %/yr"
    assert Study.parse(study.to_dict()) == study


def test_the_gap_follows_the_species() -> None:
    text = SMALL.replace("fracture:", "patient: {species: sheep}\npopulation: {draws: false}\nfracture:")
    study = Study.parse(text)
    assert study.scenario().fracture.gap == 3.0  # type: ignore[union-attr]
    assert Study.parse(study.to_dict()).scenario() == study.scenario()


def test_doses_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "doses.csv").write_text("TIME,AMT,II,ADDL,EVID,CMT\n0,60,180,1,1,1\n", encoding="utf-8")
    path = tmp_path / "study.yaml"
    path.write_text(SMALL.replace("impose: {pth: 0.5}", "doses_csv: doses.csv"), encoding="utf-8")
    study = Study.read(path)
    assert is_study(path)
    assert [dose.times() for dose in study.arms[1].doses] == [(0.0, 180.0)]
    assert Study.parse(study.to_dict()) == study


def test_the_hash_follows_what_is_asked() -> None:
    study = Study.parse(SMALL)
    same = Study.parse("# a comment\n" + SMALL.replace("12 months", "1 yr"))
    other = Study.parse({**study.to_dict(), "seed": 2})
    assert study.content_hash() == same.content_hash()
    assert study.content_hash() != other.content_hash()


def test_the_schema_accepts_what_is_shipped_and_refuses_the_rest() -> None:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    checker = Draft202012Validator(schema)
    for name in NAMES:
        assert not list(checker.iter_errors(yaml.safe_load(preset_text(name))))
        assert not list(checker.iter_errors(Study.preset(name).to_dict()))
    good = yaml.safe_load(SMALL)
    assert not list(checker.iter_errors(good))
    bad = [{"visits": "weakly"}, {"arms": good["arms"][:1]}, {"dropout": 0.1}, {"patients": 0}, {"extra": 1}]
    for changes in bad:
        assert list(checker.iter_errors({**good, **changes})), changes


def test_the_schema_has_titles_in_both_languages() -> None:
    schema = json_schema()
    records = {"Study": schema, **schema["$defs"]}
    bare = [
        f"{record}.{name}"
        for record, one in records.items()
        for name, field in one.get("properties", {}).items()
        if not (re.search("[\u4e00-\u9fff]", field.get("x-title-zh", "")) or field.get("x-title-zh") in ("PTH",))
        or not field.get("title")
        or not field.get("description")
    ]
    assert bare == []
    assert json.dumps(schema)


def test_every_word_has_both_titles() -> None:
    for group in ("kinds", "scores", "times", "events", "methods", "adjudications", "distributions", "traits"):
        for word in words(group).values():
            assert word.title_en
            assert word.title_zh
    assert set(words("traits")) == set(TRAITS_IN_ORDER)


def test_stages_and_scores_are_ones_the_model_has() -> None:
    from osteon.endpoints import SCORES
    from osteon.endpoints.function.table import FUNCTION_UNITS
    from osteon.endpoints.table import STAGES

    assert set(words("times")) <= {*STAGES, *FUNCTION_UNITS}
    assert set(words("scores")) - {"pain"} <= set(SCORES)


def test_the_page_explains_every_field_and_its_example_is_a_study() -> None:
    text = PAGE.read_text(encoding="utf-8")
    example = re.search(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert example is not None
    assert Study.parse(example[1]).effect is None
    named = set(re.findall(r"`([a-z_]+)`", text))
    schema = json_schema()
    for name in ("Accrual", "Visits", "Intake", "Death", "Reader", "Endpoint", "Endpoints", "Analysis", "Population"):
        assert set(schema["$defs"][name]["properties"]) <= named, name
    assert set(schema["properties"]) <= named
    for group in ("kinds", "scores", "times", "events", "methods", "traits", "distributions", "adjudications"):
        missing = {word for word in words(group) if f"`{word}`" not in text}
        assert not missing, (group, missing)

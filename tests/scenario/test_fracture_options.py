"""Compartments of the callus, displacement and flap as people write them, and the hash of older scenarios."""

from __future__ import annotations

import jsonschema
import pytest

from osteon.errors import InputError
from osteon.model.person import parameters_for
from osteon.model.systems import curves_of
from osteon.population.plan import steps
from osteon.report.describe import fracture, patient
from osteon.report.locale import load
from osteon.scenario import Scenario
from osteon.scenario.patient import Fracture
from osteon.scenario.schema import json_schema


def scenario(who: dict | None = None, **options: object) -> Scenario:
    held = {"bone": "femoral_neck", "fixation": "screws", **options}
    return Scenario.parse(
        {
            "osteon": 1,
            "title": "options",
            "patient": who or {},
            "fracture": held,
            "arms": [{"name": "none"}],
            "horizon": "12 months",
        }
    )


def test_what_older_scenarios_do_not_have_leaves_their_hash() -> None:
    plain = scenario()
    written = plain.to_dict()
    assert not {"compartments", "displaced", "flap", "weight_bearing"} & set(written["fracture"])
    assert "nsaid" not in written["patient"]
    usual = scenario({"nsaid": False}, compartments=1, displaced=False, flap=False, weight_bearing="immediate")
    assert usual.content_hash() == plain.content_hash()


@pytest.mark.parametrize(
    "option", [{"compartments": 2}, {"displaced": True}, {"flap": True}, {"weight_bearing": "42 day"}]
)
def test_an_option_is_kept_and_changes_the_hash(option: dict) -> None:
    chosen = scenario(**option)
    (name, value), again = next(iter(option.items())), Scenario.parse(chosen.to_json())
    assert again == chosen
    assert again.to_dict()["fracture"][name] == value
    assert chosen.content_hash() != scenario().content_hash()
    jsonschema.validate(chosen.to_dict(), json_schema())


@pytest.mark.parametrize("given", [0, 3, True, "2", 2.0, None])
def test_other_numbers_of_compartments_are_refused(given: object) -> None:
    with pytest.raises(InputError, match="compartments") as caught:
        Fracture(**{"bone": "tibia", "fixation": "nail", "compartments": given})  # type: ignore[arg-type]
    assert "2 for cuff and gap" in str(caught.value)


def test_two_compartments_are_another_structure() -> None:
    doses = [{"drug": "denosumab", "amount": "60 mg", "start": "-3 months"}]
    for broken, number in ((None, 0), ({"compartments": 1}, 1), ({"compartments": 2}, 2)):
        plain = scenario({}, **(broken or {})).to_dict() | {"arms": [{"name": "dosed", "doses": doses}]}
        dosed = Scenario.parse(plain if broken else plain | {"fracture": None})
        planned = steps(dosed, dosed.arms[0])
        assert [step.structure[0] for step in planned] == ([0, number] if number else [0])
        gap = [name for name in planned[-1].system.states if name.startswith("gap.")]
        assert bool(gap) == (number == 2)


def test_curves_of_the_gap_are_listed_with_two_compartments_alone() -> None:
    listed = [set(curves_of(number)) for number in (0, 1, 2)]
    assert listed[0] < listed[1] < listed[2]
    assert all(name.startswith("gap_") for name in listed[2] - listed[1])
    assert {"gap_stiffness", "gap_vascularity", "gap_woven"} <= listed[2] - listed[1]


def test_the_width_of_the_gap_is_a_parameter_and_slows_the_cortex() -> None:
    narrow, wide = (parameters_for(scenario(gap="4 mm", compartments=number)) for number in (1, 2))
    assert narrow.value("gap.width") == wide.value("gap.width") == 4
    assert narrow.value("callus.factor_union") == wide.value("callus.factor_union") < 1


def test_notes_say_what_has_no_effect() -> None:
    assert [note.code for note in scenario(gap="8 mm").notes()] == ["gap_too_wide"]
    assert not scenario(gap="8 mm", compartments=2, displaced=True, flap=True).notes()
    apart = scenario(bone="tibia", displaced=True, flap=True).notes()
    assert [note.path for note in apart] == ["fracture.displaced", "fracture.flap"]
    assert all(note.text_en and note.text_zh for note in apart)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("displaced", "bone flap", "protected for 6 weeks", "cuff and gap", "NSAID")),
        ("zh", ("移位", "骨瓣", "保护性负重 6 周", "外骨痂与骨折间隙", "非甾体抗炎药")),
    ],
)
def test_the_report_says_what_is_not_as_usual(language: str, said: tuple[str, ...]) -> None:
    words = load(language)
    chosen = scenario({"nsaid": True}, compartments=2, displaced=True, flap=True, weight_bearing="6 weeks")
    texts = [patient(words, one.patient) + fracture(words, one.fracture) for one in (chosen, scenario())]
    for word in said:
        assert word in texts[0]
        assert word not in texts[1]
    ruled = fracture(words, scenario(weight_bearing="as_stiffness_allows").fracture)
    assert {"en": "as stiffness allows", "zh": "随刚度"}[language] in ruled

"""The rule of weight bearing as people write it."""

from __future__ import annotations

import jsonschema
import pytest

from osteon.errors import InputError
from osteon.scenario.patient import Fracture


def broken(rule: object) -> Fracture:
    return Fracture(bone="tibia", fixation="nail", weight_bearing=rule)


def test_left_out_it_is_immediate() -> None:
    assert Fracture(bone="tibia", fixation="nail").weight_bearing == "immediate"
    assert Fracture(bone="tibia", fixation="nail") == broken("immediate")


@pytest.mark.parametrize(("rule", "stored"), [("as_stiffness_allows", "as_stiffness_allows"), ("6 weeks", 42.0)])
def test_a_rule_is_read_and_written_back(rule: str, stored: object) -> None:
    fracture = broken(rule)
    assert fracture.weight_bearing == stored
    assert Fracture(**fracture.model_dump()) == fracture
    jsonschema.validate(fracture.model_dump(exclude_none=True), Fracture.model_json_schema())


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("imediate", 'did you mean "immediate"'),
        ("5 kg", "not a known rule of weight bearing"),
        (6, "not a known rule of weight bearing"),
        ("0 weeks", "outside the allowed range of above 0 days and up to 1 yr"),
        ("2 yr", "outside the allowed range"),
    ],
)
def test_what_is_no_rule_is_refused(rule: object, says: str) -> None:
    with pytest.raises(InputError, match="weight_bearing") as caught:
        broken(rule)
    assert says in str(caught.value)


def test_the_schema_offers_the_rules_in_both_languages() -> None:
    schema = Fracture.model_json_schema()["properties"]["weight_bearing"]
    rules, time = schema["anyOf"]
    assert rules["enum"] == ["immediate", "as_stiffness_allows"]
    assert all(choice["title"] and choice["title-zh"] for choice in rules["x-choices"])
    assert time["x-unit"] == "day"

"""The patient and the fracture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema, field_validator

from osteon.errors import InputError, UnitError, near_match, show
from osteon.scenario import catalogue
from osteon.scenario.base import Model, described, guarded, refuse
from osteon.scenario.quantity import (
    QUANTITY_PATTERN,
    Age,
    FiltrationRate,
    Flag,
    Length,
    Range,
    Strain,
    VitaminD,
    Weight,
    check_range,
    choice,
)
from osteon.units import format_quantity, to_internal


def _by_species(name: str) -> dict[str, Any]:
    """Return the defaults and ranges of a trait by species, for the schema."""
    traits = {key: getattr(entry, name) for key, entry in catalogue.species().items()}
    return {
        "x-default-by-species": {key: trait.written for key, trait in traits.items()},
        "x-range-by-species": {key: [trait.low, trait.high] for key, trait in traits.items()},
    }


def check_trait(name: str, value: float, species: str | None) -> float:
    """Return the value of a trait; raises pydantic's error if it is outside the range of the species."""
    entry = catalogue.species().get(species or "")
    if entry is None:
        return value
    trait = getattr(entry, name)
    allowed = Range(trait.low, trait.high, trait.unit, above=name == "gap", bounds=trait.bounds)
    written = format_quantity(value, trait.unit)
    try:
        return check_range(value, allowed, written, f" for {'a ' if species != 'human' else ''}{species}")
    except InputError as error:
        raise refuse(error.message, written, path="" if name != "gap" else "fracture.gap") from None


class Patient(Model):
    """The patient, the same in every arm; an animal is a patient too."""

    species: Annotated[str, *choice("species", catalogue.species())] = described(
        "Species", "物种", "Species of the patient.", default="human"
    )
    age: Age = described("Age", "年龄", "Age at the fracture.", examples=["73 yr", "12 weeks"], **_by_species("age"))
    sex: Annotated[str, *choice("sex", catalogue.sexes())] = described(
        "Sex", "性别", "Sex of the patient.", default="female"
    )
    weight: Weight = described("Weight", "体重", "Body weight.", examples=["68 kg", "25 g"], **_by_species("weight"))
    diabetes: Annotated[str, *choice("kind of diabetes", catalogue.diabetes())] = described(
        "Diabetes", "糖尿病", "Kind of diabetes.", default="none"
    )
    osteoporosis: Flag = described("Osteoporosis", "骨质疏松", "Whether there is osteoporosis.", default=False)
    smoking: Flag = described("Smoking", "吸烟", "Whether the patient smokes.", default=False)
    obesity: Flag = described("Obesity", "肥胖", "Whether the patient is obese.", default=False)
    nsaid: Flag = described(
        "Anti-inflammatory drugs",
        "非甾体抗炎药",
        "Whether the patient takes non-steroidal anti-inflammatory drugs while the fracture heals.",
        default=False,
    )
    rankl: Annotated[str, *choice("kind of RANKL", catalogue.rankl())] = described(
        "RANKL", "RANKL 来源", "Human RANKL makes a mouse or rat a knock-in that denosumab can treat.", default="native"
    )
    gfr: FiltrationRate | None = described(
        "Kidney function",
        "肾功能",
        "Glomerular filtration rate of a person; left out, that of the parameters.",
        default=None,
        examples=["60 mL/min"],
    )
    vitamin_d: VitaminD | None = described(
        "Vitamin D",
        "维生素 D",
        "25(OH)D in serum of a person; left out, that of the parameters.",
        default=None,
        examples=["50 nmol/L"],
    )

    @classmethod
    def _usual(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        known = catalogue.species()
        given = data.get("species", "human")
        usual = known[given] if isinstance(given, str) and given in known else known["human"]
        return {"age": usual.age.written, "weight": usual.weight.written}

    @classmethod
    def _prepare(cls, data: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return {**cls._usual(data), **data}

    @field_validator("age", "weight", mode="after")
    @classmethod
    def _plausible(cls, value: float, info: ValidationInfo) -> float:
        return check_trait(info.field_name or "", value, info.data.get("species"))

    @field_validator("rankl", mode="after")
    @classmethod
    def _knock_in_is_a_rodent(cls, value: str, info: ValidationInfo) -> str:
        species = info.data.get("species", "human")
        if value == "human" and species != "human" and not catalogue.species()[species].rodent:
            raise refuse(f"a {species} with human RANKL does not exist", value, hint="leave rankl out or write native")
        return value

    @field_validator("gfr", "vitamin_d", mode="after")
    @classmethod
    def _of_people_alone(cls, value: float | None, info: ValidationInfo) -> float | None:
        species = info.data.get("species", "human")
        if value is not None and species != "human":
            raise refuse(f"is known of people alone, and the patient is a {species}", value, hint="leave it out")
        return value

    def binds(self, drug: str) -> bool:
        """Return whether a drug binds its target in this patient; a knock-in counts as human."""
        return self.rankl == "human" or self.species in catalogue.drugs()[drug].binds


_PROTECTION = Range(0, 365.25, "day", above=True, bounds=("0 days", "1 yr"))


def _read_weight_bearing(given: Any) -> str | float:
    """Return the rule of weight bearing: its name, or the days of protection; raises `InputError`."""
    rules = catalogue.weight_bearing()
    if isinstance(given, str) and given in rules:
        return given
    try:
        days = to_internal(given, "day")
    except UnitError:
        guess = near_match(given, rules) if isinstance(given, str) else ""
        allowed = f'allowed: {", ".join(rules)}, or a time such as "6 weeks"'
        raise InputError(
            f"{show(given)} is not a known rule of weight bearing ({allowed})", value=given, hint=guess
        ) from None
    return check_range(days, _PROTECTION, given)


def _write_weight_bearing(rule: str | float) -> str:
    return rule if isinstance(rule, str) else format_quantity(rule, "day")


_WEIGHT_BEARING_SCHEMA = {
    "anyOf": [
        {
            "type": "string",
            "enum": list(catalogue.weight_bearing()),
            "x-choices": [
                {"value": key, "title": entry.title_en, "title-zh": entry.title_zh}
                for key, entry in catalogue.weight_bearing().items()
            ],
        },
        {"type": "string", "pattern": QUANTITY_PATTERN, "x-unit": "day", "x-minimum": 0.0, "x-maximum": 365.25},
    ]
}
WeightBearing = Annotated[
    str | float,
    PlainValidator(guarded(_read_weight_bearing)),
    PlainSerializer(_write_weight_bearing),
    WithJsonSchema(_WEIGHT_BEARING_SCHEMA),
]


def _read_compartments(given: Any) -> int:
    """Return the number of compartments; raises `InputError`."""
    known = catalogue.compartments()
    if isinstance(given, bool) or not isinstance(given, int) or str(given) not in known:
        allowed = ", ".join(f"{key} for {entry.title_en}" for key, entry in known.items())
        raise InputError(f"{show(given)} is not a number of compartments (allowed: {allowed})", value=given)
    return given


Compartments = Annotated[
    int,
    PlainValidator(guarded(_read_compartments)),
    WithJsonSchema(
        {
            "type": "integer",
            "enum": [int(key) for key in catalogue.compartments()],
            "x-choices": [
                {"value": int(key), "title": entry.title_en, "title-zh": entry.title_zh}
                for key, entry in catalogue.compartments().items()
            ],
        }
    ),
]


class Fracture(Model):
    """The fracture and how it is held."""

    bone: Annotated[str, *choice("bone", catalogue.bones())] = described(
        "Bone", "骨骼部位", "Which bone is broken.", examples=["metatarsal"]
    )
    gap: Length = described(
        "Gap",
        "骨折间隙",
        "Width of the fracture gap; left out, it follows the species.",
        default=1.0,
        examples=["1 mm"],
        **_by_species("gap"),
    )
    fixation: Annotated[str, *choice("fixation", catalogue.fixations())] = described(
        "Fixation", "固定方式", "How the fracture is held.", examples=["cast"]
    )
    interfragmentary_strain: Strain | None = described(
        "Interfragmentary strain",
        "骨折端应变",
        "Strain in the gap at the start; left out, it follows the fixation.",
        default=None,
        examples=["10 %"],
    )
    open: Flag = described("Open fracture", "开放性骨折", "Whether the skin is open.", default=False)
    displaced: Flag = described(
        "Displaced fracture", "骨折移位", "Whether a fracture of the femoral neck is displaced.", default=False
    )
    flap: Flag = described(
        "Bone flap",
        "带血管蒂骨瓣",
        "Whether a muscle-pedicle bone flap with its vessels is put into a fracture of the femoral neck.",
        default=False,
    )
    weight_bearing: WeightBearing = described(
        "Weight bearing",
        "负重",
        "Full load from the first day, load as stiffness allows, or a time of protection with partial load.",
        default="immediate",
        examples=["6 weeks"],
    )
    compartments: Compartments = described(
        "Compartments of the callus",
        "骨痂分区",
        "One callus as a whole, or its cuff and the gap apart, which lets a wide gap bridge late.",
        default=1,
        examples=[2],
    )

    @field_validator("gap", mode="after")
    @classmethod
    def _has_a_gap(cls, value: float) -> float:
        if not 0 < value <= 100:
            written = format_quantity(value, "mm")
            raise refuse(f"{show(written)} is outside the allowed range of above 0 mm and up to 100 mm", written)
        return value

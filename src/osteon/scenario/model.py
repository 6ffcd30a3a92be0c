"""The scenario: one patient, one fracture or none, and the arms of treatment that are compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

from osteon.errors import show
from osteon.scenario import catalogue
from osteon.scenario.arm import Arm
from osteon.scenario.base import Model, described, refuse, to_input_error
from osteon.scenario.library import preset_text
from osteon.scenario.notes import Note, scenario_notes
from osteon.scenario.patient import Fracture, Patient, check_trait
from osteon.scenario.quantity import (
    MOST_ARMS,
    Amount,
    Horizon,
    Seed,
    Title,
    choice,
    listing,
)
from osteon.scenario.read import check_tree, decode, load, read_text


def _version(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given != 1:
        hint = 'write "osteon: 1"'
        raise refuse(f"{show(given)} is not a scenario version this osteon reads (allowed: 1)", given, hint=hint)
    return 1


#: Fields of patient and fracture that the first scenarios did not have.
_LATER = ("nsaid", "weight_bearing", "displaced", "flap", "compartments")


class Scenario(Model):
    """What a person asks: the same patient and fracture under one or several treatments.

    Raises
    ------
    InputError
        If anything in it is refused; the path names the field.
    """

    osteon: Annotated[Literal[1], PlainValidator(_version), WithJsonSchema({"type": "integer", "const": 1})] = (
        described("Version", "格式版本", "Version of the scenario format.", examples=[1])
    )
    title: Title = described(
        "Title", "标题", "One line that says what is simulated.", examples=["A fracture in a cast"]
    )
    patient: Patient = described("Patient", "患者", "The patient, the same in every arm.")
    fracture: Fracture | None = described(
        "Fracture", "骨折", "The fracture at time zero, or null for bone turnover alone.", examples=[None]
    )
    arms: Annotated[tuple[Arm, ...], BeforeValidator(listing("arms", MOST_ARMS))] = described(
        "Arms", "治疗组", "Treatments to compare, at least one.", minItems=1, maxItems=MOST_ARMS
    )
    horizon: Horizon = described("Horizon", "模拟时长", "How long after time zero to simulate.", examples=["12 months"])
    seed: Seed = described("Seed", "随机种子", "Seed of random draws.", default=1)
    parameters: Annotated[
        tuple[Annotated[str, *choice("published parameter set", catalogue.parameter_sets())], ...],
        BeforeValidator(listing("names of published parameter sets", len(catalogue.parameter_sets()))),
    ] = described(
        "Published parameters",
        "已发表的参数集",
        "Published parameter sets used instead of the default values.",
        default=(),
        examples=[["choi2025"]],
    )

    @classmethod
    def _prepare(cls, data: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        """Give the fracture the usual gap of the species where none is written."""
        patient, fracture = data.get("patient"), data.get("fracture")
        species = patient.species if isinstance(patient, Patient) else _get(patient, "species", "human")
        usual = catalogue.species().get(species) if isinstance(species, str) else None
        if usual is None:
            return data
        if isinstance(fracture, Fracture) and "gap" not in fracture.model_fields_set:
            return {**data, "fracture": fracture.model_copy(update={"gap": usual.gap.default})}
        if isinstance(fracture, dict) and "gap" not in fracture:
            return {**data, "fracture": {**fracture, "gap": usual.gap.written}}
        return data

    @field_validator("arms", mode="after")
    @classmethod
    def _arms_differ_in_name(cls, arms: tuple[Arm, ...]) -> tuple[Arm, ...]:
        if not arms:
            raise refuse("has no arm, and at least one is needed", hint='write for example "- name: untreated"')
        names: dict[str, int] = {}
        for index, arm in enumerate(arms):
            if arm.name in names:
                message = f"{show(arm.name)} is already the name of arms[{names[arm.name]}]"
                raise refuse(message, arm.name, path=f"[{index}].name", hint="give every arm its own name")
            names[arm.name] = index
        return arms

    @field_validator("parameters", mode="after")
    @classmethod
    def _sets_are_apart(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        known = catalogue.parameter_sets()
        for place, name in enumerate(names):
            for other in names[:place]:
                if clash := _clash(known[other], known[name]):
                    message = f"{name} sets {clash}, which {other} sets too"
                    raise refuse(message, name, path=f"[{place}]", hint="name one of them")
        # They set different parameters, so their order says nothing.
        return tuple(sorted(names))

    @model_validator(mode="after")
    def _fits_together(self) -> Scenario:
        if self.fracture is not None:
            check_trait("gap", self.fracture.gap, self.patient.species)
        for place, arm in enumerate(self.arms):
            for index, dose in enumerate(arm.doses):
                path = f"arms[{place}].doses[{index}]"
                _dose_within(dose, self.horizon, path)
                _dose_sane(dose, self.patient.weight, path)
        return self

    @classmethod
    def read(cls, path: str | Path) -> Scenario:
        """Return the scenario in a YAML or JSON file.

        Parameters
        ----------
        path : str or Path
            At most 1 MB of UTF-8; the suffix ``.json``, ``.yaml`` or ``.yml`` decides, or else the content.

        Raises
        ------
        InputError
            If the file or anything in it is refused.
        """
        path = Path(path)
        tree = load(read_text(path), path.suffix, str(path))
        return cls._build(tree, path.parent)

    @classmethod
    def preset(cls, name: str) -> Scenario:
        """Return a scenario shipped with osteon; raises `InputError` for an unknown name."""
        return cls._build(load(preset_text(name), ".yaml", name), None)

    @classmethod
    def parse(cls, source: str | bytes | Mapping[str, Any], base_dir: str | Path | None = None) -> Scenario:
        """Return the scenario in a YAML or JSON text, or in a mapping of the same shape.

        Parameters
        ----------
        source : str, bytes or mapping
            The scenario itself, not a file name.
        base_dir : str or Path, optional
            Folder in which `doses_csv` files are looked for.

        Raises
        ------
        InputError
            If anything in it is refused.
        """
        if isinstance(source, bytes):
            source = decode(source, "scenario")
        tree = load(source, name="scenario") if isinstance(source, str) else check_tree(source)
        return cls._build(tree, Path(base_dir) if base_dir is not None else None)

    @classmethod
    def _build(cls, tree: Any, base_dir: Path | None) -> Scenario:
        try:
            return cls.model_validate(tree, context={"base_dir": base_dir})
        except ValidationError as error:
            raise to_input_error(error) from None

    @property
    def start_day(self) -> float:
        """First day of the simulation: that of the earliest dose of any arm, and never after day 0."""
        return min([0.0, *(dose.start for arm in self.arms for dose in arm.doses)])

    def to_dict(self) -> dict[str, Any]:
        """Return the scenario as plain values in canonical form; `parse` reads it back to an equal scenario."""
        plain = self.model_dump(mode="json", exclude_none=True)
        plain["patient"] = _told(self.patient, plain["patient"])
        plain["fracture"] = None if self.fracture is None else _told(self.fracture, plain["fracture"])
        # Left out when empty, so that older scenarios keep their hash.
        return plain if self.parameters else {key: plain[key] for key in plain if key != "parameters"}

    def to_json(self) -> str:
        """Return the canonical form as JSON text."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2)

    def content_hash(self) -> str:
        """Return the SHA-256 of the canonical form, as 64 hexadecimal digits; independent of files and layout."""
        canonical = json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def notes(self) -> list[Note]:
        """Return what the reader of the results must know about this scenario, in English and Chinese."""
        return scenario_notes(self.patient, self.fracture, self.arms)


def _told(part: Model, plain: dict[str, Any]) -> dict[str, Any]:
    """Leave out what older scenarios do not have where it is as usual, so that they keep their hash."""
    fields = type(part).model_fields
    return {
        key: value for key, value in plain.items() if key not in _LATER or getattr(part, key) != fields[key].default
    }


def _get(mapping: Any, key: str, default: Any) -> Any:
    return mapping.get(key, default) if isinstance(mapping, Mapping) else default


def _dose_within(dose: Any, horizon: float, path: str) -> None:
    late = next((number for number, time in enumerate(dose.times(), 1) if time > horizon + 1e-9), None)
    if late is None:
        return
    time = dose.times()[late - 1]
    which = f"dose {late} of {dose.count}" if dose.count > 1 else "the dose"
    message = f"{which} falls on day {time:.10g}, after the horizon of {horizon:.10g} days"
    raise refuse(message, time, hint="lengthen the horizon or leave the dose out", path=f"{path}.start")


def _dose_sane(dose: Any, weight: float, path: str) -> None:
    amount = dose.amount.in_mg(weight)
    drug = catalogue.drugs()[dose.drug]
    if amount <= drug.largest:
        return
    written = show(str(dose.amount))
    whom = f"{written} is {amount:.6g} mg for {weight:.6g} kg" if dose.amount.per_weight else written
    of = "" if dose.amount.per_weight else f" is too much {drug.key} for one dose"
    hint = _thousandth(dose.amount, drug.large, weight)
    message = f"{whom}{of}, and at most {drug.largest:.6g} mg are allowed"
    raise refuse(message, str(dose.amount), path=f"{path}.amount", hint=hint)


def _thousandth(amount: Amount, large: float, weight: float) -> str:
    """Return what may have been meant, where a thousandth of the dose would be a sensible one."""
    if not large / 20 <= amount.in_mg(weight) / 1000 <= large:
        return ""
    return f'did you mean "{amount.value:.6g} ug{"/kg" if amount.per_weight else ""}"?'


def _clash(one: catalogue.Published, other: catalogue.Published) -> str:
    """Return what both sets give: a drug, which comes from one paper as a whole, or a parameter; empty if nothing."""
    drugs = [drug for drug in catalogue.drugs() if all(_about(drug, table.keys) for table in (one, other))]
    if drugs:
        return f"the parameters of {drugs[0]}"
    return next(iter(sorted(one.keys & other.keys)), "")


def _about(drug: str, keys: Iterable[str]) -> bool:
    return any(key.startswith(f"{drug}.") for key in keys)

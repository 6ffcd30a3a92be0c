"""What the reader of the results must know about a scenario that is allowed but rests on an assumption."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from osteon.scenario import catalogue
from osteon.scenario.arm import Arm
from osteon.scenario.patient import Patient


@dataclass(frozen=True, slots=True)
class Note:
    """A warning about one place of a scenario, in English and Chinese."""

    path: str
    code: str
    text_en: str
    text_zh: str


def scenario_notes(patient: Patient, arms: Sequence[Arm]) -> list[Note]:
    """Return the notes about a patient and the arms, those about drugs first."""
    return [*_drug_notes(patient, arms), *_time_notes(patient, arms), *_arm_notes(patient, arms)]


def _drug_notes(patient: Patient, arms: Sequence[Arm]) -> Iterator[Note]:
    species = catalogue.species()[patient.species]
    given = {dose.drug: place for place, arm in reversed(list(enumerate(arms))) for dose in arm.doses}
    for drug in (catalogue.drugs()[key] for key in sorted(given)):
        path = f"arms[{given[drug.key]}].doses"
        if not patient.binds(drug.key):
            yield Note(
                path,
                "drug_does_not_bind",
                f"{drug.key} does not bind {species.title_en} RANKL: no drug effect simulated; "
                "write rankl: human for a knock-in.",
                f"{drug.title_zh}不与{species.title_zh}的 RANKL 结合：未模拟药物效应；"
                "如为人源 RANKL 基因敲入动物，请写 rankl: human。",
            )
            continue
        if patient.species in drug.binds_assumed:
            yield Note(
                path,
                "binding_assumed",
                f"That {drug.key} binds {species.title_en} RANKL is assumed, not shown.",
                f"{drug.title_zh}与{species.title_zh} RANKL 的结合为假设，尚无证据。",
            )
        if patient.species != "human":
            yield Note(
                path,
                "pharmacokinetics_assumed",
                f"The pharmacokinetics of {drug.key} in a {species.title_en} are scaled from people by body weight, "
                "which is assumed.",
                f"{drug.title_zh}在{species.title_zh}体内的药代动力学由人体数据按体重换算，属于假设。",
            )


def _time_notes(patient: Patient, arms: Sequence[Arm]) -> Iterator[Note]:
    birth = -patient.age * 365.25
    for place, arm in enumerate(arms):
        events = arm.dose_events(patient)
        if events and events[0].time < birth:
            yield Note(
                f"arms[{place}].doses",
                "dose_before_birth",
                f'Arm "{arm.name}" is dosed before the patient is born; check the age and the first dose.',
                f"“{arm.name}”组的首次给药早于患者出生，请核对年龄和首次给药时间。",
            )
        twice = any(first.time == second.time and first.drug == second.drug for first, second in pairwise(events))
        if twice:
            yield Note(
                f"arms[{place}].doses",
                "doses_at_same_time",
                f'Arm "{arm.name}" gives the same drug more than once at the same time; the amounts are added.',
                f"“{arm.name}”组在同一时间多次给予同一药物，剂量将相加。",
            )


def _arm_notes(patient: Patient, arms: Sequence[Arm]) -> Iterator[Note]:
    first: dict[object, Arm] = {}
    for place, arm in enumerate(arms):
        key = (arm.dose_events(patient), arm.impose)
        if key in first:
            yield Note(
                f"arms[{place}]",
                "arms_are_the_same",
                f'Arms "{first[key].name}" and "{arm.name}" are treated alike and will give the same course.',
                f"“{first[key].name}”组与“{arm.name}”组的治疗相同，结果也将相同。",
            )
        first.setdefault(key, arm)

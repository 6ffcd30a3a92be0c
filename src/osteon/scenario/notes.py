"""What the reader of the results must know about a scenario that is allowed but rests on an assumption."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from osteon.scenario import catalogue
from osteon.scenario.arm import Arm
from osteon.scenario.patient import Fracture, Patient

HIP = "femoral_neck"
_WIDE = 3.0  # times the usual gap
_LARGE = 100.0  # mg/kg


@dataclass(frozen=True, slots=True)
class Note:
    """A warning about one place of a scenario, in English and Chinese."""

    path: str
    code: str
    text_en: str
    text_zh: str


def scenario_notes(patient: Patient, fracture: Fracture | None, arms: Sequence[Arm]) -> list[Note]:
    """Return the notes about a patient, a fracture and the arms, those about drugs first."""
    return [
        *_drug_notes(patient, arms),
        *_fracture_notes(patient, fracture),
        *_calcium_notes(arms),
        *_time_notes(patient, arms),
        *_arm_notes(patient, arms),
        *_impose_notes(arms),
    ]


def _fracture_notes(patient: Patient, fracture: Fracture | None) -> Iterator[Note]:
    usual = catalogue.species()[patient.species].gap.default
    if fracture is None:
        return
    if fracture.gap > _WIDE * usual and fracture.compartments == 1:
        yield Note(
            "fracture.gap",
            "gap_too_wide",
            f"One callus as a whole has no bridging across a gap: it delays the cortical union of {fracture.gap:g} mm, "
            "but its time to union and stiffness are those of a closed gap and are not to be relied on; "
            "write compartments: 2 for cuff and gap.",
            f"骨痂作为整体时不含跨间隙的桥接过程：{fracture.gap:g} mm 的间隙只会推迟皮质骨愈合，"
            "所给出的愈合时间与刚度相当于间隙闭合时的结果，不可采信；请写 compartments: 2，将外骨痂与间隙分开计算。",
        )
    for name, zh in (("displaced", "骨折移位"), ("flap", "骨瓣")):
        if getattr(fracture, name) and (fracture.bone != HIP or patient.species != "human"):
            yield Note(
                f"fracture.{name}",
                f"{name}_without_effect",
                f"That {name} is true has no effect here: it counts in the hip score and the necrosis of a person's "
                "femoral neck alone.",
                f"此处注明的{zh}不产生影响：它仅用于人股骨颈骨折的髋关节评分和股骨头坏死风险。",
            )


def _impose_notes(arms: Sequence[Arm]) -> Iterator[Note]:
    for place, arm in enumerate(arms):
        if arm.impose is not None and arm.impose.pth:
            yield Note(
                f"arms[{place}].impose.pth",
                "pth_in_the_callus_alone",
                f'Imposed PTH acts in the callus alone: markers and bone density of arm "{arm.name}" do not show it.',
                f"直接设定的 PTH 效应仅作用于骨痂：“{arm.name}”组的骨转换标志物和骨密度不反映该效应。",
            )
        if arm.impose is not None and arm.impose.bisphosphonate_inhibition:
            yield Note(
                f"arms[{place}].impose.bisphosphonate_inhibition",
                "inhibition_of_activity_alone",
                f"Imposed bisphosphonate lowers the activity of osteoclasts in the skeleton, not their number: "
                f'TRACP-5b of arm "{arm.name}" does not show it.',
                f"直接设定的双膦酸盐效应只降低全身破骨细胞的活性，不减少其数量："
                f"“{arm.name}”组的 TRACP-5b 不反映该效应。",
            )


def _drug_notes(patient: Patient, arms: Sequence[Arm]) -> Iterator[Note]:
    species = catalogue.species()[patient.species]
    given = {dose.drug: place for place, arm in reversed(list(enumerate(arms))) for dose in arm.doses}
    for drug in (catalogue.drugs()[key] for key in sorted(given)):
        path = f"arms[{given[drug.key]}].doses"
        target_en = drug.target.title_en if drug.target else "bone"
        target_zh = drug.target.title_zh if drug.target else "骨"
        if not patient.binds(drug.key):
            yield Note(
                path,
                "drug_does_not_bind",
                f"{drug.key} does not bind {species.title_en} {target_en}: no drug effect simulated; "
                "write rankl: human for a knock-in.",
                f"{drug.title_zh}不与{species.title_zh}的 {target_zh} 结合：未模拟药物效应；"
                "如为人源 RANKL 基因敲入动物，请写 rankl: human。",
            )
            continue
        if patient.species in drug.binds_assumed:
            yield Note(
                path,
                "binding_assumed",
                f"That {drug.key} binds {species.title_en} {target_en} is assumed, not shown.",
                f"{drug.title_zh}与{species.title_zh} {target_zh} 的结合为假设，尚无证据。",
            )
        if patient.species != "human" and drug.weight_scaled:
            yield Note(
                path,
                "pharmacokinetics_assumed",
                f"The pharmacokinetics of {drug.key} in a {species.title_en} are scaled from people by body weight, "
                "which is assumed.",
                f"{drug.title_zh}在{species.title_zh}体内的药代动力学由人体数据按体重换算，属于假设。",
            )
        elif patient.species != "human":
            yield Note(
                path,
                "pharmacokinetics_of_people",
                f"The pharmacokinetics of {drug.key} in a {species.title_en} are those of people, not scaled to its "
                "weight: its effect is not to be relied on.",
                f"{drug.title_zh}在{species.title_zh}体内沿用人体药代动力学，未按体重换算：其效应不可采信。",
            )


def _calcium_notes(arms: Sequence[Arm]) -> Iterator[Note]:
    for place, arm in enumerate(arms):
        if any(dose.drug == "teriparatide" for dose in arm.doses):
            yield Note(
                f"arms[{place}].doses",
                "calcium_without_injected_pth",
                "Serum calcium under teriparatide leaves out what injected PTH does to kidney and gut itself: "
                "it falls where it rises in people, and neither it nor its risks are to be relied on.",
                "特立帕肽治疗时的血清钙未计入所注射 PTH 对肾脏和肠道的直接作用："
                "模型中血钙下降，而人体内实际上升，该曲线及相应风险不可采信。",
            )
            return


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
        most = max((event.amount for event in events), default=0.0) / patient.weight
        if most > _LARGE:
            yield Note(
                f"arms[{place}].doses",
                "dose_very_large",
                f'Arm "{arm.name}" gives {most:.3g} mg/kg in one dose, far above any published dose.',
                f"“{arm.name}”组单次剂量为 {most:.3g} mg/kg，远高于已发表的剂量。",
            )
        yield from _dose_notes(patient, arm, place)
        twice = any(first.time == second.time and first.drug == second.drug for first, second in pairwise(events))
        if twice:
            yield Note(
                f"arms[{place}].doses",
                "doses_at_same_time",
                f'Arm "{arm.name}" gives the same drug more than once at the same time; the amounts are added.',
                f"“{arm.name}”组在同一时间多次给予同一药物，剂量将相加。",
            )


def _dose_notes(patient: Patient, arm: Arm, place: int) -> Iterator[Note]:
    """Note doses that are larger than makes sense in people, each drug once."""
    seen: set[str] = set()
    for index, dose in enumerate(arm.doses):
        drug, amount = catalogue.drugs()[dose.drug], dose.amount.in_mg(patient.weight)
        if patient.species == "human" and amount > drug.large and drug.key not in seen:
            seen.add(drug.key)
            yield Note(
                f"arms[{place}].doses[{index}].amount",
                "dose_large",
                f'Arm "{arm.name}" gives {amount:.3g} mg of {drug.key} in one dose, and the largest sensible one '
                f"is taken to be {drug.large:.3g} mg; check the unit.",
                f"“{arm.name}”组{drug.title_zh}单次剂量为 {amount:.3g} mg，而合理剂量上限取 {drug.large:.3g} mg，"
                "请核对单位。",
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

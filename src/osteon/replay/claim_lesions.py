"""Lytic lesions of the claims, exploratory: tumour and loose cup under 120 mg, beside published directions.

Nothing of the lesion is fitted, so that numbers say which way it goes and no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from osteon.evidence.claims import Review, review
from osteon.replay.claim_findings import Findings, Row, Table
from osteon.replay.claim_measures import Estimate, estimate
from osteon.replay.osteolysis import DRAWS, LESIONS
from osteon.replay.osteolysis_checks import HALF_YEARLY, MONTHLY, NONE, THREE, Direction, directions

if TYPE_CHECKING:
    from osteon.replay.claim_runs import Told
    from osteon.replay.osteolysis import LesionCourse

_QUICK = 3
_HALF_YEAR, _YEAR, _TWO_YEARS = 182.0, 365.0, 730.0
_TUMOUR, _WORN = LESIONS
_ARMS = {
    NONE: ("none", "未用药"),
    MONTHLY: ("120 mg every 4 weeks for a year", "每 4 周 120 mg，共 1 年"),
    THREE: ("120 mg x 3", "120 mg × 3"),
    HALF_YEARLY: ("60 mg every 6 months for a year", "每 6 个月 60 mg，共 1 年"),
}
_CURVES = {
    "lesion_osteoclasts": ("active osteoclasts, untreated is 1", "活跃破骨细胞（未治疗为 1）"),
    "lesion_void": ("void, at the start 1", "骨缺损（开始时为 1）"),
    "lesion_new_bone": ("new bone, lesion at the start 1", "新生骨（初始病灶为 1）"),
}
#: What each study saw, and what is simulated for it, by study and in both languages; places are published rows.
_SEEN = {
    "Deveci 2016": (
        "giant cell tumour: regression on films in {row.giant_cell} % of lesions after about 9 monthly doses of 120 mg",
        "骨巨细胞瘤：约 9 次每月 120 mg 后 {row.giant_cell} % 的病灶影像学消退",
        "change of the void on that day",
        "该日骨缺损的变化",
    ),
    "Axenhus 2025": (
        "loose cup, 3 years: lesion +{row.migration} cm³ with 60 mg every 6 months, +{row.migration_placebo} cm³ with "
        "placebo; no difference",
        "髋臼杯周围，3 年：每 6 个月 60 mg 病灶增大 {row.migration} cm³，安慰剂 {row.migration_placebo} cm³；无差异",
        "void after 2 years, drug for a year less none",
        "2 年骨缺损，用药 1 年减未用药",
    ),
    "Nystrom 2020": (
        "hip stem: density {row.stem_year_1} % above placebo a year after the start, {row.stem_year_2} % after two, "
        "the drug stopped: the effect falls",
        "髋柄周围：用药 1 年骨密度比安慰剂高 {row.stem_year_1} %，停药后第 2 年高 {row.stem_year_2} %：作用减退",
        "new bone after 2 years less that after one",
        "2 年新生骨减 1 年新生骨",
    ),
}
_SIGNS = {-1: ("falls", "减少"), 0: ("no difference", "无差异"), 1: ("rises", "增加")}
_FOUND = {True: ("as published", "与文献一致"), False: ("not as published", "与文献不一致")}


def lesions(*, quick: bool = False, on_progress: Told | None = None) -> Findings:
    """Simulate both lesions, and set published directions beside them."""
    told = review()

    def tell(done: int, total: int) -> None:
        if on_progress is not None:
            on_progress("lytic lesions", done, total)

    return found_in(*directions(_QUICK if quick else DRAWS, tell), told)


def found_in(found: tuple[Direction, ...], courses: Mapping[str, LesionCourse], told: Review) -> Findings:
    """Numbers, tables and statements of the lesions.

    Parameters
    ----------
    found : tuple of Direction
        Published directions beside simulated ones.
    courses : mapping of str to LesionCourse
        Course of each kind of lesion.
    told : Review
        The published rows.
    """
    tumour, worn = courses[_TUMOUR], courses[_WORN]
    by_study = {one.study: one for one in found}
    numbers = {
        "tumour_osteoclasts": _ratio(tumour, "lesion_osteoclasts", MONTHLY, _HALF_YEAR),
        "tumour_void": _change(tumour, "lesion_void", MONTHLY, _HALF_YEAR, 0.0),
        "tumour_void_none": _change(tumour, "lesion_void", NONE, _HALF_YEAR, 0.0),
        "tumour_new_bone": _change(tumour, "lesion_new_bone", MONTHLY, _HALF_YEAR, 0.0),
        "worn_osteoclasts": _ratio(worn, "lesion_osteoclasts", THREE, _HALF_YEAR),
        "worn_void": _change(worn, "lesion_void", THREE, _HALF_YEAR, 0.0),
        "worn_after_osteoclasts": _ratio(worn, "lesion_osteoclasts", THREE, _YEAR),
        "worn_after_void": _change(worn, "lesion_void", THREE, _TWO_YEARS, _HALF_YEAR),
        "worn_trial": _of_direction(by_study["Axenhus 2025"], worn),
    }
    agreeing = sum(one.agrees for one in found)
    return Findings(
        numbers,
        (_directions(found, courses, told), *(_course(one) for one in courses.values())),
        _statements(agreeing, len(found)),
    )


def _values(course: LesionCourse, name: str, arm: str, day: float) -> np.ndarray:
    """Values of a curve on a day, shape (draws,)."""
    each = course.curves[name][course.arms.index(arm)]
    return np.array([np.interp(day, course.time, one) for one in each])


def _ratio(course: LesionCourse, name: str, arm: str, day: float) -> Estimate:
    return estimate(_values(course, name, arm, day) / _values(course, name, NONE, day), "ratio", "lesions")


def _change(course: LesionCourse, name: str, arm: str, day: float, since: float) -> Estimate:
    """Change of a curve between two days, in per cent of the lesion at the start."""
    change = _values(course, name, arm, day) - _values(course, name, arm, since)
    return estimate(100.0 * change, "%", "lesions")


def _of_direction(one: Direction, course: LesionCourse) -> Estimate:
    number = course.curves["lesion_void"].shape[1] - course.failed
    return Estimate(100.0 * one.simulated, 100.0 * one.low, 100.0 * one.high, "%", "lesions", number)


def _directions(found: tuple[Direction, ...], courses: Mapping[str, LesionCourse], told: Review) -> Table:
    """Published directions beside simulated ones."""
    rows = []
    for one in found:
        en, zh, measured_en, measured_zh = (told.filled(text) for text in _SEEN[one.study])
        published = _SIGNS[one.observed]
        cells = (
            published,
            (measured_en, measured_zh),
            _of_direction(one, courses[_WORN if one.study != "Deveci 2016" else _TUMOUR]),
            _FOUND[one.agrees],
        )
        rows.append(Row(f"{one.study}: {en}", f"{one.study}：{zh}", cells))
    return Table(
        "Published directions, none of them fitted",
        "已发表的方向（均未用于拟合）",
        (
            ("seen", "所见"),
            ("measure", "指标"),
            ("simulated, % of the lesion at the start", "模拟值（占初始病灶的 %）"),
            ("direction", "方向"),
        ),
        tuple(rows),
    )


def _course(course: LesionCourse) -> Table:
    """One kind of lesion after half a year, one and two years, under every arm."""
    title = LESIONS[course.lesion]
    return Table(
        f"Course: {title[0]}",
        f"病程：{title[1]}",
        tuple(_ARMS[arm] for arm in course.arms),
        tuple(
            Row(
                f"{en}, {when}",
                f"{zh}，{when_zh}",
                tuple(estimate(_values(course, name, arm, day), "1", "lesions") for arm in course.arms),
            )
            for name, (en, zh) in _CURVES.items()
            for day, when, when_zh in (
                (_HALF_YEAR, "6 months", "6 个月"),
                (_YEAR, "1 year", "1 年"),
                (_TWO_YEARS, "2 years", "2 年"),
            )
        ),
    )


def _statements(agreeing: int, total: int) -> tuple[tuple[str, str], ...]:
    return (
        (
            "Exploratory: growth, filling and surplus of RANKL of a lesion are assumed and drawn from wide ranges; "
            f"nothing is fitted. Of {total} published directions {agreeing} come out as published, so that agreement "
            "with a claim counts for little. Migration of an implant is not simulated. Run it: "
            "osteon osteolysis --check",
            "探索性结果：病灶的生长、填充与 RANKL 过量均为假设值，在宽范围内抽样，未作任何拟合。"
            f"{total} 个已发表方向中有 {agreeing} 个与文献一致，因此与论点一致并不说明什么。未模拟假体移位。"
            "运行：osteon osteolysis --check",
        ),
    )

"""Tables and statements of the virtual series, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from osteon.endpoints import RULES
from osteon.replay.claim_findings import Row, Table, explained
from osteon.replay.claim_measures import Estimate, estimate
from osteon.replay.series_films import VISITS

if TYPE_CHECKING:
    from osteon.evidence.claims import Review

MONTH = 365.25 / 12
STATEMENTS = (
    (
        "Not identifiable: flap, drug, lumbrokinase and era change together in the series, so that its difference "
        "cannot be given to any of them. The table says what each could explain, not what it did.",
        "不可识别：该系列中骨瓣、药物、蚓激酶与年代同时改变，差异无法归于其中任何一项。表中是各因素可能解释的部分，而非其实际作用。",
    ),
    (
        "The flap acts on necrosis alone in the model; that its vessels may speed union is neither shown nor excluded "
        "here. Lumbrokinase is not simulated.",
        "模型中骨瓣仅作用于坏死；其血供是否加快愈合，此处既未证明也未排除。未模拟蚓激酶。",
    ),
)


def explained_table(
    factors: Mapping[str, tuple[Estimate, Estimate]],
    chance: Estimate,
    published: Estimate,
    titles: Mapping[str, tuple[str, str]],
) -> Table:
    """What each factor could explain of the published ratio."""
    return Table(
        "What each factor could explain of the published ratio of mean times to union",
        "各因素对所发表平均愈合时间之比的可能解释",
        (
            ("ratio of means, same patients", "平均时间之比（同一批患者）"),
            ("as two groups of the published size would show it", "两组（与发表样本量相同）所见"),
            ("share of the published gap", "占发表差距的比例"),
        ),
        (
            Row("as published (95 %)", "发表值（95%）", (published, None, None)),
            Row("chance alone: two groups alike", "仅随机误差：两组相同", (None, chance, explained(chance, published))),
            *(Row(*titles[name], (*both, explained(both[0], published))) for name, both in factors.items()),
        ),
    )


def factorial_table(cells: Mapping[tuple[bool, bool], np.ndarray], numbers: Mapping[str, Estimate]) -> Table:
    """The four cells of flap and drug."""
    rows = (
        ("neither", "两者皆无", (False, False), "none", "harris_none"),
        ("flap", "骨瓣", (True, False), "flap", "harris_level_flap"),
        ("drug", "药物", (False, True), "drug", "harris_level_drug"),
        ("flap and drug", "骨瓣加药物", (True, True), "both", "harris_level_both"),
    )
    return Table(
        "Flap and drug, two by two",
        "骨瓣与药物 2 × 2",
        (
            ("time to union, monthly films", "愈合时间（每月摄片）"),
            ("necrosis at the mean follow-up", "平均随访时坏死"),
            ("chance that none of 33 has it", "33 例均无坏死的概率"),
            ("Harris score then", "此时 Harris 评分"),
        ),
        tuple(
            Row(
                en,
                zh,
                (
                    estimate(cells[cell] / MONTH, "month"),
                    numbers[f"necrosis_risk_{name}"],
                    numbers[f"no_necrosis_{name}"],
                    numbers[harris],
                ),
            )
            for en, zh, cell, name, harris in rows
        ),
    )


def rules_table(by_rule: Mapping[str, tuple[np.ndarray, Estimate]]) -> Table:
    """The drug under each definition of union: times without it, and the ratio with it."""
    return Table(
        "The drug under each definition of union (weekly films)",
        "不同愈合定义下的药物作用（每周摄片）",
        (
            ("time without the drug", "未用药时间"),
            ("ratio of means with the drug, same patients", "用药平均时间之比（同一批患者）"),
        ),
        tuple(
            Row(RULES[rule].title_en, RULES[rule].title_zh, (estimate(times / MONTH, "month"), ratio))
            for rule, (times, ratio) in by_rule.items()
        ),
    )


def further_table(numbers: Mapping[str, Estimate], easy: str, hard: str) -> Table:
    """Whether the drug acts the same under two definitions of union, and what blood supply no necrosis would take."""
    first, last = RULES[easy], RULES[hard]
    return Table(
        "How the factors hang together",
        "各因素之间的关系",
        (("simulated", "模拟值"),),
        (
            Row(
                "drug and flap: ratio of ratios of mean times (1: none changes the other)",
                "药物与骨瓣：平均时间比之比（1 为互不影响）",
                (numbers["interaction"],),
            ),
            Row(
                f"drug and definition: effect of the drug under “{last.title_en}” over that under “{first.title_en}”",
                f"药物与定义：“{last.title_zh}”下的药物作用与“{first.title_zh}”下之比",
                (numbers["interaction_definition"],),
            ),
            Row(
                "blood supply of the head, over the usual, from which none of 33 with necrosis is no surprise (5 %)",
                "使 33 例均无坏死不足为奇（概率 5%）所需的股骨头血供与通常之比",
                (numbers["supply_needed"],),
            ),
        ),
    )


def factor_titles(easy: str, hard: str, told: Review) -> dict[str, tuple[str, str]]:
    """Name of each factor in both languages, with the definitions that come first and last."""
    early, late = (told.row(name).value for name in ("own_crutches", "own_crutches_historical"))
    visits = VISITS["weekly"], VISITS["clinic"]
    return {
        "drug": ("drug over none", "药物与未用药"),
        "flap": ("flap over none (no way to the callus in the model)", "骨瓣与无骨瓣（模型中不影响骨痂）"),
        "both": ("flap and drug over neither", "骨瓣加药物与两者皆无"),
        "definition": (
            f"definition: {RULES[easy].title_en} over {RULES[hard].title_en}",
            f"定义：{RULES[easy].title_zh} 与 {RULES[hard].title_zh}",
        ),
        "visits": (
            f"visits: {visits[0].title_en} over {visits[1].title_en}",
            f"随访：{visits[0].title_zh}与{visits[1].title_zh}",
        ),
        "era": (f"era: loading after {early:g} over {late:g} months", f"年代：{early:g} 个月与 {late:g} 个月后负重"),
        "together": ("definition, visits and era together, no drug", "定义、随访与年代合并，未用药"),
    }

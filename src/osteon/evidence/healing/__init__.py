"""What is published on healing: the callus of animals by number and direction, and people's times, rates and risks."""

from osteon.evidence.healing.arms import AnimalArm, animal_arms, parts_of, pooled_arms
from osteon.evidence.healing.people import RateRow, ScoreRow, UnionTimes, rate_rows, score_rows, union_times
from osteon.evidence.healing.quantities import Quantity, quantities
from osteon.evidence.healing.risks import Factor, RiskRow, risk_factors, risk_rows
from osteon.evidence.healing.rows import (
    DEAD_BAND,
    HealingRow,
    healing_facts,
    healing_left_out,
    healing_rows,
    sign_rows,
)
from osteon.evidence.healing.signs import (
    SignScore,
    SignVerdict,
    needed_curves,
    predicted,
    relative_effects,
    score_signs,
)
from osteon.evidence.healing.table import printed_in_both_uses

__all__ = [
    "DEAD_BAND",
    "AnimalArm",
    "Factor",
    "HealingRow",
    "Quantity",
    "RateRow",
    "RiskRow",
    "ScoreRow",
    "SignScore",
    "SignVerdict",
    "UnionTimes",
    "animal_arms",
    "healing_facts",
    "healing_left_out",
    "healing_rows",
    "needed_curves",
    "parts_of",
    "pooled_arms",
    "predicted",
    "printed_in_both_uses",
    "quantities",
    "rate_rows",
    "relative_effects",
    "risk_factors",
    "risk_rows",
    "score_rows",
    "score_signs",
    "sign_rows",
    "union_times",
]

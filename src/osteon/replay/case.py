"""The case behind the review: give or hold the dose two months after the fracture, scored against what was seen.

The woman is virtual: patients around her differ as people do, each with a member of the ensemble and a draw of the
skeleton, and go through the three courses of the shipped scenario.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.endpoints.function import pain, pain_reported, shipped_values
from osteon.evidence.claims import Probe, Review, review
from osteon.replay.claim_findings import Findings, Row, Table
from osteon.replay.claim_measures import Estimate, estimate, measure, share
from osteon.replay.claim_runs import Told, simulated, values_of

if TYPE_CHECKING:
    from osteon.replay.claim_runs import Simulated

RUN = "metatarsal"
GIVE, HOLD, NEVER = "continue", "hold", "never"
_HALF_YEAR, _YEAR = 183.0, 364.0
_SEED = 1


def case(*, quick: bool = False, on_progress: Told | None = None) -> Findings:
    """Simulate the case and score its observations."""
    told = review()
    chronic = values_of(told.runs[RUN], quick).get("inflammation.chronic", 0.0)
    return found_in(simulated(told.runs[RUN], quick=quick, on_progress=on_progress), told, chronic)


def found_in(run: Simulated, told: Review, chronic: Any = 0.0) -> Findings:
    """Numbers and tables of the case.

    Parameters
    ----------
    run : Simulated
        Its patients, with the arms continue, hold and never.
    told : Review
        The published rows.
    chronic : float or ndarray
        Standing inflammation, which does not hurt, shape (patients,).
    """
    loading, callus = told.row("case_loading").value, told.row("case_callus").value

    def get(of: str, arm: str = GIVE, against: str = "", **more) -> Estimate:
        what = more.pop("what", "ratio" if against else "value")
        probe = Probe(run=RUN, what=what, of=of, arm=arm, against=against, en="-", zh="-", **more)
        return measure(probe, run, limit=loading)

    share_of_peak = {arm: _of_peak(run, arm, callus) for arm in run.arms}
    painless = {arm: _painless(run, arm, loading, chronic) for arm in run.arms}
    numbers = {
        "painless_17": painless[GIVE],
        "loading_by_17": get("full_loading", what="share_by"),
        "loading_day": get("full_loading", unit="day"),
        "loading_drug": get("full_loading", GIVE, NEVER),
        "callus_17": share_of_peak[GIVE],
        "callus_17_drug": get("callus_volume", GIVE, NEVER, day=callus),
        "visible_17": get("RUST", day=callus),
        "union_drug": get("time_to_union_cortices", GIVE, NEVER),
        "union_give_hold": get("time_to_union_cortices", GIVE, HOLD),
        "lamellar_give_never": get("lamellar_share_week52", GIVE, NEVER, what="difference", unit="share"),
        "lamellar_hold_never": get("lamellar_share_week52", HOLD, NEVER, what="difference", unit="share"),
        "lamellar_give_hold": get("lamellar_share_week52", GIVE, HOLD, what="difference", unit="share"),
        "callus_year_give_never": get("callus_volume", GIVE, NEVER, day=_YEAR),
        "callus_year_give_hold": get("callus_volume", GIVE, HOLD, day=_YEAR),
        "ctx_6_give_hold": get("CTX", GIVE, HOLD, what="difference", unit="%", day=_HALF_YEAR),
        "ctx_year_hold": get("CTX", HOLD, unit="%", day=_YEAR),
        "ctx_year_give": get("CTX", GIVE, unit="%", day=_YEAR),
        "bmd_year_give_hold": get("BMD_lumbar_spine", GIVE, HOLD, what="difference", unit="%", day=_YEAR),
    }
    return Findings(numbers, (_scored(painless, run, get, share_of_peak, loading), _question(numbers)), _statements())


def _of_peak(run: Simulated, arm: str, day: float) -> Estimate:
    """Volume of the callus on a day as a share of its largest in the same patient."""
    curve = run.series["callus_volume"][run.arms.index(arm)].astype(float)
    then = np.array([np.interp(day, run.time, one) for one in np.nan_to_num(curve)])
    return estimate(then / np.nanmax(curve, axis=-1), "share")


def _painless(run: Simulated, arm: str, day: float, chronic: Any) -> Estimate:
    """Share of patients who report no pain on a day, so that it does not keep them from loading the foot."""
    p, place = shipped_values(), run.arms.index(arm)
    after = run.time >= 0
    raised, stiff = (
        run.series[name][place][:, after].astype(float) for name in ("inflammation", "torsional_stiffness")
    )
    hurt = pain(run.time[after], raised, stiff, p, chronic)
    then = np.array([[np.interp(day, run.time[after], one)] for one in hurt])
    known = ~np.isnan(then[:, 0])
    # A patient is the same one under every course.
    said = pain_reported(np.nan_to_num(then), [day], p, _SEED, 0)[known, 0]
    return share(int((said <= p["harris.pain_none"]).sum()), int(known.sum()))


def _scored(painless, run: Simulated, get, share_of_peak, loading: float) -> Table:
    """What was seen in the case, in virtual patients under each course."""
    rows = (
        Row(
            f"seen: weight bearing without pain on day {loading:g}; share of virtual patients without pain then",
            f"所见：第 {loading:g} 天无痛负重；此时无痛的虚拟患者比例",
            tuple(painless[arm] for arm in run.arms),
        ),
        Row(
            "share whose callus is stiff enough for full load by then (limit assumed, as for a long bone)",
            "此时骨痂刚度足以完全负重的比例（界限为假设，按长骨）",
            tuple(get("full_loading", arm, what="share_by") for arm in run.arms),
        ),
        Row(
            "day of full loading",
            "完全负重日",
            tuple(get("full_loading", arm, unit="day") for arm in run.arms),
        ),
        Row(
            "seen: large callus by then; its volume as a share of the largest",
            "所见：此时骨痂大；其体积占峰值的比例",
            tuple(share_of_peak[arm] for arm in run.arms),
        ),
        Row(
            "seen: slow remodelling at a year; lamellar share of callus bone",
            "所见：1 年改建缓慢；骨痂板层骨比例",
            tuple(get("lamellar_share_week52", arm, unit="share") for arm in run.arms),
        ),
        Row(
            "time to 3 of 4 bridged cortices",
            "四处皮质中三处桥接时间",
            tuple(get("time_to_union_cortices", arm, unit="day") for arm in run.arms),
        ),
    )
    heads = {
        GIVE: ("dose given at month +2", "第 +2 月给药"),
        HOLD: ("dose held", "停药"),
        NEVER: ("never treated", "从未用药"),
    }
    return Table(
        "The case scored: what was seen, and how often virtual patients show it",
        "病例评分：所见与虚拟患者中的出现情况",
        tuple(heads[arm] for arm in run.arms),
        rows,
    )


def _question(numbers) -> Table:
    """Give or hold: the same patients with the dose less, or over, without it."""
    rows = (
        ("time to 3 bridged cortices, give over hold", "三处皮质桥接时间，给药与停药之比", "union_give_hold"),
        ("callus volume at a year, give over hold", "1 年骨痂体积，给药与停药之比", "callus_year_give_hold"),
        ("lamellar share at a year, give less hold", "1 年板层骨比例，给药减停药", "lamellar_give_hold"),
        ("CTX at 6 months, give less hold", "6 个月 CTX，给药减停药", "ctx_6_give_hold"),
        ("CTX at a year if held", "停药时 1 年 CTX", "ctx_year_hold"),
        ("density of the lumbar spine at a year, give less hold", "1 年腰椎骨密度，给药减停药", "bmd_year_give_hold"),
    )
    return Table(
        "Give or hold the dose at month +2",
        "第 +2 月给药还是停药",
        (("simulated, 90 % of virtual patients", "模拟值（90% 虚拟患者）"),),
        tuple(Row(en, zh, (numbers[name],)) for en, zh, name in rows),
    )


def _statements() -> tuple[tuple[str, str], ...]:
    return (
        (
            "One patient without a control can neither show nor refute an effect of the drug; weight, gap and strain "
            "are not reported and are assumed.",
            "单例且无对照，既不能证明也不能否定药物作用；体重、间隙与应变未报告，为假设值。",
        ),
    )

"""Three non-unions that united after 120 mg a month: how often such patients unite without the drug.

The model has no established non-union, so that delayed unions stand in for them: virtual patients with a humeral or
femoral shaft that shows no 3 bridged cortices after 6 months. From then on each goes on with and without three doses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from osteon.evidence.claims import Review, review
from osteon.replay.claim_findings import Findings, Row, Table, trials
from osteon.replay.claim_measures import HIGH, LOW, Estimate, estimate, share
from osteon.replay.claim_runs import Told, simulated

if TYPE_CHECKING:
    from osteon.replay.claim_runs import Simulated

RUN = "delayed"
MONTH = 365.25 / 12
OPEN_AT, WITHIN = 6 * MONTH, 9 * MONTH
_UNION = "time_to_union_cortices"
_SEED = 1


def nonunion(*, quick: bool = False, on_progress: Told | None = None) -> Findings:
    """Simulate delayed unions with and without the drug."""
    told = review()
    return found_in(simulated(told.runs[RUN], quick=quick, on_progress=on_progress), told)


def found_in(run: Simulated, told: Review) -> Findings:
    """Numbers and table of the delayed unions.

    Parameters
    ----------
    run : Simulated
        Arms in pairs: ``<bone>, none`` and ``<bone>, 120 mg``.
    told : Review
        The published rows.
    """
    three = told.row("agarwala").n
    bones = [arm.removesuffix(", none") for arm in run.arms if arm.endswith(", none")]
    late: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    left: list[np.ndarray] = []
    asked = 0
    for bone in bones:
        none, drug = (_days(run, f"{bone}, {name}") for name in ("none", "120 mg"))
        known = ~np.isnan(none) & ~np.isnan(drug)
        asked += int(known.sum())
        delayed = known & (none > OPEN_AT)
        late[bone] = none[delayed] <= OPEN_AT + WITHIN, drug[delayed] <= OPEN_AT + WITHIN
        # Of two times that never end there is no ratio.
        with np.errstate(invalid="ignore"):
            left.append((drug[delayed] - OPEN_AT) / (none[delayed] - OPEN_AT))
    without, with_drug = (np.concatenate([one[place] for one in late.values()]) for place in (0, 1))
    shares = {name: share(int(one.sum()), len(one)) for name, one in (("without", without), ("with", with_drug))}
    numbers = {
        "published": share(three, three, 0.95),
        "delayed": share(len(without), asked),
        "unite_without": shares["without"],
        "unite_with": shares["with"],
        "unite_difference": _difference(with_drug, without),
        "time_left": estimate(np.concatenate(left), "ratio"),
        "all_three_without": _all(shares["without"], three),
        "all_three_with": _all(shares["with"], three),
    }
    table = Table(
        "Delayed unions (open at 6 months): united within the next 9 months",
        "延迟愈合（6 个月未愈）：其后 9 个月内愈合",
        (("without the drug", "未用药"), ("120 mg x 3", "120 mg × 3")),
        (
            *(Row(*_bone(bone), tuple(share(int(one.sum()), len(one)) for one in late[bone])) for bone in bones),
            Row("both bones", "两处合并", (shares["without"], shares["with"])),
            Row(
                "time from then to 3 bridged cortices, drug over none, same patients",
                "此后至三处皮质桥接的时间，用药与未用药之比（同一批患者）",
                (None, numbers["time_left"]),
            ),
            Row(
                f"chance that {three} of {three} unite",
                f"{three}/{three} 全部愈合的概率",
                (numbers["all_three_without"], numbers["all_three_with"]),
            ),
        ),
    )
    return Findings(numbers, (table,), _statements())


def _days(run: Simulated, arm: str) -> np.ndarray:
    """Day of union, infinite for never and NaN where the arm failed."""
    place = run.arms.index(arm)
    found, failed = run.endpoints[_UNION][place], np.isnan(run.endpoints["CTX_nadir"][place])
    return np.where(np.isnan(found) & ~failed, np.inf, found)


def _difference(drug: np.ndarray, none: np.ndarray) -> Estimate:
    """Share united with the drug less without it [percentage points]; the interval is over cohorts of the same size."""
    if not len(none):
        return estimate(np.full(1, np.nan), "pp")
    gain = 100.0 * (drug.astype(float) - none)
    again = gain[trials(_SEED, len(gain), len(gain), "delayed unions")].mean(axis=1)
    low, high = np.percentile(again, [LOW, HIGH])
    return Estimate(float(gain.mean()), float(low), float(high), "pp", "patients", len(gain))


def _all(one: Estimate, count: int) -> Estimate:
    return Estimate(one.value**count, one.low**count, one.high**count, "share", "exact", one.n)


def _bone(key: str) -> tuple[str, str]:
    from osteon.scenario import catalogue

    entry = catalogue.bones()[key]
    return entry.title_en, entry.title_zh


def _statements() -> tuple[tuple[str, str], ...]:
    return (
        (
            "Stand-in: delayed unions of virtual patients, not established non-unions. The model has no infection, no "
            "pseudarthrosis and no second operation, so that the chance of uniting without the drug is an upper guess.",
            "替代做法：以虚拟患者的延迟愈合代替已成立的骨不连。模型不含感染、假关节与再次手术，因此未用药时的愈合概率偏高。",
        ),
    )

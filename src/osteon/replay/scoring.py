"""How a published number or direction is compared with what draws of the model and studies of that size give."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.replay.outcome import (
    AGREES,
    COVERED,
    DEAD_BAND,
    DISAGREES,
    MISSED,
    NO_DIRECTION,
    NOT_SCORED,
    NOT_SIMULATED,
    RIGHT,
    WRONG,
    Outcome,
)
from osteon.replay.reasons import FAILED, RECALLED, in_chinese

if TYPE_CHECKING:
    from osteon.evidence.studies import Result, Study, TableRow

#: Ends of the predictive interval.
ENDS = (0.05, 0.95)
#: A share of change below which an effect counts as none, as for the directions in animals.
BAND = 0.05
_WIDTH = 2 * 1.6448536269514722  # of a 90 % interval of normal data, in standard deviations


@dataclass(frozen=True)
class Seen:
    """What is published of one outcome, where an engine compares another summary than the printed one.

    `sd` is the standard error on the scale that is compared; `bound` is ``at_least`` or ``at_most`` where the number
    bounds the truth; `effect` is the value of no effect of a comparison, nan where there is none; `scored` whether a
    direction counts among the directions.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    sd: float = math.nan
    scale: str = "linear"
    bound: str = ""
    effect: float = math.nan
    unit: str = ""
    day: float = math.nan
    n: int = 0
    label: str = ""
    against: str = ""
    printed: str = ""
    flag: str = ""
    scored: bool = True


@dataclass(frozen=True)
class SignVerdict:
    """A published direction and that of the median draw: -1, 0 or 1; and the share of draws that agree [1]."""

    observed: int
    predicted: int
    agreeing: float

    @property
    def right(self) -> bool:
        """Whether the median has the published direction."""
        return self.observed == self.predicted


def sign_of_ratios(published: float, ratios: np.ndarray) -> SignVerdict:
    """Compare a published direction with that of ratios, shape (draws,), with the dead band `BAND`."""
    known = ratios[~np.isnan(ratios)]
    signs = np.where(np.abs(known - 1.0) < BAND, 0, np.sign(known - 1.0))
    middle = float(np.median(known)) if len(known) else math.nan
    predicted = 0 if abs(middle - 1.0) < BAND else int(np.sign(middle - 1.0)) if len(known) else 0
    return SignVerdict(int(published), predicted, float((signs == published).sum() / max(len(ratios), 1)))


def unscored(
    study: Study, result: Result, row: TableRow, reason: str, reason_zh: str = "", label: str = "", verdict: str = ""
) -> Outcome:
    """Return the outcome of a row that is not simulated, with the reason in both languages where there are two."""
    about = _about(study, result, row, Seen(row.value, row.low, row.high, row.sd, label=label), "none")
    nothing = dict.fromkeys(("simulated", "simulated_low", "simulated_high", "model_low", "model_high"), math.nan)
    return Outcome(
        **about,
        **nothing,
        distance=math.nan,
        covered=None,
        sign=NO_DIRECTION,
        agreeing=math.nan,
        verdict=verdict or NOT_SIMULATED,
        reason=reason,
        reason_zh=reason_zh or in_chinese(reason),
    )


def scored(
    study: Study, result: Result, row: TableRow, seen: Seen, engine: str, model: Any, predictive: Any
) -> Outcome:
    """Compare a published number.

    Parameters
    ----------
    study, result, row : Study, Result, TableRow
        Where the number is from.
    seen : Seen
        What is compared.
    engine : str
        What simulated it.
    model : array_like
        The number under each draw, shape (draws,); draws that failed are NaN.
    predictive : array_like
        What studies of that size would report, of any length; NaN where a draw failed.

    Returns
    -------
    Outcome
        With a verdict; ``not simulated`` where every draw failed.
    """
    model, predictive = (np.asarray(one, float) for one in (model, predictive))
    known, told = model[~np.isnan(model)], predictive[~np.isnan(predictive)]
    if not len(known) or not len(told):
        return unscored(study, result, row, FAILED, label=seen.label)
    low, high = _ends(told)
    model_low, model_high = _ends(known)
    middle = float(np.median(known))
    sign, agreeing = direction(seen, known)
    covered = _covered(seen, low, high)
    return Outcome(
        **_about(study, result, row, seen, engine),
        simulated=middle,
        simulated_low=low,
        simulated_high=high,
        model_low=model_low,
        model_high=model_high,
        distance=_distance(seen, known, told),
        covered=covered,
        sign=sign,
        agreeing=agreeing,
        verdict=_verdict(row, covered),
        reason=RECALLED if row.recalled else "",
        reason_zh=in_chinese(RECALLED) if row.recalled else "",
    )


def worded(
    study: Study, result: Result, row: TableRow, seen: Seen, engine: str, model: Any, verdict: SignVerdict
) -> Outcome:
    """Compare a published direction; `model` is the ratio to what it is against under each draw, shape (draws,)."""
    found = scored(study, result, row, seen, engine, model, model)
    if found.verdict == NOT_SIMULATED:
        return found
    told = {NOT_SCORED: NOT_SCORED}.get(found.verdict, RIGHT if verdict.right else WRONG)
    sign = compare_signs(verdict.observed, verdict.predicted) if seen.scored else NO_DIRECTION
    return replace(found, distance=math.nan, covered=None, sign=sign, agreeing=verdict.agreeing, verdict=told)


def _verdict(row: TableRow, covered: bool) -> str:
    # A number that nobody saw is shown, but neither met nor missed.
    if row.recalled:
        return NOT_SCORED
    return COVERED if covered else MISSED


def _about(study: Study, result: Result, row: TableRow, seen: Seen, engine: str) -> dict[str, Any]:
    return {
        "study": study.key,
        "result": result.id,
        "label": seen.label,
        "table": row.table,
        "line": row.line,
        "endpoint": result.endpoint.en,
        "endpoint_zh": result.endpoint.zh,
        "unit": seen.unit or result.unit,
        "arm": row.arm,
        "against": seen.against,
        "day": row.day if math.isnan(seen.day) else seen.day,
        "use": row.use,
        "how_obtained": row.how_obtained,
        "engine": engine,
        "n": seen.n or row.n,
        "published": seen.value,
        "published_low": seen.low,
        "published_high": seen.high,
        "published_sd": seen.sd,
        "bound": seen.bound,
        "scale": seen.scale,
        "printed": seen.printed,
        "as_printed": result.as_printed,
        "corrected": result.corrected,
        "flag": seen.flag,
    }


def _ends(values: np.ndarray) -> tuple[float, float]:
    # Between two infinite values nothing can be interpolated.
    with np.errstate(invalid="ignore"):
        low, high = np.quantile(values, ENDS)
    if np.isnan(low) or np.isnan(high):
        low, high = np.quantile(values, ENDS[0], method="lower"), np.quantile(values, ENDS[1], method="higher")
    return float(low), float(high)


def _covered(seen: Seen, low: float, high: float) -> bool:
    if seen.bound == "at_least":
        return high >= seen.value
    if seen.bound == "at_most":
        return low <= seen.value
    return low <= seen.value <= high


def _distance(seen: Seen, model: np.ndarray, predictive: np.ndarray) -> float:
    """Simulated less published over the standard errors of both, and over no less than that of the interval."""
    if seen.scale == "log":
        if seen.value <= 0:
            return math.nan
        with np.errstate(divide="ignore"):
            model, predictive, value = np.log(model), np.log(predictive), math.log(seen.value)
    else:
        value = seen.value
    apart = float(np.median(model)) - value
    if (seen.bound == "at_least" and apart > 0) or (seen.bound == "at_most" and apart < 0):
        return 0.0
    own, whole = (_spread(one) for one in (model, predictive))
    # The interval has what studies have in common, which neither error alone has.
    error = max(math.hypot(seen.sd, own), whole) if seen.sd > 0 else whole
    return apart / error if error > 0 and math.isfinite(apart) and math.isfinite(error) else math.nan


def _spread(values: np.ndarray) -> float:
    low, high = _ends(values)
    return (high - low) / _WIDTH if math.isfinite(low) and math.isfinite(high) else math.nan


def direction(seen: Seen, model: np.ndarray) -> tuple[str, float]:
    """Return how the direction of an effect compares, and the share of draws with the published one [1]."""
    if math.isnan(seen.effect) or seen.bound or (seen.low <= seen.effect <= seen.high):
        return NO_DIRECTION, math.nan
    ours, theirs = (_signs(np.asarray(one), seen) for one in (model, [seen.value]))
    agreeing = float(np.mean(ours == theirs[0]))
    middle = int(_signs(np.array([np.median(model)]), seen)[0])
    return compare_signs(int(theirs[0]), middle), agreeing


def compare_signs(published: int, simulated: int) -> str:
    """Return how two directions of -1, 0 or 1 compare."""
    if published == simulated:
        return AGREES
    return DEAD_BAND if 0 in (published, simulated) else DISAGREES


def _signs(values: np.ndarray, seen: Seen) -> np.ndarray:
    if seen.scale == "log":
        with np.errstate(divide="ignore"):
            apart = np.log(values / seen.effect)
        return np.where(np.abs(apart) < math.log1p(BAND), 0, np.sign(apart)).astype(int)
    apart = values - seen.effect
    band = BAND * max(abs(seen.value), 1e-12)
    return np.where(np.abs(apart) < band, 0, np.sign(apart)).astype(int)

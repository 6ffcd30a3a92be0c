"""Numbers that claims are about, read from runs, with their interval, and whether they are as a claim expects."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.errors import InputError, near_match, show
from osteon.evidence.healing import DEAD_BAND

if TYPE_CHECKING:
    from osteon.evidence.claims import Probe
    from osteon.replay.claim_runs import Simulated

LOW, HIGH = 5.0, 95.0  # percentiles of every interval
_COMES = ("full_loading", "pain_relief", "rebound_start")  # days that are late beyond all where they do not come


@dataclass(frozen=True)
class Estimate:
    """A simulated number.

    Attributes
    ----------
    value, low, high : float
        Median and the ends of the interval; infinite where an event does not come, NaN where nothing is known.
    unit : str
        ``1``, ``ratio``, ``%``, ``pp`` (percentage points), ``day``, ``month``, ``point`` or ``share``.
    over : str
        What the interval is over: ``draws``, ``patients``, ``trials`` of two groups, ``twins`` (trials of the same
        patients), ``parameters``, ``published`` or ``exact`` (binomial).
    n : int
        How many of them.
    level : float
        Of the interval.
    """

    value: float
    low: float
    high: float
    unit: str = "1"
    over: str = "patients"
    n: int = 0
    level: float = 0.9

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; what is not finite is None."""
        return {
            key: None if isinstance(one, float) and not math.isfinite(one) else one for key, one in asdict(self).items()
        }


def estimate(values: np.ndarray, unit: str = "1", over: str = "patients") -> Estimate:
    """Median and 90 % interval of values that may be infinite; NaN are left out.

    Parameters
    ----------
    values : ndarray
        Shape (n,).
    """
    known = values[~np.isnan(values)]
    if not len(known):
        return Estimate(math.nan, math.nan, math.nan, unit, over, 0)
    # Between an infinite value and a finite one nothing can be interpolated.
    low, high = np.percentile(known, LOW, method="lower"), np.percentile(known, HIGH, method="higher")
    middle = np.percentile(known, 50.0, method="lower" if np.isinf(known).any() else "linear")
    return Estimate(float(middle), float(low), float(high), unit, over, len(known))


def share(seen: int, total: int, level: float = 0.9) -> Estimate:
    """A share of patients with its exact binomial interval."""
    from scipy.stats import binomtest

    if not total:
        return Estimate(math.nan, math.nan, math.nan, "share", "exact", 0)
    ends = binomtest(seen, total).proportion_ci(level, method="exact")
    return Estimate(seen / total, float(ends.low), float(ends.high), "share", "exact", total, level)


def measure(probe: Probe, run: Simulated, over: str = "patients", limit: float | None = None) -> Estimate:
    """What a probe asks for, from its run.

    Parameters
    ----------
    probe : Probe
        What.
    run : Simulated
        Its run.
    over : str
        What the patients of the run are; see `Estimate`.
    limit : float, optional
        Day of ``share_by`` [day].
    """
    arm = probe.arm or run.arms[0]
    if probe.what == "share_by":
        reached = _values(run, arm, probe.of, None)
        known = ~np.isnan(reached)
        return share(int((reached[known] <= (math.inf if limit is None else limit)).sum()), int(known.sum()))
    if probe.what == "peak_day":
        curve = _curve(run, arm, probe.of)
        return estimate(run.time[np.nan_to_num(curve, nan=-np.inf).argmax(axis=-1)], "day", over)
    value = _values(run, arm, probe.of, probe.day)
    if probe.what == "value":
        return estimate(value, probe.unit, over)
    if probe.less:
        other = _values(run, arm, probe.less, probe.day)
    else:
        other = _values(run, probe.against or arm, probe.of, probe.day if probe.since is None else probe.since)
    # Two times that never come, or nothing beside nothing, have no ratio and no difference.
    with np.errstate(invalid="ignore", divide="ignore"):
        if probe.what == "difference":
            scale, unit = (100.0, "pp") if probe.unit == "share" else (1.0, "pp" if probe.unit == "%" else probe.unit)
            return estimate(scale * (value - other), unit, over)
        levels = (100.0 + value, 100.0 + other) if probe.unit == "%" else (value, other)
        return estimate(levels[0] / levels[1], "ratio", over)


def _values(run: Simulated, arm: str, of: str, day: float | None) -> np.ndarray:
    """A curve on a day or an endpoint of each patient; a day that is not reached is infinite."""
    from osteon.endpoints import STAGES

    place = _place(run, arm)
    if day is not None:
        return np.array([np.interp(day, run.time, one, right=np.nan) for one in _curve(run, arm, of)])
    if of not in run.endpoints:
        hint = near_match(of, run.endpoints)
        raise InputError(f"{show(of)} is not an endpoint of the run", path="of", value=of, hint=hint)
    found = run.endpoints[of][place]
    if of not in (*STAGES, *_COMES) and not of.startswith("time_to_union"):
        return found
    solved = run.endpoints["CTX_nadir"][place] if "CTX_nadir" in run.endpoints else np.zeros(run.size)
    return np.where(np.isnan(found) & ~np.isnan(solved), np.inf, found)


def _curve(run: Simulated, arm: str, of: str) -> np.ndarray:
    place, names = _place(run, arm), of.split("+")
    for name in names:
        if name not in run.series:
            hint = near_match(name, run.series)
            raise InputError(f"{show(name)} is not a curve of the run", path="of", value=name, hint=hint)
    return np.sum([run.series[name][place].astype(float) for name in names], axis=0)


def _place(run: Simulated, arm: str) -> int:
    if arm not in run.arms:
        hint = near_match(arm, run.arms) or f"there are {', '.join(run.arms)}"
        raise InputError(f"{show(arm)} is not an arm of the run", path="arm", value=arm, hint=hint)
    return run.arms.index(arm)


def holds(found: Estimate, expected: tuple[str, float, float] | None) -> str:
    """Whether an expectation holds: ``yes`` or ``no`` where the whole interval says so, else ``open``.

    Of a ratio, an effect of less than `DEAD_BAND` is none: it has to be passed by the median for ``> 1``, and by no
    end of the interval for ``= 1``. Empty where nothing is expected.
    """
    if expected is None:
        return ""
    kind, lower, upper = expected
    low, middle, high = found.low, found.value, found.high
    if math.isnan(middle):
        return "open"
    band = DEAD_BAND if found.unit == "ratio" else 0.0
    if kind in "<>":
        if kind == "<":
            low, middle, high, lower = -high, -middle, -low, -lower
        if low > lower and middle >= lower + band:
            return "yes"
        return "no" if high < lower + band or high <= lower else "open"
    if kind == "=":
        lower, upper = lower - band, upper + band
    if lower <= low and high <= upper:
        return "yes"
    return "no" if high < lower or low > upper else "open"

"""What a calibration has to tell, as plain values: targets, parameters, identifiability, ablations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from osteon.calibrate.fit import Fit, fit
from osteon.calibrate.free import Observed, Problem
from osteon.calibrate.run import Calibration, Stage
from osteon.parameters import Record

RHAT, EFFECTIVE = 1.1, 100.0  # beyond which a chain has not settled
_NORMAL_95 = 1.6448536269514722  # 95 % quantile of the standard normal distribution


@dataclass(frozen=True)
class Target:
    """A measure of how well the calibrated model does, with what is allowed.

    Attributes
    ----------
    name : str
        What is measured, for example ``CTX, seven phase-2 arms, RMSE``.
    use : {"fit", "check"}
        Whether its rows were fitted.
    value : float
        In `unit`.
    unit : str
        For example ``points``.
    low, high : float
        What is allowed.
    rows : int
        Rows that it was computed from.
    """

    name: str
    use: Literal["fit", "check"]
    value: float
    unit: str
    high: float = math.inf
    low: float = -math.inf
    rows: int = 0

    @property
    def met(self) -> bool:
        """Whether the value lies within what is allowed."""
        return self.low <= self.value <= self.high

    @property
    def limited(self) -> bool:
        """Whether anything is asked of it; else it is shown alone."""
        return not (math.isinf(self.low) and math.isinf(self.high))

    @property
    def allowed(self) -> str:
        """What is allowed, in signs."""
        if math.isinf(self.low):
            return "–" if math.isinf(self.high) else f"≤ {self.high:g}"
        return f"≥ {self.low:g}" if math.isinf(self.high) else f"{self.low:g}–{self.high:g}"


@dataclass(frozen=True)
class Ablation:
    """The model with a part taken out, fitted anew to the same rows with the same noise.

    Attributes
    ----------
    name : str
        What was taken out.
    log_evidence : float
        Change of the log evidence; negative where the data miss the part.
    rmse, rmse_full : mapping of str to float
        Root of the mean squared error by endpoint, without the part and with it.
    """

    name: str
    log_evidence: float
    rmse: Mapping[str, float]
    rmse_full: Mapping[str, float]


def rmse(observed: Observed, predicted: np.ndarray) -> dict[str, float]:
    """Root of the mean squared error of each endpoint, of predicted rows (n,); censored rows are left out."""
    found = {}
    for endpoint in dict.fromkeys(map(str, observed.endpoint)):
        rows = (observed.endpoint == endpoint) & ~np.asarray(observed.censored, bool)
        if rows.any():
            found[endpoint] = float(np.sqrt(np.mean((np.asarray(observed.value)[rows] - predicted[rows]) ** 2)))
    return found


def ablate(
    full: Stage,
    without: Mapping[str, Problem],
    *,
    seed: int,
    starts: int,
    on_progress: Callable[[str, int, int], object] | None = None,
) -> list[Ablation]:
    """Fit problems that lack a part, and say how much worse each is.

    Parameters
    ----------
    full : Stage
        With every part; its noise is kept to.
    without : mapping of str to Problem
        By the name of what was taken out; their rows are those of `full`.
    seed, starts : int
        Of the fits.
    on_progress : callable
        Called with what is being done, and the fits done and in all.
    """
    found = []
    for done, (name, problem) in enumerate(without.items()):
        if on_progress is not None:
            on_progress(f"without {name}", done, len(without))
        lesser = fit(problem, seed=seed, starts=starts, noise=full.fit.noise)
        drop = lesser.log_evidence - full.fit.log_evidence
        errors = [rmse(full.problem.observed, one.predicted) for one in (lesser, full.fit)]
        found.append(Ablation(name, drop, *errors))
    return found


def document(
    calibration: Calibration,
    records: Mapping[str, Record],
    targets: Sequence[Target] = (),
    ablations: Sequence[Ablation] = (),
) -> dict[str, Any]:
    """Return a calibration as plain values for one JSON document; what is not a number is None.

    Keys: converged, leading, structures (name, weight, log_evidence, best, blocks), parameters, identifiability (by
    structure and block), targets, ablations, draws, seconds, manifest.
    """
    found = {
        "converged": all(_settled(stage) for blocks in calibration.stages.values() for stage in blocks.values()),
        "leading": calibration.leading,
        "structures": [
            {
                "name": name,
                "weight": calibration.weights[name],
                "log_evidence": calibration.log_evidence[name],
                "best": calibration.best(name),
                "blocks": [_block(block, stage) for block, stage in blocks.items()],
            }
            for name, blocks in calibration.stages.items()
        ],
        "parameters": _parameters(calibration, records),
        "identifiability": {
            name: {block: stage.identified.to_dict() for block, stage in blocks.items()}
            for name, blocks in calibration.stages.items()
        },
        "targets": [
            {
                "name": one.name,
                "use": one.use,
                "value": one.value,
                "unit": one.unit,
                "allowed": one.allowed,
                "met": one.met if one.limited else None,
                "rows": one.rows,
            }
            for one in targets
        ],
        "ablations": [
            {
                "name": one.name,
                "log_evidence": one.log_evidence,
                "endpoints": [
                    {"endpoint": name, "rmse": value, "rmse_full": one.rmse_full[name]}
                    for name, value in one.rmse.items()
                ],
            }
            for one in ablations
        ],
        "draws": len(calibration.joint.draws),
        "draws_failed": int(np.isnan(calibration.joint.predicted).any(axis=1).sum()),
        "seconds": round(calibration.seconds, 1),
        "manifest": dict(calibration.manifest),
    }
    return _plain(found)


def _settled(stage: Stage) -> bool:
    rhat, effective = stage.sampled.split_rhat(), stage.sampled.effective()
    return bool((rhat <= RHAT).all() and (effective >= EFFECTIVE).all())


def _block(block: str, stage: Stage) -> dict[str, Any]:
    sampled, found, observed = stage.sampled, stage.fit, stage.problem.observed
    return {
        "block": block,
        "rows": len(observed),
        "censored": int(np.sum(observed.censored)),
        "cost": found.cost,
        "costs": found.costs.tolist(),
        "starts_agreeing": found.agreeing(),
        "log_evidence": found.log_evidence,
        "settled": _settled(stage),
        "acceptance": sampled.acceptance,
        "autocorrelation": float(np.max(sampled.autocorrelation())),
        "rhat": float(np.max(sampled.split_rhat())),
        "effective": float(np.min(sampled.effective())),
        "steps": len(sampled.chain),
        "endpoints": _endpoints(found, observed),
    }


def _endpoints(found: Fit, observed: Observed) -> list[dict[str, Any]]:
    errors = rmse(observed, found.predicted)
    rows = []
    for endpoint in dict.fromkeys(map(str, observed.endpoint)):
        of = observed.endpoint == endpoint
        rows.append(
            {
                "endpoint": endpoint,
                "rows": int(of.sum()),
                "rmse": errors.get(endpoint, math.nan),
                "inflation": found.noise.of(endpoint),
                "study_offset": float(observed.tau.get(endpoint, 0.0)),
            }
        )
    return rows


def _parameters(calibration: Calibration, records: Mapping[str, Record]) -> list[dict[str, Any]]:
    """Each parameter with its best value in the leading structure, its interval over all, and its prior."""
    draws, best = calibration.joint.draws, calibration.best(calibration.leading)
    free = {one.key: one for s in calibration.stages.values() for stage in s.values() for one in stage.free}
    unseen: dict[str, list[str]] = {}
    for name, blocks in calibration.stages.items():
        for stage in blocks.values():
            for key in stage.identified.unseen:
                unseen.setdefault(key, []).append(name)
    rows = []
    for key in draws.keys:
        if np.isnan(draws.of(key)).all():
            continue
        low, median, high = draws.interval(key)
        prior = free[key].to_value(free[key].mean + np.array([-1, 1]) * _NORMAL_95 * free[key].width)
        rows.append(
            {
                "parameter": key,
                "block": free[key].block,
                "unit": records[key].unit if key in records else "",
                "best": best.get(key, math.nan),
                "median": median,
                "low": low,
                "high": high,
                "prior": free[key].centre,
                "prior_low": float(prior[0]),
                "prior_high": float(prior[1]),
                "unseen_in": unseen.get(key, []),
            }
        )
    return rows


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value

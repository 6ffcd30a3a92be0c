"""How well the calibrated turnover layer does: fitted rows, rows it never saw, labels, and directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from osteon.calibrate.findings import Target
from osteon.calibrate.turnover import offsets, rows_of
from osteon.calibrate.virtual import VirtualTrials
from osteon.draws import normal
from osteon.evidence import Observations, StudyArm, arms
from osteon.parameters.posterior import fixed_by

if TYPE_CHECKING:
    from osteon.calibrate.run import Calibration
    from osteon.calibrate.store import Draws
    from osteon.calibrate.subject import Settings

PATIENTS, DRAWS = 32, 60
BMD: tuple[str, ...] = ("BMD_lumbar_spine", "BMD_total_hip", "BMD_femoral_neck")
_STOPPED = "bone2011_denosumab"
_OFF = 731.0  # first day after the last dosing interval of Bone 2011
_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Predicted:
    """Rows of one use with what draws predict for them.

    Attributes
    ----------
    rows : Observations
        Published, n of them.
    medians : ndarray
        Summary of the virtual population for each draw, shape (draws, n).
    replicates : ndarray
        The same as another study might report it, with offset and error, shape (draws, n).
    """

    rows: Observations
    medians: np.ndarray
    replicates: np.ndarray

    @cached_property
    def centre(self) -> np.ndarray:
        """Median over the draws, shape (n,)."""
        return np.nanmedian(self.medians, axis=0)

    def errors(self, where: np.ndarray) -> np.ndarray:
        """Simulated less published of some rows."""
        return self.centre[where] - self.rows.value[where]

    def covered(self) -> np.ndarray:
        """Whether the 90 % interval holds each published value, shape (n,)."""
        low, high = np.nanquantile(self.replicates, [0.05, 0.95], axis=0)
        return (low <= self.rows.value) & (self.rows.value <= high)


def predicted(
    use: str, draws: Draws, inflation: Mapping[str, Mapping[str, float]], settings: Settings, seed: int = 1
) -> Predicted:
    """Predict every row of one use by `DRAWS` of the draws, evenly taken.

    Parameters
    ----------
    use : {"fit", "check", "noise"}
        Which rows.
    draws : Draws
        Of the posterior.
    inflation : mapping
        Variance inflation by structure and endpoint.
    settings : Settings
        Folder of the rows, and threads.
    seed : int
        Of the errors of replicates.
    """
    rows = rows_of(use, settings.data)
    chosen = np.unique(np.linspace(0, len(draws) - 1, min(DRAWS, len(draws))).astype(int))
    medians = np.full((len(chosen), len(rows)), np.nan)
    scale = np.ones_like(medians)
    for structure in dict.fromkeys(np.array(draws.structures)[chosen]):
        mine = np.array([draws.structures[place] == structure for place in chosen])
        trials = VirtualTrials(rows, fixed_by(structure), patients=PATIENTS, threads=settings.cores)
        medians[mine] = trials.predict(values_of(draws, chosen[mine]))
        scale[mine] = [np.sqrt(inflation[structure].get(curve, 1.0)) for curve in rows.curve]
    noise = normal(seed, 0, medians.size, f"calibrate scores {use}").reshape(medians.shape)
    return Predicted(rows, medians, medians + scale * (noise * rows.sd + _offset(rows, len(chosen), seed)))


def values_of(draws: Draws, chosen: np.ndarray) -> dict[str, np.ndarray]:
    """Values of some draws by key; what their structure fixes is left out."""
    found = {key: draws.values[chosen, place] for place, key in enumerate(draws.keys)}
    return {key: value for key, value in found.items() if not np.isnan(value).any()}


def _offset(rows: Observations, count: int, seed: int) -> np.ndarray:
    """What a study has in common, shape (draws, n)."""
    found, tau = np.zeros((count, len(rows))), offsets()
    for place, (study, curve) in enumerate(sorted(set(zip(rows.study, rows.curve, strict=True)))):
        z = normal(seed, place * count, (place + 1) * count, "calibrate scores offset")
        found[:, (rows.study == study) & (rows.curve == curve)] = tau[curve] * z[:, None]
    return found


def turnover_targets(calibration: Calibration, settings: Settings) -> Sequence[Target]:
    """Every target of the turnover layer, met or missed."""
    inflation = {
        name: {e: stage.fit.noise.of(e) for stage in blocks.values() for e in set(stage.problem.observed.endpoint)}
        for name, blocks in calibration.stages.items()
    }
    draws = calibration.joint.draws
    fit, check = (predicted(use, draws, inflation, settings) for use in ("fit", "check"))
    best = {key: np.array([value]) for key, value in calibration.best(calibration.leading).items()}
    trials = VirtualTrials(Observations(()), fixed_by(calibration.leading), patients=PATIENTS, threads=settings.cores)
    return [*_fitted(fit), *_coverage(fit), *_checked(check), *_coverage(check), *_stopping(trials, best), *_labels()]


def _fitted(fit: Predicted) -> list[Target]:
    rows, arm = fit.rows, np.array([str(one) for one in fit.rows.arm])
    phase2 = np.char.startswith(arm, "phase2_")
    sound = np.array([not row.flag for row in rows.rows])
    groups = [
        ("Denosumab phase 2", phase2, {"CTX": 6.0, "BSAP": 9.0, "BMD_lumbar_spine": 0.8, "BMD_total_hip": 0.8}),
    ]
    density = {"BMD_lumbar_spine": 0.8, "BMD_total_hip": 0.8}
    groups.append(("Denosumab phase 2, rows without a known slip", phase2 & sound, density))
    wide = {"CTX": 15.0, "P1NP": 15.0, **dict.fromkeys(BMD, 1.2)}
    groups += [
        (title, arm == key, wide)
        for key, title in (
            ("data_teriparatide", "DATA, teriparatide"),
            ("data_combination", "DATA, combination"),
            ("arch_alendronate", "ARCH, alendronate"),
        )
    ]
    groups.append(("Romosozumab phase 2", np.char.startswith(arm, "romo2_"), wide))
    return [found for name, where, most in groups for found in _rmse(fit, name, "fit", where, most)]


def _checked(check: Predicted) -> list[Target]:
    arm = np.array([str(one) for one in check.rows.arm])
    groups = [("Bone 2011, after stopping", arm == _STOPPED, {"CTX": 15.0, "P1NP": 15.0, "BMD_total_hip": 1.2})]
    wide: dict[str, float] = dict.fromkeys(BMD, 1.2)
    for key, title in (("decide", "DECIDE"), ("stand", "STAND"), ("miller", "Miller 2016"), ("roux", "Roux 2014")):
        groups.append((title, np.char.startswith(arm, f"{key}_"), wide))
    return [found for name, where, most in groups for found in _rmse(check, name, "check", where, most)]


def _rmse(given: Predicted, name: str, use: str, where: np.ndarray, most: Mapping[str, float]) -> list[Target]:
    found = []
    for curve, high in most.items():
        mine = where & (given.rows.curve == curve)
        if mine.any():
            value = float(np.sqrt(np.mean(given.errors(mine) ** 2)))
            found.append(Target(f"{name}: {curve}, RMSE", use, value, "points", high=high, rows=int(mine.sum())))  # type: ignore[arg-type]
    return found


def _coverage(given: Predicted) -> list[Target]:
    use = given.rows.rows[0].use if len(given.rows) else "check"
    share = 100.0 * float(np.mean(given.covered()))
    return [Target(f"Rows to {use} inside the 90 % interval", use, share, "%", 97.0, 80.0, len(given.rows))]  # type: ignore[arg-type]


def _stopping(trials: VirtualTrials, best: Mapping[str, np.ndarray]) -> list[Target]:
    """Size and time of the rebound, its growth with the length of treatment, and the creep under it."""
    arm = arms()[_STOPPED]
    peak, day = _peak(trials, arm, _OFF, best)
    months = (day - 2 * 365.25) / _MONTH
    lengths = [_peak(trials, _doses(arm, count), count * 6 * _MONTH, best)[0] for count in (2, 4, 8, 16)]
    visits = np.array([6 * _MONTH * count - 0.01 for count in range(1, 5)])
    ends = trials.curves(arm, visits, ["CTX"], best)["CTX"][0]
    return [
        Target("Bone 2011: CTX peak after stopping (observed +62 % at month 30)", "check", peak, "%", 77.0, 47.0, 1),
        Target(
            "Bone 2011: peak, months after the end of treatment (observed 6)", "check", months, "months", 8.0, 4.0, 1
        ),
        Target(
            "Rebound grows with treatment: least step over 1, 2, 4 and 8 years",
            "check",
            float(np.diff(lengths).min()),
            "points",
            low=0.0,
        ),
        Target(
            "Creep of end-of-interval CTX, month 6 to 24 of 60 mg",
            "check",
            float(ends[-1] - ends[0]),
            "points",
            low=0.0,
        ),
    ]


def _doses(arm: StudyArm, count: int) -> StudyArm:
    """The arm with another number of doses, followed for two years after."""
    dose = {**arm.doses[0], "count": count}
    return replace(arm, doses=(dose,), horizon=count * 6 * _MONTH + 731.0)  # type: ignore[arg-type]


def _peak(trials: VirtualTrials, arm: StudyArm, off: float, best: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """Highest median CTX after the end of treatment [%], and its day."""
    days = np.arange(off, off + 730.0, 5.0)
    curve = trials.curves(arm, days, ["CTX"], best)["CTX"][0]
    place = int(np.argmax(curve))
    return float(curve[place]), float(days[place])


def _labels() -> list[Target]:
    """Exposure of 60 and 120 mg against the labels: the set that stands for each, with the shipped spread."""
    from osteon.evidence.label import label_agreement

    found = []
    for name, study in (("sutjandra2011", "us_label"), ("gibiansky2012", "xgeva")):
        for one in label_agreement((name,), ("shipped",), studies=(study,)):
            title = f"{one.study}: {one.endpoint}, {name}, simulated over published"
            found.append(Target(title, "check", one.ratio, "", 1.2, 0.8, 1))
    return found

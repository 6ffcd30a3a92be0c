"""How well the calibrated callus does in animals: fitted rows by quantity, and the directions of effects.

Directions are never fitted: those of use check were never seen, those of use fit are of arms whose numbers were.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from osteon.calibrate.animals import AnimalTrials, is_logarithm
from osteon.calibrate.callus_people_scores import people_targets
from osteon.calibrate.callus_simulated import of_members
from osteon.calibrate.findings import Target
from osteon.evidence.healing import HealingRow, SignScore, healing_rows, score_signs, sign_rows

if TYPE_CHECKING:
    from osteon.calibrate.run import Calibration
    from osteon.calibrate.store import Draws
    from osteon.calibrate.subject import Settings

__all__ = ["callus_targets", "people_targets", "signs", "undecided"]

GERSTENFELD = "Gerstenfeld2009"
LEAST_OF_16, LEAST_SHARE = 13, 80.0
_DECIDED = 0.9  # share of members on one side from which a direction counts as decided
_USUAL = 0.95  # of misfits as large as errors and offsets give them


def signs(draws: Draws, settings: Settings, uses: Sequence[str] = ("check", "fit")) -> SignScore:
    """Score the directions of effects by the draws, with the share of members that agree.

    Parameters
    ----------
    draws : Draws
        Of the posterior.
    settings : Settings
        Folder of the rows, and threads.
    uses : sequence of {"check", "fit"}
        Which rows.

    Returns
    -------
    SignScore
        A verdict for each row; `SignScore.frame` is the table.
    """
    rows = tuple(row for use in uses for row in sign_rows(healing_rows(use, settings.data)))
    return score_signs(rows, _raw(draws, rows, settings) - 1.0)


def undecided(score: SignScore) -> tuple[str, ...]:
    """Directions on which fewer than 90 % of the members agree, whichever sign they give, in words.

    A direction is left out where nearly all members agree with what was observed, or nearly all do not.
    """
    return tuple(
        f"{one.study}: {one.quantity} of {one.arm}, day {one.day:g}: {100 * one.agreeing:.0f} % of members as observed"
        for one in score.verdicts
        if 1.0 - _DECIDED < one.agreeing < _DECIDED
    )


def callus_targets(calibration: Calibration, settings: Settings) -> Sequence[Target]:
    """Every target of the callus in animals, met or missed; those without limits are shown only.

    Parameters
    ----------
    calibration : Calibration
        Of the subject ``callus``.
    settings : Settings
        Folder of the rows, and threads.
    """
    draws = calibration.joint.draws
    score = signs(draws, settings)
    return [*_fitted(calibration), *_directions(score), *_numbers(draws, settings)]


def _raw(draws: Draws, rows: Sequence[HealingRow], settings: Settings) -> np.ndarray:
    """Predicted ratios and quantities by some of the draws, shape (draws, rows)."""
    parts = [AnimalTrials(rows, member, threads=settings.cores).raw(values) for member, values in of_members(draws)]
    return np.concatenate(parts)


def _fitted(calibration: Calibration) -> list[Target]:
    """Misfit of each fitted quantity, at most what its errors and study offsets give in 95 of 100 repetitions."""
    from scipy.stats import chi2

    joint = calibration.joint
    problem = next(iter(next(iter(calibration.stages.values())).values())).problem
    endpoint, value = np.asarray(joint.rows["endpoint"], str), np.asarray(joint.rows["value"], float)
    sd, censored = np.asarray(joint.rows["sd"], float), np.asarray(joint.rows["censored"], bool)
    error = np.nanmedian(joint.predicted, axis=0) - value
    found = []
    for name in dict.fromkeys(endpoint[~censored].tolist()):
        mine = (endpoint == name) & ~censored
        count = int(mine.sum())
        usual = np.mean(sd[mine] ** 2) + problem.observed.tau.get(name, 0.0) ** 2
        high = float(np.sqrt(usual * chi2.ppf(_USUAL, count) / count))
        rmse = float(np.sqrt(np.mean(error[mine] ** 2)))
        unit = "points" if name.startswith("union") else "days" if _is_day(name) else "log ratio"
        found.append(Target(f"{name}, RMSE", "fit", rmse, unit, high=round(high, 3), rows=count))
    if censored.any():
        met = 100.0 * float(np.mean(error[censored] <= 0))
        found.append(Target("Bounds that are kept", "fit", met, "%", low=LEAST_SHARE, rows=int(censored.sum())))
    return found


def _is_day(endpoint: str) -> bool:
    return endpoint.startswith(("peak_of", "onset_of"))


def _directions(score: SignScore) -> list[Target]:
    found = []
    check = [one for one in score.verdicts if one.use == "check"]
    gerstenfeld = [one for one in check if one.study == GERSTENFELD]
    if gerstenfeld:
        name, count = f"{GERSTENFELD}: directions right", len(gerstenfeld)
        right = float(sum(one.right for one in gerstenfeld))
        found.append(Target(name, "check", right, f"of {count}", low=LEAST_OF_16, rows=count))
    for use in ("check", "fit"):
        mine = [one for one in score.verdicts if one.use == use]
        if not mine:
            continue
        right = 100.0 * float(np.mean([one.right for one in mine]))
        agree = 100.0 * float(np.mean([one.agreeing for one in mine]))
        least = {"low": LEAST_SHARE} if use == "check" else {}
        found.append(Target(f"Directions right, all to {use}", use, right, "%", rows=len(mine), **least))
        found.append(Target(f"Members that agree, mean over all to {use}", use, agree, "%", rows=len(mine)))
    for study in dict.fromkeys(one.study for one in check if one.study != GERSTENFELD):
        mine = [one for one in check if one.study == study]
        right = float(sum(one.right for one in mine))
        found.append(Target(f"{study}: directions right", "check", right, f"of {len(mine)}", rows=len(mine)))
    return found


def _numbers(draws: Draws, settings: Settings) -> list[Target]:
    """Misfit of the sizes of effects that were never fitted."""
    rows = tuple(row for row in healing_rows("check", settings.data) if row.kind == "number" and is_logarithm(row))
    if not rows:
        return []
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.log(np.nanmedian(_raw(draws, rows, settings), axis=0)) - np.log([row.value for row in rows])
    # Of something beside nothing there is no size; its direction is scored above.
    known = np.isfinite(error)
    rmse = float(np.sqrt(np.mean(error[known] ** 2))) if known.any() else math.nan
    return [Target("Sizes of effects to check, RMSE", "check", rmse, "log ratio", rows=int(known.sum()))]

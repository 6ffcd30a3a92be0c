"""Necrosis of the head and hip score of the virtual series, at the mean follow-up of the published one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.endpoints.function import blood_supply, capacity, harris_score, necrosis_risk, pain, shipped_values
from osteon.endpoints.function.values import Traits
from osteon.parameters import load
from osteon.replay.claim_findings import of_parameters
from osteon.replay.claim_measures import Estimate, estimate, share

if TYPE_CHECKING:
    from osteon.evidence.claims import Review
    from osteon.replay.claim_runs import Simulated

_YEAR = 365.25
_LONG = 5 * _YEAR  # by when necrosis that comes has come
_LEAST = 0.05  # chance below which no necrosis would be surprising
_FIXATION = "screws"


def hip_numbers(run: Simulated, arms: tuple[str, str], chronic: Any, told: Review) -> dict[str, Estimate]:
    """Numbers on necrosis and on the hip score.

    Parameters
    ----------
    run : Simulated
        With the curves ``inflammation``, ``torsional_stiffness`` and ``vascularity``.
    arms : tuple of str
        Without and with the drug.
    chronic : float or ndarray
        Standing inflammation, shape (patients,).
    told : Review
        The published rows.
    """
    size, day = told.row("own_necrosis").n, told.row("own_follow_up").value * _YEAR
    none, drug = (run.arms.index(arm) for arm in arms)
    vessels = run.series["vascularity"].astype(float)
    supply = float(np.nanmean(blood_supply(run.time, vessels[drug], vessels[none])))
    records = {key: one for key, one in load("function").items() if key.startswith("necrosis.")}

    def risk(p: Any, flap: bool = False, blood: float = 1.0, moment: float = day) -> Any:
        return necrosis_risk(np.array([moment]), Traits(displaced=True, flap=flap, blood_supply=blood), p)[..., 0]

    def needed(p: Any) -> Any:
        hazard = -np.log1p(-risk(p))
        return (hazard * size / -np.log(_LEAST)) ** (1 / np.asarray(p["necrosis.supply_exponent"]))

    found = {
        "necrosis_published": share(0, size, 0.95),
        **{
            f"necrosis_risk_{name}": of_parameters(partial(risk, flap=flap, blood=blood), records, "share")
            for name, flap, blood in _cells(supply)
        },
        **{
            f"no_necrosis_{name}": of_parameters(
                lambda p, flap=flap, blood=blood: (1 - risk(p, flap, blood)) ** size, records, "share"
            )
            for name, flap, blood in _cells(supply)
        },
        "necrosis_seen": of_parameters(lambda p: risk(p) / risk(p, moment=_LONG), records, "share"),
        "necrosis_drug": of_parameters(lambda p: risk(p, blood=supply) / risk(p), records, "ratio"),
        "necrosis_flap": of_parameters(lambda p: risk(p, True) / risk(p), records, "ratio"),
        "necrosis_both": of_parameters(lambda p: risk(p, True, supply) / risk(p), records, "ratio"),
        "supply_needed": of_parameters(needed, records, "ratio"),
    }
    p = shipped_values()
    scores = {
        (arm, flap): _harris(run, place, chronic, float(risk(p, flap)), day)
        for arm, place in (("none", none), ("drug", drug))
        for flap in (False, True)
    }
    usual = scores["none", False]
    return found | {
        "harris_none": estimate(usual, "point"),
        "harris_level_flap": estimate(scores["none", True], "point"),
        "harris_level_drug": estimate(scores["drug", False], "point"),
        "harris_level_both": estimate(scores["drug", True], "point"),
        "harris_drug": estimate(scores["drug", False] - usual, "point"),
        "harris_flap": estimate(scores["none", True] - usual, "point"),
    }


def _cells(supply: float) -> tuple[tuple[str, bool, float], ...]:
    """Cells of flap and drug: name, flap, blood supply over that without the drug."""
    return (("none", False, 1.0), ("flap", True, 1.0), ("drug", False, supply), ("both", True, supply))


def _harris(run: Simulated, place: int, chronic: Any, necrotic: float, day: float) -> np.ndarray:
    """Expected score of each patient on a day, shape (patients,)."""
    p = shipped_values()
    inflammation, stiffness = (
        run.series[name][place].astype(float) for name in ("inflammation", "torsional_stiffness")
    )
    after = run.time >= 0
    time = run.time[after]
    hurt = pain(time, inflammation[:, after], stiffness[:, after], p, chronic)
    able = capacity(stiffness[:, after], _FIXATION, p)
    at = np.array([[np.interp(day, time, one) for one in curves] for curves in (hurt, able)])
    return harris_score(at[0], at[1], True, necrotic, p)

"""What drugs change in people who heal: nothing at all of it is fitted, but the effect of teriparatide on the time.

Time, volume and mineral are compared patient by patient at the typical clock.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from osteon.calibrate.callus_simulated import BRIDGED, Simulated, group_of, simulated, table
from osteon.calibrate.findings import Target

if TYPE_CHECKING:
    from osteon.calibrate.store import Draws
    from osteon.calibrate.subject import Settings

#: What the ratio of times to union has to keep to, and that of two doses of teriparatide.
EQUAL_TIMES, EQUAL_DOSES = (0.9, 1.15), (0.9, 1.1)
_SIGNALS = ("callus_volume", "callus_BMD", "woven_bone", "lamellar_bone")
_HALF_YEAR, _YEAR = 25, -1  # places in `WEEKS`
_NONE = "none"


def drugs(draws: Draws, settings: Settings) -> list[Target]:
    """What denosumab and bisphosphonates change in ordinary healers; none of it was fitted."""
    known = table()
    treatments = {_NONE: [], **known["treatments"]}
    groups = [
        group_of(f"{healer}; {treatment}", entry, doses=tuple(doses))
        for healer, entry in known["healers"].items()
        for treatment, doses in treatments.items()
    ]
    given = simulated(draws, groups, settings, curves=_SIGNALS)
    found = []
    for treatment in known["treatments"]:
        for healer in known["healers"]:
            low, high = ratio_interval(*(given.times[f"{healer}; {one}", *BRIDGED] for one in (treatment, _NONE)))
            name = f"{treatment}, {healer}: time to union over none,"
            found.append(Target(f"{name} 5th percentile", "check", low, "", low=EQUAL_TIMES[0]))
            found.append(Target(f"{name} 95th percentile", "check", high, "", high=EQUAL_TIMES[1]))
        pairs = [(f"{healer}; {treatment}", f"{healer}; {_NONE}") for healer in known["healers"]]
        for signal, what in (("callus_volume", "callus volume"), ("callus_BMD", "callus BMD")):
            ratios = [given.curves[a, signal] / given.curves[b, signal] for a, b in pairs]
            middle = float(np.nanmedian([one[..., _HALF_YEAR] for one in ratios]))
            found.append(Target(f"{treatment}: {what} at 6 months over none", "check", middle, "", low=1.0))
        apart = float(np.nanmedian([_lamellar(given, a) - _lamellar(given, b) for a, b in pairs]))
        found.append(Target(f"{treatment}: lamellar share at a year less none", "check", apart, "", high=0.0))
    return found


def ratio_interval(treated: np.ndarray, untreated: np.ndarray) -> tuple[float, float]:
    """5th and 95th percentile of the ratio of times, over patients and draws.

    Parameters
    ----------
    treated, untreated : ndarray
        Day of each patient, shape (draws, patients) [day]; infinite for never. Who heals neither way does not count.
    """
    known = ~np.isnan(treated) & ~np.isnan(untreated) & ~(np.isinf(treated) & np.isinf(untreated))
    ratios = treated[known] / untreated[known]
    if not ratios.size:
        return math.nan, math.nan
    # Between an infinite ratio and a finite one nothing can be interpolated.
    low, high = np.percentile(ratios, 5, method="lower"), np.percentile(ratios, 95, method="higher")
    return float(low), float(high)


def _lamellar(given: Simulated, group: str) -> np.ndarray:
    woven, lamellar = (given.curves[group, name][..., _YEAR] for name in ("woven_bone", "lamellar_bone"))
    return lamellar / (woven + lamellar)


def teriparatide(draws: Draws, settings: Settings) -> list[Target]:
    """Dose response of the callus and of bridging, and how much of the effect in animals people show."""
    from osteon.calibrate.people import fitted_rows

    none, low, high = "distal_radius_cast", "distal_radius_teriparatide_20", "distal_radius_teriparatide_40"
    groups = [group for group in fitted_rows(settings.data)[1] if group.key in (none, low, high)]
    given = simulated(draws, groups, settings, curves=("callus_volume",))
    largest = {key: np.nanmedian(given.curves[key, "callus_volume"].max(axis=-1), axis=-1) for key in (none, low, high)}
    found = []
    for name, a, b in (("20 ug over none", low, none), ("40 over 20 ug", high, low)):
        ratio = float(np.nanmedian(largest[a] / largest[b]))
        found.append(Target(f"Teriparatide: largest callus, {name}", "check", ratio, "", low=1.0))
    ratio = float(np.nanmedian(given.day(high) / given.day(low)))
    found.append(
        Target(
            "Teriparatide: median time to bridging, 40 over 20 ug", "check", ratio, "", EQUAL_DOSES[1], EQUAL_DOSES[0]
        )
    )
    if "callus.pth_shrinkage" in draws.keys:
        ends = draws.interval("callus.pth_shrinkage")
        for name, value in zip(("5th percentile", "median", "95th percentile"), ends, strict=True):
            title = f"Share of the effect of PTH in rats that people show, {name}"
            found.append(Target(title, "fit", value, ""))
    return found

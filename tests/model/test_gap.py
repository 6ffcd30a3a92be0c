"""The gap as a second compartment: the same as one callus for no gap, and later the wider it is."""

from __future__ import annotations

import numpy as np
import pytest

from osteon.model import callus, gap
from osteon.model.systems import assemble
from tests.model.test_callus_rules import Curves, course, members, on, union, values

#: Claes 1997: osteotomy of the sheep's metatarsal under a ring fixator, gaps of 1, 2 and 6 mm, strain about 7 %.
SHEEP = {"bone": "metatarsal", "fixation": "external_fixator", "interfragmentary_strain": "7 %"}
WEEK_9 = 63.0


def healed(member: str, width: float, days: float = 300.0, **more: float) -> tuple[np.ndarray, Curves]:
    """Course of a sheep with a gap [mm] whose cortex closes at the same speed whatever its width."""
    return course(values(member, "sheep", SHEEP) | {"gap.width": width} | more, days, compartments=2)


@members
@pytest.mark.parametrize("species", ["mouse", "sheep", "human"])
def test_no_gap_is_one_compartment(member: str, species: str) -> None:
    """Every signal of the callus, within the error of the solution, and the difference goes with the gap."""
    given = values(member, species, SHEEP)
    days = {"mouse": 84.0, "sheep": 240.0, "human": 420.0}[species]
    _, one = course(given, days)
    apart = []
    for width in (1e-3, 3.0):
        _, both = course(given | {"gap.width": width}, days, compartments=2)
        apart.append(max(float(np.abs(both[name] - one[name]).max() / np.abs(one[name]).max()) for name in one))
    assert apart[0] < 1e-4
    assert apart[1] > 10 * apart[0]


@members
def test_a_wider_gap_unites_later(member: str) -> None:
    days = [union(healed(member, width)) for width in (1.0, 2.0, 3.0, 6.0)]
    assert np.isfinite(days).all()
    assert (np.diff(days) > 0).all()
    assert days[0] >= union(course(values(member, "sheep", SHEEP), 300.0))


@members
def test_a_wide_gap_is_weaker_at_nine_weeks(member: str) -> None:
    """Claes 1997: stiffness at 6 mm below that at 1 mm."""
    narrow, wide = (healed(member, width) for width in (1.0, 6.0))
    for name in ("torsional_stiffness", "torsional_strength", "gap_bone_volume_fraction"):
        assert on(WEEK_9, wide, name) < on(WEEK_9, narrow, name), name


@members
def test_the_gap_fills_after_the_cuff(member: str) -> None:
    times, found = healed(member, 3.0)
    bone = [found[name] for name in ("gap_bone_volume_fraction", "callus_bone_volume_fraction")]
    inside, outside = (float(times[np.argmax(share > 0.2)]) for share in bone)
    assert inside > outside > 0
    vessels = found["vascularity"] - found["gap_vascularity"]
    assert vessels[0] > 0
    assert (vessels[times < outside] > 0).all()


@members
def test_a_gap_that_nothing_enters_stays_without_bone(member: str) -> None:
    """Progenitors come from the cuff alone, so a fracture that never heals may come from biology."""
    closed = healed(member, 3.0, **{"gap.progenitor_diffusion": 0.0, "gap.vessel_diffusion": 0.0})
    assert closed[1]["gap_bone_volume_fraction"].max() < 1e-9
    assert union(closed) > union(healed(member, 3.0))


def test_the_gap_has_the_states_of_the_callus_but_those_it_shares() -> None:
    system = assemble(fractured=2, skeleton=False)
    assert set(callus.STATES) - set(gap.STATES) == {"angiogenesis", "cortical_union"}
    assert {f"gap.{name}" for name in gap.STATES} <= set(system.states)
    assert not any(key.startswith("gap.") for key in assemble(fractured=1, skeleton=False).states)
    start = dict(zip(system.states, system.initial(values("J")), strict=True))
    assert start["gap.progenitors"] == start["gap.vessels"] == 0.0
    assert start["gap.fibrous"] == start["callus.fibrous"] > 0

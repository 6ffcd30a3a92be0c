"""Lytic lesions of the claims: numbers, directions and courses from made-up lesions."""

import json

import numpy as np
import pytest

from osteon.evidence.claims import review
from osteon.replay.claim_lesions import found_in
from osteon.replay.osteolysis import CURVES, LesionCourse
from osteon.replay.osteolysis_checks import HALF_YEARLY, MONTHLY, NONE, THREE, Direction

TIME = np.arange(0.0, 736.0, 7.0)
ARMS = (NONE, MONTHLY, THREE, HALF_YEARLY)


def course(lesion: str) -> LesionCourse:
    """Two draws; osteoclasts a tenth under a drug for 200 days; the void halves by then and grows again."""
    off = np.where(TIME < 200, 0.1, 0.9)
    osteoclasts = np.stack([np.ones_like(TIME), off, off, off])
    void = np.stack([1 + TIME / 364, *[np.where(TIME < 182, 1 - TIME / 364, 0.5 + (TIME - 182) / 1096)] * 3])
    curves = {name: np.zeros((4, 2, len(TIME))) for name in CURVES}
    curves["lesion_osteoclasts"] += osteoclasts[:, None]
    curves["lesion_void"] += void[:, None]
    curves["lesion_new_bone"] += np.minimum(TIME / 364, 0.5)
    return LesionCourse(lesion, TIME, curves, ARMS, 0)


def test_numbers_and_directions_of_lesions() -> None:
    directions = (
        Direction("Deveci 2016", "-", "-", -1, -0.5, -0.8, -0.3),
        Direction("Axenhus 2025", "-", "-", 0, -0.5, -1.0, -0.2),
        Direction("Nystrom 2020", "-", "-", -1, -0.1, -0.3, 0.1),
    )
    courses = {name: course(name) for name in ("giant_cell_tumour", "particles")}
    found = found_in(directions, courses, review())
    numbers = found.numbers
    assert numbers["tumour_osteoclasts"].value == pytest.approx(0.1)
    assert numbers["tumour_void"].value == pytest.approx(-50)
    assert numbers["tumour_void_none"].value == pytest.approx(50)
    assert numbers["tumour_new_bone"].value == pytest.approx(50)
    assert numbers["worn_after_osteoclasts"].value == pytest.approx(0.9)
    assert numbers["worn_after_void"].value == pytest.approx(50)
    assert (numbers["worn_trial"].low, numbers["worn_trial"].n) == (-100, 2)
    table = found.to_dict()["tables"][0]
    assert [row["cells"][-1]["en"] for row in table["rows"]] == ["as published", *["not as published"] * 2]
    assert all("{" not in row["en"] + row["zh"] for row in table["rows"]), "published numbers are filled in"
    assert len(found.tables) == 3
    assert "3 published directions 1 come" in found.statements[0][0]
    json.dumps(found.to_dict(), allow_nan=False)


def test_every_claim_of_a_lesion_asks_for_what_is_found() -> None:
    asked = {probe.of for one in review().claims.values() for probe in one.tests if probe.run == "osteolysis"}
    directions = tuple(
        Direction(name, "-", "-", 0, 0, 0, 0) for name in ("Deveci 2016", "Axenhus 2025", "Nystrom 2020")
    )
    found = found_in(directions, {name: course(name) for name in ("giant_cell_tumour", "particles")}, review())
    assert asked <= set(found.numbers)

"""The case: give or hold, scored against what was seen."""

import numpy as np
import pytest

from osteon.evidence.claims import review
from osteon.replay.case import GIVE, HOLD, NEVER, found_in
from tests.replay.made import made


def test_the_case_is_scored_and_the_dose_compared() -> None:
    time = np.arange(0.0, 366.0)
    rise = np.minimum(time / 34.0, 1.0)
    shape = np.ones((3, 2, 1))
    curves = {
        "callus_volume": shape * rise * np.array([1.2, 1.1, 1.0])[:, None, None],
        "CTX": np.broadcast_to(np.array([-80.0, 50.0, 0.0])[:, None, None], (3, 2, len(time))),
        "BMD_lumbar_spine": np.broadcast_to(np.array([6.0, -1.0, 0.0])[:, None, None], (3, 2, len(time))),
        "RUST": 4.0 + shape * rise,
        "inflammation": np.broadcast_to(np.array([[0.1], [3.0]]), (3, 2, len(time))),
        "torsional_stiffness": np.full((3, 2, len(time)), 2.0),
    }
    endpoints = {
        "full_loading": [[16, 100], [20, 90], [20, 80]],
        "time_to_union_cortices": [[100, np.nan], [100, 100], [80, 100]],
        "lamellar_share_week52": [[0.3, 0.3], [0.4, 0.4], [0.5, 0.5]],
    }
    found = found_in(made((GIVE, HOLD, NEVER), time, curves, endpoints), review(), 0.1)
    numbers = found.numbers
    assert numbers["loading_by_17"].value == 0.5, "one of two by the printed day"
    assert numbers["painless_17"].value == 0.5, "who is no more inflamed than always, and stiff, has no pain"
    assert numbers["callus_17"].value == pytest.approx(0.5)
    assert numbers["lamellar_give_never"].value == pytest.approx(-20)
    assert numbers["ctx_6_give_hold"].value == -130
    assert numbers["bmd_year_give_hold"].value == 7
    assert numbers["union_drug"].high == np.inf, "who never unites is later than all others"
    assert numbers["callus_year_give_never"].value == pytest.approx(1.2)
    scored, question = found.tables
    assert [zh for _, zh in scored.heads] == ["第 +2 月给药", "停药", "从未用药"]
    assert len(question.rows) == 6

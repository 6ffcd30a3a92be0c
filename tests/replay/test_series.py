"""The review's own series as a virtual trial."""

import math

import numpy as np
import pytest
from statsmodels.stats.power import TTestIndPower

from osteon.endpoints import SEEN
from osteon.evidence.claims import review
from osteon.parameters import load
from osteon.replay import series as module
from osteon.replay.claim_findings import trials
from osteon.replay.claim_measures import Estimate
from osteon.replay.series import LATE, PLAIN, _Series, found_in, patients_needed, published_ratio
from osteon.replay.series_films import VISITS, seen_union
from tests.replay.made import made

VALUES = {key: record.value for key, record in load("radiograph").items()}
TIME = np.arange(0.0, 757.0, 7.0)


@pytest.fixture
def whole() -> _Series:
    """Twenty patients whose callus heals by a clock of their own; the drug takes 1.1, late loading 1.3 times."""
    arms = (*PLAIN, LATE, "late, denosumab")
    slow = np.array([1.0, 1.1, 1.3, 1.43])[:, None, None]
    own = np.linspace(0.8, 1.25, 20)[None, :, None]
    share = 1 / (1 + np.exp(-(TIME / (slow * own) - 120.0) / 15.0))
    levels = {"callus_BMD": 500.0, "cartilage": 0.0, "mineralised_tissue": 1.0, "cortical_union": 1.0}
    curves = {name: levels.get(name, 1.2) * share for name in SEEN}
    curves["cartilage"] = 1.0 - share
    curves["inflammation"] = np.exp(-TIME / 20.0) + 0 * share
    curves["vascularity"] = share
    endpoints = {"full_loading": (100.0 * slow * own)[..., 0].tolist()}
    picks, others = (trials(1, 20, 33, name) for name in ("own", "historical"))
    return _Series(made(arms, TIME, curves, endpoints), VALUES, 1, picks, others)


def test_the_published_ratio_comes_from_the_printed_means() -> None:
    found = published_ratio(review())
    assert found.value == pytest.approx(4.55 / 6.53)
    assert (found.low, found.high) == pytest.approx((0.57, 0.85), abs=0.005)


def test_seldom_visits_see_union_later(whole: _Series) -> None:
    often, seldom = (seen_union(whole.run, PLAIN[0], VALUES, "cortices", name, 1) for name in ("weekly", "clinic"))
    assert seldom.mean() > often.mean() + 14
    assert set(VISITS) == {"weekly", "monthly", "clinic"}


def test_factors_are_told_apart(whole: _Series) -> None:
    told = found_in(whole, review(), 0.0)
    numbers = told.numbers
    assert numbers["drug"].value == pytest.approx(1.1, abs=0.04)
    assert numbers["era"].value == pytest.approx(1 / 1.3, abs=0.04)
    assert numbers["flap"].value == 1.0 == numbers["flap"].high
    assert numbers["interaction"].value == pytest.approx(1.0)
    assert numbers["both"].value == numbers["drug"].value
    assert numbers["definition"].value < 1
    assert numbers["visits"].value < 0.9
    assert numbers["together"].value < min(numbers[name].value for name in ("definition", "visits", "era"))
    assert numbers["chance"].low < 1 < numbers["chance"].high
    assert numbers["loading_drug"].value == pytest.approx(1.1)
    assert any("Not identifiable" in en and "不可识别" in zh for en, zh in told.statements)


def test_how_the_factors_hang_together_is_shown(whole: _Series) -> None:
    told = found_in(whole, review(), 0.0)
    shown = [row.cells[0] for row in told.tables[-1].rows]
    assert shown == [told.numbers[name] for name in ("interaction", "interaction_definition", "supply_needed")]


def test_shares_of_the_gap_follow_the_logarithms(whole: _Series) -> None:
    told = found_in(whole, review(), 0.0)
    rows = {row.en: row.cells for row in told.tables[0].rows}
    factor, _, part = next(cells for en, cells in rows.items() if en.startswith("era"))
    assert isinstance(factor, Estimate)
    assert isinstance(part, Estimate)
    assert part.value == pytest.approx(math.log(factor.value) / math.log(4.55 / 6.53))


def test_necrosis_and_the_hip_score(whole: _Series) -> None:
    numbers = found_in(whole, review(), 0.0).numbers
    assert numbers["necrosis_published"].high == pytest.approx(0.106, abs=5e-4)
    assert numbers["necrosis_flap"].value < 0.5
    assert numbers["no_necrosis_none"].value == pytest.approx((1 - numbers["necrosis_risk_none"].value) ** 33)
    assert numbers["no_necrosis_none"].value < 0.02 < numbers["no_necrosis_flap"].value
    assert numbers["harris_flap"].value > 1
    assert 0 < numbers["necrosis_seen"].value < 1


def test_the_rules_of_loading_are_the_printed_ones() -> None:
    told = review()
    rules = {name: one["fracture"]["weight_bearing"] for name, one in told.runs[module.RUN].variants.items()}
    assert rules == {
        "early": f"{told.row('own_crutches').value:g} months",
        "late": f"{told.row('own_crutches_historical').value:g} months",
    }


def test_patients_needed_of_times_that_hardly_differ(whole: _Series) -> None:
    """Seldom visits may see all of a small group unite on one day; then two an arm are enough."""
    assert patients_needed(np.full(8, 84.0), whole).value == 2
    assert math.isnan(patients_needed(np.array([84.0, np.inf]), whole).value)
    spread = np.exp(0.3 * np.array([-1.0, 1.0] * 20))
    found = patients_needed(84.0 * spread, whole)
    effect = -math.log(0.9) / np.std(np.log(spread), ddof=1)
    assert (
        TTestIndPower().power(effect, found.value, 0.05) >= 0.8 > TTestIndPower().power(effect, found.value - 1, 0.05)
    )

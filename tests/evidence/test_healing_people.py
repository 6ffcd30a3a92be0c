"""People's rows: lognormal laws of the printed means, rates, and sources that disagree."""

import math

import numpy as np
import pytest

from osteon.errors import InputError
from osteon.evidence.healing import rate_rows, risk_factors, risk_rows, score_rows, union_times
from osteon.evidence.healing.people import MONTH
from osteon.evidence.healing.risks import BETWEEN_SOURCES


@pytest.mark.parametrize(
    ("key", "median", "log_sd", "q05", "q95"),
    [
        ("tibia_nail_protected", 135, 0.44, 65, 280),
        ("tibia_nail_immediate", 137, 0.50, 60, 310),
        ("tibia_brace", 110, 0.33, 64, 189),
        ("femur_nail_young", 108, 0.31, 65, 179),
        ("femur_nail_old", 130, 0.30, 80, 212),
        ("scaphoid_cast", 43, 0.63, 15, 123),
    ],
)
def test_the_lognormal_laws_are_those_of_the_note(key, median, log_sd, q05, q95) -> None:
    (times,) = (one for one in union_times("fit") if one.key == key)
    assert times.median == pytest.approx(median, abs=0.6)
    assert times.log_sd == pytest.approx(log_sd, abs=0.005)
    assert times.quantile(0.05) == pytest.approx(q05, abs=1)
    assert times.quantile(0.95) == pytest.approx(q95, rel=0.01)


def test_the_law_has_the_printed_mean_and_sd() -> None:
    (times,) = (one for one in union_times("fit") if one.key == "tibia_nail_immediate")
    mean = times.median * math.exp(times.log_sd**2 / 2)
    assert mean == pytest.approx(22.1 * 7)
    assert mean * math.sqrt(math.expm1(times.log_sd**2)) == pytest.approx(11.7 * 7)


def test_an_se_is_turned_into_the_spread_of_patients() -> None:
    (times,) = (one for one in union_times("check") if one.key == "distal_radius_plate")
    sd = 0.15 * math.sqrt(40)
    assert times.log_sd == pytest.approx(math.sqrt(math.log1p((sd / 3.1) ** 2)))
    assert times.median == pytest.approx(3.1 * MONTH * math.exp(-(times.log_sd**2) / 2))


def test_a_median_without_a_spread_stays_without() -> None:
    (times,) = (one for one in union_times("fit") if one.key == "distal_radius_cast")
    assert times.median == pytest.approx(63.7)
    assert np.isnan([times.log_sd, times.median_sd, times.quantile(0.9)]).all()


def test_every_group_is_a_scenario_with_its_bone_and_load() -> None:
    for use in ("fit", "check"):
        for times in union_times(use):
            scenario = times.scenario(365)
            assert scenario.fracture.bone == times.fracture["bone"]
            assert scenario.patient.species == "human"
    nailed = {t.key: t.scenario(99).fracture for t in union_times("fit") if t.key.startswith("tibia_nail")}
    assert nailed["tibia_nail_protected"].weight_bearing != nailed["tibia_nail_immediate"].weight_bearing


def test_checks_are_not_among_fits() -> None:
    fit, check = ({one.key for one in union_times(use)} for use in ("fit", "check"))
    assert not fit & check
    assert "distal_radius_mixed" in check
    assert not {(r.file, r.line) for r in risk_rows("fit")} & {(r.file, r.line) for r in risk_rows("check")}


def test_the_course_of_the_radiograph() -> None:
    found = {(one.quantity, one.score, one.percentile): one.value for one in score_rows("fit") if one.percentile > 0}
    assert found == {
        ("time_to_score", 5, 5): 28.0,
        ("time_to_score", 5, 50): 58.8,
        ("time_to_score", 12, 5): 164.5,
        ("time_to_score", 12, 50): 333.9,
    }
    (share,) = (one for one in score_rows("fit") if one.quantity == "share_at_most")
    assert (share.score, share.day, share.value) == (6, 42, 0.84)


def test_rates_are_shares_with_their_limits() -> None:
    (femur,) = (one for one in rate_rows("fit") if (one.study, one.bone) == ("US claims 2023", "femur"))
    assert (femur.value, femur.low, femur.high) == pytest.approx((0.085, 0.080, 0.091))
    assert {one.event for one in rate_rows("fit")} == {"nonunion", "delayed"}
    assert all(0 < one.value < 1 for use in ("fit", "check") for one in rate_rows(use))


def test_a_factor_is_spread_over_its_sources() -> None:
    factors = risk_factors("fit")
    assert {"open", "diabetes", "smoking", "NSAID", "osteoporosis", "obesity", "smoking time", "age time"} == set(
        factors
    )
    nsaid = factors["NSAID"]
    values = [row.value for row in nsaid.rows if row.pooled]
    assert min(values) < nsaid.ratio < max(values)
    assert nsaid.between_how == "estimated"
    assert nsaid.between > 0.2  # 1.11 beside 3.5
    low, high = nsaid.interval
    assert low < min(values) + 0.3
    assert high > 3.5
    assert factors["open"].between == BETWEEN_SOURCES
    assert factors["open"].between_how == "assumed"


def test_equal_sources_pool_to_their_value_and_their_errors_shrink(tmp_path) -> None:
    from tests.evidence.test_healing_rows import edited

    def change(row: dict[str, str]) -> None:
        if row.get("factor", "").startswith("NSAID"):
            row |= {"value": "2", "ci_low": "1", "ci_high": "4"}

    nsaid = risk_factors("fit", edited(tmp_path, change, "risk_factors.csv"))["NSAID"]
    pooled = sum(row.pooled for row in nsaid.rows)
    assert nsaid.ratio == pytest.approx(2)
    assert nsaid.between == 0
    assert nsaid.log_mean_sd == pytest.approx(math.log(4) / 2 / 1.959964 / math.sqrt(pooled))


def test_a_factor_without_a_source_to_pool_has_no_ratio() -> None:
    obesity = risk_factors("fit")["obesity"]
    assert not any(row.pooled for row in obesity.rows)
    assert math.isnan(obesity.ratio)


def test_ratios_of_times_are_apart_from_odds() -> None:
    smoking = risk_factors("fit")["smoking time"]
    assert [round(row.value, 3) for row in smoking.rows] == [round(30.2 / 24.1, 3), round(32.0 / 25.1, 3)]
    (radiograph,) = risk_factors("check")["smoking time"].rows
    assert radiograph.value == pytest.approx(1.69)


def test_a_mean_time_without_its_spread_is_refused(tmp_path) -> None:
    from tests.evidence.test_healing_rows import edited

    def change(row: dict[str, str]) -> None:
        if row["study"] == "Grewal 2016" and "error_type" in row:
            row["error_type"] = ""

    with pytest.raises(InputError, match="needs its SD or SE"):
        union_times("fit", edited(tmp_path, change, "clinical_healing.csv"))

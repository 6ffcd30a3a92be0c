"""The rows: each is mapped once or left out with a reason, errors parse, duplicates count once, uses stay apart."""

import csv
import math
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import osteon.evidence
from osteon.errors import InputError
from osteon.evidence import arms, label_pharmacokinetics, left_out, observations
from osteon.evidence.rows import TABLES
from osteon.evidence.sorting import rules
from osteon.evidence.table import FOLDER, read
from osteon.model.systems import curves

USES = ("fit", "check", "noise")
PLACE = "markers.csv", "bmd.csv", "pk.csv"


def edited(folder: Path, name: str, change) -> Path:
    """A copy of the tables in which `change` was applied to the rows (header first) of one."""
    for table in PLACE:
        shutil.copy(FOLDER / table, folder / table)
    with (folder / name).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    change(rows)
    with (folder / name).open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return folder


def column(rows: list[list[str]], name: str) -> int:
    return rows[0].index(name)


def test_every_row_is_mapped_once_or_left_out_with_a_reason() -> None:
    printed = Counter((row.file, row.line) for name in TABLES for row in read(name))
    assert set(printed.values()) == {1}
    mapped = [(row.file, row.line) for use in USES for row in observations(use).rows]
    left = [(one.row.file, one.row.line) for one in left_out()]
    assert Counter(mapped) + Counter(left) == printed
    assert all(one.reason for one in left_out())


def test_the_readme_counts_the_rows() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in PLACE:
        assert f"| `{name}` | {len(read(name))} |" in text


def test_blosozumab_and_sites_without_a_curve_are_left_out_by_name() -> None:
    left = left_out()
    assert {one.row.study for one in left if "blosozumab" in one.reason} == {"Recker 2015 (blosozumab ph2)"}
    assert {one.row.endpoint for one in left if "not an output" in one.reason} == {"RADIUS13_BMD", "TROCHANTER_BMD"}
    used = {row.printed_study for use in USES for row in observations(use).rows}
    assert not any("blosozumab" in study or "Khan" in study for study in used)


def test_every_rule_is_about_some_row() -> None:
    rows = [row for name in TABLES for row in read(name)]
    for note in rules()["note"]:
        places = {(row.study, row.arm, row.endpoint) for row in rows}
        assert all((note["study"], one, ep) in places for one in note["arms"] for ep in note["endpoints"])
    flags = {row.flag for use in USES for row in observations(use).rows}
    assert all(any(note["flag"] in flag for flag in flags) for note in rules()["note"])
    reasons = {one.reason for one in left_out()}
    assert {rule["reason"] for rule in [*rules()["left_out"], *rules()["copy"]]} == reasons


@pytest.mark.parametrize("use", USES)
def test_every_row_has_an_error_a_curve_and_a_day(use: str) -> None:
    found = observations(use)
    assert np.all(np.isfinite(found.sd))
    assert np.all(found.sd > 0)
    assert np.all(found.own_sd > 0)
    assert set(found.curve) <= set(curves())
    assert set(found.arm) <= set(arms())
    assert set(found.use) == {use}
    assert "recalled" not in set(found.how_obtained)
    assert np.all(np.abs(found.sample_day - found.day) <= 2.01)
    assert np.all(found.sample_day > 0)
    horizons = np.array([arms()[key].horizon for key in found.arm])
    assert np.all(found.sample_day <= horizons)


def test_every_arm_has_rows() -> None:
    used = {key for use in USES for key in observations(use).arm}
    assert used == set(arms())


def one_row(use: str, **wanted) -> osteon.evidence.Row:
    rows = [r for r in observations(use).rows if all(getattr(r, k) == v for k, v in wanted.items())]
    assert len(rows) == 1
    return rows[0]


def test_the_error_of_a_median_comes_from_its_quartiles() -> None:
    row = one_row("fit", arm="defend_denosumab", endpoint="CTX", day=183.0)
    assert row.own_sd == pytest.approx((87.5 - 60.11) / 1.349 * 1.2533 / math.sqrt(142))
    assert row.sd == pytest.approx(math.hypot(row.own_sd, 3.2 / math.sqrt(2)))
    assert (row.low, row.high) == (-87.5, -60.11)


def test_the_error_of_a_mean_comes_from_its_interval_or_standard_error() -> None:
    row = one_row("fit", arm="neer_teriparatide", endpoint="TH_BMD")
    assert row.own_sd == pytest.approx((3.24 - 1.96) / 3.92)
    assert row.sd == pytest.approx(math.hypot(row.own_sd, 0.54 / math.sqrt(2)))
    row = one_row("fit", arm="data_teriparatide", endpoint="CTX", day=91.0)
    assert row.own_sd == pytest.approx((80.1 - 55.1) / 2)
    row = one_row("fit", arm="phase2_30_q3m", endpoint="TH_BMD", day=365.0)
    assert row.own_sd == pytest.approx(0.383)


def test_a_standard_deviation_is_divided_by_the_participants_of_the_arm_not_of_the_trial() -> None:
    row = one_row("fit", arm="data_combination", endpoint="LS_BMD", day=731.0)
    assert row.n == 30
    assert row.own_sd == pytest.approx(5.0 / math.sqrt(30))


def test_an_interval_coded_to_one_side_gives_its_half_width() -> None:
    row = one_row("fit", arm="data_combination", endpoint="CTX", day=365.0, low=-65.1)
    assert row.own_sd == pytest.approx((65.1 - 51.1) / 1.96)


def test_limits_that_do_not_enclose_the_value_are_not_used() -> None:
    row = one_row("fit", arm="romo2_denosumab", endpoint="P1NP", day=1095.0)
    assert row.low > row.value
    assert row.error_how == "imputed"


def test_a_quartile_without_its_sign_is_mended_for_the_error_and_shown_as_printed() -> None:
    row = one_row("fit", arm="phase2_6_q3m", endpoint="CTX", day=1096.0)
    assert row.high == 42.09
    assert row.own_sd == pytest.approx((81.94 - 42.09) / 1.349 * 1.2533 / math.sqrt(30))


def test_an_imputed_error_follows_the_level_and_the_participants() -> None:
    rows = [r for r in observations("fit").where(arm="phase2_60_q6m", endpoint="CTX").rows if r.error_how == "imputed"]
    share = [row.own_sd * math.sqrt(row.n) / (100 + row.value) for row in rows]
    assert len(rows) > 10
    assert share == pytest.approx([share[0]] * len(rows))


def test_figures_carry_digitisation_noise_and_texts_do_not() -> None:
    for use in USES:
        for row in observations(use).rows:
            noise = rules()["digitisation"][row.endpoint] / math.sqrt(2)
            single = row.sd / math.sqrt(row.times_read)
            assert single >= math.hypot(row.own_sd, noise if row.how_obtained == "figure-digitised" else 0) - 1e-12
    row = one_row("check", arm="decide_denosumab", endpoint="TH_BMD")
    assert row.sd == row.own_sd


def test_patients_read_twice_count_once() -> None:
    pair = observations("fit").where(arm="data_combination", endpoint="TH_BMD").rows
    assert len(pair) == 10
    assert {row.times_read for row in pair} == {2}
    for row in pair:
        assert row.sd == pytest.approx(math.sqrt(2) * math.hypot(row.own_sd, 0.54 / math.sqrt(2)))
    freedom = [r for r in observations("fit").where(arm="freedom_denosumab", endpoint="TH_BMD").rows if r.day > 300]
    assert {row.times_read for row in freedom} == {2}
    # Days 183 and 186 of one digitiser are two visits.
    phase2 = observations("fit").where(arm="phase2_60_q6m", endpoint="CTX")
    assert set(phase2.times_read) == {1}


def test_patients_before_the_division_count_once() -> None:
    found = observations("fit")
    early = [r for r in found.rows if r.arm in ("romo2_placebo", "romo2_placebo_placebo") and r.day < 731]
    assert early == []
    late = found.where(arm="romo2_placebo", endpoint="CTX")
    assert list(late.day) == [821, 912, 1095]


def test_a_copy_that_differs_is_refused(tmp_path: Path) -> None:
    def change(rows):
        arm, day, value = column(rows, "arm"), column(rows, "time_days"), column(rows, "value")
        row = next(r for r in rows if r[arm] == "romosozumab 24 mo -> placebo" and r[day] == "91")
        row[value] = "50"

    with pytest.raises(InputError, match=r"markers\.csv, row \d+, column value: differs from the same day"):
        observations("fit", edited(tmp_path, "markers.csv", change))


def test_what_is_fitted_does_not_depend_on_what_is_checked(tmp_path: Path) -> None:
    def change(rows):
        use, value, error, kind = (column(rows, name) for name in ("use", "value", "error", "error_type"))
        for row in rows[1:]:
            if row[use] != "fit":
                row[value], row[error], row[kind] = "-50", "1;2", "IQR lo;hi"

    for name in TABLES:
        folder = edited(tmp_path, name, change)
        (fitted, shipped), (checked, before) = ((observations(u, folder), observations(u)) for u in ("fit", "check"))
        assert repr(fitted.rows) == repr(shipped.rows)
        assert repr(checked.rows) != repr(before.rows)


def test_bone_2011_is_checked_after_stopping_only() -> None:
    days = observations("check").where(arm="bone2011_denosumab").day
    assert days.min() > 730
    assert "bone2011_denosumab" not in set(observations("fit").arm)
    assert len(set(observations("check").where(arm="bone2011_denosumab", endpoint="CTX").value)) == 5


def test_values_at_the_limit_of_the_assay_are_censored(tmp_path: Path) -> None:
    assert not observations("fit").censored.any()

    def change(rows):
        arm, day, value, endpoint = (column(rows, name) for name in ("arm", "time_days", "value", "endpoint"))
        wanted = "denosumab 210 mg Q6M", "30", "CTX"
        (row,) = [r for r in rows if (r[arm], r[day], r[endpoint]) == wanted and "Lewiecki" in r[0]]
        row[value] = "-92.0"

    found = observations("fit", edited(tmp_path, "markers.csv", change))
    assert [(row.arm, row.day) for row in found.rows if row.censored] == [("phase2_210_q6m", 30.0)]


def test_a_recalled_number_is_never_a_target(tmp_path: Path) -> None:
    def change(rows):
        rows[1][column(rows, "how_obtained")] = "recalled"

    folder = edited(tmp_path, "bmd.csv", change)
    assert len(observations("fit", folder)) == len(observations("fit")) - 1
    assert [one.row.line for one in left_out(folder) if "recalled" in one.reason] == [2]


def test_rows_that_were_called_suspect_are_kept_and_widened() -> None:
    suspect = [(row.file, row.line) for name in TABLES for row in read(name) if "SUSPECT" in row.quote_or_location]
    found = {(row.file, row.line): row for row in observations("fit").rows}
    assert len(suspect) == 3
    for place in suspect:
        assert "suspect" in found[place].flag
    low = one_row("fit", arm="phase2_100_q6m", endpoint="LS_BMD", day=1461.0)
    assert low.value == 2.5
    assert low.sd > 8


def test_the_6_monthly_hip_curves_of_phase_2_are_those_of_the_3_monthly_arms() -> None:
    """The reason of a note, from the tables themselves."""
    fit, noise = observations("fit").where(endpoint="TH_BMD"), observations("noise").where(endpoint="TH_BMD")

    def first_year(found, key):
        return np.array([row.value for row in found.rows if row.arm == key and row.day <= 367])

    for six, three in (("14_q6m", "6_q3m"), ("60_q6m", "14_q3m"), ("100_q6m", "30_q3m")):
        own, copied = first_year(fit, f"phase2_{six}"), first_year(fit, f"phase2_{three}")
        assert np.abs(own - copied).max() < 0.15
        assert np.abs(copied - first_year(noise, f"phase2_{three}")).max() < 0.1
        assert np.abs(own - first_year(noise, f"phase2_{six}")).max() > 0.5


def test_contrasts_name_the_other_arm() -> None:
    rows = [row for row in observations("check").rows if row.contrast]
    assert {(row.arm, row.contrast, row.against) for row in rows} == {
        ("decide_denosumab", "difference", "decide_alendronate"),
        ("evenity_label", "ratio", "romo2_placebo_placebo"),
    }
    units = {(row.file, row.line): row.unit for name in TABLES for row in read(name)}
    for use in USES:
        for row in observations(use).rows:
            expected = {"": "% change from baseline", "difference": "% points difference", "ratio": "% vs placebo"}
            assert units[(row.file, row.line)] == expected[row.contrast]


def test_columns_are_arrays_and_a_frame() -> None:
    found = observations("check").where(block="core", endpoint=["CTX", "P1NP"])
    assert set(found.endpoint) == {"CTX", "P1NP"}
    assert found.value.shape == (len(found),)
    assert found.censored.dtype == bool
    frame = found.frame()
    assert list(frame.value) == list(found.value)
    with pytest.raises(AttributeError, match="no attribute"):
        _ = found.values


def test_an_unknown_use_is_refused() -> None:
    with pytest.raises(InputError, match="allowed: fit, check, noise"):
        observations("fitted")  # pyright: ignore[reportArgumentType]


def test_label_pharmacokinetics_tells_what_was_seen() -> None:
    found = label_pharmacokinetics()
    trough = [one for one in found if one.endpoint == "Ctrough_ss"]
    assert [(one.value, one.low, one.high, one.target) for one in trough] == [(20.6, 0.456, 56.9, True)]
    assert {one.study for one in found if not one.target} == {"Prolia EU SmPC 5.2", "Prolia US label 12.3"}
    assert {"denosumab", "alendronate", "teriparatide", "romosozumab", "zoledronate"} <= {one.drug for one in found}

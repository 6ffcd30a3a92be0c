"""Rows on healing: each is sorted once, uses stay apart, errors come from where they say, arms can be simulated."""

import csv
import math
import shutil
from collections import Counter
from pathlib import Path

import pytest

from osteon.errors import InputError
from osteon.evidence import healing
from osteon.evidence.healing import (
    animal_arms,
    healing_facts,
    healing_left_out,
    healing_rows,
    parts_of,
    pooled_arms,
    printed_in_both_uses,
    quantities,
    rate_rows,
    risk_factors,
    score_rows,
    sign_rows,
    union_times,
)
from osteon.evidence.healing.table import COLUMNS, FOLDER, RECALLED, USES, read
from osteon.model.person import parameters_for
from osteon.model.systems import curves


def edited(folder: Path, change, name: str = "") -> Path:
    """A copy of the tables in which `change(row)` was applied to every row of one, or of all."""
    for table in COLUMNS:
        with (FOLDER / table).open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            rows, header = list(reader), list(reader.fieldnames or ())
        if name in ("", table):
            rows = [dict(row) for row in rows]
            for row in rows:
                change(row)
        with (folder / table).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, header)
            writer.writeheader()
            writer.writerows(rows)
    return folder


def everything(use: str, folder: Path | None = None) -> str:
    """All that a use gives, as text, so that missing numbers are equal."""
    parts = (healing_rows, healing_facts, union_times, score_rows, rate_rows, risk_factors)
    return "\n".join(repr([str(one) for one in found]) + repr(found) for found in (part(use, folder) for part in parts))


def line(rows, study: str, **wanted):
    (found,) = (r for r in rows if r.study == study and all(getattr(r, k) == v for k, v in wanted.items()))
    return found


def test_every_row_is_compared_kept_as_a_fact_or_left_out_with_a_reason() -> None:
    compared = {(row.file, row.line) for use in USES for row in healing_rows(use)}
    others = [(one.row.file, one.row.line) for use in USES for one in healing_facts(use)]
    others += [(one.row.file, one.row.line) for one in healing_left_out()]
    assert Counter([*compared, *others]) == Counter((row.file, row.line) for row in read("callus.csv"))
    assert all(one.reason for one in healing_left_out())
    assert all(one.what for use in USES for one in healing_facts(use))


def test_a_recalled_number_is_never_compared() -> None:
    recalled = {(row.file, row.line) for name in COLUMNS for row in read(name) if row.recalled}
    assert recalled
    for use in USES:
        rows = (*healing_rows(use), *rate_rows(use), *(r for f in risk_factors(use).values() for r in f.rows))
        assert not recalled & {(row.file, row.line) for row in rows}
        assert not {n for _, n in recalled if _ == "clinical_healing.csv"} & {row.line for row in union_times(use)}
    assert sum(one.reason == RECALLED for one in healing_left_out()) == 6


def test_nothing_of_a_check_row_reaches_what_is_fitted(tmp_path: Path) -> None:
    def change(row: dict[str, str]) -> None:
        if row["use"] == "check":
            signs = row.get("unit", "").startswith("sign")
            row["value"] = "-1" if signs and row["value"] == "1" else "1" if signs else "7.25"
            row |= {"error": "0.5"} if row.get("error_type") == "SD" else {}
            row |= {"n": "33"} if "n" in row else {}

    shipped = everything("fit"), everything("check")
    folder = edited(tmp_path, change)
    assert everything("fit", folder) == shipped[0]
    assert everything("check", folder) != shipped[1]


def test_a_change_of_fitted_rows_does_reach_what_is_fitted(tmp_path: Path) -> None:
    def change(row: dict[str, str]) -> None:
        if row["study"] == "Collier2020" and row["value"] == "61":
            row["value"] = "55"

    folder = edited(tmp_path, change, "callus.csv")
    assert line(healing_rows("fit", folder), "Collier2020", quantity="strength").value == pytest.approx(0.55)


def test_values_are_on_the_scale_of_their_contrast() -> None:
    fit, check = healing_rows("fit"), healing_rows("check")
    opg = line(fit, "UlrichVinther2005", quantity="BMC", day=56)
    assert (opg.contrast, opg.value, opg.arm, opg.against) == ("ratio", 1.5, "rat_tibia_opg", "rat_tibia_control")
    assert opg.sd == pytest.approx(0.5 / 2.697, rel=1e-3)  # P=0.007
    assert opg.sd_how == "P value"
    collier = line(fit, "Collier2020", quantity="strength")
    assert (collier.value, collier.against, collier.sd_how) == (0.61, "intact", "imputed")
    lopas = line(fit, "Lopas2014", quantity="callus_volume")
    assert (lopas.contrast, lopas.value, lopas.against) == ("absolute", 43.19, "")
    assert lopas.sd == pytest.approx(18.39 / math.sqrt(15))
    late = line(check, "Clement2022", quantity="bone_area_fraction", day=35)
    assert (late.value, late.against, late.against_day, late.sign) == (0, "mouse_tibia_control", 21, 0)
    assert line(check, "Clement2022", quantity="bone_area_fraction", day=21).value == pytest.approx(11 / 50)
    assert line(check, "Clement2022", quantity="BMC", day=14).value == -1
    assert line(fit, "UlrichVinther2005", quantity="cortical_union").value == -1
    assert line(check, "McDonald2013", quantity="all_cartilage").value == 1  # less removal is more cartilage
    assert line(fit, "Manigrasso2004", quantity="peak_of_callus", value=10).kind == "at_least"
    m1 = line(fit, "Baratchart2022", quantity="m1_macrophages", day=2)
    assert m1.value == pytest.approx(0.2711 / 1.468)
    assert m1.sd == pytest.approx(m1.value * math.hypot(0.137 / 0.2711 / 5**0.5, 0.365 / 1.468 / 5**0.5))


def test_two_diameters_of_one_callus_count_once() -> None:
    wide = [r for r in healing_rows("fit") if (r.quantity, r.day) == ("callus_diameter", 56)]
    assert [round(r.sd / math.sqrt(2), 4) for r in wide] == [0.0566, 0.0523]  # P=0.034 and P=0.013


def test_numbers_and_bounds_have_an_error_and_signs_have_none() -> None:
    for row in (*healing_rows("fit"), *healing_rows("check")):
        assert math.isnan(row.sd) if row.kind == "sign" else row.sd > 0
        assert row.value in (-1, 0, 1) or row.kind != "sign"


def test_directions_by_study() -> None:
    counts = Counter(row.study for row in sign_rows(healing_rows("check")))
    assert counts["Gerstenfeld2009"] == 16
    assert {"Flick2003", "McDonald2013", "Amanat2007", "Clement2022", "Kayal2009", "Epari2006"} <= set(counts)


def test_every_row_names_arms_quantities_and_curves_that_exist() -> None:
    known = {*curves(), "mRUST"}
    for one in quantities().values():
        assert one.needs <= known
    used = set()
    for row in (*healing_rows("fit"), *healing_rows("check")):
        assert row.quantity in quantities()
        used |= {part for key in (row.arm, row.against) if key not in ("", "intact") for part in parts_of(key)}
    assert used == set(animal_arms())
    assert not set(pooled_arms()) & set(animal_arms())
    with pytest.raises(InputError, match="did you mean"):
        parts_of("mouse_femur_contrl")


@pytest.mark.parametrize("key", animal_arms())
def test_an_arm_is_a_scenario_of_its_species(key: str) -> None:
    arm = animal_arms()[key]
    scenario = arm.scenario(42)
    assert scenario.patient.species == arm.species
    assert scenario.horizon == 42
    parameters = parameters_for(scenario)
    assert all(name in parameters for name in arm.factors)
    assert arm.source
    assert arm.how in ("read", "assumed")


def test_an_imposed_effect_ends_on_its_day() -> None:
    arm = animal_arms()["mouse_tibia_rankfc_stopped"]
    assert arm.imposed_on(13.9) == {"free_rankl": 0.02}
    assert arm.imposed_on(14) == {"free_rankl": 1.0}
    assert animal_arms()["mouse_femur_aln"].imposed_on(400) == {"bisphosphonate_inhibition": 0.45}


def test_numbers_that_are_fitted_in_one_place_and_checked_in_another_are_known() -> None:
    pairs = {(a.file, b.file, a.study, a.value) for a, b in printed_in_both_uses()}
    assert ("clinical_healing.csv", "callus.csv", "Aspenberg 2010", 9.1) in pairs
    assert ("risk_factors.csv", "callus.csv", "Quan 2021", 2.71) in pairs
    assert len(pairs) == 8


def test_a_use_that_does_not_exist_is_refused() -> None:
    for part in (healing_rows, healing_facts, union_times, score_rows, rate_rows, risk_factors):
        with pytest.raises(InputError, match="allowed: fit, check, noise"):
            part("test")


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [
        ("study", "Nobody1999", "no rule sorts this study"),
        ("endpoint", "colour of the callus", "no rule sorts this row"),
        ("arm", "OPGG", "is not a known arm"),
        ("value", "many", "is not a finite number"),
        ("use", "fitt", "did you mean"),
        ("error_type", "range", "SE or SD"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_by_file_line_and_column(tmp_path, column, text, message) -> None:
    def change(row: dict[str, str]) -> None:
        if row["study"] == "UlrichVinther2005" and row["time_days"] == "56" and row["value"] == "50":
            row["error"] = "3"
            row["error_type"] = "SE"
            row[column] = text

    folder = edited(tmp_path, change, "callus.csv")
    with pytest.raises(InputError, match=message) as refused:
        healing_rows("fit", folder)
    assert refused.value.path.startswith("callus.csv, row ")


def test_a_table_with_another_header_is_refused(tmp_path: Path) -> None:
    for name in COLUMNS:
        shutil.copy(FOLDER / name, tmp_path / name)
    path = tmp_path / "callus.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("species", "specis", 1), encoding="utf-8")
    with pytest.raises(InputError, match="column species: this column is missing"):
        healing_rows("fit", tmp_path)


def test_the_readme_counts_the_rows() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name in COLUMNS:
        assert f"| `{name}` | {len(read(name))} |" in text


def test_the_public_list_is_complete() -> None:
    assert all(hasattr(healing, name) for name in healing.__all__)

"""Tables after CDISC: the same in Parquet and in SAS transport files, and as the agencies' rules have them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyreadstat
import pytest

from osteon.trial.table_names import label_of
from osteon.trial.tables import adam_tables, write_tables
from osteon.trial.xport import ibm_floats, write_xport

from .made_trial import CONTROL, DRUG, observed, planned_study

_OBSERVED = observed(20, deaths=400.0)


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return adam_tables(planned_study(), None, _OBSERVED)


def test_both_files_hold_the_same(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    assert {path.name for path in write_tables(tmp_path, tables)} == {
        f"{name}.{kind}" for name in tables for kind in ("parquet", "xpt")
    }
    for name, table in tables.items():
        kept = pd.read_parquet(tmp_path / f"{name}.parquet")
        read = pd.read_sas(tmp_path / f"{name}.xpt", format="xport", encoding="utf-8")
        other, about = pyreadstat.read_xport(tmp_path / f"{name}.xpt")
        assert list(kept) == list(read) == list(other) == list(table)
        assert len(kept) == len(read) == len(table)
        for column in kept:
            if kept[column].dtype.kind == "f":
                # pandas reads the zero of SAS as 5e-79.
                np.testing.assert_allclose(read[column], kept[column], rtol=0, atol=1e-70)
                np.testing.assert_array_equal(other[column], kept[column])
            else:
                assert read[column].fillna("").tolist() == kept[column].astype(str).tolist()
                assert other[column].tolist() == kept[column].astype(str).tolist()
        assert about.table_name == name.upper()
        assert about.column_names_to_labels == {column: label_of(column) for column in table}
        assert pq.read_schema(tmp_path / f"{name}.parquet").field(0).metadata[b"label"] == b"Study identifier"
        assert not list(tmp_path.glob(".*"))


def test_names_and_labels_are_short(tables: dict[str, pd.DataFrame]) -> None:
    for table in tables.values():
        for name in table:
            assert len(name) <= 8
            assert name.isupper()
            assert 0 < len(label_of(name)) <= 40
            assert label_of(name) != name
    codes = {code for name in ("adtte", "adlb") for code in tables[name]["PARAMCD"].cat.categories}
    assert all(0 < len(code) <= 8 for code in codes)


def test_one_row_a_subject_in_the_arm_given(tables: dict[str, pd.DataFrame]) -> None:
    table = tables["adsl"]
    assert table["USUBJID"].is_unique
    assert table["TRT01P"].tolist() == _OBSERVED.people["arm"].tolist()
    assert set(table["SEX"]) == {"F", "M"}
    assert (table["SMOKEFL"] == "Y").tolist() == _OBSERVED.people["smoking"].tolist()
    dead = table["DTHFL"] == "Y"
    assert 0 < dead.sum() < len(table)
    assert (dead == (table["DCSREAS"] == "DEATH")).all()
    assert ((table["EOSSTT"] == "COMPLETED") == (table["DCSREAS"] == "")).all()
    np.testing.assert_allclose(table["EOSDT"] - table["RANDDT"], table["EOSDY"])


def test_times_to_events_are_those_of_the_arm_given(tables: dict[str, pd.DataFrame]) -> None:
    table = tables["adtte"].set_index("USUBJID")
    rows = _OBSERVED.tte[_OBSERVED.tte["allocated"]].sort_values("patient")
    own = table.sort_index()
    assert own["AVAL"].tolist() == rows["time"].tolist()
    assert (own["CNSR"] == 0).tolist() == rows["event"].tolist()
    assert (own["CNSR"] == 2).tolist() == rows["competing"].tolist()
    assert set(own["CNSR"]) == {0.0, 1.0, 2.0}
    assert (own["EVNTDESC"] == "SEEN AT A VISIT").tolist() == rows["event"].tolist()
    assert (own["ADT"] == own["STARTDT"] + own["ADY"]).all()
    assert own["AINTHI"].isna().tolist() == (~rows["event"]).tolist()


def test_recorded_values_are_rows(tables: dict[str, pd.DataFrame]) -> None:
    table = tables["adlb"]
    score = table[table["PARAMCD"] == "RUST"]
    assert len(score) == len(_OBSERVED.visits)
    assert sorted(score["AVAL"]) == sorted(_OBSERVED.visits["RUST"])
    once = table[table["PARAMCD"] == "RUSTATWE"]
    assert len(once) == len(_OBSERVED.people)
    assert once["AVISIT"].unique().tolist() == ["Day 84"]
    assert set(table["TRT01P"]) == {CONTROL, DRUG}


def test_codes_of_endpoints_differ() -> None:
    names = ["union of the left", "union of the light", "9 to 5"]
    primary, *others = ({"name": name, "kind": "union"} for name in names)
    plan = planned_study(endpoints={"primary": primary, "secondary": others})
    tte = pd.concat([_OBSERVED.tte.assign(endpoint=name) for name in names])
    found = adam_tables(plan, None, replace(_OBSERVED, tte=tte))["adtte"]
    assert set(found["PARAMCD"]) == {"UNIONOFT", "UNIONOF2", "P9TO5"}


def test_files_depend_on_the_tables_alone_and_take_any_script(tmp_path: Path) -> None:
    table = pd.DataFrame({"ARM": pd.Categorical(["地舒单抗 60 mg", None, "对照"]), "AVAL": [1.5, np.nan, -3.0]})
    one = write_xport(tmp_path / "a.xpt", "a", table, {"ARM": "Arm"})
    read, _ = pyreadstat.read_xport(one)
    assert read["ARM"].tolist() == ["地舒单抗 60 mg", "", "对照"]
    assert read["AVAL"].tolist()[::2] == [1.5, -3.0]
    assert np.isnan(read["AVAL"][1])
    again = write_xport(tmp_path / "b.xpt", "a", table, {"ARM": "Arm"})
    assert one.read_bytes() == again.read_bytes()
    assert b"01JAN60:00:00:00" in one.read_bytes()
    assert len(one.read_bytes()) % 80 == 0
    none = write_xport(tmp_path / "none.xpt", "a", table.iloc[:0], {})
    assert list(pyreadstat.read_xport(none)[0]) == ["ARM", "AVAL"]


def test_columns_are_as_wide_as_their_values(tmp_path: Path) -> None:
    size = 4000
    numbers = {
        "WHOLE": np.arange(size, dtype=float),
        "HALF": np.arange(size) / 2 - 500,
        "SINGLE": np.random.default_rng(1).normal(size=size).astype(np.float32).astype(float),
        "DOUBLE": np.random.default_rng(2).normal(size=size),
        "NONE": np.full(size, np.nan),
    }
    table = pd.DataFrame({**numbers, "TEXT": pd.Categorical(["a", "abc"] * (size // 2))})
    path = write_xport(tmp_path / "wide.xpt", "wide", table, {})
    # Rows of 3 + 4 + 5 (of 6) + 8 + 3 bytes and a text of 3; eight bytes a number would be 43.
    header = 80 * 9 + 140 * 6
    assert path.stat().st_size - header < 28 * size
    other, _ = pyreadstat.read_xport(path)
    read = pd.read_sas(path, format="xport", encoding="utf-8")
    for name, values in numbers.items():
        np.testing.assert_array_equal(other[name], values)
        np.testing.assert_allclose(read[name], values, rtol=0, atol=1e-70)
    assert other["TEXT"].tolist() == table["TEXT"].tolist()


def test_a_table_of_very_many_rows_is_in_parquet_alone(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    most = len(tables["adlb"]) - 1
    assert most > len(tables["adsl"])
    names = {path.name for path in write_tables(tmp_path, tables, most_rows=most)}
    assert "adlb.parquet" in names
    assert "adlb.xpt" not in names
    assert not (tmp_path / "adlb.xpt").exists()
    assert {"adsl.xpt", "adtte.xpt"} <= names


def test_dates_are_whole_days() -> None:
    people = _OBSERVED.people.assign(enrolled_day=_OBSERVED.people["enrolled_day"] + 0.4)
    found = adam_tables(planned_study(), None, replace(_OBSERVED, people=people))
    assert (found["adsl"]["RANDDT"] % 1 == 0).all()
    assert (found["adtte"]["STARTDT"] % 1 == 0).all()
    assert (
        found["adlb"]["ADT"]
        == np.floor(people["enrolled_day"].to_numpy())[found["adlb"]["USUBJID"].cat.codes] + found["adlb"]["ADY"]
    ).all()


def test_hexadecimal_floats_of_the_manual() -> None:
    # -118.625 is C276A000 in the manual of the System/360; 1 is 41100000.
    words = ibm_floats(np.array([-118.625, 1.0, 0.0, np.nan]))
    assert [f"{int(one):016X}" for one in words] == [
        *("C276A00000000000", "4110000000000000", "0000000000000000", "2E00000000000000")
    ]


def test_a_trial_without_values_has_an_empty_table(tmp_path: Path) -> None:
    bare = replace(_OBSERVED, visits=_OBSERVED.visits.iloc[:0], measures=_OBSERVED.measures.iloc[:, :3])
    found = adam_tables(planned_study(), None, bare)
    assert not len(found["adlb"])
    write_tables(tmp_path, found)
    assert not len(pd.read_parquet(tmp_path / "adlb.parquet"))

"""Bad rows are refused with their file, row and column, and what is allowed."""

from pathlib import Path

import pytest

from osteon.errors import InputError
from osteon.evidence import left_out, observations
from osteon.evidence.table import COLUMNS, read
from tests.evidence.test_rows import column, edited

LAST = 381


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("value", "abc", r'"abc" is not a number'),
        ("value", "", r'"" is not a number'),
        ("value", "nan", r'"nan" is not a finite number'),
        ("value", "-101", r"-101 is a fall by more than everything \(allowed: -100 or more\)"),
        ("time_days", "-1", r"-1 is before the start of treatment \(allowed: 0 or more\)"),
        ("time_days", "soon", r'"soon" is not a number'),
        ("use", "fitt", r'"fitt" is not allowed \(allowed: fit, check, noise\); did you mean "fit"\?'),
        ("how_obtained", "guessed", r'"guessed" is not allowed \(allowed: figure-digitised, text'),
        ("error_type", "CI95", r'"CI95" is not allowed \(allowed: '),
        ("study", " ", r"is empty"),
        ("year", "recent", r'"recent": string should match pattern'),
        ("error", "1;2;3", r'"1;2;3" is neither one number nor two limits'),
        ("error", "wide", r'"wide" is neither one number nor two limits'),
    ],
)
def test_a_bad_cell_is_refused_where_it_stands(tmp_path: Path, name: str, given: str, says: str) -> None:
    def change(rows):
        row = rows[1]
        row[column(rows, name)] = given

    folder = edited(tmp_path, "bmd.csv", change)
    with pytest.raises(InputError, match=rf"^bmd\.csv, row 2, column {name}: {says}"):
        read("bmd.csv", folder)
    with pytest.raises(InputError):
        observations("fit", folder)


def test_an_error_without_its_kind_is_refused(tmp_path: Path) -> None:
    def change(rows):
        rows[1][column(rows, "error_type")] = ""

    with pytest.raises(InputError, match=r"row 2, column error: needs both an error and its error_type"):
        read("bmd.csv", edited(tmp_path, "bmd.csv", change))


def test_a_row_of_an_unknown_arm_is_refused_not_dropped(tmp_path: Path) -> None:
    def change(rows):
        rows[-1][column(rows, "arm")] = "a new arm"

    folder = edited(tmp_path, "bmd.csv", change)
    says = rf"^bmd\.csv, row {LAST}, column arm: belongs to no study arm"
    with pytest.raises(InputError, match=says):
        observations("check", folder)
    with pytest.raises(InputError, match=says):
        left_out(folder)


def test_a_row_of_an_unknown_endpoint_is_refused_not_dropped(tmp_path: Path) -> None:
    def change(rows):
        rows[-1][column(rows, "endpoint")] = "HEEL_BMD"

    with pytest.raises(InputError, match=rf"row {LAST}, column endpoint: belongs to no study arm"):
        observations("check", edited(tmp_path, "bmd.csv", change))


def test_a_curve_value_needs_its_day(tmp_path: Path) -> None:
    def change(rows):
        rows[-1][column(rows, "time_days")] = ""

    with pytest.raises(InputError, match=rf"row {LAST}, column time_days: is empty"):
        observations("check", edited(tmp_path, "bmd.csv", change))


def test_columns_are_those_of_the_format(tmp_path: Path) -> None:
    def renamed(rows):
        rows[0][column(rows, "value")] = "valu"

    def added(rows):
        for row in rows:
            row.append("extra")

    def short(rows):
        rows[1].pop()

    def long(rows):
        rows[1].append("more")

    with pytest.raises(InputError, match=r"bmd\.csv, column value: this column is missing"):
        read("bmd.csv", edited(tmp_path, "bmd.csv", renamed))
    with pytest.raises(InputError, match=r"bmd\.csv, column extra: is not a known column"):
        read("bmd.csv", edited(tmp_path, "bmd.csv", added))
    for change in (short, long):
        with pytest.raises(InputError, match=rf"bmd\.csv, row 2: has not the {len(COLUMNS)} values of the header"):
            read("bmd.csv", edited(tmp_path, "bmd.csv", change))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"bmd\.csv: cannot be read \(No such file or directory\)"):
        read("bmd.csv", tmp_path)
    (tmp_path / "bmd.csv").write_bytes(b"study,\xff\n")
    with pytest.raises(InputError, match=r"bmd\.csv: cannot be read \(it is not UTF-8 text in CSV\)"):
        read("bmd.csv", tmp_path)

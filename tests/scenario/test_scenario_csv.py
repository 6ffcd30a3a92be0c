"""NONMEM-style CSV files become ordinary doses."""

import pytest

from osteon.errors import InputError
from osteon.scenario import Scenario

SCENARIO = """\
osteon: 1
title: From a file
patient: {}
fracture: null
arms:
  - name: file
    doses_csv: DOSES
horizon: 12 months
"""
HEADER = "TIME,AMT,II,ADDL,EVID,CMT\n"


@pytest.fixture
def parse(tmp_path):
    def from_rows(rows, header=HEADER, doses="doses.csv"):
        (tmp_path / "doses.csv").write_text(header + rows, encoding="utf-8")
        return Scenario.parse(SCENARIO.replace("DOSES", doses), base_dir=tmp_path)

    return from_rows


def test_rows_become_doses(parse, tmp_path):
    scenario = parse("-182.625,60,182.625,1,1,1\n10,.,.,.,0,2\n20,30,0,0,1,1\n\n")
    patient, arm = scenario.patient, scenario.arms[0]
    assert arm.doses_csv is None
    assert [(event.time, event.amount) for event in arm.dose_events(patient)] == [(-182.625, 60), (0, 60), (20, 30)]
    assert scenario.start_day == -182.625
    # Neither the file nor its place leaves a trace.
    assert "doses_csv" not in scenario.to_dict()["arms"][0]
    assert Scenario.parse(scenario.to_dict()) == scenario
    path = tmp_path / "scenario.yaml"
    path.write_text(SCENARIO.replace("DOSES", "{file: ./doses.csv, amount: mg}"), encoding="utf-8")
    assert Scenario.read(path).content_hash() == scenario.content_hash()


def test_units_columns_and_routes_are_named(parse):
    doses = "{file: doses.csv, time: hours, amount: ug, compartments: {1: subcutaneous}}"
    scenario = parse("cmt,1,24,60000,48,1,0\n", "id,EVID,ii,amt,time,Cmt,addl\n".replace("id", "C"), doses)
    assert scenario.arms[0].doses[0].start == 2
    assert scenario.arms[0].doses[0].amount.value == 60
    scenario = parse("1,0,1,0,0,1,1\n", "ID,TIME,AMT,II,ADDL,EVID,CMT\n", "{file: doses.csv, amount: mg/kg}")
    assert scenario.arms[0].dose_events(scenario.patient)[0].amount == 70


def test_doses_of_the_file_join_written_ones(parse):
    doses = "doses.csv\n    doses: [{drug: denosumab, amount: 60 mg, start: 1 day}]"
    assert [dose.start for dose in parse("5,60,0,0,1,1\n", doses=doses).arms[0].doses] == [1, 5]


@pytest.mark.parametrize(
    ("rows", "header", "fragment"),
    [
        ("0,60\n", "TIME,AMT\n", "lacks the column II, ADDL, EVID, CMT"),
        ("0,60,0,0,1,1,0\n", "TIME,AMT,II,ADDL,EVID,CMT,time\n", "has the column TIME twice"),
        ("", HEADER, "has no dose row"),
        ("0,60,0,0,0,1\n", HEADER, "has no dose row"),
        ("0,sixty,0,0,1,1\n", HEADER, 'line 2 of "doses.csv" has "sixty" in AMT'),
        ("0,nan,0,0,1,1\n", HEADER, "not a finite number"),
        ("0,1e99,0,0,1,1\n", HEADER, "not a finite number"),
        ("12:30,60,0,0,1,1\n", HEADER, '"12:30" in TIME'),
        ("0,60,0,0,1,1\n0,60,0,0,4,1\n", HEADER, 'line 3 of "doses.csv" has EVID 4 (reset and dose)'),
        ("0,60,0,0,2,1\n", HEADER, "EVID 2 (other event)"),
        ("0,60,0,0,3,1\n", HEADER, "EVID 3 (reset)"),
        ("0,60,0,0,7,1\n", HEADER, "EVID 7 (unknown)"),
        ("0,60,0,0,1.5,1\n", HEADER, "EVID 1.5 (unknown)"),
        ("0,60,0,3,1,1\n", HEADER, "needs an interval II above 0"),
        ("0,60,7,1.5,1,1\n", HEADER, "not a whole number from 0"),
        ("0,60,7,-1,1,1\n", HEADER, "not a whole number from 0"),
        ("0,60,7,5000,1,1\n", HEADER, "count: 5001 is outside the allowed range"),
        ("0,-60,0,0,1,1\n", HEADER, "range of 0 mg to 1000 mg"),
        ("-99999,60,0,0,1,1\n", HEADER, "start: "),
        ("0,60,0,0,1\n", HEADER, "has 5 cells, and the header has 6"),
        ('0,"60,0,0,1,1\n', HEADER, "is not valid CSV"),
        ("0,60,0,0,1,1\n0,60,0,0,1,2\n", HEADER, "several compartments"),
        ("1,0,60,0,0,1,1\n2,0,60,0,0,1,1\n", "ID," + HEADER, "holds 2 patients"),
        ("5,0,60,0,0,1,1\n", "RATE," + HEADER, "sets RATE"),
        ("0,60,0,0,1,1\n" * 5001, HEADER, "more than 5000 dose rows"),
    ],
)
def test_rows_that_are_refused(parse, rows, header, fragment):
    with pytest.raises(InputError) as caught:
        parse(rows, header)
    assert caught.value.path == "arms[0].doses_csv"
    assert fragment in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("doses", "path", "fragment"),
    [
        ("missing.csv", "doses_csv", '"missing.csv" does not exist'),
        ("../doses.csv", "doses_csv", "outside the scenario's folder"),
        ("/etc/passwd", "doses_csv", "outside the scenario's folder"),
        ("{drug: denosumab}", "doses_csv.file", "is missing"),
        ("{file: doses.csv, tme: days}", "doses_csv.tme", 'did you mean "time"'),
        ("{file: doses.csv, time: mg}", "doses_csv.time", "cannot be turned into day"),
        ("{file: doses.csv, amount: days}", "doses_csv.amount", "cannot be turned into mg"),
        ("{file: doses.csv, amount: 3}", "doses_csv.amount", "is not a unit"),
        ("{file: doses.csv, drug: denosumap}", "doses_csv.drug", 'did you mean "denosumab"'),
        ("{file: doses.csv, route: oral}", "doses_csv", "not given by the oral route"),
        ("{file: doses.csv, compartments: {a: oral}}", "doses_csv.compartments", "CMT numbers"),
        ("{file: doses.csv, compartments: {1: sub}}", "doses_csv.compartments", "is not a known route"),
        ("{file: doses.csv, compartments: {2: subcutaneous}}", "doses_csv", "CMT 1, and compartments names 2"),
    ],
)
def test_descriptions_that_are_refused(parse, doses, path, fragment):
    with pytest.raises(InputError) as caught:
        parse("0,60,0,0,1,1\n", doses=doses)
    assert caught.value.path == f"arms[0].{path}"
    assert fragment in str(caught.value)


def test_a_dose_of_the_file_after_the_horizon_is_refused(parse):
    with pytest.raises(InputError, match="dose 3 of 3 falls on day 400"):
        parse("0,60,200,2,1,1\n")

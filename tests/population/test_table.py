"""Tables of patients: what may stand in them, and what is refused with row and column."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import osteon
from osteon.engine.one_by_one import pick
from osteon.errors import InputError
from osteon.model.person import parameters_for
from osteon.population import Cohort

CSV = """age,weight,sex,diabetes,osteoporosis,smoking,obesity,member,denosumab.cl
73 yr,68 kg,female,type2,yes,no,false,J,0.07
30,82.5,male,none,no,TRUE,0,B,0.09
0.5 yr,20000 g,male,type1,1,no,0,J,0
"""


@pytest.fixture(scope="module")
def demo() -> osteon.Scenario:
    return osteon.Scenario.preset("metatarsal_on_denosumab")


def test_every_row_is_its_patient(demo: osteon.Scenario, tmp_path: Path) -> None:
    path = tmp_path / "patients.csv"
    path.write_text(CSV, encoding="utf-8")
    frame = pd.read_csv(path, keep_default_na=False)
    frame.to_parquet(tmp_path / "patients.parquet")
    made = [Cohort.from_table(demo, source) for source in (path, str(tmp_path / "patients.parquet"), frame)]
    assert made[0] == made[1] == made[2]
    block = made[0].block(0, 3)
    assert block.patients["age"].tolist() == [73, 30, 0.5]
    assert block.patients["weight"].tolist() == [68, 82.5, 20]
    assert block.patients["smoking"].tolist() == [False, True, False]
    assert block.patients["x denosumab.cl"] == pytest.approx([0.07 / 0.07344, 0.09 / 0.07344, 0])
    (group,) = block.groups
    rows = [
        ({"diabetes": "type2", "osteoporosis": True, "smoking": False}, "J"),
        ({"sex": "male", "diabetes": "none", "osteoporosis": False, "smoking": True}, "B"),
        ({"sex": "male", "diabetes": "type1", "osteoporosis": True, "smoking": False}, "J"),
    ]
    for place, (traits, member) in enumerate(rows):
        own = {**traits, "obesity": False, "age": f"{block.patients['age'][place]} yr"}
        patient = osteon.Patient(**own, weight=f"{block.patients['weight'][place]} kg")
        expected = parameters_for(demo.model_copy(update={"patient": patient}), member)
        for key, record in expected.items():
            value = frame["denosumab.cl"][place] if key == "denosumab.cl" else record.value
            assert pick(group.values[key], place) == pytest.approx(value, rel=1e-12, abs=0), key


def test_what_is_no_column_follows_the_scenario(demo: osteon.Scenario) -> None:
    block = Cohort.from_table(demo, pd.DataFrame({"callus.factor_vessels": [0.5, 0.5]}), member="B").block(0, 2)
    assert set(block.patients["age"]) == {demo.patient.age}
    assert set(block.patients["diabetes"]) == {"type2"}
    assert set(block.patients["member"]) == {"B"}
    assert block.groups[0].values["callus.factor_vessels"] == 0.5


def test_doses_per_kg_follow_the_weight() -> None:
    tree = osteon.Scenario.preset("mouse_knockin_femur").to_dict()
    dose = {"drug": "denosumab", "amount": "10 mg/kg", "start": "0 days"}
    mouse = osteon.Scenario.parse({**tree, "arms": [{"name": "a", "doses": [dose]}]})
    (group,) = Cohort.from_table(mouse, {"weight": ["20 g", "30 g"]}).block(0, 2).groups
    (impulse,) = group.arms["a"][0].impulses.values()
    assert impulse == pytest.approx([0.2 * 0.638, 0.3 * 0.638], rel=1e-12)


@pytest.mark.parametrize(
    ("columns", "path", "says"),
    [
        ({"age": [50, 130]}, "row 2, column age", "outside the allowed range of 0 yr to 120 yr for human"),
        ({"age": ["50 yr", "old"]}, "row 2, column age", "old"),
        ({"age": ["50 kg", 3]}, "row 1, column age", "yr"),
        ({"age": [50, None]}, "row 2, column age", "is empty"),
        ({"age": [50, float("inf")]}, "row 2, column age", "finite"),
        ({"age": [True, False]}, "row 1, column age", "true"),
        ({"age": [[1], [2]]}, "row 1, column age", "list"),
        ({"weight": [66, 19]}, "row 2, column weight", "outside the allowed range of 20 kg to 300 kg"),
        ({"sex": ["female", "femal"]}, "row 2, column sex", 'did you mean "female"?'),
        ({"diabetes": ["none", ""]}, "row 2, column diabetes", "is not one of"),
        ({"smoking": ["yes", "perhaps"]}, "row 2, column smoking", "neither true nor false"),
        ({"smoking": [True, None]}, "row 2, column smoking", "is empty"),
        ({"member": ["J", "K"]}, "row 2, column member", "is not one of J, B"),
        ({"gfr": ["60 mL/min", 201]}, "row 2, column gfr", "outside the allowed range of 0 mL/min to 200 mL/min"),
        ({"vitamin_d": [4, 50]}, "row 1, column vitamin_d", "outside the allowed range of 5 nmol/L to 250 nmol/L"),
        ({"vitamin_d": ["20 ng/mL", 50]}, "row 1, column vitamin_d", "nmol/L"),
        ({"gfr": [60, 30], "calcium.gfr": [60, 30]}, "column calcium.gfr", "stands in the table twice"),
        ({"denosumab.cl": [0.1, -0.1]}, "row 2, column denosumab.cl", "0 and above"),
        ({"denosumab.cl": ["0.1 L/day", 1]}, "row 1, column denosumab.cl", "own unit"),
        ({"markers.ctx_floor": [0.1, 1.1]}, "row 2, column markers.ctx_floor", "0 to 1"),
        ({"denosumab.cll": [1]}, "table", 'did you mean "denosumab.cl"?'),
        ({"denosumab.weight": [1]}, "table", "write the column weight"),
        ({"constants.percent": [1]}, "table", "is not a known column"),
        ({7: [1]}, "table", "is not a known column"),
        ({"age": []}, "table", "holds no row"),
        ({"age": [1, 2], "weight": [60]}, "table", "cannot be read as columns"),
        (5, "table", "neither a table nor the path of one"),
    ],
    ids=str,
)
def test_a_bad_table_is_refused(demo: osteon.Scenario, columns: dict, path: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        Cohort.from_table(demo, columns)
    assert caught.value.path.endswith(path)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_column_that_stands_twice_is_refused(demo: osteon.Scenario) -> None:
    with pytest.raises(InputError, match="stands in the table twice"):
        Cohort.from_table(demo, pd.DataFrame([[50, 60]], columns=["age", "age"]))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.csv", None, "no such file"),
        ("a.xlsx", b"x", "neither .csv nor .parquet"),
        ("a.csv", b"", "cannot be read"),
        ("a.csv", b"age\n\xff\xfe\n", "cannot be read"),
        ("a.csv", b"age,sex\n1,2,3\n4,5,6,7\n", "cannot be read"),
        ("a.csv", b"age,weight\n50,60,70\n50,60,70\n", "more cells than"),
        ("a.parquet", b"not parquet", "cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused(
    demo: osteon.Scenario, tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        Cohort.from_table(demo, path)
    assert caught.value.path == str(path)
    assert says in str(caught.value)


def test_a_large_table_is_read_quickly_and_in_any_split(demo: osteon.Scenario) -> None:
    rng = np.random.default_rng(1)
    rows = 20_000
    frame = pd.DataFrame({"age": rng.uniform(40, 90, rows), "smoking": rng.random(rows) < 0.3})
    cohort = Cohort.from_table(demo, frame)
    whole, part = cohort.block(0, rows).groups[0].values, cohort.block(500, 512).groups[0].values
    for key, value in part.items():
        for place in range(12):
            assert pick(value, place) == pick(whole[key], 500 + place), key


def test_kidney_function_and_vitamin_d_are_columns(demo: osteon.Scenario) -> None:
    cohort = Cohort.from_table(demo, {"gfr": ["90 mL/min", "15 mL/min"], "vitamin_d": [100, 12.5]})
    (group,) = cohort.block(0, 2).groups
    assert group.values["calcium.gfr"].tolist() == [90, 15]
    assert group.values["calcium.vitamin_d"].tolist() == [100, 12.5]
    assert Cohort.from_dict(cohort.to_dict()) == cohort
    with pytest.raises(InputError, match="known of people alone"):
        Cohort.from_table(osteon.Scenario.preset("mouse_knockin_femur"), {"gfr": [1, 2]})

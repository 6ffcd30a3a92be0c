"""What a scenario holds, how it is written back, its presets, notes and schema."""

import json
import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from osteon.errors import InputError
from osteon.scenario import Amount, Arm, Dose, DoseEvent, Fracture, Impose, Patient, Scenario, catalogue, presets
from osteon.scenario.library import preset_text
from osteon.scenario.read import load
from osteon.scenario.schema import json_schema

PRESETS = [preset.name for preset in presets()]

ISSUE = """\
osteon: 1
title: Metatarsal fracture four months after a denosumab dose
patient: {species: human, age: 73 yr, sex: female, weight: 68 kg, diabetes: type2, osteoporosis: true, smoking: false}
fracture: {bone: metatarsal, gap: 1 mm, fixation: cast, interfragmentary_strain: 10 %}
arms:
  - name: continue
    doses:
      - {drug: denosumab, amount: 60 mg, start: -40 months, every: 6 months, count: 9}
  - name: hold
    doses:
      - {drug: denosumab, amount: 60 mg, start: -40 months, every: 6 months, count: 7}
  - name: never
    doses: []
horizon: 12 months
"""


def scenario_of(arms, patient=None, fracture=None, **more):
    tree = {"osteon": 1, "title": "t", "patient": patient or {}, "fracture": fracture, "arms": arms, "horizon": "1 yr"}
    return Scenario.parse({**tree, **more})


def test_the_case_of_the_review():
    scenario = Scenario.parse(ISSUE)
    month = 365.25 / 12
    assert scenario.patient == Patient(age="73 yr", weight="68 kg", diabetes="type2", osteoporosis=True)
    assert scenario.fracture == Fracture(bone="metatarsal", gap="1 mm", fixation="cast", interfragmentary_strain="10 %")
    assert scenario.fracture.interfragmentary_strain == 0.1
    assert scenario.horizon == 365.25
    assert scenario.start_day == -40 * month
    days = [event.time / month for event in scenario.arms[0].dose_events(scenario.patient)]
    assert days == pytest.approx([-40, -34, -28, -22, -16, -10, -4, 2, 8])
    assert scenario.arms[1].dose_events(scenario.patient)[-1] == DoseEvent(-4 * month, "denosumab", 60, "subcutaneous")
    assert scenario.arms[2].dose_events(scenario.patient) == ()
    assert scenario == Scenario.preset("metatarsal_on_denosumab")
    assert scenario.notes() == []


def test_yaml_json_bytes_and_mapping_are_the_same(tmp_path):
    scenario = Scenario.parse(ISSUE)
    for name in ("a.json", "b.txt", "c.JSON"):
        (tmp_path / name).write_text("\ufeff" + scenario.to_json(), encoding="utf-8")
        assert Scenario.read(tmp_path / name) == scenario
    (tmp_path / "d.yaml").write_text(ISSUE, encoding="utf-8")
    assert Scenario.read(str(tmp_path / "d.yaml")) == scenario
    assert Scenario.parse(ISSUE.encode()) == scenario
    assert Scenario.parse("{osteon: 1, title: T, patient: {}, fracture: null, arms: [{name: no}], horizon: 1 yr}")


def test_the_hash_sees_content_and_nothing_else():
    scenario = Scenario.parse(ISSUE)
    assert re.fullmatch("[0-9a-f]{64}", scenario.content_hash())
    same = ISSUE.replace("73 yr", "876 months").replace("68 kg", "68000 g").replace("60 mg", "60000 ug")
    same = same.replace("count: 7}", "count: 7, route: subcutaneous}").replace(", smoking: false", "")
    assert Scenario.parse(same).content_hash() == scenario.content_hash()
    assert Scenario.parse(ISSUE.replace("68 kg", "68.5 kg")).content_hash() != scenario.content_hash()


def test_kidney_function_and_vitamin_d_may_be_given():
    """Left out they stand nowhere, so that scenarios written before have the hash they had."""
    plain = Scenario.parse(ISSUE)
    assert not {"gfr", "vitamin_d"} & set(plain.to_dict()["patient"])
    given = Scenario.parse(ISSUE.replace("sex: female", "sex: female, gfr: 0.045 L/min, vitamin_d: 50 nmol/L"))
    assert (given.patient.gfr, given.patient.vitamin_d) == (45, 50)
    assert given.to_dict()["patient"] | {"gfr": "45 mL/min", "vitamin_d": "50 nmol/L"} == given.to_dict()["patient"]
    assert Scenario.parse(given.to_dict()) == given
    assert given.content_hash() != plain.content_hash()


def test_defaults_follow_the_species():
    fracture = {"bone": "femur", "fixation": "nail"}
    for species, gap, weight in [("human", 1, 70), ("mouse", 0.25, 0.025), ("rat", 0.5, 0.35), ("sheep", 3, 70)]:
        scenario = scenario_of([{"name": "a"}], {"species": species}, fracture)
        assert (scenario.fracture.gap, scenario.patient.weight) == (gap, weight)
        built = Scenario(
            osteon=1,
            title="t",
            patient=Patient(species=species),
            fracture=Fracture(**fracture),
            arms=[Arm(name="a")],
            horizon="1 yr",
        )
        assert built == scenario
    with pytest.raises(InputError, match=r"^fracture\.gap: .*up to 10 mm for a mouse"):
        scenario_of([{"name": "a"}], {"species": "mouse"}, {**fracture, "gap": "20 mm"})


def test_records_are_frozen_and_hashable():
    scenario = Scenario.parse(ISSUE)
    assert len({scenario, Scenario.parse(ISSUE)}) == 1
    with pytest.raises(ValueError, match="frozen"):
        scenario.seed = 2


def test_amounts_per_weight_are_resolved():
    arm = Arm(name="a", doses=[Dose(drug="denosumab", amount="10 mg/kg", start="0 day")])
    assert arm.doses[0].amount == Amount(10, per_weight=True)
    assert arm.dose_events(Patient(species="mouse"))[0].amount == 0.25


@pytest.mark.parametrize("name", PRESETS)
def test_presets_round_trip(name):
    scenario = Scenario.preset(name)
    again = Scenario.parse(scenario.to_dict())
    assert again == scenario
    assert again.content_hash() == scenario.content_hash()
    assert Scenario.parse(scenario.to_json()) == scenario
    assert json.loads(scenario.to_json()) == scenario.to_dict()


def test_presets_are_listed_with_the_titles_they_carry():
    for preset in presets():
        assert preset.title == Scenario.preset(preset.name).title
        assert re.search("[一-鿿]", preset.title_zh)
    assert PRESETS[0] == "metatarsal_on_denosumab"
    assert len(PRESETS) == 15


def codes(scenario):
    return [note.code for note in scenario.notes()]


def test_notes():
    dosed = [{"name": "a", "doses": [{"drug": "denosumab", "amount": "1 mg/kg", "start": "0 day"}]}]
    native = scenario_of(dosed, {"species": "mouse"})
    assert codes(native) == ["drug_does_not_bind"]
    assert native.notes()[0].text_en == (
        "denosumab does not bind mouse RANKL: no drug effect simulated; write rankl: human for a knock-in."
    )
    assert not native.patient.binds("denosumab")
    assert codes(scenario_of(dosed, {"species": "mouse", "rankl": "human"})) == ["pharmacokinetics_assumed"]
    assert codes(scenario_of(dosed, {"species": "sheep"})) == ["binding_assumed", "pharmacokinetics_assumed"]
    assert codes(scenario_of(dosed)) == []
    imposed = [{"name": "a"}, {"name": "b", "impose": {"pth": 1}}]
    assert codes(scenario_of(imposed, {"species": "rat"})) == ["pth_in_the_callus_alone"]
    imposed[1]["impose"] = {"bisphosphonate_inhibition": 0.45}
    assert codes(scenario_of(imposed, {"species": "rat"})) == ["inhibition_of_activity_alone"]
    imposed[1]["impose"] = {"free_rankl": 0.02}
    assert codes(scenario_of(imposed, {"species": "rat"})) == []
    flood = [{"name": "a", "doses": [{"drug": "denosumab", "amount": "60 mg", "start": "0 day"}]}]
    assert "dose_very_large" in codes(scenario_of(flood, {"species": "mouse", "rankl": "human"}))
    assert codes(scenario_of([{"name": "a"}, {"name": "b"}])) == ["arms_are_the_same"]
    assert codes(scenario_of([{"name": "a", "doses": dosed[0]["doses"] * 2}])) == ["doses_at_same_time"]
    early = [{"name": "a", "doses": [{"drug": "denosumab", "amount": "1 mg", "start": "-2 yr"}]}]
    assert "dose_before_birth" in codes(scenario_of(early, {"species": "rat"}))
    for note in scenario_of(early * 1, {"species": "rat"}).notes():
        assert re.search("[一-鿿]", note.text_zh)
        assert note.path.startswith("arms[0]")


def test_the_catalogue_is_whole():
    groups = (catalogue.species, catalogue.bones, catalogue.fixations, catalogue.routes, catalogue.drugs)
    for entries in groups:
        for key, entry in entries().items():
            assert entry.key == key
            assert entry.title_en
            assert re.search("[一-鿿]", entry.title_zh)
    for drug in catalogue.drugs().values():
        assert drug.usual_route in drug.routes
        assert set(drug.routes) <= set(catalogue.routes())
        assert set(drug.binds_assumed) <= set(drug.binds) <= set(catalogue.species())


def test_the_schema_accepts_presets_and_canonical_forms():
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for name in PRESETS:
        validator.validate(load(preset_text(name), ".yaml"))
        validator.validate(Scenario.preset(name).to_dict())
    good = Scenario.parse(ISSUE).to_dict()
    assert not validator.is_valid({**good, "horizon": 12})
    assert not validator.is_valid({**good, "seeds": 1})
    assert not validator.is_valid({**good, "arms": []})
    assert not validator.is_valid({**good, "fracture": {"bone": "tibbia", "fixation": "cast"}})
    assert validator.is_valid({**good, "arms": [{"name": "a", "doses_csv": {"file": "a.csv"}}]})
    assert validator.is_valid({**good, "arms": [{"name": "a", "doses_csv": "a.csv"}]})
    json.dumps(schema)


def test_the_schema_is_enough_for_a_form():
    schema = json_schema()
    records = {"Scenario": schema, **schema["$defs"]}
    fields = {f"{name}.{key}": field for name, record in records.items() for key, field in record["properties"].items()}
    assert len(fields) > 35
    for name, field in fields.items():
        assert field["title"], name
        assert field["description"].endswith("."), name
        assert field["x-title-zh"], name
    assert fields["Fracture.bone"]["x-choices"][0] == {"value": "tibia", "title": "tibia", "title-zh": "胫骨"}
    assert fields["Patient.weight"]["x-range-by-species"]["mouse"] == [0.01, 0.06]
    assert fields["Patient.age"]["x-default-by-species"]["mouse"] == "12 weeks"
    assert fields["Scenario.horizon"]["x-maximum"] == 30 * 365.25
    assert "Patient" not in schema["$defs"]["Patient"].get("required", [])


def test_importing_and_parsing_are_light():
    code = (
        "import sys, time\n"
        "from osteon.scenario import Scenario\n"
        "start = time.process_time()\n"
        "Scenario.preset('metatarsal_on_denosumab')\n"
        "assert time.process_time() - start < 0.15\n"
        "heavy = {'pandas', 'xarray', 'sympy', 'matplotlib', 'scipy.integrate', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# Quantities written with any unit; -3 years to +1 year keeps every dose before the horizon.
numbers = st.floats(0, 1000, allow_nan=False).map(lambda value: f"{value!r} mg")
per_weight = st.floats(0, 10, allow_nan=False).map(lambda value: f"{value!r} mg/kg")
starts = st.one_of(
    st.floats(-1000, 100).map(lambda value: f"{value!r} days"),
    st.integers(-36, 3).map(lambda value: f"{value} months"),
    st.integers(-100, 10).map(lambda value: f"{value} wk"),
)
single = st.fixed_dictionaries({"drug": st.just("denosumab"), "amount": numbers | per_weight, "start": starts})
series = st.builds(
    lambda dose, every, count: {**dose, "every": f"{every!r} h", "count": count},
    single,
    st.floats(0.5, 24 * 50),
    st.integers(1, 5),
)
patients = st.one_of(
    st.fixed_dictionaries(
        {
            "species": st.just("human"),
            "age": st.floats(0, 120).map(lambda value: f"{value!r} yr"),
            "weight": st.floats(20, 100).map(lambda value: f"{value!r} kg"),
            "sex": st.sampled_from(["female", "male"]),
            "diabetes": st.sampled_from(["none", "type1", "type2"]),
        },
        optional={"osteoporosis": st.booleans(), "smoking": st.booleans(), "obesity": st.booleans()},
    ),
    st.fixed_dictionaries(
        {"species": st.sampled_from(["mouse", "rat", "sheep"])}, optional={"sex": st.sampled_from(["female", "male"])}
    ),
)
fractures = st.none() | st.fixed_dictionaries(
    {"bone": st.sampled_from(list(catalogue.bones())), "fixation": st.sampled_from(list(catalogue.fixations()))},
    optional={
        "gap": st.floats(0.01, 10).map(lambda value: f"{value!r} mm"),
        "interfragmentary_strain": st.floats(0, 100).map(lambda value: f"{value!r} %"),
        "open": st.booleans(),
    },
)


@given(patients, fractures, st.lists(single | series, max_size=4), st.integers(0, 2**32 - 1))
def test_any_scenario_round_trips(patient, fracture, doses, seed):
    arms = [{"name": "dosed", "doses": doses}, {"name": "imposed", "impose": {"free_rankl": 0.02}}]
    scenario = scenario_of(arms, patient, fracture, seed=seed)
    again = Scenario.parse(scenario.to_dict())
    assert again == scenario
    assert again.content_hash() == scenario.content_hash()
    assert Scenario.parse(scenario.to_json()) == scenario
    assert scenario.start_day <= 0
    assert all(note.text_en and note.text_zh for note in scenario.notes())


@given(st.lists(single | series, min_size=1, max_size=5), st.randoms())
def test_dose_events_do_not_depend_on_how_they_are_written(doses, random):
    patient = Patient()
    events = Arm(name="a", doses=doses).dose_events(patient)
    assert list(events) == sorted(events, key=lambda event: (event.time, event.drug, event.route, event.amount))
    assert len(events) == sum(dose.get("count", 1) for dose in doses)
    shuffled = list(doses)
    random.shuffle(shuffled)
    assert Arm(name="a", doses=shuffled).dose_events(patient) == events


@given(single, st.integers(1, 40), st.integers(1, 9))
def test_a_series_equals_its_single_doses(dose, every, count):
    start = Dose(**dose).start
    arm = Arm(name="a", doses=[{**dose, "every": f"{every} days", "count": count}])
    alone = [{**dose, "start": f"{start + index * every!r} days"} for index in range(count)]
    assert arm.dose_events(Patient()) == Arm(name="a", doses=alone).dose_events(Patient())


@given(st.floats(0, 1, exclude_min=True), st.floats(0, 1, exclude_max=True), st.floats(0, 1))
def test_imposed_effects_are_kept_as_written(free, inhibition, pth):
    impose = Impose(free_rankl=free, bisphosphonate_inhibition=inhibition, pth=f"{pth * 100!r} %")
    assert (impose.free_rankl, impose.bisphosphonate_inhibition) == (free, inhibition)
    assert impose.pth == pytest.approx(pth)
    scenario = scenario_of([{"name": "a", "impose": impose.model_dump(mode="json")}])
    assert Scenario.parse(scenario.to_dict()) == scenario


@settings(max_examples=60)
@given(st.text(max_size=30) | st.floats() | st.integers() | st.booleans() | st.none())
def test_any_value_as_amount_is_read_or_refused(value):
    try:
        assert 0 <= Dose(drug="denosumab", amount=value, start="0 day").amount.value <= 1000
    except InputError as error:
        refusal = error
    else:
        return
    assert refusal.path == "amount"
    assert "\n" not in str(refusal)

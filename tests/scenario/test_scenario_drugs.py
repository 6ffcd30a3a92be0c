"""The drugs beside denosumab, and the published parameter sets a scenario may name."""

import re

import pytest
from jsonschema import Draft202012Validator

import osteon
from osteon.errors import InputError
from osteon.model.person import parameters_for
from osteon.model.systems import DRUGS, SYSTEMIC_PARAMETERS
from osteon.parameters import layered, load, load_table
from osteon.population import Cohort
from osteon.scenario import Scenario, catalogue
from osteon.scenario.schema import json_schema

SPECIES = set(catalogue.species())


def scenario(*doses, species="human", **more):
    tree = {"osteon": 1, "title": "t", "patient": {"species": species}, "fracture": None, "horizon": "1 yr"}
    return Scenario.parse({**tree, "arms": [{"name": "a", "doses": list(doses)}], **more})


def dose(drug, amount, **more):
    return {"drug": drug, "amount": amount, "start": "0 days", **more}


def codes(one):
    return [note.code for note in one.notes()]


def test_the_catalogue_and_the_model_know_the_same_drugs():
    """Each by the same routes."""
    assert set(catalogue.drugs()) == set(DRUGS)
    for key, drug in catalogue.drugs().items():
        assert {route for _, route in DRUGS[key].module.doses} == set(drug.routes)


def test_a_drug_is_averaged_where_its_module_holds_an_intake():
    for key, drug in catalogue.drugs().items():
        module = DRUGS[key].module
        units = {module.states[state].unit for state, _ in module.doses.values()}
        assert units == {"mg" if drug.averaged_over is None else "mg/day"}, key
    assert catalogue.drugs()["alendronate"].averaged_over == 7
    assert catalogue.drugs()["teriparatide"].averaged_over == 1


def test_where_drugs_act():
    acting = {key: set(drug.binds) for key, drug in catalogue.drugs().items()}
    assert acting.pop("denosumab") == {"human", "sheep"}
    assert all(species == SPECIES for species in acting.values())
    assert codes(scenario(dose("romosozumab", "210 mg"))) == []
    sheep = scenario(dose("romosozumab", "210 mg"), species="sheep").notes()
    assert [note.code for note in sheep] == ["binding_assumed", "pharmacokinetics_of_people"]
    assert sheep[0].text_en == "That romosozumab binds sheep sclerostin is assumed, not shown."
    assert "骨硬化蛋白" in sheep[0].text_zh
    assert codes(scenario(dose("romosozumab", "1 mg"), species="rat")) == ["pharmacokinetics_of_people"]
    assert codes(scenario(dose("zoledronate", "0.01 mg"), species="mouse")) == ["pharmacokinetics_of_people"]


@pytest.mark.parametrize("written", ["20 ug", "20 µg", "20 mcg", "0.02 mg", "20e-6 g"])
def test_micrograms(written):
    one = scenario(dose("teriparatide", written, every="1 day", count=3))
    assert [event.amount for event in one.arms[0].dose_events(one.patient)] == [0.02] * 3
    assert codes(one) == ["calcium_without_injected_pth"]


def test_doses_larger_than_sensible_are_noted():
    large = scenario(dose("teriparatide", "200 ug"), dose("teriparatide", "0.3 mg"), dose("zoledronate", "20 mg"))
    notes = [note for note in large.notes() if note.code == "dose_large"]
    assert [note.path for note in notes] == ["arms[0].doses[0].amount", "arms[0].doses[2].amount"]
    assert "0.2 mg of teriparatide" in notes[0].text_en
    assert "特立帕肽单次剂量为 0.2 mg" in notes[0].text_zh
    # Doses per kg of animals are larger than those of people.
    assert "dose_large" not in codes(scenario(dose("teriparatide", "200 ug"), species="sheep"))


# ---- published parameter sets ---------------------------------------------------------------------------------------


def test_sets_are_the_files_that_say_so():
    known = catalogue.parameter_sets()
    assert {"choi2025", "gibiansky2012"} <= set(known)
    for key, table in known.items():
        read = load_table(key)
        assert read["selectable"] is True
        assert (table.title_en, table.title_zh) == (read["title_en"], read["title_zh"])
        assert re.search("[一-鿿]", table.title_zh)
        assert table.keys == set(load(key))


@pytest.mark.parametrize("name", catalogue.parameter_sets())
def test_a_set_replaces_known_parameters_alone(name):
    """In the units of the default, for people and for animals."""
    default = layered(*SYSTEMIC_PARAMETERS)
    for key, record in load(name).items():
        assert record.unit == default[key].unit
        assert key != "denosumab.weight"
    plain, chosen = (parameters_for(scenario(parameters=names)) for names in ([], [name]))
    assert set(plain) == set(chosen)
    for key, record in chosen.items():
        if key in load(name):
            assert record.value == load(name)[key].value
            assert record.set == name
            assert record.note.startswith(f"{name}: {plain[key].value:g} -> ")
        else:
            assert record == plain[key]
    assert set(parameters_for(scenario(parameters=[name], species="mouse"))) == set(plain)


def test_the_patient_goes_over_the_paper():
    heavy = {"species": "human", "weight": "90 kg"}
    assert parameters_for(scenario(parameters=["choi2025"], patient=heavy))["denosumab.weight"].value == 90
    rat = parameters_for(scenario(parameters=["choi2025"], species="rat"))
    assert rat["denosumab.weight_exponent_cl"].value == 0.75
    assert rat["denosumab.r0"].value == 0


def test_sets_of_different_parts_go_together(monkeypatch):
    published = catalogue.Published
    made = {
        "drug": published("drug", "", "", frozenset({"denosumab.cl"})),
        "same_drug": published("same_drug", "", "", frozenset({"denosumab.vc"})),
        "low": published("low", "", "", frozenset({"turnover.a", "turnover.b"})),
        "high": published("high", "", "", frozenset({"turnover.b"})),
        "apart": published("apart", "", "", frozenset({"turnover.c"})),
    }
    monkeypatch.setattr(catalogue, "parameter_sets", lambda: made)
    check = Scenario._sets_are_apart
    assert check(("low", "drug", "apart")) == check(("apart", "low", "drug")) == ("apart", "drug", "low")
    for pair, why in ((("drug", "same_drug"), "the parameters of denosumab"), (("low", "high"), "turnover.b")):
        with pytest.raises(ValueError, match=f"{pair[1]} sets {why}, which {pair[0]} sets too"):
            check(pair)


def test_sets_in_the_written_form_and_the_hash():
    plain, chosen = scenario(), scenario(parameters=["choi2025"])
    assert plain.parameters == ()
    assert "parameters" not in plain.to_dict()
    assert plain.content_hash() == scenario(parameters=[]).content_hash() != chosen.content_hash()
    assert Scenario.parse(chosen.to_json()) == chosen
    validator = Draft202012Validator(json_schema())
    validator.validate(chosen.to_dict())
    assert not validator.is_valid({**chosen.to_dict(), "parameters": ["choi2052"]})
    offered = json_schema()["properties"]["parameters"]["items"]
    assert offered["enum"] == list(catalogue.parameter_sets())
    assert {"value", "title", "title-zh"} == set(offered["x-choices"][0])


def test_a_set_changes_the_course():
    one = dose("denosumab", "60 mg")
    peaks = [
        float(osteon.simulate(scenario(one, parameters=names, horizon="60 days")).data["denosumab_serum"].max())
        for names in ([], ["choi2025"], ["gibiansky2012"])
    ]
    assert len(set(peaks)) == 3
    assert peaks[1] < peaks[0]


def test_patients_of_a_cohort_have_their_own_sets():
    people = [scenario(parameters=names) for names in ([], ["choi2025"], ["gibiansky2012"], [])]
    (group,) = Cohort.of(people).block(0, 4).groups
    expected = [parameters_for(one)["denosumab.cl"].value for one in people]
    assert group.values["denosumab.cl"].tolist() == expected
    assert len(set(expected)) == 3
    for made in (Cohort.sample(people[1], 2, spread="none"), Cohort.from_table(people[1], {"age": [60, 61]})):
        (group,) = made.block(0, 2).groups
        assert group.values["denosumab.cl"] == expected[1]
        assert Cohort.from_dict(made.to_dict()) == made


def test_unknown_sets_are_refused_in_python_too():
    with pytest.raises(InputError, match=r"parameters\[0\]"):
        Scenario(osteon=1, title="t", patient={}, fracture=None, arms=[{"name": "a"}], horizon="1 yr", parameters=["x"])

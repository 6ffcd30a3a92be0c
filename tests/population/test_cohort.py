"""Cohorts: the same patients whatever the split, in and out of plain values, and clear refusals."""

import json
import tracemalloc

import numpy as np
import pytest
from scipy import stats

import osteon
from osteon.errors import InputError
from osteon.model.person import parameters_for
from osteon.parameters import load, load_table
from osteon.population import Block, Cohort, phases
from osteon.population.spread import ages, factor_at, factors, weights
from osteon.population.values import Kind, typical
from osteon.scenario import catalogue
from tests.population.test_values import scenario

DEMO = "metatarsal_on_denosumab"
FEMUR = {"bone": "femur", "fixation": "nail"}
DOSE = {"drug": "denosumab", "amount": "60 mg", "start": "30 days"}
PER_KG = {**DOSE, "amount": "1 mg/kg"}


@pytest.fixture
def demo() -> osteon.Scenario:
    return osteon.Scenario.preset(DEMO)


def assert_same(whole: Block, parts: list[Block]) -> None:
    """The patients of a block are those of its parts, to the last bit."""
    assert list(whole.patients) == list(parts[0].patients)
    for name, column in whole.patients.items():
        assert np.array_equal(column, np.concatenate([part.patients[name] for part in parts])), name
    where = {place: (group, i) for group in whole.groups for i, place in enumerate(group.index.tolist())}
    for part in parts:
        for group in part.groups:
            for i, place in enumerate(group.index.tolist()):
                ours, j = where[place + part.lo - whole.lo]
                for arm in group.arms:
                    assert group.phases_of(arm, i) == ours.phases_of(arm, j)


# ---- virtual patients ------------------------------------------------------------------------------------------------


def test_a_patient_is_the_same_in_any_block_and_any_cohort(demo: osteon.Scenario) -> None:
    cohort = Cohort.sample(demo, 40)
    parts = [Cohort.sample(demo, size).block(lo, hi) for size, lo, hi in ((40, 0, 7), (1000, 7, 8), (40, 8, 40))]
    assert_same(cohort.block(0, 40), parts)


def test_another_seed_gives_other_patients(demo: osteon.Scenario) -> None:
    one, other = (Cohort.sample(demo, 100, seed=seed).block(0, 100).patients for seed in (1, 2))
    assert not np.any(one["weight"] == other["weight"])
    assert Cohort.sample(demo, 5, seed=demo.seed) == Cohort.sample(demo, 5)


def test_spread_is_as_asked(demo: osteon.Scenario) -> None:
    """Medians of one, coefficients of variation as in the table, nothing correlated."""
    size = 20_000
    cohort = Cohort.sample(demo, size)
    found = cohort.block(0, size).patients
    shares = set(load_table("spread")["shares"])
    drawn = {name.removeprefix("x "): column for name, column in found.items() if name.startswith("x ")}
    # Synthesis of RANKL is common to all: its degradation follows its level and is no draw of its own.
    assert drawn.pop("denosumab.kdeg") == pytest.approx(1 / drawn["denosumab.r0"])
    assert set(drawn) == set(load("spread")) - {"patient.age", "patient.weight"}
    for key, column in drawn.items():
        cv = cohort.spread[key]
        assert np.median(column) == pytest.approx(1, abs=0.05), key
        if key not in shares:
            assert stats.kstest(np.log(column) / np.sqrt(np.log1p(cv**2)), "norm").pvalue > 1e-4, key
        else:
            assert column.std() / column.mean() == pytest.approx(cv, rel=0.1), key
    together = np.corrcoef([np.log(column) for column in drawn.values()] + [found["age"], found["weight"]])
    assert np.abs(together - np.eye(len(together))).max() < 5 / np.sqrt(size)
    assert found["age"].mean() == pytest.approx(demo.patient.age, rel=0.02)
    assert np.median(found["weight"]) == pytest.approx(demo.patient.weight, rel=0.02)
    assert np.mean(found["member"] == "J") == pytest.approx(0.5, abs=0.02)


def test_a_cohort_and_the_groups_of_a_calibration_spread_alike(demo: osteon.Scenario) -> None:
    """Both move a share on its log-odds in the same way, so that what was fitted holds in a cohort."""
    key, size = "callus.vessel_capacity", 20_000
    cohort = Cohort.sample(demo, size, members=["J"])
    drawn = np.asarray(cohort.block(0, size).groups[0].values[key])
    usual = typical(Kind.of(demo, "J"))[key]
    z = stats.norm.ppf((0.01, 0.05, 0.5, 0.95))
    expected = usual * factor_at(key, load("spread").value(key), z, usual)
    assert np.quantile(drawn, (0.01, 0.05, 0.5, 0.95)) == pytest.approx(expected, abs=0.01)
    assert expected[1] > 0.7


def test_people_differ_in_strain_as_was_fitted_to_non_unions() -> None:
    """By bone in people; animals keep the usual spread."""
    key, fitted = "mechanics.initial_stimulus", load("strain_spread")
    patient, arms = {"age": "30 yr", "sex": "male"}, [{"name": "a"}]
    for bone, name in (("scaphoid", "scaphoid"), ("femur", "usual")):
        cohort = Cohort.sample(scenario(patient, {"bone": bone, "fixation": "cast"}, arms), 2)
        sigma = np.sqrt(np.log1p(cohort.spread[key] ** 2))
        assert sigma == pytest.approx(fitted[f"strain_spread.{name}"].value)
    patient = {"species": "rat", "age": "0.5 yr", "sex": "male"}
    rat = Cohort.sample(scenario(patient, {"bone": "femur", "fixation": "intramedullary_pin"}, arms), 2)
    assert rat.spread[key] == load("spread").value(key)


@pytest.mark.parametrize("species", sorted(catalogue.species()))
def test_age_and_weight_stay_within_the_species(species: str) -> None:
    entry = catalogue.species()[species]
    for age, weight in ((entry.age.high, entry.weight.high), (entry.age.low, entry.weight.low)):
        patient = osteon.Patient(species=species, age=f"{age} yr", weight=f"{weight} kg")
        spread = {"patient.age": 2.0, "patient.weight": 2.0}
        for drawn, allowed in (
            (ages(1, 0, 3000, patient, spread), entry.age),
            (weights(1, 0, 3000, patient, spread), entry.weight),
        ):
            assert allowed.low <= drawn.min() <= drawn.max() <= allowed.high
            assert np.mean((drawn == allowed.low) | (drawn == allowed.high)) < 0.01 or age == 0


@pytest.mark.parametrize("cv", [0.05, 0.5, 2.0])
@pytest.mark.parametrize("share", [0.0, 0.14, 0.47, 0.92, 1.0])
def test_a_share_stays_a_share(cv: float, share: float) -> None:
    key = "markers.bsap_floor"
    value = share * factors(1, 0, 5000, {key: cv}, {key: share})[key]
    assert (value >= 0).all()
    assert (value < 1).all() or share == 1
    assert np.median(value) == pytest.approx(share, rel=0.1)


def test_no_spread_gives_equal_patients(demo: osteon.Scenario) -> None:
    cohort = Cohort.sample(demo, 5, members=["J"], spread="none")
    block = cohort.block(0, 5)
    assert not [name for name in block.patients if name.startswith("x ")]
    for arm in demo.arms:
        expected = phases(demo, arm, parameters_for(demo))
        for place in range(5):
            for phase, other in zip(block.groups[0].phases_of(arm.name, place), expected, strict=True):
                assert (phase.start, phase.system, phase.impulses) == (other.start, other.system, other.impulses)
                assert phase.parameters == pytest.approx(other.parameters, rel=1e-12)


def test_a_coefficient_replaces_that_of_its_key_alone(demo: osteon.Scenario) -> None:
    usual = Cohort.sample(demo, 50).block(0, 50).patients
    own = Cohort.sample(demo, 50, spread={"denosumab.cl": 0, "denosumab.ka": 1.2, "callus.expansion": 0.1})
    found = own.block(0, 50).patients
    assert "x denosumab.cl" not in found
    assert {"x callus.expansion"} == set(found) - set(usual)
    assert np.array_equal(found["x denosumab.vc"], usual["x denosumab.vc"])
    assert np.std(np.log(found["x denosumab.ka"])) > 1.5 * np.std(np.log(usual["x denosumab.ka"]))


def test_turnover_alone_has_no_callus_to_vary() -> None:
    alone = scenario({"weight": "66 kg"}, None, [{"name": "a", "doses": [PER_KG]}])
    cohort = Cohort.sample(alone, 20)
    assert cohort.members == ("J",)
    block = cohort.block(0, 20)
    assert not [name for name in block.patients if name.startswith("x callus")]
    (impulse,) = block.groups[0].arms["a"][1].impulses.values()
    values = block.groups[0].values
    np.testing.assert_allclose(impulse, block.patients["weight"] * values["denosumab.bioavailability"], rtol=1e-12)
    with pytest.raises(InputError, match="is not a parameter of these patients"):
        Cohort.sample(alone, 2, spread={"callus.factor_vessels": 0.1})


@pytest.mark.parametrize(
    ("more", "path", "says"),
    [
        ({"patients": 0}, "patients", "whole number"),
        ({"patients": 2.5}, "patients", "whole number"),
        ({"seed": -1}, "seed", "whole number"),
        ({"members": ()}, "members", "no ensemble member"),
        ({"members": ("J", "K")}, "members", "is not an ensemble member"),
        ({"spread": "all"}, "spread", "neither"),
        ({"spread": 0.3}, "spread", "not a mapping"),
        ({"spread": {"denosumab.cll": 0.3}}, 'spread["denosumab.cll"]', 'did you mean "denosumab.cl"?'),
        ({"spread": {"denosumab.cl": 2.1}}, 'spread["denosumab.cl"]', "from 0 to 2"),
        ({"spread": {"denosumab.cl": -0.1}}, 'spread["denosumab.cl"]', "from 0 to 2"),
        ({"spread": {"denosumab.cl": float("nan")}}, 'spread["denosumab.cl"]', "from 0 to 2"),
        ({"spread": {"denosumab.cl": "30 %"}}, 'spread["denosumab.cl"]', "from 0 to 2"),
        ({"spread": {"denosumab.weight": 0.1}}, 'spread["denosumab.weight"]', "is not a parameter"),
        ({"spread": {"constants.percent": 0.1}}, 'spread["constants.percent"]', "is not a parameter"),
    ],
    ids=str,
)
def test_a_sample_that_makes_no_sense_is_refused(demo: osteon.Scenario, more: dict, path: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        Cohort.sample(demo, **{"patients": 5, **more})
    assert caught.value.path == path
    assert says in str(caught.value)


def test_every_shipped_spread_is_of_a_parameter_and_says_why(demo: osteon.Scenario) -> None:
    known = {*parameters_for(demo), "patient.age", "patient.weight"}
    assert set(load("spread")) <= known
    assert set(load_table("spread")["shares"]) <= known
    for key, record in load("spread").items():
        assert 0 < record.value <= 2, key
        assert record.how in ("read", "assumed"), key
        assert len(record.source) > 20, key


def test_blocks_hold_little_memory(demo: osteon.Scenario) -> None:
    cohort = Cohort.sample(demo, 100_000)
    cohort.block(0, 512)
    tracemalloc.start()
    for lo in range(0, 10_240, 512):
        cohort.block(lo, lo + 512)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 5e6


@pytest.mark.parametrize(("lo", "hi"), [(-1, 3), (0, 0), (3, 2), (0, 6)])
def test_a_block_outside_the_cohort_is_refused(demo: osteon.Scenario, lo: int, hi: int) -> None:
    with pytest.raises(InputError, match="does not lie within 0 to 5"):
        Cohort.sample(demo, 5).block(lo, hi)


# ---- explicit patients -----------------------------------------------------------------------------------------------


def explicit() -> list[osteon.Scenario]:
    """Patients of three structures: a dose, a dose per kg on another day, imposed effects, and no dose."""
    treated = [[DOSE], [{**PER_KG, "start": "10.5 days"}], [], [{**DOSE, "start": "-50 days"}, DOSE], [DOSE]]
    people = []
    for i, doses in enumerate(treated):
        arms = [{"name": "a", "doses": doses}, {"name": "b", "impose": {"free_rankl": 0.1 + 0.1 * i}}]
        fracture = {**FEMUR, "gap": f"{1 + i} mm"}
        people.append(
            scenario({"weight": f"{60 + i} kg", "age": f"{30 + 10 * i} yr"}, fracture, arms, f"{100 + i} days")
        )
    return people


def test_explicit_patients_are_grouped_by_structure() -> None:
    people = explicit()
    cohort = Cohort.of(people, member="B")
    assert (cohort.size, cohort.arms, cohort.start_day, cohort.horizon) == (5, ("a", "b"), -50.0, 104.0)
    block = cohort.block(0, 5)
    assert [group.index.tolist() for group in block.groups] == [[0, 1, 4], [2], [3]]
    for group in block.groups:
        for i, place in enumerate(group.index.tolist()):
            one = people[place]
            assert np.broadcast_to(group.end, group.index.shape)[i] == one.horizon
            for arm in one.arms:
                expected = phases(one, arm, parameters_for(one, "B"))
                for phase, other in zip(group.phases_of(arm.name, i), expected, strict=True):
                    assert (phase.start, phase.system) == (other.start, other.system)
                    assert phase.impulses == pytest.approx(other.impulses, rel=1e-12)
                    assert phase.parameters == pytest.approx(other.parameters, rel=1e-12)
    assert block.patients["age"].tolist() == [30, 40, 50, 60, 70]
    assert set(block.patients["member"]) == {"B"}
    assert_same(block, [cohort.block(0, 2), cohort.block(2, 3), cohort.block(3, 5)])


def test_what_cannot_be_one_cohort_is_refused() -> None:
    first = scenario({}, FEMUR, [{"name": "a"}])
    others = {
        "scenarios[1].arms": scenario({}, FEMUR, [{"name": "b"}]),
        "scenarios[1].patient.species": scenario({"species": "sheep"}, FEMUR, [{"name": "a"}]),
        "scenarios[1].fracture": scenario({}, None, [{"name": "a"}]),
        "scenarios[1]": "a.yaml",
    }
    for path, other in others.items():
        with pytest.raises(InputError) as caught:
            Cohort.of([first, other])
        assert caught.value.path == path
    for nothing in ([], first, "a.yaml", {}):
        with pytest.raises(InputError) as caught:
            Cohort.of(nothing)
        assert caught.value.path == "scenarios"
    with pytest.raises(InputError, match="is not an ensemble member"):
        Cohort.of([first], member="X")


# ---- plain values ----------------------------------------------------------------------------------------------------


def cohorts() -> dict[str, Cohort]:
    demo = osteon.Scenario.preset(DEMO)
    table = {"age": [50, 61.5], "weight": ["60 kg", "81.3 kg"], "smoking": [True, False], "denosumab.cl": [0.05, 0.1]}
    return {
        "sample": Cohort.sample(
            demo, 7, seed=3, members=("B", "J"), spread={"denosumab.cl": 0, "callus.expansion": 0.1}
        ),
        "equal": Cohort.sample(demo, 7, spread="none"),
        "scenarios": Cohort.of(explicit(), member="B"),
        "table": Cohort.from_table(demo, table, member="B"),
        "members": Cohort.from_table(demo, {"member": ["J", "B", "J"]}),
    }


@pytest.mark.parametrize("name", cohorts())
def test_a_cohort_goes_through_json(name: str) -> None:
    cohort = cohorts()[name]
    again = Cohort.from_dict(json.loads(json.dumps(cohort.to_dict())))
    assert again == cohort
    assert hash(again) == hash(cohort)
    assert again.content_hash() == cohort.content_hash()
    assert_same(again.block(0, again.size), [cohort.block(0, cohort.size)])


def test_cohorts_that_differ_have_another_hash() -> None:
    assert len({cohort.content_hash() for cohort in cohorts().values()}) == len(cohorts())
    demo = osteon.Scenario.preset(DEMO)
    plain = Cohort.sample(demo, 7)
    changed = [Cohort.sample(demo, 8), Cohort.sample(demo, 7, seed=9), Cohort.sample(demo, 7, members="J")]
    assert plain not in [*changed, Cohort.sample(demo, 7, spread={"denosumab.cl": 0.1}), "sample"]


@pytest.mark.parametrize("change", [{"kind": "x"}, {"members": []}, {"spread": None}, {"scenario": {}}, {"size": -1}])
def test_what_is_no_cohort_is_refused(change: dict) -> None:
    with pytest.raises(InputError):
        Cohort.from_dict({**cohorts()["sample"].to_dict(), **change})
    with pytest.raises(InputError):
        Cohort.from_dict({})

"""Values and phases of many patients at once are those of each patient alone."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import osteon
from osteon.engine.one_by_one import pick
from osteon.model.person import parameters_for
from osteon.population import Cohort, course_times, phases, values
from osteon.scenario import catalogue
from tests.test_properties import doses, fractures, patients

QUICK = settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def scenario(patient: dict, fracture: dict | None, arms: list[dict], horizon: str = "365 days") -> osteon.Scenario:
    tree = {"osteon": 1, "title": "test", "patient": patient, "fracture": fracture, "arms": arms, "horizon": horizon}
    return osteon.Scenario.parse(tree)


@QUICK
@given(patients(), st.none() | fractures(), st.sampled_from(["J", "B"]))
def test_a_cohort_of_one_has_the_parameters_of_the_patient(patient: dict, fracture: dict | None, member: str) -> None:
    one = scenario(patient, fracture, [{"name": "a"}])
    expected = {key: record.value for key, record in parameters_for(one, member).items()}
    made = (
        Cohort.of([one], member=member),
        Cohort.sample(one, 1, members=(member,), spread="none"),
        Cohort.from_table(one, {"age": [one.patient.age]}, member=member),
    )
    for cohort in made:
        (group,) = cohort.block(0, 1).groups
        assert set(group.values) == set(expected)
        for key, value in expected.items():
            assert pick(group.values[key], 0) == pytest.approx(value, rel=1e-12, abs=0), key


@QUICK
@given(st.lists(st.tuples(patients(), fractures()), min_size=2, max_size=6))
def test_many_kinds_side_by_side(given_patients: list[tuple[dict, dict]]) -> None:
    people = [
        scenario(
            {**patient, "species": "human", "age": f"{20 + 15 * i} yr", "weight": "70 kg", "rankl": "native"},
            fracture,
            [{"name": "a"}],
        )
        for i, (patient, fracture) in enumerate(given_patients)
    ]
    (group,) = Cohort.of(people).block(0, len(people)).groups
    for place, one in enumerate(people):
        for key, record in parameters_for(one).items():
            assert pick(group.values[key], place) == pytest.approx(record.value, rel=1e-12, abs=0), key


def test_each_kind_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    values._base.cache_clear()
    called = []
    real = values.person_parameters
    monkeypatch.setattr(values, "person_parameters", lambda *kind: called.append(kind) or real(*kind))
    cohort = Cohort.sample(osteon.Scenario.preset("metatarsal_on_denosumab"), 2000)
    for lo in range(0, 2000, 500):
        cohort.block(lo, lo + 500)
    assert len(called) == 2


@QUICK
@given(patients(), st.none() | fractures(), st.lists(doses(), max_size=4), st.integers(0, 1000))
def test_phases_of_many_are_those_of_each(patient: dict, fracture: dict | None, records: list[dict], seed: int) -> None:
    """The same bits, doses per kg and doses that fall together among them."""
    one = scenario(patient, fracture, [{"name": "a", "doses": records}])
    low, high = (getattr(catalogue.species()[one.patient.species].weight, name) for name in ("low", "high"))
    weights = np.random.default_rng(seed).uniform(low, high, 3)
    planned = phases(one, one.arms[0], parameters_for(one), weights)
    for place, weight in enumerate(weights):
        alone = one.model_copy(update={"patient": one.patient.model_copy(update={"weight": float(weight)})})
        expected = phases(alone, alone.arms[0], parameters_for(one))
        assert len(planned) == len(expected)
        for phase, other in zip(planned, expected, strict=True):
            assert (phase.start, phase.system) == (other.start, other.system)
            assert {key: pick(value, place) for key, value in phase.impulses.items()} == other.impulses
            assert phase.parameters == other.parameters


def test_course_times() -> None:
    days = course_times(-20.0, 800.0, [10.25, 10.25])
    assert days[0] == -20
    assert days[-1] == 800
    assert (np.diff(days) > 0).all()
    assert {-14.0, -7.0, 0.0, 1.0, 730.0, 731.0, 738.0, 10.25, 10.75, 24.25} <= set(days.tolist())
    assert 732.0 not in days
    assert course_times(0.0, 1.0, []).tolist() == [0.0, 1.0]


def test_kidney_function_and_vitamin_d_of_each_patient() -> None:
    """Given, left out, or the same for all sampled patients: always those of the patient alone."""
    traits = [{"gfr": "30 mL/min"}, {"vitamin_d": "20 nmol/L"}, {"gfr": "30 mL/min", "vitamin_d": "20 nmol/L"}, {}]
    people = [scenario(trait, None, [{"name": "a"}]) for trait in traits]
    (group,) = Cohort.of(people).block(0, len(people)).groups
    usual = parameters_for(people[-1])
    for key, low, places in (("calcium.gfr", 30, (0, 2)), ("calcium.vitamin_d", 20, (1, 2))):
        for place, one in enumerate(people):
            assert pick(group.values[key], place) == parameters_for(one).value(key)
            assert pick(group.values[key], place) == (low if place in places else usual.value(key))
    sampled = Cohort.sample(people[2], 5).block(0, 5).groups[0].values
    assert np.broadcast_to(sampled["calcium.gfr"], 5).tolist() == [30] * 5

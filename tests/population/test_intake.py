"""Drugs whose daily mean is followed: what their doses add up to, at every moment and for every weight."""

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import osteon
from osteon.engine.one_by_one import pick
from osteon.model.person import parameters_for
from osteon.population import Cohort, phases
from osteon.population.plan import steps
from osteon.scenario import catalogue
from osteon.simulation import simulate
from tests.population.test_values import scenario

QUICK = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
TARGET = {
    "teriparatide": ("teriparatide.intake", "teriparatide.bioavailability"),
    "alendronate": ("alendronate.intake", "alendronate.bioavailability"),
}


def given_as(records: list[dict], horizon: str = "365 days", **patient: str) -> osteon.Scenario:
    return scenario(patient, None, [{"name": "a", "doses": records}], horizon)


def teriparatide(**more: object) -> dict:
    return {"drug": "teriparatide", "amount": "20 ug", "start": "0 days", **more}


def changes(one: osteon.Scenario, drug: str = "teriparatide") -> dict[float, float]:
    """Change of intake by day."""
    return {step.start: step.doses[TARGET[drug]] for step in steps(one, one.arms[0]) if TARGET[drug] in step.doses}


def test_a_regular_course_is_two_impulses() -> None:
    one = given_as([teriparatide(every="1 day", count=300)])
    assert changes(one) == {0.0: 0.02, 300.0: -0.02}
    assert [step.start for step in steps(one, one.arms[0])] == [0.0, 300.0]
    weekly = given_as([{"drug": "alendronate", "amount": "70 mg", "start": "10 days", "every": "1 week", "count": 40}])
    assert changes(weekly, "alendronate") == {10.0: 10.0, 290.0: -10.0}


def test_a_single_dose_is_spread_over_the_usual_interval() -> None:
    assert changes(given_as([teriparatide()])) == {0.0: 0.02, 1.0: -0.02}
    one = given_as([{"drug": "alendronate", "amount": "70 mg", "start": "3 days"}])
    assert changes(one, "alendronate") == {3.0: 10.0, 10.0: -10.0}


def test_a_missed_dose_is_a_gap() -> None:
    one = given_as([teriparatide(every="1 day", count=10), teriparatide(start="11 days", every="1 day", count=5)])
    assert changes(one) == {0.0: 0.02, 10.0: -0.02, 11.0: 0.02, 16.0: -0.02}


def test_equal_series_on_end_are_one() -> None:
    """Also where the ends are rounded differently, and where the same mean is given at another interval."""
    one = given_as([teriparatide(every="1 day", count=10), teriparatide(start="10 days", every="1 day", count=5)])
    assert changes(one) == {0.0: 0.02, 15.0: -0.02}
    assert len(steps(one, one.arms[0])) == 2
    tenth = given_as([teriparatide(start=f"{0.1 * n!r} days", every="0.1 days", count=1) for n in range(12)])
    assert len(changes(tenth)) == 2
    daily = {"drug": "alendronate", "amount": "10 mg", "start": "0 days", "every": "1 day", "count": 14}
    weekly = {"drug": "alendronate", "amount": "70 mg", "start": "14 days", "every": "7 days", "count": 2}
    assert changes(given_as([daily, weekly]), "alendronate") == {0.0: 10.0, 28.0: -10.0}


def test_series_that_overlap_add_up() -> None:
    one = given_as([teriparatide(every="1 day", count=20), teriparatide(start="5 days", every="1 day", count=5)])
    assert changes(one) == {0.0: 0.02, 5.0: 0.02, 10.0: -0.02, 20.0: -0.02}
    both = given_as([teriparatide(every="1 day", count=5), teriparatide(amount="40 ug", every="1 day", count=5)])
    assert changes(both) == {0.0: 0.06, 5.0: -0.06}


def test_a_course_may_be_cut_by_the_horizon() -> None:
    """Nothing is taken back on the last day or after it, and a dose on the last day does not double."""
    assert changes(given_as([teriparatide(every="1 day", count=31)], "30.5 days")) == {0.0: 0.02}
    assert changes(given_as([teriparatide(every="1 day", count=30)], "30 days")) == {0.0: 0.02}
    assert changes(given_as([teriparatide(every="1 day", count=31)], "30 days")) == {0.0: 0.02}
    on_end = [teriparatide(every="1 day", count=30), teriparatide(start="30 days", amount="30 ug")]
    assert changes(given_as(on_end, "30 days")) == {0.0: 0.02, 30.0: pytest.approx(0.01)}


def test_the_drug_begins_with_its_first_dose() -> None:
    """Even one of nothing."""
    one = given_as([teriparatide(start="5 days", amount="0 mg"), teriparatide(start="9 days")])
    assert [(step.start, step.structure[1]) for step in steps(one, one.arms[0])] == [
        (0.0, ()),
        (5.0, ("teriparatide",)),
        (9.0, ("teriparatide",)),
        (10.0, ("teriparatide",)),
    ]


def test_two_drugs_side_by_side() -> None:
    """A dose within a course makes a step in which the course does not appear."""
    denosumab = {"drug": "denosumab", "amount": "60 mg", "start": "7 days"}
    planned = steps(one := given_as([teriparatide(every="1 day", count=20), denosumab]), one.arms[0])
    assert [(step.start, len(step.doses)) for step in planned] == [(0.0, 1), (7.0, 1), (20.0, 1)]
    assert planned[1].doses == {("denosumab.depot", "denosumab.bioavailability"): 60.0}


@st.composite
def courses(draw: st.DrawFn) -> list[dict]:
    records = []
    for _ in range(draw(st.integers(1, 5))):
        drug = draw(st.sampled_from(sorted(TARGET)))
        one = {
            "drug": drug,
            "amount": draw(st.sampled_from(["0 mg", "20 ug", "0.013 mg", "0.3 ug/kg", "0.7 ug/kg", "0.1 mg"])),
            "start": f"{draw(st.sampled_from([-40, -7, 0, 3.3, 14, 60.7, 100]))} days",
        }
        if draw(st.booleans()):
            interval = draw(st.sampled_from([0.1, 1, 3.7, 7, 30.4375]))
            one |= {"every": f"{interval} days", "count": draw(st.integers(1, int(160 / interval)))}
        records.append(one)
    return records


def held(one: osteon.Scenario, drug: str, moment: float, weight: float) -> float:
    """Intake at a moment, dose by dose."""
    total = 0.0
    for dose in one.arms[0].doses:
        interval = dose.every or catalogue.drugs()[drug].averaged_over
        for time in dose.times() if dose.drug == drug else ():
            total += dose.amount.in_mg(weight) / interval * (time <= moment < time + interval)
    return total


@QUICK
@given(courses(), st.integers(0, 1000))
@example([teriparatide(amount=f"{n} ug", start=f"{n} days", every="3 days", count=9) for n in (1, 3, 7, 13)], 1)
def test_what_is_given_is_what_was_meant_and_ends_at_zero(records: list[dict], seed: int) -> None:
    """At moments away from any edge; sums of the changes are exact at the end, also of what arrives."""
    one = given_as(records)
    rng = np.random.default_rng(seed)
    weights = rng.uniform(40, 120, 3)
    values = {key: record.value for key, record in parameters_for(one).items()}
    many = phases(one, one.arms[0], values, weights)
    planned = steps(one, one.arms[0], weights)
    for drug in {record["drug"] for record in records}:
        state = TARGET[drug][0]
        for place, weight in enumerate(weights):
            amounts = [(step.start, pick(step.doses.get(TARGET[drug], 0.0), place)) for step in planned]
            for moment in rng.uniform(-50, 364, 10):
                intake = sum(amount for start, amount in amounts if start <= moment)
                assert intake == pytest.approx(held(one, drug, moment, weight), rel=1e-9, abs=1e-12)
            running, arrived = 0.0, 0.0
            for phase, (_, amount) in zip(many, amounts, strict=True):
                running += amount
                arrived += pick(phase.impulses.get(state, 0.0), place)
            assert (running, arrived) == (0.0, 0.0)


@QUICK
@given(courses(), st.integers(0, 1000))
def test_many_patients_are_each_patient(records: list[dict], seed: int) -> None:
    """The same bits and the same steps, whether a weight makes two doses equal or not."""
    one = given_as([*records, teriparatide(amount="60 ug"), teriparatide(amount="1 ug/kg", start="1 day")])
    weights = np.array([60.0, *np.random.default_rng(seed).uniform(40, 120, 2)])
    people = [
        one.model_copy(update={"patient": one.patient.model_copy(update={"weight": float(weight)})})
        for weight in weights
    ]
    planned = phases(one, one.arms[0], parameters_for(one), weights)
    (group,) = Cohort.of(people).block(0, len(people)).groups
    for place, alone in enumerate(people):
        expected = phases(alone, alone.arms[0], parameters_for(one))
        for made in (planned, group.arms["a"]):
            assert len(made) == len(expected)
            for phase, other in zip(made, expected, strict=True):
                assert (pick(phase.start, place), phase.system) == (other.start, other.system)
                assert {key: pick(value, place) for key, value in phase.impulses.items()} == other.impulses


def test_weight_does_not_change_the_steps() -> None:
    """At 60 kg the two doses are equal, yet the step between them stays."""
    records = [teriparatide(amount="60 ug"), teriparatide(amount="1 ug/kg", start="1 day")]
    for weight in ("60 kg", "70 kg"):
        assert list(changes(given_as(records, weight=weight))) == [0.0, 1.0, 2.0]


def test_the_course_follows_the_intake() -> None:
    """Serum is level while the dose is, and gone after the course; all that came in went out."""
    series = [
        teriparatide(every="1 day", count=30),
        teriparatide(amount="30 ug", start="30 days", every="1 day", count=9),
    ]
    data = simulate(given_as(series, "100 days")).data.isel(arm=0)
    serum, intake = data["teriparatide_serum"], data["teriparatide_intake"]
    share, flow = 0.95, float((intake / serum).sel(time=10))
    for day, amount in ((0, 0.02), (29, 0.02), (30, 0.03), (38, 0.03), (39, 0), (100, 0)):
        assert float(intake.sel(time=day)) == pytest.approx(share * amount, rel=1e-12, abs=1e-15)
        assert float(serum.sel(time=day)) == pytest.approx(share * amount / flow, rel=1e-12, abs=1e-12)
    taken = float(data["teriparatide_eliminated"].sel(time=100))
    assert taken == pytest.approx(share * (30 * 0.02 + 9 * 0.03), rel=1e-6)


def test_a_split_course_is_the_whole_course() -> None:
    """To the last bit, since no step falls between its parts."""
    whole = [teriparatide(every="1 day", count=40)]
    parts = [teriparatide(every="1 day", count=15), teriparatide(start="15 days", every="1 day", count=25)]
    courses = [simulate(given_as(records, "90 days")).data["P1NP"].values for records in (whole, parts)]
    assert np.array_equal(*courses)

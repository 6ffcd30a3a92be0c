"""Doses missed, late, taken in part and given up: what each patient gets, and what its twin gets."""

import json

import numpy as np
import pytest
from scipy import stats

from osteon.draws import uniform
from osteon.ensemble.run import simulate_cohort
from osteon.errors import InputError
from osteon.parameters import load
from osteon.population import Cohort, Intake
from osteon.population.plan import steps
from tests.population.test_cohort import assert_same
from tests.population.test_values import scenario

ROMO = {"drug": "romosozumab", "amount": "210 mg", "start": "0 days", "every": "1 month", "count": 12}
DENO = {"drug": "denosumab", "amount": "60 mg", "start": "-60 days", "every": "6 months", "count": 3}
TERI = {"drug": "teriparatide", "amount": "20 ug", "start": "10 days", "every": "1 day", "count": 200}
ALENDRONATE = {"drug": "alendronate", "amount": "70 mg", "start": "5 days", "every": "7 days", "count": 40}
MONTH = 365.25 / 12
SIZE = 4000


def cohort(
    *arms: list[dict], size: int = SIZE, fracture: dict | None = None, horizon: str = "420 days", **more
) -> Cohort:
    """Patients of a table who take what these arms plan."""
    named = [{"name": f"arm {number}", "doses": list(doses)} for number, doses in enumerate(arms)]
    one = scenario({"age": "66 yr", "weight": "70 kg"}, fracture, named, horizon)
    return Cohort.from_table(one, {"age": np.full(size, 66.0)}, **more)


def taken(made: Cohort, arm: int = 0, record: int = 0) -> np.ndarray:
    """Days of a dose record, shape (patients, count)."""
    (group,) = made.block(0, made.size).groups
    return group.given[f"arm {arm}"].doses[record][2]


def level(made: Cohort, day: float, state: str, patient: int) -> float:
    """What has been put into a state of a patient by a day."""
    (group,) = made.block(0, made.size).groups
    phases = group.phases_of("arm 0", patient)
    return sum(phase.impulses.get(state, 0.0) for phase in phases if phase.start <= day)


# ---- what is taken ---------------------------------------------------------------------------------------------------


def test_a_share_of_doses_is_missed_each_by_itself() -> None:
    days = taken(cohort([ROMO], intake=Intake(missed=0.2)))
    missed = np.isnan(days)
    assert days[~missed] == pytest.approx(np.broadcast_to(np.arange(12) * MONTH, days.shape)[~missed])
    for column in missed.T:
        assert stats.binomtest(int(column.sum()), SIZE, 0.2).pvalue > 1e-4
    assert np.abs(np.corrcoef(missed.T) - np.eye(12)).max() < 5 / np.sqrt(SIZE)


def test_what_is_missed_is_no_impulse() -> None:
    made = cohort([ROMO], size=40, intake=Intake(missed=0.5))
    (group,), days = made.block(0, 40).groups, taken(made)
    planned = Cohort.from_table(made.scenario, {"age": np.full(40, 66.0)}).block(0, 40).groups[0].arms["arm 0"]
    for number, (phase, usual) in enumerate(zip(group.arms["arm 0"], planned, strict=True)):
        ((state, amount),) = usual.impulses.items()
        assert np.array_equal(phase.impulses[state], np.where(np.isnan(days[:, number]), 0.0, amount))
    assert np.array_equal(made.block(0, 40).patients["doses_given arm 0"], (~np.isnan(days)).sum(axis=1))


def test_a_late_dose_is_late_by_an_exponential_time_and_never_passes_the_next() -> None:
    days = taken(cohort([ROMO], intake=Intake(late=10)))
    late = days - np.arange(12) * MONTH
    assert np.nanmin(late) > 0
    assert np.nanmax(late[:, :-1]) <= MONTH - 1
    assert MONTH < np.nanmax(late[:, -1]) < 420 - 11 * MONTH
    # Who would come later than a day before the next dose misses the one that is due.
    beyond = stats.expon.sf(MONTH - 1, scale=10)
    first = late[:, 0]
    assert stats.binomtest(int(np.isnan(first).sum()), SIZE, beyond).pvalue > 1e-4
    cut = stats.truncexpon(b=(MONTH - 1) / 10, scale=10)
    assert stats.kstest(first[~np.isnan(first)], cut.cdf).pvalue > 1e-4


def test_a_late_dose_stays_before_what_else_the_arm_plans() -> None:
    """Doses of two drugs a week apart are given in the order that is planned, and not missed for that."""
    other = {"drug": "zoledronate", "amount": "5 mg", "start": "7 days"}
    made = cohort([{**DENO, "start": "0 days", "count": 2}, other], intake=Intake(late=30))
    first = taken(made)[:, 0]
    assert not np.isnan(first).any() or stats.expon.sf(6 * MONTH - 1, scale=30) * SIZE > 1
    assert np.nanmax(first) == 6.0
    assert np.mean(first == 6.0) == pytest.approx(stats.expon.sf(6, scale=30), abs=0.05)
    (group,) = made.block(0, SIZE).groups
    starts = np.stack([np.broadcast_to(phase.start, (SIZE,)) for phase in group.arms["arm 0"]])
    assert (np.diff(starts, axis=0) >= 0).all()


def test_what_came_before_day_zero_was_given() -> None:
    days = taken(cohort([DENO], intake=Intake(missed=0.9, late=5, stops=2)))
    assert set(days[:, 0]) == {-60.0}
    assert np.isnan(days[:, 1]).mean() > 0.85


def test_who_stops_takes_no_later_dose() -> None:
    days = taken(cohort([ROMO], intake=Intake(stops=0.7)))
    given = ~np.isnan(days)
    assert given[:, 0].all()
    assert (np.diff(given.astype(int), axis=1) <= 0).all()
    expected = np.exp(-0.7 * 11 * MONTH / 365.25)
    assert stats.binomtest(int(given[:, -1].sum()), SIZE, expected).pvalue > 1e-4


def test_a_home_drug_is_taken_in_part() -> None:
    made = cohort([TERI], size=500, intake=Intake(taken=0.7))
    share = made.block(0, 500).patients["taken arm 0"]
    spread = load("intake").value("intake.concentration")
    law = stats.beta(0.7 * spread, 0.3 * spread)
    assert share == pytest.approx(law.ppf(uniform(made.seed, 0, 500, "intake teriparatide taken")), rel=1e-9)
    (group,) = made.block(0, 500).groups
    ((state, _),) = group.arms["arm 0"][1].impulses.items()
    plain = cohort([TERI], size=1)
    assert level(made, 100, state, 7) == pytest.approx(share[7] * level(plain, 100, state, 0), rel=1e-12)
    assert level(made, 400, state, 7) == 0.0


def test_who_stops_a_home_drug_has_none_from_that_day_on() -> None:
    made = cohort([TERI, ALENDRONATE], size=60, intake=Intake(taken=0.8, stops=3))
    (group,) = made.block(0, 60).groups
    stay = {drug: uniform(made.seed, 0, 60, f"intake {drug} stops") for drug in ("teriparatide", "alendronate")}
    for drug, begun, ends in (("teriparatide", 10, 210), ("alendronate", 5, 285)):
        stop = begun - 365.25 / 3 * np.log1p(-stay[drug])
        phases = [phase for phase in group.arms["arm 0"] if any(key.startswith(drug) for key in phase.impulses)]
        state = next(key for key in phases[0].impulses if key.startswith(drug))
        early = np.flatnonzero(stop < ends)
        assert 10 < len(early) < 60
        for patient in early[:12]:
            before, after = (level(made, stop[patient] + shift, state, patient) for shift in (-1e-6, 1e-6))
            assert before > 0
            assert after == 0.0
    share = made.block(0, 60).patients["taken arm 0"]
    assert share.min() < 0.2
    assert share.max() <= 1


# ---- twins, blocks and plain values ----------------------------------------------------------------------------------


def test_a_twin_misses_the_same_dose_and_an_arm_leaves_the_others_alone() -> None:
    intake = Intake(missed=0.3, late=6, taken=0.8, stops=0.5)
    slow = {**ROMO, "every": "2 months", "count": 6}
    first = cohort([ROMO], [TERI], size=200, intake=intake, spread=None)
    other = cohort([ROMO], [slow], [{**ROMO, "amount": "105 mg"}, TERI], size=200, intake=intake, spread=None)
    (mine,), (theirs,) = first.block(0, 200).groups, other.block(0, 200).groups
    for place in (0, 77, 199):
        assert mine.phases_of("arm 0", place) == theirs.phases_of("arm 0", place)
    half = Intake(missed=0.3, stops=0.0)
    one, two = (taken(cohort([doses], size=200, intake=half)) for doses in (ROMO, slow))
    assert np.array_equal(np.isnan(one[:, :6]), np.isnan(two))


def test_a_patient_takes_the_same_in_any_block() -> None:
    made = cohort([DENO, TERI], [ROMO], size=30, intake=Intake(0.3, 5, 0.8, 0.7), spread=None)
    assert_same(made.block(0, 30), [made.block(0, 7), made.block(7, 8), made.block(8, 30)])


def test_no_trouble_is_the_plain_cohort() -> None:
    plain, other = cohort([ROMO, TERI], size=3), cohort([ROMO, TERI], size=3, intake=Intake())
    assert other == plain
    assert other.content_hash() == plain.content_hash()
    assert "intake" not in other.to_dict()
    assert_same(other.block(0, 3), [plain.block(0, 3)])
    # Nobody misses so small a share, and then nothing else changes either.
    rarely = cohort([ROMO, TERI], size=3, intake=Intake(missed=1e-12))
    for place in range(3):
        ours, theirs = (made.block(0, 3).groups[0].phases_of("arm 0", place) for made in (rarely, plain))
        assert ours == theirs


def test_structures_are_those_of_the_plan() -> None:
    """Whatever is missed or late: no system is needed that the plain cohort does without."""
    made = cohort([DENO, TERI], size=20, fracture={"bone": "tibia", "fixation": "nail"}, intake=Intake(0.5, 9, 0.7, 2))
    (group,) = made.block(0, 20).groups
    planned = {step.structure for step in steps(made.scenario, made.scenario.arms[0])}
    assert {phase.system.name for phase in group.arms["arm 0"]} == {
        step.system.name for step in steps(made.scenario, made.scenario.arms[0])
    }
    assert len(planned) == 3


def test_an_intake_goes_through_json() -> None:
    made = cohort([ROMO], size=3, intake={"missed": 0.1, "late": 3})
    again = Cohort.from_dict(json.loads(json.dumps(made.to_dict())))
    assert again == made
    assert again.intake == Intake(missed=0.1, late=3)
    assert again.content_hash() != cohort([ROMO], size=3).content_hash()


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"missed": -0.1}, "intake.missed"),
        ({"missed": "some"}, "intake.missed"),
        ({"missed": True}, "intake.missed"),
        ({"late": float("nan")}, "intake.late"),
        ({"taken": 0.0}, "intake.taken"),
        ({"stops": 13}, "intake.stops"),
        ({"miss": 0.1}, "intake"),
        (0.1, "intake"),
    ],
    ids=str,
)
def test_an_intake_that_makes_no_sense_is_refused(given: object, path: str) -> None:
    with pytest.raises(InputError) as caught:
        cohort([ROMO], size=2, intake=given)  # pyright: ignore[reportArgumentType]
    assert caught.value.path == path


# ---- endpoints -------------------------------------------------------------------------------------------------------


def test_endpoints_use_the_doses_that_were_given() -> None:
    """Days of the rebound count from the last dose that a patient had, and who had none has no rebound."""
    doses = [{**DENO, "start": "0 days", "count": 2}]
    made = cohort(doses, size=40, horizon="500 days", intake=Intake(missed=0.5, late=8))
    days = taken(made)
    wanted = {}
    for place in range(40):
        wanted.setdefault(tuple((~np.isnan(days[place])).tolist()), place)
    places = sorted(wanted.values())
    assert len(places) == 4
    few = Cohort.from_table(made.scenario, {"age": np.full(max(places) + 1, 66.0)}, intake=made.intake)
    from osteon.ensemble.chunk import Settings, compute

    settings = Settings(series=("CTX",), every=7.0, backend="python")
    found = {place: compute(few, place, place + 1, settings) for place in places}
    for (first, second), place in wanted.items():
        (nadir,) = found[place].table["serum_calcium_nadir_day"]
        (start,) = found[place].table["rebound_start"]
        ctx = found[place].series["CTX"][0, 0]
        assert np.isnan(nadir) == (not (first or second))
        if not first and not second:
            assert np.isnan(start)
            assert np.abs(ctx).max() < 5
        else:
            last = days[place, 1] if second else days[place, 0]
            week = np.union1d(np.arange(0, 500, 7.0), [500.0])
            crossed = week[(ctx > 0) & (week > last + 60)][0]
            assert start == pytest.approx(crossed - last, abs=7.5)


def test_a_cohort_that_misses_doses_is_simulated() -> None:
    fracture = {"bone": "femoral_neck", "fixation": "nail"}
    drugs = [{**DENO, "count": 1}, {**DENO, "start": "9 days", "count": 1}, {**ALENDRONATE, "count": 7}]
    intake = Intake(0.4, 6, 0.7, 3)
    made = cohort(drugs, [], size=2, fracture=fracture, horizon="60 days", intake=intake, spread=None)
    result = simulate_cohort(made, backend="python", series=["CTX"], every=20)
    assert not result.endpoints()["failure"].any()
    patients = result.patients()
    assert {"doses_given arm 0", "taken arm 0"} <= set(patients.columns)
    assert "doses_given arm 1" not in patients.columns
    # What is missed in one arm changes no bit of another.
    plain = cohort(drugs, [], size=2, fracture=fracture, horizon="60 days", spread=None)
    alone = simulate_cohort(plain, backend="python", series=["CTX"], every=20)
    assert np.array_equal(result["CTX"].sel(arm="arm 1"), alone["CTX"].sel(arm="arm 1"))
    assert not np.array_equal(result["CTX"].sel(arm="arm 0"), alone["CTX"].sel(arm="arm 0"))

"""Who is enrolled: keyed draws, distributions, rules, weighting, allocation, accrual, dropout and death."""

import time
from typing import Any

import numpy as np
import pytest
from scipy import stats

from osteon.errors import InputError
from osteon.trial.lifetable import life_table
from osteon.trial.people import People, enrol
from osteon.trial.study import Study
from osteon.trial.study_library import presets

BASE: dict[str, Any] = {
    "osteon_study": 1,
    "title": "People",
    "seed": 5,
    "patients": 2000,
    "patient": {"age": "60 yr", "weight": "70 kg"},
    "fracture": {"bone": "tibia", "fixation": "nail"},
    "horizon": "24 months",
    "arms": [{"name": "control"}, {"name": "treated", "allocation": 2, "impose": {"pth": 0.5}}],
    "follow_up": "18 months",
    "visits": "trial",
    "endpoints": {"primary": {"name": "union", "kind": "union"}},
    "analysis": {"method": "log_rank"},
}
AGE = {"kind": "normal", "mean": "60 yr", "sd": "12 yr", "low": "30 yr", "high": "85 yr"}
COVARIATES = {
    "age": AGE,
    "weight": {"kind": "lognormal", "mean": "70 kg", "sd": "12 kg"},
    "sex": {"kind": "choice", "shares": {"female": 0.6, "male": 0.4}},
    "diabetes": {"kind": "choice", "shares": {"none": 0.8, "type1": 0.05, "type2": 0.15}},
    "smoking": {"kind": "share", "share": 0.3},
    "gfr": {"kind": "uniform", "low": "30 mL/min", "high": "110 mL/min"},
}
ARRAYS = ("candidate", "allocated", "enrolled_day", "dropout_day", "death_day", "end_day", "last_day")


def study(population: dict[str, Any] | None = None, **more: Any) -> Study:
    return Study.parse({**BASE, "population": population or {}, **more})


def same(first: People, second: People, n: int) -> bool:
    columns = all((value[:n] == second.table[name][:n]).all() for name, value in first.table.items())
    return columns and all((getattr(first, name)[:n] == getattr(second, name)[:n]).all() for name in ARRAYS)


def test_a_person_does_not_change_when_more_are_enrolled() -> None:
    asked = study(
        {
            "covariates": COVARIATES,
            "correlation": [{"traits": ["age", "gfr"], "rho": -0.5}],
            "rules": [{"trait": "age", "at_least": "45 yr"}],
            "target": {"age": {"mean": "66 yr"}, "smoking": 0.4},
        },
        accrual={"rate": "12 /month"},
        dropout="20 %/yr",
        death={"life_table": "us_2017", "excess": 2},
    )
    few, many = enrol(asked, 37), enrol(asked, 5000)
    assert same(few, many, 37)
    assert len(few) == 37
    assert same(enrol(asked, 37), few, 37)
    assert not same(enrol(Study.parse({**asked.to_dict(), "seed": 6}), 37), few, 37)


def test_an_arm_changes_nobody() -> None:
    asked = study({"covariates": COVARIATES}, dropout="20 %/yr")
    arms = [{"name": "control"}, {"name": "treated", "allocation": 2}]
    assert same(enrol(asked), enrol(Study.parse({**asked.to_dict(), "arms": arms})), 2000)


def test_another_trait_leaves_the_others_alone() -> None:
    without = {name: COVARIATES[name] for name in ("age", "sex")}
    first = enrol(study({"covariates": without})).table
    more = enrol(study({"covariates": COVARIATES})).table
    assert (first["age"] == more["age"]).all()
    assert (first["sex"] == more["sex"]).all()
    assert not (first["weight"] == more["weight"]).all()
    assert set(more) - set(first) == {"gfr"}


def test_distributions_are_as_written() -> None:
    people = enrol(study({"covariates": COVARIATES}), 20_000).table
    low, high = (30 - 60) / 12, (85 - 60) / 12
    assert stats.kstest(people["age"], stats.truncnorm(low, high, 60, 12).cdf).pvalue > 0.001
    assert stats.kstest(people["gfr"], stats.uniform(30, 80).cdf).pvalue > 0.001
    assert people["weight"].mean() == pytest.approx(70, abs=4 * 12 / np.sqrt(20_000))
    assert people["weight"].std() == pytest.approx(12, rel=0.05)
    for name, value, share in [("sex", "male", 0.4), ("diabetes", "type1", 0.05), ("diabetes", "type2", 0.15)]:
        found = int((people[name] == value).sum())
        assert stats.binomtest(found, 20_000, share).pvalue > 0.001, (name, value)
    assert stats.binomtest(int(people["smoking"].sum()), 20_000, 0.3).pvalue > 0.001
    assert (people["obesity"] == False).all()  # noqa: E712
    assert set(people["member"]) == {"J", "B"}


def test_traits_go_together_as_asked() -> None:
    pairs = [
        {"traits": ["age", "gfr"], "rho": -0.6},
        {"traits": ["weight", "sex"], "rho": 0.5},
        {"traits": ["age", "smoking"], "rho": -0.4},
    ]
    people = enrol(study({"covariates": COVARIATES, "correlation": pairs}), 20_000).table
    # Of a Gaussian copula the rank correlation is known from that of the normal numbers.
    expected = 6 / np.pi * np.arcsin(-0.6 / 2)
    assert stats.spearmanr(people["age"], people["gfr"]).statistic == pytest.approx(expected, abs=0.02)
    assert people["weight"][people["sex"] == "male"].mean() > people["weight"][people["sex"] == "female"].mean() + 5
    assert people["age"][people["smoking"]].mean() < people["age"][~people["smoking"]].mean() - 5
    assert abs(stats.spearmanr(people["age"], people["weight"]).statistic) < 0.03


def test_rules_let_in_and_count_by_the_first_that_failed() -> None:
    rules = [
        {"trait": "age", "at_least": "50 yr"},
        {"trait": "diabetes", "not": "type1"},
        {"trait": "smoking", "is": False},
        {"trait": "age", "at_most": "80 yr"},
    ]
    people = enrol(study({"covariates": COVARIATES, "rules": rules}), 5000)
    assert people.table["age"].min() >= 50
    assert people.table["age"].max() <= 80
    assert "type1" not in people.table["diabetes"]
    assert not people.table["smoking"].any()
    assert list(people.screened) == ["age < 50 yr", "diabetes = type1", "smoking ≠ false", "age > 80 yr"]
    # Candidates are looked at one by one up to the last who was enrolled.
    assert people.candidate[-1] + 1 == 5000 + sum(people.screened.values())
    looked = people.candidate[-1] + 1
    young = stats.truncnorm(-2.5, 25 / 12, 60, 12).cdf(50)
    assert stats.binomtest(people.screened["age < 50 yr"], looked, young).pvalue > 0.001
    fewer = enrol(study({"covariates": COVARIATES, "rules": rules}), 50)
    assert fewer.candidate[-1] + 1 == 50 + sum(fewer.screened.values())


def test_rules_that_let_in_nobody_are_refused() -> None:
    rules = [{"trait": "gfr", "at_least": "35 mL/min"}, {"trait": "age", "at_least": "90 yr"}]
    asked = study({"covariates": COVARIATES, "rules": rules})
    with pytest.raises(InputError, match=r"most are kept out by rules\[1\], age < 90 yr") as caught:
        enrol(asked)
    assert caught.value.path == "population.rules"


def test_people_are_weighted_to_a_table() -> None:
    target = {"age": {"mean": "66 yr", "sd": "9 yr"}, "sex": {"male": 0.55}, "smoking": 0.45}
    target |= {"diabetes": {"none": 0.7, "type1": 0.1, "type2": 0.2}}
    asked = study({"covariates": COVARIATES, "target": target, "rules": [{"trait": "gfr", "at_least": "40 mL/min"}]})
    people = enrol(asked, 40_000).table
    # Within four standard errors of the people and of the pool that the weights are found on.
    error = 4 * np.sqrt(1 / 40_000 + 1 / 20_000)
    assert people["age"].mean() == pytest.approx(66, abs=9 * error)
    assert people["age"].std() == pytest.approx(9, abs=9 * error)
    assert (people["sex"] == "male").mean() == pytest.approx(0.55, abs=0.5 * error)
    assert people["smoking"].mean() == pytest.approx(0.45, abs=0.5 * error)
    assert (people["diabetes"] == "type1").mean() == pytest.approx(0.1, abs=0.3 * error)
    assert people["gfr"].min() >= 40
    free = enrol(study({"covariates": COVARIATES}), 40_000).table
    assert abs(free["age"].mean() - 66) > 5
    assert people["weight"].mean() == pytest.approx(free["weight"].mean(), abs=12 * error)


@pytest.mark.parametrize(
    ("target", "path", "part"),
    [
        ({"age": {"mean": "95 yr"}}, "population.target.age.mean", "it lies between"),
        ({"age": {"mean": "84.9 yr"}}, "population.target.age.mean", ""),
        ({"age": {"mean": "60 yr", "sd": "40 yr"}}, "population.target.age.sd", ""),
        ({"age": {"mean": "75 yr", "sd": "20 yr"}}, "population.target.age", "cannot be reached"),
    ],
)
def test_a_target_out_of_reach_is_refused_in_words(target: dict[str, Any], path: str, part: str) -> None:
    with pytest.raises(InputError, match="cannot be reached by weighting") as caught:
        enrol(study({"covariates": COVARIATES, "target": target}))
    assert caught.value.path.startswith(path)
    assert part in str(caught.value)


def test_blocks_keep_the_ratio() -> None:
    allocated = enrol(study(), 600).allocated.reshape(-1, 6)
    assert (np.sort(allocated, axis=1) == [0, 0, 1, 1, 1, 1]).all()
    assert len({tuple(block) for block in allocated.tolist()}) > 10


def test_people_come_at_the_pace_asked_for() -> None:
    asked = study(accrual={"rate": "12 /month"})
    days = enrol(asked, 4000).enrolled_day
    assert days[0] == 0
    assert (np.diff(days) > 0).all()
    gaps = np.diff(days) * 12 / (365.25 / 12)
    assert stats.kstest(gaps, stats.expon.cdf).pvalue > 0.001
    over = enrol(study(accrual={"over": "2 yr"})).enrolled_day
    assert over[-1] == pytest.approx(2 * 365.25, rel=4 / np.sqrt(2000))
    assert (enrol(study(), 10).enrolled_day == 0).all()


def test_a_study_that_closes_follows_the_last_for_less() -> None:
    asked = study(accrual={"over": "1 yr", "close": "2 yr"})
    people = enrol(asked)
    expected = np.clip(730.5 - people.enrolled_day, 0, asked.follow_up)
    assert (people.end_day == expected).all()
    assert people.end_day[0] == asked.follow_up
    assert people.end_day[-1] < asked.follow_up
    assert (enrol(study(), 10).end_day == asked.follow_up).all()


def test_people_leave_at_the_rate_asked_for() -> None:
    people = enrol(study(dropout="30 %/yr"), 8000)
    assert stats.kstest(people.dropout_day / 365.25 * 0.3, stats.expon.cdf).pvalue > 0.001
    assert np.isinf(enrol(study(), 10).dropout_day).all()
    assert np.isinf(enrol(study(), 10).death_day).all()
    assert (people.last_day == np.minimum(people.dropout_day, people.end_day)).all()


def test_people_die_by_the_rate_or_by_the_table() -> None:
    people = enrol(study(death={"rate": "5 %/yr"}), 8000)
    assert stats.kstest(people.death_day / 365.25 * 0.05, stats.expon.cdf).pvalue > 0.001
    population = {"covariates": {"sex": COVARIATES["sex"], "age": {"kind": "uniform", "low": "70 yr", "high": "90 yr"}}}
    for plan in ({"excess": 1}, {"excess": 2, "early": "3 months", "early_excess": 6}):
        people = enrol(study(population, death={"life_table": "us_2017", **plan}), 8000)
        table, female = life_table("us_2017"), people.table["sex"] == "female"
        # Through the hazard of the table, the early part of it weighed by its own excess, everybody is exponential.
        early, years = (0.25 if "early" in plan else 0.0), people.death_day / 365.25
        spent = [
            (plan.get("early_excess", 1) - plan["excess"]) * table.through(one, sex, min(when, early))[0]
            + plan["excess"] * table.through(one, sex, when)[0]
            for one, sex, when in zip(people.table["age"][:1500, None], female[:1500, None], years, strict=False)
        ]
        assert stats.kstest(spent, stats.expon.cdf).pvalue > 0.001
    assert (people.death_day < 91).mean() > 2.0 * ((people.death_day > 182) & (people.death_day < 273)).mean()


@pytest.mark.parametrize(
    ("sex", "age", "death"),
    # Ages between those of the file, from the same life table.
    [
        ("female", 67, 0.011660),
        ("female", 83, 0.059810),
        ("male", 52, 0.005971),
        ("male", 78, 0.047826),
        ("male", 92, 0.201679),
    ],
)
def test_the_life_table_holds_between_its_ages(sex: str, age: int, death: float) -> None:
    found = 1 - np.exp(-life_table("us_2017").through(np.array([float(age)]), np.array([sex == "female"]), 1.0)[0])
    assert found == pytest.approx(death, rel=0.04)


def test_the_life_table_goes_on_past_its_last_age() -> None:
    table = life_table("us_2017")
    hazard = table.hazard(np.array([60.0, 80.0, 100.0, 110.0]), "female")
    assert (np.diff(hazard) > 0).all()
    assert table.years(np.array([80.0]), np.array([True]), np.array([1e9]))[0] == np.inf


@pytest.mark.parametrize("name", [preset.name for preset in presets()])
def test_the_people_of_a_shipped_study_make_a_cohort(name: str) -> None:
    from osteon.population import Cohort

    asked = Study.preset(name)
    people = enrol(asked, 24)
    cohort = Cohort.from_table(asked.scenario(), people.table)
    assert cohort.size == 24
    assert len(np.bincount(people.allocated)) == len(asked.arms)
    assert people.screened.keys() == {rule.reason for rule in asked.population.rules}


def test_a_hundred_thousand_in_seconds() -> None:
    asked = Study.preset("hip_fixation_trial")
    start = time.process_time()
    people = enrol(asked, 100_000)
    assert time.process_time() - start < 5.0
    assert len(people) == 100_000


@pytest.mark.parametrize("patients", [0, -1, 2.0, True, "ten"])
def test_how_many_is_a_whole_number(patients: Any) -> None:
    with pytest.raises(InputError, match="is not a whole number"):
        enrol(study(), patients)


def test_rules_and_target_together_must_let_somebody_in() -> None:
    """Each alone lets enough people in; both would be screened for without an end."""
    young = {"kind": "normal", "mean": "45 yr", "sd": "12 yr", "low": "20 yr", "high": "90 yr"}
    asked = {
        "covariates": {"age": young, "smoking": {"kind": "share", "share": 0.02}},
        "rules": [{"trait": "age", "at_least": "75 yr"}],
        "target": {"smoking": 0.5},
    }
    assert len(enrol(study({**asked, "rules": []}), 20)) == 20
    assert len(enrol(study({**asked, "target": None}), 20)) == 20
    with pytest.raises(InputError, match=r"^population\.target: .*fewer than one in 2000") as caught:
        enrol(study(asked), 20)
    assert "rules" in (caught.value.hint or "")


def test_a_flag_of_a_rule_is_read_as_elsewhere() -> None:
    covariates = {"smoking": {"kind": "share", "share": 0.3}}
    written = study({"covariates": covariates, "rules": [{"trait": "smoking", "is": "Yes"}]})
    meant = study({"covariates": covariates, "rules": [{"trait": "smoking", "is": True}]})
    assert written.content_hash() == meant.content_hash()
    assert enrol(written, 30).table["smoking"].all()

"""A calculation of power step by step, and people of a study seen under several designs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from osteon.errors import InputError
from osteon.trial.observed import Observed
from osteon.trial.people import People
from osteon.trial.power import Effect, Plan, PowerRun, plain
from osteon.trial.power_design import LognormalPopulation, every, read_schedule
from osteon.trial.power_forms import closed_form_power
from osteon.trial.power_lognormal import lognormal
from osteon.trial.power_model import ModelPopulation
from osteon.trial.power_trials import Outcomes
from osteon.trial.study import Study

STUDY = {
    "osteon_study": 1,
    "title": "A small one",
    "patients": 40,
    "fracture": {"bone": "tibia", "fixation": "nail", "gap": "1 mm"},
    "horizon": "12 months",
    "follow_up": "12 months",
    "arms": [
        {"name": "placebo"},
        {"name": "denosumab", "doses": [{"drug": "denosumab", "amount": "60 mg", "start": "7 days"}]},
    ],
    "accrual": {"rate": "10 /month"},
    "visits": {"days": ["6 weeks", "12 weeks", "26 weeks"], "window": "7 days", "missed": 0.05},
    "endpoints": {
        "primary": {"name": "union", "kind": "union", "rule": "cortices"},
        "secondary": [{"name": "loading", "kind": "time", "endpoint": "full_loading"}],
    },
    "analysis": {"method": "interval"},
}


class Kept:
    """A source that gives the same people whatever is asked."""

    def __init__(self, outcomes: Outcomes, designs: tuple[str, ...] = ()) -> None:
        self.outcomes, self.designs = outcomes, designs

    def base(self) -> Outcomes:
        return self.outcomes

    def variations(self) -> tuple[str, ...]:
        return self.designs

    def varied(self, key: str) -> Outcomes:
        return self.outcomes

    def about(self) -> dict[str, Any]:
        return {"kind": "model", "failed": 0}


@pytest.mark.parametrize(
    ("text", "kind", "ratio"), [("from-model", "from-model", 1), ("ratio=0.8", "ratio", 0.8), ("null", "null", 1)]
)
def test_effects_are_read(text: str, kind: str, ratio: float) -> None:
    assert Effect.parse(text) == Effect(kind, ratio)
    assert str(Effect.parse(text)) == text


@pytest.mark.parametrize("text", ["", "ratio", "ratio=", "ratio=x", "ratio=0", "ratio=nan", "null=1", "model"])
def test_what_is_no_effect_is_refused(text: str) -> None:
    with pytest.raises(InputError) as error:
        Effect.parse(text)
    assert error.value.path == "--effect"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"sizes": ()}, "--n"),
        ({"sizes": (1,)}, "--n"),
        ({"trials": 0}, "--trials"),
        ({"seed": -1}, "--seed"),
        ({"looks": 9}, "--looks"),
        ({"planned": 11}, "--planned"),
        ({"method": "log rank"}, "analysis.method"),
    ],
)
def test_plans_that_cannot_be_done_are_refused(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(InputError) as error:
        Plan(**{"effect": Effect("null"), "sizes": (10,), "trials": 10, **changes})
    assert error.value.path == path


def test_a_whole_calculation_has_every_part_and_can_be_written() -> None:
    effect = Effect("ratio", 0.8)
    run = PowerRun(Plan(effect, (60, 30, 30), 60, 1, "log_time"), LognormalPopulation(0.45, effect, seed=1), "A title")
    told: list[tuple[str, int, int]] = []
    found = plain(run.run(lambda *step: told.append(step)))
    assert found["sizes"] == [30, 60]
    assert not found["partial"]
    assert [one["key"] for one in found["variations"]] == [
        *("ranks", "weekly", "six_weeks", "twelve_weeks", "missed_visits", "dropout")
    ]
    power = {one["key"]: one["rows"][1]["share"] for one in found["variations"]}
    assert found["power"][1]["share"] > power["six_weeks"] > power["twelve_weeks"]
    assert found["power"][1]["closed_form"] == pytest.approx(closed_form_power(60, 0.8, 0.45), abs=1e-3)
    assert found["needed"] == {"80": 64.0, "90": 86.0}
    assert found["walk"]["n"] == 60
    assert all(len(one["rows"]) == len(one["null"]) == 2 for one in found["looks"].values())
    done = [one[1] for one in told]
    assert done == sorted(done)
    assert done[-1] == told[-1][2]


def test_assurance_is_the_mean_of_power_over_draws() -> None:
    strong, none = lognormal(0.45, 0.5, people=1000), lognormal(0.45, 1.0, people=1000)
    both = [
        np.concatenate(pair, axis=1)
        for pair in zip(*((o.value, o.event, o.exact) for o in (strong, none)), strict=True)
    ]
    people = Outcomes(*both, np.repeat([7, 31], 1000))
    run = PowerRun(Plan(Effect("from-model"), (60,), 400, 1, "log_time", looks=1), Kept(people))
    (row,) = run.run()["assurance"]
    assert row["draws"] == 2
    # One draw nearly always succeeds, the other in one of twenty.
    assert row["share"] == pytest.approx((1 + 0.05) / 2, abs=0.05)
    assert row["draw_low"] < 0.2 < 0.9 < row["draw_high"]
    assert "looks" not in run.found


def test_without_shared_draws_there_is_no_assurance() -> None:
    run = PowerRun(Plan(Effect("from-model"), (20,), 20, looks=1), Kept(lognormal(0.45, 0.8, people=100)))
    assert "assurance" not in run.run()


def test_an_interrupted_calculation_keeps_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("osteon.trial.power.run_looks", stop)
    run = PowerRun(Plan(Effect("ratio", 0.8), (20,), 20), LognormalPopulation(0.45, Effect("ratio", 0.8)))
    with pytest.raises(KeyboardInterrupt):
        run.run()
    assert run.found["done"] == ["power", "null"]
    assert run.found["partial"]
    assert run.found["power"][0]["trials"] == 20


@pytest.mark.parametrize("name", ["log_time", "interval", "difference"])
def test_a_population_in_which_nothing_happens_is_told_in_words(name: str) -> None:
    nobody = Outcomes(np.full((2, 30), 364.0), np.zeros((2, 30), bool), np.full((2, 30), np.nan), np.full(30, -1))
    run = PowerRun(Plan(Effect("from-model"), (10, 20), 20, 1, name, planned=1), Kept(nobody, ("weekly",)))
    found = plain(run.run())
    assert [(row["share"], row["undecided"], row["closed_form"]) for row in found["power"]] == [(0.0, 20, None)] * 2
    assert found["population"]["time_ratio"] is None
    if name != "difference":
        assert "no" in next(iter(found["planned"]["rows"][0]["reasons"]))
    from osteon.report.locale import load
    from osteon.report.power import basis, tables, walk_said

    for lang in ("en", "zh"):
        words = load(lang)
        assert len(tables(words, found)) == 4
        assert any("20" in one and "n = 10" in one for one in basis(words, found))
        assert walk_said(words, found)[-1] == words("power.walk_open")


# ---- designs ---------------------------------------------------------------------------------------------------


def test_schedules_are_read_and_windows_fit() -> None:
    assert read_schedule("exact") is None
    assert read_schedule("trial").days[0] == 42
    assert read_schedule("6 weeks, 90 days").days == (42, 90)
    weekly = every(7, 52 * 7)
    assert len(weekly.days) == 51
    assert weekly.windows[0] < 3.5
    for text in ("yearly", "6 weeks, 2 weeks", "6 stones"):
        with pytest.raises(InputError) as error:
            read_schedule(text)
        assert error.value.path == "--visits"


def test_lognormal_times_refuse_the_effect_of_a_model() -> None:
    with pytest.raises(InputError) as error:
        LognormalPopulation(0.45, Effect("from-model"))
    assert error.value.path == "--effect"
    with pytest.raises(InputError, match="from 0"):
        LognormalPopulation(5.0, Effect("null"))


class FakeResult:
    """What a simulated cohort says of failures and draws."""

    def __init__(self, people: People) -> None:
        self.size = len(people)

    def failures(self) -> pd.DataFrame:
        return pd.DataFrame({"patient": [3], "arm": ["denosumab"], "failure": ["stuck"]})

    def patients(self) -> pd.DataFrame:
        return pd.DataFrame({"patient": np.arange(self.size), "draw": np.arange(self.size) % 4 * 10})


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Study, Path | None]]:
    """Studies that were simulated; what is observed of them is made up."""
    asked: list[tuple[Study, Path | None]] = []

    def observe(study: Study, people: People, result: FakeResult) -> Observed:
        size, days = len(people), study.visits.planned().days
        exact = 100 * np.exp(0.4 * np.linspace(-1, 1, size))
        parts = []
        for place, arm in enumerate(study.arms):
            ratio = 1.0 if place == 0 else (study.effect or (0.7 if arm.doses else 1.0))
            own = exact * ratio
            right = np.array([min((day for day in days if day >= one), default=np.inf) for one in own])
            seen = np.isfinite(right)
            parts.append(
                pd.DataFrame(
                    {
                        "endpoint": "union",
                        "patient": np.arange(size),
                        "arm": arm.name,
                        "left": 0.0,
                        "right": right,
                        "event": seen,
                        "exact": own,
                        "time": np.where(seen, right, days[-1]),
                    }
                )
            )
        nothing = pd.DataFrame()
        return Observed(pd.concat(parts), nothing, nothing, nothing, tuple(arm.name for arm in study.arms))

    monkeypatch.setattr("osteon.trial.observe.observe", observe)
    return asked


def population(asked: list, effect: str, **settings: Any) -> ModelPopulation:
    def simulate(study: Study, people: People, folder: Path | None) -> Any:
        asked.append((study, folder))
        return FakeResult(people)

    return ModelPopulation(Study.parse(STUDY), Effect.parse(effect), simulate, people=60, **settings)


def test_people_of_the_model_are_simulated_once_and_again_with_missed_doses_alone(
    simulated: list, tmp_path: Path
) -> None:
    source = population(simulated, "from-model", draws=4, folder=tmp_path)
    base = source.base()
    assert base.people == 59, "a person who could not be solved is left out"
    assert source.about()["failed"] == 1
    assert sorted(set(base.draw.tolist())) == [0, 10, 20, 30]
    assert base.log_effect()[0] == pytest.approx(np.log(0.7))
    designs = source.variations()
    assert {"weekly", "missed_visits", "no_reader_noise", "dropout", "missed_doses"} <= set(designs)
    for key in designs:
        assert source.varied(key).people == 59
    assert [folder for _, folder in simulated] == [tmp_path / "cohort", tmp_path / "cohort_missed_doses"]
    first, again = (study for study, _ in simulated)
    assert (first.patients, first.population.draws, first.intake.missed, again.intake.missed) == (60, 4, 0.0, 0.2)
    assert first.endpoints.secondary == ()
    # Sixty people come in the time of the forty that were planned.
    assert first.accrual is not None
    assert first.accrual.over == pytest.approx(4 * 365.25 / 12)


def test_more_visits_see_events_sooner(simulated: list) -> None:
    source = population(simulated, "from-model", draws=1)
    base = source.base()
    assert np.nanmean(source.varied("weekly").value) < np.nanmean(base.value)


@pytest.mark.parametrize(("effect", "ratio"), [("ratio=0.6", 0.6), ("null", 1.0)])
def test_an_effect_that_is_not_the_models_gives_the_doses_of_the_control(
    simulated: list, effect: str, ratio: float
) -> None:
    source = population(simulated, effect)
    assert np.exp(source.base().log_effect()[0]) == pytest.approx(ratio)
    ((study, _),) = simulated
    assert not any(arm.doses for arm in study.arms)
    assert "missed_doses" not in source.variations()


def test_an_unknown_arm_is_refused(simulated: list) -> None:
    with pytest.raises(InputError, match="did you mean") as error:
        population(simulated, "null", arm="denosumap")
    assert error.value.path == "--arm"
    with pytest.raises(InputError):
        population(simulated, "null", arm="placebo")


def test_draws_that_are_too_many_are_refused_only_where_asked_for(simulated: list) -> None:
    assert population(simulated, "from-model").study.population.draws == 20
    assert population(simulated, "from-model", draws=1).study.population.draws is False
    assert population(simulated, "ratio=0.8").study.population.draws is True, "as the study has it"
    with pytest.raises(InputError) as error:
        population(simulated, "from-model", draws=5000)
    assert error.value.path.startswith("population.draws")
    for few in (0, -5, 100_000):
        with pytest.raises(InputError, match=r"^--draws: "):
            population(simulated, "from-model", draws=few)

"""Rows of a table that differ beyond their columns, and draws of the callus that keep how long people take."""

import json
from pathlib import Path

import numpy as np
import pytest

from osteon.draws import uniform
from osteon.endpoints.function import function_of, traits_of
from osteon.ensemble.function import function_of_group
from osteon.errors import InputError
from osteon.model.person import parameters_for
from osteon.parameters import posterior
from osteon.population import Cohort, callus_clock
from osteon.population.callus_clock import CLOCK, best_fit, clock_factors, solved_factors
from osteon.population.spread import shares
from tests.population.test_cohort import assert_same
from tests.population.test_values import scenario

TIBIA = {"bone": "tibia", "fixation": "nail"}
NECK = {"bone": "femoral_neck", "fixation": "nail"}
ARMS = [{"name": "a"}]


def table(size: int = 12) -> dict:
    """Rows of all kinds."""
    place = np.arange(size)
    return {
        "age": 40.0 + place,
        "smoking": place % 2 == 0,
        "diabetes": np.array(["none", "type1", "type2"])[place % 3],
        "member": np.array(["J", "B"])[place // 2 % 2],
        "callus.factor_union": 0.5 + 0.1 * place,
    }


def values(cohort: Cohort, key: str) -> np.ndarray:
    (group,) = cohort.block(0, cohort.size).groups
    return np.broadcast_to(np.asarray(group.values[key], float), (cohort.size,))


# ---- spread ----------------------------------------------------------------------------------------------------------


def test_factors_multiply_what_a_row_has() -> None:
    one = scenario({"weight": "70 kg"}, TIBIA, ARMS)
    plain, spread = Cohort.from_table(one, table()), Cohort.from_table(one, table(), spread=None)
    who = spread.block(0, 12).patients
    for key in ("callus.factor_osteoblasts", "denosumab.cl", CLOCK):
        assert values(spread, key) == pytest.approx(values(plain, key) * who[f"x {key}"], rel=1e-12), key
        assert np.std(who[f"x {key}"]) > 0.05
    # What a column gives stays to the last bit, and what none gives is drawn as in a sample.
    assert np.array_equal(values(spread, "callus.factor_union"), table()["callus.factor_union"])
    assert np.array_equal(who["age"], table()["age"])
    sampled = Cohort.sample(one, 12).block(0, 12).patients
    assert np.array_equal(who["weight"], sampled["weight"])
    assert np.array_equal(who["x denosumab.cl"], sampled["x denosumab.cl"])


def test_a_rate_that_follows_another_is_left_alone_where_a_column_gives_it() -> None:
    one = scenario({}, None, ARMS, "30 days")
    made = Cohort.from_table(one, {"denosumab.kdeg": [0.5, 0.7]}, spread={"denosumab.r0": 0.5})
    assert values(made, "denosumab.kdeg").tolist() == [0.5, 0.7]
    assert len(set(values(made, "denosumab.r0"))) == 2


def test_a_seed_of_its_own_gives_other_patients() -> None:
    one = scenario({}, TIBIA, ARMS)
    first, second = (Cohort.from_table(one, table(), spread=None, seed=seed) for seed in (1, 2))
    assert not np.any(values(first, "denosumab.cl") == values(second, "denosumab.cl"))
    assert_same(first.block(0, 12), [first.block(0, 5), first.block(5, 6), first.block(6, 12)])


# ---- traits of the fracture ------------------------------------------------------------------------------------------


def test_open_and_displaced_are_those_of_the_row() -> None:
    one = scenario({"age": "50 yr"}, NECK, ARMS)
    made = Cohort.from_table(one, {"open": ["no", "yes", "no"], "displaced": [True, False, True]})
    block = made.block(0, 3)
    (group,) = block.groups
    for place, is_open in enumerate((False, True, False)):
        own = scenario({"age": "50 yr"}, {**NECK, "open": is_open}, ARMS)
        for key, record in parameters_for(own).items():
            value = np.broadcast_to(np.asarray(group.values[key], float), (3,))[place]
            assert value == pytest.approx(record.value, rel=1e-12), key
    time = np.arange(0.0, 400.0)
    curves = {name: np.ones((3, 400)) for name in ("inflammation", "torsional_stiffness", "torsional_strength")}
    asked = function_of_group(made, block, group)
    assert asked is not None
    risk = asked(time, curves)["necrosis_risk_year2"]
    for place, displaced in enumerate((True, False, True)):
        fracture = scenario({"age": "50 yr"}, {**NECK, "displaced": displaced}, ARMS).fracture
        assert fracture is not None
        alone = function_of(one.patient, fracture, traits_of(fracture, 50.0))
        assert alone is not None
        assert risk[place] == alone(time, {name: curve[place] for name, curve in curves.items()})["necrosis_risk_year2"]
    assert risk[0] > risk[1]


def test_traits_of_a_fracture_need_one() -> None:
    with pytest.raises(InputError, match="needs a fracture"):
        Cohort.from_table(scenario({}, None, ARMS), {"open": [True]})
    with pytest.raises(InputError, match="neither true nor false"):
        Cohort.from_table(scenario({}, TIBIA, ARMS), {"open": ["perhaps"]})


# ---- draws -----------------------------------------------------------------------------------------------------------


def test_a_draw_of_the_callus_is_that_of_the_member_and_keeps_the_traits() -> None:
    one = scenario({}, TIBIA, ARMS)
    plain, drawn = Cohort.from_table(one, table()), Cohort.from_table(one, table(), draws=True)
    who, every = drawn.block(0, 12).patients, posterior.shipped_callus()
    assert every is not None
    assert [every.structures[row] for row in who["callus_draw"]] == [f"callus_{member}" for member in who["member"]]
    assert len(set(who["callus_draw"])) > 6
    for key in ("callus.hypertrophy", "mechanics.bone_modulus", "callus.bone_yield"):
        ratio = every.of(key)[who["callus_draw"]] / [best_fit(member)[key] for member in who["member"]]
        assert values(drawn, key) == pytest.approx(values(plain, key) * ratio, rel=1e-12), key
    # Who smokes or has diabetes differs from others by what no draw changes.
    for key in ("callus.factor_vessels", "callus.factor_progenitors", "radiograph.line_union"):
        assert np.array_equal(values(drawn, key), values(plain, key)), key
    factors = clock_factors(every)[who["callus_draw"]]
    assert values(drawn, CLOCK) == pytest.approx(values(plain, CLOCK) * factors, rel=1e-12)


def test_what_a_column_or_a_set_gives_is_not_drawn() -> None:
    one = scenario({}, TIBIA, ARMS)
    given = {"callus.hypertrophy": [0.3, 0.4], "turnover.regrowth": [0.01, 0.02], CLOCK: [0.2, 0.3]}
    made = Cohort.from_table(one, given, draws=True)
    for key, column in given.items():
        assert values(made, key).tolist() == column


def test_a_sample_has_draws_of_the_callus_too() -> None:
    made = Cohort.sample(scenario({}, TIBIA, ARMS), 40, draws=True)
    who, every = made.block(0, 40).patients, posterior.shipped_callus()
    assert every is not None
    assert [every.structures[row] for row in who["callus_draw"]] == [f"callus_{member}" for member in who["member"]]
    assert_same(made.block(0, 40), [made.block(0, 11), made.block(11, 40)])


def test_so_many_different_draws_are_shared_evenly() -> None:
    one = scenario({}, TIBIA, ARMS)
    made = Cohort.from_table(one, {"member": ["J", "B"] * 20}, draws=8)
    who = made.block(0, 40).patients
    numbers, counts = np.unique(who["draw"], return_counts=True)
    assert len(numbers) == 8
    assert set(counts) == {5}
    # Who has the same draw and member has the same draw of the callus.
    columns = (who[name].tolist() for name in ("draw", "member", "callus_draw"))
    together = set(zip(*columns, strict=True))
    assert len(together) == len({pair[:2] for pair in together})
    assert_same(made.block(0, 40), [made.block(0, 3), made.block(3, 40)])
    assert made.content_hash() != Cohort.from_table(one, {"member": ["J", "B"] * 20}, draws=True).content_hash()
    assert Cohort.sample(one, 4, draws=1).block(0, 4).patients["draw"].tolist() == [who["draw"].min()] * 4


def test_shares_are_permutations_of_chance() -> None:
    found = shares(3, 0, 4000, "x", 4).reshape(-1, 4)
    assert (np.sort(found, axis=1) == np.arange(4)).all()
    assert np.abs(found.mean(axis=0) - 1.5).max() < 0.15
    assert np.array_equal(shares(3, 5, 23, "x", 4), found.reshape(-1)[5:23])


def test_cohorts_go_through_json_and_another_posterior_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    one = scenario({}, TIBIA, ARMS)
    made = Cohort.from_table(one, table(), spread={"denosumab.cl": 0.4, CLOCK: 0}, draws=6, seed=9)
    told = json.loads(json.dumps(made.to_dict()))
    again = Cohort.from_dict(told)
    assert again == made
    assert again.content_hash() == made.content_hash()
    assert_same(again.block(0, 12), [made.block(0, 12)])
    with pytest.raises(InputError, match="another posterior"):
        Cohort.from_dict({**told, "draws": "0" * 64})
    every = posterior.shipped_callus()
    assert every is not None
    other = every.taken(range(199, -1, -1))
    monkeypatch.setattr(posterior, "shipped_callus", lambda: other)
    monkeypatch.setattr("osteon.population.posteriors.clock_factors", lambda every: np.ones(len(every)))
    with pytest.raises(InputError, match="another posterior"):
        made.block(0, 3)


@pytest.mark.parametrize(
    ("draws", "says"),
    [(-1, "whole number"), (201, "too many"), ("all", "whole number"), (2.0, "whole number")],
    ids=str,
)
def test_so_many_draws_are_refused(draws: object, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        Cohort.from_table(scenario({}, TIBIA, ARMS), {"age": [50]}, draws=draws)  # pyright: ignore[reportArgumentType]
    assert caught.value.path == "draws"


def test_animals_have_no_draws() -> None:
    mouse = scenario({"species": "mouse"}, {"bone": "femur", "fixation": "intramedullary_pin"}, ARMS)
    with pytest.raises(InputError, match="of people"):
        Cohort.from_table(mouse, {"age": [0.3]}, draws=True)


# ---- the clock of a draw ---------------------------------------------------------------------------------------------


def test_the_shipped_clocks_are_those_of_the_shipped_posterior_and_of_this_model() -> None:
    """The draw that the clock changes most, solved again: with its clock it unites when the best fit does."""
    every = posterior.shipped_callus()
    assert every is not None
    factors = clock_factors(every)
    most = int(np.argmax(np.abs(np.log(factors))))
    assert abs(np.log(factors[most])) > 0.3
    assert solved_factors(every, [most]) == pytest.approx(factors[[most]], rel=1e-3)


def test_clocks_of_another_posterior_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every = posterior.shipped_callus()
    assert every is not None
    with pytest.raises(InputError, match="another posterior"):
        clock_factors(every.taken([0, 1]))
    monkeypatch.setattr(callus_clock, "FACTORS", tmp_path / "none.json")
    with pytest.raises(InputError, match="no clocks"):
        clock_factors(every)


def test_a_block_of_a_large_table_is_cheap() -> None:
    """Rows outside a block cost nothing: it is not longer in coming from a table a hundred times as long."""
    one = scenario({}, TIBIA, ARMS)
    u = uniform(1, 0, 50_000, "age")
    many = Cohort.from_table(one, {"age": 40 + 40 * u}, spread=None, draws=True)
    few = Cohort.from_table(one, {"age": 40 + 40 * u[:500]}, spread=None, draws=True)
    assert_same(many.block(0, 500), [few.block(0, 500)])
    import tracemalloc

    tracemalloc.start()
    many.block(20_000, 20_500)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 3e6

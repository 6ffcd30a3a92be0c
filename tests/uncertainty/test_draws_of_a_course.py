"""Courses with ranges over draws: what they hold, and what they leave as it was."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import osteon
from osteon import uncertainty
from osteon.engine.lanes import making
from osteon.errors import InputError, SolveError
from osteon.model.person import parameters_for
from osteon.parameters import load, posterior
from osteon.simulation import simulate
from osteon.uncertainty import QUANTILES, band_curves, choose
from osteon.uncertainty.bands import interval

from .standin import draws, write

PUBLIC = ("CTX", "P1NP", "BSAP", "TRACP5b", "BMD_lumbar_spine", "BMD_total_hip", "BMD_femoral_neck", "serum_calcium")
DOSE = {"drug": "denosumab", "amount": "60 mg", "start": "-100 days"}


def scenario(**more) -> osteon.Scenario:
    return osteon.Scenario.parse(
        {
            "osteon": 1,
            "title": "draws",
            "patient": {"species": "human", "weight": "66 kg", "sex": "female"},
            "fracture": {"bone": "femur", "fixation": "nail"},
            "arms": [{"name": "drug", "doses": [DOSE]}, {"name": "none"}],
            "horizon": "300 days",
            **more,
        }
    )


@pytest.fixture(scope="module")
def courses(made: Path) -> dict[int, osteon.Course]:
    """The same scenario without draws and with 20."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(posterior, "SHIPPED", made)
        return {number: simulate(scenario(), draws=number) for number in (0, 20)}


# ---- what a course holds ---------------------------------------------------------------------------------------------


def test_without_draws_nothing_is_added(courses: dict[int, osteon.Course], monkeypatch: pytest.MonkeyPatch) -> None:
    plain = courses[0]
    assert plain.bands is None
    assert "draws" not in plain.manifest
    assert not any({"low", "high"} & set(one) for arm in plain.to_document()["arms"] for one in arm["series"].values())
    # Neither does it look for a posterior.
    monkeypatch.setattr(posterior, "SHIPPED", None)
    assert simulate(scenario(), draws=0).data.identical(plain.data)


def test_draws_change_neither_curves_nor_values(courses: dict[int, osteon.Course]) -> None:
    plain, drawn = courses[0], courses[20]
    for member in plain.members:
        assert drawn.members[member].identical(plain.members[member])
    before, after = (one.endpoints().set_index(["arm", "endpoint"]) for one in (plain, drawn))
    assert after[["value", "unit"]].equals(before[["value", "unit"]])
    callus = [row for row in before.index if row[1].startswith(("torsional", "time_to", "lamellar", "hard"))]
    assert after.loc[callus].equals(before.loc[callus])


def test_bands_hold_every_public_curve_of_the_skeleton(courses: dict[int, osteon.Course]) -> None:
    bands = courses[20].bands
    assert set(PUBLIC) <= set(band_curves()) == set(bands.data_vars)
    assert bands["quantile"].values.tolist() == [0.05, 0.5, 0.95] == list(QUANTILES)
    for name, curve in bands.items():
        assert curve.dims == ("arm", "quantile", "time")
        assert curve.attrs == courses[20].data[name].attrs
        ends = np.diff(curve.values, axis=1)
        assert not (ends < 0).any(), name
    assert np.array_equal(bands["time"], courses[20].data["time"])
    assert np.isfinite(bands[list(PUBLIC)].to_array()).all()


def test_bands_contain_the_best_fit_nearly_everywhere(courses: dict[int, osteon.Course]) -> None:
    course = courses[20]
    inside = [
        (course[name] >= course.bands[name].isel(quantile=0) - 1e-3)
        & (course[name] <= course.bands[name].isel(quantile=-1) + 1e-3)
        for name in PUBLIC
    ]
    assert float(np.mean(inside)) > 0.9
    treated = course.bands.sel(arm="drug").sel(time=200.0, method="nearest")
    assert float(np.ptp(treated["CTX"].values)) > 5


def test_endpoints_of_the_skeleton_span_the_draws(courses: dict[int, osteon.Course]) -> None:
    course = courses[20]
    table = course.endpoints().set_index(["arm", "endpoint"])
    for curve in ("CTX", "P1NP", "BMD_total_hip"):
        last = course.bands[curve].sel(arm="drug").isel(time=-1)
        row = table.loc[("drug", f"{curve}_last")]
        assert (row["low"], row["high"]) == pytest.approx((float(last[0]), float(last[-1])), rel=1e-12)
        assert row["low"] < row["high"]
    calcium = table.loc[("drug", "serum_calcium_nadir")]
    assert calcium["low"] < calcium["high"]


def test_one_draw_is_the_course_under_its_parameters() -> None:
    """The lanes of the draws against plain Python with the values of a draw."""
    from osteon.engine.solve import solve
    from osteon.population.plan import phases

    story = scenario(fracture=None)
    course = simulate(story, draws=1)
    own = {key: record.value for key, record in parameters_for(story).items()}
    own |= {key: float(one[0]) for key, one in posterior.shipped().taken([0]).columns(own).items()}
    for arm in story.arms:
        last = solve(phases(story, arm, own), story.horizon)[-1].evaluate(np.array([story.horizon]))[1]
        for name in PUBLIC:
            found = course.bands[name].sel(arm=arm.name).isel(time=-1).values
            assert np.ptp(found) == 0
            assert found[0] == pytest.approx(float(last[name][0]), rel=1e-4, abs=1e-3), name


def test_same_seed_same_bits(courses: dict[int, osteon.Course]) -> None:
    again = simulate(scenario(), draws=20)
    assert again.bands.identical(courses[20].bands)
    assert again.table.equals(courses[20].table)
    assert dict(again.manifest) == dict(courses[20].manifest)


def test_arms_have_the_same_band_until_they_part() -> None:
    late = {**DOSE, "start": "50 days"}
    course = simulate(scenario(arms=[{"name": "a", "doses": [late]}, {"name": "b"}]), draws=5)
    before = course.bands["CTX"].where(course.bands["time"] < 50, drop=True)
    assert np.array_equal(before.sel(arm="a"), before.sel(arm="b"))


def test_the_manifest_says_which_draws(courses: dict[int, osteon.Course]) -> None:
    told = courses[20].manifest["draws"]
    assert told["number"] == sum(told["structures"].values()) == 20
    assert told["posterior_sha256"] == draws().content_hash()
    assert told["range"] == [0.05, 0.95]
    assert told["failed"] == {}
    json.dumps(told)


def test_the_document_has_the_ends_of_a_series(courses: dict[int, osteon.Course]) -> None:
    course = courses[20]
    document = json.loads(json.dumps(course.to_document(), allow_nan=False))
    series = document["arms"][0]["series"]
    assert series["CTX"]["low"] == course.bands["CTX"].values[0, 0].tolist()
    assert series["CTX"]["high"] == course.bands["CTX"].values[0, -1].tolist()
    assert "low" not in series["mRUST"]


def test_the_file_has_a_group_of_bands(courses: dict[int, osteon.Course], tmp_path: Path) -> None:
    written = osteon.save(courses[20], tmp_path)
    with xr.open_dataset(written["course.nc"], group="bands") as bands:
        assert bands.attrs["draws"] == 20
        assert np.array_equal(bands["CTX"], courses[20].bands["CTX"])
    with xr.open_dataset(written["course.nc"]) as main:
        assert np.array_equal(main["CTX"], courses[20]["CTX"])
    osteon.save(courses[0], tmp_path)
    with pytest.raises((OSError, ValueError)):
        xr.open_dataset(written["course.nc"], group="bands")


# ---- which draws -----------------------------------------------------------------------------------------------------


def test_the_first_draws_are_taken() -> None:
    assert choose(scenario(), 7).numbers == tuple(range(7))
    assert len(choose(scenario())) == 20
    assert choose(scenario(), 0) is None


def test_what_has_no_draws_by_default() -> None:
    imposed = [{"name": "a", "impose": {"free_rankl": 0.1}}, {"name": "b"}]
    assert choose(scenario(arms=imposed)) is None
    assert len(choose(scenario(arms=imposed), 3)) == 3
    mouse = scenario(patient={"species": "mouse"}, arms=[{"name": "a"}])
    assert choose(mouse) is None
    with pytest.raises(InputError, match="of people") as caught:
        choose(mouse, 3)
    assert caught.value.path == "draws"


@pytest.mark.parametrize(
    ("wanted", "says"), [(21, "has 20 draws"), (-1, "whole number"), (True, "whole number"), (2.5, "whole")]
)
def test_a_number_that_makes_no_sense_is_refused(wanted: object, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        simulate(scenario(), draws=wanted)
    assert caught.value.path == "draws"


def test_without_a_posterior_there_are_none_to_ask_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posterior, "SHIPPED", tmp_path / "none.nc")
    assert simulate(scenario(horizon="10 days", fracture=None)).bands is None
    with pytest.raises(InputError, match="ships no posterior"):
        choose(scenario(), 1)


def test_a_named_structure_leaves_its_own_draws() -> None:
    every = posterior.shipped()
    named = choose(scenario(parameters=["recycling_none"]))
    assert set(named.draws.structures) == {"recycling_none"}
    assert named.numbers == tuple(n for n, one in enumerate(every.structures) if one == "recycling_none")
    usual = {key: record.value for key, record in parameters_for(scenario(parameters=["recycling_none"])).items()}
    values = named.values(usual)
    assert (values["turnover.recycling"] == 0).all()
    assert np.ptp(values["turnover.drug_loss"]) > 0
    with pytest.raises(InputError, match="for recycling_none"):
        choose(scenario(parameters=["recycling_none"]), 20)


@pytest.mark.parametrize("name", ["recycling_full", "gate_blocking"])
def test_a_structure_without_draws_keeps_what_it_sets(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = draws(size=4, structures=("recycling_none", "recycling_half"))
    monkeypatch.setattr(posterior, "SHIPPED", write(tmp_path / "turnover.nc", made))
    story = scenario(parameters=[name])
    chosen, left = choose(story), set(made.keys) - set(load(name))
    assert (chosen is None) == (not left)
    if chosen is None:
        with pytest.raises(InputError, match=f"has 0 draws for {name}"):
            choose(story, 1)
        return
    usual = {key: record.value for key, record in parameters_for(story).items()}
    values = chosen.values(usual)
    assert all(values[key] == usual[key] for key in load(name))
    assert all(np.ptp(values[key]) > 0 for key in left)


def test_sets_that_give_everything_leave_no_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = dict.fromkeys(posterior.shipped().keys)
    monkeypatch.setattr(posterior, "load", lambda name: whole)
    assert choose(scenario(parameters=["choi2025"])) is None


def test_another_named_set_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    story = scenario(parameters=["choi2025"])
    chosen = choose(story, 3)
    assert chosen.draws.structures == posterior.shipped().structures[:3]
    assert "denosumab.cl" in chosen.held
    usual = {key: record.value for key, record in parameters_for(story).items()}
    assert chosen.values(usual)["denosumab.cl"] == usual["denosumab.cl"]


# ---- failures --------------------------------------------------------------------------------------------------------


@pytest.fixture
def hopeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, ...]:
    """A posterior two of whose six draws cannot be solved."""
    made = draws(size=6)
    column = made.keys.index("markers.mineral_time")
    made.values[[1, 4], column] = 0.0
    monkeypatch.setattr(posterior, "SHIPPED", write(tmp_path / "turnover.nc", made))
    return (1, 4)


def test_failed_draws_are_counted_and_left_out(hopeless: tuple[int, ...], tmp_path: Path) -> None:
    story = scenario(fracture=None)
    course = simulate(story, draws=6)
    assert {arm: tuple(failed) for arm, failed in course.failed_draws.items()} == dict.fromkeys(
        ("drug", "none"), hopeless
    )
    assert all(why for failed in course.failed_draws.values() for why in failed.values())
    assert set(course.manifest["draws"]["failed"]["drug"]) == {"1", "4"}
    assert "drug, draw 4: " in course.bands.attrs["failed_draws"]
    assert not course.failures
    assert np.isfinite(course.bands["CTX"]).all()
    assert "2 of 6 draws" in osteon.render(course)
    osteon.save(course, tmp_path / "out")


def test_an_arm_without_a_sound_draw_has_no_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = draws(size=2)
    made.values[:, made.keys.index("markers.mineral_time")] = 0.0
    monkeypatch.setattr(posterior, "SHIPPED", write(tmp_path / "turnover.nc", made))
    course = simulate(scenario(fracture=None), draws=2)
    assert np.isnan(course.bands["CTX"]).all()
    row = course.endpoints().set_index(["arm", "endpoint"]).loc[("drug", "CTX_last")]
    assert np.isfinite(row["value"])
    assert np.isnan(row["low"])
    assert np.isnan(row["high"])
    assert row["note"] == uncertainty.NOT_UNDER_EVERY_DRAW


def test_an_interval_is_open_where_many_draws_do_not_get_there() -> None:
    values, solved = np.arange(40.0), np.ones(40, bool)
    assert interval(values, solved) == pytest.approx((1.95, 37.05))
    values[:2] = np.nan
    assert interval(values, solved)[0] > 1.95
    values[2] = np.nan
    assert np.isnan(interval(values, solved)).all()
    solved[:3] = False
    assert interval(values, solved) == pytest.approx((4.8, 37.2))


def test_plain_python_stands_in_where_no_kernel_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        done = True

        def __init__(self, system) -> None:
            self.system = system

        def wait(self):
            raise SolveError("no compiler")

        def cancel(self) -> None:
            pass

    compiled = simulate(scenario(fracture=None, horizon="30 days"), draws=2)
    monkeypatch.setattr(uncertainty.lanes, "load", lambda system: None)
    monkeypatch.setattr(uncertainty.lanes, "Build", Broken)
    plain = simulate(scenario(fracture=None, horizon="30 days"), draws=2)
    assert compiled.manifest["draws"]["backend"] == "compiled"
    assert plain.manifest["draws"]["backend"] == "python"
    np.testing.assert_allclose(plain.bands["CTX"], compiled.bands["CTX"], atol=1e-3)


def test_compilers_are_stopped_when_the_work_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while kernels are being made leaves no compiler behind."""
    started: list[making.Build] = []

    class Watched(making.Build):
        def __init__(self, system) -> None:
            super().__init__(system)
            started.append(self)

    monkeypatch.setattr(uncertainty.lanes, "load", lambda system: None)
    monkeypatch.setattr(uncertainty.lanes, "Build", Watched)

    def stop(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(scenario(), draws=2, on_progress=stop)
    assert started
    assert all(build.done for build in started)


# ---- report --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "legend"), [("en", "shaded: 5–95 %"), ("zh", "阴影：参数与结构的 5–95 % 范围，20 次抽样")]
)
def test_the_report_says_what_the_shading_is(courses: dict[int, osteon.Course], lang: str, legend: str) -> None:
    drawn, plain = (osteon.render(courses[number], lang) for number in (20, 0))
    assert legend in drawn
    assert legend not in plain
    charts = {chart["id"]: chart for chart in _charts(drawn)}
    assert charts["CTX"]["shading"].startswith(legend)
    assert len(charts["CTX"]["span"]) == 2
    assert charts["torsional_stiffness"]["shading"] == ""
    assert all(chart["shading"] == "" for chart in _charts(plain))


def _charts(page: str) -> list[dict]:
    text = page.partition('id="osteon-data">')[2].partition("</script>")[0]
    return json.loads(text)["charts"]

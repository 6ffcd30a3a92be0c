"""The posterior file, the parameter file and the document."""

import json
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from osteon.calibrate.files import save
from osteon.calibrate.findings import Target, ablate, document
from osteon.calibrate.run import Calibration, calibrate
from osteon.calibrate.store import read_draws
from osteon.calibrate.subject import Settings
from osteon.errors import InputError

from . import toys


@pytest.fixture(scope="module")
def found() -> Calibration:
    return calibrate(toys.problems(toys.STRUCTURES, Settings()), seed=7, steps=40, starts=2)


@pytest.fixture(scope="module")
def written(found: Calibration, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return save(found, tmp_path_factory.mktemp("files"), toys.records(), document(found, toys.records()))


def test_arviz_reads_the_posterior(found: Calibration, written: dict[str, Path]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz
    data = arviz.from_netcdf(str(written["posterior.nc"]))
    assert set(data.groups()) == {"posterior", "sample_stats", "observed_data", "posterior_predictive"}
    draws = found.joint.draws
    assert dict(data.posterior.sizes) == {"chain": 1, "draw": 200}
    for key in draws.keys:
        assert np.array_equal(data.posterior[key].values[0], draws.of(key))
    names = data.posterior["structure"].attrs["flag_meanings"].split()
    assert [names[k] for k in data.posterior["structure"].values[0]] == list(draws.structures)
    assert np.array_equal(data.sample_stats["lp"].values[0], found.joint.log_probability)
    assert np.array_equal(data.observed_data["value"].values[:12], toys.ROWS)
    assert set(data.observed_data["block"].values.tolist()) == {"core", "romosozumab"}
    assert data.posterior_predictive["value"].dims == ("chain", "draw", "row")
    median = data.posterior_predictive["predicted"].median(("chain", "draw")).values
    assert np.sqrt(np.mean((median[:12] - toys.ROWS) ** 2)) < 2.0
    table = arviz.summary(data, var_names=[draws.keys[0]], kind="stats")
    assert table["mean"].iloc[0] == pytest.approx(draws.of(draws.keys[0]).mean(), abs=0.01)


def test_draws_are_read_back(found: Calibration, written: dict[str, Path]) -> None:
    draws, before = read_draws(written["posterior.nc"]), found.joint.draws
    assert draws.keys == before.keys
    assert draws.structures == before.structures
    assert draws.weights == before.weights
    assert np.array_equal(draws.values, before.values)
    assert draws.attributes["seed"] == 7
    assert json.loads(draws.attributes["packages"])["osteon"]
    assert json.loads(draws.attributes["data"]) == found.manifest["data"]
    assert json.loads(draws.attributes["free"]) == found.manifest["free"]
    assert set(draws.parameters(0)) == set(before.keys)
    low, median, high = draws.interval("turnover.renewal")
    assert low < median < high
    assert written["posterior.nc"].stat().st_size < 500_000


def test_reading_draws_imports_neither_sampler_nor_scipy(written: dict[str, Path]) -> None:
    code = (
        "import sys; from osteon.calibrate.store import read_draws; read_draws(sys.argv[1]);"
        "print([name for name in ('emcee', 'scipy', 'pandas', 'xarray') if name in sys.modules])"
    )
    path = str(written["posterior.nc"])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, path], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_the_same_calibration_is_the_same_file(found: Calibration, written: dict[str, Path], tmp_path: Path) -> None:
    again = save(found, tmp_path, toys.records(), {})
    assert again["posterior.nc"].read_bytes() == written["posterior.nc"].read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["calibration.json", "parameters.toml", "posterior.nc"]


def test_a_file_that_is_no_posterior_is_refused(tmp_path: Path, written: dict[str, Path]) -> None:
    import xarray as xr

    with pytest.raises(InputError, match="cannot be read"):
        read_draws(tmp_path / "none.nc")
    (tmp_path / "bad.nc").write_bytes(written["posterior.nc"].read_bytes()[:500])
    with pytest.raises(InputError, match="cannot be read"):
        read_draws(tmp_path / "bad.nc")
    xr.Dataset({"a": 1.0}).to_netcdf(tmp_path / "other.nc", engine="netcdf4")
    with pytest.raises(InputError, match="no posterior"):
        read_draws(tmp_path / "other.nc")


def test_nothing_is_left_half_written(found: Calibration, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("osteon.calibrate.store.Path.replace", full)
    with pytest.raises(InputError, match="No space left"):
        save(found, tmp_path, toys.records(), {})
    assert list(tmp_path.iterdir()) == []


def test_the_parameter_file_is_one_that_osteon_loads(
    found: Calibration, written: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from osteon.parameters import load, sets

    folder = written["parameters.toml"].parent
    (folder / "fitted_toy.toml").write_text(written["parameters.toml"].read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(sets, "_DATA", folder)
    loaded, best = load("fitted_toy"), found.best(found.leading)
    assert set(loaded) == set(best) == {"turnover.drug_loss", "turnover.regrowth", "turnover.renewal"}
    for key, record in loaded.items():
        low, _, high = found.joint.draws.interval(key)
        assert record.value == pytest.approx(best[key], rel=1e-5)
        assert record.range == pytest.approx((low, high), rel=1e-5)
        assert (record.how, record.unit, record.symbol) == ("fitted", "1/day", "x")
        assert "seed 7" in record.source
        assert "5-95 % interval" in record.source
        assert record.meaning == f'of a "toy", {key}'


def test_the_document_is_plain_and_whole(found: Calibration) -> None:
    settings = Settings()
    core = found.stages[found.leading]["core"]
    ablations = ablate(core, toys.ablated(found.leading, settings), seed=7, starts=2)
    told = document(found, toys.records(), toys.targets(found, settings), ablations)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert [(one["met"], one["allowed"]) for one in told["targets"]] == [(True, "≤ 6"), (False, "1–5")]
    assert {one["name"] for one in told["structures"]} == set(toys.STRUCTURES)
    assert sum(one["weight"] for one in told["structures"]) == pytest.approx(1)
    (ablation,) = told["ablations"]
    (endpoint,) = ablation["endpoints"]
    assert ablation["log_evidence"] < -3
    assert endpoint["rmse"] > 3 * endpoint["rmse_full"]
    for one in told["parameters"]:
        assert one["low"] < one["best"] < one["high"]
        assert one["prior_low"] < one["prior"] < one["prior_high"]
    assert set(told["identifiability"]["plain"]) == {"core", "romosozumab"}
    assert Target("x", "fit", float("nan"), "", 1.0).met is False

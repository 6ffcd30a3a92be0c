"""What lies in a run folder, who may write there, and that nothing of the moment is in it."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import xarray as xr

from osteon.ensemble.result import CohortResult
from osteon.ensemble.run import simulate_cohort
from osteon.errors import InputError

from .fake import FakeCohort, compute, contents, grid

SIZE, CHUNK = 50, 12


def run(out: Path | None = None, size: int = SIZE, **settings) -> CohortResult:
    return simulate_cohort(FakeCohort(size), out=out, **{"chunk": CHUNK, "compute": compute, **settings})


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> CohortResult:
    return run(tmp_path_factory.mktemp("run") / "out")


def test_layout(done: CohortResult) -> None:
    assert done.folder is not None
    top = {path.name for path in done.folder.iterdir()}
    assert top == {"series.zarr", "endpoints", "patients", "cohort.json", "manifest.json", "run.json"}
    for kind in ("endpoints", "patients"):
        parts = sorted(path.name for path in (done.folder / kind).iterdir())
        assert parts == [f"part-{number:05}.parquet" for number in range(5)]
    assert not [path for path in done.folder.rglob("*") if path.name.startswith(".")]


def test_series_open_in_xarray_with_labels_and_units(done: CohortResult) -> None:
    assert done.folder is not None
    with xr.open_zarr(done.folder / "series.zarr") as data:
        assert dict(data.sizes) == {"arm": 2, "patient": SIZE, "time": len(grid(done.cohort, 7.0))}
        assert data["arm"].values.tolist() == ["treated", "未治疗"]
        assert data["time"].attrs["units"] == "day"
        assert data["CTX"].attrs["units"] == "%"
        assert data["mRUST"].attrs["long_name"] == "modified radiographic union score (mRUST)"
        assert "no treatment advice" in data.attrs["comment"]
        assert data["CTX"].dtype == np.float32
        failed = data["CTX"].sel(arm="treated", patient=[3, 13, 23, 33, 43])
        assert failed.isnull().all()
        assert int(data["CTX"].isnull().all("time").sum()) == 5
        assert data["CTX"].encoding["chunks"] == (1, CHUNK, data.sizes["time"])


def test_tables_open_in_pandas(done: CohortResult) -> None:
    assert done.folder is not None
    rows = pd.read_parquet(done.folder / "endpoints")
    assert rows["patient"].tolist() == np.repeat(np.arange(SIZE), 2).tolist()
    assert rows["arm"].tolist() == ["treated", "未治疗"] * SIZE
    pd.testing.assert_frame_equal(rows, done.endpoints())
    people = pd.read_parquet(done.folder / "patients")
    assert people["patient"].tolist() == list(range(SIZE))
    assert people["smoking"].dtype == bool
    pd.testing.assert_frame_equal(people, done.patients())


def test_in_memory_is_the_same(done: CohortResult) -> None:
    kept = run(chunk=7)
    assert kept.folder is None
    xr.testing.assert_identical(kept.series, done.series.load())
    pd.testing.assert_frame_equal(kept.endpoints(), done.endpoints())
    pd.testing.assert_frame_equal(kept.patients(), done.patients())
    pd.testing.assert_frame_equal(kept.failures(), done.failures())
    pd.testing.assert_frame_equal(kept.summary(), done.summary())
    assert kept.failed == done.failed == 5


def test_only_the_record_of_the_run_knows_the_moment(done: CohortResult, tmp_path: Path) -> None:
    assert done.folder is not None
    again = run(tmp_path / "elsewhere", threads=1)
    assert again.folder is not None
    assert contents(done.folder) == contents(again.folder)
    manifest = json.loads((done.folder / "manifest.json").read_text(encoding="utf-8"))
    assert set(manifest) == {
        *("kind", "title", "warning", "patients", "arms", "seed"),
        *("cohort_sha256", "parameters_sha256", "model_sha256", "settings", "versions", "processor"),
    }
    assert set(manifest["settings"]) == {"series", "every", "tolerance", "backend", "chunk"}
    record = json.loads((done.folder / "run.json").read_text(encoding="utf-8"))
    assert (record["state"], record["patients_done"], record["patients_failed"]) == ("done", SIZE, 5)
    assert {"started", "seconds", "threads", "peak_memory_MB", "machine"} <= set(record)
    assert pq.read_schema(done.folder / "endpoints" / "part-00000.parquet").metadata is None


def test_a_moved_folder_opens(done: CohortResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import osteon.population

    monkeypatch.setattr(osteon.population, "Cohort", FakeCohort)
    assert done.folder is not None
    moved = Path(shutil.copytree(done.folder, tmp_path / "moved"))
    found = CohortResult.open(moved)
    assert found.cohort.to_dict() == done.cohort.to_dict()
    assert found.manifest == done.manifest
    xr.testing.assert_identical(found.series.load(), done.series.load())
    (moved / "cohort.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"cohort\.json is damaged"):
        CohortResult.open(moved)
    with pytest.raises(InputError, match="holds no run of a cohort"):
        CohortResult.open(tmp_path)


def test_a_run_is_not_written_over(done: CohortResult) -> None:
    assert done.folder is not None
    before = contents(done.folder)
    with pytest.raises(InputError, match="already holds a run; go on with --resume"):
        run(done.folder)
    assert contents(done.folder) == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"every": 14}, "settings.every is 7.0, and here it is 14.0"),
        ({"chunk": 13}, "settings.chunk is 12, and here it is 13"),
        ({"series": ["CTX"]}, "settings.series is"),
        ({"tolerance": 1e-5}, "settings.tolerance is"),
        ({"backend": "python"}, "settings.backend is"),
        ({"size": SIZE + 1}, "patients is 50, and here it is 51"),
    ],
)
def test_another_run_is_not_gone_on_with(done: CohortResult, change: dict, field: str) -> None:
    assert done.folder is not None
    with pytest.raises(InputError, match=field):
        run(done.folder, **{"resume": True, "backend": "compiled", **change})


def test_other_versions_are_not_gone_on_with(done: CohortResult, monkeypatch: pytest.MonkeyPatch) -> None:
    from osteon.ensemble import plan

    here = plan.versions()
    monkeypatch.setattr(plan, "versions", lambda: {**here, "numpy": "9.9"})
    with pytest.raises(InputError, match=r'versions\.numpy is ".+", and here it is "9\.9"'):
        run(done.folder, resume=True)


def test_files_of_something_else_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "patients").mkdir()
    with pytest.raises(InputError, match='holds "patients" of something else'):
        run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["patients"]
    (tmp_path / "manifest.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="holds another run"):
        run(tmp_path, resume=True)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="cannot be written"):
            run(out)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="Only POSIX has these locks.")
def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    def second(*arguments):
        with pytest.raises(InputError, match="is in use by another run"):
            run(tmp_path / "out", size=10, resume=True)
        return compute(*arguments)

    run(tmp_path / "out", size=10, compute=second)


def test_what_a_killed_process_left_is_cleared(done: CohortResult, tmp_path: Path) -> None:
    assert done.folder is not None
    torn = Path(shutil.copytree(done.folder, tmp_path / "torn"))
    for left in ("endpoints/.part-00002.parquet.tmp", "series.zarr/CTX/c/0/2/0.abc.partial", ".run.json.tmp"):
        (torn / left).write_bytes(b"torn")
    (torn / "endpoints" / "part-00002.parquet").unlink()
    for name in ("CTX", "mRUST"):
        (torn / "series.zarr" / name / "c" / "0" / "2" / "0").write_bytes(b"torn")
    run(torn, resume=True)
    assert contents(torn) == contents(done.folder)
    shutil.rmtree(torn / "series.zarr")
    for part in (torn / "endpoints").iterdir():
        part.unlink()
    run(torn, resume=True)
    assert contents(torn) == contents(done.folder)

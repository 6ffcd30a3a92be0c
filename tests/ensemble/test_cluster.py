"""Dask: the same bits as without it, whatever happens to the workers."""

import os
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from osteon.ensemble import cluster
from osteon.ensemble.run import simulate_cohort
from osteon.errors import InputError, MissingExtra, OsteonError

from .fake import FakeCohort, always_deadly, compute, contents, deadly
from .test_run import child, reach

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Workers are killed as POSIX does it.")


def run(out: Path | None = None, **settings) -> Any:
    return simulate_cohort(FakeCohort(100), out=out, **{"chunk": 10, "compute": compute, **settings})


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("here") / "out"
    run(out)
    return contents(out)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a scheduler that others started, with one worker of two threads."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=2, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
    ) as there:
        yield there.scheduler_address


def test_a_worker_killed_in_mid_run_changes_no_bit(
    tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSTEON_TEST_MARK", str(tmp_path / "mark"))
    told: list[int] = []
    run(tmp_path / "out", compute=deadly, cluster="local:2", on_progress=lambda done, *_: told.append(done))
    assert (tmp_path / "mark").exists()
    assert contents(tmp_path / "out") == expected
    assert told == [10 * number for number in range(11)]


def test_a_chunk_that_kills_every_worker_ends_the_run(
    tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_LOSSES", 1)
    with pytest.raises(OsteonError, match=r"lost over patients 30 to 39; .* kept, go on with --resume"):
        run(tmp_path / "out", compute=always_deadly, cluster="local:1")
    run(tmp_path / "out", resume=True)
    assert contents(tmp_path / "out") == expected


def test_a_scheduler_elsewhere(
    scheduler: str, tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / "out", cluster=scheduler)
    assert contents(tmp_path / "out") == expected
    monkeypatch.setattr(cluster, "versions", lambda: {"numpy": "9.9"})
    with pytest.raises(InputError, match=r"cluster: a worker has numpy .+, and this run 9\.9, .*install the same"):
        run(cluster=scheduler)


def test_interrupted_with_its_processes(tmp_path: Path) -> None:
    """Ctrl-C at a terminal reaches every process; only the first one answers it."""
    with child(tmp_path / "out", "slow", "local:2") as process:
        reach(process, 30)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert err.count("Traceback") == 1
    simulate_cohort(FakeCohort(200), out=tmp_path / "out", chunk=10, compute=compute, resume=True)
    simulate_cohort(FakeCohort(200), out=tmp_path / "whole", chunk=10, compute=compute)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "is neither tcp://host:port nor local:N"),
        ("127.0.0.1:8786", "is neither"),
        ("tcp://host", "is neither"),
        ("local:two", "is neither"),
        ("local:0", "is outside the allowed range of local:1 to local:256"),
        ("tcp://127.0.0.1:9", "no Dask scheduler answers at tcp://127.0.0.1:9"),
    ],
)
def test_an_address_that_leads_nowhere(
    address: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", 1.0)
    with warnings.catch_warnings(), pytest.raises(InputError, match=said):
        run(tmp_path / "out", cluster=address)
    assert not (tmp_path / "out").exists()


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match=r'pip install "osteon\[cluster\]"'):
        run(cluster="local:2")

"""The runner: settings refused, progress, interruption, what a result says."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import osteon
from osteon.ensemble.result import CohortResult, quantiles
from osteon.ensemble.run import simulate_cohort
from osteon.errors import InputError

from .fake import REASON, TEXT, FakeCohort, compute, contents

ROOT = Path(__file__).parents[2]


def run(size: int = 40, **settings) -> CohortResult:
    return simulate_cohort(FakeCohort(size), **{"chunk": 10, "compute": compute, **settings})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"size": 0}, "patients: 0 is not a whole number from 1 to 10,000,000."),
        ({"size": 10**9}, "patients: 1000000000 is not a whole number from 1 to 10,000,000."),
        ({"chunk": 0}, "chunk: 0 is not a whole number from 1 to 100,000."),
        ({"chunk": 1.5}, "chunk: 1.5 is not a whole number"),
        ({"threads": 0}, "threads: 0 is not a whole number from 1 to 1,024."),
        ({"every": 0}, "every: 0 is outside the allowed range of 0.01 days to the 100 days simulated."),
        ({"every": -7.0}, "every: -7.0 is outside"),
        ({"every": 1000}, "every: 1000 is outside"),
        ({"every": float("nan")}, "every: nan is outside"),
        ({"tolerance": 1.0}, "tolerance: 1.0 is outside the allowed range of 1e-12 to 1e-2."),
        ({"backend": "compile"}, 'backend: "compile" is no back end; did you mean "compiled"?'),
        ({"series": ["CTXX"]}, 'series: there is no series "CTXX"; did you mean "CTX"?'),
        ({"series": ["CTX", "CTX"]}, 'series: "CTX" is named twice.'),
        ({"cluster": "here"}, 'cluster: "here" is neither tcp://host:port nor local:N'),
    ],
)
def test_refused(settings: dict, said: str) -> None:
    with pytest.raises(InputError) as error:
        run(**settings)
    assert str(error.value).startswith(said)


def test_turnover_alone_has_no_callus() -> None:
    whole = "fracture: {bone: distal_radius, gap: 1 mm, fixation: cast}"
    cohort = FakeCohort(4, text=TEXT.replace(whole, "fracture: null"))
    found = simulate_cohort(cohort, compute=compute)
    assert set(found.series.data_vars) == {"CTX", "P1NP", "BSAP", "TRACP5b", "BMD_lumbar_spine", "BMD_total_hip"}
    with pytest.raises(InputError, match="without a fracture"):
        simulate_cohort(cohort, series=["mRUST"], compute=compute)


def test_too_much_for_memory_is_refused() -> None:
    with pytest.raises(InputError, match=r"would take about \d+ GB of memory, and 2 GB are allowed; .*out="):
        run(size=3_000_000)


def test_progress_only_grows_and_ends_whole(tmp_path: Path) -> None:
    told: list[tuple[int, int, int]] = []
    run(out=tmp_path / "out", on_progress=lambda *what: told.append(what))
    assert told[0] == (0, 40, 0)
    assert told[-1] == (40, 40, 4)
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)


@pytest.mark.parametrize("cluster", [None, "local:1"])
def test_an_error_of_the_computation_is_told_and_recorded(tmp_path: Path, cluster: str | None) -> None:
    with pytest.raises(ZeroDivisionError):
        run(out=tmp_path / "out", compute=divides, cluster=cluster)
    record = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert record["state"] == "failed"
    assert record["patients_done"] >= (10 if cluster is None else 0)


def divides(cohort, lo, *rest):
    return compute(cohort, lo // (lo < 20), *rest)


def test_interruption_keeps_what_is_done(tmp_path: Path) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"

    def interrupt(done: int, *_: int) -> None:
        if done >= 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(out=out, on_progress=interrupt)
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert (record["state"], record["patients_done"], record["patients_failed"]) == ("interrupted", 20, 2)
    begun: list[int] = []

    def counted(cohort, lo, *rest):
        begun.append(lo)
        return compute(cohort, lo, *rest)

    found = run(out=out, resume=True, compute=counted)
    assert begun == [20, 30]
    assert found.failed == 4
    run(out=whole, resume=True)  # in a new folder it begins
    assert contents(out) == contents(whole)
    assert run(out=out, resume=True, compute=divides).failed == 4  # nothing is left to compute


@pytest.mark.skipif(os.name != "posix", reason="Signals are sent as POSIX has them.")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_killed_and_resumed_is_the_same_to_the_bit(tmp_path: Path, how: signal.Signals) -> None:
    out, whole = tmp_path / "out", tmp_path / "whole"
    with child(out, "slow") as process:
        reach(process, 40)
        process.send_signal(how)
        process.communicate(timeout=30)
    assert process.returncode == -how
    kept = len(list((out / "endpoints").glob("part-*")))
    assert 4 <= kept < 20
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["state"] == ("interrupted" if how is signal.SIGINT else "running")
    with pytest.raises(InputError, match="already holds a run"):
        run(200, out=out)
    assert run(200, out=out, resume=True).failed == 20
    run(200, out=whole)
    assert contents(out) == contents(whole)


def child(out: Path, work: str, *more: str) -> subprocess.Popen[str]:
    """A process that simulates 200 fake patients, ten a chunk, and prints how many are done."""
    command = [sys.executable, "-W", "error", "-m", "tests.ensemble.fake", str(out), work, *more]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, text=True, start_new_session=True, **pipes)


def reach(process: subprocess.Popen[str], done: int) -> None:
    """Wait until so many patients are done."""
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= done:
            return
    raise AssertionError("it ended before")


def test_failures_and_summary() -> None:
    found = run()
    failures = found.failures()
    assert failures["patient"].tolist() == [3, 13, 23, 33]
    assert set(failures["failure"]) == {REASON}
    assert set(failures["failed_state"]) == {"callus.cartilage"}
    summary = found.summary().set_index(["arm", "endpoint"])
    assert list(summary.columns) == ["unit", "n", "reached", "median", "low", "high"]
    treated = summary.loc[("treated", "CTX_last")]
    assert (treated["unit"], treated["n"], treated["reached"]) == ("%", 36, 36)
    rows = found.endpoints()
    values = rows.loc[(rows["arm"] == "treated") & (rows["failure"] == ""), "CTX_last"]
    expected = np.quantile(values, (0.05, 0.5, 0.95))
    assert np.allclose(treated[["low", "median", "high"]].astype(float), expected, rtol=1e-12)
    assert summary.loc[("未治疗", "CTX_last")]["n"] == 40


def test_who_does_not_get_there_is_later_than_everyone() -> None:
    def late(*arguments):
        chunk = compute(*arguments)
        chunk.table["time_to_union"][::6] = np.nan
        return chunk

    place = ("treated", "time_to_union")
    treated, before = (run(compute=one).summary().set_index(["arm", "endpoint"]).loc[place] for one in (late, compute))
    assert treated["reached"] < treated["n"] == before["n"]
    assert np.isnan(treated["high"])
    assert treated["median"] > before["median"]
    assert quantiles(np.array([1.0, np.inf, np.inf]), (0.0, 0.25, 0.5))[0] == 1.0
    assert np.isnan(quantiles(np.array([1.0, np.inf]), (0.5, 1.0))).all()
    assert np.isnan(quantiles(np.array([]), (0.5,))).all()


def test_one_curve_by_name() -> None:
    found = run()
    assert found["CTX"].dims == ("arm", "patient", "time")
    with pytest.raises(InputError, match='did you mean "CTX"'):
        found["CTx_"]
    axes = found.plot("CTX")
    assert axes.get_ylabel().endswith("[%]")
    axes.figure.clear()


def test_one_word_simulates_both() -> None:
    course = osteon.simulate(osteon.Scenario.parse(TEXT), members=["J"])
    assert isinstance(course, osteon.Course)
    with pytest.raises(InputError, match="a scenario or a cohort can be simulated, and this is a str"):
        osteon.simulate("scenario")  # type: ignore[call-overload]

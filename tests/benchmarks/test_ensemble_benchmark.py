"""The benchmark's pieces: every peer solves the same thing, and times are read from sweeps as promised."""

import json
import math

import numba
import numpy as np
import pytest
from benchmarks.compiled import compiled
from benchmarks.ours import METHODS, operations, ours
from benchmarks.precision import Peer, Point, read
from benchmarks.workload import MONTH, VARIED, Patients, draw, relative_error, workload

from benchmarks import ensemble, floor, precision, report, scaling, scipy_peers
from osteon.engine.cache import kernel_for


@pytest.fixture(scope="module")
def base():
    """One year of turnover under two doses, which is compiled in seconds."""
    return workload(1, fracture=False)


@pytest.fixture(scope="module")
def patients(base) -> Patients:
    return draw(2, base)


@pytest.fixture(scope="module")
def truth(base, patients):
    return scipy_peers.reference(base, patients, 1e-9)


@pytest.fixture
def uncompiled(monkeypatch):
    """The same functions as plain Python, for a system that takes long to compile."""
    monkeypatch.setattr(numba.config, "DISABLE_JIT", True)
    compiled.cache_clear()
    yield
    compiled.cache_clear()


def test_the_workload_is_the_demo_over_five_years() -> None:
    base = workload()
    doses = [phase.start for phase in base.phases({}) if phase.impulses]
    assert (base.start, base.end) == (-36 * MONTH, 24 * MONTH)
    np.testing.assert_allclose(np.diff(doses), 6 * MONTH)
    assert len(doses) == 10
    assert len(base.times) == 61
    assert not set(base.times) & set(doses)
    assert base.present[base.times >= 0].all()
    assert not base.present[base.times < 0].all()


def test_patients_vary_as_said_and_do_not_depend_on_their_number() -> None:
    base = workload()
    many, few = draw(4000, base), draw(2, base)
    assert set(many.values) == set(VARIED) <= set(base.parameters)
    for key, cv in VARIED.items():
        assert np.std(many.values[key]) / np.mean(many.values[key]) == pytest.approx(cv, rel=0.1)
        np.testing.assert_array_equal(many.take(0, 2).values[key], few.values[key])
    assert few.times(3).one(3) == few.one(1)


@pytest.mark.parametrize(
    ("solve", "tolerance", "bound"),
    [(scipy_peers.plain, 1e-8, 1e-6), (scipy_peers.fast, 1e-8, 1e-6), (scipy_peers.vode, 1e-9, 1e-5)],
    ids=["scipy", "scipy-compiled", "vode"],
)
def test_scipy_peers_are_right(base, patients, truth, solve, tolerance, bound) -> None:
    states, seconds = solve(base, patients, tolerance, 1e-3)
    assert relative_error(states, truth, base).max() < bound
    assert (seconds > 0).all()


@pytest.mark.parametrize("fracture", [False, True])
def test_roadrunner_is_right_for_every_patient(fracture) -> None:
    """Initial states must follow each patient's parameters, and no fracture may be left from the patient before."""
    rr = pytest.importorskip("roadrunner")
    from benchmarks.roadrunner_peer import expansion, solve

    rr.Config.setValue(rr.Config.LLVM_BACKEND, rr.Config.LLJIT)  # compiles faster and runs slower
    base = workload(0.5, fracture=fracture)
    assert expansion(base)["factor"] >= 1
    states, seconds = solve(base, draw(2, base), 1e-8, 1e-3)
    assert relative_error(states, ours(base, draw(2, base), 1e-8)[0], base).max() < 1e-5
    assert (seconds > 0).all()


@pytest.mark.parametrize("backend", ["compiled", "python"])
def test_ours_is_right(base, patients, truth, backend) -> None:
    states, seconds, info = ours(base, patients, 1e-8, backend=backend)
    assert relative_error(states, truth, base).max() < 1e-5
    assert seconds > 0
    assert not info["failures"]
    assert (info["steps"] > 0).all()


def test_functions_of_a_healing_bone_are_its_kernel(uncompiled) -> None:
    base = workload()
    phase = base.phases(draw(1, base).one(0))[-1]
    functions, kernel = compiled(phase.system), kernel_for(phase.system)
    values = [phase.parameters[key] for key in functions.parameters]
    c, ours_rhs = functions.constants(np.array(values)), kernel.functions(values).rhs
    y = np.array(phase.system.initial(phase.parameters)) + 0.01 * base.scale
    np.testing.assert_allclose(functions.rhs(y, 0.0, c), ours_rhs(y.tolist()), rtol=1e-12, atol=1e-15)
    steps = 1e-6 * base.scale * np.eye(len(y))
    slopes = [(functions.rhs(y + h, 0.0, c) - functions.rhs(y - h, 0.0, c)) / (2 * h.sum()) for h in steps]
    np.testing.assert_allclose(functions.jacobian(y, 0.0, c), np.array(slopes).T, rtol=1e-5, atol=1e-7)


def test_a_fracture_adds_states_and_keeps_the_others() -> None:
    """Both back ends over the fracture, which starts another structure."""
    base = workload(0.5, doses=2)
    patients = draw(2, base)
    first, second = (ours(base, patients, 1e-7, backend=backend)[0] for backend in ("compiled", "python"))
    assert relative_error(first, second, base).max() < 1e-5


def test_a_failed_patient_counts_as_infinitely_wrong(base, truth) -> None:
    broken = truth.copy()
    broken[1, -1, 0] = np.nan
    assert relative_error(broken, truth, base).tolist() == [0.0, math.inf]


@pytest.mark.parametrize("method", METHODS)
def test_operations_of_a_step_are_counted_and_priced(base, patients, method) -> None:
    counts, steps = operations(base, patients, 1e-5, method)
    assert counts["add"] > 100
    assert steps == pytest.approx(ours(base, patients, 1e-5, method)[2]["steps"].mean())
    floors = floor.floor_of_step(counts)
    assert 0 < floors["fused"] < floors["realistic"]


def points(*pairs: tuple[float, float]) -> list[Point]:
    return [Point("", error, milliseconds, 0, 1) for error, milliseconds in pairs]


def test_times_are_interpolated_between_the_best_points() -> None:
    swept = points((1e-3, 1.0), (1e-5, 4.0), (2e-5, 9.0), (math.inf, 0.1))
    assert read(swept, 1e-4).milliseconds == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("swept", "target", "note"),
    [
        (points((1e-3, 1.0), (1e-5, 4.0)), 1e-6, "not reached"),
        (points((1e-5, 4.0), (1e-7, 9.0)), 1e-4, "sweep begins"),
        (points((math.inf, 1.0)), 1e-4, "no run succeeded"),
    ],
)
def test_nothing_is_extrapolated(swept, target, note) -> None:
    found = read(swept, target)
    assert found.milliseconds is None
    assert note in found.note


def test_a_power_law_is_found() -> None:
    assert precision.slope([1, 2, 4], [3, 6, 12]) == pytest.approx(1.0)


def test_the_whole_is_measured_shown_and_written(monkeypatch, tmp_path, capsys) -> None:
    """One command on two patients, with everything that takes time made small."""
    small = workload(1, fracture=False)
    peer = Peer("SciPy", (1e-3, 1e-5, 1e-8), (1e-2,), scipy_peers.fast, 1)
    monkeypatch.setenv("OSTEON_CACHE", str(tmp_path))
    monkeypatch.setattr(ensemble, "workload", lambda: small)
    monkeypatch.setattr(ensemble, "_REFERENCE", 1e-8)
    monkeypatch.setattr(ensemble, "_TIGHTER", 1e-9)
    monkeypatch.setattr(precision, "PEERS", {"scipy": peer})
    monkeypatch.setattr(precision, "sweep_ours", lambda *_, **__: iter(points((1e-3, 0.1), (1e-7, 0.4))))
    monkeypatch.setattr(scaling, "by_patients", lambda *_: scaling.Series("patients", [], 1.02, 1))
    monkeypatch.setattr(scaling, "by_years", lambda *_, fracture: scaling.Series(f"years {fracture}", [], 0.8, 1))
    monkeypatch.setattr(scaling, "by_doses", lambda *_: scaling.Series("doses", [scaling.Row(1, 1, 1, 1, 1)], 0.1, 1))
    threads = scaling.Series("threads", [], math.nan, 1, {"speed_up": 1.95})
    monkeypatch.setattr(scaling, "by_threads", lambda *_: threads)
    monkeypatch.setattr(scaling, "arithmetic", lambda *_: ARITHMETIC)
    target = tmp_path / "out.json"
    assert ensemble.main(["--quick", "--patients", "2", "--peers", "ours,scipy", "--json", str(target)]) == 0
    written = json.loads(target.read_text())
    assert {one["aim"]: one["met"] for one in written["aims"]} == {
        ">= 200x scipy at 1e-04": False,
        ">= 100x scipy at 1e-06": False,
        "linear in patients (1 +- 0.05)": True,
        "linear in years True (1 +- 0.05)": False,
        "linear in years False (1 +- 0.05)": False,
        "two threads >= 1.9x": True,
    }
    assert written["reference"]["difference_to_1e-11"] < 1e-5
    assert all(point["repeats"] == 1 for point in written["sweeps"]["scipy"])
    assert "missed" in capsys.readouterr().out


ARITHMETIC = {
    "method": "Rodas5P",
    "operations_per_step": {"add": 1.0},
    "measured_nanoseconds_per_step": 2.0,
    "floor_nanoseconds": {"fused": 1.0, "realistic": 1.5},
    "measured_over_floor": {"fused": 2.0, "realistic": 4 / 3},
}


def test_an_unknown_peer_is_refused(capsys) -> None:
    with pytest.raises(SystemExit):
        ensemble.main(["--peers", "ours,matlab"])
    assert "matlab is not known" in capsys.readouterr().err


def test_what_could_not_be_read_is_not_called_missed() -> None:
    unread = {"target": 1e-4, "milliseconds": None, "note": "sweep begins at 1e-05"}
    known = {"target": 1e-4, "milliseconds": 1.0, "note": ""}
    result = {"readings": {"ours": [known], "roadrunner": [unread]}}
    (first, *_) = report.aims(result)
    assert first["met"] is None

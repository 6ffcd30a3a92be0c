"""The compiled kernel: the same answers as plain Python and SciPy, whatever the company a patient keeps."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from osteon.engine.ensemble import Solver
from osteon.engine.lanes import driver
from osteon.engine.lanes.job import Job, run
from osteon.engine.lanes.making import obtain
from osteon.engine.one_by_one import one_patient
from osteon.engine.rosenbrock import RODAS4, RODAS5P
from osteon.engine.solve import Phase
from osteon.model.system import System
from osteon.model.systems import assemble
from tests.engine import toys
from tests.support import prototype_parameters, values_of


def job_of(system: System, values: dict[str, np.ndarray], end: np.ndarray, **changed) -> tuple:
    """Code and job of patients who start at baseline at day 0; all states are observed on a common grid."""
    kernel = obtain(system)
    size = len(end)
    given = {key: np.broadcast_to(np.asarray(values[key], float), (size,)) for key in kernel.parameters}
    full = {**{key: record.value for key, record in system.parameters.items()}, **given}
    initial = np.stack([np.broadcast_to(np.asarray(v, float), (size,)) for v in system.initial(full)], 1)
    grid = changed.pop("grid", np.linspace(0, float(end.max()), 41))
    job = Job(
        start=np.zeros(size),
        end=np.asarray(end, float),
        initial=initial,
        parameters=np.stack(list(given.values()), 1),
        event_time=np.zeros((size, 0)),
        event_amount=np.zeros((size, 0)),
        event_state=np.zeros((size, 0), np.int64),
        event_count=np.zeros(size, np.int64),
        grid=grid,
        window=np.stack([np.zeros(size, np.int64), np.searchsorted(grid, end, side="right")], 1),
        select=np.arange(len(kernel.states)),
        skip=np.zeros(size, bool),
    )
    return kernel.code, replace(job, **changed)


def variety(size: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Values of the shipped model for patients who differ in many parameters."""
    rng = np.random.default_rng(seed)
    values = {key: np.full(size, value) for key, value in values_of(prototype_parameters()).items()}
    for key in values:
        if key.startswith(("denosumab.", "turnover.", "callus.factor", "healing.")):
            values[key] = values[key] * np.exp(0.2 * rng.standard_normal(size))
    return values


def under_doses(size: int, days: float = 400.0) -> tuple:
    """The whole system under doses at each patient's own times, with horizons of their own."""
    system = assemble(fractured=True, drugs=["denosumab"])
    rng = np.random.default_rng(2)
    times = np.sort(rng.uniform(0, days, (size, 3)), axis=1)
    state = list(system.states).index(system.dose_target("denosumab", "subcutaneous")[0])
    return job_of(
        system,
        variety(size),
        rng.uniform(0.3, 1.0, size) * days,
        event_time=times,
        event_amount=rng.uniform(20, 120, (size, 3)),
        event_state=np.full((size, 3), state),
        event_count=rng.integers(0, 4, size),
    )


def one(**given: np.ndarray) -> dict:
    """Parameters of `toys.one_state`, zero where not given."""
    return {f"one.{name}": given.get(name, 0.0) for name in ("square", "plain", "loss")}


def part_of(job: Job, places: np.ndarray) -> Job:
    """The same job for some patients, in any order."""
    shared = {"grid": job.grid, "select": job.select}
    return Job(**{name: given if name in shared else given[places] for name, given in vars(job).items()})


def test_company_changes_nothing_to_the_last_bit() -> None:
    """One or two threads, alone or in any chunk, in any order: each patient has the same bits."""
    code, job = under_doses(37)
    whole = run(code, job, RODAS5P, 1e-5)
    assert (whole.status == driver.DONE).all()
    assert np.isfinite(whole.last).all()
    order = np.random.default_rng(3).permutation(37)
    runs = [run(code, job, RODAS5P, 1e-5, threads=2), run(code, part_of(job, order), RODAS5P, 1e-5, threads=2)]
    places = [np.arange(37), order]
    for chunk in (1, 7, 8, 20):
        pieces = [np.arange(lo, min(37, lo + chunk)) for lo in range(0, 37, chunk)]
        for piece in pieces if chunk > 1 else pieces[:5]:
            runs.append(run(code, part_of(job, piece), RODAS5P, 1e-5))
            places.append(piece)
    for found, place in zip(runs, places, strict=True):
        for name in ("out", "last", "steps", "rejected"):
            np.testing.assert_array_equal(getattr(found, name), getattr(whole, name)[place], err_msg=name)


def test_steps_are_those_of_plain_python() -> None:
    """Both back ends are one method: same steps, same curves, up to rounding."""
    system, size = assemble(fractured=True, drugs=["denosumab"]), 3
    values = variety(size)
    grid = np.linspace(0, 300, 61)
    amount = values["denosumab.bioavailability"] * np.array([60.0, 60.0, 120.0])
    start = np.array([0.0, 3.5, 11.0])
    phases = [
        Phase(0.0, assemble(fractured=True), values),  # pyright: ignore[reportArgumentType]
        Phase(start, system, values, {"denosumab.depot": amount}),  # pyright: ignore[reportArgumentType]
        Phase(start + 180.0, system, values, {"denosumab.depot": amount}),  # pyright: ignore[reportArgumentType]
    ]
    names = ["torsional_stiffness", "CTX", "callus_free_rankl", "denosumab_serum", "BMD_total_hip", "pth"]
    end = np.array([300.0, 250.0, 300.0])
    ours = Solver(size, grid, names, obtain).solve(phases, end)
    plain = Solver(size, grid, names, None).solve(phases, end)
    assert ours.steps.tolist() == plain.steps.tolist()
    assert not ours.failures
    for name in names:
        np.testing.assert_allclose(ours.curves[name], plain.curves[name], rtol=1e-9, atol=1e-10, err_msg=name)
    assert np.isnan(ours.curves["CTX"][1, grid > 250]).all()


@pytest.mark.parametrize("method", [RODAS4, RODAS5P], ids=lambda method: method.name)
def test_robertson_against_scipy(method) -> None:
    """Any assembled system: here one that osteon does not ship, stiff over eleven powers of ten."""
    system = toys.robertson()
    slow = np.array([0.04, 0.02, 0.08])
    end = np.array([1e4, 1e3, 3e4])
    grid = np.array([0.0, 0.4, 4.0, 40.0, 400.0, 1e3, 1e4, 3e4])
    values = {"robertson.slow": slow, "robertson.fast": np.full(3, 3e7), "robertson.back": np.full(3, 1e4)}
    code, job = job_of(system, values, end, grid=grid)
    found = run(code, job, method, 1e-8)
    for place in range(3):
        times = grid[grid <= end[place]]
        k = slow[place]
        reference = solve_ivp(
            lambda t, y, k=k: [
                -k * y[0] + 1e4 * y[1] * y[2],
                k * y[0] - 1e4 * y[1] * y[2] - 3e7 * y[1] ** 2,
                3e7 * y[1] ** 2,
            ],
            (0, end[place]),
            [1, 0, 0],
            "Radau",
            t_eval=times,
            rtol=1e-11,
            atol=1e-15,
        ).y.T
        np.testing.assert_allclose(found.out[place, : len(times)], reference, rtol=2e-6, atol=1e-12)
        assert np.isnan(found.out[place, len(times) :]).all()


def test_doses_of_a_foreign_system_fall_at_each_patients_own_times() -> None:
    """Several doses on one day, a dose on the first and on the last day, and none at all."""
    system = toys.oscillator()
    times = np.array([[0.0, 3.0, 3.0], [2.5, 7.0, 20.0], [9.0, 9.0, 9.0]])
    amounts = np.array([[1.0, 2.0, 0.5], [3.0, 1.0, 5.0], [9.0, 9.0, 9.0]])
    counts = np.array([3, 3, 0])
    damping = np.array([5.0, 0.5, 2.0])
    values = {key: np.full(3, system.parameters.value(key)) for key in obtain(system).parameters}
    values["oscillator.damping"] = damping
    code, job = job_of(
        system, values, np.array([20.0, 20.0, 12.0]), grid=np.linspace(0, 20, 81),
        event_time=times, event_amount=amounts, event_state=np.zeros((3, 3), np.int64), event_count=counts,
    )  # fmt: skip
    found = run(code, job, RODAS5P, 1e-8)
    names = list(obtain(system).states)
    assert names == ["oscillator.depot", "oscillator.v", "oscillator.x"]
    for place, stop in enumerate((20.0, 20.0, 12.0)):
        own = {key: float(value[place]) for key, value in values.items()}

        def rhs(_, y, own=own):
            return system.evaluate(list(y), {"oscillator.share": 1.0, **own}.__getitem__)[0]

        y, at, expected = np.array([0.0, 0.0, 1.0]), 0.0, []
        moments = sorted({*times[place, : counts[place]], stop})
        for moment in moments:
            inside = job.grid[(job.grid >= at) & (job.grid < moment)]
            if moment > at:
                solution = solve_ivp(rhs, (at, moment), y, "Radau", t_eval=[*inside, moment], rtol=1e-11, atol=1e-13)
                expected += list(solution.y.T[:-1])
                y = solution.y[:, -1]
            if moment < stop:
                y[0] += amounts[place, : counts[place]][times[place, : counts[place]] == moment].sum()
            at = moment
        expected.append(y)
        np.testing.assert_allclose(found.out[place, : len(expected)], expected, rtol=1e-5, atol=1e-5)


def test_a_patient_that_fails_is_named_and_the_rest_go_on() -> None:
    """Infinite growth in one patient of nine: day, state and reason are said, nobody else is touched."""
    system = toys.one_state()
    rate = np.array([0.1, 0.1, 1.0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    grid = np.linspace(0, 2, 5)
    phases = [Phase(0.0, system, one(square=rate))]  # pyright: ignore[reportArgumentType]
    for kernel in (obtain, None):
        solved = Solver(9, grid, ["one_y"], kernel).solve(phases, 2.0)
        assert list(solved.failures) == [2]
        failure = solved.failures[2]
        assert failure.state == "one.y"
        assert failure.day == pytest.approx(1.0, abs=1e-5)
        assert failure.reason == "no step was small enough at day 1 (one.y)"
        assert np.isnan(solved.curves["one_y"][2]).all()
        others = np.delete(solved.curves["one_y"], 2, 0)
        np.testing.assert_allclose(others, np.broadcast_to(1 / (1 - 0.1 * grid), others.shape), rtol=1e-5)


def test_a_state_that_falls_below_zero_is_a_failure() -> None:
    system = toys.one_state()
    rate = np.array([0.1, 1.0])
    solved = Solver(2, np.linspace(0, 2, 5), ["one_y"], obtain).solve(
        [Phase(0.0, system, one(loss=rate))],  # pyright: ignore[reportArgumentType]
        2.0,
    )
    assert list(solved.failures) == [1]
    assert "one.y became negative, -0.5 on day 1.5" in solved.failures[1].reason
    np.testing.assert_allclose(solved.curves["one_y"][0], 1 - 0.1 * np.linspace(0, 2, 5), atol=1e-9)


def test_too_many_steps_end_a_patient() -> None:
    code, job = under_doses(3)
    found = run(code, job, RODAS5P, 1e-5, most_steps=20)
    assert (found.status == driver.TOO_MANY).all()
    assert (found.steps == 20).all()
    assert np.isnan(found.out).all()
    assert (found.reached > 0).all()


def test_a_pivot_of_zero_halves_the_step() -> None:
    """Where 1/(gamma h) equals the rate of growth the matrix is singular at the very first step."""
    system = toys.one_state()
    rate = 1.0 / (RODAS5P.gamma * driver.FIRST_STEP)
    values = one(plain=np.array([rate, 1.0]))
    code, job = job_of(system, values, np.array([0.02, 0.02]), grid=np.array([0.0, 0.01, 0.02]))
    found = run(code, job, RODAS5P, 1e-9)
    assert found.rejected[0] >= 1
    expected = np.exp(np.outer(values["one.plain"], job.grid))
    np.testing.assert_allclose(found.out[:, :, 0], expected, rtol=1e-6)


def test_lockstep_lanes_share_every_step() -> None:
    """Eight patients in a row take the same steps, so that small differences between them are smooth."""
    code, job = under_doses(16, 200.0)
    same = {
        "event_time": job.event_time[:1],
        "event_count": np.full(1, 3),
        "end": job.end[:1],
        "window": job.window[:1],
    }
    job = replace(job, **{name: np.repeat(given, 16, axis=0) for name, given in same.items()})
    found = run(code, job, RODAS5P, 1e-5, lockstep=True, threads=2)
    assert (found.status == driver.DONE).all()
    for eight in (slice(0, 8), slice(8, 16)):
        assert len(set(found.steps[eight].tolist())) == 1
    free = run(code, job, RODAS5P, 1e-5)
    assert len(set(free.steps.tolist())) > 1
    assert found.steps[0] >= free.steps[:8].max()
    np.testing.assert_allclose(found.last, free.last, rtol=1e-3, atol=1e-3)


def test_what_is_not_wanted_is_not_run() -> None:
    code, job = under_doses(9)
    skip = np.zeros(9, bool)
    skip[[0, 4]] = True
    found, whole = run(code, replace(job, skip=skip), RODAS5P, 1e-5), run(code, job, RODAS5P, 1e-5)
    assert np.isnan(found.out[skip]).all()
    np.testing.assert_array_equal(found.out[~skip], whole.out[~skip])


def test_lockstep_passes_over_an_eight_of_whom_nobody_runs() -> None:
    """Patients that failed earlier must not take those after them along."""
    code, job = under_doses(24, 200.0)
    skip = np.zeros(24, bool)
    skip[:8] = True
    found = run(code, replace(job, skip=skip), RODAS5P, 1e-5, lockstep=True)
    assert (found.status[:8] == driver.SKIPPED).all()
    assert (found.status[8:] == driver.DONE).all()
    assert np.isfinite(found.last[8:]).all()


def test_a_dose_on_the_last_day_counts_on_it() -> None:
    """First or repeated, in both back ends."""
    system, values = assemble(fractured=False, drugs=["denosumab"]), variety(2)
    dose = {"denosumab.depot": 30.0}
    for first in (-30.0, 84.0):
        phases = [Phase(-60.0, assemble(fractured=False), values)]  # pyright: ignore[reportArgumentType]
        phases += [Phase(day, system, values, dose) for day in sorted({first, 84.0})]  # pyright: ignore[reportArgumentType]
        for kernel in (obtain, None):
            solved = Solver(2, np.array([80.0, 84.0]), ["denosumab_depot"], kernel).solve(phases, 84.0)
            np.testing.assert_allclose(solved.curves["denosumab_depot"][:, 1], 30.0, rtol=1e-3)


@pytest.mark.parametrize("value", [0.0, 1e300])
def test_no_parameter_value_ends_a_run(value: float) -> None:
    """Whatever a table holds, a patient fails or is solved, and its neighbour is not touched."""
    system = assemble(fractured=True, drugs=["denosumab"])
    usual = values_of(prototype_parameters())
    keys = list(system.parameter_keys)
    values = {key: np.full(len(keys) + 1, usual[key]) for key in usual}
    for place, key in enumerate(keys):
        values[key][place] = value
    phases = [Phase(0.0, system, values, {"denosumab.depot": 38.0})]  # pyright: ignore[reportArgumentType]
    solved = Solver(len(keys) + 1, np.array([0.0, 30.0]), ["torsional_stiffness"], obtain).solve(phases, 30.0)
    assert len(keys) not in solved.failures
    for place in range(len(keys) + 1):
        failed = place in solved.failures
        assert np.isnan(solved.curves["torsional_stiffness"][place]).all() == failed
    for place in (*sorted(solved.failures)[:3], 0):
        plain = Solver(1, np.array([0.0, 30.0]), ["torsional_stiffness"], None).solve(one_patient(phases, place), 30.0)
        if place not in solved.failures:
            assert not plain.failures


def test_an_interruption_stops_every_thread() -> None:
    code, job = under_doses(200, 2000.0)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(code, job, RODAS5P, 1e-11, threads=2, on_poll=stop)


def test_steps_of_the_demo_hold_the_speed() -> None:
    """Steps per patient, the other factor of the cost: a year of healing under two doses."""
    system = assemble(fractured=True, drugs=["denosumab"])
    values = {key: np.full(1, value) for key, value in values_of(prototype_parameters()).items()}
    state = list(system.states).index("denosumab.depot")
    code, job = job_of(
        system, values, np.array([365.0]), event_time=np.array([[0.0, 182.0]]),
        event_amount=np.array([[38.0, 38.0]]), event_state=np.full((1, 2), state), event_count=np.array([2]),
    )  # fmt: skip
    found = run(code, job, RODAS5P, 3e-6)
    assert found.steps[0] <= 330
    assert found.rejected[0] <= 20

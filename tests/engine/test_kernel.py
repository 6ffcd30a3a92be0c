"""Generated kernels: same rates as the model, right Jacobian, kept soundly."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from osteon.engine import cache
from osteon.engine.rosenbrock import RODAS5P, Functions, Trajectory
from osteon.errors import SolveError
from osteon.model.systems import DRUGS, assemble
from tests.support import prototype_parameters, values_of

SYSTEMS = [
    {"fractured": False},
    {"fractured": True},
    {"fractured": False, "drugs": ["denosumab"]},
    {"fractured": True, "drugs": ["denosumab"]},
    {"fractured": True, "imposed": ["free_rankl", "callus_free_rankl", "pth", "bisphosphonate_inhibition"]},
    {"fractured": True, "skeleton": False},
    {"fractured": False, "drugs": list(DRUGS)},
]


def _point(system, seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    return [state.scale * rng.uniform(0.02, 0.4) for state in system.states.values()]


def _values(system) -> dict[str, float]:
    return values_of(prototype_parameters(imposed=dict.fromkeys(system.imposed, 0.3)))


@pytest.mark.parametrize("options", SYSTEMS, ids=str)
def test_rates_and_jacobian_are_those_of_the_model(options) -> None:
    system = assemble(**options)
    kernel = cache.kernel_for(system)
    values = _values(system)
    functions = kernel.functions([values[key] for key in kernel.parameters])
    for seed in range(3):
        y = _point(system, seed)
        direct, _ = system.evaluate(y, values.__getitem__)
        np.testing.assert_allclose(functions.rhs(y), direct, rtol=1e-11, atol=1e-13)

        n, a = len(y), 2.0
        jacobian = np.empty((n, n))
        for j, state in enumerate(system.states.values()):
            step = 1e-6 * state.scale
            up, down = list(y), list(y)
            up[j] += step
            down[j] -= step
            jacobian[:, j] = (np.array(functions.rhs(up)) - np.array(functions.rhs(down))) / (2 * step)
        f, lu = functions.factor(y, a)
        np.testing.assert_allclose(f, direct, rtol=1e-11, atol=1e-13)
        b = np.random.default_rng(seed).uniform(-1, 1, n)
        # The scaled solutions are compared, since states differ in size.
        size = np.array([state.scale for state in system.states.values()])
        expected = np.linalg.solve(a * np.eye(n) - jacobian, b)
        np.testing.assert_allclose(
            np.array(functions.solve(lu, b.tolist())) / size, expected / size, rtol=1e-6, atol=1e-6
        )


def _decay(rate: float) -> Functions:
    """dy/dt = -rate y**2 written by hand, with the same calls as a kernel."""
    return Functions(
        rhs=lambda y: [-rate * y[0] ** 2],
        factor=lambda y, a: ([-rate * y[0] ** 2], (a + 2 * rate * y[0],)),
        solve=lambda lu, b: [b[0] / lu[0]],
    )


def test_order_of_step_and_of_dense_output() -> None:
    """A fixed step of the fifth-order method falls in error as its order says, and so does its dense output."""
    exact = lambda t: 1 / (1 + t)  # noqa: E731
    ends, middles = [], []
    for h in (0.1, 0.05, 0.025):
        trajectory = Trajectory(_decay(1.0), 0.0, [1.0], [1.0], 1e30)
        y, t, middle = np.array([1.0]), 0.0, 0.0
        while t < 1 - 1e-12:
            new, stages = trajectory._stages(y, h)
            k1, k2, k3 = trajectory._output @ stages
            inside = 0.5 * y + 0.5 * (new + 0.5 * (k1 + 0.5 * (k2 + 0.5 * k3)))
            middle = max(middle, abs(float(inside[0]) - exact(t + h / 2)))
            y, t = new, t + h
        ends.append(abs(float(y[0]) - exact(1.0)))
        middles.append(middle)
    assert np.log2(np.array(ends[:-1]) / ends[1:]).min() > 4.6
    assert np.log2(np.array(middles[:-1]) / middles[1:]).min() > 3.7


def test_tableau_is_consistent() -> None:
    """Stages of the table end where they should: last rows share their head, weights of the step follow from it."""
    assert len(RODAS5P.a) == len(RODAS5P.c) == 8
    assert RODAS5P.a[6] == (*RODAS5P.a[5], 1.0)
    assert RODAS5P.a[7] == (*RODAS5P.a[6], 1.0)


def test_trajectory_does_not_depend_on_what_was_asked() -> None:
    """Asking early, late or often leaves the steps alone, to the last bit."""
    often = Trajectory(_decay(1.0), 0.0, [1.0], [1.0], 1e-6)
    for t in np.linspace(0, 30, 77):
        often.at(float(t))
    once = Trajectory(_decay(1.0), 0.0, [1.0], [1.0], 1e-6)
    assert once.at(30.0) == often.at(30.0)
    assert once.t == often.t


def test_a_solution_that_ends_is_an_error_not_a_loop() -> None:
    """dy/dt = y**2 from 1 is infinite at day 1."""
    with pytest.raises(SolveError, match=r"no step was small enough at day 1$"):
        Trajectory(_decay(-1.0), 0.0, [1.0], [1.0], 1e-6).at(2.0)


# ---- keeping kernels -----------------------------------------------------------------------------------------------


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OSTEON_CACHE", str(tmp_path / "kernels"))
    cache.kernel_for.cache_clear()
    yield tmp_path / "kernels"
    cache.kernel_for.cache_clear()


def test_kept_kernel_is_found_again(fresh: Path) -> None:
    system = assemble(fractured=False)
    assert not cache.is_cached(system)
    built = cache.kernel_for(system)
    assert cache.is_cached(system)
    cache.kernel_for.cache_clear()
    assert cache.kernel_for(system).parameters == built.parameters
    assert [p.suffix for p in fresh.iterdir()] == [".py"]


@pytest.mark.parametrize("damage", [b"", b"garbage", None], ids=["empty", "garbage", "one changed digit"])
def test_damaged_kernel_is_built_again(fresh: Path, damage: bytes | None) -> None:
    system = assemble(fractured=False)
    cache.kernel_for(system)
    (path,) = fresh.iterdir()
    sound = path.read_bytes()
    path.write_bytes(sound.replace(b"1.0/", b"2.0/", 1) if damage is None else damage)
    assert path.read_bytes() != sound
    cache.kernel_for.cache_clear()
    cache.kernel_for(system)
    assert path.read_bytes() == sound


def test_folder_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("OSTEON_CACHE", str(blocked / "kernels"))
    cache.kernel_for.cache_clear()
    system = assemble(fractured=False)
    assert cache.kernel_for(system).states == tuple(system.states)
    cache.kernel_for.cache_clear()


def test_read_only_folder_is_done_without(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    system = assemble(fractured=False)
    assert cache.kernel_for(system).states == tuple(system.states)
    assert list(fresh.iterdir()) == []


def test_key_follows_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    system = assemble(fractured=True)
    before = cache.content_key(system)
    text = cache._text
    monkeypatch.setattr(cache, "_text", lambda path: text(path) + (b"#" if path.name == "callus.py" else b""))
    assert cache.content_key(system) != before
    assert cache.content_key(assemble(fractured=False)) == cache.content_key(assemble(fractured=False))


def test_sympy_is_not_loaded_when_the_kernel_is_kept() -> None:
    cache.kernel_for(assemble(fractured=True))
    code = (
        "import sys; from osteon.engine.cache import kernel_for; from osteon.model.systems import assemble;"
        "kernel_for(assemble(fractured=True)); sys.exit('sympy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == 0

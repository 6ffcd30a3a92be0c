"""Compiled kernels on disk: made once, noticed when damaged, raced for safely, done without where none can be kept."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from osteon.engine.lanes import making
from osteon.engine.lanes.making import Build, obtain
from osteon.engine.lanes.store import lane_key
from osteon.errors import SolveError
from osteon.model.systems import assemble
from tests.engine import toys

_ROOT = Path(__file__).parents[2]
_SOLVE = """
import numpy as np
from osteon.engine.ensemble import Solver
from osteon.engine.lanes.making import obtain
from osteon.engine.solve import Phase
from tests.engine import toys
values = {"one.square": 0.0, "one.plain": np.array([1.0, -1.0]), "one.loss": 0.0}
solved = Solver(2, np.array([0.0, 1.0]), ["one_y"], obtain).solve([Phase(0.0, toys.one_state(), values)], 1.0)
print(solved.curves["one_y"][:, 1].tolist())
"""


def start(folder: Path) -> subprocess.Popen:
    """Another process that solves a small system with the kernels in `folder`."""
    environment = {**os.environ, "OSTEON_CACHE": str(folder), "PYTHONPATH": str(_ROOT)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", _SOLVE], env=environment, cwd=_ROOT, **pipes)


def answer(process: subprocess.Popen) -> str:
    """What it said beside the right answer."""
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert eval(out) == pytest.approx([2.718281828, 0.367879441], rel=1e-6)
    return errors


def test_a_kernel_is_made_once_raced_for_safely_and_made_again_when_damaged(tmp_path: Path) -> None:
    racers = [start(tmp_path), start(tmp_path)]
    assert all("compiling one, once" in answer(racer) for racer in racers)
    (kernel,) = tmp_path.iterdir()  # one file, and nothing half-written beside it
    whole = kernel.read_bytes()

    assert answer(start(tmp_path)) == ""
    assert kernel.read_bytes() == whole

    kernel.write_bytes(whole[: len(whole) // 2])
    said = answer(start(tmp_path))
    assert "damaged and is made again" in said
    assert "compiling" in said
    assert kernel.read_bytes() == whole

    kernel.write_bytes(whole[:-9] + b"x" + whole[-8:])
    assert "damaged" in answer(start(tmp_path))
    assert answer(start(tmp_path)) == ""


def test_where_nothing_can_be_kept_everything_still_works(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    said = answer(start(blocked))
    assert "is not kept" in said
    assert blocked.read_text() == ""


def test_the_name_covers_model_and_structure() -> None:
    keys = {lane_key(assemble(fractured=f, drugs=d)) for f in (True, False) for d in ([], ["denosumab"])}
    assert len(keys) == 4
    assert lane_key(toys.one_state()) == lane_key(toys.one_state())


def test_systems_of_osteon_are_made_from_a_recipe_and_foreign_ones_from_their_text() -> None:
    assert making._recipe(assemble(fractured=True, imposed=["pth"])) is not None
    assert making._recipe(assemble(fractured=True, skeleton=False)) is not None
    assert making._recipe(toys.oscillator()) is None


def test_a_warm_start_compiles_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of compilations, once a kernel is at hand, is none."""
    system = assemble(fractured=True, drugs=["denosumab"])
    obtain(system)
    monkeypatch.setattr(making, "Build", None)
    assert obtain(system).states == tuple(system.states)


def test_what_the_compiler_says_reaches_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OSTEON_CACHE", str(tmp_path))
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(SolveError, match=r"compiled kernel of oscillator could not be made: .*No such file"):
        Build(toys.oscillator()).wait()
    assert not list(tmp_path.iterdir())

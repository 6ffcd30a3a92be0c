"""Help is instant and complete."""

import json
from pathlib import Path

import pytest

from osteon.cli.app import app

from .conftest import Call, run_process

COMMANDS = tuple(str(command.name) for command in app.registered_commands)
HEAVY = (
    "numpy",
    "pandas",
    "xarray",
    "sympy",
    "pint",
    "pydantic",
    "scipy",
    "matplotlib",
    "jinja2",
    "pyarrow",
    "yaml",
    "lifelines",
)
SPY = f"""
import json, sys
from osteon.cli import main
try:
    main()
finally:
    print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("heal", "--help"), ("--version",)])
def test_help_imports_nothing_heavy(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    said = run_process(*arguments, cwd=tmp_path, code=SPY)
    assert said.code == 0
    # typer itself brings pydantic to read arguments.
    assert set(json.loads(said.err)) <= (set() if arguments[0] in ("-h", "--help") else {"pydantic"})


def test_importing_osteon_imports_nothing_heavy(tmp_path: Path) -> None:
    said = run_process(cwd=tmp_path, code=f"import osteon, sys; print([n for n in {HEAVY!r} if n in sys.modules])")
    assert said == (0, "[]\n", "")


def test_help_lists_the_commands(call: Call) -> None:
    said = call("--help")
    assert said.code == 0
    for command in COMMANDS:
        assert f" {command} " in said.out
    assert "no treatment advice" in " ".join(said.out.replace("│", " ").split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(call: Call, command: str) -> None:
    said = call(command, "--help")
    assert said.code == 0
    assert f"Usage: osteon {command}" in said.out


def test_version(call: Call) -> None:
    import osteon

    assert call("--version") == (0, f"osteon {osteon.__version__}\n", "")


def test_runs_as_a_module(tmp_path: Path) -> None:
    said = run_process(cwd=tmp_path, code="import runpy, sys; sys.argv[1:] = ['--version']; runpy.run_module('osteon')")
    assert said.code == 0
    said = run_process("--version", cwd=tmp_path, code="import runpy; runpy.run_module('osteon', run_name='__main__')")
    assert said.out.startswith("osteon ")


@pytest.mark.parametrize("arguments", [("cure",), ("heal",), ("heal", "a.yaml", "--lang", "fr"), ("demo", "--fast")])
def test_wrong_usage_is_bad_input(call: Call, arguments: tuple[str, ...]) -> None:
    said = call(*arguments)
    assert said.code == 2
    assert said.out == ""
    assert "Usage: osteon" in said.err

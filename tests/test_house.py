"""The rules of the house: pins, sizes of modules, versions, and what the READMEs promise."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

import osteon

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "osteon"
MODULES = sorted(PACKAGE.rglob("*.py"))
READMES = ("README.md", "README.zh-CN.md")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LONGEST = 500
PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][A-Za-z0-9.]*")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins() -> dict[str, str]:
    lines = [line for line in text("constraints.txt").splitlines() if line and not line.startswith("#")]
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, _, version in (s.partition("==") for s in lines)}


def required() -> set[str]:
    """Names of every package that osteon asks for, with all its extras."""
    asked = [*PROJECT["dependencies"], *(one for extra in PROJECT["optional-dependencies"].values() for one in extra)]
    names = {re.match(r"[A-Za-z0-9._-]+", one)[0] for one in asked}  # type: ignore[index]
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names} - {"osteon"}


def test_pins_are_names_and_versions_only() -> None:
    lines = text("constraints.txt").splitlines()
    assert all(line.startswith("#") or PIN.fullmatch(line) for line in lines), "a pin carries more than its version"
    assert "://" not in text("constraints.txt")
    assert "@" not in text("constraints.txt")


def test_everything_asked_for_is_pinned() -> None:
    assert required() <= set(pins())


def test_no_file_of_download_addresses_is_kept() -> None:
    for name in ("uv.lock", "poetry.lock", "Pipfile.lock", "pdm.lock", "requirements.lock"):
        assert not (ROOT / name).exists()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_short_and_documented(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= LONGEST
    tree = ast.parse(source)
    assert ast.get_docstring(tree) or not tree.body


def test_only_the_command_line_prints() -> None:
    for path in MODULES:
        if path.is_relative_to(PACKAGE / "cli"):
            continue
        calls = [n.func for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)]
        assert not [call for call in calls if isinstance(call, ast.Name) and call.id == "print"], path


def test_no_error_is_caught_blindly() -> None:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                named = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)} if node.type else set()
                assert node.type is not None, path
                assert not named & {"Exception", "BaseException"}, path


def test_the_version_is_the_same_everywhere() -> None:
    version = PROJECT["version"]
    assert osteon.__version__ == version
    assert f"## {version}" in text("CHANGELOG.md")
    assert re.search(rf"^version: {re.escape(version)}$", text("CITATION.cff"), re.MULTILINE)


def test_the_changelog_keeps_its_headings() -> None:
    headings = set(re.findall(r"^### (.+)$", text("CHANGELOG.md"), re.MULTILINE))
    assert headings <= {"Added", "Changed", "Fixed", "Results change"}


def test_every_public_name_is_there() -> None:
    for name in osteon.__all__:
        assert getattr(osteon, name) is not None
    with pytest.raises(AttributeError, match="has no attribute"):
        osteon.simulation_of_everything  # noqa: B018


def commands(name: str) -> set[str]:
    """Commands in a README's code: ``osteon heal``, ``make demo``."""
    blocks = re.findall(r"^```[a-z]*\n(.*?)^```", text(name), re.DOTALL | re.MULTILINE)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text(name), flags=re.DOTALL | re.MULTILINE))
    code = "\n".join([*blocks, *spans])
    return set(re.findall(r"^(?:osteon|make) [a-z]+", code, re.MULTILINE))


@pytest.mark.parametrize("name", READMES)
def test_readme_commands_exist(name: str) -> None:
    from osteon.cli.app import app

    known = {f"osteon {command.name}" for command in app.registered_commands}
    known |= {f"make {target}" for target in re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE)}
    found = commands(name)
    assert found <= known
    assert {f"osteon {command.name}" for command in app.registered_commands} <= found
    assert {"make demo", "make test"} <= found


def test_the_readmes_agree() -> None:
    first, second = READMES
    assert commands(first) == commands(second)
    blocks = [re.findall(r"^```yaml\n(.*?)^```", text(name), re.DOTALL | re.MULTILINE) for name in READMES]
    assert [osteon.Scenario.parse(one).content_hash() for one in blocks[0]] == [
        osteon.Scenario.parse(one).content_hash() for one in blocks[1]
    ]
    assert "骨瘤" not in text(second)


@pytest.mark.parametrize("name", READMES)
def test_readme_scenario_and_python_are_as_shipped(name: str) -> None:
    (written,) = re.findall(r"^```yaml\n(.*?)^```", text(name), re.DOTALL | re.MULTILINE)
    assert osteon.Scenario.parse(written) == osteon.Scenario.preset("metatarsal_on_denosumab")
    (python,) = re.findall(r"^```python\n(.*?)^```", text(name), re.DOTALL | re.MULTILINE)
    compile(python, name, "exec")
    for public in re.findall(r"osteon\.(\w+)", python):
        assert public in osteon.__all__


@pytest.mark.parametrize("name", [*READMES, "CONTRIBUTING.md", "CHANGELOG.md", "examples/README.md"])
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text(name)):
        if "://" not in target:
            assert (ROOT / name).parent.joinpath(target).exists(), target


def test_the_picture_is_small() -> None:
    assert (ROOT / "docs" / "images" / "demo.png").stat().st_size < 300_000


def test_every_shipped_scenario_loads_and_is_listed() -> None:
    listed = {preset.name for preset in osteon.presets()}
    assert listed == {path.stem for path in (PACKAGE / "scenario" / "presets").glob("*.yaml")}
    for preset in osteon.presets():
        assert osteon.Scenario.preset(preset.name).title == preset.title

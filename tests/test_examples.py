"""Every preset and example runs; each example gives its pinned number."""

import runpy
from pathlib import Path

import numpy as np
import pytest

import osteon
from osteon.cli.heal import DEMO
from osteon.course import JSON_SERIES
from osteon.endpoints import RULES, SAFETY_UNITS, STAGES, WEEKS, is_treated
from osteon.endpoints.function.table import function_names
from osteon.endpoints.union import endpoint_of

EXAMPLES = Path(__file__).parents[1] / "examples"
#: Script, its number, and its unit as a reminder. A change of the model moves them: say so under "Results change".
PINNED = {
    "compare_arms": 0.12264,  # strength at 12 weeks, 1 = intact
    "doses_from_csv": 5504.4,  # ng/mL
    "mouse_replay": 1.5461,  # ratio
    "turnover_only": 82.663,  # %
    "plot_stiffness": 0.82668,  # 1 = intact
}
TURNOVER = {f"{marker}_{when}" for marker in ("CTX", "P1NP") for when in ("nadir", "last")}
TURNOVER |= {"BMD_lumbar_spine_last", "BMD_total_hip_last", "BMD_femoral_neck_last"}
HEALING = {*STAGES, *(endpoint_of(rule) for rule in RULES), "lamellar_share_week52"}
HEALING |= {f"torsional_{what}_week{week}" for what in ("stiffness", "strength") for week in WEEKS}


@pytest.mark.parametrize("name", [preset.name for preset in osteon.presets()])
def test_every_preset_runs(name: str) -> None:
    scenario = osteon.Scenario.preset(name)
    course = osteon.simulate(scenario)
    assert not course.failures
    table = course.endpoints()
    wanted = TURNOVER | (HEALING if scenario.fracture is not None else set())
    if scenario.fracture is not None and scenario.patient.species == "human":
        wanted |= set(function_names([scenario.fracture.bone]))
    for arm in scenario.arms:
        rows = table[table["arm"] == arm.name]
        safety = set(SAFETY_UNITS) if is_treated(scenario.patient, [arm]) else set()
        assert set(rows["endpoint"]) == wanted | safety
        assert (rows["value"].notna() | (rows["note"] != "")).all()
        after = course.data.sel(arm=arm.name, time=slice(0, None))
        for curve in set(JSON_SERIES) & set(after.data_vars):
            assert np.isfinite(after[curve]).all(), (arm.name, curve)


def test_the_demo_is_the_first_preset() -> None:
    assert osteon.presets()[0].name == DEMO


def test_every_example_is_pinned_and_listed() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(PINNED)
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for path in EXAMPLES.iterdir():
        assert path.is_dir() or path.name == "README.md" or f"`{path.name}`" in listed


@pytest.mark.parametrize("name", PINNED)
def test_example(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    matplotlib = pytest.importorskip("matplotlib") if name.startswith("plot") else None
    if matplotlib:
        matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    found = runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]()
    assert found == pytest.approx(PINNED[name], rel=2e-3)
    if matplotlib:
        assert (tmp_path / "stiffness.png").stat().st_size > 10_000


def test_every_example_scenario_is_valid() -> None:
    files = [*EXAMPLES.glob("*.yaml")]
    assert files
    for path in files:
        assert osteon.Scenario.read(path).arms

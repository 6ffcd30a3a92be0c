"""Serum calcium: still without treatment, down while bone takes it up, back by PTH, kidney and gut."""

from collections.abc import Mapping

import numpy as np
import pytest

from osteon.engine.solve import Phase, solve
from osteon.model import calcium, markers, turnover
from osteon.model.drugs import denosumab
from osteon.model.module import Module, Signal
from osteon.model.system import System
from osteon.model.unit_check import check_units
from osteon.parameters import Record, layered
from tests.support import Reference, values_of

PARAMETERS = layered("constants", "sutjandra2011", "turnover", "calcium")
TREATED = System("treated", (turnover.MODULE, markers.MODULE, calcium.MODULE, denosumab.MODULE), PARAMETERS)
NAMES = {"bone_resorption": "resorption", "bone_formation": "formation"}
TOY = Module(
    name="toy",
    states={},
    rates=lambda s, p, signal: {},
    signals=lambda s, p, signal: {signal_: getattr(p, name) for name, signal_ in NAMES.items()},
    outputs={signal: Signal("1", signal) for signal in NAMES.values()},
    tables=("toy",),
)


def toy(resorption: float, formation: float, **changed: float) -> tuple[System, dict[str, float]]:
    """Calcium alone, with bone held at given rates, and its values."""
    held = {"bone_resorption": resorption, "bone_formation": formation}
    records = [Record(f"toy.{name}", value, "1", "defined", "test", name) for name, value in held.items()]
    system = System("toy", (calcium.MODULE, TOY), layered("calcium").with_records(*records))
    return system, values_of(system.parameters) | {f"calcium.{name}": value for name, value in changed.items()}


def held(resorption: float, formation: float, days: float = 60.0, **changed: float) -> np.ndarray:
    """Serum calcium day by day in SciPy, bone held at given rates."""
    system, values = toy(resorption, formation, **changed)
    grid = np.arange(days + 1)
    return Reference(1e-8, 1e-10).on_grid([Phase(0.0, system, values)], days, grid)[0][1]["calcium.serum"]


def after_dose(
    changed: Mapping[str, float] | None = None, dose: float = 60.0, days: float = 250.0
) -> dict[str, np.ndarray]:
    """Signals of every day after one dose [mg] of denosumab."""
    values = values_of(PARAMETERS) | {f"calcium.{name}": value for name, value in (changed or {}).items()}
    impulse = {"denosumab.depot": dose * values["denosumab.bioavailability"]}
    _, signals = solve([Phase(0.0, TREATED, values, impulse)], days)[0].evaluate(np.arange(days + 1))
    return signals


def test_units() -> None:
    check_units(TREATED)


@pytest.mark.parametrize("kidney", [0.0, 15.0, 120.0])
@pytest.mark.parametrize("vitamin_d", [5.0, 150.0])
def test_untreated_stays_exactly_at_baseline(kidney: float, vitamin_d: float) -> None:
    """Whoever the patient is: the rates are zero to the last bit where formation equals resorption at baseline."""
    system, values = toy(1.0, 1.0, gfr=kidney, vitamin_d=vitamin_d)
    rates, _ = system.evaluate(system.initial(values), values.__getitem__)
    assert rates == [0.0] * len(rates)


def test_no_drug_no_change() -> None:
    found = after_dose(dose=0.0)["serum_calcium"]
    np.testing.assert_allclose(found, PARAMETERS.value("calcium.baseline"), rtol=1e-6)


def test_without_reserves_the_surface_alone_sets_the_level() -> None:
    """No kidney and no gut: uptake equals what the surface gives, which has a solution in closed form."""
    found = held(0.0, 0.8, days=400.0, gfr=0.0)
    p = {name.partition(".")[2]: value for name, value in values_of(layered("calcium")).items()}
    level = p["baseline"] / (1 + 0.8 * p["exchange"] / (p["surface_clearance"] * p["baseline"]))
    assert found[-1] == pytest.approx(level, rel=1e-6)


def test_high_resorption_raises_serum_and_lowers_pth() -> None:
    system, values = toy(1.6, 1.0)
    states = Reference(1e-8, 1e-10).solve([Phase(0.0, system, values)], 60.0)[0][1]
    assert states["calcium.serum"][-1] > 1.01 * values["calcium.baseline"]
    assert 0.0 < states["calcium.pth"][-1] < 1.0


@pytest.mark.parametrize(("resorption", "formation"), [(0.0, 30.0), (30.0, 0.0)])
@pytest.mark.parametrize("kidney", [0.0, 80.0])
def test_extremes_stay_positive_and_bounded(resorption: float, formation: float, kidney: float) -> None:
    """Far outside what any drug does; at rest by the end, so nothing runs away or swings."""
    found = held(resorption, formation, days=200.0, gfr=kidney)
    assert found.min() > 0.2
    assert found.max() < 25.0
    np.testing.assert_allclose(found[-20:], found[-1], rtol=1e-4)


def test_nadir_and_recovery_after_one_dose() -> None:
    """Lowest within two weeks, as the label and Miyaoka 2018 say; back within 1 % at six months, as Lee 2025."""
    found = 100 * (after_dose()["serum_calcium"] / PARAMETERS.value("calcium.baseline") - 1)
    lowest = int(found.argmin())
    assert 4 <= lowest <= 14
    assert -6.0 < found[lowest] < -3.0
    assert (np.diff(found[lowest:150]) > 0).all()
    assert abs(found[183]) < 1.0


def test_group_means_it_was_set_to() -> None:
    """Within a quarter: Lee 2025 (-3.4 and -6.5 % of calcium, PTH +124 and +201 %), Miyaoka day 7, Wang 2023."""
    baseline = PARAMETERS.value("calcium.baseline")
    normal, impaired = after_dose(), after_dose({"gfr": 45.0})
    for signals, calcium_fall, pth_rise in ((normal, 3.42, 124.34), (impaired, 6.48, 200.84)):
        assert 100 * (1 - signals["serum_calcium"][30] / baseline) == pytest.approx(calcium_fall, rel=0.25)
        assert 100 * (signals["endogenous_pth"][30] - 1) == pytest.approx(pth_rise, rel=0.25)
    assert 100 * (1 - after_dose({"gfr": 67.0})["serum_calcium"][7] / baseline) == pytest.approx(4.3, rel=0.25)
    assert baseline - after_dose({"gfr": 5.0})["serum_calcium"][30] == pytest.approx(0.31, rel=0.25)


def test_low_kidney_function_deepens_and_delays() -> None:
    curves = [after_dose({"gfr": gfr})["serum_calcium"] for gfr in (110.0, 80.0, 45.0, 15.0)]
    assert (np.diff([curve.min() for curve in curves]) < 0).all()
    assert (np.diff([curve.argmin() for curve in curves]) >= 0).all()
    assert (np.diff([curve[90] for curve in curves]) < 0).all()


def test_low_vitamin_d_deepens() -> None:
    lowest = [after_dose({"vitamin_d": level})["serum_calcium"].min() for level in (100.0, 75.0, 25.0, 10.0)]
    assert (np.diff(lowest) < 0).all()


def test_second_dose_lowers_less() -> None:
    """Formation is low by then: Miyaoka 2018 saw a smaller fall after the second dose."""
    values = values_of(PARAMETERS)
    impulse = {"denosumab.depot": 60.0 * values["denosumab.bioavailability"]}
    pieces = solve([Phase(day, TREATED, values, impulse) for day in (0.0, 182.0)], 250.0)
    first, second = (
        piece.evaluate(start + np.arange(40.0))[1]["serum_calcium"]
        for piece, start in zip(pieces, (0.0, 182.0), strict=True)
    )
    assert first[0] - first.min() > second[0] - second.min() > 0


def test_kernel_agrees_with_scipy() -> None:
    values = values_of(PARAMETERS)
    phase = Phase(0.0, TREATED, values, {"denosumab.depot": 60.0 * values["denosumab.bioavailability"]})
    grid = np.arange(0.0, 121.0, 3.0)
    reference = Reference(1e-9, 1e-11).on_grid([phase], 120.0, grid)[0][1]
    states, _ = solve([phase], 120.0)[0].evaluate(grid)
    for key in ("calcium.serum", "calcium.pth", "calcium.absorption"):
        np.testing.assert_allclose(states[key], reference[key], atol=3e-5, err_msg=key)


def test_it_is_no_burden() -> None:
    """Calcium follows bone; it may not make the solver take many more steps than bone alone."""
    alone = System("alone", (turnover.MODULE, markers.MODULE, denosumab.MODULE), PARAMETERS)
    impulse = {"denosumab.depot": 60.0 * PARAMETERS.value("denosumab.bioavailability")}
    steps = []
    for system in (alone, TREATED):
        trajectory = solve([Phase(0.0, system, values_of(PARAMETERS), impulse)], 365.0)[0].trajectory
        trajectory.at(365.0)
        steps.append(trajectory.steps)
    assert steps[1] < 2 * steps[0]

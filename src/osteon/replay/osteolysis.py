"""A lytic lesion under drugs, exploratory: how fast it is eaten and what fills it, over draws and assumed ranges.

The turnover layer carries the drug and the kinetics of osteoclasts; what is of the lesion alone is assumed, so each
draw takes it anew from its range. Only directions are set beside published ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.errors import InputError, near_match, show

if TYPE_CHECKING:
    from osteon.scenario import Arm, Scenario

#: Kinds of lesion: name, and what people see in English and Chinese.
LESIONS = {
    "giant_cell_tumour": ("giant cell tumour of bone", "骨巨细胞瘤"),
    "particles": ("osteolysis around an implant (wear particles)", "假体周围骨溶解（磨损颗粒）"),
}
#: Curves of a lesion.
CURVES = ("lesion_osteoclasts", "lesion_resorption", "lesion_void", "lesion_new_bone")
DRAWS = 24
_EVERY = 7.0
#: Days after the first dose on which a lesion is summed up.
DAYS = (28.0, 182.0, 365.0)


@dataclass(frozen=True)
class LesionCourse:
    """A lesion under the arms of a scenario.

    Attributes
    ----------
    lesion : str
        Its kind, of `LESIONS`.
    time : ndarray
        Days, shape (time,).
    curves : dict of str to ndarray
        By name, shape (arms, draws, time), relative to the untreated lesion or to its volume at day 0.
    arms : tuple of str
        Names of the arms.
    failed : int
        Draws that could not be solved and are NaN.
    """

    lesion: str
    time: np.ndarray
    curves: dict[str, np.ndarray]
    arms: tuple[str, ...]
    failed: int

    def at(self, name: str, day: float) -> dict[str, tuple[float, float, float]]:
        """Return median, 5 % and 95 % over the draws of a curve on a day, by arm; NaN after the course."""
        if day > self.time[-1]:
            nothing = float("nan")
            return dict.fromkeys(self.arms, (nothing, nothing, nothing))
        place = int(np.searchsorted(self.time, day))
        found = {}
        for number, arm in enumerate(self.arms):
            low, middle, high = np.nanquantile(self.curves[name][number, :, place], (0.05, 0.5, 0.95))
            found[arm] = (float(middle), float(low), float(high))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the course as plain values: ``days`` by curve, day and arm, median first, then 5 and 95 %."""
        days = [day for day in (*DAYS, float(self.time[-1])) if day <= self.time[-1]]
        table = {
            name: {f"{day:g}": {arm: list(three) for arm, three in self.at(name, day).items()} for day in days}
            for name in CURVES
        }
        draws = self.curves[CURVES[0]].shape[1]
        return {"lesion": self.lesion, "exploratory": True, "draws": draws, "failed": self.failed, "days": table}


def lesion_course(
    scenario: Scenario,
    lesion: str = "giant_cell_tumour",
    *,
    draws: int = DRAWS,
    seed: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> LesionCourse:
    """Simulate a lesion under every arm of a scenario.

    Parameters
    ----------
    scenario : Scenario
        Of a person without a fracture; its arms give the doses, day 0 the start of what is looked at.
    lesion : str
        Kind of the lesion, of `LESIONS`.
    draws : int
        How often what is assumed is drawn from its range, each time with another draw of the turnover posterior.
    seed : int, optional
        Left out, that of the scenario.
    on_progress : callable, optional
        ``on_progress(done, total)`` in draws.

    Raises
    ------
    InputError
        The lesion is unknown, or the scenario has a fracture or an animal.
    """
    from osteon.errors import SolveError

    _check(scenario, lesion, draws)
    number = scenario.seed if seed is None else seed
    time = np.append(np.arange(0.0, scenario.horizon, _EVERY), scenario.horizon)
    curves = {name: np.full((len(scenario.arms), draws, len(time)), np.nan) for name in CURVES}
    failed = 0
    for draw, values in enumerate(_values(scenario, lesion, draws, number)):
        try:
            for place, arm in enumerate(scenario.arms):
                for name, curve in _solved(scenario, arm, values, time).items():
                    curves[name][place, draw] = curve
        except SolveError:
            failed += 1
            for curve in curves.values():
                curve[:, draw] = np.nan
        if on_progress is not None:
            on_progress(draw + 1, draws)
    return LesionCourse(lesion, time, curves, tuple(arm.name for arm in scenario.arms), failed)


def _check(scenario: Scenario, lesion: str, draws: int) -> None:
    if lesion not in LESIONS:
        hint = near_match(lesion, LESIONS)
        allowed = ", ".join(LESIONS)
        raise InputError(f"{show(lesion)} is not a lesion (allowed: {allowed})", path="lesion", value=lesion, hint=hint)
    if scenario.fracture is not None:
        raise InputError("a lesion is looked at without a fracture", path="fracture", hint="write fracture: null")
    if scenario.patient.species != "human":
        message = f"a lesion is known of people alone, and the patient is a {scenario.patient.species}"
        raise InputError(message, path="patient.species", value=scenario.patient.species)
    if not 1 <= draws <= 200:
        raise InputError(f"{draws} is not a number of draws from 1 to 200", path="draws", value=draws)


def _values(scenario: Scenario, lesion: str, draws: int, seed: int):
    """Parameter values of each draw: the posterior of turnover, and what is assumed, log-uniform over its range."""
    from osteon.draws import uniform
    from osteon.model.person import parameters_for
    from osteon.parameters import load
    from osteon.uncertainty.choice import choose

    usual = {key: record.value for key, record in parameters_for(scenario).items()}
    table = load("osteolysis")
    own = {key.split(".", 1)[1]: record for key, record in table.items() if key.startswith("osteolysis.")}
    if lesion != "giant_cell_tumour":
        own |= {key.split(".", 1)[1]: record for key, record in table.items() if key.startswith(f"{lesion}.")}
    chosen = choose(scenario, draws)
    columns = {} if chosen is None else chosen.draws.columns(usual, chosen.held)
    for draw in range(draws):
        found = {**usual, **{key: float(np.broadcast_to(column, draws)[draw]) for key, column in columns.items()}}
        for name, record in own.items():
            share = float(uniform(seed, draw, draw + 1, f"lesion {name}")[0])
            low, high = record.range or (record.value, record.value)
            found[f"osteolysis.{name}"] = float(low * (high / low) ** share)
        yield found


def _solved(scenario: Scenario, arm: Arm, values: dict[str, float], time: np.ndarray) -> dict[str, np.ndarray]:
    """Curves of the lesion in one arm; it is there from day 0, as a fracture would be."""
    from osteon.engine.solve import Phase, solve
    from osteon.model.systems import assemble
    from osteon.population.plan import phases

    planned = []
    for phase in phases(scenario, arm, values):
        names = {module.name for module in phase.system.modules}
        drugs = [drug for drug in _drugs() if drug in names]
        system = assemble(fractured=False, drugs=drugs, lesion=True) if phase.start >= 0 else phase.system
        planned.append(Phase(phase.start, system, values, phase.impulses))
    pieces = solve(planned, scenario.horizon)
    found = {name: np.full(time.size, np.nan) for name in CURVES}
    for piece in pieces:
        inside = (time >= piece.start) & (time <= piece.end)
        if piece.start < 0 or not inside.any():
            continue
        states, signals = piece.evaluate(time[inside])
        both = {**signals, "lesion_void": states["osteolysis.void"], "lesion_new_bone": states["osteolysis.bone"]}
        for name in CURVES:
            found[name][inside] = both[name]
    return found


def _drugs() -> tuple[str, ...]:
    from osteon.model.systems import DRUGS

    return tuple(DRUGS)

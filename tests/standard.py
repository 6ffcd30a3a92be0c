"""The battery every system passes, for every drug and species: import it, and a new drug is covered.

`CASES` is made from the registries of the model, so a drug added there is tested without a new line here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from osteon.engine.cache import kernel_for
from osteon.engine.solve import Memory, Phase, solve
from osteon.model.person import MEMBERS, parameters_for
from osteon.model.system import System
from osteon.model.systems import DRUGS, assemble
from osteon.model.unit_check import check_units
from osteon.scenario import Scenario, catalogue
from tests.support import Reference, scales, values_of

DOSE_MG_PER_KG = 0.9
_TISSUES = ("fibrous", "chondral", "hypertrophic", "calcified", "cores", "woven", "lamellar", "marrow")


@dataclass(frozen=True)
class Case:
    """A system with the parameters of one patient."""

    fractured: bool
    drugs: tuple[str, ...]
    species: str
    rankl: str
    member: str

    def __str__(self) -> str:
        parts = ["healing" if self.fractured else "turnover", *self.drugs, self.species]
        return "-".join([*parts, *(["knock-in"] if self.rankl == "human" else []), self.member])

    @property
    def scenario(self) -> Scenario:
        fracture = {"bone": "femur", "fixation": "intramedullary_pin"} if self.fractured else None
        return Scenario.parse(
            {
                "osteon": 1,
                "title": "standard",
                "patient": {"species": self.species, "rankl": self.rankl},
                "fracture": fracture,
                "arms": [{"name": "a"}],
                "horizon": "1 yr",
            }
        )

    @property
    def system(self) -> System:
        return assemble(fractured=self.fractured, drugs=self.drugs)

    @property
    def values(self) -> dict[str, float]:
        return values_of(parameters_for(self.scenario, self.member))

    def dose(self, factor: float) -> dict[str, float]:
        """Impulses of one dose of each drug, `factor` times the usual."""
        found = {}
        for drug in self.drugs:
            route = catalogue.drugs()[drug].usual_route
            state, share = self.system.dose_target(drug, route)
            found[state] = factor * DOSE_MG_PER_KG * self.scenario.patient.weight * self.values[share]
        return found


def cases() -> list[Case]:
    """Every system, drug and species; members differ in the callus alone."""
    found = []
    for species, entry in catalogue.species().items():
        for rankl in ("native", "human") if entry.rodent else ("native",):
            for drugs in ((), *((drug,) for drug in DRUGS)):
                if rankl == "human" and not drugs:
                    continue
                found += [Case(False, drugs, species, rankl, "J")]
                found += [Case(True, drugs, species, rankl, member) for member in MEMBERS]
    return found


def days(case: Case) -> np.ndarray:
    return np.linspace(0.0, 365.0, 366)


def check_assembles_with_units(case: Case) -> None:
    check_units(case.system)


def check_baseline_is_steady(case: Case) -> None:
    """Without dose and fracture nothing moves by more than 1e-6 in a year; ageing of BMD is switched off."""
    still = assemble(fractured=False, drugs=case.drugs)
    values = case.values | {"markers.ageing_lumbar_spine": 0.0, "markers.ageing_total_hip": 0.0}
    piece = solve([Phase(0.0, still, values)], 365.0)[0]
    start, end = (np.array(piece.trajectory.at(t)) for t in (0.0, 365.0))
    assert np.max(np.abs(end - start) / scales(still)) < 1e-6


def check_no_negative_state(case: Case) -> None:
    """`Piece.evaluate` refuses a negative state; what it gives is at least zero."""
    piece = solve([Phase(0.0, case.system, case.values, case.dose(1.0))], 365.0)[0]
    states, signals = piece.evaluate(days(case))
    for key, state in case.system.states.items():
        assert state.signed or states[key].min() >= 0.0, key
    assert all(np.isfinite(values).all() for values in signals.values())


def check_drug_mass_balance(case: Case) -> None:
    """What was given is somewhere, to 1e-9 of it."""
    if not case.drugs:
        return
    piece = solve([Phase(0.0, case.system, case.values, case.dose(1.0))], 365.0)[0]
    states, _ = piece.evaluate(days(case))
    for drug in case.drugs:
        amounts = [
            v for key, v in states.items() if key.startswith(f"{drug}.") and case.system.states[key].unit == "mg"
        ]
        given = sum(v for key, v in case.dose(1.0).items() if key.startswith(f"{drug}."))
        assert np.abs(sum(amounts) - given).max() < 1e-9 * given


def check_tissue_volume_balance(case: Case) -> None:
    """Growth less retraction is the change of the whole, to 1e-9: every other flux has both signs."""
    if not case.fractured:
        return
    from osteon.model import callus

    system, values = case.system, case.values
    piece = solve([Phase(0.0, system, values, case.dose(1.0))], 365.0)[0]
    tissues = [f"callus.{name}" for name in _TISSUES]
    for t in (3.0, 20.0, 60.0, 200.0):
        y = piece.trajectory.at(t)
        states = dict(zip(system.states, y, strict=True))
        rates, signals = system.evaluate(y, values.__getitem__)
        change = sum(rate for key, rate in zip(system.states, rates, strict=True) if key in tissues)
        own = {key.partition(".")[2]: v for key, v in states.items() if key.startswith("callus.")}
        defaults = {name: need.default for name, need in callus.MODULE.inputs.items()}
        s, p, signal = (
            callus.SimpleNamespace(**own),
            callus.SimpleNamespace(**{k.partition(".")[2]: v for k, v in values.items() if k.startswith("callus.")}),
            callus.SimpleNamespace(**(defaults | signals)),
        )
        r = callus._fluxes(s, p, signal, callus._mechanobiology(s, p, signal))
        drawn = r.retraction * (s.cores + s.woven + s.lamellar + s.marrow)
        expected = values["healing.clock"] * (r.expansion + r.cartilage_growth - drawn)
        total = sum(abs(rate) for key, rate in zip(system.states, rates, strict=True) if key in tissues)
        assert abs(change - expected) <= 1e-9 * max(total, 1e-9)


def check_zero_dose_equals_absent(case: Case) -> None:
    """A dose of nothing leaves every shared state where the system without the drug has it."""
    if not case.drugs:
        return
    absent = assemble(fractured=case.fractured)
    without = solve([Phase(0.0, absent, case.values)], 365.0)[0].evaluate(days(case))[0]
    nothing = solve([Phase(0.0, case.system, case.values, case.dose(0.0))], 365.0)[0].evaluate(days(case))[0]
    for key, state in absent.states.items():
        scale = max(np.abs(without[key]).max(), state.scale)
        assert np.abs(nothing[key] - without[key]).max() < 1e-7 * scale, key


def check_exposure_rises_with_dose(case: Case) -> None:
    for drug in case.drugs:
        areas = []
        for factor in (0.25, 0.5, 1.0, 2.0):
            piece = solve([Phase(0.0, case.system, case.values, case.dose(factor))], 365.0)[0]
            _, signals = piece.evaluate(days(case))
            areas.append(np.trapezoid(signals[f"{drug}_serum"], days(case)))
        # Saturable elimination: more than in proportion where the drug binds, in proportion where it does not.
        steps = np.diff(np.log(areas)) / np.log(2)
        assert (steps > 1 - 1e-6).all(), areas


def check_no_binding_no_effect(case: Case) -> None:
    """A drug that does not bind leaves turnover at its baseline."""
    for drug in case.drugs:
        if case.scenario.patient.binds(drug):
            continue
        piece = solve([Phase(0.0, case.system, case.values, case.dose(10.0))], 365.0)[0]
        _, signals = piece.evaluate(days(case))
        assert signals[f"{drug}_serum"].max() > 1.0
        assert np.abs(signals["free_rankl"] - 1).max() < 1e-9


def check_kernel_equals_reference(case: Case) -> None:
    """The generated solver against SciPy over 60 days, every state within 1e-5 of its scale."""
    phase = Phase(0.0, case.system, case.values, case.dose(1.0))
    piece = solve([phase], 60.0)[0]
    times, expected = Reference(rtol=1e-9, atol=1e-12).solve([phase], 60.0)[0]
    found = piece.trajectory.sample(times)
    for key, row in zip(piece.kernel.states, found, strict=True):
        scale = max(np.abs(expected[key]).max(), case.system.states[key].scale)
        assert np.abs(row - expected[key]).max() < 1e-5 * scale, key


def check_same_bits_twice(case: Case) -> None:
    phase = Phase(0.0, case.system, case.values, case.dose(1.0))
    first, second = (solve([phase], 365.0, Memory())[0].trajectory.sample(days(case)) for _ in range(2))
    assert np.array_equal(first, second)
    assert kernel_for(case.system).states == tuple(case.system.states)


CHECKS = [value for name, value in sorted(globals().items()) if name.startswith("check_") and value is not check_units]

"""The battery every system passes, for every drug and species: import it, and a new drug is covered.

`cases` is made from the registries of the model, so a drug added there is tested without a new line here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from osteon.engine.cache import kernel_for
from osteon.engine.solve import Memory, Phase, Piece, solve
from osteon.model.person import MEMBERS, parameters_for
from osteon.model.system import System
from osteon.model.systems import DRUGS, assemble
from osteon.model.unit_check import check_units
from osteon.scenario import Patient, Scenario, catalogue
from tests.support import Reference, scales, values_of

#: A usual dose; of a drug whose daily mean is followed, a dose of its usual interval.
DOSE_MG_PER_KG = {
    "denosumab": 0.9,
    "alendronate": 1.0,
    "zoledronate": 0.07,
    "teriparatide": 3e-4,
    "romosozumab": 3.0,
}
_OTHER_DRUG_MG_PER_KG = 1.0
#: All that moves without drug and fracture, and what keeps it still; age itself cannot stand still.
STILL = {
    **dict.fromkeys((f"markers.ageing_{site}" for site in ("lumbar_spine", "total_hip", "femoral_neck")), 0.0),
    "endocrine.oestrogen_drive": 0.0,
    "endocrine.supplements": 0.0,
}
_AGE = "endocrine.age"
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
        return _values(self)

    def dose(self, factor: float) -> dict[str, float]:
        """Impulses of one dose of each drug, or of its daily mean, `factor` times the usual."""
        found: dict[str, float] = {}
        people = catalogue.species()["human"].weight.default
        for drug in self.drugs:
            known = catalogue.drugs()[drug]
            # Where kinetics do not follow weight they are those of people, and so is the dose.
            weight = self.scenario.patient.weight if known.weight_scaled else people
            amount = factor * DOSE_MG_PER_KG.get(drug, _OTHER_DRUG_MG_PER_KG) * weight
            state, share = self.system.dose_target(drug, known.usual_route)
            found[state] = amount / (known.averaged_over or 1.0) * self.values[share]
        return found

    def solved(self, factor: float, end: float = 365.0) -> Piece:
        """The course after one dose on day zero, or under its daily mean from then on."""
        return _solved(self, factor, end)


@lru_cache(maxsize=8)
def _values(case: Case) -> dict[str, float]:
    return values_of(parameters_for(case.scenario, case.member))


@lru_cache(maxsize=8)
def _solved(case: Case, factor: float, end: float) -> Piece:
    return solve([Phase(0.0, case.system, case.values, case.dose(factor))], end)[0]


def cases() -> list[Case]:
    """Every system and drug, and every species in which something differs.

    Members differ in the callus alone. A drug that acts alike in every species, with kinetics of people, meets nothing
    in an animal but another clock: its turnover is run in each species, its healing in people with the first member.
    A knock-in differs where it makes a drug bind.
    """
    found = []
    for species, entry in catalogue.species().items():
        for rankl in ("native", "human") if entry.rodent else ("native",):
            for drugs in ((), *((drug,) for drug in DRUGS)):
                if rankl == "human" and not any(_differs_by_rankl(drug, species) for drug in drugs):
                    continue
                found += [Case(False, drugs, species, rankl, "J")]
                if all(_differs_by_species(drug) for drug in drugs):
                    found += [Case(True, drugs, species, rankl, member) for member in MEMBERS]
                elif species == "human":
                    found += [Case(True, drugs, species, rankl, "J")]
    return [*found, Case(True, tuple(DRUGS), "human", "native", "J")]


def _differs_by_species(drug: str) -> bool:
    known = catalogue.drugs()[drug]
    return known.weight_scaled or set(known.binds) != set(catalogue.species())


def _differs_by_rankl(drug: str, species: str) -> bool:
    return Patient(species=species, rankl="human").binds(drug) != Patient(species=species).binds(drug)


def days(case: Case) -> np.ndarray:
    return np.linspace(0.0, 365.0, 366)


def check_assembles_with_units(case: Case) -> None:
    check_units(case.system)


def check_baseline_is_steady(case: Case) -> None:
    """Without dose and fracture nothing moves by more than 1e-6 in a year, once ageing and supplements are off."""
    still = assemble(fractured=False, drugs=case.drugs)
    assert set(STILL) <= set(case.values)
    piece = solve([Phase(0.0, still, case.values | STILL)], 365.0)[0]
    start, end = (np.array(piece.trajectory.at(t)) for t in (0.0, 365.0))
    moved = dict(zip(still.states, np.abs(end - start) / scales(still), strict=True))
    assert moved.pop(_AGE) > 0
    assert max(moved.values()) < 1e-6, max(moved, key=moved.__getitem__)


def check_no_negative_state(case: Case) -> None:
    """`Piece.evaluate` refuses a negative state; what it gives is at least zero."""
    states, signals = case.solved(1.0).evaluate(days(case))
    for key, state in case.system.states.items():
        assert state.signed or states[key].min() >= 0.0, key
    assert all(np.isfinite(values).all() for values in signals.values())


def check_drug_mass_balance(case: Case) -> None:
    """What was given is somewhere, to 1e-9 of it; a course whose daily mean is followed ends half-way."""
    if not case.drugs:
        return
    end, given = 180.0, case.dose(1.0)
    taken = {state: -amount for state, amount in given.items() if case.system.states[state].unit == "mg/day"}
    phases = [Phase(0.0, case.system, case.values, given), Phase(end, case.system, case.values, taken)]
    for piece in solve(phases, 365.0):
        times = days(case)[(days(case) >= piece.start) & (days(case) <= piece.end)]
        states, _ = piece.evaluate(times)
        for drug in case.drugs:
            own = {key: v for key, v in states.items() if key.startswith(f"{drug}.")}
            held = sum(v for key, v in own.items() if case.system.states[key].unit == "mg")
            days_given = {key: np.minimum(times, end) if key in taken else 1.0 for key in given.keys() & own.keys()}
            arrived = sum(given[key] * length for key, length in days_given.items())
            assert np.abs(held - arrived).max() < 1e-9 * np.max(arrived), drug
            for key in taken.keys() & own.keys():
                expected = given[key] if piece.start < end else 0.0
                assert np.abs(own[key] - expected).max() <= 1e-12 * given[key], key


def check_tissue_volume_balance(case: Case) -> None:
    """Growth less retraction is the change of the whole, to 1e-9: every other flux has both signs."""
    if not case.fractured:
        return
    from osteon.model import callus

    system, values = case.system, case.values
    piece = case.solved(1.0)
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
    without = _absent(case).solved(0.0).evaluate(days(case))[0]
    nothing = case.solved(0.0).evaluate(days(case))[0]
    for key, values in without.items():
        scale = max(np.abs(values).max(), case.system.states[key].scale)
        assert np.abs(nothing[key] - values).max() < 1e-7 * scale, key


def check_exposure_rises_with_dose(case: Case) -> None:
    """Serum level, of a bisphosphonate the amount in bone."""
    for drug in case.drugs:
        areas = []
        for factor in (0.25, 0.5, 1.0, 2.0):
            _, signals = case.solved(factor).evaluate(days(case))
            areas.append(np.trapezoid(signals[_exposure(drug, signals)], days(case)))
        # Saturable elimination: more than in proportion where the drug binds, in proportion where it does not.
        steps = np.diff(np.log(areas)) / np.log(2)
        assert (steps > 1 - 1e-6).all(), areas


def check_only_a_drug_that_binds_has_an_effect(case: Case) -> None:
    """Ten times the dose of one that does not leaves turnover where it is without; a usual one moves it else."""
    if not case.drugs:
        return
    binds = any(case.scenario.patient.binds(drug) for drug in case.drugs)
    _, signals = case.solved(1.0 if binds else 10.0).evaluate(days(case))
    _, without = _absent(case).solved(0.0).evaluate(days(case))
    assert all(signals[_exposure(drug, signals)].max() > 0 for drug in case.drugs)
    apart = max(np.abs(signals[name] - without[name]).max() for name in ("resorption", "formation"))
    assert apart > 0.01 if binds else apart < 1e-7


def check_kernel_equals_reference(case: Case) -> None:
    """The generated solver against SciPy over 60 days, every state within 1e-5 of its scale."""
    phase = Phase(0.0, case.system, case.values, case.dose(1.0))
    piece = case.solved(1.0)
    times, expected = Reference(rtol=1e-6, atol=1e-9).solve([phase], 60.0)[0]
    found = piece.trajectory.sample(times)
    for key, row in zip(piece.kernel.states, found, strict=True):
        scale = max(np.abs(expected[key]).max(), case.system.states[key].scale)
        assert np.abs(row - expected[key]).max() < 1e-5 * scale, key


def check_same_bits_twice(case: Case) -> None:
    phase = Phase(0.0, case.system, case.values, case.dose(1.0))
    again = solve([phase], 365.0, Memory())[0]
    assert np.array_equal(again.trajectory.sample(days(case)), case.solved(1.0).trajectory.sample(days(case)))
    assert kernel_for(case.system).states == tuple(case.system.states)


def _absent(case: Case) -> Case:
    """The same patient without the drug."""
    return Case(case.fractured, (), case.species, case.rankl, case.member)


def _exposure(drug: str, signals: dict[str, np.ndarray]) -> str:
    """Where a drug is measured: bone if it is kept there, else serum."""
    return f"{drug}_bone" if f"{drug}_bone" in signals else f"{drug}_serum"


CHECKS = [value for name, value in sorted(globals().items()) if name.startswith("check_") and value is not check_units]

"""Verification that is measured when the file is made: other solvers, tolerances, balances, units, same bits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.errors import MissingExtra, ModelError, SolveError

if TYPE_CHECKING:
    from osteon.engine.solve import Phase, Piece
    from osteon.scenario import Scenario
    from osteon.trial.study import Study

#: Largest difference that is allowed, by check; of states in units of their own size.
LIMITS = {
    **dict.fromkeys(("scipy", "tolerance", "roadrunner"), 1e-5),
    "drug_balance": 1e-9,
    "zero_dose": 1e-7,
    **dict.fromkeys(("units", "bits", "people"), 0.0),
}
DAYS = 60.0  # that are solved
_FINER = 100.0
_AFTER = 30.0  # days behind the first dose that are solved at least
_POINTS = 30
#: Writes the model of an arm of a scenario as SBML.
Writer = Callable[["Scenario", str], str]
Told = Callable[[str, int, int], object]


@dataclass(frozen=True)
class Check:
    """One thing that was measured.

    Attributes
    ----------
    key : str
        Name in `LIMITS`.
    value : float or None
        What was found; None where it could not be measured, and `missing` says why.
    limit : float
        Largest value that is allowed.
    about : mapping
        What it was measured on.
    missing : str
        Package that is not installed, or what the scenario lacks; empty where it was measured.
    """

    key: str
    value: float | None
    limit: float
    about: dict[str, Any] = field(default_factory=dict)
    missing: str = ""

    @property
    def ok(self) -> bool | None:
        """Whether it is within its limit; None where it was not measured."""
        return None if self.value is None else bool(self.value <= self.limit)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {**asdict(self), "ok": self.ok}


def measure(study: Study, days: float = DAYS, sbml: Writer | None = None, tell: Told | None = None) -> list[Check]:
    """Measure every check on the typical patient of a study.

    Parameters
    ----------
    study : Study
        Its first arm with a dose is solved.
    days : float
        How long, from the first day on; longer where the first dose comes late [day].
    sbml : callable, optional
        Writes an arm as SBML, for the comparison with libRoadRunner.
    tell : callable, optional
        Told what is measured, and how many are done and in all.
    """
    case = _Case.of(study.scenario(), days)
    made: dict[str, Callable[[], Check]] = {
        "scipy": lambda: _scipy(case),
        "tolerance": lambda: _tolerance(case),
        "roadrunner": lambda: _roadrunner(study, days, sbml),
        "drug_balance": lambda: _balance(case),
        "zero_dose": lambda: _zero_dose(case),
        "units": _units,
        "bits": lambda: _bits(case),
        "people": lambda: _people(study),
    }
    found = []
    for done, (key, make) in enumerate(made.items()):
        if tell is not None:
            tell(key, done, len(made))
        try:
            found.append(make())
        except ImportError as error:
            found.append(Check(key, None, LIMITS[key], missing=error.name or str(error)))
        except MissingExtra as error:
            found.append(Check(key, None, LIMITS[key], missing=f"osteon[{error.extra}]"))
    return found


@dataclass(frozen=True)
class _Case:
    """One arm, solved from its first day to `end`."""

    scenario: Scenario
    arm: str
    phases: list[Phase]
    pieces: list[Piece]
    end: float

    @classmethod
    def of(cls, scenario: Scenario, days: float) -> _Case:
        from osteon.engine.solve import solve
        from osteon.model.person import parameters_for
        from osteon.population.plan import phases

        arm = next((one for one in scenario.arms if one.doses), scenario.arms[0])
        first = min((dose.start for dose in arm.doses), default=scenario.start_day)
        end = min(scenario.horizon, max(scenario.start_day + days, first + min(_AFTER, days)))
        planned = [one for one in phases(scenario, arm, parameters_for(scenario)) if one.start < end]
        return cls(scenario, arm.name, planned, solve(planned, end), end)

    @property
    def about(self) -> dict[str, Any]:
        last = self.phases[-1].system
        return {"days": self.end - self.phases[0].start, "arm": self.arm, "states": len(last.states)}

    def grid(self, piece: Piece) -> np.ndarray:
        return np.linspace(piece.start, piece.end, _POINTS)

    def worst(self, others: Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]) -> tuple[float, str]:
        """Largest difference to states of others on times of each piece, in units of their size, and where."""
        found = (0.0, "")
        for piece, (times, states) in zip(self.pieces, others, strict=True):
            mine = piece.trajectory.sample(times)
            for key, row in zip(piece.kernel.states, mine, strict=True):
                size = max(float(np.abs(states[key]).max()), piece.phase.system.states[key].scale)
                found = max(found, (float(np.abs(row - states[key]).max()) / size, key))
        return found


def _check(key: str, case: _Case, value: float, **about: Any) -> Check:
    return Check(key, value, LIMITS[key], {**case.about, **about})


def _scipy(case: _Case) -> Check:
    """LSODA of SciPy on the rate functions as they are written, without generated code."""
    import scipy
    from scipy.integrate import solve_ivp

    def pieces() -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        carried: dict[str, float] = {}
        for piece in case.pieces:
            phase = piece.phase
            fresh = dict(zip(phase.system.states, phase.system.initial(phase.parameters), strict=True))
            y0 = [carried.get(key, value) + phase.impulses.get(key, 0.0) for key, value in fresh.items()]

            def rhs(_: float, y: np.ndarray, phase: Phase = phase) -> list[float]:
                return phase.system.evaluate(y.tolist(), phase.parameters.__getitem__)[0]

            times, ends = case.grid(piece), (piece.start, piece.end)
            done = solve_ivp(rhs, ends, y0, method="LSODA", t_eval=times, rtol=1e-9, atol=1e-12)
            if not done.success:
                raise SolveError(f"SciPy found no solution ({done.message})", piece.start)
            states = dict(zip(fresh, done.y, strict=True))
            carried = {key: float(row[-1]) for key, row in states.items()}
            yield times, states

    value, where = case.worst(pieces())
    return _check("scipy", case, value, state=where, method="LSODA", version=scipy.__version__)


def _tolerance(case: _Case) -> Check:
    """The same with a hundredth of the error allowed in a step."""
    from osteon.engine.solve import TOLERANCE, Memory, solve

    finer = solve(case.phases, case.end, Memory(), TOLERANCE / _FINER)
    states = (
        (case.grid(piece), dict(zip(piece.kernel.states, piece.trajectory.sample(case.grid(piece)), strict=True)))
        for piece in finer
    )
    value, where = case.worst(states)
    return _check("tolerance", case, value, state=where, tolerance=TOLERANCE, finer=TOLERANCE / _FINER)


def _roadrunner(study: Study, days: float, sbml: Writer | None) -> Check:
    """CVODE of libRoadRunner on the exported SBML; without the fracture, whose rules take it a minute to compile."""
    from osteon.scenario import Scenario

    if sbml is None:
        return Check("roadrunner", None, LIMITS["roadrunner"], missing="sbml")
    from osteon.report.roadrunner_alone import simulate

    scenario = Scenario.parse({**study.scenario().to_dict(), "fracture": None})
    case = _Case.of(scenario, days)
    last = case.pieces[-1]
    keys = list(last.kernel.states)
    # Never at a dose itself, where both sides of the jump are right.
    times = case.grid(last)[1:-1]
    asked = [0.0, *(times - scenario.start_day).tolist()]
    values, version = simulate(sbml(scenario, case.arm), [key.replace(".", "_") for key in keys], asked)
    rows = values[:, 1:]
    found = (0.0, "")
    for key, mine, other in zip(keys, last.trajectory.sample(times), rows, strict=True):
        size = max(float(np.abs(other).max()), last.phase.system.states[key].scale)
        found = max(found, (float(np.abs(mine - other).max()) / size, key))
    return _check("roadrunner", case, found[0], state=found[1], version=version)


def _balance(case: _Case) -> Check:
    """What was given of each drug less what is somewhere, over what was given; at the end of every piece."""
    drugs = sorted({key.partition(".")[0] for phase in case.phases for key in phase.impulses})
    if not drugs:
        return Check("drug_balance", None, LIMITS["drug_balance"], missing="dose")
    worst, given, pace = 0.0, dict.fromkeys(drugs, 0.0), dict.fromkeys(drugs, 0.0)
    for piece in case.pieces:
        units = {key: state.unit for key, state in piece.phase.system.states.items()}
        for key, amount in piece.phase.impulses.items():
            sums = given if units[key] == "mg" else pace
            sums[key.partition(".")[0]] += amount
        end = dict(zip(piece.kernel.states, piece.trajectory.at(piece.end), strict=True))
        for drug in drugs:
            given[drug] += pace[drug] * (piece.end - piece.start)
            held = sum(end[key] for key in end if key.startswith(f"{drug}.") and units[key] == "mg")
            worst = max(worst, abs(held - given[drug]) / given[drug] if given[drug] else 0.0)
    return _check("drug_balance", case, worst, drugs=drugs)


def _zero_dose(case: _Case) -> Check:
    """Doses of nothing against no drug in the system at all; finely, since the two take other steps."""
    from osteon.engine.solve import TOLERANCE, Memory, Phase, solve
    from osteon.model.person import parameters_for
    from osteon.population.plan import phases
    from osteon.scenario import Arm

    arm = next(one for one in case.scenario.arms if one.name == case.arm)
    bare = Arm(name=arm.name, impose=arm.impose)
    nothing = [Phase(p.start, p.system, p.parameters, dict.fromkeys(p.impulses, 0.0)) for p in case.phases]
    planned = [p for p in phases(case.scenario, bare, parameters_for(case.scenario)) if p.start < case.end]
    fine = TOLERANCE / _FINER
    without, with_nothing = (solve(one, case.end, Memory(), fine)[-1] for one in (planned, nothing))
    times = np.linspace(max(without.start, with_nothing.start), case.end, _POINTS)
    absent = dict(zip(without.kernel.states, without.trajectory.sample(times), strict=True))
    there = dict(zip(with_nothing.kernel.states, with_nothing.trajectory.sample(times), strict=True))
    worst = (0.0, "")
    for key, row in absent.items():
        size = max(float(np.abs(row).max()), without.phase.system.states[key].scale)
        worst = max(worst, (float(np.abs(row - there[key]).max()) / size, key))
    return _check("zero_dose", case, worst[0], state=worst[1])


def _units() -> Check:
    """Every rate and signal of every system, with and without a fracture, under each drug and under all."""
    from osteon.model.systems import DRUGS, assemble
    from osteon.model.unit_check import check_units

    systems = [
        assemble(fractured=fractured, drugs=drugs)
        for fractured in (False, True)
        for drugs in ((), *((one,) for one in DRUGS), tuple(DRUGS))
    ]
    refused = []
    for system in systems:
        try:
            check_units(system)
        except ModelError as error:
            refused.append(str(error))
    equations = sum(len(one.states) + len(one.signal_units) for one in systems)
    about = {"systems": len(systems), "equations": equations, "refused": refused}
    return Check("units", float(len(refused)), LIMITS["units"], about)


def _bits(case: _Case) -> Check:
    """How many numbers of a second solution from nothing differ in any bit."""
    from osteon.engine.solve import Memory, solve

    first = np.concatenate([piece.trajectory.sample(case.grid(piece)).ravel() for piece in case.pieces])
    again = solve(case.phases, case.end, Memory())
    second = np.concatenate([piece.trajectory.sample(case.grid(piece)).ravel() for piece in again])
    sha = hashlib.sha256(np.ascontiguousarray(first, "<f8").tobytes()).hexdigest()
    return _check("bits", case, float((first.view(np.int64) != second.view(np.int64)).sum()), n=first.size, sha256=sha)


def _people(study: Study) -> Check:
    """How many values of the first people change when four times as many are enrolled."""
    from osteon.trial.people import enrol

    few, many = enrol(study, 8), enrol(study, 32)
    pairs = [(few.table[key], many.table[key][:8]) for key in few.table]
    pairs += [(few.allocated, many.allocated[:8]), (few.dropout_day, many.dropout_day[:8])]
    changed = sum(int((first != second).sum()) for first, second in pairs)
    about = {"few": 8, "many": 32, "n": sum(len(first) for first, _ in pairs)}
    return Check("people", float(changed), LIMITS["people"], about)

"""Local sensitivities of every patient and arm: lanes solved and scored, and their differences taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from osteon.endpoints import endpoint_arrays
from osteon.engine.ensemble import Solver
from osteon.engine.lanes.making import obtain
from osteon.engine.solve import TOLERANCE
from osteon.ensemble.chunk import add_score, chronic, scored_times, solved_curves
from osteon.ensemble.kernels import systems_of, warm_up
from osteon.ensemble.plan import Plan, make_plan
from osteon.errors import InputError, near_match, show
from osteon.population import Cohort
from osteon.scenario import Scenario
from osteon.sensitivity.found import Found
from osteon.sensitivity.keys import wanted
from osteon.sensitivity.lanes import EIGHT, Layout, Wide, widen
from osteon.sensitivity.result import Sensitivities, assemble

#: Endpoints that are the day of a maximum, which jumps from point to point of the grid.
JUMPING = ("soft_callus_peak", "remodelling_start")
_FINER = 0.1  # than the usual tolerance, at which two slopes in a thousand are more than 1e-3 off
_KEYS_AT_ONCE = 127  # 256 lanes, a fifth of a GB


def sensitivities(
    what: Scenario | Cohort,
    parameters: Sequence[str] | None = None,
    *,
    series: Sequence[str] | None = None,
    arms: Sequence[str] | None = None,
    endpoints: bool = True,
    member: str | None = None,
    every: float = 7.0,
    tolerance: float | None = None,
    threads: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> Sensitivities:
    """How curves and endpoints change with parameters, each alone and by little.

    Parameters
    ----------
    what : Scenario or Cohort
        One patient, or many.
    parameters : sequence of str, optional
        Keys of parameters; left out, all that some arm reads. Among them is the body weight of the pharmacokinetics;
        doses stay as they are when it changes.
    series : sequence of str, optional
        Curves to differentiate; some of each kind if left out.
    arms : sequence of str, optional
        Only these arms.
    endpoints : bool
        Whether to differentiate endpoints too. Soft callus peak and start of remodelling are left out: each is the day
        of a maximum on a grid of days, which jumps.
    member : {"J", "B"}, optional
        Ensemble member of the callus kinetics of a scenario, J if left out; patients of a cohort have theirs.
    every : float
        Spacing of the curves [day].
    tolerance : float, optional
        Error allowed per step; left out, a tenth of what simulations allow, which keeps slopes within 1e-3.
    threads : int, optional
        Threads; all cores by default. The result does not depend on it.
    on_progress : callable, optional
        ``on_progress(done, total)`` in parameters of patients in arms, several times a second.

    Returns
    -------
    Sensitivities
        What could not be solved is NaN, with its reason in `failures`.

    Raises
    ------
    InputError
        A setting is refused; the path names it.
    SolveError
        A kernel could not be compiled; derivatives need lanes in lock-step.
    """
    cohort = _cohort(what, member)
    keys, chosen = wanted(cohort, parameters), _arms(cohort, arms)
    plan = make_plan(
        cohort,
        series=series,
        every=every,
        chunk=1,
        threads=threads,
        backend="compiled",
        tolerance=TOLERANCE * _FINER if tolerance is None else tolerance,
    )
    found = Found(cohort.size, len(chosen), len(keys), len(plan.time), plan.settings.series)
    warm_up(systems_of(cohort))
    done, total = 0, cohort.size * len(chosen) * len(keys)
    for lo, hi, first, stop in _portions(cohort.size, len(keys)):
        layout = Layout(keys[first:stop])
        steps = (hi - lo) * len(layout.keys)

        def tell(arms_done: float, before: int = done, steps: int = steps) -> None:
            if on_progress is not None:
                on_progress(int(before + steps * arms_done), total)

        _portion(plan, chosen, endpoints, layout, (lo, hi), first, found, tell)
        done += steps * len(chosen)
    tell(float(len(chosen)))
    found.blank_failed()
    return assemble(plan, keys, chosen, found)


def _portion(
    plan: Plan,
    arms: tuple[str, ...],
    endpoints: bool,
    layout: Layout,
    patients: tuple[int, int],
    first: int,
    found: Found,
    tell: Callable[[float], None],
) -> None:
    """Fill in what belongs to some patients and to the parameters of a layout; `first` is their place."""
    cohort, block = plan.cohort, plan.cohort.block(*patients)
    if first == 0:
        found.describe(block.patients)
    before = 0.0
    for group in block.groups:
        share = len(group.index) / (block.hi - block.lo)
        wide = widen(cohort, block, group, arms, layout)
        scored = {arm: scored_times(cohort, group, arm) for arm in arms}
        time = np.unique(np.concatenate([plan.time, *scored.values()]))
        healing = group.scenario.fracture is not None
        solver = Solver(
            size=len(wide.group.index),
            grid=time,
            names=solved_curves(healing, plan.settings.series),
            kernel=obtain,
            tolerance=plan.settings.tolerance,
            threads=plan.settings.threads,
            lockstep=True,
        )
        for number, arm in enumerate(arms):
            solver.on_poll = _polled(tell, before, share, len(wide.group.index) // EIGHT)
            solved = solver.solve(wide.group.arms[arm], wide.group.end)
            curves = dict(solved.curves)
            if healing:
                add_score(curves, time, wide.group)
            ends = {}
            if endpoints:
                kept = np.searchsorted(time, scored[arm])
                seen = {name: curve[:, kept] for name, curve in curves.items()}
                ends = endpoint_arrays(scored[arm], seen, chronic(wide.group))
            kept = np.searchsorted(time, plan.time)
            place = block.lo + group.index, number
            for lane in sorted(solved.failures):
                found.failures.setdefault((int(place[0][lane // layout.width]), number), solved.failures[lane])
            _take(found, place, first, wide, arm, {name: curves[name][:, kept] for name in found.series}, ends)
            before += share


def _take(
    found: Found,
    place: tuple[np.ndarray, int],
    first: int,
    wide: Wide,
    arm: str,
    curves: dict[str, np.ndarray],
    ends: dict[str, np.ndarray],
) -> None:
    """Take lanes apart: differences, per logarithm of the parameter, and what is unchanged."""
    layout, patients = wide.layout, len(place[0])
    value, apart = wide.values[arm], wide.apart[arm]
    # Of a parameter that is 0 the plain slope; an arm that does not have a parameter does not change with it.
    factor = np.divide(np.where(value == 0, 1.0, value), apart, out=np.zeros_like(apart), where=apart != 0)
    keys = slice(first, first + len(layout.keys))
    found.values[place[0], place[1], keys] = value
    for name, curve in curves.items():
        found.series[name][place[0], place[1], keys] = layout.difference(curve, patients) * factor[:, :, None]
    for name, end in ends.items():
        if name in JUMPING:
            continue
        slopes, base = found.endpoint(name)
        slopes[place[0], place[1], keys] = layout.difference(end, patients) * factor
        if first == 0:
            base[place] = layout.unchanged(end, patients)


def _portions(patients: int, keys: int) -> Iterator[tuple[int, int, int, int]]:
    """First and last patient, first and last parameter, of what is solved at a time."""
    per = -(-keys // -(-keys // _KEYS_AT_ONCE))
    together = max(1, Layout(("",) * _KEYS_AT_ONCE).width // Layout(("",) * per).width)
    for lo in range(0, patients, together):
        for first in range(0, keys, per):
            yield lo, min(patients, lo + together), first, min(keys, first + per)


def _polled(tell: Callable[[float], None], before: float, share: float, eights: int) -> Callable[[int], None]:
    most = 0.0

    def poll(taken: int) -> None:
        # Each stage of an arm counts from the start again.
        nonlocal most
        most = max(most, min(1.0, taken / eights))
        tell(before + share * most)

    return poll


def _cohort(what: Scenario | Cohort, member: str | None) -> Cohort:
    if isinstance(what, Scenario):
        return Cohort.sample(what, 1, members=("J" if member is None else member,), spread="none")
    if not isinstance(what, Cohort):
        kind = type(what).__name__
        raise InputError(f"sensitivities are those of a scenario or a cohort, and this is a {kind}", path="what")
    if member is not None:
        message = f"{show(member)} is given, and patients of a cohort have their own"
        raise InputError(message, path="member", value=member, hint="leave it out")
    return what


def _arms(cohort: Cohort, named: Sequence[str] | None) -> tuple[str, ...]:
    if named is None:
        return cohort.arms
    if isinstance(named, str) or not isinstance(named, Sequence) or not named:
        raise InputError(f"{show(named)} is not a list of arms", path="arms", value=named)
    for place, name in enumerate(named):
        if name not in cohort.arms:
            hint = near_match(name, cohort.arms) or f"there are {', '.join(cohort.arms)}"
            raise InputError(f"there is no arm {show(name)}", path=f"arms[{place}]", value=name, hint=hint)
    return tuple(arm for arm in cohort.arms if arm in named)

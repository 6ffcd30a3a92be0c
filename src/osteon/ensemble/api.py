"""One word for both: a scenario gives a course, a cohort gives the result of a cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from osteon.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from osteon.course import Course
    from osteon.ensemble.chunk import Chunk
    from osteon.ensemble.result import CohortResult
    from osteon.population import Cohort
    from osteon.scenario import Scenario


@overload
def simulate(
    scenario: Scenario,
    *,
    members: Sequence[str] = ...,
    tolerance: float = ...,
    draws: int | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Course: ...
@overload
def simulate(
    scenario: Cohort,
    *,
    out: str | Path | None = None,
    series: Sequence[str] | None = None,
    every: float = 7.0,
    chunk: int = 512,
    threads: int | None = None,
    backend: str = "auto",
    tolerance: float | None = None,
    resume: bool = False,
    cluster: str | None = None,
    on_progress: Callable[[int, int, int], None] | None = None,
    on_preview: Callable[[Chunk], None] | None = None,
) -> CohortResult: ...
def simulate(scenario: Scenario | Cohort, **settings: Any) -> Course | CohortResult:
    """Simulate every arm of a scenario, or of every patient of a cohort.

    Parameters
    ----------
    scenario : Scenario or Cohort
        What to simulate.
    members : sequence of str
        Of a scenario: ensemble members of the callus kinetics; curves are those of the first, endpoints span all.
    tolerance : float
        Error allowed per step.
    draws : int, optional
        Of a scenario: draws of parameters and structures of the turnover layer over which the skeleton has a range; 0
        for none. Left out, 40 for people where no arm imposes an effect, else none.
    on_progress : callable, optional
        Of a scenario ``on_progress(what, done, total)`` before each arm; of a cohort ``on_progress(done, total,
        failed)`` in patients.
    out, series, every, chunk, threads, backend, resume, cluster, on_preview
        Of a cohort: see `osteon.ensemble.run.simulate_cohort`.

    Returns
    -------
    Course or CohortResult
        A scenario gives a course, a cohort gives the result of a cohort. What could not be solved is NaN, with its
        reason in `failures`.

    Raises
    ------
    InputError
        A setting is refused; the path names it.
    ModelError
        A member is unknown.
    """
    from osteon.scenario import Scenario

    if isinstance(scenario, Scenario):
        from osteon.simulation import simulate as simulate_scenario

        return simulate_scenario(scenario, **settings)
    from osteon.population import Cohort

    if isinstance(scenario, Cohort):
        from osteon.ensemble.run import simulate_cohort

        return simulate_cohort(scenario, **settings)
    kind = type(scenario).__name__
    raise InputError(f"a scenario or a cohort can be simulated, and this is a {kind}", path="scenario", value=kind)

"""Runs a cohort chunk by chunk: computes here or on a cluster, writes what is done, can be stopped and resumed."""

from __future__ import annotations

import os
import platform
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from osteon.ensemble.plan import Plan, check_memory, make_plan
from osteon.ensemble.result import CohortResult, InFolder, InMemory
from osteon.ensemble.store import RunFolder, count_failed, held_by

if TYPE_CHECKING:
    from osteon.ensemble.chunk import Chunk
    from osteon.population import Cohort

    Compute = Callable[..., Chunk]

Told = Callable[[int, int, int], None]
#: Yields chunks, given the plan, the bounds that wait, what computes one, and what is told how far it is.
Source = Callable[..., Generator["Chunk", None, None]]
_POLL = 0.1  # seconds between looks at how far a chunk is


def simulate_cohort(
    cohort: Cohort,
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
    on_progress: Told | None = None,
    on_preview: Callable[[Chunk], None] | None = None,
    compute: Compute | None = None,
) -> CohortResult:
    """Simulate every patient and arm of a cohort.

    Parameters
    ----------
    cohort : Cohort
        Who is simulated.
    out : str or Path, optional
        Folder that the result is written to as it is computed, so that memory does not grow with the cohort. Without
        it the result is kept in memory, up to 2 GB.
    series : sequence of str, optional
        Curves to keep; endpoints are found without them.
    every : float
        Spacing of the curves [day].
    chunk : int
        Patients computed and written at a time.
    threads : int, optional
        Threads of the compiled kernel; all cores by default. The result does not depend on it.
    backend : {"auto", "compiled", "python"}
        What solves the equations.
    tolerance : float, optional
        Error allowed per step.
    resume : bool
        Go on with the run that `out` holds. The files end up the same, bit for bit, as without the interruption.
    cluster : str, optional
        ``tcp://host:port`` of a Dask scheduler, or ``local:N`` for N processes of this machine. A script that asks for
        ``local:N`` needs the guard ``if __name__ == "__main__":``.
    on_progress : callable, optional
        ``on_progress(done, total, failed)`` in patients, several times a second.
    on_preview : callable, optional
        Given the first patients one by one while the kernel is compiled, which happens once; no part of the result.
    compute : callable, optional
        What computes a chunk, as `osteon.ensemble.chunk.compute` does.

    Returns
    -------
    CohortResult
        A patient that could not be solved is NaN, with its reason in `failures`.

    Raises
    ------
    InputError
        A setting is refused, the folder cannot be used, or the cluster cannot be reached.
    MissingExtra
        A cluster is asked for and Dask is not installed.
    KeyboardInterrupt
        Interrupted; the chunks that are done are kept in `out`.
    """
    folder = None if out is None else Path(out)
    plan = make_plan(
        cohort, series=series, every=every, chunk=chunk, threads=threads, backend=backend, tolerance=tolerance
    )
    source: Source = _here
    if cluster is not None:
        from osteon.ensemble.cluster import Cluster

        source = Cluster(cluster)
        source.reach()
    if folder is None:
        check_memory(plan)
    else:
        held_by(folder, resume)
    compiled_there = cluster is not None and not cluster.startswith("local:")
    plan, compute = _ready(plan, compute, compiled_there, on_preview)
    if folder is None:
        kept = InMemory(plan)
        _run(plan, source, compute, kept.write, plan.ranges(), 0, on_progress)
        return CohortResult(cohort, None, plan.manifest(), kept)
    store = RunFolder(folder, plan, resume)
    try:
        _run_into(store, source, compute, on_progress, cluster)
    finally:
        store.close()
    return CohortResult(cohort, folder, plan.manifest(), InFolder(folder))


def _ready(
    plan: Plan, compute: Compute | None, compiled_there: bool, on_preview: Callable[[Chunk], None] | None
) -> tuple[Plan, Compute]:
    """Settle the back end and what computes; kernels that this machine needs are compiled before the first chunk."""
    from osteon.ensemble import chunk
    from osteon.ensemble.kernels import prepare

    if compute is None and not compiled_there:
        return replace(plan, settings=prepare(plan.cohort, plan.settings, on_preview)), chunk.compute
    backend = chunk.chosen_backend(plan.cohort, plan.settings.backend)
    return replace(plan, settings=replace(plan.settings, backend=backend)), compute or chunk.compute


def _run_into(
    store: RunFolder, source: Source, compute: Compute, on_progress: Told | None, cluster: str | None
) -> None:
    """Run what a folder still lacks, and keep the record of it."""
    plan, begun, clock = store.plan, datetime.now(UTC), time.monotonic()
    before = store.done()

    def note(state: str) -> None:
        done = store.done()
        store.note(
            {
                "state": state,
                "patients": plan.cohort.size,
                "patients_done": sum(hi - lo for lo, hi in plan.ranges() if lo in done),
                "patients_failed": store.failed(),
                "resumed": bool(before),
                "started": begun.isoformat(timespec="seconds"),
                "seconds": round(time.monotonic() - clock, 3),
                "threads": plan.settings.threads,
                "cluster": cluster,
                "peak_memory_MB": _peak_memory(),
                "machine": {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()},
            }
        )

    note("running")
    state = "failed"
    try:
        waiting = [bounds for bounds in plan.ranges() if bounds[0] not in before]
        _run(plan, source, compute, store.write, waiting, store.failed(), on_progress)
        state = "done"
    except KeyboardInterrupt:
        state = "interrupted"
        raise
    finally:
        note(state)


def _run(
    plan: Plan,
    source: Source,
    compute: Compute,
    write: Callable[[Chunk], None],
    waiting: list[tuple[int, int]],
    failed: int,
    on_progress: Told | None,
) -> None:
    """Compute and write the chunks that wait."""
    total = plan.cohort.size
    done = total - sum(hi - lo for lo, hi in waiting)

    def tell(inside: int) -> None:
        if on_progress:
            on_progress(done + inside, total, failed)

    tell(0)
    # Written by a thread of its own, so that an interruption waits for the chunk at hand instead of tearing it.
    with ThreadPoolExecutor(1, "osteon-write") as writer, closing(source(plan, waiting, compute, tell)) as chunks:
        for chunk in chunks:
            writer.submit(write, chunk).result()
            done += chunk.hi - chunk.lo
            failed += count_failed(chunk.table["patient"], chunk.table["failure"])
            tell(0)


def _here(
    plan: Plan, waiting: list[tuple[int, int]], compute: Compute, tell: Callable[[int], None]
) -> Generator[Chunk, None, None]:
    """Compute chunks in this process, the next one while the last is written."""
    stop = threading.Event()
    ahead: list[tuple[Future[Chunk], list[int]]] = []

    def start(pool: ThreadPoolExecutor, bounds: tuple[int, int]) -> None:
        far = [0]

        def on_patients(number: int) -> None:
            far[0] = number

        future = pool.submit(compute, plan.cohort, *bounds, plan.settings, on_patients, stop.is_set)
        ahead.append((future, far))

    # A thread computes, so that this one hears Ctrl-C and tells of progress while compiled code runs.
    with ThreadPoolExecutor(1, "osteon-compute") as pool:
        try:
            for number, bounds in enumerate(waiting):
                if not number:
                    start(pool, bounds)
                (future, far) = ahead.pop()
                while not wait([future], timeout=_POLL).done:
                    tell(far[0])
                chunk = future.result()
                if number + 1 < len(waiting):
                    start(pool, waiting[number + 1])
                yield chunk
        finally:
            stop.set()


def _peak_memory() -> float | None:
    """Most memory this process has held [MB], where the system says."""
    try:
        import resource
    except ImportError:
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (1e6 if sys.platform == "darwin" else 1e3), 1)

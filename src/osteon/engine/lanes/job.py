"""Running a compiled kernel over many patients: arrays in, arrays out, any number of threads."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from osteon.engine.lanes import driver
from osteon.engine.lanes.layout import LANES, STAGES
from osteon.engine.rosenbrock import MOST_STEPS, Tableau

_POLL = 0.1  # second
_TABLE = 3 * STAGES * STAGES
Array = np.ndarray


@dataclass(frozen=True)
class Code:
    """Machine code of a kernel and the memory one thread needs for it.

    Attributes
    ----------
    address : int
        Where the function lies.
    states, parameters, rows : int
        Number of states, of parameters, and of rows of memory.
    """

    address: int
    states: int
    parameters: int
    rows: int


@dataclass(frozen=True)
class Job:
    """What to integrate; `p` patients, `n` states, `q` parameters.

    Attributes
    ----------
    start, end : ndarray
        First and last day, shape (p,).
    initial : ndarray
        States at `start`, before doses that fall on it, shape (p, n).
    parameters : ndarray
        Parameter values in the order of the kernel, shape (p, q).
    event_time, event_amount, event_state : ndarray
        Impulses in order of time, shape (p, e): day, amount in the unit of the state, and number of the state.
    event_count : ndarray
        How many of them are meant, shape (p,).
    grid : ndarray
        Output times [day], ascending, shape (t,).
    window : ndarray
        First and one past the last output of each patient, shape (p, 2).
    select : ndarray
        Which states and signals are wanted: numbers of states, then of signals, shape (k,).
    skip : ndarray
        Patients that are not to be run, shape (p,).
    """

    start: Array
    end: Array
    initial: Array
    parameters: Array
    event_time: Array
    event_amount: Array
    event_state: Array
    event_count: Array
    grid: Array
    window: Array
    select: Array
    skip: Array


@dataclass(frozen=True)
class Outcome:
    """What came out.

    Attributes
    ----------
    out : ndarray
        Wanted series, shape (p, t, k); not a number outside the window and where the patient failed.
    last : ndarray
        State at the end, or where the patient failed, shape (p, n).
    reached : ndarray
        Day of `last`, shape (p,).
    status : ndarray
        0, or why the patient failed or was skipped (see `driver`), shape (p,).
    steps, rejected : ndarray
        Numbers of steps, shape (p,).
    """

    out: Array
    last: Array
    reached: Array
    status: Array
    steps: Array
    rejected: Array


def run(
    code: Code,
    job: Job,
    method: Tableau,
    tolerance: float,
    *,
    floor: float = 1.0,
    threads: int = 1,
    lockstep: bool = False,
    most_steps: int = MOST_STEPS,
    on_poll: Callable[[int], None] | None = None,
) -> Outcome:
    """Integrate all patients of a job.

    Parameters
    ----------
    code : Code
        The kernel.
    job : Job
        What to integrate.
    method : Tableau
        Rosenbrock method.
    tolerance : float
        Error allowed per step, relative.
    floor : float
        Share of a state's usual size below which its error counts as absolute.
    threads : int
        How many threads share the patients; results do not depend on it.
    lockstep : bool
        Each eight patients in a row share every step, the worst of them deciding its size.
    most_steps : int
        After so many steps a patient counts as failed.
    on_poll : callable, optional
        Called from this thread now and then with the number of patients taken; what it raises stops the run.
    """
    p, n = job.initial.shape
    t, k = len(job.grid), len(job.select)
    out = np.full((p, t, k), np.nan)
    last, reached = np.full((p, n), np.nan), np.full(p, np.nan)
    status = np.where(job.skip, driver.SKIPPED, driver.WAITING).astype(np.int64)
    steps, rejected, queue = np.zeros(p, np.int64), np.zeros(p, np.int64), np.zeros(8, np.int64)
    events = job.event_time.shape[1]
    counts = np.array([p, len(method.a), events, t, k, int(lockstep), most_steps], np.int64)
    settings = np.array([-1.0 / method.order, 1.0 / tolerance, 1.0 / method.gamma, method.gamma, floor])
    given = {
        "counts": counts,
        "queue": queue,
        "status": status,
        "steps": steps,
        "rejected": rejected,
        "table": _table(method),
        "settings": settings,
        "out": out,
        "last": last,
        "reached": reached,
    }
    for name in ("event_state", "event_count", "window", "select"):
        given[name] = np.ascontiguousarray(getattr(job, name), np.int64)
    for name in ("start", "end", "initial", "parameters", "event_time", "event_amount", "grid"):
        given[name] = np.ascontiguousarray(getattr(job, name), np.float64)
    pointers = [given[name].ctypes.data for name in (*driver.WHOLES, *driver.REALS)]
    _run_threads(code, pointers, max(1, min(threads, -(-p // LANES))), queue, on_poll)
    if (status == driver.WAITING).any():
        raise RuntimeError("the kernel left out patients")
    failed = status != driver.DONE
    out[failed] = np.nan
    return Outcome(out, last, reached, status, steps, rejected)


def _run_threads(code: Code, pointers: list[int], threads: int, queue: Array, on_poll: Callable | None) -> None:
    count = len(pointers) + 4
    function = ctypes.CFUNCTYPE(ctypes.c_int32, *[ctypes.c_void_p] * count)(code.address)

    def work() -> None:
        memory = np.zeros((code.rows + len(driver.CLOCKS) + 1) * LANES)
        skip = (-memory.ctypes.data % 64) // 8  # rows begin where a vector may
        own = np.zeros(len(driver.SLOTS) * LANES, np.int64)
        result, trouble = ctypes.c_int64(0), ctypes.c_void_p(0)
        own_memory = (memory.ctypes.data + 8 * skip, own.ctypes.data)
        function(ctypes.addressof(result), ctypes.addressof(trouble), *pointers, *own_memory)

    # Always beside this thread, which stays free to show progress and to be interrupted.
    workers = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    ended = False
    try:
        for worker in workers:
            while worker.is_alive():
                worker.join(_POLL)
                if on_poll:
                    on_poll(int(queue[0]))
        ended = True
    finally:
        queue[1] = int(not ended)
        for worker in workers:
            worker.join()


def _table(method: Tableau) -> Array:
    table = np.zeros(_TABLE)
    for first, rows in ((0, method.a), (STAGES * STAGES, method.c), (2 * STAGES * STAGES, method.h)):
        for number, row in enumerate(rows):
            table[first + number * STAGES : first + number * STAGES + len(row)] = row
    return table

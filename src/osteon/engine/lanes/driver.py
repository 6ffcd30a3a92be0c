"""The loop around the routines: steps, errors, doses, output, and the next patient when a lane is free.

Compiled with Numba, as part of a kernel; it never runs as plain Python. Lanes share nothing but the program counter:
each has its own patient, time, step and dose. A step is never cut at a dose or an output; both are read from the dense
output, as in the Python back end.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from osteon.engine.lanes.layout import LANES, MISC, STAGES
from osteon.engine.rosenbrock import FIRST_STEP, MOST_TRIES, SLACK

#: Whole numbers of a job, in the order of the array they are passed in.
COUNTS = ("patients", "stages", "events", "times", "selected", "lockstep", "most_steps")
#: Arrays of a job, in the order of their pointers: first those of whole numbers, then those of real numbers.
WHOLES = ("counts", "queue", "event_state", "event_count", "window", "select", "status", "steps", "rejected")
REALS = (
    *("table", "settings", "start", "end", "initial", "parameters", "event_time", "event_amount", "grid"),
    *("out", "last", "reached"),
)
#: What `status` says of a patient.
DONE, TOO_SMALL, TOO_MANY, NEGATIVE = 0, 1, 2, 3
#: Not yet run, and not to be run.
WAITING, SKIPPED = -2, -1
#: Rows of a lane group's own memory: of whole numbers, and of times after the blocks of `text`.
SLOTS = ("patient", "event", "output", "tries", "kept", "takes")
CLOCKS = ("now", "limit", "next")
_NOBODY = -1
_LEAST_PIVOT = 1e-7

_Job = namedtuple("_Job", (*WHOLES, *REALS))


def make_driver(
    rows: Mapping[str, int], n: int, parameters: int, offset: Callable, take: Callable, call: SimpleNamespace
) -> Any:
    """Return the function that Numba compiles into a kernel.

    Parameters
    ----------
    rows : mapping
        First row of each block of a lane group's memory.
    n, parameters : int
        Number of states and of parameters.
    offset, take : callable
        ``offset(pointer, k)``, and an atomic fetch-and-add of one.
    call : SimpleNamespace
        The routines, and ``combine(stage, ...)``.

    Notes
    -----
    The function is ``run(wholes..., reals..., w, own)``: pointers to the arrays named in `WHOLES` and `REALS`, then the
    memory of one lane group, real and whole. Any number of threads may run it on the same job; each takes patients
    from ``queue[0]`` until none are left or ``queue[1]`` is set.
    """
    from numba import njit

    options: Any = {"error_model": "numpy", "_nrt": False}
    inner = njit(**options)
    prepare, factor, rhs, solve, combine = call.prepare, call.factor, call.rhs, call.solve, call.combine
    finish, dense, at, observe = call.finish, call.dense, call.at, call.observe
    V, Y, C, L, F, R, U, P, N, K, D, O, M = (rows[name] * LANES for name in "VYCLFRUPNKDOM")  # noqa: E741
    H, TOTAL, ERROR, GUARD, CHANGE, X, LOW = (
        (rows["M"] + MISC.index(name)) * LANES for name in ("h", "total", "error", "guard", "change", "x", "low")
    )
    PATIENT, EVENT, OUTPUT, TRIES, KEPT, TAKES = (index * LANES for index in range(len(SLOTS)))
    NOW, LIMIT, NEXT = ((rows["end"] + index) * LANES for index in range(len(CLOCKS)))
    POINT, COUPLING, DENSE = 0, STAGES * STAGES, 2 * STAGES * STAGES  # parts of the table

    @inner
    def give(job, w, own, lane):
        """Add the impulses that fall no later than the lane's time."""
        who = own[PATIENT + lane]
        while own[EVENT + lane] < job.event_count[who]:
            place = who * job.counts[2] + own[EVENT + lane]
            if job.event_time[place] > w[NOW + lane]:
                break
            w[Y + job.event_state[place] * LANES + lane] += job.event_amount[place]
            own[EVENT + lane] += 1

    @inner
    def leave(job, w, own, lane, day, where):
        """Free the lane, and keep the state that stands at `where` as the patient's last."""
        who = own[PATIENT + lane]
        if job.status[who] == WAITING:
            job.status[who] = DONE
        job.reached[who] = day
        for i in range(n):
            job.last[who * n + i] = w[where + i * LANES + lane]
        own[PATIENT + lane] = _NOBODY
        w[H + lane] = FIRST_STEP

    @inner
    def enter(job, w, own, lane, who):
        """Put a patient into a lane; say whether it stays, which it does not where there is nothing to do."""
        own[PATIENT + lane] = who
        own[EVENT + lane] = 0
        own[OUTPUT + lane] = job.window[2 * who]
        own[TRIES + lane] = 0
        for i in range(n):
            w[Y + i * LANES + lane] = job.initial[who * n + i]
        for i in range(parameters):
            w[V + i * LANES + lane] = job.parameters[who * parameters + i]
        w[NOW + lane] = job.start[who]
        w[H + lane] = FIRST_STEP
        give(job, w, own, lane)
        if job.end[who] <= job.start[who] and job.window[2 * who] >= job.window[2 * who + 1]:
            leave(job, w, own, lane, job.end[who], Y)
            return 0
        return 1

    @inner
    def refill(job, w, own):
        """Let free lanes take the next patients; lanes in lock-step take eight at once, when all are free."""
        patients, lockstep = job.counts[0], job.counts[5]
        busy, entered = 0, 0
        for lane in range(LANES):
            busy += own[PATIENT + lane] != _NOBODY
        if lockstep == 1 and busy > 0:
            return busy
        if lockstep == 1:
            # Eights of whom nobody is to be run are passed over.
            base = take(job.queue) * LANES
            while base < patients and entered == 0:
                for lane in range(LANES):
                    if base + lane < patients and job.status[base + lane] == WAITING:
                        entered += enter(job, w, own, lane, base + lane)
                if entered == 0:
                    base = take(job.queue) * LANES
        else:
            for lane in range(LANES):
                while own[PATIENT + lane] == _NOBODY and job.queue[0] < patients:
                    who = take(job.queue)
                    if who < patients and job.status[who] == WAITING:
                        entered += enter(job, w, own, lane, who)
        if entered > 0:
            # The constants of lanes that were busy come out as they were.
            prepare(offset(w, V), offset(w, C))
        return busy + entered

    @inner
    def step(job, w):
        """One step of every lane."""
        y, c, lu, f, r, p = offset(w, Y), offset(w, C), offset(w, L), offset(w, F), offset(w, R), offset(w, P)
        u, m, stages = offset(w, U), offset(w, M), job.counts[1]
        factor(y, c, lu, f, m, job.settings)
        for stage in range(stages):
            if stage == 0:
                for i in range(n * LANES):
                    w[R + i] = 0.0
            else:
                point = offset(job.table, POINT + stage * STAGES)
                combine(stage, y, u, p, r, m, point, offset(job.table, COUPLING + stage * STAGES))
                rhs(p, c, f)
            solve(lu, f, r, offset(u, stage * n * LANES))
        finish(p, offset(u, (stages - 1) * n * LANES), y, offset(w, N), m, job.settings)

    @inner
    def share(w, own):
        """Lanes in lock-step all follow the worst of them."""
        worst, least, total, guard = 0.0, 6.0, 0.0, 1.0
        for lane in range(LANES):
            if own[PATIENT + lane] != _NOBODY:
                worst = max(worst, w[ERROR + lane])
                least = min(least, w[CHANGE + lane])
                total += w[TOTAL + lane]
                guard = min(guard, w[GUARD + lane])
        for lane in range(LANES):
            w[ERROR + lane], w[CHANGE + lane], w[TOTAL + lane], w[GUARD + lane] = worst, least, total, guard

    @inner
    def judge(job, w, own, lane):
        """Keep the step of a lane, or shorten it; say whether it was kept."""
        who = own[PATIENT + lane]
        finite = w[TOTAL + lane] - w[TOTAL + lane] == 0.0
        sound = finite and w[GUARD + lane] > _LEAST_PIVOT
        if sound and w[ERROR + lane] <= 1.0:
            own[TRIES + lane] = 0
            job.steps[who] += 1
            w[LIMIT + lane] = w[NOW + lane] + w[H + lane]
            w[NEXT + lane] = job.end[who]
            if own[EVENT + lane] < job.event_count[who]:
                w[NEXT + lane] = min(job.end[who], job.event_time[who * job.counts[2] + own[EVENT + lane]])
            return 1
        job.rejected[who] += 1
        own[TRIES + lane] += 1
        w[H + lane] *= 0.25 if not finite else (0.5 if not sound else min(w[CHANGE + lane], 0.9))
        if own[TRIES + lane] >= MOST_TRIES or w[NOW + lane] + w[H + lane] <= w[NOW + lane]:
            job.status[who] = TOO_SMALL
            leave(job, w, own, lane, w[NOW + lane], Y)
        return 0

    @inner
    def next_outputs(job, w, own):
        """Set the place of the next output of each lane within its step; say whether there is any."""
        found = 0
        for lane in range(LANES):
            w[X + lane] = 0.0
            own[TAKES + lane] = 0
            who = own[PATIENT + lane]
            if own[KEPT + lane] == 0 or who == _NOBODY or own[OUTPUT + lane] >= job.window[2 * who + 1]:
                continue
            moment = job.grid[own[OUTPUT + lane]]
            last = w[NEXT + lane] >= job.end[who] and moment == w[NEXT + lane]
            if moment < w[LIMIT + lane] and (moment < w[NEXT + lane] or last):
                w[X + lane] = (moment - w[NOW + lane]) / w[H + lane]
                own[TAKES + lane] = 1
                found = 1
        return found

    @inner
    def put_out(job, w, own, lane):
        """Write what was observed of a lane; a state too far below zero ends the patient."""
        who, number, selected = own[PATIENT + lane], own[OUTPUT + lane], job.counts[4]
        place = (who * job.counts[3] + number) * selected
        for i in range(selected):
            job.out[place + i] = w[O + job.select[i] * LANES + lane]
        own[OUTPUT + lane] = number + 1
        if w[LOW + lane] < -SLACK:
            job.status[who] = NEGATIVE
            leave(job, w, own, lane, job.grid[number], D)

    @inner
    def go_on(job, w, own, lane):
        """After a kept step: stand at the dose or the end that lies in it, or at its own end."""
        who = own[PATIENT + lane]
        if w[NEXT + lane] >= w[LIMIT + lane]:
            for i in range(n):
                w[Y + i * LANES + lane] = w[N + i * LANES + lane]
            w[NOW + lane] = w[LIMIT + lane]
            w[H + lane] *= w[CHANGE + lane]
            if job.steps[who] >= job.counts[6]:
                job.status[who] = TOO_MANY
                leave(job, w, own, lane, w[NOW + lane], Y)
        elif w[NEXT + lane] >= job.end[who]:
            leave(job, w, own, lane, job.end[who], D)
        else:
            for i in range(n):
                w[Y + i * LANES + lane] = w[D + i * LANES + lane]
            w[NOW + lane] = w[NEXT + lane]
            w[H + lane] = FIRST_STEP
            give(job, w, own, lane)

    def run(
        counts, queue, event_state, event_count, window, select, status, steps, rejected, table, settings, start, end,
        initial, parameters, event_time, event_amount, grid, out, last, reached, w, own,
    ):  # fmt: skip
        job = _Job(
            counts, queue, event_state, event_count, window, select, status, steps, rejected, table, settings, start,
            end, initial, parameters, event_time, event_amount, grid, out, last, reached,
        )  # fmt: skip
        u, y, new, k, d = offset(w, U), offset(w, Y), offset(w, N), offset(w, K), offset(w, D)
        c, o, m = offset(w, C), offset(w, O), offset(w, M)
        for lane in range(LANES):
            own[PATIENT + lane] = _NOBODY
            w[H + lane] = FIRST_STEP
        while refill(job, w, own) > 0 and queue[1] == 0:
            step(job, w)
            if counts[5] == 1:
                share(w, own)
            kept = 0
            for lane in range(LANES):
                own[KEPT + lane] = judge(job, w, own, lane) if own[PATIENT + lane] != _NOBODY else 0
                kept += own[KEPT + lane]
            if kept == 0:
                continue
            prepared = 0
            # Output, one time of every lane at once, until no lane has one left within its step.
            while next_outputs(job, w, own) == 1:
                if prepared == 0:
                    dense(u, k, offset(table, DENSE))
                    prepared = 1
                at(y, new, k, d, m)
                observe(d, c, o, m)
                for lane in range(LANES):
                    if own[TAKES + lane] == 1:
                        put_out(job, w, own, lane)
            arrived = 0
            for lane in range(LANES):
                w[X + lane] = 0.0
                if own[KEPT + lane] == 1 and own[PATIENT + lane] != _NOBODY and w[NEXT + lane] < w[LIMIT + lane]:
                    w[X + lane] = (w[NEXT + lane] - w[NOW + lane]) / w[H + lane]
                    arrived = 1
            if arrived == 1:
                if prepared == 0:
                    dense(u, k, offset(table, DENSE))
                at(y, new, k, d, m)
            for lane in range(LANES):
                if own[KEPT + lane] == 1 and own[PATIENT + lane] != _NOBODY:
                    go_on(job, w, own, lane)
        return 0

    return run

"""The loop around the routines: steps, errors, doses, output, and the next patient when a lane is free.

Compiled with Numba, as part of a kernel; it never runs as plain Python. Lanes share nothing but the program counter:
each has its own patient, time, step and dose index. A step is never cut at a dose or an output; both are read from the
dense output, as in the Python back end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from osteon.engine.lanes.text import MISC
from osteon.engine.lanes.vector import LANES

#: Whole numbers of a job, in the order of the array they are passed in.
COUNTS = ("patients", "stages", "events", "times", "selected", "lockstep", "most_steps")
#: Arrays of a job of whole numbers and of real numbers, in the order of their pointers.
WHOLES = ("queue", "event_state", "event_count", "window", "select", "status", "steps", "rejected")
REALS = (
    "table",
    "settings",
    "start",
    "end",
    "initial",
    "constants",
    "event_time",
    "event_amount",
    "grid",
    "out",
    "last",
    "reached",
)
#: What `status` says of a patient.
DONE, TOO_SMALL, TOO_MANY, NEGATIVE = 0, 1, 2, 3
#: Numbers per lane in the scratch memory of whole numbers.
SLOTS = ("patient", "event", "output", "tries", "kept", "takes")
FIRST_STEP = 0.01  # day
_MOST_TRIES = 60
_LEAST_PIVOT = 1e-7
_SLACK = 1e-6
_NOBODY = -1


def make_driver(
    rows: Mapping[str, int], n: int, constants: int, offset: Callable, take: Callable, call: SimpleNamespace
) -> Any:
    """Return the Python function that Numba compiles into a kernel.

    Parameters
    ----------
    rows : mapping
        First row of each block of a lane group's memory.
    n, constants : int
        Number of states and of constants.
    offset, take : callable
        ``offset(pointer, k)`` and an atomic fetch-and-add of one.
    call : SimpleNamespace
        The routines, and ``combine(stage, ...)``.

    Notes
    -----
    The function is ``run(counts, wholes..., reals..., w, own)``: pointers to the arrays named in `COUNTS`, `WHOLES` and
    `REALS`, then the memory of one lane group, real and whole. Any number of threads may run it on the same job; each
    takes patients from ``queue[0]`` until none are left or ``queue[1]`` is set.
    """
    factor, rhs, solve, finish, dense, at, observe, combine = (
        call.factor, call.rhs, call.solve, call.finish, call.dense, call.at, call.observe, call.combine,
    )  # fmt: skip
    Y, C, L, F, R, U, P, N, K, D, O, M = (rows[name] * LANES for name in "YCLFRUPNKDOM")  # noqa: E741
    H, TOTAL, ERROR, GUARD, CHANGE, X, LOW = (
        (rows["M"] + MISC.index(name)) * LANES for name in ("h", "total", "error", "guard", "change", "x", "low")
    )
    PATIENT, EVENT, OUTPUT, TRIES, KEPT, TAKES = (index * LANES for index in range(len(SLOTS)))
    T, LIMIT, NEXT = 0, LANES, 2 * LANES  # rows of the times of each lane, after the blocks
    CLOCK = rows["end"] * LANES
    U_ROW = n * LANES
    FACTORS, SECOND, DENSE = 3 * 64, 64, 128  # where in the table the couplings, their second part and the output lie

    def run(
        counts, queue, event_state, event_count, window, select, status, steps, rejected,
        table, settings, start, end, initial, fixed, event_time, event_amount, grid, out, last, reached, w, own,
    ):  # fmt: skip
        patients, stages, events, times, selected = counts[0], counts[1], counts[2], counts[3], counts[4]
        lockstep, most_steps = counts[5], counts[6]
        y, c, lu, f, r, p = offset(w, Y), offset(w, C), offset(w, L), offset(w, F), offset(w, R), offset(w, P)
        u, new, k, d, o, m = offset(w, U), offset(w, N), offset(w, K), offset(w, D), offset(w, O), offset(w, M)
        clock = offset(w, CLOCK)
        for lane in range(LANES):
            own[PATIENT + lane] = _NOBODY
            w[H + lane] = FIRST_STEP
        active = 0
        more = 1
        while True:
            # Free lanes take the next patients; lanes in lock-step take eight at once, when all are free.
            if more == 1 and (active < LANES if lockstep == 0 else active == 0):
                base = take(queue) * LANES if lockstep == 1 else 0
                for lane in range(LANES):
                    while own[PATIENT + lane] == _NOBODY and more == 1:
                        who = base + lane if lockstep == 1 else take(queue)
                        if who >= patients:
                            more = 0
                        elif status[who] == DONE:
                            own[PATIENT + lane] = who
                            own[EVENT + lane] = 0
                            own[OUTPUT + lane] = window[2 * who]
                            own[TRIES + lane] = 0
                            active += 1
                            for i in range(n):
                                w[Y + i * LANES + lane] = initial[who * n + i]
                            for i in range(constants):
                                w[C + i * LANES + lane] = fixed[who * constants + i]
                            clock[T + lane] = start[who]
                            w[H + lane] = FIRST_STEP
                            while own[EVENT + lane] < event_count[who]:
                                place = who * events + own[EVENT + lane]
                                if event_time[place] > start[who]:
                                    break
                                w[Y + event_state[place] * LANES + lane] += event_amount[place]
                                own[EVENT + lane] += 1
                        elif lockstep == 1:
                            break
            if active == 0 or queue[1] != 0:
                break

            # One step of every lane.
            factor(y, c, lu, f, m, settings)
            for stage in range(stages):
                if stage == 0:
                    for i in range(n * LANES):
                        w[R + i] = 0.0
                else:
                    combine(
                        stage, y, u, p, r, m, offset(table, stage * STAGES_), offset(table, SECOND + stage * STAGES_)
                    )
                    rhs(p, c, f)
                solve(lu, f, r, offset(u, stage * U_ROW))
            finish(p, offset(u, (stages - 1) * U_ROW), y, new, m, settings)

            # What each lane makes of it.
            if lockstep == 1:
                worst, least, total = 0.0, 6.0, 0.0
                guard = 1.0
                for lane in range(LANES):
                    if own[PATIENT + lane] != _NOBODY:
                        worst = max(worst, w[ERROR + lane])
                        least = min(least, w[CHANGE + lane])
                        total += w[TOTAL + lane]
                        guard = min(guard, w[GUARD + lane])
                for lane in range(LANES):
                    w[ERROR + lane], w[CHANGE + lane], w[TOTAL + lane], w[GUARD + lane] = worst, least, total, guard
            pending = 0
            for lane in range(LANES):
                own[KEPT + lane] = 0
                own[TAKES + lane] = 0
                who = own[PATIENT + lane]
                if who == _NOBODY:
                    continue
                finite = w[TOTAL + lane] - w[TOTAL + lane] == 0.0
                sound = finite and w[GUARD + lane] > _LEAST_PIVOT
                if sound and w[ERROR + lane] <= 1.0:
                    own[KEPT + lane] = 1
                    own[TRIES + lane] = 0
                    steps[who] += 1
                    clock[LIMIT + lane] = clock[T + lane] + w[H + lane]
                    clock[NEXT + lane] = end[who]
                    if own[EVENT + lane] < event_count[who]:
                        moment = event_time[who * events + own[EVENT + lane]]
                        if moment < end[who]:
                            clock[NEXT + lane] = moment
                    pending = 1
                else:
                    rejected[who] += 1
                    own[TRIES + lane] += 1
                    change = 0.25 if not finite else (0.5 if not sound else min(w[CHANGE + lane], 0.9))
                    w[H + lane] *= change
                    if own[TRIES + lane] >= _MOST_TRIES or clock[T + lane] + w[H + lane] <= clock[T + lane]:
                        status[who] = TOO_SMALL
                    if steps[who] >= most_steps:
                        status[who] = TOO_MANY
                    if status[who] != DONE:
                        reached[who] = clock[T + lane]
                        for i in range(n):
                            last[who * n + i] = w[Y + i * LANES + lane]
                        own[PATIENT + lane] = _NOBODY
                        w[H + lane] = FIRST_STEP
                        active -= 1
            if pending == 0:
                continue

            # Output, one time of every lane at once, until no lane has one left within its step.
            prepared = 0
            while pending == 1:
                pending = 0
                for lane in range(LANES):
                    w[X + lane] = 0.0
                    own[TAKES + lane] = 0
                    who = own[PATIENT + lane]
                    if own[KEPT + lane] == 0 or who == _NOBODY or own[OUTPUT + lane] >= window[2 * who + 1]:
                        continue
                    moment = grid[own[OUTPUT + lane]]
                    final = clock[NEXT + lane] >= end[who]
                    if moment < clock[LIMIT + lane] and (
                        moment < clock[NEXT + lane] or (final and moment <= clock[NEXT + lane])
                    ):
                        w[X + lane] = (moment - clock[T + lane]) / w[H + lane]
                        own[TAKES + lane] = 1
                        pending = 1
                if pending == 1:
                    if prepared == 0:
                        dense(u, k, offset(table, DENSE))
                        prepared = 1
                    at(y, new, k, d, m)
                    observe(d, c, o, m)
                    for lane in range(LANES):
                        if own[TAKES + lane] == 0:
                            continue
                        who = own[PATIENT + lane]
                        place = (who * times + own[OUTPUT + lane]) * selected
                        for i in range(selected):
                            out[place + i] = w[O + select[i] * LANES + lane]
                        own[OUTPUT + lane] += 1
                        if w[LOW + lane] < -_SLACK and status[who] == DONE:
                            status[who] = NEGATIVE
                            reached[who] = grid[own[OUTPUT + lane] - 1]
                            for i in range(n):
                                last[who * n + i] = w[D + i * LANES + lane]
                            own[PATIENT + lane] = _NOBODY
                            w[H + lane] = FIRST_STEP
                            active -= 1

            # Lanes that have come to a dose or to their end stand there; the others go on.
            arrived = 0
            for lane in range(LANES):
                w[X + lane] = 0.0
                if own[KEPT + lane] == 0 or own[PATIENT + lane] == _NOBODY:
                    continue
                if clock[NEXT + lane] < clock[LIMIT + lane]:
                    w[X + lane] = (clock[NEXT + lane] - clock[T + lane]) / w[H + lane]
                    arrived = 1
            if arrived == 1:
                if prepared == 0:
                    dense(u, k, offset(table, DENSE))
                at(y, new, k, d, m)
            for lane in range(LANES):
                who = own[PATIENT + lane]
                if own[KEPT + lane] == 0 or who == _NOBODY:
                    continue
                if clock[NEXT + lane] < clock[LIMIT + lane]:
                    if clock[NEXT + lane] >= end[who]:
                        reached[who] = end[who]
                        for i in range(n):
                            last[who * n + i] = w[D + i * LANES + lane]
                        own[PATIENT + lane] = _NOBODY
                        active -= 1
                    else:
                        moment = clock[NEXT + lane]
                        for i in range(n):
                            w[Y + i * LANES + lane] = w[D + i * LANES + lane]
                        while own[EVENT + lane] < event_count[who]:
                            place = who * events + own[EVENT + lane]
                            if event_time[place] > moment:
                                break
                            w[Y + event_state[place] * LANES + lane] += event_amount[place]
                            own[EVENT + lane] += 1
                        clock[T + lane] = moment
                    w[H + lane] = FIRST_STEP
                else:
                    for i in range(n):
                        w[Y + i * LANES + lane] = w[N + i * LANES + lane]
                    clock[T + lane] = clock[LIMIT + lane]
                    w[H + lane] *= w[CHANGE + lane]
                    if steps[who] >= most_steps:
                        status[who] = TOO_MANY
                        reached[who] = clock[T + lane]
                        for i in range(n):
                            last[who * n + i] = w[Y + i * LANES + lane]
                        own[PATIENT + lane] = _NOBODY
                        w[H + lane] = FIRST_STEP
                        active -= 1
        return 0

    return run


STAGES_ = 8

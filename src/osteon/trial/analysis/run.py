"""Analyses what a trial observed: the planned analysis first, then all that a reader asks for beside it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.trial.analysis import result as said
from osteon.trial.analysis.compare import compare_times
from osteon.trial.analysis.curves import curves_of
from osteon.trial.analysis.describe import responders, safety, table_1
from osteon.trial.analysis.result import Analysis, Estimate, need_extra
from osteon.trial.analysis.sample import Times
from osteon.trial.analysis.values import compare_values
from osteon.trial.observed import of_all

if TYPE_CHECKING:
    from osteon.trial.observed import Observed
    from osteon.trial.study import Study

#: Methods that are shown beside the planned one for a primary endpoint that is a time.
BESIDE = ("interval", "interval_weibull", "log_rank", "cox", "rmst")
#: Method that stands in where the planned one gives no number: it needs no shape and no ratio.
STAND_IN = "rmst"
#: Reasons for which it does; for others no method has anything to go by.
UNTOLD = (
    *(said.NO_EVENT_IN_ONE, said.NOT_CONVERGED, said.ONE_INTERVAL, said.ALL_FIRST),
    *(said.NOT_TOLD, said.AT_ODDS, said.TOO_WIDE),
)
_TICKS = 8


def analyse(study: Study, observed: Observed) -> Analysis:
    """Analyse a trial as planned.

    Parameters
    ----------
    study : Study
        Endpoints, method, level and visits.
    observed : Observed
        What was seen; every patient counts in the arm that the trial gave.

    Returns
    -------
    Analysis
        Where there is no number, a reason in words.

    Raises
    ------
    MissingExtra
        lifelines or statsmodels are not installed.
    """
    need_extra()
    work = _Work(study, observed)
    with work.clock("table1"):
        people = table_1(observed.people, observed.arms)
    estimates = [*work.primary(), *work.secondary()]
    curves = work.curves()
    with work.clock("responders"):
        effects = responders(observed, [one.name for one in study.endpoints.all if one.timed])
    with work.clock("safety"):
        harms = safety(observed, work.level)
    return Analysis(
        primary=study.endpoints.primary.name,
        control=observed.arms[0],
        arms=observed.arms,
        level=work.level,
        estimates=tuple(estimates),
        curves=tuple(curves),
        table1=tuple(people),
        responders=tuple(effects),
        safety=tuple(harms),
        notes=observed.notes,
        seconds={name: round(value, 3) for name, value in work.seconds.items()},
    )


def stands_in(found: Estimate, planned: str) -> Estimate:
    """The estimate as one that stands in for a planned method; unchanged where it has no number either."""
    return found if found.reason else replace(found, instead_of=planned, notes=(said.INSTEAD, *found.notes))


class _Work:
    def __init__(self, study: Study, observed: Observed) -> None:
        self.study, self.observed = study, observed
        self.level = float(study.analysis.level)
        self.seconds: dict[str, float] = {}
        self._times: dict[tuple[str, str], Times] = {}

    @contextmanager
    def clock(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - begun

    def times(self, endpoint: str, arm: str) -> Times:
        """Times of one endpoint in those who got an arm."""
        if (endpoint, arm) not in self._times:
            self._times[endpoint, arm] = Times.of(self.observed.times(endpoint, arm))
        return self._times[endpoint, arm]

    def primary(self) -> Iterator[Estimate]:
        """The planned analysis of the primary endpoint, then other methods for it."""
        endpoint, planned = self.study.endpoints.primary, self.study.analysis.method
        failed: set[str] = set()
        for place, method in enumerate(dict.fromkeys((planned, *(BESIDE if endpoint.timed else ())))):
            for arm in self.observed.arms[1:]:
                found = self.compared(endpoint, method, arm, primary=place == 0)
                failed |= {arm} if found.primary and found.reason in UNTOLD else set()
                yield stands_in(found, planned) if method == STAND_IN and arm in failed else found

    def secondary(self) -> Iterator[Estimate]:
        """Other endpoints: times by the planned method where it is one of times, everything else by differences."""
        planned = self.study.analysis.method
        for endpoint in self.study.endpoints.secondary:
            method = (planned if planned != "difference" else "interval") if endpoint.timed else "difference"
            for arm in self.observed.arms[1:]:
                found = self.compared(endpoint, method, arm)
                yield found
                if found.reason in UNTOLD and method != STAND_IN:
                    yield stands_in(self.compared(endpoint, STAND_IN, arm), method)

    def compared(self, endpoint: Any, method: str, arm: str, primary: bool = False) -> Estimate:
        control = self.observed.arms[0]
        named = {"endpoint": endpoint.name, "arm_name": arm, "control_name": control, "primary": primary}
        with self.clock(method):
            if endpoint.timed:
                first, other = (self.times(endpoint.name, one) for one in (control, arm))
                return compare_times(method, first, other, self.level, self.study.analysis.tau, **named)
            has = endpoint.name in self.observed.measures
            first, other = (self.observed.values(endpoint.name, one) if has else np.empty(0) for one in (control, arm))
            share = endpoint.kind == "event"
            found = compare_values(first, other, self.level, share=share, **named)
            if not share:
                return found
            note = said.OF_ALL if of_all(endpoint.what, endpoint.day) else said.OF_FOLLOWED
            return replace(found, notes=(*found.notes, note))

    def curves(self) -> Iterator[dict[str, Any]]:
        """Curves of every endpoint that is a time, in every arm."""
        until = float(self.study.follow_up)
        ticks = np.round(np.linspace(0.0, until, _TICKS + 1)).tolist()
        for endpoint in self.study.endpoints.all:
            for arm in self.observed.arms if endpoint.timed else ():
                with self.clock("curves"):
                    found = curves_of(self.times(endpoint.name, arm), ticks, until, self.level)
                yield {"endpoint": endpoint.name, "arm": arm, **found}

"""What an analysis gives: estimates with intervals, curves, tables, and reasons in words where there is no number.

Reasons and notes are sentences of English that `REASONS` and `NOTES` list; the locales translate them under
``trial_said``. Warnings of the statistical packages become notes as they are.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from osteon.errors import MissingExtra

NO_PATIENT = "an arm has no patient"
ONE_PATIENT = "an arm has a single patient"
NO_EVENT = "no event was seen in either arm"
NO_EVENT_HERE = "no event was seen in this arm"
NO_EVENT_IN_ONE = "no event was seen in one of the arms, so that a ratio has no finite value"
SAME_TIME = "all events were seen on the same day"
SAME_VALUE = "all recorded values are the same"
TOO_FEW = "fewer than two values were recorded in an arm"
NO_RISK = "nobody of one arm was followed until the first event of the other"
NOT_CONVERGED = "the fit did not converge"
ONE_INTERVAL = "in each arm all events may have come on a single day, so that the visits tell no ratio of times"
ONE_INTERVAL_HERE = "all events of this arm may have come on a single day, so that no distribution can be fitted"
ALL_FIRST = "everybody in one arm had the event before a first look, so that a ratio has no finite value"
NOT_TOLD = "the visits are too far apart to tell the distribution of the times, so that its fit is not reliable"
AT_ODDS = "the fitted distribution is at odds with what was seen at the visits"
TOO_WIDE = "the interval of the ratio spans more than a thousandfold, which tells nothing"
NO_SPREAD_FEW = "all values of an arm with fewer than ten are the same, so that the spread is not known"
NOT_RECORDED = "it was not recorded in this study"
NO_TWINS = "no patient reached it under both arms"
#: Every reason why there is no number.
REASONS = (
    *(NO_PATIENT, ONE_PATIENT, NO_EVENT, NO_EVENT_HERE, NO_EVENT_IN_ONE, SAME_TIME, SAME_VALUE, TOO_FEW, NO_RISK),
    *(NOT_CONVERGED, NOT_RECORDED, NO_TWINS, ONE_INTERVAL, ONE_INTERVAL_HERE, ALL_FIRST, NOT_TOLD, AT_ODDS, TOO_WIDE),
    NO_SPREAD_FEW,
)

TAU_CUT = "the restricted mean ends where the shorter follow-up of the two arms does"
CENSORED_OUT = "patients without the event are left out of a comparison of log times, which favours the slower arm"
BY_VISIT = "intervals were taken by the planned days of the visits"
BY_WEEK = "intervals were widened to whole weeks"
BY_SHAPE = "over half of the events came before the first look: the ratio rests on the shape of the distribution"
FIRST_LOOK = "over half of the events came before the first look: days differ by when people came, hardly by the arm"
FEW_EVENTS = "fewer than ten events in an arm: intervals and p values of large samples are too sure here"
SEEN_DAYS = "of the days on which visits saw it: visits far apart draw this ratio towards 1"
NO_SPREAD = "all values of one arm are the same: the interval rests on the spread of the other arm"
INSTEAD = "it stands in for the planned method, which gives no number here"
OF_FOLLOWED = "share of those followed to that day"
OF_ALL = "share of all patients of the arm, whether or not they were followed to the end"
#: Every note of the package itself.
NOTES = (
    TAU_CUT,
    CENSORED_OUT,
    BY_VISIT,
    BY_WEEK,
    BY_SHAPE,
    FIRST_LOOK,
    SEEN_DAYS,
    NO_SPREAD,
    INSTEAD,
    OF_FOLLOWED,
    OF_ALL,
)


@dataclass(frozen=True)
class Estimate:
    """One comparison of an arm with the control.

    Attributes
    ----------
    endpoint, method, arm, control : str
        What was compared, how, and with whom.
    measure : str
        ``time_ratio`` and ``hazard_ratio`` (of the arm over the control: a time ratio below 1 and a hazard ratio above
        1 mean that the event comes sooner), ``rmst_difference`` [day], ``difference`` (of means, or of shares where
        `unit` is ``share``; arm less control) or ``log_rank`` (a test without an estimate).
    value, low, high, p : float
        Estimate, ends of its interval at `level`, two-sided p; NaN where there is none.
    level : float
        Of the interval.
    unit : str
        Of a difference.
    tau : float
        Day to which a restricted mean was taken, NaN of others.
    n, n_control, events, events_control : int
        Patients and events, or patients with a value.
    mean, mean_control : float
        Restricted means, means or shares of the arms behind a difference.
    primary : bool
        Whether it is the planned analysis of the primary endpoint.
    instead_of : str
        Planned method that gives no number here and for which this one stands in; empty for all others.
    reason : str
        Why there is no number; empty where there is one.
    notes : tuple of str
        What to know of it.
    """

    endpoint: str
    method: str
    arm: str
    control: str
    measure: str
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    p: float = math.nan
    level: float = 0.95
    unit: str = ""
    tau: float = math.nan
    n: int = 0
    n_control: int = 0
    events: int = 0
    events_control: int = 0
    mean: float = math.nan
    mean_control: float = math.nan
    primary: bool = False
    instead_of: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Analysis:
    """Everything that was computed of a trial.

    Attributes
    ----------
    primary : str
        Name of the primary endpoint.
    control : str
        First arm.
    arms : tuple of str
    level : float
        Of all intervals.
    estimates : tuple of Estimate
        The primary analysis first, then other methods for the same endpoint, then secondary endpoints.
    curves : tuple of dict
        For each endpoint that is a time and each arm ``endpoint``, ``arm``, ``n``, ``events``, ``median`` with
        ``median_low`` and ``median_high`` [day], and four curves with the lists ``time`` [day] and ``share`` and a
        ``reason``: ``kaplan_meier`` (share without the event, with ``low``, ``high`` and ``at_risk``, pairs of day
        and number), ``steps`` (the same by the interval-censored NPMLE), ``fitted`` (a list with ``model`` and
        ``aic``) and ``competing`` (share with the event by Aalen-Johansen, with ``low``, ``high``, ``death``).
    table1 : tuple of dict
        One row per trait, level and arm (the last arm is ``""``, all together): ``trait``, ``level`` (of a choice;
        empty for a number), ``arm``, ``n``, ``mean``, ``sd``, ``median``, ``q1``, ``q3``, ``count``, ``share``.
    responders : tuple of dict
        For each arm but the control: what it did to the same patients; see `osteon.trial.analysis.twins`.
    safety : tuple of dict
        One row per event and arm: ``event``, ``arm``, ``n``, ``count``, ``share`` with ``low`` and ``high``, and the
        ``difference`` to the control with ``difference_low`` and ``difference_high``; ``reason``.
    notes : tuple of str
    seconds : mapping of str to float
        Time each kind of statistic took; no part of `to_dict`, which depends on the data alone.
    """

    primary: str
    control: str
    arms: tuple[str, ...]
    level: float
    estimates: tuple[Estimate, ...]
    curves: tuple[dict[str, Any], ...]
    table1: tuple[dict[str, Any], ...]
    responders: tuple[dict[str, Any], ...]
    safety: tuple[dict[str, Any], ...]
    notes: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, NaN as None."""
        found = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "seconds"}
        found["estimates"] = [asdict(one) for one in self.estimates]
        return plain(found)


def plain(value: Any) -> Any:
    """The value as JSON has it: NumPy numbers as numbers, what is not finite as None."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def heard(notes: list[str]) -> Iterator[None]:
    """Keep the warnings of the statistical packages as notes, each once and as one line."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        yield
    for one in found:
        text = " ".join(str(one.message).split())
        if text not in notes:
            notes.append(text)


def need_extra() -> None:
    """Raise `MissingExtra` where the statistical packages are not installed."""
    try:
        import lifelines  # noqa: F401
        import statsmodels  # noqa: F401
    except ImportError:
        raise MissingExtra("Statistics of a trial", "trial") from None

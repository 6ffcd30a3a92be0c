"""Published directions of lytic lesions under denosumab, beside those of the simulated lesion; none is fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from osteon.replay.osteolysis import DRAWS, LesionCourse, lesion_course

if TYPE_CHECKING:
    from osteon.evidence.healing.table import Printed
    from osteon.scenario import Scenario

#: Arms that are compared: none, the dose of tumours, three doses of it, and the dose of osteoporosis.
NONE, MONTHLY, THREE, HALF_YEARLY = "none", "120 mg every 4 weeks", "120 mg x 3", "60 mg every 6 months"
_YEAR = 365.0
_TUMOUR, _WORN, _STOPPED = _STUDIES = ("Deveci 2016", "Axenhus 2025", "Nystrom 2020")


class Direction(NamedTuple):
    """One published direction.

    Attributes
    ----------
    study, said : str
        Name of the study, and what it saw, from its row.
    measure : str
        What is simulated, in words.
    observed : int
        +1, 0 (no difference seen) or -1.
    simulated, low, high : float
        Median and 5 to 95 % over the draws, relative to the lesion at the start.
    """

    study: str
    said: str
    measure: str
    observed: int
    simulated: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """Simulated direction; 0 where the range of the draws spans no change."""
        return 0 if self.low <= 0 <= self.high else int(np.sign(self.simulated))

    @property
    def agrees(self) -> bool:
        """Whether the direction is the published one."""
        return self.sign == self.observed


def lesion_scenario(lesion: str, months: float = 24) -> Scenario:
    """The usual regimens against a lesion, as a scenario of a person of the usual age for it."""
    from osteon.scenario import Scenario

    age, weight = ("35 yr", "68 kg") if lesion == "giant_cell_tumour" else ("68 yr", "72 kg")

    def monthly(count: int) -> list[dict]:
        within = min(count, int(months * 365.25 / 12 / 28) + 1)
        return [{"drug": "denosumab", "amount": "120 mg", "start": "0 days", "every": "4 weeks", "count": within}]

    loading = {"drug": "denosumab", "amount": "120 mg", "start": "7 days", "every": "7 days", "count": 2}
    small = {"drug": "denosumab", "amount": "60 mg", "start": "0 days", "every": "6 months", "count": 2}
    arms = [
        {"name": NONE},
        {"name": MONTHLY, "doses": [*monthly(13), loading]},
        {"name": THREE, "doses": monthly(3)},
        {"name": HALF_YEARLY, "doses": [small]},
    ]
    tree = {"osteon": 1, "title": f"Lytic lesion: {lesion}", "patient": {"age": age, "weight": weight, "sex": "male"}}
    return Scenario.parse({**tree, "fracture": None, "arms": arms, "horizon": f"{months:g} months"})


def directions(
    draws: int = DRAWS, on_progress: Callable[[int, int], None] | None = None
) -> tuple[tuple[Direction, ...], dict[str, LesionCourse]]:
    """Published directions beside simulated ones, and the courses of both kinds of lesion.

    Parameters
    ----------
    draws : int
        Draws of each lesion.
    on_progress : callable, optional
        ``on_progress(done, total)`` in draws.
    """
    from osteon.evidence.healing.table import read

    rows: dict[str, list[Printed]] = {study: [] for study in _STUDIES}
    for row in read("clinical_healing.csv"):
        if row.study in rows and not row.recalled:
            rows[row.study].append(row)
    courses = {}
    for number, lesion in enumerate(("giant_cell_tumour", "particles")):

        def tell(done: int, total: int, number: int = number) -> None:
            if on_progress is not None:
                on_progress(number * total + done, 2 * total)

        courses[lesion] = lesion_course(lesion_scenario(lesion), lesion, draws=draws, on_progress=tell)
    tumour, worn = courses["giant_cell_tumour"], courses["particles"]
    after = min(rows[_TUMOUR][0].number("time_days"), float(tumour.time[-1]))
    found = (
        _direction(rows[_TUMOUR], "void of the lesion, change", -1, _of(tumour, "lesion_void", MONTHLY, after) - 1),
        _direction(
            rows[_WORN],
            "void around an implant after two years, 60 mg every 6 months for a year less none",
            0,
            _of(worn, "lesion_void", HALF_YEARLY, 2 * _YEAR) - _of(worn, "lesion_void", NONE, 2 * _YEAR),
        ),
        _direction(
            rows[_STOPPED],
            "effect on new bone around an implant a year after the last of two doses, less that at one year",
            -1,
            _of(worn, "lesion_new_bone", HALF_YEARLY, 2 * _YEAR) - _of(worn, "lesion_new_bone", HALF_YEARLY, _YEAR),
        ),
    )
    return found, courses


def _of(course: LesionCourse, name: str, arm: str, day: float) -> np.ndarray:
    """Values of all draws on a day, shape (draws,)."""
    place = min(int(np.searchsorted(course.time, day)), len(course.time) - 1)
    return course.curves[name][course.arms.index(arm), :, place]


def _direction(rows: Sequence[Printed], measure: str, observed: int, values: np.ndarray) -> Direction:
    low, middle, high = np.nanquantile(values, (0.05, 0.5, 0.95))
    each = [f"{row['arm']}: {row['value']} {row['unit']} on day {row['time_days']}" for row in rows]
    said = f"{rows[0]['endpoint']}, {'; '.join(each)}"
    return Direction(rows[0].study, said, measure, observed, float(middle), float(low), float(high))

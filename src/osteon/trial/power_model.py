"""A population that the model heals once, under control and treatment, and that a trial may look at in several ways."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.ensemble.plan import whole
from osteon.errors import InputError, near_match, show
from osteon.scenario.quantity import DAYS_PER_YEAR
from osteon.trial.power_design import DROPOUT, MISSED, SPACINGS, every
from osteon.trial.power_trials import Outcomes
from osteon.trial.study_fields import MOST_DRAWS

if TYPE_CHECKING:
    from osteon.endpoints.visits import Schedule
    from osteon.ensemble.result import CohortResult
    from osteon.trial.people import People
    from osteon.trial.power import Effect
    from osteon.trial.study import Study

PEOPLE = 2000
#: Draws of the posterior that a population shares where the effect is that of the model.
DRAWS = 20

Simulate = Callable[["Study", "People", Path | None], "CohortResult"]


class ModelPopulation:
    """People of a study, simulated under its control and one other arm.

    Parameters
    ----------
    study : Study
        What is planned. Its patients may be any number: this population has `people`.
    effect : Effect
        The model's; or a ratio imposed on the times of the control; or none. For the last two the treated arm gets
        the doses of the control.
    arm : str, optional
        The arm that is compared with the first; left out, the second.
    people : int
        Size of the population.
    draws : int, optional
        Draws of the posterior that the people share; left out, those of the study, or else 20 for the effect of the
        model where there is a posterior.
    visits : Schedule, optional
        Instead of those of the study.
    seed : int, optional
        Left out, that of the study.
    folder : Path, optional
        Where simulated cohorts are kept.
    simulate : callable
        ``simulate(study, people, folder)`` gives the result of a cohort.
    """

    def __init__(
        self,
        study: Study,
        effect: Effect,
        simulate: Simulate,
        *,
        arm: str | None = None,
        people: int = PEOPLE,
        draws: int | None = None,
        visits: Schedule | None = None,
        seed: int | None = None,
        folder: Path | None = None,
    ) -> None:
        names = [one.name for one in study.arms]
        treated = names[1] if arm is None else arm
        if treated not in names[1:]:
            hint = near_match(treated, names[1:]) or f"there are {', '.join(names[1:])}"
            raise InputError(f"{show(treated)} is not a treated arm", path="--arm", value=treated, hint=hint)
        if effect.kind == "ratio" and not study.endpoints.primary.timed:
            message = (
                f"imposes a ratio of times, and the primary endpoint is of the kind {study.endpoints.primary.kind}"
            )
            raise InputError(message, path="--effect", value=str(effect), hint="write from-model or null")
        if draws is not None:
            draws = whole("--draws", draws, 1, MOST_DRAWS)
        self.arms, self.effect, self.folder, self._simulate = (names[0], treated), effect, folder, simulate
        plain = _plain(study, self.arms, effect, people, seed, visits)
        self.study = _with_draws(type(study), plain, draws, effect.kind == "from-model")
        self._people: Any = None
        self._result: Any = None
        self._failed = 0

    def base(self) -> Outcomes:
        """As the study plans it."""
        from osteon.trial.people import enrol

        self._people = enrol(self.study)
        self._result = self._simulate(self.study, self._people, self._place("cohort"))
        return self._outcomes(self.study, self._people, self._result)

    def variations(self) -> list[str]:
        """Spacings of visits, missed visits, the reader, dropout, and missed doses where the model acts by doses."""
        planned = self.study.visits.planned()
        keys = [key for key, gap in SPACINGS.items() if planned.days != every(gap, self.study.follow_up).days]
        keys.append("missed_visits")
        if self.study.endpoints.primary.kind in ("union", "score"):
            keys.append("no_reader_noise" if self.study.reader.noise else "reader_noise")
        keys.append("dropout")
        dosed = any(arm.doses for arm in self.study.arms)
        if self.effect.kind == "from-model" and dosed:
            keys.append("missed_doses")
        return keys

    def varied(self, key: str) -> Outcomes:
        """The same people, seen in another way; with missed doses they are simulated again."""
        from osteon.trial.people import enrol

        study = self._changed(key)
        people = enrol(study)
        result = self._result
        if key == "missed_doses":
            result = self._simulate(study, people, self._place("cohort_missed_doses"))
        return self._outcomes(study, people, result)

    def about(self) -> dict[str, Any]:
        """Which arms, how many could not be solved, and what the study says of their visits."""
        return {
            "kind": "model",
            "control": self.arms[0],
            "treated": self.arms[1],
            "draws": self.study.population.draws,
            "visits": list(self.study.visits.planned().days),
            "failed": self._failed,
            "study_sha256": self.study.content_hash(),
        }

    def _changed(self, key: str) -> Study:
        plain, planned = self.study.to_dict(), self.study.visits.planned()
        if key in SPACINGS:
            plain["visits"] = visits_of(every(SPACINGS[key], self.study.follow_up, planned.missed))
        elif key == "missed_visits":
            plain["visits"] = {**plain["visits"], "missed": max(MISSED, min(2 * planned.missed, 0.9))}
        elif key in ("no_reader_noise", "reader_noise"):
            plain["reader"] = {**plain.get("reader", {}), "noise": key == "reader_noise"}
        elif key == "dropout":
            plain["dropout"] = f"{max(DROPOUT * DAYS_PER_YEAR, 2 * self.study.dropout):.12g} 1/yr"
        elif key == "missed_doses":
            missed = max(MISSED, min(2 * self.study.intake.missed, 0.9))
            plain["intake"] = {**plain.get("intake", {}), "missed": missed}
        return type(self.study).parse(plain)

    def _place(self, name: str) -> Path | None:
        return None if self.folder is None else self.folder / name

    def _outcomes(self, study: Study, people: People, result: CohortResult) -> Outcomes:
        from osteon.trial.observe import observe

        observed = observe(study, people, result)
        primary = study.endpoints.primary
        failed = np.unique(result.failures()["patient"].to_numpy())
        self._failed = max(self._failed, failed.size)
        table: Any = observed.tte if primary.timed else observed.measures
        if "endpoint" in table:
            table = table[table["endpoint"] == primary.name]
        table = table[~table["patient"].isin(failed)]
        wide = {
            name: table.pivot(index="patient", columns="arm", values=column)[list(self.arms)]
            for name, column in _columns(primary, table).items()
        }
        value = wide["value"].to_numpy(float).T
        patients = wide["value"].index.to_numpy()
        if primary.timed:
            event, exact = wide["event"].to_numpy(bool).T, wide["exact"].to_numpy(float).T
        else:
            event, exact = np.isfinite(value), np.full(value.shape, np.nan)
        ends = (wide[name].to_numpy(float).T if name in wide else None for name in ("left", "right"))
        return Outcomes(value, event, exact, _draw(result, patients), *ends)


def _columns(primary: Any, table: Any) -> dict[str, str]:
    if primary.timed:
        return {"value": "time", "event": "event", "exact": "exact", "left": "left", "right": "right"}
    return {"value": primary.name if primary.name in table else "value"}


def _draw(result: CohortResult, patients: np.ndarray) -> np.ndarray:
    """Draw of each patient, -1 where they have none."""
    known = result.patients()
    if "draw" not in known:
        return np.full(patients.size, -1)
    return known.set_index("patient")["draw"].reindex(patients).to_numpy(int)


def _plain(
    study: Study, arms: tuple[str, str], effect: Effect, people: int, seed: int | None, visits: Schedule | None
) -> dict[str, Any]:
    """The study with two arms, the size of the population and the effect asked for."""
    plain = study.to_dict()
    control, treated = (next(dict(one) for one in plain["arms"] if one["name"] == name) for name in arms)
    if effect.kind != "from-model":
        treated = {**control, "name": treated["name"]}
        plain.pop("effect", None)
    if effect.kind == "ratio":
        plain["effect"] = effect.ratio
    plain |= {"arms": [{**one, "allocation": 1} for one in (control, treated)], "patients": people}
    # Power is that of the primary endpoint: curves of the others need not be kept.
    plain["endpoints"] = {"primary": plain["endpoints"]["primary"]}
    if seed is not None:
        plain["seed"] = seed
    if visits is not None:
        plain["visits"] = visits_of(visits)
    accrual = study.accrual
    if accrual is not None and accrual.rate is not None:
        # A larger population must come in the time of the planned one, or it would be followed for less.
        kept = {key: one for key, one in plain["accrual"].items() if key != "rate"}
        plain["accrual"] = {**kept, "over": f"{study.patients / accrual.rate:.12g} days"}
    return plain


def visits_of(schedule: Schedule) -> dict[str, Any]:
    """A schedule as a study writes it; its windows are all of one width."""
    return {
        "days": [f"{day:.12g} days" for day in schedule.days],
        "window": f"{schedule.windows[0]:.12g} days",
        "missed": schedule.missed,
    }


def _with_draws(kind: type[Study], plain: dict[str, Any], draws: int | None, wanted: bool) -> Study:
    """The study whose people share some draws of the posterior, where there are any and they are wanted."""
    population = dict(plain.get("population", {}))
    own = population.get("draws", False)
    if draws is None and (not wanted or (own is not False and own is not True)):
        return kind.parse(plain)
    asked = DRAWS if draws is None else draws
    changed = {**plain, "population": {**population, "draws": asked if asked > 1 else False}}
    try:
        return kind.parse(changed)
    except InputError as error:
        # Without being asked for, draws that these patients do not have are left out.
        if draws is not None or error.path != "population.draws":
            raise
        return kind.parse({**plain, "population": {**population, "draws": False}})


def simulate(
    study: Study,
    people: People,
    folder: Path | None,
    *,
    resume: bool = False,
    threads: int | None = None,
    backend: str = "auto",
    on_progress: Callable[[int, int, int], None] | None = None,
) -> CohortResult:
    """Simulate people of a study under all its arms; see `osteon.ensemble.run.simulate_cohort`."""
    from osteon.ensemble.run import simulate_cohort
    from osteon.trial.run import cohort_of
    from osteon.trial.wanted import series_needed

    return simulate_cohort(
        cohort_of(study, people),
        out=folder,
        series=series_needed(study),
        resume=resume,
        threads=threads,
        backend=backend,
        on_progress=on_progress,
    )

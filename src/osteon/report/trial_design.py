"""The design of a study as a person reads it: arms and doses, visits, intake, dropout, death, readers, analysis."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from osteon.report import describe
from osteon.report.locale import Words
from osteon.report.numbers import MONTH, fixed, plain
from osteon.report.trial_words import title, when

if TYPE_CHECKING:
    from osteon.trial.study import Study

_YEAR = 365.25


def design(words: Words, study: Study) -> list[tuple[str, list[str]]]:
    """Settings of the study as rows of title and lines."""
    rows: dict[str, Callable[[Words, Study], list[str]]] = {
        "arms": _arms,
        "accrual": _accrual,
        "visits": _visits,
        "intake": _intake,
        "dropout": lambda words, study: [_per_year(words, study.dropout)],
        "death": _death,
        "reader": _reader,
        "spread": _spread,
        "draws": _draws,
        "effect": lambda words, study: [words("trial.set_none") if study.effect is None else plain(study.effect, 4)],
        "analysis": _analysis,
    }
    broken = study.fracture is not None
    return [(words(f"trial.set_{key}"), tell(words, study)) for key, tell in rows.items() if broken or key != "reader"]


def _arms(words: Words, study: Study) -> list[str]:
    lines = []
    for arm in study.scenario().arms:
        given = describe.treatment(words, arm, list(arm.dose_events(study.patient)))
        lines.append(words("trial.set_arm", name=arm.name, given=words("list_separator").join(given)))
    parts = [str(arm.allocation) for arm in study.arms]
    return [*lines, words("trial.set_allocation", parts=" : ".join(parts))]


def _accrual(words: Words, study: Study) -> list[str]:
    plan = study.accrual
    if plan is None:
        return [words("trial.accrual_none")]
    lines = [words("trial.accrual_rate", n=plain(plan.per_day(study.patients) * MONTH, 3))]
    if plan.close is not None:
        lines.append(words("trial.accrual_close", n=plain(plan.close / MONTH, 3)))
    return lines


def _visits(words: Words, study: Study) -> list[str]:
    plan = study.visits.planned()
    lines = [words("list_separator").join(when(words, day) for day in plan.days)]
    most = max(plan.windows)
    if most > 0:
        lines.append(words("trial.visits_window", n=plain(most, 3)))
    if plan.missed > 0:
        lines.append(words("trial.visits_missed", n=_percent(plan.missed)))
    return lines


def _intake(words: Words, study: Study) -> list[str]:
    plan, lines = study.intake, []
    if plan.missed > 0:
        lines.append(words("trial.intake_missed", n=_percent(plan.missed)))
    if plan.late > 0:
        lines.append(words("trial.intake_late", n=plain(plan.late, 3)))
    if plan.taken < 1:
        lines.append(words("trial.intake_taken", n=_percent(plan.taken)))
    if plan.stops > 0:
        lines.append(words("trial.intake_stops", n=_per_year(words, plan.stops)))
    return lines or [words("trial.intake_none")]


def _death(words: Words, study: Study) -> list[str]:
    plan = study.death
    if plan is None:
        return [words("trial.set_none")]
    if plan.life_table is None:
        return [_per_year(words, plan.rate or 0.0)]
    lines = [words("trial.death_table", table=title(words, "tables", plan.life_table), n=plain(plan.excess, 3))]
    if plan.early_excess is not None and plan.early is not None:
        lines.append(words("trial.death_early", n=plain(plan.early_excess, 3), days=plain(plan.early, 4)))
    return lines


def _reader(words: Words, study: Study) -> list[str]:
    plan = study.reader
    lines = [words("trial.reader_count", n=plan.readers)]
    if plan.readers > 1:
        lines.append(title(words, "adjudications", plan.adjudication))
    return [*lines, words("trial.reader_noise" if plan.noise else "trial.reader_sure")]


def _spread(words: Words, study: Study) -> list[str]:
    spread = study.population.spread
    if spread is None:
        return [words("trial.spread_shipped")]
    if not isinstance(spread, dict):
        return [words("trial.spread_none")]
    return [f"{key}: {plain(value, 3)}" for key, value in spread.items()] or [words("trial.spread_shipped")]


def _draws(words: Words, study: Study) -> list[str]:
    draws = study.population.draws
    if isinstance(draws, bool):
        return [words("trial.draws_all" if draws else "trial.set_none")]
    return [words("trial.draws_some", n=draws)]


def _analysis(words: Words, study: Study) -> list[str]:
    plan = study.analysis
    lines = [title(words, "methods", plan.method), words("trial.analysis_level", n=plain(100 * plan.level, 4))]
    if plan.tau is not None:
        lines.append(words("trial.analysis_tau", n=plain(plan.tau, 5)))
    return [*lines, title(words, "estimands", plan.estimand)]


def _percent(share: float) -> str:
    return f"{plain(100 * share, 3)} %"


def _per_year(words: Words, rate: float) -> str:
    """A hazard, stored per day or per year as the study has it, as per cent a year."""
    return words("trial.per_year", n=fixed(100 * rate, 1).removesuffix(".0"))

"""The page of a trial: one self-contained HTML file with still charts, in English or Chinese."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from osteon.report import html, tables, trial_charts, trial_terms, trial_words
from osteon.report.locale import Words, load
from osteon.report.numbers import MONTH, fixed, is_number, plain
from osteon.report.trial_design import design
from osteon.report.trial_facts import Facts, facts, said

if TYPE_CHECKING:
    import jinja2

    from osteon.trial.folder import TrialRun


def render(run: TrialRun, lang: str = "en") -> str:
    """Show a trial as one self-contained HTML page.

    The page loads nothing and has no script: style and charts are inside it.

    Parameters
    ----------
    run : TrialRun
        As `osteon.trial.run.run_trial` or `osteon.trial.folder.open_trial` give it.
    lang : str
        ``"en"`` or ``"zh"``.

    Returns
    -------
    str
        The HTML text, to be written as UTF-8.

    Raises
    ------
    InputError
        If there is no such language.
    """
    words, study = load(lang), run.study
    told = facts(words, run)
    rows = trial_words.rows_of(words, told.estimates)
    curves, visits = _curves(words, run, told), _visits(words, run)
    days = run.analysis["twin_days"]
    responders = [trial_charts.responders(words, one, days.get(one["arm"], [])) for one in told.responders]
    parameters = tables.parameter_rows(words, _records(run))
    assumed = [row for row in parameters if row["how"] == "assumed"]
    style = _style()
    sections = {
        "result": True,
        "flow": True,
        "table1": told.table1["rows"],
        "curves": curves,
        "responders": responders,
        "visits": visits,
        "safety": told.safety["rows"],
        "assumed": True,
    }
    return _template().render(
        words=words,
        title=trial_words.study_title(words, study),
        facts=_header(words, run, told),
        notes=_notes(words, run),
        present=list(sections.items()),
        primary=primary(words, told),
        estimates=trial_words.grouped(rows),
        many=len(study.arms) > 2,
        flow=_flow(words, run),
        table1=told.table1,
        curves=curves,
        medians=told.medians,
        responders=responders,
        matters=plain(told.responders[0]["threshold"]) if told.responders else "",
        visits=visits,
        arm_legend=[{"name": arm.name, "place": place, "style": ""} for place, arm in enumerate(study.arms)],
        safety=told.safety,
        design=design(words, study),
        parameters=assumed,
        parameter_count=len(parameters),
        study_text=_study_text(run),
        manifest=tables.manifest_rows(run.manifest),
        version=run.manifest.get("versions", {}).get("osteon", ""),
        style=style,
        policy=html._policy(style, ""),
    )


def primary(words: Words, told: Facts) -> dict[str, list[str]]:
    """The primary result: sentences with intervals, and beside them what the model itself holds."""
    planned = [one for one in told.estimates if one["primary"]]
    title = planned[0]["endpoint_title"] if planned else ""
    stand_in = [one for one in told.estimates if one.get("instead_of") and one["endpoint_title"] == title]
    own = [*planned, *stand_in]
    verdicts = [(one["arm"], text) for one in own if (text := trial_words.verdict(words, one))]
    beside = [text if len(own) == 1 else words("trial.of_arm", arm=arm, text=text) for arm, text in verdicts]
    for one in told.responders:
        if is_number(one.get("mean")):
            value = fixed(one["mean"], 1, signed=True)
            beside.append(words("trial.truth_days", arm=one["arm"], control=told.control, value=value))
    return {"said": [trial_words.sentence(words, one) for one in own], "beside": beside}


@cache
def _template() -> jinja2.Template:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    return environment.from_string(html._resource("templates", "trial.html.j2"))


@cache
def _style() -> str:
    return "\n".join(html._resource("templates", name) for name in ("report.css", "trial.css"))


def _header(words: Words, run: TrialRun, told: Facts) -> list[tuple[str, str]]:
    study = run.study
    enrolled = run.analysis["flow"]["enrolled"]
    months = fixed(study.follow_up / MONTH, 1).removesuffix(".0")
    visits = len(study.visits.planned().days)
    return [
        (words("trial.fact_patients"), words("trial.fact_patients_text", n=f"{enrolled:,}", arms=len(study.arms))),
        (words("trial.fact_endpoint"), told.primary_title),
        (words("trial.fact_follow_up"), words("trial.fact_follow_up_text", months=months, visits=visits)),
    ]


def _notes(words: Words, run: TrialRun) -> list[str]:
    flow = run.analysis["flow"]
    notes = [said(words, text) for text in run.analysis["notes"]]
    notes += [words("trial.left_out", name=name) for name in run.manifest.get("left_out", ())]
    if flow["failed"]:
        notes.append(words("trial.failed_note", failed=flow["failed"], patients=flow["enrolled"]))
    return notes + [
        words("cohort.reason", arm=one["arm"], count=one["patients"], reason=one["reason"]) for one in flow["failures"]
    ]


def _flow(words: Words, run: TrialRun) -> dict[str, Any]:
    flow = run.analysis["flow"]
    arms = []
    for place, arm in enumerate(flow["arms"]):
        keys = [key for key in ("failed", "died", "dropped_out", "closed", "followed") if arm[key] or key == "followed"]
        counts = [(words(f"trial.flow_{key}"), f"{arm[key]:,}") for key in keys]
        arms.append({"name": arm["name"], "place": place, "allocated": f"{arm['allocated']:,}", "counts": counts})
    kept_out = ((trial_terms.excluded(words, run.study, why), count) for why, count in flow["excluded"].items())
    excluded = [(text, f"{count:,}") for text, count in kept_out if count]
    return {
        "screened": f"{flow['screened']:,}",
        "enrolled": f"{flow['enrolled']:,}",
        "excluded": excluded,
        "arms": arms,
    }


def _curves(words: Words, run: TrialRun, told: Facts) -> list[dict[str, Any]]:
    until, broken = float(run.study.follow_up), run.study.fracture is not None
    found = []
    risk = run.analysis["at_risk"]
    drawn = [{**one, "at_risk": risk.get(one["arm"], [])} for one in told.kaplan_meier]
    if drawn:
        found.append(trial_charts.survival(words, drawn, until, broken) | _reasons(told, "kaplan_meier"))
    if told.steps or told.fitted:
        figure = trial_charts.censored(words, told.steps, told.fitted, told.model, until, broken)
        found.append(figure | _reasons(told, "steps"))
    if told.competing:
        found.append(trial_charts.competing(words, told.competing, until, broken) | _reasons(told, "competing"))
    names = {curve["arm"] for curve in drawn}
    for one in told.estimates:
        drawable = {one["control"], one["arm"]} <= names and is_number(one["tau"]) and is_number(one["value"])
        if one["measure"] == "rmst_difference" and one["endpoint"] == run.analysis["primary"] and drawable:
            found.append(trial_charts.restricted(words, drawn, one, until, broken))
    return found


def _reasons(told: Facts, kind: str) -> dict[str, list[str]]:
    return {"notes": told.reasons[kind]}


def _visits(words: Words, run: TrialRun) -> list[dict[str, Any]]:
    until, broken = float(run.study.follow_up), run.study.fracture is not None
    return [
        trial_charts.visit(words, one, *trial_words.series_title(words, one["name"]), until, broken)
        for one in run.analysis["visits"]
    ]


def _records(run: TrialRun) -> list[Any]:
    """Every parameter that the typical patient of the study has, of all its ensemble members."""
    from osteon.model.person import parameters_for
    from osteon.simulation import _used

    scenario = run.study.scenario()
    return list(_used(scenario, {member: parameters_for(scenario, member) for member in run.study.population.members}))


def _study_text(run: TrialRun) -> str:
    import yaml

    return yaml.safe_dump(run.study.to_dict(), sort_keys=False, allow_unicode=True, width=110)

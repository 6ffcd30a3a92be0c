"""What an analysis found, put into words and rows for the page and the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from osteon.report.locale import Words
from osteon.report.numbers import fixed, is_number, plain
from osteon.report.trial_terms import counts, event_title
from osteon.report.trial_words import method_title, series_title, title, when

if TYPE_CHECKING:
    from osteon.trial.folder import TrialRun
    from osteon.trial.study_endpoints import Endpoint

_NO_ROWS: dict[str, Any] = {"columns": [], "rows": []}


@dataclass(frozen=True)
class Facts:
    """What the page shows of an analysis.

    Attributes
    ----------
    control, primary_title, model : str
        First arm, primary endpoint, and the fitted model of times that is drawn.
    estimates : list of dict
        As `Analysis.to_dict` has them, with ``endpoint_title``, ``method_title``, and reason and unit in words.
    kaplan_meier, steps, fitted, competing : list of dict
        Curves of the primary endpoint, one an arm; only those that there are.
    reasons : dict of str to list of str
        For each of these kinds, what is missing and why.
    table1, medians, safety : dict
        ``columns`` and ``rows`` (``title``, ``level``, ``cells``).
    responders : list of dict
        What each arm did to the same patients.
    """

    control: str
    primary_title: str
    model: str = ""
    estimates: list[dict[str, Any]] = field(default_factory=list)
    kaplan_meier: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    fitted: list[dict[str, Any]] = field(default_factory=list)
    competing: list[dict[str, Any]] = field(default_factory=list)
    reasons: dict[str, list[str]] = field(default_factory=dict)
    table1: dict[str, Any] = field(default_factory=lambda: _NO_ROWS)
    medians: dict[str, Any] = field(default_factory=lambda: _NO_ROWS)
    safety: dict[str, Any] = field(default_factory=lambda: _NO_ROWS)
    responders: list[dict[str, Any]] = field(default_factory=list)


def facts(words: Words, run: TrialRun) -> Facts:
    """Put the analysis of a trial into words.

    Parameters
    ----------
    words : Words
        Language.
    run : TrialRun
        A trial.

    Returns
    -------
    Facts
    """
    found, study = run.analysis, run.study
    arms = list(found["arms"])
    named = {one.name: endpoint_title(words, one) for one in study.endpoints.all}
    units = {one.name: series_title(words, one.what)[1] for one in study.endpoints.all if one.kind == "curve"}
    own = [one for one in found["curves"] if one["endpoint"] == found["primary"]]
    own.sort(key=lambda one: arms.index(one["arm"]))
    kinds, reasons = _kinds(words, own)
    model, fitted = _best_fit(own)
    return Facts(
        control=found["control"],
        primary_title=named[found["primary"]],
        model=words.get(f"trial.model_{model}", model),
        estimates=[_estimate(words, one, named, units) for one in found["estimates"]],
        fitted=fitted,
        reasons=reasons,
        table1=table1(words, found["table1"], arms),
        medians=_medians(words, own, found["estimates"], found["primary"]),
        safety=_safety(words, found["safety"], arms),
        responders=[
            {**one, "reason": said(words, one["reason"])}
            for one in found["responders"]
            if one["endpoint"] == found["primary"]
        ],
        **kinds,
    )


def said(words: Words, text: str) -> str:
    """A reason or a note of the analysis in the language of the page; what packages said stays as it is."""
    return words.get(f"trial_said.{text}", text)


def endpoint_title(words: Words, endpoint: Endpoint) -> str:
    """An endpoint as a person reads it: what it is, by which rule, on which day."""
    groups = {"union": "rules", "score": "scores", "time": "times"}
    what = endpoint.what
    if endpoint.kind == "event":
        text = event_title(words, what)
    else:
        text = series_title(words, what)[0] if endpoint.kind == "curve" else title(words, groups[endpoint.kind], what)
    if endpoint.kind == "union":
        return words("trial.endpoint_union", rule=text)
    return text if endpoint.day is None else words("trial.endpoint_day", what=text, when=when(words, endpoint.day))


# ---- estimates and curves ----------------------------------------------------------------------------------------


def _estimate(
    words: Words, one: Mapping[str, Any], named: Mapping[str, str], units: Mapping[str, str]
) -> dict[str, Any]:
    share = one["unit"] == "share"
    numbers = {key: 100 * one[key] if share and is_number(one[key]) else one[key] for key in ("value", "low", "high")}
    unit = words("trial.unit_share") if share else words("trial.unit_day") if one["unit"] == "day" else one["unit"]
    unit = unit or units.get(one["endpoint"], "")
    return {
        **one,
        **numbers,
        "unit": "" if unit in ("", "1") else unit,
        "endpoint_title": named.get(one["endpoint"], one["endpoint"]),
        "method_title": method_title(words, one["method"], one.get("instead_of", "")),
        "counts": counts(words, one),
        "reason": said(words, one["reason"]),
        # What the packages warn of stays in analysis.json.
        "notes": [words(f"trial_said.{text}") for text in one["notes"] if f"trial_said.{text}" in words],
    }


def _kinds(words: Words, curves: list[Mapping[str, Any]]) -> tuple[dict[str, list], dict[str, list[str]]]:
    """Curves of each kind that there are, and why others are not."""
    kinds: dict[str, list] = {}
    reasons: dict[str, list[str]] = {}
    for kind in ("kaplan_meier", "steps", "competing"):
        kinds[kind] = [{"arm": one["arm"], **one[kind]} for one in curves if one[kind]["time"]]
        reasons[kind] = [
            words("trial.curve_reason", arm=one["arm"], reason=said(words, one[kind]["reason"]))
            for one in curves
            if one[kind].get("reason")
        ]
    return kinds, reasons


def _best_fit(curves: list[Mapping[str, Any]]) -> tuple[str, list[dict[str, Any]]]:
    """The model with the smallest sum of AIC over the arms, and its curves."""
    by_model: dict[str, list[dict[str, Any]]] = {}
    for one in curves:
        for fit in one["fitted"]:
            if not fit.get("reason") and is_number(fit.get("aic")):
                by_model.setdefault(fit["model"], []).append({"arm": one["arm"], **fit})
    whole = {model: fits for model, fits in by_model.items() if len(fits) == len(curves)}
    if not whole:
        return "", []
    best = min(whole, key=lambda model: sum(fit["aic"] for fit in whole[model]))
    return best, whole[best]


def _medians(
    words: Words, curves: list[Mapping[str, Any]], estimates: Iterable[Mapping[str, Any]], primary: str
) -> dict:
    """Numbers behind the curves, a column an arm."""
    if not curves:
        return _NO_ROWS
    rows = [
        {"title": words("trial.analysed"), "cells": [f"{one['n']:,}" for one in curves]},
        {"title": words("trial.events_seen"), "cells": [_count(one["events"], one["n"]) for one in curves]},
        {"title": words("trial.median_time"), "cells": [_median(words, one) for one in curves]},
    ]
    means: dict[str, str] = {}
    tau = None
    for one in estimates:
        if one["measure"] == "rmst_difference" and one["endpoint"] == primary and is_number(one["tau"]):
            tau = one["tau"]
            for arm, key in ((one["control"], "mean_control"), (one["arm"], "mean")):
                if is_number(one[key]):
                    means[arm] = words("trial.days", n=fixed(one[key], 1))
    if means:
        cells = [means.get(one["arm"], "–") for one in curves]
        rows.append({"title": words("trial.rmst_row", tau=plain(tau, 4)), "cells": cells})  # type: ignore[arg-type]
    return {"columns": [one["arm"] for one in curves], "rows": rows}


def _median(words: Words, one: Mapping[str, Any]) -> str:
    if not is_number(one["median"]):
        return words("value.not_reached")
    low, high = (fixed(one[f"median_{end}"], 0) if is_number(one[f"median_{end}"]) else "–" for end in ("low", "high"))
    return f"{words('value.day', day=fixed(one['median'], 0))} ({words('value.range', low=low, high=high)})"


# ---- tables ------------------------------------------------------------------------------------------------------


def table1(words: Words, found: Iterable[Mapping[str, Any]], arms: list[str]) -> dict[str, Any]:
    """Table 1: a row a trait or level, a column an arm, the last one all together."""
    columns = [*arms, ""]
    by_row: dict[tuple[str, str], dict[str, str]] = {}
    for one in found:
        by_row.setdefault((one["trait"], str(one["level"])), {})[one["arm"]] = trait_text(one)
    sizes = {one["arm"]: one["n"] for one in found}
    rows: list[dict[str, Any]] = []
    headed = set()
    for (trait, level), cells in by_row.items():
        text, several = title(words, "traits", trait), sum(key[0] == trait for key in by_row) > 1
        if several and trait not in headed:
            headed.add(trait)
            rows.append({"title": text, "level": False, "cells": [""] * len(columns)})
        choice = "" if level in ("", "yes") else level_title(words, trait, level)
        named = words("trial.set_arm", name=text, given=choice) if choice else text
        shown = choice if several else named
        rows.append({"title": shown, "level": several, "cells": [cells.get(arm, "–") for arm in columns]})
    heads = [f"{arm or words('trial.all_arms')} (n = {sizes.get(arm, 0):,})" for arm in columns]
    return {"columns": heads, "rows": rows} if rows else _NO_ROWS


def trait_text(one: Mapping[str, Any]) -> str:
    """One cell of Table 1: mean (standard deviation), or number (share)."""
    if is_number(one["mean"]):
        spread = f" ({fixed(one['sd'], 1)})" if is_number(one["sd"]) else ""
        return f"{fixed(one['mean'], 1)}{spread}"
    return _count(one["count"], one["n"])


def level_title(words: Words, trait: str, level: str) -> str:
    """A choice of a trait as a person reads it."""
    from osteon.scenario import catalogue

    known = {"sex": catalogue.sexes, "diabetes": catalogue.diabetes}
    entry = known[trait]().get(level) if trait in known else None
    return level.replace("_", " ") if entry is None else str(getattr(entry, f"title_{words.language}"))


def _count(count: Any, n: Any) -> str:
    if not is_number(count) or not n:
        return "–"
    return f"{int(count):,} ({fixed(100 * count / n, 1)} %)"


def _safety(words: Words, found: Iterable[Mapping[str, Any]], arms: list[str]) -> dict[str, Any]:
    """Events by arm, with the difference to the first below each of the others."""
    by_event: dict[str, dict[str, Mapping[str, Any]]] = {}
    for one in found:
        by_event.setdefault(one["event"], {})[one["arm"]] = one
    rows = []
    for event, own in by_event.items():
        if all(one["reason"] for one in own.values()):
            continue
        cells = [_safety_cell(words, own[arm]) if arm in own else {"text": "–", "detail": ""} for arm in arms]
        rows.append({"title": event_title(words, event, safety=True), "cells": cells})
    return {"columns": arms, "rows": rows} if rows else _NO_ROWS


def _safety_cell(words: Words, one: Mapping[str, Any]) -> dict[str, str]:
    if one["reason"]:
        return {"text": said(words, one["reason"]), "detail": ""}
    text = f"{int(one['count']):,} / {int(one['n']):,} ({fixed(100 * one['share'], 1)} %)"
    ends = [one.get(key) for key in ("difference", "difference_low", "difference_high")]
    if not all(is_number(end) for end in ends):
        return {"text": text, "detail": ""}
    value, low, high = (fixed(100 * end, 1, signed=True) for end in ends)  # type: ignore[operator]
    return {"text": text, "detail": words("trial.safety_difference", value=value, low=low, high=high)}

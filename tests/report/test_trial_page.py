"""The page of a trial: what stands in it, in both languages, and that words from outside stay words."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from osteon.errors import InputError
from osteon.report.locale import load
from osteon.report.trial import primary, render
from osteon.report.trial_facts import endpoint_title, facts
from osteon.report.trial_terms import event_title, excluded
from osteon.report.trial_words import method_title, p_text, rows_of, sentence, value_text, value_texts
from osteon.trial.analysis.compare import MEASURES
from osteon.trial.analysis.result import INSTEAD, NO_EVENT, OF_FOLLOWED, REASONS, Analysis, Estimate
from osteon.trial.folder import TrialRun
from osteon.trial.observed import EVENTS
from osteon.trial.study import Study

ARMS = ("placebo", "denosumab")
HOSTILE = "<img src=x onerror=alert(1)>"
STUDY: dict[str, Any] = {
    "osteon_study": 1,
    "title": "A made-up trial",
    "patients": 40,
    "fracture": {"bone": "tibia", "gap": "1 mm", "fixation": "nail"},
    "horizon": "40 weeks",
    "follow_up": "38 weeks",
    "visits": {"days": ["6 weeks", "12 weeks", "26 weeks", "37 weeks"], "window": "7 days", "missed": 0.05},
    "arms": [
        {"name": ARMS[0]},
        {"name": ARMS[1], "doses": [{"drug": "denosumab", "amount": "60 mg", "start": "1 day"}]},
    ],
    "dropout": "10 %/yr",
    "endpoints": {
        "primary": {"name": "union", "kind": "union", "rule": "mrust"},
        "secondary": [
            {"name": "rust", "kind": "score", "score": "RUST", "day": "26 weeks"},
            {"name": "late", "kind": "event", "endpoint": "nonunion", "day": "37 weeks"},
        ],
    },
    "analysis": {"method": "interval"},
}


def estimate(endpoint: str, method: str, measure: str, **changes: Any) -> Estimate:
    return Estimate(endpoint=endpoint, method=method, arm=ARMS[1], control=ARMS[0], measure=measure, **changes)


def made(failed: int = 0, title: str = "A made-up trial", **changes: Any) -> TrialRun:
    """A trial whose numbers are made up."""
    study = Study.parse({**STUDY, "title": title})
    curves = []
    for place, arm in enumerate(ARMS):
        step = {"time": [0.0, 84.0, 182.0], "share": [1.0, 0.6 - 0.1 * place, 0.2], "reason": ""}
        band = {"low": [1.0, 0.4, 0.1], "high": [1.0, 0.8, 0.3]}
        fits = [{"model": m, "aic": aic, **step} for m, aic in (("lognormal", 90.0), ("weibull", 80.0 + place))]
        curves.append(
            {
                "endpoint": "union", "arm": arm, "n": 20, "events": 16, "notes": [],
                "median": 84.0, "median_low": 80.0, "median_high": float("nan"),
                "kaplan_meier": {**step, **band, "at_risk": []}, "steps": step, "fitted": fits,
                "competing": {**step, **band, "death": [0.0, 0.0, 0.05]},
            }
        )  # fmt: skip
    age = {"trait": "age", "level": "", "n": 20, "mean": 61.25, "sd": 8.0, "count": None, "share": None}
    sex = {"trait": "sex", "n": 20, "mean": None, "sd": None, "count": 5, "share": 0.25}
    who = [*ARMS, ""]
    told: dict[str, Any] = {
        "primary": "union",
        "control": ARMS[0],
        "arms": ARMS,
        "level": 0.95,
        "estimates": (
            estimate("union", "interval", "time_ratio", value=0.9, low=0.8, high=1.02, p=0.11, primary=True),
            estimate("union", "log_rank", "log_rank", p=0.0004),
            estimate("union", "rmst", "rmst_difference", value=-9.0, low=-20.0, high=2.0, p=0.1, unit="day", tau=259.0,
                     mean=120.0, mean_control=129.0),
            estimate("rust", "difference", "difference", value=0.5, low=-0.2, high=1.2, p=0.16),
            estimate("late", "difference", "difference", unit="share", reason=NO_EVENT),
        ),
        "curves": tuple(curves),
        "table1": tuple([age | {"arm": arm} for arm in who]
                        + [sex | {"level": one, "arm": arm} for one in ("female", "male") for arm in who]),
        "responders": ({"endpoint": "union", "arm": ARMS[1], "control": ARMS[0], "n": 40, "both": 38, "gained": 1,
                        "lost": 0, "neither": 1, "threshold": 7.0, "reason": "", "helped": 0.6, "harmed": 0.1,
                        "mean": -8.0, "median": -7.5, "q05": -20.0, "q95": 3.0},),
        "safety": tuple({"event": "rebound", "arm": arm, "n": 20, "count": 3 * k, "share": 0.15 * k, "reason": "",
                         "difference": 0.15 if k else None, "difference_low": 0.0, "difference_high": 0.36}
                        for k, arm in enumerate(ARMS)),
    }  # fmt: skip
    analysis = Analysis(**{**told, **changes}).to_dict()
    arms = [
        dict.fromkeys(("failed", "died", "closed"), 0)
        | {"name": arm, "allocated": 20, "dropped_out": 2, "followed": 18}
        for arm in ARMS
    ]
    failures = [{"arm": ARMS[1], "reason": "no step was found", "patients": failed}] if failed else []
    visit = {"day": [42.0, 84.0], "n": [20, 19], "mean": [5.0, 7.0], "low": [4.5, 6.0], "high": [5.5, None]}
    analysis |= {
        "flow": {"screened": 50, "excluded": {"age below 50": 10}, "enrolled": 40, "failed": failed,
                 "failures": failures, "arms": arms},
        "visits": [{"name": "RUST", "arms": [{"name": arm, **visit} for arm in ARMS]}],
        "twin_days": {ARMS[1]: [-20.0, -8.0, 1.0]},
        "at_risk": {arm: [[0.0, 20], [56.0, 19]] for arm in ARMS},
    }  # fmt: skip
    return TrialRun(study, None, {"seed": 1, "versions": {"osteon": "9.9"}}, analysis)


def visible(page: str) -> str:
    body = re.sub(r"<(style|title)\b.*?</\1>", "", page, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


@pytest.fixture(scope="module")
def english() -> str:
    return visible(render(made()))


def test_the_primary_result_is_a_sentence_with_its_interval(english: str) -> None:
    assert re.search(r"With denosumab, times to union \(.+?\) were 0\.90 times those with placebo", english)
    assert "(95 % interval 0.80 to 1.02, p = 0.110)" in english
    assert "The interval includes no difference" in english
    assert "changes the time of the same patient by −8.0 days on average, against placebo" in english


@pytest.mark.parametrize(
    "text",
    [
        "50 screened", "age below 50: 10", "40 enrolled and allocated at random", "dropped out 2",
        "61.2 (8.0)", "female 5 (25.0 %)", "Analysed 20 20", "16 (80.0 %)", "day 84 (80 to –)",
        "Restricted mean time to day 259 129.0 days 120.0 days", "−9.0 days", "&lt; 0.001",
        "dashed the fitted Weibull model", "Number at risk", "no event was seen in either arm",
        "3 / 20 (15.0 %) +15.0 % (0.0 to +36.0)", "Sooner by more than 7 days 60.0 %",
        "week 6, week 12, week 26, week 37",
        "parameters are assumed", "not treatment advice", "osteon trial study.yaml", "A made-up trial",
    ],
)  # fmt: skip
def test_it_stands_in_the_page(english: str, text: str) -> None:
    assert text in english


def test_nothing_is_loaded_and_nothing_runs() -> None:
    page = render(made())
    assert "<script" not in page
    assert not re.search(r"\b(?:src|href)=\"(?!#|data:)", page)
    assert "default-src 'none'" in unescape(page)
    assert "style=" not in page


def test_in_chinese() -> None:
    page = render(made(), "zh")
    assert '<html lang="zh' in page
    for text in ("虚拟试验", "骨愈合", "风险人数", "个体效应", "不构成治疗建议", "限制平均时间"):
        assert text in page
    assert "骨瘤" not in page


def test_a_shipped_study_has_its_chinese_title() -> None:
    title = Study.preset("tibia_nail_trial").title
    assert "髓内钉固定的胫骨干骨折" in render(made(title=title), "zh")
    assert title in visible(render(made(title=title)))


def test_words_from_outside_stay_words() -> None:
    page = render(made(title=HOSTILE))
    assert HOSTILE not in page
    assert "&lt;img src=x" in page


def test_failed_patients_are_named() -> None:
    page = visible(render(made(failed=3)))
    assert "3 of 40 patients could not be solved" in page
    assert "no step was found" in page


def test_an_analysis_without_numbers_has_words_and_no_empty_section() -> None:
    none = tuple(estimate("union", "interval", "time_ratio", reason=NO_EVENT, primary=True) for _ in range(1))
    run = made(estimates=none, curves=(), responders=(), safety=(), table1=())
    run = TrialRun(run.study, None, run.manifest, {**run.analysis, "visits": [], "twin_days": {}, "at_risk": {}})
    page = render(run)
    assert "no estimate, since no event was seen in either arm" in visible(page)
    for section in ("curves", "responders", "visits", "safety", "table1"):
        assert f'id="{section}"' not in page
        assert f'href="#{section}"' not in page


def test_a_share_is_shown_with_its_counts_and_of_whom_it_is() -> None:
    late = estimate("late", "difference", "difference", unit="share", value=0.1, low=0.0, high=0.2, p=0.04, n=20,
                    n_control=18, events=5, events_control=3, notes=(OF_FOLLOWED, "a package warned"))  # fmt: skip
    page = visible(render(made(estimates=(late,))))
    assert "denosumab 5 / 20, placebo 3 / 18 share of those followed to that day" in page
    assert "a package warned" not in page


def test_what_stands_in_for_the_planned_method_is_named() -> None:
    none = estimate("union", "interval", "time_ratio", reason=NO_EVENT, primary=True)
    other = estimate("union", "rmst", "rmst_difference", value=-9.0, low=-20.0, high=2.0, p=0.1, unit="day", tau=259.0,
                     instead_of="interval", notes=(INSTEAD,))  # fmt: skip
    page = visible(render(made(estimates=(none, other))))
    assert "(in place of: ratio of times, censored in intervals)" in page
    assert "In place of the planned method (ratio of times, censored in intervals): " in page
    plain = visible(render(made(estimates=(none, replace(other, instead_of="", notes=())))))
    assert "n place of" not in plain


def test_who_was_kept_out_is_told_in_the_language_of_the_page() -> None:
    rules = [
        {"trait": "age", "at_least": "50 yr"},
        {"trait": "osteoporosis", "is": True},
        {"trait": "diabetes", "not": "type1"},
        {"trait": "smoking", "is": False},
    ]
    own = Study.parse({**STUDY, "population": {"rules": rules}})
    told = [[excluded(load(lang), own, rule.reason) for rule in own.population.rules] for lang in ("en", "zh")]
    assert told[0] == ["age < 50 yr", "without osteoporosis", "diabetes: type 1", "with smoking"]
    assert told[1] == ["年龄 < 50 岁", "骨质疏松：无", "糖尿病：1 型", "吸烟：有"]
    assert excluded(load("zh"), own, "no rule of it") == "no rule of it"


def test_low_calcium_is_told_with_its_limit_and_every_method_has_a_title() -> None:
    for lang in ("en", "zh"):
        words = load(lang)
        for event, limit in (("hypocalcaemia", "2.13"), ("severe_hypocalcaemia", "1.87")):
            assert f"{limit} mmol/L" in event_title(words, event)
        for event in EVENTS:
            assert "{" not in event_title(words, event, safety=True)
            assert "_" not in event_title(words, event)
        for method in (*MEASURES, "difference"):
            assert method_title(words, method) not in ("", method, method.replace("_", " "))


def test_an_estimate_and_its_interval_have_the_same_decimals() -> None:
    one = {"measure": "difference", "value": -0.98, "low": -1.34, "high": -0.62}
    assert value_texts(one) == {"value": "−1.0", "low": "−1.3", "high": "−0.6"}
    assert value_texts({**one, "low": -0.99})["high"] == "−0.62"
    assert value_texts({**one, "low": None, "high": None}) == {"value": "−0.98", "low": "–", "high": "–"}


def test_a_table_that_is_left_out_is_told() -> None:
    run = made()
    left_out = replace(run, manifest={**run.manifest, "left_out": ["adlb.xpt"]})
    assert "adlb.xpt is not written" in visible(render(left_out))
    assert "is not written" not in visible(render(run))


def test_every_reason_can_stand_in_a_sentence() -> None:
    words = load("en")
    for reason in REASONS:
        told = facts(words, made(estimates=(estimate("union", "interval", "time_ratio", reason=reason, primary=True),)))
        assert reason in sentence(words, told.estimates[0])
        assert rows_of(words, told.estimates)[0]["reason"] == reason


@pytest.mark.parametrize(
    ("measure", "method"), [("hazard_ratio", "cox"), ("rmst_difference", "rmst"), ("difference", "difference")]
)
def test_every_measure_has_its_sentence(measure: str, method: str) -> None:
    one = estimate("union", method, measure, value=2.0, low=1.5, high=2.5, p=0.0001, tau=200.0, primary=True)
    said = primary(load("en"), facts(load("en"), made(estimates=(one,))))
    assert "p < 0.001" in said["said"][0]
    assert "2." in said["said"][0]
    assert "to one side of no difference" in said["beside"][0]


def test_numbers_as_they_are_printed() -> None:
    assert [p_text(p) for p in (0.0004, 0.0514, None, float("nan"))] == ["< 0.001", "0.051", "–", "–"]
    assert value_text("time_ratio", 0.904) == "0.90"
    assert value_text("time_ratio", 1.0032) == "1.003"
    assert value_text("difference", 12.34) == "+12.3"
    assert value_text("difference", -0.054) == "−0.054"
    assert value_text("difference", None) == "–"


def test_endpoints_are_told_by_what_they_are() -> None:
    words, found = load("en"), made().study.endpoints
    union, rust, late = (endpoint_title(words, one) for one in found.all)
    assert union.startswith("union (")
    assert (rust, late) == ("RUST, week 26", "no union, week 37")


def test_a_choice_that_all_have_is_named() -> None:
    row = {"trait": "sex", "level": "female", "n": 20, "mean": None, "sd": None, "count": 20, "share": 1.0}
    page = visible(render(made(table1=tuple({**row, "arm": arm} for arm in (*ARMS, "")))))
    assert "sex: female 20 (100.0 %)" in page


def test_there_is_no_other_language() -> None:
    with pytest.raises(InputError, match="there is no language"):
        render(made(), "fr")

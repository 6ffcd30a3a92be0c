"""What stands in the report, read from its HTML without a browser."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace

import pandas as pd
import pytest

from osteon.endpoints import SAFETY_UNITS
from osteon.errors import InputError
from osteon.report import render
from osteon.report.charts import CHARTS, TISSUES
from osteon.report.locale import LANGUAGES, load

from .fake import Course, course, scenario


@pytest.fixture(scope="module")
def demo() -> Course:
    return course()


def payload(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="osteon-data">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found[1])


def visible(page: str) -> str:
    """Text of the page without style, script and tags."""
    return re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S))


def test_both_languages_have_the_same_words_with_the_same_places() -> None:
    english, chinese = (load(lang) for lang in LANGUAGES)
    assert english.keys() == chinese.keys()
    for key in english.keys():  # noqa: SIM118
        places = [sorted(re.findall(r"\{(\w+)\}", words(key))) for words in (english, chinese)]
        assert places[0] == places[1], key


def test_unknown_language_is_refused(demo: Course) -> None:
    with pytest.raises(InputError, match="choose one of en, zh"):
        render(demo, "fr")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_series_is_drawn_with_title_and_caption(demo: Course, lang: str) -> None:
    page, words = render(demo, lang), load(lang)
    document = payload(page)
    assert {chart["id"] for chart in document["charts"]} == {chart.series for chart in CHARTS}
    assert set(document["tissue"]["names"]) == set(TISSUES)
    for chart in CHARTS:
        assert words(f"chart.{chart.series}.title") in page
        assert f'data-chart="{chart.series}"' in page
    for chart in document["charts"]:
        length = len(document["clocks"][chart["clock"]])
        assert [len(values) for values in chart["values"]] == [length] * 3


@pytest.mark.parametrize(("lang", "html_lang"), [("en", "en"), ("zh", "zh-CN")])
def test_language_and_disclaimer(demo: Course, lang: str, html_lang: str) -> None:
    page = render(demo, lang)
    assert f'<html lang="{html_lang}">' in page
    assert page.count(load(lang)("page.disclaimer_title")) >= 2
    assert not re.search(
        r"\{\w+\}", visible(page.replace(json.dumps(demo.scenario.to_dict()), "")).split("Copyright")[0]
    )


def test_chinese_terms(demo: Course) -> None:
    text = visible(render(demo, "zh"))
    for term in (
        "骨痂",
        "编织骨",
        "板层骨",
        "钙化软骨",
        "纤维组织",
        "骨髓",
        "扭转刚度",
        "扭转强度",
        "骨密度",
        "破骨细胞",
        "成骨细胞",
        "随访",
    ):
        assert term in text or term in render(demo, "zh"), term
    assert "骨瘤" not in text


def test_summary_has_words_for_what_is_missing(demo: Course) -> None:
    page = render(demo)
    row = re.search(r'<tr data-endpoint="remodelling_start">.*?</tr>', page, re.S)
    assert row
    assert "not reached" in row[0]
    assert "woven bone was still rising" in row[0]
    assert not re.search(r"\bnan\b|NaN|None", visible(page))


def test_summary_shows_days_weeks_and_ensemble_range(demo: Course) -> None:
    page = render(demo)
    assert re.search(r'soft_callus_peak">.*?day 26</span> <span class="detail">\(week 3.7\)', page, re.S)
    assert re.search(r'torsional_stiffness_week12">.*?<small>\d+ % to \d+ %</small>', page, re.S)
    spans = {chart["id"]: chart["span"] for chart in payload(page)["charts"]}
    assert spans["torsional_stiffness"] is not None
    assert spans["CTX"] is None


def test_parameters_assumed_first_with_count(demo: Course) -> None:
    page = render(demo)
    hows = re.findall(r'<td class="how"><span class="badge" data-how="(\w+)">', page)
    assumed = hows.count("assumed")
    assert hows[:assumed] == ["assumed"] * assumed
    assert len(hows) == len(demo.parameters)
    assert f"{assumed} of {len(hows)} are assumed" in page


def test_doses_stages_manifest_and_scenario_are_there(demo: Course) -> None:
    page = render(demo)
    arms = payload(page)["arms"]
    assert [len(arm["doses"]) for arm in arms] == [9, 7, 0]
    assert [bar["stage"] for bar in arms[2]["stages"]] == ["inflammation", "soft_callus", "hard_callus", "remodelling"]
    assert [bar["stage"] for bar in arms[0]["stages"]] == ["inflammation", "soft_callus", "hard_callus"]
    for text in ("a" * 64, "osteon heal scenario.yaml", "Apache License", "Leon Sorokin", "&#34;every&#34;: "):
        assert text in page


NAMES = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\"quotes\" & 'apostrophes'",
    "停药组（很长的中文名称用于测试换行与截断的效果如何）",
    "a very long arm name that goes on and on without end to see",
    "{{ 7 * 7 }} {n}",
    "7",
    "<!--",
)


def hostile() -> Course:
    arms = [{"name": name, "doses": []} for name in NAMES]
    return course(scenario(arms=arms, title="</title><script>alert(2)</script>"))


def test_names_cannot_escape_from_their_place() -> None:
    page = render(hostile())
    assert [arm["name"] for arm in payload(page)["arms"]] == list(NAMES)
    assert "<script>alert" not in page
    assert "<img" not in page
    assert page.count("<script") == 2
    assert "{{ 7 * 7 }}" in page


def test_line_separators_are_escaped_in_data() -> None:
    from osteon.report.data import embed

    text = embed({"a": "\u2028\u2029</script>&"})
    assert not set("\u2028\u2029<>&") & set(text)
    assert json.loads(text) == {"a": "\u2028\u2029</script>&"}


def test_without_a_fracture_healing_is_left_out() -> None:
    arms = [{"name": "only", "doses": [{"drug": "denosumab", "amount": "60 mg", "start": "0 months"}]}]
    page = render(course(scenario(fracture=None, arms=arms)))
    assert 'id="healing"' not in page
    assert 'id="stages"' not in page
    assert "time_to_union" not in page
    document = payload(page)
    assert document["tissue"] is None
    assert {chart["clock"] for chart in document["charts"]} == {"months"}
    assert "No fracture" in page


def test_a_failed_arm_is_named_with_its_reason(demo: Course) -> None:
    broken = course()
    broken.failures["hold"] = "the step size became too small"
    broken.data = broken.data.copy(deep=True)
    for name in broken.data:
        broken.data[name].loc[{"arm": "hold"}] = float("nan")
    broken.table = broken.table[broken.table["arm"] != "hold"]
    page = render(broken)
    assert "“hold” could not be computed and is left empty: the step size became too small" in page
    assert "not computed" in page


def test_notes_of_the_scenario_are_shown() -> None:
    patient = {"species": "mouse", "age": "12 weeks", "sex": "male", "weight": "25 g"}
    arms = [{"name": "drug", "doses": [{"drug": "denosumab", "amount": "10 mg/kg", "start": "0 day"}]}]
    story = scenario(
        patient=patient, fracture={"bone": "femur", "fixation": "intramedullary_pin"}, arms=arms, horizon="6 weeks"
    )
    assert story.notes()
    for lang in LANGUAGES:
        page = render(course(story), lang)
        assert getattr(story.notes()[0], f"text_{lang}") in page
    assert "小鼠" in page


def test_page_is_self_contained_small_and_quick(demo: Course) -> None:
    render(demo)
    begin = time.process_time()
    page = render(demo)
    assert time.process_time() - begin < 0.5
    assert len(page.encode()) < 1_000_000
    assert not re.search(r'(?:src|href)="(?!#|data:,)', page)
    assert "default-src &#39;none&#39;" in page
    assert "url(" not in page


def test_curves_of_what_is_not_given_are_left_out() -> None:
    """At rest, or not there at all as the serum of a drug that was never given."""
    plain = course()
    plain.data = plain.data.copy(deep=True)
    for name, value in (("denosumab_serum", 0.0), ("free_rankl", 1.0), ("romosozumab_serum", float("nan"))):
        plain.data[name][:] = value
    left = {chart["id"] for chart in payload(render(plain))["charts"]}
    assert {chart.series for chart in CHARTS} - left == {"denosumab_serum", "free_rankl", "romosozumab_serum"}


def test_limit_of_calcium_is_the_parameter_of_the_course(demo: Course) -> None:
    def calcium(of: Course) -> dict:
        (found,) = (chart for chart in payload(render(of))["charts"] if chart["id"] == "serum_calcium")
        return found

    assert calcium(demo)["reference"] is None
    limit = replace(demo.parameters[0], name="safety.hypocalcaemia", value=2.13, unit="mmol/L")
    found = calcium(replace(demo, parameters=(*demo.parameters, limit)))
    assert found["reference"] == {"value": 2.13, "label": "hypocalcaemia"}
    assert found["include"] == [2.13]


def _safety(arm: str, note: str = "") -> list[dict]:
    found = {"rebound_start": 305.0, "rebound_area": 20123.4, "BMD_total_hip_lost": 5.04}
    found |= {
        "severe_hypocalcaemia_risk": 2e-4,
        "hypocalcaemia_risk": 0.004,
        "serum_calcium_nadir": 2.2468,
        "serum_calcium_nadir_day": 6.0,
    }
    rows = []
    for name, value in found.items():
        number = float("nan") if note else value
        row = {"arm": arm, "endpoint": name, "value": number, "unit": SAFETY_UNITS[name], "note": note}
        rows.append(row | {"low": number, "high": number})
    return rows


def _texts(page: str, endpoint: str) -> list[str]:
    row = re.search(rf'<tr data-endpoint="{endpoint}">(.*?)</tr>', page, re.S)
    cells = re.findall(r"<td[^>]*>(.*?)</td>", row[1], re.S) if row else []
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in cells]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_safety_is_told_in_times_losses_and_risks(demo: Course, lang: str) -> None:
    rows = _safety("hold") + _safety("continue", note="treatment goes on to the end")
    treated = replace(demo, table=pd.concat([demo.table, pd.DataFrame(rows)]))
    page, words = render(treated, lang), load(lang)
    assert words("lead.summary_safety") in page
    goes_on = words("note.treatment goes on to the end")
    months = words("value.months", n="10.0")
    shown = {
        "rebound_start": f"{words('value.days', day=305)} {months}",
        "rebound_area": f"20123 {words('unit.percent_days')}",
        "BMD_total_hip_lost": "5.0 %",
        "serum_calcium_nadir": "2.25 mmol/L",
        "serum_calcium_nadir_day": words("value.days", day=6),
        "hypocalcaemia_risk": "0.4 %",
        "severe_hypocalcaemia_risk": "&lt;0.1 %",
    }
    for name, text in shown.items():
        going, hold, never = _texts(page, name)
        assert (hold, never) == (text, "–"), name
        assert going.startswith("–")
    # Why is said once in a group, not row by row.
    assert _texts(page, "rebound_start")[0] == f"– {goes_on}"
    assert _texts(page, "rebound_area")[0] == "–"
    assert words("group.calcium") in page


def test_safety_that_applies_to_no_arm_is_left_out(demo: Course) -> None:
    rows = _safety("hold", note="no drug whose end brings a rebound")
    page = render(replace(demo, table=pd.concat([demo.table, pd.DataFrame(rows)])))
    assert not any(f'data-endpoint="{name}"' in page for name in SAFETY_UNITS)
    assert load("en")("lead.summary_safety") not in page


@pytest.mark.parametrize(("lang", "said"), [("en", "GFR 35 mL/min"), ("zh", "肾小球滤过率 35 mL/min")])
def test_kidneys_and_vitamin_d_are_told(lang: str, said: str) -> None:
    assert "25(OH)D" not in visible(render(course(), lang))
    page = render(course(scenario(patient={"gfr": "35 mL/min", "vitamin_d": "30 nmol/L"})), lang)
    assert said in visible(page)
    assert "25(OH)D 30 nmol/L" in visible(page)

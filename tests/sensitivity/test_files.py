"""Files and the section of the report."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

import osteon
from osteon.report import LANGUAGES, load, render

from ..report.test_content import payload, visible
from .test_accuracy import TEXT

HOSTILE = "<b>&\"' 治疗"


@pytest.fixture(scope="module")
def scenario() -> osteon.Scenario:
    return osteon.Scenario.parse(
        TEXT.replace("name: treated", f"name: {json.dumps(HOSTILE, ensure_ascii=False)}").replace(
            "horizon", "  - name: never\nhorizon"
        )
    )


@pytest.fixture(scope="module")
def course(scenario: osteon.Scenario) -> osteon.Course:
    return osteon.simulate(scenario, members=("J",))


@pytest.fixture(scope="module")
def found(scenario: osteon.Scenario) -> osteon.Sensitivities:
    return osteon.sensitivities(scenario, series=["CTX", "mRUST"])


def test_files_hold_what_the_result_holds(course: osteon.Course, found: osteon.Sensitivities, tmp_path: Path) -> None:
    written = osteon.save(course, tmp_path, sensitivities=found)
    assert {"sensitivity.csv", "sensitivity.parquet", "sensitivity.nc"} <= set(written)
    assert {path.name for path in tmp_path.iterdir()} == set(written)
    pd.testing.assert_frame_equal(pd.read_parquet(written["sensitivity.parquet"]), found.table)
    table = pd.read_csv(written["sensitivity.csv"], keep_default_na=True)
    pd.testing.assert_frame_equal(table, found.table, check_dtype=False, rtol=1e-12)
    with xr.open_dataset(written["sensitivity.nc"]) as kept:
        xr.testing.assert_identical(kept.load(), found.curves)
    assert '"kind": "osteon sensitivities"' in written["manifest.json"].read_text(encoding="utf-8")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_section_shows_each_main_endpoint_with_bars(
    course: osteon.Course, found: osteon.Sensitivities, lang: str
) -> None:
    page, words = render(course, lang, found, 5), load(lang)
    assert payload(page) == payload(render(course, lang))
    start, end = page.index('<section id="sensitivity">'), page.index('<section id="parameters">')
    section = page[start:end]
    assert words("section.sensitivity") in section
    assert re.findall(r'data-sensitivity="(\w+)"', section) == list(found.main_endpoints())
    # Five parameters of four endpoints in two arms; week 26 lies after the end.
    assert section.count('class="bar"') == 5 * 4 * 2
    assert section.count(words("value.beyond")) == 2
    widths = [float(width) for width in re.findall(r'class="bar" x="[\d.]+" y="0" width="([\d.]+)"', section)]
    assert max(widths) == 100.0
    assert words("parameter.how_assumed") in section
    assert words("sensitivity.days", n="+").strip("+ ") in section
    assert "style=" not in section
    assert HOSTILE not in page
    assert "&lt;b&gt;&amp;&#34;&#39; 治疗" in section
    assert "骨瘤" not in visible(page)
    assert "osteon sensitivity scenario.yaml" in page


def test_more_than_a_few_parameters_are_folded_away(course: osteon.Course, found: osteon.Sensitivities) -> None:
    section = render(course, "en", found, 20).partition('<section id="sensitivity">')[2].partition("</section>")[0]
    assert section.count("12 more parameters") >= 2


def test_without_sensitivities_nothing_of_them_is_on_the_page(course: osteon.Course) -> None:
    page = render(course)
    assert "sensitivity" not in page
    assert "tornado" not in page
    assert "osteon heal scenario.yaml" in page


def test_a_failed_arm_is_shown_as_such(course: osteon.Course, found: osteon.Sensitivities) -> None:
    from dataclasses import replace

    table = found.table.copy()
    lost = table["arm"] == "never"
    table.loc[lost, ["endpoint_value", "slope", "elasticity"]] = float("nan")
    row = {"patient": 0, "arm": "never", "failure": "no step", "failed_day": 1.0, "failed_state": "callus.woven"}
    failed = replace(found, table=table, failures=pd.DataFrame([row]))
    assert failed.failed == 1
    page = render(course, "en", failed, 3)
    assert "not computed" in page[page.index('<section id="sensitivity">') :]

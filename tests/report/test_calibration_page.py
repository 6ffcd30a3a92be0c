"""The page of a calibration: what stands in it, in both languages, and that a browser draws it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteon.calibrate.curves import ArmCurve, Band, Picture, grid
from osteon.calibrate.dose_response import DoseCurve, DosePoint
from osteon.errors import InputError
from osteon.evidence import arms, observations
from osteon.parameters import Record
from osteon.report.calibration import FILES, pages, render
from osteon.report.locale import LANGUAGES, load

RECORDS = {
    "turnover.regrowth": Record(
        "turnover.regrowth", 0.01, "1/day", "fitted", "here", "slow <b>turnover</b> of osteoclasts", symbol="x"
    )
}


def told(**changes: Any) -> dict[str, Any]:
    """What a calibration tells, as `document` of a small one would."""
    block = {
        "block": "core",
        "rows": 660,
        "costs": [300.0, 300.1, 350.0],
        "starts_agreeing": 2,
        "effective": 412.0,
        "settled": True,
        "endpoints": [{"endpoint": "CTX", "rows": 5, "rmse": 7.25, "inflation": 2.0, "study_offset": 5.0}],
    }
    parameter = {
        "parameter": "turnover.regrowth",
        "block": "core",
        "unit": "1/day",
        "best": 0.0098,
        "median": 0.0099,
        "low": 0.008,
        "high": 0.0121,
        "prior": 0.0061,
        "prior_low": 0.0023,
        "prior_high": 0.0164,
        "unseen_in": ["recycling_half"],
    }
    target = {"name": "Denosumab phase 2: BMD_total_hip, RMSE", "use": "fit", "unit": "points", "allowed": "≤ 0.8"}
    blind = {
        "shrinkage": {"turnover.regrowth": 0.93},
        "unseen": ["turnover.regrowth"],
        "correlated": [{"first": "turnover.a", "second": "turnover.b", "correlation": -0.94}],
        "flat": [{"singular_value": 0.21, "parameters": {"turnover.a": 0.3, "turnover.b": -0.8}}],
    }
    return {
        "converged": True,
        "leading": "recycling_half",
        "structures": [
            {"name": name, "weight": weight, "log_evidence": -1500.25, "blocks": [block]}
            for name, weight in (("recycling_half", 0.75), ("gate_blocking", 0.25), ("recycling_full", 1e-9))
        ],
        "parameters": [parameter],
        "identifiability": {"recycling_half": {"core": blind}},
        "targets": [
            {**target, "value": 0.612, "met": True, "rows": 40},
            {**target, "name": "A name of no table", "use": "check", "value": None, "met": False, "rows": 0},
        ],
        "ablations": [
            {
                "name": "slow memory",
                "log_evidence": -120.3,
                "endpoints": [{"endpoint": "CTX", "rmse": 13.4, "rmse_full": 7.25}],
            }
        ],
        "draws": 200,
        "draws_failed": 0,
        "seconds": 2400.0,
        "manifest": {"seed": 3, "packages": {"osteon": "0.1.0"}},
        **changes,
    }  # fmt: skip


def shown() -> Picture:
    """Curves made up around the published rows of every arm."""
    curves, groups = [], {}
    for use in ("fit", "check", "noise"):
        for row in observations(use).rows:  # type: ignore[arg-type]
            groups.setdefault((row.arm, row.curve, row.contrast, row.against), []).append(row)
    for (arm, curve, contrast, against), rows in groups.items():
        days = grid(arms()[arm], rows)
        level = np.mean([row.value for row in rows]) * np.tanh(days / 60)
        band = Band(level - 3, level, level + 3)
        structures = {"recycling_half": level + 1, "gate_blocking": level - 1}
        curves.append(ArmCurve(arm, curve, contrast, against, days, band, structures, tuple(rows)))
    dose = np.array([3.0, 14.0, 60.0, 210.0])
    middle = np.array([-20.0, -40.0, -70.0, -85.0])
    point = DosePoint(60.0, -69.8, -75.0, np.nan, "fit", "phase2_60_q6m")
    doses = tuple(
        DoseCurve(name, dose, Band(middle - 5, middle, middle + 5), (point,))
        for name in (*(f"CTX_month_{k}" for k in range(1, 7)), "CTX_area", "BMD_lumbar_spine", "BMD_total_hip")
    )
    return Picture(tuple(curves), doses, 60)


@pytest.fixture(scope="module")
def picture() -> Picture:
    return shown()


@pytest.fixture(scope="module")
def written(picture: Picture) -> dict[str, str]:
    return pages(told(), RECORDS, picture)


def payload(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="osteon-data">(.*?)</script>', page, re.S)
    assert found
    return json.loads(found[1])


def visible(page: str) -> str:
    """Text of the page without style, script and tags."""
    bare = re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S))
    return re.sub(r"\s+", " ", bare)


def test_there_is_a_page_in_each_language(written: dict[str, str]) -> None:
    assert list(written) == ["calibration.html", "calibration.zh.html"] == list(FILES.values())
    for lang, page in zip(LANGUAGES, written.values(), strict=True):
        words = load(lang)
        assert f'<html lang="{words("html_lang")}">' in page
        assert words("calibration.disclaimer") in page
        assert words("page.disclaimer_title") in page
        for name in ("targets", "data", "dose", "compare", "parameters", "blind", "structures", "ablations"):
            assert f'<section id="{name}">' in page
            assert f'<a href="#{name}">{words(f"calibration.section_{name}")}</a>' in page
    with pytest.raises(InputError, match="choose one of en, zh"):
        render(told(), RECORDS, None, "fr")


def test_nothing_is_loaded(written: dict[str, str]) -> None:
    for page in written.values():
        assert "default-src &#39;none&#39;" in page
        assert not re.search(r'(src|href)="(https?:)?//', page)


def test_every_arm_and_endpoint_has_its_panel(picture: Picture, written: dict[str, str]) -> None:
    page = written["calibration.html"]
    panels = {one["id"]: one for one in payload(page)["panels"]}
    for place, one in enumerate(picture.arms):
        own = panels[f"arm-{place}"]
        assert len(own["x"]) == len(own["low"]) == len(own["median"]) == len(own["high"]) == len(one.days)
        assert [point[1] for point in own["points"]] == [row.value for row in one.rows]
        assert [point[4] for point in own["points"]] == [row.use for row in one.rows]
        assert page.count(f'data-panel="arm-{place}"') == 1
    assert page.count('<figure class="chart panel" data-curve=') == len(picture.arms) > 100
    assert {one.arm for one in picture.arms} == {row.arm for use in ("fit", "check") for row in observations(use).rows}  # type: ignore[arg-type]
    for one in {one.arm: one for one in picture.arms}.values():
        assert arms()[one.arm].study in page


def test_points_lie_on_the_day_of_the_sample_with_the_bars_that_were_printed(
    picture: Picture, written: dict[str, str]
) -> None:
    place = next(k for k, one in enumerate(picture.arms) if (one.arm, one.curve) == ("bone2011_denosumab", "CTX"))
    own = next(one for one in payload(written["calibration.html"])["panels"] if one["id"] == f"arm-{place}")
    peak = next(point for point in own["points"] if point[1] == 62.3)
    assert peak == [pytest.approx(912 * 12 / 365.25, abs=1e-3), 62.3, 21.8, 118.2, "check", 0]
    assert own["doses"] == pytest.approx([0, 6, 12, 18], abs=1e-3)
    assert own["courses"] == []
    weekly = next(k for k, one in enumerate(picture.arms) if one.arm == "arch_romosozumab")
    own = next(one for one in payload(written["calibration.html"])["panels"] if one["id"] == f"arm-{weekly}")
    assert len(own["doses"]) == 12
    assert own["courses"] == [[pytest.approx(12.0, abs=0.01), pytest.approx(36.8, abs=0.1)]]


def test_contrasts_and_re_based_arms_say_so(written: dict[str, str]) -> None:
    text = visible(written["calibration.html"])
    assert "minus alendronate 70 mg weekly, one year" in text
    assert "relative to the level after the earlier treatment" in text
    assert "Rows up to month 24 are those of the arm “romosozumab 210 mg monthly for two years, then denosumab”" in text


def test_the_tables_say_what_was_found(written: dict[str, str]) -> None:
    text = visible(written["calibration.html"])
    assert "Denosumab phase 2: BMD total hip, RMSE fitted 40 0.612 points ≤ 0.8 met" in text
    assert "A name of no table check – – points ≤ 0.8 missed" in text
    assert "1 of 2 met." in text
    assert "200 draws over 2 structures; 60 of them" in text
    assert "0.0098 1/day 0.008 – 0.0121 0.0023 – 0.0164 93 % not seen" in text
    assert "correlation −0.94" in text
    assert "−0.80 turnover.b · +0.30 turnover.a singular value 0.21" in text
    assert "75.0 % −1500.2 core 660 2/3 412 settled CTX 7.25" in text
    assert "slow memory −120.3 CTX 13.4 (7.25)" in text
    assert "slow &lt;b&gt;turnover&lt;/b&gt; of osteoclasts" in text
    chinese = visible(written["calibration.zh.html"])
    assert "地舒单抗 II 期：全髋骨密度，RMSE 拟合 40 0.612 个百分点 ≤ 0.8 达到" in chinese
    assert "慢记忆（前体池） −120.3" in chinese
    assert "骨瘤" not in chinese


def test_models_stand_in_one_table_observed_first(written: dict[str, str]) -> None:
    section = written["calibration.html"].split('<section id="compare">')[1].split("</section>")[0]
    names = re.findall(r'<th scope="row">(.*?)<small>', section.split("</table>")[0])
    assert names[:5] == ["Observed", "osteon", "OpenBoneMin", "Joerg 2022", "standard BCPM (Martinez-Reina 2019)"]
    text = visible(section)
    assert "−82 −89 −76 −63 +27 +62 +36 +7 −12" in text
    assert "−52 −89 −79 −65 +27 +69 +70 +45 +25" in text
    assert (
        text.count("not checked against the authors&#39; plots") + text.count("not checked against the authors' plots")
        == 3
    )
    assert "fitted to these rows, no prediction" in text


def test_bars_of_parameters_lie_where_their_numbers_do(written: dict[str, str]) -> None:
    row = written["calibration.html"].split('class="plain fitted"')[1].split("</table>")[0]
    before, after, best = re.findall(r'class="(?:before|after|best)" x="([\d.]+)"', row)
    assert float(before) == pytest.approx(60.0)  # the prior takes the middle half of 240
    width = np.log(0.0164 / 0.0023)
    assert float(after) == pytest.approx(60 + 120 * np.log(0.008 / 0.0023) / width, abs=0.01)
    assert float(best) == pytest.approx(60 + 120 * np.log(0.0098 / 0.0023) / width - 1, abs=0.01)


def test_a_calibration_without_curves_has_its_tables_alone() -> None:
    page = render(told(targets=[], converged=False, draws_failed=4), RECORDS)
    assert '<section id="data">' not in page
    assert '<section id="compare">' not in page
    assert '<section id="dose">' not in page
    text = visible(page)
    assert "No target was set." in text
    assert "Some chain has not settled" in text
    assert "could not be solved at 4 of 200 draws" in text


def test_words_from_outside_stay_words(picture: Picture) -> None:
    bad = "</script><img src=x onerror=alert(1)>"
    page = render(told(leading=bad, identifiability={}, manifest={"seed": bad}), {}, picture, name=bad)
    assert "<img" not in page
    assert "&lt;img src=x" in page


def test_the_calibration_writes_its_pages(tmp_path: Path, written: dict[str, str]) -> None:
    from osteon.calibrate.files import save
    from osteon.calibrate.run import calibrate
    from osteon.calibrate.subject import Settings
    from tests.calibrate import toys

    found = calibrate(toys.problems(toys.STRUCTURES[:1], Settings()), seed=7, steps=40, starts=1)
    files = save(found, tmp_path, toys.records(), {}, pages=written)
    assert {"calibration.html", "calibration.zh.html", "posterior.nc"} < set(files)
    assert {path.name for path in tmp_path.iterdir()} == set(files)
    assert files["calibration.zh.html"].read_text(encoding="utf-8") == written["calibration.zh.html"]


try:
    from .test_browser import BLANK, Opened
    from .test_browser import browser as browser
except pytest.skip.Exception:  # no browser on this machine
    Opened = BLANK = None


@pytest.fixture
def opened(request: pytest.FixtureRequest, written: dict[str, str], tmp_path: Path) -> Any:
    if Opened is None:
        pytest.skip("No Chromium or Chrome was found, so the page was not opened.")
    file, width = request.param
    view = {"width": width, "height": 900}
    return Opened(request.getfixturevalue("browser"), written[file], tmp_path, viewport=view, color_scheme="light")


@pytest.mark.browser
@pytest.mark.parametrize("opened", [(file, width) for file in FILES.values() for width in (1280, 390)], indirect=True)
def test_a_browser_draws_it(opened: Any, picture: Picture) -> None:
    page = opened.page
    height = page.evaluate("document.body.scrollHeight")
    for top in range(0, height, 600):
        page.evaluate(f"scrollTo(0, {top})")
        page.wait_for_timeout(25)
    opened.check()
    seen = page.evaluate(BLANK)
    assert len(seen) == sum(one.curve == "CTX" for one in picture.arms) + 9 + 2
    assert min(seen) > 3


@pytest.mark.browser
@pytest.mark.parametrize("opened", [("calibration.html", 1280)], indirect=True)
def test_a_reader_filters_panels_and_reads_values(opened: Any, picture: Picture) -> None:
    page = opened.page
    total = len(picture.arms)
    ctx = sum(one.curve == "CTX" for one in picture.arms)
    assert page.inner_text("#panels-shown") == f"{ctx} of {total} panels"
    page.click('[data-filter=curve] [data-value=""]')
    page.click('[data-filter=drugs] [data-value="zoledronate"]')
    wanted = sum("zoledronate" in arms()[one.arm].drugs for one in picture.arms)
    assert page.inner_text("#panels-shown") == f"{wanted} of {total} panels"
    assert page.locator("#data .panel:visible").count() == wanted == 3
    page.click('[data-filter=drugs] [data-value=""]')
    page.click('[data-filter=uses] [data-value="check"]')
    checked = sum(any(row.use == "check" for row in one.rows) for one in picture.arms)
    assert page.locator("#data .panel:visible").count() == checked
    plot = page.locator('[data-panel="compare-CTX"]')
    plot.scroll_into_view_if_needed()
    box = plot.locator(".u-over").bounding_box()
    plot.locator(".u-over").hover(position={"x": box["width"] * 30 / 49.2, "y": 60})
    said = page.locator("figure.beside .readout").first.inner_text()
    assert said.startswith("month ")
    assert "observed 62.3 %, check" in said
    dose = page.locator('[data-panel="dose-CTX_month_6"] .u-over')
    dose.scroll_into_view_if_needed()
    dose.hover(position={"x": dose.bounding_box()["width"] * 0.7, "y": 60})
    assert page.locator('figure:has([data-panel="dose-CTX_month_6"]) .readout').inner_text().startswith("60 mg: ")
    opened.check()

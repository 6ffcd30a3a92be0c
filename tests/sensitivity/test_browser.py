"""The section in a real browser, in both languages and at both widths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import osteon
from osteon.report import render

from ..report.test_browser import Opened, browser
from .test_accuracy import TEXT

__all__ = ["browser"]

pytestmark = pytest.mark.browser

LONG = "a_name_that_has_no_place_to_break_and_goes_on_and_on_and_on"


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    scenario = osteon.Scenario.parse(TEXT.replace("horizon", f"  - name: {LONG}\nhorizon"))
    course, found = osteon.simulate(scenario, members=("J",)), osteon.sensitivities(scenario)
    return {lang: render(course, lang, found) for lang in ("en", "zh")}


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("lang", "scheme"), [("en", "light"), ("zh", "dark")])
def test_bars_are_drawn_and_nothing_is_wider_than_the_page(
    browser: Any, pages: dict[str, str], tmp_path: Path, width: int, lang: str, scheme: str
) -> None:
    view = {"width": width, "height": 900}
    opened = Opened(browser, pages[lang], tmp_path, viewport=view, color_scheme=scheme)
    opened.check()
    page = opened.page
    assert page.locator("[data-sensitivity]").count() == 5
    page.click("[data-sensitivity=time_to_union] summary")
    bars = page.eval_on_selector_all(
        "[data-sensitivity=time_to_union] .bar",
        "bars => bars.map((bar) => [bar.getBoundingClientRect().width, getComputedStyle(bar).fill])",
    )
    assert len(bars) == 2 * 20
    assert max(drawn for drawn, _ in bars) > 30
    assert {colour for _, colour in bars} == {bars[0][1], bars[1][1]}
    assert bars[0][1] != bars[1][1]
    # No number runs out of its card.
    out = page.eval_on_selector_all(
        "[data-sensitivity]",
        """cards => cards.flatMap((card) => [...card.querySelectorAll('.pull > *')].filter((part) =>
          part.getBoundingClientRect().right > card.getBoundingClientRect().right + 0.5)).length""",
    )
    assert out == 0
    opened.check()

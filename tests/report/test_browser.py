"""The report in a real browser: no error, no request, nothing wider than the page, every chart drawn."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from osteon.report import render

from .fake import course, scenario
from .test_content import hostile

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

if BROWSER is None:
    pytest.skip("No Chromium or Chrome was found, so the report was not opened.", allow_module_level=True)

pytestmark = pytest.mark.browser

BLANK = """() => [...document.querySelectorAll('canvas')].filter((canvas) => canvas.clientWidth).map((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const seen = new Set();
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3]) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
  }
  return seen.size;
})"""
WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=BROWSER, headless=True, args=ARGUMENTS)
        yield launched
        launched.close()


class Opened:
    """A page with what it said and asked for."""

    def __init__(self, browser: Any, html: str, folder: Path, **context: Any) -> None:
        path = folder / "report.html"
        path.write_text(html, encoding="utf-8")
        self.page = browser.new_context(**context).new_page()
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", self.hear)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: self.errors.append(f"dialog {dialog.message}"))
        self.page.goto(path.as_uri())
        self.home = path.as_uri()

    def hear(self, message: Any) -> None:
        # The one warning that counting the colours of a canvas itself brings about.
        if "willReadFrequently" not in message.text:
            self.errors.append(f"{message.type}: {message.text}")

    def check(self) -> None:
        assert self.errors == []
        assert [url for url in self.requests if url not in (self.home, "data:,")] == []
        scroll, client = self.page.evaluate(WIDTHS)
        assert scroll <= client


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize(("lang", "scheme"), [("en", "light"), ("zh", "dark")])
def test_demo_report(browser: Any, tmp_path: Path, width: int, lang: str, scheme: str) -> None:
    view = {"width": width, "height": 900}
    opened = Opened(browser, render(course(), lang), tmp_path, viewport=view, color_scheme=scheme)
    opened.check()
    colours = opened.page.evaluate(BLANK)
    assert len(colours) >= 2 + 3 + 12  # lanes, tissue, charts
    assert min(colours) > 3
    opened.page.click("#further summary")
    assert len(opened.page.evaluate(BLANK)) >= 2 + 3 + 21
    opened.check()


def test_reader_can_hover_zoom_hide_filter_and_sort(browser: Any, tmp_path: Path) -> None:
    opened = Opened(browser, render(course()), tmp_path, viewport={"width": 1280, "height": 900})
    page = opened.page
    page.locator("[data-chart=mRUST] .u-over").hover(position={"x": 200, "y": 80})
    assert page.inner_text("[data-chart=mRUST] .when").startswith("week ")
    assert page.inner_text("[data-chart=callus_volume] .legend").count("mm³") == 3
    page.click('.ranges[data-clock=weeks] [data-span="12"]')
    page.click('.toggles [data-arm="1"]')
    assert page.locator(".multiple:visible").count() == 2
    assert page.locator("[data-lanes=stages] .stage-key .item").count() == 4
    page.click("[data-of=tissue]")
    page.fill("#filter", "assumed")
    assert page.inner_text("#shown") == "24 of 120 shown"
    page.fill("#filter", "")
    page.click("th.value button")
    values = page.eval_on_selector_all("td.value", "cells => cells.map((cell) => Number(cell.dataset.sort))")
    assert values == sorted(values)
    page.emulate_media(media="print")
    # Polled from here: the page's own policy forbids the eval that wait_for_function needs.
    for _ in range(100):
        if page.evaluate("document.documentElement.classList.contains('print')"):
            break
        page.wait_for_timeout(50)
    else:
        pytest.fail("the page did not turn to its print layout")
    opened.check()


@pytest.mark.parametrize("width", [1280, 390])
def test_hostile_and_long_names(browser: Any, tmp_path: Path, width: int) -> None:
    opened = Opened(browser, render(hostile()), tmp_path, viewport={"width": width, "height": 900})
    opened.check()
    assert opened.page.locator(".multiple").count() == 8


def test_turnover_alone(browser: Any, tmp_path: Path) -> None:
    page = render(course(scenario(fracture=None, arms=[{"name": "only", "doses": []}])))
    opened = Opened(browser, page, tmp_path, viewport={"width": 390, "height": 900})
    opened.check()
    assert min(opened.page.evaluate(BLANK)) > 3

"""Takes the picture of the README from the real report of `osteon demo`, with the Chromium of this machine.

Usage, after `make test` has installed Playwright: ``.venv/bin/python docs/images/demo.py``
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

import osteon

TARGET = Path(__file__).with_name("demo.png")
#: Headings of the first and the last chart in the picture.
FIRST, LAST = "Tissue in the callus", "Torsional strength"
MARGIN = 10


def main() -> None:
    """Simulate, open the report, and keep the charts from tissue to strength."""
    browser_path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser_path is None:
        sys.exit("This needs Chromium or Chrome.")
    html = osteon.render(osteon.simulate(osteon.Scenario.preset("metatarsal_on_denosumab")), "en")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_content(html)
        page.wait_for_timeout(1500)
        boxes = [
            page.locator("figure", has=page.get_by_text(name, exact=True)).bounding_box() for name in (FIRST, LAST)
        ]
        first, last = boxes
        shot = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB")
        browser.close()
    left, top = first["x"] - MARGIN, first["y"] - MARGIN
    right, bottom = last["x"] + last["width"] + MARGIN, last["y"] + last["height"] + MARGIN
    shot.crop((round(left), round(top), round(right), round(bottom))).save(TARGET, optimize=True)
    print(f"{TARGET}: {TARGET.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()

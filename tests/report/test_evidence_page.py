"""The page of the evidence: totals, forest plots, filters, and no miss that is folded away."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from osteon.errors import InputError
from osteon.evidence.studies import rows_of, study
from osteon.replay.outcome import COVERED, MISSED, NOT_SCORED, NOT_SIMULATED, RIGHT, WRONG, Outcome
from osteon.replay.run import Replay
from osteon.replay.scoring import Seen, scored, sign_of_ratios, unscored, worded
from osteon.report.evidence import FILES, read, render, write, write_from
from osteon.report.evidence_facts import figure, when
from osteon.report.locale import LANGUAGES, load

ANIMALS, PEOPLE, TURNOVER = "gerstenfeld_2009", "uchiyama_2013", "bone_2011"


def outcomes() -> Iterator[Outcome]:
    """Outcomes of every verdict, made up beside real rows of three studies."""
    animals, people, turnover = (study(key) for key in (ANIMALS, PEOPLE, TURNOVER))
    result = people.results[0]
    row = rows_of(result)[0]
    seen = Seen(94.4, 89.8, 98.9, sd=0.05, scale="log", unit="day", n=40, printed="3.1 month", label="median time")
    yield scored(people, result, row, seen, "people", [60.0, 63.5, 70.0], [55.0, 63.0, 79.0])
    yield replace(scored(people, result, row, seen, "people", [90.0, 95.0], [80.0, 110.0]), use="fit")
    yield replace(unscored(people, result, row, "nobody followed them", "无人随访"), label="walking")
    for one in animals.results:
        for row in rows_of(one)[:1]:
            for published in (1, 0):
                ratios = [1.1, 1.2, math.inf]
                verdict = sign_of_ratios(published, np.array(ratios))
                yield worded(animals, one, row, Seen(float(published), unit="direction"), "animal", ratios, verdict)
    ctx = next(one for one in turnover.results if one.id == "ctx")
    for row in rows_of(ctx):
        seen = Seen(row.value, row.low, row.high, row.sd, unit="%", effect=0.0, label="CTX")
        yield scored(
            turnover, ctx, row, seen, "turnover", [row.value - 1, row.value + 2], [row.value - 9, row.value + 9]
        )
    recalled = replace(rows_of(ctx)[0], how_obtained="recalled")
    yield scored(turnover, ctx, recalled, Seen(5.0, bound="at_least"), "turnover", [4.0, 6.0], [3.0, 7.0])


@pytest.fixture(scope="module")
def found() -> Replay:
    named = {key: study(key) for key in (ANIMALS, PEOPLE, TURNOVER, "meng_2025")}
    return Replay(named, tuple(outcomes()), {"meng_2025": "no draw could be solved"})


@pytest.fixture(scope="module")
def told(found: Replay) -> dict[str, Any]:
    return json.loads(json.dumps(found.to_dict()))


@pytest.fixture(scope="module")
def pages(told: dict[str, Any]) -> dict[str, str]:
    return {lang: render(told, lang) for lang in LANGUAGES}


def payload(page: str) -> dict[str, Any]:
    embedded = re.search(r'<script type="application/json" id="osteon-data">(.*?)</script>', page, re.S)
    assert embedded
    return json.loads(embedded[1])


def visible(page: str) -> str:
    bare = re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S))
    return re.sub(r"\s+", " ", bare)


def test_the_made_run_has_every_verdict(found: Replay) -> None:
    assert {one.verdict for one in found.outcomes} == {COVERED, MISSED, RIGHT, WRONG, NOT_SCORED, NOT_SIMULATED}


def test_both_pages_load_nothing_and_say_what_they_are(pages: dict[str, str]) -> None:
    for lang, page in pages.items():
        words = load(lang)
        assert f'<html lang="{words("html_lang")}">' in page
        assert words("evidence_page.disclaimer") in page
        assert "default-src &#39;none&#39;" in page
        assert not re.search(r'<(script|link|img|iframe)[^>]+(src|href)="(?!data:)', page)
        for section in ("totals", "worst", "studies", "splits"):
            assert f'<section id="{section}">' in page
    with pytest.raises(InputError, match="choose one of en, zh"):
        render({}, "fr")


def test_totals_stand_apart_for_fitted_and_check_rows(told: dict[str, Any], pages: dict[str, str]) -> None:
    for use in ("fit", "check"):
        card = visible(pages["en"].split(f'data-use="{use}"')[1].split("</article>")[0])
        counts = told["totals"]["use"][use]
        assert counts["rows"] > 0
        assert f"{counts['covered']} of {counts['numbers']} numbers covered" in card
        assert f"{100 * counts['coverage']:.0f} %" in card
        assert f"Not simulated {counts['not_simulated']}" in card
        assert f"Numbers missed {counts['numbers'] - counts['covered']}" in card
    assert "meng_2025 could not be run: no draw could be solved" in visible(pages["en"])


def test_the_worst_misses_stand_first_and_lead_to_their_rows(told: dict[str, Any], pages: dict[str, str]) -> None:
    table = pages["en"].split('<section id="worst">')[1].split("</table>")[0]
    places = [int(place) for place in re.findall(r'href="#row-(\d+)"', table)]
    assert places == [place for place in told["worst"] if told["outcomes"][place]["use"] == "check"][:10]
    text = visible(table)
    first = told["outcomes"][places[0]]
    assert f"94.4 day 63.5 ({first['simulated_low']:.1f} – {first['simulated_high']:.1f})" in text
    assert "no difference ratio" in text
    assert "∞" in text


def test_every_outcome_is_in_the_page_as_it_is_in_the_document(told: dict[str, Any], pages: dict[str, str]) -> None:
    for lang, page in pages.items():
        data = payload(page)
        columns, texts = data["columns"], data["texts"]
        assert {len(column) for column in columns.values()} == {len(told["outcomes"])}
        for place, one in enumerate(told["outcomes"]):
            assert data["studies"][columns["study"][place]]["key"] == one["study"]
            for name in ("arm", "use", "verdict", "engine", "printed", "corrected", "flag"):
                assert texts[columns[name][place]] == one[name]
            for name in ("published", "simulated", "simulated_low", "simulated_high", "distance", "day"):
                expected = None if one[name] is None else pytest.approx(one[name], rel=1e-4)
                assert columns[name][place] == expected
            assert texts[columns["endpoint"][place]] == one["endpoint_zh" if lang == "zh" else "endpoint"]
    assert "无人随访" in payload(pages["zh"])["texts"]
    assert {texts[one] for one in columns["group"]} >= {"callus", "healing", "markers"}


def test_a_study_has_its_reference_limits_and_command(pages: dict[str, str]) -> None:
    for lang, page in pages.items():
        card = page.split(f'id="study-{ANIMALS}"')[1].split("</article>")[0]
        own = study(ANIMALS)
        assert f'<a href="https://doi.org/{own.reference.doi}">doi {own.reference.doi}</a>' in card
        text = visible(card)
        assert f"osteon evidence --study {ANIMALS}" in text
        for limit in own.limits:
            assert limit.of(lang) in text
        for claim in own.cited_by_review:
            assert claim in text
    failed = visible(pages["en"].split('id="study-meng_2025"')[1].split("</article>")[0])
    assert "Could not be run: no draw could be solved" in failed


def test_filters_offer_what_there_is(told: dict[str, Any], pages: dict[str, str]) -> None:
    form = pages["en"].split("<form")[1].split("</form>")[0]
    for name in ("drug", "species", "endpoint", "use", "verdict", "engine"):
        assert f'<select data-filter="{name}">' in form
    drugs = told["studies"][0]["drugs"]
    assert drugs
    for key in drugs:
        assert f'<option value="{key}">' in form
    misses = sum(one["verdict"] == MISSED for one in told["outcomes"])
    assert f'<option value="missed">missed ({misses})</option>' in form
    ctx = sum(one["endpoint"] == "serum CTX" for one in told["outcomes"])
    assert f'<option value="is:serum CTX">serum CTX ({ctx})</option>' in form


def test_pages_that_lie_beside_are_linked(tmp_path: Path, found: Replay) -> None:
    alone = write(found, tmp_path / "alone", "zh")
    assert list(alone) == ["evidence.zh.html"]
    assert "evidence.html" not in alone["evidence.zh.html"].read_text(encoding="utf-8")
    (tmp_path / "review.html").write_text("", encoding="utf-8")
    (tmp_path / "evidence.json").write_text(json.dumps(found.to_dict()), encoding="utf-8")
    both = write_from(tmp_path / "evidence.json", tmp_path)
    assert list(both) == list(FILES.values())
    english = both["evidence.html"].read_text(encoding="utf-8")
    assert 'href="evidence.zh.html"' in english
    assert 'href="review.html#C17"' in english
    assert "calibration.html" not in english
    assert english == write(found, tmp_path)["evidence.html"].read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.glob(".*")} == set()


@pytest.mark.parametrize(
    ("text", "said"),
    [("[1", "is not JSON"), ("{}", "not a run of the evidence"), ('{"osteon_replay": 2}', "2 is not a form")],
)
def test_a_document_of_another_kind_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "evidence.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read(path)
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "none.json")


def test_words_from_outside_stay_words(told: dict[str, Any]) -> None:
    bad = "</script><img src=x onerror=alert(1)>"
    hurt = json.loads(json.dumps(told))
    for one in hurt["outcomes"]:
        one.update(arm=bad, endpoint=bad, flag=bad)
    for one in hurt["studies"]:
        one["title"]["en"] = one["population"] = one["reference"]["doi"] = bad
    page = render(hurt)
    assert "<img" not in page
    assert page.count("</script>") == 2


def test_a_page_of_many_outcomes_stays_small(found: Replay) -> None:
    many = replace(found, outcomes=found.outcomes * (1500 // len(found.outcomes) + 1))
    assert len(many.outcomes) >= 1500
    assert len(render(many.to_dict()).encode()) < 1_000_000


def test_numbers_are_short() -> None:
    told = {88.0: "88", -70.94: "−70.9", 0.62: "0.62", 1234.4: "1234", 2e7: "2 × 10⁷", -0.001: "−0.001", 0.0: "0"}
    assert {value: figure(value) for value in told} == told
    words = load("en")
    assert [when(words, {"day": day}) for day in (None, 42.0, 365.25)] == ["", "day 42", "month 12"]


def test_a_run_without_an_outcome_has_a_page(found: Replay) -> None:
    page = render(replace(found, outcomes=()).to_dict())
    assert '<section id="worst">' not in page
    assert '<section id="studies">' in page


try:
    from .test_browser import Opened
    from .test_browser import browser as browser
except pytest.skip.Exception:  # no browser on this machine
    Opened = None


def _seen(page: Any) -> set[str]:
    return set(page.eval_on_selector_all(".row", "rows => rows.filter((row) => row.offsetParent).map((row) => row.id)"))


@pytest.mark.browser
def test_a_reader_finds_every_miss_and_filters(
    request: pytest.FixtureRequest, tmp_path: Path, found: Replay, pages: dict[str, str]
) -> None:
    if Opened is None:
        pytest.skip("No Chromium or Chrome was found, so the page was not opened.")
    browser = request.getfixturevalue("browser")
    misses = {f"row-{place}" for place, one in enumerate(found.outcomes) if one.missed}
    for lang, width, scheme in (("zh", 390, "dark"), ("en", 1280, "light")):
        view = {"width": width, "height": 900}
        opened = Opened(browser, pages[lang], tmp_path, viewport=view, color_scheme=scheme, reduced_motion="reduce")
        page = opened.page
        page.wait_for_selector(f"#study-{TURNOVER} .panel")
        page.wait_for_selector(f"#study-{PEOPLE} .row")
        assert misses
        assert misses <= _seen(page)
        opened.check()
    total = len(found.outcomes)
    assert page.inner_text("#shown") == f"{total} of {total} numbers in 4 of 4 studies"
    first = page.locator("#worst a[data-row]").first
    page.focus("[data-filter=verdict]")
    page.keyboard.press("c")  # the first verdict with that letter
    page.wait_for_selector(f"#study-{ANIMALS}", state="hidden")
    covered = sum(one.verdict == COVERED for one in found.outcomes)
    assert page.inner_text("#shown").startswith(f"{covered} of {total} numbers")
    assert not misses & _seen(page)
    first.click()  # shows again what was filtered away
    page.wait_for_selector(".row.found")
    assert page.get_attribute(".row.found", "id") == f"row-{first.get_attribute('data-row')}"
    assert page.inner_text("#shown").startswith(f"{total} of {total}")
    page.fill("#find", "followed")
    page.wait_for_selector(f"#study-{TURNOVER}", state="hidden")
    assert page.inner_text("#shown").startswith("1 of ")
    assert "nobody followed them" in page.inner_text(".row:visible")
    page.click(".filters button")
    page.click(f"#study-{TURNOVER} .more")
    wanted = {f"row-{place}" for place, one in enumerate(found.outcomes) if one.study == TURNOVER}
    assert wanted <= _seen(page)
    opened.check()

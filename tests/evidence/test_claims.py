"""The claims of the review: all there, whole in both languages, and refused where a file of them is bad."""

from pathlib import Path

import pytest

from osteon.errors import InputError
from osteon.evidence.claims import FILE, claim, claims, read_review, review

ROOT = Path(__file__).parents[2]


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "claims.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_every_claim_is_there_in_order() -> None:
    assert list(claims()) == [f"C{number:02}" for number in range(1, 55)]


def test_every_mistake_is_there_with_a_correction_and_its_claims() -> None:
    mistakes = review().mistakes
    assert [one.number for one in mistakes] == list(range(1, 15))
    assert all(one.claims and one.printed_zh and one.corrected_en and one.corrected_zh for one in mistakes)


def test_the_verdicts_of_the_sources_are_those_of_the_evidence() -> None:
    by_source: dict[str, list[str]] = {}
    for key, one in claims().items():
        by_source.setdefault(one.source, []).append(key)
    assert by_source["contradicted"] == ["C17", "C19", "C21", "C35", "C37", "C38"]
    assert by_source["wrong_reference"] == ["C08", "C10", "C33"]
    assert by_source["not_identifiable"] == ["C22", *(f"C{number}" for number in range(43, 51))]
    assert by_source["opinion"] == ["C31", "C41", "C53"]


def test_both_languages_are_filled_and_the_wrong_word_stands_only_beside_the_right_one() -> None:
    for one in claims().values():
        told = [getattr(one, f"{part}_{lang}") for part in ("claim", "said") for lang in ("en", "zh")]
        assert all(told)
        assert bool(one.caveat_en) == bool(one.caveat_zh)
        assert bool(one.because_en) == bool(one.because_zh)
        assert all(probe.en and probe.zh for probe in one.tests)
        written = [one.claim_zh, one.said_zh, one.why_zh, one.caveat_zh, *(probe.zh for probe in one.tests)]
        assert not any("骨瘤" in text for text in written)
        if "骨瘤" in one.quote or "愈伤组织" in one.quote:
            assert "骨痂" in one.quote_corrected
    assert {one.printed: one.corrected for one in review().terms}["骨瘤"] == "骨痂"


def test_published_numbers_come_from_the_tables() -> None:
    told = review()
    assert (told.row("own_time").value, told.row("own_time").sd, told.row("own_time").n) == (4.55, 1.81, 33)
    assert told.filled("{row.pain_denosumab} v {row.pain_alendronate}") == "3.3 v 5.4"
    assert told.expectation("~ @roux_month_6") == ("..", -77.0, -48.8)
    assert told.expectation("> @case_loading") == (">", 17.0, 17.0)


def test_every_claim_with_numbers_expects_something_of_one() -> None:
    assert not [key for key, one in claims().items() if one.tests and not any(probe.claim for probe in one.tests)]


def test_an_unknown_claim_is_refused_with_a_hint() -> None:
    with pytest.raises(InputError, match="is not a claim"):
        claim("C77")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('run = "kidney", arm', 'run = "kidny", arm', "did you mean"),
        ('claim = "-2..2"', 'claim = "about 2"', "is not an expectation"),
        ('source = "> 2"', 'source = "> @nothing"', "is not a published row"),
        ('type = "safety"', 'type = "danger"', "claims.C01.type"),
        ('study = "Bird 2024"', 'study = "Bird 2034"', "0 rows of clinical_healing.csv match"),
        ('claims = ["C41"]', 'claims = ["C99"]', "is not a claim"),
        ('why_en = "A claim of novelty."', 'why_en = ""', "says why it is not"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_review(changed(tmp_path, old, new))
    assert caught.value.exit_code == 2


def test_a_recalled_number_may_not_be_used(tmp_path: Path) -> None:
    old = 'match = { study = "Bird 2024", endpoint = "severe hypocalcaemia, 12 weeks" }'
    new = 'match = { study = "Chawla 2013" }'
    with pytest.raises(InputError, match="recalled"):
        read_review(changed(tmp_path, old, new))

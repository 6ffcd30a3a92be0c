"""What a claim is given: numbers with intervals, verdicts, sentences, and runs that are kept."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from osteon.errors import InputError
from osteon.evidence.claims import Probe, review
from osteon.replay import claim_runs, claims
from osteon.replay.claim_findings import Findings, explained, interaction, mean_ratio, trials
from osteon.replay.claim_measures import Estimate, estimate, holds, measure, share
from osteon.replay.claim_words import number
from osteon.replay.claims import run_review, verdict_of
from tests.replay.made import made


def probe(**given) -> Probe:
    return Probe(run="mouse", en="-", zh="-", **given)


def ratio(low: float, value: float, high: float) -> Estimate:
    return Estimate(value, low, high, "ratio")


TIME = np.array([0.0, 10.0, 20.0])
CURVES = {
    "a": np.array([[[0.0, 2.0, 4.0], [0.0, 4.0, 8.0]], [[0.0, 4.0, 8.0], [0.0, 4.0, 8.0]]]),
    "b": np.ones((2, 2, 3)),
}


def test_numbers_are_read_from_a_run() -> None:
    run = made(("none", "drug"), TIME, CURVES, {"time_to_union": [[50, math.nan], [40, 60]]})
    assert measure(probe(of="a", arm="none", day=5), run).value == 1.5
    assert measure(probe(of="a+b", arm="none", day=10), run).value == 4.0
    compared = measure(probe(of="a", arm="drug", against="none", day=20, what="ratio"), run)
    assert (compared.low, compared.value, compared.high, compared.unit) == (1.0, 1.5, 2.0, "ratio")
    assert measure(probe(of="a", arm="none", day=20, since=10, what="difference"), run).value == 3.0
    assert measure(probe(of="a", arm="none", what="peak_day"), run).value == 20.0
    never = measure(probe(of="time_to_union", arm="none"), run)
    assert (never.low, never.high) == (50.0, math.inf)
    assert measure(probe(of="time_to_union", arm="none", what="share_by"), run, limit=55.0).value == 0.5


def test_ratios_of_changes_are_ratios_of_levels() -> None:
    run = made(("x", "y"), TIME, {"CTX": np.array([[[0.0, -70.0, -70.0]], [[0.0, -40.0, -40.0]]])})
    one = measure(probe(of="CTX", arm="x", against="y", day=10, what="ratio", unit="%"), run)
    assert one.value == pytest.approx(30 / 60)
    assert measure(probe(of="CTX", arm="x", against="y", day=10, what="difference", unit="%"), run).unit == "pp"


def test_what_a_run_lacks_is_refused_with_a_hint() -> None:
    run = made(("none", "drug"), TIME, CURVES)
    for wrong, message in (
        ({"of": "a", "arm": "drag"}, "is not an arm"),
        ({"of": "c", "day": 1}, "is not a curve"),
        ({"of": "CTX_nadr"}, "is not an endpoint"),
    ):
        with pytest.raises(InputError, match=message):
            measure(probe(**wrong), run)


@pytest.mark.parametrize(
    ("found", "expected", "answer"),
    [
        (ratio(1.02, 1.2, 1.4), (">", 1, 1), "yes"),
        (ratio(0.9, 1.2, 1.4), (">", 1, 1), "open"),
        (ratio(1.001, 1.02, 1.04), (">", 1, 1), "no"),  # within the dead band
        (ratio(1.0, 1.0, 1.0), ("<", 1, 1), "no"),
        (ratio(0.7, 0.8, 0.9), ("<", 1, 1), "yes"),
        (ratio(0.97, 1.0, 1.04), ("=", 1, 1), "yes"),
        (ratio(0.9, 1.0, 1.04), ("=", 1, 1), "open"),
        (ratio(1.1, 1.2, 1.3), ("=", 1, 1), "no"),
        (Estimate(-70, -75, -65, "%"), ("..", -80, -60), "yes"),
        (Estimate(-70, -85, -65, "%"), ("..", -80, -60), "open"),
        (Estimate(2, 1, 3, "%"), ("<", 0, 0), "no"),
        (Estimate(math.nan, math.nan, math.nan), (">", 0, 0), "open"),
        (ratio(1, 1, 1), None, ""),
    ],
)
def test_an_expectation_holds_fails_or_is_open(found: Estimate, expected: tuple | None, answer: str) -> None:
    assert holds(found, expected) == answer


def test_verdicts() -> None:
    assert verdict_of("yes", "no") == "agrees"
    assert verdict_of("no", "yes") == verdict_of("open", "yes") == "source"
    assert (verdict_of("no", ""), verdict_of("open", "open"), verdict_of("", "yes")) == ("disagrees", "undecided", "")
    blind = [verdict_of(claimed, "yes", True) for claimed in ("yes", "no", "open", "")]
    assert blind == ["agrees", "undecided", "undecided", ""], "no effect where there is no way to one decides nothing"


def test_shares_have_exact_intervals() -> None:
    assert share(3, 3, 0.95).low == pytest.approx(0.292, abs=5e-4)
    assert share(0, 33, 0.95).high == pytest.approx(0.106, abs=5e-4)
    assert math.isnan(share(0, 0).value)
    assert estimate(np.array([np.nan])).n == 0


def test_trials_of_the_same_patients_have_less_chance_than_two_groups() -> None:
    old = np.linspace(50.0, 150.0, 200)
    own, others = trials(1, 200, 33, "a"), trials(1, 200, 33, "b")
    same, apart = mean_ratio(0.8 * old, old, own), mean_ratio(0.8 * old, old, own, others)
    assert (same.value, same.low, same.high) == pytest.approx((0.8, 0.8, 0.8))
    assert apart.low < 0.75 < 0.85 < apart.high
    assert explained(same, mean_ratio(0.64 * old, old, own)).value == pytest.approx(0.5)
    assert interaction(0.5 * old, 0.8 * old, 0.5 * old, old, own).value == pytest.approx(1.25)


def test_a_trial_takes_its_patients_from_one_group() -> None:
    groups = np.array([0, 0, 1, 1, 1, 2])
    own, others = trials(1, groups, 50, "a", 9), trials(1, groups, 50, "b", 9)
    assert own.shape == (9, 50)
    for one, other, group in zip(own, others, (0, 1, 2) * 3, strict=True):
        assert set(groups[one]) == set(groups[other]) == {group}
    old = np.array([50.0, 60, 100, 100, 110, 200])
    apart = mean_ratio(np.array([1.0, 1, 2, 2, 2, 4])[groups] * old, old, own)
    assert (apart.low, apart.high) == pytest.approx((1, 2)), "what differs between draws does not average out"


def test_patients_who_share_draw_and_member_are_one_group() -> None:
    run = made(("none",), TIME, endpoints={"a": [[1, 2, 3, 4]]})
    assert run.groups.tolist() == [0] * 4
    run = replace(run, patients={"draw": np.array([7, 7, 9, 7]), "member": np.array(["J", "B", "J", "J"])})
    same = run.groups[:, None] == run.groups[None]
    assert same[0].tolist() == [True, False, False, True]


def test_numbers_in_words() -> None:
    assert number(ratio(0.85, 0.9, 1.1), "en") == "0.90 (90 %: 0.85 to 1.10)"
    assert number(Estimate(0.004, 0, math.inf, "day"), "zh") == "0 天（90%：0 至 未达到）"
    assert number(Estimate(-70.44, -72, -66, "%"), "en") == "−70.4 % (90 %: −72.0 to −66.0)"
    assert number(Estimate(1, 0.292, 1, "share", level=0.95), "en") == "100.0 % (95 %: 29.2 to 100.0)"
    assert number(Estimate(math.nan, math.nan, math.nan), "en") == "not known"


@pytest.fixture
def faked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every run replaced by one in which all curves and endpoints are one."""
    asked: list[str] = []

    def run(one, *, quick: bool = False, on_progress=None):
        asked.append(one.title_en)
        arms = tuple(
            arm for scenario in claim_runs.scenarios_of(one).values() for arm in (a.name for a in scenario.arms)
        )
        probes = [p for c in review().claims.values() for p in c.tests if review().runs.get(p.run) is one]
        curves = {name: np.ones((len(arms), 4, 3)) for name in one.series}
        names = {p.of for p in probes if p.day is None} | {p.less for p in probes if p.less}
        endpoints = {name: [[1.0] * 4] * len(arms) for name in names if name not in curves}
        return made(arms, np.array([0.0, 500.0, 1200.0]), curves, endpoints)

    class Ones(dict):
        def __missing__(self, key: str) -> Estimate:
            return Estimate(1.0, 1.0, 1.0, "ratio", "twins", 33)

    monkeypatch.setattr(claim_runs, "simulated", run)
    monkeypatch.setattr(claims, "_special", lambda name: lambda **_: Findings(Ones()))
    return asked


def test_every_claim_gets_a_verdict_a_sentence_and_a_command(faked: list[str]) -> None:
    found = run_review()
    assert len(found.results) == 54
    assert len(faked) == len(set(faked)) == 7, "a run is made once, however many claims read it"
    for one in found.results:
        assert one.text("en")
        assert one.text("zh")
        assert (one.verdict == "not_simulated") == (not one.tested)
        assert one.claim.key in one.claim.command
    by_key = {one.claim.key: one for one in found.results}
    # Where nothing differs, a claim of a difference fails and a source that saw none is right.
    assert by_key["C02"].verdict == "disagrees"
    assert by_key["C19"].verdict == "source"
    assert sum(found.counts()["simulation"].values()) == 54
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert document["claims"][16]["key"] == "C17"
    assert len(document["mistakes"]) == 14


def test_only_what_is_asked_for_is_run(faked: list[str]) -> None:
    found = run_review(["C34", "C34"])
    assert [one.claim.key for one in found.results] == ["C34"]
    assert len(faked) == 1


def test_the_page_holds_every_claim_in_both_languages(faked: list[str]) -> None:
    from osteon.report.claims import pages

    for name, text in pages(run_review()).items():
        assert all(f'id="C{number:02}"' in text for number in range(1, 55)), name
        assert all(f'id="mistake-{number}"' in text for number in range(1, 15))
        assert "骨瘤" in text
        assert "骨痂" in text
        assert "Content-Security-Policy" in text
        assert 'href="evidence' in text
        assert "osteon evidence --study bird_2024" in text
        assert text.count("#study-") > 20
        assert text.count("探索性" if ".zh." in name else ">exploratory<") >= 2
        assert 'href="#study-bird-2024"' in text
        assert 'id="study-bird-2024"' in text


def test_a_real_claim_is_simulated_and_kept(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claim_runs, "folder", lambda: tmp_path)
    run = review().runs["binding"].model_copy(update={"quick": 1, "horizon": "30 days"})
    monkeypatch.setattr(claims, "review", lambda: review().model_copy(update={"runs": {"binding": run}}))
    first = run_review(["C34"], quick=True).results[0]
    assert first.verdict == "agrees"
    assert first.tested[0].found.value < -50
    assert first.tested[1].found.value == pytest.approx(0, abs=1)
    assert len(list(tmp_path.rglob("*.npz"))) == 2
    monkeypatch.setattr(claim_runs, "simulate_patients", lambda *_: pytest.fail("it was kept"))
    assert run_review(["C34"], quick=True).results[0].text("en") == first.text("en")


def test_a_damaged_file_of_the_cache_is_made_again(tmp_path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(b"PK\x03\x04 not a file of arrays")
    assert claim_runs._read(path) is None
    run = made(("none", "drug"), TIME, CURVES)
    claim_runs._write(path, run)
    back = claim_runs._read(path)
    assert back is not None
    assert back.arms == run.arms
    assert np.array_equal(back.series["a"], run.series["a"])

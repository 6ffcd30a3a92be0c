"""The credibility file: what it measures, reads, judges and says, and that nothing is said that was not handed in."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from osteon.errors import InputError
from osteon.report import credibility_checks as checking
from osteon.report import credibility_fitted as fitted
from osteon.report.credibility import STUDY, Credibility, assess
from osteon.report.credibility_checks import Check, measure
from osteon.report.credibility_fitted import calibration, uncertainty
from osteon.report.credibility_inputs import BATTERY, read_evidence, read_junit
from osteon.report.credibility_judge import adequacy, factors, risk, texts
from osteon.report.credibility_page import html, markdown, sections
from osteon.report.credibility_scope import scope
from osteon.trial.study import Study

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
HOSTILE = "<img src=x onerror=alert(1)>"
LANGUAGES = ("en", "zh")
TURNOVER: dict[str, Any] = {
    "osteon_study": 1,
    "title": f"Turnover | alone {HOSTILE}",
    "patients": 20,
    "patient": {"age": "66 yr", "weight": "62 kg", "sex": "female"},
    "fracture": None,
    "horizon": "13 months",
    "follow_up": "12 months",
    "visits": {"days": ["6 months", "11 months"], "window": "7 days"},
    "arms": [
        {"name": "none"},
        {"name": "drug", "doses": [{"drug": "denosumab", "amount": "60 mg", "start": "0 days"}]},
    ],
    "endpoints": {"primary": {"name": "spine", "kind": "curve", "curve": "BMD_lumbar_spine", "day": "6 months"}},
    "analysis": {"method": "difference"},
}
JUNIT = """<testsuites><testsuite name="pytest" timestamp="2026-11-02T10:00:00" time="12.5">
<testcase classname="tests.engine.test_lanes" name="test_a"/>
<testcase classname="tests.engine.test_lanes" name="test_b"><skipped/></testcase>
<testcase classname="tests.test_standard" name="test_standard[healing-human-J-drug_mass_balance]"/>
<testcase classname="tests.test_standard" name="test_standard[drug_mass_balance-turnover-rat-J]"><failure/></testcase>
<testcase classname="tests.test_standard" name="test_standard[turnover-rat-J-same_bits_twice]"><error/></testcase>
</testsuite></testsuites>"""


@pytest.fixture(scope="module")
def turnover() -> Credibility:
    return assess(Study.parse(TURNOVER), named="mine.yaml", days=8.0)


@pytest.fixture(scope="module")
def shipped() -> Credibility:
    """The default study, with nothing measured."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "measure", lambda *_: [])
        return assess()


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """A run of one study with three numbers, two of them inside, and two directions."""
    from osteon.evidence.studies import study
    from osteon.replay.outcome import AGREES, COVERED, MISSED, Outcome
    from osteon.replay.run import Replay

    fields: dict[str, Any] = {name: "" for name, one in Outcome.__annotations__.items() if one == "str"}
    fields |= {name: 1.5 for name, one in Outcome.__annotations__.items() if one == "float"}
    base = Outcome(**{**fields, "line": 2, "n": 40, "covered": True, "study": "roux_2014", "use": "check"})
    base = replace(base, label="CTX", sign="not a direction", verdict=COVERED)
    rows = (
        base,
        replace(base, sign=AGREES),
        replace(base, label="P1NP", verdict=MISSED, covered=False, sign="disagrees", distance=-4.25),
        replace(base, use="fit", verdict=MISSED, covered=False, distance=3.0),
        replace(base, label="hip", verdict="not simulated"),
    )
    found = Replay({"roux_2014": study("roux_2014")}, rows)
    (tmp_path / "evidence.json").write_text(json.dumps(found.to_dict()), encoding="utf-8")
    return tmp_path


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    path = tmp_path / "junit.xml"
    path.write_text(JUNIT, encoding="utf-8")
    return path


# ---- measured ------------------------------------------------------------------------------------------------------


def test_every_check_is_measured_and_holds(turnover: Credibility) -> None:
    checks = {one.key: one for one in turnover.checks}
    assert set(checks) == set(checking.LIMITS)
    missing = checks.pop("roadrunner")
    assert (missing.value, missing.ok, missing.missing) == (None, None, "sbml")
    assert all(one.ok for one in checks.values()), checks
    assert 0 < checks["scipy"].value < 1e-6 < checks["scipy"].limit
    assert checks["scipy"].about["days"] == 8
    assert checks["units"].about["systems"] == 14
    assert checks["drug_balance"].about["drugs"] == ["denosumab"]


def test_libroadrunner_agrees(turnover: Credibility) -> None:
    pytest.importorskip("roadrunner")
    from osteon.exchange import export

    found = checking._roadrunner(turnover.study, 20.0, lambda scenario, arm: export(scenario, "sbml", arm))
    assert found.ok
    assert 0 < found.value < 1e-6


def test_a_wrong_solution_is_seen(turnover: Credibility, monkeypatch: pytest.MonkeyPatch) -> None:
    from osteon.engine.rosenbrock import Trajectory

    sample = Trajectory.sample
    case = checking._Case.of(turnover.study.scenario(), 5.0)
    monkeypatch.setattr(Trajectory, "sample", lambda self, times: sample(self, times) * 1.001)
    found = checking._scipy(case)
    assert found.ok is False
    assert found.value == pytest.approx(1e-3, rel=0.02)


def test_a_wrong_unit_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from osteon.errors import ModelError
    from osteon.model import unit_check

    def refuse(system: Any) -> None:
        if "romosozumab" in system.name:
            raise ModelError("a factor is missing")

    monkeypatch.setattr(unit_check, "check_units", refuse)
    found = checking._units()
    assert found.value == len(found.about["refused"]) > 0
    assert found.ok is False


def test_a_missing_package_is_named(turnover: Credibility, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "scipy.integrate", None)
    monkeypatch.setattr(checking, "_people", lambda study: Check("people", 0.0, 0.0))
    (found,) = (one for one in measure(turnover.study, 5.0) if one.key == "scipy")
    assert found.ok is None
    assert "scipy" in found.missing


# ---- handed in -----------------------------------------------------------------------------------------------------


def test_a_junit_file_is_counted(junit: Path) -> None:
    found = read_junit(junit)
    assert {name: found[name] for name in ("tests", "passed", "failed", "skipped")} == {
        "tests": 5,
        "passed": 2,
        "failed": 2,
        "skipped": 1,
    }
    assert found["seconds"] == 12.5
    assert found["when"] == "2026-11-02T10:00:00"
    assert found["areas"]["engine"] == {"tests": 2, "passed": 1, "failed": 0, "skipped": 1}
    assert found["battery"]["drug_mass_balance"] == {"tests": 2, "passed": 1, "failed": 1, "skipped": 0}
    assert found["battery"]["same_bits_twice"]["failed"] == 1


def test_the_parts_of_the_battery_are_those_of_the_tests() -> None:
    from tests import standard

    assert set(BATTERY) == {check.__name__.removeprefix("check_") for check in standard.CHECKS}


@pytest.mark.parametrize("text", ["not xml", "<testsuite/>", "<other><testcase name='a'/></other>", ""])
def test_a_file_that_is_no_junit_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bad.xml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"bad\.xml: .*junit-xml"):
        read_junit(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_junit(tmp_path / "none.xml")


def test_a_run_of_the_evidence_is_read(evidence: Path) -> None:
    found = read_evidence(evidence, ["denosumab"])
    assert (found["check"]["numbers"], found["check"]["covered"], found["check"]["not_simulated"]) == (3, 2, 1)
    assert found["check"]["agreement"] == 0.5
    assert found["fit"]["covered"] == 0
    assert found["relevant"] == found["check"]
    assert set(found["endpoints"]) == {"CTX", "P1NP"}
    assert [one["distance"] for one in found["worst"]] == [-4.25, 3.0]
    assert read_evidence(evidence / "evidence.json", ["teriparatide"])["relevant"]["rows"] == 0


@pytest.mark.parametrize("text", ["[]", '{"osteon_replay": 2}', '{"osteon_replay": 1}', "{"])
def test_a_file_that_is_no_evidence_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "evidence.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError):
        read_evidence(tmp_path)


# ---- computed from what is shipped ---------------------------------------------------------------------------------


def test_rows_that_changed_since_the_fit_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    from osteon.calibrate import turnover as layer

    assert calibration()["turnover"]["same_rows"] == {"alendronate": True, "core": True}
    rows_of = layer.rows_of

    def fewer(use: str, data: Any, block: str | None = None) -> Any:
        rows = rows_of(use, data, block)
        return type(rows)(rows.rows[1:]) if block == "core" else rows

    monkeypatch.setattr(layer, "rows_of", fewer)
    assert calibration()["turnover"]["same_rows"] == {"alendronate": True, "core": False}


def test_parameters_are_counted_once(turnover: Credibility) -> None:
    about = turnover.uncertainty
    assert sum(about["by_how"].values()) == about["total"]
    assert about["by_how"]["assumed"] == about["varied"].get("assumed", 0) + len(about["held"])
    plain = uncertainty(Study.parse({**TURNOVER, "population": {"draws": False, "spread": "none"}}))
    assert plain["drawn"] == plain["spread"] == 0
    assert plain["by_how"] == about["by_how"]
    assert len(plain["held"]) == about["by_how"]["assumed"] > len(about["held"])


def placed(**changes: Any) -> dict[tuple[str, str], str]:
    return {(one.topic, one.of): one.verdict for one in scope(Study.parse({**TURNOVER, **changes}))}


def dosed(*doses: tuple[str, str]) -> list[dict[str, Any]]:
    given = [{"drug": drug, "amount": amount, "start": "0 days"} for drug, amount in doses]
    return [{"name": "none"}, {"name": "drug", "doses": given}]


def test_a_study_is_placed_beside_the_evidence() -> None:
    usual = placed()
    assert set(usual.values()) == {"inside"}
    assert placed(arms=dosed(("denosumab", "900 mg")))["drug", "denosumab"] == "outside"
    assert placed(arms=dosed(("zoledronate", "5 mg")))["drug", "zoledronate"] == "outside"
    both = placed(arms=dosed(("teriparatide", "20 ug"), ("romosozumab", "210 mg")))
    assert both["together", "drug"] == "outside"
    assert placed(patient={"age": "30 yr", "weight": "62 kg", "sex": "male"})["age", ""] == "outside"
    assert placed(patient={"age": "66 yr", "weight": "62 kg", "sex": "male"})["sex", ""] == "outside"


def test_a_fracture_is_placed_beside_the_evidence() -> None:
    analysis = {"primary": {"name": "union", "kind": "union", "rule": "cortices"}}
    known = {"fracture": {"bone": "tibia", "fixation": "nail"}, "endpoints": analysis, "analysis": {"method": "cox"}}
    found = placed(**known)
    assert found["bone", "tibia"] == "inside"
    assert found["species", "human"] == found["callus", "denosumab"] == "partly"
    elsewhere = placed(**{**known, "fracture": {"bone": "vertebra", "fixation": "brace"}})
    assert elsewhere["bone", "vertebra"] == "outside"


# ---- judged --------------------------------------------------------------------------------------------------------


def test_risk_rises_with_both_grades() -> None:
    assert risk(None, None, own=False)["risk"] == 3
    assert [risk(one, "low", own=True)["risk"] for one in ("low", "medium", "high")] == [1, 2, 3]
    assert risk("high", "high", own=True)["risk"] == 5
    assert risk("high", None, own=True)["risk"] is None
    with pytest.raises(InputError, match=r"--influence.*did you mean"):
        risk("hihg", None, own=False)


def verdicts(given: Credibility, **changes: Any) -> dict[str, str]:
    parts = {"checks": given.checks, "suite": None, "evidence": None, "uncertain": given.uncertainty}
    return factors(**{**parts, "places": given.places, "assumed_inputs": 1, **changes})


def test_what_was_not_handed_in_is_open(turnover: Credibility) -> None:
    assert turnover.suite is turnover.evidence is None
    assert turnover.factors["software_quality"] == turnover.factors["output_comparison"] == "open"
    assert turnover.adequacy["kind"] == "open"
    assert turnover.categories["population"] == "open"


def test_verdicts_follow_the_evidence(turnover: Credibility, evidence: Path, junit: Path) -> None:
    assert turnover.factors["numerical_code"] == turnover.factors["relevance"] == "met"
    worse = [replace(one, value=1.0) if one.key == "scipy" else one for one in turnover.checks]
    assert verdicts(turnover, checks=worse)["numerical_code"] == "not_met"
    suite = read_junit(junit)
    assert verdicts(turnover, suite=suite)["software_quality"] == "not_met"
    assert verdicts(turnover, suite={**suite, "failed": 0})["software_quality"] == "partly"
    every = {key: {"tests": 1} for key in BATTERY}
    assert verdicts(turnover, suite={**suite, "failed": 0, "battery": every})["software_quality"] == "met"
    run = read_evidence(evidence, ["denosumab"])
    # Two of three inside and one of two directions: both below their limits.
    assert verdicts(turnover, evidence=run)["output_comparison"] == "not_met"
    assert run["left_out"] > 0
    good = {**run, "left_out": 0, "check": {**run["check"], "coverage": 0.9, "agreement": 0.8}}
    assert verdicts(turnover, evidence=good)["output_comparison"] == "met"
    for part in ({"quick": True}, {"left_out": 1}, {"use": "check"}, {"failures": {"stand": "no step"}}):
        assert verdicts(turnover, evidence={**good, **part})["output_comparison"] == "partly"
    wide = {**good, "check": {**good["check"], "coverage": 0.99}}
    assert verdicts(turnover, evidence=wide)["output_comparison"] == "partly"


def test_adequacy_asks_more_at_a_higher_risk() -> None:
    graded = {"risk": 3}
    assert adequacy(graded, {"a": "met"})["kind"] == "adequate"
    assert adequacy(graded, {"a": "met", "b": "partly"})["kind"] == "limited"
    assert adequacy({"risk": 4}, {"a": "met", "b": "partly"})["kind"] == "not"
    assert adequacy(graded, {"a": "partly", "b": "open"})["kind"] == "open"
    assert adequacy(graded, {"a": "not_met", "b": "open"}) == {
        "kind": "not",
        "missed": ["a"],
        "partly": [],
        "open": ["b"],
    }
    assert adequacy({"risk": None}, {"a": "met"})["kind"] == "ungraded"


# ---- words ---------------------------------------------------------------------------------------------------------


def walk(tree: Any) -> list[dict[str, Any]]:
    if isinstance(tree, list):
        return [one for part in tree for one in walk(part)]
    if not isinstance(tree, dict):
        return []
    return ([tree] if "en" in tree or "zh" in tree else []) + [one for part in tree.values() for one in walk(part)]


def test_both_languages_say_the_same_places() -> None:
    entries = walk(texts())
    assert len(entries) > 80
    for one in entries:
        assert one["en"]
        assert one["zh"]
        assert set(re.findall(r"\{\w+\}", one["en"])) == set(re.findall(r"\{\w+\}", one["zh"])), one["en"]
    assert len(texts()["factors"]) == 13
    assert len(texts()["categories"]) == 8


@pytest.mark.parametrize("entry", texts()["recorded"], ids=lambda entry: entry["key"])
def test_what_is_quoted_stands_in_the_page_that_is_named(entry: dict[str, Any]) -> None:
    page = " ".join((ROOT / entry["doc"]).read_text(encoding="utf-8").split())
    assert all(quote in page for quote in entry["quotes"])
    # 1.05 is the usual measure of a chain, which needs no page.
    known = set(re.findall(r"\d+(?:\.\d+)?", " ".join(entry["quotes"]))) | {"1.05", "90"}
    for lang in LANGUAGES:
        assert set(re.findall(r"\d+(?:\.\d+)?", entry[lang])) <= known


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("handed_in", [False, True])
def test_every_place_is_filled(
    turnover: Credibility, shipped: Credibility, evidence: Path, junit: Path, lang: str, handed_in: bool
) -> None:
    for given in (turnover, shipped):
        run = read_evidence(evidence, ["denosumab"]) if handed_in else None
        whole = replace(given, suite=read_junit(junit) if handed_in else None, evidence=run)
        told = markdown(whole, lang)
        assert not re.findall(r"\{\w*\}", told)
        assert told.count("\n## ") == len(sections(whole, lang)) == 14
        assert HOSTILE not in told
        page = html(whole, lang)
        assert HOSTILE not in page
        assert page.count("<section") == 14
        assert ("**missed**" in markdown(whole)) is handed_in or given is shipped
        json.dumps(whole.to_dict(), allow_nan=False)


def test_tables_have_as_many_cells_as_columns(turnover: Credibility) -> None:
    for section in sections(turnover):
        for block in section["blocks"]:
            assert all(len(row) == len(block["head"]) for row in block.get("table", ())), section["key"]
    lines = [line for line in markdown(turnover).splitlines() if line.startswith("|")]
    assert any("Turnover \\| alone" in line for line in lines)


def test_nothing_is_said_of_a_run_that_was_not_handed_in(turnover: Credibility, evidence: Path) -> None:
    def told(given: Credibility) -> str:
        return markdown(given).split("## 7. ")[1].split("## 8. ")[0]

    assert "osteon evidence --out" in told(turnover)
    assert "roux_2014" not in told(turnover)
    run = told(replace(turnover, evidence=read_evidence(evidence)))
    assert "2 (67 %)" in run
    assert "| roux_2014 | P1NP" in run


def test_a_context_of_ones_own_is_not_graded_for_its_author(turnover: Credibility) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checking, "measure", lambda *_: [])
        patch.setattr(fitted, "calibration", lambda: turnover.calibration)
        study = turnover.study
        own = assess(study, named="mine.yaml", question="Which?", context="Choose a dose for one patient.")
        assert own.risk["risk"] is None
        assert "--consequence" in markdown(own).split("## 10. ")[1].split("## 11. ")[0]
        graded = assess(study, named="mine.yaml", context="Choose.", influence="high", consequence="high")
        assert graded.risk["risk"] == 5
        assert "5 / 5" in markdown(graded)
        with pytest.raises(InputError, match="--question: is empty"):
            assess(study, named="mine.yaml", question=" ")


# ---- the page in docs ----------------------------------------------------------------------------------------------


def parts(text: str) -> dict[str, str]:
    return {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in re.split(r"(?m)^## ", text)[1:]}


def test_the_page_in_docs_is_up_to_date(shipped: Credibility) -> None:
    assert shipped.named == STUDY
    kept, now = parts((DOCS / "credibility.md").read_text(encoding="utf-8")), parts(markdown(shipped))
    assert list(kept) == list(now)
    # Measured numbers, and what is handed in, are of the day on which the page was made.
    for number in (1, 2, 6, 9, 11, 13, 14):
        (heading,) = (one for one in now if one.startswith(f"{number}. "))
        assert kept[heading] == now[heading], "make the page again: its last section says how"

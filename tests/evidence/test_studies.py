"""The files of published studies: every row of the tables is in one, and a bad file is refused with its path."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from osteon.errors import InputError
from osteon.evidence import arms as turnover_arms
from osteon.evidence.healing import animal_arms, parts_of
from osteon.evidence.label import published
from osteon.evidence.studies import FOLDER, places, read_study, rows_of, studies, study
from osteon.evidence.studies.rows import table_rows

CHINESE = re.compile(r"[\u4e00-\u9fff]")
KNOWN = studies()

PLAIN: dict[str, Any] = {
    "osteon_evidence": 1,
    "key": "made_up",
    "title": {"en": "A made-up study", "zh": "虚构研究"},
    "reference": {"authors": "Nobody", "year": "2020", "where": "nowhere"},
    "species": "human",
    "population": "nobody",
    "design": {"en": "cohort", "zh": "队列研究"},
    "site": "tibia",
    "engine": "people",
    "results": [
        {
            "id": "time",
            "endpoint": {"en": "time to union", "zh": "愈合时间"},
            "unit": "week",
            "rows": {"table": "clinical_healing.csv", "study": "Gross 2016"},
        }
    ],
}
COHORT: dict[str, Any] = {
    **PLAIN,
    "engine": "cohort",
    "scenario": {
        "osteon": 1,
        "title": "made up",
        "patient": {"age": "60 yr"},
        "fracture": {"bone": "tibia", "fixation": "nail"},
        "arms": [
            {"name": "none"},
            {"name": "drug", "doses": [{"drug": "denosumab", "amount": "60 mg", "start": "0 days"}]},
        ],
        "horizon": "12 months",
    },
    "results": [
        {
            "id": "ratio",
            "endpoint": {"en": "ratio", "zh": "比值"},
            "unit": "ratio",
            "published": {"value": 1.0, "how_obtained": "computed", "quote": "made up"},
            "use": "check",
            "simulated": {
                "measure": "ratio_of_means",
                "of": "time_to_union_cortices",
                "arm": "drug",
                "against": "none",
            },
        }
    ],
}


def written(folder: Path, tree: dict[str, Any], name: str = "made_up") -> Path:
    """The tree as a study file."""
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    return path


def changed(tree: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A deep copy with one place changed; the value None takes it out."""
    copy = yaml.safe_load(yaml.safe_dump(tree))
    *above, last = [int(one) if one.isdigit() else one for one in path.split("/")]
    at: Any = copy
    for one in above:
        at = at[one]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return copy


def test_every_row_of_the_tables_is_in_one_file() -> None:
    held = Counter((row.table, row.line) for one in KNOWN.values() for result in one.results for row in rows_of(result))
    del held["", 0]
    assert {place for place, count in held.items() if count > 1} == set()
    assert places() <= set(held)


def test_files_speak_both_languages() -> None:
    for key, one in KNOWN.items():
        texts = [one.title, one.design, one.reason, *one.limits]
        texts += [text for result in one.results for text in (result.endpoint, result.reason)]
        for text in filter(None, texts):
            assert CHINESE.search(text.zh) or not re.search(r"[a-z]{3}", text.zh), (key, text.zh)
            assert not CHINESE.search(text.en), (key, text.en)


def test_simulated_arms_are_known() -> None:
    from osteon.replay.people_groups import group

    known = {"turnover": turnover_arms().__getitem__, "animal": parts_of, "people": group, "label": published().get}
    for one in KNOWN.values():
        for arm in one.arms:
            assert known[one.engine](arm), (one.key, arm)
    assert {arm for one in KNOWN.values() if one.engine == "turnover" for arm in one.arms} == set(turnover_arms())
    used = {part for one in KNOWN.values() if one.engine == "animal" for arm in one.arms for part in parts_of(arm)}
    assert used <= set(animal_arms())


def test_what_is_not_simulated_says_why() -> None:
    for one in KNOWN.values():
        for result in one.results:
            why = result.reason or one.reason
            assert (one.engine_of(result) == "none") == (why is not None), (one.key, result.id)


def test_the_sources_of_the_review_are_there() -> None:
    cited = {claim: one.key for one in KNOWN.values() for claim in one.cited_by_review}
    assert cited["C17"] == "gerstenfeld_2009"
    assert cited["C23"] == "tetsunaga_2017"
    assert cited["C38"] == "hegde_2016"
    wrong = [result for one in KNOWN.values() for result in one.results if result.as_printed]
    assert wrong
    assert all(result.corrected for result in wrong)


def test_a_row_has_the_error_that_is_printed() -> None:
    (late,) = [row for row in rows_of(study("uchiyama_2013").results[0]) if row.arm.startswith("alendronate")]
    assert (late.value, late.low, late.high, late.sd) == pytest.approx((3.1, 2.95, 3.25, 0.15))
    (odds,) = [row for row in table_rows("clinical_healing.csv") if row.study.startswith("Colon") and row.unit == "OR"]
    assert (odds.low, odds.high) == (0.72, 1.90)
    assert odds.sd == pytest.approx((1.90 - 0.72) / 3.92, rel=1e-3)
    bare = next(row for row in table_rows("clinical_healing.csv") if row.study == "Aspenberg 2010")
    assert math.isnan(bare.sd)
    assert math.isnan(bare.low)


def test_adding_a_study_is_adding_a_file(tmp_path: Path) -> None:
    written(tmp_path, PLAIN)
    found = studies(tmp_path)
    assert [row.arm for row in rows_of(found["made_up"].results[0])] == [
        "immediate weight bearing",
        "non-weight bearing 6 weeks",
    ]
    assert read_study(written(tmp_path, changed(COHORT, "key", "another"), "another")).engine == "cohort"


@pytest.mark.parametrize(
    ("tree", "path", "value", "where", "said"),
    [
        (PLAIN, "engin", "people", "engin", "is not a known key"),
        (PLAIN, "title/zh", None, "title.zh", "is missing"),
        (PLAIN, "title/zh", " ", "title.zh", "is empty"),
        (PLAIN, "engine", "magic", "engine", "is not allowed"),
        (PLAIN, "engine", "none", "reason", "says why nothing is simulated"),
        (PLAIN, "engine", "cohort", "scenario", "belongs to the engine cohort"),
        (PLAIN, "osteon_evidence", 2, "osteon_evidence", "not a version"),
        (PLAIN, "results", [], "results", "at least 1"),
        (PLAIN, "results/0/rows/table", "clinical.csv", "results[0].rows.table", "is not allowed"),
        (PLAIN, "results/0/rows/study", "Gross 2017", "results[0].rows", "no row of the table fits"),
        (PLAIN, "results/0/use", "check", "results[0].use", "is said by the table"),
        (PLAIN, "results/0/as_printed", "wrong", "results[0].as_printed", "stands beside"),
        (PLAIN, "cited_by_review", ["17"], "cited_by_review[0]", "pattern"),
        (PLAIN, "key", "other", "key", "is not the name of the file"),
        (COHORT, "scenario/fracture/bone", "jaw", "scenario.fracture.bone", "jaw"),
        (COHORT, "results/0/simulated/arm", "drugs", "results[0].simulated", "is not an arm"),
        (COHORT, "results/0/simulated/against", None, "results[0].simulated.against", "needs the arm"),
        (COHORT, "results/0/simulated/measure", "means", "results[0].simulated.measure", "is not allowed"),
        (COHORT, "results/0/simulated", None, "results[0].simulated", "needs how it is simulated"),
        (COHORT, "results/0/use", None, "results[0].use", "needs its use"),
        (COHORT, "results/0/published/low", 0.5, "results[0].published.low", "both limits"),
        (COHORT, "results/0/published", None, "results[0].rows", "either rows of a table or a published number"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, tree: dict, path: str, value: Any, where: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read_study(written(tmp_path, changed(tree, path, value)))
    assert refused.value.path == f"made_up.yaml, {where}"
    assert said in str(refused.value)
    assert refused.value.exit_code == 2


def test_a_row_in_two_files_is_refused(tmp_path: Path) -> None:
    written(tmp_path, PLAIN)
    written(tmp_path, changed(PLAIN, "key", "second"), "second")
    with pytest.raises(InputError, match="is held by made_up"):
        studies(tmp_path / "")


def test_an_unknown_study() -> None:
    with pytest.raises(InputError, match='did you mean "decide"'):
        study("decid")


def test_files_are_beside_the_loader() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(KNOWN)

"""A bad study file is refused in one sentence that names the field."""

import pytest

from osteon.errors import InputError
from osteon.trial.study import Study

GOOD = """\
osteon_study: 1
title: Test
patients: 40
patient: {age: 60 yr, weight: 70 kg, sex: female}
fracture: {bone: tibia, fixation: nail}
horizon: 18 months
population:
  covariates:
    age: {kind: normal, mean: 60 yr, sd: 10 yr, low: 40 yr, high: 90 yr}
    weight: {kind: lognormal, mean: 70 kg, sd: 12 kg}
    gfr: {kind: uniform, low: 40 mL/min, high: 100 mL/min}
    diabetes: {kind: choice, shares: {none: 0.9, type2: 0.1}}
    smoking: {kind: share, share: 30 %}
    obesity: {kind: fixed, value: false}
  correlation:
    - {traits: [age, gfr], rho: -0.4}
    - {traits: [age, smoking], rho: 0.2}
  target: {age: {mean: 62 yr, sd: 9 yr}, smoking: 0.35}
  rules:
    - {trait: age, at_least: 50 yr}
    - {trait: diabetes, not: type1}
  spread: {healing.clock: 0.3}
  members: [J]
  draws: 20
arms:
  - name: placebo
  - name: denosumab
    allocation: 2
    doses:
      - {drug: denosumab, amount: 60 mg, start: 0 days, every: 6 months, count: 2}
accrual: {rate: 10 /month, close: 3 yr}
follow_up: 13 months
visits: {days: [6 weeks, 12 weeks, 26 weeks], window: 7 days, missed: 0.05}
intake: {missed: 0.05, late: 3 days, taken: 0.9, stops: 10 %/yr}
dropout: 10 %/yr
death: {life_table: us_2017, excess: 2, early: 3 months, early_excess: 6}
reader: {readers: 2, adjudication: both, noise: true}
endpoints:
  primary: {name: union, kind: union, rule: cortices}
  secondary:
    - {name: rust, kind: score, score: RUST, day: 26 weeks}
    - {name: bmd, kind: curve, curve: BMD_total_hip, day: 12 months}
    - {name: loading, kind: time, endpoint: full_loading}
    - {name: failed, kind: event, endpoint: nonunion, rule: rust, day: 9 months}
analysis: {method: rmst, tau: 12 months, level: 0.9}
"""
COVARIATES = "population.covariates"

# id, old text, new text, path, part of the message
CHANGES = [
    ("version", "osteon_study: 1", "osteon_study: 2", "osteon_study", "is not a study version"),
    ("a scenario", "osteon_study: 1", "osteon: 1", "osteon", "this is a scenario, not a study"),
    ("unknown key", "title: Test", "title: Test\nvisit: trial", "visit", 'did you mean "visits"'),
    ("no title", "title: Test\n", "", "title", "is missing"),
    ("no patients", "patients: 40\n", "", "patients", "is missing"),
    ("nobody", "patients: 40", "patients: 0", "patients", "range of 1 to 1000000"),
    ("half a person", "patients: 40", "patients: 40.5", "patients", "is not a whole number"),
    ("bad patient", "age: 60 yr,", "age: 60,", "patient.age", "has no unit"),
    ("bad fracture", "bone: tibia", "bone: tibbia", "fracture.bone", 'did you mean "tibia"'),
    ("horizon", "horizon: 18 months", "horizon: 18", "horizon", "has no unit"),
    ("dose after the end", "horizon: 18 months", "horizon: 5 months", "arms[1].doses[0].start", "after the horizon"),
    ("one arm", "  - name: placebo\n", "", "arms", "a trial needs at least two"),
    ("same name", "- name: placebo", "- name: denosumab", "arms[1].name", "is already the name of arms[0]"),
    ("allocation zero", "allocation: 2", "allocation: 0", "arms[1].allocation", "range of 1 to 20"),
    ("allocation text", "allocation: 2", "allocation: half", "arms[1].allocation", "is not a whole number"),
    ("bad dose", "drug: denosumab", "drug: denosumap", "arms[1].doses[0].drug", 'did you mean "denosumab"'),
    ("unknown trait", "smoking: {kind", "smokin: {kind", f"{COVARIATES}.smokin", 'did you mean "smoking"'),
    ("unknown distribution", "{kind: normal", "{kind: norml", f"{COVARIATES}.age.kind", 'did you mean "normal"'),
    ("distribution of a flag", "{kind: share", "{kind: normal", f"{COVARIATES}.smoking.kind", "allowed: share, fixed"),
    ("no kind", "{kind: lognormal, mean: 70 kg", "{mean: 70 kg", f"{COVARIATES}.weight.kind", "is missing"),
    ("no mean", "mean: 60 yr, ", "", f"{COVARIATES}.age.mean", "is missing for a normal distribution"),
    ("no SD", ", sd: 12 kg", "", f"{COVARIATES}.weight.sd", "is missing for a lognormal distribution"),
    ("SD zero", "sd: 10 yr", "sd: 0 yr", f"{COVARIATES}.age.sd", "is not above 0"),
    ("mean without unit", "mean: 60 yr", "mean: 60", f"{COVARIATES}.age.mean", "has no unit"),
    ("mean in another unit", "mean: 70 kg", "mean: 70 yr", f"{COVARIATES}.weight.mean", "cannot be turned into kg"),
    ("limits turned", "low: 40 yr", "low: 95 yr", f"{COVARIATES}.age.high", "is not above low"),
    ("limit of nobody", "high: 90 yr", "high: 190 yr", f"{COVARIATES}.age.high", "0 yr to 120 yr"),
    ("all cut away", "mean: 60 yr", "mean: 20 yr, sd: 1 yr", f"{COVARIATES}.age.sd", "written twice"),
    ("nobody left", "mean: 60 yr, sd: 10 yr", "mean: 20 yr, sd: 2 yr", f"{COVARIATES}.age.mean", "almost nobody"),
    (
        "part of another",
        "{kind: uniform, low: 40 mL/min",
        "{kind: uniform, mean: 40 mL/min, low: 30 mL/min",
        f"{COVARIATES}.gfr.mean",
        "does not belong to a uniform",
    ),
    ("share above one", "share: 30 %", "share: 130 %", f"{COVARIATES}.smoking.share", "range of 0 to 1"),
    ("shares do not add up", "type2: 0.1", "type2: 0.2", f"{COVARIATES}.diabetes.shares", "add up to 1.1"),
    ("unknown choice", "type2: 0.1", "type3: 0.1", f"{COVARIATES}.diabetes.shares.type3", "is not a known diabetes"),
    ("fixed without value", "kind: fixed, value: false", "kind: fixed", f"{COVARIATES}.obesity.value", "is missing"),
    ("rho of one", "rho: -0.4", "rho: -1", "population.correlation[0].rho", "range of -0.99 to 0.99"),
    ("not a pair", "[age, gfr]", "[age]", "population.correlation[0].traits", "is not a pair of traits"),
    ("unknown in a pair", "[age, gfr]", "[age, gfx]", "population.correlation[0].traits[1]", 'did you mean "gfr"'),
    ("with itself", "[age, gfr]", "[age, age]", "population.correlation[0].traits", "with itself"),
    (
        "fixed in a pair",
        "[age, gfr]",
        "[age, obesity]",
        "population.correlation[0].traits[1]",
        "the same in all people",
    ),
    ("twice a pair", "[age, smoking]", "[gfr, age]", "population.correlation[1].traits", "says again"),
    (
        "not positive definite",
        "rho: 0.2}\n",
        "rho: 0.9}\n    - {traits: [gfr, smoking], rho: 0.9}\n",
        "population.correlation",
        "not positive definite",
    ),
    (
        "target of a fixed trait",
        "smoking: 0.35",
        "obesity: 0.35",
        "population.target.obesity",
        "the same in all people",
    ),
    ("target of all", "smoking: 0.35", "smoking: 1", "population.target.smoking", "between 0 and 1"),
    ("target without mean", "{mean: 62 yr, sd: 9 yr}", "{sd: 9 yr}", "population.target.age.mean", "is missing"),
    ("target of nobody", "smoking: 0.35", "diabetes: {type1: 0.2}", "population.target.diabetes.type1", "of nobody"),
    ("target too large", "smoking: 0.35", "diabetes: {none: 0.8, type2: 0.3}", "population.target.diabetes", "add up"),
    (
        "rule of an unknown trait",
        "{trait: age, at",
        "{trait: agee, at",
        "population.rules[0].trait",
        'did you mean "age"',
    ),
    ("rule without bound", ", at_least: 50 yr", "", "population.rules[0]", "asks for nothing"),
    ("rule without unit", "at_least: 50 yr", "at_least: 50", "population.rules[0].at_least", "has no unit"),
    ("rule of a word", "at_least: 50 yr", "is: 50 yr", "population.rules[0].is", "does not fit age"),
    ("bound of a word", "not: type1", "at_most: type1", "population.rules[1].at_most", "does not fit diabetes"),
    ("unknown value", "not: type1", "not: typ1", "population.rules[1].not", 'did you mean "type1"'),
    ("rule turned", "at_least: 50 yr", "at_least: 50 yr, at_most: 40 yr", "population.rules[0].at_most", "is below"),
    (
        "rule of what is not known",
        "{trait: age, at_least: 50 yr}",
        "{trait: vitamin_d, at_least: 50 nmol/L}",
        "population.rules[0].trait",
        "is not known of these people",
    ),
    (
        "unknown parameter",
        "healing.clock: 0.3",
        "healing.clok: 0.3",
        'population.spread["healing.clok"]',
        'did you mean "healing.clock"',
    ),
    ("spread too large", "healing.clock: 0.3", "healing.clock: 3", 'population.spread["healing.clock"]', "from 0 to 2"),
    ("no member", "members: [J]", "members: []", "population.members", "names no member"),
    ("unknown member", "members: [J]", "members: [K]", "population.members[0]", "allowed: J, B"),
    ("draws", "draws: 20", "draws: 0", "population.draws", "number of draws from 1"),
    ("no pace", "{rate: 10 /month, close: 3 yr}", "{close: 3 yr}", "accrual", "names no pace"),
    ("two paces", "rate: 10 /month", "rate: 10 /month, over: 1 yr", "accrual", "one of them is enough"),
    ("pace without unit", "rate: 10 /month", "rate: 10", "accrual.rate", 'write it like "10 /month"'),
    ("pace zero", "rate: 10 /month", "rate: 0 /month", "accrual.rate", "above 0 /day"),
    ("closed too soon", "close: 3 yr", "close: 3 months", "accrual.close", "before the last person does"),
    ("follow-up past the horizon", "follow_up: 13 months", "follow_up: 2 yr", "follow_up", "after the horizon"),
    ("no follow-up", "follow_up: 13 months\n", "", "follow_up", "is missing"),
    ("visit after the follow-up", "26 weeks], window", "395 days], window", "visits.days[2]", "after the follow-up"),
    (
        "schedule too long",
        "{days: [6 weeks, 12 weeks, 26 weeks], window: 7 days, missed: 0.05}\nintake",
        "trial\nfollow_up: 11 months\nintake",
        "follow_up",
        "written twice",
    ),
    (
        "unknown schedule",
        "{days: [6 weeks, 12 weeks, 26 weeks], window: 7 days, missed: 0.05}",
        "trail",
        "visits.schedule",
        'did you mean "trial"',
    ),
    ("visits turned", "[6 weeks, 12 weeks", "[16 weeks, 12 weeks", "visits.days[1]", "where the last one ends"),
    ("windows meet", "window: 7 days", "window: 30 days", "visits.days[1]", "where the last one ends"),
    ("no visit", "days: [6 weeks, 12 weeks, 26 weeks], ", "", "visits", "names no visit"),
    ("all visits missed", "window: 7 days, missed: 0.05", "missed: 1", "visits.missed", "to below 1"),
    ("doses missed", "{missed: 0.05, late", "{missed: -0.05, late", "intake.missed", "range of 0 to below 1"),
    ("late without unit", "late: 3 days", "late: 3", "intake.late", "has no unit"),
    ("late by years", "late: 3 days", "late: 3 yr", "intake.late", "from 0 to 365"),
    ("nothing taken", "taken: 0.9", "taken: 0", "intake.taken", "range of above 0"),
    ("stops", "stops: 10 %/yr", "stops: 10 %", "intake.stops", 'write it like "10 %/yr"'),
    ("dropout", "dropout: 10 %/yr", "dropout: -10 %/yr", "dropout", "0 %/yr to"),
    ("unknown life table", "us_2017", "us_2071", "death.life_table", 'did you mean "us_2017"'),
    ("two hazards", "life_table: us_2017", "life_table: us_2017, rate: 5 %/yr", "death", "one of them is enough"),
    ("half an early time", ", early_excess: 6", "", "death.early_excess", "is missing beside the other"),
    ("excess", "excess: 2, early", "excess: -2, early", "death.excess", "range of 0 to 100"),
    ("three readers", "readers: 2", "readers: 3", "reader.readers", "range of 1 to 2"),
    ("both of one", "readers: 2", "readers: 1", "reader.adjudication", "needs two readers"),
    ("no primary", "  primary: {name: union, kind: union, rule: cortices}\n", "", "endpoints.primary", "is missing"),
    ("unknown kind", "kind: union", "kind: healed", "endpoints.primary.kind", "allowed: union, score"),
    ("unknown rule", "rule: cortices", "rule: cortex", "endpoints.primary.rule", 'did you mean "cortices"'),
    ("unknown score", "score: RUST", "score: RUTS", "endpoints.secondary[0].score", 'did you mean "RUST"'),
    ("unknown curve", "BMD_total_hip", "BMD_total_hop", "endpoints.secondary[1].curve", 'did you mean "BMD_total_hip"'),
    ("stage as an event", "kind: time", "kind: event", "endpoints.secondary[2].endpoint", "is not an event"),
    (
        "event as a stage",
        "kind: event, endpoint: nonunion, rule: rust, day: 9 months",
        "kind: time, endpoint: nonunion",
        "endpoints.secondary[3].endpoint",
        "is not a stage that is timed",
    ),
    ("score without day", ", day: 26 weeks}", "}", "endpoints.secondary[0].day", "is missing for a score"),
    (
        "day of a time",
        "endpoint: full_loading",
        "endpoint: full_loading, day: 9 months",
        "endpoints.secondary[2].day",
        "does not belong to a time",
    ),
    (
        "part of another kind",
        "score: RUST,",
        "score: RUST, curve: CTX,",
        "endpoints.secondary[0].curve",
        "does not belong",
    ),
    ("day after the end", "day: 12 months}", "day: 17 months}", "endpoints.secondary[1].day", "after the follow-up"),
    (
        "same endpoint",
        "name: rust",
        "name: union",
        "endpoints.secondary[0].name",
        "already the name of endpoints.primary",
    ),
    (
        "of the hip alone",
        "endpoint: nonunion, rule: rust",
        "endpoint: necrosis",
        "endpoints.secondary[3].endpoint",
        "one of the femoral neck alone",
    ),
    ("unknown method", "method: rmst", "method: rmts", "analysis.method", 'did you mean "rmst"'),
    ("means of times", "method: rmst, tau: 12 months", "method: difference", "analysis.method", "may be censored"),
    ("tau after the end", "tau: 12 months", "tau: 17 months", "analysis.tau", "after the follow-up"),
    ("tau of another", "method: rmst", "method: cox", "analysis.tau", "belongs to the method rmst"),
    ("level", "level: 0.9", "level: 95", "analysis.level", "above 0.5"),
    ("no effect", "analysis:", "effect: 0\nanalysis:", "effect", "range of 0.1 to 10"),
]


@pytest.mark.parametrize(("old", "new", "path", "part"), [pytest.param(*row[1:], id=row[0]) for row in CHANGES])
def test_one_change_spoils_it(old: str, new: str, path: str, part: str) -> None:
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        Study.parse(GOOD.replace(old, new, 1))
    message = str(caught.value)
    assert caught.value.path == path
    assert part in message
    assert "\n" not in message
    assert message.endswith((".", "?"))
    assert len(message) < 400


def test_the_good_one_is_good() -> None:
    study = Study.parse(GOOD)
    assert study.arms[1].allocation == 2
    assert study.population.rules[1].reason == "diabetes = type1"


@pytest.mark.parametrize(
    ("changes", "path", "part"),
    [
        ({"visits": "trial", "follow_up": "300 days"}, "visits.schedule", "after the follow-up"),
        ({"fracture": {"bone": "tibia", "fixation": "nail", "open": 2}}, "fracture.open", "neither true nor false"),
        ({"fracture": None, "population": {}}, "endpoints.primary.rule", "needs a fracture"),
        ({"visits": 5}, "visits", "is not a mapping"),
        ({"arms": "two"}, "arms", "is not a list"),
        ({"population": {"covariates": []}}, "population.covariates", "is not a mapping"),
        ({"population": {"spread": "some"}}, "population.spread", 'neither "none" nor a mapping'),
        (
            {"population": {"covariates": {"sex": {"kind": "choice", "shares": {}}}}},
            "population.covariates.sex.shares",
            "is not a mapping of shares",
        ),
        ({"death": {"rate": "5 %/yr", "excess": 3}}, "death.excess", "belongs to a life table"),
        ({"parameters": ["choi2052"]}, "parameters[0]", 'did you mean "choi2025"'),
        ({"osteon_study": None}, "osteon_study", "is not a study version"),
    ],
)
def test_what_replacing_a_field_spoils(changes: dict, path: str, part: str) -> None:
    tree = Study.parse(GOOD).to_dict()
    with pytest.raises(InputError) as caught:
        Study.parse({**tree, **changes})
    assert caught.value.path == path
    assert part in str(caught.value)


def test_an_effect_is_imposed_on_times_alone() -> None:
    tree = Study.parse(GOOD).to_dict()
    tree["endpoints"] = {"primary": {"name": "rust", "kind": "score", "score": "RUST", "day": "26 weeks"}}
    tree["analysis"] = {"method": "difference"}
    assert Study.parse(tree).effect is None
    with pytest.raises(InputError, match=r"^effect: imposes a ratio of times"):
        Study.parse({**tree, "effect": 0.8})


def test_animals_have_no_life_table_and_no_draws() -> None:
    tree = Study.parse(GOOD).to_dict()
    tree["patient"] = {"species": "sheep"}
    tree["population"] = {"draws": False}
    for one in tree["arms"]:
        one["doses"] = []
    with pytest.raises(InputError) as caught:
        Study.parse({**tree, "endpoints": {"primary": tree["endpoints"]["primary"]}})
    assert caught.value.path == "death.life_table"
    with pytest.raises(InputError, match=r"^population\.draws: are of people"):
        Study.parse({**tree, "population": {"draws": True}, "death": {"rate": "5 %/yr"}})

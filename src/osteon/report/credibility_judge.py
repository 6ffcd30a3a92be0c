"""What the evidence amounts to: model risk, a verdict for each credibility factor, adequacy."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from osteon.errors import InputError, near_match, show
from osteon.report.credibility_checks import Check
from osteon.report.credibility_inputs import BATTERY
from osteon.report.credibility_scope import INSIDE, OUTSIDE, PARTLY, Place

GRADES = ("low", "medium", "high")
MET, IN_PART, NOT_MET, OPEN = "met", "partly", "not_met", "open"
GIVEN, NONE = "given", "none"
HIGH_RISK = 4  # from here on a goal that is met in part is not enough
#: What must lie inside the evidence for the validation to be relevant.
_CENTRAL = ("species", "age", "sex", "drug", "together", "imposed", "callus", "bone")


@cache
def texts() -> dict[str, Any]:
    """Texts, grades and limits of the file, as ``evidence/credibility.toml`` has them."""
    text = files("osteon.evidence").joinpath("credibility.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def risk(influence: str | None, consequence: str | None, own: bool) -> dict[str, Any]:
    """Model risk from its two grades.

    Parameters
    ----------
    influence, consequence : {"low", "medium", "high"} or None
        Grades; None for those of the shipped context.
    own : bool
        Whether the context is one of the reader's own, of which osteon knows no grade.

    Returns
    -------
    dict
        ``influence``, ``consequence``, ``risk`` (1 to 5) and ``given`` (whether both grades were); None where a grade
        is not known.

    Raises
    ------
    InputError
        There is no such grade.
    """
    known = texts()["risk"]
    given = {"influence": influence, "consequence": consequence}
    for name, grade in given.items():
        if grade is not None and grade not in GRADES:
            message = f"{show(grade)} is not a grade (allowed: {', '.join(GRADES)})"
            raise InputError(message, path=f"--{name}", value=grade, hint=near_match(grade, GRADES))
    graded = {name: grade or (None if own else known[name]["grade"]) for name, grade in given.items()}
    size = None
    if graded["influence"] and graded["consequence"]:
        size = known[graded["influence"]][GRADES.index(graded["consequence"])]
    return {**graded, "risk": size, "given": {name: grade is not None for name, grade in given.items()}}


def factors(
    checks: Sequence[Check],
    suite: Mapping[str, Any] | None,
    evidence: Mapping[str, Any] | None,
    uncertain: Mapping[str, Any],
    places: Sequence[Place],
    assumed_inputs: int,
) -> dict[str, str]:
    """Verdict for each credibility factor, by key.

    Parameters
    ----------
    checks, suite, evidence, uncertain, places
        As measured, read and computed; None where nothing was handed in.
    assumed_inputs : int
        Fitted trials and groups of which an input had to be assumed.
    """
    ok = {one.key: one.ok for one in checks}
    # Where no dose is given there is no balance to check.
    code = [ok.get(key) for key in ("scipy", "units", "zero_dose")]
    code += [one.ok for one in checks if one.key == "drug_balance" and one.missing != "dose"]
    central = [one.verdict for one in places if one.topic in _CENTRAL]
    primary = next((one.verdict for one in places if one.topic == "endpoint" and one.about["primary"]), OUTSIDE)
    placed = {INSIDE: MET, PARTLY: IN_PART, OUTSIDE: NOT_MET}
    agreement = None if evidence is None else evidence["check"]["agreement"]
    wrong = agreement is not None and agreement < texts()["limits"]["agreement"]
    judged = {
        "software_quality": _tested(suite),
        "numerical_code": NOT_MET if False in code else (OPEN if None in code else MET),
        "discretization": _of(ok.get("tolerance")),
        "solver": _of(ok.get("roadrunner")),
        "use_error": _of(None if None in (ok.get("bits"), ok.get("people")) else ok["bits"] and ok["people"]),
        "model_form": NOT_MET if wrong else IN_PART,
        "model_inputs": IN_PART if uncertain["held"] else MET,
        "test_samples": IN_PART,
        "test_conditions": IN_PART,
        "equivalent_inputs": IN_PART if assumed_inputs else MET,
        "output_comparison": _compared(evidence),
        "quantities": placed[primary],
        "relevance": NOT_MET if OUTSIDE in central else (IN_PART if PARTLY in central else MET),
    }
    return {one["key"]: judged[one["key"]] for one in texts()["factors"]}


def _of(ok: bool | None) -> str:
    return OPEN if ok is None else (MET if ok else NOT_MET)


def _tested(suite: Mapping[str, Any] | None) -> str:
    """Whether all tests pass; a run without some part of the battery is a part of the suite."""
    if suite is None:
        return OPEN
    whole = set(BATTERY) <= set(suite["battery"])
    return NOT_MET if suite["failed"] else (MET if whole else IN_PART)


def _compared(evidence: Mapping[str, Any] | None) -> str:
    """Coverage and directions of the check rows; a rough or broken run is met in part at best."""
    limits = texts()["limits"]
    if evidence is None or evidence["check"]["coverage"] is None:
        return OPEN
    covered, agreement = evidence["check"]["coverage"], evidence["check"]["agreement"]
    good = [limits["coverage"] <= covered <= limits["most"], agreement is not None and agreement >= limits["agreement"]]
    if not any(good):
        return NOT_MET
    whole = not (evidence["quick"] or evidence["failures"] or evidence["use"] or evidence["left_out"])
    return MET if all(good) and whole else IN_PART


def categories(checks: Sequence[Check], suite: Any, evidence: Any) -> dict[str, str]:
    """Whether each category of credibility evidence is given, in part, open or none, by key."""
    measured = any(one.ok is not None for one in checks)
    run = OPEN if evidence is None else GIVEN
    found = {
        "code_verification": (GIVEN if suite is not None else IN_PART) if measured else OPEN,
        "calibration": GIVEN,
        "bench": NONE,
        "in_vivo": run,
        "population": run,
        "emergent": GIVEN,
        "plausibility": GIVEN,
        "context_uq": IN_PART if measured else OPEN,
    }
    return {one["key"]: found[one["key"]] for one in texts()["categories"]}


def adequacy(graded: Mapping[str, Any], verdicts: Mapping[str, str]) -> dict[str, Any]:
    """The statement on adequacy: its kind, and the factors that are missed, met in part or open.

    At a risk of `HIGH_RISK` and above, what is met in part counts as missed.
    """
    found = {verdict: [key for key, one in verdicts.items() if one == verdict] for verdict in (NOT_MET, IN_PART, OPEN)}
    if graded["risk"] is None:
        kind = "ungraded"
    elif found[NOT_MET] or (graded["risk"] >= HIGH_RISK and found[IN_PART]):
        kind = "not"
    elif found[OPEN]:
        kind = "open"
    else:
        kind = "limited" if found[IN_PART] else "adequate"
    return {"kind": kind, "missed": found[NOT_MET], "partly": found[IN_PART], "open": found[OPEN]}

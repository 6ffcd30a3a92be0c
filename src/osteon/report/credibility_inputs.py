"""What a person hands in beside the study: results of the test suite as JUnit XML, and a run of the evidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

from osteon.errors import InputError, show

#: Parts of the battery that every system with every drug passes, as the tests name them.
BATTERY = (
    "assembles_with_units",
    "baseline_is_steady",
    "no_negative_state",
    "drug_mass_balance",
    "tissue_volume_balance",
    "zero_dose_equals_absent",
    "exposure_rises_with_dose",
    "only_a_drug_that_binds_has_an_effect",
    "kernel_equals_reference",
    "same_bits_twice",
)
_FILE = "evidence.json"
_BAD = ("failure", "error")
_MOST = 200_000_000  # bytes of a file
#: Verdicts of rows that nothing was compared with.
_NOT_COMPARED = ("not scored", "not simulated")
WORST = 10


def read_junit(path: str | Path) -> dict[str, Any]:
    """Read the results of the test suite.

    Returns
    -------
    dict
        ``tests``, ``passed``, ``failed``, ``skipped``, ``seconds``, ``when`` (as written, or empty); ``areas`` and
        ``battery``: the same counts by folder of the tests and by part of the battery.

    Raises
    ------
    InputError
        The file is missing, no JUnit XML, or has no test in it.
    """
    path = Path(path)
    try:
        root = ElementTree.fromstring(_bytes(path))
    except ElementTree.ParseError as error:
        hint = 'make one with "pytest --junit-xml=FILE"'
        raise InputError(f"is no JUnit XML ({error})", path=str(path), value=str(path), hint=hint) from error
    cases = list(root.iter("testcase"))
    if root.tag not in ("testsuites", "testsuite") or not cases:
        raise InputError(
            "holds no test", path=str(path), value=str(path), hint='make it with "pytest --junit-xml=FILE"'
        )
    suites = list(root.iter("testsuite"))
    areas: dict[str, dict[str, int]] = {}
    battery: dict[str, dict[str, int]] = {}
    for case in cases:
        outcome = _outcome(case)
        _count(areas, _area(case.get("classname", "")), outcome)
        part = next((one for one in BATTERY if re.search(rf"[\[-]{one}[\]-]", case.get("name", ""))), None)
        if part is not None:
            _count(battery, part, outcome)
    total = {key: sum(one[key] for one in areas.values()) for key in ("tests", "passed", "failed", "skipped")}
    when = next((one.get("timestamp", "") for one in suites if one.get("timestamp")), "")
    seconds = sum(_number(one.get("time")) for one in suites)
    return {**total, "seconds": seconds, "when": when, "areas": dict(sorted(areas.items())), "battery": battery}


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST:
            raise InputError(f"is larger than {_MOST // 1_000_000} MB", path=str(path), value=str(path))
        return path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"cannot be read ({why})", path=str(path), value=str(path)) from error


def _outcome(case: ElementTree.Element) -> str:
    if any(case.find(tag) is not None for tag in _BAD):
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def _area(classname: str) -> str:
    """Folder of a test below ``tests``; its file where it stands in no folder."""
    parts = classname.split(".")
    parts = parts[1:] if parts[:1] == ["tests"] else parts
    return parts[0] if parts and parts[0] else "?"


def _count(into: dict[str, dict[str, int]], name: str, outcome: str) -> None:
    mine = into.setdefault(name, {"tests": 0, "passed": 0, "failed": 0, "skipped": 0})
    mine["tests"] += 1
    mine[outcome] += 1


def _number(text: str | None) -> float:
    try:
        return float(text or 0.0)
    except ValueError:
        return 0.0


def read_evidence(path: str | Path, drugs: Iterable[str] = ()) -> dict[str, Any]:
    """Read a run of the evidence.

    Parameters
    ----------
    path : str or Path
        ``evidence.json``, or the folder with it.
    drugs : iterable of str
        Drugs of the study; rows on people under one of them, or under none, are counted apart.

    Returns
    -------
    dict
        ``version``, ``quick``, ``use``, ``studies``, ``left_out`` (shipped studies that it lacks), ``failures``,
        ``fit``, ``check`` and ``relevant`` (counts of check rows), ``endpoints`` (counts of check rows by endpoint),
        ``worst`` (the misses, the worst first).

    Raises
    ------
    InputError
        The file is missing, damaged, or of another kind.
    """
    from osteon.ensemble.store import read_json

    path = Path(path)
    path = path / _FILE if path.is_dir() else path
    told = read_json(path)
    if not isinstance(told, Mapping) or told.get("osteon_replay") != 1:
        hint = 'make it with "osteon evidence --out DIR"'
        raise InputError("is no run of the evidence", path=str(path), value=show(told), hint=hint)
    try:
        return _evidence(told, set(drugs))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        message = f"is a damaged run of the evidence ({type(error).__name__}: {error})"
        raise InputError(message, path=str(path), value=str(path)) from error


def _evidence(told: Mapping[str, Any], drugs: set[str]) -> dict[str, Any]:
    from osteon.evidence.studies import studies as shipped
    from osteon.replay.totals import counts

    studies = {one["key"]: one for one in told["studies"]}
    rows: list[Any] = [SimpleNamespace(**one) for one in told["outcomes"]]
    check = [one for one in rows if one.use == "check"]

    def relevant(row: Any) -> bool:
        study = studies[row.study]
        return study["species"] == "human" and (not study["drugs"] or bool(drugs & set(study["drugs"])))

    endpoints: dict[str, list[Any]] = {}
    for one in check:
        if one.verdict not in _NOT_COMPARED:
            endpoints.setdefault(one.label or one.endpoint, []).append(one)
    return {
        "version": told["version"],
        "quick": bool(told["quick"]),
        "use": told["use"],
        "studies": len(studies),
        "left_out": len(set(shipped()) - set(studies)),
        "failures": dict(told["failures"]),
        "fit": counts(one for one in rows if one.use == "fit"),
        "check": counts(check),
        "relevant": counts(one for one in check if relevant(one)),
        "endpoints": {name: counts(mine) for name, mine in sorted(endpoints.items())},
        "worst": [_miss(rows[place]) for place in told["worst"][:WORST]],
    }


def _miss(row: Any) -> dict[str, Any]:
    names = ("study", "label", "endpoint", "endpoint_zh", "unit", "arm", "day", "use", "published", "simulated")
    ends = ("simulated_low", "simulated_high", "distance", "verdict")
    return {name: getattr(row, name) for name in (*names, *ends)}

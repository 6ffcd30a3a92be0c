"""Totals of a run of the evidence: coverage, directions, worst misses, by drug, species, endpoint and engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from osteon.replay.outcome import (
    AGREES,
    COVERED,
    MISSED,
    NO_DIRECTION,
    NOT_SCORED,
    NOT_SIMULATED,
    RIGHT,
    WRONG,
    Outcome,
)

if TYPE_CHECKING:
    from osteon.evidence.studies import Study

WORST = 10
_UNTREATED = "none"


def counts(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """Return how many numbers are covered and directions agree among some outcomes, as counts and shares.

    Keys: rows, numbers, covered, coverage (share, None without any), directions, agreeing, agreement, wording (rows
    that give a direction alone), wording_right, not_scored, not_simulated.
    """
    every = list(outcomes)
    numbers = [one for one in every if one.verdict in (COVERED, MISSED)]
    signs = [one for one in every if one.sign != NO_DIRECTION and one.verdict not in (NOT_SCORED, NOT_SIMULATED)]
    worded = [one for one in every if one.verdict in (RIGHT, WRONG)]
    covered, agreeing = sum(one.verdict == COVERED for one in numbers), sum(one.sign == AGREES for one in signs)
    return {
        "rows": len(every),
        "numbers": len(numbers),
        "covered": covered,
        "coverage": covered / len(numbers) if numbers else None,
        "directions": len(signs),
        "agreeing": agreeing,
        "agreement": agreeing / len(signs) if signs else None,
        "worded": len(worded),
        "worded_right": sum(one.verdict == RIGHT for one in worded),
        "not_scored": sum(one.verdict == NOT_SCORED for one in every),
        "not_simulated": sum(one.verdict == NOT_SIMULATED for one in every),
    }


def totals(outcomes: Sequence[Outcome], studies: Mapping[str, Study]) -> dict[str, Any]:
    """Return the totals of a run: by use, and within each use by engine, species, drug and endpoint."""
    found: dict[str, Any] = {"all": counts(outcomes), "use": {}}
    for use in ("fit", "check", "noise"):
        mine = [one for one in outcomes if one.use == use]
        found["use"][use] = counts(mine) if mine else counts(())
    splits: dict[str, Callable[[Outcome], Iterable[str]]] = {
        "engine": lambda one: (one.engine,),
        "species": lambda one: (studies[one.study].species,),
        "drug": lambda one: studies[one.study].drugs or (_UNTREATED,),
        "endpoint": lambda one: (one.label or one.endpoint,),
    }
    for name, of in splits.items():
        found[name] = {}
        for use in ("fit", "check"):
            groups: dict[str, list[Outcome]] = {}
            for one in outcomes:
                if one.use == use and one.verdict not in (NOT_SCORED, NOT_SIMULATED):
                    for key in of(one):
                        groups.setdefault(key, []).append(one)
            found[name][use] = {key: counts(groups[key]) for key in sorted(groups)}
    return found


def worst(outcomes: Iterable[Outcome], most: int | None = WORST, use: str = "") -> list[Outcome]:
    """Return the misses, the worst first; of one use where it is named."""
    missed = [one for one in outcomes if one.missed and use in ("", one.use)]
    return sorted(missed, key=lambda one: (-one.badness, one.study, one.result, one.line))[:most]

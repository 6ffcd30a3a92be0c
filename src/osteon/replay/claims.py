"""Every claim of the review, simulated: numbers with intervals, what claim and source expect of them, and a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from osteon.evidence.claims import SPECIAL, Claim, Probe, claim, review
from osteon.replay.claim_measures import Estimate, holds, measure
from osteon.replay.claim_words import number, sentence

if TYPE_CHECKING:
    from osteon.replay.claim_findings import Findings
    from osteon.replay.claim_runs import Simulated, Told

#: Verdicts of a simulation, the weightiest first: of several numbers the first that occurs is that of the claim.
DISAGREES, SOURCE, UNDECIDED, AGREES, NOT_SIMULATED = "disagrees", "source", "undecided", "agrees", "not_simulated"
VERDICTS = (DISAGREES, SOURCE, UNDECIDED, AGREES, NOT_SIMULATED)
LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Checked:
    """One simulated number of a claim.

    Attributes
    ----------
    probe : Probe
        What was asked.
    found : Estimate
        What was found.
    verdict : str
        ``disagrees``, ``source``, ``undecided`` or ``agrees``; empty where the claim expects nothing of it.
    against_source : str
        ``yes``, ``no`` or ``open``: whether what the source says holds; empty where it says nothing.
    """

    probe: Probe
    found: Estimate
    verdict: str
    against_source: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "what": {"en": self.probe.en, "zh": self.probe.zh},
            "run": self.probe.run,
            **self.found.to_dict(),
            "text": {lang: number(self.found, lang) for lang in LANGUAGES},
            "claim_expects": self.probe.claim,
            "source_expects": self.probe.source,
            "verdict": self.verdict,
            "blind": self.probe.blind,
            "source_holds": self.against_source,
        }


@dataclass(frozen=True)
class ClaimResult:
    """A claim and what its simulation shows."""

    claim: Claim
    tested: tuple[Checked, ...]
    verdict: str

    def text(self, lang: str) -> str:
        """Sentence about what was simulated, or why nothing was."""
        if not self.tested:
            return getattr(self.claim, f"why_{lang}")
        return sentence([(getattr(one.probe, lang), one.found, one.verdict) for one in self.tested], lang)

    def because(self, lang: str) -> str:
        """Likely reason of a disagreement; empty where there is none."""
        return getattr(self.claim, f"because_{lang}") if self.verdict == DISAGREES else ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        one, told = self.claim, review()
        return {
            "key": one.key,
            "type": one.type,
            "quote": one.quote,
            "quote_corrected": one.quote_corrected,
            "ref": one.ref,
            "claim": {"en": one.claim_en, "zh": one.claim_zh},
            "source_verdict": one.source,
            "source_says": {"en": told.filled(one.said_en), "zh": told.filled(one.said_zh)},
            "verdict": self.verdict,
            "exploratory": one.exploratory,
            "simulation": {lang: self.text(lang) for lang in LANGUAGES},
            "because": {lang: self.because(lang) for lang in LANGUAGES},
            "caveat": {"en": told.filled(one.caveat_en), "zh": told.filled(one.caveat_zh)},
            "numbers": [tested.to_dict() for tested in self.tested],
            "mistakes": [mistake.number for mistake in told.mistakes_of(one.key)],
            "command": one.command,
        }


@dataclass(frozen=True)
class Reviewed:
    """The review, run.

    Attributes
    ----------
    results : tuple of ClaimResult
        In the order of the claims.
    findings : mapping of str to Findings
        Of the runs `SPECIAL`, where they were needed.
    quick : bool
        Whether few patients were simulated.
    """

    results: tuple[ClaimResult, ...]
    findings: Mapping[str, Findings] = field(default_factory=dict)
    quick: bool = False

    def counts(self) -> dict[str, dict[str, int]]:
        """How many claims have each verdict of the simulation, and of the source."""
        found = Counter(one.verdict for one in self.results)
        sources = Counter(one.claim.source for one in self.results)
        return {
            "simulation": {name: found[name] for name in VERDICTS},
            "source": dict(sources.most_common()),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for one JSON document."""
        from osteon.course import RESEARCH_ONLY, installed

        told = review()
        return {
            "osteon_review": 1,
            "osteon": installed("osteon"),
            "warning": RESEARCH_ONLY,
            "quick": self.quick,
            "reference": dict(told.reference),
            "counts": self.counts(),
            "claims": [one.to_dict() for one in self.results],
            "findings": {name: one.to_dict() for name, one in self.findings.items()},
            "mistakes": [one.model_dump() for one in told.mistakes],
            "words": [one.model_dump() for one in told.terms],
        }


def verdict_of(claimed: str, source: str, blind: bool = False) -> str:
    """Verdict of one number from whether claim and source hold: ``yes``, ``no``, ``open`` or empty.

    Where the model is blind to what is claimed, that it shows no effect decides nothing.
    """
    if claimed == "yes":
        return AGREES
    if blind and claimed:
        return UNDECIDED
    if source == "yes" and claimed:
        return SOURCE
    return {"no": DISAGREES, "open": UNDECIDED}.get(claimed, "")


def verdict(tested: Iterable[Checked]) -> str:
    """Verdict of a claim: the weightiest of its numbers."""
    found = {one.verdict for one in tested}
    return next((name for name in VERDICTS if name in found), NOT_SIMULATED)


def run_review(keys: Iterable[str] | None = None, *, quick: bool = False, on_progress: Told | None = None) -> Reviewed:
    """Run the claims of the review.

    Parameters
    ----------
    keys : iterable of str, optional
        Claims; left out, all.
    quick : bool
        Few patients in plain Python: rough, and nothing is compiled.
    on_progress : callable, optional
        ``on_progress(title of the run, done, total)`` in patients.

    Raises
    ------
    InputError
        There is no such claim.
    """
    told = review()
    chosen = list(told.claims.values()) if keys is None else [claim(key) for key in dict.fromkeys(keys)]
    needed = list(dict.fromkeys(probe.run for one in chosen for probe in one.tests))
    runs: dict[str, Simulated] = {}
    findings: dict[str, Findings] = {}
    for name in needed:
        if name in SPECIAL:
            findings[name] = _special(name)(quick=quick, on_progress=on_progress)
        else:
            from osteon.replay.claim_runs import simulated

            runs[name] = simulated(told.runs[name], quick=quick, on_progress=on_progress)
    return Reviewed(tuple(_result(one, runs, findings) for one in chosen), findings, quick)


def _special(name: str) -> Callable[..., Findings]:
    from osteon.replay.case import case
    from osteon.replay.claim_lesions import lesions
    from osteon.replay.nonunion import nonunion
    from osteon.replay.series import series

    return {"case": case, "series": series, "nonunion": nonunion, "osteolysis": lesions}[name]


def _result(one: Claim, runs: Mapping[str, Simulated], findings: Mapping[str, Findings]) -> ClaimResult:
    tested = tuple(_tested(probe, runs, findings) for probe in one.tests)
    return ClaimResult(one, tested, verdict(tested))


def _tested(probe: Probe, runs: Mapping[str, Simulated], findings: Mapping[str, Findings]) -> Checked:
    told = review()
    if probe.run in SPECIAL:
        found = findings[probe.run].numbers[probe.of]
    else:
        over = "patients" if told.runs[probe.run].spread else "draws"
        limit = told.bound(str(probe.limit)) if probe.limit is not None else None
        found = measure(probe, runs[probe.run], over, limit)
    claimed = holds(found, told.expectation(probe.claim))
    source = holds(found, told.expectation(probe.source))
    return Checked(probe, found, verdict_of(claimed, source, probe.blind), source)

"""The credibility file: what a use of osteon rests on, in the terms of ASME V&V 40 and of the FDA guidance of 2023."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osteon.report import credibility_checks as checking
from osteon.report import credibility_fitted as fitted
from osteon.report import credibility_inputs as inputs
from osteon.report import credibility_judge as judging
from osteon.report.credibility_checks import Check, Told, Writer
from osteon.report.credibility_scope import Place, scope

if TYPE_CHECKING:
    from osteon.trial.study import Study

FORMAT = 1
#: The study that the file is about where none is given.
STUDY = "tibia_nail_trial"


@dataclass(frozen=True)
class Credibility:
    """Everything that the file says, before it is put in words.

    Attributes
    ----------
    study : Study
        The study that is assessed.
    named : str
        How the study was named on the command line.
    question, context : str or None
        As given; None for the shipped ones.
    risk : mapping
        Grades of influence and consequence, and the risk from 1 to 5; see `credibility_judge.risk`.
    checks : tuple of Check
        What was measured.
    suite, evidence : mapping or None
        Results of the test suite and of a run of the evidence, where they were handed in.
    calibration, uncertainty : mapping
        See `credibility_fitted`.
    places : tuple of Place
        Where the study lies inside and outside the evidence.
    inputs : mapping of str to int
        ``trials`` and ``groups`` fitted, and of how many of each an input is assumed.
    """

    study: Study
    named: str
    question: str | None
    context: str | None
    risk: Mapping[str, Any]
    checks: tuple[Check, ...]
    suite: Mapping[str, Any] | None
    evidence: Mapping[str, Any] | None
    calibration: Mapping[str, Any]
    uncertainty: Mapping[str, Any]
    places: tuple[Place, ...]
    inputs: Mapping[str, int]

    @property
    def factors(self) -> dict[str, str]:
        """Verdict for each credibility factor, by key."""
        assumed = self.inputs["assumed_trials"] + self.inputs["assumed_groups"]
        return judging.factors(self.checks, self.suite, self.evidence, self.uncertainty, self.places, assumed)

    @property
    def categories(self) -> dict[str, str]:
        """Whether each category of credibility evidence is given, by key."""
        return judging.categories(self.checks, self.suite, self.evidence)

    @property
    def adequacy(self) -> dict[str, Any]:
        """Kind of the statement on adequacy, and the factors behind it."""
        return judging.adequacy(self.risk, self.factors)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for one JSON document."""
        from osteon.course import RESEARCH_ONLY, installed

        return {
            "osteon_credibility": FORMAT,
            "version": installed("osteon"),
            "warning": RESEARCH_ONLY,
            "study": {"named": self.named, "title": self.study.title, "sha256": self.study.content_hash()},
            "question": self.question,
            "context": self.context,
            "risk": dict(self.risk),
            "checks": [one.to_dict() for one in self.checks],
            "suite": self.suite,
            "evidence": self.evidence,
            "calibration": self.calibration,
            "uncertainty": self.uncertainty,
            "applicability": [one.to_dict() for one in self.places],
            "inputs": dict(self.inputs),
            "factors": self.factors,
            "categories": self.categories,
            "adequacy": self.adequacy,
        }


def assess(
    study: Study | None = None,
    *,
    named: str = STUDY,
    question: str | None = None,
    context: str | None = None,
    influence: str | None = None,
    consequence: str | None = None,
    evidence: str | Path | None = None,
    junit: str | Path | None = None,
    sbml: Writer | None = None,
    days: float = checking.DAYS,
    on_progress: Told | None = None,
) -> Credibility:
    """Gather what a use of osteon rests on.

    Parameters
    ----------
    study : Study, optional
        The study that is planned; left out, the shipped one of `named`.
    named : str
        How it is named where the command is told.
    question, context : str, optional
        Question of interest and context of use; left out, those that osteon ships.
    influence, consequence : {"low", "medium", "high"}, optional
        Grades of model influence and decision consequence; left out, those of the shipped context, and none with a
        context of your own.
    evidence : str or Path, optional
        ``evidence.json`` of ``osteon evidence --out``, or its folder.
    junit : str or Path, optional
        Results of the test suite as JUnit XML.
    sbml : callable, optional
        Writes an arm of a scenario as SBML, for the comparison with libRoadRunner.
    days : float
        How long the typical patient is solved by other solvers [day].
    on_progress : callable, optional
        Told the key of what is measured, and how many are done and in all.

    Raises
    ------
    InputError
        A grade is unknown, a text is empty, or a file that was handed in is refused.
    """
    from osteon.errors import InputError
    from osteon.trial.study import Study

    for name, text in (("--question", question), ("--context", context)):
        if text is not None and not text.strip():
            raise InputError("is empty", path=name, value=text, hint="write a sentence, or leave it out")
    graded = judging.risk(influence, consequence, own=context is not None)
    study = Study.preset(named) if study is None else study
    drugs = {dose.drug for arm in study.arms for dose in arm.doses}
    suite = None if junit is None else inputs.read_junit(junit)
    run = None if evidence is None else inputs.read_evidence(evidence, drugs)
    return Credibility(
        study=study,
        named=named,
        question=question,
        context=context,
        risk=graded,
        checks=tuple(checking.measure(study, days, sbml, on_progress)),
        suite=suite,
        evidence=run,
        calibration=fitted.calibration(),
        uncertainty=fitted.uncertainty(study),
        places=tuple(scope(study)),
        inputs=_inputs(),
    )


def _inputs() -> dict[str, int]:
    """Fitted trials and groups, and of how many of each something about their people is assumed."""
    from osteon.evidence.arms import arm
    from osteon.evidence.healing.people import union_times
    from osteon.evidence.rows import observations

    keys = dict.fromkeys(observations("fit").arm.tolist())
    trials = {one.key: one for one in (arm(key).trial for key in keys)}.values()
    groups = union_times("fit")
    return {
        "trials": len(trials),
        "assumed_trials": sum(one.how == "assumed" for one in trials),
        "groups": len(groups),
        "assumed_groups": sum(one.how == "assumed" for one in groups),
    }

"""The published rows osteon is fitted to and checked against, and the study arms they come from."""

from osteon.evidence.arms import StudyArm, Trial, arms
from osteon.evidence.pharmacokinetics import LabelValue, label_pharmacokinetics
from osteon.evidence.rows import LeftOut, Observations, Row, left_out, observations

__all__ = [
    "LabelValue",
    "LeftOut",
    "Observations",
    "Row",
    "StudyArm",
    "Trial",
    "arms",
    "label_pharmacokinetics",
    "left_out",
    "observations",
]

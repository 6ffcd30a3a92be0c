"""Many patients: who they are, what they are given, and how they differ."""

from osteon.population.adherence import Intake
from osteon.population.block import Block, Group
from osteon.population.cohort import Cohort
from osteon.population.plan import course_times, phases

__all__ = ["Block", "Cohort", "Group", "Intake", "course_times", "phases"]

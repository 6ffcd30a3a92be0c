"""The report: one self-contained HTML file that shows a course to a person, in English or Chinese."""

from osteon.report.html import render
from osteon.report.locale import LANGUAGES, Words, load

__all__ = ["LANGUAGES", "Words", "load", "render"]

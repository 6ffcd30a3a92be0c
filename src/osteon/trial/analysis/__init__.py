"""Statistics of a virtual trial, by the libraries that people trust for them."""

from osteon.trial.analysis.result import Analysis, Estimate
from osteon.trial.analysis.run import analyse

__all__ = ["Analysis", "Estimate", "analyse"]

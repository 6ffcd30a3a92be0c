"""What a calculation of power is asked: the effect, the sizes, the trials, and the analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from osteon.errors import InputError, show
from osteon.trial.power_forms import MOST_LOOKS
from osteon.trial.power_tests import chosen_test
from osteon.trial.power_trials import MOST_A_TRIAL

TRIALS = 1000
MOST_TRIALS = 1_000_000
KINDS = ("from-model", "ratio", "null")
#: Looks, the last one counted.
DEFAULT_LOOKS = 3


@dataclass(frozen=True)
class Effect:
    """What the treatment does: as the model says, a ratio of times, or nothing."""

    kind: str
    ratio: float = 1.0

    @classmethod
    def parse(cls, text: str, path: str = "--effect") -> Effect:
        """Read ``from-model``, ``null`` or ``ratio=0.8``."""
        kind, _, number = text.strip().partition("=")
        hint = "write from-model, null, or for example ratio=0.8"
        if kind not in KINDS or (kind == "ratio") != bool(number):
            raise InputError(f"{show(text)} is not an effect", path=path, value=text, hint=hint)
        if kind != "ratio":
            return cls(kind)
        try:
            ratio = float(number)
        except ValueError:
            raise InputError(f"{show(number)} is not a number", path=path, value=text, hint=hint) from None
        if not 0.1 <= ratio <= 10:
            raise InputError(f"{ratio:g} is not a ratio of times from 0.1 to 10", path=path, value=text, hint=hint)
        return cls(kind, ratio)

    def __str__(self) -> str:
        return f"ratio={self.ratio:g}" if self.kind == "ratio" else self.kind


@dataclass(frozen=True)
class Plan:
    """How power is calculated.

    Attributes
    ----------
    effect : Effect
        What the treatment does.
    sizes : tuple of int
        Patients per arm, ascending.
    trials, seed : int
        Trials of each size; seed of the draws.
    method : str
        Planned method of analysis, a key of `osteon.trial.power_tests.TESTS`.
    alpha, level : float
        Two-sided error of the first kind; level of all intervals.
    looks : int
        Looks of the rules of early stopping, the last one counted; 1 for none.
    planned : int
        Trials of each size that the planned method itself analyses, up to `trials`.
    tau : float or None
        Day to which restricted means are taken.
    """

    effect: Effect
    sizes: tuple[int, ...]
    trials: int = TRIALS
    seed: int = 0
    method: str = "log_time"
    alpha: float = 0.05
    level: float = 0.95
    looks: int = DEFAULT_LOOKS
    planned: int = 0
    tau: float | None = None

    def __post_init__(self) -> None:
        if not self.sizes:
            raise InputError("no number of patients is named", path="--n", hint="for example 50,100,200")
        for size in self.sizes:
            _whole("--n", size, 2, MOST_A_TRIAL)
        _whole("--trials", self.trials, 1, MOST_TRIALS)
        _whole("--seed", self.seed, 0, 2**32 - 1)
        _whole("--looks", self.looks, 1, MOST_LOOKS)
        _whole("--planned", self.planned, 0, self.trials)
        chosen_test(self.method)
        object.__setattr__(self, "sizes", tuple(sorted(set(self.sizes))))


def _whole(path: str, given: Any, low: int, high: int) -> None:
    if isinstance(given, bool) or not isinstance(given, int) or not low <= given <= high:
        raise InputError(f"{show(given)} is not a whole number from {low} to {high}", path=path, value=given)

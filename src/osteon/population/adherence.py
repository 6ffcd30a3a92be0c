"""How people take what is planned: doses missed, doses late, home drugs taken in part, and stopping.

Of a drug that is given dose by dose a patient misses some and comes late to others; of one taken at home a patient
takes a share. Whoever stops a drug takes none of it any more. The doses before day zero are a patient's history and
were given as they are written; a share of a home drug holds for the whole course. Everything is keyed by seed, patient,
drug and number of the dose, so that a patient misses the same dose in every arm that plans it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from osteon.errors import InputError, MissingExtra, near_match, show
from osteon.parameters import load

_LIMITS = {"missed": (0.0, 1.0), "late": (0.0, 365.0), "taken": (0.01, 1.0), "stops": (0.0, 12.0)}
_CONCENTRATION = "intake.concentration"
_YEAR = 365.25


@dataclass(frozen=True)
class Intake:
    """How far doses are taken as planned; as it is made, all are.

    Attributes
    ----------
    missed : float
        Share of the single doses that are missed [1].
    late : float
        Mean delay of a single dose, exponential [day]. A dose that would come later than a day before the next one of
        its drug, or not within the course, is missed; what else the arm plans in between, it does not pass.
    taken : float
        Share of a home drug that is taken, mean over patients, who differ by a beta distribution [1].
    stops : float
        Rate at which patients stop a drug for good, from its first dose on or from day zero [1/yr].
    """

    missed: float = 0.0
    late: float = 0.0
    taken: float = 1.0
    stops: float = 0.0

    def __post_init__(self) -> None:
        for name, (low, high) in _LIMITS.items():
            value = getattr(self, name)
            number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
            if not number or not low <= value <= high:
                message = f"{show(value)} is not a number from {low:g} to {high:g}"
                raise InputError(message, path=f"intake.{name}", value=value)
            object.__setattr__(self, name, float(value))

    @property
    def perfect(self) -> bool:
        """Whether every dose is taken as planned."""
        return self == Intake()

    @classmethod
    def of(cls, given: Intake | Mapping[str, Any] | None) -> Intake | None:
        """Intake as given, or as `to_dict` wrote it; None where all is taken as planned."""
        if given is None or isinstance(given, cls):
            return None if given is None or given.perfect else given
        if not isinstance(given, Mapping):
            raise InputError(f"{show(given)} is not a mapping", path="intake", value=given)
        names = [one.name for one in fields(cls)]
        for name in given:
            if name not in names:
                message = f"{show(str(name))} is not one of {', '.join(names)}"
                raise InputError(message, path="intake", value=name, hint=near_match(name, names))
        return cls.of(cls(**given))

    def to_dict(self) -> dict[str, float]:
        """Return it as plain values."""
        return asdict(self)

    def share(self, u: np.ndarray) -> np.ndarray:
        """Share of a home drug that patients take, of uniform numbers `u` of any shape.

        Raises
        ------
        MissingExtra
            SciPy is not installed.
        """
        if self.taken == 1:
            return np.ones_like(u)
        try:
            from scipy.special import betaincinv
        except ImportError:
            raise MissingExtra("A home drug taken in part", "trial") from None
        spread = load("intake").value(_CONCENTRATION)
        return betaincinv(self.taken * spread, (1.0 - self.taken) * spread, u)

    def delay(self, u: np.ndarray) -> np.ndarray:
        """Delay of a dose [day], of uniform numbers `u` of any shape."""
        return -self.late * np.log1p(-u)

    def stay(self, u: np.ndarray) -> np.ndarray:
        """How long patients stay with a drug [day], of uniform numbers `u` of any shape; infinite without stopping."""
        return -_YEAR / self.stops * np.log1p(-u) if self.stops else np.full_like(u, np.inf)

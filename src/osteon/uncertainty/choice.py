"""Which draws a scenario gets: how many, of which structures, and what they may not change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.errors import InputError, ModelError, show
from osteon.parameters import posterior
from osteon.parameters.posterior import Draws

if TYPE_CHECKING:
    from osteon.scenario import Scenario

#: Draws of a prediction, where nobody says how many.
DEFAULT = 40


@dataclass(frozen=True)
class Choice:
    """Draws for one scenario.

    Attributes
    ----------
    draws : Draws
        Those used.
    numbers : tuple of int
        Their numbers in the posterior, from 0.
    posterior : str
        Content hash of the whole posterior.
    held : frozenset of str
        Parameters that a set named by the scenario gives, and draws leave alone.
    """

    draws: Draws
    numbers: tuple[int, ...]
    posterior: str
    held: frozenset[str]

    def __len__(self) -> int:
        return len(self.draws)

    def values(self, usual: Mapping[str, float]) -> dict[str, Any]:
        """Parameter values under the draws: numbers where all agree, else arrays of shape (draws,).

        Raises
        ------
        ModelError
            The posterior has a parameter that the model lacks.
        """
        unknown = set(self.draws.keys) - set(usual)
        if unknown:
            raise ModelError(f"the posterior is of another model: there is no parameter {', '.join(sorted(unknown))}")
        return {**usual, **self.draws.columns(usual, self.held)}

    def describe(self) -> dict[str, Any]:
        """What a manifest says: number, hash of the posterior, and draws of each structure."""
        counts = Counter(self.draws.structures)
        return {
            "number": len(self),
            "posterior_sha256": self.posterior,
            "structures": {name: counts[name] for name in self.draws.weights if counts[name]},
        }


def choose(scenario: Scenario, wanted: int | None = None) -> Choice | None:
    """Draws for a scenario: the first ones of the posterior that osteon ships.

    Parameters
    ----------
    scenario : Scenario
        A structure among its published sets leaves the draws of that structure, if it has any; what the other sets
        give is left alone, and there are no draws where that is everything.
    wanted : int, optional
        How many; 0 for none. Left out, `DEFAULT` for people where no arm imposes an effect, else none.

    Returns
    -------
    Choice or None
        None where there are no draws.

    Raises
    ------
    InputError
        The number is not one that this scenario can have.
    """
    if wanted is not None and (isinstance(wanted, bool) or not isinstance(wanted, int | np.integer) or wanted < 0):
        raise InputError(f"{show(wanted)} is not a whole number of draws from 0", path="draws", value=wanted)
    people = scenario.patient.species == "human"
    if wanted == 0 or (wanted is None and (not people or any(arm.impose for arm in scenario.arms))):
        return None
    if not people:
        message = f"{show(wanted)} is not allowed for a {scenario.patient.species}: the posterior is of people"
        raise InputError(message, path="draws", value=wanted, hint="leave it out, or give 0")
    every = posterior.shipped()
    if every is None:
        if wanted is None:
            return None
        raise InputError(f"{show(wanted)} is not allowed: this osteon ships no posterior", path="draws", value=wanted)
    places, held = posterior.selected(every, scenario.parameters)
    if wanted is not None and wanted > len(places):
        of = f" for {', '.join(scenario.parameters)}" if len(places) < len(every) else ""
        message = f"{show(wanted)} is too many: the posterior has {len(places)} draws{of}"
        raise InputError(message, path="draws", value=wanted, hint=f"give 0 to {len(places)}")
    if not places:
        return None
    chosen = places[: DEFAULT if wanted is None else int(wanted)]
    return Choice(every.taken(chosen), tuple(chosen), every.content_hash(), held)

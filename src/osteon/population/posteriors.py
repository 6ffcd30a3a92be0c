"""Draws of what osteon ships for patients who each have one: of the turnover layer, and of the callus of their member.

A draw of the callus replaces the kinetics of its member as a ratio to the best fit, so that age, smoking, diabetes and
whatever was fitted in people still apply to it. Its clock is corrected (`callus_clock`): how long an untreated person
takes to heal is known from people and stays, and how people differ in that is the spread of clocks and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from osteon.errors import InputError
from osteon.parameters import load_table, posterior
from osteon.parameters.posterior import Draws
from osteon.population.callus_clock import CLOCK, best_fit, clock_factors
from osteon.population.plan import Number, narrow
from osteon.population.spread import choose, shares

if TYPE_CHECKING:
    from osteon.scenario import Scenario

_MORE = "another posterior than the one these patients were drawn from"


@dataclass(frozen=True)
class Posterior:
    """What the patients of a scenario are drawn from.

    Attributes
    ----------
    turnover : Draws
        Parameters and structures of the turnover layer.
    places : ndarray of int
        Its draws that the scenario's parameter sets leave, all equally likely.
    callus : Draws or None
        Kinetics of the callus by member; None without a fracture, or where the sets give all of them.
    clock : ndarray
        Factor on the clock of healing of each draw of the callus.
    held : frozenset of str
        Parameters that the scenario's sets give, and draws leave alone.
    """

    turnover: Draws
    places: np.ndarray
    callus: Draws | None
    clock: np.ndarray
    held: frozenset[str]

    @classmethod
    def of(cls, scenario: Scenario, version: str | None = None) -> Posterior:
        """What osteon ships for a scenario.

        Parameters
        ----------
        scenario : Scenario
            Of the typical patient.
        version : str, optional
            The `version` that it must have.

        Raises
        ------
        InputError
            The patients are not people, or there is no such posterior.
        """
        if scenario.patient.species != "human":
            message = f"the posterior is of people, and the patient is a {scenario.patient.species}"
            raise InputError(message, path="draws", value=True)
        turnover = posterior.shipped()
        if turnover is None:
            raise InputError("this osteon ships no posterior", path="draws", value=True)
        places, held = posterior.selected(turnover, scenario.parameters)
        if not places:
            message = f"the posterior has no draw for {', '.join(scenario.parameters)}"
            raise InputError(message, path="draws", value=True)
        callus = posterior.shipped_callus() if scenario.fracture is not None else None
        if scenario.fracture is not None and callus is None:
            raise InputError("this osteon ships no posterior of the callus", path="draws", value=True)
        callus = None if callus is None or held >= set(callus.keys) else callus
        clock = np.ones(0) if callus is None else clock_factors(callus)
        found = cls(turnover, np.array(places), callus, clock, held)
        if version is not None and found.version != version:
            raise InputError(f"this osteon ships {_MORE}", path="draws", value=True)
        return found

    @cached_property
    def version(self) -> str:
        """SHA-256 over all draws and clocks; without a callus, over the draws of the turnover layer."""
        one = self.turnover.content_hash()
        if self.callus is None:
            return one
        clock = hashlib.sha256(np.ascontiguousarray(self.clock, "<f8").tobytes()).hexdigest()
        return hashlib.sha256(f"{one} {self.callus.content_hash()} {clock}".encode()).hexdigest()

    def checked(self, different: int) -> int:
        """Return how many different draws patients are to have, 0 for all; raises `InputError` where it is too many."""
        if different > len(self.places):
            message = f"{different} is too many: the posterior has {len(self.places)} draws for these patients"
            raise InputError(message, path="draws", value=different, hint=f"give 1 to {len(self.places)}, or true")
        return different

    def drawn(
        self,
        patients: tuple[int, int, int],
        different: int,
        values: Mapping[str, Number],
        members: np.ndarray,
        given: Collection[str] = (),
    ) -> tuple[dict[str, Number], dict[str, np.ndarray]]:
        """One draw for each patient.

        Parameters
        ----------
        patients : tuple of int
            Seed, first patient, and one past the last.
        different : int
            How many different draws there are, evenly taken, each with as many patients; who have the same draw of the
            turnover layer have the same draw of the callus of their member. 0 for all, the two independent.
        values : mapping of str to float or ndarray
            Values by key before the draw, numbers or of shape (patients,).
        members : ndarray of str
            Member of each patient, shape (patients,).
        given : collection of str
            Further parameters that draws leave alone.

        Returns
        -------
        values : dict of str to float or ndarray
            Parameters that a draw gives, by key.
        columns : dict of str to ndarray
            ``draw`` and ``callus_draw``, numbers in the posteriors, and ``structure``.
        """
        held = self.held | frozenset(given)
        world = shares(*patients, "posterior draw", different) if different else None
        count = len(self.places)
        place = choose(*patients, "posterior draw", count) if world is None else _evenly(count, different)[world]
        numbers = self.places[place]
        own = self.turnover.taken(numbers.tolist())
        found: dict[str, Number] = {key: narrow(one) for key, one in own.columns(values, held).items()}
        told = {"draw": numbers, "structure": np.array(own.structures)}
        if self.callus is None:
            return found, told
        chosen = np.zeros(len(numbers), int)
        for member in dict.fromkeys(members.tolist()):
            rows = np.array([row for row, name in enumerate(self.callus.structures) if name == f"callus_{member}"])
            count = len(rows)
            places = choose(*patients, "callus draw", count) if world is None else _evenly(count, different)[world]
            chosen = np.where(members == member, rows[places], chosen)
        found |= self._callus(chosen, members, values, held)
        return found, {**told, "callus_draw": chosen}

    def _callus(
        self, chosen: np.ndarray, members: np.ndarray, values: Mapping[str, Number], held: Collection[str]
    ) -> dict[str, Number]:
        """Kinetics of the callus of patients with these draws, and the clock that goes with them."""
        assert self.callus is not None
        names, which = np.unique(members, return_inverse=True)
        within = set(load_table("spread")["shares"])
        found: dict[str, Number] = {}
        for column, key in enumerate(self.callus.keys):
            if key in held:
                continue
            best = np.array([best_fit(name)[key] for name in names.tolist()])[which]
            value = values[key] * (self.callus.values[chosen, column] / best)
            found[key] = np.minimum(value, 1.0) if key in within else value
        if CLOCK not in held:
            found[CLOCK] = values[CLOCK] * self.clock[chosen]
        return found


def _evenly(count: int, wanted: int) -> np.ndarray:
    """Places of so many wanted of a count, evenly taken; some more than once where more are wanted than there are."""
    return np.linspace(0, count - 1, wanted).round().astype(int)

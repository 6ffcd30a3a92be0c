"""A cohort: many patients under the same arms, made block by block, so that its size costs no memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from osteon.errors import InputError, near_match, show
from osteon.model.person import MEMBERS
from osteon.population.adherence import Intake
from osteon.population.block import Block
from osteon.population.explicit import checked, explicit_block
from osteon.population.made import listed_block, sampled_block
from osteon.population.posteriors import Posterior
from osteon.population.spread import AGE, WEIGHT, spread_for
from osteon.population.table import Table, read_table
from osteon.population.values import Kind, typical
from osteon.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

Origin = Literal["sample", "scenarios", "table"]
_LARGEST = 10**9
_SEEDS = 2**32


@dataclass(frozen=True, eq=False)
class Cohort:
    """Many patients under the same arms; made by `sample`, `of` or `from_table`.

    Attributes
    ----------
    origin : {"sample", "scenarios", "table"}
        How it was made.
    scenario : Scenario
        The scenario, or the first of several.
    size : int
        Number of patients.
    seed : int
        Seed of the draws.
    members : tuple of str
        Ensemble members of the callus kinetics that occur.
    spread : mapping of str to float
        Coefficients of variation between patients.
    draws : str
        Version of the posterior that each patient has a draw of; empty where they have none.
    different : int
        How many different draws there are; 0 for all.
    intake : Intake or None
        How doses are taken; None where all are taken as planned.
    """

    origin: Origin
    scenario: Scenario
    size: int
    seed: int
    members: tuple[str, ...]
    spread: Mapping[str, float] = field(default_factory=dict)
    scenarios: tuple[Scenario, ...] = field(default=(), repr=False)
    table: Table | None = field(default=None, repr=False)
    draws: str = ""
    different: int = 0
    intake: Intake | None = None

    @classmethod
    def sample(
        cls,
        scenario: Scenario,
        patients: int,
        *,
        seed: int | None = None,
        members: Sequence[str] = tuple(MEMBERS),
        spread: str | Mapping[str, float] | None = None,
        draws: bool | int = False,
        intake: Intake | Mapping[str, float] | None = None,
    ) -> Cohort:
        """Virtual patients around the scenario's.

        Parameters
        ----------
        scenario : Scenario
            Gives the typical patient, the fracture and the arms.
        patients : int
            How many; patient number i is the same whatever their number.
        seed : int, optional
            Left out, that of the scenario.
        members : sequence of str
            Each patient gets one of these ensemble members, all equally likely (assumed); the first without a fracture.
        spread : mapping of str to float, or "none", optional
            Coefficients of variation, from 0 to 2, that replace the shipped ones of the same key (a parameter,
            ``patient.age`` or ``patient.weight``); "none" makes all patients equal.
        draws : bool or int
            Whether each patient has, before the spread, parameters and structure of the turnover layer from one draw
            of the shipped posterior, and with a fracture kinetics of the callus from one draw of those of its member;
            ``draw``, ``structure`` and ``callus_draw`` are then columns of the patients. A number says how many
            different draws there are, evenly taken; as many patients have each of them. The clock goes with the draw
            of the callus, so that it takes an untreated person as long to heal as the best fit (`callus_clock`).
        intake : Intake, optional
            How doses are taken; left out, as planned.

        Raises
        ------
        InputError
            An argument is not allowed.
        """
        _is_scenario(scenario)
        size = _whole(patients, "patients", 1, _LARGEST)
        number = scenario.seed if seed is None else _whole(seed, "seed", 0, _SEEDS - 1)
        chosen = _members(members)
        chosen = chosen if scenario.fracture is not None else chosen[:1]
        known = typical(Kind.of(scenario, chosen[0]))
        made = cls("sample", scenario, size, number, chosen, spread_for(spread, known, scenario))
        return made._with(draws, intake)

    @classmethod
    def of(cls, scenarios: Sequence[Scenario], *, member: str = "J") -> Cohort:
        """Explicit patients, each with its own scenario, doses and horizon.

        Raises
        ------
        InputError
            They differ in the names of their arms or in species, or only some have a fracture.
        """
        together = checked(scenarios)
        (one,) = _members(member, "member")
        return cls("scenarios", together[0], len(together), together[0].seed, (one,), scenarios=together)

    @classmethod
    def from_table(
        cls,
        scenario: Scenario,
        table: pd.DataFrame | Mapping[str, Any] | str | Path,
        *,
        member: str = "J",
        spread: str | Mapping[str, float] | None = "none",
        draws: bool | int = False,
        seed: int | None = None,
        intake: Intake | Mapping[str, float] | None = None,
    ) -> Cohort:
        """One patient a row.

        Parameters
        ----------
        scenario : Scenario
            Gives the fracture, the arms, and every trait that is no column.
        table : DataFrame, mapping, str or Path
            A table, columns by name, or the path of a CSV or Parquet file. Columns: ``age`` and ``weight`` (numbers in
            yr and kg, or text such as "73 yr"), ``sex``, ``diabetes``, ``osteoporosis``, ``smoking``, ``obesity``,
            ``nsaid``, ``member``, of the fracture ``open`` and ``displaced``, of people ``gfr`` [mL/min] and
            ``vitamin_d`` [nmol/L], and any parameter by its key, in its own unit.
        member : str
            Ensemble member where there is no such column.
        spread, draws, seed, intake
            As in `sample`; None for the spread is the shipped one. Factors multiply the values of a row; what a column
            gives, also age and weight, is neither spread nor drawn.

        Raises
        ------
        InputError
            A column, a cell or an argument is not allowed; the row and the column are named.
        """
        _is_scenario(scenario)
        (one,) = _members(member, "member")
        number = scenario.seed if seed is None else _whole(seed, "seed", 0, _SEEDS - 1)
        read = read_table(scenario, table, one)
        members = tuple(sorted(set(read.columns["member"].tolist()))) if "member" in read.columns else (one,)
        given = {{"age": AGE, "weight": WEIGHT}.get(name, name) for name in read.columns}
        wanted = spread_for(spread, typical(Kind.of(scenario, one)), scenario)
        wanted = {key: value for key, value in wanted.items() if key not in given}
        return cls("table", scenario, read.rows, number, members, wanted, table=read)._with(draws, intake)

    def _with(self, draws: bool | int, intake: Intake | Mapping[str, float] | None) -> Cohort:
        """Return the cohort with draws and an intake of its patients."""
        different = 0 if isinstance(draws, bool) else _whole(draws, "draws", 0, _LARGEST)
        version = ""
        if draws:
            every = Posterior.of(self.scenario)
            version, different = every.version, every.checked(different)
        return replace(self, draws=version, different=different, intake=Intake.of(intake))

    # ---- what it holds -----------------------------------------------------------------------------------------

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms."""
        return tuple(arm.name for arm in self.scenario.arms)

    @property
    def start_day(self) -> float:
        """First day of any patient."""
        return min(one.start_day for one in self.scenarios or (self.scenario,))

    @property
    def horizon(self) -> float:
        """Last day of any patient."""
        return max(one.horizon for one in self.scenarios or (self.scenario,))

    def block(self, lo: int, hi: int) -> Block:
        """Patients `lo` to `hi`, the last left out, ready to be solved.

        Raises
        ------
        InputError
            The range does not lie within the cohort.
        """
        if not 0 <= lo < hi <= self.size:
            raise InputError(f"{lo} to {hi} does not lie within 0 to {self.size}", path="patients")
        if self.origin == "scenarios":
            return explicit_block(self.scenarios[lo:hi], self.members[0], lo)
        return sampled_block(self, lo, hi) if self.table is None else listed_block(self, self.table, lo, hi)

    # ---- as plain values -----------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """Return the cohort as plain values in canonical form; `from_dict` makes an equal cohort of it."""
        common = {"kind": self.origin, "size": self.size, "seed": self.seed, "members": list(self.members)}
        if self.origin == "scenarios":
            return {**common, "scenarios": [one.to_dict() for one in self.scenarios]}
        common["scenario"] = self.scenario.to_dict()
        # What is not in use is left out, so that older cohorts keep their hash.
        more: dict[str, Any] = {"draws": self.draws} if self.draws else {}
        more |= {"different_draws": self.different} if self.different else {}
        more |= {"intake": self.intake.to_dict()} if self.intake is not None else {}
        if self.table is None:
            return {**common, "spread": dict(self.spread), **more}
        more |= {"spread": dict(self.spread)} if self.spread else {}
        return {**common, "table": self.table.to_dict(), **more}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Cohort:
        """Return the cohort that `to_dict` wrote; raises `InputError` where that is not one."""
        try:
            kind, members = given["kind"], tuple(given["members"])
            if kind == "scenarios":
                return cls.of([Scenario.parse(one) for one in given["scenarios"]], member=members[0])
            scenario = Scenario.parse(given["scenario"])
            if kind not in ("table", "sample"):
                raise InputError(f"{show(kind)} is not a kind of cohort", path="kind", value=kind)
            # What is not in the dictionary is switched off, even if osteon ships a spread for it by now.
            shipped = spread_for(None, typical(Kind.of(scenario, members[0])), scenario)
            given_spread = given.get("spread", {}) if kind == "table" else given["spread"]
            spread = {**dict.fromkeys(shipped, 0.0), **given_spread}
            if "draws" in given:
                Posterior.of(scenario, given["draws"])
            more = {
                "seed": given["seed"],
                "spread": spread,
                "draws": given.get("different_draws", "draws" in given),
                "intake": given.get("intake"),
            }
            if kind == "table":
                return cls.from_table(scenario, given["table"], member=members[0], **more)
            return cls.sample(scenario, given["size"], members=members, **more)
        except (KeyError, IndexError, TypeError) as error:
            raise InputError(f"is not a cohort that osteon wrote ({error})", path="cohort") from None

    def content_hash(self) -> str:
        """Return the SHA-256 of the canonical form, as 64 hexadecimal digits."""
        return self._hash

    @cached_property
    def _hash(self) -> str:
        canonical = json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return self.to_dict() == other.to_dict() if isinstance(other, Cohort) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.content_hash())


def _is_scenario(given: Any) -> None:
    if not isinstance(given, Scenario):
        raise InputError(f"{show(given)} is not a scenario", path="scenario", value=given)


def _whole(given: Any, path: str, low: int, high: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or not low <= given <= high:
        raise InputError(f"{show(given)} is not a whole number from {low} to {high}", path=path, value=given)
    return int(given)


def _members(given: str | Sequence[str], path: str = "members") -> tuple[str, ...]:
    named = (given,) if isinstance(given, str) else tuple(given)
    if not named:
        raise InputError("no ensemble member is named", path=path, hint=f"name some of {', '.join(MEMBERS)}")
    for name in named:
        if name not in MEMBERS:
            message = f"{show(name)} is not an ensemble member (allowed: {', '.join(MEMBERS)})"
            raise InputError(message, path=path, value=name, hint=near_match(name, MEMBERS))
    return tuple(dict.fromkeys(named))

"""Power of a study: many trials drawn from one virtual population, each analysed, and what the design does to it.

What is found is kept step by step, so that an interrupted calculation keeps what is done.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from osteon.course import RESEARCH_ONLY
from osteon.errors import InputError
from osteon.trial.analysis.result import plain
from osteon.trial.power_forms import LOOKS, boundaries, closed_form_power, closed_form_size, exact_interval
from osteon.trial.power_plan import Effect, Plan
from osteon.trial.power_planned import planned_cell
from osteon.trial.power_tests import MEASURES, STAND_IN, TESTS, chosen_test
from osteon.trial.power_trials import Outcomes, run_cell, run_looks
from osteon.trial.power_walk import walk

__all__ = ["Effect", "Plan", "PowerRun", "Source", "plain"]

#: Fewest people of a draw of the posterior from whom trials of their own are drawn.
FEWEST_OF_A_DRAW = 20
_CURVE = 60  # points of the curve of the closed form

#: ``on_progress(step, done, total)``, in trials; the step is a key of words.
Told = Callable[[str, int, int], None]


class Source(Protocol):
    """A virtual population that can be looked at in several ways."""

    def base(self) -> Outcomes:
        """As the study plans it, with the effect of the plan."""
        ...

    def variations(self) -> Sequence[str]:
        """Keys of the ways in which the design is varied."""
        ...

    def varied(self, key: str) -> Outcomes:
        """The same people under a variation."""
        ...

    def about(self) -> dict[str, Any]:
        """Where the population comes from, as plain values."""
        ...


@dataclass
class PowerRun:
    """A calculation of power; `run` fills `found`, step by step.

    Attributes
    ----------
    plan : Plan
        What is calculated.
    source : Source
        From whom.
    title : str
        Of the study.
    found : dict
        Plain values: effect, method, power, null, assurance, variations, looks, walk, done (names of the steps that
        are), and partial (whether any is missing). Rows have n, trials, rejected, undecided, share, low, high, and
        where an estimate was made its median, the medians of its ends and the mean width of its interval.
    """

    plan: Plan
    source: Source
    title: str = ""
    found: dict[str, Any] = field(default_factory=dict)
    _told: int = field(default=0, repr=False)

    def run(self, on_progress: Told | None = None) -> dict[str, Any]:
        """Do every step and return what was found; on an interruption `found` holds the steps that were done."""
        plan = self.plan
        self.found |= {
            "title": self.title,
            "warning": RESEARCH_ONLY,
            "effect": {"kind": plan.effect.kind, "ratio": plan.effect.ratio if plan.effect.kind == "ratio" else None},
            "sizes": list(plan.sizes),
            "trials": plan.trials,
            "seed": plan.seed,
            "alpha": plan.alpha,
            "level": plan.level,
            "partial": True,
            "done": [],
        }
        base = self.source.base()
        if base.people < 2:
            raise InputError(f"{base.people} people are too few to draw trials from", path="--population")
        self.found |= {"population": self.source.about() | _measured(base, plan), "method": _method(plan, base)}
        total = self._total(base)
        for name, step in self._steps(base):
            step(lambda done, name=name: on_progress and on_progress(name, self._told + done, total))
            self.found["done"].append(name)
        self.found["partial"] = False
        return self.found

    def _steps(self, base: Outcomes) -> Iterator[tuple[str, Callable]]:
        test = chosen_test(self.plan.method, base.complete)
        none = self.plan.effect.kind == "null"
        yield "power", lambda tell: self._cells("power", base, test, tell)
        if not none:
            yield "null", lambda tell: self._cells("null", base.without_effect(), test, tell, fitted=0)
        if _draws(base):
            yield "assurance", lambda tell: self._assurance(base, test, tell)
        if self.plan.looks > 1:
            yield "looks", lambda tell: self._looks(base, test, tell)
        yield "walk", lambda tell: self._walk(base, test)
        if self.plan.planned:
            yield "planned", lambda tell: self._planned(base, test, tell)
        if test == "t_test":
            # Beside designs whose censored times need a test of ranks, so that its own price is seen.
            yield "variation_ranks", lambda tell: self._vary("ranks", base, tell)
        for key in self.source.variations():
            yield f"variation_{key}", lambda tell, key=key: self._vary(key, self.source.varied(key), tell)

    def _total(self, base: Outcomes) -> int:
        """Trials of all steps; each step without trials of its own counts none."""
        cells = 1 + (self.plan.effect.kind != "null") * (1 + (self.plan.looks > 1)) + bool(_draws(base))
        cells += (self.plan.looks > 1) + len(self.source.variations())
        cells += chosen_test(self.plan.method, base.complete) == "t_test"
        planned = (1 + (self.plan.effect.kind != "null")) * self.plan.planned
        return len(self.plan.sizes) * (cells * self.plan.trials + planned)

    def _rows(self, outcomes: Outcomes, test: str, tell: Callable, fitted: int | None = None) -> list[dict[str, Any]]:
        plan, rows = self.plan, []
        for n in plan.sizes:
            cell = run_cell(outcomes, test, n, plan.trials, plan.seed, plan.alpha, plan.level, fitted=fitted, tell=tell)
            self._told += plan.trials
            rows.append(cell.to_dict(plan.level))
        return rows

    def _cells(self, name: str, outcomes: Outcomes, test: str, tell: Callable, fitted: int | None = None) -> None:
        rows = self._rows(outcomes, test, tell, fitted)
        if name == "power":
            forms = _closed(self.found["population"], self.plan)
            for row in rows:
                row |= _closed_row(forms, row["n"], self.plan)
            self.found |= _closed_found(forms, self.plan)
        self.found[name] = rows

    def _assurance(self, base: Outcomes, test: str, tell: Callable) -> None:
        """Power within each draw of the posterior, and its mean over them."""
        plan, draws = self.plan, _draws(base)
        each = max(1, plan.trials // len(draws))
        rows = []
        for n in plan.sizes:
            powers, rejected = [], 0
            for place, draw in enumerate(draws):
                own = base.of_draw(draw)
                first = place * each
                cell = run_cell(own, test, n, each, plan.seed, plan.alpha, fitted=0, first=first)
                powers.append(cell.rejected / cell.trials)
                rejected += cell.rejected
                tell((place + 1) * each)
            self._told += plan.trials
            low, high = exact_interval(rejected, each * len(draws), plan.level)
            across = np.quantile(powers, (0.05, 0.5, 0.95)).tolist()
            rows.append(
                {
                    "n": n,
                    "draws": len(draws),
                    "trials": each * len(draws),
                    "share": rejected / (each * len(draws)),
                    "low": low,
                    "high": high,
                    "draw_low": across[0],
                    "draw_median": across[1],
                    "draw_high": across[2],
                }
            )
        self.found["assurance"] = rows

    def _looks(self, base: Outcomes, test: str, tell: Callable) -> None:
        plan = self.plan
        wanted = dict.fromkeys(LOOKS, plan.looks)
        rules: dict[str, dict[str, Any]] = {}
        for name in LOOKS:
            try:
                bounds = boundaries(name, plan.looks, plan.alpha)
            except InputError as error:
                wanted.pop(name)
                rules[name] = {"reason": str(error), "rows": [], "null": []}
                continue
            told = {"source": LOOKS[name], "looks": plan.looks, "bounds": list(bounds)}
            rules[name] = {**told, "rows": [], "null": []}
        populations = {"rows": base} if plan.effect.kind == "null" else {"rows": base, "null": base.without_effect()}
        for where, outcomes in populations.items():
            for n in plan.sizes:
                found = run_looks(outcomes, test, n, plan.trials, plan.seed, plan.alpha, wanted, plan.level, tell=tell)
                self._told += plan.trials
                for name, row in found.items():
                    kept = {key: one for key, one in row.items() if key not in ("looks", "bounds")}
                    rules[name][where].append({"n": n, **kept})
        self.found["looks"] = rules

    def _walk(self, base: Outcomes, test: str) -> None:
        plan = self.plan
        self.found["walk"] = walk(base, test, plan.sizes[-1], plan.seed, plan.alpha, plan.level)

    def _planned(self, base: Outcomes, test: str, tell: Callable) -> None:
        """The planned method itself, in fewer trials."""
        plan, found = self.plan, {}
        populations = {"rows": base} if plan.effect.kind == "null" else {"rows": base, "null": base.without_effect()}
        for where, outcomes in populations.items():
            found[where] = []
            for n in plan.sizes:
                row = planned_cell(
                    *(outcomes, plan.method, test, n, plan.planned, plan.seed, plan.alpha, plan.level, plan.tau),
                    tell=tell,
                )
                found[where].append(row)
                self._told += plan.planned
        self.found["planned"] = {"method": plan.method, "null": [], **found}

    def _vary(self, key: str, outcomes: Outcomes, tell: Callable) -> None:
        test = "wilcoxon" if key == "ranks" else chosen_test(self.plan.method, outcomes.complete)
        rows = self._rows(outcomes, test, tell, fitted=0)
        for row, before in zip(rows, self.found["power"], strict=True):
            row["change"] = row["share"] - before["share"]
        self.found.setdefault("variations", []).append({"key": key, "test": test, "rows": rows})


def _draws(outcomes: Outcomes) -> list[int]:
    """Draws of the posterior that enough people have; none where all have the same."""
    found, counts = np.unique(outcomes.draw[outcomes.draw >= 0], return_counts=True)
    chosen = found[counts >= FEWEST_OF_A_DRAW]
    return chosen.tolist() if chosen.size > 1 else []


def _measured(base: Outcomes, plan: Plan) -> dict[str, Any]:
    """Effect and spread of the population itself, from times that no visit blurs."""
    middle, spread = base.log_effect()
    return {"people": base.people, "time_ratio": math.exp(middle) if middle == middle else None, "log_sd": spread}


def _method(plan: Plan, base: Outcomes) -> dict[str, Any]:
    """Which test is used, and as what it stands in for the planned method."""
    test = chosen_test(plan.method, base.complete)
    reason = STAND_IN.get(plan.method, "censored" if test != TESTS[plan.method] else None)
    return {"planned": plan.method, "test": test, "stands_in": reason, "measure": MEASURES[test][0]}


def _closed(population: dict[str, Any], plan: Plan) -> tuple[float, float] | None:
    """Time ratio and log SD for closed forms; None where the analysis is not one of times, or nothing heals."""
    ratio, spread = population["time_ratio"], population["log_sd"]
    if ratio is None or not spread > 0 or plan.method == "difference":
        return None
    return ratio, spread


def _closed_row(forms: tuple[float, float] | None, n: int, plan: Plan) -> dict[str, float | None]:
    if forms is None:
        return {"closed_form": None, "closed_form_t": None}
    return {
        "closed_form": float(closed_form_power(n, *forms, plan.alpha)),
        "closed_form_t": float(closed_form_power(n, *forms, plan.alpha, "t")),
    }


def _closed_found(forms: tuple[float, float] | None, plan: Plan) -> dict[str, Any]:
    """Sizes that the closed form asks for 80 and 90 %, and its curve; nothing without an effect."""
    if forms is None or abs(math.log(forms[0])) < 1e-6:
        return {}
    sizes = np.unique(np.linspace(2, 1.05 * plan.sizes[-1], _CURVE).round())
    power = np.asarray(closed_form_power(sizes, *forms, plan.alpha))
    return {
        "needed": {f"{round(100 * one)}": closed_form_size(one, *forms, plan.alpha) for one in (0.8, 0.9)},
        "closed_curve": [{"n": int(n), "power": float(one)} for n, one in zip(sizes, power, strict=True)],
    }

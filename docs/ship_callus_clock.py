"""Solve the clock that goes with each shipped draw of the callus again, and put it beside the posterior.

Usage: python docs/ship_callus_clock.py, after ``docs/ship_people.py`` or a change of the model of the callus.
"""

from __future__ import annotations

import json

from osteon.engine.lanes.making import obtain
from osteon.parameters.posterior import shipped_callus
from osteon.population.callus_clock import FACTORS, described, solved_factors


def main() -> None:
    """Write the factors."""
    every = shipped_callus()
    if every is None:
        raise SystemExit("osteon ships no posterior of the callus")
    told = described(every, solved_factors(every, kernel=obtain))
    FACTORS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

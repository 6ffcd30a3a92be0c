"""A made-up result of schedules compared: nothing is simulated."""

from __future__ import annotations

import numpy as np

from osteon.scenario import Scenario
from osteon.trial.dosing import Candidates, candidates
from osteon.trial.dosing_measures import MEASURES
from osteon.trial.dosing_run import SHOWN, Schedule

TEXT = """\
osteon: 1
title: A <made-up> case
patient: {species: human, age: 70 yr, sex: female, weight: 60 kg}
fracture: {bone: metatarsal, gap: 1 mm, fixation: cast}
arms:
  - name: never
  - name: treated [a]
    doses:
      - {drug: denosumab, amount: 60 mg, start: -16 months, every: 6 months, count: 3}
horizon: 12 months
"""


def made(draws: int = 20, given: Candidates | None = None, failures: tuple = ()) -> Schedule:
    """Numbers that differ by regimen and draw; the first draw of the last regimen never unites."""
    given = given or candidates(Scenario.parse(TEXT), months=[0, 2], switch=["zoledronate"])
    size = max(draws, 2)
    rows, columns = np.arange(len(given.regimens))[:, None], np.arange(size)[None, :]
    values = {one.name: one.grid * (100.0 + 3.0 * rows + 7.0 * columns) for one in MEASURES}
    values["lamellar_share_week52"] = 0.3 + 0.01 * rows + 0.001 * columns
    values["time_to_union"][-1, 0] = np.inf
    for one in failures:
        for array in values.values():
            array[[each.name for each in given.regimens].index(one["regimen"]), one["draw"]] = np.nan
    time = np.linspace(given.scenario.start_day, given.scenario.horizon, 50)
    curve = np.sin(time / 200)[None, None, :] * (10 + rows)[None] + np.array([-5.0, 0.0, 5.0])[:, None, None]
    patients = {"member": np.array(["J", "B"] * size)[:size]}
    curves = dict.fromkeys(SHOWN, curve)
    return Schedule(given, values, patients, time, curves, failures, draws, {"seed": 1, "versions": {"osteon": "0"}})

"""Labels and pharmacokinetic studies of denosumab: exposure of virtual patients by the published parameter sets.

The interval is that of summaries of as many patients as the study had, drawn from the virtual ones; the uncertainty of
the published parameters themselves is not known and not in it.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.errors import InputError, near_match, show
from osteon.replay.outcome import Outcome
from osteon.replay.scoring import Seen, scored

if TYPE_CHECKING:
    from osteon.evidence.studies import Result, Study, TableRow
    from osteon.replay.engines import Effort, Findings

PATIENTS, STUDIES = 200, 400
#: Parameter set that stands for a table of ``label.toml``; others have the usual one.
SETS = {"xgeva": "gibiansky2012", "choi_table5": "choi2025"}
_USUAL_SET, _USUAL_N = "sutjandra2011", 100  # set, and patients where the source does not say


def outcomes(study: Study, findings: Findings, effort: Effort) -> list[Outcome]:
    """Every row of the findings; see `osteon.replay.engines.Engine`."""
    return [_outcome(study, result, row, effort) for result, rows in findings for row in rows]


def _outcome(study: Study, result: Result, row: TableRow, effort: Effort) -> Outcome:
    from osteon.draws import uniform

    asked = result.simulated
    if asked is None:
        raise InputError("needs the table and the endpoint of the label", path=f"{study.key}.yaml, {result.id}")
    known = _published(asked.arm, asked.of)
    values = _patients(asked.arm, effort.fewer(PATIENTS))[asked.of]
    values, n = values[~np.isnan(values)], row.n or _USUAL_N
    picks = uniform(1, 0, STUDIES * n, f"replay label {study.key} {result.id}").reshape(STUDIES, n)
    middle: Any = np.median if known["statistic"] == "median" else np.mean
    told = middle(values[(picks * len(values)).astype(int)], axis=1) if len(values) else np.full(1, np.nan)
    seen = Seen(
        known["published"],
        row.low,
        row.high,
        row.sd if row.error_type.startswith(("SD", "SE")) else math.nan,
        unit=known["unit"],
        n=n,
        label=f"{asked.of}, {known['statistic']}",
        printed=f"{row.value:g} {row.unit}" if row.value != known["published"] else "",
    )
    model = np.array([middle(values)]) if len(values) else np.full(1, np.nan)
    return scored(study, result, row, seen, "label", model, told)


def _published(table: str, endpoint: str) -> dict[str, Any]:
    from osteon.evidence.label import published

    known = published()
    if table not in known:
        raise InputError(f"{show(table)} is not a label", path="arm", value=table, hint=near_match(table, known))
    rows = {row["endpoint"]: row for row in known[table]["rows"]}
    if endpoint not in rows:
        hint = near_match(endpoint, rows)
        raise InputError(f"{show(endpoint)} is not an endpoint of {table}", path="of", value=endpoint, hint=hint)
    return rows[endpoint]


@lru_cache(maxsize=8)
def _patients(table: str, patients: int) -> dict[str, np.ndarray]:
    """Endpoints of every virtual patient of a label, each of shape (patients,)."""
    from osteon.evidence.label import endpoints_of, published

    return endpoints_of(published()[table], SETS.get(table, _USUAL_SET), "shipped", patients, 1)

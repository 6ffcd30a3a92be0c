"""Made-up runs, so that what is read from them can be told by hand."""

from __future__ import annotations

import numpy as np

from osteon.replay.claim_runs import Simulated


def made(
    arms: tuple[str, ...],
    time: np.ndarray,
    series: dict[str, np.ndarray] | None = None,
    endpoints: dict[str, list[list[float]]] | None = None,
) -> Simulated:
    """A run; curves of shape (arms, patients, time), endpoints of shape (arms, patients)."""
    tables = {name: np.array(values, float) for name, values in (endpoints or {}).items()}
    if series:
        size = next(iter(series.values())).shape[1]
        tables.setdefault("CTX_nadir", np.zeros((len(arms), size)))
    else:
        tables.setdefault("CTX_nadir", np.zeros_like(next(iter(tables.values()))))
    return Simulated(arms, time, series or {}, tables, {})

"""Which curves a study needs, and what of a simulated cohort `observe` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.endpoints.treatment import SAFETY_PARAMETERS

if TYPE_CHECKING:
    from osteon.ensemble.result import CohortResult
    from osteon.trial.study import Study

#: Curves recorded at visits where they were kept; those of the blood and of density are read as they are.
RECORDED = ("CTX", "P1NP", "serum_calcium", "BMD_lumbar_spine", "BMD_total_hip", "BMD_femoral_neck")
#: Scores of films that readers give.
READ = ("RUST", "mRUST", "cortices_bridged")
_SINGLE = ("inflammation.chronic", *SAFETY_PARAMETERS)
STIFFNESS, INFLAMMATION, PAIN = "torsional_stiffness", "inflammation", "pain"


def series_needed(study: Study) -> tuple[str, ...]:
    """Curves a cohort must keep for `observe`, weekly, in a fixed order."""
    from osteon.endpoints import SEEN

    names = dict.fromkeys(RECORDED)
    if study.fracture is not None:
        human = study.patient.species == "human"
        names |= dict.fromkeys((*SEEN, INFLAMMATION) if human else (STIFFNESS,))
    names |= dict.fromkeys(one.curve for one in study.endpoints.all if one.kind == "curve" and one.curve)
    return tuple(names)


class Source:
    """Curves and parameters of a cohort, chunk by chunk.

    Parameters
    ----------
    result : CohortResult
        The cohort, simulated.
    """

    def __init__(self, result: CohortResult) -> None:
        self._result = result
        self._curves = result.series
        self.arms = tuple(result.cohort.arms)
        self.size = int(result.cohort.size)
        self.names = frozenset(map(str, self._curves.data_vars))
        time = self._curves["time"].to_numpy().astype(float)
        self._after = int(np.searchsorted(time, 0.0))
        #: Days from the fracture on, shape (time,).
        self.time = time[self._after :]

    def ranges(self, at_least: int = 2048) -> list[tuple[int, int]]:
        """Ranges of patients that fall on whole chunks of the files."""
        chunk = int(self._result.manifest.get("settings", {}).get("chunk", 512))
        step = chunk * max(1, at_least // chunk)
        return [(lo, min(self.size, lo + step)) for lo in range(0, self.size, step)]

    def curves(self, names: Any, arm: int, lo: int, hi: int) -> dict[str, np.ndarray]:
        """Curves that were kept, shape (hi - lo, time), from the fracture on."""
        chosen = {"arm": arm, "patient": slice(lo, hi), "time": slice(self._after, None)}
        return {name: self._curves[name].isel(chosen).to_numpy().astype(float) for name in names if name in self.names}

    def values(self, lo: int, hi: int) -> dict[str, np.ndarray]:
        """Parameters of films, standing inflammation and limits of calcium of each patient, shape (hi - lo,)."""
        found: dict[str, np.ndarray] = {}
        for group in self._result.cohort.block(lo, hi).groups:
            for key, value in group.values.items():
                if key.startswith("radiograph.") or key in _SINGLE:
                    found.setdefault(key, np.zeros(hi - lo))[group.index] = value
        return found

    def endpoints(self, names: Any) -> dict[str, np.ndarray]:
        """Endpoints the model has among these names, shape (arms, patients), with ``failed``."""
        table = self._result.endpoints()
        place = {arm: number for number, arm in enumerate(self.arms)}
        row = table["arm"].map(place.__getitem__).to_numpy(int), table["patient"].to_numpy(int)
        found = {}
        for name in dict.fromkeys(names):
            if name in table:
                found[name] = np.full((len(self.arms), self.size), np.nan)
                found[name][row] = table[name].to_numpy(float)
        failed = np.ones((len(self.arms), self.size), bool)
        failed[row] = table["failure"].to_numpy(object) != ""
        return found | {"failed": failed}

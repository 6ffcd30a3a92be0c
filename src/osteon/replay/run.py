"""Every published study run again: what was printed beside what osteon gives, with totals and the worst misses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from osteon.errors import InputError, OsteonError, near_match, show
from osteon.replay.engines import Effort, outcomes_of
from osteon.replay.outcome import Outcome
from osteon.replay.store import keep, kept, key_of
from osteon.replay.totals import totals, worst

if TYPE_CHECKING:
    from osteon.evidence.studies import Study

FORMAT = 1  # of the document
USES = ("fit", "check", "noise")
#: Called with the title of a study, and the studies done and in all.
Told = Callable[[str, int, int], object]


@dataclass(frozen=True)
class Replay:
    """Published studies run again.

    Attributes
    ----------
    studies : mapping of str to Study
        Those that were run, by key.
    outcomes : tuple of Outcome
        One for each published number, in the order of studies and their files.
    failures : mapping of str to str
        Why a study could not be run, by key.
    use : str
        The use that was asked for; empty for all.
    effort : Effort
        How much was put into it.
    seconds : float
        How long it took [s].
    cached : int
        Studies that were taken from an earlier run.
    """

    studies: Mapping[str, Study]
    outcomes: tuple[Outcome, ...]
    failures: Mapping[str, str] = field(default_factory=dict)
    use: str = ""
    effort: Effort = field(default_factory=Effort)
    seconds: float = 0.0
    cached: int = 0

    def of(self, study: str) -> tuple[Outcome, ...]:
        """Return the outcomes of one study."""
        return tuple(one for one in self.outcomes if one.study == study)

    @property
    def totals(self) -> dict[str, Any]:
        """Coverage of the 90 % interval and directions: of all, by use, and by engine, species, drug and endpoint."""
        return totals(self.outcomes, self.studies)

    def worst(self, most: int | None = 10, use: str = "") -> list[Outcome]:
        """Return the misses, the worst first."""
        return worst(self.outcomes, most, use)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for one JSON document; numbers that are not finite are None."""
        from importlib.metadata import version

        from osteon.course import RESEARCH_ONLY

        place = {id(one): number for number, one in enumerate(self.outcomes)}
        return {
            "osteon_replay": FORMAT,
            "version": version("osteon"),
            "warning": RESEARCH_ONLY,
            "use": self.use,
            "quick": self.effort.quick,
            "seconds": round(self.seconds, 1),
            "cached": self.cached,
            "studies": [_study(one, key in self.failures) for key, one in self.studies.items()],
            "outcomes": [one.to_dict() for one in self.outcomes],
            "failures": dict(self.failures),
            "totals": self.totals,
            "worst": [place[id(one)] for one in self.worst(None)],
        }


def replay(
    keys: Iterable[str] | None = None,
    use: str | None = None,
    *,
    quick: bool = False,
    threads: int | None = None,
    fresh: bool = False,
    studies: Mapping[str, Study] | None = None,
    on_progress: Told | None = None,
) -> Replay:
    """Run published studies again.

    Parameters
    ----------
    keys : iterable of str, optional
        Keys of studies; left out, all.
    use : {"fit", "check", "noise"}, optional
        Rows of one use alone.
    quick : bool
        A rough answer, from a quarter of the draws.
    threads : int, optional
        Threads of the kernel, all cores by default. Studies are run one after another, each on all of them; no result
        depends on their number.
    fresh : bool
        Run again what was run before.
    studies : mapping of str to Study, optional
        The studies to choose from; the shipped ones by default.
    on_progress : callable, optional
        Told the title of the study that is run, and how many are done and in all.

    Returns
    -------
    Replay
        A study that could not be run is named in `failures`.

    Raises
    ------
    InputError
        There is no such study or use, or a study file is refused.
    KeyboardInterrupt
        Interrupted; studies that are done are kept, and the same call goes on from there.
    """
    began = time.perf_counter()
    chosen = _chosen(keys, studies)
    if use is not None and use not in USES:
        message = f"{show(use)} is not a use of rows (allowed: {', '.join(USES)})"
        raise InputError(message, path="use", value=use, hint=near_match(use, USES))
    effort, found, failures, cached = Effort(quick, threads or 0), [], {}, 0
    for done, (key, study) in enumerate(chosen.items()):
        if on_progress is not None:
            on_progress(study.title.en, done, len(chosen))
        place = key_of(study, effort)
        outcomes: Sequence[Outcome] | None = None if fresh else kept(place)
        if outcomes is None:
            try:
                outcomes = outcomes_of(study, effort)
            except OsteonError as error:
                failures[key] = str(error)
                continue
            keep(place, outcomes)
        else:
            cached += 1
        found += [one for one in outcomes if use in (None, one.use)]
    if on_progress is not None:
        on_progress("", len(chosen), len(chosen))
    there = {one.study for one in found} | set(failures)
    named = {key: study for key, study in chosen.items() if use is None or key in there}
    return Replay(named, tuple(found), failures, use or "", effort, time.perf_counter() - began, cached)


def _chosen(keys: Iterable[str] | None, studies: Mapping[str, Study] | None) -> dict[str, Study]:
    from osteon.evidence import studies as shipped

    known = shipped.studies() if studies is None else studies
    if keys is None:
        return dict(known)
    named = [keys] if isinstance(keys, str) else list(keys)
    for key in named:
        if key not in known:
            hint = near_match(key, known) or f"there are {len(known)}, for example {', '.join(list(known)[:3])}"
            raise InputError(f"{show(key)} is not a study", path="study", value=key, hint=hint)
    return {key: known[key] for key in dict.fromkeys(named)}


def _study(study: Study, failed: bool) -> dict[str, Any]:
    """What a reader wants to know about a study beside its outcomes."""
    about = study.model_dump(mode="json", include={"key", "species", "population", "n", "site", "engine"})
    return {
        **about,
        "title": study.title.model_dump(),
        "reference": study.reference.model_dump(),
        "design": study.design.model_dump(),
        "drugs": list(study.drugs),
        "arms": list(study.arms),
        "cited_by_review": list(study.cited_by_review),
        "reason": None if study.reason is None else study.reason.model_dump(),
        "limits": [one.model_dump() for one in study.limits],
        "failed": failed,
    }

"""Runs a trial: enrols, simulates every patient under every arm, observes, analyses, and writes the folder."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from osteon.course import RESEARCH_ONLY, installed
from osteon.ensemble.labels import versions
from osteon.ensemble.plan import whole
from osteon.ensemble.run import _peak_memory
from osteon.ensemble.store import unwritable, write_json, write_whole
from osteon.trial.flow import at_risk, flow, twin_days, visit_means
from osteon.trial.folder import (
    ANALYSIS,
    COHORT,
    KIND,
    RUN,
    STUDY,
    TABLE1,
    TrialRun,
    begin,
    hashes,
    held,
)
from osteon.trial.study_fields import MOST_PATIENTS

if TYPE_CHECKING:
    import pandas as pd

    from osteon.ensemble.chunk import Chunk
    from osteon.ensemble.result import CohortResult
    from osteon.population import Cohort
    from osteon.trial.observe import Observed
    from osteon.trial.people import People
    from osteon.trial.study import Study

#: ``on_progress(stage, share of all the work, done, total, failed)``; the last three in patients.
Told = Callable[[str, float, int, int, int], None]
#: Share of the time that each stage takes, roughly; only the bar depends on it.
STAGES = {"enrol": 0.02, "simulate": 0.74, "observe": 0.12, "analyse": 0.08, "tables": 0.04}
#: Beside those that change the simulation, what can change a bit of the statistics or the tables.
_PACKAGES = ("scipy", "pandas", "lifelines", "statsmodels", "pyreadstat")


def run_trial(
    study: Study,
    *,
    patients: int | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    cluster: str | None = None,
    threads: int | None = None,
    backend: str = "auto",
    chunk: int = 512,
    on_progress: Told | None = None,
    on_preview: Callable[[Chunk], None] | None = None,
) -> TrialRun:
    """Simulate a study and analyse it as planned.

    Parameters
    ----------
    study : Study
        What is done to whom, and how it is looked at.
    patients : int, optional
        How many are enrolled, all arms together; left out, as the study says.
    seed : int, optional
        Left out, that of the study.
    out : str or Path, optional
        Folder that everything is written to, but for the report: study.yaml, manifest.json, run.json, the cohort, the
        tables, table1.csv and analysis.json. Without it the trial is kept in memory.
    resume : bool
        Go on with what the folder holds. The files end up the same, bit for bit, as without the interruption.
    cluster, threads, backend, chunk, on_preview
        See `osteon.ensemble.run.simulate_cohort`.
    on_progress : callable, optional
        ``on_progress(stage, share, done, total, failed)``: a key of `STAGES`, how much of everything is done (0 to 1),
        and the patients of this stage.

    Returns
    -------
    TrialRun

    Raises
    ------
    InputError
        A setting is refused, or the folder cannot be used.
    MissingExtra
        What the statistics need is not installed.
    KeyboardInterrupt
        Interrupted; what was simulated is kept in `out`.
    """
    from osteon.trial.observe import observe
    from osteon.trial.people import enrol
    from osteon.trial.tables import adam_tables

    study = _sized(study, patients, seed)
    folder = None if out is None else Path(out)
    manifest = _manifest(study)
    if folder is not None and not held(folder, manifest, resume):
        begin(folder, study, manifest)
    note = _Record(folder, study.patients)
    settings = {"threads": threads, "backend": backend, "chunk": chunk, "cluster": cluster}
    try:
        with note.stage("enrol", on_progress):
            people = enrol(study)
            cohort = cohort_of(study, people)
        with note.stage("simulate", on_progress):
            result = _simulate(study, cohort, folder, settings, resume, note, on_progress, on_preview)
        with note.stage("observe", on_progress):
            observed = observe(study, people, result)
        with note.stage("analyse", on_progress):
            analysis, note.statistics = _analyse(study, people, result, observed)
        with note.stage("tables", on_progress):
            tables = adam_tables(study, people, observed, result)
            if folder is not None:
                manifest = _write(folder, analysis, tables, manifest, study)
                note.left_out = list(manifest.get("left_out", ()))
        note.state = "done"
    except KeyboardInterrupt:
        note.state = "interrupted"
        raise
    finally:
        note.write()
    return TrialRun(study, folder, manifest, analysis, result, people, observed, tables)


def _sized(study: Study, patients: int | None, seed: int | None) -> Study:
    """The study with the number of patients and the seed that were asked for."""
    changes: dict[str, Any] = {}
    if patients is not None:
        changes["patients"] = whole("patients", patients, 1, MOST_PATIENTS)
    if seed is not None:
        changes["seed"] = whole("seed", seed, 0, 2**32 - 1)
    return type(study).parse({**study.to_dict(), **changes}) if changes else study


def _manifest(study: Study) -> dict[str, Any]:
    """What the result depends on, and nothing else: no time, no threads, no machine."""
    return {
        "kind": KIND,
        "title": study.title,
        "warning": RESEARCH_ONLY,
        "patients": study.patients,
        "arms": [arm.name for arm in study.arms],
        "seed": study.seed,
        "study_sha256": study.content_hash(),
        "versions": {**versions(), **{name: installed(name) for name in _PACKAGES}},
    }


# ---- the stages ------------------------------------------------------------------------------------------------


def cohort_of(study: Study, people: People) -> Cohort:
    """The people as patients of a cohort: traits, draws and intake keyed by the same seed."""
    from osteon.population import Cohort

    population = study.population
    faithful = study.intake == type(study.intake)()
    return Cohort.from_table(
        study.scenario(),
        people.table,
        spread=population.spread,
        draws=population.draws,
        seed=study.seed,
        intake=None if faithful else study.intake.taken_by(),
    )


def _simulate(
    study: Study,
    cohort: Cohort,
    folder: Path | None,
    settings: Mapping[str, Any],
    resume: bool,
    note: _Record,
    on_progress: Told | None,
    on_preview: Callable[[Chunk], None] | None,
) -> CohortResult:
    from osteon.ensemble.run import simulate_cohort
    from osteon.trial.wanted import series_needed

    def tell(done: int, total: int, failed: int) -> None:
        note.done, note.failed = done, failed
        if on_progress:
            on_progress("simulate", _share("simulate", done / max(total, 1)), done, total, failed)

    return simulate_cohort(
        cohort,
        out=None if folder is None else folder / COHORT,
        series=series_needed(study),
        resume=resume,
        on_progress=tell,
        on_preview=on_preview,
        **settings,
    )


def _analyse(
    study: Study, people: People, result: CohortResult, observed: Observed
) -> tuple[dict[str, Any], dict[str, float]]:
    """The analysis as plain values, with what else the report shows, and how long each kind of statistic took."""
    from osteon.trial.analysis import analyse
    from osteon.trial.analysis.result import plain

    arms = tuple(arm.name for arm in study.arms)
    analysis = analyse(study, observed)
    found = analysis.to_dict()
    found["flow"] = flow(study, people, result)
    found["visits"] = visit_means(observed.visits, arms)
    primary = study.endpoints.primary
    found["twin_days"] = twin_days(observed, primary.name) if primary.timed else {}
    found["at_risk"] = at_risk(study, observed) if primary.timed else {}
    return plain(found), dict(analysis.seconds)


def _write(
    folder: Path,
    analysis: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    manifest: Mapping[str, Any],
    study: Study,
) -> dict[str, Any]:
    """Write tables and analysis; the manifest last, with the hashes of the files, so that it says the trial is done."""
    from osteon.trial.tables import write_tables

    try:
        written = write_tables(folder, tables)
        write_table1(folder / TABLE1, analysis)
        write_json(folder / ANALYSIS, dict(analysis))
        names = [one.name for one in written]
        left_out = [f"{name}.xpt" for name in tables if f"{name}.xpt" not in names]
        finished = {**manifest, "files": hashes(folder, (STUDY, ANALYSIS, TABLE1, *names))}
        finished |= {"left_out": left_out} if left_out else {}
        write_json(folder / "manifest.json", finished)
    except OSError as error:
        raise unwritable(folder, error) from error
    return finished


def write_table1(path: Path, analysis: Mapping[str, Any]) -> None:
    """Write Table 1 as CSV, a column an arm."""
    import pandas as pd

    write_whole(path, pd.DataFrame(list(analysis["table1"])).to_csv(index=False))


# ---- how far it is -----------------------------------------------------------------------------------------------


def _share(stage: str, part: float) -> float:
    """How much of everything is done when a part of a stage is."""
    names = list(STAGES)
    before = sum(STAGES[name] for name in names[: names.index(stage)])
    return before + STAGES[stage] * part


@dataclass
class _Record:
    """What is no part of the result: how long each stage took, and how it ended."""

    folder: Path | None
    patients: int
    state: str = "failed"
    done: int = 0
    failed: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    statistics: dict[str, float] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    @contextmanager
    def stage(self, name: str, on_progress: Told | None) -> Any:
        clock = time.monotonic()
        if on_progress:
            on_progress(name, _share(name, 0.0), 0, self.patients, self.failed)
        yield
        self.seconds[name] = round(time.monotonic() - clock, 3)
        if on_progress:
            on_progress(name, _share(name, 1.0), self.patients, self.patients, self.failed)

    def write(self) -> None:
        if self.folder is None or not self.folder.is_dir():
            return
        facts = {
            "state": self.state,
            "patients": self.patients,
            "patients_done": self.done,
            "patients_failed": self.failed,
            "started": self.started.isoformat(timespec="seconds"),
            "seconds": self.seconds,
            "seconds_of_statistics": self.statistics,
            # Tables too large for a SAS transport file, which are in Parquet alone.
            "left_out": self.left_out,
            "peak_memory_MB": _peak_memory(),
            "machine": {"system": platform.platform(), "processor": platform.machine()},
        }
        try:
            write_json(self.folder / RUN, facts)
        except OSError as error:
            raise unwritable(self.folder, error) from error

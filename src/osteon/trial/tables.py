"""Tables of a trial after the Analysis Data Model of CDISC: ADSL, ADTTE and ADLB, as Parquet and SAS transport files.

They hold what a trial would know, of each patient in the arm given. There is no calendar: a name that ends in DT is a
day from the first enrolment, one that ends in DY a day from the fracture (from enrolment without one). Both files of a
table have the same rows and columns; Parquet keeps the labels of the columns in its metadata. A table of more than
`MOST_XPORT_ROWS` rows is in Parquet alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.trial.table_names import PARAMETERS, TRAITS, label_of
from osteon.trial.xport import write_xport

if TYPE_CHECKING:
    import pandas as pd

    from osteon.ensemble.result import CohortResult
    from osteon.trial.observed import Observed
    from osteon.trial.people import People
    from osteon.trial.study import Study

#: A table with more rows has no transport file, which would be of hundreds of megabytes.
MOST_XPORT_ROWS = 2_000_000
_KEYS = ("patient", "arm", "allocated", "visit", "planned", "day")


def adam_tables(
    study: Study, people: People | None, observed: Observed, result: CohortResult | None = None
) -> dict[str, pd.DataFrame]:
    """Tables ``adsl``, ``adtte`` and ``adlb`` of a trial.

    Parameters
    ----------
    study : Study
        What was planned.
    people, result
        Not needed beside `observed`.
    observed : Observed
        What was seen.
    """
    base = _Base(study, observed)
    return {"adsl": _adsl(base), "adtte": _adtte(base), "adlb": _adlb(base)}


class _Base:
    """Identifiers that every table has, by number of the patient."""

    def __init__(self, study: Study, observed: Observed) -> None:
        import pandas as pd

        self.study, self.observed = study, observed
        self.people = observed.people
        self.study_id = f"OSTEON-{study.content_hash()[:8].upper()}"
        size = len(self.people)
        width = max(5, len(str(size)))
        self.subjects = [f"{number + 1:0{width}d}" for number in range(size)]
        # Made once: tables of the same categories are put together by their codes.
        self.usubjid = pd.CategoricalDtype([f"{self.study_id}-{one}" for one in self.subjects])
        number = {arm: place for place, arm in enumerate(observed.arms)}
        self.arm = np.array([number.get(arm, -1) for arm in self.people["arm"]], np.int8)
        # A date is a whole day.
        self.enrolled = np.floor(self.people["enrolled_day"].to_numpy(float))

    def keys(self, patients: np.ndarray) -> dict[str, Any]:
        """STUDYID, USUBJID and planned treatment of rows that belong to these patients."""
        import pandas as pd

        codes = self.arm[patients]
        return {
            "STUDYID": _same(self.study_id, len(patients)),
            "USUBJID": pd.Categorical.from_codes(patients, dtype=self.usubjid),
            "TRT01P": pd.Categorical.from_codes(codes, list(self.observed.arms)),
            "TRT01PN": (codes + 1).astype(float),
        }


def _adsl(base: _Base) -> pd.DataFrame:
    """One row per patient: arm, traits, and how the study ended."""
    import pandas as pd

    people: Any = base.people
    patients = np.arange(len(people))
    keys = base.keys(patients)
    table: dict[str, Any] = {
        "STUDYID": keys["STUDYID"],
        "USUBJID": keys["USUBJID"],
        "SUBJID": pd.Categorical(base.subjects),
    }
    table |= {"ARM": keys["TRT01P"], "TRT01P": keys["TRT01P"], "TRT01PN": keys["TRT01PN"]}
    for trait, (name, _) in TRAITS.items():
        if trait in people:
            table[name] = _trait(trait, people[trait])
    followed, death, dropout = (people[name].to_numpy(float) for name in ("followed", "death_day", "dropout_day"))
    died, left = followed >= death, followed >= dropout
    closed = ~died & ~left & (followed < float(base.study.follow_up))
    reasons = np.select([died, left, closed], ["DEATH", "LOST TO FOLLOW-UP", "STUDY CLOSED"], "")
    table |= {
        "ITTFL": _same("Y", len(people)),
        "RANDDT": base.enrolled,
        "EOSDT": base.enrolled + followed,
        "EOSDY": followed,
        "EOSSTT": _text(np.where(reasons == "", "COMPLETED", "DISCONTINUED")),
        "DCSREAS": _text(reasons),
        "DTHFL": _text(np.where(died, "Y", "")),
        "DTHDY": np.where(died, death, np.nan),
    }
    return pd.DataFrame(table)


def _adtte(base: _Base) -> pd.DataFrame:
    """One row per patient and endpoint that is a time."""
    import pandas as pd

    rows: Any = base.observed.tte
    rows = rows[rows["allocated"].astype(bool) & rows["time"].notna()]
    patients = rows["patient"].to_numpy(int)
    names = [one for one in base.study.endpoints.all if one.timed]
    codes = _codes(one.name for one in names)
    event, dead = rows["event"].to_numpy(bool), rows["competing"].to_numpy(bool)
    followed, dropout = rows["followed"].to_numpy(float), base.people["dropout_day"].to_numpy(float)[patients]
    day = rows["time"].to_numpy(float)
    reasons = ["SEEN AT A VISIT", "DEATH BEFORE THE EVENT", "LOST TO FOLLOW-UP"]
    endpoint = rows["endpoint"].astype(str)
    right = rows["right"].to_numpy(float)
    return pd.DataFrame(
        {
            **base.keys(patients),
            "PARAMCD": _mapped(endpoint, codes),
            "PARAM": _mapped(endpoint, {one.name: f"Time to {one.name} (days)"[:200] for one in names}),
            "AVAL": day,
            "CNSR": np.select([event, dead], [0.0, 2.0], 1.0),
            "STARTDT": base.enrolled[patients],
            "ADT": base.enrolled[patients] + day,
            "ADY": day,
            "EVNTDESC": _text(np.select([event, dead, followed >= dropout], reasons, "END OF FOLLOW-UP")),
            "AINTLO": rows["left"].to_numpy(float),
            "AINTHI": np.where(np.isinf(right), np.nan, right),
        }
    )


def _adlb(base: _Base) -> pd.DataFrame:
    """One row per patient, visit and value that was recorded, then one per endpoint that is measured once."""
    import pandas as pd

    frames: tuple[Any, ...] = base.observed.visits, base.observed.measures
    seen, once = (frame[frame["allocated"].astype(bool)] for frame in frames)
    recorded = [name for name in seen.columns if name not in _KEYS]
    planned = [one for one in base.study.endpoints.all if not one.timed and one.name in once]
    titles = {
        PARAMETERS.get(name, (_code(name), name))[0]: PARAMETERS.get(name, (_code(name), name))[1] for name in recorded
    }
    codes, end = _codes((one.name for one in planned), titles), float(base.study.follow_up)
    parts = [_rows(seen, name, place) for place, name in enumerate(recorded)]
    for place, one in enumerate(planned, len(recorded)):
        day = end if one.day is None else float(one.day)
        titles[codes[one.name]] = f"{one.name}, day {day:.0f}"[:200]
        parts.append(_rows(once.assign(planned=day, day=day), one.name, place))
    if not parts:
        parts.append(tuple(np.empty(0, kind) for kind in (np.int32, np.int16, float, float, float)))
    patients, place, value, visit, day = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    days = np.unique(visit)
    return pd.DataFrame(
        {
            **base.keys(patients),
            "PARAMCD": pd.Categorical.from_codes(place, list(titles)),
            "PARAM": pd.Categorical.from_codes(place, list(titles.values())),
            "AVAL": value,
            "AVISITN": visit,
            "AVISIT": pd.Categorical.from_codes(np.searchsorted(days, visit), _days_named(days)),
            "ADT": base.enrolled[patients] + day,
            "ADY": day,
        },
        copy=False,
    )


def _days_named(days: np.ndarray) -> list[str]:
    """Days as whole ones, unless two would be named alike."""
    short = [f"Day {day:.0f}" for day in days]
    return short if len(set(short)) == len(short) else [f"Day {day:.10g}" for day in days]


def _rows(frame: pd.DataFrame, column: str, place: int) -> tuple[np.ndarray, ...]:
    """Patient, place of the parameter, value, planned and true day of the rows that have a value."""
    there = frame[column].notna().to_numpy()
    patient, value, planned, day = (frame[name].to_numpy()[there] for name in ("patient", column, "planned", "day"))
    # Seven digits, which visits have anyway and a transport file holds in five bytes.
    single = value.astype(np.float32)
    return patient.astype(np.int32), np.full(len(patient), place, np.int16), single.astype(float), planned, day


def _trait(trait: str, column: pd.Series) -> Any:
    if trait == "sex":
        return _text(column.astype(str).map({"female": "F", "male": "M"}).fillna("U").to_numpy(object))
    if column.dtype.kind == "b":
        return _text(np.where(column.to_numpy(), "Y", "N"))
    return column.to_numpy(float) if column.dtype.kind in "fiu" else _text(column.astype(str).to_numpy(object))


def _text(values: np.ndarray) -> Any:
    import pandas as pd

    return pd.Categorical(values.astype(object))


def _same(value: str, size: int) -> Any:
    import pandas as pd

    return pd.Categorical.from_codes(np.zeros(size, np.int8), [value])


def _mapped(column: pd.Series, texts: Mapping[str, str]) -> Any:
    return _text(column.map(dict(texts)).to_numpy(object))


def _code(name: str) -> str:
    """Name as a CDISC code: capital letters and digits, a letter first, at most eight."""
    found = re.sub(r"[^A-Z0-9]", "", name.upper())[:8]
    return found if found[:1].isalpha() else f"P{found}"[:8]


def _codes(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Codes of names, all different."""
    used, found = set(taken), {}
    for name in names:
        code, number = _code(name), 2
        while code in used:
            code, number = f"{_code(name)[: 8 - len(str(number))]}{number}", number + 1
        used.add(code)
        found[name] = code
    return found


# ---- writing -----------------------------------------------------------------------------------------------------


def write_tables(
    folder: str | Path, tables: Mapping[str, pd.DataFrame], most_rows: int = MOST_XPORT_ROWS
) -> list[Path]:
    """Write every table as ``NAME.parquet`` and ``NAME.xpt``, each whole or not at all.

    Parameters
    ----------
    folder : str or Path
    tables : mapping of str to DataFrame
        As `adam_tables` gives them.
    most_rows : int
        A table with more rows is written as Parquet alone.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    MissingExtra
        pyreadstat is not installed.
    """
    folder, written = Path(folder), []
    for name, table in tables.items():
        written.append(_write_parquet(folder / f"{name}.parquet", table))
        if len(table) <= most_rows:
            written.append(write_xport(folder / f"{name}.xpt", name, table, {one: label_of(one) for one in table}))
    return written


def _write_parquet(path: Path, table: pd.DataFrame) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = pa.Table.from_pandas(table, preserve_index=False)
    fields = [one.with_metadata({"label": label_of(one.name)}) for one in found.schema]
    found = found.cast(pa.schema(fields, found.schema.metadata))
    staged = path.with_name(f".{path.name}.tmp")
    pq.write_table(found, staged, compression="zstd", compression_level=3, version="2.6")
    staged.replace(path)
    return path

"""A table of patients, one a row: read, checked cell by cell, and held as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from osteon.errors import InputError, near_match, show
from osteon.model.person import MEMBERS
from osteon.parameters import load_table
from osteon.population.block import OF_FRACTURE, TRAITS
from osteon.population.spread import settable
from osteon.population.values import Kind, typical
from osteon.scenario import catalogue
from osteon.scenario.quantity import RANGES, Range, check_range
from osteon.units import format_quantity, split_quantity, to_internal

if TYPE_CHECKING:
    import pandas as pd

    from osteon.scenario import Patient, Scenario

_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_UNITS = {"age": "yr", "weight": "kg"}
#: Traits of people that are a parameter: the parameter, and the range.
_MEASURED = {"gfr": ("calcium.gfr", RANGES["gfr"]), "vitamin_d": ("calcium.vitamin_d", RANGES["vitamin_d"])}


@dataclass(frozen=True, eq=False)
class Table:
    """Checked columns of a table of patients, each an array of shape (rows,)."""

    rows: int
    columns: Mapping[str, np.ndarray]

    @property
    def parameters(self) -> list[str]:
        """Columns that give a parameter."""
        return [name for name in self.columns if name not in (*TRAITS, *OF_FRACTURE)]

    def trait(self, name: str, lo: int, hi: int, patient: Patient, member: str) -> np.ndarray:
        """Trait of the rows `lo` to `hi`; where it is no column, that of the patient, or the member."""
        if name in self.columns:
            return self.columns[name][lo:hi]
        return np.full(hi - lo, member if name == "member" else getattr(patient, name))

    def to_dict(self) -> dict[str, list]:
        """Return the columns as lists of plain values."""
        return {name: column.tolist() for name, column in self.columns.items()}


def read_table(scenario: Scenario, source: pd.DataFrame | Mapping[str, Any] | str | Path, member: str) -> Table:
    """Read and check a table of patients.

    Parameters
    ----------
    scenario : Scenario
        Gives the species and the parameters that may be columns.
    source : DataFrame, mapping, str or Path
        A table, columns by name, or the path of a CSV or Parquet file.
    member : str
        Ensemble member of rows without one.

    Raises
    ------
    InputError
        The file cannot be read, or a column or a cell is refused.
    """
    import pandas as pd

    if isinstance(source, pd.DataFrame):
        name, frame = "table", source
    elif isinstance(source, Mapping):
        name, frame = "table", _frame(source)
    elif isinstance(source, str | Path):
        name, frame = str(source), _from_file(Path(source))
    else:
        raise InputError(f"{show(source)} is neither a table nor the path of one", path="table", value=source)
    if not len(frame):
        raise InputError("holds no row, and at least one patient is needed", path=name)
    keys = settable(typical(Kind.of(scenario, member)))
    columns: dict[str, np.ndarray] = {}
    for place, column in enumerate(frame.columns):
        _known(column, keys, name)
        if column in OF_FRACTURE and scenario.fracture is None:
            raise InputError("needs a fracture, and the scenario has none", path=f"{name}, column {column}")
        key = _MEASURED[column][0] if column in _MEASURED else column
        if key in columns:
            raise InputError("stands in the table twice", path=f"{name}, column {column}", value=column)
        columns[key] = _column(frame.iloc[:, place], column, name, scenario.patient.species)
    return Table(len(frame), columns)


def _known(column: Any, keys: list[str], name: str) -> None:
    traits = (*TRAITS, *OF_FRACTURE, *_MEASURED)
    if column in traits or column in keys:
        return
    allowed = f"allowed: {', '.join(traits)}, and parameters of the patients"
    hint = "write the column weight" if column == "denosumab.weight" else near_match(column, [*traits, *keys])
    raise InputError(f"{show(str(column))} is not a known column ({allowed})", path=name, value=column, hint=hint)


def _column(cells: pd.Series, column: str, name: str, species: str) -> np.ndarray:
    """Checked values of one column."""

    def where(row: int) -> str:
        return f"{name}, row {row + 1}, column {column}"

    if column in _UNITS:
        trait = getattr(catalogue.species()[species], column)
        allowed = Range(trait.low, trait.high, trait.unit, bounds=trait.bounds)
        whom = f" for {'a ' if species != 'human' else ''}{species}"
        return _within(_numbers(cells, _UNITS[column], where), allowed, whom, where)
    if column in _MEASURED:
        if species != "human":
            message = f"is known of people alone, and the patients are of the species {species}"
            raise InputError(message, path=f"{name}, column {column}", hint="leave the column out")
        allowed = _MEASURED[column][1]
        return _within(_numbers(cells, allowed.unit, where), allowed, "", where)
    if column in ("sex", "diabetes", "member"):
        choices: Any = {"sex": catalogue.sexes(), "diabetes": catalogue.diabetes(), "member": MEMBERS}[column]
        return np.array(_distinct(cells, lambda cell: _choice(cell, choices), where))
    if column in TRAITS or column in OF_FRACTURE:
        return np.array(_distinct(cells, _flag, where), bool)
    values = _numbers(cells, "", where)
    most = 1.0 if column in load_table("spread")["shares"] else np.inf
    bad = np.flatnonzero((values < 0) | (values > most))
    if len(bad):
        row = int(bad[0])
        limits = "0 to 1" if most == 1 else "0 and above"
        raise InputError(f"{values[row]:g} is outside the allowed range of {limits}", path=where(row))
    return values


def _numbers(cells: pd.Series, unit: str, where: Callable[[int], str]) -> np.ndarray:
    """Finite numbers; text may carry the unit where there is one to convert to."""
    from pandas.api.types import is_float_dtype, is_integer_dtype

    def read(cell: Any) -> float:
        number, written = split_quantity(cell, unit or "1")
        if written and not unit:
            raise InputError(f"{show(cell)} is not a plain number in the parameter's own unit", value=cell)
        return to_internal(cell, unit) if written else float(number)

    if is_integer_dtype(cells.dtype) or is_float_dtype(cells.dtype):
        values = cells.to_numpy(dtype=float, na_value=np.nan)
    else:
        values = np.array(_distinct(cells, read, where), float)
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        value = values[bad[0]]
        message = "is empty" if np.isnan(value) else f"{value} is not a finite number"
        raise InputError(message, path=where(int(bad[0])), hint="fill it in, or leave the column out")
    return values


def _within(values: np.ndarray, allowed: Range, whom: str, where: Callable[[int], str]) -> np.ndarray:
    bad = np.flatnonzero((values < allowed.low) | (values > allowed.high))
    for row in bad[:1].tolist():
        try:
            check_range(float(values[row]), allowed, format_quantity(float(values[row]), allowed.unit), whom)
        except InputError as error:
            raise error.at(where(row)) from None
    return values


def _distinct(cells: pd.Series, read: Callable[[Any], Any], where: Callable[[int], str]) -> list[Any]:
    """Values of all cells, each different one read once."""
    found: dict[tuple[type, Any], Any] = {}
    values = []
    missing = cells.isna().to_numpy()
    for row, cell in enumerate(cells.tolist()):
        if missing[row]:
            raise InputError("is empty", path=where(row), hint="fill it in, or leave the column out")
        try:
            place = (type(cell), cell)
            if place not in found:
                found[place] = read(cell)
            values.append(found[place])
        except InputError as error:
            raise error.at(where(row)) from None
        except TypeError:
            raise InputError(f"{show(cell)} is not a value", path=where(row), value=cell) from None
    return values


def _choice(cell: Any, allowed: Mapping[str, Any]) -> str:
    if isinstance(cell, str) and cell.strip() in allowed:
        return cell.strip()
    raise InputError(f"{show(cell)} is not one of {', '.join(allowed)}", value=cell, hint=near_match(cell, allowed))


def _flag(cell: Any) -> bool:
    text = f"{cell:g}" if isinstance(cell, float) else str(cell).strip().lower()
    if text not in _FLAGS:
        raise InputError(f"{show(cell)} is neither true nor false", value=cell)
    return _FLAGS[text]


def _frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.DataFrame(dict(columns))
    except ValueError as error:
        raise InputError(f"cannot be read as columns ({error})", path="table") from None


def _from_file(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():
        raise InputError("there is no such file", path=str(path))
    kind = path.suffix.lower()
    if kind not in (".csv", ".parquet"):
        raise InputError(f"{show(kind)} is neither .csv nor .parquet", path=str(path), value=kind)
    try:
        if kind == ".parquet":
            return pd.read_parquet(path)
        # A cell that says none is a word, not a gap.
        frame = pd.read_csv(path, keep_default_na=False, na_values=[""], skipinitialspace=True, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read ({error})", path=str(path)) from None
    if not isinstance(frame.index, pd.RangeIndex):
        # pandas would take the first column for a name of the row, and shift the others.
        raise InputError("has rows with more cells than its first line has names", path=str(path))
    return frame

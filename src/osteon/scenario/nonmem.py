"""Dose records from a NONMEM-style CSV file, turned into ordinary doses."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import PlainValidator, ValidationError, WithJsonSchema

from osteon.errors import InputError, near_match, show
from osteon.scenario import catalogue
from osteon.scenario.base import Model, described, guarded, to_input_error
from osteon.scenario.quantity import MOST_EVENTS, NUMBER_PATTERN, Name, choice, read_amount
from osteon.scenario.read import read_text
from osteon.scenario.treatment import Dose
from osteon.units import to_internal

COLUMNS = ("TIME", "AMT", "II", "ADDL", "EVID", "CMT")
_NUMBER = re.compile(NUMBER_PATTERN)
_REFUSED_EVENTS = {2: "other event", 3: "reset", 4: "reset and dose"}


def _unit(read: Any) -> tuple[Any, ...]:
    """Return the parts of a unit name that `read` accepts behind the number 1."""

    def check(given: Any) -> str:
        if not isinstance(given, str) or not given.strip():
            raise InputError(f"{show(given)} is not a unit", value=given, hint='write for example "days" or "mg"')
        read(f"1 {given.strip()}")
        return given.strip()

    return PlainValidator(guarded(check)), WithJsonSchema({"type": "string", "minLength": 1})


def _compartments(given: Any) -> dict[int, str]:
    if not isinstance(given, dict) or not all(re.fullmatch(r"[0-9]{1,4}", str(key)) for key in given):
        raise InputError(f"{show(given)} is not a mapping of CMT numbers to routes", value=given)
    for route in given.values():
        if route not in catalogue.routes():
            allowed = ", ".join(catalogue.routes())
            guess = near_match(route, catalogue.routes())
            raise InputError(f"{show(route)} is not a known route (allowed: {allowed})", value=route, hint=guess)
    return {int(key): route for key, route in given.items()}


_COMPARTMENTS_SCHEMA = {"type": "object", "additionalProperties": {"type": "string", "enum": list(catalogue.routes())}}


class DosesCsv(Model):
    """A CSV file of doses and the meaning of its columns."""

    file: Name = described("File", "文件", "CSV file, in or below the folder of the scenario.", examples=["doses.csv"])
    drug: Annotated[str, *choice("drug", catalogue.drugs())] = described(
        "Drug", "药物", "The drug of every row.", default="denosumab"
    )
    time: Annotated[str, *_unit(lambda text: to_internal(text, "day"))] = described(
        "Unit of TIME and II",
        "时间单位",
        "Unit of the columns TIME and II.",
        default="days",
        examples=["days", "hours"],
    )
    amount: Annotated[str, *_unit(read_amount)] = described(
        "Unit of AMT", "剂量单位", "Unit of the column AMT.", default="mg", examples=["mg", "mg/kg"]
    )
    route: Annotated[str | None, *choice("route", catalogue.routes())] = described(
        "Route", "给药途径", "Route of every row; left out, the usual route of the drug.", default=None
    )
    compartments: Annotated[
        dict[int, str] | None, PlainValidator(guarded(_compartments)), WithJsonSchema(_COMPARTMENTS_SCHEMA)
    ] = described("Compartments", "房室", "Route of each CMT number.", default=None, examples=[{"1": "subcutaneous"}])


def read_doses(given: Any, base_dir: Path | None) -> tuple[Dose, ...]:
    """Return the doses of a CSV file.

    Parameters
    ----------
    given : str, mapping or DosesCsv
        A file name, or a mapping that names the file and its units.
    base_dir : Path or None
        Folder of the scenario; the file must lie in or below it.

    Returns
    -------
    tuple of Dose
        In the order of the rows.

    Raises
    ------
    InputError
        If the description, the file or a row is refused; the message names the line.
    """
    source = _describe(given)
    if base_dir is None:
        hint = "read the scenario from a file, or give base_dir"
        raise InputError(f"{show(source.file)} has no folder to start from", value=source.file, hint=hint)
    folder = base_dir.resolve()
    path = (folder / source.file).resolve()
    if not path.is_relative_to(folder):
        hint = "move the file beside the scenario"
        raise InputError(f"{show(source.file)} lies outside the scenario's folder", value=source.file, hint=hint)
    try:
        text = read_text(path)
    except InputError as error:
        raise InputError(f"{show(source.file)} {_lower(error.message)}", value=source.file, hint=error.hint) from None
    return _parse(text, source)


def _describe(given: Any) -> DosesCsv:
    if isinstance(given, DosesCsv):
        return given
    try:
        return DosesCsv.model_validate({"file": given} if isinstance(given, str) else given)
    except ValidationError as error:
        raise to_input_error(error) from None


def _parse(text: str, source: DosesCsv) -> tuple[Dose, ...]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    doses: list[Dose] = []
    seen: dict[str, set[float]] = {"ID": set(), "CMT": set()}
    try:
        header = _header(next(reader), source)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"line {reader.line_num} of {show(source.file)}"
            if len(cells) != len(header):
                raise InputError(f"{where} has {len(cells)} cells, and the header has {len(header)}")
            row = {name: _cell(cell, name, where) for name, cell in zip(header, cells, strict=True) if name in _USED}
            seen["ID"].add(row.get("ID", 0.0))
            if (dose := _dose(row, source, where)) is not None:
                seen["CMT"].add(row["CMT"])
                doses.append(dose)
            if len(doses) > MOST_EVENTS:
                raise InputError(f"{show(source.file)} has more than {MOST_EVENTS} dose rows")
    except csv.Error as error:
        raise InputError(f"line {reader.line_num} of {show(source.file)} is not valid CSV: {error}") from None
    if len(seen["ID"]) > 1:
        raise InputError(f"{show(source.file)} holds {len(seen['ID'])} patients in ID, and an arm has one")
    if len(seen["CMT"]) > 1 and source.compartments is None:
        hint = 'write for example "compartments: {1: subcutaneous}"'
        raise InputError(f"{show(source.file)} doses several compartments (CMT)", hint=hint)
    if not doses:
        raise InputError(f"{show(source.file)} has no dose row (EVID 1)")
    return tuple(doses)


#: RATE and SS would change the meaning of a dose, so they are read and refused when set.
_USED = {*COLUMNS, "ID", "RATE", "SS"}


def _header(cells: list[str], source: DosesCsv) -> list[str]:
    names = [cell.strip().upper() for cell in cells]
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        hint = f"the columns are {', '.join(COLUMNS)}, and ID if you like"
        raise InputError(f"{show(source.file)} lacks the column {', '.join(missing)}", hint=hint)
    twice = next((name for name in names if name in _USED and names.count(name) > 1), None)
    if twice:
        raise InputError(f"{show(source.file)} has the column {twice} twice")
    return names


def _cell(text: str, name: str, where: str) -> float:
    """Return a number; an empty cell or a dot is NONMEM's zero."""
    text = text.strip()
    if text in ("", "."):
        return 0.0
    value = float(text) if _NUMBER.fullmatch(text) and len(text) <= 40 else float("nan")
    if not abs(value) < 1e12:
        raise InputError(f"{where} has {show(text)} in {name}, which is not a finite number", value=text)
    return value


def _dose(row: dict[str, float], source: DosesCsv, where: str) -> Dose | None:
    """Return the dose of a row, or nothing for an observation."""
    event = row["EVID"]
    if event == 0:
        return None
    if event != 1:
        known = _REFUSED_EVENTS.get(int(event), "unknown") if event == int(event) else "unknown"
        hint = "osteon reads 1 (dose) and 0 (observation)"
        raise InputError(f"{where} has EVID {event:g} ({known})", value=event, hint=hint)
    for name in ("RATE", "SS"):
        if row.get(name, 0.0) != 0:
            raise InputError(f"{where} sets {name}, and osteon reads plain doses only", value=row[name])
    extra = row["ADDL"]
    if extra < 0 or extra != int(extra):
        raise InputError(f"{where} has ADDL {extra:g}, which is not a whole number from 0", value=extra)
    if extra > 0 and row["II"] <= 0:
        raise InputError(f"{where} has ADDL {extra:g} and needs an interval II above 0", value=row["II"])
    record: dict[str, Any] = {
        "drug": source.drug,
        "amount": f"{row['AMT']!r} {source.amount}",
        "start": f"{row['TIME']!r} {source.time}",
        "route": _route(row, source, where),
    }
    if extra > 0:
        record |= {"every": f"{row['II']!r} {source.time}", "count": int(extra) + 1}
    try:
        return Dose.model_validate(record)
    except ValidationError as error:
        fault = to_input_error(error)
        raise InputError(f"{where}, {fault.path}: {fault.message}", value=fault.value, hint=fault.hint) from None


def _route(row: dict[str, float], source: DosesCsv, where: str) -> str | None:
    if source.compartments is None:
        return source.route
    if row["CMT"] not in source.compartments:
        known = ", ".join(str(number) for number in source.compartments)
        raise InputError(f"{where} has CMT {row['CMT']:g}, and compartments names {known}", value=row["CMT"])
    return source.compartments[int(row["CMT"])]


def _lower(message: str) -> str:
    return "does not exist" if message.startswith("there is no") else message

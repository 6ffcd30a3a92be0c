"""SAS transport files (version 5) of large tables: the header by pyreadstat, the rows from arrays.

pyreadstat writes cell by cell, which takes minutes for millions of rows; here rows are packed many at a time. A file
depends on its table alone: the moment it was written is not in it.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from osteon.errors import MissingExtra

if TYPE_CHECKING:
    import pandas as pd

_RECORD, _NAMESTR = 80, 140
_ROWS_AT_ONCE = 250_000
_MISSING = np.frombuffer(b"." + bytes(7), ">u8")[0]
_STAMP = re.compile(rb"\d\d[A-Z]{3}\d\d:\d\d:\d\d:\d\d")
_NO_STAMP = b"01JAN60:00:00:00"
_LONGEST = 200  # bytes of a text in version 5
_SHORTEST = 3  # bytes of a number that every system reads


class _Field(NamedTuple):
    """Where a column lies in a row."""

    text: bool
    length: int
    start: int


def write_xport(path: Path, name: str, table: pd.DataFrame, labels: Mapping[str, str]) -> Path:
    """Write a table as a SAS transport file, whole or not at all.

    Parameters
    ----------
    path : Path
        Of the file.
    name : str
        Of the member, at most 8 characters.
    table : DataFrame
        Numbers, and texts as categories; names of at most 8 characters. A missing number is the missing value of SAS,
        a missing text is blank. Texts are UTF-8 of at most 200 bytes. A column is as wide as its longest text, or as
        the bytes without which some number would be another.
    labels : mapping of str to str
        Of the columns, at most 40 characters.

    Raises
    ------
    MissingExtra
        pyreadstat is not installed.
    """
    staged = path.with_name(f".{path.name}.tmp")
    texts = {column: _texts(table[column]) for column in table if table[column].dtype.name == "category"}
    lengths = {column: _digits(table[column]) for column in table if column not in texts}
    header, fields = _header(staged, name, table, texts, labels, lengths)
    width = sum(field.length for field in fields.values())
    padded = {column: _padded(texts[column], fields[column].length) for column in texts}
    with staged.open("wb") as file:
        file.write(header)
        for lo in range(0, len(table), _ROWS_AT_ONCE):
            part = table.iloc[lo : lo + _ROWS_AT_ONCE]
            rows = np.empty((len(part), width), np.uint8)
            for column, field in fields.items():
                if column in padded:
                    # The last of the texts is blank, which is what the code -1 of a missing one takes.
                    cells = padded[column][part[column].cat.codes.to_numpy()]
                else:
                    words = ibm_floats(part[column].to_numpy(float)).view(np.uint8).reshape(len(part), 8)
                    cells = words[:, : field.length]
                rows[:, field.start : field.start + field.length] = cells
            file.write(rows.tobytes())
        file.write(b" " * (-(len(header) + width * len(table)) % _RECORD))
    staged.replace(path)
    return path


def ibm_floats(values: np.ndarray) -> np.ndarray:
    """Numbers as the hexadecimal floats of SAS transport files, big-endian words of shape (n,); exact for doubles.

    A number that is not finite is the missing value.
    """
    good = np.isfinite(values)
    share, power = np.frexp(np.abs(np.where(good, values, 0.0)))
    digits = -(-power // 4)
    mantissa = np.ldexp(share, 56 - (4 * digits - power)).astype(np.uint64)
    words = ((digits + 64).astype(np.uint64) << np.uint64(56)) | mantissa
    words |= np.signbit(values).astype(np.uint64) << np.uint64(63)
    words = np.where(share == 0, np.uint64(0), words)
    return np.where(good, words, np.uint64(_MISSING)).astype(">u8")


def _digits(column: Any) -> int:
    """Bytes that hold every number of a column exactly: the exponent and as many digits as any of them has."""
    used = np.uint64(0)
    for lo in range(0, len(column), _ROWS_AT_ONCE):
        used |= np.bitwise_or.reduce(ibm_floats(column.iloc[lo : lo + _ROWS_AT_ONCE].to_numpy(float)).astype(np.uint64))
    last = max((place for place in range(8) if int(used) >> (56 - 8 * place) & 0xFF), default=0)
    return max(_SHORTEST, last + 1)


def _texts(column: Any) -> list[bytes]:
    """Texts of a column of categories as bytes, in the order of their codes."""
    return [_cut(str(one).encode()) for one in column.cat.categories]


def _cut(text: bytes) -> bytes:
    return text[:_LONGEST].decode(errors="ignore").encode()


def _padded(texts: list[bytes], length: int) -> np.ndarray:
    """Texts filled up with blanks, and a blank one last, shape (texts + 1, length)."""
    joined = b"".join(one.ljust(length) for one in [*texts, b""])
    return np.frombuffer(joined, np.uint8).reshape(len(texts) + 1, length)


def _header(
    path: Path,
    name: str,
    table: pd.DataFrame,
    texts: Mapping[str, list[bytes]],
    labels: Mapping[str, str],
    lengths: Mapping[str, int],
) -> tuple[bytes, dict[str, _Field]]:
    """Header of the file by pyreadstat, of a table with one row that has the longest texts; and its columns.

    pyreadstat gives every number eight bytes; here they get those of `lengths`, and all that follows moves up.
    """
    import pandas as pd

    try:
        import pyreadstat
    except ImportError:
        raise MissingExtra("Writing SAS transport files", "trial") from None
    longest = {column: max(found, key=len, default=b"").decode() or " " for column, found in texts.items()}
    one: Any = pd.DataFrame({column: [longest.get(column, 0.0)] for column in table})
    pyreadstat.write_xport(
        one, str(path), table_name=name.upper()[:8], column_labels=dict(labels), file_format_version=5
    )
    whole = path.read_bytes()
    end = whole.index(b"OBS     HEADER RECORD") // _RECORD * _RECORD + _RECORD
    begin = whole.index(b"NAMESTR HEADER RECORD") // _RECORD * _RECORD + _RECORD
    fields, header, start = {}, bytearray(whole[:end]), 0
    for place, column in enumerate(table):
        record = begin + place * _NAMESTR
        kind, _, length = struct.unpack(">hhh", whole[record : record + 6])
        length = lengths.get(column, length)
        header[record + 4 : record + 6] = struct.pack(">h", length)
        header[record + 84 : record + 88] = struct.pack(">l", start)
        fields[column] = _Field(kind == 2, length, start)
        start += length
    return _STAMP.sub(_NO_STAMP, bytes(header)), fields

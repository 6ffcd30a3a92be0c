"""Reading of scenario files: small, plain UTF-8 text in YAML or JSON, and nothing that could surprise.

The tree that comes out has mappings with text keys, lists, text, whole and finite numbers, true, false and null.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from osteon.errors import InputError, show
from osteon.scenario.base import join_path

LARGEST_FILE = 1_000_000
DEEPEST = 12
MOST_VALUES = 100_000
LONGEST_TEXT = 2_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,30}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = {".nan", ".inf", "-.inf", "+.inf", "nan", "inf", "-inf", "+inf"}


def read_text(path: Path) -> str:
    """Return the text of a regular file.

    Raises
    ------
    InputError
        If the file is missing, no regular file, unreadable, larger than 1 MB, empty or not UTF-8.
    """
    name = str(path)
    try:
        if path.is_dir():
            raise InputError("is a folder, not a file", path=name)
        if not path.exists():
            raise InputError("there is no such file", path=name)
        if not path.is_file():
            raise InputError("is not a regular file", path=name)
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise InputError(f"has {size / 1e6:.1f} MB, and at most 1 MB is read", path=name, value=size)
        with path.open("rb") as stream:
            raw = stream.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be read ({reason})", path=name) from None
    return decode(raw, name)


def decode(raw: bytes, name: str = "") -> str:
    """Return bytes as text; raises `InputError` if they are too many, empty or not UTF-8."""
    if len(raw) > LARGEST_FILE:
        raise InputError(f"has {len(raw) / 1e6:.1f} MB, and at most 1 MB is read", path=name, value=len(raw))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        hint = "save the file as UTF-8"
        raise InputError(f"is not UTF-8 text (byte {error.start + 1})", path=name, hint=hint) from None
    if not text.strip():
        raise InputError("is empty", path=name)
    return text


def load(text: str, suffix: str = "", name: str = "") -> Any:
    """Return the checked tree of a YAML or JSON text; the suffix decides, or else the content.

    Raises
    ------
    InputError
        If the text is malformed, or `check_tree` refuses what it holds.
    """
    if len(text) > LARGEST_FILE:
        raise InputError(f"has {len(text) / 1e6:.1f} MB, and at most 1 MB is read", path=name, value=len(text))
    if not text.strip():
        raise InputError("is empty", path=name)
    _check_letters(text, name)
    suffix = suffix.lower()
    if suffix in (".yaml", ".yml") or not (suffix == ".json" or text.lstrip().startswith("{")):
        return check_tree(_load_yaml(text, name))
    try:
        return check_tree(_load_json(text, name))
    except json.JSONDecodeError as error:
        fault = InputError(f"is not valid JSON: {error.msg} in line {error.lineno}", path=name)
    # Without a telling suffix, braces may also be YAML.
    try:
        tree = None if suffix == ".json" else _load_yaml(text, name)
    except InputError as error:
        raise (fault if error.path == name else error) from None
    if tree is None:
        raise fault
    return check_tree(tree)


def _check_letters(text: str, name: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError("has a letter that cannot be written as UTF-8", path=name) from None


def check_tree(value: Any, path: str = "") -> Any:
    """Return a plain copy of a tree, with text keys.

    Raises
    ------
    InputError
        For a number that is not finite, a repeated key, text that is too long or has control characters,
        nesting deeper than 12 levels, more than 100 000 values, or a value of another kind.
    """
    budget = iter(range(MOST_VALUES))
    return _plain(value, path, 0, budget)


def _plain(value: Any, path: str, depth: int, budget: Iterator[int]) -> Any:
    if next(budget, None) is None:
        raise InputError(f"has more than {MOST_VALUES} values", path=path)
    if depth > DEEPEST:
        raise InputError(f"is nested deeper than {DEEPEST} levels", path=path)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _plain_text(value, path)
    if isinstance(value, int):
        if abs(value) > 2**53:
            raise InputError(f"{show(value)} is too large a number", path=path, value=value)
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise InputError(f"{show(value)} is not a finite number", path=path, value=value)
        return float(value)
    if isinstance(value, Mapping):
        return _plain_mapping(value, path, depth, budget)
    if isinstance(value, list | tuple):
        return [_plain(item, join_path(path, index), depth + 1, budget) for index, item in enumerate(value)]
    # Records built in Python stand where their mapping would, and are checked by their own class.
    if hasattr(value, "model_fields_set"):
        return value
    raise InputError(f"a value of type {type(value).__name__} cannot stand in a scenario", path=path)


def _plain_mapping(value: Mapping[Any, Any], path: str, depth: int, budget: Iterator[int]) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(key, bool) or not isinstance(key, str | int):
            raise InputError(f"the key {show(key)} is not text", path=path, value=key)
        name = _plain_text(str(key), path) if len(str(key)) <= LONGEST_TEXT else str(key)[:60]
        plain[name] = _plain(item, join_path(path, name[:60]), depth + 1, budget)
    if isinstance(value, _Pairs) and value.repeated is not None:
        raise _repeated(value.repeated, path)
    return plain


def _plain_text(value: str, path: str) -> str:
    if len(value) > LONGEST_TEXT:
        raise InputError(f"text of {len(value)} characters is longer than {LONGEST_TEXT}", path=path)
    if not value.isprintable() and any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value.strip()):
        raise InputError(f"{show(value)} has a control character or a line break", path=path, value=value)
    return value


def _repeated(key: str, path: str, line: int | None = None) -> InputError:
    where = f" (line {line})" if line else ""
    return InputError(f"the key is written twice{where}", path=join_path(path, key[:60]), value=key)


class _Pairs(dict[str, Any]):
    """A JSON mapping that remembers a key written twice."""

    repeated: str | None = None


def _pairs(items: list[tuple[str, Any]]) -> _Pairs:
    mapping = _Pairs(items)
    if len(mapping) < len(items):
        keys = [key for key, _ in items]
        mapping.repeated = next(key for index, key in enumerate(keys) if key in keys[:index])
    return mapping


def _load_json(text: str, name: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_pairs)
    except json.JSONDecodeError:
        raise
    except RecursionError:
        raise InputError(f"is nested deeper than {DEEPEST} levels", path=name) from None
    except ValueError:
        raise InputError("holds a number with too many digits", path=name) from None


def _load_yaml(text: str, name: str) -> Any:
    loader = _Loader(text)
    try:
        return _Yaml(loader, name).document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be parsed"
        raise InputError(f"is not valid YAML: {problem}{where}", path=name) from None
    finally:
        loader.dispose()


class _Yaml:
    """Builds the tree from parser events, so that aliases, tags and repeated keys are met before they act."""

    def __init__(self, loader: Any, name: str) -> None:
        self._loader = loader
        self._name = name
        self._values = 0

    def document(self) -> Any:
        next_event = self._loader.get_event
        next_event()
        if isinstance(next_event(), yaml.StreamEndEvent):
            raise InputError("holds no values", path=self._name)
        tree = self._node(next_event(), "", 0)
        next_event()
        if not isinstance(next_event(), yaml.StreamEndEvent):
            raise InputError("holds more than one document", path=self._name, hint="remove the line ---")
        return tree

    def _node(self, event: Any, path: str, depth: int) -> Any:
        line = event.start_mark.line + 1
        where = path or self._name
        self._values += 1
        if self._values > MOST_VALUES:
            raise InputError(f"has more than {MOST_VALUES} values", path=self._name)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise InputError(f"YAML anchors and aliases are not read (line {line})", path=where, hint="write it out")
        if event.tag is not None:
            raise InputError(f"YAML tags are not read (line {line})", path=where, value=event.tag)
        if depth > DEEPEST:
            raise InputError(f"is nested deeper than {DEEPEST} levels (line {line})", path=where)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path, depth)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path, depth)
        return _scalar(event.value) if event.implicit[0] else event.value

    def _sequence(self, path: str, depth: int) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := self._loader.get_event(), yaml.SequenceEndEvent):
            items.append(self._node(event, join_path(path, len(items)), depth + 1))
        return items

    def _mapping(self, path: str, depth: int) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := self._loader.get_event(), yaml.MappingEndEvent):
            line = event.start_mark.line + 1
            if not isinstance(event, yaml.ScalarEvent):
                raise InputError(f"a key is not plain text (line {line})", path=path or self._name)
            self._node(event, path, depth)
            key = event.value
            if key in mapping:
                raise _repeated(key, path, line)
            mapping[key] = self._node(self._loader.get_event(), join_path(path, key[:60]), depth + 1)
        return mapping


def _scalar(text: str) -> Any:
    """Return the value of an unquoted scalar: null, true, false, a number, or the text itself."""
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) or text.lower() in _NOT_FINITE:
        return float(text.lower().replace(".nan", "nan").replace(".inf", "inf"))
    return text

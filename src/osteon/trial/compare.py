"""Two trials side by side: the settings that differ, the estimates, and Table 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from osteon.trial.folder import TrialRun

_MISSING = object()


@dataclass(frozen=True)
class Comparison:
    """Two trials side by side; every row has the values of the first and of the second, None where one has none.

    Attributes
    ----------
    titles : tuple of str
    settings : list of (path, first, second)
        Fields of the study, the versions and the seed that differ.
    estimates : list of dict
        ``endpoint``, ``method``, ``arm`` and under ``first`` and ``second`` the estimate: ``measure``, ``value``,
        ``low``, ``high``, ``p``, ``level``, ``unit``, ``tau``, ``reason``, ``primary``.
    table1 : list of dict
        ``trait``, ``level``, ``arm`` (empty for all together), and under ``first`` and ``second`` ``n``, ``mean``,
        ``sd``, ``count``, ``share``.
    same : bool
        Whether the files of both have the same bits.
    """

    titles: tuple[str, str]
    settings: list[tuple[str, Any, Any]]
    estimates: list[dict[str, Any]]
    table1: list[dict[str, Any]]
    same: bool

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "titles": list(self.titles),
            "same": self.same,
            "settings": [{"field": path, "first": one, "second": two} for path, one, two in self.settings],
            "estimates": self.estimates,
            "table1": self.table1,
        }


def compare(first: TrialRun, second: TrialRun) -> Comparison:
    """Set two trials side by side.

    Parameters
    ----------
    first, second : TrialRun
        As `osteon.trial.folder.open_trial` gives them.

    Returns
    -------
    Comparison
    """
    trees = [{**run.study.to_dict(), "versions": run.manifest.get("versions", {})} for run in (first, second)]
    files = [dict(run.manifest.get("files", {})) for run in (first, second)]
    return Comparison(
        (first.study.title, second.study.title),
        list(differences(trees[0], trees[1])),
        _paired(_estimates(first.analysis), _estimates(second.analysis), ("endpoint", "method", "arm")),
        _paired(_table1(first.analysis), _table1(second.analysis), ("trait", "level", "arm")),
        bool(files[0]) and files[0] == files[1],
    )


_SHOWN = ("measure", "value", "low", "high", "p", "level", "unit", "tau", "reason", "primary")
_CELL = ("n", "mean", "sd", "count", "share")


def _estimates(analysis: Mapping[str, Any]) -> dict[tuple[str, ...], dict[str, Any]]:
    return {
        (one["endpoint"], one["method"], one["arm"]): {name: one[name] for name in _SHOWN}
        for one in analysis["estimates"]
    }


def _table1(analysis: Mapping[str, Any]) -> dict[tuple[str, ...], dict[str, Any]]:
    return {
        (one["trait"], str(one["level"]), one["arm"]): {name: one[name] for name in _CELL} for one in analysis["table1"]
    }


def differences(first: Any, second: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every leaf in which two trees differ, as ``arms[0].doses[1].amount``, first, second."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        for key in {**first, **second}:
            below = f"{path}.{key}".lstrip(".")
            yield from differences(first.get(key, _MISSING), second.get(key, _MISSING), below)
    elif isinstance(first, list | tuple) and isinstance(second, list | tuple):
        for place in range(max(len(first), len(second))):
            one, two = (tree[place] if place < len(tree) else _MISSING for tree in (first, second))
            yield from differences(one, two, f"{path}[{place}]")
    elif first is not second and first != second:
        yield path, None if first is _MISSING else first, None if second is _MISSING else second


def _paired(
    first: Mapping[tuple[str, ...], Any], second: Mapping[tuple[str, ...], Any], names: tuple[str, ...]
) -> list[dict[str, Any]]:
    keys = {**first, **second}
    return [{**dict(zip(names, key, strict=True)), "first": first.get(key), "second": second.get(key)} for key in keys]

"""Two trials side by side as tables of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from osteon.report.locale import Words
from osteon.report.numbers import is_number, plain
from osteon.report.trial_facts import level_title, said, trait_text
from osteon.report.trial_words import method_title, p_text, title, value_text

if TYPE_CHECKING:
    from osteon.trial.compare import Comparison

Table = tuple[str, list[str], list[list[str]]]


def tables(words: Words, found: Comparison) -> list[Table]:
    """Tables of a comparison: title, headings, rows of text; the table of what differs first.

    Parameters
    ----------
    words : Words
        Language.
    found : Comparison
        Of two trials.
    """
    heads = [words("trial.compare_first", title=found.titles[0]), words("trial.compare_second", title=found.titles[1])]
    arm = words("trial.arm")
    settings = [[path, _cell(one), _cell(two)] for path, one, two in found.settings]
    estimates = [
        [
            one["endpoint"],
            method_title(words, one["method"]),
            one["arm"],
            *(_estimate(words, one[key]) for key in _BOTH),
        ]
        for one in found.estimates
    ]
    table1 = [[*_trait(words, one), one["arm"] or words("trial.all_arms"), *_pair(one)] for one in found.table1]
    return [
        (words("trial.compare_settings"), [words("trial.compare_field"), *heads], settings),
        (words("trial.compare_estimates"), [words("trial.endpoint"), words("trial.method"), arm, *heads], estimates),
        (words("trial.compare_table1"), [words("trial.trait"), "", arm, *heads], table1),
    ]


_BOTH = ("first", "second")


def _trait(words: Words, one: Mapping[str, Any]) -> list[str]:
    level = "" if one["level"] in ("", "yes") else level_title(words, one["trait"], one["level"])
    return [title(words, "traits", one["trait"]), level]


def _pair(one: Mapping[str, Any]) -> list[str]:
    return ["–" if one[key] is None else trait_text(one[key]) for key in _BOTH]


def _cell(value: Any) -> str:
    """A value of a setting, as the file has it."""
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_cell(one)}" for key, one in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_cell, value))
    return plain(value, 6) if is_number(value) else "–" if value is None else str(value)


def _estimate(words: Words, one: Mapping[str, Any] | None) -> str:
    if one is None:
        return "–"
    if one["reason"]:
        return said(words, one["reason"])
    p = p_text(one["p"])
    told = f"p {p}" if p.startswith("<") else f"p = {p}"
    if not is_number(one["value"]):
        return told
    scale = 100.0 if one["unit"] == "share" else 1.0
    ends = (one[key] if one[key] is None else scale * one[key] for key in ("value", "low", "high"))
    value, low, high = (value_text(one["measure"], end) for end in ends)
    unit = {"share": " %", "day": f" {words('trial.unit_day')}"}.get(one["unit"], "")
    return f"{value}{unit} ({low} – {high}), {told}"

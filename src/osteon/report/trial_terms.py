"""Terms of a trial that need more than a title: events with their limits, rules of inclusion, counts behind a share."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from osteon.report.locale import Words
from osteon.report.numbers import is_number, plain
from osteon.report.trial_words import title

if TYPE_CHECKING:
    from osteon.trial.study import Study

_SIGNS = {"at_least": "<", "at_most": ">"}


@cache
def _limits() -> dict[str, str]:
    """Serum calcium below which each event is counted [mmol/L], as text."""
    from osteon.parameters import load

    names = ("hypocalcaemia", "severe_hypocalcaemia")
    return {name: plain(load("calcium")[f"safety.{name}"].value, 4) for name in names}


def event_title(words: Words, event: str, safety: bool = False) -> str:
    """Title of an event, with the limit that makes it one; in the table of safety with whom its share is of."""
    text = words.get(f"trial.safety_{event}", "") if safety else ""
    return (text or title(words, "events", event)).replace("{limit}", _limits().get(event, ""))


def excluded(words: Words, study: Study, reason: str) -> str:
    """Why somebody was kept out, in the language of the page; as it stands where no rule of the study says it."""
    for rule in study.population.rules:
        if rule.reason == reason:
            return words("list_separator").join(_kept_out(words, rule.model_dump()))
    return reason


def _kept_out(words: Words, rule: Mapping[str, Any]) -> list[str]:
    from osteon.report.trial_facts import level_title

    name = title(words, "traits", rule["trait"])
    found = [
        f"{name} {sign} {_quantity(words, rule[key])}" for key, sign in _SIGNS.items() if rule.get(key) is not None
    ]
    for key in ("is", "not"):
        value = rule.get(key)
        if isinstance(value, bool):
            found.append(words("trial.rule_without" if value == (key == "is") else "trial.rule_with", trait=name))
        elif value is not None:
            level = level_title(words, rule["trait"], str(value))
            found.append(words(f"trial.rule_{key}", trait=name, value=level))
    return found


def _quantity(words: Words, value: Any) -> str:
    number, _, unit = str(value).partition(" ")
    return f"{number} {words.get(f'trial.unit_{unit}', unit)}" if unit else number


def counts(words: Words, one: Mapping[str, Any]) -> str:
    """Numbers behind a difference of shares; empty for other estimates."""
    if one["unit"] != "share" or not (is_number(one.get("n")) and is_number(one.get("n_control"))):
        return ""
    parts = ((one["arm"], "events", "n"), (one["control"], "events_control", "n_control"))
    told = [words("trial.count_of", arm=arm, count=f"{one[k]:,}", n=f"{one[n]:,}") for arm, k, n in parts]
    return words("list_separator").join(told)

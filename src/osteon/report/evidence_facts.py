"""Tables and cards of the evidence page: totals, the worst misses, and what is known of each study."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from osteon.report.describe import title_of
from osteon.report.evidence_data import USES, VERDICTS, drug, endpoint_of, species, titled, unit_of
from osteon.report.locale import Words
from osteon.report.numbers import MONTH, fixed, plain

WORST = 10
_DIGITS = 3
_WHOLE_DAYS = 120.0  # later days are told in months [day]


def uses(words: Words, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Totals of the fitted, the check and the noise rows, each as a card; a use without a row has none."""
    return [
        {
            "use": use,
            "title": titled(words, "use", use),
            "lead": words(f"evidence_page.lead_{use}"),
            **_counts(told, use),
        }
        for use in USES
        if told["totals"]["use"][use]["rows"]
    ]


def _counts(told: Mapping[str, Any], use: str) -> dict[str, Any]:
    one = told["totals"]["use"][use]
    return {
        **one,
        "missed": one["numbers"] - one["covered"],
        "worded_wrong": one["worded"] - one["worded_right"],
        "coverage_text": _share(one["coverage"]),
        "agreement_text": _share(one["agreement"]),
        "bar": None if one["coverage"] is None else round(100 * one["coverage"], 1),
    }


def splits(words: Words, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Coverage by engine, species, drug and endpoint: a table each, fitted and check rows side by side."""
    titles: dict[str, Callable[[str], str]] = {
        "engine": lambda key: titled(words, "engine", key),
        "species": lambda key: species(words, key),
        "drug": lambda key: drug(words, key),
        "endpoint": _endpoint_titles(words, told),
    }
    found = []
    for name, title in titles.items():
        both = told["totals"][name]
        keys = sorted({*both["fit"], *both["check"]}, key=lambda key: (-_rows(both, key), key))
        rows = [
            {"title": title(key), **{use: _cell(both[use].get(key)) for use in ("fit", "check")}}
            for key in keys
            if _rows(both, key)
        ]
        if rows:
            found.append({"name": name, "title": words(f"evidence_page.by_{name}"), "rows": rows})
    return found


def _rows(both: Mapping[str, Any], key: str) -> int:
    return sum(both[use].get(key, {}).get(kind, 0) for use in ("fit", "check") for kind in ("numbers", "worded"))


def _cell(one: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if one is None or not (one["numbers"] or one["worded"]):
        return None
    return {
        "numbers": one["numbers"],
        "covered": one["covered"],
        "share": _share(one["coverage"]) if one["numbers"] else "",
        "bar": None if one["coverage"] is None else round(100 * one["coverage"], 1),
        "signs": one["directions"],
        "agreeing": one["agreeing"],
    }


def _endpoint_titles(words: Words, told: Mapping[str, Any]) -> Callable[[str], str]:
    """Totals name an endpoint by its label, which is a quantity or English words; a page says what it is."""
    known: dict[str, Counter[str]] = {}
    for one in told["outcomes"]:
        known.setdefault(one["label"] or one["endpoint"], Counter())[endpoint_of(words, one)] += 1

    def title(key: str) -> str:
        own = titled(words, "quantity", key)
        if own != key.replace("_", " ") or key not in known or words.language == "en":
            return own
        # Of a label of many endpoints none stands for the others.
        return next(iter(known[key])) if len(known[key]) == 1 else own

    return title


def worst(words: Words, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The worst misses of the check rows, then of the fitted ones; and how many there are in all."""
    titles = {one["key"]: one["title"][words.language] for one in told["studies"]}
    found = []
    for use in ("check", "fit"):
        places = [place for place in told["worst"] if told["outcomes"][place]["use"] == use]
        if places:
            rows = [_miss(words, told["outcomes"][place], place, titles) for place in places[:WORST]]
            title = words(f"evidence_page.worst_{use}", shown=len(rows), total=len(places))
            found.append({"use": use, "title": title, "rows": rows})
    return found


def _miss(words: Words, one: Mapping[str, Any], place: int, titles: Mapping[str, str]) -> dict[str, Any]:
    wording = one["verdict"].startswith("direction")
    where = [one["arm"], words("evidence_page.against", arm=one["against"]) if one["against"] else "", when(words, one)]
    agreeing = one["agreeing"]
    agree = "" if agreeing is None else words("evidence_page.draws_agree", share=_share(agreeing))
    return {
        "place": place,
        "study": titles[one["study"]],
        "endpoint": endpoint_of(words, one),
        "where": words("list_separator").join(filter(None, where)),
        "unit": words("evidence_page.ratio") if wording else unit_of(words, one["unit"]),
        "published": _direction(words, one["published"]) if wording else _bounded(one),
        "simulated": _interval(one),
        "distance": agree if wording else _signed(one["distance"]),
    }


def when(words: Words, one: Mapping[str, Any]) -> str:
    """Day of an outcome in words, from four months on in months; empty where there is none."""
    day = one["day"]
    if day is None:
        return ""
    if abs(day) <= _WHOLE_DAYS:
        return words("evidence_page.script.day", n=plain(day, 4))
    return words("evidence_page.script.month", n=plain(round(day / MONTH, 1), 4))


def cards(words: Words, told: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What stands at the head of each study; its rows are drawn by the script."""
    counts: dict[str, Counter[str]] = {}
    for one in told["outcomes"]:
        counts.setdefault(one["study"], Counter())[one["verdict"]] += 1
    return [_card(words, one, counts.get(one["key"], Counter()), told) for one in told["studies"]]


def _card(words: Words, one: Mapping[str, Any], counts: Counter[str], told: Mapping[str, Any]) -> dict[str, Any]:
    about = one["reference"]
    site = one["site"].replace("_", " ")
    facts = [
        (words("evidence_page.species_of"), species(words, one["species"]), ""),
        (words("evidence_page.population"), one["population"], "en"),
        (words("evidence_page.design"), one["design"][words.language], ""),
        (words("evidence_page.patients"), "" if one["n"] is None else str(one["n"]), ""),
        (
            words("evidence_page.site"),
            words.get(f"evidence_page.place.{site}", title_of(words, "bones", one["site"])),
            "",
        ),
        (words("evidence_page.drugs"), words("list_separator").join(drug(words, key) for key in one["drugs"]), ""),
        (words("evidence_page.engine_of"), titled(words, "engine", one["engine"]), ""),
    ]
    return {
        "key": one["key"],
        "title": one["title"][words.language],
        "authors": words("list_separator").join(filter(None, (about["authors"], about["year"], about["where"]))),
        "doi": about["doi"],
        "doi_path": quote(about["doi"], safe="/()"),
        "pmid": about["pmid"],
        "pmid_path": quote(about["pmid"], safe=""),
        "seen": about["seen"],
        "facts": [fact for fact in facts if fact[1]],
        "claims": one["cited_by_review"],
        "reason": "" if one["reason"] is None else one["reason"][words.language],
        "limits": [limit[words.language] for limit in one["limits"]],
        "failure": told["failures"].get(one["key"], ""),
        "counts": [(key, titled(words, "verdict", key), counts[key]) for key in VERDICTS if counts[key]],
        "rows": counts.total(),
    }


def failures(words: Words, told: Mapping[str, Any]) -> list[str]:
    """Studies that could not be run, with the reason."""
    return [words("evidence_page.failed", study=key, reason=why) for key, why in told["failures"].items()]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{fixed(100 * value, 0)} %"


def _signed(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else fixed(value, 1, signed=True)


def _direction(words: Words, value: float | None) -> str:
    key = "none" if not value else "up" if value > 0 else "down"
    return words(f"evidence_page.script.direction_{key}")


def _bounded(one: Mapping[str, Any]) -> str:
    if one["published"] is None:
        return "–"
    return {"at_least": "≥ ", "at_most": "≤ "}.get(one["bound"], "") + figure(one["published"])


def _interval(one: Mapping[str, Any]) -> str:
    middle, low, high = (
        "∞" if one[name] is None else figure(one[name]) for name in ("simulated", "simulated_low", "simulated_high")
    )
    return f"{middle} ({low} – {high})"


def figure(value: float) -> str:
    """A number with as many decimals as its size deserves, as the script writes it too."""
    size = abs(value)
    if value == 0 or 0.01 <= size < 1e6:
        text = fixed(value, 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3)
        return text.rstrip("0").rstrip(".") if "." in text else text
    return plain(value, _DIGITS)

"""Outcomes as the script of the evidence page reads them: columns of numbers, and every text once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from osteon.report.describe import title_of
from osteon.report.locale import Words

_TEXTS = (
    *("label", "endpoint", "unit", "arm", "against", "use", "how_obtained", "engine", "bound", "scale", "printed"),
    *("as_printed", "corrected", "sign", "verdict", "reason", "flag", "table", "result"),
)
_NUMBERS = (
    *("day", "published", "published_low", "published_high", "simulated", "simulated_low", "simulated_high"),
    *("model_low", "model_high", "distance", "agreeing"),
)
_WHOLE = ("n", "line")
#: Tables of published rows by what they are about; a number of a study's own file is about what its endpoint is.
GROUPS = {
    "markers.csv": "markers",
    "bmd.csv": "density",
    "pk.csv": "drug",
    "callus.csv": "callus",
    "clinical_healing.csv": "healing",
    "risk_factors.csv": "risk",
}
_FEWEST = 4  # numbers of an endpoint for an entry of its own among the filters
_DIGITS = 5


def compact(words: Words, told: Mapping[str, Any]) -> dict[str, Any]:
    """Outcomes in columns: of each text its place in `texts`, and numbers with as many digits as are drawn.

    Returns
    -------
    dict
        ``texts``, ``columns`` (a list each, of one value an outcome), ``studies`` (what is searched and filtered).
    """
    texts: dict[str, int] = {"": 0}
    place = {one["key"]: number for number, one in enumerate(told["studies"])}
    grouped = groups(told["outcomes"])
    columns: dict[str, list[Any]] = {"study": [place[one["study"]] for one in told["outcomes"]]}
    for name in _TEXTS:
        columns[name] = [texts.setdefault(_text(words, one, name), len(texts)) for one in told["outcomes"]]
    for name in _NUMBERS:
        columns[name] = [_rounded(one[name]) for one in told["outcomes"]]
    for name in _WHOLE:
        columns[name] = [one[name] for one in told["outcomes"]]
    columns["group"] = [texts.setdefault(grouped[one["endpoint"]], len(texts)) for one in told["outcomes"]]
    studies = [
        {
            "key": one["key"],
            "species": one["species"],
            "drugs": one["drugs"] or ["none"],
            "year": one["reference"]["year"],
            "reason": "" if one["reason"] is None else one["reason"][words.language],
            "text": _searched(words, one),
        }
        for one in told["studies"]
    ]
    return {"texts": list(texts), "columns": columns, "studies": studies, "worst": told["worst"]}


def options(words: Words, told: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Entries of every filter, each with its title and how many numbers it leaves; endpoints by group.

    Returns
    -------
    dict
        For ``drug``, ``species``, ``use``, ``verdict`` and ``engine`` lists of (value, title, numbers); for
        ``endpoint`` a list of (group, title, numbers, list of (endpoint, numbers)).
    """
    studies = {one["key"]: one for one in told["studies"]}
    outcomes = told["outcomes"]
    found: dict[str, list[Any]] = {
        "drug": _counted(drug for one in outcomes for drug in studies[one["study"]]["drugs"] or ["none"]),
        "species": _counted(studies[one["study"]]["species"] for one in outcomes),
    }
    titles = {"drug": drug, "species": species}
    for name, of in titles.items():
        found[name] = [(key, of(words, key), count) for key, count in found[name]]
    for name, order in (("use", USES), ("verdict", VERDICTS), ("engine", ENGINES)):
        counts = Counter(one[name] for one in outcomes)
        known = [*order, *sorted(set(counts) - set(order))]
        found[name] = [(key, titled(words, name, key), counts[key]) for key in known if counts[key]]
    found["endpoint"] = _endpoints(words, outcomes)
    return found


USES = ("fit", "check", "noise")
VERDICTS = ("missed", "direction wrong", "covered", "direction right", "not scored", "not simulated")
ENGINES = ("turnover", "label", "people", "cohort", "animal", "none")


def titled(words: Words, kind: str, key: str) -> str:
    """Words for a key of the document; the key itself where there are none."""
    return words.get(f"evidence_page.{kind}.{key.replace(' ', '_')}", key.replace("_", " "))


def drug(words: Words, key: str) -> str:
    """Name of a drug; studies without one have ``none``."""
    known = f"evidence_page.drug.{key.replace(' ', '_')}"
    return words(known) if known in words else title_of(words, "drugs", key)


def species(words: Words, key: str) -> str:
    """Name of a species."""
    known = f"evidence_page.species.{key}"
    return words(known) if known in words else title_of(words, "species", key)


def groups(outcomes: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What each endpoint is about, by its English words: that of the table in which it stands most often."""
    seen: dict[str, Counter[str]] = {}
    for one in outcomes:
        about = GROUPS.get(one["table"])
        counts = seen.setdefault(one["endpoint"], Counter())
        if about:
            counts[about] += 1
    return {endpoint: counts.most_common(1)[0][0] if counts else "other" for endpoint, counts in seen.items()}


def endpoint_of(words: Words, one: Mapping[str, Any]) -> str:
    """Endpoint of an outcome in the language of the page."""
    return one["endpoint_zh"] or one["endpoint"] if words.language == "zh" else one["endpoint"]


def reason_of(words: Words, one: Mapping[str, Any]) -> str:
    """Why an outcome has no verdict, in the language of the page."""
    return one["reason_zh"] or one["reason"] if words.language == "zh" else one["reason"]


def unit_of(words: Words, unit: str) -> str:
    """Unit as it is written; those that are words are translated."""
    if unit in ("1", "-"):
        return ""
    return words.get("evidence_page.unit." + unit.replace(" ", "_").replace(".", ""), unit)


def _endpoints(words: Words, outcomes: Iterable[Mapping[str, Any]]) -> list[Any]:
    outcomes = list(outcomes)
    grouped = groups(outcomes)
    counts: dict[str, Counter[str]] = {}
    for one in outcomes:
        counts.setdefault(grouped[one["endpoint"]], Counter())[endpoint_of(words, one)] += 1
    return [
        (
            group,
            titled(words, "group", group),
            counts[group].total(),
            [(name, count) for name, count in counts[group].most_common() if count >= _FEWEST],
        )
        for group in (*GROUPS.values(), "other")
        if group in counts
    ]


def _counted(keys: Iterable[str]) -> list[tuple[str, int]]:
    return sorted(Counter(keys).most_common(), key=lambda one: (one[0] == "none", -one[1], one[0]))


def _text(words: Words, one: Mapping[str, Any], name: str) -> str:
    if name == "endpoint":
        return endpoint_of(words, one)
    if name == "reason":
        return reason_of(words, one)
    return unit_of(words, one["unit"]) if name == "unit" else one[name]


def _rounded(value: float | None) -> float | int | None:
    if value is None:
        return None
    short = float(f"{value:.{_DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 1e9 else short


def _searched(words: Words, one: Mapping[str, Any]) -> str:
    """Text of a study that a search looks through, beside its outcomes."""
    about = one["reference"]
    parts = [one["key"], *one["title"].values(), *(about[name] for name in ("authors", "year", "where", "doi", "pmid"))]
    parts += [one["population"], *one["design"].values(), one["site"], *one["cited_by_review"]]
    parts += [title for key in one["drugs"] for title in (key, drug(words, key))]
    return " ".join([*parts, species(words, one["species"])]).lower()

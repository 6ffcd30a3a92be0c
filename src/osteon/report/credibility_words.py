"""Numbers of the credibility file as text in one language, for the places in its sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from osteon.report.credibility_checks import LIMITS
from osteon.report.credibility_judge import texts
from osteon.report.numbers import fixed

if TYPE_CHECKING:
    from osteon.report.credibility import Credibility
    from osteon.report.credibility_checks import Check
    from osteon.report.credibility_scope import Place
    from osteon.report.locale import Words


def said(entry: Mapping[str, Any], words: Words, fields: Mapping[str, Any]) -> str:
    """Text of an entry in the language of `words`, with its places filled."""
    text = str(entry[words.language])
    for name, value in fields.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def number(value: float) -> str:
    """A number with three digits, small ones with a power of ten."""
    return f"{value:.3g}"


def share(value: float | None, words: Words) -> str:
    """A share as per cent, or the word for none."""
    return words("credibility.not_given") if value is None else f"{fixed(100 * value, 0)} %"


def found(check: Check, words: Words) -> str:
    """What a check found."""
    if check.value is None:
        return words("credibility.not_measured")
    return number(check.value) if check.limit else f"{check.value:.0f}"


def title(kind: str, key: str, words: Words) -> str:
    """Title of a species, bone, fixation or drug; the key itself where it has none."""
    from osteon.scenario import catalogue

    known = getattr(catalogue, kind)()
    return getattr(known[key], f"title_{words.language}") if key in known else key


def listed(names: Any, words: Words) -> str:
    """Names one after another, or the word for none."""
    return words("list_separator").join(str(one) for one in names) or words("credibility.none")


def fields(given: Credibility, words: Words) -> dict[str, str]:
    """Every number that the sentences on factors, categories, uncertainty and limits have places for."""
    missing = words("credibility.not_given")
    filled = dict.fromkeys(LIMITS, words("credibility.not_measured"))
    filled |= {check.key: found(check, words) for check in given.checks}
    suite = given.suite or {}
    filled |= {name: str(suite.get(name, missing)) for name in ("tests", "failed", "skipped")}
    run = given.evidence
    filled |= {
        "coverage": missing if run is None else _of(run["check"], "covered", "numbers", "coverage", words),
        "agreement": missing if run is None else _of(run["check"], "agreeing", "directions", "agreement", words),
        "relevant": missing if run is None else _of(run["relevant"], "covered", "numbers", "coverage", words),
    }
    filled |= {name: str(value) for name, value in _of_calibration(given).items()}
    uncertain = given.uncertainty
    filled |= {
        "total": str(uncertain["total"]),
        "assumed": str(uncertain["by_how"].get("assumed", 0)),
        "held": str(len(uncertain["held"])),
        "held_with_range": str(uncertain["held_with_range"]),
        "spread": str(uncertain["spread"]),
        "structures": str(len(uncertain["structures"]) - len(uncertain["members"])),
        "members": str(len(uncertain["members"])),
    }
    inputs = given.inputs
    filled |= {name: str(inputs[name]) for name in ("trials", "assumed_trials", "assumed_groups")}
    filled["times_groups"] = str(inputs["groups"])
    counts = {
        verdict: sum(one.verdict == verdict for one in given.places) for verdict in ("inside", "partly", "outside")
    }
    filled |= {name: str(count) for name, count in counts.items()} | {"places": str(len(given.places))}
    return filled | _primary(given, words)


def _of(counts: Mapping[str, Any], part: str, whole: str, name: str, words: Words) -> str:
    if counts[name] is None:
        return words("credibility.none")
    return words("credibility.of", share=share(counts[name], words), part=counts[part], whole=counts[whole])


def _of_calibration(given: Credibility) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("turnover", "callus"):
        layer = given.calibration.get(name, {})
        found |= {f"{what}_{name}": layer.get(what, 0) for what in ("rows", "draws", "parameters")}
        found[f"structures_{name}"] = len(layer.get("weights", {}))
        medians = [one["median"] for one in layer.get("shares", {}).values() if one["median"] is not None]
        found[f"share_{name}"] = f"{fixed(100 * min(medians), 0)} %" if medians else "?"
    people = given.calibration["people"]
    return found | {f"{what}_people": people[what] for what in ("rows", "parameters")} | {"groups": people["groups"]}


def _primary(given: Credibility, words: Words) -> dict[str, str]:
    ends = [one for one in given.places if one.topic == "endpoint"]
    first = next(one for one in ends if one.about["primary"])
    return {
        "primary": first.of,
        "primary_fit": str(first.about["rows"]["fit"]),
        "primary_check": str(first.about["rows"]["check"]),
        "endpoints_out": listed((one.of for one in ends if not sum(one.about["rows"].values())), words),
    }


def place_row(place: Place, words: Words) -> list[str]:
    """One thing that the study asks, what the evidence has on it, and the verdict: four cells."""
    entry = texts()["scope"][place.topic]
    about = _place_fields(place, words)
    asked = said(entry["asked"], words, about)
    evidence = said(entry, words, about)
    verdict = words(f"credibility.place.{place.verdict}")
    return [entry["name"][words.language], asked, evidence, verdict]


def _place_fields(place: Place, words: Words) -> dict[str, str]:
    about = place.about
    plain = {name: f"{one:.0f}" if isinstance(one, float) else str(one) for name, one in about.items()}
    of = place.of
    if place.topic in ("species", "drug", "callus"):
        of = title("species" if place.topic == "species" else "drugs", place.of, words)
    elif place.topic == "trait":
        of = words(f"credibility.trait.{place.of}")
        plain |= {"share": share(about["share"], words), "how": words(f"credibility.how.{about['how']}")}
    plain["of"] = of
    if place.topic == "drug":
        plain |= {name: number(about[name]) for name in ("low", "high", "least", "most") if name in about}
        plain |= {name: plain.get(name, words("credibility.none")) for name in ("least", "most", "longest")}
        plain |= {use: str(about["rows"][use]) for use in ("fit", "check")}
    elif place.topic == "endpoint":
        plain |= {use: str(about["rows"][use]) for use in ("fit", "check")}
    elif place.topic == "callus":
        plain |= {use: str(about["animals"][use]) for use in ("fit", "check")}
        plain |= {"compared": str(len(about["studies"])), "studies": listed(about["studies"], words)}
    elif place.topic == "species":
        named = (f"{title('species', key, words)} {count}" for key, count in about["animals"].items())
        plain["animals"] = listed(named, words)
    elif place.topic == "age":
        plain |= {name: plain.get(name, words("credibility.none")) for name in ("healing_least", "healing_most")}
        plain.setdefault("groups", "0")
    elif place.topic == "sex":
        plain["female"] = share(about["female"], words)
        for name in ("trials", "healing"):
            counts = (f"{words('credibility.sex.' + key)} {count}" for key, count in about[name].items())
            plain[name] = listed(counts, words)
    elif place.topic == "together":
        plain["drugs"] = " + ".join(title("drugs", key, words) for key in about["drugs"])
    elif place.topic == "bone":
        plain |= {f"bone_{use}": str(about["bones"][use]) for use in ("fit", "check")}
        plain |= {f"both_{use}": str(about["both"][use]) for use in ("fit", "check")}
        plain |= {
            "bone": title("bones", about["bone"], words),
            "fixation": title("fixations", about["fixation"], words),
        }
    return plain

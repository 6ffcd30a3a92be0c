"""Patient, fracture and treatment in words."""

from __future__ import annotations

from typing import Any

from osteon.report.locale import Words
from osteon.report.numbers import MONTH, fixed, plain


def title_of(words: Words, kind: str, key: str) -> str:
    """Title of an entry of the scenario catalogue; ``kind`` is ``species``, ``bones``, ``drugs``, ...."""
    from osteon.scenario import catalogue

    entry = getattr(catalogue, kind)().get(key)
    return str(getattr(entry, f"title_{words.language}", key.replace("_", " ")))


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def patient(words: Words, who: Any) -> str:
    """The patient in one line: sex, age, weight and conditions."""
    species = str(who.species)
    if species == "human":
        parts = [words(f"patient.human_{who.sex}")]
    else:
        parts = [words(f"patient.animal_{who.sex}", species=title_of(words, "species", species))]
    young = who.age < 1.5 and species != "human"
    parts.append(
        words("patient.age_weeks", n=fixed(who.age * 365.25 / 7, 0))
        if young
        else words("patient.age", n=plain(who.age, 3))
    )
    if who.weight < 1:
        parts.append(words("patient.weight_g", n=plain(who.weight * 1000, 3)))
    else:
        parts.append(words("patient.weight_kg", n=plain(who.weight, 3)))
    conditions = [
        words(f"patient.{name}")
        for name in ("osteoporosis", "smoking", "obesity", "nsaid")
        if getattr(who, name, False)
    ]
    if str(who.diabetes) != "none":
        conditions.insert(0, words(f"patient.diabetes_{who.diabetes}"))
    parts += conditions or [words("patient.none")]
    for name in ("gfr", "vitamin_d"):
        value = getattr(who, name, None)
        parts += [] if value is None else [words(f"patient.{name}", n=plain(value, 3))]
    if species != "human" and getattr(who, "rankl", "native") == "human":
        parts.append(words("patient.rankl_human"))
    return words("list_separator").join(parts)


def fracture(words: Words, broken: Any) -> str:
    """The fracture in one line: bone, gap, fixation, strain, and what is not as usual."""
    parts = [_sentence(title_of(words, "bones", str(broken.bone)))]
    if getattr(broken, "gap", None) is not None:
        parts.append(words("fracture.gap", n=plain(broken.gap, 3)))
    parts.append(words("fracture.fixation", fixation=title_of(words, "fixations", str(broken.fixation))))
    strain = getattr(broken, "interfragmentary_strain", None)
    if strain is None:
        parts.append(words("fracture.strain_implied"))
    else:
        parts.append(words("fracture.strain", n=plain(strain * 100, 3)))
    parts += [words(f"fracture.{name}") for name in ("open", "displaced", "flap") if getattr(broken, name, False)]
    rule = getattr(broken, "weight_bearing", "immediate")
    if not isinstance(rule, str):
        parts.append(words("fracture.protected", n=plain(rule / 7, 3)))
    elif rule != "immediate":
        parts.append(words("fracture.weight_bearing", rule=title_of(words, "weight_bearing", rule)))
    if getattr(broken, "compartments", 1) > 1:
        parts.append(words("fracture.compartments", kind=title_of(words, "compartments", str(broken.compartments))))
    return words("list_separator").join(parts)


def treatment(words: Words, arm: Any, events: list[Any]) -> list[str]:
    """What an arm is given, one line per drug and route, or that it is given nothing."""
    lines = []
    groups: dict[tuple[str, str], list[Any]] = {}
    for event in events:
        groups.setdefault((str(event.drug), str(event.route)), []).append(event)
    for (drug, route), doses in groups.items():
        amounts = [dose.amount for dose in doses]
        known = {
            "drug": title_of(words, "drugs", drug),
            "route": title_of(words, "routes", route),
            "count": len(doses),
            "amount": plain(amounts[0], 3),
            "start": fixed(doses[0].time / MONTH, 0),
            "end": fixed(doses[-1].time / MONTH, 0),
            "low": plain(min(amounts), 3),
            "high": plain(max(amounts), 3),
        }
        kind = "one" if len(doses) == 1 else "many" if min(amounts) == max(amounts) else "varied"
        lines.append(words(f"dose.summary_{kind}", **known))
    imposed = getattr(arm, "impose", None)
    for name, factor in (("free_rankl", 100), ("bisphosphonate_inhibition", 100), ("pth", 1)):
        value = getattr(imposed, name, None)
        if value is not None:
            text = words(f"dose.impose_{name}", n=plain(value * factor, 3))
            lines.append(words("list_separator").join((text, words("dose.imposed_from"))))
    return lines or [words("dose.none")]

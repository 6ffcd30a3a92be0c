"""What a calculation of power says: tables and sentences, the same for the command line and the page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from osteon.report.locale import Words
from osteon.report.numbers import fixed, plain

Found = Mapping[str, Any]


class Table(NamedTuple):
    """A table as it is shown: an identifier, its head, its rows (the first cell a heading) and notes below it."""

    key: str
    head: list[str]
    rows: list[list[str]]
    notes: list[str]


def title(words: Words, found: Found) -> str:
    """Title of the page and of the table."""
    return words("power.title", title=found["title"] or words("power.untitled"))


def facts(words: Words, found: Found) -> list[tuple[str, str]]:
    """What stands at the head of the page."""
    effect = found["effect"]
    ratio = "" if effect["ratio"] is None else plain(effect["ratio"], 4)
    trials = words("power.trials_text", trials=found["trials"], alpha=plain(found["alpha"], 3))
    told = [
        (words("power.fact_effect"), words(f"power.effect_{effect['kind']}", ratio=ratio)),
        (words("power.fact_trials"), trials),
    ]
    if "population" in found:
        people = words("power.people_text", people=found["population"]["people"])
        told += [
            (words("power.fact_method"), words(f"power.test_{found['method']['test']}")),
            (words("power.fact_people"), people),
        ]
    return told


def tables(words: Words, found: Found) -> list[Table]:
    """Every table of what was found: power, variations, early stopping."""
    made = [_power(words, found), _planned(words, found), _variations(words, found), _looks(words, found)]
    return [one for one in made if one is not None]


def basis(words: Words, found: Found) -> list[str]:
    """Sentences on what the numbers rest on, and on what is missing."""
    said = [words("power.partial")] if found.get("partial") else []
    population = found.get("population")
    if population is None:
        return said
    sized = {"people": population["people"]}
    if population["time_ratio"] is None or not _there(population["log_sd"]):
        said.append(words("power.population_short", **sized))
    else:
        ratio, spread = plain(population["time_ratio"], 3), fixed(population["log_sd"], 2)
        said.append(words("power.population_text", ratio=ratio, sd=spread, **sized))
    said.append(_method(words, found["method"]))
    if population.get("median_assumed"):
        said.append(words("power.median_assumed", median=plain(population["median"], 4)))
    if population["kind"] == "model" and found["effect"]["kind"] != "from-model":
        said.append(words("power.not_simulated"))
    if found.get("assurance"):
        said.append(words("power.draws_text", **_draws(found["assurance"][0])))
    elif found["effect"]["kind"] == "from-model":
        said.append(words("power.no_draws"))
    said += [
        words("power.undecided", count=row["undecided"], trials=row["trials"]) + f" (n = {row['n']})"
        for row in found.get("power", [])
        if row["undecided"]
    ]
    if population["failed"]:
        said.append(words("power.failed", failed=population["failed"]))
    return said


def needed(words: Words, found: Found) -> list[str]:
    """How many patients the closed form asks for."""
    sizes = found.get("needed") or {}
    return [words("power.needed", power=power, n=f"{n:.0f}") for power, n in sizes.items() if math.isfinite(n)]


def walk_said(words: Words, found: Found) -> list[str]:
    """What the walk of the estimate shows."""
    walk = found.get("walk")
    if not walk:
        return []
    said = [words("power.walk_lead", n=walk["n"])]
    wrong = walk["wrong_most"]
    if wrong:
        said.append(words("power.walk_wrong", estimate=plain(wrong["estimate"], 3), patients=wrong["patients"]))
    settled = walk["settled"]
    said.append(words("power.walk_settled", patients=settled) if settled else words("power.walk_open"))
    return said


def _power(words: Words, found: Found) -> Table | None:
    rows = found.get("power")
    if not rows:
        return None
    level, none = plain(100 * found["level"], 4), words("power.none")
    null = {row["n"]: row for row in found.get("null", [])}
    assured = {row["n"]: row for row in found.get("assurance", [])}
    closed = any(row.get("closed_form") is not None for row in rows)
    is_null = found["effect"]["kind"] == "null"
    head = [words("power.n"), words("power.error" if is_null else "power.power_interval", level=level)]
    head += [words("power.closed"), words("power.closed_t")] if closed else []
    head += [words("power.error", level=level)] if null else []
    head += [words("power.assurance", level=level), words("power.across")] if assured else []
    head += [words(f"power.estimate_{found['method']['measure']}"), words("power.width")]
    shown = []
    for row in rows:
        n = row["n"]
        cells = [str(n), _share(row)]
        cells += [_percent(row["closed_form"], none), _percent(row["closed_form_t"], none)] if closed else []
        cells += [_share(null[n]) if n in null else none] if null else []
        if assured:
            one = assured[n]
            cells += [_share(one), f"{_percent(one['draw_low'], none)} – {_percent(one['draw_high'], none)}"]
        if _there(row["estimate"]):
            ends = f"{fixed(row['estimate_low'], 2)} – {fixed(row['estimate_high'], 2)}"
            cells += [f"{fixed(row['estimate'], 2)} ({ends})", fixed(row["width"], 2)]
        else:
            cells += [none, none]
        shown.append(cells)
    return Table("power", head, shown, needed(words, found))


def _planned(words: Words, found: Found) -> Table | None:
    planned = found.get("planned")
    if not planned:
        return None
    level, none = plain(100 * found["level"], 4), words("power.none")
    is_null = found["effect"]["kind"] == "null"
    measure = planned["rows"][0]["measure"]
    head = [words("power.n"), words("power.error" if is_null else "power.power_interval", level=level)]
    head += [] if is_null else [words("power.error", level=level)]
    head += [words(f"power.estimate_{measure}"), words("power.width"), words("power.agree")]
    rows, notes = [], []
    for place, row in enumerate(planned["rows"]):
        cells = [str(row["n"]), _share(row)]
        cells += [] if is_null else [_share(planned["null"][place])]
        ends = f"{fixed(row['estimate_low'], 2)} – {fixed(row['estimate_high'], 2)}" if row["fitted"] else none
        shown = [f"{fixed(row['estimate'], 2)} ({ends})", fixed(row["width"], 2)] if row["fitted"] else [none, none]
        rows.append([*cells, *shown, _percent(row["agree"])])
        notes += [f"n = {row['n']}: {reason} ({count})" for reason, count in row["reasons"].items()]
    trials = planned["rows"][0]["trials"]
    said = words("power.planned_note", trials=trials, method=words(f"power.method_{planned['method']}"))
    return Table("planned", head, rows, [said, *notes])


def _variations(words: Words, found: Found) -> Table | None:
    if not found.get("variations") or not found.get("power"):
        return None
    head = [words("power.variation"), *(f"n = {row['n']}" for row in found["power"])]
    rows = [[words("power.variation_base"), *(_percent(row["share"]) for row in found["power"])]]
    for one in found["variations"]:
        cells = [f"{_percent(row['share'])} ({fixed(100 * row['change'], 1, signed=True)})" for row in one["rows"]]
        rows.append([words(f"power.variation_{one['key']}"), *cells])
    notes = [words("power.variation_note")]
    if any(one["key"] == "ranks" for one in found["variations"]):
        notes.append(words("power.variation_test"))
    elif any(one["test"] == "t_test" != found["method"]["test"] for one in found["variations"]):
        notes.append(words("power.variation_exact_test"))
    return Table("variations", head, rows, notes)


def _looks(words: Words, found: Found) -> Table | None:
    looks = found.get("looks")
    if not looks:
        return None
    level, none = plain(100 * found["level"], 4), words("power.none")
    is_null = found["effect"]["kind"] == "null"
    head = [words("power.rule"), words("power.n")]
    head += [words("power.error" if is_null else "power.power_interval", level=level)]
    head += [words("power.early"), words("power.mean_n")] + ([] if is_null else [words("power.error", level=level)])
    rows, notes, sources = [], [], []
    for rule, one in looks.items():
        if "reason" in one:
            notes.append(words("power.no_looks", rule=words(f"power.rule_{rule}"), reason=one["reason"]))
            continue
        sources.append(one["source"])
        bounds = words("power.bounds_text", bounds=", ".join(fixed(bound, 2) for bound in one["bounds"]))
        notes.append(f"{words(f'power.rule_{rule}')}{words('power.colon')}{bounds}")
        for place, row in enumerate(one["rows"]):
            first = words(f"power.rule_{rule}") if not place else ""
            cells = [first, str(row["n"]), _share(row), _percent(row["early"]), fixed(row["mean_n"], 0)]
            cells += [] if is_null else [_share(one["null"][place]) if place < len(one["null"]) else none]
            rows.append(cells)
    if sources:
        count = next(one["looks"] for one in looks.values() if "looks" in one)
        alpha = plain(found["alpha"], 3)
        joined = "; ".join(sources)
        notes.insert(0, words("power.looks_note", looks=count, alpha=alpha, sources=joined))
    return Table("looks", head, rows, notes)


def _draws(row: Mapping[str, Any]) -> dict[str, int]:
    return {"draws": row["draws"], "trials": row["trials"] // row["draws"]}


def _method(words: Words, method: Mapping[str, Any]) -> str:
    test = words(f"power.test_{method['test']}")
    if method["stands_in"] is None:
        return words("power.method_planned", test=test)
    planned, why = words(f"power.method_{method['planned']}"), words(f"power.why_{method['stands_in']}")
    return words("power.method_instead", planned=planned, test=test, why=why)


def _share(row: Mapping[str, Any]) -> str:
    if not _there(row["share"]):
        return "–"
    return f"{_percent(row['share'])} ({fixed(100 * row['low'], 1)} – {fixed(100 * row['high'], 1)})"


def _percent(value: float | None, none: str = "–") -> str:
    return f"{fixed(100 * value, 1)} %" if value is not None and math.isfinite(value) else none


def _there(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def numbers(values: Sequence[float | None]) -> list[float]:
    """Values for a chart, NaN where there is none."""
    return [math.nan if one is None else float(one) for one in values]

"""Sections of the credibility file that show what was measured, fitted, compared and left out."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from osteon.report.credibility_judge import texts
from osteon.report.credibility_words import found, listed, number, place_row, said, share
from osteon.report.numbers import fixed

if TYPE_CHECKING:
    from osteon.report.credibility import Credibility
    from osteon.report.locale import Words

Blocks = list[dict[str, Any]]
_HASH = 16  # digits of a hash that are shown


def _recorded(words: Words, *keys: str) -> dict[str, Any]:
    entries = {one["key"]: one for one in texts()["recorded"]}
    return {"list": [f"{entries[key][words.language]} ({entries[key]['doc']})" for key in keys]}


def code(given: Credibility, words: Words, _: dict[str, str]) -> Blocks:
    """Verification: what was measured now, the test suite, and what is on record."""
    rows = []
    for one in given.checks:
        about = {name: _plain(value) for name, value in one.about.items()}
        key = f"credibility.missing.{one.missing}"
        why = words(key) if key in words else words("credibility.missing_package", package=one.missing)
        what = words(f"credibility.check.{one.key}", **about) if one.value is not None else why
        verdict = words(f"credibility.measured.{'open' if one.ok is None else 'met' if one.ok else 'not_met'}")
        limit = number(one.limit) if one.limit else "0"
        rows.append([words(f"credibility.check_name.{one.key}"), what, found(one, words), limit, verdict])
    head = [words(f"credibility.column.{name}") for name in ("check", "how", "found", "allowed", "verdict")]
    blocks: Blocks = [{"text": words("credibility.lead_checks")}, {"table": rows, "head": head}]
    blocks.append({"text": words("credibility.lead_suite")})
    if given.suite is None:
        blocks.append({"text": words("credibility.no_suite")})
    else:
        suite = given.suite
        when = suite["when"] or words("credibility.unknown")
        seconds = fixed(suite["seconds"], 0)
        told = {name: suite[name] for name in ("tests", "passed", "failed", "skipped")}
        blocks.append({"text": words("credibility.suite", when=when, seconds=seconds, **told)})
        columns = ("tests", "passed", "failed", "skipped")
        head = ["", *(words(f"credibility.column.{name}") for name in columns)]
        areas = [[name, *(str(one[column]) for column in columns)] for name, one in suite["areas"].items()]
        battery = [
            [words(f"credibility.battery.{name}"), *(str(one[column]) for column in columns)]
            for name, one in suite["battery"].items()
        ]
        blocks.append({"table": areas, "head": [words("credibility.column.area"), *head[1:]]})
        blocks += [{"table": battery, "head": [words("credibility.column.battery"), *head[1:]]}] if battery else []
    return [*blocks, {"text": words("credibility.lead_recorded")}, _recorded(words, "patients", "threads")]


def _plain(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if value < 1 else f"{value:.0f}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def calibration(given: Credibility, words: Words, _: dict[str, str]) -> Blocks:
    """What was fitted to what, and how sure it is."""
    rows, studies = [], []
    for name in ("turnover", "callus"):
        layer = given.calibration.get(name)
        if layer is None:
            continue
        same = "met" if all(layer["same_rows"].values()) else "not_met"
        weights = listed((f"`{key}` {number(value)}" for key, value in layer["weights"].items()), words)
        run = words("credibility.run", **{key: layer[key] for key in ("steps", "starts", "walkers", "seed")})
        cells = {
            "rows": str(layer["rows"]),
            "parameters": str(layer["parameters"]),
            "draws": str(layer["draws"]),
            "weights": weights,
            "run": run,
            "inside": share(layer["inside"], words),
            "same_rows": words(f"credibility.measured.{same}"),
            "sha256": f"`{layer['sha256'][:_HASH]}`",
        }
        layer_name = words(f"credibility.layer.{name}")
        rows += [[layer_name, words(f"credibility.fit.{key}"), value] for key, value in cells.items()]
        for structure, one in layer["shares"].items():
            told = words("credibility.few_draws", n=one["draws"])
            if one["median"] is not None:
                told = words(
                    "credibility.shares",
                    median=share(one["median"], words),
                    unseen=len(one["unseen"]),
                    n=one["parameters"],
                    limit=share(one["limit"], words),
                    most=listed((f"`{key}`" for key in one["unseen"][:5]), words),
                )
            rows.append([layer_name, words("credibility.fit.shares", structure=structure), told])
        studies.append(f"{layer_name}: " + listed((f"{key} {n}" for key, n in layer["studies"].items()), words))
    people = given.calibration["people"]
    rows.append([words("credibility.layer.people"), words("credibility.fit.rows"), str(people["rows"])])
    rows.append([words("credibility.layer.people"), words("credibility.fit.parameters"), str(people["parameters"])])
    rows.append([words("credibility.layer.people"), words("credibility.fit.draws"), words("credibility.no_draws")])
    studies.append(
        f"{words('credibility.layer.people')}: " + listed((f"{key} {n}" for key, n in people["studies"].items()), words)
    )
    head = [words(f"credibility.column.{name}") for name in ("layer", "what", "found")]
    return [
        {"text": words("credibility.lead_calibration")},
        {"table": rows, "head": head},
        {"text": words("credibility.lead_studies")},
        {"list": studies},
        {"text": words("credibility.lead_recorded")},
        _recorded(words, "turnover_chains", "callus_chains", "people_chains", "memory"),
    ]


def validation(given: Credibility, words: Words, _: dict[str, str]) -> Blocks:
    """The run of the evidence, or how to make one; never a number that was not handed in."""
    run, record = given.evidence, _recorded(words, "rebound")
    if run is None:
        head = {"text": words("credibility.no_evidence")}
        return [head, {"text": words("credibility.lead_recorded")}, record]
    said_run = words("credibility.evidence", version=run["version"], studies=run["studies"])
    notes = [words("credibility.evidence_quick")] if run["quick"] else []
    notes += [words("credibility.evidence_part", n=run["left_out"])] if run["left_out"] else []
    notes += [words("credibility.evidence_use", use=run["use"])] if run["use"] else []
    notes += [words("credibility.evidence_failed", study=key, reason=why) for key, why in run["failures"].items()]
    columns = ("numbers", "covered", "directions", "agreeing", "worded", "worded_right", "not_scored", "not_simulated")
    counted = {name: run[name] for name in ("fit", "check", "relevant")}
    rows = [[words(f"credibility.use.{name}"), *_counted(one, columns, words)] for name, one in counted.items()]
    ends = [[name, *_counted(one, columns[:4], words)] for name, one in run["endpoints"].items()]
    head = [words(f"credibility.column.{name}") for name in columns]
    blocks: Blocks = [{"text": said_run}, *([{"list": notes}] if notes else [])]
    blocks.append({"table": rows, "head": [words("credibility.column.rows"), *head]})
    blocks += [{"text": words("credibility.lead_endpoints")}] if ends else []
    blocks += [{"table": ends, "head": [words("credibility.column.endpoint"), *head[:4]]}] if ends else []
    blocks.append({"text": words("credibility.lead_worst") if run["worst"] else words("credibility.no_misses")})
    if run["worst"]:
        names = ("study", "endpoint", "use", "published", "simulated", "distance")
        shown = [_miss(one, words) for one in run["worst"]]
        blocks.append({"table": shown, "head": [words(f"credibility.column.{name}") for name in names]})
    return [*blocks, {"text": words("credibility.lead_recorded")}, record]


def _counted(counts: dict[str, Any], columns: tuple[str, ...], words: Words) -> list[str]:
    shares = {"covered": counts["coverage"], "agreeing": counts["agreement"]}
    return [
        f"{counts[name]} ({share(shares[name], words)})" if shares.get(name) is not None else str(counts[name])
        for name in columns
    ]


def _miss(row: dict[str, Any], words: Words) -> list[str]:
    def shown(value: float | None) -> str:
        return "–" if value is None else number(value)

    endpoint = row["label"] or (row["endpoint_zh"] if words.language == "zh" else row["endpoint"])
    day = "" if row["day"] is None else words("credibility.on_day", day=number(row["day"]))
    ends = f"{shown(row['simulated'])} ({shown(row['simulated_low'])} – {shown(row['simulated_high'])})"
    where = f"{row['arm']}{day}" if row["arm"] else day
    cells = [row["study"], f"{endpoint} [{row['unit']}]: {where}".rstrip(": "), row["use"], shown(row["published"])]
    return [*cells, ends, shown(row["distance"])]


def uncertainty(given: Credibility, words: Words, filled: dict[str, str]) -> Blocks:
    """What is carried into a result, and what is not; parameters by how they were obtained."""
    about = given.uncertainty
    left_out = set()
    if not about["drawn"]:
        left_out |= {"turnover", "callus"}
    if given.study.fracture is None:
        left_out |= {"callus", "people"}
    sources = [
        [one["name"][words.language], said(one, words, filled)]
        for one in texts()["uncertain"]
        if one["key"] not in left_out
    ]
    how = [
        [words(f"credibility.how.{name}"), str(count), str(about["varied"].get(name, 0))]
        for name, count in about["by_how"].items()
    ]
    how.append([words("credibility.all"), str(about["total"]), str(sum(about["varied"].values()))])
    blocks: Blocks = [
        {"table": sources, "head": [words(f"credibility.column.{name}") for name in ("source", "carried")]},
        {"text": words("credibility.lead_how")},
        {"table": how, "head": [words(f"credibility.column.{name}") for name in ("obtained", "parameters", "varied")]},
    ]
    blocks += [] if about["drawn"] else [{"text": words("credibility.study_without_draws")}]
    held = listed((f"`{key}`" for key in about["held"]), words)
    return [*blocks, {"text": words("credibility.held", n=len(about["held"]), keys=held)}]


def applicability(given: Credibility, words: Words, _: dict[str, str]) -> Blocks:
    """Everything that the study asks, beside the evidence on it."""
    head = [words(f"credibility.column.{name}") for name in ("topic", "asked", "evidence", "verdict")]
    rows = [place_row(one, words) for one in given.places]
    return [{"text": words("credibility.lead_applicability")}, {"table": rows, "head": head}]


def adequacy(given: Credibility, words: Words, _: dict[str, str]) -> Blocks:
    """The statement, with the factors behind it."""
    names = {one["key"]: one["name"][words.language] for one in texts()["factors"]}
    told = given.adequacy
    lists = {name: listed((names[key] for key in told[name]), words) for name in ("missed", "partly", "open")}
    return [{"text": said(texts()["adequacy"][told["kind"]], words, lists)}]


def mind(given: Credibility, words: Words, filled: dict[str, str]) -> Blocks:
    """Observations that would change our mind, with what is seen now and what follows."""
    now = {"coverage": filled["coverage"], "agreement": filled["agreement"], "solver": filled["scipy"]}
    entries = {one["key"]: one[words.language] for one in texts()["recorded"]}
    now |= {"rebound": entries["rebound"], "chains": entries["turnover_chains"]}
    rows = [
        [one[words.language], now.get(one["key"], words("credibility.not_seen")), one["then"][words.language]]
        for one in texts()["mind"]
        if given.study.fracture is not None or one["key"] not in ("healing", "bone")
    ]
    return [{"table": rows, "head": [words(f"credibility.column.{name}") for name in ("observation", "now", "then")]}]


def reproduce(given: Credibility, words: Words, _: dict[str, str]) -> Blocks:
    """The commands that make the evidence and this file."""
    parts = ["osteon credibility", "--study", shlex.quote(given.named)]
    for name in ("question", "context"):
        value = getattr(given, name)
        parts += [] if value is None else [f"--{name}", shlex.quote(value)]
    for name in ("influence", "consequence"):
        parts += [f"--{name}", str(given.risk[name])] if given.risk["given"][name] else []
    parts += ["--evidence evidence", "--junit junit.xml", "--out credibility.md"]
    parts += ["--lang", words.language] if words.language != "en" else []
    commands = ["osteon evidence --out evidence", "python -m pytest --junit-xml=junit.xml", " ".join(parts)]
    return [{"text": words("credibility.lead_reproduce")}, {"code": commands}]

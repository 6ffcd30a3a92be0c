"""Where a study lies inside and outside the evidence that osteon was fitted to or compared with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from osteon.evidence.arms import StudyArm
    from osteon.scenario import Dose
    from osteon.trial.study import Study

INSIDE, PARTLY, OUTSIDE = "inside", "partly", "outside"
_PEOPLE = 400  # enrolled to see who takes part
_HOOKS = {"open": "open_fracture"}
_FLAGS = ("osteoporosis", "smoking", "obesity", "nsaid", "open")
#: Effects imposed in animal arms, and the drugs they stand for.
_STANDS_FOR = {
    "free_rankl": ("denosumab",),
    "bisphosphonate_inhibition": ("alendronate", "zoledronate"),
    "pth": ("teriparatide",),
}


@dataclass(frozen=True)
class Place:
    """One thing that a study asks, and the evidence on it.

    Attributes
    ----------
    topic, of : str
        What it is about, and of what: a drug, a bone with its fixation, a trait, an endpoint, or empty.
    verdict : {"inside", "partly", "outside"}
        Whether the evidence holds it.
    about : mapping
        Numbers and names that the text says.
    """

    topic: str
    of: str
    verdict: str
    about: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return asdict(self)


def scope(study: Study) -> list[Place]:
    """Place everything that a study asks beside the evidence."""
    from osteon.trial.people import enrol

    people = enrol(study, _PEOPLE).table
    evidence = _Evidence.shipped()
    found = [_species(study, evidence)]
    if study.patient.species == "human":
        found += [*_numbers(study, people, evidence), _sex(people, evidence)]
    found += _drugs(study, evidence)
    if study.fracture is not None:
        found += [_bone(study, evidence), *_traits(people)]
    return [*found, _horizon(study, evidence), *_endpoints(study, evidence)]


@dataclass(frozen=True)
class _Evidence:
    """What is shipped: rows of turnover, times to union, films and rates in people, rows of animals, by use."""

    turnover: Mapping[str, Any]
    times: Mapping[str, Any]
    scores: Mapping[str, Any]
    rates: Mapping[str, Any]
    animals: Mapping[str, Any]

    @classmethod
    @cache
    def shipped(cls) -> _Evidence:
        from osteon.evidence.healing.people import rate_rows, score_rows, union_times
        from osteon.evidence.healing.rows import healing_rows
        from osteon.evidence.rows import observations

        readers = (observations, union_times, score_rows, rate_rows, healing_rows)
        return cls(*({use: read(use) for use in ("fit", "check")} for read in readers))

    def arms(self, use: str) -> list[StudyArm]:
        from osteon.evidence.arms import arm

        return [arm(key) for key in dict.fromkeys(self.turnover[use].arm.tolist())]


def _within(low: float, high: float, least: float, most: float) -> str:
    if least <= low and high <= most:
        return INSIDE
    return OUTSIDE if high < least or most < low else PARTLY


def _worse(verdicts: Iterable[str]) -> str:
    order = (INSIDE, PARTLY, OUTSIDE)
    return order[max(order.index(one) for one in verdicts)]


def _species(study: Study, evidence: _Evidence) -> Place:
    species = study.patient.species
    animals = Counter(row.species for row in evidence.animals["fit"] if row.kind != "sign")
    about = {
        "turnover": len(evidence.turnover["fit"]),
        "times": len(evidence.times["fit"]),
        "animals": dict(animals.most_common()),
    }
    if study.fracture is None:
        return Place("species", species, INSIDE if species == "human" else OUTSIDE, about)
    # Kinetics of the callus come from animals, turnover from people: neither species has both.
    known = species == "human" or species in animals
    return Place("species", species, PARTLY if known else OUTSIDE, about)


def _numbers(study: Study, people: Mapping[str, np.ndarray], evidence: _Evidence) -> list[Place]:
    """Age and weight: the middle 90 % of those enrolled beside the means of the trials."""
    from osteon.units import to_internal

    trials = {one.trial.key: one.trial for one in evidence.arms("fit")}.values()
    found = []
    for trait in ("age", "weight"):
        low, high = (float(one) for one in np.quantile(people[trait], [0.05, 0.95]))
        ends = [getattr(one, trait) for one in trials]
        about: dict[str, Any] = {"low": low, "high": high, "least": min(ends), "most": max(ends), "trials": len(ends)}
        verdicts = [_within(low, high, about["least"], about["most"])]
        if trait == "age" and study.fracture is not None:
            ages = [to_internal(row.patient["age"], "yr") for row in evidence.times["fit"]]
            about |= {"healing_least": min(ages), "healing_most": max(ages), "groups": len(ages)}
            verdicts.append(_within(low, high, min(ages), max(ages)))
        found.append(Place(trait, "", _worse(verdicts), about))
    return found


def _sex(people: Mapping[str, np.ndarray], evidence: _Evidence) -> Place:
    trials = Counter(one.trial.sex for one in evidence.arms("fit"))
    healing = Counter(row.patient.get("sex", "?") for row in evidence.times["fit"])
    female = float(np.mean(people["sex"] == "female"))
    unseen = (0.0 if "male" in trials else 1 - female) + (0.0 if "female" in trials else female)
    verdict = INSIDE if unseen == 0 else (OUTSIDE if unseen == 1 else PARTLY)
    return Place("sex", "", verdict, {"female": female, "trials": dict(trials), "healing": dict(healing)})


def _drugs(study: Study, evidence: _Evidence) -> list[Place]:
    """Dose and length of each drug, drugs that share an arm, and each drug over a fracture."""
    weight = study.patient.weight
    given: dict[str, list[tuple[float, float]]] = {}
    sets: dict[frozenset[str], str] = {}
    for one in study.arms:
        for dose in one.doses:
            given.setdefault(dose.drug, []).extend((time, amount) for time, _, amount, _ in dose.events(weight))
        drugs = frozenset(dose.drug for dose in one.doses)
        if len(drugs) > 1:
            sets.setdefault(drugs, one.name)
    spans = {drug: max(_spans(study, drug)) for drug in given}
    found = [_drug(drug, [mg for _, mg in events], spans[drug], evidence) for drug, events in given.items()]
    for drugs, name in sets.items():
        seen = {use: [one for one in evidence.arms(use) if drugs <= one.drugs] for use in ("fit", "check")}
        verdict = INSIDE if seen["fit"] else (PARTLY if seen["check"] else OUTSIDE)
        about = {"drugs": sorted(drugs), "fit": len(seen["fit"]), "check": len(seen["check"])}
        found.append(Place("together", name, verdict, about))
    imposed = {name for one in study.arms if one.impose for name, value in one.impose if value is not None}
    found += [Place("imposed", name, OUTSIDE) for name in sorted(imposed)]
    return found + ([_over_fracture(drug, evidence) for drug in given] if study.fracture is not None else [])


def _spans(study: Study, drug: str) -> list[float]:
    """Days from the first to the last dose of a drug, in each arm that gives it."""
    times = [[t for dose in one.doses if dose.drug == drug for t in dose.times()] for one in study.arms]
    return [max(one) - min(one) for one in times if one]


def _drug(drug: str, amounts: Sequence[float], span: float, evidence: _Evidence) -> Place:
    seen = [one for one in evidence.arms("fit") if drug in one.drugs]
    rows = {
        use: sum(drug in one.drugs for one in _arms_of_rows(evidence.turnover[use].arm.tolist()))
        for use in ("fit", "check")
    }
    about: dict[str, Any] = {"low": min(amounts), "high": max(amounts), "days": span, "rows": rows, "arms": len(seen)}
    if not seen:
        return Place("drug", drug, OUTSIDE, about)
    doses = [dose for one in seen for dose in _doses(one, drug)]
    fitted = [dose.amount.in_mg(one.trial.weight) for one in seen for dose in _doses(one, drug)]
    longest = max(dose.times()[-1] - dose.times()[0] for dose in doses)
    about |= {"least": min(fitted), "most": max(fitted), "longest": longest}
    verdict = _within(min(amounts), max(amounts), min(fitted) - 1e-9, max(fitted) + 1e-9)
    late = PARTLY if span > longest + 1.0 else INSIDE
    return Place("drug", drug, _worse([verdict, late]), about)


def _doses(arm: StudyArm, drug: str) -> list[Dose]:
    return [dose for one in arm.scenario().arms for dose in one.doses if dose.drug == drug]


def _arms_of_rows(keys: Iterable[str]) -> list[StudyArm]:
    from osteon.evidence.arms import arm

    return [arm(key) for key in keys]


def _over_fracture(drug: str, evidence: _Evidence) -> Place:
    """Rows on healing under a drug: in animals, where the drug or what it does was imposed, and in people."""
    from osteon.evidence.healing.arms import animal_arms, parts_of
    from osteon.evidence.studies import studies

    arms = animal_arms()

    def acts(key: str) -> bool:
        if key in ("", "intact"):
            return False
        parts = [arms[part] for part in parts_of(key)]
        doses = any(dose["drug"] == drug for one in parts for dose in one.doses)
        return doses or any(drug in _STANDS_FOR.get(name, ()) for one in parts for name in one.impose)

    # Directions are scored and never fitted.
    fitted = sum(acts(row.arm) for row in evidence.animals["fit"] if row.kind != "sign")
    every = sum(acts(row.arm) for rows in evidence.animals.values() for row in rows)
    animals = {"fit": fitted, "check": every - fitted}
    trials = [one for one in studies().values() if one.species == "human" and drug in one.drugs]
    simulated = [one for one in trials if any(result.reason is None for result in one.results)]
    compared = [one for one in simulated if one.engine in ("cohort", "people")]
    about = {"animals": animals, "studies": [one.key for one in compared], "other": len(trials) - len(compared)}
    known = animals["fit"] or animals["check"] or compared
    return Place("callus", drug, PARTLY if known else OUTSIDE, about)


def _bone(study: Study, evidence: _Evidence) -> Place:
    assert study.fracture is not None
    bone, fixation = study.fracture.bone, study.fracture.fixation
    if study.patient.species == "human":
        rows = {use: [one.fracture for one in evidence.times[use]] for use in ("fit", "check")}
    else:
        rows = {use: _fractures(study.patient.species, evidence, use) for use in ("fit", "check")}
    bones = {use: sum(one["bone"] == bone for one in mine) for use, mine in rows.items()}
    both = {use: sum((one["bone"], one["fixation"]) == (bone, fixation) for one in mine) for use, mine in rows.items()}
    verdict = INSIDE if both["fit"] else (PARTLY if bones["fit"] or bones["check"] else OUTSIDE)
    about = {"bone": bone, "fixation": fixation, "bones": bones, "both": both}
    return Place("bone", bone, verdict, about)


def _fractures(species: str, evidence: _Evidence, use: str) -> list[Mapping[str, Any]]:
    """Fractures behind the rows on animals of a species."""
    from osteon.evidence.healing.arms import animal_arms, parts_of

    arms = animal_arms()
    rows = [row for row in evidence.animals[use] if row.species == species]
    return [arms[part].fracture for row in rows for part in parts_of(row.arm)[:1]]


def _traits(people: Mapping[str, np.ndarray]) -> list[Place]:
    """Traits that somebody enrolled has: whether what they do was fitted, read or assumed."""
    from osteon.parameters import load_table

    hooks = load_table("hooks/patient")["trait"]
    shares = {name: float(np.mean(people[name].astype(bool))) for name in _FLAGS if name in people}
    if "diabetes" in people:
        kinds = {kind: float(np.mean(people["diabetes"] == kind)) for kind in ("type1", "type2")}
        shares |= {f"{kind}_diabetes": share for kind, share in kinds.items()}
    found = []
    for name, share in shares.items():
        how = hooks[_HOOKS.get(name, name)]["how"]
        if share:
            found.append(Place("trait", name, PARTLY if how == "assumed" else INSIDE, {"share": share, "how": how}))
    return found


def _horizon(study: Study, evidence: _Evidence) -> Place:
    start = min((dose.start for one in study.arms for dose in one.doses), default=0.0)
    days = study.follow_up - min(start, 0.0)
    longest = float(evidence.turnover["fit"].day.max())
    return Place("horizon", "", INSIDE if days <= longest else PARTLY, {"days": days, "longest": longest})


def _endpoints(study: Study, evidence: _Evidence) -> list[Place]:
    """Each endpoint: how many rows of its kind were fitted, and how many compared."""
    found = []
    for one in study.endpoints.all:
        rows = {use: _rows_on(study.patient.species, one.kind, one.what, evidence, use) for use in ("fit", "check")}
        verdict = INSIDE if rows["fit"] and rows["check"] else (PARTLY if sum(rows.values()) else OUTSIDE)
        about = {"rows": rows, "kind": one.kind, "what": one.what, "primary": one is study.endpoints.primary}
        found.append(Place("endpoint", one.name, verdict, about))
    return found


def _rows_on(species: str, kind: str, what: str, evidence: _Evidence, use: str) -> int:
    if species != "human":
        quantity = "union" if kind == "union" else what
        return sum((row.species, row.quantity) == (species, quantity) for row in evidence.animals[use])
    if kind == "curve":
        return int((evidence.turnover[use].curve == what).sum())
    if kind == "union":
        films = len(evidence.scores[use]) if what in ("rust", "mrust") else 0
        return films + sum(row.rule == what for row in evidence.times[use])
    if kind == "score":
        return len(evidence.scores[use]) if what in ("RUST", "mRUST") else 0
    # Rates are compared with virtual people and never fitted, whatever their use.
    return 0 if use == "fit" else sum(row.event == what for both in evidence.rates.values() for row in both)

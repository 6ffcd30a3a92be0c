"""Regimens a patient under treatment could have after a fracture, as arms of one scenario that differ in nothing else.

From the doses before the fracture follow the day the next one is due and what it would be. The regimens give it now,
on that day, months later or never, or another drug on that day. After the doses still to come nothing follows.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from osteon.errors import InputError, near_match, show
from osteon.scenario import Arm, Dose, Scenario, catalogue

MONTH = 365.25 / 12
#: Days simulated after the last dose of the drug, so that its rebound is seen.
AFTER = 24 * MONTH
#: Name of the regimen that others are compared with.
REGULAR = "regular"
#: Months by which the next dose is delayed, where nobody says which.
DELAYS = (1, 2, 3, 4, 5, 6)
MOST_MONTHS = 24
MOST_DOSES = 60
_LONGEST = 30 * 365.25
_SAME = 1e-6  # days


@dataclass(frozen=True)
class Regimen:
    """One way to go on after the fracture.

    Attributes
    ----------
    name : str
        ``now``, ``regular``, ``delay_N``, ``stop`` or ``switch_DRUG``; the name of its arm.
    kind : {"now", "regular", "delay", "stop", "switch"}
    drug : str
        What is given next; empty for ``stop``.
    day : float
        Day of the first dose after the fracture, NaN for ``stop``.
    doses : int
        Doses after the fracture.
    months : int
        Delay [month].
    """

    name: str
    kind: str
    drug: str
    day: float
    doses: int
    months: int = 0


@dataclass(frozen=True)
class Candidates:
    """Regimens of one patient, ready to be simulated.

    Attributes
    ----------
    scenario : Scenario
        One arm a regimen, in the order of `regimens`.
    regimens : tuple of Regimen
    source : str
        Arm that the past doses are from.
    drug : str
        The drug they are of.
    past : int
        How many doses of it were given.
    last : float
        Day of the last of them.
    due : float
        Day the next one is due; 0 where that day is over.
    interval : float
        Days between doses.
    notes : tuple of (str, dict)
        What a reader must know: a key, and what fills its places.
    """

    scenario: Scenario
    regimens: tuple[Regimen, ...]
    source: str
    drug: str
    past: int
    last: float
    due: float
    interval: float
    notes: tuple[tuple[str, dict[str, Any]], ...] = ()

    def regimen(self, name: str) -> Regimen:
        """Regimen by name."""
        return next(one for one in self.regimens if one.name == name)


@cache
def switches() -> Mapping[str, Mapping[str, Any]]:
    """Drugs that can replace another, with amount, spacing and number of doses."""
    text = files("osteon.trial").joinpath("switches.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def candidates(
    scenario: Scenario,
    *,
    drug: str | None = None,
    months: Sequence[int] = DELAYS,
    switch: Sequence[str] | None = None,
    doses: int | None = None,
) -> Candidates:
    """Regimens after a fracture, from the first arm with doses before it.

    Parameters
    ----------
    scenario : Scenario
        A person with a fracture under treatment. Its other arms are left out.
    drug : str, optional
        Whose dose is timed; left out, the drug of the arm's last dose before the fracture.
    months : sequence of int
        Delays [month] from the regular date; 0, the regular date itself, is always there.
    switch : sequence of str, optional
        Drugs to switch to; left out, all of `switches` but the drug itself.
    doses : int, optional
        Doses still to come; left out, as many as the arm plans, and at least one.

    Raises
    ------
    InputError
        There is no fracture, no dose before it, no interval, the patient is an animal, or a drug or number is unknown.
    """
    _check_scenario(scenario)
    known = catalogue.drugs()
    if drug is not None and (not isinstance(drug, str) or drug not in known):
        message = f"{show(drug)} is not a drug (allowed: {', '.join(known)})"
        raise InputError(message, path="drug", value=drug, hint=near_match(drug, known))
    place, drug = _source(scenario, drug)
    arm, path = scenario.arms[place], f"arms[{place}]"
    if arm.impose is not None:
        hint = "leave the imposed effect out"
        raise InputError("is imposed, and a schedule is compared by doses alone", path=f"{path}.impose", hint=hint)
    # A dose of nothing is none: neither is the next one due by it, nor is it one still to come.
    own = [dose for dose in arm.doses if dose.drug == drug and dose.amount.value > 0]
    times = sorted(time for dose in own for time in dose.times())
    before, after = [t for t in times if t < -_SAME], [t for t in times if t >= -_SAME]
    given = max((dose for dose in own if dose.start < -_SAME), key=lambda dose: _past(dose)[-1])
    coming = min((dose for dose in own if _past(dose) != dose.times()), key=lambda d: _future(d)[0], default=given)
    interval = _interval(given, before, path)
    count = max(1, len(after)) if doses is None else _whole("doses", doses, 1, MOST_DOSES)
    date = before[-1] + interval
    due = max(date, 0.0)
    spacing = coming.every or interval

    def series(day: float) -> Dose:
        return coming.model_copy(update={"start": day, "every": spacing, "count": count})

    found: dict[str, tuple[Regimen, Dose | None]] = {}
    if due > _SAME:
        found["now"] = Regimen("now", "now", drug, 0.0, count), series(0.0)
    found[REGULAR] = Regimen(REGULAR, "regular", drug, due, count), series(due)
    for delay in _delays(months):
        name, day = f"delay_{delay}", due + delay * MONTH
        found[name] = Regimen(name, "delay", drug, day, count, delay), series(day)
    found["stop"] = Regimen("stop", "stop", "", math.nan, 0), None
    for other in _switches(switch, drug):
        name, course = f"switch_{other}", _course(other, due)
        found[name] = Regimen(name, "switch", other, due, course.count), course
    last = max(dose.times()[-1] for one, dose in found.values() if dose is not None and one.kind != "switch")
    ends = [dose.times()[-1] for one, dose in found.values() if dose is not None and one.kind == "switch"]
    horizon = max([scenario.horizon, last + AFTER, *ends])
    if horizon > _LONGEST:
        message = (
            f"the last dose would fall on day {last:.0f}, and its rebound after the 30 years that can be simulated"
        )
        raise InputError(message, path="doses", value=count, hint="time fewer doses")
    kept = [_trimmed(dose, drug) for dose in arm.doses]
    base = [dose for dose in kept if dose is not None]
    arms = [
        Arm(name=name, doses=(*base, *(() if dose is None else (dose,))))  # pyright: ignore[reportArgumentType]
        for name, (_, dose) in found.items()
    ]
    others = sorted({dose.drug for dose in base if dose.drug != drug and dose.times()[-1] >= -_SAME})
    notes: list[tuple[str, dict[str, Any]]] = [("source", {"arm": arm.name})] if len(scenario.arms) > 1 else []
    notes += [("overdue", {"days": -date})] if date < -_SAME else []
    notes += [("planned", {"count": count})] if doses is None and after else []
    notes += [("others", {"drugs": others})] if others else []
    notes += [("extended", {"before": scenario.horizon, "after": horizon})] if horizon > scenario.horizon else []
    whole = {
        **{name: getattr(scenario, name) for name in ("osteon", "title", "patient", "fracture", "seed")},
        **{"arms": arms, "horizon": f"{horizon!r} days", "parameters": list(scenario.parameters)},
    }
    regimens = tuple(one for one, _ in found.values())
    return Candidates(
        Scenario.parse(whole), regimens, arm.name, drug, len(before), before[-1], due, interval, tuple(notes)
    )


def _check_scenario(scenario: Scenario) -> None:
    if not isinstance(scenario, Scenario):
        raise InputError(f"{show(scenario)} is not a scenario", path="scenario", value=scenario)
    if scenario.fracture is None:
        hint = "write for example {bone: metatarsal, gap: 1 mm, fixation: cast}"
        raise InputError("there is none, and a schedule is compared after a fracture", path="fracture", hint=hint)
    species = scenario.patient.species
    if species != "human":
        message = f"{show(species)} has no schedule of doses to compare (allowed: human)"
        raise InputError(message, path="patient.species", value=species)


def _source(scenario: Scenario, drug: str | None) -> tuple[int, str]:
    """Place of the first arm with a dose of the drug before the fracture, and that drug."""
    for place, arm in enumerate(scenario.arms):
        past = [(_past(one)[-1], one.drug) for one in arm.doses if _past(one) and drug in (None, one.drug)]
        if past:
            return place, max(past)[1]
    of = "" if drug is None else f" of {drug}"
    hint = "a schedule needs a patient under treatment; write for example start: -10 months"
    raise InputError(f"no arm has a dose{of} before the fracture", path="arms", value=drug, hint=hint)


def _past(dose: Dose) -> tuple[float, ...]:
    return tuple(time for time in dose.times() if time < -_SAME) if dose.amount.value > 0 else ()


def _future(dose: Dose) -> tuple[float, ...]:
    return tuple(time for time in dose.times() if time >= -_SAME)


def _trimmed(dose: Dose, drug: str) -> Dose | None:
    """A dose record without what of this drug falls after the fracture."""
    if dose.drug != drug:
        return dose
    count = sum(time < -_SAME for time in dose.times())
    return dose.model_copy(update={"count": count}) if count else None


def _interval(given: Dose, before: Sequence[float], path: str) -> float:
    """Days from the last dose to the one that is due: as the series says, as the last two did, or as usual."""
    usual = catalogue.drugs()[given.drug].protects
    gap = before[-1] - before[-2] if len(before) > 1 else 0.0
    found = given.every or (gap if gap > _SAME else usual)
    if found is None:
        message = f"when the next dose of {given.drug} is due is not known"
        raise InputError(message, path=f"{path}.doses", hint='write for example "every: 12 months" and "count: 1"')
    return float(found)


def _course(drug: str, day: float) -> Dose:
    """The course that replaces the drug, from a day on."""
    one = switches()[drug]
    spaced = {"every": one["every"]} if "every" in one else {}
    written: dict[str, Any] = {"drug": drug, "amount": one["amount"], "start": f"{day!r} days", **spaced}
    return Dose(**written, **({"count": one["doses"]} if spaced else {}))


def _delays(given: Sequence[int]) -> list[int]:
    return sorted({_whole("months", one, 0, MOST_MONTHS) for one in given} - {0})


def _switches(given: Sequence[str] | None, drug: str) -> list[str]:
    known = [name for name in switches() if name != drug]
    if given is None:
        return known
    for name in given:
        if name == drug:
            raise InputError(f"{show(name)} is the drug that is given already", path="switch", value=name)
        if name not in known:
            message = f"{show(name)} is not a drug to switch to (allowed: {', '.join(known)})"
            raise InputError(message, path="switch", value=name, hint=near_match(name, known))
    return list(dict.fromkeys(given))


def _whole(path: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{show(value)} is not a whole number from {low} to {high}", path=path, value=value)
    return value

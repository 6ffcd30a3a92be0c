"""What was fitted and how sure it is: the shipped posteriors, and how the parameters of a study were obtained."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from osteon.calibrate.free import Free
    from osteon.parameters.posterior import Draws
    from osteon.trial.study import Study

_FEW = 20  # draws of a structure below which no spread is taken from them


def calibration() -> dict[str, Any]:
    """Facts on what was fitted, by layer: ``turnover`` and ``callus`` with their posteriors, and ``people``.

    Returns
    -------
    dict
        Of each layer with a posterior: ``rows`` fitted, ``studies`` (rows by study), ``draws``, ``parameters``,
        ``weights`` of structures, ``sha256`` of the draws, ``seed``, ``steps``, ``starts``, ``walkers``, ``packages``,
        ``same_rows`` (whether the rows shipped today are those that were fitted, by block), ``inside`` (share of
        fitted numbers inside the 90 % predictive interval), and ``shares`` (posterior over prior SD by structure: the
        median, and the keys above the limit). Of ``people``, of which no draws are shipped: rows, groups, parameters.
    """
    from osteon.calibrate import callus, people, turnover
    from osteon.parameters import posterior

    rows_of_people, groups = people.fitted_rows()
    found: dict[str, Any] = {
        "people": {
            "rows": len(rows_of_people),
            "groups": len(groups),
            "parameters": len(people.free_parameters()),
            "studies": dict(Counter(one.study for one in rows_of_people).most_common()),
        }
    }
    every = posterior.shipped()
    if every is not None:
        blocks = json.loads(every.attributes["data"])
        rows = {one: turnover.observed_of(turnover.rows_of("fit", None, one)).content_hash() for one in blocks}
        leading = max(every.weights, key=lambda name: every.weights[name])
        found["turnover"] = _posterior(
            every, posterior.SHIPPED, {one: rows[one] == sha for one, sha in blocks.items()}, leading
        )
        found["turnover"]["shares"] = {leading: _shares(every, leading, turnover.free_parameters())}
    own = posterior.shipped_callus()
    if own is not None:
        blocks = json.loads(own.attributes["data"])
        free = callus.free_parameters("callus_J")
        rows = callus.Animals("callus_J", "core", free, callus.fitted_rows(), {}, 1).observed.content_hash()
        same = {one: rows == sha for one, sha in blocks.items()}
        found["callus"] = _posterior(own, posterior.SHIPPED_CALLUS, same, "")
        found["callus"]["shares"] = {name: _shares(own, name, callus.free_parameters(name)) for name in own.weights}
    return found


def _posterior(draws: Draws, path: Any, same: Mapping[str, bool], leading: str) -> dict[str, Any]:
    import netCDF4

    with netCDF4.Dataset(path) as file:
        observed, told = file["observed_data"], file["posterior_predictive"]
        value = np.ma.filled(observed["value"][:], np.nan).astype(float)
        censored = np.asarray(observed["censored"][:]).astype(bool)
        replicate = np.ma.filled(told["value"][0], np.nan).astype(float)
        studies = Counter(str(one) for one in observed["study"][:])
    low, high = np.nanquantile(replicate, [0.05, 0.95], axis=0)
    # Of a bound it is known only that the value lies beyond it.
    inside = ((low <= value) & (value <= high))[~censored]
    about = draws.attributes
    return {
        "rows": len(value),
        "studies": dict(studies.most_common()),
        "draws": len(draws),
        "parameters": len(draws.keys),
        "weights": dict(draws.weights),
        "leading": leading,
        "sha256": draws.content_hash(),
        **{name: about.get(name) for name in ("seed", "steps", "starts", "walkers")},
        "packages": json.loads(about.get("packages", "{}")),
        "same_rows": dict(same),
        "inside": float(inside.mean()),
    }


def _shares(draws: Draws, structure: str, free: Sequence[Free]) -> dict[str, Any]:
    """Posterior over prior standard deviation of each parameter of a structure, on the scale of its fit."""
    from osteon.calibrate.identify import UNSEEN

    places = [place for place, one in enumerate(draws.structures) if one == structure]
    if len(places) < _FEW:
        return {"draws": len(places), "median": None, "limit": UNSEEN, "unseen": []}
    mine = draws.taken(places)
    known = {one.key: one for one in free if one.key in draws.keys}
    found = {
        key: float(np.std(one.to_z(mine.of(key)), ddof=1) / one.width)
        for key, one in known.items()
        if np.isfinite(mine.of(key)).all()
    }
    unseen = sorted((key for key, share in found.items() if share > UNSEEN), key=lambda key: -found[key])
    median = float(np.median(list(found.values()))) if found else None
    return {"draws": len(places), "parameters": len(found), "median": median, "limit": UNSEEN, "unseen": unseen}


def uncertainty(study: Study) -> dict[str, Any]:
    """How the parameters of a study were obtained, and which of them vary.

    Returns
    -------
    dict
        ``by_how`` (counts), ``varied`` (counts by how of those that draws, structures or the spread between people
        vary), ``held`` (assumed ones that stand still), ``total``, ``spread`` (how many the spread varies), ``draws``
        and ``members`` of the study, and ``structures``.
    """
    from osteon.model.person import parameters_for
    from osteon.parameters import load_table, posterior
    from osteon.population.plan import phases

    scenario = study.scenario()
    parameters = parameters_for(scenario, study.population.members[0])
    used: set[str] = {key for key in parameters if key.startswith("radiograph.")}
    for arm in scenario.arms:
        planned = phases(scenario, arm, parameters)
        for phase in planned:
            used |= {*phase.system.parameter_keys, *phase.system.initial_parameters()}
        doses = arm.dose_events(scenario.patient)
        used |= {planned[-1].system.dose_target(one.drug, one.route)[1] for one in doses}
    used = {key for key in used if key in parameters}
    spread = _spread_keys(study, load_table("spread"))
    drawn: set[str] = set()
    structures: list[str] = []
    if study.population.draws and study.patient.species == "human":
        turnover, callus = posterior.shipped(), posterior.shipped_callus()
        for one in (turnover, callus if study.fracture is not None else None):
            if one is not None:
                drawn |= {*one.keys, *(key for name in one.weights for key in posterior.fixed_by(name))}
                structures += list(one.weights)
    varied = (spread | drawn) & used
    how = {key: parameters[key].how for key in used}
    held = sorted(key for key, one in how.items() if one == "assumed" and key not in varied)
    return {
        "total": len(used),
        "by_how": dict(sorted(Counter(how.values()).items())),
        "varied": dict(sorted(Counter(how[key] for key in varied).items())),
        "held": held,
        "held_with_range": sum(parameters[key].range is not None for key in held),
        "spread": len(spread & used),
        "drawn": len(drawn & used),
        "structures": structures,
        "draws": study.population.draws,
        "members": list(study.population.members) if study.fracture is not None else [],
    }


def _spread_keys(study: Study, table: Mapping[str, Any]) -> set[str]:
    """Parameters that differ between the people of a study."""
    given = study.population.spread
    if given == "none":
        return set()
    if isinstance(given, Mapping):
        return set(given)
    modules = {name: one for name, one in table.items() if isinstance(one, Mapping) and name != "patient"}
    return {f"{name}.{key}" for name, one in modules.items() for key in one}

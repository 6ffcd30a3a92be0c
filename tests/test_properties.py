"""Any patient, any fracture, any record of doses: the course is sound."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import osteon
from osteon.engine.solve import solve
from osteon.model.person import parameters_for
from osteon.scenario import catalogue
from osteon.simulation import phases, simulate

QUICK = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def patients(draw: st.DrawFn) -> dict:
    species = draw(st.sampled_from(sorted(catalogue.species())))
    entry = catalogue.species()[species]
    return {
        "species": species,
        "age": f"{draw(st.floats(entry.age.low, entry.age.high)):.4f} yr",
        "weight": f"{draw(st.floats(entry.weight.low, entry.weight.high)):.6f} kg",
        "sex": draw(st.sampled_from(["female", "male"])),
        "diabetes": draw(st.sampled_from(["none", "type1", "type2"])),
        "osteoporosis": draw(st.booleans()),
        "smoking": draw(st.booleans()),
        "obesity": draw(st.booleans()),
        "nsaid": draw(st.booleans()),
        "rankl": draw(st.sampled_from(["native", "human"])) if entry.rodent else "native",
    }


@st.composite
def fractures(draw: st.DrawFn) -> dict:
    broken = {
        "bone": draw(st.sampled_from(sorted(catalogue.bones()))),
        "fixation": draw(st.sampled_from(sorted(catalogue.fixations()))),
        "gap": f"{draw(st.floats(0.1, 9.0)):.3f} mm",
        "open": draw(st.booleans()),
        "weight_bearing": draw(st.sampled_from(["immediate", "as_stiffness_allows", "6 weeks"])),
    }
    if draw(st.booleans()):
        broken["interfragmentary_strain"] = f"{draw(st.floats(0.0, 100.0)):.2f} %"
    return broken


@st.composite
def doses(draw: st.DrawFn) -> dict:
    one = {
        "drug": "denosumab",
        "amount": draw(st.sampled_from(["0 mg", "0.001 mg", "14 mg", "60 mg", "120 mg", "1 mg/kg", "3 mg/kg"])),
        "start": f"{draw(st.floats(-900, 200)):.3f} days",
    }
    if draw(st.booleans()):
        one |= {"every": f"{draw(st.floats(0.5, 30)):.2f} days", "count": draw(st.integers(1, 4))}
    return one


def _scenario(patient: dict, fracture: dict | None, records: list[dict]) -> osteon.Scenario:
    return osteon.Scenario.parse(
        {
            "osteon": 1,
            "title": "property",
            "patient": patient,
            "fracture": fracture,
            "arms": [{"name": "a", "doses": records}],
            "horizon": "365 days",
        }
    )


@QUICK
@given(patients(), st.none() | fractures(), st.lists(doses(), max_size=3))
def test_every_course_is_sound(patient: dict, fracture: dict | None, records: list[dict]) -> None:
    """Finite, in range, mass kept; a failure would be NaN with a reason and is not expected here."""
    scenario = _scenario(patient, fracture, records)
    course = simulate(scenario, members=["J"])
    assert not course.failures
    after = course.data.where(course.data["time"] >= 0, drop=True).isel(arm=0)
    for name, curve in after.items():
        if str(name).startswith(("denosumab_rankl", "callus_bisphosphonate")):
            continue  # unknown before the drug is there
        assert np.isfinite(curve.values).all(), name
    for name in ("CTX", "P1NP", "BSAP", "TRACP5b"):
        assert float(after[name].min()) >= -100.0
    assert ((after["free_rankl"] >= 0) & (after["free_rankl"] <= 1)).all()
    if fracture is not None:
        assert ((after["mRUST"] >= 4) & (after["mRUST"] <= 16)).all()
        assert ((after["cortical_union"] >= 0) & (after["cortical_union"] <= 1)).all()
        assert ((after["callus_tissue"] > 0) & (after["callus_tissue"] <= 1)).all()
        assert ((after["vascularity"] >= 0) & (after["vascularity"] <= 1 + 1e-6)).all()


@QUICK
@given(patients(), st.lists(doses(), min_size=1, max_size=3))
def test_drug_is_neither_made_nor_lost(patient: dict, records: list[dict]) -> None:
    scenario = _scenario(patient, None, records)
    arm = scenario.arms[0]
    parameters = parameters_for(scenario)
    given_mg = 0.0
    for piece in solve(phases(scenario, arm, parameters), scenario.horizon):
        given_mg += sum(piece.phase.impulses.values())
        amounts = ("depot", "central", "peripheral", "eliminated")
        if "denosumab.depot" not in piece.phase.system.states:
            continue
        states = dict(zip(piece.kernel.states, piece.trajectory.at(piece.end), strict=True))
        total = sum(states[f"denosumab.{name}"] for name in amounts)
        assert abs(total - given_mg) <= 1e-9 * max(given_mg, 1e-6)


@QUICK
@given(patients(), st.lists(doses(), min_size=1, max_size=3), st.randoms())
def test_order_and_splitting_do_not_matter(patient: dict, records: list[dict], random) -> None:
    """Records shuffled, and each split into two halves: the same plan, to the last bit of a doubled half."""
    halves = []
    for record in records:
        amount, unit = record["amount"].split()
        halves += [{**record, "amount": f"{float(amount) / 2!r} {unit}"}] * 2
    random.shuffle(halves)
    whole, split = (_scenario(patient, None, r) for r in (records, halves))
    plans = [phases(s, s.arms[0], parameters_for(s)) for s in (whole, split)]
    assert [p.start for p in plans[0]] == [p.start for p in plans[1]]
    for one, other in zip(*plans, strict=True):
        assert one.impulses.keys() == other.impulses.keys()
        for key in one.impulses:
            np.testing.assert_allclose(one.impulses[key], other.impulses[key], rtol=1e-14)

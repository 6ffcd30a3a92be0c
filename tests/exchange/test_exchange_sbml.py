"""Exported models, run by independent software, give the course that osteon computes."""

import builtins
import sys
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context

import numpy as np
import pytest

from osteon.engine.solve import solve
from osteon.errors import InputError, MissingExtra
from osteon.exchange import FORMATS, export
from osteon.exchange.sbml import identifier
from osteon.model.person import parameters_for
from osteon.scenario import Scenario
from osteon.simulation import phases

libsbml = pytest.importorskip("libsbml")

TURNOVER = {
    "osteon": 1,
    "title": "Turnover under doses or an imposed effect",
    "patient": {"species": "human", "age": "65 yr", "sex": "female", "weight": "66 kg"},
    "fracture": None,
    "arms": [
        {
            "name": "doses & more",
            "doses": [
                {"drug": "denosumab", "amount": "60 mg", "start": "-90 days"},
                {"drug": "denosumab", "amount": "20 mg", "start": "0 days"},
                {"drug": "denosumab", "amount": "40 mg", "start": "0 days"},
            ],
        },
        {"name": "imposed", "impose": {"bisphosphonate_inhibition": 0.45}},
    ],
    "horizon": "200 days",
}
#: Drugs whose daily mean is followed, with a missed week and series that overlap, and all drugs over a fracture.
COURSES = {
    "osteon": 1,
    "title": "Courses",
    "patient": {"species": "human", "age": "56 yr", "sex": "female", "weight": "60 kg"},
    "fracture": None,
    "arms": [
        {
            "name": "teriparatide",
            "doses": [
                {"drug": "teriparatide", "amount": "20 ug", "start": "-10 days", "every": "1 day", "count": 60},
                {"drug": "teriparatide", "amount": "20 ug", "start": "57 days", "every": "1 day", "count": 40},
                {"drug": "teriparatide", "amount": "0.3 ug/kg", "start": "80 days", "every": "1 day", "count": 40},
            ],
        },
        {
            "name": "alendronate",
            "doses": [
                {"drug": "alendronate", "amount": "70 mg", "start": "0 days", "every": "7 days", "count": 15},
                {"drug": "alendronate", "amount": "10 mg", "start": "112 days", "every": "1 day", "count": 30},
            ],
        },
        {
            "name": "zoledronate",
            "doses": [{"drug": "zoledronate", "amount": "5 mg", "start": "-30 days", "every": "90 days", "count": 2}],
        },
        {
            "name": "all",
            "doses": [
                {"drug": "denosumab", "amount": "60 mg", "start": "40 days"},
                {"drug": "teriparatide", "amount": "20 ug", "start": "-10 days", "every": "1 day", "count": 60},
                {"drug": "romosozumab", "amount": "210 mg", "start": "-10 days", "every": "30 days", "count": 2},
                {"drug": "zoledronate", "amount": "5 mg", "start": "20 days"},
                {"drug": "alendronate", "amount": "70 mg", "start": "30 days", "every": "7 days", "count": 10},
            ],
        },
    ],
    "horizon": "200 days",
}
BROKEN = {**COURSES, "fracture": {"bone": "femur", "fixation": "plate"}, "arms": COURSES["arms"][-1:]}
#: Preset, arm, member. Of all drugs over a fracture three begin after it: until then they are there at zero.
CASES = [
    ("metatarsal_on_denosumab", "continue", "J"),
    ("metatarsal_on_denosumab", "hold", "B"),
    (None, "doses & more", "J"),
    (None, "imposed", "J"),
    *(("courses", arm["name"], "J") for arm in COURSES["arms"]),
    ("broken", "all", "J"),
]
WRITTEN = {None: TURNOVER, "courses": COURSES, "broken": BROKEN}


def scenario_of(preset):
    return Scenario.parse(WRITTEN[preset]) if preset in WRITTEN else Scenario.preset(preset)


def prepare():
    import roadrunner as rr

    # Unoptimised code is compiled five times faster and runs fast enough here.
    rr.Config.setValue(rr.Config.LLVM_BACKEND, rr.Config.LLJIT)
    rr.Config.setValue(rr.Config.LLJIT_OPTIMIZATION_LEVEL, rr.Config.NONE)


@pytest.fixture(scope="module")
def roadrunner():
    """A process of its own: libRoadRunner has now and then crashed beside the compiler of Numba, each with its LLVM."""
    if find_spec("roadrunner") is None:
        pytest.skip("libRoadRunner is not installed")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=prepare) as pool:
        yield pool


def disagreement(text, scenario, arm_name, member):
    """Largest difference of each state over the course, over its own size; also checks that the callus waits."""
    import roadrunner

    arm = next(arm for arm in scenario.arms if arm.name == arm_name)
    pieces = solve(phases(scenario, arm, parameters_for(scenario, member)), scenario.horizon, tolerance=1e-7)
    model = roadrunner.RoadRunner(text)
    model.integrator.relative_tolerance, model.integrator.absolute_tolerance = 1e-9, 1e-12
    model.integrator.maximum_num_steps = 200_000
    states = {key: state for piece in pieces for key, state in piece.phase.system.states.items()}
    # Never at a dose itself, where both sides of the jump are right.
    times = np.unique(np.concatenate([np.linspace(piece.start, piece.end, 32)[1:-1] for piece in pieces]))
    times = np.concatenate([[scenario.start_day], times, [scenario.horizon]])
    model.timeCourseSelections = [identifier(key) for key in states]
    found = dict(zip(states, np.array(model.simulate(times=list(times - scenario.start_day))).T, strict=True))
    worst = {}
    for number, piece in enumerate(pieces):
        inside = (times > piece.start) & ((times < piece.end) | (number == len(pieces) - 1))
        for key, ours in zip(piece.kernel.states, piece.trajectory.sample(times[inside]), strict=True):
            size = max(np.abs(found[key]).max(), 1e-3 * states[key].scale)
            worst[key] = max(worst.get(key, 0.0), np.abs(ours - found[key][inside]).max() / size)
        for key in set(states) - set(piece.kernel.states):
            before = found[key][inside]
            assert before.size == 0 or np.ptp(before) <= 1e-9 * states[key].scale, f"{key} moves before its part joins"
    return worst


@pytest.mark.parametrize(("preset", "arm", "member"), CASES)
def test_roadrunner_agrees(roadrunner, preset, arm, member):
    scenario = scenario_of(preset)
    worst = roadrunner.submit(disagreement, export(scenario, "sbml", arm, member), scenario, arm, member).result()
    assert max(worst.values()) < 1e-5, max(worst.items(), key=lambda item: item[1])


@pytest.mark.parametrize(
    ("preset", "arm"),
    [
        ("metatarsal_on_denosumab", None),
        ("mouse_knockin_femur", "denosumab imposed"),
        (None, None),
        ("courses", "teriparatide"),
        ("broken", "all"),
    ],
)
def test_sbml_is_consistent(preset, arm):
    document = libsbml.readSBMLFromString(export(scenario_of(preset), "sbml", arm))
    document.checkConsistency()
    found = [document.getError(number).getMessage() for number in range(document.getNumErrors())]
    assert not found
    model = document.getModel()
    assert model.getTimeUnits() == "day"
    assert all(parameter.isSetUnits() and parameter.isSetName() for parameter in model.getListOfParameters())


def test_numbers_are_written_in_full():
    scenario = Scenario.preset("metatarsal_on_denosumab")
    model = libsbml.readSBMLFromString(export(scenario, "sbml")).getModel()
    parameters = parameters_for(scenario)
    for key, record in parameters.items():
        element = model.getParameter(identifier(key))
        assert element is None or element.getValue() == record.value


def test_events_at_equal_times_are_one():
    model = libsbml.readSBMLFromString(export(scenario_of(None), "sbml")).getModel()
    # The first dose is the initial state, the two on day zero are one event.
    assert model.getNumEvents() == 1
    assert model.getInitialAssignment("denosumab_depot") is not None
    change = libsbml.formulaToL3String(model.getEvent(0).getEventAssignment(0).getMath())
    assert "dose_2_amount" in change
    assert model.getParameter("dose_2_amount").getValue() == 60


def test_a_course_lands_on_the_intake_and_is_taken_away():
    """Of 140 doses, some missed and some on top, six changes are left, in mg/day, that add up to nothing."""
    scenario = scenario_of("courses")
    model = libsbml.readSBMLFromString(export(scenario, "sbml", "teriparatide")).getModel()
    assert model.getNumEvents() == 6
    amounts = [model.getParameter(f"dose_{number}_amount") for number in range(1, 7)]
    assert {amount.getUnits() for amount in amounts} == {"mg_per_day"}
    assert [amount.getValue() for amount in amounts] == pytest.approx([0.02, -0.02, 0.02, 0.018, -0.02, -0.018])
    assert sum(amount.getValue() for amount in amounts) == pytest.approx(0, abs=1e-15)
    assert "falls by 0.02 mg/day, day 50 from" in amounts[1].getName()
    changed = {model.getEvent(n).getEventAssignment(0).getVariable() for n in range(6)}
    assert changed == {"teriparatide_intake"}


def test_same_text_every_time():
    scenario = scenario_of(None)
    for name in FORMATS:
        assert export(scenario, name) == export(scenario, name)


@pytest.mark.parametrize(("preset", "arm"), [(None, "doses & more"), (None, "imposed"), ("courses", "all")])
def test_antimony_loads_back(roadrunner, preset, arm):
    antimony = pytest.importorskip("antimony")
    scenario = scenario_of(preset)
    text = export(scenario, "antimony", arm)
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(text) >= 0, antimony.getLastError()
    sbml = antimony.getSBMLString(antimony.getMainModuleName())
    assert max(roadrunner.submit(disagreement, sbml, scenario, arm, "J").result().values()) < 1e-5


def test_antimony_of_a_fracture_loads_back():
    antimony = pytest.importorskip("antimony")
    scenario = Scenario.preset("metatarsal_on_denosumab")
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(export(scenario, "antimony", "hold")) >= 0, antimony.getLastError()
    again = libsbml.readSBMLFromString(antimony.getSBMLString(antimony.getMainModuleName())).getModel()
    first = libsbml.readSBMLFromString(export(scenario, "sbml", "hold")).getModel()
    for count in ("getNumParameters", "getNumRules", "getNumEvents", "getNumInitialAssignments"):
        assert getattr(again, count)() == getattr(first, count)()
    assert "{" not in export(scenario, "antimony", "hold")


@pytest.mark.parametrize(("package", "name"), [("libsbml", "sbml"), ("antimony", "antimony")])
def test_a_missing_package_is_named(monkeypatch, package, name):
    real = builtins.__import__

    def without(wanted, *rest, **more):
        if wanted.partition(".")[0] == package:
            raise ImportError(wanted)
        return real(wanted, *rest, **more)

    monkeypatch.delitem(sys.modules, package, raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"osteon\[exchange\]"):
        export(scenario_of(None), name)


@pytest.mark.parametrize(
    ("arguments", "path", "hint"),
    [
        (("smbl",), "format", "sbml"),
        (("SBML ",), "format", "sbml"),
        (("sbml", "impossed"), "arm", "imposed"),
        (("equations", "nobody"), "arm", "allowed: doses & more, imposed"),
        (("antimony", None, "K"), "member", "allowed: J, B"),
    ],
)
def test_bad_requests_are_refused(arguments, path, hint):
    with pytest.raises(InputError) as refused:
        export(scenario_of(None), *arguments)
    assert refused.value.path == path
    assert hint in str(refused.value)

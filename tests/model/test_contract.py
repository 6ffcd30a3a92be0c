"""The module contract: what is refused at assembly, and that the unit check really finds faults."""

from dataclasses import replace

import numpy as np
import pytest

from osteon.endpoints import SAFETY_PARAMETERS
from osteon.errors import ModelError
from osteon.model import callus, markers, maths, turnover
from osteon.model.drugs import denosumab
from osteon.model.module import Input, Module, Signal, State
from osteon.model.system import System
from osteon.model.systems import DRUGS, HEALING, SYSTEMIC_PARAMETERS, assemble, curves
from osteon.model.unit_check import check_units
from osteon.parameters import HOWS, Record, available, layered, load
from osteon.scenario import catalogue
from tests.support import prototype_parameters, values_of


def _system(*modules: Module, imposed: tuple[str, ...] = ()) -> System:
    held = [Record(f"imposed.{n}", 0.5, "1", "defined", "test", n) for n in imposed]
    return System("test", modules, prototype_parameters().with_records(*held), imposed)


def _constant(name: str, inputs=None, outputs=None, function=None) -> Module:
    return Module(
        name=name,
        states={},
        rates=lambda s, p, signal: {},
        signals=function,
        tables=("turnover",),
        inputs=inputs or {},
        outputs=outputs or {},
    )


def test_missing_provider_is_named_with_a_near_match() -> None:
    needy = _constant("needy", inputs={"free_rankel": Input("1", "typo")})
    with pytest.raises(ModelError, match=r"no module gives free_rankel.*did you mean free_rankl"):
        _system(denosumab.MODULE, needy)


def test_doubled_signal_is_refused() -> None:
    twin = _constant(
        "twin", outputs={"free_rankl": Signal("1", "twin")}, function=lambda s, p, signal: {"free_rankl": 1.0}
    )
    with pytest.raises(ModelError, match="free_rankl is given twice"):
        _system(denosumab.MODULE, twin)


def test_circle_of_outputs_is_refused() -> None:
    a = _constant("a", {"y": Input("1", "")}, {"x": Signal("1", "")}, lambda s, p, signal: {"x": signal.y})
    b = _constant("b", {"x": Input("1", "")}, {"y": Signal("1", "")}, lambda s, p, signal: {"y": signal.x})
    with pytest.raises(ModelError, match="circle: a -> b -> a"):
        _system(a, b).evaluate([], prototype_parameters().value)


def test_undeclared_signal_and_parameter_are_refused() -> None:
    stray = _constant("stray", outputs={"x": Signal("1", "")}, function=lambda s, p, signal: {"x": signal.free_rankl})
    with pytest.raises(ModelError, match="stray uses signal free_rankl"):
        _system(denosumab.MODULE, stray).evaluate([0.0] * 5, prototype_parameters().value)
    typo = _constant("typo", outputs={"x": Signal("1", "")}, function=lambda s, p, signal: {"x": p.regrowht})
    with pytest.raises(ModelError, match="did you mean regrowth"):
        _system(typo).evaluate([], prototype_parameters().value)


def test_functions_must_return_what_they_declare() -> None:
    sloppy = replace(turnover.MODULE, rates=lambda s, p, signal: {"precursors": 0.0})
    system = _system(sloppy, markers.MODULE)
    missing = ", ".join(sorted(set(turnover.STATES) - {"precursors"}))
    with pytest.raises(ModelError, match=f"rates and declaration differ in {missing}"):
        system.evaluate([1.0] * len(system.states), prototype_parameters().value)


def test_unknown_imposed_signal_is_refused() -> None:
    with pytest.raises(ModelError, match=r"no module uses the imposed signal free_rankel; did you mean free_rankl"):
        _system(turnover.MODULE, imposed=("free_rankel",))


@pytest.mark.parametrize("fractured", [False, True])
@pytest.mark.parametrize("drugs", [(), ("denosumab",), tuple(DRUGS)], ids=lambda drugs: "+".join(drugs))
@pytest.mark.parametrize("imposed", [(), ("free_rankl", "callus_free_rankl"), ("bisphosphonate_inhibition",), ("pth",)])
def test_units_of_every_system(fractured: bool, drugs: tuple[str, ...], imposed: tuple[str, ...]) -> None:
    if drugs and "free_rankl" in imposed:
        imposed = ("bisphosphonate_inhibition",)
    check_units(assemble(fractured=fractured, drugs=drugs, imposed=imposed))


def _broken(module: Module, key: str, spoil) -> Module:
    """The module with one rate spoiled."""

    def rates(s, p, signal):
        given = dict(module.rates(s, p, signal))
        given[key] = spoil(given[key], s, p)
        return given

    return replace(module, rates=rates)


def test_unit_check_finds_a_wrong_dimension() -> None:
    spoiled = _broken(denosumab.MODULE, "depot", lambda rate, s, p: rate * p.vc)
    with pytest.raises(ModelError, match=r"rate of denosumab\.depot is in"):
        check_units(_system(spoiled))


def test_unit_check_finds_a_missing_factor() -> None:
    """mg/L for ng/mL has the right dimension and is wrong a thousand times."""
    spoiled = _broken(denosumab.MODULE, "rankl_total", lambda rate, s, p: -p.kdeg * s.central / p.vc)
    with pytest.raises(ModelError, match="a factor is missing"):
        check_units(_system(spoiled))


def test_unit_check_finds_a_wrong_sum() -> None:
    spoiled = _broken(callus.MODULE, "fibrous", lambda rate, s, p: rate + s.bone_mineral)
    with pytest.raises(ModelError, match=r"[Cc]annot convert"):
        check_units(_system(*[spoiled if m is callus.MODULE else m for m in HEALING]))


def test_clock_multiplies_every_rate_of_its_modules() -> None:
    system = assemble(fractured=True, skeleton=False)
    values = values_of(prototype_parameters())
    y = [0.1 + 0.01 * i for i in range(len(system.states))]
    once = np.array(system.evaluate(y, values.__getitem__)[0])
    twice = np.array(system.evaluate(y, (values | {"healing.clock": 2.0}).__getitem__)[0])
    # Days of loading are those of the calendar.
    own = np.array([key == "loading.elapsed" for key in system.states])
    np.testing.assert_allclose(twice[~own], 2 * once[~own], rtol=1e-14)
    assert twice[own] == once[own] == 1.0


def test_rates_take_arrays_point_by_point() -> None:
    """What a spatial callus needs: one call for many points equals many calls."""
    system = assemble(fractured=True, skeleton=False)
    values = values_of(prototype_parameters())
    rng = np.random.default_rng(1)
    points = rng.uniform(0.01, 0.3, (len(system.states), 7))
    many, _ = system.evaluate(list(points), values.__getitem__)
    for i in range(7):
        one, _ = system.evaluate(points[:, i].tolist(), values.__getitem__)
        np.testing.assert_allclose(np.array([np.broadcast_to(r, 7)[i] for r in many]), one, rtol=1e-12, atol=1e-15)


def test_positive_is_smooth_and_close() -> None:
    x = np.linspace(-1, 1, 2001)
    np.testing.assert_allclose(maths.positive(x, 1e-3), np.maximum(x, 0), atol=5.1e-4)
    assert maths.positive(-1.0, 1e-3) >= 0
    assert maths.positive(0.0, 1e-3) == pytest.approx(5e-4)
    np.testing.assert_allclose(maths.smooth_min(x, 0.25, 1e-3), np.minimum(x, 0.25), atol=5.1e-4)


# ---- parameters --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", available())
def test_every_record_is_complete(name: str) -> None:
    for key, record in load(name).items():
        assert record.how in HOWS, key
        assert record.source, key
        assert record.meaning, key
        assert np.isfinite(record.value), key
        if record.range:
            assert record.range[0] <= record.value <= record.range[1], key


def test_every_parameter_is_used() -> None:
    """A record that nothing reads is a mistake in a name."""
    used = set(SAFETY_PARAMETERS)
    for imposed in ((), ("pth",), ("bisphosphonate_inhibition",)):
        system = assemble(fractured=True, drugs=DRUGS, imposed=imposed)
        used |= {*system.parameter_keys, *system.initial_parameters()}
    for drug in DRUGS.values():
        used |= {system.dose_target(*given)[1] for given in drug.module.doses}
    known = set(layered(*SYSTEMIC_PARAMETERS, "callus_J", "callus_B"))
    assert sorted(key for key in known - used if not key.startswith("constants.")) == []
    for name in catalogue.parameter_sets():
        assert sorted(set(load(name)) - known) == [], name


def test_unknown_parameter_has_a_near_match() -> None:
    with pytest.raises(ModelError, match=r"no parameter named denosumab\.kaa; did you mean denosumab\.ka"):
        load("sutjandra2011")["denosumab.kaa"]


def test_a_layer_leaves_a_trace() -> None:
    before = load("turnover").value("turnover.regrowth")
    changed = load("turnover").with_values({"turnover.regrowth": 2.0}, layer="test", source="a source")
    record = changed["turnover.regrowth"]
    assert (record.value, record.how, record.source, record.set) == (2.0, "assumed", "a source", "test")
    assert f"{before:g} -> 2" in record.note
    assert load("turnover").value("turnover.regrowth") == before != 2.0


def test_curves_know_every_signal_and_state() -> None:
    found = curves()
    for name in ("CTX", "denosumab_serum", "osteoclasts", "denosumab_depot", "callus_cartilage_mineral"):
        assert found[name].means
    for name in ("bisphosphonate_inhibition", "alendronate_bone", "teriparatide_serum", "free_sclerostin"):
        assert found[name].means
    assert found["free_rankl"].absent == 1.0
    assert found["denosumab_serum"].absent == 0.0
    assert np.isnan(found["woven_bone"].absent)


def test_a_state_with_an_initial_parameter_follows_it() -> None:
    tiny = Module(
        name="tiny",
        states={"x": State("1", "x", "ctx_floor")},
        rates=lambda s, p, signal: {"x": -p.tracp5b_rate * s.x},
        tables=("markers",),
    )
    system = _system(tiny)
    assert system.initial({"markers.ctx_floor": 0.3}) == [0.3]
    assert system.initial_parameters() == ("markers.ctx_floor",)

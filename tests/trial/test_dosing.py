"""Which regimens follow from a scenario, and what is refused; nothing is simulated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from osteon.errors import InputError
from osteon.scenario import Scenario
from osteon.trial.dosing import AFTER, MONTH, REGULAR, candidates, switches

from .fake_schedule import TEXT

PRESET = "metatarsal_on_denosumab"


def scenario(*doses: str, **parts: Any) -> Scenario:
    whole = {
        "osteon": 1,
        "title": "One arm",
        "patient": {"species": "human", "age": "70 yr", "sex": "female", "weight": "60 kg"},
        "fracture": {"bone": "tibia", "gap": "1 mm", "fixation": "cast"},
        "arms": [{"name": "only", "doses": list(doses)}],
        "horizon": "1 yr",
    }
    return Scenario.parse({**whole, **parts})


def dose(start: str, drug: str = "denosumab", amount: str = "60 mg", **more: Any) -> Any:
    return {"drug": drug, "amount": amount, "start": start, **more}


def events(found: Any, name: str) -> list[tuple[float, str, float]]:
    arm = next(one for one in found.scenario.arms if one.name == name)
    return [(round(one.time, 6), one.drug, one.amount) for one in arm.dose_events(found.scenario.patient)]


def test_the_published_case() -> None:
    before = Scenario.preset(PRESET)
    found = candidates(before)
    assert [one.name for one in found.regimens] == [arm.name for arm in found.scenario.arms]
    delays = [f"delay_{months}" for months in range(1, 7)]
    others = ["switch_alendronate", "switch_zoledronate", "switch_teriparatide"]
    assert [one.name for one in found.regimens] == ["now", REGULAR, *delays, "stop", *others]
    assert (found.source, found.drug, found.past) == ("continue", "denosumab", 7)
    assert found.due == pytest.approx(2 * MONTH)
    assert found.last == pytest.approx(-4 * MONTH)
    assert found.regimen("delay_3").day == pytest.approx(5 * MONTH)
    assert (found.scenario.patient, found.scenario.fracture) == (before.patient, before.fracture)
    past = [one for one in events(found, REGULAR) if one[0] < 0]
    assert len(past) == 7
    for arm in found.scenario.arms:
        assert [one for one in events(found, arm.name) if one[0] < 0] == past
    assert events(found, REGULAR) == [
        (round(one.time, 6), one.drug, one.amount) for one in before.arms[0].dose_events(before.patient)
    ]
    assert events(found, "stop") == past
    late = np.array([one[0] for one in events(found, "delay_6")[7:]])
    assert late == pytest.approx([8 * MONTH, 14 * MONTH])
    assert found.scenario.horizon == pytest.approx(14 * MONTH + AFTER)
    assert dict(found.notes)["planned"] == {"count": 2}
    assert dict(found.notes)["extended"]["before"] == before.horizon


def test_a_dose_of_nothing_is_no_dose() -> None:
    nothing = dose("-2 months", amount="0 mg")
    found = candidates(scenario(dose("-8 months"), nothing, dose("3 months", amount="0 mg")))
    plain = candidates(scenario(dose("-8 months")))
    assert (found.past, found.last, found.due, found.notes) == (plain.past, plain.last, plain.due, plain.notes)
    assert found.regimens == plain.regimens
    first = candidates(scenario(dose("-9 months", amount="0 mg"), dose("-2 months")))
    assert (first.past, first.due) == (1, pytest.approx(4 * MONTH))


def test_the_first_arm_that_was_treated_is_taken() -> None:
    found = candidates(Scenario.parse(TEXT))
    assert (found.source, found.past) == ("treated [a]", 3)
    # It plans no further dose, so there is one.
    assert found.regimen(REGULAR).doses == 1
    assert "planned" not in dict(found.notes)
    assert dict(found.notes)["source"] == {"arm": "treated [a]"}


def test_a_long_horizon_stays() -> None:
    found = candidates(scenario(dose("-2 months"), horizon="9 yr"))
    assert found.scenario.horizon == pytest.approx(9 * 365.25)
    assert "extended" not in dict(found.notes)


@pytest.mark.parametrize(
    ("doses", "due"),
    [
        ([dose("-2 months")], 4 * MONTH),
        ([dose("-2 months", every="4 weeks", count=1)], 28 - 2 * MONTH),
        ([dose("-100 days"), dose("-10 days")], 80.0),
        ([dose("-60 days", "zoledronate", "5 mg"), dose("-425 days", "zoledronate", "5 mg")], 305.0),
        ([dose("-3 weeks", "alendronate", "70 mg", every="7 days", count=3)], 0.0),
    ],
)
def test_when_the_next_dose_is_due(doses: list[Any], due: float) -> None:
    found = candidates(scenario(*doses), switch=[], months=[])
    assert found.due == pytest.approx(max(due, 0.0))
    assert ("overdue" in dict(found.notes)) == (due < 0)
    # What is due now is not compared with itself.
    assert ("now" in [one.name for one in found.regimens]) == (due > 0)


def test_the_drug_of_the_last_dose_unless_another_is_named() -> None:
    both = scenario(
        dose("-3 yr", "zoledronate", "5 mg", every="12 months", count=5), dose("-8 months", every="6 months", count=2)
    )
    found = candidates(both, switch=[], months=[1])
    assert found.drug == "denosumab"
    assert dict(found.notes)["others"] == {"drugs": ["zoledronate"]}
    kept = [one for one in events(found, "stop") if one[1] == "zoledronate"]
    assert len(kept) == 5
    other = candidates(both, drug="zoledronate", switch=[], months=[1])
    assert other.drug == "zoledronate"
    assert other.due == pytest.approx(0.0, abs=1e-9)
    assert sum(one[1] == "denosumab" for one in events(other, "delay_1")) == 2


def test_doses_and_delays_as_asked() -> None:
    found = candidates(scenario(dose("-2 months")), months=[6, 2, 2, 0], doses=3, switch=["teriparatide"])
    assert [one.name for one in found.regimens] == [
        *("now", REGULAR, "delay_2", "delay_6"),
        *("stop", "switch_teriparatide"),
    ]
    days = [one[0] for one in events(found, "delay_2")[1:]]
    assert days == pytest.approx([6 * MONTH, 12 * MONTH, 18 * MONTH])
    assert found.scenario.horizon == pytest.approx(22 * MONTH + AFTER)


@pytest.mark.parametrize("drug", switches())
def test_a_switch_begins_when_the_dose_was_due(drug: str) -> None:
    found = candidates(scenario(dose("-2 months")), switch=[drug], months=[])
    given = [one for one in events(found, f"switch_{drug}") if one[1] == drug]
    assert given[0][0] == pytest.approx(4 * MONTH, abs=1e-5)
    assert len(given) == switches()[drug]["doses"]
    assert all(one["source"] for one in switches().values())


def test_no_switch_to_the_drug_itself() -> None:
    found = candidates(scenario(dose("-1 month", "zoledronate", "5 mg", every="12 months", count=1)), months=[])
    assert [one.drug for one in found.regimens if one.kind == "switch"] == ["alendronate", "teriparatide"]


def test_it_can_be_written_and_read() -> None:
    found = candidates(scenario(dose("-2 months", amount="1 mg/kg"), parameters=["recycling_half"]))
    again = Scenario.parse(found.scenario.to_dict())
    assert again == found.scenario
    assert again.parameters == ("recycling_half",)


TREATED = dose("-2 months")
BAD: list[tuple[Scenario, dict[str, Any], str, str]] = [
    (scenario(TREATED, fracture=None), {}, "fracture", "there is none"),
    (
        scenario(
            TREATED,
            patient={"species": "mouse", "age": "12 weeks", "sex": "female", "weight": "25 g"},
            fracture={"bone": "femur", "gap": "0.2 mm", "fixation": "intramedullary_pin"},
        ),
        {},
        "patient.species",
        "mouse",
    ),
    (scenario(), {}, "arms", "no arm has a dose before the fracture"),
    (scenario(dose("1 month")), {}, "arms", "before the fracture"),
    (scenario(dose("-1 month", amount="0 mg")), {}, "arms", "before the fracture"),
    (scenario(TREATED), {"drug": "romosozumab"}, "arms", "of romosozumab before"),
    (scenario(TREATED), {"drug": "denosumap"}, "drug", 'did you mean "denosumab"'),
    (scenario(dose("-1 month", "zoledronate", "5 mg")), {}, "arms[0].doses", "every: 12 months"),
    (
        scenario(arms=[{"name": "only", "doses": [TREATED], "impose": {"pth": 1}}]),
        {},
        "arms[0].impose",
        "imposed",
    ),
    (scenario(TREATED), {"months": [-1]}, "months", "0 to 24"),
    (scenario(TREATED), {"months": [25]}, "months", "0 to 24"),
    (scenario(TREATED), {"months": [1.5]}, "months", "whole number"),
    (scenario(TREATED), {"doses": 0}, "doses", "1 to 60"),
    (scenario(TREATED), {"doses": True}, "doses", "whole number"),
    (scenario(TREATED), {"doses": 60}, "doses", "30 years"),
    (scenario(TREATED), {"switch": ["romosozumab"]}, "switch", "allowed: alendronate"),
    (scenario(TREATED), {"switch": ["zoledronat"]}, "switch", 'did you mean "zoledronate"'),
    (scenario(TREATED), {"switch": ["denosumab"]}, "switch", "given already"),
]


@pytest.mark.parametrize(("given", "settings", "path", "said"), BAD)
def test_what_is_refused(given: Scenario, settings: dict[str, Any], path: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        candidates(given, **settings)
    assert error.value.path == path
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_only_a_scenario() -> None:
    with pytest.raises(InputError, match="is not a scenario"):
        candidates("my.yaml")  # type: ignore[arg-type]

"""Quantities: what is read, what is refused, and that writing is the exact inverse of reading."""

import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osteon.errors import InputError, MissingExtra, OsteonError, UnitError, near_match, show
from osteon.units import conversion_factor, format_quantity, registry, to_internal


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("60 mg", "mg", 60),
        ("60mg", "mg", 60),
        ("0.06 g", "mg", 60),
        ("57 %", "1", 0.57),
        ("57%", "1", 0.57),
        ("-40 months", "day", -1217.5),
        ("−40 months", "day", -1217.5),
        ("1 month", "day", 30.4375),
        ("2 wk", "day", 14),
        ("3 years", "day", 1095.75),
        ("12 h", "day", 0.5),
        ("90 min", "h", 1.5),
        ("36 s", "h", 0.01),
        ("25 g", "kg", 0.025),
        ("10 mg/kg", "mg/kg", 10),
        ("5 ug/mL", "ng/mL", 5000),
        ("5 µg/mL", "ng/mL", 5000),
        ("5 mcg/mL", "ng/mL", 5000),
        ("3 ng/mL", "ng/mL", 3),
        ("300 mgHA/cm3", "mg/cm3", 300),
        ("300 mg/cm^3", "mg/cm3", 300),
        ("300 mg/cm**3", "mg/cm3", 300),
        ("1 cm", "mm", 10),
        ("250 um", "mm", 0.25),
        ("1 m", "mm", 1000),
        ("1 kN", "N", 1000),
        ("2 GPa", "MPa", 2000),
        ("5 Pa", "MPa", 5e-6),
        ("1 MPa mm^2", "N", 1),
        ("2 nmol/L", "mol/L", 2e-9),
        ("0.1 1/day", "1/day", 0.1),
        ("0.1 /day", "1/day", 0.1),
        ("1e3 mg", "g", 1),
        (0.5, "1", 0.5),
        ("0.5", "1", 0.5),
        (7, "1", 7),
    ],
)
def test_reads_what_people_write(text, unit, value):
    assert to_internal(text, unit) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("given", "unit", "fragment"),
    [
        (60, "mg", '60 has no unit; write it like "60 mg"'),
        ("60", "mg", "has no unit"),
        ("60 N", "mg", '"60 N" cannot be turned into mg'),
        ("60 mgg", "mg", 'unknown unit, "mgg"'),
        ("sixty mg", "mg", "is not a number with a unit"),
        ("", "mg", "is not a number with a unit"),
        ("nan mg", "mg", "not a finite number"),
        ("1e999 mg", "mg", "not a finite number"),
        ("60 9**9**9", "mg", "a unit that cannot be read"),
        ("60 * mg", "mg", "a unit that cannot be read"),
        ("60 mg/", "mg", "a unit that cannot be read"),
        ("60 __import__", "mg", "a unit that cannot be read"),
        ("1" * 200 + " mg", "mg", "is not a number with a unit"),
        ("5 mm", "1", "cannot be turned into a plain number"),
        (True, "1", "is not a quantity"),
        (None, "day", "null is not a quantity"),
        ([1], "day", "is not a quantity"),
        (math.inf, "1", "not a finite number"),
        pytest.param(10**5000, "1", "not a finite number", id="huge"),
    ],
)
def test_refuses_in_one_sentence(given, unit, fragment):
    with pytest.raises(UnitError) as caught:
        to_internal(given, unit, "here.there")
    assert caught.value.path == "here.there"
    assert caught.value.exit_code == 2
    assert str(caught.value).startswith("here.there: ")
    assert fragment in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(["day", "mg", "kg", "1", "%", "ng/mL"]))
def test_writing_is_undone_by_reading(value, unit):
    written = format_quantity(value, unit)
    if unit == "%" and abs(value) > 1e300:
        return
    assert to_internal(written, "1" if unit == "%" else unit) == value


def test_units_are_the_internal_ones_of_one_registry():
    assert registry() is registry()
    assert conversion_factor("month", "day") == 365.25 / 12
    assert format_quantity(0.57, "%") == "57 %"
    assert format_quantity(60.0, "mg") == "60 mg"
    assert format_quantity(-1217.5, "day") == "-1217.5 day"
    assert format_quantity(0.0, "1") == "0"


def test_errors_are_one_line_and_know_their_place():
    error = InputError("60\nkg is\x00 odd", path="a.b", value=60, hint="write less", others=2)
    assert str(error) == "a.b: 60 kg is  odd; write less."
    assert error.at("c").path == "c"
    assert error.at("c").others == 2
    assert isinstance(error, OsteonError)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.path, again.value, again.others) == (str(error), "a.b", 60, 2)
    assert str(pickle.loads(pickle.dumps(MissingExtra("A", "b")))) == str(MissingExtra("A", "b"))
    assert str(MissingExtra("SBML export", "exchange")).endswith('pip install "osteon[exchange]".')
    assert show(True) == "true"
    assert show({"a": 1}) == "a mapping of 1"
    assert show("x" * 99).endswith('..."')
    assert near_match("Denosumap", ["denosumab"]) == 'did you mean "denosumab"?'
    assert near_match("aspirin", ["denosumab"]) == ""

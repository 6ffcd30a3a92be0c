"""The equations page says what the modules compute, and the page in docs is the current one."""

import operator
import re
from pathlib import Path

import pytest

from osteon.exchange.arm import with_inputs
from osteon.exchange.equations import to_equations, write_docs
from osteon.exchange.latex import Expr, call, latex, symbol
from osteon.exchange.named import equations
from osteon.exchange.naming import namer
from osteon.model import maths
from osteon.model.systems import DRUGS, assemble
from osteon.parameters import load
from osteon.scenario import Scenario

PAGE = Path(__file__).parents[2] / "docs" / "equations.md"
TWO = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
}


@pytest.fixture(scope="module")
def system():
    return with_inputs(assemble(fractured=True, drugs=DRUGS))


def value(expr: Expr, known):
    if expr.op == "symbol":
        return known[expr.parts[0].kind, expr.parts[0].key]
    if expr.op == "number":
        return expr.parts[0]
    if expr.op == "neg":
        return -value(expr.parts[0], known)
    if expr.op == "call":
        *arguments, last = [value(part, known) for part in expr.parts[1:]]
        return getattr(maths, expr.parts[0])(
            *arguments, int(last) if expr.parts[0] == "hill" and arguments[1:] else last
        )
    return TWO[expr.op](*(value(part, known) for part in expr.parts))


def test_page_in_docs_is_current():
    assert PAGE.read_text(encoding="utf-8") == to_equations(), (
        "docs/equations.md is out of date; refresh it with: python -m osteon.exchange.equations docs/equations.md"
    )


def test_equations_compute_what_the_modules_compute(system):
    values = system.parameters
    y = [0.03 + 0.91 * ((0.618034 * place) % 1) for place in range(1, len(system.states) + 1)]
    rates, signals = system.evaluate(y, values.value)
    known = {("state", key): number for key, number in zip(system.states, y, strict=True)}
    known |= {("parameter", key): values.value(key) for key in values}
    known |= {("signal", name): number for name, number in signals.items()}
    parts = equations(system)
    seen = set()
    for stage in ("outputs", "rates"):
        for part in parts.values():
            for line in getattr(part, stage):
                place, found = (line.name.kind, line.name.key), value(line.value, known)
                if line.name.kind == "helper":
                    known[place] = found
                    continue
                wanted = (
                    signals[line.name.key]
                    if line.name.kind == "signal"
                    else dict(zip(system.states, rates, strict=True))[line.name.key]
                )
                assert found == pytest.approx(wanted, rel=1e-12, abs=1e-300), line.name
                seen.add(line.name.key)
    assert seen == {*system.states, *(name for module in system.modules for name in module.outputs)}


def test_every_state_signal_and_parameter_is_on_the_page(system):
    page = to_equations()
    for module in system.modules:
        section = re.search(rf"^## {module.name}$(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)[1]
        for name in (*module.states, *module.inputs, *module.outputs):
            assert f"| `{name}` |" in section, (module.name, name)
        assert " ".join(module.description.split()[:8]).replace("``", "`") in " ".join(section.split())
    keys = [key for key in system.parameter_keys if not key.startswith("imposed.")]
    for key in (*keys, *system.initial_parameters(), "denosumab.bioavailability"):
        assert f"| `{key}` |" in page, key


def test_names_are_unmistakable_within_a_module(system):
    for part in equations(system).values():
        name = namer(part, system.parameters)
        names = {each for line in part.all() for each in (line.name, *line.value.symbols())}
        assert len({name(each) for each in names}) == len(names), part.module.name


def test_assumed_parameters_are_marked_and_values_of_both_members_shown():
    page = to_equations()
    row = next(line for line in page.splitlines() if "| `callus.envelope_limit` |" in line)
    assert "| **assumed** |" in row
    row = next(line for line in page.splitlines() if "| `callus.bone_resorption` |" in line)
    both = [load(name)["callus.bone_resorption"].value for name in ("callus_J", "callus_B")]
    assert both[0] != both[1]
    assert "| {:g} | {:g} |".format(*both) in row


def test_lines_stay_readable():
    for block in re.findall(r"^\$\$\n(.*?)\n\$\$$", to_equations(), re.MULTILINE | re.DOTALL):
        assert block.count("{") == block.count("}")
        assert block.count(r"\left") == block.count(r"\right")
        # Letters a reader sees; markup does not count.
        for line in block.splitlines():
            assert len(re.sub(r"\\[a-z]+|[{}\\^_]", "", line)) < 260, line


def test_page_of_a_scenario_has_its_own_values():
    scenario = Scenario.preset("mouse_knockin_femur")
    page = to_equations(scenario, "denosumab imposed")
    assert "| `callus_free_rankl` | 1 | free over total RANKL in the callus | imposed: 0.02 |" in page
    assert "## denosumab" not in page
    assert "## denosumab" in to_equations(scenario, "denosumab 10 mg/kg")
    assert "## callus" not in to_equations(Scenario.preset("denosumab_stop"))


def test_write_docs(tmp_path):
    write_docs(tmp_path / "page.md")
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == to_equations()


def test_latex_keeps_the_form_that_was_written():
    a, b, c = (symbol("state", letter) for letter in "abc")
    forms = {
        "a - \\left(b - c\\right)": a - (b - c),
        "a - b - c": a - b - c,
        "-\\left(a + b\\right)": -(a + b),
        "\\left(a + b\\right) \\cdot c": (a + b) * c,
        "\\frac{a}{b \\cdot c}": a / b / c,
        "\\frac{a}{\\frac{b}{c}}": a / (b / c),
        "\\frac{a \\cdot b}{c}": a * b / c,
        "\\left(a \\cdot b\\right)^{2}": (a * b) ** 2,
        "a^{b - c}": a ** (b - c),
        "\\frac{\\pi}{2} \\cdot a": 3.141592653589793 / 2 * a,
        "10^{-6} + a": 1e-6 + a,
        "\\sqrt{a}": a**0.5,
        "\\frac{a^{4}}{b^{4} + a^{4}}": call("hill", a, b, 4),
        "a^{b}": call("power_from_zero", a, b),
        "\\mathrm{unknown}\\left(a, b\\right)": call("unknown", a, b),
    }
    for text, expr in forms.items():
        assert latex(expr, lambda name: name.key) == text

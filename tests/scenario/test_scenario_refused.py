"""Bad input is refused in one clear sentence that names the field."""

import json
import os
from contextlib import suppress

import pytest
from bad_inputs import BOMB, CHANGES, GOOD
from hypothesis import given
from hypothesis import strategies as st

from osteon.errors import InputError, UnitError
from osteon.scenario import Arm, Dose, Patient, Scenario


def refused(action, *args, **kwargs):
    with pytest.raises(InputError) as caught:
        action(*args, **kwargs)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith((".", "?"))
    assert len(message) < 400
    assert caught.value.exit_code == 2
    return caught.value


def test_the_good_one_is_good():
    assert Scenario.parse(GOOD).arms[1].doses == ()


@pytest.mark.parametrize(("old", "new", "path", "fragment"), [pytest.param(*row[1:], id=row[0]) for row in CHANGES])
def test_one_change_spoils_it(old, new, path, fragment):
    assert old in GOOD
    error = refused(Scenario.parse, GOOD.replace(old, new, 1))
    assert error.path == path
    assert fragment in str(error)
    assert str(error).startswith(f"{path}: ")


def test_units_have_their_own_class_and_others_are_counted():
    error = refused(Scenario.parse, GOOD.replace("73 yr", "73").replace("68 kg", "68").replace("1 mm", "1"))
    assert isinstance(error, UnitError)
    assert (error.path, error.value, error.others) == ("patient.age", 73, 2)


def test_no_arms_at_all():
    tree = {**Scenario.parse(GOOD).to_dict(), "arms": []}
    assert refused(Scenario.parse, tree).path == "arms"


@pytest.mark.parametrize(
    ("source", "fragment"),
    [
        ("", "is empty"),
        ("  \n", "is empty"),
        ("# only a comment\n", "holds no values"),
        ("- 1\n- 2\n", "is not a mapping"),
        ("just words", "is not a mapping"),
        ("null", "null is not a mapping"),
        ("title: [unclosed\nosteon: 1\n", "is not valid YAML"),
        ("title: a\n\tb: c\n", "in line 2"),
        ("osteon: 1\n---\nosteon: 1\n", "more than one document"),
        ("? [a, b]\n: 1\n", "a key is not plain text"),
        ("osteon: 1\x00", "is not valid YAML"),
        ("osteon: \ud800", "cannot be written as UTF-8"),
        ('{"osteon": 1,\n "title" 2}', "in line 2"),
        ("{osteon: 1, title: {a: 1, a: 2}}", "title.a: the key is written twice"),
        ('{"osteon": 1, "osteon": 1}', "written twice"),
        ('{"osteon": 1, "title": NaN}', "title: nan is not a finite number"),
        ('{"osteon": -Infinity}', "osteon: -inf is not a finite number"),
        ('{"osteon": 1, "title": "\\ud800"}', "control character"),
        ('{"osteon": ' + "9" * 5000 + "}", "too many digits"),
        ('{"osteon": ' + "[" * 100_000 + "]" * 100_000 + "}", "deeper than 12 levels"),
        ("osteon: 99999999999999999999", "too large a number"),
        ("osteon: 1\ntitle: " + "x" * 3000, "longer than 2000"),
        ("a: [" + "1," * 200_000 + "]", "more than 100000 values"),
        ("x" * 1_500_000, "at most 1 MB"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (BOMB, "anchors and aliases"),
    ],
)
def test_text_that_is_no_scenario(source, fragment):
    error = refused(Scenario.parse, source)
    assert fragment in str(error)


@pytest.mark.parametrize(
    "tree",
    [
        {"osteon": 1, 2.5: "x"},
        {"osteon": 1, "title": object()},
        {"osteon": 1, "title": float("inf")},
        {"osteon": 1, "title": b"bytes"},
        {"osteon": 10**5000},
    ],
)
def test_mappings_that_are_no_scenario(tree):
    refused(Scenario.parse, tree)


def test_a_mapping_that_holds_itself():
    tree = {"osteon": 1}
    tree["title"] = tree
    assert "deeper than 12 levels" in str(refused(Scenario.parse, tree))


@pytest.mark.parametrize(
    ("name", "content", "fragment"),
    [
        ("a.yaml", b"", "is empty"),
        ("a.yaml", b"title: \xff\n", "is not UTF-8 text (byte 8)"),
        ("a.yaml", b"title: [1\n", "is not valid YAML"),
        ("a.json", b'{"osteon": 1,\n "title": }', "is not valid JSON: Expecting value in line 2"),
        ("a.json", b"osteon: 1\n", "is not valid JSON"),
        ("a.yaml", b"x" * 1_000_001, "has 1.0 MB, and at most 1 MB is read"),
    ],
)
def test_files_that_are_no_scenario(tmp_path, name, content, fragment):
    path = tmp_path / name
    path.write_bytes(content)
    error = refused(Scenario.read, path)
    assert error.path == str(path)
    assert fragment in str(error)


def test_a_file_of_100_mb_is_not_read(tmp_path):
    path = tmp_path / "big.yaml"
    with path.open("wb") as stream:
        stream.truncate(100_000_000)
    assert "has 100.0 MB" in str(refused(Scenario.read, path))


def test_files_that_are_not_there(tmp_path):
    assert "no such file" in str(refused(Scenario.read, tmp_path / "missing.yaml"))
    assert "is a folder" in str(refused(Scenario.read, tmp_path))
    assert "not a regular file" in str(refused(Scenario.read, "/dev/zero"))
    assert "cannot be read" in str(refused(Scenario.read, tmp_path / ("n" * 300)))
    refused(Scenario.read, "a\x00b.yaml")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert "not a regular file" in str(refused(Scenario.read, pipe))


def test_presets_have_names():
    error = refused(Scenario.preset, "metatarsal_on_denosumap")
    assert error.hint == 'did you mean "metatarsal_on_denosumab"?'
    refused(Scenario.preset, "../catalogue")


def test_records_built_in_python_are_refused_alike():
    assert refused(Patient, weight="-3 kg").path == "weight"
    assert refused(Dose, drug="denosumab", amount=60, start="0 day").path == "amount"
    assert refused(Arm, name="a", doses=[{"drug": "x", "amount": "1 mg", "start": "1 d"}]).path == "doses[0].drug"
    assert refused(Arm, name="a", doses_csv="d.csv").path == "doses_csv"


def test_every_single_value_gone_wrong_is_refused_or_read():
    """Whatever stands in the place of any value, the answer is a scenario or an InputError, never anything else."""
    tree = Scenario.preset("metatarsal_on_denosumab").to_dict()
    odd = [None, True, -1, 1e300, "", "nan mg", "1 mg", "x" * 500, [], {}, [[]], {"a": 1}, float("nan"), "\ud800"]

    def places(node, path=()):
        yield path
        children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        for key, child in children:
            yield from places(child, (*path, key))

    for path in list(places(tree)):
        for value in odd:
            changed = json.loads(json.dumps(tree))
            target = {"root": changed}
            node, last = target, "root"
            for key in path:
                node, last = node[last], key
            node[last] = value
            with suppress(InputError):
                Scenario.parse(target["root"])


@given(st.text() | st.binary(max_size=200))
def test_noise_is_refused(source):
    assert isinstance(refused(Scenario.parse, source), InputError)


@given(st.integers(0, len(GOOD) - 1), st.sampled_from(list("\n\t :{}[],-&*!|>#%\"'0é\x00\ud800")), st.integers(0, 4))
def test_a_slip_of_the_pen_is_read_or_refused(place, letter, width):
    with suppress(InputError):
        Scenario.parse(GOOD[:place] + letter + GOOD[place + width :])

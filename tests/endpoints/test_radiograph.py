"""Callus and fracture line of each cortex, and the scores made of them."""

import numpy as np
import pytest

from osteon.endpoints import SCORES, cortices, mrust, radiograph, rust, time_to_score

from .trial import RADIOGRAPH, course

TIME = np.arange(0.0, 721.0)


@pytest.mark.parametrize("species", ["human", "sheep"])
def test_scores_start_at_nothing_and_rise_to_all(species: str) -> None:
    signals = course(np.array([0.0, 1e5]), 3)
    for name, (low, high) in zip(SCORES, [(4, 16), (4, 12), (0, 4), (0, 4)], strict=True):
        found = radiograph(signals, RADIOGRAPH, species)[name]
        np.testing.assert_allclose(found[:, 0], low, atol=1e-9)
        np.testing.assert_allclose(found[:, 1], high, atol=1e-3)


@pytest.mark.parametrize("species", ["human", "sheep"])
def test_scores_differ_by_the_bridged_cortices(species: str) -> None:
    """mRUST tells bridging from callus and RUST does not; a line is gone on bridged cortices alone."""
    found = radiograph(course(TIME, 5), RADIOGRAPH, species)
    np.testing.assert_allclose(found["mRUST"] - found["RUST"], found["cortices_bridged"], atol=1e-12)
    assert (found["cortices_without_line"] <= found["cortices_bridged"]).all()
    for values in found.values():
        assert (np.diff(values, axis=-1) >= -1e-12).all()


def test_stiffness_may_be_back_while_the_line_stays() -> None:
    signals = course(TIME, 2)
    signals["torsional_stiffness"] = np.full_like(signals["torsional_stiffness"], 1.2)
    signals["cortical_union"] = np.zeros_like(signals["cortical_union"])
    found = radiograph(signals, RADIOGRAPH, "human")
    assert (found["cortices_bridged"][:, -1] > 3.9).all()
    np.testing.assert_allclose(found["cortices_without_line"], 0.0)
    assert (found["RUST"] <= 8).all()
    assert (found["mRUST"] <= 12).all()


def test_line_and_callus_of_a_cortex_have_their_own_spread() -> None:
    """A wider spread of the line parts the first cortex from the last, and leaves callus as it is."""
    signals = course(TIME, 1)
    narrow = {**RADIOGRAPH, "radiograph.line_spread": RADIOGRAPH["radiograph.line_spread"] / 3}
    one, other = (cortices(signals, p, "human") for p in (narrow, RADIOGRAPH))
    assert np.array_equal(one.callus, other.callus)
    assert np.array_equal(one.bridged, other.bridged)

    def passes(found: np.ndarray) -> float:
        days = TIME[(found[:, 0] >= 0.5).argmax(axis=-1)]
        return days[-1] / days[0]

    assert passes(other.line_gone) > 1.4 * passes(one.line_gone)


def test_animals_keep_the_score_of_the_prototype() -> None:
    stiffness = np.linspace(0, 3, 50)
    found = radiograph({"torsional_stiffness": stiffness}, RADIOGRAPH, "mouse")
    rise = 1 - np.exp(-stiffness / RADIOGRAPH["radiograph.animal_stiffness"])
    np.testing.assert_allclose(found["mRUST"], 4 + 12 * rise, rtol=1e-14)
    np.testing.assert_allclose(found["cortices_without_line"], 4 * rise**3, rtol=1e-12)
    np.testing.assert_allclose(found["RUST"], 4 + 4 * (1 - (1 - rise) ** 3 + rise**3), rtol=1e-14)


def test_chances_of_cortices_make_the_scores() -> None:
    signals = course(TIME, 4)
    for species in ("human", "rat"):
        callus, bridged, gone = cortices(signals, RADIOGRAPH, species)
        found = radiograph(signals, RADIOGRAPH, species)
        np.testing.assert_allclose((1 + callus * (1 + bridged * gone)).sum(axis=0), found["RUST"], rtol=1e-12)
        assert np.array_equal(rust(signals, RADIOGRAPH, species), found["RUST"])
        assert np.array_equal(mrust(signals, RADIOGRAPH, species), found["mRUST"])


def test_time_to_a_score_is_half_a_point_early() -> None:
    line = np.stack([TIME / 10, TIME / 1000])
    np.testing.assert_allclose(time_to_score(TIME, line, 5), [45.0, np.nan])
    np.testing.assert_allclose(time_to_score(TIME, line, np.array([5, 0.6])), [45.0, 100.0])

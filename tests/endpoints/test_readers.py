"""Films are graded about what the course expects, and two readers agree as published."""

import numpy as np
import pytest

import osteon
from osteon.endpoints import SCHEDULES, SEEN, Cortices, cortices, icc, radiograph, read_films, recorded
from osteon.endpoints.readers import agreement, reader_errors, reader_share

from .trial import RADIOGRAPH, course

TIME = np.arange(0.0, 401.0)
VISITS = SCHEDULES["trial"]
SHARE = "radiograph.reader_share"


def films_of(patients: int) -> Cortices:
    signals = course(TIME, patients)
    return cortices(recorded(TIME, signals, VISITS.attended(3, 0, patients)), RADIOGRAPH, "human")


def test_icc_of_the_literature() -> None:
    """Six targets and four judges of Shrout and Fleiss 1979, whose ICC(2,1) is 0.29."""
    judged = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    assert icc(np.array(judged, float)) == pytest.approx(0.29, abs=0.005)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_films_are_on_average_what_is_expected(share: float) -> None:
    """Whatever the share of the reader; and grades are whole numbers."""
    patients, moments = 3000, np.array([60.0, 110.0, 180.0, 300.0])
    signals = {name: np.repeat(curve, patients, axis=0) for name, curve in course(moments, 1).items()}
    expected = radiograph(signals, RADIOGRAPH, "human")
    film = read_films(cortices(signals, RADIOGRAPH, "human"), {**RADIOGRAPH, SHARE: share}, seed=5)
    for score, values in expected.items():
        read = getattr(film, score)
        error = read.std(axis=0) / np.sqrt(patients)
        assert (np.abs(read.mean(axis=0) - values[0]) < 4 * error + 5 / patients).all(), score
        assert np.array_equal(read, np.round(read))
    assert film.RUST.min() >= 4
    assert film.mRUST.max() <= 16


def test_a_cortex_that_differs_keeps_differing() -> None:
    """Without an error of the reader grades rise with the course and readers agree to the last film."""
    chances, own = films_of(200), {**RADIOGRAPH, SHARE: 0.0}
    film = read_films(chances, own, seed=2)
    assert (np.diff(film.callus, axis=-1) >= 0).all()
    assert (np.diff(film.line_gone, axis=-1) >= 0).all()
    assert np.array_equal(film.RUST, read_films(chances, own, seed=2, reader="2").RUST)
    apart = read_films(chances, {**RADIOGRAPH, SHARE: 1.0}, seed=2)
    assert (np.diff(apart.callus, axis=-1) < 0).any()


def test_errors_drawn_once_give_the_same_films_whatever_is_read() -> None:
    chances = films_of(12)
    later = Cortices(*(np.minimum(1.0, 1.3 * one) for one in chances))
    drawn = reader_errors(2, 5, 17, len(VISITS.days), "2")
    for shown in (chances, later):
        film, again = (read_films(shown, RADIOGRAPH, 2, 5, "2", errors=one) for one in (None, drawn))
        assert film.callus.tobytes() == again.callus.tobytes()
        assert film.line_gone.tobytes() == again.line_gone.tobytes()
    other = reader_errors(2, 5, 17, len(VISITS.days), "1")
    assert read_films(chances, RADIOGRAPH, 2, 5, "2", errors=other).callus.tobytes() != again.callus.tobytes()


def test_films_are_keyed_by_patient_and_visit() -> None:
    chances = films_of(12)
    whole = read_films(chances, RADIOGRAPH, seed=4)
    part = read_films(Cortices(*(one[:, 5:9, :4] for one in chances)), RADIOGRAPH, seed=4, lo=5)
    assert np.array_equal(whole.callus[:, 5:9, :4], part.callus)
    assert np.array_equal(whole.line_gone[:, 5:9, :4], part.line_gone)
    assert not np.array_equal(whole.callus, read_films(chances, RADIOGRAPH, seed=6).callus)


def test_no_film_is_no_grade() -> None:
    chances = films_of(6)
    for one in chances:
        one[:, 2, 3:] = np.nan
    film = read_films(chances, RADIOGRAPH, seed=4)
    for score in ("RUST", "mRUST", "cortices_bridged", "cortices_without_line"):
        read = getattr(film, score)
        assert np.isnan(read[2, 3:]).all()
        assert np.isfinite(np.delete(read, 2, axis=0)).all()


def test_share_of_the_reader_gives_the_agreement_asked_for() -> None:
    """On other draws than it was found on; readers who err more agree less."""
    chances = films_of(400)
    found = [agreement(chances, {**RADIOGRAPH, SHARE: share}, seed=8) for share in (0.0, 0.3, 0.6, 0.9)]
    assert found[0] == 1.0
    assert (np.diff(found) < -0.01).all()
    for target in (0.86, 0.92):
        share = reader_share(chances, RADIOGRAPH, target, seed=1)
        assert 0 < share < 1
        assert agreement(chances, {**RADIOGRAPH, SHARE: share}, seed=9) == pytest.approx(target, abs=0.015)


def test_two_readers_of_a_virtual_trial_agree_as_published() -> None:
    """RUST of 549 film sets of tibiae: ICC 0.84 (0.80 to 0.87)."""
    text = """
osteon: 1
title: Nailed tibia
patient: {species: human, age: 40 yr, sex: male, weight: 75 kg}
fracture: {bone: tibia, fixation: nail}
arms: [{name: none, doses: []}]
horizon: 13 months
"""
    size = 60
    cohort = osteon.Cohort.sample(osteon.Scenario.parse(text), size)
    data = osteon.simulate(cohort, series=list(SEEN), every=7.0, backend="python").series
    data = data.sel(time=data["time"] >= 0, arm="none").transpose("patient", "time")
    signals = {name: data[name].values.astype(float) for name in SEEN}
    seen = recorded(data["time"].values, signals, VISITS.attended(7, 0, size))
    found = agreement(cortices(seen, RADIOGRAPH, "human"), RADIOGRAPH, seed=7)
    assert 0.80 <= found <= 0.87

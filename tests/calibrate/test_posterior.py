"""Fits and chains against closed forms."""

import warnings
from pathlib import Path

import numpy as np
import pytest

from osteon.calibrate.fit import Fit, fit
from osteon.calibrate.free import Free
from osteon.calibrate.identify import identify
from osteon.calibrate.likelihood import Noise
from osteon.calibrate.objective import Objective
from osteon.calibrate.pair import follow, joined
from osteon.calibrate.sample import Sampled, sample
from osteon.errors import InputError, SolveError

from .toys import DAYS, Toy, closed_form, linear, observed

MATRIX = np.column_stack([np.ones(12), DAYS, np.sin(DAYS)])
WIDTHS = [2.0, 1.0, 4.0]
ROWS = observed(
    MATRIX @ [1.0, -0.5, 2.0] + 0.8 * np.cos(9 * DAYS), 0.5 + 0.05 * DAYS, np.resize(["a", "b", "c"], 12), CTX=0.9
)


@pytest.fixture(scope="module")
def fitted() -> Fit:
    return fit(linear(MATRIX, ROWS, WIDTHS), seed=3, starts=3, noise=Noise())


@pytest.fixture(scope="module")
def drawn(fitted: Fit) -> Sampled:
    likely = Objective(linear(MATRIX, ROWS, WIDTHS)).log_probability
    return sample(likely, fitted.z, fitted.covariance, seed=3, purpose="toy", walkers=32, steps=1200)


def test_best_fit_spread_and_evidence_are_the_closed_form(fitted: Fit) -> None:
    mean, spread, evidence = closed_form(MATRIX, ROWS, WIDTHS)
    assert fitted.z == pytest.approx(mean, abs=1e-6)
    assert fitted.covariance == pytest.approx(spread, rel=1e-6, abs=1e-9)
    assert fitted.log_evidence == pytest.approx(evidence, abs=1e-6)
    assert fitted.agreeing() == len(fitted.costs) == 3
    assert fitted.costs == pytest.approx(fitted.cost, abs=1e-4)


def test_draws_have_the_closed_form_mean_and_spread(drawn: Sampled) -> None:
    mean, spread, _ = closed_form(MATRIX, ROWS, WIDTHS)
    sd, count = np.sqrt(np.diag(spread)), drawn.effective()
    assert (count > 1000).all()
    assert (np.abs(drawn.flat.mean(axis=0) - mean) < 4 * sd / np.sqrt(count)).all()
    assert (np.abs(drawn.flat.std(axis=0) / sd - 1) < 4 / np.sqrt(2 * count)).all()
    assert 0.2 < drawn.acceptance < 0.8
    assert (drawn.split_rhat() < 1.05).all()


def test_split_rhat_is_that_of_arviz(drawn: Sampled) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import arviz
    short = Sampled(drawn.chain[:80], drawn.log_probability[:80])
    for k in range(3):
        assert short.split_rhat()[k] == pytest.approx(
            arviz.rhat(short.kept[:, :, k].T.copy(), method="split"), rel=1e-9
        )


def test_autocorrelation_of_a_known_process() -> None:
    random, rho = np.random.default_rng(1), 0.8
    noise, chain = random.standard_normal((8000, 16, 1)), np.zeros((8000, 16, 1))
    for k in range(1, 8000):
        chain[k] = rho * chain[k - 1] + noise[k]
    known = (1 + rho) / (1 - rho)
    assert Sampled(chain, chain[:, :, 0]).autocorrelation() == pytest.approx([known], rel=0.1)


def test_an_offset_of_studies_widens_what_all_rows_share(fitted: Fit) -> None:
    alone = observed(ROWS.value, ROWS.sd, ROWS.study)
    without = fit(linear(MATRIX, alone, WIDTHS), seed=3, starts=1, noise=Noise())
    assert fitted.sd[0] > 1.5 * without.sd[0]


def test_a_model_that_fails_in_places_is_fitted_around_them() -> None:
    # The prior's centre fails, and so does every step up from the best fit.
    def model(z: np.ndarray) -> np.ndarray:
        return np.where(np.abs(z - 3) < 1.0, z * DAYS, np.nan)

    problem = Toy((Free("toy.a", "linear", 0.0, 3.0),), observed(3.9999 * DAYS), model)
    found = fit(problem, seed=1, starts=8)
    assert found.z == pytest.approx([4.0], abs=0.02)
    drawn = sample(
        Objective(problem, found.noise).log_probability,
        found.z,
        found.covariance,
        seed=1,
        purpose="",
        walkers=8,
        steps=50,
    )
    assert np.isfinite(drawn.log_probability).all()
    assert (drawn.chain < 4).all()
    hopeless = Toy(problem.free, problem.observed, lambda z: np.full((len(z), 12), np.nan))
    with pytest.raises(SolveError, match="fails at every start"):
        fit(hopeless, seed=1)


@pytest.mark.parametrize(("walkers", "steps"), [(4, 10), (7, 10), (8, 0)])
def test_too_few_walkers_or_steps(walkers: int, steps: int) -> None:
    with pytest.raises(InputError, match="allowed"):
        sample(lambda z: -(z**2).sum(axis=1), np.zeros(3), np.eye(3), seed=1, purpose="", walkers=walkers, steps=steps)


def test_a_chain_goes_on_with_equal_bits(tmp_path: Path, fitted: Fit) -> None:
    likely = Objective(linear(MATRIX, ROWS, WIDTHS)).log_probability
    settings = {"seed": 5, "purpose": "toy", "walkers": 12}

    def stop(done: int, total: int) -> None:
        if done == 17:
            raise KeyboardInterrupt

    whole = sample(likely, fitted.z, fitted.covariance, steps=40, **settings)
    with pytest.raises(KeyboardInterrupt):
        sample(likely, fitted.z, fitted.covariance, steps=40, folder=tmp_path, on_step=stop, **settings)
    assert [path.name for path in tmp_path.iterdir()] == ["chain-0000000.npz"]
    sample(likely, fitted.z, fitted.covariance, steps=30, folder=tmp_path, **settings)
    resumed = sample(likely, fitted.z, fitted.covariance, steps=40, folder=tmp_path, **settings)
    assert resumed.chain.tobytes() == whole.chain.tobytes()
    assert resumed.log_probability.tobytes() == whole.log_probability.tobytes()
    assert sample(likely, fitted.z, fitted.covariance, steps=9, folder=tmp_path, **settings).chain.shape == (9, 12, 3)
    other = sample(likely, fitted.z, fitted.covariance, steps=40, **{**settings, "seed": 6})
    assert not np.array_equal(other.chain, whole.chain)
    (tmp_path / "chain-0000017.npz").write_bytes(b"PK nonsense")
    with pytest.raises(InputError, match="is damaged"):
        sample(likely, fitted.z, fitted.covariance, steps=40, folder=tmp_path, **settings)


def test_what_the_data_cannot_tell_is_found() -> None:
    # Only the sum of a and b is seen; c is not seen at all.
    matrix = np.column_stack([DAYS, DAYS, 0 * DAYS, np.ones(12)])
    problem = linear(matrix, observed(DAYS, 0.1), [1.0, 1.0, 1.0, 1.0])
    found = fit(problem, seed=1, starts=1, noise=Noise())
    told = identify(Objective(problem, found.noise), found)
    assert told.unseen == ("toy.c",)
    assert [(a, b) for a, b, _ in told.pairs] == [("toy.a", "toy.b")]
    assert told.pairs[0][2] < -0.99
    flat = told.flat()
    assert len(flat) == 2
    assert {frozenset(name for name, _ in parts) for _, parts in flat} == {
        frozenset({"toy.a", "toy.b"}),
        frozenset({"toy.c"}),
    }
    assert all(size < 1e-6 for size, _ in flat)
    assert (told.singular_with_prior >= 1).all()
    # In a linear model the profile is the parabola.
    assert told.profile == pytest.approx(np.tile(told.offsets**2, (4, 1)), rel=1e-5)
    plain = told.to_dict()
    assert plain["unseen"] == ["toy.c"]
    assert plain["profile"]["rise"]["toy.a"][0] == pytest.approx(4.0, rel=1e-5)


def test_profiles_are_those_of_a_fit_with_the_parameter_fixed() -> None:
    from scipy.optimize import minimize_scalar

    free = (Free("toy.a", "log", 30.0, 0.5), Free("toy.b", "log", 0.2, 0.7))
    problem = Toy(
        free,
        observed(50 * (1 - np.exp(-0.4 * DAYS)), 3.0),
        lambda z: np.exp(z[:, :1]) * -np.expm1(-np.exp(z[:, 1:]) * DAYS),
    )
    found = fit(problem, seed=1, starts=2, noise=Noise())
    objective = Objective(problem, found.noise)
    told = identify(objective, found)
    for place, offset in enumerate(told.offsets):
        fixed = found.z[1] + offset * found.sd[1]
        squares = minimize_scalar(
            lambda a, b=fixed: (objective.residuals(np.array([[a, b]])) ** 2).sum(), bracket=(3, 4.5)
        ).fun
        assert told.profile[1, place] == pytest.approx(squares - 2 * found.cost, rel=0.05)
    assert np.abs(told.profile[1] / told.offsets**2 - 1).max() > 0.02, "the toy must bend for this to say anything"


def test_a_block_follows_the_core_as_its_rows_say() -> None:
    matrix = np.column_stack([DAYS, np.sin(DAYS), np.ones(12)])
    rows = observed(DAYS, 0.7)
    own = np.array([False, False, True])
    width = np.array([1.0, 1.0, 2.0])
    shift = follow(-matrix / 0.7, width, own)
    # Best fit of the last parameter for two sets of the others: what remains of the rows, shrunk to the prior.
    held = np.array([[1.0, 0.0], [1.5, -2.0]])
    shrunk = (12 / 0.7**2) / (12 / 0.7**2 + 1 / 4.0)
    best = shrunk * (rows.value - held @ matrix[:, :2].T).mean(axis=1)
    assert joined(best[:1, None], shift, held[1:], held[0]) == pytest.approx(best[1:, None])

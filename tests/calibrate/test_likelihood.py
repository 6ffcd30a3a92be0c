"""Residuals, log-probability and noise."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from osteon.calibrate.fit import fit, leverage
from osteon.calibrate.free import Free, Held, free_hash, read_free
from osteon.calibrate.likelihood import Likelihood, Noise
from osteon.calibrate.objective import Objective
from osteon.errors import ModelError

from .toys import DAYS, Toy, covariance, linear, observed

STUDIES = np.resize(["a", "b", "b"], 12)
ENDPOINTS = np.repeat(["CTX", "P1NP"], 6)


@pytest.mark.parametrize(("scale", "value"), [("log", 0.3), ("logit", 0.3), ("logit", 1 - 1e-9), ("linear", -4.0)])
def test_scales_go_there_and_back(scale: str, value: float) -> None:
    free = Free("toy.a", scale, 0.5, 1.0)  # type: ignore[arg-type]
    assert free.to_value(free.to_z(value)) == pytest.approx(value, rel=1e-12)
    assert np.isfinite(free.to_value(np.array([-1e4, 1e4]))).all()


@pytest.mark.parametrize("prior", [("log", 0.0, 1.0), ("logit", 1.0, 1.0), ("linear", 1.0, 0.0), ("cubic", 1.0, 1.0)])
def test_a_prior_that_is_none_is_refused(prior: tuple) -> None:
    with pytest.raises(ModelError, match=r"free parameter toy\.a"):
        Free("toy.a", *prior)


def test_free_parameters_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "free.toml"
    path.write_text(
        '[turnover]\ndrug_loss = {scale = "log", centre = 0.8, width = 1, block = "core"}\n', encoding="utf-8"
    )
    assert read_free(path) == (Free("turnover.drug_loss", "log", 0.8, 1.0, "core"),)
    assert free_hash(read_free(path)) != free_hash([Free("turnover.drug_loss", "log", 0.8, 1.1, "core")])
    path.write_text("[turnover]\ndrug_loss = {centre = 0.8}\n", encoding="utf-8")
    with pytest.raises(ModelError, match="lacks block, scale, width"):
        read_free(path)


def test_log_probability_is_that_of_correlated_errors_and_priors() -> None:
    rows = observed(np.sin(DAYS), 0.3 + 0.1 * DAYS, STUDIES, ENDPOINTS, CTX=0.7, P1NP=0.2)
    free = (Free("toy.a", "log", 2.0, 0.5), Free("toy.b", "linear", 1.0, 3.0))
    factor = {"CTX": 2.0, "P1NP": 1.5}
    z, predicted = np.array([[0.2, -1.0], [0.9, 4.0]]), np.vstack([np.cos(DAYS), 0.1 * DAYS])
    scale = np.sqrt([factor[name] for name in ENDPOINTS])
    wanted = multivariate_normal(rows.value, covariance(rows) * np.outer(scale, scale)).logpdf(predicted)
    wanted = wanted + norm(np.log(2.0), 0.5).logpdf(z[:, 0]) + norm(1.0, 3.0).logpdf(z[:, 1])
    found = Likelihood(rows, free, Noise(factor)).log_probability(z, predicted)
    assert found == pytest.approx(wanted, rel=1e-12)


def test_a_censored_row_counts_with_its_tail() -> None:
    rows = observed([3.0, 5.0], [1.0, 2.0], censored=[False, True], CTX=1.5)
    predicted = np.array([[3.0, 4.0], [3.0, 5.0], [3.0, 40.0], [3.0, -90.0]])
    found = Likelihood(rows, ()).log_probability(np.zeros((4, 0)), predicted)
    tail = norm(0, np.hypot(2.0, 1.5)).logcdf(5.0 - predicted[:, 1])
    assert found == pytest.approx(norm(0, np.hypot(1.0, 1.5)).logpdf(0.0) + tail, rel=1e-10)
    assert found[3] > found[0] > found[1] > found[2]


@pytest.mark.parametrize(("limit", "pulls"), [(-4.0, True), (30.0, False)])
def test_a_censored_row_pulls_one_way_only(limit: float, pulls: bool) -> None:
    value, censored = np.array([2.0, 2.0, limit]), np.array([False, False, True])
    matrix, widths = np.ones((3, 1)), [10.0]
    without = fit(linear(matrix[:2], observed(value[:2]), widths), seed=1, starts=1, noise=Noise())
    found = fit(linear(matrix, observed(value, censored=censored), widths), seed=1, starts=1, noise=Noise())
    assert bool(found.z[0] < without.z[0] - 1) is pulls
    if not pulls:
        assert found.z == pytest.approx(without.z, abs=1e-5)


def test_a_failed_point_is_impossible() -> None:
    found = Likelihood(observed(DAYS), (Free("toy.a", "linear", 0, 1),))
    predicted = np.vstack([DAYS, np.where(DAYS > 5, np.nan, DAYS)])
    likely = found.log_probability(np.zeros((2, 1)), predicted)
    assert np.isfinite(likely[0])
    assert likely[1] == -np.inf


def test_noise_makes_the_reduced_chi_square_one_and_never_sharpens() -> None:
    rough = np.concatenate([4.0 * (-1.0) ** np.arange(6), 0.1 * (-1.0) ** np.arange(6)])
    rows = observed(DAYS + rough, endpoint=ENDPOINTS)
    problem = linear(np.column_stack([DAYS, np.ones(12)]), rows, [5.0, 5.0])
    found = fit(problem, seed=1, starts=1)
    assert found.noise.of("CTX") > 4
    assert found.noise.of("P1NP") == 1.0
    taken = leverage(Objective(problem, found.noise), found.jacobian)
    first = ENDPOINTS == "CTX"
    assert (found.residual[first] ** 2).sum() / (6 - taken[first].sum()) == pytest.approx(1.0, rel=0.03)


def test_parameters_can_be_held() -> None:
    problem = linear(np.column_stack([DAYS, np.ones(12)]), observed(DAYS), [1.0, 1.0])
    held = Held(problem, {"toy.a": 3.0})
    assert [one.key for one in held.free] == ["toy.b"]
    assert held.predict(np.array([[2.0]])) == pytest.approx(problem.predict(np.array([[3.0, 2.0]])))


def test_a_prediction_of_the_wrong_shape_is_named() -> None:
    problem = Toy((Free("toy.a", "linear", 0, 1),), observed(DAYS), lambda z: np.zeros((len(z), 3)))
    with pytest.raises(ModelError, match=r"only, core: .*shape \(2, 3\), and \(2, 12\) is needed"):
        Objective(problem).predict(np.zeros((2, 1)))

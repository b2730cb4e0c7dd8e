"""Variational Bayes against scikit-learn, the exact evidence of one component, and what must hold for every run."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.mixture import BayesianGaussianMixture

from engine.math.latent.gaussian_mixtures import statistics_of
from engine.math.latent.laws import posterior
from engine.math.latent.starts import begin
from engine.math.latent.variational import Posterior, ascend, elbo, log_wishart, updated, vague_prior


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def cloud(d: int, n: int = 150, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(d, n)) + np.where(rng.random(n) < 0.4, 3.0, -2.0))


def started(points: torch.Tensor, components: int, concentration: float) -> tuple[Posterior, torch.Tensor]:
    """The law of the parameters after responsibilities that a start gives."""
    start = begin(points, components, "kmeans", "full", 1e-3, torch.Generator().manual_seed(1))
    shares = posterior(points, start)
    return updated(statistics_of(points, shares), vague_prior(points, concentration)), shares


@pytest.mark.parametrize("dimension", [1, 2, 4])
@pytest.mark.parametrize("concentration", [0.01, 1.0, 30.0])
def test_against_scikit_learn(dimension: int, concentration: float) -> None:
    """Ten iterations from the same responsibilities end at the same law and, up to its constants, at the same bound."""
    points = cloud(dimension)
    components = 3
    found, shares = started(points, components, concentration)
    prior = vague_prior(points, concentration)
    other = BayesianGaussianMixture(
        n_components=components,
        weight_concentration_prior_type="dirichlet_distribution",
        weight_concentration_prior=concentration,
        reg_covar=0.0,
        tol=0.0,
        max_iter=10,
    )
    x = points.mT.numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other._check_parameters(x)
        other._initialize(x, shares.mT.numpy())
        for _ in range(10):
            _, log_resp = other._e_step(x)
            other._m_step(x, log_resp)
    for _ in range(10):
        found = ascend(points, found, prior)
    tiny = 10 * np.finfo(float).eps  # which scikit-learn adds to every count
    assert np.allclose(found.concentrations, other.weight_concentration_, rtol=1e-7, atol=1e3 * tiny)
    assert np.allclose(found.means, other.means_, rtol=1e-6, atol=1e-7)
    assert np.allclose(found.strengths, other.mean_precision_, rtol=1e-7)
    assert np.allclose(found.freedoms, other.degrees_of_freedom_, rtol=1e-7)
    assert np.allclose(found.scatters / found.freedoms[:, None, None], other.covariances_, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("dimension", [1, 3])
@pytest.mark.parametrize("components", [1, 3, 6])
def test_the_bound_never_falls(dimension: int, components: int) -> None:
    points = cloud(dimension, seed=components)
    found, _ = started(points, components, 0.1)
    prior = vague_prior(points, 0.1)
    values = []
    for _ in range(40):
        values.append(elbo(points, found, prior))
        found = ascend(points, found, prior)
    assert all(after >= before - 1e-9 * abs(before) for before, after in pairwise(values))


@pytest.mark.parametrize("dimension", [1, 2, 5])
def test_one_component_has_the_exact_evidence(dimension: int) -> None:
    """With one component the family holds the true posterior: the bound is the marginal likelihood, known in closed form."""
    points = cloud(dimension)
    n = points.shape[1]
    prior = vague_prior(points, 1.0)
    found = updated(statistics_of(points, torch.ones((1, n), dtype=torch.float64)), prior)

    def constant(freedom: float, scatter: torch.Tensor) -> float:
        return float(log_wishart(torch.tensor([freedom], dtype=torch.float64), torch.logdet(scatter)[None], dimension))

    evidence = (
        -0.5 * n * dimension * math.log(2 * math.pi)
        + 0.5 * dimension * math.log(prior.strength / float(found.strengths[0]))
        + constant(prior.freedom, prior.scatter)
        - constant(float(found.freedoms[0]), found.scatters[0])
    )
    assert elbo(points, found, prior) == pytest.approx(evidence, rel=1e-12)


def test_a_bound_below_the_evidence_on_a_line() -> None:
    """Two points, two components: the sum over the four labellings of exact evidences lies above."""
    points = torch.tensor([[-1.3, 0.9]], dtype=torch.float64)
    prior = vague_prior(points, 1.0)
    total = -math.inf
    for labels in ((0, 0), (0, 1), (1, 0), (1, 1)):
        one_hot = torch.zeros((2, 2), dtype=torch.float64)
        one_hot[list(labels), [0, 1]] = 1.0
        found = updated(statistics_of(points, one_hot), prior)
        counts = one_hot.sum(1)
        weights = torch.lgamma(torch.tensor(2.0)) - torch.lgamma(torch.tensor(4.0)) + torch.lgamma(1 + counts).sum()
        value = float(weights) - math.log(2 * math.pi)
        for k in range(2):
            freedoms = torch.stack([torch.tensor(prior.freedom, dtype=torch.float64), found.freedoms[k]])
            logs = torch.stack([prior.scatter[0, 0], found.scatters[k, 0, 0]]).log()
            before, after = log_wishart(freedoms, logs, 1).tolist()
            value += before - after + 0.5 * math.log(prior.strength / float(found.strengths[k]))
        total = np.logaddexp(total, value)
    found = updated(statistics_of(points, torch.tensor([[0.7, 0.2], [0.3, 0.8]], dtype=torch.float64)), prior)
    for _ in range(200):
        found = ascend(points, found, prior)
    assert elbo(points, found, prior) < total
    assert elbo(points, found, prior) > total - 2


def test_needless_components_lose_their_points() -> None:
    points = cloud(2, 400)
    found, _ = started(points, 6, 1e-3)
    prior = vague_prior(points, 1e-3)
    for _ in range(400):
        found = ascend(points, found, prior)
    assert found.effective(prior) == 2
    assert found.mixture.weights.sort().values[:4].sum() < 1e-3

"""Gaussian mixtures against closed forms, scikit-learn, and what must hold for every mixture."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.data.classics import classic
from engine.math.latent.gaussian_mixtures import (
    EXACT_WORK,
    cost_of_floor,
    expectation,
    expected_log_joint,
    iterate,
    lower_bound,
    maximisation,
    statistics_of,
)
from engine.math.latent.gradient import ascend
from engine.math.latent.laws import (
    Collapse,
    Mixture,
    Shape,
    aic,
    bic,
    check_extent,
    log_density,
    log_joint,
    parameter_count,
    posterior,
    relaxed,
)
from engine.math.latent.matching import agreement, basins, matching_order, twins
from engine.math.latent.rates import distance, largest_eigenvalue
from engine.math.latent.starts import begin, k_means, spread_means

SHAPES: tuple[Shape, ...] = ("full", "tied", "diagonal", "spherical")
SKLEARN = {"full": "full", "tied": "tied", "diagonal": "diag", "spherical": "spherical"}
every_shape = pytest.mark.parametrize("shape", SHAPES)


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def line(*values: float) -> torch.Tensor:
    return torch.tensor([values], dtype=torch.float64)


def cloud(n: int, d: int, seed: int = 0, groups: int = 3, apart: float = 3.0) -> torch.Tensor:
    g = generator(seed)
    centres = apart * torch.randn((groups, d), generator=g, dtype=torch.float64)
    labels = torch.randint(groups, (n,), generator=g)
    return (centres[labels] + torch.randn((n, d), generator=g, dtype=torch.float64)).mT.contiguous()


def pair(means: tuple[float, float], deviations: tuple[float, float], weights: tuple[float, float] = (0.5, 0.5)) -> Mixture:
    double = torch.float64
    return Mixture(
        torch.tensor(weights, dtype=double),
        torch.tensor(means, dtype=double)[:, None],
        torch.tensor(deviations, dtype=double).square()[:, None, None],
    )


# ---- densities and half-steps ------------------------------------------------------------------------------------------


def test_density_is_that_of_scipy() -> None:
    points = cloud(50, 3)
    mixture = begin(points, 4, "kmeans", "full", 0.1, generator())
    wanted = sum(
        float(w) * stats.multivariate_normal(m.numpy(), c.numpy()).pdf(points.mT.numpy())
        for w, m, c in zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
    )
    assert np.allclose(log_density(points, mixture).numpy(), np.log(wanted), rtol=1e-12)


def test_one_iteration_by_hand() -> None:
    """Values -1, 1 and equal unit normals at ±1: responsibilities are logistic in 2x, hence the mean is tanh 1."""
    points = line(-1.0, 1.0)
    mixture = pair((-1.0, 1.0), (1.0, 1.0))
    share = 1 / (1 + math.exp(-2))
    assert posterior(points, mixture)[1].tolist() == pytest.approx([1 - share, share], rel=1e-14)
    new, found = iterate(points, mixture, "full")
    assert new.means[:, 0].tolist() == pytest.approx([-math.tanh(1), math.tanh(1)], rel=1e-14)
    assert new.covariances[:, 0, 0].tolist() == pytest.approx([1 - math.tanh(1) ** 2] * 2, rel=1e-13)
    density = 0.5 * (stats.norm.pdf(0) + stats.norm.pdf(2))
    assert found.log_likelihood == pytest.approx(2 * math.log(density), rel=1e-14)


def test_two_far_groups_end_at_their_own_moments() -> None:
    points, mixture = line(1, 2, 3, 8, 9, 10), pair((1, 9), (1, 1))
    for _ in range(5):
        mixture, _ = iterate(points, mixture, "full")
    assert mixture.means[:, 0].tolist() == pytest.approx([2, 9], abs=1e-9)
    assert mixture.covariances[:, 0, 0].tolist() == pytest.approx([2 / 3, 2 / 3], abs=1e-9)


@every_shape
def test_one_component_is_the_normal_fit(shape: Shape) -> None:
    points = cloud(200, 3)
    mixture = maximisation(statistics_of(points, torch.ones((1, 200), dtype=torch.float64)), shape)
    covariance = np.cov(points.numpy(), bias=True)
    wanted = {
        "full": covariance,
        "tied": covariance,
        "diagonal": np.diag(np.diag(covariance)),
        "spherical": np.eye(3) * np.diag(covariance).mean(),
    }[shape]
    assert np.allclose(mixture.means[0].numpy(), points.mean(1).numpy(), atol=1e-13)
    assert np.allclose(mixture.covariances[0].numpy(), wanted, atol=1e-12)


@every_shape
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_same_iterations_as_scikit_learn(name: str, shape: Shape) -> None:
    """The same start, as many iterations, the same floor: the same numbers, however badly the columns are scaled."""
    sklearn = pytest.importorskip("sklearn.mixture")
    rows, k, floor, iterations = classic(name).rows, 2 if name == "breast_cancer" else 3, 1e-6, 12
    points = torch.tensor(rows.T).contiguous()
    centre = points.mean(1, keepdim=True)
    points = points - centre
    start = begin(points, k, "kmeans", shape, floor, generator(3))
    precisions = np.linalg.inv(start.covariances.numpy())
    given_as = {
        "full": precisions,
        "tied": precisions[0],
        "diagonal": np.diagonal(precisions, axis1=1, axis2=2),
        "spherical": precisions[:, 0, 0],
    }[shape]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it has not converged
        peer = sklearn.GaussianMixture(
            k,
            covariance_type=SKLEARN[shape],
            tol=0,
            reg_covar=floor,
            max_iter=iterations,
            weights_init=start.weights.numpy(),
            means_init=(start.means + centre.T).numpy(),
            precisions_init=given_as,
        ).fit(rows)
    mixture = start
    for _ in range(iterations):
        mixture, _ = iterate(points, mixture, shape, floor)
    scale = rows.std(0)
    theirs = {
        "full": lambda c: c,
        "tied": lambda c: np.broadcast_to(c, (k, *c.shape)),
        "diagonal": lambda c: np.array([np.diag(each) for each in c]),
        "spherical": lambda c: np.array([np.eye(len(scale)) * each for each in c]),
    }[shape](peer.covariances_)
    assert np.allclose(mixture.weights.numpy(), peer.weights_, atol=1e-10)
    assert np.allclose((mixture.means + centre.T).numpy() / scale, peer.means_ / scale, atol=1e-9)
    unit = np.sqrt(np.einsum("kii->ki", theirs))
    assert np.allclose(
        mixture.covariances.numpy() / unit[:, :, None] / unit[:, None, :],
        theirs / unit[:, :, None] / unit[:, None, :],
        atol=1e-8,
    )
    value = float(log_density(points, mixture).sum())
    assert value == pytest.approx(peer.score(rows) * len(rows), rel=1e-10)


@every_shape
def test_moments_about_one_point_are_as_good_as_differences(shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    points = cloud(4000, 3)
    start = begin(points, 3, "kmeans", shape, 0.0, generator())
    slow = expectation(points, start)
    monkeypatch.setattr("engine.math.latent.gaussian_mixtures.EXACT_WORK", 0)
    monkeypatch.setattr("engine.math.latent.gaussian_mixtures.CHUNK", {"cpu": 5000})
    fast = expectation(points, start)
    assert fast.log_likelihood == pytest.approx(slow.log_likelihood, abs=slow.rounding + fast.rounding)
    assert fast.entropy == pytest.approx(slow.entropy, rel=1e-9)
    one, other = (maximisation(each.statistics, shape) for each in (slow, fast))
    assert distance(one, other) < 1e-10


def test_narrow_components_far_out_are_met_with_differences() -> None:
    """Where moments about a common point would lose their digits."""
    tight = 1e6 + 1e-3 * torch.randn((1, EXACT_WORK), generator=generator(), dtype=torch.float64)
    mixture = pair((1e6, 1e6 + 1e-3), (1e-3, 2e-3))
    new, _ = iterate(tight, mixture, "full")
    assert float(new.covariances.amin()) > 0.2e-6
    assert float((new.weights * new.means[:, 0]).sum()) == pytest.approx(float(tight.mean()), abs=1e-8)


def test_hard_responsibilities() -> None:
    points, mixture = line(0, 1, 2, 9), pair((0, 9), (1, 1))
    found = expectation(points, mixture, hard=True, keep=True)
    assert found.responsibilities is not None
    assert found.responsibilities.tolist() == [[1, 1, 1, 0], [0, 0, 0, 1]]
    assert found.entropy == 0
    assert found.log_likelihood == pytest.approx(float(log_density(points, mixture).sum()))
    assert lower_bound(found, mixture) == pytest.approx(float(log_joint(points, mixture).amax(0).sum()), rel=1e-12)


def test_a_component_without_points_stays() -> None:
    points = line(0, 1, 2, 3)
    new, _ = iterate(points, pair((1, 1e4), (1, 1)), "full")
    assert new.weights.tolist() == [1, 0]
    assert new.means[1, 0] == 1e4
    again, found = iterate(points, new, "full")
    assert math.isfinite(found.log_likelihood)
    assert again.weights.tolist() == [1, 0]


def test_collapse_is_named() -> None:
    points = line(0, 0.1, 0.2, 5, 6, 7)
    new, found = iterate(points, pair((0.1, 6), (1e-4, 1)), "full")
    with pytest.raises(Collapse) as caught:
        check_extent(new, found.statistics.counts)
    assert caught.value.component == 0
    assert not caught.value.flat
    flat = torch.tensor([[0.0, 1, 2, 9, 9, 8], [0.0, 1, 2, 0, 3, 1]], dtype=torch.float64)
    labels = torch.tensor([[1.0, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]], dtype=torch.float64)
    statistics = statistics_of(flat, labels)
    with pytest.raises(Collapse) as caught:
        check_extent(maximisation(statistics, "full"), statistics.counts)
    assert caught.value.flat
    check_extent(maximisation(statistics, "full", 0.01), statistics.counts, 0.01)


def test_parameters_are_counted_as_scikit_learn_counts_them() -> None:
    mixture = pytest.importorskip("sklearn.mixture")
    rows = np.random.default_rng(0).normal(size=(60, 4))
    for shape in SHAPES:
        peer = mixture.GaussianMixture(3, covariance_type=SKLEARN[shape], random_state=0, max_iter=500).fit(rows)
        count, value = parameter_count(3, 4, shape), peer.score(rows) * 60
        assert aic(value, count) == pytest.approx(peer.aic(rows))
        assert bic(value, count, 60) == pytest.approx(peer.bic(rows))


# ---- what must hold for every mixture ----------------------------------------------------------------------------------

seeds = st.integers(0, 10_000)
some = settings(max_examples=15, deadline=None)


@some
@given(seed=seeds, shape=st.sampled_from(SHAPES), k=st.integers(1, 4), d=st.integers(1, 3))
def test_bound_and_likelihood_never_fall(seed: int, shape: Shape, k: int, d: int) -> None:
    points = cloud(80, d, seed)
    mixture = begin(points, k, "random", shape, 0.0, generator(seed))
    for _ in range(6):
        found = expectation(points, mixture)
        bound = lower_bound(found, mixture)
        assert bound == pytest.approx(found.log_likelihood, abs=found.rounding)  # they touch after an E half-step
        new = maximisation(found.statistics, shape, before=mixture)
        try:
            check_extent(new, found.statistics.counts)
        except Collapse:
            return
        after = expectation(points, new)
        assert lower_bound(found, new) >= bound - found.rounding
        assert after.log_likelihood >= lower_bound(found, new) - after.rounding
        assert float(new.weights.sum()) == pytest.approx(1, abs=1e-14)
        mixture = new


@some
@given(seed=seeds, floor=st.sampled_from([1e-6, 1e-2, 0.3, 3.0]), shape=st.sampled_from(SHAPES))
def test_a_floor_costs_no_more_than_it_says(seed: int, floor: float, shape: Shape) -> None:
    points = cloud(60, 2, seed)
    mixture = begin(points, 3, "random", shape, floor, generator(seed))
    for _ in range(8):
        found = expectation(points, mixture)
        new = maximisation(found.statistics, shape, floor, before=mixture)
        best = maximisation(found.statistics, shape, before=mixture)
        cost = cost_of_floor(new.covariances, found.statistics.counts, floor)
        if float(torch.linalg.eigvalsh(best.covariances).amin()) > 1e-9:
            lost = float(expected_log_joint(found.statistics, best) - expected_log_joint(found.statistics, new))
            assert lost == pytest.approx(cost, rel=1e-6, abs=1e-9)
        after = expectation(points, new).log_likelihood
        assert after >= found.log_likelihood - cost - found.rounding
        mixture = new


@some
@given(seed=seeds, turn=st.floats(0, 2 * math.pi), x=st.floats(-9, 9), y=st.floats(-9, 9))
def test_moving_and_turning_the_data_moves_and_turns_the_mixture(seed: int, turn: float, x: float, y: float) -> None:
    points = cloud(60, 2, seed)
    start = begin(points, 3, "random", "full", 0.0, generator(seed))
    rotation = torch.tensor([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]], dtype=torch.float64)
    shift = torch.tensor([x, y], dtype=torch.float64)

    def carried(mixture: Mixture) -> Mixture:
        means = mixture.means @ rotation.mT + shift
        return Mixture(mixture.weights, means, rotation @ mixture.covariances @ rotation.mT)

    here, there = start, carried(start)
    for _ in range(4):
        here, found = iterate(points, here, "full")
        there, other = iterate(rotation @ points + shift[:, None], there, "full")
        assert other.log_likelihood == pytest.approx(found.log_likelihood, abs=1e-8)
    assert distance(carried(here), there) < 1e-7


@some
@given(seed=seeds, order=st.permutations(range(3)), shape=st.sampled_from(SHAPES))
def test_names_of_components_do_not_matter(seed: int, order: list[int], shape: Shape) -> None:
    points = cloud(60, 2, seed)
    start = begin(points, 3, "kmeans++", shape, 0.0, generator(seed))
    plain, other = start, start.permuted(torch.tensor(order))
    for _ in range(4):
        plain, _ = iterate(points, plain, shape)
        other, _ = iterate(points, other, shape)
    assert distance(plain.permuted(torch.tensor(order)), other) < 1e-9


@some
@given(seed=seeds, shape=st.sampled_from(SHAPES))
def test_a_gradient_step_never_goes_down(seed: int, shape: Shape) -> None:
    points = cloud(60, 2, seed)
    mixture = begin(points, 3, "random", shape, 1e-3, generator(seed))
    scale = points.std(1, correction=0)
    before = -math.inf
    for _ in range(6):
        found = expectation(points, mixture)
        assert found.log_likelihood >= before - found.rounding
        before = found.log_likelihood
        mixture = ascend(found.statistics, mixture, shape, 1e-3, 0.5, scale)


def test_the_gradient_is_that_of_the_likelihood() -> None:
    """Fisher's identity: a short step gains the rate times the squared length of what it moved."""
    points = cloud(100, 2)
    mixture = begin(points, 3, "random", "full", 0.0, generator())
    found = expectation(points, mixture)
    scale, rate = torch.ones(2, dtype=torch.float64), 1e-6
    new = ascend(found.statistics, mixture, "full", 0.0, rate, scale)
    gain = (expectation(points, new).log_likelihood - found.log_likelihood) / 100
    old_root, new_root = torch.linalg.cholesky(mixture.covariances), torch.linalg.cholesky(new.covariances)
    logits = new.weights.log() - mixture.weights.log()
    moved = float((new.means - mixture.means).square().sum() + (logits - logits.mean()).square().sum())
    moved += float((new_root - old_root).tril(-1).square().sum())
    moved += float((new_root.diagonal(dim1=1, dim2=2).log() - old_root.diagonal(dim1=1, dim2=2).log()).square().sum())
    assert gain == pytest.approx(moved / rate, rel=1e-3)


# ---- rates -------------------------------------------------------------------------------------------------------------


def settled(points: torch.Tensor, mixture: Mixture, shape: Shape, iterations: int) -> tuple[Mixture, list[float]]:
    strides = []
    for _ in range(iterations):
        new, _ = iterate(points, mixture, shape)
        strides.append(distance(mixture, new))
        mixture = new
    return mixture, strides


def test_rate_of_a_weight_alone() -> None:
    """For one unknown weight, J is the derivative of π -> mean r in closed form: the mean of r (1 - r) over π (1 - π)."""
    points = torch.cat(
        [
            torch.randn(300, generator=generator(), dtype=torch.float64),
            2 + torch.randn(200, generator=generator(1), dtype=torch.float64),
        ]
    )[None]
    mixture = pair((0, 2), (1, 1))

    def image(given_one: Mixture) -> Mixture:
        found = expectation(points, given_one)
        return Mixture(found.statistics.counts / 500, mixture.means, mixture.covariances)

    for _ in range(3000):
        mixture = image(mixture)
    share = posterior(points, mixture)[0]
    pi = float(mixture.weights[0])
    exact = float((share * (1 - share)).mean()) / (pi * (1 - pi))
    assert largest_eigenvalue(image, mixture) == pytest.approx(exact, rel=1e-6)


@every_shape
def test_predicted_rate_is_the_measured_one(shape: Shape) -> None:
    points = cloud(300, 2, 5, groups=2, apart=2.5)
    mixture, strides = settled(points, begin(points, 2, "kmeans", shape, 0.0, generator()), shape, 900)
    assert strides[-1] < 1e-9
    ratios = [b / a for a, b in pairwise(strides) if 1e-8 < b < 1e-6]
    assert largest_eigenvalue(lambda m: iterate(points, m, shape)[0], mixture) == pytest.approx(ratios[-1], rel=0.01)


def test_one_component_is_found_at_once() -> None:
    points = cloud(50, 2)
    mixture, _ = settled(points, begin(points, 1, "random", "full", 0.0, generator()), "full", 3)
    assert largest_eigenvalue(lambda m: iterate(points, m, "full")[0], mixture) < 1e-6


def test_over_relaxation_of_one_is_em_and_two_shoots_past() -> None:
    points = cloud(80, 2)
    start = begin(points, 3, "kmeans++", "full", 0.0, generator())
    new, _ = iterate(points, start, "full")
    assert distance(relaxed(start, new, 1.0), new) < 1e-12
    double = relaxed(start, new, 2.0)
    assert torch.allclose(double.means, 2 * new.means - start.means)
    assert bool((torch.linalg.eigvalsh(double.covariances) > 0).all())
    assert float(double.weights.sum()) == pytest.approx(1)


# ---- starts and matching -----------------------------------------------------------------------------------------------


def test_k_means_is_that_of_scikit_learn() -> None:
    cluster = pytest.importorskip("sklearn.cluster")
    points = cloud(200, 2, 3)
    first = spread_means(points, 3, generator())
    means, labels = k_means(points, first)
    peer = cluster.KMeans(3, init=first.numpy(), n_init=1, tol=0).fit(points.mT.numpy())
    assert np.allclose(means.numpy(), peer.cluster_centers_, atol=1e-10)
    assert labels.tolist() == peer.labels_.tolist()


@pytest.mark.parametrize("start", ["random", "kmeans++", "kmeans"])
def test_starts_are_mixtures(start: str) -> None:
    points = cloud(40, 2)
    for shape in SHAPES:
        for k in (1, 5, 40):
            mixture = begin(points, k, start, shape, 0.0, generator())
            assert float(mixture.weights.sum()) == pytest.approx(1)
            assert math.isfinite(float(log_density(points, mixture).sum()))
            assert int(torch.linalg.cholesky_ex(mixture.covariances).info.abs().sum()) == 0


def test_matching_and_agreement() -> None:
    wanted = np.array([[0.0, 0], [5, 5], [9, 0]])
    order = matching_order(wanted[[2, 0, 1]] + 0.1, wanted)
    assert order.tolist() == [1, 2, 0]
    assert agreement(np.array([1, 1, 0, 0, 2]), np.array([0, 0, 1, 1, 1])) == pytest.approx(0.8)
    assert math.isnan(agreement(np.array([0, 1]), np.array([-1, -1])))
    assert basins([-5.0, -3.0, math.nan, -3.0001, -9.0], 0.01).tolist() == [1, 0, -1, 0, 2]


def test_twins_are_seen() -> None:
    weights, means = np.array([0.3, 0.3, 0.4]), np.array([[0.0], [1.0], [0.0]])
    assert twins(weights, means, np.ones((3, 1, 1)), np.ones(1)) == (0, 2)
    assert twins(np.array([0, 0.5, 0.5]), means, np.ones((3, 1, 1)), np.ones(1)) is None

"""Samplers: their laws against closed forms and quadrature, their identities, reversibility and divergence."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from chain_matrices import mala_kernel, nodes, stationary, ula_kernel
from torch import Tensor

from engine.math.chains import laws, samplers
from engine.math.numerics.statistics import tolerance

COUNT = 40_000


def gaussian(points: Tensor) -> tuple[Tensor, Tensor]:
    return 0.5 * points.square().sum(0), points.clone()


def double_well(points: Tensor, barrier: float = 2.0) -> tuple[Tensor, Tensor]:
    square = points * points - 1
    return barrier * square.square().sum(0), 4 * barrier * points * square


def run(start: Tensor, steps: int, sampler: str, step_size: float, temperature: float = 1.0, **more: object) -> Tensor:
    """The swarm after so many steps, double precision, in place."""
    generator = torch.Generator().manual_seed(7)
    target = more.pop("target", gaussian)
    assert callable(target)
    x = start.clone()
    velocities = torch.randn(x.shape, generator=generator, dtype=x.dtype) * math.sqrt(temperature)
    energy, gradient = target(x)
    for _ in range(steps):
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        uniform = torch.rand(x.shape[1], generator=generator, dtype=x.dtype)
        if sampler == "ula":
            samplers.ula(x, target(x)[1], step_size, temperature, noise, in_place=True)
        elif sampler == "mala":
            samplers.mala(x, energy, gradient, step_size, temperature, noise, uniform, target, in_place=True, **more)  # type: ignore[arg-type]
        elif sampler == "baoab":
            samplers.baoab(x, velocities, gradient, step_size, temperature, 1.0, noise, lambda p: target(p)[1], in_place=True)
        else:
            samplers.hmc(
                x, energy, gradient, step_size, temperature, 3, noise, uniform, lambda p: target(p)[1], target, in_place=True
            )
    return x


def normal(count: int = COUNT, dimension: int = 1, variance: float = 1.0, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((dimension, count), generator=generator, dtype=torch.float64) * math.sqrt(variance)


def assert_variance(points: Tensor, variance: float) -> None:
    """Against the standard error of a normal law's variance, for each coordinate."""
    bound = tolerance(variance * math.sqrt(2 / points.shape[1]), 1e-6)
    for found in points.var(1).tolist():
        assert found == pytest.approx(variance, abs=bound)


# ---- Unadjusted


@pytest.mark.parametrize(("step_size", "temperature"), [(0.1, 1.0), (1.0, 0.5), (3.0, 1.0)])
def test_ula_has_its_wrong_variance(step_size: float, temperature: float) -> None:
    """Also from a start at the target's own variance: the transient is the closed form."""
    x = run(normal(variance=temperature), 30, "ula", step_size, temperature)
    exact = float(laws.ula_transient(30, 0.0, temperature, step_size, 1.0, temperature)[1])
    assert_variance(x, exact)
    assert exact == pytest.approx(laws.ula_variance(step_size, 1.0, temperature), rel=0.02)


def test_ula_has_the_covariance_of_the_theorem() -> None:
    precision = np.linalg.inv([[1.0, 0.8], [0.8, 1.0]])
    matrix = torch.tensor(precision)
    exact = laws.ula_covariance(precision, 0.6)
    root = torch.tensor(np.linalg.cholesky(exact))
    x = root @ normal(dimension=2)
    generator = torch.Generator().manual_seed(3)
    for _ in range(20):
        samplers.ula(x, matrix @ x, 0.6, 1.0, torch.randn(x.shape, generator=generator, dtype=x.dtype), in_place=True)
    found = np.cov(x.numpy())
    error = np.sqrt((np.outer(np.diag(exact), np.diag(exact)) + exact**2) / COUNT)
    assert np.all(np.abs(found - exact) < 5 * error)
    assert abs(exact[0, 0] - 1) > 20 * error[0, 0]  # the bias is no small thing


def test_transient_of_a_point() -> None:
    x = run(torch.full((1, COUNT), 3.0, dtype=torch.float64), 8, "ula", 0.3)
    mean, variance = laws.ula_transient(8, 3.0, 0.0, 0.3)
    assert float(x.mean()) == pytest.approx(float(mean), abs=5 * math.sqrt(float(variance) / COUNT))
    assert_variance(x, float(variance))


def test_switches() -> None:
    """Noise off is gradient descent with rate ε/2, drift off is a random walk, and T = 0 is noise off."""
    x = normal(100, 2)
    noise = normal(100, 2, seed=2)
    descent = samplers.ula(x, x, 0.5, 1.0, None)
    assert torch.allclose(descent, 0.75 * x)
    assert torch.equal(samplers.ula(x, x, 0.5, 0.0, noise), descent)
    assert torch.allclose(samplers.ula(x, None, 0.5, 2.0, noise), x + noise)
    flat, zero = samplers.no_force(x)
    moved, _, _, accepted = samplers.mala(x, flat, zero, 0.5, 2.0, noise, torch.rand(100), samplers.no_force)
    assert bool(accepted.all())
    assert torch.allclose(moved, x + noise)
    energy, gradient = gaussian(x)
    cold = samplers.mala(x, energy, gradient, 0.5, 0.0, noise, torch.rand(100), gaussian)
    assert torch.equal(cold[0], descent)
    assert bool(cold[3].all())


def test_in_place_or_not_is_the_same() -> None:
    x, v, noise, uniform = normal(50, 2), normal(50, 2, seed=3), normal(50, 2, seed=4), torch.rand(50)
    energy, gradient = gaussian(x)
    slope: samplers.Gradient = lambda p: gaussian(p)[1]  # noqa: E731
    steps: list[Callable[..., tuple[Tensor, ...]]] = [
        lambda a, e, g, w, i: (samplers.ula(a, g, 0.8, 1.0, noise, in_place=i),),
        lambda a, e, g, w, i: samplers.mala(a, e, g, 0.8, 1.0, noise, uniform, gaussian, in_place=i),
        lambda a, e, g, w, i: samplers.hmc(a, e, g, 0.8, 1.0, 2, noise, uniform, slope, gaussian, in_place=i),
        lambda a, e, g, w, i: samplers.baoab(a, w, g, 0.8, 1.0, 0.5, noise, slope, in_place=i),
    ]
    for step in steps:
        kept = [each.clone() for each in (x, energy, gradient, v)]
        new = step(*kept, False)
        assert all(map(torch.equal, kept, (x, energy, gradient, v)))
        over = step(*kept, True)
        assert over[0] is kept[0]
        assert all(map(torch.equal, new, over))


# ---- Metropolis


def test_mala_ratio_of_the_normal_law() -> None:
    """-(ε/8)(y² - x²) for the right proposal density, ((1 - ε)/2)(y² - x²) for the printed one."""
    x, y = normal(100, 2), normal(100, 2, seed=2)
    change = (y * y - x * x).sum(0)
    state = (x, *gaussian(x), y, *gaussian(y))
    assert torch.allclose(samplers.mala_log_ratio(*state, 0.4), -0.05 * change)
    assert torch.allclose(samplers.mala_log_ratio(*state, 0.4, drift_share=1.0), 0.3 * change)


@pytest.mark.parametrize("printed", [False, True])
def test_mala_ratio_is_the_one_of_the_densities(printed: bool) -> None:
    x, y = normal(100, 2), normal(100, 2, seed=2)
    (u, g), (w, k) = double_well(x), double_well(y)
    share = 0.3 if printed else 0.15
    back, forth = (x - y + share * k).square().sum(0), (y - x + share * g).square().sum(0)
    ratio = samplers.mala_log_ratio(x, u, g, y, w, k, 0.3, drift_share=1.0 if printed else 0.5)
    assert torch.allclose(ratio, u - w - (back - forth) / 0.6)


@pytest.mark.parametrize("step_size", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("sampler", ["mala", "hmc"])
def test_metropolis_keeps_the_normal_law(step_size: float, sampler: str) -> None:
    assert_variance(run(normal(dimension=2, variance=0.6), 15, sampler, step_size, 0.6), 0.6)


@pytest.mark.parametrize("step_size", [0.5, 2.0])
def test_printed_mala_has_the_predicted_wrong_variance(step_size: float) -> None:
    law = laws.printed_mala_law(step_size)
    x = run(normal(variance=law.variance), 25, "mala", step_size, drift_share=1.0)
    assert_variance(x, law.variance)
    assert abs(law.variance - 1) > 0.3
    away = run(normal(variance=1.0), 150, "mala", step_size, drift_share=1.0)  # and it is reached from the right law
    assert_variance(away, law.variance)


@pytest.mark.parametrize("dimension", [1, 2])
def test_acceptance_and_lag_of_mala(dimension: int) -> None:
    x, law = normal(dimension=dimension), laws.mala_law(1.2, dimension=dimension)
    energy, gradient = gaussian(x)
    generator = torch.Generator().manual_seed(5)
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    new, _, _, accepted = samplers.mala(x, energy, gradient, 1.2, 1.0, noise, torch.rand(COUNT, generator=generator), gaussian)
    assert float(accepted.double().mean()) == pytest.approx(law.acceptance, abs=5 * 0.5 / math.sqrt(COUNT))
    assert float((x * new).mean()) == pytest.approx(law.lag1, abs=5 / math.sqrt(COUNT))


@pytest.mark.parametrize("sampler", ["mala", "hmc"])
def test_metropolis_is_unbiased_in_a_double_well(sampler: str) -> None:
    """Moments of both coordinates by quadrature, from a start in equilibrium (drawn by the inverse of its distribution)."""
    grid, weights = nodes(-2.6, 2.6, 0.05)
    density = np.exp(-2 * (grid**2 - 1) ** 2) * weights
    density /= density.sum()
    uniform = np.random.default_rng(3).random((2, COUNT))
    start = torch.tensor(np.interp(uniform, np.cumsum(density) - 0.5 * density, grid))
    x = run(start, 12, sampler, 0.15, target=double_well)
    for power in (2, 4):
        exact, fourth = float(density @ grid**power), float(density @ grid ** (2 * power))
        error = math.sqrt((fourth - exact**2) / COUNT)
        assert (x**power).mean(1).tolist() == pytest.approx([exact, exact], abs=5 * error)


def test_ula_is_biased_in_a_double_well_as_its_matrix_says() -> None:
    grid, weights = nodes(-2.4, 2.4, 0.05)
    law = stationary(ula_kernel(grid, weights, lambda z: 8 * z * (z * z - 1), 0.05))
    exact = np.exp(-2 * (grid**2 - 1) ** 2) * weights
    exact /= exact.sum()
    assert law @ grid**2 < exact @ grid**2 - 0.03
    uniform = np.random.default_rng(4).random((1, COUNT))
    start = torch.tensor(np.interp(uniform, np.cumsum(law) - 0.5 * law, grid))
    x = run(start, 20, "ula", 0.05, target=double_well)
    error = math.sqrt((law @ grid**4 - (law @ grid**2) ** 2) / COUNT)
    assert float(x.square().mean()) == pytest.approx(law @ grid**2, abs=5 * error)


def test_the_kernel_of_the_code_is_the_one_of_the_definition() -> None:
    """P(accept) from one place, averaged over the noise, against the off-diagonal mass of the matrix."""
    grid, weights = nodes(-2.4, 2.4, 0.2)
    kernel = mala_kernel(grid, weights, lambda z: 2 * (z * z - 1) ** 2, lambda z: 8 * z * (z * z - 1), 0.2)
    at = int(np.argmin(np.abs(grid - 1.3)))
    x = torch.full((1, COUNT), float(grid[at]), dtype=torch.float64)
    generator = torch.Generator().manual_seed(6)
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
    uniform = torch.rand(COUNT, generator=generator, dtype=x.dtype)
    moved = samplers.mala(x, *double_well(x), 0.2, 1.0, noise, uniform, double_well)[0]
    expected = kernel[at] @ grid
    spread = math.sqrt(kernel[at] @ grid**2 - expected**2)
    assert float(moved.mean()) == pytest.approx(expected, abs=5 * spread / math.sqrt(COUNT))


def test_what_is_not_finite_is_never_accepted() -> None:
    x = torch.zeros((1, 4), dtype=torch.float64)
    for bad in (math.nan, math.inf):
        broken: samplers.ValueAndGradient = lambda p, bad=bad: (torch.full_like(p[0], bad), p)  # type: ignore[misc]  # noqa: E731
        assert not samplers.mala(x, *gaussian(x), 1.0, 1.0, torch.ones_like(x), torch.zeros(4), broken)[3].any()


# ---- Velocities


def test_one_leapfrog_is_mala() -> None:
    """The same proposals from the same noise, the same ratio, the same decisions."""
    x, noise, uniform = normal(2000, 2), normal(2000, 2, seed=2), torch.rand(2000, dtype=torch.float64)
    state = (x, *double_well(x))
    one = samplers.mala(*state, 0.3, 0.7, noise, uniform, double_well)
    other = samplers.hmc(*state, 0.3, 0.7, 1, noise, uniform, lambda p: double_well(p)[1], double_well)
    assert torch.equal(one[3], other[3])
    assert 0 < int(one[3].sum()) < 2000
    assert torch.allclose(one[0], other[0], atol=1e-12)


def test_leapfrog_can_be_reversed() -> None:
    x, v = normal(1000, 2), normal(1000, 2, seed=2)
    slope: samplers.Gradient = lambda p: double_well(p)[1]  # noqa: E731
    there, speed, _, gradient = samplers.leapfrog(x, v, slope(x), 0.01, 40, slope, double_well)
    back, reversed_speed, _, _ = samplers.leapfrog(there, -speed, gradient, 0.01, 40, slope, double_well)
    assert float((there - x).abs().max()) > 1
    assert torch.allclose(back, x, atol=1e-11)
    assert torch.allclose(reversed_speed, -v, atol=1e-11)


def test_energy_error_is_of_second_order() -> None:
    """Over the same time, half the time step leaves a quarter of the error."""
    x, v = normal(500, 2, variance=0.3) + 1, normal(500, 2, seed=2)
    slope: samplers.Gradient = lambda p: double_well(p)[1]  # noqa: E731
    errors = []
    for steps in (40, 80, 160):
        _, speed, energy, _ = samplers.leapfrog(x, v, slope(x), (1.0 / steps) ** 2, steps, slope, double_well)
        change = energy - double_well(x)[0] + 0.5 * (speed.square() - v.square()).sum(0)
        errors.append(float(change.square().mean().sqrt()))
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize("step_size", [0.5, 2.0])
def test_baoab_has_the_exact_variance(step_size: float) -> None:
    x = run(normal(variance=0.8), 40, "baoab", step_size, 0.8)
    assert_variance(x, 0.8)


def test_baoab_without_friction_is_leapfrog_and_with_all_of_it_averages_the_noise() -> None:
    x, v = normal(100, 2), normal(100, 2, seed=2)
    noise = [normal(100, 2, seed=seed) for seed in (3, 4, 5)]
    slope: samplers.Gradient = lambda p: double_well(p)[1]  # noqa: E731
    free = samplers.baoab(x, v, slope(x), 0.04, 1.0, 0.0, noise[0], slope)
    exact = samplers.leapfrog(x, v, slope(x), 0.04, 1, slope, double_well)
    assert torch.allclose(free[0], exact[0], atol=1e-12)
    assert torch.allclose(free[1], exact[1], atol=1e-12)
    state = (x, v, slope(x))
    places = []
    for xi in noise:
        state = samplers.baoab(*state, 0.04, 0.7, 1e9, xi, slope)
        places.append(state[0])
    for n in (0, 1):
        mean_noise = 0.5 * (noise[n] + noise[n + 1])
        assert torch.allclose(places[n + 1], samplers.ula(places[n], slope(places[n]), 0.04, 0.7, mean_noise), atol=1e-12)


@pytest.mark.parametrize("sampler", ["ula", "hmc", "baoab"])
def test_all_diverge_at_the_same_limit(sampler: str) -> None:
    """4/L for curvature L = 1; Metropolis would hide it, so that hmc is looked at through its leapfrog."""
    limit = samplers.stability_limit(1.0)
    for factor, wild in ((0.99, False), (1.01, True)):
        x, v = torch.ones((1, 1), dtype=torch.float64), torch.zeros((1, 1), dtype=torch.float64)
        if sampler == "hmc":
            x = samplers.leapfrog(x, v, x, factor * limit, 600, torch.clone, gaussian)[0]
        for _ in range(600 if sampler != "hmc" else 0):
            if sampler == "ula":
                x = samplers.ula(x, x, factor * limit, 1.0, None)
            else:
                x, v, _ = samplers.baoab(x, v, x, factor * limit, 1.0, 0.0, None, torch.clone)
        assert samplers.diverged(x, 50.0) is wild


def test_divergence_is_seen() -> None:
    x = torch.zeros((2, 5))
    assert not samplers.diverged(x, 1.0)
    assert not samplers.diverged(torch.empty((2, 0)), 1.0)
    for bad in (1.5, -1.5, math.nan, math.inf, -math.inf):
        x[1, 3] = bad
        assert samplers.diverged(x, 1.0)
    assert samplers.stability_limit(16.0) == 0.25
    assert samplers.stability_limit(0.0) == samplers.stability_limit(-1.0) == math.inf

"""Closed forms of Langevin samplers against exact linear algebra, quadrature, matrices of chains and simulation."""

from __future__ import annotations

import itertools
import math

import chain_matrices as kernels
import numpy as np
import pytest
import torch
from scipy import integrate, linalg, stats

from engine.math.chains import laws
from engine.math.numerics.power_iteration import power_iteration

STEPS = [0.05, 0.5, 1.0, 2.0, 3.0]


def energy(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * x


def slope(x: np.ndarray) -> np.ndarray:
    return x


# ---- ULA on quadratic energies


@pytest.mark.parametrize("step_size", STEPS)
@pytest.mark.parametrize(("sigma", "temperature"), [(1.0, 1.0), (0.7, 2.5)])
def test_ula_on_a_quadratic_energy_is_the_autoregression(step_size: float, sigma: float, temperature: float) -> None:
    """The stationary law of the chain's matrix has the variance and the autocorrelation of the formulas."""
    step = step_size * sigma**2
    reach = 9 * math.sqrt(laws.ula_variance(step, sigma, temperature))
    x, weights = kernels.nodes(-reach, reach, step, temperature)
    kernel = kernels.ula_kernel(x, weights, lambda z: z / sigma**2, step, temperature)
    law = kernels.stationary(kernel)
    assert law @ x**2 == pytest.approx(laws.ula_variance(step, sigma, temperature), rel=1e-9)
    assert kernels.lag1_correlation(kernel, law, x) == pytest.approx(laws.ula_lag1(step, sigma), abs=1e-9)


def test_ula_diverges_from_the_limit_on() -> None:
    assert laws.ula_variance(3.999) > 1000
    assert laws.ula_variance(4.0) == laws.ula_variance(5.0) == math.inf
    assert math.isnan(laws.ula_efficiency(4.0))
    with pytest.raises(ValueError, match="limit 2"):
        laws.ula_covariance([[2.0, 0.0], [0.0, 1.0]], 2.0)


def test_efficiency_is_the_sum_of_the_autocorrelations() -> None:
    for step_size in STEPS:
        c = laws.ula_lag1(step_size)
        assert laws.ula_efficiency(step_size) == pytest.approx(1 / (1 + 2 * sum(c**k for k in range(1, 3000))))


@pytest.mark.parametrize("step_size", [0.01, 0.3, 1.0])
def test_covariance_solves_its_equation(step_size: float) -> None:
    """C = (1 - εA/2) C (1 - εA/2)ᵀ + εT, by scipy."""
    random = np.random.default_rng(1)
    root = random.normal(size=(4, 4))
    precision = root @ root.T + np.eye(4)
    precision *= 3.0 / np.linalg.eigvalsh(precision)[-1]
    motion = np.eye(4) - 0.5 * step_size * precision
    solved = linalg.solve_discrete_lyapunov(motion, 1.7 * step_size * np.eye(4))
    assert laws.ula_covariance(precision, step_size, 1.7) == pytest.approx(solved, rel=1e-9)


@pytest.mark.parametrize("step_size", [0.1, 1.5, 2.0, 4.0])
def test_transient_follows_the_recursion(step_size: float) -> None:
    mean, variance, means, variances = 3.0, 0.2, [], []
    for _ in range(20):
        means.append(mean)
        variances.append(variance)
        c = laws.ula_lag1(step_size, 1.0)
        mean, variance = c * mean, c * c * variance + step_size * 0.8
    found = laws.ula_transient(np.arange(20), 3.0, 0.2, step_size, 1.0, 0.8)
    assert found[0] == pytest.approx(means)
    assert found[1] == pytest.approx(variances)


def test_small_steps_become_the_diffusion() -> None:
    times = np.linspace(0, 5, 11)
    exact = laws.ou_transient(times, 2.0, 0.1, 1.3, 0.7)
    for step_size in (1e-2, 1e-3):
        found = laws.ula_transient(np.round(times / step_size), 2.0, 0.1, step_size, 1.3, 0.7)
        assert found[0] == pytest.approx(exact[0], abs=step_size)
        assert found[1] == pytest.approx(exact[1], abs=step_size)
    assert exact[1][-1] == pytest.approx(0.7 * 1.3**2, rel=0.06)
    slope_of_mean = (laws.ou_transient(1e-6, 2.0, 0.1, 1.3)[0] - 2.0) / 1e-6
    assert slope_of_mean == pytest.approx(-2.0 / (2 * 1.3**2), rel=1e-5)


# ---- Metropolis


def by_quadrature(step_size: float, printed: bool, variance: float) -> tuple[float, float]:
    """Acceptance and lag-1 autocorrelation of MALA on x²/2 under N(0, V), from the definition, over the angle of (x, ξ).

    Proposal and sign of the ratio's logarithm are homogeneous in (x, ξ) = r (√V cos φ, sin φ), r² Exponential(1/2).
    """
    share = 1.0 if printed else 0.5

    def integrand(angle: float) -> tuple[float, float]:
        x, noise = math.sqrt(variance) * math.cos(angle), math.sin(angle)
        y = (1 - step_size / 2) * x + math.sqrt(step_size) * noise
        back = x - y + share * step_size * y
        forth = y - x + share * step_size * x
        slope_of_log = 0.5 * (x * x - y * y) - (back * back - forth * forth) / (2 * step_size)  # times r²
        # mean over r of min(1, e^(a r²)) and of r² min(1, e^(a r²)), with r²/2 standard exponential
        drop = 1 / (1 - 2 * min(slope_of_log, 0.0))
        return drop, x * (y - x) * 2 * drop * drop

    edges = np.unique(np.round(np.array(kinks(step_size, variance)) % math.pi, 14))
    total = np.zeros(2)
    for low, high in zip(edges, np.append(edges[1:], edges[0] + math.pi), strict=True):
        total += [integrate.quad(lambda a, i=i: integrand(a)[i], low, high, epsabs=1e-13)[0] for i in (0, 1)]
    acceptance, moved = total / math.pi
    return acceptance, 1 + moved / variance


def kinks(step_size: float, variance: float) -> list[float]:
    """Angles where |y| = |x|: the ratio is 1 there."""
    c, v, s = 1 - step_size / 2, math.sqrt(variance), math.sqrt(step_size)
    return [math.atan2(v * (1 - c), s), math.atan2(-v * (1 + c), s)]


@pytest.mark.parametrize("step_size", [*STEPS, 5.0])
def test_mala_on_a_quadratic_energy(step_size: float) -> None:
    law = laws.mala_law(step_size)
    acceptance, lag1 = by_quadrature(step_size, False, 1.0)
    assert law.variance == 1.0
    assert law.acceptance == pytest.approx(acceptance, abs=1e-10)
    assert law.lag1 == pytest.approx(lag1, abs=1e-10)
    s = step_size
    assert law.acceptance == pytest.approx(
        1 - 2 / math.pi * math.asin(s**1.5 / (4 * math.sqrt((1 + s / 4) * (4 - s + s * s / 4))))
    )
    assert laws.mala_law(step_size * 4, 2.0, 3.0) == laws.MetropolisLaw(12.0, law.acceptance, law.lag1)


@pytest.mark.parametrize("step_size", [0.2, *STEPS[1:]])
@pytest.mark.parametrize("printed", [False, True])
def test_the_chain_itself_has_the_variance(step_size: float, printed: bool) -> None:
    law = (laws.printed_mala_law if printed else laws.mala_law)(step_size)
    reach = 8 * math.sqrt(max(law.variance, 1.0))
    x, weights = kernels.nodes(-reach, reach, step_size)
    kernel = kernels.mala_kernel(x, weights, energy, slope, step_size, printed=printed)
    stationary = kernels.stationary(kernel)
    assert stationary @ x**2 == pytest.approx(law.variance, rel=1e-6)
    acceptance, lag1 = by_quadrature(step_size, printed, law.variance)
    assert law.acceptance == pytest.approx(acceptance, abs=1e-10)
    assert law.lag1 == pytest.approx(lag1, abs=1e-10)


def test_the_misprint_is_right_by_accident_at_four_thirds() -> None:
    assert laws.printed_mala_law(4 / 3).variance == pytest.approx(1.0)
    assert laws.printed_mala_law(0.2).variance == pytest.approx(20 / 3)


@pytest.mark.parametrize("printed", [False, True])
def test_detailed_balance_of_mala(printed: bool) -> None:
    """π(x) k(x, y) = π(y) k(y, x) for the double well: true of the right ratio, false of the misprint."""
    x, weights = kernels.nodes(-2.2, 2.2, 0.1)
    kernel = kernels.mala_kernel(
        x, weights, lambda z: 2 * (z * z - 1) ** 2, lambda z: 8 * z * (z * z - 1), 0.1, 0.8, printed=printed
    )
    target = np.exp(-2 * (x * x - 1) ** 2 / 0.8) * weights
    target /= target.sum()
    flow = target[:, None] * kernel
    error = np.abs(flow - flow.T).max() / flow[~np.eye(len(x), dtype=bool)].max()
    assert (error < 1e-12) is not printed
    assert (np.abs(kernels.stationary(kernel) - target).max() < 1e-9) is not printed


@pytest.mark.parametrize(("leapfrogs", "dimension"), [(1, 2), (3, 1), (5, 2), (4, 7)])
def test_hmc_and_more_dimensions_against_drawn_moves(leapfrogs: int, dimension: int) -> None:
    """Moves from equilibrium by leapfrog, their probabilities averaged."""
    s, count = 0.9, 400_000
    random = np.random.default_rng(leapfrogs)
    x, v = random.normal(size=(2, dimension, count))
    y, speed = x.copy(), v - 0.5 * math.sqrt(s) * x
    for _ in range(leapfrogs):
        y += math.sqrt(s) * speed
        speed -= math.sqrt(s) * y
    speed += 0.5 * math.sqrt(s) * y
    probability = np.exp(np.minimum(0.5 * (x**2 + v**2 - y**2 - speed**2).sum(0), 0))
    law = laws.hmc_law(s, leapfrogs=leapfrogs, dimension=dimension)
    assert law.acceptance == pytest.approx(probability.mean(), abs=4 * probability.std() / math.sqrt(count))
    moved = (probability * (x * (y - x)).sum(0)) / dimension
    assert law.lag1 == pytest.approx(1 + moved.mean(), abs=4 * moved.std() / math.sqrt(count))


def test_leapfrog_beyond_its_limit_has_no_law() -> None:
    assert math.isnan(laws.hmc_law(4.0, leapfrogs=2).acceptance)
    assert 0 < laws.hmc_law(4.0, leapfrogs=1).acceptance < 1


# ---- BAOAB


@pytest.mark.parametrize("step_size", [0.1, 1.0, 3.5])
@pytest.mark.parametrize("friction", [0.1, 1.0, 30.0])
def test_baoab_has_the_exact_position_variance(step_size: float, friction: float) -> None:
    covariance = laws.baoab_covariance(step_size, friction, 1.3, 0.6)
    exact = np.diag([0.6 * 1.3**2, 0.6 * (1 - step_size / (4 * 1.3**2))])
    assert covariance == pytest.approx(exact, abs=1e-9)
    motion, noise = laws.baoab_matrices(step_size, friction, 1.3, 0.6)
    assert linalg.solve_discrete_lyapunov(motion, noise) == pytest.approx(exact, abs=1e-9)
    assert (motion @ covariance)[0, 0] / covariance[0, 0] == pytest.approx(laws.baoab_lag1(step_size, friction, 1.3))


def test_baoab_efficiency_is_the_sum_of_its_autocorrelations() -> None:
    motion, _ = laws.baoab_matrices(0.5, 0.7)
    power, total = np.eye(2), 0.0
    for _ in range(2000):
        power = motion @ power
        total += power[0, 0]
    assert laws.baoab_efficiency(0.5, 0.7) == pytest.approx(1 / (1 + 2 * total))
    # without inertia the noise (ξ_n + ξ_(n+1))/2 of the limit has no bias and half the lag
    assert laws.baoab_lag1(0.5, 1e6) == pytest.approx(1 - 0.5 / 4)


# ---- Passage


def double_well(x: np.ndarray, a: float = 4.0) -> np.ndarray:
    return a * (x * x - 1) ** 2


@pytest.mark.parametrize(("barrier", "temperature"), [(0.5, 1.0), (4.0, 1.0), (3.0, 0.5)])
def test_passage_time_is_the_double_integral(barrier: float, temperature: float) -> None:
    def well(x: float) -> float:
        return float(double_well(x, barrier)) / temperature

    def inner(y: float) -> float:
        return integrate.quad(lambda z: math.exp(-well(z)), -5, y, epsabs=1e-13, points=[-1.0])[0]

    outer = integrate.quad(lambda y: 2 / temperature * math.exp(well(y)) * inner(y), -1, 1, epsrel=1e-10)[0]
    found = laws.mean_first_passage_time(lambda x: double_well(x, barrier), [-1.0, 0.0, 1.0], 1.0, temperature)
    assert found[0] == pytest.approx(outer, rel=1e-9)
    assert found[2] == 0
    back = laws.mean_first_passage_time(lambda x: double_well(x, barrier), [1.0, 0.0, -1.0], -1.0, temperature)
    assert back == pytest.approx(found, rel=1e-12)


def test_passage_of_a_free_particle_and_down_a_slope() -> None:
    """Brownian motion between a wall at 0 and the end: (L² - x²)/T. On a slope U = -kx: about distance / (k/2)."""
    found = laws.mean_first_passage_time(np.zeros_like, [0.0, 0.5], 2.0, 0.5, reflecting=0.0)
    assert found == pytest.approx([4 / 0.5, 3.75 / 0.5], rel=1e-12)
    quick = laws.mean_first_passage_time(lambda x: -40 * x, 0.0, 3.0, 0.01, reflecting=-1.0)
    assert quick == pytest.approx(3 / 20, rel=1e-3)


def test_passage_needs_a_wall_and_one_side() -> None:
    with pytest.raises(ValueError, match="set a reflecting wall"):
        laws.mean_first_passage_time(np.zeros_like, 0.0, 1.0)
    with pytest.raises(ValueError, match="both sides"):
        laws.mean_first_passage_time(double_well, [-1.0, 1.0], 0.0)


def test_kramers_is_the_limit_of_high_barriers() -> None:
    errors = {}
    for barrier in (4.0, 8.0, 16.0):
        exact = float(laws.mean_first_passage_time(lambda x, a=barrier: double_well(x, a), -1.0, 1.0))
        errors[barrier] = exact / laws.kramers_time(barrier) - 1
        assert exact == pytest.approx(laws.kramers_time(barrier, corrected=True), rel=1.5 / barrier**2)
    assert errors[16.0] == pytest.approx(3 / (8 * 16), rel=0.2)
    assert errors[4.0] > errors[8.0] > errors[16.0]
    assert laws.kramers_time(4.0, 2.0) == pytest.approx(math.pi * math.exp(2.0) / (math.sqrt(2) * 4.0))
    assert laws.kramers_time(3.0, well_curvature=24.0, top_curvature=12.0) == pytest.approx(laws.kramers_time(3.0))
    assert laws.kramers_time(800.0) == laws.mean_first_passage_time(lambda x: double_well(x, 800.0), -1.0, 1.0) == math.inf


def test_kernels_refuse_what_would_not_fit() -> None:
    with pytest.raises(ValueError, match="nodes, more than"):
        kernels.nodes(-5.0, 5.0, 1e-5)


# ---- Spectral norm


def test_power_iteration_finds_the_spectral_norm() -> None:
    generator = torch.Generator().manual_seed(5)
    matrix = torch.randn((30, 20), generator=generator, dtype=torch.float64)
    start = torch.randn(30, generator=generator, dtype=torch.float64)
    norms = [float(power_iteration(matrix, start, steps)[0]) for steps in range(1, 401)]
    exact = torch.linalg.svdvals(matrix)
    assert norms[-1] == pytest.approx(float(exact[0]), rel=1e-9)
    assert all(first <= second * (1 + 1e-12) for first, second in itertools.pairwise(norms))
    assert norms[0] <= float(torch.linalg.matrix_norm(matrix))
    errors = 1 - np.array(norms) / float(exact[0])
    assert errors[40] / errors[39] == pytest.approx(float(exact[1] / exact[0]) ** 4, rel=0.1)


def test_power_iteration_is_about_singular_values_not_eigenvalues() -> None:
    """A shear has the eigenvalue 1 twice and the norm (3 + √13)/2 for an entry of 3."""
    shear = torch.tensor([[1.0, 3.0], [0.0, 1.0]], dtype=torch.float64)
    norm, u, v = power_iteration(shear, torch.tensor([1.0, 1.0], dtype=torch.float64), 60)
    assert float(norm) == pytest.approx((3 + math.sqrt(13)) / 2, rel=1e-12)
    assert torch.allclose(shear @ v, norm * u)
    assert float(power_iteration(torch.zeros((2, 3)), torch.ones(2))[0]) == 0.0


def test_ula_law_is_normal() -> None:
    """Not the variance alone: the stationary density on the nodes is the normal one."""
    x, weights = kernels.nodes(-10, 10, 1.0)
    law = kernels.stationary(kernels.ula_kernel(x, weights, slope, 1.0))
    assert law == pytest.approx(stats.norm(0, math.sqrt(laws.ula_variance(1.0))).pdf(x) * weights, abs=1e-12)

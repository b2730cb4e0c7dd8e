"""Objectives, chains, buffer and optimiser of energy models against closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from engine.math.networks.energy_networks import EnergyFunction, LayeredNetwork, PowerIteration, ProductNetwork, cubic_spline
from engine.math.networks.energy_training import (
    Adam,
    Buffer,
    autograd_gradient,
    clamp,
    contrastive_loss,
    expected_age,
    gradients_of,
    langevin,
    likelihood_loss,
    noise_contrastive_loss,
    reflect,
    score_matching_loss,
)

CPU = torch.device("cpu")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def networks() -> dict[str, Callable[[], LayeredNetwork | ProductNetwork]]:
    return {
        "layers": lambda: LayeredNetwork(2, 16, 2, generator(1)),
        "deep": lambda: LayeredNetwork(2, 8, 4, generator(2)),
        "bumps": lambda: random_weights(ProductNetwork(8, CPU, bumps=True)),
        "splines": lambda: random_weights(ProductNetwork(12, CPU, bumps=False)),
    }


def random_weights(network: ProductNetwork) -> ProductNetwork:
    with torch.no_grad():
        network.weights[0].normal_(generator=generator(3))
    return network


# ---- energies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(networks()))
@pytest.mark.parametrize("spectral", [False, True])
def test_the_written_gradient_is_that_of_autograd(name: str, spectral: bool) -> None:
    network = networks()[name]()
    energy = network.rebuilt([weight.detach().double() for weight in network.weights]).energy(spectral=spectral)
    points = 2 * torch.randn((2, 50), generator=generator(), dtype=torch.float64)
    values, slopes = energy.value_and_gradient(points)
    assert torch.allclose(values, energy.value(points))
    assert torch.allclose(slopes, autograd_gradient(energy.value)(points), atol=1e-10)


def test_splines_add_up_to_one_within_the_square() -> None:
    network = ProductNetwork(12, CPU, 3.0, bumps=False)
    with torch.no_grad():
        network.weights[0].fill_(1.0)
    points = 6 * torch.rand((2, 200), generator=generator()) - 3
    values, slopes = network.energy().value_and_gradient(points)
    assert torch.allclose(values, torch.ones(200), atol=1e-5)
    assert torch.allclose(slopes, torch.zeros(2, 200), atol=1e-4)


def test_the_spline_is_that_of_scipy() -> None:
    from scipy.interpolate import BSpline

    t = torch.linspace(-3, 3, 61, dtype=torch.float64)
    exact = BSpline.basis_element([-2, -1, 0, 1, 2], extrapolate=False)
    values, slopes = cubic_spline(t, 0.5)
    inside = t.abs() < 2
    assert torch.allclose(values[inside], torch.from_numpy(exact(t[inside].numpy())))
    assert torch.allclose(slopes[inside], torch.from_numpy(exact.derivative()(t[inside].numpy())) / 0.5)
    assert float(values[~inside].abs().max()) == 0


# ---- spectral norm -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(30, 20), (1, 40), (64, 2)])
def test_power_iteration_finds_the_spectral_norm(shape: tuple[int, int]) -> None:
    matrix = torch.randn(shape, generator=generator(), dtype=torch.float64)
    exact = torch.linalg.matrix_norm(matrix, 2)
    power = PowerIteration.start(matrix, generator(1)).step(matrix, 500)
    assert float(power.norm(matrix)) == pytest.approx(float(exact), rel=1e-6)
    assert float(PowerIteration.start(matrix, generator(2)).norm(matrix)) <= float(exact) * (1 + 1e-9)


def test_normalised_layers_have_norm_one_while_weights_move() -> None:
    network = LayeredNetwork(2, 32, 2, generator())
    adam = Adam(network.weights)
    for _ in range(30):
        network.iterate()
        loss = network.energy(spectral=True).value(torch.randn((2, 20), generator=generator())).square().mean()
        adam.step(gradients_of(loss, network.weights), 1e-3)
    network.iterate()
    for matrix in network.matrices_used(spectral=True):
        assert float(torch.linalg.matrix_norm(matrix.detach(), 2)) == pytest.approx(1, abs=0.02)


# ---- chains ------------------------------------------------------------------------------------------------------------


def test_chains_have_the_variance_of_the_unadjusted_rule() -> None:
    """σ² / (1 - ε / 4σ²) for U = x² / 2σ² at temperature 1, T times as much at T."""
    points = langevin(lambda x: x / 0.25, torch.zeros((2, 20_000)), 200, 0.1, 2.0, generator())
    exact = 2.0 * 0.25 / (1 - 0.1 / (4 * 0.25))
    assert float(points.var()) == pytest.approx(exact, abs=4 * exact * math.sqrt(2 / 40_000))


def test_a_flat_energy_between_mirrors_stays_uniform() -> None:
    start = 6 * torch.rand((2, 20_000), generator=generator()) - 3
    points = langevin(torch.zeros_like, start, 30, 0.5, 1.0, generator(1), boundary=reflect(3.0))
    assert float(points.abs().max()) <= 3
    assert float(points.var()) == pytest.approx(3, abs=4 * math.sqrt(0.8 * 9 / 40_000))


def test_mirrors_and_stops() -> None:
    points = torch.tensor([[0.0, 3.5, -3.5, 9.5, 15.0, -3.0]])
    assert torch.allclose(reflect(3.0)(points), torch.tensor([[0.0, 2.5, -2.5, -2.5, 3.0, -3.0]]), atol=1e-5)
    assert torch.equal(clamp(0, 1)(points), torch.tensor([[0.0, 1.0, 0.0, 1.0, 1.0, 0.0]]))


def test_paths_are_kept_and_slopes_cut() -> None:
    path: list[Tensor] = []
    start = torch.zeros((2, 10))
    end = langevin(lambda x: torch.full_like(x, 100.0), start, 3, 0.2, 0.0, generator(), clip=1.0, path=path, watched=4)
    assert len(path) == 4
    assert path[0].shape == (2, 4)
    assert torch.allclose(end, torch.full_like(end, -0.3))
    assert torch.equal(start, torch.zeros((2, 10)))


# ---- buffer ------------------------------------------------------------------------------------------------------------


def rounds_of(probability: float, number: int, size: int = 4000, batch: int = 1000) -> Buffer:
    buffer = Buffer(torch.zeros((2, size)), torch.arange(size) % 3)
    random = generator(7)
    for _ in range(number):
        draw = buffer.draw(batch, probability, lambda count: torch.full((2, count), -1.0), random)
        assert draw.classes is not None
        assert torch.equal(draw.classes, draw.slots % 3)
        buffer.store(draw, torch.where(draw.starts < 0, 1.0, draw.starts + 1))
    return buffer


@pytest.mark.parametrize("probability", [0.0, 0.5, 0.95, 1.0])
def test_ages_follow_the_truncated_geometric_law(probability: float) -> None:
    buffer = rounds_of(probability, 150)
    used = buffer.rounds > 0
    mean, variance = expected_age(buffer.rounds[used], probability)
    error = math.sqrt(float(variance.sum())) / int(used.sum())
    assert float(buffer.ages[used].double().mean()) == pytest.approx(float(mean.mean()), abs=4 * error + 1e-9)
    assert torch.equal(buffer.ages[used].float(), buffer.points[0, used])  # each round adds one to what is stored


@pytest.mark.parametrize("probability", [0.3, 0.95])
def test_expected_ages_are_sums_over_the_law(probability: float) -> None:
    for n in (1, 2, 7, 40):
        masses = [(1 - probability) * probability ** (k - 1) for k in range(1, n)] + [probability ** (n - 1)]
        first = sum(k * mass for k, mass in enumerate(masses, 1))
        second = sum(k * k * mass for k, mass in enumerate(masses, 1))
        mean, variance = expected_age(torch.tensor([n]), probability)
        assert float(mean) == pytest.approx(first)
        assert float(variance) == pytest.approx(second - first**2, abs=1e-9)
    assert float(expected_age(torch.tensor([10_000]), 0.95)[0]) == pytest.approx(20)


# ---- objectives --------------------------------------------------------------------------------------------------------


def test_the_gradient_of_a_categorical_energy_is_p_minus_q() -> None:
    energies = torch.randn(6, generator=generator(), dtype=torch.float64, requires_grad=True)
    p = torch.softmax(torch.randn(6, generator=generator(1), dtype=torch.float64), 0)
    loss = p @ energies + torch.logsumexp(-energies, 0)
    (gradient,) = gradients_of(loss, [energies])
    assert torch.allclose(gradient, p - torch.softmax(-energies.detach(), 0), atol=1e-14)
    # likelihood_loss with equal shares of states is the same
    (other,) = gradients_of(likelihood_loss(energies[[0, 0, 3]], energies), [energies])
    share = torch.tensor([2 / 3, 0, 0, 1 / 3, 0, 0], dtype=torch.float64)
    assert torch.allclose(other, share - torch.softmax(-energies.detach(), 0), atol=1e-14)


@pytest.mark.parametrize("start_at_data", [True, False])
def test_a_quadratic_energy_becomes_the_inverse_variance(start_at_data: bool) -> None:
    """U = k x²/2: the likelihood is largest at k = 1/var; chains correct the ULA bias away, as k(1 - εk/4) = 1/var."""
    variance, step_size = 0.25, 0.05
    k = torch.tensor(1.0, requires_grad=True)
    adam, random = Adam([k]), generator()
    chains = torch.zeros((1, 2000))
    seen = []
    for update in range(500):
        data = math.sqrt(variance) * torch.randn((1, 2000), generator=random)
        value = float(k.detach())
        chains = langevin(lambda x, value=value: value * x, data if start_at_data else chains, 20, step_size, 1.0, random)
        loss = contrastive_loss(0.5 * k * data[0].square(), 0.5 * k * chains[0].square())
        adam.step(gradients_of(loss, [k]), 0.05 if update < 250 else 0.01)
        seen.append(float(k.detach()))
    found = sum(seen[-100:]) / 100
    assert found * (1 - step_size * found / 4) == pytest.approx(1 / variance, rel=0.03)


def test_a_quadratic_energy_by_quadrature() -> None:
    grid = torch.linspace(-6, 6, 1201, dtype=torch.float64)
    data = torch.randn(4000, generator=generator(), dtype=torch.float64) * 0.7
    k = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    adam = Adam([k])
    for update in range(800):
        loss = likelihood_loss(0.5 * k * data**2, 0.5 * k * grid**2)
        adam.step(gradients_of(loss, [k]), 0.05 if update < 300 else 0.003)
    assert float(k.detach()) == pytest.approx(1 / float(data.square().mean()), rel=1e-3)


@pytest.mark.parametrize(("level", "temperature"), [(0.3, 1.0), (1.0, 0.5)])
def test_score_matching_finds_the_blurred_inverse_variance(level: float, temperature: float) -> None:
    """Of Gaussian data the score of x + σξ is -x/(s² + σ²), so that k/T = 1/(s² + σ²)."""
    spread = 0.8
    random = generator()
    k = torch.tensor(1.0, requires_grad=True)
    adam = Adam([k])
    data, noise = spread * torch.randn((2, 50_000), generator=random), torch.randn((2, 50_000), generator=random)
    for update in range(400):
        loss = score_matching_loss(lambda x: k * x, data, noise, level, temperature)
        adam.step(gradients_of(loss, [k]), 0.05 if update < 250 else 0.005)
    assert float(k.detach()) / temperature == pytest.approx(1 / (spread**2 + level**2), rel=0.03)


def test_noise_contrast_learns_the_partition_function() -> None:
    """Data N(0, s²) in the plane against uniform noise: with U = |x|²/2s² fixed, c becomes ln 2πs²."""
    spread, reach, random = 0.5, 3.0, generator()
    data = spread * torch.randn((2, 40_000), generator=random)
    noise = reach * (2 * torch.rand((2, 40_000), generator=random) - 1)
    c = torch.tensor(2.0, requires_grad=True)
    adam = Adam([c])
    energies = [0.5 * points.square().sum(0) / spread**2 for points in (data, noise)]
    for update in range(400):
        loss = noise_contrastive_loss(*energies, c, -math.log(4 * reach**2))
        adam.step(gradients_of(loss, [c]), 0.05 if update < 250 else 0.005)
    assert float(c.detach()) == pytest.approx(math.log(2 * math.pi * spread**2), abs=0.03)


def test_the_printed_sign_pays_for_large_energies() -> None:
    data = torch.zeros(4)
    losses = {
        printed: [float(contrastive_loss(data, torch.full((4,), size), 0.1, printed=printed)) for size in (10.0, 100.0)]
        for printed in (False, True)
    }
    assert losses[False][0] < losses[False][1]
    assert losses[True][0] > losses[True][1]
    assert float(contrastive_loss(torch.tensor([2.0]), torch.tensor([3.0]), 0.5)) == pytest.approx(-1 + 0.5 * 13)


@pytest.mark.parametrize("spread", [0.2, 0.5])
def test_log_partition_of_a_gaussian_energy_on_a_grid(spread: float) -> None:
    cells, reach = 96, 3.0
    middles = reach * ((2 * torch.arange(cells, dtype=torch.float64) + 1) / cells - 1)
    y, x = torch.meshgrid(middles, middles, indexing="ij")
    energies = (x**2 + y**2) / (2 * spread**2)
    log_z = float(torch.logsumexp(-energies.reshape(-1), 0)) + math.log((2 * reach / cells) ** 2)
    assert log_z == pytest.approx(math.log(2 * math.pi * spread**2), abs=1e-7)


# ---- Adam --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("beta1", [0.0, 0.9])
def test_adam_is_the_algorithm_of_the_paper(beta1: float) -> None:
    weight = torch.tensor([1.0, -2.0], dtype=torch.float64)
    adam = Adam([weight])
    first, second, expected = torch.zeros(2).double(), torch.zeros(2).double(), weight.clone()
    for step in range(1, 6):
        gradient = torch.tensor([0.5 * step, -3.0 / step], dtype=torch.float64)
        first = beta1 * first + (1 - beta1) * gradient
        second = 0.999 * second + 0.001 * gradient**2
        expected = expected - 0.1 * (first / (1 - beta1**step)) / ((second / (1 - 0.999**step)).sqrt() + 1e-8)
        adam.step([gradient], 0.1, beta1)
        assert torch.allclose(weight, expected, atol=1e-12)


def test_weights_without_influence_have_gradient_zero() -> None:
    used, unused = torch.tensor(2.0, requires_grad=True), torch.ones(3, requires_grad=True)
    gradients = gradients_of(used**2, [used, unused])
    assert float(gradients[0]) == 4
    assert torch.equal(gradients[1], torch.zeros(3))


def test_networks_begin_nearly_flat() -> None:
    energy: EnergyFunction = LayeredNetwork(2, 64, 2, generator()).energy(frozen=True)
    assert float(energy.value(6 * torch.rand((2, 500), generator=generator()) - 3).std()) < 1.0

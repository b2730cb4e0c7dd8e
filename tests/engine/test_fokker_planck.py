"""The density on the grid keeps its mass, stays above zero, ends where it should, and goes there as the exact law does."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.math.chains.fokker_planck import (
    bernoulli,
    exchange_rates,
    flow,
    grid_flow,
    ou_moments,
    point_masses,
    stationary,
)
from engine.math.chains.samplers import ula

DOUBLE = torch.float64


def grid(cells: int, reach: float = 5.0) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Centres of the cells of a square, x and y of shape (cells, cells), and their distance."""
    spacing = 2 * reach / cells
    centres = -reach + spacing * (torch.arange(cells, dtype=DOUBLE) + 0.5)
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    return x, y, spacing


def moments(masses: torch.Tensor, values: torch.Tensor) -> tuple[float, float]:
    """Mean and variance of values under masses."""
    mean = float((masses * values).sum())
    return mean, float((masses * (values - mean) ** 2).sum())


def test_bernoulli_near_and_far_from_zero() -> None:
    z = torch.tensor([0.0, 1e-12, -1e-12, 1.0, -1.0, 50.0, -50.0], dtype=DOUBLE)
    assert bernoulli(z)[:3].tolist() == pytest.approx([1.0, 1.0, 1.0], abs=1e-11)
    assert torch.allclose(bernoulli(-z), bernoulli(z) + z, atol=1e-11)  # detailed balance rests on this


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), temperature=st.floats(0.05, 5), steepness=st.floats(0, 300))
def test_detailed_balance_on_any_energy(seed: int, temperature: float, steepness: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    energy = steepness * temperature * torch.rand(3, 7, generator=generator, dtype=DOUBLE) / 10
    rates = exchange_rates(energy, temperature, 0.3)
    assert torch.allclose(rates.sum(-1), torch.zeros(3, 7, dtype=DOUBLE), atol=1e-9 * float(rates.abs().max()))
    weights = torch.softmax(-energy / temperature, dim=1)
    flux = weights[:, :, None] * rates
    assert torch.allclose(flux, flux.transpose(1, 2), rtol=1e-9, atol=1e-9 * float(flux.abs().max()))


@pytest.mark.parametrize("time", [1e-4, 0.3, 50.0])
def test_mass_is_kept_nothing_is_negative_and_the_target_stays(time: float) -> None:
    x, y, spacing = grid(24, 3.0)
    energy = 4 * (x**2 - 1) ** 2 + 0.5 * y**2 + x * y
    moved = grid_flow(energy, 0.7, (spacing, spacing), time)
    start = torch.zeros_like(energy)
    start[3, 20] = 1.0
    later = flow(start, moved)
    assert float(later.sum()) == pytest.approx(1.0, abs=1e-12)
    assert float(later.min()) >= 0.0
    target = stationary(energy, 0.7)
    assert torch.allclose(flow(target, moved), target, atol=1e-13)


def test_from_anywhere_it_ends_in_the_target() -> None:
    x, y, spacing = grid(20, 3.0)
    energy = (x**2 - 1) ** 2 + 0.5 * y**2
    moved = grid_flow(energy, 1.0, (spacing, spacing), 5.0)
    masses = torch.zeros_like(energy)
    masses[0, 0] = 1.0
    for _ in range(20):
        masses = flow(masses, moved)
    assert torch.allclose(masses, stationary(energy, 1.0), atol=1e-9)


def test_the_way_is_that_of_the_exact_law() -> None:
    """Quadratic energy: mean and variance on the way; the error falls by four when the spacing is halved."""
    errors = []
    for cells in (30, 60):
        x, y, spacing = grid(cells)
        energy = 0.5 * (1.5 * x**2 + 0.6 * y**2)
        start = torch.softmax((-((x - 1.5) ** 2) / 0.5 - ((y + 1.0) ** 2) / 0.8).flatten(), 0).reshape(x.shape)
        moved = grid_flow(energy, 0.8, (spacing, spacing), 0.2)
        masses = start
        for _ in range(5):
            masses = flow(masses, moved)
        found = (*moments(masses, x), *moments(masses, y))
        wanted = (*ou_moments(1.5, 0.25, 1.5, 0.8, 1.0), *ou_moments(-1.0, 0.4, 0.6, 0.8, 1.0))
        errors.append(max(abs(one - other) for one, other in zip(found, wanted, strict=True)))
    assert errors[1] < 0.012
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.35)


def test_splitting_is_of_second_order_in_time() -> None:
    x, y, spacing = grid(18, 2.5)
    energy = 2 * (x * y - 0.5) ** 2 + 0.5 * x**2  # neither a sum nor a product
    start = torch.softmax((-((x - 1.0) ** 2) - (y - 1.0) ** 2).flatten() * 3, 0).reshape(x.shape)

    def after(steps: int) -> torch.Tensor:
        moved = grid_flow(energy, 1.0, (spacing, spacing), 0.4 / steps)
        masses = start
        for _ in range(steps):
            masses = flow(masses, moved)
        return masses

    exact = after(256)
    errors = [float((after(steps) - exact).abs().sum()) for steps in (4, 8, 16)]
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.2)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.2)


def test_a_swarm_of_small_steps_follows_it() -> None:
    """Counts of 200,000 particles in coarse cells against the masses there: chi-square over its degrees of freedom."""
    x, y, spacing = grid(48, 3.0)
    energy = 2 * (x**2 - 1) ** 2 + 0.5 * y**2
    count, steps, step_size = 200_000, 200, 0.002
    generator = torch.Generator().manual_seed(4)
    points = torch.tensor([[0.9], [0.5]], dtype=DOUBLE) + 0.3 * torch.randn(2, count, generator=generator, dtype=DOUBLE)
    window = (-3.0, 3.0, -3.0, 3.0)
    masses = flow(point_masses(points, window, (48, 48)), grid_flow(energy, 1.0, (spacing, spacing), steps * step_size))
    for _ in range(steps):
        gradient = torch.stack([8 * points[0] * (points[0] ** 2 - 1), points[1]])
        points = ula(points, gradient, step_size, 1.0, torch.randn(2, count, generator=generator, dtype=DOUBLE))
    counted = point_masses(points, window, (6, 6))
    expected = masses.reshape(6, 8, 6, 8).sum((1, 3))
    seen = expected > 1e-4
    score = count * ((counted - expected)[seen] ** 2 / expected[seen]).sum() / int(seen.sum())
    assert score < 12  # 1 by chance alone; the rest is the step size and the spacing, a share of 1 % of each count
    wrong = count * ((counted - stationary(energy, 1.0).reshape(6, 8, 6, 8).sum((1, 3)))[seen] ** 2 / expected[seen]).sum()
    assert wrong / int(seen.sum()) > 100 * score


def test_what_cannot_be_moved_is_refused() -> None:
    for temperature, time in ((0.0, 1.0), (1.0, -1.0)):
        with pytest.raises(ValueError, match="above 0"):
            grid_flow(torch.zeros(3, 3), temperature, (1.0, 1.0), time)

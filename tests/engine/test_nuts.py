"""The no-U-turn sampler: invariance in exact samples, moments of known laws, and paths that turn."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from engine.math.chains.nuts import nuts
from engine.math.energies.density import grid_density
from engine.math.energies.registry import energy

COUNT = 6000


def gaussian(x: Tensor) -> tuple[Tensor, Tensor]:
    return 0.5 * x.square().sum(0), x


def walked(
    x: Tensor, steps: int, both: object, step_size: float, temperature: float = 1.0, seed: int = 0, depth: int = 6
) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    u, g = both(x)  # type: ignore[operator]
    for _ in range(steps):
        noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
        x, u, g, *_ = nuts(x, u, g, step_size, temperature, noise, both, generator, most_doublings=depth)  # type: ignore[arg-type]
    return x


@pytest.mark.parametrize(
    ("dimension", "step_size", "temperature"), [(1, 1.5, 1.0), (2, 0.5, 2.0), (2, 2.5, 1.0), (5, 0.8, 1.0)]
)
def test_a_gaussian_stays_as_it_is(dimension: int, step_size: float, temperature: float) -> None:
    x = math.sqrt(temperature) * torch.randn(dimension, COUNT, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    moved = walked(x, 6, gaussian, step_size, temperature)
    error = math.sqrt(2 / (COUNT * dimension))
    assert float(moved.var()) / temperature == pytest.approx(1, abs=4.5 * error)
    assert float(moved.mean()) == pytest.approx(0, abs=4.5 * math.sqrt(temperature / (COUNT * dimension)))
    radius = moved.square().sum(0) / temperature  # chi square: mean d, variance 2d
    assert float(radius.var()) == pytest.approx(2 * dimension, rel=0.25)


@pytest.mark.parametrize("seed", range(3))
def test_the_law_is_reached_from_a_point(seed: int) -> None:
    moved = walked(torch.full((2, COUNT), 3.0, dtype=torch.float64), 12, gaussian, 0.3, seed=seed)
    assert moved.var(1).tolist() == pytest.approx([1, 1], abs=4.5 * math.sqrt(2 / COUNT))


@pytest.mark.parametrize("name", ["banana", "ring", "correlated_gaussian"])
def test_moments_of_an_energy_are_those_of_its_grid(name: str) -> None:
    surface = energy(name)
    exact = grid_density(surface, 1.0, 200, surface.window)
    start = exact.sample(COUNT, torch.Generator().manual_seed(1)).double()
    moved = walked(start, 8, surface.value_and_gradient, 0.1)
    spread = float(start[0].square().var())
    assert float(moved[0].mean()) == pytest.approx(exact.mean_x, abs=4.5 * math.sqrt(exact.var_x / COUNT))
    assert float((moved[0] - exact.mean_x).square().mean()) == pytest.approx(
        exact.var_x, abs=5 * math.sqrt(spread / COUNT) + 0.01
    )
    values = surface.value(moved)
    assert float(values.mean()) == pytest.approx(exact.mean_energy, abs=4.5 * float(values.std()) / math.sqrt(COUNT) + 0.01)


def test_weights_matter() -> None:
    """With every point of a path as likely as any other, leapfrog's own law comes out, 1/(1 - ε/4) wide: the tests can fail."""
    x = torch.randn(2, COUNT, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    moved = walked(x, 20, lambda at: (0.5 * at.square().sum(0) * 0, at), 1.5)
    assert float(moved.var()) > 1.2


def test_paths_end_at_the_turn_and_cost_what_they_say() -> None:
    x = torch.randn(2, 500, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    calls = []

    def counted(at: Tensor) -> tuple[Tensor, Tensor]:
        calls.append(at.shape[1])
        return gaussian(at)

    generator = torch.Generator().manual_seed(0)
    found = nuts(x, *gaussian(x), 0.01, 1.0, torch.randn_like(x), counted, generator, most_doublings=10)
    assert int(found.leaves.sum()) <= sum(calls)
    length = found.leaves.double() * 0.1
    assert float(length.max()) < 4 * math.pi  # a turn is 2π; the path is doubled at most once past half of it
    assert float(length.median()) > 1.5
    assert float(found.acceptance.min()) > 0.99
    assert int(found.depth.max()) < 10


def test_the_old_points_stay_and_a_path_that_diverges_moves_nobody() -> None:
    x = torch.ones(2, 4, dtype=torch.float64)
    before = x.clone()

    def wall(at: Tensor) -> tuple[Tensor, Tensor]:
        return torch.full_like(at[0], math.nan), torch.zeros_like(at)

    found = nuts(x, *gaussian(x), 1.0, 1.0, torch.ones_like(x), wall, torch.Generator().manual_seed(0))
    assert torch.equal(x, before)
    assert torch.equal(found.points, before)
    assert found.leaves.tolist() == [1, 1, 1, 1]

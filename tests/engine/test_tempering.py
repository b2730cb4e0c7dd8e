"""Temperatures that change: annealing, and a ladder of replicas that keeps the law of every rung and mixes the wells."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from chain_matrices import nodes
from torch import Tensor

from engine.math.chains import samplers, tempering

COUNT = 40_000


def double_well(points: Tensor, barrier: float) -> tuple[Tensor, Tensor]:
    square = points * points - 1
    return barrier * square.square().sum(0), 4 * barrier * points * square


def normal(count: int, dimension: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((dimension, count), generator=generator, dtype=torch.float64)


def test_annealing_cools_to_the_temperature() -> None:
    cooled = [tempering.annealed_temperature(progress, 0.5, hottest=8.0, hold=0.25) for progress in np.linspace(0, 1, 101)]
    assert cooled[0] == pytest.approx(4.0)
    assert cooled == sorted(cooled, reverse=True)
    assert cooled[75:] == pytest.approx([0.5] * 26)
    assert cooled[25] / cooled[0] == pytest.approx(cooled[50] / cooled[25])
    assert tempering.annealed_temperature(2.0, 1.0) == 1.0
    assert tempering.annealed_temperature(0.0, 1.0, hold=1.0) == 1.0


def test_pairs_never_share_a_replica() -> None:
    assert tempering.pairs(5, 0) == [(0, 1), (2, 3)]
    assert tempering.pairs(5, 1) == [(1, 2), (3, 4)]
    assert tempering.pairs(1, 0) == []
    assert tempering.ladder(0.5, 3, 2.0) == pytest.approx([0.5, 1.0, 2.0])


def test_swaps_follow_the_rule_and_carry_everything_along() -> None:
    generator = torch.Generator().manual_seed(1)
    heat = tempering.ladder(1.0, 3, 2.0)
    energies = torch.rand((3, 1000), generator=generator, dtype=torch.float64) * 4
    points = torch.randn((3, 2, 1000), generator=generator, dtype=torch.float64)
    uniform = torch.rand((3, 1000), generator=generator, dtype=torch.float64)
    old, places = energies.clone(), points.clone()
    swapped = tempering.swap(heat, energies, uniform, 1, points)
    assert not swapped[0].any()
    assert not swapped[2].any()
    assert torch.equal(swapped[1], uniform[1] < torch.exp(0.25 * (old[1] - old[2])))
    order = torch.where(swapped[1], 1, 0)
    assert torch.equal(energies[0], old[0])
    assert torch.equal(energies[1], torch.where(order == 1, old[2], old[1]))
    assert torch.equal(energies[2], torch.where(order == 1, old[1], old[2]))
    assert torch.equal(points[1], torch.where(order == 1, places[2], places[1]))


@pytest.mark.parametrize(("ratio", "dimension"), [(1.5, 1), (2.0, 2), (4.0, 5)])
def test_swap_acceptance_of_quadratic_energies(ratio: float, dimension: int) -> None:
    heat = tempering.ladder(1.3, 2, ratio)
    energies = torch.stack([0.5 * t * normal(COUNT, dimension, 9 + k).square().sum(0) for k, t in enumerate(heat)])
    uniform = torch.rand((2, COUNT), generator=torch.Generator().manual_seed(2))
    rate = float(tempering.swap(heat, energies, uniform, 0)[0].double().mean())
    assert rate == pytest.approx(tempering.gaussian_swap_acceptance(ratio, dimension), abs=5 * 0.5 / math.sqrt(COUNT))
    with pytest.raises(ValueError, match="below 1"):
        tempering.gaussian_swap_acceptance(0.5, 2)


def tempered(start: Tensor, steps: int, heat: np.ndarray, swaps: bool, barrier: float) -> Tensor:
    """Replicas (K, 1, N) after MALA moves at each rung and swaps."""
    x = start.expand(len(heat), *start.shape).clone()
    generator = torch.Generator().manual_seed(8)

    def target(points: Tensor) -> tuple[Tensor, Tensor]:
        return double_well(points, barrier)

    state = [target(each) for each in x]
    energies, gradients = torch.stack([u for u, _ in state]), torch.stack([g for _, g in state])
    for step in range(steps):
        for rung, temperature in enumerate(heat):
            noise = torch.randn(x[rung].shape, generator=generator, dtype=x.dtype)
            uniform = torch.rand(x.shape[-1], generator=generator, dtype=x.dtype)
            samplers.mala(
                x[rung], energies[rung], gradients[rung], 0.08, float(temperature), noise, uniform, target, in_place=True
            )
        if swaps:
            uniform = torch.rand((len(heat), x.shape[-1]), generator=generator, dtype=x.dtype)
            tempering.swap(heat, energies, uniform, step, x, gradients)
    for rung in range(len(heat)):
        assert torch.allclose(energies[rung], target(x[rung])[0])
    return x


def test_tempering_mixes_the_wells_and_keeps_every_rung() -> None:
    """All start in the left well behind a barrier of 8: alone they stay, with the ladder they share both wells."""
    barrier, count = 8.0, 3000
    heat = tempering.ladder(1.0, 4, 2.0)
    start = -torch.ones((1, count), dtype=torch.float64)
    alone = tempered(start, 300, heat[:1], False, barrier)
    assert float((alone[0] > 0).double().mean()) < 0.02
    x = tempered(start, 300, heat, True, barrier)
    grid, weights = nodes(-3.0, 3.0, 0.05)
    for rung, temperature in enumerate(heat):
        density = np.exp(-barrier * (grid**2 - 1) ** 2 / temperature) * weights
        density /= density.sum()
        assert float((x[rung] > 0).double().mean()) == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(count))
        exact, fourth = density @ grid**2, density @ grid**4
        error = math.sqrt((fourth - exact**2) / count)
        assert float(x[rung].square().mean()) == pytest.approx(exact, abs=5 * error)

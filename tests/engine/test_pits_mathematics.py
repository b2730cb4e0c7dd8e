"""Rolling, digging and crowding against closed forms."""

import math

import pytest
import torch

from engine.math.energies.pits import (
    balance,
    bounce,
    contraction,
    critical_momentum,
    crowding,
    digging_loss,
    largest_curvature,
    overshoots,
    roll,
    slope_penalty,
)


def rolled(stiffness: float, momentum: float, steps: int = 400) -> torch.Tensor:
    """The way of a point set free at 1 in the pit k x²/2 with rate 1."""
    point, velocity = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    way = [1.0]
    for _ in range(steps):
        point, velocity = roll(point, velocity, stiffness * point, 1.0, momentum)
        way.append(float(point))
    return torch.tensor(way, dtype=torch.float64)


@pytest.mark.parametrize("stiffness", [0.01, 0.1, 0.5, 0.9, 1.5])
@pytest.mark.parametrize("momentum", [0.0, 0.2, 0.5, 0.9, 0.97])
def test_a_point_runs_past_the_bottom_beyond_the_critical_momentum(stiffness: float, momentum: float) -> None:
    way = rolled(stiffness, momentum)
    assert bool((way < -1e-12).any()) == overshoots(stiffness, momentum)


@pytest.mark.parametrize(("stiffness", "momentum"), [(0.1, 0.0), (0.1, 0.9), (0.5, 0.3), (1.5, 0.0), (1.5, 0.6), (2.5, 0.1)])
def test_the_distance_shrinks_by_the_larger_root(stiffness: float, momentum: float) -> None:
    matrix = torch.tensor([[1 + momentum - stiffness, -momentum], [1.0, 0.0]], dtype=torch.float64)
    assert contraction(stiffness, momentum) == pytest.approx(float(torch.linalg.eigvals(matrix).abs().max()), rel=1e-12)


def test_a_pit_throws_points_out_beyond_twice_one_plus_momentum() -> None:
    for momentum in (0.0, 0.5, 0.9):
        limit = 2 * (1 + momentum)
        assert contraction(limit * 0.999, momentum) < 1 < contraction(limit * 1.001, momentum)
        assert rolled(limit * 1.02, momentum).abs().max() > 100


def test_without_stiffness_no_momentum_is_too_large() -> None:
    assert critical_momentum(0.0) == 1.0
    assert critical_momentum(1.0) == critical_momentum(3.0) == 0.0


def test_losses_by_hand() -> None:
    data, points = torch.tensor([-2.0, 0.5]), torch.tensor([0.0, 3.0])
    assert float(digging_loss("linear", data, points)) == pytest.approx(-0.75 - 1.5)
    assert float(digging_loss("hinge", data, points)) == pytest.approx(1.5 / 2 + 0.5)
    assert float(digging_loss("margin", data, points, 2.0)) == pytest.approx(-0.75 + 1.0)


@pytest.mark.parametrize("centre", [0.0, 1.0])
def test_penalty_is_the_mean_square_distance_from_the_centre(centre: float) -> None:
    slopes = torch.tensor([[3.0, 0.0, 1.0], [4.0, 0.0, 0.0]])
    expected = sum((size - centre) ** 2 for size in (5.0, 0.0, 1.0)) / 3
    assert float(slope_penalty(slopes, centre)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("centre", [0.0, 0.7])
def test_balance_of_gap_and_penalty_for_a_linear_energy(centre: float) -> None:
    """U = s x with data at 0 and points at 1: the loss -s + λ (s - c)² has its bottom at s = c + 1/(2λ)."""
    penalty = 0.4
    s = centre + 0.5 / penalty
    slopes = torch.tensor([[s], [0.0]])
    assert balance(slopes, penalty, centre) == pytest.approx(s, rel=1e-6)  # the gap s · 1 - s · 0


def test_crowding_of_normal_points_is_the_score_of_the_smoothed_law() -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.randn((2, 4000), generator=generator, dtype=torch.float64)
    h = 0.5
    found = crowding(points, h)
    near = points.square().sum(0) < 1
    slope = float((found * points)[:, near].sum() / points[:, near].square().sum())
    # A point meets itself in the kernel: it adds 1 to about N h²/(1+h²) exp(-r²/(2(1+h²))) neighbours, under a per cent.
    assert slope == pytest.approx(-1 / (1 + h * h), rel=0.05)


def test_crowding_does_not_drive_a_pair_that_is_one() -> None:
    assert torch.equal(crowding(torch.zeros(2, 3), 0.3), torch.zeros(2, 3))


def test_walls_send_points_back() -> None:
    points, velocities = torch.tensor([[3.5, -3.2, 1.0], [0.0, 9.9, 0.0]]), torch.ones(2, 3)
    places, turned = bounce(points, velocities, 3.0)
    assert torch.allclose(places[0], torch.tensor([2.5, -2.8, 1.0]))
    assert places.abs().max() <= 3
    assert turned[0].tolist() == [-1.0, -1.0, 1.0]
    assert turned[1, 1] == -1


def test_largest_curvature_of_a_turned_bowl() -> None:
    angle = 0.3
    direction = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
    hessian = 2.0 * torch.eye(2, dtype=torch.float64) + 5.0 * torch.outer(direction, direction)
    value, found = largest_curvature(hessian)
    assert value == pytest.approx(7.0)
    assert abs(float(found @ direction)) == pytest.approx(1.0)

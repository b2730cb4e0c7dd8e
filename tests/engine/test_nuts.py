"""The no-U-turn sampler leaves its law as it is, finds paths of half a period, and knows when it has left the surface."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from scipy import stats
from torch import Tensor

from engine.math.chains import nuts as module
from engine.math.chains.nuts import checkpoints, nuts

DOUBLE = torch.float64
COVARIANCE = torch.tensor([[2.0, 1.2], [1.2, 1.0]], dtype=DOUBLE)


def gaussian(precision: Tensor) -> Callable[[Tensor], tuple[Tensor, Tensor]]:
    """U = x·Px/2 and its gradient."""

    def both(x: Tensor) -> tuple[Tensor, Tensor]:
        gradient = precision @ x
        return 0.5 * (x * gradient).sum(0), gradient

    return both


def wells(x: Tensor) -> tuple[Tensor, Tensor]:
    """Two wells along the first coordinate."""
    square = x[0] ** 2 - 1
    return square**2 + 0.5 * x[1] ** 2, torch.stack([4 * x[0] * square, x[1]])


def walk(
    points: Tensor,
    both: Callable[[Tensor], tuple[Tensor, Tensor]],
    step_size: float,
    steps: int,
    temperature: float = 1.0,
    seed: int = 0,
) -> list[module.NutsStep]:
    """So many steps."""
    generator = torch.Generator().manual_seed(seed)
    energy, gradient = both(points)
    found = []
    for _ in range(steps):
        noise = torch.randn(points.shape, generator=generator, dtype=points.dtype)
        found.append(nuts(points, energy, gradient, step_size, temperature, noise, generator, both))
        points, energy, gradient = found[-1].points, found[-1].energy, found[-1].gradient
    return found


def exact(count: int, temperature: float = 1.0, seed: int = 1) -> Tensor:
    """Draws of the correlated Gaussian law."""
    generator = torch.Generator().manual_seed(seed)
    root = torch.linalg.cholesky(COVARIANCE * temperature)
    return root @ torch.randn(2, count, generator=generator, dtype=DOUBLE)


def departure(points: Tensor, temperature: float) -> float:
    """Significance of the squared Mahalanobis radius against its chi-square law (Kolmogorov-Smirnov)."""
    radius = (points * torch.linalg.solve(COVARIANCE * temperature, points)).sum(0)
    return float(stats.kstest(radius.numpy(), stats.chi2(2).cdf).pvalue)


@pytest.mark.parametrize(("step_size", "temperature"), [(0.01, 1.0), (0.3, 0.5), (0.7, 2.0)])
def test_exact_draws_stay_exact_draws(step_size: float, temperature: float) -> None:
    """In one step and in five, also where the leapfrog is coarse (the limit is 4 over the curvature 4.98, 0.80)."""
    both = gaussian(torch.linalg.inv(COVARIANCE))
    steps = walk(exact(40_000, temperature), both, step_size, 5, temperature)
    for step in (steps[0], steps[-1]):
        assert departure(step.points, temperature) > 1e-4
        assert not step.diverged.any()
    moved = (steps[0].points - exact(40_000, temperature)).square().sum(0).sqrt()
    assert float((moved > 0).double().mean()) > 0.6


@pytest.mark.parametrize("mistake", ["_turns", "weights"])
def test_a_mistake_would_be_seen(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that stops by one of its ends alone, and states drawn without their weights, change the law."""
    if mistake == "_turns":

        def lopsided(first: Tensor, last: Tensor, velocities: Tensor) -> Tensor:
            return (first[0] > 0.5) | (last[0] > 0.5)

        monkeypatch.setattr(module, "_turns", lopsided)
        monkeypatch.setattr(module, "checkpoints", lambda leaf: (0, 1))  # and looks at no subpath
    else:
        monkeypatch.setattr(torch, "logaddexp", lambda one, other: torch.maximum(one, other) * 0)
    both = gaussian(torch.linalg.inv(COVARIANCE))
    assert departure(walk(exact(40_000), both, 0.7, 5)[-1].points, 1.0) < 1e-6


def test_two_wells_from_one_side() -> None:
    """Moments by quadrature; 4,000 chains, 40 steps after 60 to settle, so that the standard error of a mean is below 0.02."""
    x = torch.linspace(-6, 6, 20001, dtype=DOUBLE)
    density = torch.exp(-((x**2 - 1) ** 2))
    second = float((x**2 * density).sum() / density.sum())
    start = torch.tensor([[-1.0], [0.0]], dtype=DOUBLE).repeat(1, 4000)
    steps = walk(start, wells, 0.05, 100)
    late = torch.stack([step.points for step in steps[60:]])
    assert float(late[:, 0].mean()) == pytest.approx(0.0, abs=0.06)
    assert float((late[:, 0] ** 2).mean()) == pytest.approx(second, abs=0.02)
    assert float((late[:, 1] ** 2).mean()) == pytest.approx(1.0, abs=0.03)


def test_paths_are_as_long_as_half_a_period() -> None:
    """On U = k|x|²/2 a path turns after about half a period, π/√k, which it reaches by doublings."""
    for stiffness in (1.0, 25.0):
        both = gaussian(stiffness * torch.eye(2, dtype=DOUBLE))
        start = torch.randn(2, 3000, generator=torch.Generator().manual_seed(3), dtype=DOUBLE) / math.sqrt(stiffness)
        step = walk(start, both, 0.002, 1)[0]
        length = step.leapfrogs.double() * math.sqrt(0.002 * stiffness) / math.pi
        assert 0.5 < float(length.median()) < 2.5
        assert float(step.acceptance.mean()) > 0.98
        assert step.evaluations >= int(step.leapfrogs.sum())


def test_it_goes_farther_than_a_short_path() -> None:
    """Along the long axis of a narrow Gaussian, where a single step of that size would keep 0.9995 of the place."""
    both = gaussian(torch.diag(torch.tensor([1.0, 400.0], dtype=DOUBLE)))
    start = torch.randn(2, 4000, generator=torch.Generator().manual_seed(5), dtype=DOUBLE) / torch.tensor([[1.0], [20.0]])
    step = walk(start, both, 1e-3, 1)[0]
    correlation = float(torch.corrcoef(torch.stack([start[0], step.points[0]]))[0, 1])
    assert abs(correlation) < 0.8


def test_a_step_too_large_diverges_and_stays() -> None:
    both = gaussian(torch.diag(torch.tensor([1.0, 1e6], dtype=DOUBLE)))
    start = torch.full((2, 50), 0.5, dtype=DOUBLE)
    step = walk(start, both, 0.5, 1)[0]
    assert step.diverged.all()
    assert torch.equal(step.points, start)


def test_places_of_the_velocities() -> None:
    """An odd leaf looks back at the first leaf of each balanced subpath that it ends."""
    kept: dict[int, int] = {}
    for leaf in range(64):
        highest, lowest = checkpoints(leaf)
        if leaf % 2 == 0:
            kept[highest] = leaf
            continue
        looked_at = [kept[place] for place in range(highest, lowest - 1, -1)]
        ended = [leaf - 2**level + 1 for level in range(1, 7) if (leaf + 1) % 2**level == 0]
        assert looked_at == ended


def test_there_is_no_law_at_zero_temperature() -> None:
    with pytest.raises(ValueError, match="above 0"):
        walk(torch.zeros(2, 3, dtype=DOUBLE), wells, 0.1, 1, temperature=0.0)


def test_against_a_library() -> None:
    """Depths of the tree as blackjax builds it, and as few gradients."""
    blackjax, jax = pytest.importorskip("blackjax"), pytest.importorskip("jax")
    numpy = jax.numpy
    kernel = blackjax.nuts(lambda x: -0.5 * (x[0] ** 2 + 9 * x[1] ** 2), 0.2, numpy.ones(2))
    start = torch.randn(2, 500, generator=torch.Generator().manual_seed(2), dtype=DOUBLE) / torch.tensor([[1.0], [3.0]])
    step = jax.vmap(lambda key, x: kernel.step(key, kernel.init(x))[1].num_integration_steps)
    theirs = step(jax.random.split(jax.random.key(0), 500), numpy.asarray(start.T.numpy()))
    ours = walk(start, gaussian(torch.diag(torch.tensor([1.0, 9.0], dtype=DOUBLE))), 0.04, 1)[0].leapfrogs
    error = float(ours.double().std()) / math.sqrt(500)
    assert float(ours.double().mean()) == pytest.approx(float(theirs.mean()), abs=6 * error)

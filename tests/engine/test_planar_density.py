"""Densities on a grid against quadrature, closed forms and numpy; distances against what chance does."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from engine.math.energies.base import widened
from engine.math.energies.density import (
    OUTSIDE,
    PlanarCounts,
    coarser,
    energy_grid,
    grid_density,
    mode_counts,
    nearest_mode,
    planar_counts,
    shown_window,
)
from engine.math.energies.distance import (
    kl_by_chance,
    kl_divergence,
    total_variation,
    total_variation_by_chance,
    wasserstein,
    wasserstein_by_chance,
)
from engine.math.energies.registry import ENERGIES, Energy, energy

TYPED = "(x^2+y-11)^2/20 + (x+y^2-7)^2/20"
STROKES = ((1.0, 1.0, -4.0, 0.5), (-1.0, 1.2, -3.0, 0.3), (0.2, -1.0, 2.0, 0.8))
EVERY = [energy(name, formula=TYPED, painted=STROKES) for name in ENERGIES]
every = pytest.mark.parametrize("surface", EVERY, ids=lambda each: each.name)


def counts_of(share: np.ndarray, outside: float) -> PlanarCounts:
    return PlanarCounts(torch.tensor(share), torch.tensor(outside))


# ---- the density -------------------------------------------------------------------------------------------------------


@every
def test_the_window_holds_the_mass(surface: Energy) -> None:
    density = grid_density(surface)
    assert density.outside < OUTSIDE
    assert not density.too_narrow
    assert density.probabilities.sum() + density.outside == pytest.approx(1.0, abs=1e-12)
    assert density.log_outside == pytest.approx(math.log(density.outside), rel=1e-9)


@every
@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
def test_closed_forms(surface: Energy, temperature: float) -> None:
    density = grid_density(surface, temperature)
    rough = surface.name in ("banana", "funnel")  # long tails, which coarser cells follow
    for name, known in surface.facts(temperature).items():
        assert getattr(density, name) == pytest.approx(
            known, abs=2e-3 * temperature if rough else 2e-6, rel=5e-3 if rough else 1e-7
        )


@pytest.mark.parametrize("name", ["gaussian", "correlated_gaussian", "mixture", "ring", "pinwheel"])
def test_facts_are_there(name: str) -> None:
    assert {"mean_x", "var_x", "var_y", "log_partition"} <= energy(name).facts().keys()


@pytest.mark.parametrize("name", ["gaussian", "banana", "mueller_brown", "mixture", "pinwheel"])
@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_partition_function_against_simpsons_rule(name: str, temperature: float) -> None:
    surface = energy(name)
    x_low, x_high, y_low, y_high = widened(surface.window, 1.5)
    density = grid_density(surface, temperature)

    x, y = np.linspace(x_low, x_high, 901), np.linspace(y_low, y_high, 1001)
    points = torch.tensor(np.stack(np.broadcast_arrays(x[None, :], y[:, None])))
    weight = np.exp(-surface.value(points).numpy() / temperature)
    total = integrate.simpson(integrate.simpson(weight, x=x), x=y)
    assert math.exp(density.log_partition) == pytest.approx(total, rel=1e-3 if name == "banana" else 1e-5)


def test_partition_function_against_dblquad() -> None:
    surface = energy("double_well", barrier=1.5)

    def weight(y: float, x: float) -> float:
        return math.exp(-(1.5 * (x * x - 1) ** 2 + 0.5 * y * y))

    total = integrate.dblquad(weight, -3.5, 3.5, -8, 8, epsabs=1e-10)[0]
    density = grid_density(surface)
    assert density.log_partition == pytest.approx(math.log(total), abs=1e-8)
    square = integrate.dblquad(lambda y, x: x * x * weight(y, x), -3.5, 3.5, -8, 8, epsabs=1e-10)[0] / total
    assert density.var_x == pytest.approx(square, abs=1e-8)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("barrier", [0.5, 2.0, 6.0])
def test_moments_of_the_double_well(temperature: float, barrier: float) -> None:
    def mean(function: object) -> float:
        weighted = lambda x: function(x) * math.exp(-barrier * (x * x - 1) ** 2 / temperature)  # type: ignore[operator] # noqa: E731
        return 2 * integrate.quad(weighted, 0, 6, points=[1], epsabs=1e-13)[0]

    whole = mean(lambda x: 1.0)
    density = grid_density(energy("double_well", barrier=barrier), temperature)
    assert density.var_x == pytest.approx(mean(lambda x: x * x) / whole, rel=1e-6)
    assert density.mean_energy == pytest.approx(
        mean(lambda x: barrier * (x * x - 1) ** 2) / whole + 0.5 * temperature, rel=1e-6
    )
    assert density.mode_masses == pytest.approx([0.5, 0.5])
    assert density.log_partition == pytest.approx(math.log(whole) + 0.5 * math.log(2 * math.pi * temperature), abs=1e-7)


def test_energy_moments_of_a_gaussian() -> None:
    density = grid_density(energy("gaussian", sigma=0.4), 0.7)
    assert density.mean_energy == pytest.approx(0.7, rel=1e-8)
    assert density.var_energy == pytest.approx(0.49, rel=1e-6)
    assert density.entropy == pytest.approx(1 + math.log(2 * math.pi * 0.7 * 0.16), rel=1e-8)
    assert grid_density(energy("correlated_gaussian", correlation=0.6)).covariance == pytest.approx(0.6, rel=1e-7)


def test_cells_and_marginals_of_a_gaussian() -> None:
    density = grid_density(energy("gaussian"), cells=64)
    share = np.diff(stats.norm.cdf(density.x_edges))
    np.testing.assert_allclose(density.probabilities, share[:, None] * share[None, :], atol=5e-9)
    np.testing.assert_allclose(density.marginal_x, share, atol=2e-4 * share.max())
    np.testing.assert_allclose(density.marginal_y, density.marginal_x, atol=1e-12)
    np.testing.assert_allclose(density.density.max(), 1 / (2 * math.pi), rtol=0.01)


def test_rows_are_y() -> None:
    density = grid_density(energy("funnel"), cells=64)
    widths = [(row @ np.arange(64) ** 2 / row.sum() - (row @ np.arange(64) / row.sum()) ** 2) for row in density.probabilities]
    assert widths[50] > 4 * widths[20]  # a funnel widens upwards
    assert density.y_edges[0] == density.window[2]


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_a_temperature_without_density_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        grid_density(energy("gaussian"), temperature)


@every
@pytest.mark.parametrize("temperature", [0.02, 8.0])
def test_cold_and_hot_give_numbers(surface: Energy, temperature: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        density = grid_density(surface, temperature)
    numbers = [density.log_partition, density.var_x, density.var_y, density.mean_energy, density.var_energy]
    assert np.isfinite(numbers).all()
    assert np.isfinite(density.log_probabilities).all() or surface.name == "mueller_brown"
    assert (density.log_probabilities <= 0).all()
    np.testing.assert_allclose(np.exp(density.log_probabilities), density.probabilities, atol=1e-12)


@every
def test_a_window_for_a_hot_swarm(surface: Energy) -> None:
    window = shown_window(surface, 2.0)
    assert window[1] >= surface.window[1]
    assert grid_density(surface, 2.0, 64, window).outside < 1.5 * OUTSIDE or window == widened(surface.window, 3)
    assert shown_window(surface, 1.0) == pytest.approx(surface.window, rel=0.1)


def test_an_energy_is_evaluated_once_for_all_temperatures() -> None:
    surface = energy("pinwheel")
    grid_density(surface, 1.0)
    assert energy_grid(surface, surface.window, 128) is energy_grid(energy("pinwheel"), surface.window, 128)


def test_modes_have_their_masses() -> None:
    assert grid_density(energy("mixture")).mode_masses == pytest.approx(np.full(8, 0.125), abs=1e-5)
    assert grid_density(energy("pinwheel")).mode_masses == pytest.approx(np.full(5, 0.2), abs=1e-3)
    assert grid_density(energy("ring")).mode_masses.size == 0
    masses = grid_density(energy("mueller_brown")).mode_masses
    assert masses.sum() == pytest.approx(1.0)
    assert masses[0] > 0.7


def test_nearest_modes_of_points_and_tensors_agree() -> None:
    modes = energy("mixture").modes
    points = torch.randn(2, 3000, dtype=torch.float64) * 3
    here = np.bincount(nearest_mode(points.numpy(), modes), minlength=8)
    assert mode_counts(points, modes).tolist() == here.tolist()
    assert mode_counts(points, modes[:1]).tolist() == [3000]
    assert mode_counts(points, ()).tolist() == []


# ---- counting ----------------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 90), st.integers(1, 5000))
def test_counts_are_numpys(seed: int, cells: int, count: int) -> None:
    points = torch.randn(2, count, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    window = (-1.5, 2.0, -1.0, 1.2)
    inside, outside = planar_counts(points, window, cells)
    edges = [np.linspace(*window[:2], cells + 1), np.linspace(*window[2:], cells + 1)]
    expected = np.histogram2d(points[1].numpy(), points[0].numpy(), bins=edges[::-1])[0]
    np.testing.assert_array_equal(inside.numpy(), expected)
    assert int(outside) == count - expected.sum()


def test_counts_of_many_single_precision_points() -> None:
    points = torch.randn(2, 700_000, generator=torch.Generator().manual_seed(1))
    inside, outside = planar_counts(points, (-3, 3, -3, 3), 200)
    expected = np.histogram2d(points[1].numpy(), points[0].numpy(), bins=200, range=[(-3, 3), (-3, 3)])[0]
    assert abs(inside.numpy() - expected).sum() < 200  # points within rounding of an edge
    assert int(inside.sum() + outside) == 700_000


def test_points_that_are_nowhere_count_as_outside() -> None:
    points = torch.tensor([[math.nan, math.inf, -math.inf, 1e30, 0.0, 0.5, -1.0, 1.0], [0, 0, 0, 0, math.nan, 0.5, -1.0, 0.0]])
    inside, outside = planar_counts(points, (-1, 1, -1, 1), 2)
    assert inside.tolist() == [[1, 0], [0, 1]]
    assert int(outside) == 6
    assert planar_counts(points[:, :0], (-1, 1, -1, 1), 2).inside.sum() == 0


def test_coarser_sums_blocks() -> None:
    table = np.arange(16).reshape(4, 4)
    assert coarser(table, 2).tolist() == [[10, 18], [42, 50]]
    with pytest.raises(ValueError, match="tile"):
        coarser(table, 3)


# ---- distances ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [200, 5_000, 1_000_000])
@pytest.mark.parametrize("factor", [1, 4])
def test_exact_samples_are_as_far_as_chance_says(count: int, factor: int) -> None:
    density = grid_density(energy("mixture"), cells=64)
    p = np.append(density.probabilities.ravel(), density.outside)
    draws = np.random.default_rng(5).multinomial(count, p / p.sum(), size=24)
    found = [counts_of(row[:-1].reshape(64, 64), row[-1]) for row in draws]
    for distance, level in (
        (kl_divergence, kl_by_chance(density, count, factor)),
        (total_variation, total_variation_by_chance(density, count, factor)),
    ):
        values = np.array([distance(each, density, factor) for each in found])
        assert values.mean() == pytest.approx(level.mean, abs=4.5 * level.deviation / math.sqrt(24) + 0.01 * level.mean)
        assert values.std(ddof=1) < 1.8 * level.deviation


def test_chance_with_many_points_is_half_the_degrees_of_freedom() -> None:
    density = grid_density(energy("gaussian"), cells=16)
    count = 10**9
    cells = int((count * density.probabilities > 30).sum()) + 1
    assert kl_by_chance(density, count).mean == pytest.approx((cells - 1) / (2 * count), rel=0.02)


def test_chance_against_a_sum_over_binomials() -> None:
    density = grid_density(energy("double_well"), cells=16)
    count = 60
    p = np.append(density.probabilities.ravel(), density.outside)
    k = np.arange(1, count + 1)[None, :]
    exact = (stats.binom.pmf(k, count, p[:, None]) * (k / count) * np.log(k / (count * p[:, None]))).sum()
    assert kl_by_chance(density, count).mean == pytest.approx(exact, rel=0.02)


def test_divergence_of_one_density_from_another() -> None:
    """N(0, 1.2) against N(0, 1): ln(1/1.2) + (1.44 + 1.44)/2 ... in closed form, cells aside."""
    wide, narrow = energy("gaussian", sigma=1.1), energy("gaussian")
    window = (-7.0, 7.0, -7.0, 7.0)
    p, q = grid_density(narrow, cells=128, window=window), grid_density(wide, cells=128, window=window)
    ratio = 1.21
    assert kl_divergence(counts_of(q.probabilities, q.outside), p) == pytest.approx(ratio - 1 - math.log(ratio), abs=1e-4)
    assert kl_divergence(counts_of(p.probabilities, p.outside), p) == pytest.approx(0.0, abs=1e-12)
    assert total_variation(counts_of(p.probabilities, p.outside), p) == pytest.approx(0.0, abs=1e-12)
    far = np.zeros((128, 128))
    far[0, 0] = 10
    assert 20 < kl_divergence(counts_of(far, 0.0), p) < 60
    assert total_variation(counts_of(far, 0.0), p) == pytest.approx(1.0)


def test_points_where_the_density_underflows_are_far_and_not_infinitely_so() -> None:
    density = grid_density(energy("gaussian"), 0.004, cells=64)
    corner = np.zeros((64, 64))
    corner[0, 0] = 1
    assert density.probabilities[0, 0] == 0
    assert kl_divergence(counts_of(corner, 0.0), density) == pytest.approx(16 / 0.004, rel=0.2)
    assert kl_divergence(counts_of(corner, 0.0), density, factor=4) < 16 / 0.004
    assert math.isfinite(kl_divergence(counts_of(0 * corner, 1.0), density))


def test_no_points_have_no_distance() -> None:
    density = grid_density(energy("gaussian"), cells=16)
    nothing = counts_of(np.zeros((16, 16)), 0.0)
    assert math.isnan(kl_divergence(nothing, density))
    assert math.isnan(total_variation(nothing, density))
    assert math.isnan(wasserstein(np.zeros(16), density.marginal_x, 1.0))
    with pytest.raises(ValueError, match="fit"):
        kl_divergence(counts_of(np.zeros((8, 8)), 0.0), density)


def test_wasserstein_of_a_shift_is_the_shift() -> None:
    density = grid_density(energy("gaussian"), cells=64)
    width = 8 / 64
    shifted = np.roll(density.marginal_x, 5)
    assert wasserstein(shifted, density.marginal_x, width) == pytest.approx(5 * width, rel=1e-2)
    places = 0.5 * (density.x_edges[1:] + density.x_edges[:-1])
    trusted = stats.wasserstein_distance(places, places, shifted, density.marginal_x)
    assert wasserstein(shifted, density.marginal_x, width) == pytest.approx(trusted, rel=1e-9)


def test_wasserstein_by_chance() -> None:
    density = grid_density(energy("double_well"), cells=128)
    width, generator = (density.window[1] - density.window[0]) / 128, np.random.default_rng(3)
    p = density.marginal_x / density.marginal_x.sum()
    found = [wasserstein(generator.multinomial(2000, p), p, width) for _ in range(200)]
    assert np.mean(found) == pytest.approx(wasserstein_by_chance(p, width, 2000), rel=0.15)


@every
def test_samples_follow_the_density(surface: Energy) -> None:
    density = grid_density(surface)
    generator = torch.Generator().manual_seed(11)
    points = density.sample(60_000, generator)
    assert points.shape == (2, 60_000)
    counted = planar_counts(points, density.window, 128)
    assert int(counted.outside) < 5  # rounding at the border
    level = kl_by_chance(density, 60_000, 4)
    inside = math.log(1 / (1 - density.outside))
    assert kl_divergence(counted, density, 4) < level.mean + 6 * level.deviation + inside
    assert float(points[0].double().mean()) == pytest.approx(density.mean_x, abs=0.03 + 5 * math.sqrt(density.var_x / 60_000))

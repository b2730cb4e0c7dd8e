"""Spectra against quadrature, closed forms, numpy and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from engine.core.errors import Cancelled
from engine.math.random import spectra

ASPECTS = [1.0, 0.999, 0.5, 0.1, 1 / 4096]


@pytest.mark.parametrize("aspect", ASPECTS)
def test_density_has_mass_one_mean_and_second_moment(aspect: float) -> None:
    low, high = spectra.edges(aspect)

    def moment(power: int) -> float:
        return integrate.quad(lambda s: s**power * float(spectra.singular_density(s, aspect)), low, high, limit=400)[0]

    assert moment(0) == pytest.approx(1.0, abs=1e-7)
    assert moment(1) == pytest.approx(spectra.mean_singular(aspect), rel=1e-7)
    assert moment(2) == pytest.approx(1.0, rel=1e-7)  # the mean of ‖column‖²


@pytest.mark.parametrize("aspect", ASPECTS)
def test_distribution_function_is_the_integral_of_the_density(aspect: float) -> None:
    low, high = spectra.edges(aspect)
    for s in np.linspace(low, high, 7)[1:-1]:
        mass = integrate.quad(lambda t: float(spectra.singular_density(t, aspect)), low, s, limit=400)[0]
        assert float(spectra.singular_cdf(s, aspect)) == pytest.approx(mass, abs=1e-7)
    assert spectra.singular_cdf([low - 1, low, high, high + 1], aspect) == pytest.approx([0, 0, 1, 1], abs=1e-9)


def test_square_matrices_have_the_quarter_circle() -> None:
    s = np.linspace(0, 2, 101)
    assert spectra.singular_density(s, 1.0) == pytest.approx(np.sqrt(4 - s**2) / math.pi)
    assert spectra.mean_singular(1.0) == pytest.approx(8 / (3 * math.pi), rel=1e-12)
    assert np.all(spectra.singular_density([-0.1, 2.1], 1.0) == 0)


@given(st.floats(1e-4, 1.0), st.floats(0, 3), st.floats(0, 3))
def test_distribution_function_never_falls(aspect: float, a: float, b: float) -> None:
    lower, upper = spectra.singular_cdf(sorted((a, b)), aspect)
    assert 0 <= lower <= upper + 1e-12 <= 1 + 2e-12


@pytest.mark.parametrize("aspect", [0.0, -1.0, 1.5, math.nan])
def test_an_aspect_is_a_share(aspect: float) -> None:
    with pytest.raises(ValueError, match="aspect"):
        spectra.edges(aspect)


@pytest.mark.parametrize("m", [1, 2, 3, 20, 60, 61, 200, 4096])
def test_inner_products_have_their_variance(m: int) -> None:
    variance = 0.7 / m
    reach = 40 * math.sqrt(max(m, 10)) * variance
    points = [0.0, 0.01 * reach, 0.1 * reach]

    def moment(power: int) -> float:
        density = spectra.inner_product_density
        return 2 * integrate.quad(lambda t: t**power * float(density(t, m, variance)), 0, reach, points=points, limit=400)[0]

    assert moment(0) == pytest.approx(1.0, rel=1e-4)
    assert moment(2) == pytest.approx(m * variance**2, rel=1e-4)
    assert moment(4) == pytest.approx(3 * m * (m + 2) * variance**4, rel=2e-4)


def test_inner_products_of_two_entries_are_laplace() -> None:
    t = np.linspace(-5, 5, 41)
    assert spectra.inner_product_density(t, 2, 1.0) == pytest.approx(0.5 * np.exp(-np.abs(t)), rel=2e-6)


def test_bessel_and_mixture_meet() -> None:
    t = np.linspace(0, 4 * math.sqrt(60), 33)
    bessel = spectra.inner_product_density(t, 60, 1.0)
    spectra._BESSEL_ROWS, kept = 0, spectra._BESSEL_ROWS
    try:
        assert spectra.inner_product_density(t, 60, 1.0) == pytest.approx(bessel, rel=1e-6)
    finally:
        spectra._BESSEL_ROWS = kept


@pytest.mark.parametrize("m", [2, 10, 4096])
def test_ratio_of_normal_entries_is_chi_square(m: int) -> None:
    t = np.linspace(0.01, 3, 50)
    assert spectra.ratio_density(t, 1.0, 2.0 / m) == pytest.approx(m * stats.chi2(m).pdf(m * t), rel=1e-8, abs=1e-300)
    assert spectra.ratio_density(t, 0.5, 0.5 / m) == pytest.approx(2 * m * stats.chi2(m).pdf(2 * m * t), rel=1e-8, abs=1e-300)


@pytest.mark.parametrize("aspect", [1.0, 0.25])
def test_singular_values_of_a_large_matrix_follow_the_law(aspect: float) -> None:
    generator = torch.Generator().manual_seed(1)
    rows, columns = 600, round(600 * aspect)
    matrix = torch.randn((rows, columns), generator=generator, dtype=torch.float64) / math.sqrt(rows)
    values = np.sort(torch.linalg.svdvals(matrix).numpy())
    exact = spectra.singular_cdf(values, aspect)
    ranks = np.arange(columns + 1) / columns
    assert max(np.max(ranks[1:] - exact), np.max(exact - ranks[:-1])) < 6 / columns


def test_orthonormal_columns_are_orthonormal_and_uniform() -> None:
    generator = torch.Generator().manual_seed(2)
    tall = torch.randn((4000, 5, 3), generator=generator, dtype=torch.float64)
    corners = []
    for matrix in tall:
        q = spectra.random_orthonormal(matrix)
        assert torch.allclose(q.mT @ q, torch.eye(3, dtype=torch.float64), atol=1e-12)
        corners.append(float(q[0, 0]))
    # One coordinate of a uniform direction in R⁵: (1 + x)/2 has the law Beta(2, 2). Without the sign fix it would be one-sided.
    assert stats.kstest(0.5 * (1 + np.array(corners)), stats.beta(2, 2).cdf).pvalue > 1e-4


def test_lanczos_finds_all_eigenvalues_in_the_end() -> None:
    generator = torch.Generator().manual_seed(3)
    matrix = torch.randn((40, 25), generator=generator, dtype=torch.float64)
    nodes, weights = spectra.lanczos(matrix, torch.randn(25, generator=generator, dtype=torch.float64), 100)
    assert nodes == pytest.approx(np.linalg.eigvalsh((matrix.mT @ matrix).numpy()), rel=1e-9)
    assert weights.sum() == pytest.approx(1.0)


def test_lanczos_is_a_quadrature() -> None:
    """k nodes integrate powers below 2 k exactly: vᵀ(AᵀA)^p v = Σ w λ^p."""
    generator = torch.Generator().manual_seed(4)
    matrix = torch.randn((200, 150), generator=generator, dtype=torch.float64) / 14
    start = torch.randn(150, generator=generator, dtype=torch.float64)
    nodes, weights = spectra.lanczos(matrix, start, 4)
    vector = start / start.norm()
    power = vector
    for p in range(8):
        assert float(weights @ nodes**p) == pytest.approx(float(vector @ power), rel=1e-9)
        power = matrix.mT @ (matrix @ power)


def test_lanczos_stops_where_nothing_is_left_and_can_be_stopped() -> None:
    nodes, weights = spectra.lanczos(2 * torch.eye(8, dtype=torch.float64), torch.ones(8, dtype=torch.float64), 5)
    assert nodes == pytest.approx([4.0])
    assert weights == pytest.approx([1.0])

    def stop() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        spectra.lanczos(torch.eye(3), torch.ones(3), 2, stop)

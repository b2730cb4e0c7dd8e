"""The laws of angles against quadrature, scipy's Beta law, closed forms and exact draws."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from engine.math.numerics.statistics import ks_critical, standard_error_of_mean, standard_error_of_variance, tolerance
from engine.math.random import angles
from engine.math.random.angles import AngleLaw, SubspaceLaw, VectorLaw

MILLION = 1_000_000
DIMENSIONS = [2, 3, 4, 5, 10, 101, 1000, MILLION]
SUBSPACES = [(2, 1), (3, 1), (3, 2), (4, 2), (10, 3), (100, 50), (100, 99), (1000, 1), (1000, 700)] + [
    (MILLION, k) for k in (1, 2, 1000, MILLION // 2, MILLION - 1)
]
LAWS: list[AngleLaw] = [*map(VectorLaw, DIMENSIONS), *(SubspaceLaw(n, k) for n, k in SUBSPACES)]

dimensions = st.integers(2, MILLION)
chances = st.floats(1e-9, 1.0 - 1e-9)


@st.composite
def subspaces(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(dimensions)
    return n, draw(st.integers(1, n - 1))


def expectation(law: AngleLaw, function) -> float:
    """Adaptive quadrature over the whole support, split where the mass is."""
    points = [law.support[0], *law.quantile([1e-18, 1e-9, 1e-3, 0.5, 0.999, 1 - 1e-9]), law.support[1]]
    return sum(
        integrate.quad(lambda t: float(law.density(t)) * function(t), a, b, epsabs=1e-15, epsrel=1e-11, limit=200)[0]
        for a, b in itertools.pairwise(points)
        if b > a
    )


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_mass_and_moments_match_quadrature(law: AngleLaw) -> None:
    assert expectation(law, lambda t: 1.0) == pytest.approx(1.0, abs=1e-10)
    assert expectation(law, lambda t: t) == pytest.approx(law.mean, abs=1e-9)
    assert expectation(law, lambda t: (t - law.mean) ** 2) == pytest.approx(law.var, rel=1e-9)
    assert expectation(law, lambda t: (t - law.mean) ** 4) == pytest.approx(law.fourth_central_moment, rel=1e-8)
    if isinstance(law, SubspaceLaw):
        assert expectation(law, math.cos) == pytest.approx(law.mean_abs_cos, rel=1e-9)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_distribution_function_is_the_integral_of_the_density(law: AngleLaw) -> None:
    start = law.support[0]
    for p in (0.001, 0.3, 0.5, 0.9):
        end = float(law.quantile(p))
        middle = float(law.quantile(p / 2))
        low = max(start, float(law.quantile(1e-14)))
        area = sum(integrate.quad(law.density, a, b, epsabs=1e-14)[0] for a, b in ((low, middle), (middle, end)))
        assert area == pytest.approx(p, abs=1e-10)
        assert float(law.cdf(end)) == pytest.approx(p, abs=1e-12)


@pytest.mark.parametrize(("n", "k"), [(5, 2), (30, 7), (200, 100)])
def test_squared_cosine_has_the_beta_law(n: int, k: int) -> None:
    theta = np.linspace(0.01, 0.5 * np.pi - 0.01, 50)
    np.testing.assert_allclose(
        angles.subspace_angle_cdf(theta, n, k), stats.beta(k / 2, (n - k) / 2).sf(np.cos(theta) ** 2), atol=1e-12
    )


@pytest.mark.parametrize("n", [2, 3, 4, 17, 1000, MILLION])
def test_cosine_law_is_the_shifted_beta_law(n: int) -> None:
    c = np.linspace(-0.999, 0.999, 41) if n < 1000 else np.linspace(-5, 5, 41) / math.sqrt(n)
    law = stats.beta((n - 1) / 2, (n - 1) / 2, loc=-1, scale=2)
    np.testing.assert_allclose(angles.cosine_density(c, n), law.pdf(c), rtol=1e-8)
    np.testing.assert_allclose(angles.cosine_cdf(c, n), law.cdf(c), atol=1e-8)
    assert law.var() == pytest.approx(angles.var_cos(n), rel=1e-12)


def test_low_dimensions_are_uniform() -> None:
    theta = np.linspace(0.0, np.pi, 9)
    np.testing.assert_allclose(angles.angle_density(theta, 2), 1 / np.pi)
    np.testing.assert_allclose(angles.angle_cdf(theta, 2), theta / np.pi, atol=1e-15)
    np.testing.assert_allclose(angles.cosine_density(np.linspace(-1, 1, 9), 3), 0.5)
    assert np.isinf(angles.cosine_density(1.0, 2))
    assert np.isfinite(angles.cosine_density(np.nextafter(1.0, 0.0), 2))


def test_nothing_outside_the_support() -> None:
    assert not angles.angle_density([-0.1, 3.2], 7).any()
    assert not angles.cosine_density([-1.1, 1.1], 7).any()
    assert not angles.subspace_angle_density([-0.1, 1.6], 7, 3).any()
    np.testing.assert_array_equal(angles.angle_cdf([-1.0, 0.0, np.pi, 4.0], 7), [0, 0, 1, 1])


def test_printed_table_of_variances() -> None:
    table = {3: 0.467401, 10: 0.110661, 20: 0.0525832, 50: 0.0204053, 100: 0.0101007, 200: 0.00502508, 1000: 0.001001}
    for n, variance in table.items():
        assert angles.var_angle(n) == pytest.approx(variance, rel=5e-6)


def test_closed_forms() -> None:
    assert angles.var_angle(2) == pytest.approx(math.pi**2 / 12)
    assert angles.excess_kurtosis_angle(2) == pytest.approx(-1.2)
    assert angles.excess_kurtosis_angle(MILLION) == pytest.approx(-2 / MILLION, rel=1e-5)
    assert angles.mean_abs_cos(2) == pytest.approx(2 / math.pi)
    assert angles.mean_abs_cos(3) == pytest.approx(0.5)
    assert angles.mean_abs_cos(MILLION) == pytest.approx(math.sqrt(2 / (math.pi * MILLION)), rel=1e-6)
    assert angles.within(2, 0.1) == pytest.approx(0.2 / math.pi)
    assert angles.within(3, 0.1) == pytest.approx(math.sin(0.1))
    assert angles.within(MILLION, 1e-3) == pytest.approx(math.erf(1 / math.sqrt(2)), abs=1e-5)


@pytest.mark.parametrize("n", [2, 5, 1000, MILLION])
def test_line_is_the_folded_vector_law(n: int) -> None:
    law, folded = VectorLaw(n), SubspaceLaw(n, 1)
    theta = law.quantile(np.linspace(0.01, 0.5, 25))
    np.testing.assert_allclose(folded.density(theta), 2 * law.density(theta), rtol=1e-12)
    np.testing.assert_allclose(folded.cdf(theta), 2 * law.cdf(theta), atol=1e-14)
    assert folded.mean_abs_cos == law.mean_abs_cos
    assert folded.within(0.01) == pytest.approx(law.within(0.01), abs=1e-14)
    assert folded.var + (0.5 * math.pi - folded.mean) ** 2 == pytest.approx(law.var, rel=1e-10)


@settings(deadline=None, max_examples=50)
@given(dimensions, chances)
def test_vector_law_is_symmetric_and_inverted_by_its_quantile(n: int, p: float) -> None:
    theta = float(angles.angle_quantile(p, n))
    assert float(angles.angle_cdf(theta, n)) == pytest.approx(p, abs=1e-11)
    assert float(angles.angle_cdf(math.pi - theta, n)) == pytest.approx(1 - p, abs=1e-11)
    assert float(angles.angle_density(theta, n)) == pytest.approx(float(angles.angle_density(math.pi - theta, n)), rel=1e-6)


@settings(deadline=None, max_examples=50)
@given(subspaces(), chances)
def test_complementary_subspaces_mirror_each_other(pair: tuple[int, int], p: float) -> None:
    n, k = pair
    theta = float(angles.subspace_angle_quantile(p, n, k))
    assert float(angles.subspace_angle_cdf(theta, n, k)) == pytest.approx(p, abs=1e-10)
    assert float(angles.subspace_angle_cdf(0.5 * math.pi - theta, n, n - k)) == pytest.approx(1 - p, abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(dimensions, st.lists(st.floats(0.0, math.pi), min_size=2, max_size=8))
def test_distribution_function_never_falls(n: int, theta: list[float]) -> None:
    values = angles.angle_cdf(sorted(theta), n)
    assert (np.diff(values) >= 0).all()
    assert 0 <= values[0] <= values[-1] <= 1


def test_tails_keep_their_digits() -> None:
    for n, theta in ((1000, 0.8), (100, 0.3), (MILLION, 0.5 * math.pi - 0.02)):
        area = integrate.quad(lambda t, n=n: float(angles.angle_density(t, n)), 0.9 * theta, theta, epsabs=0, limit=500)[0]
        probability = float(angles.angle_cdf(theta, n))
        assert probability < 1e-50
        assert probability == pytest.approx(area, rel=1e-8)
        assert float(angles.angle_quantile(probability, n)) == pytest.approx(theta, rel=1e-10)


@pytest.mark.parametrize("bad", [(1, 1), (5, 0), (5, 5)])
def test_impossible_dimensions_are_refused(bad: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="dimension"):
        SubspaceLaw(*bad)


def test_vector_in_one_dimension_is_refused() -> None:
    with pytest.raises(ValueError, match="below 2"):
        VectorLaw(1)


# --------------------------------------------------------------------------------------------------------------------
# Draws


@pytest.mark.parametrize("law", [*map(VectorLaw, (2, 3, 4, 50, MILLION)), *(SubspaceLaw(*pair) for pair in SUBSPACES)], ids=str)
def test_draws_follow_the_law(law: AngleLaw) -> None:
    count = 50_000
    theta = law.sample(count, torch.Generator().manual_seed(7)).numpy()
    assert theta.dtype == np.float64
    assert (theta >= law.support[0]).all()
    assert (theta <= law.support[1]).all()
    assert stats.kstest(theta, law.cdf).statistic < ks_critical(count)
    assert abs(theta.mean() - law.mean) < tolerance(standard_error_of_mean(law.var, count))
    error = standard_error_of_variance(law.var, law.fourth_central_moment, count)
    assert abs(theta.var(ddof=1) - law.var) < tolerance(error)


@pytest.mark.parametrize("law", [VectorLaw(9), SubspaceLaw(9, 4)], ids=str)
def test_draws_honour_the_generator(law: AngleLaw) -> None:
    first, again, other = (law.sample(70_001, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_draws_in_a_million_dimensions_are_not_rounded_to_a_grid() -> None:
    theta = VectorLaw(MILLION).sample(10_000, torch.Generator().manual_seed(3))
    assert theta.unique().numel() > 9_990  # float32 angles would leave fewer
    assert (theta - 0.5 * math.pi).abs().max() < 6e-3

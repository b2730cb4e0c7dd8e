"""The law of the largest |cos| against scipy's Beta law, bounds and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from engine.math.random import capacity

DIMENSIONS = [2, 3, 10, 100, 10_000]


@pytest.mark.parametrize("n", DIMENSIONS)
def test_tail_is_that_of_the_beta_law(n: int) -> None:
    t = np.array([0.0, 1e-3, 0.02, 0.1, 0.3, 0.5, 0.9, 0.999, 1.0])
    assert capacity.tail(t, n) == pytest.approx(stats.beta(0.5, 0.5 * (n - 1)).sf(t**2), rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("n", DIMENSIONS[1:])
def test_density_integrates_to_the_tail(n: int) -> None:
    start, stop = 0.5 / math.sqrt(n), min(1.0, 12 / math.sqrt(n))
    mass = integrate.quad(lambda t: float(capacity.absolute_cosine_density(t, n)), start, stop)[0]
    assert mass == pytest.approx(float(capacity.tail(start, n) - capacity.tail(stop, n)), rel=1e-7)


@pytest.mark.parametrize(("t", "n"), [(0.1, 2), (0.99, 2), (0.3, 100), (0.5, 1000), (0.9, 300), (0.35, 9000)])
def test_logarithm_of_the_tail(t: float, n: int) -> None:
    assert capacity.log_tail(t, n) == pytest.approx(float(np.log(capacity.tail(t, n))), rel=1e-12)


@pytest.mark.parametrize(("t", "n"), [(0.5, 10_000), (0.4, 10_000), (0.99, 10_000), (0.95, 600)])
def test_logarithm_of_the_tail_below_all_numbers(t: float, n: int) -> None:
    """Between the bounds u^a / (a B) · t and the same over 1 - u (the series lies between 1 and a geometric one)."""
    a, u = 0.5 * (n - 1), 1 - t * t
    lower = a * math.log(u) + math.log(t) - math.log(a) - (math.lgamma(a) + math.lgamma(0.5) - math.lgamma(a + 0.5))
    assert lower < capacity.log_tail(t, n) < lower - math.log(t * t)
    nearer = capacity.log_tail(t, n - 2)
    assert capacity.log_tail(t, n) - nearer == pytest.approx(math.log(u), rel=0.01)


def test_series_meets_the_incomplete_beta_function(monkeypatch: pytest.MonkeyPatch) -> None:
    direct = capacity.log_tail(0.6, 700)
    monkeypatch.setattr(capacity, "_SMALLEST", 1.0)
    assert capacity.log_tail(0.6, 700) == pytest.approx(direct, rel=1e-12)


@given(st.integers(2, 10_000), st.integers(2, 50_000), st.floats(0.001, 0.999))
def test_quantiles_of_the_maximum_solve_their_equation(n: int, m: int, q: float) -> None:
    t = float(capacity.max_quantile(q, m, n))
    assert 0 <= t <= 1
    if t < 0.9999:
        chance = math.exp(0.5 * m * (m - 1) * math.log1p(-float(capacity.tail(t, n))))
        assert chance == pytest.approx(q, rel=1e-5)


@pytest.mark.parametrize(("m", "n"), [(50, 3), (60, 20), (40, 100)])
def test_maximum_of_simulated_directions(m: int, n: int) -> None:
    generator = torch.Generator().manual_seed(1)
    runs = 2000
    vectors = torch.randn((runs, m, n), generator=generator, dtype=torch.float64)
    vectors /= vectors.norm(dim=2, keepdim=True)
    largest = (vectors @ vectors.mT).abs().tril(-1).amax((1, 2)).numpy()
    for q in (0.05, 0.5, 0.95):
        below = float((largest <= capacity.max_quantile(q, m, n)).mean())
        assert abs(below - q) < 4.5 * math.sqrt(q * (1 - q) / runs) + 0.02  # pairs are not quite independent together


def test_capacity_is_the_inverse_of_the_maximum() -> None:
    for n, m in ((100, 2000), (300, 30_000), (10, 50)):
        t = float(capacity.max_quantile(0.5, m, n))
        assert math.exp(capacity.log_capacity(0.5, t, n)) == pytest.approx(m, rel=1e-8)


def test_capacity_grows_exponentially() -> None:
    """The rate per dimension tends to that of the tail, -½ ln(1 - ε²) / 2, which is ε²/4 and a little more."""
    epsilon = 0.3
    rates = [(capacity.log_capacity(0.5, epsilon, n + 100) - capacity.log_capacity(0.5, epsilon, n)) / 100 for n in (200, 2000)]
    assert rates[1] == pytest.approx(-0.25 * math.log(1 - epsilon**2), rel=0.01)
    assert rates[1] > epsilon**2 / 4
    assert math.isfinite(capacity.log_capacity(0.5, 0.99, 10_000))


def test_crude_formula_is_an_upper_bound_that_comes_near() -> None:
    gaps = [float(capacity.crude_max(m, n) - capacity.max_quantile(0.5, m, n)) for m, n in ((1000, 100), (1000, 10_000))]
    assert 0 < gaps[1] < gaps[0]


def test_counts_of_absolute_cosines() -> None:
    values = torch.tensor([-1.0, -0.26, 0.0, 0.24, 0.26, 0.74, 1.0, 1.0000001])
    assert capacity.count_absolute(values, 4).tolist() == [2, 2, 1, 3]


def test_unit_rows() -> None:
    rows = capacity.unit_rows(torch.tensor([[3.0, 4.0], [0.0, -2.0]]))
    assert rows.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, -1.0]]


@pytest.mark.parametrize("mean", [0.01, 1.0, 30.0, 1e4])
def test_poisson_numbers_stay_within_their_margin(mean: float) -> None:
    margin = capacity.poisson_margin(mean, 3.89)
    law = stats.poisson(mean)
    assert law.sf(math.floor(mean + margin)) + law.cdf(math.ceil(mean - margin) - 1) < 1.2e-4

"""Gaussian expectations against closed forms, adaptive quadrature and simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special

from engine.math.networks.activations import ACTIVATIONS, Activation
from engine.math.numerics.quadrature import gaussian_mean, gaussian_pair_mean, panels, resolved_means
from engine.math.numerics.statistics import standard_error_of_mean, tolerance

every_activation = pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=lambda each: each.name)
lengths = st.floats(-3, 1).map(lambda exponent: 10**exponent)
correlations = st.one_of(st.floats(-1, 1), st.sampled_from([-1.0, 0.0, 1.0, 1 - 1e-9, -1 + 1e-12]))


def adaptive(function, scale: float, kinks: tuple[float, ...]) -> float:
    """E f(scale z) by scipy, split wherever f bends."""
    inside = [each / scale for each in (*kinks, -16, -4, -1, 0, 1, 4, 16) if abs(each) < 12 * scale]
    points = sorted({-12.0, -6.0, -3.0, 3.0, 6.0, 12.0, *inside})
    total = sum(
        integrate.quad(
            lambda z: float(function(np.array(scale * z))) * math.exp(-0.5 * z * z), a, b, epsabs=1e-16, epsrel=1e-13, limit=400
        )[0]
        for a, b in itertools.pairwise(points)
    )
    return total / math.sqrt(2 * math.pi)


@every_activation
@pytest.mark.parametrize("variance", [1e-6, 0.01, 1.0, 30.0])
def test_one_variable_against_adaptive_quadrature(activation: Activation, variance: float) -> None:
    def square(x):
        return activation.numpy(x) ** 2

    expected = adaptive(square, math.sqrt(variance), activation.kinks)
    assert float(gaussian_mean(square, variance, activation.kinks)) == pytest.approx(expected, rel=1e-12)


def test_one_variable_against_closed_forms() -> None:
    q = np.array([[1e-6, 0.3], [1.0, 1e4]])
    np.testing.assert_allclose(gaussian_mean(lambda x: np.maximum(x, 0) ** 2, q, (0.0,)), q / 2, rtol=1e-13)
    np.testing.assert_allclose(gaussian_mean(lambda x: np.maximum(x, 0), q, (0.0,)), np.sqrt(q / (2 * np.pi)), rtol=1e-13)
    np.testing.assert_allclose(
        gaussian_mean(lambda x: special.erf(x) ** 2, q), 2 / np.pi * np.arcsin(2 * q / (1 + 2 * q)), rtol=1e-12
    )
    np.testing.assert_allclose(
        gaussian_mean(lambda x: (np.abs(x) < 1) * 1.0, q, (-1.0, 1.0)), special.erf(1 / np.sqrt(2 * q)), rtol=1e-12
    )
    np.testing.assert_allclose(
        gaussian_mean(lambda x: np.exp(0.5 * x), np.array([0.1, 4.0])), np.exp([0.0125, 0.5]), rtol=1e-12
    )
    assert gaussian_mean(np.cos, 1.0) == pytest.approx(math.exp(-0.5), rel=1e-13)
    assert gaussian_mean(np.cos, 0.0) == 1.0
    assert gaussian_mean(np.cos, q).shape == (2, 2)


def test_known_constants() -> None:
    """Second moments the literature quotes."""
    assert gaussian_mean(lambda x: special.expit(x) ** 2) == pytest.approx(0.2933790, abs=5e-8)
    assert gaussian_mean(lambda x: np.tanh(x) ** 2) ** -0.5 == pytest.approx(1.592537, abs=5e-7)


@given(lengths, lengths, correlations)
@settings(max_examples=60, deadline=None)
def test_two_variables_against_the_arccos_kernel(first: float, second: float, c: float) -> None:
    relu, angle = ACTIVATIONS["relu"], math.acos(c)
    expected = math.sqrt(first * second) * (math.sin(angle) + (math.pi - angle) * c) / (2 * math.pi)
    got = gaussian_pair_mean(relu.numpy, relu.numpy, (first, second), c, relu.kinks)
    assert got == pytest.approx(expected, rel=1e-11, abs=1e-13)


@given(lengths, lengths, correlations)
@settings(max_examples=60, deadline=None)
def test_two_variables_against_the_arcsine_of_erf(first: float, second: float, c: float) -> None:
    expected = 2 / math.pi * math.asin(2 * c * math.sqrt(first * second) / math.sqrt((1 + 2 * first) * (1 + 2 * second)))
    assert gaussian_pair_mean(special.erf, special.erf, (first, second), c) == pytest.approx(expected, abs=1e-12)
    assert gaussian_pair_mean(special.erf, special.erf, (first, second), c, nodes=8) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("c", [-1.0, -0.4, 0.0, 0.7, 0.999999, 1.0])
def test_two_variables_against_sine(c: float) -> None:
    expected = math.exp(-0.5 * (0.3 + 2.0)) * math.sinh(c * math.sqrt(0.3 * 2.0))
    assert gaussian_pair_mean(np.sin, np.sin, (0.3, 2.0), c) == pytest.approx(expected, abs=1e-12)


def iterated(activation: Activation, variances: tuple[float, float], c: float) -> float:
    """The same by two nested one-dimensional rules that stop at every kink."""
    a, b, rest = math.sqrt(variances[0]), math.sqrt(variances[1]), math.sqrt(1 - c * c)

    def normal(function, kinks: list[float], width: float) -> float:
        edges = np.unique(np.clip([*np.arange(-12, 12 + width, width), *kinks], -12, 12))
        z, weight = panels(edges, 20)
        return float(function(z) @ (weight * np.exp(-0.5 * z * z))) / math.sqrt(2 * math.pi)

    def inner(z: float) -> float:
        return normal(
            lambda w: activation.numpy(b * (c * z + rest * w)), [(k / b - c * z) / rest for k in activation.kinks], 0.5
        )

    def outer(z):
        return activation.numpy(a * z) * [inner(each) for each in z]

    return normal(outer, [k / a for k in activation.kinks], 0.25)


@every_activation
@pytest.mark.parametrize(("variances", "c"), [((1.0, 1.0), 0.6), ((4.0, 0.5), -0.8)])
def test_two_variables_against_an_iterated_rule(activation: Activation, variances: tuple[float, float], c: float) -> None:
    got = gaussian_pair_mean(activation.numpy, activation.numpy, variances, c, activation.kinks)
    assert got == pytest.approx(iterated(activation, variances, c), abs=1e-11)


@every_activation
def test_equal_variables_are_one_variable(activation: Activation) -> None:
    once = float(gaussian_mean(lambda x: activation.numpy(x) ** 2, 1.7, activation.kinks))
    got = gaussian_pair_mean(activation.numpy, activation.numpy, (1.7, 1.7), 1.0, activation.kinks)
    assert got == pytest.approx(once, abs=1e-12)


def test_two_variables_against_simulation() -> None:
    count = 400_000
    noise = np.random.default_rng(1)
    u, w = noise.standard_normal((2, count))
    v = 0.3 * u + math.sqrt(1 - 0.09) * w
    selu = ACTIVATIONS["selu"]
    products = selu.numpy(1.5 * u) * selu.numpy(0.8 * v)
    expected = gaussian_pair_mean(selu.numpy, selu.numpy, (2.25, 0.64), 0.3, selu.kinks)
    assert abs(products.mean() - expected) < tolerance(standard_error_of_mean(float(products.var()), count))


def test_an_impossible_correlation_is_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        gaussian_pair_mean(np.sin, np.sin, (1.0, 1.0), 1.1)


def test_panels_integrate_polynomials_exactly() -> None:
    points, weights = panels(np.array([[0.0, 0.5, 2.0], [0.0, 0.0, 1.0]]), 4)
    np.testing.assert_allclose((weights * points**7).sum(axis=1), [2**8 / 8, 1 / 8])


# ---- panels that are halved --------------------------------------------------------------------------------------------


def test_halved_panels_integrate_several_functions_at_once() -> None:
    def functions(x: np.ndarray) -> np.ndarray:
        return np.stack([np.cos(40 * x), np.where(x > 0.123, 1.0, 0.0), np.exp(-3000 * (x - 0.3) ** 2), np.abs(x)])

    means, errors = resolved_means(functions, 4.0)
    narrow = 1 / math.sqrt(1 + 2 * 3000 * 4) * math.exp(-3000 * 0.09 / (1 + 2 * 3000 * 4))
    step = special.ndtr(-0.123 / 2)
    np.testing.assert_allclose(means, [0.0, step, narrow, 2 * math.sqrt(2 / math.pi)], rtol=1e-11, atol=1e-13)
    assert errors.max() < 1e-11


def test_what_does_not_settle_says_so() -> None:
    means, errors = resolved_means(lambda x: np.stack([1 / x**2, np.exp(x * x), np.sin(1e6 * x)]), 1.0)
    assert errors[0] > 1e-3
    assert not np.isfinite(means[1]) or errors[1] > 1e-3 or means[1] > 1e200
    assert errors[2] > 1e-3

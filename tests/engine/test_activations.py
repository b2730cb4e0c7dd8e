"""The activations: torch against numpy against derivatives, kinks where they are said to be, gains of the framework."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from engine.math.networks.activations import ACTIVATIONS, SELU_ALPHA, SELU_SCALE, Activation

every_activation = pytest.mark.parametrize("activation", ACTIVATIONS.values(), ids=lambda each: each.name)
X = np.concatenate([np.linspace(-6, 6, 400), [-700.0, -50.0, -25.0, 25.0, 50.0, 700.0]])


def test_there_are_at_least_twelve() -> None:
    assert len(ACTIVATIONS) >= 12
    assert list(ACTIVATIONS)[:12] == [
        "linear",
        "relu",
        "leaky_relu",
        "tanh",
        "sigmoid",
        "gelu",
        "silu",
        "elu",
        "softplus",
        "selu",
        "erf",
        "hard_tanh",
    ]


@every_activation
def test_numpy_and_torch_agree(activation: Activation) -> None:
    np.testing.assert_allclose(activation.numpy(X), activation.torch(torch.tensor(X)).numpy(), rtol=1e-13, atol=1e-14)


@every_activation
def test_the_derivative_is_that_of_autograd(activation: Activation) -> None:
    x = torch.tensor(X, requires_grad=True)
    activation.torch(x).sum().backward()
    assert x.grad is not None
    np.testing.assert_allclose(activation.derivative(X), x.grad.numpy(), rtol=1e-10, atol=1e-13)


@every_activation
def test_what_is_called_homogeneous_is(activation: Activation) -> None:
    scaled = np.allclose(activation.numpy(3 * X[:400]), 3 * activation.numpy(X[:400]), rtol=1e-12)
    assert scaled == activation.homogeneous
    if activation.slopes:
        np.testing.assert_allclose(activation.numpy(np.array([-2.0, 2.0])), 2 * np.array(activation.slopes) * [-1, 1])


@every_activation
def test_away_from_its_kinks_it_is_smooth(activation: Activation) -> None:
    """Between kinks, a polynomial of degree 24 fits as well as rounding allows; across a kink it does not."""
    ends = [-2.0, *activation.kinks, 2.0]
    for low, high in itertools.pairwise(ends):
        x = 0.5 * (low + high) + 0.5 * (high - low) * np.cos(np.linspace(0.03, math.pi - 0.03, 200))
        fit = np.polynomial.Chebyshev.fit(x, activation.numpy(x), 24)
        assert np.abs(fit(x) - activation.numpy(x)).max() < 2e-7
    if activation.kinks:
        x = 2 * np.cos(np.linspace(0.03, math.pi - 0.03, 200))
        fit = np.polynomial.Chebyshev.fit(x, activation.numpy(x), 24)
        assert np.abs(fit(x) - activation.numpy(x)).max() > 1e-5


def test_selu_has_the_constants_of_the_framework() -> None:
    assert pytest.approx(1.6732632423543772848170429916717, abs=1e-14) == SELU_ALPHA
    assert pytest.approx(1.0507009873554804934193349852946, abs=1e-14) == SELU_SCALE


def test_gains_are_those_of_the_framework() -> None:
    known = {name: each.framework_gain for name, each in ACTIVATIONS.items() if each.framework_gain is not None}
    assert known == {
        "linear": 1.0,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + 0.01**2)),
        "tanh": 5 / 3,
        "sigmoid": 1.0,
        "selu": 0.75,
    }

"""The convolution of the digits' energy is that of torch, and its slope that of autograd."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from engine.math.networks.digit_convolution import is_convolution, pixels_of, unfolded
from engine.math.networks.digit_network import energy_and_gradient, initial_weights


def weights_of(depth: int, channels: int) -> list[torch.Tensor]:
    found = initial_weights(24, depth, torch.Generator().manual_seed(0), 64, 10, channels)
    return [weight.double() for weight in found]


def test_the_matrix_is_the_convolution() -> None:
    weights = weights_of(2, 5)
    images = torch.rand((7, 64), generator=torch.Generator().manual_seed(1)).double()
    kernel = weights[1].mT.reshape(5, 1, 3, 3)
    exact = functional.conv2d(images.view(7, 1, 8, 8), kernel, padding=1).permute(0, 2, 3, 1).reshape(7, -1)
    assert torch.allclose(images @ unfolded(weights, 64)[1], exact, atol=1e-12)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("channels", [0, 5])
def test_slopes_are_those_of_autograd(depth: int, channels: int) -> None:
    weights = weights_of(depth, channels)
    assert is_convolution(weights) == bool(channels)
    assert pixels_of(weights) == 64
    images = torch.rand((7, 64), generator=torch.Generator().manual_seed(1)).double().requires_grad_()
    values, slopes = energy_and_gradient(weights, images, torch.arange(7), 0.2)
    (exact,) = torch.autograd.grad(values.sum(), images)
    assert torch.allclose(slopes, exact, atol=1e-12)


def test_images_must_be_square() -> None:
    with pytest.raises(ValueError, match="60 pixels"):
        unfolded(weights_of(2, 3), 60)

"""The energy U(x, c, σ) of small images x of a class c, and its slope, written out.

It is a bowl less a network::

    U(x, c, σ) = |z|² / 2(σ² + s²) - (s √d / σ) f_c(z / √(σ² + s²), σ),    z = x - 1/2,    d pixels,    s = 0.38

f is a perceptron with silu units whose layers all see the class. σ is the sd of Gaussian noise on the images whose density
e^-U shall be; without noise, images with many black pixels have no density. The scales are such that what the network has to
learn is of order 1 at every σ, so that no level of noise needs its own step size.

The weights are a list: of the waves of σ (16, units); then for each layer (inputs, units), of the class (classes, units), and
the bias (units,); at last what reads the uppermost layer (classes, units).

References
----------
Karras et al. (2022), Elucidating the design space of diffusion-based generative models (scales of input and output). Salimans
& Ho (2021), Should EBMs model the energy or the score? Efron (2011), Tweedie's formula and selection bias.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from engine.math.networks.digit_convolution import KERNEL, unfolded

CENTRE = 0.5
SPREAD = 0.38  # s, about the root mean square of a digit's pixels from 1/2; a scale on which nothing depends exactly
WAVES = 8  # sine and cosine of ln σ at as many frequencies


def initial_weights(
    width: int, depth: int, generator: torch.Generator, pixels: int = 64, classes: int = 10, channels: int = 0
) -> list[Tensor]:
    """Random weights on the device of the generator; the network is small against the bowl.

    With `channels` the first layer is a convolution with so many.
    """

    def normal(*shape: int, scale: float) -> Tensor:
        return scale * torch.randn(*shape, generator=generator, device=generator.device)

    first = (KERNEL**2, channels, 1.0) if channels else (pixels, width, 1.0)
    below = pixels * channels or width
    weights = [normal(2 * WAVES, first[1], scale=0.5)]
    for inputs, units, by_class in [first, *[(below if at == 0 else width, width, 0.5) for at in range(depth - 1)]]:
        weights += [
            normal(inputs, units, scale=1 / math.sqrt(inputs)),
            normal(classes, units, scale=by_class),
            torch.zeros(units, device=generator.device),
        ]
    top = below if depth == 1 else width
    return [*weights, normal(classes, top, scale=0.04 / math.sqrt(top))]


def matrices(weights: Sequence[Tensor]) -> list[Tensor]:
    """Those between layers, which bound the slope of f."""
    return list(weights[1:-1:3])


def energy(weights: Sequence[Tensor], images: Tensor, classes: Tensor, noise: float | Tensor) -> Tensor:
    """U(x, c, σ), shape (n,), of images (n, pixels), classes (n,) and one σ or (n, 1) of them."""
    return energy_and_gradient(weights, images, classes, noise, gradient=False)[0]


def energy_gradient(weights: Sequence[Tensor], images: Tensor, classes: Tensor, noise: float | Tensor) -> Tensor:
    """∇U with respect to the images, shape (n, pixels)."""
    return energy_and_gradient(weights, images, classes, noise)[1]


def energy_and_gradient(
    weights: Sequence[Tensor], images: Tensor, classes: Tensor, noise: float | Tensor, gradient: bool = True
) -> tuple[Tensor, Tensor]:
    """Both: faster than automatic differentiation, and itself differentiable in the weights.

    Parameters
    ----------
    gradient
        False leaves the second empty.
    """
    weights = unfolded(weights, images.shape[1])
    sigma = noise if isinstance(noise, Tensor) else torch.full((1, 1), noise, dtype=images.dtype, device=images.device)
    variance = sigma.square() + SPREAD**2
    gain = SPREAD * math.sqrt(images.shape[1]) / sigma
    centred = images - CENTRE
    layers = []
    signal = centred / variance.sqrt()
    for index in range(1, len(weights) - 1, 3):
        matrix, by_class, bias = weights[index : index + 3]
        before = torch.addmm(bias, signal, matrix) + by_class[classes]
        if index == 1:
            before = before + waves(sigma) @ weights[0]
        gate = torch.sigmoid(before)
        layers.append((matrix, before, gate))
        signal = before * gate
    reading = weights[-1][classes]
    value = centred.square().sum(dim=1) / (2 * variance[:, 0]) - gain[:, 0] * (signal * reading).sum(dim=1)
    if not gradient:
        return value, images[:0]
    slope = reading
    for matrix, before, gate in reversed(layers):
        slope = (slope * (gate * (1 + before * (1 - gate)))) @ matrix.T
    return value, centred / variance - gain / variance.sqrt() * slope


def waves(sigma: Tensor) -> Tensor:
    """Sines and cosines of ln σ, shape (n, 16) of σ (n, 1)."""
    phases = torch.log(sigma / 0.3) * (0.7 * torch.arange(1, WAVES + 1, device=sigma.device))
    return torch.cat([phases.sin(), phases.cos()], dim=1)


def expected(weights: Sequence[Tensor], images: Tensor, classes: Tensor, noise: float) -> Tensor:
    """Expected clean images x - σ²∇U of noisy ones: exact where e^-U is the density of images with noise of sd σ (Tweedie)."""
    return images - noise**2 * energy_gradient(weights, images, classes, noise)

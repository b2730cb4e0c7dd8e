"""A convolution as the first layer of the energy of digits: one small kernel for all places, written out as a matrix.

Images of 8 x 8 pixels are so small that the matrix is as quick as the convolution, and the rest of the network, its slope and
its optimiser need not know of it. The weights of the first layer are a kernel (9, channels), the class (classes, channels) and
a bias (channels,); a unit is a pair of place and channel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

KERNEL = 3  # pixels on a side


def is_convolution(weights: Sequence[Tensor]) -> bool:
    """Whether the first layer of these weights is a kernel."""
    return weights[1].shape[0] == KERNEL**2


def pixels_of(weights: Sequence[Tensor]) -> int:
    """Pixels of the images that the weights are for."""
    if not is_convolution(weights):
        return weights[1].shape[0]
    units = weights[4].shape[0] if len(weights) > 5 else weights[-1].shape[1]
    return units // weights[1].shape[1]


@lru_cache(maxsize=8)
def neighbours(pixels: int, device: torch.device) -> Tensor:
    """Which weight of the kernel leads from a pixel (row) to a place (column), KERNEL² for none, shape (pixels, pixels)."""
    side = math.isqrt(pixels)
    if side * side != pixels:
        raise ValueError(f"{pixels} pixels are not a square")
    rows, columns = torch.arange(pixels) // side, torch.arange(pixels) % side
    down, right = (each[:, None] - each[None] + KERNEL // 2 for each in (rows, columns))
    inside = (down >= 0) & (down < KERNEL) & (right >= 0) & (right < KERNEL)
    return torch.where(inside, down * KERNEL + right, KERNEL**2).to(device)


def unfolded(weights: Sequence[Tensor], pixels: int) -> list[Tensor]:
    """The weights with the first layer as a matrix (pixels, pixels * channels); others are returned as they are."""
    if not is_convolution(weights):
        return list(weights)
    waves, kernel, by_class, bias, *rest = weights
    padded = torch.cat([kernel, torch.zeros_like(kernel[:1])])
    matrix = padded[neighbours(pixels, kernel.device)].reshape(pixels, -1)
    return [waves.repeat(1, pixels), matrix, by_class.repeat(1, pixels), bias.repeat(pixels), *rest]

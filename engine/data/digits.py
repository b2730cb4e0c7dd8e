"""Handwritten digits of 8 x 8 pixels, as they come with the program."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from engine.core.resources import resource_path

PIXELS = 64


@cache
def digits() -> tuple[Tensor, Tensor]:
    """Images of shape (1797, 64), float32 in [0, 1], and labels of shape (1797,), int64, in the order of the source.

    References
    ----------
    Alpaydin & Kaynak (1998), Optical Recognition of Handwritten Digits, UCI Machine Learning Repository.
    """
    with np.load(resource_path("data", "digits.npz"), allow_pickle=False) as archive:
        images, labels = archive["images"], archive["labels"]
    return torch.from_numpy(images.astype(np.float32) / 16), torch.from_numpy(labels.astype(np.int64))


def unit_digits() -> tuple[Tensor, Tensor]:
    """The same with every image scaled to second moment 1 per pixel."""
    images, labels = digits()
    return images / images.square().mean(dim=1, keepdim=True).sqrt(), labels

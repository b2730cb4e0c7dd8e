"""Double precision where there is one, and work in pieces that fit a cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor


def wide_dtype(device: torch.device) -> torch.dtype:
    """Double precision, except on Apple GPUs, which have none."""
    return torch.float32 if device.type == "mps" else torch.float64


def widened(tensor: Tensor) -> Tensor:
    """The tensor in the widest precision of its device."""
    return tensor.to(wide_dtype(tensor.device))


def apply(name: str, tensor: Tensor) -> Tensor:
    """Apply an elementwise function in place, by numpy on the CPU and by torch elsewhere; returns the tensor."""
    if tensor.device.type == "cpu":
        array = tensor.numpy()
        getattr(np, name)(array, out=array)
        return tensor
    function: Callable[..., Any] = getattr(torch, name)
    function(tensor, out=tensor)
    return tensor


def slices(count: int, size: int) -> list[slice]:
    """Stretches of 0, 1, ..., count - 1, each of at most `size`."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]

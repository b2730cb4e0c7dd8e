"""What the panel draws."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Picture:
    """How often each face came."""

    counts: torch.Tensor  # (shown,)

"""What a run holds."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class State:
    """How often each face came, and how many of them are shown."""

    counts: Tensor  # (faces,)
    shown: int

    @property
    def faces(self) -> Tensor:
        """The numbers on the faces, shape (faces,)."""
        return torch.arange(1, len(self.counts) + 1, device=self.counts.device)

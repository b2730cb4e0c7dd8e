"""One root seed, many independent named streams: adding a stream does not shift another."""

from __future__ import annotations

import hashlib

import numpy as np
import torch


class Streams:
    """Random generators derived from a root seed by name.

    Parameters
    ----------
    seed : int
        The root seed, as it stands on every export.
    device : torch.device
        Where the torch generators live.
    """

    def __init__(self, seed: int, device: torch.device) -> None:
        self.seed = seed
        self.device = device
        self._generators: dict[str, torch.Generator] = {}

    def child_seed(self, name: str) -> int:
        """A 63-bit seed that depends on root seed and name alone."""
        digest = hashlib.blake2b(f"{self.seed}/{name}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little") >> 1

    def generator(self, name: str) -> torch.Generator:
        """The torch generator of this name; the same object at every call, so that its state advances."""
        if name not in self._generators:
            self._generators[name] = self.fresh(name)
        return self._generators[name]

    def fresh(self, name: str) -> torch.Generator:
        """A new torch generator of this name, at its beginning: the same numbers at every call."""
        generator = torch.Generator(device=self.device)
        generator.manual_seed(self.child_seed(name))
        return generator

    def numpy(self, name: str) -> np.random.Generator:
        """A fresh numpy generator of this name."""
        return np.random.default_rng(self.child_seed(name))

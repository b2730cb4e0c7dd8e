"""What a run of `annealing` is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from engine.labs.em.annealing.sweep import (
    Branch,
    Split,
)
from engine.math.latent.soft_kmeans import (
    Centres,
    Shape,
)


@dataclass(frozen=True, slots=True)
class State:
    """The data, and the way so far."""

    points: Tensor  # (n, d)
    shape: Shape
    temperatures: np.ndarray
    push: Tensor  # (K, d): standard normal, for the temperature asked for
    fork: float  # half distance of two centres just above the critical value
    centres: Centres
    up: Branch
    down: Branch
    splits: tuple[Split, ...] = ()
    coming: float = math.inf  # the next critical value as the present groups tell
    kmeans: float = math.nan
    step: int = 0
    known: dict[tuple[float, float, int], tuple[Centres, bool]] = field(default_factory=dict)  # the centres asked for last

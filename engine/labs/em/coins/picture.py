"""What `coins` shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.core.frames import GAPS, unit


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws."""

    half: int  # half-steps taken
    heads: np.ndarray  # (n,)
    flips: np.ndarray  # (n,)
    parameters: np.ndarray  # (3,): θ_A, θ_B and w now
    shares: np.ndarray  # (n, 2)
    counts: np.ndarray  # (n, 2 coins, 2 sides): expected heads and tails
    way: np.ndarray  # (K + 1, 3): the whole path
    log_likelihood: np.ndarray = field(metadata=unit("nat"))  # (2 K + 1,): after each half-step of the whole path
    lower_bound: np.ndarray = field(metadata=unit("nat"))  # (2 K + 1,)
    errors: np.ndarray = field(metadata=GAPS)  # (K + 1,): distance to the fixed point
    rates: np.ndarray = field(metadata=GAPS)  # (2,) or (3,)
    surface: np.ndarray = field(metadata=unit("nat"))  # (m, m): log-likelihood less the highest one; rows belong to θ_B
    hill: np.ndarray = field(metadata=unit("nat"))  # (m, m): lower bound less its peak
    maximum: np.ndarray  # (3,): by direct maximisation
    twin: bool  # the coins can be exchanged
    profile: bool  # the surface takes the best weight at every point
    identical: bool  # both coins start alike

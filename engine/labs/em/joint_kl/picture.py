"""What `joint_kl` shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.core.frames import unit


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws. X values, Z causes, k half-steps so far, a half-steps ahead."""

    data: np.ndarray  # (X,): p̃(x)
    model: np.ndarray  # (X,): p(x)
    prior: np.ndarray  # (Z,)
    conditional: np.ndarray  # (Z, X)
    coins: np.ndarray  # (Z,), or empty
    posterior: np.ndarray  # (X, Z): r(z|x)
    exact: np.ndarray  # (X, Z): p(z|x)
    completed: np.ndarray  # (X, Z): p̃(x) r(z|x)
    joint: np.ndarray  # (X, Z): p(x, z)
    terms: np.ndarray = field(metadata=unit("nat"))  # (X, Z): what each cell adds to the joint KL
    kinds: np.ndarray  # (k + 1,): 0 at the start, 1 after an E step, 2 after an M step
    marginal: np.ndarray = field(metadata=unit("nat"))  # (k + 1,): marginal KL along the way
    gap: np.ndarray = field(metadata=unit("nat"))  # (k + 1,)
    ahead_kinds: np.ndarray  # (a,): the half-steps that would follow
    ahead_marginal: np.ndarray = field(metadata=unit("nat"))  # (a,)
    ahead_gap: np.ndarray = field(metadata=unit("nat"))  # (a,)
    entropy: float  # of the data

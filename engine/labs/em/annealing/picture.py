"""What `annealing` shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.core.frames import GAPS


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws; places are along the axis of largest variance, counted from the origin of the data in 1-D."""

    temperatures: np.ndarray  # (G,)
    up: np.ndarray = field(metadata=GAPS)  # (G, K)
    down: np.ndarray = field(metadata=GAPS)  # (G, K)
    up_records: np.ndarray = field(metadata=GAPS)  # (G, 4): soft and hard distance, entropy, distinct centres
    down_records: np.ndarray = field(metadata=GAPS)  # (G, 4)
    fork_temperatures: np.ndarray  # (FORK_POINTS,)
    fork_offsets: np.ndarray  # (FORK_POINTS,): half distance of the pitchfork
    splits: np.ndarray  # (s,): critical values of groups that have split so far, after the first
    data: np.ndarray  # (n, 1 or 2)
    along: np.ndarray  # (n,): the data along the axis
    owners: np.ndarray  # (n,): the group of centres that takes most of each point
    members: np.ndarray  # (K,): the group of each centre, named after its first one
    centres: np.ndarray  # (K, 1 or 2): at the present temperature
    places: np.ndarray  # (K,): the same along the axis
    line: np.ndarray  # (GRID_POINTS,): places along the axis
    shares: np.ndarray  # (K, GRID_POINTS): responsibilities there
    hard: np.ndarray  # (GRID_POINTS,): the nearest centre's squared distance
    smooth: np.ndarray  # (GRID_POINTS,)
    mean: float
    critical: float
    temperature: float
    even: bool  # equal weights and an even number of centres: the pitchfork of two halves applies
    kmeans: float  # mean squared distance of k-means, not a number before the coldest temperature
    heating: bool

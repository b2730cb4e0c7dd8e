"""What the panel of `capacity` draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws."""

    record_vectors: np.ndarray  # (k,): numbers of vectors at the corners of the staircase
    record_values: np.ndarray  # (k,): largest |cos| so far
    vector_grid: np.ndarray  # (CURVE_POINTS,)
    max_low: np.ndarray  # (CURVE_POINTS,): 5 % quantile of the largest |cos|
    max_median: np.ndarray
    max_high: np.ndarray  # 95 %
    max_crude: np.ndarray  # the rule of thumb
    cosine_edges: np.ndarray  # (bins + 1,)
    cosine_density: np.ndarray  # (bins,)
    cosine_grid: np.ndarray
    cosine_law: np.ndarray
    dimension_grid: np.ndarray  # (d,)
    capacity_median: np.ndarray  # (d,): decimal logarithm of the number of vectors that fit
    capacity_crude: np.ndarray  # (d,): the rule of thumb
    pairs_per_height: float  # pairs in a bin of density 1
    wanted: int  # vectors that will be drawn
    drawn: int
    epsilon: float

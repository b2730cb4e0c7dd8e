"""What the panel of `orthogonality` draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Picture:
    """What the panel draws."""

    matrix: np.ndarray  # (k, k), float32: the leading columns of WᵀW, newest matrix
    entry_edges: np.ndarray  # (bins + 1,)
    entry_density: np.ndarray  # (bins,): entries of WᵀW off the diagonal
    entry_grid: np.ndarray  # (CURVE_POINTS,)
    entry_law: np.ndarray  # (CURVE_POINTS,), empty where all entries are 0
    singular_edges: np.ndarray  # (bins + 1,)
    singular_density: np.ndarray  # (bins,): of the min(m, n) singular values
    singular_grid: np.ndarray  # (CURVE_POINTS,)
    singular_law: np.ndarray  # (CURVE_POINTS,), empty where all are equal
    ratio_edges: np.ndarray  # (bins + 1,)
    ratio_density: np.ndarray  # (bins,)
    ratio_grid: np.ndarray  # (CURVE_POINTS,)
    ratio_law: np.ndarray  # (CURVE_POINTS,), empty where every input keeps its length
    eigenvalues: np.ndarray  # (n, 2): real and imaginary parts, newest matrix; empty where not computed
    distances: np.ndarray  # (3, 2): entry, input, worst input; measured and by law
    variance: float
    radius: float  # of the disk of eigenvalues
    noise: float  # deviation of an entry off the diagonal
    zeros: float  # share of the eigenvalues of WᵀW that are 0 for want of rows
    exact: bool
    exact_law: bool  # whether the curves of entry and ratio are exact
    finished: int

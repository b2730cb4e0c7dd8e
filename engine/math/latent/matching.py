"""Mixtures up to the names of their components: matching, agreement with known groups, basins of restarts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def matching_order(means: Floats, wanted: Floats) -> Indices:
    """The order of the rows of means (K, d) that brings them nearest to wanted (K, d), in the sum of squared distances."""
    cost = np.square(wanted[:, None, :] - means[None, :, :]).sum(2)
    found: Indices = linear_sum_assignment(cost)[1].astype(np.int64)
    return found


def agreement(found: Indices, known: Indices) -> float:
    """Share of points whose group is the known one, under the best pairing of names; NaN without known groups (-1)."""
    used = known >= 0
    if not used.any():
        return math.nan
    a, b = found[used], known[used]
    table = np.zeros((int(a.max()) + 1, int(b.max()) + 1))
    np.add.at(table, (a, b), 1)
    rows, columns = linear_sum_assignment(-table)
    return float(table[rows, columns].sum() / used.sum())


def basins(values: ArrayLike, tolerance: float) -> Indices:
    """Groups of final log-likelihoods no further apart than the tolerance: 0 for the best, -1 for what is no number."""
    array = np.asarray(values, float)
    found = np.full(len(array), -1, np.int64)
    order = [int(index) for index in np.argsort(-np.where(np.isfinite(array), array, -math.inf), kind="stable")]
    group, last = -1, math.inf
    for index in order:
        if not math.isfinite(array[index]):
            continue
        if group < 0 or last - array[index] > tolerance:
            group += 1
        last = array[index]
        found[index] = group
    return found


def twins(weights: Floats, means: Floats, covariances: Floats, scale: Floats) -> tuple[int, int] | None:
    """The first two components, neither of them empty, that are the same but for their weights."""
    k = len(weights)
    spread = scale[:, None] * scale
    for one in range(k):
        for other in range(one + 1, k):
            if min(weights[one], weights[other]) <= 0:
                continue
            apart = max(
                float(np.abs((means[one] - means[other]) / scale).max()),
                float(np.abs((covariances[one] - covariances[other]) / spread).max()),
            )
            if apart < 1e-12:
                return one, other
    return None

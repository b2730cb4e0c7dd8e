"""The curves of the picture of `capacity`: pure functions of the exact law."""

from __future__ import annotations

import math

import numpy as np

from engine.math.numerics.histograms import rebin_to
from engine.math.random.capacity import absolute_cosine_density, crude_max, log_capacity, max_quantile, tail

CURVE_POINTS = 241
DIMENSION_POINTS = 61
QUANTILES = (0.05, 0.5, 0.95)
CDF_POINTS = 2049
REACH = 14.0  # deviations of a cosine, beyond which nothing is left
MOST_DIGITS = 300.0  # of a number of vectors: floating-point numbers end there


def maximum_curves(vectors: int, dimension: int) -> dict[str, np.ndarray]:
    """The law of the largest |cos| while vectors are added, and the rule of thumb."""
    grid = np.geomspace(2, vectors, CURVE_POINTS) if vectors > 2 else np.array([2.0, 2.5])
    low, middle, high = (max_quantile(q, grid, dimension) for q in QUANTILES)
    return {
        "vector_grid": grid,
        "max_low": low,
        "max_median": middle,
        "max_high": high,
        "max_crude": np.minimum(crude_max(grid, dimension), 2.0),
    }


def capacity_curves(dimension: int, epsilon: float) -> dict[str, np.ndarray]:
    """Decimal logarithm of the number of vectors before the first pair exceeds ε, by dimension; and the rule of thumb."""
    last = max(8, 2 * dimension)
    grid = np.unique(np.round(np.linspace(2, last, DIMENSION_POINTS)))
    median = np.array([log_capacity(0.5, epsilon, int(n)) / math.log(10) for n in grid])
    return {
        "dimension_grid": grid,
        "capacity_median": np.minimum(median, MOST_DIGITS),
        "capacity_crude": np.minimum(grid * epsilon**2 / 4 / math.log(10), MOST_DIGITS),
    }


def cosine_curve(dimension: int, top: float) -> dict[str, np.ndarray]:
    """Density of |cos| from 0 to what the picture shows; a pole at 1 is left out."""
    grid = np.linspace(0, min(top, 1 - 1e-4), CURVE_POINTS)
    return {"cosine_grid": grid, "cosine_law": absolute_cosine_density(grid, dimension)}


def cosine_top(vectors: int, dimension: int) -> float:
    """The largest |cos| to show: a little beyond what chance lets one expect."""
    return min(1.0, 1.08 * float(max_quantile(0.95, vectors, dimension)))


def coarse_density(counts: np.ndarray, top: float, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Heights and edges of the histogram of |cos| over [0, top], from fine counts over [0, 1]."""
    binned, edges = rebin_to(counts, np.linspace(0, 1, len(counts) + 1), np.linspace(0, top, bins + 1))
    return binned / np.diff(edges) / max(1, counts.sum()), edges


def cumulative_law(dimension: int, bins: int) -> np.ndarray:
    """The distribution function of |cos| at the edges of so many equal bins of [0, 1].

    Exact at points equally spaced in the angle; straight lines between them are off by less than 4e-6.
    """
    cosines = np.sin(np.linspace(0, math.asin(min(1.0, REACH / math.sqrt(dimension))), CDF_POINTS))
    return np.interp(np.linspace(0, 1, bins + 1), cosines, 1 - tail(cosines, dimension), right=1.0)


def record_steps(records: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where a running maximum rises: numbers of vectors and values, the corners of a staircase.

    Parameters
    ----------
    records : array, shape (m,)
        Largest |cos| of each vector with all before it; 0 for the first.
    """
    running = np.maximum.accumulate(records)
    rises = np.flatnonzero(np.diff(running, prepend=0.0) > 0)
    number, value = rises + 1.0, running[rises]
    last = float(len(records))
    x = np.concatenate([np.repeat(number, 2)[1:], [last]])
    return x, np.repeat(value, 2)

"""How far counted points are from a density on a grid, and how far exact samples would be by chance.

The relative entropy of N exact samples from the cell probabilities p is not zero: it is Σ E[k ln(k/Np)]/N with k binomial,
which is (cells - 1)/2N where every cell holds many points and less where cells are empty. Here the sum is taken exactly,
with k Poisson, so that a swarm of any size can be judged on a grid of any fineness.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from engine.math.energies.density import GridDensity, PlanarCounts, coarser

Array = NDArray[np.float64]

_DENSE = 400.0  # expected points in a cell from which on the asymptotic series has twelve digits


class ChanceLevel(NamedTuple):
    """What chance does to a distance.

    Attributes
    ----------
    mean, deviation : float
        Of the distance of independent exact samples.
    """

    mean: float
    deviation: float


def kl_divergence(counts: PlanarCounts, density: GridDensity, factor: int = 1) -> float:
    """Relative entropy Σ p̂ ln(p̂/p) of counted points to the density, in nats.

    Parameters
    ----------
    counts : PlanarCounts
        On the density's own grid. All that is outside the window is one more cell.
    density : GridDensity
        p.
    factor : int
        Compare blocks of so many cells squared.

    Returns
    -------
    float
        Infinite only if points lie where U is; nan without points.
    """
    share = _shares(counts, density, factor)
    if not math.isfinite(share.sum()):
        return math.nan
    here = share > 0
    log_p = _log_coarser(density, factor)
    return max(0.0, float((share[here] * (np.log(share[here]) - log_p[here])).sum()))


def kl_by_chance(density: GridDensity, count: int, factor: int = 1) -> ChanceLevel:
    """The relative entropy that so many exact independent samples show.

    About (cells - 1)/2N where all cells are well filled.
    """
    p = _with_outside(coarser(density.probabilities, factor), density.outside)
    p = p[p > 0]
    mean, variance = _poisson_terms(count * p)
    # The total is fixed, not Poisson: one degree of freedom less.
    return ChanceLevel(max(0.0, float(mean.sum()) - 0.5) / count, math.sqrt(float(variance.sum())) / count)


def total_variation(counts: PlanarCounts, density: GridDensity, factor: int = 1) -> float:
    """Half of Σ |p̂ - p|, between 0 and 1."""
    share, p = _shares(counts, density, factor), _with_outside(coarser(density.probabilities, factor), density.outside)
    return 0.5 * float(np.abs(share - p).sum())


def total_variation_by_chance(density: GridDensity, count: int, factor: int = 1) -> ChanceLevel:
    """The total variation distance that so many exact independent samples show, by E|k - λ| of a Poisson number k."""
    rate = count * _with_outside(coarser(density.probabilities, factor), density.outside)
    rate = rate[rate > 0]
    # De Moivre: E|k - λ| = 2 e^(-λ) λ^(n+1)/n! with n the integer part of λ.
    whole = np.floor(rate)
    spread = 2 * np.exp((whole + 1) * np.log(rate) - rate - special.gammaln(whole + 1))
    variance = float(np.maximum(rate - spread**2, 0.0).sum())
    return ChanceLevel(0.5 * float(spread.sum()) / count, 0.5 * math.sqrt(variance) / count)


def wasserstein(marginal_counts: ArrayLike, probabilities: ArrayLike, width: float) -> float:
    """First Wasserstein distance ∫ |F̂ - F| of a marginal to its exact law, both within the window.

    Parameters
    ----------
    marginal_counts, probabilities : array_like, shape (cells,)
        Of the columns or of the rows; each is brought to the sum 1.
    width : float
        Of a cell.
    """
    counted, exact = np.asarray(marginal_counts, dtype=float), np.asarray(probabilities, dtype=float)
    if not counted.sum() > 0:
        return math.nan
    return float(np.abs(np.cumsum(counted / counted.sum() - exact / exact.sum())).sum() * width)


def wasserstein_by_chance(probabilities: ArrayLike, width: float, count: int) -> float:
    """Its mean for so many exact independent samples: ∫ √(2 F (1-F) / πN)."""
    exact = np.asarray(probabilities, dtype=float)
    below = np.clip(np.cumsum(exact / exact.sum()), 0.0, 1.0)
    return float(np.sqrt(2.0 * below * (1.0 - below) / (math.pi * count)).sum() * width)


def _shares(counts: PlanarCounts, density: GridDensity, factor: int) -> Array:
    """p̂ of each cell, last the outside."""
    inside = counts.inside.cpu().numpy()
    if inside.shape != density.probabilities.shape:
        raise ValueError(f"counts of {inside.shape} cells do not fit a density of {density.probabilities.shape}")
    counted = _with_outside(coarser(inside, factor), float(counts.outside))
    total = counted.sum()
    return counted / total if total > 0 else np.full_like(counted, math.nan)


def _log_coarser(density: GridDensity, factor: int) -> Array:
    """ln p of each block, last the outside; of its largest cell where the sum is too small for a number."""
    logarithms = density.log_probabilities
    if factor > 1:
        rows, columns = logarithms.shape[0] // factor, logarithms.shape[1] // factor
        largest = logarithms.reshape(rows, factor, columns, factor).max((1, 3))
        sums = coarser(density.probabilities, factor)
        with np.errstate(divide="ignore"):
            logarithms = np.where(sums > 1e-290, np.log(sums), largest)
    return np.append(logarithms.ravel(), density.log_outside)


def _with_outside(cells: NDArray[Any], outside: float) -> Array:
    return np.append(np.asarray(cells, dtype=float).ravel(), outside)


def _poisson_terms(rate: Array) -> tuple[Array, Array]:
    """Mean and variance of k ln(k/λ) - k + λ for a Poisson number k."""
    nodes, mean, variance = _poisson_table()
    at = np.log(np.clip(rate, 1e-300, None))
    small_mean = rate * -at
    inside_mean, inside_variance = np.interp(at, nodes, mean), np.interp(at, nodes, variance)
    dense = rate > _DENSE
    sparse = at < nodes[0]
    result = np.where(dense, 0.5 + 1 / (12 * np.maximum(rate, 1.0)), np.where(sparse, small_mean, inside_mean))
    spread = np.where(dense, 0.5, np.where(sparse, rate * (at + 1.0) ** 2, inside_variance))
    return result, spread


@lru_cache(maxsize=1)
def _poisson_table() -> tuple[Array, Array, Array]:
    """ln λ, mean and variance for λ from 1e-8 to `_DENSE`, by summing over k."""
    nodes = np.linspace(math.log(1e-8), math.log(_DENSE), 600)
    rate = np.exp(nodes)[:, None]
    k = np.arange(int(_DENSE + 12 * math.sqrt(_DENSE)))[None, :]
    probability = np.exp(k * np.log(rate) - rate - special.gammaln(k + 1))
    term = special.xlogy(k, k / rate) - k + rate
    mean = (probability * term).sum(1)
    return nodes, mean, (probability * term**2).sum(1) - mean**2


__all__ = [
    "ChanceLevel",
    "kl_by_chance",
    "kl_divergence",
    "total_variation",
    "total_variation_by_chance",
    "wasserstein",
    "wasserstein_by_chance",
]

"""How many nearly perpendicular vectors fit: the law of the largest |cosine| among m random directions in R^n.

The m (m-1)/2 pairs are pairwise independent, each with the exact tail p(t) = P(|cos| > t). The number of pairs above t is
therefore nearly Poisson where it is small (Chen and Stein), and the largest |cosine| has distribution function
(1 - p(t))^(m (m-1)/2). Read the other way, m directions stay within t of perpendicular as long as m² p(t) / 2 is below ln 2:
their number grows like exp(n t²/4).

References
----------
Cai, Fan, Jiang (2013), Distributions of angles in random packing on spheres, JMLR 14.
Arratia, Goldstein, Gordon (1989), Two moments suffice for Poisson approximations: the Chen-Stein method.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import special
from torch import Tensor

from engine.math.random.angles import subspace_angle_quantile

Array = NDArray[np.float64]

_SMALLEST = 1e-250  # of a tail that the incomplete beta function gives without underflow
_TERMS = 4000


def tail(t: ArrayLike, n: int) -> Array:
    """Probability p(t) = I_{1-t²}((n-1)/2, 1/2) that |cos| of two random directions exceeds t."""
    cosine = np.clip(np.asarray(t, dtype=float), 0.0, 1.0)
    sine2 = (1.0 - cosine) * (1.0 + cosine)
    near = special.betainc(0.5 * (n - 1), 0.5, sine2)
    found: Array = np.where(cosine**2 < 0.5, special.betaincc(0.5, 0.5 * (n - 1), cosine**2), near)
    return found


def log_tail(t: float, n: int) -> float:
    """ln p(t) for 0 <= t < 1, far below the range of floating-point numbers too.

    With u = 1 - t² and a = (n-1)/2: p = u^a t / (a B(a, 1/2)) · Σ_k u^k Π_{j<k} (a + 1/2 + j) / (a + 1 + j).
    """
    probability = float(tail(t, n))
    if probability > _SMALLEST:
        return math.log(probability)
    a, u = 0.5 * (n - 1), (1.0 - t) * (1.0 + t)
    j = np.arange(_TERMS)
    series = 1.0 + float(np.cumprod(u * (a + 0.5 + j) / (a + 1.0 + j)).sum())
    return a * math.log(u) + math.log(t * series / a) - float(special.betaln(a, 0.5))


def absolute_cosine_density(t: ArrayLike, n: int) -> Array:
    """Density 2 (1-t²)^((n-3)/2) / B(1/2, (n-1)/2) of |cos| on [0, 1)."""
    cosine = np.asarray(t, dtype=float)
    logarithm = 0.5 * (n - 3) * np.log1p(-(cosine**2)) - special.betaln(0.5, 0.5 * (n - 1))
    found: Array = 2.0 * np.exp(logarithm)
    return found


def max_quantile(q: ArrayLike, vectors: ArrayLike, n: int) -> Array:
    """What the largest |cos| among so many directions stays below with probability q: p(t) = 1 - q^(2/(m (m-1)))."""
    m = np.asarray(vectors, dtype=float)
    exceed = -np.expm1(2.0 * np.log(np.asarray(q, dtype=float)) / (m * (m - 1.0)))
    return np.cos(subspace_angle_quantile(exceed, n, 1))


def crude_max(vectors: ArrayLike, n: int) -> Array:
    """√(4 ln m / n), from P(|cos| > t) ~ exp(-n t²/2) and m²/2 pairs; above 1 it says nothing.

    The similar √(2 ln m / n) belongs to one vector against m others.
    """
    found: Array = np.sqrt(4.0 * np.log(np.asarray(vectors, dtype=float)) / n)
    return found


def log_capacity(q: float, t: float, n: int) -> float:
    """ln of the number of directions among which a first pair exceeds t with probability q."""
    return log_vectors(q, log_tail(t, n))


def log_vectors(q: float, log_p: float) -> float:
    """ln of the number m of vectors with m (m-1)/2 = ln(1-q) / ln(1-p): a first pair is hit with probability q, each with p."""
    p = math.exp(log_p)
    hazard = -math.log1p(-p) if p < 1.0 else math.inf
    log_pairs = math.log(-math.log1p(-q)) - (math.log(hazard) if hazard > 0.0 else log_p)
    if log_pairs > 60.0:  # m² is m (m-1) to all digits
        return 0.5 * (math.log(2.0) + log_pairs)
    return math.log(0.5 + math.sqrt(0.25 + 2.0 * math.exp(log_pairs)))


def poisson_margin(mean: float, deviations: float) -> float:
    """How far a Poisson number strays from its mean: z √λ, and z²/2 for the long tail of small means."""
    return deviations * math.sqrt(mean) + 0.5 * deviations**2


def unit_rows(matrix: Tensor) -> Tensor:
    """The rows divided by their lengths."""
    found: Tensor = matrix / torch.linalg.vector_norm(matrix, dim=1, keepdim=True)
    return found


def count_absolute(cosines: Tensor, bins: int) -> Tensor:
    """How many of these cosines have their absolute value in each of so many equal bins of [0, 1], shape (bins,), int64."""
    places = (cosines.abs() * bins).clamp_(max=bins - 1).to(torch.int32)
    return torch.bincount(places, minlength=bins)

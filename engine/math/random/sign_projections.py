"""Signs of random projections: the angle between two vectors, told by how many of their signs differ.

A hyperplane through the origin with a uniformly random normal separates two vectors with probability θ/π, whatever the
dimension. Hence E [sign(⟨w,x⟩) sign(⟨w,y⟩)] = 1 - 2θ/π; with b independent hyperplanes the number of signs that differ is
binomial, and π times its share estimates the angle.

References
----------
Grothendieck (1953), Résumé de la théorie métrique des produits tensoriels topologiques. Goemans & Williamson (1995), Improved
approximation algorithms for maximum cut, J. ACM 42. Charikar (2002), Similarity estimation techniques from rounding algorithms.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from torch import Tensor

Array = NDArray[np.float64]


def separation(theta: ArrayLike) -> Array:
    """Probability θ/π that a random hyperplane separates two vectors at the angle θ, radians from 0 to π."""
    return np.asarray(theta, dtype=float) / math.pi


def sign_product(theta: ArrayLike) -> Array:
    """E sign(⟨w,x⟩) sign(⟨w,y⟩) = 1 - 2θ/π."""
    return 1.0 - 2.0 * separation(theta)


def hamming_law(theta: float, bits: int) -> Array:
    """Probabilities of 0, 1, ..., `bits` differing signs, shape (bits + 1,)."""
    found: Array = stats.binom(bits, separation(theta)).pmf(np.arange(bits + 1))
    return found


def estimate_variance(theta: float, bits: ArrayLike) -> Array:
    """Variance θ (π - θ) / b of the estimate π H / b of the angle, in radians²."""
    return theta * (math.pi - theta) / np.asarray(bits, dtype=float)


def estimate_fourth_moment(theta: float, bits: int) -> float:
    """Fourth central moment of the estimate, (π/b)⁴ b p q (1 + 3 (b - 2) p q), in radians⁴."""
    p = theta / math.pi
    pq = p * (1 - p)
    return (math.pi / bits) ** 4 * bits * pq * (1 + 3 * (bits - 2) * pq)


def orthonormal_pairs(count: int, dimension: int, generator: torch.Generator, device: torch.device) -> tuple[Tensor, Tensor]:
    """Random directions and, for each, one perpendicular to it; two tensors of shape (count, dimension)."""
    first, second = torch.randn((2, count, dimension), generator=generator, device=device)
    first = first / first.norm(dim=1, keepdim=True)
    for _ in range(2):  # once leaves a rounding error, large where the two are nearly parallel; twice is enough
        second = second - (first * second).sum(dim=1, keepdim=True) * first
        second = second / second.norm(dim=1, keepdim=True)
    return first, second


def sign_differs(along: Tensor, across: Tensor, theta: float) -> Tensor:
    """Whether a hyperplane separates x and cos θ x + sin θ u, from its products with x and with u; same shape, bool."""
    return (along > 0) != (math.cos(theta) * along + math.sin(theta) * across > 0)

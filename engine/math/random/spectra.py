"""Spectra of random matrices: limit laws of singular values, laws of one entry and one input, and two algorithms.

W has m rows and n columns with independent entries. Of the two sides, r is the smaller one, R the larger one, and
c = r/R <= 1 the aspect. The laws of whole matrices that follow from these densities stand in `engine.math.random.matrix_laws`.

References
----------
Marchenko, Pastur (1967), Distribution of eigenvalues for some sets of random matrices.
Golub, Welsch (1969), Calculation of Gauss quadrature rules.
Mezzadri (2007), How to generate random matrices from the classical compact groups.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import special
from torch import Tensor

Array = NDArray[np.float64]

_NODES = 64  # of Gauss and Legendre, for a smooth integrand
_BESSEL_ROWS = 60  # up to here the law of an inner product is a Bessel function, beyond it a mixture of normal laws


# --------------------------------------------------------------------------------------------------------------------
# Quarter circle and Marchenko-Pastur, on the scale where every entry has variance 1/R


def singular_density(s: ArrayLike, aspect: float) -> Array:
    """Limit density √((b² - s²)(s² - a²)) / (π c s) of the singular values, on a = 1 - √c <= s <= b = 1 + √c.

    For c = 1 it is the quarter circle √(4 - s²) / π.
    """
    low, high = edges(aspect)
    value = np.asarray(s, dtype=float)
    inside = (value >= low) & (value <= high)
    shown = np.where(inside & (value > 0.0), value, high)  # at 0 only the quarter circle has a density
    root = np.sqrt(np.maximum(high**2 - np.where(inside, value, high) ** 2, 0.0) * np.maximum(1.0 - (low / shown) ** 2, 0.0))
    found: Array = root / (math.pi * aspect)
    return found


def singular_cdf(s: ArrayLike, aspect: float) -> Array:
    """Probability of a singular value of at most s, in closed form.

    With p = √(s²-a²) and q = √(b²-s²) it is (p q + 2 (1+c) atan(p/q) - 2 (1-c) atan(b p / a q)) / (2π c).
    """
    low, high = edges(aspect)
    value = np.clip(np.asarray(s, dtype=float), low, high)
    p, q = np.sqrt((value - low) * (value + low)), np.sqrt((high - value) * (high + value))
    whole = 2.0 * (1.0 + aspect) * np.arctan2(p, q) - 2.0 * (1.0 - aspect) * np.arctan2(high * p, low * q)
    found: Array = np.clip((p * q + whole) / (2.0 * math.pi * aspect), 0.0, 1.0)
    return found


def edges(aspect: float) -> tuple[float, float]:
    """The ends 1 - √c and 1 + √c of the singular values."""
    if not 0.0 < aspect <= 1.0:
        raise ValueError(f"aspect {aspect} is outside (0, 1]")
    return 1.0 - math.sqrt(aspect), 1.0 + math.sqrt(aspect)


def mean_singular(aspect: float) -> float:
    """Mean singular value ₂F₁(-½, ½; 2; c), the moment of order ½ in the formula for all moments of the law of s².

    8/(3π) for the quarter circle.
    """
    return float(special.hyp2f1(-0.5, 0.5, 2.0, aspect))


# --------------------------------------------------------------------------------------------------------------------
# One entry of WᵀW, one input


def inner_product_density(t: ArrayLike, m: int, variance: float) -> Array:
    """Density of the inner product of two independent vectors of m normal entries of the given variance v.

    |t/2v|^((m-1)/2) K_((m-1)/2)(|t|/v) / (v √π Γ(m/2)) with the Bessel function K; given the norm of one vector the product
    is normal, so that for large m the law is a smooth mixture of normal laws over χ² with m degrees of freedom.
    """
    z = np.abs(np.asarray(t, dtype=float)) / variance
    if m <= _BESSEL_ROWS:
        z = np.maximum(z, 1e-6 * math.sqrt(m))  # for m = 1 the density has a pole at 0
        order = 0.5 * (m - 1)
        logarithm = order * np.log(0.5 * z) + np.log(special.kve(order, z)) - z - math.lgamma(0.5 * m)
        closed: Array = np.exp(logarithm) / (variance * math.sqrt(math.pi))
        return closed
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    reach = 9.0 * math.sqrt(2.0 * m)
    square = np.maximum(m + reach * nodes, 1e-3 * m)  # of the norm
    logarithm = (0.5 * m - 1.0) * np.log(square / m) - 0.5 * (square - m)
    mass = weights * np.exp(logarithm - logarithm.max())
    mass /= mass.sum()
    deviation = np.sqrt(square)
    normal = np.exp(-0.5 * (z[..., None] / deviation) ** 2) / (deviation * math.sqrt(2.0 * math.pi))
    found: Array = (normal @ mass) / variance
    return found


def ratio_density(t: ArrayLike, mean: float, variance: float) -> Array:
    """Gamma density with this mean and variance: for gaussian entries exactly the law g χ²_m/m of ‖Wx‖²/‖x‖²."""
    shape, scale = mean**2 / variance, variance / mean
    z = np.maximum(np.asarray(t, dtype=float), 0.0) / scale
    with np.errstate(divide="ignore"):
        logarithm = special.xlogy(shape - 1.0, z) - z - special.gammaln(shape)
    found: Array = np.exp(logarithm) / scale
    return found


# --------------------------------------------------------------------------------------------------------------------
# Matrices


def random_orthonormal(tall: Tensor) -> Tensor:
    """The uniformly random orthonormal columns behind a tall gaussian matrix: Q of its QR with the signs of R's diagonal.

    Without the signs Q would depend on the convention of the algorithm (Mezzadri 2007).
    """
    q, r = torch.linalg.qr(tall)
    found: Tensor = q * torch.sign(torch.diagonal(r))
    return found


def lanczos(matrix: Tensor, start: Tensor, steps: int, pause: Callable[[], None] = lambda: None) -> tuple[Array, Array]:
    """Gauss quadrature of the spectrum of AᵀA as one vector sees it: nodes and weights.

    k steps of Lanczos (1950) with full reorthogonalisation, in 2 k products with A. The extreme nodes approach the extreme
    eigenvalues from inside, and Σ wᵢ f(λᵢ) estimates the mean of f over the spectrum (Golub and Welsch 1969).

    Parameters
    ----------
    matrix : Tensor, shape (R, r)
        A.
    start : Tensor, shape (r,)
        Start, not zero; random for an estimate of the whole spectrum.
    steps : int
        k; fewer are taken where the vectors span an invariant subspace.
    pause : callable
        Called before each step; may raise to stop.

    Returns
    -------
    nodes, weights : array, shape (k,)
        Ascending nodes λ >= 0, weights of sum 1.
    """
    basis = [start / torch.linalg.vector_norm(start)]
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(min(steps, matrix.shape[1])):
        pause()
        image = matrix.mT @ (matrix @ basis[-1])
        diagonal.append(float(torch.dot(image, basis[-1])))  # device sync
        known = torch.stack(basis)
        for _ in range(2):  # twice is enough
            image = image - known.mT @ (known @ image)
        length = float(torch.linalg.vector_norm(image))  # device sync
        if length <= 1e-7 * max(diagonal):
            break
        beside.append(length)
        basis.append(image / length)
    size = len(diagonal)
    tridiagonal = np.diag(diagonal) + np.diag(beside[: size - 1], 1) + np.diag(beside[: size - 1], -1)
    nodes, vectors = np.linalg.eigh(tridiagonal)
    return np.maximum(nodes, 0.0), vectors[0] ** 2

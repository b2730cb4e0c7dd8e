"""Random matrices: how near WᵀW is to the identity, entry by entry, for one input, and for the worst input.

Throughout, W has m rows and n columns, entries of mean 0, variance v and kurtosis κ, and g = m v is its gain: the mean of
‖Wx‖²/‖x‖². Of the two sides, r is the smaller one, R the larger one, and c = r/R <= 1 the aspect. The r singular values
are those of the usual decomposition; WᵀW has n - m further eigenvalues 0 where m < n.

References
----------
Marchenko, Pastur (1967), Distribution of eigenvalues for some sets of random matrices.
Edelman (1988), Eigenvalues and condition numbers of random matrices.
Johnstone (2001), On the distribution of the largest eigenvalue in principal components analysis.
Bai, Silverstein (2004), CLT for linear spectral statistics of large-dimensional sample covariance matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import special
from torch import Tensor

Array = NDArray[np.float64]

_NODES = 256  # of Gauss and Legendre, for smooth integrands
_BESSEL_ROWS = 60  # up to here the law of an inner product is a Bessel function, beyond it a mixture of normal laws


# --------------------------------------------------------------------------------------------------------------------
# Quarter circle and Marchenko-Pastur, on the scale where every entry has variance 1/R


def singular_density(s: ArrayLike, aspect: float) -> Array:
    """Limit density √((b² - s²)(s² - a²)) / (π c s) of the singular values, on a = 1 - √c <= s <= b = 1 + √c.

    For c = 1 it is the quarter circle √(4 - s²) / π.
    """
    low, high = edges(aspect)
    value = np.asarray(s, dtype=float)
    inside = (value > low) & (value < high)
    square = np.where(inside, value, 1.0) ** 2
    root = np.sqrt(np.maximum((high**2 - square) * (square - low**2), 0.0))
    return np.where(inside, root / (math.pi * aspect * np.sqrt(square)), 0.0)


def singular_cdf(s: ArrayLike, aspect: float) -> Array:
    """Probability of a singular value of at most s, in closed form.

    With x = s², the primitive of √((b²-x)(x-a²))/x is the root itself plus (1+c) arcsin u - (1-c) arcsin w, where
    u = (x-1-c)/(2√c) and w = ((1+c) x - (1-c)²)/(2√c x).
    """
    low, high = edges(aspect)
    x = np.clip(np.asarray(s, dtype=float), low, high) ** 2
    root = np.sqrt(np.maximum((high**2 - x) * (x - low**2), 0.0))
    width, gap = 2.0 * math.sqrt(aspect), 1.0 - aspect
    upper = np.arcsin(np.clip((x - 1.0 - aspect) / width, -1.0, 1.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        lower = np.arcsin(np.clip(((1.0 + aspect) * x - gap**2) / (width * x), -1.0, 1.0)) if gap > 0.0 else 0.0
    half_pi = 0.5 * math.pi
    total = root + (1.0 + aspect) * (upper + half_pi) - gap * (lower + half_pi)
    return np.clip(total / (2.0 * math.pi * aspect), 0.0, 1.0)


def edges(aspect: float) -> tuple[float, float]:
    """The ends 1 - √c and 1 + √c of the singular values."""
    if not 0.0 < aspect <= 1.0:
        raise ValueError(f"aspect {aspect} is outside (0, 1]")
    return 1.0 - math.sqrt(aspect), 1.0 + math.sqrt(aspect)


@lru_cache(maxsize=256)
def mean_singular(aspect: float) -> float:
    """Mean singular value; 8/(3π) for the quarter circle.

    With s² = 1 + c + 2 √c cos φ the mean of f(s) is (2/π) ∫ sin² φ f(s)/s² dφ over [0, π].
    """
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    phi = 0.5 * math.pi * (nodes + 1.0)
    half = np.sin(0.5 * phi)  # s² = (1 + √c)² - 4 √c sin² (φ/2), without cancellation near the lower end
    squares = (1.0 - math.sqrt(aspect)) ** 2 + 4.0 * math.sqrt(aspect) * (1.0 - half**2)
    return float(weights @ (np.sin(phi) ** 2 / np.sqrt(squares)))


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
        return np.exp(logarithm) / (variance * math.sqrt(math.pi))
    nodes, weights = np.polynomial.legendre.leggauss(64)
    reach = 9.0 * math.sqrt(2.0 * m)
    square = np.maximum(m + reach * nodes, 1e-3 * m)  # of the norm
    logarithm = (0.5 * m - 1.0) * np.log(square / m) - 0.5 * (square - m)
    mass = weights * np.exp(logarithm - logarithm.max())
    mass /= mass.sum()
    deviation = np.sqrt(square)
    normal = np.exp(-0.5 * (z[..., None] / deviation) ** 2) / (deviation * math.sqrt(2.0 * math.pi))
    return (normal @ mass) / variance


def ratio_density(t: ArrayLike, mean: float, variance: float) -> Array:
    """Gamma density with this mean and variance: for gaussian entries exactly the law g χ²_m/m of ‖Wx‖²/‖x‖²."""
    shape, scale = mean**2 / variance, variance / mean
    z = np.maximum(np.asarray(t, dtype=float), 0.0) / scale
    with np.errstate(divide="ignore"):
        logarithm = special.xlogy(shape - 1.0, z) - z - special.gammaln(shape)
    return np.exp(logarithm) / scale


# --------------------------------------------------------------------------------------------------------------------
# Laws of matrices


class MatrixLaw(Protocol):
    """What is known of ‖WᵀW - I‖, the singular values and ‖Wx‖² before a matrix is drawn.

    The spreads say how far one matrix may stray: standard deviations where a limit theorem gives them, else generous
    bounds of the order that the theory of the edges of spectra gives.
    """

    rows: int
    columns: int
    variance: float

    @property
    def mse(self) -> float:
        """Mean squared entry of WᵀW - I, exactly."""

    @property
    def frobenius_deviation(self) -> float:
        """Standard deviation of ‖WᵀW - I‖²_F over matrices."""

    @property
    def off_diagonal_variance(self) -> float:
        """Variance of an entry of WᵀW off the diagonal."""

    @property
    def smallest(self) -> float:
        """Limit of the smallest singular value."""

    @property
    def largest(self) -> float:
        """Limit of the largest singular value."""

    @property
    def smallest_spread(self) -> float:
        """How far the smallest singular value may be from its limit."""

    @property
    def largest_spread(self) -> float:
        """How far the largest singular value may be from its limit."""

    @property
    def mean_singular(self) -> float:
        """Limit of the mean singular value."""

    @property
    def ratio_variance(self) -> float:
        """Variance of ‖Wx‖²/‖x‖² for a direction x drawn at random, over x and W, exactly."""

    def ratio_mean_deviation(self, inputs: int) -> float:
        """Standard deviation of the mean ratio of so many random directions under one matrix, exactly."""

    def ratio_variance_deviation(self, inputs: int) -> float:
        """Standard deviation of the mean squared deviation of the ratio from its mean, under one matrix."""


def gain(law: MatrixLaw) -> float:
    """Mean g = m v of ‖Wx‖²/‖x‖²."""
    return law.rows * law.variance


def missing_rank(law: MatrixLaw) -> int:
    """How many eigenvalues of WᵀW are 0 because W has fewer rows than columns."""
    return max(0, law.columns - law.rows)


def operator_error(law: MatrixLaw) -> float:
    """Limit of ‖WᵀW - I‖₂: the edge of the spectrum that is farther from 1, and at least 1 where rank is missing."""
    worst = max(abs(law.largest**2 - 1.0), abs(law.smallest**2 - 1.0))
    return max(worst, 1.0) if missing_rank(law) else worst


def operator_spread(law: MatrixLaw) -> float:
    """How far ‖WᵀW - I‖₂ may be from its limit: both edges count, squared."""
    upper = law.largest_spread * (2.0 * law.largest + law.largest_spread)
    lower = law.smallest_spread * (2.0 * law.smallest + law.smallest_spread)
    return max(upper, lower)


@dataclass(frozen=True, slots=True)
class IndependentLaw:
    """A matrix of independent entries.

    Attributes
    ----------
    rows, columns : int
        m and n.
    variance, kurtosis : float
        v and κ of the entries, which have mean 0 and a symmetric law.
    """

    rows: int
    columns: int
    variance: float
    kurtosis: float = 3.0

    @property
    def mse(self) -> float:
        """(m v² (n + κ - 2) + (m v - 1)²) / n; for v = 1/m this is (n + κ - 2)/(m n).

        Off the diagonal E⟨wᵢ, wⱼ⟩² = m v²; on it E(‖wᵢ‖² - 1)² = m v² (κ - 1) + (m v - 1)².
        """
        m, n, v = self.rows, self.columns, self.variance
        return (m * v * v * (n + self.kurtosis - 2.0) + (m * v - 1.0) ** 2) / n

    @property
    def frobenius_deviation(self) -> float:
        """√Var(tr G² - 2 tr G) for G = WᵀW, by the limit theorem of Bai and Silverstein (2004) with y = n/m.

        Var tr G = (κ-1) y g², Cov(tr G², tr G) = (4 y (1+y) + 2 (κ-3) y (1+y)) g³ and
        Var tr G² = (4 y (2 + 5 y + 2 y²) + 4 (κ-3) y (1+y)²) g⁴; 4 y² + 4 (κ-1) y³ for g = 1.
        """
        y, g, excess = self.columns / self.rows, gain(self), self.kurtosis - 3.0
        first = (2.0 + excess) * y
        mixed = (4.0 + 2.0 * excess) * y * (1.0 + y)
        second = 4.0 * y * (2.0 + 5.0 * y + 2.0 * y * y) + 4.0 * excess * y * (1.0 + y) ** 2
        return math.sqrt(max(0.0, g**4 * second - 4.0 * g**3 * mixed + 4.0 * g**2 * first))

    @property
    def off_diagonal_variance(self) -> float:
        """m v²."""
        return self.rows * self.variance**2

    @property
    def smallest(self) -> float:
        """√v (√R - √r)."""
        return self._scale * edges(self.aspect)[0]

    @property
    def largest(self) -> float:
        """√v (√R + √r)."""
        return self._scale * edges(self.aspect)[1]

    @property
    def largest_spread(self) -> float:
        """Six units of Tracy and Widom, and a shift of order (κ-3)/r that they do not know of.

        Their law has mean -1.2 and deviation 1.3 in units of v (√R + √r)(1/√R + 1/√r)^(1/3) of the eigenvalue.
        """
        root_r, root_R = math.sqrt(self._sides[0]), math.sqrt(self._sides[1])
        unit = 0.5 * (1.0 / root_R + 1.0 / root_r) ** (1.0 / 3.0)
        return math.sqrt(self.variance) * (6.0 * unit + abs(self.kurtosis - 3.0) / root_r)

    @property
    def smallest_spread(self) -> float:
        """The same at the lower edge, and four units √(v/r) of Edelman (1988), all that is left of it for m = n."""
        root_r, root_R = math.sqrt(self._sides[0]), math.sqrt(self._sides[1])
        unit = 0.5 * (1.0 / root_r - 1.0 / root_R) ** (1.0 / 3.0)
        return math.sqrt(self.variance) * (6.0 * unit + (4.0 + abs(self.kurtosis - 3.0)) / root_r)

    @property
    def mean_singular(self) -> float:
        """That of the law of Marchenko and Pastur."""
        return self._scale * mean_singular(self.aspect)

    @property
    def ratio_variance(self) -> float:
        """(g²/m) (2 + 3 (κ-3)/(n+2)): a fixed unit x has variance (g²/m) (2 + (κ-3) Σ xⱼ⁴), and E Σ xⱼ⁴ = 3/(n+2)."""
        return gain(self) ** 2 / self.rows * (2.0 + 3.0 * (self.kurtosis - 3.0) / (self.columns + 2.0))

    def ratio_mean_deviation(self, inputs: int) -> float:
        """The mean over all x is tr WᵀW / n, of variance (κ-1) g²/(m n); the rest shrinks with the number of inputs."""
        return math.sqrt(self._between + self._within / inputs)

    def ratio_variance_deviation(self, inputs: int) -> float:
        """Sampling error within one matrix, that of its own spread (a linear spectral statistic), and that of its mean."""
        y, least = self.columns / self.rows, min(self.rows, self.columns)
        sampling = self._within**2 * (2.0 + 24.0 / least) / inputs
        own = self._within**2 * (4.0 + 4.0 * (self.kurtosis - 1.0) * y) / self.columns**2
        return math.sqrt(sampling + own + (2.0 + 12.0 / least) * self._between**2)

    @property
    def aspect(self) -> float:
        """c = r/R."""
        return self._sides[0] / self._sides[1]

    def singular_density(self, s: ArrayLike) -> Array:
        """Limit density of the r singular values."""
        return singular_density(np.asarray(s, dtype=float) / self._scale, self.aspect) / self._scale

    def singular_cdf(self, s: ArrayLike) -> Array:
        """Limit distribution function of the r singular values."""
        return singular_cdf(np.asarray(s, dtype=float) / self._scale, self.aspect)

    @property
    def _sides(self) -> tuple[int, int]:
        return min(self.rows, self.columns), max(self.rows, self.columns)

    @property
    def _scale(self) -> float:
        """√(v R): the unit of the singular values."""
        return math.sqrt(self.variance * self._sides[1])

    @property
    def _between(self) -> float:
        """Variance over matrices of the mean ratio."""
        return (self.kurtosis - 1.0) * gain(self) ** 2 / (self.rows * self.columns)

    @property
    def _within(self) -> float:
        """Mean over matrices of the variance of the ratio under one of them."""
        return max(0.0, self.ratio_variance - self._between)


@dataclass(frozen=True, slots=True)
class OrthogonalLaw:
    """√(v R) times a uniformly random matrix with orthonormal columns (m >= n) or rows (m <= n); its entries have variance v.

    All r singular values are √(v R). WᵀW is v R times the projection on a random subspace of dimension r.
    """

    rows: int
    columns: int
    variance: float

    @property
    def mse(self) -> float:
        """(r (v R - 1)² + n - r) / n², for every single matrix."""
        rank, n = min(self.rows, self.columns), self.columns
        return (rank * (self._square - 1.0) ** 2 + n - rank) / n**2

    @property
    def frobenius_deviation(self) -> float:
        """0."""
        return 0.0

    @property
    def off_diagonal_variance(self) -> float:
        """(v R)² r (n - r) / ((n-1) n (n+2)), from tr P² = r and P_ii of the law Beta(r/2, (n-r)/2)."""
        rank, n = min(self.rows, self.columns), self.columns
        return self._square**2 * rank * (n - rank) / ((n - 1) * n * (n + 2))

    @property
    def smallest(self) -> float:
        """√(v R)."""
        return math.sqrt(self._square)

    @property
    def largest(self) -> float:
        """√(v R)."""
        return math.sqrt(self._square)

    @property
    def mean_singular(self) -> float:
        """√(v R)."""
        return math.sqrt(self._square)

    @property
    def smallest_spread(self) -> float:
        """Rounding."""
        return 1e-5 * self.largest

    @property
    def largest_spread(self) -> float:
        """Rounding."""
        return 1e-5 * self.largest

    @property
    def ratio_variance(self) -> float:
        """(v R)² times the variance 2 r (n-r) / (n² (n+2)) of the law Beta(r/2, (n-r)/2)."""
        rank, n = min(self.rows, self.columns), self.columns
        return self._square**2 * 2.0 * rank * (n - rank) / (n * n * (n + 2))

    def ratio_mean_deviation(self, inputs: int) -> float:
        """Independent inputs under any one matrix, and rounding."""
        return math.sqrt(self.ratio_variance / inputs) + 1e-6 * gain(self)

    def ratio_variance_deviation(self, inputs: int) -> float:
        """Independent values of a law whose kurtosis is below 3 + 12/r, and rounding."""
        factor = 2.0 + 12.0 / min(self.rows, self.columns)
        return self.ratio_variance * math.sqrt(factor / inputs) + 1e-9 * gain(self) ** 2

    @property
    def _square(self) -> float:
        return self.variance * max(self.rows, self.columns)


# --------------------------------------------------------------------------------------------------------------------
# Matrices


def random_orthonormal(tall: Tensor) -> Tensor:
    """The uniformly random orthonormal columns behind a tall gaussian matrix: Q of its QR with the signs of R's diagonal.

    Without the signs Q would depend on the convention of the algorithm (Mezzadri 2007, How to generate random matrices from
    the classical compact groups).
    """
    q, r = torch.linalg.qr(tall)
    return q * torch.sign(torch.diagonal(r))


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

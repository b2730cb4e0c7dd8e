"""Laws of random matrices: how near WᵀW is to the identity, entry by entry, for one input, and for the worst input.

Throughout, W has m rows and n columns, entries of mean 0, variance v and kurtosis κ, and g = m v is its gain: the mean of
‖Wx‖²/‖x‖². Of the two sides, r is the smaller one, R the larger one, and c = r/R <= 1 the aspect. The r singular values
are those of the usual decomposition; WᵀW has n - m further eigenvalues 0 where m < n.

References
----------
Edelman (1988), Eigenvalues and condition numbers of random matrices.
Johnstone (2001), On the distribution of the largest eigenvalue in principal components analysis.
Bai, Silverstein (2004), CLT for linear spectral statistics of large-dimensional sample covariance matrices.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from engine.math.random.spectra import Array, edges, mean_singular, singular_cdf, singular_density


@dataclass(frozen=True, slots=True)
class MatrixLaw(ABC):
    """What is known of ‖WᵀW - I‖, the singular values and ‖Wx‖² before a matrix is drawn.

    The spreads say how far one matrix may stray: standard deviations where a limit theorem gives them, else generous
    bounds of the order that the theory of the edges of spectra gives.

    Attributes
    ----------
    rows, columns : int
        m and n.
    variance : float
        v of the entries, which have mean 0 and a symmetric law.
    """

    rows: int
    columns: int
    variance: float

    @property
    def gain(self) -> float:
        """Mean g = m v of ‖Wx‖²/‖x‖²."""
        return self.rows * self.variance

    @property
    def sides(self) -> tuple[int, int]:
        """r and R."""
        return min(self.rows, self.columns), max(self.rows, self.columns)

    @property
    def missing_rank(self) -> int:
        """How many eigenvalues of WᵀW are 0 because W has fewer rows than columns."""
        return max(0, self.columns - self.rows)

    @property
    def operator_error(self) -> float:
        """Limit of ‖WᵀW - I‖₂: the edge of the spectrum that is farther from 1, and at least 1 where rank is missing."""
        worst = max(abs(self.largest**2 - 1.0), abs(self.smallest**2 - 1.0))
        return max(worst, 1.0) if self.missing_rank else worst

    @property
    def operator_spread(self) -> float:
        """How far ‖WᵀW - I‖₂ may be from its limit: both edges count, squared."""
        upper = self.largest_spread * (2.0 * self.largest + self.largest_spread)
        lower = self.smallest_spread * (2.0 * self.smallest + self.smallest_spread)
        return max(upper, lower)

    @property
    @abstractmethod
    def mse(self) -> float:
        """Mean squared entry of WᵀW - I, exactly."""

    @property
    @abstractmethod
    def frobenius_deviation(self) -> float:
        """Standard deviation of ‖WᵀW - I‖²_F over matrices."""

    @property
    @abstractmethod
    def off_diagonal_variance(self) -> float:
        """Variance of an entry of WᵀW off the diagonal."""

    @property
    @abstractmethod
    def smallest(self) -> float:
        """Limit of the smallest singular value."""

    @property
    @abstractmethod
    def largest(self) -> float:
        """Limit of the largest singular value."""

    @property
    @abstractmethod
    def smallest_spread(self) -> float:
        """How far the smallest singular value may be from its limit."""

    @property
    @abstractmethod
    def largest_spread(self) -> float:
        """How far the largest singular value may be from its limit."""

    @property
    @abstractmethod
    def mean_singular(self) -> float:
        """Limit of the mean singular value."""

    @property
    @abstractmethod
    def ratio_variance(self) -> float:
        """Variance of ‖Wx‖²/‖x‖² for a direction x drawn at random, over x and W, exactly."""

    @abstractmethod
    def ratio_mean_deviation(self, inputs: int) -> float:
        """Standard deviation of the mean ratio of so many random directions under one matrix, exactly."""

    @abstractmethod
    def ratio_variance_deviation(self, inputs: int) -> float:
        """Standard deviation of the mean squared deviation of the ratio from its mean, under one matrix."""


@dataclass(frozen=True, slots=True)
class IndependentLaw(MatrixLaw):
    """A matrix of independent entries.

    Attributes
    ----------
    kurtosis : float
        κ of the entries.
    """

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
        y, g, excess = self.columns / self.rows, self.gain, self.kurtosis - 3.0
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
        """Six units of Tracy and Widom, and a shift that they do not know of.

        Their law has mean -1.2 and deviation 1.3 in units of v (√R + √r)(1/√R + 1/√r)^(1/3) of the eigenvalue.
        """
        root_r, root_R = (math.sqrt(side) for side in self.sides)
        unit = 0.5 * (1.0 / root_R + 1.0 / root_r) ** (1.0 / 3.0)
        found: float = math.sqrt(self.variance) * (6.0 * unit + self._shift / root_r)
        return found

    @property
    def smallest_spread(self) -> float:
        """The same at the lower edge, and four units √(v/r) of Edelman (1988), all that is left of it for m = n."""
        root_r, root_R = (math.sqrt(side) for side in self.sides)
        unit = 0.5 * (1.0 / root_r - 1.0 / root_R) ** (1.0 / 3.0)
        found: float = math.sqrt(self.variance) * (6.0 * unit + (4.0 + self._shift) / root_r)
        return found

    @property
    def mean_singular(self) -> float:
        """That of the law of Marchenko and Pastur."""
        return self._scale * mean_singular(self.aspect)

    @property
    def ratio_variance(self) -> float:
        """(g²/m) (2 + 3 (κ-3)/(n+2)): a fixed unit x has variance (g²/m) (2 + (κ-3) Σ xⱼ⁴), and E Σ xⱼ⁴ = 3/(n+2)."""
        return self.gain**2 / self.rows * (2.0 + 3.0 * (self.kurtosis - 3.0) / (self.columns + 2.0))

    def ratio_mean_deviation(self, inputs: int) -> float:
        """The mean over all x is tr WᵀW / n, of variance (κ-1) g²/(m n); the rest shrinks with the number of inputs."""
        return math.sqrt(self._between + self._within / inputs)

    def ratio_variance_deviation(self, inputs: int) -> float:
        """Sampling error within one matrix, that of its own spread (a linear spectral statistic), and that of its mean."""
        y, least = self.columns / self.rows, self.sides[0]
        sampling = self._within**2 * (2.0 + 24.0 / least) / inputs
        own = self._within**2 * (4.0 + 4.0 * (self.kurtosis - 1.0) * y) / self.columns**2
        return math.sqrt(sampling + own + (2.0 + 12.0 / least) * self._between**2)

    @property
    def aspect(self) -> float:
        """c = r/R."""
        return self.sides[0] / self.sides[1]

    def singular_density(self, s: ArrayLike) -> Array:
        """Limit density of the r singular values."""
        return singular_density(np.asarray(s, dtype=float) / self._scale, self.aspect) / self._scale

    def singular_cdf(self, s: ArrayLike) -> Array:
        """Limit distribution function of the r singular values."""
        return singular_cdf(np.asarray(s, dtype=float) / self._scale, self.aspect)

    @property
    def _scale(self) -> float:
        """√(v R): the unit of the singular values."""
        return math.sqrt(self.variance * self.sides[1])

    @property
    def _shift(self) -> float:
        """What the kurtosis does to the edges, times √r: more where single large entries stick out."""
        return max(4.0 * (self.kurtosis - 3.0), 3.0 - self.kurtosis)

    @property
    def _between(self) -> float:
        """Variance over matrices of the mean ratio."""
        return (self.kurtosis - 1.0) * self.gain**2 / (self.rows * self.columns)

    @property
    def _within(self) -> float:
        """Mean over matrices of the variance of the ratio under one of them."""
        return max(0.0, self.ratio_variance - self._between)


@dataclass(frozen=True, slots=True)
class OrthogonalLaw(MatrixLaw):
    """√(v R) times a uniformly random matrix with orthonormal columns (m >= n) or rows (m <= n); its entries have variance v.

    All r singular values are √(v R). WᵀW is v R times the projection on a random subspace of dimension r.
    """

    @property
    def mse(self) -> float:
        """(r (v R - 1)² + n - r) / n², for every single matrix."""
        rank, n = self.sides[0], self.columns
        return (rank * (self._square - 1.0) ** 2 + n - rank) / n**2

    @property
    def frobenius_deviation(self) -> float:
        """0."""
        return 0.0

    @property
    def off_diagonal_variance(self) -> float:
        """(v R)² r (n - r) / ((n-1) n (n+2)), from tr P² = r and P_ii of the law Beta(r/2, (n-r)/2)."""
        rank, n = self.sides[0], self.columns
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
        rank, n = self.sides[0], self.columns
        return self._square**2 * 2.0 * rank * (n - rank) / (n * n * (n + 2))

    def ratio_mean_deviation(self, inputs: int) -> float:
        """Independent inputs under any one matrix, and rounding."""
        return math.sqrt(self.ratio_variance / inputs) + 1e-6 * self.gain

    def ratio_variance_deviation(self, inputs: int) -> float:
        """Independent values of a law whose kurtosis is below 3 + 12/r, and rounding."""
        factor = 2.0 + 12.0 / min(self.rows, self.columns)
        return self.ratio_variance * math.sqrt(factor / inputs) + 1e-9 * self.gain**2

    @property
    def _square(self) -> float:
        return self.variance * max(self.rows, self.columns)

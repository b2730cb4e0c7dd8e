"""The exact law of the angle between isotropic random directions in R^n, for n from 2 to millions.

Two families, both in radians:

- the angle θ in [0, π] between two independent vectors, with density proportional to sin^(n-2) θ;
- the angle θ in [0, π/2] between a vector and a random k-dimensional subspace, where cos² θ has the law
  Beta(k/2, (n-k)/2). For k = 1 this is the first law folded at π/2.

Beta laws with parameters near 10⁶ are written around their mode (Loader 2000), because a difference of log-gammas loses
nine digits there; sines and cosines enter the incomplete beta function through whichever of sin² and cos² is smaller.

References
----------
Loader (2000), Fast and accurate computation of binomial probabilities.
Cai, Fan, Jiang (2013), Distributions of angles in random packing on spheres, JMLR 14.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import special
from torch import Tensor

from engine.math.random.angle_draws import check_dimensions, sample_subspace_angles, sample_vector_angles

Array = NDArray[np.float64]

_NODES = 256  # of Gauss and Legendre; the densities are analytic, so that 128 already reach rounding error
_NEGLIGIBLE = 1e-30  # probability outside the window of the quadrature, on either side


# --------------------------------------------------------------------------------------------------------------------
# Two vectors


def angle_density(theta: ArrayLike, n: int) -> Array:
    """Density Γ(n/2) / (√π Γ((n-1)/2)) sin^(n-2) θ of the angle between two vectors; 0 outside [0, π]."""
    angle = np.asarray(theta, dtype=float)
    return 0.5 * subspace_angle_density(np.minimum(angle, np.pi - angle), n, 1)


def angle_cdf(theta: ArrayLike, n: int) -> Array:
    """Probability of an angle of at most θ: ½ I_{sin² θ}((n-1)/2, ½) up to π/2, mirrored above."""
    angle = np.clip(np.asarray(theta, dtype=float), 0.0, np.pi)
    lower = 0.5 * _folded_cdf(np.sin(angle) ** 2, np.cos(angle) ** 2, n, 1)
    return np.where(angle <= 0.5 * np.pi, lower, 1.0 - lower)


def angle_quantile(p: ArrayLike, n: int) -> Array:
    """Angle that is not exceeded with probability p in [0, 1]."""
    chance = np.asarray(p, dtype=float)
    folded = subspace_angle_quantile(2.0 * np.minimum(chance, 1.0 - chance), n, 1)
    return np.where(chance <= 0.5, folded, np.pi - folded)


def cosine_density(c: ArrayLike, n: int) -> Array:
    """Density Γ(n/2) / (√π Γ((n-1)/2)) (1 - c²)^((n-3)/2) of the cosine; 0 outside [-1, 1].

    For n = 2 it has integrable poles: the value is infinite at ±1 exactly and finite everywhere between.
    """
    check_dimensions(n, 1)
    cosine = np.asarray(c, dtype=float)
    inside = np.abs(cosine) <= 1.0
    cosine = np.where(inside, cosine, 0.0)
    power = 0.5 * (n - 3)
    logarithm = special.xlog1py(power, cosine) + special.xlog1py(power, -cosine) + _half_step(0.5 * (n - 1))
    return np.where(inside, np.exp(logarithm) / math.sqrt(math.pi), 0.0)


def cosine_cdf(c: ArrayLike, n: int) -> Array:
    """Probability of a cosine of at most c: ½ ± ½ I_{c²}(½, (n-1)/2)."""
    check_dimensions(n, 1)
    cosine = np.clip(np.asarray(c, dtype=float), -1.0, 1.0)
    tail = 0.5 * _folded_cdf((1.0 - cosine) * (1.0 + cosine), cosine**2, n, 1)
    return np.where(cosine <= 0.0, tail, 1.0 - tail)


def mean_angle(n: int) -> float:
    """Mean π/2, in every dimension, by symmetry."""
    check_dimensions(n, 1)
    return 0.5 * math.pi


def var_angle(n: int) -> float:
    """Variance ½ ψ₁(n/2), with ψ₁ the trigamma function; close to 1/(n-1).

    From the characteristic function Γ(n/2)² / (Γ(n/2 + t/2) Γ(n/2 - t/2)) of θ - π/2 (Cauchy's integral of
    cos^(n-2)), whose logarithm is -ψ₁(n/2) t²/4 - ψ₃(n/2) t⁴/192 - ...
    """
    check_dimensions(n, 1)
    return 0.5 * float(special.polygamma(1, 0.5 * n))


def excess_kurtosis_angle(n: int) -> float:
    """Excess kurtosis -ψ₃(n/2) / (2 ψ₁(n/2)²), from the same expansion; -1.2 for n = 2 and about -2/n for large n."""
    check_dimensions(n, 1)
    return -0.5 * float(special.polygamma(3, 0.5 * n)) / float(special.polygamma(1, 0.5 * n)) ** 2


def mean_abs_cos(n: int) -> float:
    """Mean of the absolute cosine, Γ(n/2) / (√π Γ((n+1)/2)); about √(2 / (π n))."""
    return subspace_mean_cos(n, 1)


def var_cos(n: int) -> float:
    """Variance 1/n of the cosine, exactly."""
    check_dimensions(n, 1)
    return 1.0 / n


def within(n: int, half_width: ArrayLike) -> Array:
    """Probability that the angle is within `half_width` radians of π/2."""
    return subspace_within(n, 1, half_width)


# --------------------------------------------------------------------------------------------------------------------
# A vector and a subspace


def subspace_angle_density(theta: ArrayLike, n: int, k: int) -> Array:
    """Density 2 cos^(k-1) θ sin^(n-k-1) θ / B(k/2, (n-k)/2) on [0, π/2], 0 outside.

    With p = k/n = 1 - q the logarithm is ½ (k-1) ln(cos² θ / p) + ½ (n-k-1) ln(sin² θ / q) + ½ ln(n/π) plus Stirling
    remainders, in which nothing large is left to cancel.
    """
    check_dimensions(n, k)
    angle = np.asarray(theta, dtype=float)
    inside = (angle >= 0.0) & (angle <= 0.5 * np.pi)
    angle = np.where(inside, angle, 0.25 * np.pi)
    sine2, cosine2, p, q = np.sin(angle) ** 2, np.cos(angle) ** 2, k / n, (n - k) / n
    excess = np.where(cosine2 < sine2, cosine2 - p, q - sine2)  # one rounding error, which cancels between the terms
    along = 0.5 * _xlog_ratio(k - 1, cosine2, p, excess)
    across = 0.5 * _xlog_ratio(n - k - 1, sine2, q, -excess)
    stirling = _stirling(0.5 * n) - _stirling(0.5 * k) - _stirling(0.5 * (n - k))
    return np.where(inside, np.exp(along + across + 0.5 * math.log(n / math.pi) + stirling), 0.0)


def subspace_angle_cdf(theta: ArrayLike, n: int, k: int) -> Array:
    """Probability of an angle of at most θ: I_{sin² θ}((n-k)/2, k/2)."""
    angle = np.clip(np.asarray(theta, dtype=float), 0.0, 0.5 * np.pi)
    return _folded_cdf(np.sin(angle) ** 2, np.cos(angle) ** 2, n, k)


def subspace_angle_quantile(p: ArrayLike, n: int, k: int) -> Array:
    """Angle that is not exceeded with probability p in [0, 1]."""
    check_dimensions(n, k)
    chance = np.asarray(p, dtype=float)
    across, along = 0.5 * (n - k), 0.5 * k
    sine = np.sqrt(special.betaincinv(across, along, chance))
    cosine = np.sqrt(special.betainccinv(along, across, chance))
    found: Array = np.where(sine < cosine, np.arcsin(sine), np.arccos(cosine))
    return found


def subspace_mean_cos(n: int, k: int) -> float:
    """Mean cosine, Γ((k+1)/2) Γ(n/2) / (Γ(k/2) Γ((n+1)/2)); about √(k/n)."""
    check_dimensions(n, k)
    return math.exp(_half_step(0.5 * k) - _half_step(0.5 * n))


def subspace_within(n: int, k: int, half_width: ArrayLike) -> Array:
    """Probability that the angle is at least π/2 - `half_width` (radians, clipped to [0, π/2])."""
    width = np.clip(np.asarray(half_width, dtype=float), 0.0, 0.5 * np.pi)
    return _folded_cdf(np.sin(width) ** 2, np.cos(width) ** 2, n, n - k)


# --------------------------------------------------------------------------------------------------------------------
# Both families behind one face


class AngleLaw(Protocol):
    """What a laboratory needs of a law of angles, whatever the family. Angles in radians."""

    @property
    def support(self) -> tuple[float, float]:
        """Smallest and largest angle."""

    @property
    def mean(self) -> float:
        """Mean angle."""

    @property
    def var(self) -> float:
        """Variance of the angle."""

    @property
    def fourth_central_moment(self) -> float:
        """E (θ - mean)⁴, for the standard error of a sample variance."""

    @property
    def mean_abs_cos(self) -> float:
        """Mean of |cos θ|."""

    def density(self, theta: ArrayLike) -> Array:
        """Density at θ."""

    def cdf(self, theta: ArrayLike) -> Array:
        """Probability of at most θ."""

    def quantile(self, p: ArrayLike) -> Array:
        """Angle not exceeded with probability p."""

    def within(self, half_width: float) -> float:
        """Probability of |θ - π/2| <= half_width."""

    def sample(self, count: int, generator: torch.Generator, device: torch.device | str = "cpu") -> Tensor:
        """Independent angles, shape (count,)."""


@dataclass(frozen=True, slots=True)
class VectorLaw:
    """`AngleLaw` of the angle between two independent isotropic vectors in R^n, n >= 2."""

    n: int

    def __post_init__(self) -> None:
        check_dimensions(self.n, 1)

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, math.pi

    @property
    def mean(self) -> float:
        return mean_angle(self.n)

    @property
    def var(self) -> float:
        return var_angle(self.n)

    @property
    def fourth_central_moment(self) -> float:
        return (3.0 + excess_kurtosis_angle(self.n)) * self.var**2

    @property
    def mean_abs_cos(self) -> float:
        return mean_abs_cos(self.n)

    def density(self, theta: ArrayLike) -> Array:
        return angle_density(theta, self.n)

    def cdf(self, theta: ArrayLike) -> Array:
        return angle_cdf(theta, self.n)

    def quantile(self, p: ArrayLike) -> Array:
        return angle_quantile(p, self.n)

    def within(self, half_width: float) -> float:
        return float(within(self.n, half_width))

    def sample(self, count: int, generator: torch.Generator, device: torch.device | str = "cpu") -> Tensor:
        return sample_vector_angles(self.n, count, generator, device)


@dataclass(frozen=True, slots=True)
class SubspaceLaw:
    """`AngleLaw` of the angle between an isotropic vector and a k-dimensional subspace of R^n, 1 <= k < n."""

    n: int
    k: int

    def __post_init__(self) -> None:
        check_dimensions(self.n, self.k)

    @property
    def support(self) -> tuple[float, float]:
        return 0.0, 0.5 * math.pi

    @property
    def mean(self) -> float:
        return _subspace_moments(self.n, self.k).mean

    @property
    def var(self) -> float:
        return _subspace_moments(self.n, self.k).variance

    @property
    def fourth_central_moment(self) -> float:
        return _subspace_moments(self.n, self.k).fourth

    @property
    def mean_abs_cos(self) -> float:
        return subspace_mean_cos(self.n, self.k)

    def density(self, theta: ArrayLike) -> Array:
        return subspace_angle_density(theta, self.n, self.k)

    def cdf(self, theta: ArrayLike) -> Array:
        return subspace_angle_cdf(theta, self.n, self.k)

    def quantile(self, p: ArrayLike) -> Array:
        return subspace_angle_quantile(p, self.n, self.k)

    def within(self, half_width: float) -> float:
        return float(subspace_within(self.n, self.k, half_width))

    def sample(self, count: int, generator: torch.Generator, device: torch.device | str = "cpu") -> Tensor:
        return sample_subspace_angles(self.n, self.k, count, generator, device)


# --------------------------------------------------------------------------------------------------------------------
# Numerics


class _Moments(NamedTuple):
    mean: float
    variance: float
    fourth: float


@lru_cache(maxsize=256)
def _subspace_moments(n: int, k: int) -> _Moments:
    """Mean and central moments, by Gauss-Legendre quadrature over all but a negligible probability."""
    low = float(subspace_angle_quantile(_NEGLIGIBLE, n, k))
    high = 0.5 * math.pi - float(subspace_angle_quantile(_NEGLIGIBLE, n, n - k))  # complement: no 1 - 1e-30
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    theta = low + 0.5 * (high - low) * (nodes + 1.0)
    mass = weights * subspace_angle_density(theta, n, k)
    mass /= mass.sum()
    mean = low + float(mass @ (theta - low))
    return _Moments(mean, float(mass @ (theta - mean) ** 2), float(mass @ (theta - mean) ** 4))


def _folded_cdf(sine2: Array, cosine2: Array, n: int, k: int) -> Array:
    """I_{sin² θ}((n-k)/2, k/2), from the smaller of the squares, which has the digits."""
    check_dimensions(n, k)
    across, along = 0.5 * (n - k), 0.5 * k
    result = np.asarray(special.betainc(across, along, np.where(sine2 < cosine2, sine2, 0.0)))
    rest = sine2 >= cosine2
    result[rest] = special.betaincc(along, across, cosine2[rest])
    return result


def _xlog_ratio(power: float, square: Array, reference: float, excess: Array) -> Array:
    """power · ln(square / reference), given excess = square - reference; 0 for power 0."""
    ratio = excess / reference
    near = special.xlog1py(power, np.clip(ratio, -0.5, 0.5))
    found: Array = np.where(np.abs(ratio) < 0.5, near, special.xlogy(power, square / reference))
    return found


def _stirling(z: float) -> float:
    """What Stirling's formula leaves: ln Γ(z) - (z - ½) ln z + z - ½ ln 2π = 1/(12 z) - 1/(360 z³) + ..."""
    if z < 16.0:
        return math.lgamma(z) - (z - 0.5) * math.log(z) + z - 0.5 * math.log(2.0 * math.pi)
    y = 1.0 / (z * z)
    return (1.0 / 12.0 - y * (1.0 / 360.0 - y * (1.0 / 1260.0 - y * (1.0 / 1680.0 - y / 1188.0)))) / z


def _half_step(m: float) -> float:
    """ln Γ(m + ½) - ln Γ(m), about ½ ln m."""
    return 0.5 * math.log(m) + m * math.log1p(0.5 / m) - 0.5 + _stirling(m + 0.5) - _stirling(m)

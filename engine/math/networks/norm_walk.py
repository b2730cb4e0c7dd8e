"""The logarithm of a length on its way through random layers: a random walk whose steps are known exactly.

A Gaussian layer of n units turns the squared length of its input into that times χ²_n / n; behind a rectifier only the K units
above zero count, K ~ Bin(n, 1/2), and with the variance doubled the factor is 2 χ²_K / n. Both have mean 1, and neither has a
logarithm of mean 0.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special, stats


def log_norm_drift(width: int) -> float:
    """Mean ψ(n/2) + ln 2 - ln n of ln(χ²_n / n), about -1/n."""
    return float(special.digamma(0.5 * width)) + math.log(2 / width)


def log_norm_variance(width: int) -> float:
    """Variance ψ₁(n/2) of the same, about 2/n; both add up over layers."""
    return float(special.polygamma(1, 0.5 * width))


def rectified_drift(width: int) -> float:
    """Mean of ln(2 χ²_K / n), about -5/(2n), given that at least one unit fires."""
    units, chance = _firing(width)
    return float(chance @ special.digamma(0.5 * units)) + math.log(4 / width)


def rectified_variance(width: int) -> float:
    """Variance E ψ₁(K/2) + Var ψ(K/2) of the same, about 5/n."""
    units, chance = _firing(width)
    mean = special.digamma(0.5 * units)
    return float(chance @ (special.polygamma(1, 0.5 * units) + (mean - chance @ mean) ** 2))


def _firing(width: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of firing units from one up, and their probabilities."""
    units = np.arange(1, width + 1)
    chance = stats.binom(width, 0.5).pmf(units)
    return units, chance / chance.sum()

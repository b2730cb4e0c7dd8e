"""How far a sample may stray: standard errors and tolerances from the sample size.

A measurement agrees with a law when it differs by no more than chance explains. The default level of a tolerance gives
about one false alarm in 10 000 measurements (3.89 standard errors).
"""

from __future__ import annotations

import math

from scipy import special

FALSE_ALARM = 1e-4


def standard_error_of_mean(variance: float, count: int) -> float:
    """Standard deviation √(σ²/N) of the mean of N independent values of variance σ²."""
    _check_count(count, 1)
    return math.sqrt(variance / count)


def standard_error_of_variance(variance: float, fourth_central_moment: float, count: int) -> float:
    """Standard deviation of the unbiased sample variance, √((μ₄ - σ⁴ (N-3)/(N-1)) / N), exact for every law.

    Parameters
    ----------
    variance : float
        σ² of the law.
    fourth_central_moment : float
        μ₄ = E (x - mean)⁴ of the law; 3 σ⁴ for a normal law.
    count : int
        N >= 2.

    References
    ----------
    Cramér (1946), Mathematical Methods of Statistics, section 27.4.
    """
    _check_count(count, 2)
    return math.sqrt((fourth_central_moment - variance**2 * (count - 3) / (count - 1)) / count)


def standard_error_of_proportion(probability: float, count: int) -> float:
    """Standard deviation √(p (1-p) / N) of the fraction of N independent trials that succeed with probability p."""
    _check_count(count, 1)
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"probability {probability} is outside [0, 1]")
    return math.sqrt(probability * (1.0 - probability) / count)


def tolerance(standard_error: float, level: float = FALSE_ALARM) -> float:
    """Two-sided bound z · standard error that a normal deviation exceeds with probability `level`."""
    _check_level(level)
    return -float(special.ndtri(0.5 * level)) * standard_error


def ks_critical(count: int, level: float = FALSE_ALARM) -> float:
    """Kolmogorov-Smirnov distance of N values that chance exceeds with probability about `level`.

    K⁻¹(level) / (√N + 0.12 + 0.11/√N), with K the limit law of Kolmogorov (1933) and the correction for small samples
    of Stephens (1970).
    """
    _check_count(count, 1)
    _check_level(level)
    root = math.sqrt(count)
    return float(special.kolmogi(level)) / (root + 0.12 + 0.11 / root)


def ks_significance(distance: float, count: int) -> float:
    """Probability with which chance exceeds a Kolmogorov-Smirnov distance of N values; inverse of `ks_critical`."""
    _check_count(count, 1)
    root = math.sqrt(count)
    return float(special.kolmogorov(distance * (root + 0.12 + 0.11 / root)))


def _check_count(count: int, least: int) -> None:
    if count < least:
        raise ValueError(f"a sample of {count} is smaller than {least}")


def _check_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        raise ValueError(f"level {level} is outside (0, 1)")

"""Tolerances against scipy's laws and simulated samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from engine.math.numerics import statistics


def test_default_tolerance_is_one_false_alarm_in_ten_thousand() -> None:
    assert statistics.tolerance(2.0) == pytest.approx(2.0 * stats.norm.isf(0.5e-4))
    assert statistics.tolerance(1.0) == pytest.approx(3.89, abs=0.01)
    assert statistics.tolerance(1.0, 0.05) == pytest.approx(1.959964, abs=1e-6)


@pytest.mark.parametrize("law", [stats.uniform(), stats.norm(), stats.expon()], ids=["uniform", "normal", "exponential"])
def test_standard_errors_match_repeated_samples(law) -> None:
    count, repeats = 40, 20_000
    sample = law.rvs((repeats, count), random_state=np.random.default_rng(5))
    kurtosis = float(law.stats("k")) + 3.0
    variance = float(law.var())
    mean_error = statistics.standard_error_of_mean(variance, count)
    variance_error = statistics.standard_error_of_variance(variance, kurtosis * variance**2, count)
    assert sample.mean(axis=1).std() == pytest.approx(mean_error, rel=0.03)
    assert sample.var(axis=1, ddof=1).std() == pytest.approx(variance_error, rel=0.06)


def test_variance_of_a_normal_sample() -> None:
    assert statistics.standard_error_of_variance(2.0, 12.0, 11) == pytest.approx(2.0 * math.sqrt(2.0 / 10.0))


def test_proportion() -> None:
    assert statistics.standard_error_of_proportion(0.5, 100) == pytest.approx(0.05)
    assert statistics.standard_error_of_proportion(1.0, 100) == 0.0


@pytest.mark.parametrize("count", [10, 100, 10_000])
@pytest.mark.parametrize("level", [0.1, 0.01])
def test_ks_critical_value(count: int, level: float) -> None:
    assert statistics.ks_critical(count, level) == pytest.approx(stats.kstwo.isf(level, count), rel=0.01)
    assert statistics.ks_significance(statistics.ks_critical(count, level), count) == pytest.approx(level, rel=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: statistics.standard_error_of_mean(1.0, 0),
        lambda: statistics.standard_error_of_variance(1.0, 3.0, 1),
        lambda: statistics.standard_error_of_proportion(1.5, 10),
        lambda: statistics.tolerance(1.0, 0.0),
        lambda: statistics.ks_critical(0),
    ],
)
def test_impossible_samples_are_refused(call) -> None:
    with pytest.raises(ValueError, match=r"is smaller than|is outside"):
        call()

"""Mixing of chains against ArviZ, emcee and the closed forms of an autoregression."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from engine.math.chains import laws
from engine.math.chains import statistics as chains
from engine.math.chains.samplers import ula


def reproducible(count: int, length: int, rho: float) -> Tensor:
    """An autoregression of numbers that are the same everywhere: additive recurrences of irrational steps, scrambled."""
    k = np.arange(1, count * length + 1)
    noise = np.modf(k * math.sqrt(2))[0] * 12.9898 + np.modf(k * math.sqrt(3))[0] * 78.233
    noise = 2 * np.modf(noise * 43.7585453)[0].reshape(count, length) - 1
    return filtered(noise, rho)


def filtered(noise: np.ndarray, rho: float) -> Tensor:
    x = noise.copy()
    for n in range(1, x.shape[1]):
        x[:, n] += rho * x[:, n - 1]
    return torch.tensor(x)


def autoregression(count: int, length: int, rho: float, seed: int = 0) -> Tensor:
    """Chains in equilibrium with variance 1."""
    noise = np.random.default_rng(seed).normal(size=(count, length)) * math.sqrt(1 - rho * rho)
    noise[:, 0] /= math.sqrt(1 - rho * rho)
    return filtered(noise, rho)


# ess(method="mean"), ess(method="identity"), rhat(method="split"), rhat(method="rank") of ArviZ 0.22;
# autocorr.integrated_time of emcee 3.1.6
LIBRARIES = [
    (4, 250, 0.9, 131.21065181963024, 126.1249562581051, 1.0529588050079648, 1.052502068277965, 5.968369945123744),
    (4, 251, 0.3, 555.3359589111484, 541.4639519932209, 0.9994474228463099, 1.0005222656219874, 0.9638677143763821),
    (2, 400, -0.5, 2322.471989593555, 2299.288989432415, 0.9979803303599005, 0.9998633131698491, -0.03646453258907023),
    (6, 40, 0.95, 23.718847249729013, 17.30346296673203, 1.2436254747020006, 1.2374961970492833, 2.9653548271028605),
]


@pytest.mark.parametrize(("count", "length", "rho", "ess", "whole", "split", "rank", "time"), LIBRARIES)
def test_as_arviz_and_emcee(
    count: int, length: int, rho: float, ess: float, whole: float, split: float, rank: float, time: float
) -> None:
    values = reproducible(count, length, rho)
    assert chains.effective_sample_size(values) == pytest.approx(ess, rel=1e-7)
    assert chains.effective_sample_size(values, split=False) == pytest.approx(whole, rel=1e-7)
    assert chains.r_hat(values) == pytest.approx(split, rel=1e-9)
    assert chains.rank_r_hat(values) == pytest.approx(rank, rel=1e-9)
    if rho > 0:  # emcee sums too few lags of anticorrelated chains
        assert chains.integrated_time(values) == pytest.approx(time, rel=1e-7)


def test_autocovariance_is_its_sum() -> None:
    values = autoregression(3, 50, 0.5)
    found = chains.autocovariance(values, 5).numpy()
    centred = (values - values.mean(1, keepdim=True)).numpy()
    for lag in range(6):
        assert found[:, lag] == pytest.approx((centred[:, : 50 - lag] * centred[:, lag:]).sum(1) / 50)
    assert chains.autocovariance(values).shape == (3, 50)
    assert torch.all(chains.autocorrelation(values)[:, 0] == 1)


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.9, 0.98, -0.5])
def test_an_autoregression_has_its_time(rho: float) -> None:
    """τ = (1 + ρ)/(1 - ρ), and N/τ effective samples; the error of τ is about τ √(4M/length) with the window M = 5τ."""
    values = autoregression(32, 8192, rho)
    time = (1 + rho) / (1 - rho)
    error = 4 * math.sqrt(4 * 5 * max(time, 1) / values.numel())
    assert chains.integrated_time(values) == pytest.approx(time, rel=error, abs=0.03)
    assert chains.effective_sample_size(values) == pytest.approx(values.numel() / time, rel=2 * error)
    assert chains.autocorrelation(values, 3).mean(0).tolist() == pytest.approx([rho**k for k in range(4)], abs=0.02)
    assert chains.r_hat(values) == pytest.approx(1.0, abs=0.005 + time / 4096)


def test_disagreement_is_seen() -> None:
    values = autoregression(4, 1000, 0.2)
    apart = values + torch.tensor([[0.0], [0.0], [0.0], [3.0]])
    assert chains.r_hat(apart) > 1.5
    assert chains.effective_sample_size(apart) < 10
    wider = values * torch.tensor([[1.0], [1.0], [1.0], [4.0]])
    assert chains.r_hat(wider) < 1.02 < 1.05 < chains.rank_r_hat(wider)  # the spread alone differs: only folding sees it
    drifting = values + torch.linspace(0, 3, 1000)
    assert chains.r_hat(drifting, split=False) < 1.02 < 1.1 < chains.r_hat(drifting)


def test_chains_without_an_answer() -> None:
    still = torch.ones((4, 100))
    assert math.isnan(chains.effective_sample_size(still))
    assert math.isnan(chains.r_hat(still))
    assert math.isnan(chains.integrated_time(still))
    assert chains.r_hat(torch.tensor([[0.0], [1.0]]).expand(2, 10)) == math.inf
    broken = torch.full((2, 10), math.nan)
    for measure in (chains.effective_sample_size, chains.r_hat, chains.rank_r_hat):
        assert math.isnan(measure(broken))
    assert math.isnan(chains.effective_sample_size(torch.randn(2, 3)))


@given(st.integers(1, 4), st.integers(8, 60), st.floats(-5, 5), st.floats(0.1, 10), st.integers(0, 1000))
def test_shift_and_scale_change_nothing(count: int, length: int, shift: float, scale: float, seed: int) -> None:
    values = autoregression(count, length, 0.4, seed)
    moved = values * scale + shift
    assert chains.effective_sample_size(moved) == pytest.approx(chains.effective_sample_size(values), rel=1e-6)
    assert chains.r_hat(moved) == pytest.approx(chains.r_hat(values), rel=1e-6)
    assert 0 < chains.effective_sample_size(values) <= 2 * count * length * math.log10(2 * count * length)


# ---- While a swarm runs


def swarm(step_size: float, count: int, seed: int = 0) -> tuple[Tensor, torch.Generator]:
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn((2, count), generator=generator) * math.sqrt(laws.ula_variance(step_size))
    return points + 1.0, generator  # the law need not be centred


@pytest.mark.parametrize("step_size", [0.001, 0.3, 3.0])
def test_swarm_correlation_is_the_lag(step_size: float) -> None:
    points, generator = swarm(step_size, 40_000)
    pooled = chains.SwarmCorrelation(memory=math.inf)
    assert pooled.lag1() == []
    for _ in range(11):
        pooled.update(points)
        ula(points, points - 1.0, step_size, 1.0, torch.randn(points.shape, generator=generator), in_place=True)
    rho = laws.ula_lag1(step_size)
    error = (1 - rho * rho) / math.sqrt(10 * pooled.most)
    assert pooled.steps == 10
    assert pooled.lag1() == pytest.approx([rho, rho], abs=4 * error + 1e-6)


def test_swarm_correlation_of_one_particle_pools_over_time() -> None:
    points, generator = swarm(1.0, 1)
    pooled = chains.SwarmCorrelation(memory=math.inf)
    for _ in range(4000):
        pooled.update(points)
        ula(points, points - 1.0, 1.0, 1.0, torch.randn(points.shape, generator=generator), in_place=True)
    assert pooled.lag1() == pytest.approx([0.5, 0.5], abs=4 * math.sqrt(0.75 / 4000))


def test_swarm_correlation_forgets() -> None:
    """After a change of the step size the number follows within a few times the memory."""
    points, generator = swarm(0.01, 20_000)
    pooled = chains.SwarmCorrelation(memory=4)
    for step_size in [0.01] * 20 + [1.0] * 40:
        pooled.update(points)
        ula(points, points - 1.0, step_size, 1.0, torch.randn(points.shape, generator=generator), in_place=True)
    assert pooled.lag1() == pytest.approx([0.5, 0.5], abs=0.03)
    pooled.update(points[:, :100])  # another swarm
    assert pooled.steps == 0
    assert all(map(math.isnan, pooled.lag1()))
    pooled.clear()
    assert pooled.lag1() == []


def test_swarm_correlation_of_a_swarm_at_rest() -> None:
    pooled = chains.SwarmCorrelation()
    for _ in range(3):
        pooled.update(torch.ones((2, 10)))
    assert all(map(math.isnan, pooled.lag1()))


def test_traces_keep_the_last_steps_in_order() -> None:
    traces = chains.Traces(particles=2, length=5)
    assert traces.chains().numel() == 0
    for n in range(8):
        traces.update(torch.tensor([[n, 10 * n, -1], [-n, 0, -1]], dtype=torch.float32))
        assert traces.chains().shape == (2, 2, min(n + 1, 5))
    assert traces.chains()[0].tolist() == [[3, 4, 5, 6, 7], [30, 40, 50, 60, 70]]
    assert math.isnan(chains.Traces().efficiency())
    traces.clear()
    assert traces.steps == 0


@pytest.mark.parametrize("step_size", [0.2, 1.0, 2.5])
def test_traces_measure_the_efficiency(step_size: float) -> None:
    points, generator = swarm(step_size, 64)
    traces = chains.Traces(64, 1500)
    for _ in range(1500):
        traces.update(points)
        ula(points, points - 1.0, step_size, 1.0, torch.randn(points.shape, generator=generator), in_place=True)
    assert traces.efficiency() == pytest.approx(laws.ula_efficiency(step_size), rel=0.15)

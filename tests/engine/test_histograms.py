"""The growing histogram against numpy on the whole sample."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from engine.math.numerics.histograms import empty_histogram, ks_distance, merge, rebin, update
from engine.math.numerics.statistics import ks_critical
from engine.math.random.angles import VectorLaw


@functools.cache
def sample(count: int = 200_003, n: int = 30) -> torch.Tensor:
    return VectorLaw(n).sample(count, torch.Generator().manual_seed(11))


def test_counts_match_numpy() -> None:
    values = sample()
    state = update(empty_histogram(0.0, math.pi), values)
    expected, edges = np.histogram(values.numpy(), bins=1 << 16, range=(0.0, math.pi))
    np.testing.assert_allclose(state.edges, edges)
    # a value within rounding of an edge may fall on either side
    assert np.abs(np.cumsum(state.counts()) - np.cumsum(expected)).max() <= 2
    assert state.counts().sum() == values.numel()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_summary_matches_the_whole_sample(dtype: torch.dtype) -> None:
    values = sample().to(dtype)
    x = values.double().numpy()
    summary = update(empty_histogram(1.5, 1.6, half_width=0.1), values).summary()  # sums ignore the window
    assert summary.count == x.size
    assert summary.mean == pytest.approx(x.mean(), abs=1e-13)
    assert summary.variance == pytest.approx(x.var(ddof=1), rel=1e-11)
    assert summary.third == pytest.approx(((x - x.mean()) ** 3).mean(), abs=1e-13)
    assert summary.fourth == pytest.approx(((x - x.mean()) ** 4).mean(), rel=1e-10)
    assert summary.mean_abs_cos == pytest.approx(np.abs(np.cos(x)).mean(), rel=1e-6)
    assert summary.within == (np.abs(x - math.pi / 2) <= 0.1).mean()


def test_values_outside_the_window_are_counted_outside() -> None:
    values = torch.tensor([-1e30, -1.0, 0.0, 0.6, 1.0, 1.0 + 1e-9, 5.0, 1e30], dtype=torch.float64)
    state = update(empty_histogram(0.0, 1.0, bins=4), values)
    assert state.outside() == (2, 3)
    assert state.counts().tolist() == [1, 0, 1, 1]


def test_both_ends_belong_to_the_window() -> None:
    values = torch.tensor([0.0, math.pi], dtype=torch.float64)
    state = update(empty_histogram(0.0, math.pi), values)
    assert state.outside() == (0, 0)
    assert state.counts()[[0, -1]].tolist() == [1, 1]


def test_update_leaves_the_old_state_alone() -> None:
    first = update(empty_histogram(0.0, math.pi), sample(1000))
    counts, sums = first.padded_counts.clone(), first.sums.clone()
    second = update(first, sample(500))
    assert torch.equal(first.padded_counts, counts)
    assert torch.equal(first.sums, sums)
    assert second.summary().count == 1500


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 3000))
def test_parts_add_up(cut: int) -> None:
    values = sample(3000)
    start = empty_histogram(0.0, math.pi, bins=64)
    whole = update(start, values)
    merged = merge(update(start, values[:cut]), update(start, values[cut:]))
    assert torch.equal(whole.padded_counts, merged.padded_counts)
    torch.testing.assert_close(whole.sums, merged.sums, rtol=1e-12, atol=1e-12)


def test_different_layouts_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match="cannot be merged"):
        merge(empty_histogram(0.0, 1.0), empty_histogram(0.0, 2.0))


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 300), st.data())
def test_rebinning_keeps_every_count(fine: int, data: st.DataObject) -> None:
    bins = data.draw(st.integers(1, fine))
    counts = np.arange(fine)
    edges = np.linspace(2.0, 5.0, fine + 1)
    coarse, coarse_edges = rebin(counts, edges, bins)
    assert coarse.size == bins
    assert coarse.sum() == counts.sum()
    assert (coarse_edges[0], coarse_edges[-1]) == (edges[0], edges[-1])
    assert np.ptp(np.diff(coarse_edges)) <= edges[1] - edges[0] + 1e-12
    np.testing.assert_allclose(coarse_edges, np.linspace(2.0, 5.0, bins + 1), atol=0.5 * (edges[1] - edges[0]) + 1e-12)


@pytest.mark.parametrize("bins", [0, 11])
def test_impossible_bins_are_refused(bins: int) -> None:
    with pytest.raises(ValueError, match="outside 1 to 10"):
        rebin(np.ones(10), np.arange(11.0), bins)


def test_empty_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="is empty"):
        empty_histogram(1.0, 1.0)
    with pytest.raises(ValueError, match="too few"):
        empty_histogram(0.0, 1.0, bins=0)


def test_ks_distance_is_a_lower_bound_within_one_bin() -> None:
    values, law = sample(), VectorLaw(30)
    state = update(empty_histogram(0.0, math.pi), values)
    exact = stats.kstest(values.numpy(), law.cdf).statistic
    binned = ks_distance(state.counts(), state.edges, law.cdf)
    assert exact - 2e-4 < binned <= exact + 1e-12
    assert binned < ks_critical(values.numel())
    assert ks_distance(state.counts(), state.edges, VectorLaw(31).cdf) > ks_critical(values.numel())


def test_ks_distance_uses_values_outside_the_window() -> None:
    values, law = sample(), VectorLaw(30)
    state = update(empty_histogram(1.4, 1.7), values)
    below, above = state.outside()
    distance = ks_distance(state.counts(), state.edges, law.cdf(state.edges), below=below, above=above)
    assert distance < ks_critical(values.numel())


def test_no_values_have_no_moments() -> None:
    state = empty_histogram(0.0, math.pi)
    assert state.summary().count == 0
    assert math.isnan(state.summary().mean)
    assert math.isnan(ks_distance(state.counts(), state.edges, VectorLaw(3).cdf))
    assert math.isnan(update(state, torch.ones(1)).summary().variance)

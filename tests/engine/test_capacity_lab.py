"""The experiment on nearly perpendicular vectors: against a full Gram matrix, the law, and the clock."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from engine.api import Frame, load, run
from engine.core.context import Context
from engine.core.drive import Run
from engine.labs.angles.capacity import experiment as capacity
from engine.labs.angles.capacity.curves import cumulative_law, record_steps
from engine.math.random.capacity import tail

NAME = "angles.capacity"


def last_frame(**values: object) -> Frame:
    frame = run(NAME, device="cpu", **values).frame
    assert frame is not None
    return frame


def start(**values: object) -> Run:
    parameters = capacity.Parameters(**values)
    return Run(load(NAME), parameters, Context(torch.device("cpu"), parameters.seed))


@pytest.mark.parametrize("law", ["normal", "laplace"])
def test_every_pair_is_counted_once(law: str) -> None:
    run_ = start(vectors=700, dimension=30, law=law, epsilon=0.5)
    assert run_.total is not None
    run_.advance(run_.total)
    vectors = run_._state.vectors.double().numpy()
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)
    values = np.abs(vectors @ vectors.T)[np.tril_indices(700, -1)]
    frame = run_.observe()
    assert frame.measures["pairs"] == len(values) == 700 * 699 / 2
    assert int(run_._state.counts.sum()) == len(values)
    assert frame.measures["max_abs_cos"] == pytest.approx(values.max(), abs=1e-6)
    assert frame.measures["mean_abs_cos"] == pytest.approx(values.mean(), rel=1e-6)
    assert frame.measures["mean_square_cos"] == pytest.approx((values**2).mean(), rel=1e-6)
    assert abs(frame.measures["pairs_above"] - (values > 0.5).sum()) <= 2  # ε at the nearest of 65,536 edges
    gram = np.abs(np.tril(vectors @ vectors.T, -1))
    assert frame.measures["vectors_before"] == np.flatnonzero(gram.max(axis=1) > 0.5)[0]
    assert frame.picture.record_values[-1] == pytest.approx(values.max(), abs=1e-6)


@pytest.mark.parametrize(
    "values", [{"vectors": 3000, "dimension": 50}, {"vectors": 1000, "dimension": 1000}, {"vectors": 500, "dimension": 3}]
)
def test_every_claim_holds_or_waits(values: dict[str, int]) -> None:
    for seed in range(3):
        frame = last_frame(**values, seed=seed)
        assert [claim.name for claim in frame.claims if claim.holds is False] == []
        assert {claim.name: claim.holds for claim in frame.claims}["max_abs_cos"] is True


def test_other_laws_keep_the_mean_square_and_miss_the_law() -> None:
    claims = {claim.name: claim.holds for claim in last_frame(vectors=3000, dimension=20, law="rademacher").claims}
    assert claims["mean_square_cos"] is True
    assert claims["ks_distance"] is False


def test_more_vectors_than_dimensions_within_a_tolerance() -> None:
    measures = last_frame(vectors=2000, dimension=100, epsilon=0.4).measures
    assert 10 ** measures["theory_log10_capacity"] == pytest.approx(202, abs=1)
    assert measures["crude_max_abs_cos"] > measures["theory_max_abs_cos"]


def test_tolerance_and_bins_change_without_a_new_run() -> None:
    run_ = start(vectors=500)
    before = run_.observe()
    run_.tweak(run_.parameters.changed(epsilon=0.2, bins=33))
    after = run_.observe()
    assert after.measures["max_abs_cos"] == before.measures["max_abs_cos"]
    assert after.measures["pairs_above"] > before.measures["pairs_above"]
    assert len(after.picture.cosine_density) == 33


def test_extreme_tolerances_stay_finite() -> None:
    for epsilon in (0.01, 0.99):
        frame = last_frame(vectors=100, dimension=10_000, epsilon=epsilon)
        assert all(math.isfinite(value) for value in frame.measures.values())
        assert all(np.isfinite(array).all() for array in frame.arrays.values())


def test_schedule_reaches_the_end_in_bounded_steps() -> None:
    for dimension, vectors in ((100, 2), (100, 17), (100, 50_000), (10_000, 26_000)):
        ends = capacity.schedule(dimension, vectors, torch.device("cpu"))
        assert ends[-1] == vectors
        starts = (0, *ends[:-1])
        assert all(a < b for a, b in zip(starts, ends, strict=True))
        pairs = [(b - a) * b for a, b in zip(starts, ends, strict=True)]
        assert max(pairs) <= max(2 * 16 * 16, 1 << 20, 50_000)
        assert max(pairs) * dimension <= max(1 << 30, 50_000 * dimension)


def test_too_many_numbers_are_not_kept() -> None:
    parameters = capacity.Parameters(vectors=50_000, dimension=10_000)
    assert capacity.wanted_vectors(parameters) == 26_843
    frame = start(vectors=50_000, dimension=10_000).observe()
    assert frame.picture.wanted == 26_843


def test_staircase() -> None:
    x, y = record_steps(np.array([0.0, 0.3, 0.1, 0.5, 0.2]))
    assert x.tolist() == [2, 4, 4, 5]
    assert y.tolist() == [0.3, 0.3, 0.5, 0.5]


@pytest.mark.parametrize("dimension", [2, 3, 10, 500, 10_000])
def test_law_between_its_points(dimension: int) -> None:
    edges = np.linspace(0, 1, 3001)
    assert cumulative_law(dimension, 3000) == pytest.approx(1 - tail(edges, dimension), abs=4e-6)

"""Soft k-means: thresholds, pitchfork, limits; against k-means and a mixture of normals."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.vq import kmeans2
from scipy.optimize import brentq

from engine.api import LabError, UsageError, load, run_with, validate
from engine.math.latent.soft_kmeans import (
    Centres,
    converge,
    distances,
    entropy,
    group_variance,
    groups,
    growth,
    iterate,
    largest_group_variance,
    lloyd,
    pitchfork,
    pitchfork_error,
    responsibilities,
    shape_of,
    smooth_minimum,
)

NAME = "em.annealing"


def normal(n: int, dimension: int, seed: int = 0) -> torch.Tensor:
    return torch.randn((n, dimension), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def equal(places: torch.Tensor) -> Centres:
    return Centres(places, torch.full((len(places),), 1 / len(places), dtype=places.dtype))


# ---- mathematics -----------------------------------------------------------------------------------------------------


def test_shape_is_that_of_the_covariance() -> None:
    points = normal(200, 3) * torch.tensor([1.0, 3.0, 0.5])
    shape = shape_of(points)
    values = np.linalg.eigvalsh(np.cov(points.numpy().T, bias=True))
    assert shape.variance == pytest.approx(values[-1], rel=1e-12)
    assert shape.second == pytest.approx(values[-2], rel=1e-12)
    assert shape.critical == pytest.approx(1 / (2 * values[-1]), rel=1e-12)
    assert abs(float(shape.axis[1])) > 0.9


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), dimension=st.integers(1, 4), factor=st.floats(0.05, 20))
def test_growth_at_the_mean_is_twice_m_times_the_variance(seed: int, dimension: int, factor: float) -> None:
    points = normal(40, dimension, seed)
    shape = shape_of(points)
    temperature = factor * shape.critical
    assert growth(points, shape, temperature) == pytest.approx(factor, rel=1e-5 * max(1.0, factor))


def test_growth_does_not_care_for_the_weights() -> None:
    points = normal(60, 1)
    points = points - points.mean(0)
    shape = shape_of(points)
    apart = 1e-5
    places = shape.mean + torch.tensor([[0.7], [-0.3]], dtype=torch.float64) * apart
    pair = Centres(places, torch.tensor([0.2, 0.8], dtype=torch.float64))
    new = iterate(points, pair, 3 * shape.critical, True).places
    assert float((new[0] - new[1]).abs()) / apart == pytest.approx(3.0, rel=1e-3)


def test_two_points_are_a_magnet() -> None:
    points = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    for temperature in (0.55, 1.0, 3.0):
        expected = brentq(lambda a, m=temperature: a - math.tanh(2 * m * a), 1e-3, 1.0)
        found, _ = converge(points, equal(points * 0.5), temperature, most=5000)
        np.testing.assert_allclose(found.places[:, 0].numpy(), [-expected, expected], rtol=1e-9)
    found, _ = converge(points, equal(points * 0.5), 0.45, most=5000)
    assert float(found.places.abs().max()) < 1e-9


@pytest.mark.parametrize("kind", ["normal", "skewed", "plane"])
def test_the_pitchfork_has_the_error_it_says(kind: str) -> None:
    points = normal(400, 2) * torch.tensor([1.0, 0.5]) if kind == "plane" else normal(400, 1)
    points = points.exp() if kind == "skewed" else points
    shape = shape_of(points)
    for excess in (0.01, 0.001):
        temperature = torch.tensor((1 + excess) * shape.critical, dtype=torch.float64)
        half = float(pitchfork(temperature, shape))
        ends = shape.mean + torch.tensor([[half], [-half]], dtype=torch.float64) * shape.axis
        found, _ = converge(points, equal(ends), float(temperature), most=60_000, tolerance=1e-13)
        measured = 0.5 * float((found.places[0] - found.places[1]).norm())
        error = abs(measured - half) / half
        assert error < 2 * pitchfork_error(float(temperature), shape)


def test_smooth_minimum_lies_within_ln_k_over_m() -> None:
    squares = normal(50, 6).square()
    for temperature in (0.01, 1.0, 100.0):
        below = squares.amin(1) - smooth_minimum(squares, temperature)
        assert float(below.min()) >= -1e-12
        assert float(below.max()) <= math.log(6) / temperature + 1e-12


def test_the_free_energy_never_rises_and_is_distance_less_entropy() -> None:
    points = normal(80, 2)
    centres = equal(normal(4, 2, 1))
    before = math.inf
    for _ in range(40):
        squares = distances(points, centres.places)
        held = responsibilities(points, centres, 2.0)
        energy = float(smooth_minimum(squares, 2.0).mean())
        assert energy == pytest.approx(float((held * squares).sum(1).mean()) - entropy(held) / 2.0, abs=1e-12)
        assert energy <= before + 1e-12
        before = energy
        centres = iterate(points, centres, 2.0, False)


def test_cold_soft_k_means_is_k_means() -> None:
    points = normal(120, 2)
    begin = points[:4].clone()
    soft, _ = converge(points, equal(begin), 1e5, most=300)
    hard, distortion = lloyd(points, begin)
    expected, labels = kmeans2(points.numpy(), begin.numpy(), iter=200, minit="matrix")
    np.testing.assert_allclose(hard.numpy(), expected, atol=1e-9)
    np.testing.assert_allclose(soft.places.numpy(), expected, atol=1e-6)
    assert distortion == pytest.approx(float(((points.numpy() - expected[labels]) ** 2).sum(1).mean()))


def test_it_is_em_of_round_normals_with_variance_one_over_two_m() -> None:
    mixture = pytest.importorskip("sklearn.mixture")
    points, temperature = normal(90, 2), 1.7
    begin = normal(3, 2, 5)
    centres = Centres(begin, torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64))
    model = mixture.GaussianMixture(3, covariance_type="spherical")
    model.means_, model.weights_ = begin.numpy(), centres.shares.numpy()
    model.covariances_ = np.full(3, 1 / (2 * temperature))
    model.precisions_cholesky_ = np.full(3, math.sqrt(2 * temperature))
    expected = model.predict_proba(points.numpy())
    np.testing.assert_allclose(responsibilities(points, centres, temperature).numpy(), expected, atol=1e-12)
    new = iterate(points, centres, temperature, True)
    np.testing.assert_allclose(new.shares.numpy(), expected.mean(0), atol=1e-12)
    np.testing.assert_allclose(new.places.numpy(), expected.T @ points.numpy() / expected.sum(0)[:, None], atol=1e-12)


def test_groups_and_their_variance() -> None:
    places = torch.tensor([[0.0], [1.0], [0.05], [1.1], [0.1]], dtype=torch.float64)
    assert groups(places, 0.06) == [[0, 2, 4], [1], [3]]
    points = normal(30, 2)
    weights = torch.rand(30, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = np.linalg.eigvalsh(np.cov(points.numpy().T, aweights=weights.numpy(), ddof=0))[-1]
    assert group_variance(points, weights) == pytest.approx(expected)
    assert largest_group_variance(points, weights[:, None].expand(-1, 2), [[0], [1]]) == 0
    assert group_variance(points, torch.zeros(30, dtype=torch.float64)) == 0


# ---- the experiment --------------------------------------------------------------------------------------------------


def run(**values: object):
    return run_with(NAME, validate(load(NAME).parameters, values), device="cpu").frame


def failed(frame) -> list[str]:
    return [claim.name for claim in frame.claims if claim.holds is False]


def test_two_points_split_at_one_half() -> None:
    frame = run(values=[-1, 1], components=2, inverse_temperature=1.0, temperatures=40, highest=5)
    assert frame.measures["critical_inverse_temperature"] == 0.5
    assert frame.measures["growth_factor"] == pytest.approx(2.0, rel=1e-6)
    expected = brentq(lambda a: a - math.tanh(2 * a), 0.1, 1.0)
    np.testing.assert_allclose(frame.tables["centres"], [-expected, expected], rtol=1e-6)
    np.testing.assert_allclose(frame.tables["weights"], [0.5, 0.5])
    assert not failed(frame)


def test_the_present_does_not_depend_on_how_far_the_sweep_has_come() -> None:
    parameters = load(NAME).parameters(temperatures=25, inverse_temperature=0.4)
    begun, ended = (run_with(NAME, parameters, device="cpu", limit=limit).frame for limit in (0, None))
    np.testing.assert_allclose(begun.tables["centres"], ended.tables["centres"], atol=1e-6)
    assert math.isnan(begun.measures["measured_critical"])
    assert len(np.unique(np.round(ended.tables["centres"], 6))) == 4


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("data", ["two", "skewed", "uniform", "plane", "ring"])
def test_claims_hold_for_all_data(data: str, seed: int) -> None:
    frame = run(data=data, points=60, seed=seed, temperatures=25, sweep="up", highest=20, inverse_temperature=1.0)
    assert not failed(frame)
    assert {claim.name: claim.holds for claim in frame.claims}["threshold"]


@pytest.mark.parametrize("weights", ["fixed", "learned"])
@pytest.mark.parametrize("components", [1, 2, 3, 5])
def test_claims_hold_for_all_numbers_of_centres(components: int, weights: str) -> None:
    frame = run(components=components, weights=weights, temperatures=30, sweep="up", inverse_temperature=0.2)
    assert not failed(frame)
    assert len(frame.tables["centres"]) == components


def test_without_a_push_centres_stay_at_the_saddle() -> None:
    frame = run(perturbation=0.0, temperatures=20, sweep="up", inverse_temperature=0.4)
    assert frame.measures["distinct_centres"] == 1
    claim = {each.name: each for each in frame.claims}["stability"]
    assert claim.holds is None  # nothing pushes them off the saddle
    assert claim.measured > 2
    assert str(claim.remark) == "Without a push equal centres never part."


def test_near_a_split_centres_come_to_rest() -> None:
    """0, 1, 9, 10 just above M_c: the place of rest solves μ = E[x tanh(2M μ x)] about the mean."""
    m = 0.0244
    frame = run(values=(0, 1, 9, 10), components=2, inverse_temperature=m)
    rest = brentq(lambda a: np.mean([x * math.tanh(2 * m * a * x) for x in (-5, -4, 4, 5)]) - a, 0.05, 1.0)
    assert frame.tables["centres"] == pytest.approx([5 - rest, 5 + rest], abs=1e-8)
    assert frame.measures["settled"] == 1
    assert frame.measures["distinct_centres"] == 2
    assert failed(frame) == []


@pytest.mark.parametrize("values", [(0, 1e-4, 2e-4), (0, 3e8, 1e9), (-0.36, -1.33)])
def test_growth_is_judged_by_rounding(values: tuple[float, ...]) -> None:
    for temperature in (1e-6, 0.4, 1e6):
        assert "growth" not in failed(run(values=values, inverse_temperature=temperature, temperatures=20))


def test_a_wrong_growth_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.labs.em.annealing.experiment.growth", lambda *_: 1.0001 * growth(*_))
    assert "growth" in failed(run(temperatures=20))


def test_skewed_data_with_three_centres_show_hysteresis() -> None:
    frame = run(data="skewed", points=200, components=3, highest=2, temperatures=60, iterations=1500, seed=1)
    assert frame.measures["hysteresis"] > 0.1
    up, down = frame.picture.up, frame.picture.down
    spread = np.ptp(down, 1) - np.ptp(up, 1)
    below = frame.picture.temperatures < frame.measures["critical_inverse_temperature"]
    assert spread[below].max() > 0.1  # apart on the way back where they were together on the way up


def test_what_cannot_be_grouped_is_refused_with_a_sentence() -> None:
    with pytest.raises(LabError, match="without variance"):
        run(values=[2, 2, 2])
    with pytest.raises(UsageError, match="from 2 to"):
        validate(load(NAME).parameters, {"values": [1.0]})


def test_places_of_the_plane_are_rows() -> None:
    frame = run(data="plane", points=40, components=4, temperatures=20, sweep="up", inverse_temperature=1.0)
    assert np.shape(frame.tables["centres"]) == (4, 2)
    assert frame.picture.data.shape == (40, 2)

"""Signs of random projections against the binomial law."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from engine.api import run
from engine.core.frames import Frame
from engine.labs.angles.hashing.claims import check_claims
from engine.math.numerics.statistics import standard_error_of_proportion, tolerance
from engine.math.random.sign_projections import (
    estimate_fourth_moment,
    estimate_variance,
    hamming_law,
    orthonormal_pairs,
    sign_differs,
    sign_product,
)

NAME = "angles.hashing"
CPU = torch.device("cpu")


def frame_of(**values: object) -> Frame:
    frame = run(NAME, **{"pairs": 1000, "dimension": 16, **values}).frame
    assert frame is not None
    return frame


def holds(frame: Frame) -> dict[str, bool | None]:
    return {claim.name: claim.holds for claim in frame.claims}


@pytest.mark.parametrize("degrees", [10.0, 60.0, 90.0, 150.0])
def test_the_product_of_signs_is_an_integral_over_a_gaussian_pair(degrees: float) -> None:
    """P(u > 0, v > 0) by quadrature of the conditional law: the mean product is four times it, less one."""
    c = math.cos(math.radians(degrees))
    both, _ = integrate.quad(lambda u: stats.norm.pdf(u) * stats.norm.cdf(c * u / math.sqrt(1 - c * c)), 0, 12)
    assert float(sign_product(math.radians(degrees))) == pytest.approx(4 * both - 1, abs=1e-9)


@pytest.mark.parametrize("bits", [1, 7, 64])
def test_moments_of_the_estimate_are_those_of_the_binomial_law(bits: int) -> None:
    theta = 1.1
    law, values = hamming_law(theta, bits), math.pi * np.arange(bits + 1) / bits
    assert law.sum() == pytest.approx(1)
    assert law @ values == pytest.approx(theta)
    assert law @ (values - theta) ** 2 == pytest.approx(float(estimate_variance(theta, bits)))
    assert law @ (values - theta) ** 4 == pytest.approx(estimate_fourth_moment(theta, bits))


@pytest.mark.parametrize("dimension", [2, 3, 300])
def test_a_hyperplane_separates_with_the_probability_of_the_angle(dimension: int) -> None:
    count, theta = 40_000, 0.8
    generator = torch.Generator().manual_seed(dimension)
    x, across = orthonormal_pairs(count, dimension, generator, CPU)
    assert float((x * across).sum(dim=1).abs().max()) < 1e-4
    normals = torch.randn((count, dimension), generator=generator)
    differs = sign_differs((normals * x).sum(1), (normals * across).sum(1), theta)
    y = math.cos(theta) * x + math.sin(theta) * across
    direct = ((normals * x).sum(1) > 0) != ((normals * y).sum(1) > 0)
    assert int((differs != direct).sum()) <= 2  # where a product is zero to rounding
    spread = standard_error_of_proportion(theta / math.pi, count)
    assert float(differs.double().mean()) == pytest.approx(theta / math.pi, abs=tolerance(spread))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "values",
    [{}, {"bits": 1}, {"angle": 5.0, "bits": 512, "pairs": 300}, {"angle": 90.0, "dimension": 2}, {"angle": 179.0, "bits": 3}],
    ids=str,
)
def test_claims_hold(values: dict[str, object], seed: int) -> None:
    assert all(holds(frame_of(seed=seed, **values)).values())


def test_ends_of_the_angle_are_certain() -> None:
    for angle, product in ((0.0, 1.0), (180.0, -1.0)):
        frame = frame_of(angle=angle, bits=16)
        assert frame.measures["sign_product"] == product
        assert all(holds(frame).values())


def test_signs_keep_the_mean_and_leave_the_law_open() -> None:
    held = holds(frame_of(planes="rademacher", dimension=2, bits=64))
    assert held == {"sign_product": True, "farthest_angle": True, "estimate_variance": None, "ks_distance": None}


def test_few_pairs_are_not_judged() -> None:
    assert set(holds(frame_of(pairs=50)).values()) == {None}


def test_a_wrong_law_is_seen() -> None:
    known = dict(frame_of(pairs=2000).measures)
    off = {
        "sign_product": 0.02,
        "farthest_angle": 6.0,
        "estimate_variance": 0.2 * known["estimate_variance"],
        "ks_distance": 0.1,
    }
    for name, error in off.items():
        claims = check_claims({**known, name: known[name] + error}, math.radians(60), 64, 11, False)
        assert [claim.name for claim in claims if claim.holds is False] == [name]


def test_errors_by_length_fall_as_the_root_of_bits() -> None:
    picture = frame_of(pairs=4000, bits=64).picture
    assert picture.prefix_bits.tolist() == [1, 2, 4, 8, 16, 32, 64]
    np.testing.assert_allclose(picture.prefix_error, picture.theory_prefix_error, rtol=0.08)
    np.testing.assert_allclose(picture.theory_prefix_error[:-1] / picture.theory_prefix_error[1:], math.sqrt(2))

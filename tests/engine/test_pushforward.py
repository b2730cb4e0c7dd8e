"""The law of f(x) against laws that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats

from engine.math.networks.activations import ACTIVATIONS
from engine.math.numerics.pushforward import image_law


@pytest.mark.parametrize(
    ("function", "law"),
    [(lambda x: x, stats.norm()), (np.exp, stats.lognorm(1)), (np.square, stats.chi2(1)), (special.ndtr, stats.uniform())],
    ids=["normal", "lognormal", "chi-squared", "uniform"],
)
def test_known_laws(function, law) -> None:
    edges = law.ppf(np.linspace(0.02, 0.98, 25))
    np.testing.assert_allclose(image_law(function).shares(edges), 0.04, atol=3e-6)


def test_relu_has_an_atom_at_zero_and_hard_tanh_at_both_ends() -> None:
    relu, hard = ACTIVATIONS["relu"], ACTIVATIONS["hard_tanh"]
    ((value, mass),) = image_law(relu.numpy, 2.0, relu.kinks).atoms()
    assert (value, mass) == (0.0, pytest.approx(0.5, abs=1e-12))
    tail = special.ndtr(-1 / 2.0)
    atoms = image_law(hard.numpy, 2.0, hard.kinks).atoms()
    assert atoms == [(-1.0, pytest.approx(tail, abs=1e-12)), (1.0, pytest.approx(tail, abs=1e-12))]
    assert image_law(np.tanh).atoms() == []


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_the_window_holds_nearly_everything(name: str) -> None:
    law = image_law(ACTIVATIONS[name].numpy, 1.0, ACTIVATIONS[name].kinks)
    window = law.window()
    assert window[0] < window[1]
    assert law.shares(window)[0] > 0.998


def test_shares_agree_with_samples() -> None:
    gelu = ACTIVATIONS["gelu"]
    law = image_law(gelu.numpy)
    edges = np.linspace(*law.window(), 31)
    count = 200_000
    values = gelu.numpy(np.random.default_rng(0).standard_normal(count))
    counts = np.histogram(values, edges)[0]
    expected = law.shares(edges)
    deviation = np.sqrt(expected * (1 - expected) / count)
    assert np.all(np.abs(counts / count - expected) < 4.8 * deviation + 1e-5)


def test_a_constant_is_one_atom() -> None:
    law = image_law(lambda x: np.full_like(x, 0.7))
    assert law.atoms() == [(0.7, pytest.approx(1.0))]
    low, high = law.window()
    assert law.shares([low, high])[0] == pytest.approx(1.0)
